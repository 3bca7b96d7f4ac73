// SPDX-License-Identifier: MIT
//
// What goes along with a packet or a list across the border between 5.x and 6.x; and lookahead of several
// bindings.
#include <cstring>

#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);

/// A frame with an IP header of `words` 32-bit words and a TCP header behind it; 6: IPv6.
Bytes tcp_frame(unsigned version, unsigned words = 5, bool tagged = false) {
  Bytes bytes = frame(1, 400);
  std::size_t ip = 14;
  if (tagged) {
    bytes[12] = 0x81;
    bytes[13] = 0;
    ip += 4;
  }
  bytes[ip - 2] = version == 6 ? 0x86 : 0x08;
  bytes[ip - 1] = version == 6 ? 0xDD : 0x00;
  bytes[ip] = static_cast<std::uint8_t>(version << 4 | words);
  bytes[ip + (version == 6 ? 6 : 9)] = 6;  // TCP
  return bytes;
}

void*& info(NDIS_PACKET* packet, NDIS_PER_PACKET_INFO id) {
  return NDIS_PER_PACKET_INFO_FROM_PACKET(packet, id);
}
template <class T>
T as_info(void* value) {
  T typed{};
  typed.Value = decltype(typed.Value)(value);
  return typed;
}
void* number(std::uintptr_t n) {
  return reinterpret_cast<void*>(n);
}

class Border : public Traffic {
 protected:
  using Checksum6 = NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO;
  using LargeSend6 = NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO;

  /// Sends one packet of a 5.x protocol to a 6.x card: what the card sees, and (`answer`) what it says on
  /// completion.
  void send_from5(const Bytes& bytes, const std::function<void(NDIS_PACKET*)>& prepare,
                  const std::function<void(NET_BUFFER_LIST*)>& look,
                  const std::function<void(NDIS_PACKET*)>& done = {}) {
    Card& nic = start(card(true));
    Protocol& p = protocol("five", false);
    unsigned looked = 0;
    nic.on_send6 = [&](NET_BUFFER_LIST* list) {
      ++looked;
      look(list);
      NdisMSendNetBufferListsComplete(nic.handle, list, 0);
    };
    unsigned completed = 0;
    p.on_send_complete = [&](NDIS_PACKET* packet, NDIS_STATUS status) {
      EXPECT_EQ(status, kSuccess);
      ++completed;
      if (done) done(packet);
      p.free_packet(packet);
    };
    as(p.driver, [&] {
      NDIS_PACKET* packet = p.make_packet(bytes);
      prepare(packet);
      NdisSendPackets(p.handle, &packet, 1);
    });
    EXPECT_EQ(looked, 1U);
    EXPECT_EQ(completed, 1U);
  }
  /// Sends one list of a 6.x protocol to a 5.x card.
  void send_from6(const std::vector<Bytes>& frames, const std::function<void(NET_BUFFER_LIST*)>& prepare,
                  const std::function<void(NDIS_PACKET*)>& look,
                  const std::function<void(NET_BUFFER_LIST*)>& done = {}) {
    Card& made = card(false);
    made.send_packets = false;
    Card& nic = start(made);
    Protocol& p = protocol("six", true);
    std::size_t looked = 0;
    nic.on_send5 = [&](NDIS_PACKET* packet) {
      ++looked;
      look(packet);
      return kSuccess;
    };
    unsigned completed = 0;
    p.on_lists_complete = [&](NET_BUFFER_LIST* list) {
      ++completed;
      if (done) done(list);
      p.free_list(list);
    };
    as(p.driver, [&] {
      NET_BUFFER_LIST* const list = p.make_list(frames);
      prepare(list);
      NdisSendNetBufferLists(p.handle, list, NDIS_DEFAULT_PORT_NUMBER, 0);
    });
    EXPECT_EQ(looked, frames.size());
    EXPECT_EQ(completed, 1U);
  }
};

TEST_F(Border, ChecksumRequestsOf5ComeWithTheOffsetOfTheTcpHeader) {
  const struct {
    Bytes bytes;
    ULONG offset;
  } cases[] = {{tcp_frame(4), 34},
               {tcp_frame(4, 8), 46},
               {tcp_frame(4, 5, true), 38},
               {tcp_frame(6), 54},
               {frame(1, 100), 0}};
  for (const auto& c : cases) {
    restart("0");
    send_from5(
        c.bytes,
        [](NDIS_PACKET* packet) {
          NDIS_TCP_IP_CHECKSUM_PACKET_INFO wanted{};
          wanted.Transmit.NdisPacketChecksumV4 = wanted.Transmit.NdisPacketTcpChecksum =
              wanted.Transmit.NdisPacketIpChecksum = 1;
          info(packet, TcpIpChecksumPacketInfo) = number(wanted.Value);
        },
        [&](NET_BUFFER_LIST* list) {
          const auto seen6 = as_info<Checksum6>(list->NetBufferListInfo[TcpIpChecksumNetBufferListInfo]);
          EXPECT_EQ(seen6.Transmit.IsIPv4, 1U);
          EXPECT_EQ(seen6.Transmit.IsIPv6, 0U);
          EXPECT_EQ(seen6.Transmit.TcpChecksum, 1U);
          EXPECT_EQ(seen6.Transmit.UdpChecksum, 0U);
          EXPECT_EQ(seen6.Transmit.IpHeaderChecksum, 1U);
          EXPECT_EQ(seen6.Transmit.TcpHeaderOffset, c.offset);
          EXPECT_EQ(list->NetBufferListInfo[TcpLargeSendNetBufferListInfo], nullptr);
        });
    TearDown();
  }
  tears_down = false;
}

