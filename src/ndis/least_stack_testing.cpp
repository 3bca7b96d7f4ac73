// SPDX-License-Identifier: MIT
//
// The two drivers, and the lists that they hand to each other.
#include "ndis/least_stack_testing.h"

#include <utility>
#include <vector>

#include "lab/net_buffers.h"
#include "ndis/library.h"
#include "ndis/protocol_driver.h"

namespace undis::test {
namespace {

constexpr ULONG kTag = lab::pool_tag("Lest");

}  // namespace

LeastStack* LeastStack::current_ = nullptr;

LeastStack::LeastStack(const lab::WorldOptions& options) : world_(options) {
  current_ = this;
  run([this] {
    kernel::Driver& nic = world_.add("nic", true);
    world_.library().load(nic, &enter_nic);
    kernel::Driver& protocol = world_.add("protocol", true);
    world_.library().load(protocol, &enter_protocol);
    world_.plug(nic, "nic0");
  });
}

LeastStack::~LeastStack() {
  run([this] {
    for (const Ref<Adapter>& adapter : world_.library().adapters()) world_.unplug(*adapter);
    NdisDeregisterProtocolDriver(protocol_);
    NdisMDeregisterMiniportDriver(miniport_);
  });
  current_ = nullptr;
}

NTSTATUS NTAPI LeastStack::enter_nic(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
              NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.InitializeHandlerEx = &initialize;
  c.HaltHandlerEx = [](NDIS_HANDLE, NDIS_HALT_ACTION) {};
  c.UnloadHandler = [](PDRIVER_OBJECT) {};
  c.PauseHandler = [](NDIS_HANDLE, PNDIS_MINIPORT_PAUSE_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
  c.RestartHandler = [](NDIS_HANDLE, PNDIS_MINIPORT_RESTART_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
  c.OidRequestHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST request) -> NDIS_STATUS {
    return request->RequestType == NdisRequestSetInformation ? NDIS_STATUS_SUCCESS
                                                             : NDIS_STATUS_NOT_SUPPORTED;
  };
  c.SendNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG) {
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list))
      NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_SUCCESS;
    NdisMSendNetBufferListsComplete(current_->adapter_, chain, 0);
  };
  c.ReturnNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, ULONG) {
    Lists::recycle(chain->MiniportReserved[0], chain);
  };
  c.CancelSendHandler = [](NDIS_HANDLE, PVOID) {};
  c.DevicePnPEventNotifyHandler = [](NDIS_HANDLE, PNET_DEVICE_PNP_EVENT) {};
  c.ShutdownHandlerEx = [](NDIS_HANDLE, NDIS_SHUTDOWN_ACTION) {};
  c.CancelOidRequestHandler = [](NDIS_HANDLE, PVOID) {};
  return NdisMRegisterMiniportDriver(object, path, nullptr, &c, &current_->miniport_);
}

