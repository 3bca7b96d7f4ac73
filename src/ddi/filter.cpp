// SPDX-License-Identifier: MIT
//
// Registration of filter drivers, and the life of their modules.
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/filter_module.h"

using namespace undis;

namespace {

std::size_t size_of_revision(UCHAR revision) {
  if (revision == NDIS_FILTER_CHARACTERISTICS_REVISION_1)
    return NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1;
  if (revision == NDIS_FILTER_CHARACTERISTICS_REVISION_2)
    return NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2;
  return NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3;
}

bool is_text(const NDIS_STRING& text) {
  return text.Length != 0 && text.Length % sizeof(WCHAR) == 0 && text.Buffer != nullptr;
}

NDIS_STATUS read_characteristics(const NDIS_FILTER_DRIVER_CHARACTERISTICS& given,
                                 NDIS_FILTER_DRIVER_CHARACTERISTICS& copy) {
  const NDIS_OBJECT_HEADER& header = given.Header;
  if (header.Type != NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS ||
      header.Revision < NDIS_FILTER_CHARACTERISTICS_REVISION_1)
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  const std::size_t size = size_of_revision(header.Revision);
  if (header.Size < size) return NDIS_STATUS_BAD_CHARACTERISTICS;
  copy = {};
  std::memcpy(&copy, &given, size);
  const Version version{copy.MajorNdisVersion, copy.MinorNdisVersion};
  if (!is_known_version6(version)) return NDIS_STATUS_BAD_VERSION;
  if (version.minor > 0 && header.Revision < NDIS_FILTER_CHARACTERISTICS_REVISION_2)
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  if (copy.AttachHandler == nullptr || copy.DetachHandler == nullptr || copy.RestartHandler == nullptr ||
      copy.PauseHandler == nullptr)
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  if (!is_text(copy.UniqueName) || !is_text(copy.ServiceName) || !is_text(copy.FriendlyName))
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  return NDIS_STATUS_SUCCESS;
}

/// What handlers need each other (network/data-bypass-mode): told, not refused.
void check_handlers(const DdiCall& call, const NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
  const std::string name = kernel::to_utf8(kernel::view(&c.ServiceName));
  const auto tell = [&](const char* rule, const char* why) {
    Library::current().observer().on(
        FilterMisuse{&call.driver(), rule, call.name(), name, why, kernel::Stack::capture(2)});
  };
  if ((c.ReceiveNetBufferListsHandler != nullptr || c.ReturnNetBufferListsHandler != nullptr) &&
      c.StatusHandler == nullptr)
    tell("FilterMustReturnHandler",
         "a filter with FilterReceiveNetBufferLists or FilterReturnNetBufferLists needs FilterStatus");
  if (c.OidRequestCompleteHandler != nullptr && c.OidRequestHandler == nullptr)
    tell("OidHandlersPair", "a filter with FilterOidRequestComplete needs FilterOidRequest");
}

}  // namespace

