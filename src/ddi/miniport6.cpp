// SPDX-License-Identifier: MIT
//
// Registration of 6.x miniport drivers, adapter attributes, pause and restart completion.
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/pool.h"
#include "kernel/unicode.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/plug_and_play.h"
#include "ndis/unload.h"

using namespace undis;

namespace {

/// The revision that a version needs at least, and its size. Page:
/// ndis/ns-ndis-_ndis_miniport_driver_characteristics.
std::size_t required_size(std::uint8_t revision) {
  switch (revision) {
  case NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1:
    return NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
  case NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2:
    return NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2;
  default:
    return NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3;
  }
}

bool has_required_handlers(const NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) {
  return c.InitializeHandlerEx != nullptr && c.HaltHandlerEx != nullptr && c.UnloadHandler != nullptr &&
         c.PauseHandler != nullptr && c.RestartHandler != nullptr && c.OidRequestHandler != nullptr &&
         c.SendNetBufferListsHandler != nullptr && c.ReturnNetBufferListsHandler != nullptr &&
         c.CancelSendHandler != nullptr && c.DevicePnPEventNotifyHandler != nullptr &&
         c.ShutdownHandlerEx != nullptr && c.CancelOidRequestHandler != nullptr;
}

/// What the page asks of the caller, and does not refuse.
void judge_characteristics(const DdiCall& call, kernel::Driver& driver,
                           const NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c, UNICODE_STRING* path) {
  if (!driver.in_driver_entry())
    call.tell_breach("LIFE-081", driver.name(),
                     "it is called from DriverEntry, with what DriverEntry was given");
  else if (!kernel::equal_ignore_case(kernel::view(path), kernel::view(driver.registry_path())))
    call.tell_breach("LIFE-081", driver.name(), "RegistryPath is not the one that DriverEntry was given");
  if (c.CheckForHangHandlerEx != nullptr && c.ResetHandlerEx == nullptr)
    call.tell_breach("LIFE-092", driver.name(), "CheckForHangHandlerEx is given and ResetHandlerEx is NULL");
  if (c.CheckForHangHandlerEx != nullptr && (c.Flags & NDIS_INTERMEDIATE_DRIVER) != 0)
    call.tell_breach("LIFE-092", driver.name(), "an intermediate driver sets CheckForHangHandlerEx to NULL");
  if ((c.DirectOidRequestHandler == nullptr) != (c.CancelDirectOidRequestHandler == nullptr))
    call.tell_breach(
        "LIFE-093", driver.name(),
        "DirectOidRequestHandler and CancelDirectOidRequestHandler are given together, or not at all");
}

}  // namespace

