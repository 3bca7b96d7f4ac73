// SPDX-License-Identifier: MIT
//
// A filter module's life: attach, restart, pause, detach.
#include "ndis/filter_module.h"

#include <fmt/format.h>
#include <string_view>

#include "kernel/unicode.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/items.h"
#include "ndis/library.h"
#include "ndis/restart_attributes.h"
#include "ndis/strings.h"

namespace undis {
namespace {

using kernel::call_driver;

std::string module_name(const FilterDriver& filter, const Adapter& adapter, const FilterDriver* over) {
  return over == nullptr ? fmt::format("{} on {}", filter.name(), adapter.name())
                         : fmt::format("{} on {} over {}", filter.name(), adapter.name(), over->name());
}

/// The last part of \Device\{...}: what other places call NetCfgInstanceId.
std::u16string_view instance_id(const Adapter& adapter) {
  const std::u16string_view name = adapter.config().device_name;
  return name.substr(name.rfind(u'\\') + 1);
}

struct Revision {
  UCHAR revision;
  USHORT size;
};
Revision attach_revision(Version version) {
  if (version >= Version{6, 30})
    return {NDIS_FILTER_ATTACH_PARAMETERS_REVISION_4, NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_4};
  if (version >= Version{6, 20})
    return {NDIS_FILTER_ATTACH_PARAMETERS_REVISION_3, NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_3};
  if (version >= Version{6, 1})
    return {NDIS_FILTER_ATTACH_PARAMETERS_REVISION_2, NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_2};
  return {NDIS_FILTER_ATTACH_PARAMETERS_REVISION_1, NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_1};
}

/// The interface right below: the next lower module's, or the miniport's.
struct Lower {
  NET_IFINDEX index;
  NET_LUID luid;
};
Lower lower_interface(const FilterModule& module) {
  const Ref<FilterModule> below =
      module.adapter().filters.next_below(&module, [](const FilterModule&) { return true; });
  if (below) return {below->interface_index(), below->net_luid()};
  return {module.adapter().interface_index(), net_luid_of(module.adapter())};
}

void tell(const FilterModule& module, const char* rule, const char* function, std::string why) {
  Library::current().observer().on(
      FilterMisuse{&module.driver(), rule, function, module.name(), std::move(why), {}});
}

}  // namespace

FilterModule::FilterModule(FilterDriver& filter, Adapter& adapter, const FilterDriver* over)
    : own_sends({"sends of its own outstanding", &name_}),
      own_receives({"indications of its own not returned", &name_}), calls({"calls into the filter", &name_}),
      oids(*this), filter_(&filter), adapter_(&adapter), over_(over),
      name_(module_name(filter, adapter, over)),
      guid_name_(std::u16string(instance_id(adapter)) + u"-" + filter.unique_name() + u"-0000"),
      interface_index_(Library::current().next_interface_index()), data_(filter.handlers().data),
      paused_({"NdisFPauseComplete", &name_}), restarted_({"NdisFRestartComplete", &name_}) {}

FilterModule::~FilterModule() = default;

NET_LUID FilterModule::net_luid() const noexcept {
  NET_LUID luid{};
  luid.Info.IfType = IF_TYPE_ETHERNET_CSMACD;
  luid.Info.NetLuidIndex = interface_index_ & 0xFFFFFF;
  return luid;
}

FilterState FilterModule::state() const noexcept {
  const kernel::Hold hold(lock_);
  return state_;
}

bool FilterModule::allows(FilterEvent operation) const noexcept {
  const kernel::Hold hold(lock_);
  return kFilterStates.allows(state_, operation);
}

void FilterModule::advance(FilterEvent event) {
  const kernel::Hold hold(lock_);
  advance_locked(event);
}

void FilterModule::advance_locked(FilterEvent event) {
  const auto next = kFilterStates.next(state_, event);
  Library::current().observer().on(StateMove{"filter module", name_, to_text(state_), to_text(event),
                                             next ? to_text(*next) : nullptr, &driver(), nullptr});
  if (next) state_ = *next;
}

// ---- attach and detach ----

NDIS_STATUS FilterModule::attach() {
  if (!filter_->add(*this)) return NDIS_STATUS_CLOSING;
  HandleTable& handles = Library::current().handles();
  handle_ = handles.open(HandleKind::FilterModule, this, &adapter_->passage);
  if (handle_ == nullptr) {
    filter_->remove(*this);
    return NDIS_STATUS_RESOURCES;
  }
  advance(FilterEvent::FilterAttach);

  const AdapterTraits& traits = adapter_->traits();
  const Lower lower = lower_interface(*this);
  const Revision revision = attach_revision(filter_->version());
  const WideString guid(guid_name_);
  const WideString instance(kernel::to_utf16(adapter_->name()));
  const WideString device(adapter_->config().device_name);
  NDIS_FILTER_ATTACH_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_FILTER_ATTACH_PARAMETERS, revision.revision, revision.size};
  parameters.IfIndex = interface_index_;
  parameters.NetLuid = net_luid();
  parameters.FilterModuleGuidName = guid.get();
  parameters.BaseMiniportIfIndex = adapter_->interface_index();
  parameters.BaseMiniportInstanceName = instance.get();
  parameters.BaseMiniportName = device.get();
  parameters.MediaConnectState = traits.connect_state;
  parameters.MediaDuplexState = MediaDuplexStateUnknown;
  parameters.XmitLinkSpeed = traits.transmit_speed;
  parameters.RcvLinkSpeed = traits.receive_speed;
  parameters.MiniportMediaType = traits.medium;
  parameters.MiniportPhysicalMediaType = traits.physical_medium;
  parameters.MacAddressLength = traits.address_length;
  std::copy(traits.current_address.begin(), traits.current_address.end(), parameters.CurrentMacAddress);
  parameters.BaseMiniportNetLuid = net_luid_of(*adapter_);
  parameters.LowerIfIndex = lower.index;
  parameters.LowerIfNetLuid = lower.luid;
  parameters.MiniportPhysicalDeviceObject = adapter_->device_object();

