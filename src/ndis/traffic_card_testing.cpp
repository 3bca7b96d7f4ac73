// SPDX-License-Identifier: MIT
//
// The card of the data path's tests.
#include "ndis/traffic_testing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernel/pool.h"
#include "kernel/unicode.h"
#include "ndis/buffer_pool.h"
#include "ndis/strings.h"
#include "ndis/traffic_testing_parts.h"

namespace undis::test {

Card* Card::loading = nullptr;

struct CardCallbacks {
  struct Inside {
    explicit Inside(Card& c) : card(c) { card.most_inside = std::max(card.most_inside, ++card.inside); }
    ~Inside() { --card.inside; }
    Card& card;
  };
  static Card& self(NDIS_HANDLE context) { return *static_cast<Card*>(context); }

  static NDIS_STATUS initialize6(NDIS_HANDLE handle, NDIS_HANDLE context, PNDIS_MINIPORT_INIT_PARAMETERS) {
    Card& card = self(context);
    card.handle = handle;
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES a{};
    a.RegistrationAttributes.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                                       NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                                       NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
    a.RegistrationAttributes.MiniportAdapterContext = context;
    NdisMSetMiniportAttributes(handle, &a);
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES g{};
    auto& general = g.GeneralAttributes;
    general.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                      NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                      NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
    general.MediaType = NdisMedium802_3;
    general.MtuSize = 1500;
    general.LookaheadSize = 1500;
    general.MediaConnectState = MediaConnectStateConnected;
    general.MaxXmitLinkSpeed = general.XmitLinkSpeed = general.MaxRcvLinkSpeed = general.RcvLinkSpeed =
        1'000'000'000;
    general.MacOptions = NDIS_MAC_OPTION_NO_LOOPBACK;
    general.MacAddressLength = 6;
    std::copy_n(kCardAddress, 6, general.CurrentMacAddress);
    std::copy_n(kCardAddress, 6, general.PermanentMacAddress);
    NdisMSetMiniportAttributes(handle, &g);
    card.list_pool = make_list_pool(handle, true);
    return NDIS_STATUS_SUCCESS;
  }
  static void free_pools(Card& card) {
    if (card.list_pool != nullptr) NdisFreeNetBufferListPool(card.list_pool);
    if (card.packet_pool != nullptr) NdisFreePacketPool(card.packet_pool);
    if (card.buffer_pool != nullptr) NdisFreeBufferPool(card.buffer_pool);
    card.list_pool = card.packet_pool = card.buffer_pool = nullptr;
  }
  static VOID halt6(NDIS_HANDLE context, NDIS_HALT_ACTION) { halt5(context); }
  static VOID halt5(NDIS_HANDLE context) {
    if (self(context).on_halt) self(context).on_halt();
    free_pools(self(context));
  }
  static NDIS_STATUS pause(NDIS_HANDLE, PNDIS_MINIPORT_PAUSE_PARAMETERS) { return NDIS_STATUS_SUCCESS; }
  static NDIS_STATUS restart(NDIS_HANDLE, PNDIS_MINIPORT_RESTART_PARAMETERS) { return NDIS_STATUS_SUCCESS; }
  static VOID shutdown(NDIS_HANDLE, NDIS_SHUTDOWN_ACTION) {}
  static VOID pnp(NDIS_HANDLE, PNET_DEVICE_PNP_EVENT) {}
  static VOID cancel_oid(NDIS_HANDLE, PVOID) {}
  static VOID unload(PDRIVER_OBJECT) {
    NdisMDeregisterMiniportDriver(std::exchange(Card::loading->miniport, nullptr));
  }
  static NDIS_STATUS oid6(NDIS_HANDLE context, PNDIS_OID_REQUEST request) {
    Card& card = self(context);
    if (card.on_oid) return card.on_oid(request->DATA.QUERY_INFORMATION.Oid);
    if (request->RequestType == NdisRequestSetInformation) return NDIS_STATUS_SUCCESS;
    return NDIS_STATUS_NOT_SUPPORTED;
  }

  static VOID send6(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG flags) {
    Card& card = self(context);
    const Inside inside(card);
    card.send_irqls.push_back(kernel::irql());
    if (card.on_send6) {
      card.on_send6(chain);
      return;
    }
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
      list->Status = NDIS_STATUS_SUCCESS;
      for (NET_BUFFER* buffer = list->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next)
        card.sent.push_back(bytes_of_buffer(buffer));
    }
    if (!card.hold_sends) {
      NdisMSendNetBufferListsComplete(card.handle, chain, flags & NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL);
      return;
    }
    while (chain != nullptr) {
      NET_BUFFER_LIST* const next = chain->Next;
      chain->Next = nullptr;
      card.held_lists.push_back(chain);
      chain = next;
    }
  }
  static VOID cancel6(NDIS_HANDLE context, PVOID id) { self(context).cancelled.push_back(id); }
  static VOID return6(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG) {
    while (chain != nullptr) {
      NET_BUFFER_LIST* const next = chain->Next;
      chain->Next = nullptr;
      self(context).returned.push_back(bytes_of_list(chain));
      self(context).take_back(chain);
      chain = next;
    }
  }

