// SPDX-License-Identifier: MIT
//
// The protocols of the data path's tests.
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

namespace {

constexpr std::size_t kSlack = 16;  // unused bytes before and after the data of a list

}  // namespace

Protocol* Protocol::loading = nullptr;

struct ProtocolCallbacks {
  static Protocol& self(NDIS_HANDLE context) { return *static_cast<Protocol*>(context); }

  static NDIS_STATUS bind6(NDIS_HANDLE context, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
    Protocol& p = self(context);
    NDIS_OPEN_PARAMETERS open{};
    open.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                   NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
    NDIS_MEDIUM media[] = {NdisMedium802_3};
    open.AdapterName = parameters->AdapterName;
    open.MediumArray = media;
    open.MediumArraySize = 1;
    open.SelectedMediumIndex = &p.medium_index_;
    p.list_pool_ = make_list_pool(p.protocol, false);
    NET_BUFFER_POOL_PARAMETERS pool{};
    pool.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                   NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
    pool.PoolTag = kTag;
    p.packet_pool_ = NdisAllocateNetBufferPool(p.protocol, &pool);
    p.bind_context_ = bind_context;
    return NdisOpenAdapterEx(p.protocol, &p, &open, bind_context, &p.handle);
  }
  static NDIS_STATUS unbind6(NDIS_HANDLE, NDIS_HANDLE context) {
    Protocol& p = self(context);
    const NDIS_STATUS status = NdisCloseAdapterEx(p.handle);
    NdisFreeNetBufferListPool(p.list_pool_);
    NdisFreeNetBufferPool(p.packet_pool_);
    return status == NDIS_STATUS_PENDING ? NDIS_STATUS_SUCCESS : status;
  }
  static VOID open_complete6(NDIS_HANDLE context, NDIS_STATUS status) {
    NdisCompleteBindAdapterEx(self(context).bind_context_, status);
  }
  static VOID close_complete6(NDIS_HANDLE) {}
  static NDIS_STATUS pnp6(NDIS_HANDLE, PNET_PNP_EVENT_NOTIFICATION) { return NDIS_STATUS_SUCCESS; }
  static VOID oid_complete6(NDIS_HANDLE context, PNDIS_OID_REQUEST, NDIS_STATUS status) {
    self(context).requests_done.push_back(status);
  }
  static VOID status6(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication) {
    self(context).statuses.push_back(indication->StatusCode);
  }

