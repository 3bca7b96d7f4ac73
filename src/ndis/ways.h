// SPDX-License-Identifier: MIT
//
// The next handler on each way through the stack on one adapter, worked out when the stack changes and not
// when a chain passes.
//
// A handle's slot leads to the ways that begin at its object: what a send of that binding, a completion of
// that miniport and so on comes to. There is one only while it holds for every chain: the stack runs, is
// of 6.x, has one binding, and nothing has to be looked at. Whatever has none, or a list that does not fit
// it, takes the plain way in full (plain_path.h).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/lock.h"
#include "kernel/passage.h"
#include "kernel/thread.h"
#include "kernel/watch.h"
#include "ndis/handle.h"
#include "ndis/item.h"

namespace undis {

class Adapter;
class Binding;
class FilterModule;

/// One handler, and what a call of it has to say.
struct Way {
  kernel::Driver* driver = nullptr;
  const char* name = "";
  const void* object = nullptr;
  void* context = nullptr;
  void* handler = nullptr;
  NDIS_HANDLE source = nullptr;  ///< SourceHandle that the first list must have; nullptr: any

  template <class... A>
  void take(kernel::Thread& thread, NET_BUFFER_LIST* chain, A... args) const {
    if (kernel::watch() == kernel::Watch::Holder) item_of(chain)->holder = driver;
    kernel::CallFrame frame;
    frame.name = name;
    frame.driver = driver;
    frame.object = object;
    frame.up = thread.calls;
    thread.calls = &frame;
    reinterpret_cast<VOID (*)(NDIS_HANDLE, NET_BUFFER_LIST*, A...)>(handler)(context, chain, args...);
    thread.calls = frame.up;
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

/// The way was taken away between a look at it and the entry.
template <class... A>
[[gnu::noinline, gnu::cold]] VOID leave_for(kernel::Passage& passage, kernel::Passage::Phase phase,
                                            kernel::Passage* outer,
                                            VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
                                            NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  kernel::Thread::current().passage = outer;
  passage.leave(phase);
  otherwise(handle, chain, args...);
}

/// Hands a chain on by the way that begins at `handle`, if there is one and the chain fits it. Otherwise that
/// is `otherwise`'s to do. Written so that what is not taken is left by a jump, with nothing saved for it
/// before.
template <class... A>
[[gnu::always_inline]] inline VOID follow(Direction direction,
                                          VOID (*otherwise)(NDIS_HANDLE, NET_BUFFER_LIST*, A...),
                                          NDIS_HANDLE handle, NET_BUFFER_LIST* chain, A... args) {
  const HandleTable::Slot* const slot = HandleTable::slot_now(handle);
  if (slot == nullptr || chain == nullptr) [[unlikely]]
    return otherwise(handle, chain, args...);
  const std::atomic<const Way*>& place = slot->ways[static_cast<std::size_t>(direction)];
  if (place.load(std::memory_order_relaxed) == nullptr) [[unlikely]]
    return otherwise(handle, chain, args...);
  kernel::Passage& passage = *slot->passage.load(std::memory_order_acquire);  // what has ways has one
  kernel::Thread& thread = kernel::Thread::current();
  kernel::Passage* const outer = thread.passage;
  if (&passage == outer) {
    const Way* const way = place.load(std::memory_order_acquire);
    if (!fits(way, chain)) [[unlikely]]
      return otherwise(handle, chain, args...);
    return way->take(thread, chain, args...);
  }
  const kernel::Passage::Phase phase = passage.enter();
  thread.passage = &passage;
  const Way* const way = place.load(std::memory_order_acquire);
  if (!fits(way, chain)) [[unlikely]]
    return leave_for(passage, phase, outer, otherwise, handle, chain, args...);
  way->take(thread, chain, args...);
  thread.passage = outer;
  passage.leave(phase);
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

 private:
  using Block = std::vector<Way>;
  void set(Block& block, NDIS_HANDLE from, Direction direction, const Way& way) REQUIRES(lock_);
  void plan_module(Block& block, const FilterModule& module, const Binding* only) REQUIRES(lock_);

  Adapter& adapter_;
  kernel::Lock lock_;
  std::vector<std::atomic<const Way*>*> set_ GUARDED_BY(lock_);
  std::vector<std::unique_ptr<Block>>
      blocks_ GUARDED_BY(lock_);  ///< the last one is in use, the others may be
};

}  // namespace undis
