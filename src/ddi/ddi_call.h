// SPDX-License-Identifier: MIT
//
// What every entry point begins with: the call is a frame of the thread's chain, a schedule point, traced,
// and checked against its row of spec/ddi.csv (IRQL).
#pragma once

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "ndis/library.h"
#include "undis/ddi_table.h"

namespace undis {

class DdiCall {
 public:
  /// What a search is told of what the call does, as of a kernel::KernelCall.
  using Tells = kernel::KernelCall::Tells;
  explicit DdiCall(Ddi ddi, const void* object = nullptr, Tells tells = Tells::Nothing) noexcept;
  ~DdiCall();
  DdiCall(const DdiCall&) = delete;
  DdiCall& operator=(const DdiCall&) = delete;

  const char* name() const noexcept { return frame_.name; }
  /// Who called: the driver whose callback this thread is in, or the host's own driver object.
  kernel::Driver& driver() const noexcept { return *frame_.driver; }
  NDIS_STATUS returns(NDIS_STATUS status) const noexcept { return status; }

  /// The object of `handle` if it is an open handle of the expected kind (see HandleTable::find); otherwise a
  /// HandleMisuse is told and nothing returned.
  template <class T>
  Ref<T> find(const char* argument, NDIS_HANDLE handle, HandleKind expected) const noexcept {
    Ref<T> found = Library::current().handles().find<T>(handle, expected);
    if (!found) tell_misuse(argument, handle, expected);
    return found;
  }
  void tell_misuse(const char* argument, NDIS_HANDLE handle, HandleKind expected) const noexcept;
  void tell_misuse(const char* argument, NDIS_HANDLE handle, HandleKind expected,
                   HandleView found) const noexcept;
  /// An open binding that is not being closed; a later use of its handle is a misuse (LIFE-244).
  Ref<Binding> find_open_binding(const char* argument, NDIS_HANDLE handle) const noexcept;
  void tell_unexpected_completion(const void* object, std::string_view object_name,
                                  std::string why) const noexcept;
  void tell_bad_status(const void* object, std::string_view object_name, NDIS_STATUS status,
                       std::string allowed) const noexcept;
  /// A statement of a page that the caller breaks by this call (breach.h).
  void tell_breach(const char* rule, std::string object_name, std::string why) const noexcept;
  /// True if the header of a structure is of this type, of revision 1 at least, and says at least this size;
  /// told if not.
  bool check_header(const NDIS_OBJECT_HEADER& header, UCHAR type, std::size_t size,
                    const char* parameter) const noexcept;
  void tell_wrong_place(WrongPlace::Kind kind, const void* object, std::string why) const noexcept;
  /// For fallible calls: true if this one is to fail now (fault injection).
  bool fails() const noexcept;

 private:
  kernel::CallFrame frame_;
  kernel::Thread* thread_;  ///< in whose chain of calls the frame is; nullptr: none
};

}  // namespace undis