  // ---- 5.x ----
  static NDIS_STATUS initialize5(PNDIS_STATUS, PUINT index, PNDIS_MEDIUM, UINT, NDIS_HANDLE handle,
                                 NDIS_HANDLE) {
    Card& card = *Card::loading;
    card.handle = handle;
    *index = 0;
    NdisMSetAttributesEx(handle, &card, 0,
                         card.serialized ? 0U : static_cast<ULONG>(NDIS_ATTRIBUTE_DESERIALIZE),
                         NdisInterfaceInternal);
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NdisAllocatePacketPoolEx(&status, &card.packet_pool, 64, 0, PROTOCOL_RESERVED_SIZE_IN_PACKET);
    NdisAllocateBufferPool(&status, &card.buffer_pool, 64);
    return status;
  }
  static NDIS_STATUS query5(NDIS_HANDLE context, NDIS_OID oid, PVOID buffer, ULONG length, PULONG written,
                            PULONG needed) {
    if (self(context).on_oid) return self(context).on_oid(oid);
    ULONG number = 0;
    const void* data = &number;
    ULONG size = sizeof(number);
    switch (oid) {
    case OID_GEN_MAXIMUM_FRAME_SIZE:
    case OID_GEN_MAXIMUM_LOOKAHEAD:
      number = 1500;
      break;
    case OID_GEN_LINK_SPEED:
      number = 10'000'000;
      break;
    case OID_GEN_MEDIA_CONNECT_STATUS:
      number = NdisMediaStateConnected;
      break;
    case OID_GEN_MAC_OPTIONS:
      number = NDIS_MAC_OPTION_NO_LOOPBACK;
      break;
    case OID_802_3_PERMANENT_ADDRESS:
    case OID_802_3_CURRENT_ADDRESS:
      data = kCardAddress;
      size = 6;
      break;
    default:
      return NDIS_STATUS_NOT_SUPPORTED;
    }
    *needed = size;
    if (length < size) return NDIS_STATUS_INVALID_LENGTH;
    std::memcpy(buffer, data, size);
    *written = size;
    return NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS set5(NDIS_HANDLE context, NDIS_OID oid, PVOID, ULONG length, PULONG read, PULONG) {
    *read = length;
    return self(context).on_oid ? self(context).on_oid(oid) : NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS reset5(PBOOLEAN, NDIS_HANDLE) { return NDIS_STATUS_SUCCESS; }

  static NDIS_STATUS send5(NDIS_HANDLE context, PNDIS_PACKET packet, UINT) {
    Card& card = self(context);
    const Inside inside(card);
    card.send_irqls.push_back(kernel::irql());
    if (card.on_send5) return card.on_send5(packet);
    card.sent.push_back(bytes_of_packet(packet));
    if (!card.hold_sends) return NDIS_STATUS_SUCCESS;
    card.held_packets.push_back(packet);
    return NDIS_STATUS_PENDING;
  }
  static VOID send_packets5(NDIS_HANDLE context, PPNDIS_PACKET packets, UINT count) {
    Card& card = self(context);
    for (UINT i = 0; i < count; ++i) {
      NDIS_PACKET* const packet = packets[i];
      const NDIS_STATUS status = send5(context, packet, 0);
      if (card.serialized) {
        NDIS_SET_PACKET_STATUS(packet, status);
      } else if (status != NDIS_STATUS_PENDING) {
        NdisMSendComplete(card.handle, packet, status);
      }
    }
  }
  static VOID return5(NDIS_HANDLE context, PNDIS_PACKET packet) {
    const Inside inside(self(context));
    if (self(context).on_return5) {
      self(context).on_return5(packet);
      return;
    }
    self(context).returned.push_back(bytes_of_packet(packet));
    self(context).take_back(packet);
  }
  static NDIS_STATUS transfer5(PNDIS_PACKET packet, PUINT transferred, NDIS_HANDLE context, NDIS_HANDLE,
                               UINT offset, UINT bytes) {
    return self(context).on_transfer ? self(context).on_transfer(packet, transferred, offset, bytes)
                                     : static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE);
  }
};

Card::Card(Traffic& w, bool v6)
    : world(w), version6(v6),
      driver(w.system->add_driver("card" + std::to_string(w.cards.size()), {}, false)) {}
Card::Card(Traffic& w, bool v6, kernel::Driver& of) : world(w), version6(v6), driver(of) {}
Card::~Card() = default;

NTSTATUS Card::entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  using C = CardCallbacks;
  if (version6) {
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
    c.MajorNdisVersion = 6;
    c.MinorNdisVersion = minor;
    c.InitializeHandlerEx = &C::initialize6;
    c.HaltHandlerEx = &C::halt6;
    c.UnloadHandler = &C::unload;
    c.PauseHandler = &C::pause;
    c.RestartHandler = &C::restart;
    c.OidRequestHandler = &C::oid6;
    c.SendNetBufferListsHandler = &C::send6;
    c.ReturnNetBufferListsHandler = &C::return6;
    c.CancelSendHandler = &C::cancel6;
    c.DevicePnPEventNotifyHandler = &C::pnp;
    c.ShutdownHandlerEx = &C::shutdown;
    c.CancelOidRequestHandler = &C::cancel_oid;
    return NdisMRegisterMiniportDriver(object, path, this, &c, &miniport);
  }
  NDIS_HANDLE wrapper = nullptr;
  NdisMInitializeWrapper(&wrapper, object, path, nullptr);
  NDIS51_MINIPORT_CHARACTERISTICS c{};
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = &C::initialize5;
  c.HaltHandler = &C::halt5;
  c.QueryInformationHandler = &C::query5;
  c.SetInformationHandler = &C::set5;
  c.ResetHandler = &C::reset5;
  c.ReturnPacketHandler = &C::return5;
  c.TransferDataHandler = &C::transfer5;
  c.CancelSendPacketsHandler = &C::cancel6;
  if (send_packets)
    c.SendPacketsHandler = &C::send_packets5;
  else
    c.SendHandler = &C::send5;
  return NdisMRegisterMiniport(wrapper, reinterpret_cast<PNDIS_MINIPORT_CHARACTERISTICS>(&c), sizeof(c));
}

