// SPDX-License-Identifier: MIT
//
// A flow of control with a stack of its own, switched by Boost.Context; its stack comes from a pool.
//
// Stack   kStackSize bytes above a guard page, taken from mmap in slabs and kept for reuse until the process
// ends Cost    a switch is some 10 ns and allocates nothing; making one from the pool is of the same order
// Tools   AddressSanitizer and ThreadSanitizer are told of each switch, LeakSanitizer of each stack
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define UNDIS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDIS_ASAN 1
#endif
#endif
#if !defined(UNDIS_ASAN)
#define UNDIS_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define UNDIS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDIS_TSAN 1
#endif
#endif
#if !defined(UNDIS_TSAN)
#define UNDIS_TSAN 0
#endif

namespace undis::machine {

class Fiber {
 public:
  /// A Windows kernel stack has 24 KiB; this leaves room for our own frames and for what a sanitizer adds.
  /// Untouched pages cost nothing.
  static constexpr std::size_t kStackSize = UNDIS_ASAN ? 1024 * 1024 : 256 * 1024;

  using Entry = void (*)(void* argument);

  /// The calling OS thread's own flow of control, on the stack that it already has.
  Fiber() noexcept;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// A fiber that calls entry(argument) when it is first switched to. `entry` never returns. nullptr: no
  /// memory.
  static Fiber* make(Entry entry, void* argument) noexcept;
  /// Gives back a fiber of make() that is not running and has left all its frames (or lost them for ever:
  /// `lost`). A lost stack is kept as it is under AddressSanitizer, since what it points at is no leak.
  static void give_back(Fiber* fiber, bool lost) noexcept;

  /// Leaves this fiber, which must be the running one, for `to`. Returns when somebody switches back.
  /// `for_ever`: this fiber will not be switched to again.
  void switch_to(Fiber& to, bool for_ever = false) noexcept;

  /// The bounds of its stack: [low, high).
  std::uintptr_t low() const noexcept { return low_; }
  std::uintptr_t high() const noexcept { return high_; }
  /// True if `address` lies in the guard page under the stack: the stack overflowed.
  bool in_guard(std::uintptr_t address) const noexcept;

 private:
  struct Made {};
  explicit Fiber(Made) noexcept {}
  struct Pool;
  struct Jump;
  void arrived(Fiber* from) noexcept;

  void* context_ = nullptr;
  std::uintptr_t low_ = 0;
  std::uintptr_t high_ = 0;
  Entry entry_ = nullptr;
  void* argument_ = nullptr;
  Fiber* next_free_ = nullptr;
  void* fake_stack_ = nullptr;                   // AddressSanitizer's
  [[maybe_unused]] void* tsan_fiber_ = nullptr;  // ThreadSanitizer's
};

}  // namespace undis::machine
