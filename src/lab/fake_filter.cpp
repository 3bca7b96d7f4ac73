// SPDX-License-Identifier: MIT
//
// The callbacks of fake filters.
#include "lab/fake_filter.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "ndis/filter_module.h"
#include "ndis/strings.h"

namespace undis::lab {
namespace {

std::map<const kernel::Driver*, FakeFilter*>& fakes() {
  static std::map<const kernel::Driver*, FakeFilter*> all;  // looked up only
  return all;
}

}  // namespace

struct FakeFilter::Callbacks {
  using State = FakeModule::State;
  static FakeModule& self(NDIS_HANDLE context) { return *static_cast<FakeModule*>(context); }
  static FakeFilter& note(FakeModule& module, const char* call) {
    module.filter->note(fmt::format("{} {}", call, module.adapter));
    if (module.state == State::Detached) module.filter->complain(fmt::format("{} after FilterDetach", call));
    return *module.filter;
  }
  static void expect(FakeModule& module, bool right, const char* call) {
    if (!right) module.filter->complain(fmt::format("{} in a wrong state", call));
    if (kernel::irql() != PASSIVE_LEVEL) module.filter->complain(fmt::format("{} above PASSIVE_LEVEL", call));
  }

  static NTSTATUS NTAPI entry(PDRIVER_OBJECT object, PUNICODE_STRING) {
    FakeFilter& filter = *of(*kernel::Driver::from_object(object));
    object->DriverUnload = &unload;
    return filter.entry ? filter.entry() : static_cast<NTSTATUS>(filter.register_filter());
  }
  static VOID NTAPI unload(PDRIVER_OBJECT object) {
    FakeFilter& filter = *of(*kernel::Driver::from_object(object));
    filter.note("Unload");
    if (filter.unload_routine) {
      filter.unload_routine();
    } else {
      NdisFDeregisterFilterDriver(filter.handle);
    }
  }
  static NDIS_STATUS set_options(NDIS_HANDLE, NDIS_HANDLE context) {
    auto& filter = *static_cast<FakeFilter*>(context);
    filter.note("FilterSetOptions");
    return filter.on_set_options ? filter.on_set_options() : NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS attach(NDIS_HANDLE handle, NDIS_HANDLE context,
                            PNDIS_FILTER_ATTACH_PARAMETERS parameters) {
    auto& filter = *static_cast<FakeFilter*>(context);
    FakeModule& module = filter.modules.emplace_back();
    module.filter = &filter;
    module.handle = handle;
    module.adapter = Library::current().handles().find<FilterModule>(handle)->adapter().name();
    module.attach = *parameters;
    note(module, "FilterAttach");
    expect(module, true, "FilterAttach");
    NDIS_FILTER_ATTRIBUTES attributes{};
    attributes.Header = {NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES, NDIS_FILTER_ATTRIBUTES_REVISION_1,
                         NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1};
    NDIS_STATUS status = NdisFSetAttributes(handle, &module, &attributes);
    if (status == NDIS_STATUS_SUCCESS && filter.on_attach) status = filter.on_attach(module);
    module.state = status == NDIS_STATUS_SUCCESS ? State::Paused : State::Detached;
    return status;
  }
  static VOID detach(NDIS_HANDLE context) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterDetach");
    expect(module, module.state == State::Paused, "FilterDetach");
    if (filter.on_detach) filter.on_detach(module);
    ++module.detaches;
    module.state = State::Detached;
  }
  static NDIS_STATUS module_options(NDIS_HANDLE context) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterSetModuleOptions");
    expect(module, module.state == State::Paused, "FilterSetModuleOptions");
    return filter.on_module_options(module);
  }
  static NDIS_STATUS restart(NDIS_HANDLE context, PNDIS_FILTER_RESTART_PARAMETERS parameters) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterRestart");
    expect(module, module.state == State::Paused, "FilterRestart");
    module.state = State::Restarting;
    const NDIS_STATUS status =
        filter.on_restart ? filter.on_restart(module, *parameters) : NDIS_STATUS_SUCCESS;
    module.state =
        status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_PENDING ? State::Running : State::Paused;
    return status;
  }
  static NDIS_STATUS pause(NDIS_HANDLE context, PNDIS_FILTER_PAUSE_PARAMETERS) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterPause");
    expect(module, module.state == State::Running, "FilterPause");
    module.state = State::Paused;
    return filter.on_pause ? filter.on_pause(module) : NDIS_STATUS_SUCCESS;
  }

  static VOID send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG flags) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterSendNetBufferLists");
    if (filter.on_send) {
      filter.on_send(module, chain, port, flags);
    } else {
      NdisFSendNetBufferLists(module.handle, chain, port, flags);
    }
  }
  static VOID send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterSendNetBufferListsComplete");
    if (filter.on_send_complete) {
      filter.on_send_complete(module, chain, flags);
    } else {
      NdisFSendNetBufferListsComplete(module.handle, chain, flags);
    }
  }
  static VOID receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG count,
                      ULONG flags) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterReceiveNetBufferLists");
    if (filter.on_receive) {
      filter.on_receive(module, chain, port, count, flags);
    } else {
      NdisFIndicateReceiveNetBufferLists(module.handle, chain, port, count, flags);
    }
  }
  static VOID return_lists(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterReturnNetBufferLists");
    if (filter.on_return) {
      filter.on_return(module, chain, flags);
    } else {
      NdisFReturnNetBufferLists(module.handle, chain, flags);
    }
  }
  static VOID cancel_send(NDIS_HANDLE context, PVOID id) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterCancelSendNetBufferLists");
    if (filter.on_cancel_send) {
      filter.on_cancel_send(module, id);
    } else {
      NdisFCancelSendNetBufferLists(module.handle, id);
    }
  }

  static NDIS_STATUS oid(NDIS_HANDLE context, PNDIS_OID_REQUEST request) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterOidRequest");
    if (filter.on_oid) return filter.on_oid(module, request);
    return forward(module, request);
  }
  static VOID oid_complete(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterOidRequestComplete");
    if (filter.on_oid_complete) {
      filter.on_oid_complete(module, request, status);
    } else if (request == module.clone) {
      NDIS_OID_REQUEST* const original = std::exchange(module.original, nullptr);
      original->DATA = request->DATA;
      NdisFreeCloneOidRequest(module.handle, std::exchange(module.clone, nullptr));
      NdisFOidRequestComplete(module.handle, original, status);
    } else {
      module.answered.push_back({request, status});
    }
  }
  static VOID cancel_oid(NDIS_HANDLE context, PVOID id) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterCancelOidRequest");
    if (filter.on_cancel_oid) {
      filter.on_cancel_oid(module, id);
    } else {
      NdisFCancelOidRequest(module.handle, id);
    }
  }
  static VOID status(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterStatus");
    if (filter.on_status) {
      filter.on_status(module, indication);
    } else {
      NdisFIndicateStatus(module.handle, indication);
    }
  }
  static NDIS_STATUS net_pnp(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterNetPnPEvent");
    if (filter.on_net_pnp_event) return filter.on_net_pnp_event(module, event);
    return NdisFNetPnPEvent(module.handle, event);
  }
  static VOID device_pnp(NDIS_HANDLE context, PNET_DEVICE_PNP_EVENT event) {
    FakeModule& module = self(context);
    FakeFilter& filter = note(module, "FilterDevicePnPEventNotify");
    if (filter.on_device_pnp_event) {
      filter.on_device_pnp_event(module, event);
    } else {
      NdisFDevicePnPEventNotify(module.handle, event);
    }
  }
};

