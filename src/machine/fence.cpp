// SPDX-License-Identifier: MIT
//
// The costly side of a fence, and of a section.
#include "machine/fence.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "machine/machine.h"
#include "machine/section.h"

namespace undis::machine {
namespace fence {
namespace {

long membarrier(int command) noexcept {
  return syscall(SYS_membarrier, command, 0, 0);
}

const bool has_membarrier = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;

/// Every core that may have it in its TLB is interrupted.
void take_page_away() noexcept {
  static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  static void* const page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  mprotect(page, size, PROT_READ | PROT_WRITE);
  *static_cast<volatile char*>(page) = 1;
  mprotect(page, size, PROT_READ);
}

}  // namespace

void heavy() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (has_membarrier)
    membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  else
    take_page_away();
}

}  // namespace fence

void finish_sections(Machine& machine) noexcept {
  if (machine.single_threaded()) return;  // nobody is switched away inside one
  fence::heavy();
  constexpr unsigned kLooksPerYield = 256;
  for (Processor& processor : machine.processors()) {
    const std::atomic_ref sections(processor.sections);
    const std::uint32_t seen = sections.load(std::memory_order_acquire);
    if (seen % 2 == 0) continue;
    for (unsigned looks = 1; sections.load(std::memory_order_acquire) == seen; ++looks)
      if (looks % kLooksPerYield == 0) sched_yield();  // its core may have been taken from it
  }
}

}  // namespace undis::machine
