// SPDX-License-Identifier: MIT
//
// An adapter's state machine: initialise, restart, pause, halt, shutdown. What the miniport says of itself is
// adapter_attributes.cpp.
#include "ndis/adapter.h"

#include <algorithm>

#include <fmt/format.h>

#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_adapter.h"
#include "ndis/hardware.h"
#include "ndis/interface.h"
#include "ndis/library.h"

namespace undis {

using kernel::call_driver;

Adapter::Adapter(MiniportDriver& driver, AdapterConfig config)
    : config_(std::move(config)), ways(*this), passage(Library::current().take_passage()), filters(*this),
      stack({"another operation on the stack", &config_.name}), oids(*this), direct_oids(*this), reset(*this),
      suspend(*this), sends({"sends outstanding", &config_.name}),
      receives({"indicated packets not returned", &config_.name}),
      hardware(std::make_unique<AdapterHardware>(*this, config_.hardware)),
      co(std::make_unique<CoAdapter>(*this)), driver_(&driver), bindings_now_(new BindingsNow),
      paused_({"NdisMPauseComplete", &config_.name}), restarted_({"NdisMRestartComplete", &config_.name}) {}

Adapter::~Adapter() {
  delete bindings_now_.load();
}

AdapterState Adapter::state() const noexcept {
  const kernel::Hold hold(lock_);
  return state_;
}

bool Adapter::may_carry_data() const noexcept {
  if (reset.in_progress()) return false;
  const kernel::Hold hold(lock_);
  return kAdapterStates.allows(state_, AdapterEvent::SendReceive);
}

NDIS_STATUS Adapter::refusal() const noexcept {
  if (reset.in_progress()) return NDIS_STATUS_RESET_IN_PROGRESS;
  return is_low_power() ? NDIS_STATUS_LOW_POWER_STATE : NDIS_STATUS_PAUSED;
}

bool Adapter::is_serialized() const noexcept {
  return !is_version6() && (attribute_flags_ & NDIS_ATTRIBUTE_DESERIALIZE) == 0;
}

void Adapter::advance(AdapterEvent event) {
  const kernel::Hold hold(lock_);
  advance_locked(event);
}

void Adapter::advance_locked(AdapterEvent event) {
  const auto next = kAdapterStates.next(state_, event);
  Library::current().observer().on(StateMove{"adapter", name(), to_text(state_), to_text(event),
                                             next ? to_text(*next) : nullptr, &driver_->driver(), nullptr});
  if (next) state_ = *next;
  carries_lists_.store(is_version6() && kAdapterStates.allows(state_, AdapterEvent::SendReceive),
                       std::memory_order_release);
  ways.plan();
}

// ---- bindings ----

std::vector<Ref<Binding>> Adapter::bindings() const {
  const kernel::Hold hold(lock_);
  return bindings_;
}

Ref<Binding> Adapter::binding_of(const ProtocolDriver& protocol) const {
  const kernel::Hold hold(lock_);
  for (const Ref<Binding>& binding : bindings_)
    if (&binding->protocol() == &protocol && !binding->is_own()) return binding;
  return {};
}

std::unique_ptr<const Adapter::BindingsNow> Adapter::publish_bindings_locked() {
  auto fresh = std::make_unique<BindingsNow>();
  for (const Ref<Binding>& binding : bindings_) fresh->push_back(binding.get());
  return std::unique_ptr<const BindingsNow>(
      bindings_now_.exchange(fresh.release(), std::memory_order_acq_rel));
}

void Adapter::add(Binding& binding) {
  Ref<Binding> added(binding);
  std::unique_ptr<const BindingsNow> before;
  {
    const kernel::Hold hold(lock_);
    bindings_.push_back(std::move(added));
    before = publish_bindings_locked();
  }
  ways.plan();
  ways.settle();
}

void Adapter::remove(Binding& binding) {
  Ref<Binding> keep;  // dropped after the lock: the binding's end must not run under it
  std::unique_ptr<const BindingsNow> before;
  {
    const kernel::Hold hold(lock_);
    const auto at = std::ranges::find(bindings_, &binding, [](const Ref<Binding>& b) { return b.get(); });
    if (at == bindings_.end()) return;
    keep = std::move(*at);
    bindings_.erase(at);
    before = publish_bindings_locked();
  }
  ways.plan();
  ways.settle();
}

// ---- initialise ----

NDIS_STATUS Adapter::initialize() {
  registration_attributes_set_ = false;
  general_attributes_set_ = false;
  halted_ = false;
  attributes5_set_ = false;
  check_for_hang_seconds_ = 0;
  ports.reset(false);
  advance(AdapterEvent::MiniportInitializeEx);
  const NDIS_STATUS status = is_version6() ? call_initialize6() : call_initialize5();
  if (status != NDIS_STATUS_SUCCESS) {
    co->end_of_miniport(is_version6() ? "MiniportInitializeEx" : "MiniportInitialize");
    check_given_back(*this, LeftBehind::When::FailedInitialize);
    halted_ = true;
    advance(AdapterEvent::InitializeFailed);
    return status;
  }
  initialized_ = true;
  advance(AdapterEvent::InitializeComplete);
  if (!is_version6()) learn_traits5();
  reset.start(check_for_hang_seconds_);
  suspend.start();
  ULONG profile = NdisPowerProfileAcOnLine;
  notify_device_event(NdisDevicePnPEventPowerProfileChanged, &profile, sizeof(profile));
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS Adapter::call_initialize6() {
  NDIS_MINIPORT_INIT_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS, NDIS_MINIPORT_INIT_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_MINIPORT_INIT_PARAMETER_REVISION_1};
  parameters.IMDeviceInstanceContext = config_.device_context;
  parameters.NetLuid = net_luid_of(*this);
  parameters.IfIndex = interface_index_;
  NDIS_PORT_AUTHENTICATION_PARAMETERS authentication{};
  authentication.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_PORT_AUTHENTICATION_PARAMETERS_REVISION_1,
                           NDIS_SIZEOF_PORT_AUTHENTICATION_PARAMETERS_REVISION_1};
  authentication.SendControlState = authentication.RcvControlState = NdisPortControlStateUncontrolled;
  authentication.SendAuthorizationState = authentication.RcvAuthorizationState = NdisPortAuthorized;
  parameters.DefaultPortAuthStates = &authentication;
  parameters.AllocatedResources = hardware->resources();
  parameters.MiniportAddDeviceContext = add_device_context_;
  const NDIS_STATUS status =
      call_driver(&driver_->driver(), callbacks::kMiniportInitializeEx, this, nullptr,
                  driver_->handlers6().Initialize, handle_, driver_->context(), &parameters);
  if (status == NDIS_STATUS_SUCCESS && !general_attributes_set_) {
    Library::current().observer().on(BadStatus{&driver_->driver(),
                                               "MiniportInitializeEx",
                                               this,
                                               name(),
                                               status,
                                               "NDIS_STATUS_SUCCESS only after the registration and general "
                                               "attributes were set (NdisMSetMiniportAttributes)",
                                               {}});
  }
  // Without registration attributes NDIS has no context to call the driver with: the adapter cannot be used
  // (docs/decisions.md#no-attributes).
  if (status == NDIS_STATUS_SUCCESS && !registration_attributes_set_) return NDIS_STATUS_FAILURE;
  if (status == NDIS_STATUS_SUCCESS && is_virtual() &&
      (attribute_flags_ & NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND) == 0)
    tell_breach("LIFE-320", driver_->driver(), "MiniportInitializeEx", name(),
                "an intermediate driver initialises a virtual miniport without "
                "NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND");
  return status;
}

