// SPDX-License-Identifier: MIT
//
// The next handler on each way through the stack on one adapter, worked out when the stack changes and not
// when a chain passes.
//
// A handle's slot leads to the ways that begin at its object: what a send of that binding, a completion of
// that miniport and so on comes to. There is one only while it holds for every chain: the stack runs, is
// of 6.x, nothing has to be looked at, and where a way ends at the bindings, just one of them has sent or
// asks for what is received. Whatever has none, or a list that does not fit it, takes the plain way in full
// (plain_path.h).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/lock.h"
#include "kernel/passage.h"
#include "kernel/thread.h"
#include "machine/fence.h"
#include "ndis/handle.h"

namespace undis {

class Adapter;
class Binding;
class FilterModule;

/// One handler, and what a call of it has to say.
struct Way {
  void* context = nullptr;
  void* handler = nullptr;
  NDIS_HANDLE source = nullptr;  ///< SourceHandle that the first list must have; nullptr: any
  /// Of every call by this way, on whatever thread: so it does not say what is around it, `up` is nullptr.
  kernel::CallFrame frame{};

  template <class... A>
  void call(NET_BUFFER_LIST* chain, A... args) const {
    reinterpret_cast<VOID (*)(NDIS_HANDLE, NET_BUFFER_LIST*, A...)>(handler)(context, chain, args...);
  }
};

/// Lists that are on the stamped way now (data_path_parts.h): with any of them about, each chain has to be
/// looked at.
namespace data_path {
[[gnu::visibility("hidden")]] extern std::atomic<std::int64_t> stamped_legs;
}

/// Whether a chain can go by itself: nothing has to be looked at but where it comes from.
inline bool fits(const Way* way, const NET_BUFFER_LIST* chain) noexcept {
  return way != nullptr && data_path::stamped_legs.load(std::memory_order_relaxed) == 0 &&
         (way->source == nullptr || chain->SourceHandle == way->source);
}

namespace detail {

/// Inside the stack already: the call costs its frame. Written so that what is not taken is left by a jump.
template <class... A>
[[gnu::always_inline]] inline VOID
follow_inside(Direction direction, VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
              const HandleTable::Slot* slot, kernel::Thread& thread, NET_BUFFER_LIST* chain, A... args) {
  const Way* const way = slot->ways[static_cast<std::size_t>(direction)].load(std::memory_order_acquire);
  if (!fits(way, chain)) [[unlikely]]
    return otherwise(const_cast<HandleTable::Slot*>(slot), chain, args...);
  kernel::CallFrame* const around = thread.calls;
  thread.calls = const_cast<kernel::CallFrame*>(&way->frame);
  way->call(chain, args...);
  thread.calls = around;
}

/// The way was taken away before the entry, or does not fit.
template <class... A>
[[gnu::noinline, gnu::cold]] VOID leave_for(kernel::Passage& passage, kernel::Passage::Side side,
                                            kernel::Passage* outer,
                                            VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
                                            NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  kernel::Thread::current().passage = outer;
  passage.leave(side);
  otherwise(handle, chain, args...);
}

/// From outside the stack.
template <class... A>
[[gnu::always_inline]] inline VOID
follow_in(Direction direction, VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
          const HandleTable::Slot* slot, kernel::Thread& thread, NET_BUFFER_LIST* chain, A... args) {
  const NDIS_HANDLE handle = const_cast<HandleTable::Slot*>(slot);
  kernel::Passage* const passage = slot->passage.load(std::memory_order_acquire);
  if (passage == nullptr) [[unlikely]]
    return otherwise(handle, chain, args...);
  const kernel::Passage::Side side = passage->enter();
  kernel::Passage* const outer = thread.passage;
  thread.passage = passage;
  const Way* const way = slot->ways[static_cast<std::size_t>(direction)].load(std::memory_order_acquire);
  if (!fits(way, chain)) [[unlikely]]
    return leave_for(*passage, side, outer, otherwise, handle, chain, args...);
  kernel::CallFrame* const around = thread.calls;
  thread.calls = const_cast<kernel::CallFrame*>(&way->frame);
  way->call(chain, args...);
  thread.calls = around;
  machine::fence::light();  // two stores, not one that is put together first
  thread.passage = outer;
  passage->leave(side);
}

/// Where the caller of an entry point usually is; the other case is a function of its own, so that this one
/// saves nothing for it.
template <Direction direction, class... A>
[[gnu::noinline]] VOID follow_inside_after_all(VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
                                               NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  follow_inside(direction, otherwise, HandleTable::slot_of(handle), kernel::Thread::current(), chain,
                args...);
}
template <Direction direction, class... A>
[[gnu::noinline]] VOID follow_in_after_all(VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
                                           NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  follow_in(direction, otherwise, HandleTable::slot_of(handle), kernel::Thread::current(), chain, args...);
}

}  // namespace detail

enum class Usually : std::uint8_t { Outside, Inside };

/// Hands a chain on by the way that begins at `handle`, if there is one and the chain fits it. Otherwise that
/// is `otherwise`'s to do.
template <Direction direction, Usually usually, class... A>
[[gnu::always_inline]] inline VOID follow(VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
                                          NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  if (!HandleTable::is_slot(handle) || chain == nullptr) [[unlikely]]
    return otherwise(handle, chain, args...);
  const HandleTable::Slot* const slot = HandleTable::slot_of(handle);
  kernel::Thread& thread = kernel::Thread::current();
  const bool inside = slot->passage.load(std::memory_order_acquire) == thread.passage;
  if constexpr (usually == Usually::Inside) {
    if (!inside) [[unlikely]]
      return detail::follow_in_after_all<direction>(otherwise, handle, chain, args...);
    return detail::follow_inside(direction, otherwise, slot, thread, chain, args...);
  } else {
    if (inside) [[unlikely]]
      return detail::follow_inside_after_all<direction>(otherwise, handle, chain, args...);
    return detail::follow_in(direction, otherwise, slot, thread, chain, args...);
  }
}

/// The ways of one stack.
class Ways {
 public:
  explicit Ways(Adapter& adapter) noexcept : adapter_(adapter) {}
  /// After each change of what they depend on. Any IRQL; no lock of the filter stack held.
  void plan() EXCLUDES(lock_);
  /// Waits until no call is on a way that was planned before, or on any other through the stack.
  /// PASSIVE_LEVEL.
  void settle() EXCLUDES(lock_);