// Page    ndis/nf-ndis-ndisfregisterfilterdriver                     IRQL  PASSIVE_LEVEL
// Calls   FilterSetOptions; then, unless the schedule puts it off, FilterAttach and FilterRestart on every
// running adapter
NDIS_STATUS NdisFRegisterFilterDriver(PDRIVER_OBJECT DriverObject, NDIS_HANDLE FilterDriverContext,
                                      PNDIS_FILTER_DRIVER_CHARACTERISTICS FilterDriverCharacteristics,
                                      PNDIS_HANDLE NdisFilterDriverHandle) {
  const DdiCall call(Ddi::NdisFRegisterFilterDriver);
  Library& library = Library::current();
  const auto refuse = [&](NDIS_STATUS status) {
    library.observer().on(Registration{Registration::What::Refused,
                                       &call.driver(),
                                       HandleKind::FilterDriver,
                                       nullptr,
                                       {},
                                       call.name(),
                                       status});
    return call.returns(status);
  };
  kernel::Driver* const driver = kernel::Driver::from_object(DriverObject);
  if (driver == nullptr || FilterDriverCharacteristics == nullptr || NdisFilterDriverHandle == nullptr)
    return refuse(NDIS_STATUS_INVALID_PARAMETER);
  NDIS_FILTER_DRIVER_CHARACTERISTICS copy;
  if (const NDIS_STATUS status = read_characteristics(*FilterDriverCharacteristics, copy);
      status != NDIS_STATUS_SUCCESS)
    return refuse(status);
  if (library.has_filter(kernel::view(&copy.UniqueName))) return refuse(NDIS_STATUS_FAILURE);
  check_handlers(call, copy);
  if (call.fails()) return refuse(NDIS_STATUS_RESOURCES);

  const Ref<FilterDriver> filter(new FilterDriver(*driver, copy, FilterDriverContext));
  if (!library.add(*filter, call.name())) return refuse(NDIS_STATUS_RESOURCES);
  *NdisFilterDriverHandle = filter->handle();
  if (filter->handlers().SetOptions) {
    const NDIS_STATUS status =
        kernel::call_driver(&filter->driver(), callbacks::kFilterSetOptions, filter.get(), nullptr,
                            filter->handlers().SetOptions, filter->handle(), FilterDriverContext);
    if (status != NDIS_STATUS_SUCCESS) {
      library.remove(*filter, call.name());
      *NdisFilterDriverHandle = nullptr;
      return refuse(status);
    }
  }
  filter->set_ready();
  if (kernel::choose("filter modules attach after the registration")) {
    kernel::queue_work("attach a new filter", [filter] {
      for (const Ref<Adapter>& adapter : Library::current().adapters())
        if (filter->attachable()) add_filters(*adapter);
    });
  } else {
    for (const Ref<Adapter>& adapter : library.adapters()) add_filters(*adapter);
  }
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisfderegisterfilterdriver                   IRQL  PASSIVE_LEVEL
// Calls   FilterPause and FilterDetach of every module, and what pausing and restarting their stacks calls
VOID NdisFDeregisterFilterDriver(NDIS_HANDLE NdisFilterDriverHandle) {
  const DdiCall call(Ddi::NdisFDeregisterFilterDriver);
  const Ref<FilterDriver> filter =
      call.find<FilterDriver>("NdisFilterDriverHandle", NdisFilterDriverHandle, HandleKind::FilterDriver);
  if (!filter) return;
  const kernel::CallFrame* const callback = kernel::current_callback();
  const kernel::Driver& driver = filter->driver();
  if (callback != nullptr && !driver.in_driver_entry() && !driver.in_unload() &&
      std::string_view(callback->name).starts_with("Filter"))
    call.tell_wrong_place(
        WrongPlace::Kind::InsideCallback, filter.get(),
        fmt::format("called inside {}: it waits until the modules are detached and may deadlock there",
                    callback->name));
  if (!filter->deregister(call.name()))
    call.tell_misuse("NdisFilterDriverHandle", NdisFilterDriverHandle, HandleKind::FilterDriver,
                     {HandleKind::FilterDriver, false, nullptr});
}

// Page    ndis/nf-ndis-ndisfsetattributes                            IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisFSetAttributes(NDIS_HANDLE NdisFilterHandle, NDIS_HANDLE FilterModuleContext,
                               PNDIS_FILTER_ATTRIBUTES FilterAttributes) {
  const DdiCall call(Ddi::NdisFSetAttributes);
  const Ref<FilterModule> module =
      call.find<FilterModule>("NdisFilterHandle", NdisFilterHandle, HandleKind::FilterModule);
  if (!module || FilterAttributes == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  const NDIS_OBJECT_HEADER& header = FilterAttributes->Header;
  if (header.Type != NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES ||
      header.Revision < NDIS_FILTER_ATTRIBUTES_REVISION_1 ||
      header.Size < NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1)
    return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const NDIS_STATUS status = module->set_attributes(FilterModuleContext);
  if (status != NDIS_STATUS_SUCCESS)
    call.tell_wrong_place(WrongPlace::Kind::OutsideBindOrUnbind, module.get(),
                          "the attributes of a filter module are set in FilterAttach only");
  return call.returns(status);
}

// Page    ndis/nf-ndis-ndisfrestartfilter                            IRQL  <= DISPATCH_LEVEL
// Beyond  The whole stack is paused and restarted, on a worker. Calls before that begins are one.
NDIS_STATUS NdisFRestartFilter(NDIS_HANDLE NdisFilterHandle) {
  const DdiCall call(Ddi::NdisFRestartFilter);
  const Ref<FilterModule> module =
      call.find<FilterModule>("NdisFilterHandle", NdisFilterHandle, HandleKind::FilterModule);
  if (!module) return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(module->request_restart() ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE);
}

// Page    ndis/nf-ndis-ndisfrestartcomplete                          IRQL  PASSIVE_LEVEL
VOID NdisFRestartComplete(NDIS_HANDLE NdisFilterHandle, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisFRestartComplete);
  const Ref<FilterModule> module =
      call.find<FilterModule>("NdisFilterHandle", NdisFilterHandle, HandleKind::FilterModule);
  if (!module) return;
  if (Status == NDIS_STATUS_PENDING)
    call.tell_bad_status(module.get(), module->name(), Status, "any final status, not NDIS_STATUS_PENDING");
  if (!module->complete_restart(Status == NDIS_STATUS_PENDING ? NDIS_STATUS_FAILURE : Status))
    call.tell_unexpected_completion(module.get(), module->name(), "no restart is pended");
}