NDIS_STATUS Adapter::call_initialize5() {
  static const NDIS_MEDIUM kMedia[] = {NdisMedium802_3, NdisMedium802_5, NdisMediumFddi, NdisMediumWan,
                                       NdisMediumWirelessWan};
  HandleTable& handles = Library::current().handles();
  configuration_context_ = handles.open(HandleKind::ConfigurationKey, this);
  NDIS_STATUS open_error = NDIS_STATUS_SUCCESS;
  UINT medium = 0;
  const NDIS_STATUS status =
      call_driver(&driver_->driver(), callbacks::kMiniportInitialize, this, nullptr,
                  driver_->handlers5().Initialize, &open_error, &medium, const_cast<NDIS_MEDIUM*>(kMedia),
                  static_cast<UINT>(std::size(kMedia)), handle_, configuration_context_);
  handles.close(configuration_context_);
  configuration_context_ = nullptr;
  if (status == NDIS_STATUS_SUCCESS && medium < std::size(kMedia)) traits_.medium = kMedia[medium];
  return status;
}

// ---- restart and pause ----

NDIS_STATUS Adapter::restart() {
  if (state() != AdapterState::Paused) return NDIS_STATUS_SUCCESS;
  sends.open();
  receives.open();
  {
    const kernel::Hold hold(lock_);
    advance_locked(AdapterEvent::MiniportRestart);
    restart_pended_ = is_version6();
    restarted_.reset();
  }
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  if (is_version6()) {
    NDIS_MINIPORT_RESTART_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_MINIPORT_RESTART_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_MINIPORT_RESTART_PARAMETERS_REVISION_1};
    // NDIS may leave the attributes out: then nobody adds or changes any (LIFE-135).
    if (!kernel::choose("the restart has no attributes")) restart_attributes.make(traits_);
    const bool given = restart_attributes.first() != nullptr;
    parameters.RestartAttributes = restart_attributes.first();
    status = call_driver(&driver_->driver(), callbacks::kMiniportRestart, this, nullptr,
                         driver_->handlers6().Restart, context_, &parameters);
    if (!given && parameters.RestartAttributes != nullptr)
      tell_breach("LIFE-135", driver_->driver(), "MiniportRestart", name(),
                  "RestartAttributes was NULL and the driver has added attributes: it may neither add nor "
                  "change any then");
    restart_attributes.take(parameters.RestartAttributes);
    if (status == NDIS_STATUS_PENDING) {
      restarted_.wait();
      const kernel::Hold hold(lock_);
      status = restart_status_;
    }
    if (status != NDIS_STATUS_SUCCESS && status != NDIS_STATUS_RESOURCES && status != NDIS_STATUS_FAILURE) {
      Library::current().observer().on(
          BadStatus{&driver_->driver(),
                    "MiniportRestart",
                    this,
                    name(),
                    status,
                    "NDIS_STATUS_SUCCESS, NDIS_STATUS_PENDING, NDIS_STATUS_RESOURCES or NDIS_STATUS_FAILURE",
                    {}});
    }
    if (status == NDIS_STATUS_SUCCESS) restart_attributes.apply(traits_);
    const kernel::Hold hold(lock_);
    restart_pended_ = false;
  }
  if (state() == AdapterState::Shutdown)
    return NDIS_STATUS_CLOSING;  // the system went down while the driver restarted
  advance(status == NDIS_STATUS_SUCCESS ? AdapterEvent::RestartComplete : AdapterEvent::RestartFailed);
  return status;
}

