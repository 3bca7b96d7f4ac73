// SPDX-License-Identifier: MIT
//
// Registration and set-up of 5.x miniports: NdisMRegisterMiniport, NdisMSetAttributes(Ex), adapter shutdown
// handlers.
#include "ddi/ddi_call.h"
#include "ddi/miniport5_registration.h"
#include "ndis/unload.h"

using namespace undis;

namespace undis {

NDIS_STATUS register_miniport5(const DdiCall& call, NDIS_HANDLE wrapper_handle,
                               const NDIS_MINIPORT_CHARACTERISTICS* given, UINT length, bool layered,
                               NDIS_HANDLE* handle_out) {
  const Ref<Wrapper> wrapper = call.find<Wrapper>("NdisWrapperHandle", wrapper_handle, HandleKind::Wrapper);
  if (!wrapper) return NDIS_STATUS_FAILURE;
  if (layered && !wrapper->driver().in_driver_entry())
    tell_breach("LIFE-328", call.driver(), call.name(), wrapper->driver().name(),
                "a layered miniport is registered in DriverEntry only");
  wrapper->miniport_registered = true;  // LIFE-068 asks for the call, not for its success

  // The order of these checks is ours: pointers, version, length, members
  // (docs/decisions.md#order-of-checks).
  if (given == nullptr) return NDIS_STATUS_BAD_CHARACTERISTICS;
  constexpr UINT kVersionBytes = 2;
  if (length < kVersionBytes) return NDIS_STATUS_BAD_CHARACTERISTICS;
  const Version version{given->MajorNdisVersion, given->MinorNdisVersion};
  if ((version.major != 4 && version.major != 5) || version.minor > 1 ||
      (version.major == 4 && version.minor != 0))
    return NDIS_STATUS_BAD_VERSION;
  const std::size_t needed = version.major == 4   ? sizeof(NDIS40_MINIPORT_CHARACTERISTICS)
                             : version.minor == 0 ? sizeof(NDIS50_MINIPORT_CHARACTERISTICS)
                                                  : sizeof(NDIS51_MINIPORT_CHARACTERISTICS);
  if (length < needed) return NDIS_STATUS_BAD_CHARACTERISTICS;
  NDIS51_MINIPORT_CHARACTERISTICS copy{};
  std::memcpy(&copy, given, needed);  // no further than the version's own length: the rest may not be there
  if (copy.InitializeHandler == nullptr || copy.HaltHandler == nullptr ||
      copy.QueryInformationHandler == nullptr || copy.SetInformationHandler == nullptr)
    return NDIS_STATUS_BAD_CHARACTERISTICS;
  if (call.fails()) return NDIS_STATUS_RESOURCES;

  const Ref<MiniportDriver> miniport(new MiniportDriver(wrapper->driver(), copy, layered));
  if (!Library::current().add(*miniport, call.name())) return NDIS_STATUS_RESOURCES;
  // NDIS unloads its miniport drivers, whether they have something of their own to do then or not.
  if (wrapper->driver().object()->DriverUnload == nullptr) install_unload(wrapper->driver());
  if (handle_out != nullptr) *handle_out = miniport->handle();
  return NDIS_STATUS_SUCCESS;
}

}  // namespace undis

// Page    previous-versions ff553602 (NdisMRegisterMiniport)         IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisMRegisterMiniport(NDIS_HANDLE NdisWrapperHandle,
                                        PNDIS_MINIPORT_CHARACTERISTICS MiniportCharacteristics,
                                        UINT CharacteristicsLength) {
  const DdiCall call(Ddi::NdisMRegisterMiniport);
  return call.returns(register_miniport5(call, NdisWrapperHandle, MiniportCharacteristics,
                                         CharacteristicsLength, false, nullptr));
}

// Page    previous-versions ff553620 (NdisMSetAttributes)            IRQL  PASSIVE_LEVEL
VOID NTAPI NdisMSetAttributes(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE MiniportAdapterContext,
                              BOOLEAN BusMaster, NDIS_INTERFACE_TYPE AdapterType) {
  const DdiCall call(Ddi::NdisMSetAttributes);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter)
    adapter->set_attributes5(MiniportAdapterContext, 0, BusMaster ? NDIS_ATTRIBUTE_BUS_MASTER : 0,
                             AdapterType);
}

// Page    previous-versions ff553623 (NdisMSetAttributesEx)          IRQL  PASSIVE_LEVEL
VOID NTAPI NdisMSetAttributesEx(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE MiniportAdapterContext,
                                UINT CheckForHangTimeInSeconds, ULONG AttributeFlags,
                                NDIS_INTERFACE_TYPE AdapterType) {
  const DdiCall call(Ddi::NdisMSetAttributesEx);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter)
    adapter->set_attributes5(MiniportAdapterContext, CheckForHangTimeInSeconds, AttributeFlags, AdapterType);
}

// Page    previous-versions ff553584 (NdisMRegisterAdapterShutdownHandler)     IRQL  PASSIVE_LEVEL
VOID NTAPI NdisMRegisterAdapterShutdownHandler(NDIS_HANDLE MiniportAdapterHandle, PVOID ShutdownContext,
                                               ADAPTER_SHUTDOWN_HANDLER ShutdownHandler) {
  const DdiCall call(Ddi::NdisMRegisterAdapterShutdownHandler);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter) return;
  adapter->shutdown_handler5 = kernel::callback<void(void*)>(ShutdownHandler);
  adapter->shutdown_context5 = ShutdownContext;
}

// Page    previous-versions ff553500 (NdisMDeregisterAdapterShutdownHandler)   IRQL  PASSIVE_LEVEL
VOID NTAPI NdisMDeregisterAdapterShutdownHandler(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMDeregisterAdapterShutdownHandler);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter) adapter->shutdown_handler5 = {};
}
