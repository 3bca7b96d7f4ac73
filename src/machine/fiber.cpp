// SPDX-License-Identifier: MIT
//
// Fiber: the pool of stacks, the switch, and what the sanitizers must hear of both.
#include "machine/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <mutex>
#include <new>

#include <boost/context/detail/fcontext.hpp>

#if UNDIS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if UNDIS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace undis::machine {

namespace context = boost::context::detail;

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSlot =
    kPage + Fiber::kStackSize;  // guard page, then the stack; the Fiber object sits at its top
constexpr std::size_t kSlotsPerSlab = 8;

}  // namespace

/// The free stacks. Last given back is first taken: its pages are warm.
struct Fiber::Pool {
  std::mutex mutex;
  Fiber* free = nullptr;

  static Pool& shared() {
    static Pool* const pool = new Pool;  // outlives every static destructor that might still run a fiber
    return *pool;
  }

  Fiber* take() noexcept {
    const std::lock_guard hold(mutex);
    if (free == nullptr && !grow()) return nullptr;
    Fiber* const fiber = free;
    free = fiber->next_free_;
    return fiber;
  }

  void put(Fiber* fiber) noexcept {
    const std::lock_guard hold(mutex);
    fiber->next_free_ = free;
    free = fiber;
  }

  bool grow() noexcept {
    void* const slab = mmap(nullptr, kSlot * kSlotsPerSlab, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab == MAP_FAILED) return false;
    for (std::size_t i = kSlotsPerSlab; i-- > 0;) {
      char* const slot = static_cast<char*>(slab) + i * kSlot;
      if (mprotect(slot, kPage, PROT_NONE) != 0) return false;
      auto* const fiber = new (slot + kSlot - sizeof(Fiber) - sizeof(Fiber) % 16) Fiber(Made{});
      fiber->low_ = reinterpret_cast<std::uintptr_t>(slot) + kPage;
      fiber->high_ = reinterpret_cast<std::uintptr_t>(fiber);
      fiber->next_free_ = free;
      free = fiber;
#if UNDIS_ASAN
      __lsan_register_root_region(slot + kPage, kStackSize);
#endif
    }
    return true;
  }
};

/// The two ends of a jump; static members, so that they see Fiber's insides.
struct Fiber::Jump {
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Fiber* target;

  static void start(context::transfer_t from) noexcept {
    Fiber* const self = target;
    auto* const before = static_cast<Fiber*>(from.data);
    before->context_ = from.fctx;
    self->arrived(before);
    self->entry_(self->argument_);
    __builtin_trap();  // an entry never returns
  }
};
thread_local constinit Fiber* Fiber::Jump::target = nullptr;

namespace {

struct Bounds {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;
};

/// The calling OS thread's own stack. Asked for once: for a process' first thread libc reads /proc/self/maps.
Bounds own_stack() noexcept {
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Bounds bounds;
  if (bounds.high != 0) return bounds;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return bounds;
  void* low = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  bounds = {reinterpret_cast<std::uintptr_t>(low), reinterpret_cast<std::uintptr_t>(low) + size};
  return bounds;
}

}  // namespace

Fiber::Fiber() noexcept {
  const Bounds bounds = own_stack();
  low_ = bounds.low;
  high_ = bounds.high;
#if UNDIS_TSAN
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Fiber::~Fiber() = default;

Fiber* Fiber::make(Entry entry, void* argument) noexcept {
  Fiber* const fiber = Pool::shared().take();
  if (fiber == nullptr) return nullptr;
  fiber->entry_ = entry;
  fiber->argument_ = argument;
  fiber->fake_stack_ = nullptr;
#if UNDIS_ASAN
  ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(fiber->low_), fiber->high_ - fiber->low_);
#endif
#if UNDIS_TSAN
  fiber->tsan_fiber_ = __tsan_create_fiber(0);
#endif
  fiber->context_ =
      context::make_fcontext(reinterpret_cast<void*>(fiber->high_), fiber->high_ - fiber->low_, &Jump::start);
  return fiber;
}

void Fiber::give_back(Fiber* fiber, bool lost) noexcept {
#if UNDIS_TSAN
  __tsan_destroy_fiber(fiber->tsan_fiber_);
#endif
  if (lost && UNDIS_ASAN != 0) return;
  Pool::shared().put(fiber);
}

void Fiber::arrived([[maybe_unused]] Fiber* from) noexcept {
#if UNDIS_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size);
#endif
}

void Fiber::switch_to(Fiber& to, [[maybe_unused]] bool for_ever) noexcept {
  Jump::target = &to;
#if UNDIS_ASAN
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &fake_stack_, reinterpret_cast<void*>(to.low_),
                                 to.high_ - to.low_);
#endif
#if UNDIS_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
  const context::transfer_t back = context::jump_fcontext(to.context_, this);
  auto* const from = static_cast<Fiber*>(back.data);
  from->context_ = back.fctx;
  arrived(from);
}

bool Fiber::in_guard(std::uintptr_t address) const noexcept {
  return entry_ != nullptr && address < low_ && address >= low_ - kPage;
}

}  // namespace undis::machine
