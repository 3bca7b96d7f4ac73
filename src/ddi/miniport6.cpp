// SPDX-License-Identifier: MIT
//
// Registration of 6.x miniport drivers, adapter attributes, pause and restart completion.
#include <cstring>

#include "ddi/ddi_call.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/unload.h"

using namespace undis;

namespace {

/// The revision that a version needs at least, and its size. Page: ndis/ns-ndis-_ndis_miniport_driver_characteristics.
std::size_t required_size(std::uint8_t revision) {
  switch (revision) {
    case NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1: return NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    case NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2: return NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
    default: return NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3;
  }
}

bool has_required_handlers(const NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) {
  return c.InitializeHandlerEx != nullptr && c.HaltHandlerEx != nullptr && c.UnloadHandler != nullptr && c.PauseHandler != nullptr &&
         c.RestartHandler != nullptr && c.OidRequestHandler != nullptr && c.SendNetBufferListsHandler != nullptr &&
         c.ReturnNetBufferListsHandler != nullptr && c.CancelSendHandler != nullptr && c.DevicePnPEventNotifyHandler != nullptr &&
         c.ShutdownHandlerEx != nullptr && c.CancelOidRequestHandler != nullptr;
}

}  // namespace

// Page    ndis/nf-ndis-ndismregisterminiportdriver                   IRQL  PASSIVE_LEVEL
// Beyond  Order of checks, and which members are required: docs/decisions.md#order-of-checks
NDIS_STATUS NdisMRegisterMiniportDriver(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath, NDIS_HANDLE MiniportDriverContext,
                                        PNDIS_MINIPORT_DRIVER_CHARACTERISTICS MiniportDriverCharacteristics, PNDIS_HANDLE NdisMiniportDriverHandle) {
  const DdiCall call(Ddi::NdisMRegisterMiniportDriver);
  Library& library = Library::current();
  const auto refuse = [&](NDIS_STATUS status) {
    library.observer().on(Registration{Registration::What::Refused, &call.driver(), HandleKind::MiniportDriver6, nullptr, {}, call.name(), status});
    return call.returns(status);
  };

  kernel::Driver* const driver = kernel::Driver::from_object(DriverObject);
  if (driver == nullptr || RegistryPath == nullptr || MiniportDriverCharacteristics == nullptr || NdisMiniportDriverHandle == nullptr)
    return refuse(NDIS_STATUS_FAILURE);
  const NDIS_OBJECT_HEADER& header = MiniportDriverCharacteristics->Header;
  if (header.Type != NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS || header.Revision < NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 ||
      header.Size < required_size(header.Revision))
    return refuse(NDIS_STATUS_BAD_CHARACTERISTICS);
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS copy{};
  std::memcpy(&copy, MiniportDriverCharacteristics, required_size(header.Revision));  // no further than the revision's size
  const Version version{copy.MajorNdisVersion, copy.MinorNdisVersion};
  if (!is_known_version6(version)) return refuse(NDIS_STATUS_BAD_VERSION);
  if (version.minor > 0 && header.Revision < NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2) return refuse(NDIS_STATUS_BAD_CHARACTERISTICS);
  if (!has_required_handlers(copy)) return refuse(NDIS_STATUS_BAD_CHARACTERISTICS);
  if (call.fails()) return refuse(NDIS_STATUS_RESOURCES);

  const Ref<MiniportDriver> miniport(new MiniportDriver(*driver, copy, MiniportDriverContext));
  if (!library.add(*miniport, call.name())) return refuse(NDIS_STATUS_RESOURCES);
  *NdisMiniportDriverHandle = miniport->handle();
  install_unload(*driver);

  if (miniport->handlers6().SetOptions) {
    const NDIS_STATUS status = kernel::call_driver(driver, callbacks::kMiniportSetOptions, miniport.get(), nullptr, miniport->handlers6().SetOptions,
                                                   miniport->handle(), MiniportDriverContext);
    if (status != NDIS_STATUS_SUCCESS) {
      library.remove(*miniport, call.name());
      *NdisMiniportDriverHandle = nullptr;
      return refuse(status);
    }
  }
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndismderegisterminiportdriver                 IRQL  PASSIVE_LEVEL
// Beyond  Called while adapters are still up it halts them first. docs/decisions.md#deregister-with-adapters
VOID NdisMDeregisterMiniportDriver(NDIS_HANDLE NdisMiniportDriverHandle) {
  const DdiCall call(Ddi::NdisMDeregisterMiniportDriver);

  const Ref<MiniportDriver> miniport = call.find<MiniportDriver>("NdisMiniportDriverHandle", NdisMiniportDriverHandle, HandleKind::MiniportDriver6);
  if (!miniport) return;
  if (!miniport->is_version6()) {
    call.tell_misuse("NdisMiniportDriverHandle", NdisMiniportDriverHandle, HandleKind::MiniportDriver6);
    return;
  }
  const kernel::Driver& driver = miniport->driver();
  if (!driver.in_driver_entry() && !driver.in_unload())
    call.tell_wrong_place(WrongPlace::Kind::NotFromUnload, miniport.get(),
                          "it is called from MiniportDriverUnload, or from a DriverEntry that fails; not from elsewhere");
  Library& library = Library::current();
  for (const Ref<Adapter>& adapter : miniport->adapters()) remove_device(*adapter);
  library.remove(*miniport, call.name());
}

// Page    ndis/nf-ndis-ndismsetminiportattributes                    IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMSetMiniportAttributes(NDIS_HANDLE NdisMiniportHandle, PNDIS_MINIPORT_ADAPTER_ATTRIBUTES MiniportAttributes) {
  const DdiCall call(Ddi::NdisMSetMiniportAttributes);
  const Ref<Adapter> adapter = call.find<Adapter>("NdisMiniportHandle", NdisMiniportHandle, HandleKind::Adapter);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  if (MiniportAttributes == nullptr) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(adapter->set_attributes(*MiniportAttributes));
}

// Page    ndis/nf-ndis-ndismpausecomplete                            IRQL  <= DISPATCH_LEVEL
VOID NdisMPauseComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMPauseComplete);
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && !adapter->complete_pause()) call.tell_unexpected_completion(adapter.get(), adapter->name(), "no pause of the adapter is pended");
}

// Page    ndis/nf-ndis-ndismrestartcomplete                          IRQL  <= DISPATCH_LEVEL
VOID NdisMRestartComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMRestartComplete);
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && !adapter->complete_restart(Status)) call.tell_unexpected_completion(adapter.get(), adapter->name(), "no restart of the adapter is pended");
}
