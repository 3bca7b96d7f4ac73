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
  /// Of every call by this way, on whatever thread: so it does not say what is around it, `up` is nullptr.
  kernel::CallFrame frame{};
  void* context = nullptr;
  void* handler = nullptr;
  NDIS_HANDLE source = nullptr;  ///< SourceHandle that the first list must have; nullptr: any
  /// `context` where every chain fits, as long as none is stamped; else what is no driver's context.
  const void* for_all = &no_way;

  template <class... A>
  void call(NET_BUFFER_LIST* chain, A... args) const {
    call_in(context, chain, args...);
  }
  /// `its_context`: the same as `context`.
  template <class... A>
  void call_in(void* its_context, NET_BUFFER_LIST* chain, A... args) const {
    reinterpret_cast<VOID (*)(NDIS_HANDLE, NET_BUFFER_LIST*, A...)>(handler)(its_context, chain, args...);
  }
};

/// Lists that are on the stamped way now (data_path_parts.h): with any of them about, each chain has to be
/// looked at.
namespace data_path {
[[gnu::visibility("hidden")]] extern std::atomic<std::int64_t> stamped_legs;
}

inline bool none_stamped() noexcept {
  return data_path::stamped_legs.load(std::memory_order_relaxed) == 0;
}

/// Whether a chain can go by itself: nothing has to be looked at but where it comes from.
inline bool fits(const Way& way, const NET_BUFFER_LIST* chain) noexcept {
  return way.handler != nullptr && none_stamped() &&
         (way.source == nullptr || chain->SourceHandle == way.source);
}

namespace detail {

/// The call costs its frame. `around`: of the call that the thread is in.
template <class... A>
[[gnu::always_inline]] inline VOID carry(const Way& way, void* context, kernel::Thread& thread,
                                         kernel::CallFrame* around, NET_BUFFER_LIST* chain, A... args) {
  thread.calls = const_cast<kernel::CallFrame*>(&way.frame);
  way.call_in(context, chain, args...);
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

/// From outside the stack, which has that passage.
template <Direction direction, auto otherwise, class... A>
[[gnu::always_inline]] inline VOID enter_and_follow(NDIS_HANDLE handle, kernel::Passage& passage,
                                                    kernel::Thread& thread, NET_BUFFER_LIST* chain,
                                                    A... args) {
  const kernel::Passage::Side side = passage.enter();
  kernel::Passage* const outer = thread.passage;
  thread.passage = &passage;
  const Way& way = *HandleTable::exit_of(handle, direction).way.load(std::memory_order_acquire);
  if (!fits(way, chain)) [[unlikely]]
    return leave_for(passage, side, outer, otherwise, handle, chain, args...);
  carry(way, way.context, thread, thread.calls, chain, args...);
  machine::fence::light();  // two stores, not one that is put together first
  thread.passage = outer;
  passage.leave(side);
}

/// Inside the stack already.
template <Direction direction, auto otherwise, class... A>
[[gnu::always_inline]] inline VOID follow_inside(NDIS_HANDLE handle, kernel::Thread& thread,
                                                 kernel::CallFrame* around, NET_BUFFER_LIST* chain,
                                                 A... args) {
  const Way& way = *HandleTable::exit_of(handle, direction).way.load(std::memory_order_acquire);
  if (!fits(way, chain)) [[unlikely]]
    return otherwise(handle, chain, args...);
  carry(way, way.context, thread, around, chain, args...);
}

/// Wherever the caller is. Of its own, so that who is where it usually is saves nothing for this.
template <Direction direction, auto otherwise, class... A>
[[gnu::noinline]] VOID follow_from_anywhere(NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  if (!HandleTable::is_slot(handle) || chain == nullptr) [[unlikely]]
    return otherwise(handle, chain, args...);
  kernel::Passage* const passage = HandleTable::slot_of(handle)->passage.load(std::memory_order_acquire);
  if (passage == nullptr) [[unlikely]]  // of no stack, or never given out
    return otherwise(handle, chain, args...);
  kernel::Thread& thread = kernel::Thread::current();
  if (passage == thread.passage)
    return follow_inside<direction, otherwise>(handle, thread, thread.calls, chain, args...);
  enter_and_follow<direction, otherwise>(handle, *passage, thread, chain, args...);
}
/// The same where that is rare: what leads here is out of the way.
template <Direction direction, auto otherwise, class... A>
[[gnu::noinline, gnu::cold]] VOID from_elsewhere(NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  follow_from_anywhere<direction, otherwise>(handle, chain, args...);
}

/// Whether the innermost call gave a chain to the owner of `handle`: so that is a slot which was given out,
/// and its stack is not to be entered any more.
inline bool was_called_for(NDIS_HANDLE handle, const kernel::CallFrame* innermost) noexcept {
  return innermost->handle == handle;
}

}  // namespace detail

// Each hands a chain on by the way that begins at `handle`, if there is one and the chain fits it. Otherwise
// that is `otherwise`'s to do.

/// Who calls is usually not in this stack.
template <Direction direction, auto otherwise, class... A>
[[gnu::always_inline]] inline VOID follow_in(NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  if (!HandleTable::is_slot(handle) || chain == nullptr) [[unlikely]]
    return otherwise(handle, chain, args...);
  kernel::Passage* const passage = HandleTable::slot_of(handle)->passage.load(std::memory_order_acquire);
  kernel::Thread& thread = kernel::Thread::current();
  if (passage == nullptr || passage == thread.passage) [[unlikely]]
    return detail::follow_from_anywhere<direction, otherwise>(handle, chain, args...);
  detail::enter_and_follow<direction, otherwise>(handle, *passage, thread, chain, args...);
}

/// Who calls is usually in the call that gave it the chain.
template <Direction direction, auto otherwise, class... A>
[[gnu::always_inline]] inline VOID follow_back(NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  kernel::Thread& thread = kernel::Thread::current();
  kernel::CallFrame* const around = thread.calls;
  if (!detail::was_called_for(handle, around) || chain == nullptr) [[unlikely]]
    return detail::from_elsewhere<direction, otherwise>(handle, chain, args...);
  detail::follow_inside<direction, otherwise>(handle, thread, around, chain, args...);
}

/// The same where most ways take every chain: one comparison says that this one does, now.
template <Direction direction, auto otherwise, class... A>
[[gnu::always_inline]] inline VOID follow_on(NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  kernel::Thread& thread = kernel::Thread::current();
  kernel::CallFrame* const around = thread.calls;
  if (!detail::was_called_for(handle, around) || chain == nullptr || !none_stamped()) [[unlikely]]
    return detail::from_elsewhere<direction, otherwise>(handle, chain, args...);
  const HandleTable::Slot::Exit& exit = HandleTable::exit_of(handle, direction);
  const Way* const way = exit.way.load(std::memory_order_acquire);
  // From module to module a chain waits for nothing but this: the handler may begin before the way is read.
  void* context = exit.context.load(std::memory_order_relaxed);
  if (context != way->for_all) [[unlikely]]
    // That is the handle, and its register is the context's by now.
    return detail::from_elsewhere<direction, otherwise>(const_cast<void*>(around->handle), chain, args...);
  detail::carry(*way, context, thread, around, chain, args...);
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
  std::vector<Block> blocks_ GUARDED_BY(lock_);  ///< the last one is in use, the others may be
};

}  // namespace undis