  NDIS_STATUS status = call_driver(&driver(), callbacks::kFilterAttach, this, nullptr,
                                   filter_->handlers().Attach, handle_, filter_->context(), &parameters);
  if (status == NDIS_STATUS_SUCCESS) {
    if (!attributes_set_)
      tell(*this, "FilterSetsAttributes", "FilterAttach",
           "FilterAttach succeeded without a call of NdisFSetAttributes: there is no module context");
    advance(FilterEvent::AttachComplete);
    return status;
  }
  if (status == NDIS_STATUS_PENDING) {
    Library::current().observer().on(BadStatus{&driver(),
                                               "FilterAttach",
                                               this,
                                               name_,
                                               status,
                                               "NDIS_STATUS_SUCCESS or a failure: an attach cannot be pended",
                                               {}});
    status = NDIS_STATUS_FAILURE;
  }
  advance(FilterEvent::AttachFailed);
  tell_pools_left(driver(), this, "FilterAttach", name_);
  handles.close(handle_);
  filter_->remove(*this);
  return status;
}

NDIS_STATUS FilterModule::set_attributes(void* context) {
  {
    const kernel::Hold hold(lock_);
    if (state_ != FilterState::Attaching) return NDIS_STATUS_FAILURE;
  }
  context_ = context;
  attributes_set_ = true;
  return NDIS_STATUS_SUCCESS;
}

void FilterModule::detach() {
  oids.close();
  calls.wait_empty();
  adapter_->ways.settle();
  advance(FilterEvent::FilterDetach);  // the page: Detached at the start of FilterDetach
  call_driver(&driver(), callbacks::kFilterDetach, this, nullptr, filter_->handlers().Detach, context_);
  if (const auto kept = sends.has.load() + receives.has.load(); kept > 0)
    Library::current().observer().on(
        ItemsOut{&driver(),
                 ItemKind::NetBufferList,
                 name_,
                 "FilterDetach returned while the filter still had lists of others",
                 static_cast<std::size_t>(kept),
                 {}});
  tell_pools_left(driver(), this, "FilterDetach", name_);
  Library::current().handles().close(handle_);
  filter_->remove(*this);
}

// ---- restart ----

bool FilterModule::options_open() const noexcept {
  const kernel::CallFrame* const frame = kernel::current_callback();
  return frame != nullptr && std::string_view(frame->name) == callbacks::kFilterSetModuleOptions.name &&
         frame->object == this;
}

NDIS_STATUS FilterModule::set_options() {
  if (state() != FilterState::Paused || !filter_->handlers().SetModuleOptions) return NDIS_STATUS_SUCCESS;
  return call_driver(&driver(), callbacks::kFilterSetModuleOptions, this, nullptr,
                     filter_->handlers().SetModuleOptions, context_);
}

