// SPDX-License-Identifier: MIT
//
// The border between 5.x and 6.x: packets as lists, buffers of lists as packets, on the same memory.
//
// Pages   ndis/nf-ndis-ndisimcopysendperpacketinfo, network/packet-structures-in-network-drivers,
// nblinfo/ne-nblinfo-ndis_net_buffer_list_info Beyond  What both generations document alike goes across:
// cancel ID, 802.1Q information, classification handle, the results of receive checksums (bits 0 to 6, of
// equal
//         meaning), requests for send checksums (bits 0 to 4; 6.x has the offset of the TCP header beside
//         them) and large sends (5.x has the MSS alone; 6.x calls that LSOv1). docs/decisions.md#border
#include <atomic>
#include <cstdint>

#include "kernel/driver.h"
#include "ndis/buffer_pool.h"
#include "ndis/data_path_parts.h"
#include "ndis/nbl_pool.h"
#include "ndis/packet_pool.h"

namespace undis::data_path {
namespace {

constexpr std::uintptr_t kReceiveChecksumResults = 0x7F;
constexpr std::uintptr_t kSendChecksumRequests = 0x1F;
constexpr std::uint8_t kTcp = 6;

using LargeSend = NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO;

/// Where the TCP header begins in an Ethernet frame; 0: there is none, or not where it can be told.
ULONG tcp_header_offset(const MDL* chain) noexcept {
  constexpr std::size_t kTag = 4;
  constexpr std::size_t kLongest = kEthernetHeader + kTag + 60;
  std::uint8_t bytes[kLongest] = {};
  const std::size_t there = copy_out(bytes, chain, 0, kLongest);
  std::size_t ip = kEthernetHeader;
  const auto type = [&] { return bytes[ip - 2] << 8 | bytes[ip - 1]; };
  if (type() == 0x8100) ip += kTag;
  if (type() == 0x0800 && there >= ip + 20 && bytes[ip + 9] == kTcp)
    return static_cast<ULONG>(ip + (bytes[ip] & 0x0FU) * 4U);
  if (type() == 0x86DD && there >= ip + 40 && bytes[ip + 6] == kTcp) return static_cast<ULONG>(ip + 40);
  return 0;
}

/// Requests of a 5.x sender: 6.x says in addition where the TCP header is.
void offload_to_list(NET_BUFFER_LIST* list, NDIS_PACKET* packet) noexcept {
  const auto checksum =
      reinterpret_cast<std::uintptr_t>(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpIpChecksumPacketInfo)) &
      kSendChecksumRequests;
  const auto mss =
      reinterpret_cast<std::uintptr_t>(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpLargeSendPacketInfo));
  if (checksum == 0 && mss == 0) return;
  const ULONG offset = tcp_header_offset(packet->Private.Head);
  if (checksum != 0) {
    NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO info{};
    info.Value = reinterpret_cast<void*>(checksum);
    if (info.Transmit.TcpChecksum != 0) info.Transmit.TcpHeaderOffset = offset & 0x3FFU;
    list->NetBufferListInfo[TcpIpChecksumNetBufferListInfo] = info.Value;
  }
  if (mss != 0) {
    LargeSend info{};
    info.LsoV1Transmit.MSS = mss & 0xFFFFFU;
    info.LsoV1Transmit.TcpHeaderOffset = offset & 0x3FFU;
    list->NetBufferListInfo[TcpLargeSendNetBufferListInfo] = info.Value;
  }
}

/// Requests of a 6.x sender. The MSS stands at the same place in both versions of a large send.
void offload_to_packet(NDIS_PACKET* packet, NET_BUFFER_LIST* list) noexcept {
  const auto checksum =
      reinterpret_cast<std::uintptr_t>(list->NetBufferListInfo[TcpIpChecksumNetBufferListInfo]) &
      kSendChecksumRequests;
  NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpIpChecksumPacketInfo) = reinterpret_cast<void*>(checksum);
  LargeSend info{};
  info.Value = list->NetBufferListInfo[TcpLargeSendNetBufferListInfo];
  NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpLargeSendPacketInfo) =
      reinterpret_cast<void*>(static_cast<std::uintptr_t>(info.LsoV1Transmit.MSS));
}

