// SPDX-License-Identifier: MIT
//
// The region of handle slots.
#include "ndis/handle.h"

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <new>

namespace undis {

struct HandleTable::Slot {
  void* object;
  HandleKind kind;
  bool open;
  Slot* next_closed;
};

namespace {

constexpr std::size_t kSlots = std::size_t{1} << 20;  // address space only: a page is touched when its first slot is

}  // namespace

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
                              "poll handle"};
  return kNames[static_cast<std::size_t>(kind)];
}

HandleTable::HandleTable() {
  void* region = mmap(nullptr, kSlots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) throw std::bad_alloc();
  slots_ = static_cast<Slot*>(region);
}

HandleTable::~HandleTable() { munmap(slots_, kSlots * sizeof(Slot)); }

HandleTable::Slot* HandleTable::slot(NDIS_HANDLE handle) const noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(handle);
  const auto first = reinterpret_cast<std::uintptr_t>(slots_);
  if (address < first || address >= first + kSlots * sizeof(Slot) || (address - first) % sizeof(Slot) != 0) return nullptr;
  return static_cast<Slot*>(handle);
}

NDIS_HANDLE HandleTable::open(HandleKind kind, void* object) noexcept {
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
  *fresh = Slot{object, kind, true, nullptr};
  ++open_count_;
  return fresh;
}

void HandleTable::close(NDIS_HANDLE handle) noexcept {
  const kernel::Hold hold(lock_);
  Slot* const closing = slot(handle);
  if (closing == nullptr || !closing->open) return;
  closing->open = false;
  closing->object = nullptr;
  if (newest_closed_ != nullptr) {
    newest_closed_->next_closed = closing;
  } else {
    oldest_closed_ = closing;
  }
  newest_closed_ = closing;
  --open_count_;
}

HandleView HandleTable::view(NDIS_HANDLE handle) const noexcept {
  const Slot* const found = slot(handle);
  if (found == nullptr) return {};
  return {found->kind, found->open, found->object};
}

}  // namespace undis