TEST_F(Border, ChecksumRequestsOf6KeepTheirBits) {
  send_from6(
      {tcp_frame(6)},
      [](NET_BUFFER_LIST* list) {
        Checksum6 wanted{};
        wanted.Transmit.IsIPv6 = wanted.Transmit.TcpChecksum = 1;
        wanted.Transmit.TcpHeaderOffset = 54;
        list->NetBufferListInfo[TcpIpChecksumNetBufferListInfo] = wanted.Value;
      },
      [](NDIS_PACKET* packet) {
        NDIS_TCP_IP_CHECKSUM_PACKET_INFO seen5{};
        seen5.Value =
            static_cast<ULONG>(reinterpret_cast<std::uintptr_t>(info(packet, TcpIpChecksumPacketInfo)));
        EXPECT_EQ(seen5.Transmit.NdisPacketChecksumV6, 1U);
        EXPECT_EQ(seen5.Transmit.NdisPacketTcpChecksum, 1U);
        EXPECT_EQ(seen5.Value, 0x6U);
      });
}

TEST_F(Border, ALargeSendOf5IsOneOfVersion1AndItsPayloadComesBack) {
  send_from5(
      tcp_frame(4), [](NDIS_PACKET* packet) { info(packet, TcpLargeSendPacketInfo) = number(1460); },
      [](NET_BUFFER_LIST* list) {
        void*& value = list->NetBufferListInfo[TcpLargeSendNetBufferListInfo];
        const auto seen6 = as_info<LargeSend6>(value);
        EXPECT_EQ(seen6.LsoV1Transmit.MSS, 1460U);
        EXPECT_EQ(seen6.LsoV1Transmit.TcpHeaderOffset, 34U);
        EXPECT_EQ(seen6.Transmit.Type, unsigned{NDIS_TCP_LARGE_SEND_OFFLOAD_V1_TYPE});
        LargeSend6 done{};
        done.LsoV1TransmitComplete.TcpPayload = 360;
        value = done.Value;
      },
      [](NDIS_PACKET* packet) { EXPECT_EQ(info(packet, TcpLargeSendPacketInfo), number(360)); });
}

TEST_F(Border, ALargeSendOf6IsAnMssFor5AndThePayloadOfItsPacketsIsAddedUp) {
  for (const unsigned type :
       {unsigned{NDIS_TCP_LARGE_SEND_OFFLOAD_V1_TYPE}, unsigned{NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE}}) {
    restart("0");
    send_from6(
        {tcp_frame(4), tcp_frame(4)},
        [&](NET_BUFFER_LIST* list) {
          LargeSend6 wanted{};
          wanted.LsoV1Transmit.MSS = 1000;
          wanted.LsoV1Transmit.TcpHeaderOffset = 34;
          wanted.Transmit.Type = type & 1U;
          list->NetBufferListInfo[TcpLargeSendNetBufferListInfo] = wanted.Value;
        },
        [](NDIS_PACKET* packet) {
          EXPECT_EQ(info(packet, TcpLargeSendPacketInfo), number(1000));
          info(packet, TcpLargeSendPacketInfo) = number(360);
        },
        [&](NET_BUFFER_LIST* list) {
          const auto done = as_info<LargeSend6>(list->NetBufferListInfo[TcpLargeSendNetBufferListInfo]);
          EXPECT_EQ(done.Transmit.Type, type);
          EXPECT_EQ(done.LsoV1TransmitComplete.TcpPayload,
                    type == NDIS_TCP_LARGE_SEND_OFFLOAD_V1_TYPE ? 720U : 0U);
        });
    TearDown();
  }
  tears_down = false;
}

TEST_F(Border, TagsAndCancelIdsGoAlongBothWays) {
  send_from5(
      tcp_frame(4),
      [](NDIS_PACKET* packet) {
        NDIS_PACKET_8021Q_INFO tag{};
        tag.TagHeader.VlanId = 77;
        tag.TagHeader.UserPriority = 5;
        info(packet, Ieee8021QInfo) = tag.Value;
        NDIS_SET_PACKET_CANCEL_ID(packet, number(0x1234));
      },
      [](NET_BUFFER_LIST* list) {
        const auto tag =
            as_info<NDIS_NET_BUFFER_LIST_8021Q_INFO>(list->NetBufferListInfo[Ieee8021QNetBufferListInfo]);
        EXPECT_EQ(tag.TagHeader.VlanId, 77U);
        EXPECT_EQ(tag.TagHeader.UserPriority, 5U);
        EXPECT_EQ(NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(list), number(0x1234));
      });
  TearDown();
  restart("0");
  send_from6(
      {tcp_frame(4)},
      [](NET_BUFFER_LIST* list) {
        NDIS_NET_BUFFER_LIST_8021Q_INFO tag{};
        tag.TagHeader.VlanId = 99;
        list->NetBufferListInfo[Ieee8021QNetBufferListInfo] = tag.Value;
        NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(list, number(0x4321));
      },
      [](NDIS_PACKET* packet) {
        EXPECT_EQ(as_info<NDIS_PACKET_8021Q_INFO>(info(packet, Ieee8021QInfo)).TagHeader.VlanId, 99U);
        EXPECT_EQ(NDIS_GET_PACKET_CANCEL_ID(packet), number(0x4321));
      });
}