bool Adapter::complete_restart(NDIS_STATUS status) {
  const kernel::Hold hold(lock_);
  if (!restart_pended_) return false;
  restart_pended_ = false;
  restart_status_ = status;
  restarted_.set();
  return true;
}

void Adapter::pause(ULONG reason) {
  if (state() != AdapterState::Running) return;
  {
    const kernel::Hold hold(lock_);
    advance_locked(AdapterEvent::MiniportPause);  // before the call: the driver may complete it from inside
    pause_pended_ = is_version6();
    paused_.reset();
  }
  if (is_version6()) {
    NDIS_MINIPORT_PAUSE_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_MINIPORT_PAUSE_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_MINIPORT_PAUSE_PARAMETERS_REVISION_1};
    // A miniport learns of one reason only, and only from NDIS 6.40 on (LIFE-147).
    const bool for_good = reason == NDIS_PAUSE_MINIPORT_DEVICE_REMOVE && driver_->version() >= Version{6, 40};
    parameters.PauseReason = for_good ? NDIS_PAUSE_MINIPORT_DEVICE_REMOVE : NDIS_PAUSE_NDIS_INTERNAL;
    const NDIS_STATUS status = call_driver(&driver_->driver(), callbacks::kMiniportPause, this, nullptr,
                                           driver_->handlers6().Pause, context_, &parameters);
    if (status == NDIS_STATUS_PENDING) {
      paused_.wait();
    } else if (status != NDIS_STATUS_SUCCESS) {
      Library::current().observer().on(
          BadStatus{&driver_->driver(),
                    "MiniportPause",
                    this,
                    name(),
                    status,
                    "NDIS_STATUS_SUCCESS or NDIS_STATUS_PENDING: a pause cannot fail",
                    {}});
    }
    const kernel::Hold hold(lock_);
    pause_pended_ = false;
  }
  ways.settle();
  // What the driver should have had back before it completed the pause is waited for here; for a 5.x driver
  // this wait is the pause.
  if (const auto out = receives.inside(); out != 0 && is_version6()) {
    Library::current().observer().on(
        ItemsOut{&driver_->driver(),
                 ItemKind::NetBufferList,
                 name(),
                 "the pause was completed while receive indications had not been returned",
                 out,
                 {}});
  }
  if (const auto out = sends.inside(); out != 0 && is_version6()) {
    Library::current().observer().on(ItemsOut{&driver_->driver(),
                                              ItemKind::NetBufferList,
                                              name(),
                                              "the pause was completed while sends had not been completed",
                                              out,
                                              {}});
  }
  sends.close();
  sends.wait_empty();
  receives.close();
  receives.wait_empty();
  if (state() != AdapterState::Shutdown) advance(AdapterEvent::PauseComplete);
}

