// SPDX-License-Identifier: MIT
//
// The drivers of a stack, each an object that lives as long as the stack: it is loaded and unloaded by it.
#pragma once

#include <memory>

#include "stack.h"

namespace undis::bench {

class Part {
 public:
  Part(Stack& stack, kernel::Driver& driver) : stack_(stack), driver_(driver) {}
  virtual ~Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  kernel::Driver& driver() noexcept { return driver_; }
  Stack& stack() noexcept { return stack_; }
  /// What DriverEntry and Unload do.
  virtual NTSTATUS enter(PDRIVER_OBJECT object, PUNICODE_STRING path) = 0;
  virtual void leave() = 0;

 protected:
  Stack& stack_;
  kernel::Driver& driver_;
};

/// Registers a driver's `Unload`, for those whose registration does not.
void set_unload(PDRIVER_OBJECT object);
VOID NTAPI unload_part(PDRIVER_OBJECT object);

std::unique_ptr<Part> make_cards6(Stack& stack);
std::unique_ptr<Part> make_cards5(Stack& stack);
std::unique_ptr<Part> make_protocol6(Stack& stack, unsigned number);
std::unique_ptr<Part> make_protocol5(Stack& stack, unsigned number);
/// `carries`: it has data handlers.
std::unique_ptr<Part> make_filter(Stack& stack, unsigned number, bool carries);
std::unique_ptr<Part> make_middle(Stack& stack);

/// Behind a call that would be the last of its function: no compiler makes a jump of it.
inline void stay() noexcept {
  asm volatile("" ::: "memory");
}

/// "name7", for a registration.
std::u16string numbered(const char16_t* name, unsigned number);
UNICODE_STRING counted(std::u16string& text) noexcept;

/// The attributes of a 6.x miniport, virtual or not.
NDIS_STATUS set_attributes(NDIS_HANDLE adapter, NDIS_HANDLE context, ULONG flags);
/// A 6.x open of `name`, with a promiscuous packet filter if it `listens`; waits if it pends, as do
/// `close_adapter6` and `ask6`: for those whose handlers for the completions are `opened6`, `closed6` and
/// `answered6`.
NDIS_STATUS open_adapter6(NDIS_HANDLE protocol, Bound& context, NDIS_HANDLE bind_context, PNDIS_STRING name,
                          bool listens, NDIS_HANDLE* handle);
void close_adapter6(Bound& context, NDIS_HANDLE* handle);
VOID opened6(NDIS_HANDLE context, NDIS_STATUS status);
VOID closed6(NDIS_HANDLE context);
NDIS_STATUS ask6(NDIS_HANDLE binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, ULONG length);
VOID answered6(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status);
NDIS_STATUS set_filter6(NDIS_HANDLE binding, ULONG filter);
NDIS_OID_REQUEST request6(NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, ULONG length) noexcept;

}  // namespace undis::bench