/// How many bytes a large send has carried, from the 6.x miniport that did it to the 5.x sender.
void payload_to_packet(NDIS_PACKET* packet, NET_BUFFER_LIST* list) noexcept {
  void*& of_packet = NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpLargeSendPacketInfo);
  if (of_packet == nullptr) return;
  LargeSend info{};
  info.Value = list->NetBufferListInfo[TcpLargeSendNetBufferListInfo];
  of_packet = reinterpret_cast<void*>(static_cast<std::uintptr_t>(info.LsoV1TransmitComplete.TcpPayload));
}

/// The same the other way: `bytes` of all packets that the list was. LSOv2 has nothing to say.
void payload_to_list(NET_BUFFER_LIST* list, ULONG bytes) noexcept {
  void*& of_list = list->NetBufferListInfo[TcpLargeSendNetBufferListInfo];
  if (of_list == nullptr) return;
  LargeSend info{};
  info.Value = of_list;
  const ULONG type = info.Transmit.Type;
  info.Value = nullptr;
  if (type == NDIS_TCP_LARGE_SEND_OFFLOAD_V1_TYPE)
    info.LsoV1TransmitComplete.TcpPayload = bytes & 0x3FFFFFFFU;
  info.Transmit.Type = type & 1U;
  of_list = info.Value;
}

void info_to_list(NET_BUFFER_LIST* list, NDIS_PACKET* packet, bool send) noexcept {
  const auto packet_info = [packet](NDIS_PER_PACKET_INFO id) {
    return NDIS_PER_PACKET_INFO_FROM_PACKET(packet, id);
  };
  list->NetBufferListInfo[Ieee8021QNetBufferListInfo] = packet_info(Ieee8021QInfo);
  list->NetBufferListInfo[ClassificationHandleNetBufferListInfo] =
      packet_info(ClassificationHandlePacketInfo);
  if (send) {
    list->NetBufferListInfo[NetBufferListCancelId] = packet_info(PacketCancelId);
    NdisSetNetBufferListProtocolId(list, packet->Private.Flags & NDIS_FLAGS_PROTOCOL_ID_MASK);
    offload_to_list(list, packet);
  } else {
    const auto results =
        reinterpret_cast<std::uintptr_t>(packet_info(TcpIpChecksumPacketInfo)) & kReceiveChecksumResults;
    list->NetBufferListInfo[TcpIpChecksumNetBufferListInfo] = reinterpret_cast<void*>(results);
  }
}

void info_to_packet(NDIS_PACKET* packet, NET_BUFFER_LIST* list, bool send) noexcept {
  NDIS_PER_PACKET_INFO_FROM_PACKET(packet, Ieee8021QInfo) =
      list->NetBufferListInfo[Ieee8021QNetBufferListInfo];
  NDIS_PER_PACKET_INFO_FROM_PACKET(packet, ClassificationHandlePacketInfo) =
      list->NetBufferListInfo[ClassificationHandleNetBufferListInfo];
  if (send) {
    NDIS_SET_PACKET_CANCEL_ID(packet, list->NetBufferListInfo[NetBufferListCancelId]);
    packet->Private.Flags |=
        *reinterpret_cast<const UCHAR*>(&list->NetBufferListInfo[NetBufferListProtocolId]) &
        NDIS_FLAGS_PROTOCOL_ID_MASK;
    offload_to_packet(packet, list);
  } else {
    const auto results =
        reinterpret_cast<std::uintptr_t>(list->NetBufferListInfo[TcpIpChecksumNetBufferListInfo]) &
        kReceiveChecksumResults;
    NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpIpChecksumPacketInfo) = reinterpret_cast<void*>(results);
  }
}