  /// Before a chain of that binding goes down another way than by one of these: while only one binding has
  /// sent since the stack runs, all that is completed is its.
  void note_sender(const Binding& from) EXCLUDES(lock_);

 private:
  /// Both ends of the stack: whose all is that is completed, and who gets all that is received. nullptr:
  /// nobody, or it depends on the chain.
  struct Ends {
    const Binding* sender = nullptr;
    const Binding* receiver = nullptr;
  };
  using Block = std::vector<Way>;
  Ends ends(std::span<Binding* const> bindings) const noexcept;
  void set(Block& block, NDIS_HANDLE from, Direction direction, const Way& way) REQUIRES(lock_);
  void plan_binding(Block& block, const Binding& binding, const Ends& ends, bool alone) REQUIRES(lock_);
  void plan_module(Block& block, const FilterModule& module, const Ends& ends) REQUIRES(lock_);

  Adapter& adapter_;
  std::atomic<const Binding*> sender_{nullptr};  ///< who has sent since the stack runs; the first
  std::atomic<bool> several_{false};             ///< others have, too
  kernel::Lock lock_;
  std::vector<std::atomic<const Way*>*> set_ GUARDED_BY(lock_);
  std::vector<std::unique_ptr<Block>>
      blocks_ GUARDED_BY(lock_);  ///< the last one is in use, the others may be
};

}  // namespace undis
