// SPDX-License-Identifier: MIT
//
// A virtual processor: its IRQL, what runs on it, whether it has DPCs to run. Plain data; the engine and the
// kernel write it.
#pragma once

#include <cstdint>

namespace undis::machine {

class Strand;

/// The IRQLs of Windows x64 that matter to an engine (a driver sees them as PASSIVE_LEVEL, DISPATCH_LEVEL).
inline constexpr std::uint8_t kPassive = 0;
inline constexpr std::uint8_t kDispatch = 2;

/// What it writes at each point and section lies in no cache line of another processor's, nor in the one that
/// is fetched along with it.
struct alignas(128) Processor {
  std::uint32_t index = 0;
  std::uint8_t irql = kPassive;
  std::uint8_t interrupt_irql = 0;  ///< of the highest device interrupt that waits for it; 0: none does
  bool dpcs_waiting = false;        ///< the kernel has DPCs for it that its DPC strand did not start yet
  Strand* current = nullptr;        ///< nullptr: idle
  Strand* interrupted = nullptr;    ///< what runs on when the DPCs are done
  Strand* dpc_strand = nullptr;     ///< runs its DPCs at DISPATCH_LEVEL; made by the kernel
  Strand* under_interrupt =
      nullptr;  ///< what runs on when the interrupts are served: a thread, or the DPC strand
  Strand* interrupt_strand =
      nullptr;  ///< serves its device interrupts; made by the kernel, nullptr while no device has one
  std::uint32_t passing = 0;   ///< how many schedule points may be passed without a look
                               ///< (kernel::passing_point); the engine grants them
  std::uint32_t sections = 0;  ///< begun and ended ones together (section.h): odd inside one
};

/// The processor on which the calling code runs. Set by the engine; nullptr on an OS thread that no machine
/// knows.
[[gnu::tls_model("initial-exec")]] extern thread_local constinit Processor* processor_here;

}  // namespace undis::machine