bool Adapter::complete_pause() {
  const kernel::Hold hold(lock_);
  if (!pause_pended_) return false;
  pause_pended_ = false;
  paused_.set();
  return true;
}

// ---- halt and shutdown ----

void Adapter::halt(NDIS_HALT_ACTION action) {
  suspend.stop();
  reset.stop();
  oids.wait_idle();
  calls.wait_empty();
  ways.settle();
  initialized_ = false;
  {
    const kernel::Hold hold(lock_);
    advance_locked(
        AdapterEvent::MiniportHaltEx);  // before the call: from here no request is submitted (LIFE-150)
  }
  if (is_version6()) {
    call_driver(&driver_->driver(), callbacks::kMiniportHaltEx, this, context_, driver_->handlers6().Halt,
                context_, action);
  } else {
    call_driver(&driver_->driver(), callbacks::kMiniportHalt, this, context_, driver_->handlers5().Halt,
                context_);
  }
  judge_halt();
}

/// What a halt has to have given back.
void Adapter::judge_halt() {
  const char* const function = is_version6() ? "MiniportHaltEx" : "MiniportHalt";
  kernel::Driver& driver = driver_->driver();
  for (const NDIS_PORT_NUMBER number : ports.allocated())
    tell_breach("LIFE-157", driver, function, name(),
                fmt::format("the halt has returned and NDIS port {} is not freed", number));
  if (ports.driver_controls_default() && ports.is_active(PortTable::kDefaultPort))
    tell_breach("LIFE-158", driver, function, name(),
                "the driver activated the default port, and has not deactivated it when the halt returns");
  ports.reset(false);
  co->end_of_miniport(function);
  check_given_back(*this, LeftBehind::When::Halt);
  halted_ = true;
}

void Adapter::notify_device_event(NDIS_DEVICE_PNP_EVENT event, void* buffer, ULONG length) {
  if (is_version6()) {
    if (!driver_->handlers6().DevicePnPEventNotify) return;
    NET_DEVICE_PNP_EVENT notification{};
    notification.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_DEVICE_PNP_EVENT_REVISION_1,
                           NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1};
    notification.DevicePnPEvent = event;
    notification.InformationBuffer = buffer;
    notification.InformationBufferLength = length;
    call_driver(&driver_->driver(), callbacks::kMiniportDevicePnPEventNotify, this, nullptr,
                driver_->handlers6().DevicePnPEventNotify, context_, &notification);
  } else if (driver_->handlers5().PnPEventNotify) {
    call_driver(&driver_->driver(), callbacks::kMiniportPnPEventNotify, this, nullptr,
                driver_->handlers5().PnPEventNotify, context_, event, buffer, length);
  }
}

void Adapter::shutdown(NDIS_SHUTDOWN_ACTION action) {
  {
    const kernel::Hold hold(lock_);
    // A system error inside MiniportHaltEx: the one call that comes in the state Halted.
    const bool nested = action == NdisShutdownBugCheck && kernel::inside_callback("MiniportHaltEx", this);
    // From NDIS 6.30 on a driver is told of a bug check only if it has asked for that.
    if (action == NdisShutdownBugCheck && is_version6() && driver_->version() >= Version{6, 30} &&
        (attribute_flags_ & NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK) == 0)
      return;
    if (!nested) {
      if (!kAdapterStates.allows(state_, AdapterEvent::MiniportShutdownEx))
        return;  // Halted or Initializing: not called (LIFE-127)
      advance_locked(AdapterEvent::MiniportShutdownEx);
    }
  }
  if (is_version6()) {
    call_driver(&driver_->driver(), callbacks::kMiniportShutdownEx, this, nullptr,
                driver_->handlers6().Shutdown, context_, action);
  } else if (driver_->handlers5().AdapterShutdown) {
    call_driver(&driver_->driver(), callbacks::kMiniportShutdown, this, nullptr,
                driver_->handlers5().AdapterShutdown, context_);
  } else if (shutdown_handler5) {
    call_driver(&driver_->driver(), callbacks::kMiniportShutdown, this, nullptr, shutdown_handler5,
                shutdown_context5);
  }
}

}  // namespace undis
