// SPDX-License-Identifier: MIT
//
// A miniport and a protocol on it, each with as little code as a driver can have: for measurements of the
// data path, and for tests in which several threads use it.
//
// Chains  whoever sends (indicates) a chain has put the address of a NET_BUFFER_LIST* into
// ProtocolReserved[0]
//         (MiniportReserved[0]) of its first list: there the chain is put when it is back.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <ndis.h>

#include "lab/world.h"

namespace undis::test {

class LeastStack {
 public:
  explicit LeastStack(const lab::WorldOptions& options);
  ~LeastStack();
  LeastStack(const LeastStack&) = delete;
  LeastStack& operator=(const LeastStack&) = delete;

  /// Runs `body` on a kernel thread.
  kernel::Outcome run(const std::function<void()>& body) { return world_.run("test", body); }
  bool is_up() const noexcept { return binding_ != nullptr; }
  lab::World& world() noexcept { return world_; }
  NDIS_HANDLE adapter() const noexcept { return adapter_; }
  NDIS_HANDLE binding() const noexcept { return binding_; }

  /// In NetEventPause and NetEventRestart of the protocol, if set.
  std::function<void()> on_pause;
  std::function<void()> on_restart;

 private:
  static LeastStack* current_;
  static NTSTATUS NTAPI enter_nic(PDRIVER_OBJECT object, PUNICODE_STRING path);
  static NTSTATUS NTAPI enter_protocol(PDRIVER_OBJECT object, PUNICODE_STRING path);
  static NDIS_STATUS initialize(NDIS_HANDLE handle, NDIS_HANDLE context,
                                PNDIS_MINIPORT_INIT_PARAMETERS parameters);
  static NDIS_STATUS bind(NDIS_HANDLE driver_context, NDIS_HANDLE bind_context,
                          PNDIS_BIND_PARAMETERS parameters);

  lab::World world_;
  NDIS_HANDLE miniport_ = nullptr;
  NDIS_HANDLE protocol_ = nullptr;
  NDIS_HANDLE adapter_ = nullptr;
  NDIS_HANDLE binding_ = nullptr;
};

/// Lists of one frame each, as a driver keeps them: free ones in a row, taken for a chain, put back one by
/// one when the chain is back.
class Lists {
 public:
  /// `count` lists of a pool of `owner`, an adapter or a binding.
  Lists(NDIS_HANDLE owner, std::size_t count, std::size_t bytes);
  /// The same of plain memory, for a model without NDIS.
  explicit Lists(std::size_t count);
  ~Lists();
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;

  /// A chain of `count` of the free ones, of which there are that many.
  NET_BUFFER_LIST* take(std::size_t count) noexcept {
    NET_BUFFER_LIST* const first = free_;
    NET_BUFFER_LIST* last = first;
    for (std::size_t i = 1; i < count; ++i) last = last->Next;
    free_ = last->Next;
    last->Next = nullptr;
    free_count_ -= count;
    return first;
  }
  static void recycle(void* lists, NET_BUFFER_LIST* chain) noexcept {
    static_cast<Lists*>(lists)->recycle(chain);
  }
  std::size_t free_count() const noexcept { return free_count_; }

 private:
  struct Block {
    NET_BUFFER_LIST list;
    NET_BUFFER buffer;
  };
  void own(NET_BUFFER_LIST* list) noexcept {
    list->ProtocolReserved[0] = list->MiniportReserved[0] = this;
    list->Next = free_;
    free_ = list;
    ++free_count_;
  }
  void recycle(NET_BUFFER_LIST* chain) noexcept {
    while (chain != nullptr) {
      NET_BUFFER_LIST* const next = chain->Next;
      chain->Next = free_;
      free_ = chain;
      ++free_count_;
      chain = next;
    }
  }
  NDIS_HANDLE pool_ = nullptr;
  std::vector<Block> blocks_;
  NET_BUFFER_LIST* free_ = nullptr;
  std::size_t free_count_ = 0;
};

}  // namespace undis::test
