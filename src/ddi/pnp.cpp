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
#include "ndis/net_event.h"
#include "ndis/plug_and_play.h"

using namespace undis;

namespace {

bool is_port_event(NET_PNP_EVENT_CODE code) {
  return code == NetEventPortActivation || code == NetEventPortDeactivation;
}

/// By which a miniport of NDIS 6.50 steers its own stack.
bool is_stack_event(NET_PNP_EVENT_CODE code) {
  return code == NetEventInhibitBindsAbove || code == NetEventAllowBindsAbove ||
         code == NetEventRequirePause || code == NetEventAllowStart;
}

/// Events that NDIS makes for each binding itself: an intermediate driver keeps them.
bool stays_below(NET_PNP_EVENT_CODE code) {
  return code == NetEventBindsComplete || code == NetEventPause || code == NetEventRestart;
}

void judge_place(const DdiCall& call, const Adapter& adapter, NET_PNP_EVENT_CODE code) {
  const bool inside = kernel::inside_callback("MiniportOidRequest", &adapter);
  if (inside || adapter.oids.at_miniport())
    call.tell_breach("NdisMNetPnPEventInOIDRequest", adapter.name(),
                     inside
                         ? "it is called inside MiniportOidRequest, where it may deadlock"
                         : "it is called while the driver has an OID request pended, where it may deadlock");
  if (!is_stack_event(code)) return;
  if (!adapter.initialized() && adapter.state() != AdapterState::Initializing &&
      !kernel::inside_callback("MiniportHaltEx", &adapter))
    call.tell_breach("LIFE-301", adapter.name(),
                     "the event is issued before MiniportInitializeEx, or after the halt has returned");
  if (kernel::irql() != PASSIVE_LEVEL)
    call.tell_breach("LIFE-301", adapter.name(), "the event is issued with a lock held");
}

/// False: the event does not belong above. Told.
bool may_pass(const DdiCall& call, const Adapter& adapter, const NET_PNP_EVENT& event) {
  if (event.NetEvent >= NetEventMaximum) return false;
  judge_place(call, adapter, event.NetEvent);
  if (is_port_event(event.NetEvent) || is_stack_event(event.NetEvent)) return true;
  if (!adapter.driver().is_intermediate()) {
    call.tell_wrong_place(WrongPlace::Kind::NotIntermediate, &adapter,
                          "a miniport driver originates port, binding and pause events only");
    return false;
  }
  if (!stays_below(event.NetEvent)) return true;
  call.tell_breach("LIFE-305", adapter.name(),
                   fmt::format("event {} is not passed up: NDIS makes it for each binding itself",
                               static_cast<int>(event.NetEvent)));
  return false;
}

/// Events of a binding that is no binding of this driver: what an intermediate driver passes on has come to
/// it.
void judge_propagation(const DdiCall& call, const Adapter& adapter, const NET_PNP_EVENT& event) {
  if (event.NetEvent != NetEventReconfigure && event.NetEvent != NetEventBindList) return;
  for (const kernel::CallFrame* frame = kernel::current_callback(); frame != nullptr; frame = frame->up) {
    if (frame->kind != kernel::CallFrame::Kind::Callback ||
        std::string_view(frame->name) != "ProtocolNetPnPEvent")
      continue;
    const auto* const protocol = static_cast<const Object*>(frame->object);
    if (dynamic_cast<const ProtocolDriver*>(protocol) != nullptr)
      call.tell_breach(
          "LIFE-305", adapter.name(),
          "the event came with a NULL binding context: it is for the whole protocol and is not passed up");
    return;
  }
}

}  // namespace

// Page    ndis/nf-ndis-ndismnetpnpevent                              IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMNetPnPEvent(NDIS_HANDLE MiniportAdapterHandle,
                             PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification) {
  const DdiCall call(Ddi::NdisMNetPnPEvent);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || NetPnPEventNotification == nullptr ||
      !call.check_header(NetPnPEventNotification->Header, NDIS_OBJECT_TYPE_DEFAULT,
                         NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1, "NetPnPEventNotification"))
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  const NET_PNP_EVENT& event = NetPnPEventNotification->NetPnPEvent;
  if (!may_pass(call, *adapter, event)) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (event.NetEvent == NetEventPortActivation)
    return call.returns(activate_ports(*adapter, static_cast<NDIS_PORT*>(event.Buffer), event.BufferLength));
  if (event.NetEvent == NetEventPortDeactivation)
    return call.returns(
        deactivate_ports(*adapter, static_cast<const NDIS_PORT_NUMBER*>(event.Buffer), event.BufferLength));
  if (is_stack_event(event.NetEvent)) return call.returns(apply_stack_event(*adapter, event.NetEvent));
  judge_propagation(call, *adapter, event);
  return call.returns(pass_event_up(*adapter, event.NetEvent, event.Buffer, event.BufferLength));
}

// Page    ndis/nf-ndis-ndisimnotifypnpevent                          IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisIMNotifyPnPEvent(NDIS_HANDLE MiniportHandle, PNET_PNP_EVENT NetPnPEvent) {
  const DdiCall call(Ddi::NdisIMNotifyPnPEvent);
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportHandle", MiniportHandle, HandleKind::Adapter);
  if (!adapter || NetPnPEvent == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (!may_pass(call, *adapter, *NetPnPEvent))
    return call.returns(is_query(NetPnPEvent->NetEvent) ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS);
  const NDIS_STATUS status =
      pass_event_up(*adapter, NetPnPEvent->NetEvent, NetPnPEvent->Buffer, NetPnPEvent->BufferLength);
  if (status == NDIS_STATUS_SUCCESS) return call.returns(status);
  // Whose ProtocolPnPEvent this comes from has to pass the refusal on.
  for (const kernel::CallFrame* at = kernel::Thread::current().calls; at != nullptr; at = at->up) {
    if (at->kind != kernel::CallFrame::Kind::Callback || at->name != std::string_view("ProtocolPnPEvent"))
      continue;
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
  kernel::queue_work("remove an adapter for NdisMRemoveMiniport",
                     [adapter] { remove_device(*adapter, NdisHaltDeviceFailed); });
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
