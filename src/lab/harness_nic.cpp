// SPDX-License-Identifier: MIT
//
// The host's own network card.
#include "lab/harness_nic.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "lab/net_buffers.h"

namespace undis::lab {
namespace {

constexpr ULONG kTag = pool_tag("Hnic");
constexpr NDIS_OID kSupportedOids[] = {OID_GEN_SUPPORTED_LIST,
                                       OID_GEN_CURRENT_PACKET_FILTER,
                                       OID_GEN_CURRENT_LOOKAHEAD,
                                       OID_802_3_MULTICAST_LIST,
                                       OID_GEN_VENDOR_DESCRIPTION,
                                       OID_GEN_VENDOR_ID,
                                       OID_GEN_MAXIMUM_TOTAL_SIZE,
                                       OID_GEN_RECEIVE_BLOCK_SIZE,
                                       OID_GEN_TRANSMIT_BLOCK_SIZE,
                                       OID_GEN_STATISTICS,
                                       OID_GEN_XMIT_OK,
                                       OID_GEN_RCV_OK};

}  // namespace

HarnessNic* HarnessNic::loading_ = nullptr;

/// One card. The chain of completions that wait for their turn, and what is out above.
struct HarnessNic::Card final : public LinkSink {
  Card(HarnessNic& nic_, std::string name_, Link& link_) : nic(nic_), name(std::move(name_)), link(link_) {}

  HarnessNic& nic;
  const std::string name;
  Link& link;
  NDIS_HANDLE handle = nullptr;
  NDIS_HANDLE pool = nullptr;
  bool running = false;
  bool gone = false;  ///< removed by surprise
  bool pausing = false;
  bool completing = false;  ///< a worker is about to complete `to_complete`
  std::deque<NET_BUFFER_LIST*> to_complete;
  std::uint32_t indicated = 0;  ///< net buffer lists above us
  std::uint64_t sent = 0;
  ULONG packet_filter = 0;
  ULONG lookahead = 256;

  void receive(FrameView frame) override { nic.indicate(name, {frame}); }
  void changed(const LinkInfo& info) override;
  void complete_queued();
  void finish_pause_if_idle();
  NDIS_STATUS query(NDIS_OID_REQUEST& request);
  NDIS_STATUS set(NDIS_OID_REQUEST& request);
};

HarnessNic::HarnessNic(World& world, std::string service)
    : world_(world), driver_(world.add(std::move(service), true)) {
  loading_ = this;
  [[maybe_unused]] const NTSTATUS status = world_.library().load(driver_, &driver_entry);
  loading_ = nullptr;
  assert(NT_SUCCESS(status));
}

HarnessNic::~HarnessNic() = default;

NTSTATUS NTAPI HarnessNic::driver_entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
              NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.InitializeHandlerEx = &initialize;
  c.HaltHandlerEx = &halt;
  c.UnloadHandler = &unload_driver;
  c.PauseHandler = &pause;
  c.RestartHandler = &restart;
  c.OidRequestHandler = &oid_request;
  c.SendNetBufferListsHandler = &send;
  c.ReturnNetBufferListsHandler = &return_lists;
  c.CancelSendHandler = &cancel_send;
  c.DevicePnPEventNotifyHandler = &pnp_event;
  c.ShutdownHandlerEx = &shutdown;
  c.CancelOidRequestHandler = &cancel_oid;
  return NdisMRegisterMiniportDriver(object, path, loading_, &c, &loading_->handle_);
}

VOID NTAPI HarnessNic::unload_driver(PDRIVER_OBJECT object) {
  Library& library = Library::current();
  for (const Ref<MiniportDriver>& miniport :
       library.miniport_drivers_of(*kernel::Driver::from_object(object)))
    NdisMDeregisterMiniportDriver(miniport->handle());
}

void HarnessNic::unload() {
  world_.library().unload(driver_);
}

Ref<Adapter> HarnessNic::plug(const std::string& name, Link& link) {
  cards_[name] = std::make_shared<Card>(*this, name, link);
  Ref<Adapter> adapter = world_.plug(driver_, name);
  assert(adapter);
  return adapter;
}

void HarnessNic::unplug(const std::string& name) {
  if (const Ref<Adapter> adapter = world_.adapter(name); adapter) world_.unplug(*adapter);
}

std::uint64_t HarnessNic::sent(const std::string& name) const {
  const auto card = cards_.find(name);
  return card == cards_.end() ? 0 : card->second->sent;
}

// ---- life ----