/// True if the buffer's data is all of its chain: then the chain itself will do.
bool is_whole_chain(const NET_BUFFER* buffer) noexcept {
  return buffer->CurrentMdl == buffer->MdlChain && buffer->CurrentMdlOffset == 0 &&
         chain_length(buffer->MdlChain) == buffer->stDataLength;
}

}  // namespace

NET_BUFFER_LIST* list_for(NDIS_PACKET* packet, bool send) noexcept {
  NET_BUFFER_LIST* const list = ItemBook::current().lists().allocate(nullptr, 0, 0);
  if (list == nullptr) return nullptr;
  set_data(list->FirstNetBuffer, packet->Private.Head, 0, packet_length(packet));
  item_of(list)->packet = packet;
  info_to_list(list, packet, send);
  if (!send && (packet->Private.Flags & NDIS_FLAGS_IS_LOOPBACK_PACKET) != 0)
    NdisSetNblFlag(list, NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET);
  return list;
}

NDIS_PACKET* packet_for(NET_BUFFER_LIST* list, NET_BUFFER* buffer, bool send) noexcept {
  NDIS_PACKET* const packet = ItemBook::current().packets().allocate(nullptr);
  if (packet == nullptr) return nullptr;
  PacketItem& item = *item_of(packet);
  MDL* chain = buffer->MdlChain;
  if (!is_whole_chain(buffer)) {
    chain = buffer->stDataLength == 0
                ? nullptr
                : describe_part(buffer->CurrentMdl, buffer->CurrentMdlOffset, buffer->stDataLength);
    if (chain == nullptr && buffer->stDataLength != 0) {
      PacketPool::free(packet);
      return nullptr;
    }
    item.own_mdls = chain;
  }
  set_chain(packet, chain);
  item.list = list;
  info_to_packet(packet, list, send);
  if (!send && NdisTestNblFlag(list, NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET))
    packet->Private.Flags |= NDIS_FLAGS_IS_LOOPBACK_PACKET;
  return packet;
}

void free_translation(NET_BUFFER_LIST* list) noexcept {
  if (item_of(list)->ndis_data) free_mdls(list->FirstNetBuffer->MdlChain);
  NblPool::free(list);
}

void free_translation(NDIS_PACKET* packet) noexcept {
  free_mdls(item_of(packet)->own_mdls);
  PacketPool::free(packet);
}

void note_part_sent(NDIS_PACKET* packet, Hop& sent) noexcept {
  sent.payload += static_cast<ULONG>(
      reinterpret_cast<std::uintptr_t>(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpLargeSendPacketInfo)));
}

void note_all_sent(NET_BUFFER_LIST* list, const Hop& sent) noexcept {
  payload_to_list(list, sent.payload);
}

// ---- sends ----

void send_as_packets(NET_BUFFER_LIST* chain) {
  std::vector<NDIS_PACKET*> packets;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    NET_BUFFER_LIST* const next = list->Next;
    Adapter& adapter = *item_of(list)->top()->adapter;
    list->Next = nullptr;
    Hop& hop = *item_of(list)->top();
    hop.status = NDIS_STATUS_SUCCESS;
    hop.out = 0;
    const std::size_t before = packets.size();
    bool enough = true;
    for (NET_BUFFER* buffer = list->FirstNetBuffer; buffer != nullptr && enough; buffer = buffer->Next) {
      NDIS_PACKET* const packet = packet_for(list, buffer, true);
      enough = packet != nullptr;
      if (enough) packets.push_back(packet);
    }
    const auto parts = static_cast<std::uint32_t>(packets.size() - before);
    if (!enough || parts == 0) {  // all of a list is sent, or nothing
      for (; packets.size() > before; packets.pop_back()) free_translation(packets.back());
      list->Status = enough ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCES;
      if (!packets.empty()) give_packets(adapter, packets.data(), static_cast<UINT>(packets.size()));
      packets.clear();
      adapter.sends.leave();
      finish_send(list, 0);
    } else {
      hop.out = parts;
      for (std::size_t i = before; i < packets.size(); ++i) {
        PacketItem& item = *item_of(packets[i]);
        push(item, Hop::Kind::Send, &adapter, nullptr);
        item.holder = &adapter.driver().driver();
      }
      adapter.sends.add(parts - 1);  // counted packet by packet from here
    }
    if (next == nullptr && !packets.empty())
      give_packets(adapter, packets.data(), static_cast<UINT>(packets.size()));
    list = next;
  }
}

