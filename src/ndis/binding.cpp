// SPDX-License-Identifier: MIT
//
// A binding's life: bind, pause, restart, unbind, each as one claimed operation. The open in between is
// binding_open.cpp.
#include "ndis/binding.h"

#include <fmt/format.h>

#include "kernel/unicode.h"
#include "ndis/callbacks.h"
#include "ndis/filter_module.h"
#include "ndis/interface.h"
#include "ndis/library.h"
#include "ndis/restart_attributes.h"
#include "ndis/strings.h"

namespace undis {

using kernel::call_driver;

Binding::Binding(ProtocolDriver& protocol, Adapter& adapter, bool own)
    : Binding(protocol, adapter, own, protocol.name() + " on " + adapter.name()) {}

Binding::Binding(ProtocolDriver& protocol, Adapter& adapter, bool own, std::string name)
    : sends({"sends outstanding", &name_}), receives({"indicated packets not returned", &name_}),
      requests({"OID requests outstanding", &name_}), families({"address families open", &name_}),
      protocol_(&protocol), adapter_(&adapter), own_(own), name_(std::move(name)),
      claim_({"another operation on the binding", &name_}), answered_({"completion by the protocol", &name_}),
      closed_({"NdisCloseAdapter(Ex)", &name_}), opened_({"open", &name_}),
      vanished_({"the end of a close outside an unbind", &name_}) {
  closed_.set();
  opened_.set();
  // Nothing goes to or from the protocol before its open is complete, also if that is pended: it has no
  // handle, we have no context.
  for (Gate* const gate : {&sends, &receives, &requests, &families, &calls}) gate->close();
}

Binding::~Binding() = default;

BindingState Binding::state() const noexcept {
  const kernel::Hold hold(lock_);
  return state_;
}

bool Binding::is_open() const noexcept {
  const kernel::Hold hold(lock_);
  return open_ || opening_;
}

bool Binding::may_carry_data() const noexcept {
  const kernel::Hold hold(lock_);
  return may_carry_data_locked();
}

void Binding::note_carries_locked() noexcept {
  carries_lists_.store(is_version6() && adapter_->is_version6() && may_carry_data_locked(),
                       std::memory_order_release);
  adapter_->ways.plan();
}

bool Binding::may_carry_data_locked() const noexcept {
  // A protocol goes on as soon as it has answered the restart, which NDIS sees a moment later
  // (docs/decisions.md#send-while-restarting).
  return open_ && !close_called_ &&
         (state_ == BindingState::Restarting || kBindingStates.allows(state_, BindingEvent::SendReceive));
}

bool Binding::in_bind_or_unbind() const noexcept {
  using namespace callbacks;
  return kernel::inside_callback(kProtocolBindAdapterEx.name, this) ||
         kernel::inside_callback(kProtocolBindAdapter.name, this) ||
         kernel::inside_callback(kProtocolUnbindAdapterEx.name, this) ||
         kernel::inside_callback(kProtocolUnbindAdapter.name, this);
}

bool Binding::mine() const noexcept {
  return claim_.is_mine();
}

void Binding::advance(BindingEvent event) {
  const kernel::Hold hold(lock_);
  advance_locked(event);
}

void Binding::advance_locked(BindingEvent event) {
  const auto next = kBindingStates.next(state_, event);
  Library::current().observer().on(StateMove{"binding", name_, to_text(state_), to_text(event),
                                             next ? to_text(*next) : nullptr, &driver(), nullptr});
  if (next) state_ = *next;
  note_carries_locked();
}

// ---- completions that a driver owes after PENDING ----

void Binding::await(Awaited what) {
  const kernel::Hold hold(lock_);
  awaited_ = what;
  if (what != Awaited::Nothing) answered_.reset();
}

bool Binding::answer(Awaited what, NDIS_STATUS status) {
  const kernel::Hold hold(lock_);
  if (awaited_ != what) return false;
  awaited_ = Awaited::Nothing;
  answer_ = status;
  answered_.set();
  return true;
}

bool Binding::complete_bind(NDIS_STATUS status) {
  return answer(Awaited::Bind, status);
}
bool Binding::complete_unbind() {
  return answer(Awaited::Unbind, NDIS_STATUS_SUCCESS);
}

bool Binding::complete_pnp_event(NET_PNP_EVENT_NOTIFICATION* event, NDIS_STATUS status) {
  const kernel::Hold hold(lock_);
  if (pended_event_ == nullptr || pended_event_ != event) return false;
  pended_event_ = nullptr;
  answer_ = status;
  answered_.set();
  return true;
}

bool Binding::complete_pnp_event5(NET_PNP_EVENT* event, NDIS_STATUS status) {
  return complete_pnp_event(reinterpret_cast<NET_PNP_EVENT_NOTIFICATION*>(event), status);
}

// ---- bind ----

NDIS_STATUS Binding::bind() {
  const Ref<Binding> alive(this);
  const Claimed claimed(claim_);
  if (!protocol_->add(*this)) return NDIS_STATUS_CLOSING;
  adapter_->add(*this);
  advance(BindingEvent::ProtocolBindAdapterEx);

  binding_now_ = true;
  NDIS_STATUS status = call_bind();
  opened_.wait();  // an open that still pends ends before the bind does
  binding_now_ = false;
  const bool opened = is_open();
  if (status == NDIS_STATUS_SUCCESS && opened) return status;

  // A bind that fails, or succeeds without having opened anything, leaves nothing behind.
  if (status == NDIS_STATUS_SUCCESS) status = NDIS_STATUS_OPEN_FAILED;
  require_closed(false);
  closed_.wait();
  {
    const kernel::Hold hold(lock_);
    advance_locked(state_ == BindingState::Opening ? BindingEvent::BindFailed : BindingEvent::UnbindComplete);
  }
  vanish();
  return status;
}

NDIS_STATUS Binding::call_bind() {
  HandleTable& handles = Library::current().handles();
  bind_context_ = handles.open(HandleKind::BindContext, this);
  if (bind_context_ == nullptr) return NDIS_STATUS_RESOURCES;
  await(Awaited::Bind);  // the driver may complete it from inside the call

  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  const WideString adapter_name(adapter_->config().device_name);
  const WideString section(protocol_section(protocol_->driver(), *adapter_));
  const NDIS_BIND_PARAMETERS parameters = undis::bind_parameters(*adapter_, adapter_name, section);
  bind_parameters = &parameters;
  if (is_version6()) {
    status = call_driver(&driver(), callbacks::kProtocolBindAdapterEx, this, nullptr,
                         protocol_->handlers6().BindAdapter, protocol_->context(), bind_context_,
                         const_cast<NDIS_BIND_PARAMETERS*>(&parameters));
  } else {
    call_driver(&driver(), callbacks::kProtocolBindAdapter, this, nullptr, protocol_->handlers5().BindAdapter,
                &status, bind_context_, adapter_name.get(), static_cast<void*>(section.get()),
                static_cast<void*>(nullptr));
  }

  if (status == NDIS_STATUS_PENDING) {
    answered_.wait();
    const kernel::Hold hold(lock_);
    status = answer_;
  } else {
    await(Awaited::Nothing);
  }
  bind_parameters = nullptr;
  handles.close(bind_context_);
  return status;
}

// ---- pause and restart ----

void Binding::pause(ULONG reason) {
  const Ref<Binding> alive(this);
  const Claimed claimed(claim_);
  pause_claimed(reason);
}

void Binding::pause_claimed(ULONG reason) {
  if (state() != BindingState::Running) return;
  advance(BindingEvent::PnpPause);
  if (is_version6()) {
    NDIS_PROTOCOL_PAUSE_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_PROTOCOL_PAUSE_PARAMETERS_REVISION_1,
                         sizeof(parameters)};
    parameters.PauseReason = reason;
    handles_stack_changes_ =
        pnp_event(NetEventPause, &parameters, sizeof(parameters)) != NDIS_STATUS_NOT_SUPPORTED;
    adapter_->ways.settle();
    if (const auto out = sends.inside(); out != 0) {
      Library::current().observer().on(
          ItemsOut{&driver(),
                   ItemKind::NetBufferList,
                   name_,
                   "the pause of the binding was completed while the protocol's own sends were outstanding",
                   out,
                   {}});
    }
  }
  sends.wait_empty();  // for a 5.x protocol this wait is the pause
  advance(BindingEvent::PauseComplete);
}

