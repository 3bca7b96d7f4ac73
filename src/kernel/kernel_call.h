// SPDX-License-Identifier: MIT
//
// KernelCall: what every entry point of the kernel slice begins with. Its IRQL is checked, the call is noted in the thread's chain,
// and both its begin and its end are schedule points.
#pragma once

#include "kernel/call.h"

namespace undis::kernel {

class KernelCall {
 public:
  /// Which ends of the call let somebody else go on.
  enum class Points : std::uint8_t { Both, None };

  /// `name` as the page spells it; to be called at `lowest` <= IRQL <= `highest`, else Misuse::WrongIrql is reported.
  explicit KernelCall(const char* name, KIRQL highest, KIRQL lowest = 0, Points points = Points::Both) noexcept;
  ~KernelCall();
  KernelCall(const KernelCall&) = delete;
  KernelCall& operator=(const KernelCall&) = delete;

  const char* name() const noexcept { return frame_.name; }

 private:
  CallFrame frame_;
  Points points_;
};

/// Reports Misuse::WrongIrql of `name` unless lowest <= irql() <= highest.
void check_irql(const char* name, KIRQL highest, KIRQL lowest = 0) noexcept;

}  // namespace undis::kernel
