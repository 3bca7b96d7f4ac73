// SPDX-License-Identifier: MIT
//
// Selective suspend of one idle adapter (NDIS 6.30). Pages: network/ndis-selective-suspend-idle-notifications
// and the four below it.
//
// Only a driver that registered NDIS_MINIPORT_SS_CHARACTERISTICS and whose *SelectiveSuspend keyword is 1 is
// suspended. While it is, OID requests and sends from above wait; they are what wakes it
// (docs/decisions.md#selective-suspend).
#pragma once

#include <cstdint>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"
#include "kernel/system.h"
#include "kernel/timer.h"
#include "ndis/gate.h"
#include "ndis/object.h"

namespace undis {

class Adapter;
class Binding;

class SelectiveSuspend {
 public:
  enum class State : std::uint8_t {
    Off,        ///< not started, or not wanted
    Watching,   ///< full power; time passes since the last activity
    Asking,     ///< MiniportIdleNotification runs
    Pended,     ///< the idle notification is pended, not confirmed
    Suspended,  ///< confirmed: low power
    Waking,     ///< NdisMIdleNotificationComplete was called
  };

  explicit SelectiveSuspend(Adapter& adapter);
  ~SelectiveSuspend();

  void start() EXCLUDES(lock_);
  /// Wakes the adapter if it is suspended, and watches no more. PASSIVE_LEVEL.
  void stop() EXCLUDES(lock_);
  /// The system goes to connected standby: the driver may not veto. PASSIVE_LEVEL.
  void force_idle() EXCLUDES(lock_);
  /// Something is to be done by the adapter.
  void note_activity() noexcept EXCLUDES(lock_);
  /// True: the adapter is, or is about to be, suspended; it is being woken, and whoever asks waits for
  /// resume.
  bool must_wait() EXCLUDES(lock_);
  /// Keeps a send until the adapter is awake. False: send it now.
  bool hold_send(Binding& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) EXCLUDES(lock_);

  /// NdisMIdleNotificationConfirm. False: no idle notification is open. PASSIVE_LEVEL.
  bool confirm(NDIS_DEVICE_POWER_STATE state) EXCLUDES(lock_);
  /// NdisMIdleNotificationComplete. False: no idle notification is open. <= DISPATCH_LEVEL.
  bool complete() EXCLUDES(lock_);
  State state() const noexcept EXCLUDES(lock_);

 private:
  struct HeldSend;
  void expired();
  void ask(bool force);
  void cancel();
  void resume();
  void arm() noexcept;
  bool is_quiet() const;

  Adapter& adapter_;
  kernel::OwnTimer timer_;
  Gate work_;
  bool low_ = false;  ///< the miniport was told a low-power state; written by confirm() and resume(), which
                      ///< never overlap
  std::uint64_t timeout_ = 0;  ///< virtual time without activity, 100 ns
  mutable kernel::Lock lock_;
  State state_ GUARDED_BY(lock_) = State::Off;
  std::uint64_t last_activity_ GUARDED_BY(lock_) = 0;
  bool cancelling_ GUARDED_BY(lock_) =
      false;  ///< MiniportCancelIdleNotification was called, or is about to be
  bool completed_early_ GUARDED_BY(lock_) = false;  ///< completed while the notification callback still runs
  std::vector<HeldSend> held_ GUARDED_BY(lock_);
  kernel::Event awake_;
};

}  // namespace undis