void Card::complete_held(NDIS_STATUS status) {
  world.as(driver, [&] {
    while (!held_lists.empty()) {
      NET_BUFFER_LIST* const list = held_lists.front();
      held_lists.pop_front();
      list->Status = status;
      NdisMSendNetBufferListsComplete(handle, list, 0);
    }
    while (!held_packets.empty()) {
      NDIS_PACKET* const packet = held_packets.front();
      held_packets.pop_front();
      NdisMSendComplete(handle, packet, status);
    }
  });
}

NET_BUFFER_LIST* Card::make_list(const Bytes& bytes) {
  void* const data = copy_of(bytes);
  MDL* const mdl = NdisAllocateMdl(handle, data, static_cast<UINT>(bytes.size()));
  NET_BUFFER_LIST* const list = NdisAllocateNetBufferAndNetBufferList(list_pool, 0, 0, mdl, 0, bytes.size());
  if (list != nullptr) list->SourceHandle = handle;
  return list;
}

void Card::take_back(NET_BUFFER_LIST* list) {
  MDL* const mdl = list->FirstNetBuffer->MdlChain;
  void* const data = MmGetMdlVirtualAddress(mdl);
  NdisFreeNetBufferList(list);
  NdisFreeMdl(mdl);
  ExFreePoolWithTag(data, kTag);
}

NDIS_PACKET* Card::make_packet(const Bytes& bytes) {
  NDIS_PACKET* const packet = packet_of(packet_pool, buffer_pool, bytes);
  NDIS_SET_PACKET_HEADER_SIZE(packet, 14);
  NDIS_SET_PACKET_STATUS(packet, NDIS_STATUS_SUCCESS);
  // ProtocolReserved is the protocols' in an indication; what the card has to remember is in its own bytes.
  std::memcpy(packet->MiniportReserved, packet->ProtocolReserved, sizeof(void*));
  return packet;
}

void Card::take_back(NDIS_PACKET* packet) {
  std::memcpy(packet->ProtocolReserved, packet->MiniportReserved, sizeof(void*));
  free_packet_of(packet);
}

void Card::indicate(const std::vector<Bytes>& frames, ULONG flags) {
  world.as(driver, [&] {
    const bool resources = NDIS_TEST_RECEIVE_CANNOT_PEND(flags);
    if (version6) {
      NET_BUFFER_LIST* first = nullptr;
      NET_BUFFER_LIST** end = &first;
      for (const Bytes& bytes : frames) {
        *end = make_list(bytes);
        end = &(*end)->Next;
      }
      NdisMIndicateReceiveNetBufferLists(handle, first, 0, static_cast<ULONG>(frames.size()), flags);
      while (resources && first != nullptr) {
        NET_BUFFER_LIST* const next = first->Next;
        take_back(first);
        first = next;
      }
      return;
    }
    std::vector<NDIS_PACKET*> packets;
    for (const Bytes& bytes : frames) {
      packets.push_back(make_packet(bytes));
      if (resources) NDIS_SET_PACKET_STATUS(packets.back(), NDIS_STATUS_RESOURCES);
    }
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisMIndicateReceivePacket(handle, packets.data(), static_cast<UINT>(packets.size()));
    for (NDIS_PACKET* packet : packets)
      if (resources || (serialized && NDIS_GET_PACKET_STATUS(packet) != NDIS_STATUS_PENDING))
        take_back(packet);
  });
}

void Card::indicate_lookahead(const Bytes& bytes, std::size_t lookahead) {
  world.as(driver, [&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    Bytes copy = bytes;
    NdisMEthIndicateReceive(handle, this, copy.data(), 14, copy.data() + 14, static_cast<UINT>(lookahead),
                            static_cast<UINT>(copy.size() - 14));
    NdisMEthIndicateReceiveComplete(handle);
  });
}

}  // namespace undis::test