NDIS_STATUS LeastStack::initialize(NDIS_HANDLE handle, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS) {
  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes{};
  attributes.RegistrationAttributes.Header = {
      NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
      NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
      NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
  attributes.RegistrationAttributes.MiniportAdapterContext = current_;
  attributes.RegistrationAttributes.InterfaceType = NdisInterfaceInternal;
  if (const NDIS_STATUS status = NdisMSetMiniportAttributes(handle, &attributes);
      status != NDIS_STATUS_SUCCESS)
    return status;
  static NDIS_OID oids[] = {OID_GEN_CURRENT_PACKET_FILTER};
  attributes = {};
  NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general = attributes.GeneralAttributes;
  general.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                    NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
  general.MediaType = NdisMedium802_3;
  general.MtuSize = 1500;
  general.MaxXmitLinkSpeed = general.XmitLinkSpeed = general.MaxRcvLinkSpeed = general.RcvLinkSpeed =
      1'000'000'000;
  general.MediaConnectState = MediaConnectStateConnected;
  general.LookaheadSize = 1500;
  general.SupportedPacketFilters = NDIS_PACKET_TYPE_PROMISCUOUS;
  general.MacAddressLength = 6;
  general.CurrentMacAddress[0] = general.PermanentMacAddress[0] = 2;
  general.SupportedOidList = oids;
  general.SupportedOidListLength = sizeof(oids);
  current_->adapter_ = handle;
  return NdisMSetMiniportAttributes(handle, &attributes);
}

NTSTATUS NTAPI LeastStack::enter_protocol(PDRIVER_OBJECT, PUNICODE_STRING) {
  static WCHAR name[] = u"bench";
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
              NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.Name = {sizeof(name) - sizeof(WCHAR), sizeof(name), name};
  c.BindAdapterHandlerEx = &bind;
  c.UnbindAdapterHandlerEx = [](NDIS_HANDLE, NDIS_HANDLE) -> NDIS_STATUS {
    const NDIS_HANDLE binding = std::exchange(current_->binding_, nullptr);
    NdisCloseAdapterEx(binding);
    return NDIS_STATUS_SUCCESS;
  };
  c.OpenAdapterCompleteHandlerEx = [](NDIS_HANDLE, NDIS_STATUS) {};
  c.CloseAdapterCompleteHandlerEx = [](NDIS_HANDLE) {};
  c.NetPnPEventHandler = [](NDIS_HANDLE, PNET_PNP_EVENT_NOTIFICATION event) -> NDIS_STATUS {
    const NET_PNP_EVENT_CODE code = event->NetPnPEvent.NetEvent;
    if (code == NetEventPause && current_->on_pause) current_->on_pause();
    if (code == NetEventRestart && current_->on_restart) current_->on_restart();
    return NDIS_STATUS_SUCCESS;
  };
  c.OidRequestCompleteHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST, NDIS_STATUS) {};
  c.StatusHandlerEx = [](NDIS_HANDLE, PNDIS_STATUS_INDICATION) {};
  c.ReceiveNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG, ULONG) {
    NdisReturnNetBufferLists(current_->binding_, chain, 0);
  };
  c.SendNetBufferListsCompleteHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, ULONG) {
    Lists::recycle(chain->ProtocolReserved[0], chain);
  };
  return NdisRegisterProtocolDriver(nullptr, &c, &current_->protocol_);
}

NDIS_STATUS LeastStack::bind(NDIS_HANDLE, NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  UINT index = 0;
  NDIS_OPEN_PARAMETERS how{};
  how.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
  how.AdapterName = parameters->AdapterName;
  how.MediumArray = media;
  how.MediumArraySize = 1;
  how.SelectedMediumIndex = &index;
  if (const NDIS_STATUS status =
          NdisOpenAdapterEx(current_->protocol_, current_, &how, context, &current_->binding_);
      status != NDIS_STATUS_SUCCESS)
    return status;
  ULONG filter = NDIS_PACKET_TYPE_PROMISCUOUS;
  NDIS_OID_REQUEST request{};
  request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                    NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
  request.DATA.SET_INFORMATION.InformationBuffer = &filter;
  request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(filter);
  return NdisOidRequest(current_->binding_, &request);
}

// ---- lists ----

Lists::Lists(NDIS_HANDLE owner, std::size_t count, std::size_t bytes) : pool_(lab::make_pool(owner, kTag)) {
  const std::vector<std::uint8_t> frame(bytes);
  for (std::size_t i = 0; i < count; ++i) {
    NET_BUFFER_LIST* const list = lab::make_list(pool_, frame, kTag);
    if (list == nullptr) return;
    list->SourceHandle = owner;
    own(list);
  }
}

Lists::Lists(std::size_t count) : blocks_(count) {
  for (Block& block : blocks_) {
    block.list.FirstNetBuffer = &block.buffer;
    own(&block.list);
  }
}

Lists::~Lists() {
  if (pool_ == nullptr) return;
  lab::for_each_taken(free_, [](NET_BUFFER_LIST* list) { lab::free_list(list, kTag); });
  NdisFreeNetBufferListPool(pool_);
}

}  // namespace undis::test