void finish_send(NET_BUFFER_LIST* list, ULONG flags) {
  list->Next = nullptr;
  const ULONG irql = kernel::irql() == DISPATCH_LEVEL ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0U;
  complete_up(*item_of(list)->top()->adapter, nullptr, list, flags | irql);
}

void end_send(NET_BUFFER_LIST* list) {
  NblItem& item = *item_of(list);
  Adapter& adapter = *item.top()->adapter;
  NDIS_PACKET* const packet = item.packet;
  const NDIS_STATUS status = list->Status;
  payload_to_packet(packet, list);
  pop(item);
  free_translation(list);
  if (Hop* const sent = find_hop(*item_of(packet), Hop::Kind::Send, &adapter); sent != nullptr)
    finish_send(packet, *sent, status);
}

bool sends_as_lists(const Adapter& adapter) noexcept {
  return adapter.is_version6() || adapter.filters.sees_sends();
}

void send_as_lists(Adapter& adapter, NDIS_PACKET** packets, UINT count) {
  FilterModule* const next = adapter.filters.first_send;
  kernel::Driver* const target = send_target(adapter, next);
  Chain chain;
  for (UINT i = 0; i < count; ++i) {
    NDIS_PACKET* const packet = packets[i];
    Hop& hop = *find_hop(*item_of(packet), Hop::Kind::Send, &adapter);
    NET_BUFFER_LIST* const list = list_for(packet, true);
    if (list == nullptr) {
      finish_send(packet, hop, NDIS_STATUS_RESOURCES);
      continue;
    }
    NblItem& item = *item_of(list);
    push(item, Hop::Kind::Send, &adapter, hop.binding);
    item.holder = target;
    item.at = next;
    list->SourceHandle = hop.binding->handle();
    chain.append(list);
  }
  if (chain.count == 0) return;
  const ULONG flags = kernel::irql() == DISPATCH_LEVEL ? NDIS_SEND_FLAGS_DISPATCH_LEVEL : 0U;
  give_sends(adapter, next, chain, NDIS_DEFAULT_PORT_NUMBER, flags);
}

// ---- receives ----

void deliver_as_packets(Binding& to, NET_BUFFER_LIST* list, bool resources) {
  NblItem& list_item = *item_of(list);
  const auto list_hop_index = static_cast<std::uint8_t>(list_item.depth - 1);
  Hop& list_hop = list_item.hops[list_hop_index];
  for (NET_BUFFER* buffer = list->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    NDIS_PACKET* const packet = packet_for(list, buffer, false);
    if (packet == nullptr) return;  // no memory: this binding misses the frame
    PacketItem& item = *item_of(packet);
    item.made_from = list_hop.adapter;
    item.list_hop = list_hop_index;
    Hop& hop = *push(item, Hop::Kind::Receive, list_hop.adapter, nullptr);
    hop.resources = resources;
    NDIS_SET_PACKET_STATUS(packet, resources ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS);
    NDIS_SET_PACKET_HEADER_SIZE(packet, static_cast<UINT>(kEthernetHeader));
    std::atomic_ref(list_hop.out).fetch_add(1, std::memory_order_relaxed);
    deliver5(to, packet, hop);
    release(packet, hop);
  }
}

}  // namespace undis::data_path