  static VOID receive6(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG count,
                       ULONG flags) {
    Protocol& p = self(context);
    p.receive_irqls.push_back(kernel::irql());
    if (p.on_lists) {
      p.on_lists(chain, flags);
      return;
    }
    ULONG n = 0;
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next, ++n) {
      p.received.push_back(bytes_of_list(list));
      p.loopbacks.push_back(NdisTestNblFlag(list, NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET));
    }
    EXPECT_EQ(n, count);
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) return;
    if (!p.keep) {
      NdisReturnNetBufferLists(p.handle, chain, 0);
      return;
    }
    while (chain != nullptr) {
      NET_BUFFER_LIST* const next = chain->Next;
      chain->Next = nullptr;
      p.kept_lists.push_back(chain);
      chain = next;
    }
  }
  static VOID send_complete6(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG) {
    Protocol& p = self(context);
    if (p.on_lists_complete) {
      p.on_lists_complete(chain);
      return;
    }
    while (chain != nullptr) {
      NET_BUFFER_LIST* const next = chain->Next;
      chain->Next = nullptr;
      EXPECT_EQ(chain->SourceHandle, p.handle);
      p.completed.push_back(chain->Status);
      p.completed_order.push_back(
          static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(chain->ProtocolReserved[0])));
      p.free_list(chain);
      chain = next;
    }
  }

  // ---- 5.x ----
  static VOID bind5(PNDIS_STATUS status, NDIS_HANDLE bind_context, PNDIS_STRING device, PVOID, PVOID) {
    const auto* const object = static_cast<const Binding*>(kernel::current_callback()->object);
    Protocol* found = nullptr;
    for (Protocol* p : all)
      if (&p->driver == &object->driver()) found = p;
    Protocol& p = *found;
    p.bind_context_ = bind_context;
    NDIS_MEDIUM media[] = {NdisMedium802_3};
    NDIS_STATUS error = NDIS_STATUS_SUCCESS;
    NdisAllocatePacketPoolEx(status, &p.packet_pool_, 64, 0, PROTOCOL_RESERVED_SIZE_IN_PACKET);
    NdisAllocateBufferPool(status, &p.buffer_pool_, 64);
    NdisOpenAdapter(status, &error, &p.handle, &p.medium_index_, media, 1, p.protocol, &p, device, 0,
                    nullptr);
  }
  static VOID unbind5(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE) {
    Protocol& p = self(context);
    NdisCloseAdapter(status, p.handle);
    NdisFreePacketPool(p.packet_pool_);
    NdisFreeBufferPool(p.buffer_pool_);
    *status = NDIS_STATUS_SUCCESS;
  }
  static VOID open_complete5(NDIS_HANDLE context, NDIS_STATUS status, NDIS_STATUS error) {
    NdisCompleteBindAdapter(self(context).bind_context_, status, error);
  }
  static VOID close_complete5(NDIS_HANDLE, NDIS_STATUS) {}
  static VOID reset_complete5(NDIS_HANDLE, NDIS_STATUS) {}
  static VOID request_complete5(NDIS_HANDLE context, PNDIS_REQUEST, NDIS_STATUS status) {
    self(context).requests_done.push_back(status);
  }
  static VOID status5(NDIS_HANDLE context, NDIS_STATUS status, PVOID, UINT) {
    self(context).statuses.push_back(status);
  }
  static VOID status_complete5(NDIS_HANDLE context) { ++self(context).status_completes; }
  static VOID receive_complete5(NDIS_HANDLE context) { ++self(context).receive_completes; }
  static VOID send_complete5(NDIS_HANDLE context, PNDIS_PACKET packet, NDIS_STATUS status) {
    Protocol& p = self(context);
    if (p.on_send_complete) {
      p.on_send_complete(packet, status);
      return;
    }
    p.completed.push_back(status);
    unsigned number = 0;
    std::memcpy(&number, packet->ProtocolReserved + sizeof(void*), sizeof(number));
    p.completed_order.push_back(number);
    p.free_packet(packet);
  }
  static INT receive_packet5(NDIS_HANDLE context, PNDIS_PACKET packet) {
    Protocol& p = self(context);
    p.receive_irqls.push_back(kernel::irql());
    if (p.on_packet) return p.on_packet(packet);
    p.received.push_back(bytes_of_packet(packet));
    p.loopbacks.push_back((packet->Private.Flags & NDIS_FLAGS_IS_LOOPBACK_PACKET) != 0);
    if (!p.keep || NDIS_GET_PACKET_STATUS(packet) == NDIS_STATUS_RESOURCES) return 0;
    p.kept_packets.push_back(packet);
    return 1;
  }
  static VOID transfer_complete5(NDIS_HANDLE context, PNDIS_PACKET packet, NDIS_STATUS status,
                                 UINT transferred) {
    Protocol& p = self(context);
    if (status == NDIS_STATUS_SUCCESS) {
      Bytes data = bytes_of_packet(packet);
      data.resize(transferred);
      p.received.back().insert(p.received.back().end(), data.begin(), data.end());
    }
    free_packet_of(packet);
  }
  static NDIS_STATUS receive5(NDIS_HANDLE context, NDIS_HANDLE mac, PVOID header, UINT header_size,
                              PVOID lookahead, UINT lookahead_size, UINT size) {
    Protocol& p = self(context);
    p.receive_irqls.push_back(kernel::irql());
    Bytes bytes(static_cast<std::uint8_t*>(header), static_cast<std::uint8_t*>(header) + header_size);
    const auto* const data = static_cast<const std::uint8_t*>(lookahead);
    bytes.insert(bytes.end(), data, data + lookahead_size);
    p.received.push_back(bytes);
    p.loopbacks.push_back(false);
    if (lookahead_size < size) {
      NDIS_PACKET* const packet = p.make_packet(Bytes(size - lookahead_size));
      NDIS_STATUS status = NDIS_STATUS_SUCCESS;
      UINT transferred = 0;
      NdisTransferData(&status, p.handle, mac, lookahead_size, size - lookahead_size, packet, &transferred);
      if (status != NDIS_STATUS_PENDING) transfer_complete5(context, packet, status, transferred);
    }
    if (p.on_receive) p.on_receive(mac, lookahead_size, size);
    return NDIS_STATUS_SUCCESS;
  }
  static inline std::vector<Protocol*> all;
};