NDIS_STATUS HarnessNic::initialize(NDIS_HANDLE handle, NDIS_HANDLE context,
                                   PNDIS_MINIPORT_INIT_PARAMETERS parameters) {
  UNREFERENCED_PARAMETER(parameters);
  auto* const nic = static_cast<HarnessNic*>(context);
  const Ref<Adapter> adapter = Library::current().handles().find<Adapter>(handle);
  Card& card = *nic->cards_.at(adapter->name());
  card.handle = handle;
  const LinkInfo wire = card.link.info();

  NDIS_MINIPORT_ADAPTER_ATTRIBUTES registration{};
  registration.RegistrationAttributes.Header = {
      NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
      NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
      NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
  registration.RegistrationAttributes.MiniportAdapterContext = &card;
  registration.RegistrationAttributes.AttributeFlags =
      NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM | NDIS_MINIPORT_ATTRIBUTES_SURPRISE_REMOVE_OK;
  registration.RegistrationAttributes.InterfaceType = NdisInterfacePNPBus;
  if (const NDIS_STATUS status = NdisMSetMiniportAttributes(handle, &registration);
      status != NDIS_STATUS_SUCCESS)
    return status;

  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes{};
  NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general = attributes.GeneralAttributes;
  general.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                    NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
  general.MediaType = NdisMedium802_3;
  general.PhysicalMediumType = NdisPhysicalMedium802_3;
  general.MtuSize = wire.mtu;
  general.MaxXmitLinkSpeed = general.XmitLinkSpeed = general.MaxRcvLinkSpeed = general.RcvLinkSpeed =
      wire.speed_bps;
  general.MediaConnectState = wire.up ? MediaConnectStateConnected : MediaConnectStateDisconnected;
  general.MediaDuplexState = MediaDuplexStateFull;
  general.LookaheadSize = wire.mtu;
  general.MacOptions =
      NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA | NDIS_MAC_OPTION_TRANSFERS_NOT_PEND | NDIS_MAC_OPTION_NO_LOOPBACK;
  general.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST |
                                   NDIS_PACKET_TYPE_ALL_MULTICAST | NDIS_PACKET_TYPE_BROADCAST |
                                   NDIS_PACKET_TYPE_PROMISCUOUS;
  general.MaxMulticastListSize = 32;
  general.MacAddressLength = static_cast<USHORT>(wire.mac.size());
  std::ranges::copy(wire.mac, general.PermanentMacAddress);
  std::ranges::copy(wire.mac, general.CurrentMacAddress);
  general.AccessType = NET_IF_ACCESS_BROADCAST;
  general.DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
  general.ConnectionType = NET_IF_CONNECTION_DEDICATED;
  general.IfType = IF_TYPE_ETHERNET_CSMACD;
  general.IfConnectorPresent = TRUE;
  general.SupportedOidList = const_cast<NDIS_OID*>(kSupportedOids);
  general.SupportedOidListLength = sizeof(kSupportedOids);
  if (const NDIS_STATUS status = NdisMSetMiniportAttributes(handle, &attributes);
      status != NDIS_STATUS_SUCCESS)
    return status;

  card.pool = make_pool(handle, kTag);
  if (card.pool == nullptr) return NDIS_STATUS_RESOURCES;
  if (card.link.attach(card) == LinkStatus::Failed) {
    NdisFreeNetBufferListPool(card.pool);
    return NDIS_STATUS_FAILURE;
  }
  return NDIS_STATUS_SUCCESS;
}

VOID HarnessNic::halt(NDIS_HANDLE context, NDIS_HALT_ACTION action) {
  UNREFERENCED_PARAMETER(action);
  Card& card = *static_cast<Card*>(context);
  card.link.detach();
  NdisFreeNetBufferListPool(card.pool);
}

NDIS_STATUS HarnessNic::restart(NDIS_HANDLE context, PNDIS_MINIPORT_RESTART_PARAMETERS parameters) {
  UNREFERENCED_PARAMETER(parameters);
  static_cast<Card*>(context)->running = true;
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS HarnessNic::pause(NDIS_HANDLE context, PNDIS_MINIPORT_PAUSE_PARAMETERS parameters) {
  UNREFERENCED_PARAMETER(parameters);
  Card& card = *static_cast<Card*>(context);
  card.running = false;
  if (card.indicated == 0 && !card.completing && !kernel::choose("the card's pause is pended"))
    return NDIS_STATUS_SUCCESS;
  card.pausing = true;
  if (card.indicated == 0 && !card.completing) {
    const std::shared_ptr<Card> keep = card.nic.cards_.at(card.name);
    kernel::queue_work("card: complete the pause", [keep] { keep->finish_pause_if_idle(); });
  }
  return NDIS_STATUS_PENDING;
}

void HarnessNic::Card::finish_pause_if_idle() {
  if (!pausing || indicated != 0 || completing) return;
  pausing = false;
  NdisMPauseComplete(handle);
}

VOID HarnessNic::shutdown(NDIS_HANDLE context, NDIS_SHUTDOWN_ACTION action) {
  UNREFERENCED_PARAMETER(action);
  static_cast<Card*>(context)->running = false;
}

VOID HarnessNic::pnp_event(NDIS_HANDLE context, PNET_DEVICE_PNP_EVENT event) {
  if (event->DevicePnPEvent == NdisDevicePnPEventSurpriseRemoved) static_cast<Card*>(context)->gone = true;
}

// ---- sends ----

VOID HarnessNic::send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG flags) {
  UNREFERENCED_PARAMETER(port);
  Card& card = *static_cast<Card*>(context);
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
    NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_SUCCESS;
    ++card.nic.totals_.given;
    if (card.gone || !card.running) {
      NET_BUFFER_LIST_STATUS(list) = card.gone ? NDIS_STATUS_NOT_ACCEPTED : NDIS_STATUS_PAUSED;
      continue;
    }
    for (NET_BUFFER* buffer = NET_BUFFER_LIST_FIRST_NB(list); buffer != nullptr;
         buffer = NET_BUFFER_NEXT_NB(buffer)) {
      const std::vector<std::uint8_t> frame = bytes_of(buffer);
      if (card.link.transmit(frame) == LinkStatus::Ok) {
        ++card.sent;
      } else {
        NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_FAILURE;
      }
    }
  }
  if (!kernel::choose("the card completes sends later")) {
    for (const NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list))
      ++card.nic.totals_.completed;
    NdisMSendNetBufferListsComplete(card.handle, chain,
                                    NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_DISPATCH_LEVEL)
                                        ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL
                                        : 0);
    return;
  }
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list))
    card.to_complete.push_back(list);
  if (card.completing) return;
  card.completing = true;
  const std::shared_ptr<Card> keep = card.nic.cards_.at(card.name);
  kernel::queue_work("card: complete sends", [keep] { keep->complete_queued(); });
}