FakeFilter::FakeFilter(kernel::System& system, Library& library, std::string name)
    : system_(system), library_(library), driver_(system.add_driver(std::move(name), {}, false)) {
  fakes()[&driver_] = this;
}
FakeFilter::~FakeFilter() {
  fakes().erase(&driver_);
}
FakeFilter* FakeFilter::of(const kernel::Driver& driver) {
  return fakes().at(&driver);
}

NTSTATUS FakeFilter::load() {
  return library_.load(driver_, &Callbacks::entry);
}
bool FakeFilter::unload() {
  return library_.unload(driver_);
}

std::u16string FakeFilter::unique_name() const {
  return u"{" + kernel::to_utf16(driver_.name()) + u"}";
}

void FakeFilter::set(std::u16string_view value, std::uint32_t number) {
  system_.registry().set_value(filter_ndi_key(unique_name()), value, kernel::RegistryValue::dword(number));
}

void FakeFilter::be_of_class(std::string_view name) {
  system_.registry().set_value(filter_ndi_key(unique_name()), u"FilterClass",
                               kernel::RegistryValue::string(kernel::to_utf16(name)));
}

NDIS_FILTER_DRIVER_CHARACTERISTICS FakeFilter::characteristics() {
  NDIS_FILTER_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS, NDIS_FILTER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.SetOptionsHandler = &Callbacks::set_options;
  c.SetFilterModuleOptionsHandler = on_module_options ? &Callbacks::module_options : nullptr;
  c.AttachHandler = &Callbacks::attach;
  c.DetachHandler = &Callbacks::detach;
  c.RestartHandler = &Callbacks::restart;
  c.PauseHandler = &Callbacks::pause;
  c.SendNetBufferListsHandler = &Callbacks::send;
  c.SendNetBufferListsCompleteHandler = &Callbacks::send_complete;
  c.CancelSendNetBufferListsHandler = &Callbacks::cancel_send;
  c.ReceiveNetBufferListsHandler = &Callbacks::receive;
  c.ReturnNetBufferListsHandler = &Callbacks::return_lists;
  c.OidRequestHandler = &Callbacks::oid;
  c.OidRequestCompleteHandler = &Callbacks::oid_complete;
  c.CancelOidRequestHandler = &Callbacks::cancel_oid;
  c.DevicePnPEventNotifyHandler = &Callbacks::device_pnp;
  c.NetPnPEventHandler = &Callbacks::net_pnp;
  c.StatusHandler = &Callbacks::status;
  return c;
}

NDIS_STATUS FakeFilter::register_filter() {
  const WideString service(kernel::to_utf16(driver_.name()));
  const WideString unique(unique_name());
  NDIS_FILTER_DRIVER_CHARACTERISTICS c = characteristics();
  c.FriendlyName = *service.get();
  c.ServiceName = *service.get();
  c.UniqueName = *unique.get();
  if (shape) shape(c);
  return NdisFRegisterFilterDriver(driver_.object(), this, &c, &handle);
}

NDIS_STATUS FakeFilter::forward(FakeModule& module, NDIS_OID_REQUEST* request) {
  constexpr UINT kTag = 0x5446;
  NDIS_STATUS status = NdisAllocateCloneOidRequest(module.handle, request, kTag, &module.clone);
  if (status != NDIS_STATUS_SUCCESS) return status;
  module.original = request;
  NDIS_OID_REQUEST* const clone = module.clone;
  status = NdisFOidRequest(module.handle, clone);
  if (status == NDIS_STATUS_PENDING) return status;
  request->DATA = clone->DATA;
  module.original = nullptr;
  module.clone = nullptr;
  NdisFreeCloneOidRequest(module.handle, clone);
  return status;
}

unsigned FakeFilter::count(std::string_view call_prefix) const {
  return static_cast<unsigned>(
      std::ranges::count_if(calls, [&](const std::string& call) { return call.starts_with(call_prefix); }));
}

}  // namespace undis::lab
