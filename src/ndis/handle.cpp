// SPDX-License-Identifier: MIT
//
// The region of handle slots.
#include "ndis/handle.h"

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "kernel/passage.h"
#include "kernel/system.h"
#include "machine/machine.h"

namespace undis {

HandleTable::Slot* HandleTable::now_ = nullptr;
HandleTable::Slot* HandleTable::spare_ = nullptr;

const char* to_text(HandleKind kind) noexcept {
  constexpr std::array kNames{"no NDIS handle",
                              "NDIS wrapper handle",
                              "miniport driver handle (5.x)",
                              "layered miniport driver handle (5.x)",
                              "miniport driver handle (6.x)",
                              "protocol handle (5.x)",
                              "protocol handle (6.x)",
                              "miniport adapter handle",
                              "binding handle",
                              "bind context",
                              "unbind context",
                              "NET_BUFFER_LIST pool handle",
                              "NET_BUFFER pool handle",
                              "packet pool handle",
                              "buffer pool handle",
                              "configuration handle",
                              "timer object handle",
                              "I/O work item handle",
                              "read/write lock",
                              "device handle",
                              "configuration key handle",
                              "interrupt handle",
                              "DMA handle",
                              "file handle",
                              "log handle",
                              "interface provider handle",
                              "filter driver handle",
                              "filter module handle",
                              "poll handle",
                              "client's address family handle",
                              "call manager's address family handle",
                              "client's SAP handle",
                              "call manager's SAP handle",
                              "client's VC handle",
                              "call manager's VC handle",
                              "miniport's VC handle",
                              "client's party handle",
                              "call manager's party handle"};
  return kNames[static_cast<std::size_t>(kind)];
}

HandleTable::HandleTable() : slots_(std::exchange(spare_, nullptr)) {
  if (slots_ == nullptr) {
    void* region = mmap(nullptr, kSlots * sizeof(Slot), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) throw std::bad_alloc();
    slots_ = static_cast<Slot*>(region);  // all zero: each a slot that was never given out
  }
  now_ = slots_;
}

HandleTable::~HandleTable() {
  now_ = nullptr;
  // A search makes thousands of tables a second, each with a few handles: clearing those costs less than
  // mapping anew.
  const kernel::Hold hold(lock_);
  if (spare_ == nullptr && used_ <= kMostToClear) {
    std::memset(static_cast<void*>(slots_), 0, used_ * sizeof(Slot));
    spare_ = slots_;
  } else {
    munmap(slots_, kSlots * sizeof(Slot));
  }
}

NDIS_HANDLE HandleTable::open(HandleKind kind, void* object, kernel::Passage* passage) noexcept {
  const kernel::Hold hold(lock_);
  Slot* fresh = nullptr;
  if (used_ < kSlots) {
    fresh = &slots_[used_++];
  } else if (oldest_closed_ != nullptr) {
    fresh = oldest_closed_;
    oldest_closed_ = fresh->next_closed;
    if (oldest_closed_ == nullptr) newest_closed_ = nullptr;
  } else {
    return nullptr;
  }
  fresh->kind = kind;
  fresh->next_closed = nullptr;
  for (Slot::Exit& exit : fresh->exits) exit.way.store(&no_way, std::memory_order_relaxed);
  fresh->passage.store(passage, std::memory_order_release);  // who sees it sees the exits
  fresh->object.store(object, std::memory_order_release);
  fresh->open.store(true, std::memory_order_release);
  ++open_count_;
  return fresh;
}

void HandleTable::close(NDIS_HANDLE handle) noexcept {
  kernel::Passage* passage = nullptr;
  {
    const kernel::Hold hold(lock_);
    Slot* const closing = slot(slots_, handle);
    if (closing == nullptr || !closing->open) return;
    closing->open.store(false, std::memory_order_relaxed);
    closing->object.store(nullptr, std::memory_order_relaxed);
    for (Slot::Exit& exit : closing->exits) exit.way.store(&no_way, std::memory_order_relaxed);
    (newest_closed_ != nullptr ? newest_closed_->next_closed : oldest_closed_) = closing;
    newest_closed_ = closing;
    --open_count_;
    passage = closing->passage.load(std::memory_order_relaxed);
  }
  // The data path looks these up without a reference: it is through with the object after this.
  if (passage != nullptr) passage->synchronize();
}

HandleView HandleTable::view(NDIS_HANDLE handle) const noexcept {
  const Slot* const found = slot(slots_, handle);
  if (found == nullptr) return {};
  return {found->kind, found->open.load(std::memory_order_acquire),
          found->object.load(std::memory_order_acquire)};
}

}  // namespace undis