Protocol::Protocol(Traffic& w, std::string n, bool v6)
    : world(w), name(std::move(n)), version6(v6), driver(w.system->add_driver(name, {}, false)) {
  ProtocolCallbacks::all.push_back(this);
}
Protocol::~Protocol() {
  std::erase(ProtocolCallbacks::all, this);
}

NTSTATUS Protocol::entry() {
  using C = ProtocolCallbacks;
  const std::u16string wide = kernel::to_utf16(name);
  const WideString text(wide);
  if (version6) {
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
                NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
    c.MajorNdisVersion = 6;
    c.MinorNdisVersion = 30;
    c.Name = *text.get();
    c.BindAdapterHandlerEx = &C::bind6;
    c.UnbindAdapterHandlerEx = &C::unbind6;
    c.OpenAdapterCompleteHandlerEx = &C::open_complete6;
    c.CloseAdapterCompleteHandlerEx = &C::close_complete6;
    c.NetPnPEventHandler = &C::pnp6;
    c.OidRequestCompleteHandler = &C::oid_complete6;
    c.StatusHandlerEx = &C::status6;
    c.ReceiveNetBufferListsHandler = &C::receive6;
    c.SendNetBufferListsCompleteHandler = &C::send_complete6;
    return NdisRegisterProtocolDriver(this, &c, &protocol);
  }
  NDIS50_PROTOCOL_CHARACTERISTICS c{};
  c.MajorNdisVersion = 5;
  c.Name = *text.get();
  c.OpenAdapterCompleteHandler = &C::open_complete5;
  c.CloseAdapterCompleteHandler = &C::close_complete5;
  c.SendCompleteHandler = &C::send_complete5;
  c.TransferDataCompleteHandler = &C::transfer_complete5;
  c.ResetCompleteHandler = &C::reset_complete5;
  c.RequestCompleteHandler = &C::request_complete5;
  c.ReceiveHandler = &C::receive5;
  c.ReceiveCompleteHandler = &C::receive_complete5;
  c.StatusHandler = &C::status5;
  c.StatusCompleteHandler = &C::status_complete5;
  if (receive_packet) c.ReceivePacketHandler = &C::receive_packet5;
  c.BindAdapterHandler = &C::bind5;
  c.UnbindAdapterHandler = &C::unbind5;
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NdisRegisterProtocol(&status, &protocol, reinterpret_cast<PNDIS_PROTOCOL_CHARACTERISTICS>(&c), sizeof(c));
  return status;
}

NDIS_STATUS Protocol::oid(NDIS_REQUEST_TYPE type, NDIS_OID code, void* buffer, ULONG length) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  world.as(driver, [&] {
    if (version6) {
      request6_ = {};
      request6_.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                          NDIS_SIZEOF_OID_REQUEST_REVISION_1};
      request6_.RequestType = type;
      request6_.RequestId = this;
      request6_.DATA.QUERY_INFORMATION.Oid = code;
      request6_.DATA.QUERY_INFORMATION.InformationBuffer = buffer;
      request6_.DATA.QUERY_INFORMATION.InformationBufferLength = length;
      status = NdisOidRequest(handle, &request6_);
    } else {
      request5_ = {};
      request5_.RequestType = type;
      request5_.DATA.QUERY_INFORMATION.Oid = code;
      request5_.DATA.QUERY_INFORMATION.InformationBuffer = buffer;
      request5_.DATA.QUERY_INFORMATION.InformationBufferLength = length;
      NdisRequest(&status, handle, &request5_);
    }
  });
  return status;
}

void Protocol::set_filter(ULONG filter) {
  EXPECT_EQ(oid(NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter)),
            NDIS_STATUS_SUCCESS);
}