class LookaheadOfSeveralBindings : public Traffic {};

TEST_F(LookaheadOfSeveralBindings, IsTheLargestAndTheMiniportIsToldOnlyOfChanges) {
  Card& nic = start(card(false));
  Protocol& one = protocol("one", false);
  Protocol& two = protocol("two", false);
  std::vector<NDIS_OID> asked;
  nic.on_oid = [&](NDIS_OID oid) {
    asked.push_back(oid);
    return kSuccess;
  };
  ULONG lookahead = 100;
  EXPECT_EQ(one.oid(NdisRequestSetInformation, OID_GEN_CURRENT_LOOKAHEAD, &lookahead, sizeof(lookahead)),
            kSuccess);
  EXPECT_EQ(asked, (std::vector<NDIS_OID>{OID_GEN_CURRENT_LOOKAHEAD}));
  EXPECT_EQ(nic.adapter->applied_lookahead, 100U);
  lookahead = 50;
  EXPECT_EQ(two.oid(NdisRequestSetInformation, OID_GEN_CURRENT_LOOKAHEAD, &lookahead, sizeof(lookahead)),
            kSuccess);
  EXPECT_EQ(asked.size(), 1U);
  lookahead = 200;
  nic.on_oid = [](NDIS_OID) { return static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_SUPPORTED); };
  EXPECT_NE(two.oid(NdisRequestSetInformation, OID_GEN_CURRENT_LOOKAHEAD, &lookahead, sizeof(lookahead)),
            kSuccess);
  EXPECT_EQ(nic.adapter->merged_lookahead(), 100U);
  EXPECT_EQ(nic.adapter->applied_lookahead, 100U);
  nic.on_oid = nullptr;
}

class AskingForWhatIsPended : public Traffic {};

TEST_F(AskingForWhatIsPended, CountsSendsOfTheBinding) {
  Card& nic = start(card(false));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", false);
  p.send({frame(1, 60), frame(1, 61)});
  as(p.driver, [&] {
    ULONG count = 0;
    EXPECT_EQ(NdisQueryPendingIOCount(p.handle, &count), kSuccess);
    EXPECT_EQ(count, 2U);
  });
  nic.complete_held();
  as(p.driver, [&] {
    ULONG count = 7;
    EXPECT_EQ(NdisQueryPendingIOCount(p.handle, &count), kSuccess);
    EXPECT_EQ(count, 0U);
  });
}

TEST_F(AskingForWhatIsPended, AReceivedPacketSaysWhenItWasSentAndWhatItsMediumAdds) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto-lookahead", false);
  unsigned asked = 0;
  p.on_receive = [&](NDIS_HANDLE mac, UINT, UINT) {
    NDIS_PACKET* const packet = NdisGetReceivedPacket(p.handle, mac);
    ASSERT_NE(packet, nullptr);
    UCHAR extra[] = {1, 2, 3};
    NDIS_SET_PACKET_TIME_SENT(packet, 11);
    NDIS_SET_PACKET_TIME_RECEIVED(packet, 22);
    NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO(packet, extra, sizeof(extra));
    LONGLONG sent = 0;
    LONGLONG received = 0;
    UCHAR buffer[8] = {};
    UINT needed = 0;
    EXPECT_EQ(NdisQueryReceiveInformation(p.handle, mac, &sent, &received, buffer, 2, &needed),
              static_cast<NDIS_STATUS>(NDIS_STATUS_BUFFER_TOO_SHORT));
    EXPECT_EQ(needed, sizeof(extra));
    EXPECT_EQ(NdisQueryReceiveInformation(p.handle, mac, &sent, &received, buffer, sizeof(buffer), &needed),
              kSuccess);
    EXPECT_EQ(sent, 11);
    EXPECT_EQ(received, 22);
    EXPECT_EQ(std::memcmp(buffer, extra, sizeof(extra)), 0);
    EXPECT_EQ(NdisQueryReceiveInformation(p.handle, &p, &sent, &received, buffer, sizeof(buffer), &needed),
              static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE));
    NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO(packet, nullptr, 0);
    ++asked;
  };
  nic.indicate({frame(1, 80)});
  EXPECT_EQ(asked, 1U);
}

}  // namespace
}  // namespace undis::test
