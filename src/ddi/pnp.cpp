// SPDX-License-Identifier: MIT
//
// Plug and play and power: events that a miniport passes up, an adapter that its own driver gives up, its
// device objects, resets.
#include <string_view>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/thread.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"

using namespace undis;

namespace {

/// The answer to these decides; to all others it is not looked at.
bool is_query(NET_PNP_EVENT_CODE code) {
  return code == NetEventQueryPower || code == NetEventQueryRemoveDevice;
}

bool is_port_event(NET_PNP_EVENT_CODE code) {
  return code == NetEventPortActivation || code == NetEventPortDeactivation;
}

/// Events that NDIS makes for each binding itself: an intermediate driver keeps them.
bool stays_below(NET_PNP_EVENT_CODE code) {
  return code == NetEventBindsComplete || code == NetEventPause || code == NetEventRestart;
}

/// Asks each binding above, oldest first, until one refuses a query.
NDIS_STATUS pass_up(const Adapter& adapter, const NET_PNP_EVENT& event) {
  for (const Ref<Binding>& binding : adapter.bindings()) {
    if (!binding->is_open()) continue;
    const NDIS_STATUS status = binding->notify(event.NetEvent, event.Buffer, event.BufferLength);
    if (is_query(event.NetEvent) && status != NDIS_STATUS_SUCCESS) return status;
    // How a 5.x protocol says that it knows no power management, and is to be unbound.
    if (event.NetEvent == NetEventSetPower && !binding->is_version6() && status == NDIS_STATUS_NOT_SUPPORTED)
      kernel::queue_work("unbind a protocol without power management", [binding] { binding->unbind(); });
  }
  return NDIS_STATUS_SUCCESS;
}

/// False: the event does not belong above. Told.
bool may_pass(const DdiCall& call, const Adapter& adapter, const NET_PNP_EVENT& event) {
  if (kernel::inside_callback("MiniportOidRequest", &adapter))
    call.tell_wrong_place(WrongPlace::Kind::InsideCallback, &adapter,
                          "it may deadlock inside MiniportOidRequest, and while an OID request is pended");
  if (event.NetEvent >= NetEventMaximum) return false;
  if (!adapter.driver().is_intermediate() && !is_port_event(event.NetEvent)) {
    call.tell_wrong_place(WrongPlace::Kind::NotIntermediate, &adapter,
                          "a miniport driver originates port activations and deactivations only");
    return false;
  }
  if (!stays_below(event.NetEvent)) return true;
  kernel::report_misuse(kernel::Misuse::BadParameter, call.name(), &adapter,
                        fmt::format("event {} is not passed up: NDIS makes it for each binding itself",
                                    static_cast<int>(event.NetEvent)));
  return false;
}

}  // namespace

// Page    ndis/nf-ndis-ndismnetpnpevent                              IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMNetPnPEvent(NDIS_HANDLE MiniportAdapterHandle,
                             PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  const DdiCall call(Ddi::NdisMNetPnPEvent);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || NetPnPEventNotification == nullptr ||
      NetPnPEventNotification->Header.Revision < NET_PNP_EVENT_NOTIFICATION_REVISION_1 ||
      NetPnPEventNotification->Header.Size < NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  const NET_PNP_EVENT& event = NetPnPEventNotification->NetPnPEvent;
  if (!may_pass(call, *adapter, event)) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  return call.returns(pass_up(*adapter, event));
}

// Page    ndis/nf-ndis-ndisimnotifypnpevent                          IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisIMNotifyPnPEvent(NDIS_HANDLE MiniportHandle, PNET_PNP_EVENT NetPnPEvent) {
  const DdiCall call(Ddi::NdisIMNotifyPnPEvent);
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportHandle", MiniportHandle, HandleKind::Adapter);
  if (!adapter || NetPnPEvent == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (!may_pass(call, *adapter, *NetPnPEvent))
    return call.returns(is_query(NetPnPEvent->NetEvent) ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS);
  const NDIS_STATUS status = pass_up(*adapter, *NetPnPEvent);
  if (status == NDIS_STATUS_SUCCESS) return call.returns(status);
  // Whose ProtocolPnPEvent this comes from has to pass the refusal on.
  for (const kernel::CallFrame* at = kernel::Thread::current().calls; at != nullptr; at = at->up) {
    if (at->kind != kernel::CallFrame::Kind::Callback || at->name != std::string_view("ProtocolPnPEvent")) continue;
    static_cast<Binding*>(const_cast<void*>(at->object))->refused_above = true;
    break;
  }
  return call.returns(NDIS_STATUS_FAILURE);
}

// Page    ndis/nf-ndis-ndismremoveminiport                           IRQL  <= DISPATCH_LEVEL
// Beyond  SUCCESS says that the removal was asked for: it needs PASSIVE_LEVEL and comes later, on a worker.
NDIS_STATUS NdisMRemoveMiniport(NDIS_HANDLE MiniportHandle) {
  const DdiCall call(Ddi::NdisMRemoveMiniport);
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportHandle", MiniportHandle, HandleKind::Adapter);
  if (!adapter || adapter->removing || call.fails()) return call.returns(NDIS_STATUS_FAILURE);
  kernel::queue_work("remove an adapter for NdisMRemoveMiniport", [adapter] { remove_device(*adapter); });
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndismgetdeviceproperty                        IRQL  PASSIVE_LEVEL
// Beyond  A virtual adapter has no device below and no resources: what there is not is NULL.
VOID NdisMGetDeviceProperty(NDIS_HANDLE MiniportAdapterHandle, PDEVICE_OBJECT* PhysicalDeviceObject,
                            PDEVICE_OBJECT* FunctionalDeviceObject, PDEVICE_OBJECT* NextDeviceObject,
                            PCM_RESOURCE_LIST* AllocatedResources,
                            PCM_RESOURCE_LIST* AllocatedResourcesTranslated) {
  const DdiCall call(Ddi::NdisMGetDeviceProperty);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  DEVICE_OBJECT* const device = adapter ? adapter->device_object() : nullptr;
  if (PhysicalDeviceObject != nullptr) *PhysicalDeviceObject = device;
  if (FunctionalDeviceObject != nullptr) *FunctionalDeviceObject = device;
  if (NextDeviceObject != nullptr) *NextDeviceObject = device;
  if (AllocatedResources != nullptr) *AllocatedResources = nullptr;
  if (AllocatedResourcesTranslated != nullptr) *AllocatedResourcesTranslated = nullptr;
}

// Page    ndis/nf-ndis-ndismresetcomplete                            IRQL  <= DISPATCH_LEVEL
// Beyond  NDIS never resets an adapter here, so that no call ends a reset that was pended.
VOID NTAPI NdisMResetComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_STATUS Status,
                              BOOLEAN AddressingReset) {
  const DdiCall call(Ddi::NdisMResetComplete);
  UNREFERENCED_PARAMETER(Status);
  UNREFERENCED_PARAMETER(AddressingReset);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter) call.tell_unexpected_completion(adapter.get(), adapter->name(), "no reset is pended");
}
