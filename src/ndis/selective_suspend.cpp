// SPDX-License-Identifier: MIT
//
// From idle to suspended and back.
#include "ndis/selective_suspend.h"

#include <cstring>
#include <utility>

#include "kernel/call.h"
#include "kernel/registry.h"
#include "kernel/time.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/configuration.h"
#include "ndis/data_path.h"
#include "ndis/library.h"

namespace undis {

using kernel::call_driver;

struct SelectiveSuspend::HeldSend {
  Ref<Binding> from;
  NET_BUFFER_LIST* chain;
  NDIS_PORT_NUMBER port;
  ULONG flags;
};

namespace {

constexpr ULONG kDefaultSeconds = 5;
constexpr std::uint64_t kTicksPerSecond = 1000 * kernel::kTicksPerMillisecond;

/// A keyword of the adapter as a number: a REG_DWORD, or the text that an INF writes.
ULONG keyword(const Adapter& adapter, std::u16string_view name, ULONG otherwise) {
  const auto value = kernel::System::current().registry().value(adapter.config().configuration_key, name);
  if (!value) return otherwise;
  if (value->type == kernel::RegistryType::Dword && value->data.size() >= sizeof(ULONG)) {
    ULONG number = 0;
    std::memcpy(&number, value->data.data(), sizeof(number));
    return number;
  }
  std::u16string text(value->data.size() / sizeof(char16_t), u'\0');
  std::memcpy(text.data(), value->data.data(), text.size() * sizeof(char16_t));
  constexpr unsigned kDecimal = 10;
  return number_in(text, kDecimal);
}

}  // namespace

SelectiveSuspend::SelectiveSuspend(Adapter& adapter)
    : adapter_(adapter), timer_([this] { expired(); }), work_("selective suspend under way"),
      awake_("NdisMIdleNotificationComplete") {
  work_.close();
  awake_.set();
}

SelectiveSuspend::~SelectiveSuspend() = default;

SelectiveSuspend::State SelectiveSuspend::state() const noexcept {
  const kernel::Hold hold(lock_);
  return state_;
}

void SelectiveSuspend::start() {
  if (!adapter_.is_version6() || !adapter_.driver().optional6.IdleNotification) return;
  if (keyword(adapter_, u"*SelectiveSuspend", 0) != 1) return;
  timeout_ = keyword(adapter_, u"*SSIdleTimeout", kDefaultSeconds) * kTicksPerSecond;
  if (timeout_ == 0) timeout_ = kTicksPerSecond;
  work_.open();
  {
    const kernel::Hold hold(lock_);
    state_ = State::Watching;
    last_activity_ = kernel::now();
  }
  adapter_.attend(true);
  arm();
}

void SelectiveSuspend::stop() {
  {
    const kernel::Hold hold(lock_);
    if (state_ == State::Off) return;
  }
  timer_.cancel();
  if (must_wait()) awake_.wait();
  work_.close();
  work_.wait_empty();
  timer_.cancel();
  adapter_.attend(false);
  const kernel::Hold hold(lock_);
  state_ = State::Off;
}

void SelectiveSuspend::arm() noexcept {
  std::uint64_t due = 0;
  {
    const kernel::Hold hold(lock_);
    due = last_activity_ + timeout_;
  }
  const std::uint64_t now = kernel::now();
  timer_.set(due > now ? due - now : 1);
}

void SelectiveSuspend::note_activity() noexcept {
  const kernel::Hold hold(lock_);
  if (state_ == State::Watching) last_activity_ = kernel::now();
}

bool SelectiveSuspend::is_quiet() const {
  if (!adapter_.oids.idle() || adapter_.sends.inside() != 0 || adapter_.receives.inside() != 0) return false;
  // The sends of a 5.x protocol cannot be made to wait.
  for (const Ref<Binding>& binding : adapter_.bindings())
    if (!binding->is_version6()) return false;
  return adapter_.state() == AdapterState::Running && !adapter_.is_low_power();
}

void SelectiveSuspend::expired() {
  bool idle = false;
  {
    const kernel::Hold hold(lock_);
    if (state_ != State::Watching) return;
    idle = kernel::now() >= last_activity_ + timeout_;
  }
  if (!work_.enter()) return;
  const Ref<Adapter> alive(adapter_);
  kernel::queue_work("suspend an idle adapter", [alive, idle] {
    SelectiveSuspend& self = alive->suspend;
    if (idle && self.is_quiet()) {
      self.ask(false);
    } else {
      if (idle) self.note_activity();
      if (self.state() == State::Watching) self.arm();
    }
    self.work_.leave();
  });
}

void SelectiveSuspend::force_idle() {
  if (!work_.enter()) return;
  ask(true);
  work_.leave();
}

void SelectiveSuspend::ask(bool force) {
  {
    const kernel::Hold hold(lock_);
    if (state_ != State::Watching) return;
    state_ = State::Asking;
    cancelling_ = completed_early_ = false;
    awake_.reset();
  }
  const MiniportDriver& driver = adapter_.driver();
  const NDIS_STATUS status = call_driver(&driver.driver(), callbacks::kMiniportIdleNotification, &adapter_,
                                         nullptr, driver.optional6.IdleNotification, adapter_.context(),
                                         static_cast<BOOLEAN>(force ? TRUE : FALSE));
  if (status != NDIS_STATUS_PENDING && status != NDIS_STATUS_FAILURE && (status != NDIS_STATUS_BUSY || force))
    Library::current().observer().on(
        BadStatus{&driver.driver(),
                  "MiniportIdleNotification",
                  &adapter_,
                  adapter_.name(),
                  status,
                  force ? "NDIS_STATUS_PENDING or NDIS_STATUS_FAILURE (ForceIdle is TRUE)"
                        : "NDIS_STATUS_PENDING, NDIS_STATUS_BUSY or NDIS_STATUS_FAILURE",
                  {}});
  bool wake = false;
  bool early = false;
  {
    const kernel::Hold hold(lock_);
    if (status == NDIS_STATUS_PENDING) {
      if (state_ == State::Asking) state_ = State::Pended;
      wake = cancelling_;  // something came while the driver was asked
      early = completed_early_;
    } else {
      state_ = State::Watching;
      last_activity_ = kernel::now();
    }
  }
  if (status != NDIS_STATUS_PENDING || early) {
    resume();
  } else if (wake) {
    cancel();
  }
}

bool SelectiveSuspend::confirm(NDIS_DEVICE_POWER_STATE to) {
  {
    const kernel::Hold hold(lock_);
    if ((state_ != State::Asking && state_ != State::Pended) || completed_early_) return false;
  }
  NDIS_PM_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_PARAMETERS_REVISION_2,
                       NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_2};
  parameters.WakeUpFlags = NDIS_PM_SELECTIVE_SUSPEND_ENABLED;
  if (adapter_.oids.ask_now(NdisRequestSetInformation, OID_PM_PARAMETERS, &parameters, sizeof(parameters)) !=
      NDIS_STATUS_SUCCESS)
    return true;  // the adapter stays as it is; the notification is still to be completed
  adapter_.oids.ask_now(NdisRequestSetInformation, OID_PNP_SET_POWER, &to, sizeof(to));
  const kernel::Hold hold(lock_);
  low_ = true;
  state_ = State::Suspended;
  return true;
}