NDIS_STATUS Binding::restart(PNDIS_RESTART_ATTRIBUTES attributes) {
  const Ref<Binding> alive(this);
  const Claimed claimed(claim_);
  if (state() != BindingState::Paused) return NDIS_STATUS_SUCCESS;
  advance(BindingEvent::PnpRestart);
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  if (is_version6()) {
    NDIS_PROTOCOL_RESTART_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS,
                         NDIS_PROTOCOL_RESTART_PARAMETERS_REVISION_1, sizeof(parameters)};
    std::vector<UCHAR> names = filter_module_names(*adapter_);
    parameters.FilterModuleNameBuffer = names.empty() ? nullptr : names.data();
    parameters.FilterModuleNameBufferLength = static_cast<ULONG>(names.size());
    parameters.RestartAttributes = attributes;
    const std::vector<Ref<FilterModule>> modules = adapter_->filters.modules();
    parameters.BoundIfIndex =
        modules.empty() ? adapter_->interface_index() : modules.back()->interface_index();
    parameters.BoundIfNetluid = modules.empty() ? net_luid_of(*adapter_) : modules.back()->net_luid();
    // No buffer where no attributes have come up from below and no filters are there: there is nothing to say
    // (LIFE-262).
    const bool says = attributes != nullptr || !names.empty();
    status = pnp_event(NetEventRestart, says ? &parameters : nullptr, says ? sizeof(parameters) : 0);
  }
  advance(status == NDIS_STATUS_SUCCESS ? BindingEvent::RestartComplete : BindingEvent::RestartFailed);
  return status;
}