void HarnessNic::Card::complete_queued() {
  while (!to_complete.empty()) {
    NET_BUFFER_LIST* const list = to_complete.front();
    to_complete.pop_front();
    NET_BUFFER_LIST_NEXT_NBL(list) = nullptr;
    ++nic.totals_.completed;
    NdisMSendNetBufferListsComplete(handle, list, 0);
  }
  completing = false;
  finish_pause_if_idle();
}

VOID HarnessNic::cancel_send(NDIS_HANDLE context, PVOID id) {
  Card& card = *static_cast<Card*>(context);
  std::deque<NET_BUFFER_LIST*> cancelled;
  std::erase_if(card.to_complete, [&](NET_BUFFER_LIST* list) {
    const bool matches = NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(list) == id;
    if (matches) cancelled.push_back(list);
    return matches;
  });
  for (NET_BUFFER_LIST* const list : cancelled) {
    NET_BUFFER_LIST_NEXT_NBL(list) = nullptr;
    NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_SEND_ABORTED;
    ++card.nic.totals_.completed;
    NdisMSendNetBufferListsComplete(
        card.handle, list, kernel::irql() == DISPATCH_LEVEL ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
  }
}

// ---- receives ----

bool HarnessNic::indicate(const std::string& name, const std::vector<FrameView>& frames) {
  const std::shared_ptr<Card> card = cards_.at(name);
  if (!card->running || frames.empty()) return false;
  // Counted from here on, so that a pause waits until the lists are made and indicated.
  const auto reserved = static_cast<std::uint32_t>(frames.size());
  card->indicated += reserved;
  ULONG count = 0;
  NET_BUFFER_LIST* const chain = make_chain(frames, count, [&](FrameView frame) {
    NET_BUFFER_LIST* const list = make_list(card->pool, frame, kTag);
    if (list != nullptr) list->SourceHandle = card->handle;
    return list;
  });
  const bool indicates = count != 0 && card->running;
  if (!indicates) {
    for_each_taken(chain, [](NET_BUFFER_LIST* list) { free_list(list, kTag); });
    count = 0;
  }
  card->indicated -= reserved - count;
  if (indicates) totals_.indicated += count;
  if (indicates && kernel::choose("the card takes its lists back at once")) {
    NdisMIndicateReceiveNetBufferLists(card->handle, chain, NDIS_DEFAULT_PORT_NUMBER, count,
                                       NDIS_RECEIVE_FLAGS_RESOURCES);
    return_lists(card.get(), chain, 0);
  } else if (indicates) {
    NdisMIndicateReceiveNetBufferLists(card->handle, chain, NDIS_DEFAULT_PORT_NUMBER, count, 0);
  } else {
    card->finish_pause_if_idle();
  }
  return indicates;
}

VOID HarnessNic::return_lists(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
  UNREFERENCED_PARAMETER(flags);
  Card& card = *static_cast<Card*>(context);
  for_each_taken(chain, [&card](NET_BUFFER_LIST* list) {
    free_list(list, kTag);
    --card.indicated;
    ++card.nic.totals_.returned;
  });
  card.finish_pause_if_idle();
}

void HarnessNic::Card::changed(const LinkInfo& info) {
  NDIS_LINK_STATE state{};
  state.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_LINK_STATE_REVISION_1, NDIS_SIZEOF_LINK_STATE_REVISION_1};
  state.MediaConnectState = info.up ? MediaConnectStateConnected : MediaConnectStateDisconnected;
  state.MediaDuplexState = MediaDuplexStateFull;
  state.XmitLinkSpeed = state.RcvLinkSpeed = info.speed_bps;
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.SourceHandle = handle;
  indication.StatusCode = NDIS_STATUS_LINK_STATE;
  indication.StatusBuffer = &state;
  indication.StatusBufferSize = sizeof(state);
  NdisMIndicateStatusEx(handle, &indication);
}

