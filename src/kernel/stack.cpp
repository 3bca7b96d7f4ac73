// SPDX-License-Identifier: MIT
//
// Stack: walks frame pointers, never outside the stack of the strand concerned.
#include "kernel/stack.h"

#include <iterator>

#include "kernel/thread.h"

namespace undis::kernel {

Stack walk_frames(const void* frame, std::uintptr_t low, std::uintptr_t high, std::uint32_t skip) noexcept {
  Stack stack;
  const std::uintptr_t last = high - 2 * sizeof(void*);
  auto at = reinterpret_cast<std::uintptr_t>(frame);
  if (at < low) return stack;
  void** place = stack.frames;
  // A frame is the caller's frame pointer, then the return address; the next one lies above it.
  while (at <= last && at % sizeof(void*) == 0) {
    const auto* const words = reinterpret_cast<void* const*>(at);
    if (words[1] == nullptr) break;
    if (skip == 0) [[likely]] {
      *place = words[1];
      if (++place == std::end(stack.frames)) break;
    } else {
      --skip;
    }
    const auto up = reinterpret_cast<std::uintptr_t>(words[0]);
    if (up <= at) break;
    at = up;
  }
  stack.count = static_cast<std::uint32_t>(place - stack.frames);
  return stack;
}

Stack Stack::capture(std::uint32_t skip) noexcept {
  const Thread* const thread = Thread::current_or_null();
  if (thread == nullptr || thread->stack_high() == 0) return {};
  return walk_frames(__builtin_frame_address(0), thread->stack_low(), thread->walk_end(), skip);
}

Stack stack_of(const Thread& thread) noexcept {
  const void* const frame = thread.blocked_frame != nullptr ? thread.blocked_frame : thread.resting_frame();
  if (frame == nullptr || thread.stack_high() == 0) return {};
  return walk_frames(frame, thread.stack_low(), thread.walk_end(), 0);
}

}  // namespace undis::kernel
