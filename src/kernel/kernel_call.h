// SPDX-License-Identifier: MIT
//
// KernelCall: what every entry point of the kernel slice begins with. Its IRQL is checked, the call is noted
// in the thread's chain, and both its begin and its end are schedule points.
#pragma once

#include "kernel/call.h"
#include "kernel/system.h"

namespace undis::kernel {

class KernelCall {
 public:
  /// Which ends of the call let somebody else go on.
  enum class Points : std::uint8_t { Both, None };
  /// What a search is told of what the call does (machine.h, telling). All: its body tells of each object
  /// that it touches.
  enum class Tells : std::uint8_t { Nothing, All };

  /// `name` as the page spells it; to be called at `lowest` <= IRQL <= `highest`, else Misuse::WrongIrql is
  /// reported.
  explicit KernelCall(const char* name, KIRQL highest, KIRQL lowest = 0, Points points = Points::Both,
                      Tells tells = Tells::Nothing) noexcept;
  /// One that tells all.
  KernelCall(const char* name, KIRQL highest, Tells tells) noexcept
      : KernelCall(name, highest, 0, Points::Both, tells) {}
  ~KernelCall();
  KernelCall(const KernelCall&) = delete;
  KernelCall& operator=(const KernelCall&) = delete;

  const char* name() const noexcept { return frame_.name; }

 private:
  CallFrame frame_;
  Points points_;
};

void tell_wrong_irql(const char* name, KIRQL highest, KIRQL lowest) noexcept;

/// Reports Misuse::WrongIrql of `name` unless lowest <= irql() <= highest.
inline void check_irql(const char* name, KIRQL highest, KIRQL lowest = 0) noexcept {
  if (const KIRQL now = irql(); now > highest || now < lowest) tell_wrong_irql(name, highest, lowest);
}

}  // namespace undis::kernel