NDIS_STATUS Binding::notify(NET_PNP_EVENT_CODE code, void* buffer, ULONG length) {
  const Ref<Binding> alive(this);
  const Claimed claimed(claim_);
  return pnp_event(code, buffer, length);
}

void Binding::judge_answer(NET_PNP_EVENT_CODE code, NDIS_STATUS status) {
  if (!is_version6() || status == NDIS_STATUS_SUCCESS) return;
  if (status == NDIS_STATUS_NOT_SUPPORTED) {
    tell_breach(
        "LIFE-263", driver(), "ProtocolNetPnPEvent", name_,
        fmt::format(
            "event {} is answered with NDIS_STATUS_NOT_SUPPORTED, which protocols of NDIS 6 do not use",
            static_cast<int>(code)));
    return;
  }
  // A restart may fail: the published table has a row for it. Out of memory is an answer to anything.
  if (code == NetEventQueryRemoveDevice || code == NetEventPortActivation || code == NetEventRestart ||
      status == NDIS_STATUS_RESOURCES)
    return;
  tell_breach("LIFE-264", driver(), "ProtocolNetPnPEvent", name_,
              fmt::format("event {} is answered with {:#010x}: only NetEventQueryRemoveDevice and "
                          "NetEventPortActivation may be failed",
                          static_cast<int>(code), static_cast<std::uint32_t>(status)));
}

NDIS_STATUS Binding::pnp_event(NET_PNP_EVENT_CODE code, void* buffer, ULONG length) {
  if (!is_version6() && code >= NetEventPause)
    return NDIS_STATUS_SUCCESS;  // events that NDIS 5 does not have
  NET_PNP_EVENT_NOTIFICATION notification{};
  notification.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                         sizeof(notification)};
  notification.NetPnPEvent.NetEvent = code;
  notification.NetPnPEvent.Buffer = buffer;
  notification.NetPnPEvent.BufferLength = length;
  NET_PNP_EVENT& event5 = notification.NetPnPEvent;
  const bool has_handler = is_version6() ? static_cast<bool>(protocol_->handlers6().NetPnPEvent)
                                         : static_cast<bool>(protocol_->handlers5().PnPEvent);
  if (!has_handler) return NDIS_STATUS_SUCCESS;
  {
    const kernel::Hold hold(lock_);
    pended_event_ = is_version6() ? static_cast<void*>(&notification) : static_cast<void*>(&event5);
    answered_.reset();
  }
  refused_above = false;
  NDIS_STATUS status = is_version6()
                           ? call_driver(&driver(), callbacks::kProtocolNetPnPEvent, this, nullptr,
                                         protocol_->handlers6().NetPnPEvent, context_, &notification)
                           : call_driver(&driver(), callbacks::kProtocolPnPEvent, this, nullptr,
                                         protocol_->handlers5().PnPEvent, context_, &event5);
  if (status == NDIS_STATUS_PENDING) {
    answered_.wait();
    const kernel::Hold hold(lock_);
    status = answer_;
  }
  if (refused_above && status == NDIS_STATUS_SUCCESS)
    tell_breach("LIFE-308", driver(), callbacks::kProtocolPnPEvent.name, name_,
                "those above refused the event (NdisIMNotifyPnPEvent returned NDIS_STATUS_FAILURE), and it "
                "is answered with NDIS_STATUS_SUCCESS");
  judge_answer(code, status);
  const kernel::Hold hold(lock_);
  pended_event_ = nullptr;
  return status;
}