// Page    ndis/nf-ndis-ndismregisterminiportdriver                   IRQL  PASSIVE_LEVEL
// Beyond  Order of checks, and which members are required: docs/decisions.md#order-of-checks
NDIS_STATUS NdisMRegisterMiniportDriver(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
                                        NDIS_HANDLE MiniportDriverContext,
                                        PNDIS_MINIPORT_DRIVER_CHARACTERISTICS MiniportDriverCharacteristics,
                                        PNDIS_HANDLE NdisMiniportDriverHandle) {
  const DdiCall call(Ddi::NdisMRegisterMiniportDriver);
  Library& library = Library::current();
  const auto refuse = [&](NDIS_STATUS status) {
    library.observer().on(Registration{Registration::What::Refused,
                                       &call.driver(),
                                       HandleKind::MiniportDriver6,
                                       nullptr,
                                       {},
                                       call.name(),
                                       status});
    return call.returns(status);
  };

  kernel::Driver* const driver = kernel::Driver::from_object(DriverObject);
  if (driver == nullptr || RegistryPath == nullptr || MiniportDriverCharacteristics == nullptr ||
      NdisMiniportDriverHandle == nullptr)
    return refuse(NDIS_STATUS_FAILURE);
  const NDIS_OBJECT_HEADER& header = MiniportDriverCharacteristics->Header;
  if (!call.check_header(header, NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                         required_size(header.Revision), "MiniportDriverCharacteristics"))
    return refuse(NDIS_STATUS_BAD_CHARACTERISTICS);
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS copy{};
  std::memcpy(&copy, MiniportDriverCharacteristics,
              required_size(header.Revision));  // no further than the revision's size
  const Version version{copy.MajorNdisVersion, copy.MinorNdisVersion};
  if (!is_known_version6(version) || version > library.policy.newest) return refuse(NDIS_STATUS_BAD_VERSION);
  if (version.minor > 0 && header.Revision < NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2)
    return refuse(NDIS_STATUS_BAD_CHARACTERISTICS);
  if (!has_required_handlers(copy)) return refuse(NDIS_STATUS_BAD_CHARACTERISTICS);
  judge_characteristics(call, *driver, copy, RegistryPath);
  if (call.fails()) return refuse(NDIS_STATUS_RESOURCES);

  const Ref<MiniportDriver> miniport(new MiniportDriver(*driver, copy, MiniportDriverContext));
  if (!library.add(*miniport, call.name())) return refuse(NDIS_STATUS_RESOURCES);
  *NdisMiniportDriverHandle = miniport->handle();
  install_unload(*driver);

  if (miniport->handlers6().SetOptions) {
    const kernel::Pool& pool = kernel::System::current().pool();
    const std::size_t before = pool.live_blocks(driver);
    const NDIS_STATUS status =
        kernel::call_driver(driver, callbacks::kMiniportSetOptions, miniport.get(), nullptr,
                            miniport->handlers6().SetOptions, miniport->handle(), MiniportDriverContext);
    if (status != NDIS_STATUS_SUCCESS && pool.live_blocks(driver) > before)
      call.tell_breach("LIFE-101", miniport->name(),
                       fmt::format("MiniportSetOptions failed and has left {} pool blocks behind",
                                   pool.live_blocks(driver) - before));
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

  const Ref<MiniportDriver> miniport = call.find<MiniportDriver>(
      "NdisMiniportDriverHandle", NdisMiniportDriverHandle, HandleKind::MiniportDriver6);
  if (!miniport) return;
  if (!miniport->is_version6()) {
    call.tell_misuse("NdisMiniportDriverHandle", NdisMiniportDriverHandle, HandleKind::MiniportDriver6);
    return;
  }
  const kernel::Driver& driver = miniport->driver();
  if (!driver.in_driver_entry() && !driver.in_unload())
    call.tell_wrong_place(
        WrongPlace::Kind::NotFromUnload, miniport.get(),
        "it is called from MiniportDriverUnload, or from a DriverEntry that fails; not from elsewhere");
  Library& library = Library::current();
  for (const Ref<Adapter>& adapter : miniport->adapters()) remove_device(*adapter);
  library.remove(*miniport, call.name());
}

// Page    ndis/nf-ndis-ndismsetminiportattributes                    IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMSetMiniportAttributes(NDIS_HANDLE NdisMiniportHandle,
                                       PNDIS_MINIPORT_ADAPTER_ATTRIBUTES MiniportAttributes) {
  const DdiCall call(Ddi::NdisMSetMiniportAttributes);
  const Ref<Adapter> adapter =
      call.find<Adapter>("NdisMiniportHandle", NdisMiniportHandle, HandleKind::Adapter);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  if (MiniportAttributes == nullptr) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(adapter->set_attributes(*MiniportAttributes));
}

// Page    ndis/nf-ndis-ndismpausecomplete                            IRQL  <= DISPATCH_LEVEL
VOID NdisMPauseComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMPauseComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && !adapter->complete_pause())
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "no pause of the adapter is pended");
}

// Page    ndis/nf-ndis-ndismrestartcomplete                          IRQL  <= DISPATCH_LEVEL
VOID NdisMRestartComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_STATUS Status) {
  const DdiCall call(Ddi::NdisMRestartComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && !adapter->complete_restart(Status))
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "no restart of the adapter is pended");
}
