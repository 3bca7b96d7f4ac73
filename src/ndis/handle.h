// SPDX-License-Identifier: MIT
//
// NDIS_HANDLEs: looked up, never cast. A stale, foreign or wrong-kind handle is told by name.
//
// A handle is the address of a slot in a region that only handles live in, so a lookup is a range check and
// one load. A closed slot keeps what it was and is not given out again while fresh ones are left: late use is
// seen as late use.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include <ndis.h>

#include "kernel/lock.h"
#include "ndis/object.h"

namespace undis::kernel {
class Passage;
}

namespace undis {

enum class HandleKind : std::uint8_t {
  None,
  Wrapper,
  MiniportDriver5,
  LayeredMiniport5,
  MiniportDriver6,
  ProtocolDriver5,
  ProtocolDriver6,
  Adapter,
  Binding,
  BindContext,
  UnbindContext,
  NblPool,
  NetBufferPool,
  PacketPool,
  BufferPool,
  Configuration,
  Timer,
  IoWorkItem,
  RwLock,
  Device,
  ConfigurationKey,
  Interrupt,
  Dma,
  File,
  Log,
  IfProvider,
  FilterDriver,
  FilterModule,
  Poll,
  ClientAf,
  CallManagerAf,
  ClientSap,
  CallManagerSap,
  ClientVc,
  CallManagerVc,
  MiniportVc,
  ClientParty,
  CallManagerParty
};
const char* to_text(HandleKind kind) noexcept;

/// Where a chain of lists goes, seen from who hands it on.
enum class Direction : std::uint8_t { Send, Complete, Receive, Return };
struct Way;
[[gnu::visibility("hidden")]] extern const Way no_way;  ///< has no handler

/// What a handle turned out to be.
struct HandleView {
  HandleKind kind = HandleKind::None;  ///< None: no handle of NDIS at all
  bool open = false;                   ///< false: it was closed, `kind` is what it used to be
  void* object = nullptr;              ///< only while open
};

class HandleTable {
 public:
  HandleTable();
  ~HandleTable();
  HandleTable(const HandleTable&) = delete;
  HandleTable& operator=(const HandleTable&) = delete;

  /// A new handle for `object`, or nullptr when every slot is in use.
  /// `passage`: of the stack that the object belongs to, for Adapter, Binding and FilterModule.
  NDIS_HANDLE open(HandleKind kind, void* object, kernel::Passage* passage = nullptr) noexcept
      EXCLUDES(lock_);
  void close(NDIS_HANDLE handle) noexcept EXCLUDES(lock_);
  HandleView view(NDIS_HANDLE handle) const noexcept;
  /// Whether the handle is open and of that kind.
  static bool is_open(NDIS_HANDLE handle, HandleKind kind) noexcept {
    const Slot* const found = slot_now(handle);
    return found != nullptr && found->kind == kind &&
           found->object.load(std::memory_order_relaxed) != nullptr;
  }
  /// The object of an open handle of that kind in the stack with that passage, which the caller is in
  /// (visit.h); nullptr: none.
  template <class T>
  static T* find_in(const kernel::Passage& passage, NDIS_HANDLE handle, HandleKind kind) noexcept {
    const Slot* const found = slot_now(handle);
    if (found == nullptr || found->kind != kind || found->passage.load(std::memory_order_relaxed) != &passage)
      return nullptr;
    return static_cast<T*>(found->object.load(std::memory_order_acquire));
  }

  /// The object of an open handle of one of T::kHandleKinds, kept alive by the reference; empty otherwise.
  template <class T>
  Ref<T> find(NDIS_HANDLE handle) noexcept EXCLUDES(lock_) {
    return find<T>(handle, T::kHandleKinds[0]);
  }
  /// The same for a handle of kind `expected`. T::kHandleKinds stand for each other (its caller tells
  /// generations apart); any other kind of handle that leads to a T, as a bind context does to a binding,
  /// only for itself.
  template <class T>
  Ref<T> find(NDIS_HANDLE handle, HandleKind expected) noexcept EXCLUDES(lock_) {
    const auto is_main = [](HandleKind kind) {
      return std::find(std::begin(T::kHandleKinds), std::end(T::kHandleKinds), kind) !=
             std::end(T::kHandleKinds);
    };
    const kernel::Hold hold(lock_);
    const HandleView found = view(handle);
    if (!found.open) return {};
    if (found.kind != expected && !(is_main(expected) && is_main(found.kind))) return {};
    return Ref<T>(static_cast<T*>(found.object));
  }
  std::size_t open_count() const noexcept { return open_count_; }

  /// Never goes while there is a table, and the passages neither (Library::passages): the data path may look
  /// without a lock.
  struct alignas(64) Slot {
    std::atomic<void*> object;
    std::atomic<kernel::Passage*> passage;
    HandleKind kind;
    std::atomic<bool> open;
    Slot* next_closed;
    /// By Direction. Not nullptr where there is, or was, a passage.
    struct Exit {
      std::atomic<const Way*> way;
      std::atomic<void*> context;  ///< the way's own, for who goes ahead before that is read (follow_on)
    } exits[4];
  };
  static constexpr std::size_t kSlots =
      std::size_t{1} << 20;  ///< address space only: a page is touched when its first slot is
  static Slot* slot(Slot* slots, NDIS_HANDLE handle) noexcept {
    const auto offset = reinterpret_cast<std::uintptr_t>(handle) - reinterpret_cast<std::uintptr_t>(slots);
    return offset < kSlots * sizeof(Slot) && offset % sizeof(Slot) == 0 ? static_cast<Slot*>(handle)
                                                                        : nullptr;
  }
  static const Slot* slot_now(NDIS_HANDLE handle) noexcept { return slot(now_, handle); }
  /// Whether there may be something at `handle`; it was closed if there is not, or never open.
  static bool is_slot(NDIS_HANDLE handle) noexcept {
    const auto offset = reinterpret_cast<std::uintptr_t>(handle) - reinterpret_cast<std::uintptr_t>(now_);
    return offset < kSlots * sizeof(Slot) && offset % sizeof(Slot) == 0;
  }
  static const Slot* slot_of(NDIS_HANDLE handle) noexcept { return static_cast<const Slot*>(handle); }
  /// `handle`: of a slot that was given out.
  static Slot::Exit& exit_of(NDIS_HANDLE handle, Direction direction) noexcept {
    return static_cast<Slot*>(handle)->exits[static_cast<std::size_t>(direction)];
  }

 private:
  static constexpr std::size_t kMostToClear = 4096;  ///< slots: 256 KiB

  [[gnu::visibility("hidden")]] static Slot* now_;  ///< the slots of the table that there is
  static Slot* spare_;  ///< of a table that is gone, all zero again: for the next one
  Slot* slots_ = nullptr;
  kernel::Lock lock_;
  std::size_t used_ GUARDED_BY(lock_) = 0;  ///< slots ever given out
  Slot*
      oldest_closed_ GUARDED_BY(lock_) = nullptr;  ///< queue of closed slots, reused only after all are used
  Slot* newest_closed_ GUARDED_BY(lock_) = nullptr;
  std::size_t open_count_ = 0;
};

}  // namespace undis