// ---- OIDs ----

NDIS_STATUS HarnessNic::Card::query(NDIS_OID_REQUEST& request) {
  auto& q = request.DATA.QUERY_INFORMATION;
  const auto answer = [&q](const void* data, std::size_t size) {
    q.BytesNeeded = static_cast<UINT>(size);
    if (q.InformationBufferLength < size) return NDIS_STATUS_BUFFER_TOO_SHORT;
    std::memcpy(q.InformationBuffer, data, size);
    q.BytesWritten = static_cast<UINT>(size);
    return NDIS_STATUS_SUCCESS;
  };
  const auto number = [&](std::uint64_t n) {
    const auto value = static_cast<ULONG>(n);
    return answer(&value, sizeof(value));
  };
  static constexpr char kVendor[] = "undis";
  switch (q.Oid) {
  case OID_GEN_CURRENT_PACKET_FILTER:
    return number(packet_filter);
  case OID_GEN_CURRENT_LOOKAHEAD:
    return number(lookahead);
  case OID_GEN_MAXIMUM_TOTAL_SIZE:
    return number(link.info().mtu + kEthernetHeader);
  case OID_GEN_TRANSMIT_BLOCK_SIZE:
  case OID_GEN_RECEIVE_BLOCK_SIZE:
    return number(1);
  case OID_GEN_VENDOR_ID:
    return number(0xFFFFFF);
  case OID_GEN_VENDOR_DESCRIPTION:
    return answer(kVendor, sizeof(kVendor));
  case OID_GEN_XMIT_OK:
    return number(sent);
  case OID_GEN_RCV_OK:
    return number(0);
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

NDIS_STATUS HarnessNic::Card::set(NDIS_OID_REQUEST& request) {
  auto& s = request.DATA.SET_INFORMATION;
  switch (s.Oid) {
  case OID_GEN_CURRENT_PACKET_FILTER:
  case OID_GEN_CURRENT_LOOKAHEAD: {
    ULONG& target = s.Oid == OID_GEN_CURRENT_PACKET_FILTER ? packet_filter : lookahead;
    if (s.InformationBufferLength < sizeof(target)) {
      s.BytesNeeded = sizeof(target);
      return NDIS_STATUS_INVALID_LENGTH;
    }
    std::memcpy(&target, s.InformationBuffer, sizeof(target));
    s.BytesRead = sizeof(target);
    return NDIS_STATUS_SUCCESS;
  }
  case OID_802_3_MULTICAST_LIST:
    s.BytesRead = s.InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

NDIS_STATUS HarnessNic::oid_request(NDIS_HANDLE context, PNDIS_OID_REQUEST request) {
  Card& card = *static_cast<Card*>(context);
  const auto carry_out = [&card, request] {
    if (card.gone) return static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_ACCEPTED);
    switch (request->RequestType) {
    case NdisRequestQueryInformation:
    case NdisRequestQueryStatistics:
      return card.query(*request);
    case NdisRequestSetInformation:
      return card.set(*request);
    default:
      return static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_SUPPORTED);
    }
  };
  if (!kernel::choose("the card's request is pended")) return carry_out();
  const std::shared_ptr<Card> keep = card.nic.cards_.at(card.name);
  kernel::queue_work("card: complete a request", [keep, request, carry_out] {
    NdisMOidRequestComplete(keep->handle, request, carry_out());
  });
  return NDIS_STATUS_PENDING;
}

VOID HarnessNic::cancel_oid(NDIS_HANDLE context, PVOID id) {
  // Requests are completed soon in any case.
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(id);
}

}  // namespace undis::lab
