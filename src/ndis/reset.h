// SPDX-License-Identifier: MIT
//
// Check-for-hang and reset of one adapter, 5.x and 6.x. Pages:
// network/miniport-adapter-check-for-hang-and-reset-operations, network/protocol-driver-reset-operations,
// ndis/nc-ndis-miniport_reset, ndis/nc-ndis-miniport_check_for_hang.
//
// A reset moves no state: pauses and restarts go on beside it. Questions and resets run on a worker, one at a
// time.
#pragma once

#include <ndis.h>

#include "kernel/lock.h"
#include "kernel/system.h"
#include "kernel/timer.h"
#include "ndis/gate.h"
#include "ndis/object.h"

namespace undis {

class Adapter;
class Binding;

class ResetControl {
 public:
  explicit ResetControl(Adapter& adapter);
  ~ResetControl();

  /// Begins to ask a driver that has a check-for-hang function. `seconds`: as the driver gave it; the period
  /// is a multiple of two.
  void start(UINT seconds) EXCLUDES(lock_);
  /// Asks no more, and waits for what is under way. PASSIVE_LEVEL.
  void stop() EXCLUDES(lock_);
  /// A reset, on a worker. `asker`: the 5.x protocol whose NdisReset it is. False: the adapter is being
  /// halted. <= DISPATCH_LEVEL.
  bool request(Binding* asker = nullptr) EXCLUDES(lock_);
  /// NdisMResetComplete. False: no reset is pended.
  bool complete(NDIS_STATUS status, bool addressing_reset) EXCLUDES(lock_);

  bool in_progress() const noexcept EXCLUDES(lock_);
  /// Protocols have been told NDIS_STATUS_RESET_START and not yet NDIS_STATUS_RESET_END.
  bool announced() const noexcept EXCLUDES(lock_);

  static constexpr UINT kDefaultSeconds = 2;
  static constexpr UINT period_of(UINT seconds) noexcept {
    return seconds < kDefaultSeconds ? kDefaultSeconds : seconds / kDefaultSeconds * kDefaultSeconds;
  }

 private:
  void tick();
  void check();
  void run(Binding* asker);
  NDIS_STATUS call_reset(BOOLEAN& addressing);
  void announce(NDIS_STATUS code);
  void judge_outstanding();

  Adapter& adapter_;
  kernel::OwnTimer timer_;
  Gate work_;
  mutable kernel::Lock lock_;
  bool asking_ GUARDED_BY(lock_) = false;
  bool in_progress_ GUARDED_BY(lock_) = false;
  bool announced_ GUARDED_BY(lock_) = false;
  bool owed_ GUARDED_BY(lock_) = false;  ///< the driver may call NdisMResetComplete
  NDIS_STATUS status_ GUARDED_BY(lock_) = NDIS_STATUS_SUCCESS;
  bool addressing_ GUARDED_BY(lock_) = false;
  std::uint32_t sends_before_ = 0;
  kernel::Event done_;
};

}  // namespace undis