bool SelectiveSuspend::must_wait() {
  bool call = false;
  {
    const kernel::Hold hold(lock_);
    if (state_ == State::Off || state_ == State::Watching) {
      last_activity_ = state_ == State::Watching ? kernel::now() : last_activity_;
      return false;
    }
    call = !cancelling_ && (state_ == State::Pended || state_ == State::Suspended);
    cancelling_ = true;
  }
  if (call && work_.enter()) {
    const Ref<Adapter> alive(adapter_);
    kernel::queue_work("wake a suspended adapter", [alive] {
      alive->suspend.cancel();
      alive->suspend.work_.leave();
    });
  }
  return true;
}

void SelectiveSuspend::cancel() {
  const MiniportDriver& driver = adapter_.driver();
  call_driver(&driver.driver(), callbacks::kMiniportCancelIdleNotification, &adapter_, nullptr,
              driver.optional6.CancelIdleNotification, adapter_.context());
}

bool SelectiveSuspend::complete() {
  {
    const kernel::Hold hold(lock_);
    if (state_ == State::Asking && !completed_early_) {
      completed_early_ = true;  // ask() goes on
      return true;
    }
    if (state_ != State::Pended && state_ != State::Suspended) return false;
    state_ = State::Waking;
  }
  if (!work_.enter()) return true;
  const Ref<Adapter> alive(adapter_);
  kernel::queue_work("resume an adapter", [alive] {
    alive->suspend.resume();
    alive->suspend.work_.leave();
  });
  return true;
}

void SelectiveSuspend::resume() {
  if (std::exchange(low_, false)) {
    NDIS_DEVICE_POWER_STATE full = NdisDeviceStateD0;
    adapter_.oids.ask_now(NdisRequestSetInformation, OID_PNP_SET_POWER, &full, sizeof(full));
  }
  std::vector<HeldSend> held;
  {
    const kernel::Hold hold(lock_);
    state_ = State::Watching;
    cancelling_ = completed_early_ = false;
    last_activity_ = kernel::now();
    held.swap(held_);
  }
  awake_.set();
  arm();
  adapter_.oids.resume();
  for (const HeldSend& send : held) send_net_buffer_lists(*send.from, send.chain, send.port, send.flags);
}

bool SelectiveSuspend::hold_send(Binding& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  if (!must_wait()) return false;
  const Ref<Binding> alive(from);
  const kernel::Hold hold(lock_);
  if (state_ == State::Watching || state_ == State::Off) return false;  // it woke up meanwhile
  held_.push_back({alive, chain, port, flags});
  return true;
}

}  // namespace undis
