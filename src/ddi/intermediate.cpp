// SPDX-License-Identifier: MIT
//
// The NdisIM functions: layered miniports (5.x) and the virtual miniports of intermediate drivers (5.1
// and 6.x).
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ddi/miniport5_registration.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/plug_and_play.h"

using namespace undis;

// Page    ndis/nf-ndis-ndisimregisterlayeredminiport                 IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisIMRegisterLayeredMiniport(NDIS_HANDLE NdisWrapperHandle,
                                                PNDIS_MINIPORT_CHARACTERISTICS MiniportCharacteristics,
                                                UINT CharacteristicsLength, PNDIS_HANDLE DriverHandle) {
  const DdiCall call(Ddi::NdisIMRegisterLayeredMiniport);
  if (DriverHandle == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  return call.returns(register_miniport5(call, NdisWrapperHandle, MiniportCharacteristics,
                                         CharacteristicsLength, true, DriverHandle));
}

// Page    ndis/nf-ndis-ndisimderegisterlayeredminiport               IRQL  PASSIVE_LEVEL
// Beyond  Virtual miniports that are still up are halted first. docs/decisions.md#deregister-with-adapters
VOID NTAPI NdisIMDeregisterLayeredMiniport(NDIS_HANDLE DriverHandle) {
  const DdiCall call(Ddi::NdisIMDeregisterLayeredMiniport);

  const Ref<MiniportDriver> miniport =
      call.find<MiniportDriver>("DriverHandle", DriverHandle, HandleKind::LayeredMiniport5);
  if (!miniport) return;
  if (miniport->handle_kind() != HandleKind::LayeredMiniport5) {
    call.tell_misuse("DriverHandle", DriverHandle, HandleKind::LayeredMiniport5);
    return;
  }
  Library& library = Library::current();
  for (const Ref<ProtocolDriver>& protocol : library.protocols_of(miniport->driver())) {
    if (protocol->deregistering()) continue;
    call.tell_wrong_place(
        WrongPlace::Kind::ProtocolStillRegistered, miniport.get(),
        fmt::format("NdisDeregisterProtocol comes first: protocol {} is still registered", protocol->name()));
  }
  for (const Ref<Adapter>& adapter : miniport->adapters()) remove_device(*adapter);
  library.remove(*miniport, call.name());
}

// Page    previous-versions ff552161 (NdisIMInitializeDeviceInstance)         IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisIMInitializeDeviceInstance(NDIS_HANDLE DriverHandle, PNDIS_STRING DeviceInstance) {
  return NdisIMInitializeDeviceInstanceEx(DriverHandle, DeviceInstance, nullptr);
}

// Page    ndis/nf-ndis-ndisiminitializedeviceinstanceex              IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisIMInitializeDeviceInstanceEx(NDIS_HANDLE DriverHandle, PNDIS_STRING DriverInstance,
                                                   NDIS_HANDLE DeviceContext) {
  const DdiCall call(Ddi::NdisIMInitializeDeviceInstanceEx);
  if (!kernel::inside_callback("ProtocolBindAdapterEx") && !kernel::inside_callback("ProtocolBindAdapter"))
    call.tell_breach("LIFE-311", call.driver().name(),
                     "a virtual miniport is asked for elsewhere than in ProtocolBindAdapter(Ex)");
  const Ref<MiniportDriver> miniport =
      call.find<MiniportDriver>("DriverHandle", DriverHandle, HandleKind::MiniportDriver6);
  if (!miniport || DriverInstance == nullptr || DriverInstance->Buffer == nullptr ||
      DriverInstance->Length == 0)
    return call.returns(NDIS_STATUS_FAILURE);
  if (!miniport->is_intermediate()) {
    call.tell_wrong_place(WrongPlace::Kind::NotIntermediate, miniport.get(),
                          "the miniport driver did not register as an intermediate driver");
    return call.returns(NDIS_STATUS_NOT_ACCEPTED);
  }
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(initialize_device_instance(*miniport, kernel::view(DriverInstance), DeviceContext));
}

// Page    ndis/nf-ndis-ndisimcancelinitializedeviceinstance          IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisIMCancelInitializeDeviceInstance(NDIS_HANDLE DriverHandle,
                                                       PNDIS_STRING DeviceInstance) {
  const DdiCall call(Ddi::NdisIMCancelInitializeDeviceInstance);
  const Ref<MiniportDriver> miniport =
      call.find<MiniportDriver>("DriverHandle", DriverHandle, HandleKind::MiniportDriver6);
  if (!miniport || DeviceInstance == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  return call.returns(cancel_device_instance(*miniport, kernel::view(DeviceInstance)));
}

// Page    ndis/nf-ndis-ndisimdeinitializedeviceinstance              IRQL  PASSIVE_LEVEL   Rule
// Irql_IM_Function Calls   ProtocolUnbindAdapter(Ex) of every binding above, then MiniportPause (6.x), then
// MiniportHalt(Ex) Beyond  A second call for the instance, also while the first runs, fails.
// docs/decisions.md#im-deinit
NDIS_STATUS NTAPI NdisIMDeInitializeDeviceInstance(NDIS_HANDLE NdisMiniportHandle) {
  const DdiCall call(Ddi::NdisIMDeInitializeDeviceInstance);
  const Ref<Adapter> adapter =
      call.find<Adapter>("NdisMiniportHandle", NdisMiniportHandle, HandleKind::Adapter);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  if (!adapter->is_virtual()) {
    call.tell_wrong_place(
        WrongPlace::Kind::NotIntermediate, adapter.get(),
        fmt::format("{} is no virtual miniport of an intermediate driver", adapter->name()));
    return call.returns(NDIS_STATUS_FAILURE);
  }
  return call.returns(deinitialize_device_instance(*adapter));
}

// Page    ndis/nf-ndis-ndisimassociateminiport                       IRQL  PASSIVE_LEVEL
VOID NTAPI NdisIMAssociateMiniport(NDIS_HANDLE DriverHandle, NDIS_HANDLE ProtocolHandle) {
  const DdiCall call(Ddi::NdisIMAssociateMiniport);
  const Ref<MiniportDriver> miniport =
      call.find<MiniportDriver>("DriverHandle", DriverHandle, HandleKind::MiniportDriver6);
  const Ref<ProtocolDriver> protocol =
      call.find<ProtocolDriver>("ProtocolHandle", ProtocolHandle, HandleKind::ProtocolDriver6);
  if (!miniport || !protocol) return;
  if (!miniport->driver().in_driver_entry())
    call.tell_wrong_place(WrongPlace::Kind::OutsideDriverEntry, miniport.get(),
                          "it is called from DriverEntry only");
  if (&miniport->driver() != &protocol->driver() || !miniport->is_intermediate()) {
    tell_breach("LIFE-318", call.driver(), call.name(), miniport->name(),
                "both handles are of one intermediate driver: its virtual miniports' and its protocol's");
    return;
  }
  miniport->associate(protocol.get());
}

// Page    ndis/nf-ndis-ndisimgetbindingcontext                       IRQL  PASSIVE_LEVEL
NDIS_HANDLE NTAPI NdisIMGetBindingContext(NDIS_HANDLE NdisBindingHandle) {
  const DdiCall call(Ddi::NdisIMGetBindingContext);
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  return binding ? binding->adapter().config().device_context : nullptr;
}

// Page    ndis/nf-ndis-ndisimgetdevicecontext                        IRQL  PASSIVE_LEVEL
NDIS_HANDLE NTAPI NdisIMGetDeviceContext(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisIMGetDeviceContext);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  return adapter ? adapter->config().device_context : nullptr;
}
