// SPDX-License-Identifier: MIT
//
// The costly side of a fence, and of a section.
#include "machine/fence.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/machine.h"
#include "machine/section.h"

namespace undis::machine {
namespace fence {
namespace {

long membarrier(int command) noexcept {
  return syscall(SYS_membarrier, command, 0, 0);
}

}  // namespace

const bool asymmetric = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;

void heavy() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (asymmetric) membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
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