NDIS_STATUS FilterModule::restart(PNDIS_RESTART_ATTRIBUTES* attributes) {
  if (state() != FilterState::Paused) return NDIS_STATUS_SUCCESS;
  {
    const kernel::Hold hold(lock_);
    advance_locked(FilterEvent::FilterRestart);
    restart_pended_ = true;  // before the call: the driver may complete it from inside
    restarted_.reset();
  }
  const Lower lower = lower_interface(*this);
  NDIS_FILTER_RESTART_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_FILTER_RESTART_PARAMETERS, NDIS_FILTER_RESTART_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_FILTER_RESTART_PARAMETERS_REVISION_1};
  parameters.MiniportMediaType = adapter_->traits().medium;
  parameters.MiniportPhysicalMediaType = adapter_->traits().physical_medium;
  parameters.RestartAttributes = *attributes;
  const std::uint64_t before = fingerprint(*attributes);
  parameters.LowerIfIndex = lower.index;
  parameters.LowerIfNetLuid = lower.luid;
  NDIS_STATUS status = call_driver(&driver(), callbacks::kFilterRestart, this, nullptr,
                                   filter_->handlers().Restart, context_, &parameters);
  if (status == NDIS_STATUS_PENDING) {
    restarted_.wait();
    const kernel::Hold hold(lock_);
    status = restart_status_;
  }
  // The page: who changes attributes answers OID requests alike; who does not restart changes none.
  if (fingerprint(parameters.RestartAttributes) != before &&
      (status != NDIS_STATUS_SUCCESS || !filter_->handlers().OidRequest))
    tell(*this, "LIFE-294", "FilterRestart",
         status == NDIS_STATUS_SUCCESS
             ? "the filter changed restart attributes and has no FilterOidRequest to answer alike"
             : "the filter changed restart attributes though it does not restart");
  if (status == NDIS_STATUS_SUCCESS) *attributes = parameters.RestartAttributes;
  const kernel::Hold hold(lock_);
  restart_pended_ = false;
  advance_locked(status == NDIS_STATUS_SUCCESS ? FilterEvent::RestartComplete : FilterEvent::RestartFailed);
  return status;
}

bool FilterModule::complete_restart(NDIS_STATUS status) {
  const kernel::Hold hold(lock_);
  if (!restart_pended_) return false;
  restart_pended_ = false;
  restart_status_ = status;
  restarted_.set();
  return true;
}

bool FilterModule::request_restart() {
  {
    const kernel::Hold hold(lock_);
    if (state_ == FilterState::Detached || state_ == FilterState::Attaching) return false;
    if (restart_asked_) return true;  // one that has not begun stands for both
    restart_asked_ = true;
  }
  const Ref<FilterModule> alive(this);
  kernel::queue_work("restart a filter for NdisFRestartFilter", [alive] {
    {
      const kernel::Hold hold(alive->lock_);
      alive->restart_asked_ = false;
    }
    cycle_stack(alive->adapter(), NDIS_PAUSE_FILTER_RESTART_STACK);
  });
  return true;
}

// ---- pause ----

void FilterModule::pause(ULONG reason) {
  if (state() != FilterState::Running) return;
  {
    const kernel::Hold hold(lock_);
    advance_locked(FilterEvent::FilterPause);
    pause_pended_ = true;  // before the call: the driver may complete it from inside
    paused_.reset();
  }
  NDIS_FILTER_PAUSE_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_FILTER_PAUSE_PARAMETERS, NDIS_FILTER_PAUSE_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_FILTER_PAUSE_PARAMETERS_REVISION_1};
  parameters.PauseReason = reason;
  const std::uint64_t began = kernel::now();
  const NDIS_STATUS status = call_driver(&driver(), callbacks::kFilterPause, this, nullptr,
                                         filter_->handlers().Pause, context_, &parameters);
  const char* const too_long = "the pause was not complete after 10 s";
  if (status == NDIS_STATUS_PENDING) {
    const std::uint64_t spent = kernel::now() - began;
    if (spent >= kPauseLimit || !paused_.wait_for(kPauseLimit - spent)) {
      tell(*this, "NdisFilterTimedPauseComplete", "FilterPause", too_long);
      paused_.wait();
    }
  } else if (status != NDIS_STATUS_SUCCESS) {
    Library::current().observer().on(
        BadStatus{&driver(),
                  "FilterPause",
                  this,
                  name_,
                  status,
                  "NDIS_STATUS_SUCCESS or NDIS_STATUS_PENDING: a pause cannot fail",
                  {}});
  } else if (kernel::now() - began > kPauseLimit) {
    tell(*this, "NdisFilterTimedPauseComplete", "FilterPause", too_long);
  }
  {
    const kernel::Hold hold(lock_);
    pause_pended_ = false;
  }
  check_all_back();
  own_sends.wait_empty();
  own_receives.wait_empty();
  advance(FilterEvent::PauseComplete);
}

/// What the filter should have had back, or given back, before it completed the pause.
void FilterModule::check_all_back() {
  Observer& observer = Library::current().observer();
  const auto out = [&](std::size_t count, const char* why) {
    if (count != 0) observer.on(ItemsOut{&driver(), ItemKind::NetBufferList, name_, why, count, {}});
  };
  const auto kept = [](const Held& held) {
    return held.kept() > 0 ? static_cast<std::size_t>(held.kept()) : 0;
  };
  out(own_sends.inside(), "the pause was completed while sends of the filter's own had not been completed");
  out(own_receives.inside(),
      "the pause was completed while indications of the filter's own had not been returned");
  out(kept(sends), "the pause was completed while the filter had sends of others that it had not completed");
  out(kept(receives),
      "the pause was completed while the filter had received lists of others that it had not returned");
}

bool FilterModule::complete_pause() {
  const kernel::Hold hold(lock_);
  if (!pause_pended_) return false;
  pause_pended_ = false;
  paused_.set();
  return true;
}

}  // namespace undis