// ---- unbind ----

bool Binding::unbind() {
  if (mine())
    return false;  // from inside one of its own operations: a second unbind of the same binding never starts
  const Ref<Binding> alive(this);
  {
    const kernel::Hold hold(lock_);
    if (!closes_itself_) unbind_begun_ = true;
  }
  if (closes_itself()) {  // the protocol is about it: there is nothing left to unbind
    vanished_.wait();
    return true;
  }
  const Claimed claimed(claim_);
  if (state() == BindingState::Unbound) return true;  // another thread's unbind has just ended

  pause_claimed(NDIS_PAUSE_UNBIND_PROTOCOL);
  advance(BindingEvent::ProtocolUnbindAdapterEx);
  const NDIS_STATUS status = call_unbind();
  if (status != NDIS_STATUS_SUCCESS) {
    Library::current().observer().on(
        BadStatus{&driver(),
                  is_version6() ? "ProtocolUnbindAdapterEx" : "ProtocolUnbindAdapter",
                  this,
                  name_,
                  status,
                  "NDIS_STATUS_SUCCESS or NDIS_STATUS_PENDING: an unbind cannot be refused",
                  {}});
  }
  if (is_version6() && close_called() && is_open())
    tell_breach("LIFE-240", driver(), "ProtocolUnbindAdapterEx", name_,
                "the unbind is complete while the close of the adapter is still pended");
  require_closed(true);
  closed_.wait();
  advance(BindingEvent::UnbindComplete);
  vanish();
  return true;
}

bool Binding::closes_itself() const noexcept {
  const kernel::Hold hold(lock_);
  return closes_itself_;
}

void Binding::unbind_for_deregistration() {
  if (unbind()) return;
  if (in_bind_or_unbind()) {
    bool closing = false;
    {
      const kernel::Hold hold(lock_);
      closing = close_called_;
    }
    if (closing) closed_.wait();
    return;
  }
  const Ref<Binding> later(this);
  kernel::queue_work("unbind after a callback", [later] { later->unbind(); });
}

NDIS_STATUS Binding::call_unbind() {
  HandleTable& handles = Library::current().handles();
  unbind_context_ = handles.open(HandleKind::UnbindContext, this);
  await(Awaited::Unbind);  // the driver may complete it from inside the call
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  if (is_version6()) {
    status = call_driver(&driver(), callbacks::kProtocolUnbindAdapterEx, this, nullptr,
                         protocol_->handlers6().UnbindAdapter, unbind_context_, context_);
  } else {
    call_driver(&driver(), callbacks::kProtocolUnbindAdapter, this, nullptr,
                protocol_->handlers5().UnbindAdapter, &status, context_, unbind_context_);
  }
  if (status == NDIS_STATUS_PENDING) {
    answered_.wait();
    status = NDIS_STATUS_SUCCESS;
  } else {
    await(Awaited::Nothing);
  }
  handles.close(unbind_context_);
  return status;
}

void Binding::vanish() {
  Library& library = Library::current();
  adapter_->remove(*this);
  protocol_->remove(*this);
  vanished_.set();
  std::vector<std::u16string> made;
  {
    const kernel::Hold hold(running_lock);  // guards what others may add below
    made.swap(instances_made);
  }
  for (const std::u16string& name : made) {
    const Ref<DeviceInstance> instance = library.instance_named(name);
    if (!instance || instance->phase != DeviceInstance::Phase::Up) continue;
    // A virtual miniport may stand on several bindings, the driver knows on which: it is told of with the
    // last that is open.
    Ref<Binding> heir;
    for (const Ref<Binding>& other : protocol_->bindings())
      if (!heir && other->is_open()) heir = other;
    if (!heir) {
      library.observer().on(InstanceOutlivesBinding{&driver(), kernel::to_utf8(name), name_});
      continue;
    }
    const kernel::Hold hold(heir->running_lock);
    heir->instances_made.push_back(name);
  }
}

}  // namespace undis
