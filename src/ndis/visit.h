// SPDX-License-Identifier: MIT
//
// Being in the stack on one adapter, from a driver's call to its end: what is found there (adapter, bindings,
// filter modules) lives as long, calls into other drivers included.
//
// A visit inside another one to the same stack, as when a miniport completes inside its send function, costs
// nothing.
#pragma once

#include "kernel/passage.h"
#include "kernel/thread.h"
#include "ndis/handle.h"

namespace undis {

/// Calls `body(object)` in the stack of that object, if `handle` is open and of `kind`. What `body` returned;
/// false: not called.
template <class T, class Body>
[[gnu::always_inline]] inline bool visit(NDIS_HANDLE handle, HandleKind kind, const Body& body) {
  const HandleTable::Slot* const slot = HandleTable::slot_now(handle);
  if (slot == nullptr || slot->kind != kind) return false;
  const auto carry_out = [&] {
    T* const object = static_cast<T*>(slot->object.load(std::memory_order_acquire));
    return object != nullptr && body(*object);
  };
  kernel::Passage* const passage = slot->passage.load(std::memory_order_acquire);
  kernel::Thread& thread = kernel::Thread::current();
  kernel::Passage* const outer = thread.passage;
  if (passage == outer) return carry_out();
  const kernel::Passage::Side side = passage->enter();
  thread.passage = passage;
  const bool done = carry_out();
  thread.passage = outer;
  passage->leave(side);
  return done;
}

}  // namespace undis