void Protocol::set_multicast(const Bytes& list) {
  Bytes copy = list;
  EXPECT_EQ(
      oid(NdisRequestSetInformation, OID_802_3_MULTICAST_LIST, copy.data(), static_cast<ULONG>(copy.size())),
      NDIS_STATUS_SUCCESS);
}

NET_BUFFER_LIST* Protocol::make_list(const std::vector<Bytes>& frames) {
  NET_BUFFER_LIST* const list = NdisAllocateNetBufferList(list_pool_, 0, 0);
  list->SourceHandle = handle;
  NET_BUFFER** end = &list->FirstNetBuffer;
  for (const Bytes& bytes : frames) {
    // Two MDLs, unused space before and after the data.
    auto* const data = static_cast<std::uint8_t*>(copy_of(bytes, kSlack, kSlack));
    const std::size_t half = kSlack + bytes.size() / 2;
    MDL* const first = NdisAllocateMdl(protocol, data, static_cast<UINT>(half));
    first->Next = NdisAllocateMdl(protocol, data + half, static_cast<UINT>(bytes.size() + 2 * kSlack - half));
    *end = NdisAllocateNetBuffer(packet_pool_, first, kSlack, bytes.size());
    end = &(*end)->Next;
  }
  list->ProtocolReserved[0] = reinterpret_cast<void*>(static_cast<std::uintptr_t>(next_send_++));
  return list;
}

void Protocol::free_list(NET_BUFFER_LIST* list) {
  while (list->FirstNetBuffer != nullptr) {
    NET_BUFFER* const buffer = list->FirstNetBuffer;
    list->FirstNetBuffer = buffer->Next;
    MDL* const first = buffer->MdlChain;
    MDL* const second = first->Next;
    void* const data = MmGetMdlVirtualAddress(first);
    NdisFreeNetBuffer(buffer);
    NdisFreeMdl(first);
    NdisFreeMdl(second);
    ExFreePoolWithTag(data, kTag);
  }
  NdisFreeNetBufferList(list);
}

NDIS_PACKET* Protocol::make_packet(const Bytes& bytes) {
  NDIS_PACKET* const packet = packet_of(packet_pool_, buffer_pool_, bytes);
  const unsigned number = next_send_++;
  std::memcpy(packet->ProtocolReserved + sizeof(void*), &number, sizeof(number));
  return packet;
}

void Protocol::free_packet(NDIS_PACKET* packet) {
  free_packet_of(packet);
}

void Protocol::send(const std::vector<Bytes>& frames, ULONG flags) {
  world.as(driver, [&] {
    if (version6) {
      NET_BUFFER_LIST* first = nullptr;
      NET_BUFFER_LIST** end = &first;
      for (const Bytes& bytes : frames) {
        *end = make_list({bytes});
        end = &(*end)->Next;
      }
      NdisSendNetBufferLists(handle, first, 0, flags);
      return;
    }
    std::vector<NDIS_PACKET*> packets;
    for (const Bytes& bytes : frames) {
      packets.push_back(make_packet(bytes));
      packets.back()->Private.Flags |= flags;
    }
    NdisSendPackets(handle, packets.data(), static_cast<UINT>(packets.size()));
  });
}

void Protocol::send_in_one_list(const std::vector<Bytes>& frames) {
  world.as(driver, [&] { NdisSendNetBufferLists(handle, make_list(frames), 0, 0); });
}

NDIS_STATUS Protocol::send_one(const Bytes& bytes) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  world.as(driver, [&] {
    NDIS_PACKET* const packet = make_packet(bytes);
    NdisSend(&status, handle, packet);
    if (status != NDIS_STATUS_PENDING) free_packet(packet);
  });
  return status;
}

void Protocol::return_kept() {
  world.as(driver, [&] {
    while (!kept_lists.empty()) {
      NET_BUFFER_LIST* const list = kept_lists.front();
      kept_lists.pop_front();
      NdisReturnNetBufferLists(handle, list, 0);
    }
    while (!kept_packets.empty()) {
      NDIS_PACKET* packet = kept_packets.front();
      kept_packets.pop_front();
      NdisReturnPackets(&packet, 1);
    }
  });
}

}  // namespace undis::test