// Page    ndis/nf-ndis-ndisfpausecomplete                            IRQL  <= DISPATCH_LEVEL
VOID NdisFPauseComplete(NDIS_HANDLE NdisFilterHandle) {
  const DdiCall call(Ddi::NdisFPauseComplete);
  const Ref<FilterModule> module =
      call.find<FilterModule>("NdisFilterHandle", NdisFilterHandle, HandleKind::FilterModule);
  if (module && !module->complete_pause())
    call.tell_unexpected_completion(module.get(), module->name(), "no pause is pended");
}

// Page    ndis/nf-ndis-ndisenumeratefiltermodules                    IRQL  PASSIVE_LEVEL
// Beyond  The adapter of the handle only: virtual miniports above or below it are stacks of their own here.
// The strings lie behind the
//         structures, in the caller's buffer.
NDIS_STATUS NdisEnumerateFilterModules(NDIS_HANDLE NdisHandle, PVOID InterfaceBuffer,
                                       ULONG InterfaceBufferLength, PULONG BytesNeeded, PULONG BytesWritten) {
  const DdiCall call(Ddi::NdisEnumerateFilterModules);
  HandleTable& handles = Library::current().handles();
  Ref<Adapter> adapter = handles.find<Adapter>(NdisHandle);
  Version version = adapter ? adapter->driver().version() : Version{};
  if (const Ref<Binding> binding = handles.find<Binding>(NdisHandle); binding) {
    adapter = Ref<Adapter>(binding->adapter());
    version = binding->protocol().version();
  }
  if (const Ref<FilterModule> module = handles.find<FilterModule>(NdisHandle); module) {
    adapter = Ref<Adapter>(module->adapter());
    version = module->filter().version();
  }
  if (!adapter) {
    call.tell_misuse("NdisHandle", NdisHandle, HandleKind::FilterModule);
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  }
  if (BytesNeeded == nullptr || BytesWritten == nullptr) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  const std::vector<Ref<FilterModule>> modules = adapter->filters.modules();
  constexpr std::size_t kFirst = offsetof(NDIS_ENUM_FILTERS, Filter);
  std::size_t needed = kFirst + modules.size() * sizeof(NDIS_FILTER_INTERFACE);
  for (const Ref<FilterModule>& module : modules)
    needed += (module->filter().settings().filter_class.size() + module->guid_name().size()) * sizeof(WCHAR);
  *BytesNeeded = static_cast<ULONG>(needed);
  *BytesWritten = 0;
  if (InterfaceBuffer == nullptr || InterfaceBufferLength < needed)
    return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);

  auto* const bytes = static_cast<UCHAR*>(InterfaceBuffer);
  NDIS_ENUM_FILTERS head{};
  head.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_ENUM_FILTERS_REVISION_1, NDIS_SIZEOF_ENUM_FILTERS_REVISION_1};
  head.NumberOfFilters = static_cast<ULONG>(modules.size());
  head.OffsetFirstFilter = kFirst;
  std::memcpy(bytes, &head, kFirst);
  std::size_t text = kFirst + modules.size() * sizeof(NDIS_FILTER_INTERFACE);
  const auto put = [&](const std::u16string& what) {
    const auto length = static_cast<USHORT>(what.size() * sizeof(WCHAR));
    NDIS_STRING string{};
    string.Length = string.MaximumLength = length;
    string.Buffer = reinterpret_cast<WCHAR*>(bytes + text);
    if (length != 0) std::memcpy(bytes + text, what.data(), length);
    text += length;
    return string;
  };
  std::size_t at = kFirst;
  for (auto each = modules.rbegin(); each != modules.rend(); ++each, at += sizeof(NDIS_FILTER_INTERFACE)) {
    const FilterModule& module = **each;
    NDIS_FILTER_INTERFACE entry{};
    const bool newer =
        version >= Version{6, 30};  // the page: older ones get revision 1, without the bypass flags
    entry.Header = {
        NDIS_OBJECT_TYPE_DEFAULT,
        static_cast<UCHAR>(newer ? NDIS_FILTER_INTERFACE_REVISION_2 : NDIS_FILTER_INTERFACE_REVISION_1),
        NDIS_SIZEOF_FILTER_INTERFACE_REVISION_1};
    entry.Flags = NDIS_FILTER_INTERFACE_LW_FILTER;
    if (newer && !module.data().Send) entry.Flags |= NDIS_FILTER_INTERFACE_SEND_BYPASS;
    if (newer && !module.data().Receive) entry.Flags |= NDIS_FILTER_INTERFACE_RECEIVE_BYPASS;
    entry.FilterType = module.filter().settings().monitoring ? 1 : 2;
    entry.FilterRunType = module.mandatory() ? 1 : 2;
    entry.IfIndex = module.interface_index();
    entry.NetLuid = module.net_luid();
    entry.FilterClass = put(module.filter().settings().filter_class);
    entry.FilterInstanceName = put(module.guid_name());
    std::memcpy(bytes + at, &entry, sizeof(entry));
  }
  *BytesWritten = static_cast<ULONG>(needed);
  return call.returns(NDIS_STATUS_SUCCESS);
}
