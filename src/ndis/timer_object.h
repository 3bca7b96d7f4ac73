// SPDX-License-Identifier: MIT
//
// Timer objects of NDIS 6: a kernel timer and its DPC, and the function that the driver gave when it
// allocated the object.
#pragma once

#include <ndis.h>

#include "kernel/call.h"
#include "ndis/service.h"

namespace undis {

class TimerObject final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Timer};

  TimerObject(kernel::Driver& driver, const NDIS_TIMER_CHARACTERISTICS& characteristics);
  ~TimerObject() override;

  /// True: it was set already, and is set anew. `context`: nullptr takes the one of the characteristics.
  bool set(LARGE_INTEGER due, LONG period_ms, void* context) noexcept;
  /// True: it was set. A callback that is due already comes all the same.
  bool cancel() noexcept;
  bool is_set() const noexcept;
  bool is_periodic() const noexcept { return period_ms_ != 0; }
  /// Its callback is due: the timer has expired, the DPC has not begun.
  bool is_queued() const noexcept { return dpc_.DpcData != nullptr; }
  /// Takes both away: nothing of the driver's is called any more.
  void stop() noexcept;

 private:
  static void expired(PKDPC dpc, PVOID object, PVOID, PVOID);
  void abandon() override;

  const kernel::callback<NDIS_TIMER_FUNCTION> function_;
  void* const default_context_;
  void* context_ = nullptr;
  LONG period_ms_ = 0;
  KTIMER timer_{};
  KDPC dpc_{};
};

/// What a DPC or a timer of NDIS needs: the DPC runs `routine` without a driver's frame. Its ProcessorHistory
/// is who queued it.
void initialize_own_dpc(KDPC& dpc, PKDEFERRED_ROUTINE routine, void* context) noexcept;

}  // namespace undis
