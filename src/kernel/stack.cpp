// SPDX-License-Identifier: MIT
//
// Stack: walks frame pointers, never outside the stack of the strand concerned.
#include "kernel/stack.h"

#include "kernel/thread.h"

namespace undis::kernel {

Stack walk_frames(const void* frame, std::uintptr_t low, std::uintptr_t high, std::uint32_t skip) noexcept {
  Stack stack;
  auto at = reinterpret_cast<std::uintptr_t>(frame);
  while (stack.count < Stack::kDepth) {
    // A frame is the caller's frame pointer, then the return address.
    if (at < low || at > high - 2 * sizeof(void*) || at % sizeof(void*) != 0) break;
    const auto* const words = reinterpret_cast<void* const*>(at);
    void* const return_address = words[1];
    if (return_address == nullptr) break;
    if (skip > 0) {
      --skip;
    } else {
      stack.frames[stack.count++] = return_address;
    }
    const auto up = reinterpret_cast<std::uintptr_t>(words[0]);
    if (up <= at) break;
    at = up;
  }
  return stack;
}

Stack Stack::capture(std::uint32_t skip) noexcept {
  const Thread* const thread = Thread::current_or_null();
  if (thread == nullptr || thread->stack_high() == 0) return {};
  return walk_frames(__builtin_frame_address(0), thread->stack_low(), thread->stack_high(), skip);
}

Stack stack_of(const Thread& thread) noexcept {
  const void* const frame = thread.blocked_frame != nullptr ? thread.blocked_frame : thread.resting_frame();
  if (frame == nullptr || thread.stack_high() == 0) return {};
  return walk_frames(frame, thread.stack_low(), thread.stack_high(), 0);
}

}  // namespace undis::kernel
