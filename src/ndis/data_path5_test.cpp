// SPDX-License-Identifier: MIT
//
// What only NDIS 5 has: statuses that come back at once, serialized miniports, lookahead and transfers,
// return counts.
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);

std::vector<Bytes> some_frames(std::size_t count = 5) {
  std::vector<Bytes> frames;
  for (std::size_t i = 0; i < count; ++i) frames.push_back(frame(1, 46 + i * 101, static_cast<unsigned>(i)));
  return frames;
}

class Sending5 : public Traffic {};

TEST_F(Sending5, NdisSendReturnsWhatTheMiniportReturns) {
  Card& made = card(false);
  made.send_packets = false;
  Card& nic = start(made);
  Protocol& p = protocol("proto", false);
  EXPECT_EQ(p.send_one(frame(1, 60)), kSuccess);
  EXPECT_TRUE(p.completed.empty());
  nic.on_send5 = [](NDIS_PACKET*) { return static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_ACCEPTED); };
  EXPECT_EQ(p.send_one(frame(1, 60)), static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_ACCEPTED));
  nic.on_send5 = nullptr;
  nic.hold_sends = true;
  EXPECT_EQ(p.send_one(frame(1, 60)), static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING));
  nic.complete_held();
  EXPECT_EQ(p.completed, (std::vector<NDIS_STATUS>{kSuccess}));
}

TEST_F(Sending5, APacketThatIsCompletedAndReturnedWithAStatusIsTold) {
  Card& made = card(false);
  made.send_packets = false;
  Card& nic = start(made);
  Protocol& p = protocol("proto", false);
  nic.on_send5 = [&](NDIS_PACKET* packet) {
    NdisMSendComplete(nic.handle, packet, NDIS_STATUS_SUCCESS);
    return kSuccess;
  };
  as(p.driver, [&] {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NdisSend(&status, p.handle, p.make_packet(frame(1, 60)));
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING));
  });
  expect({"NdisSend: PacketDoubleComplete"});
}

TEST_F(Sending5, CompletingAPacketTwiceIsTold) {
  Card& nic = start(card(false));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", false);
  p.send(some_frames(1));
  NDIS_PACKET* const packet = nic.held_packets.front();
  nic.complete_held();
  as(nic.driver, [&] { NdisMSendComplete(nic.handle, packet, NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(p.completed.size(), 1U);
  expect({"NdisMSendComplete: PacketDoubleComplete"});
}

TEST_F(Sending5, FreeingAPacketThatIsSentIsTold) {
  Card& nic = start(card(false));
  nic.hold_sends = true;
  Protocol& p = protocol("proto", false);
  p.send(some_frames(1));
  as(p.driver, [&] { NdisFreePacket(nic.held_packets.front()); });
  nic.complete_held();
  expect({"NdisFreePacket: PacketMisuse"});
}

TEST_F(Sending5, ASerializedMiniportIsNeverReenteredAndRunsAtDispatch) {
  Card& made = card(false);
  made.serialized = true;
  made.send_packets = false;
  Card& nic = start(made);
  Protocol& p = protocol("proto", false);
  unsigned depth = 0;
  nic.on_send5 = [&](NDIS_PACKET* packet) {
    nic.sent.push_back(bytes_of_packet(packet));
    if (depth++ == 0)
      p.send({frame(1, 61), frame(1, 62)});  // from inside MiniportSend, as an indication would cause it
    return kSuccess;
  };
  EXPECT_EQ(p.send_one(frame(1, 60)), kSuccess);
  EXPECT_EQ(nic.sent, (std::vector<Bytes>{frame(1, 60), frame(1, 61), frame(1, 62)}));
  EXPECT_EQ(nic.most_inside, 1U);
  EXPECT_EQ(nic.send_irqls, std::vector<KIRQL>(3, DISPATCH_LEVEL));
  EXPECT_EQ(p.completed.size(), 2U);
}

TEST_F(Sending5, ASerializedMiniportWithoutRoomGetsThePacketAgain) {
  Card& made = card(false);
  made.serialized = true;
  made.send_packets = false;
  Card& nic = start(made);
  Protocol& p = protocol("proto", false);
  bool room = false;
  nic.on_send5 = [&](NDIS_PACKET* packet) {
    if (!room) return static_cast<NDIS_STATUS>(NDIS_STATUS_RESOURCES);
    nic.sent.push_back(bytes_of_packet(packet));
    return kSuccess;
  };
  p.send(some_frames(3));
  EXPECT_TRUE(nic.sent.empty());
  room = true;
  as(nic.driver, [&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisMSendResourcesAvailable(nic.handle);
  });
  EXPECT_EQ(nic.sent, some_frames(3));
  EXPECT_EQ(p.completed.size(), 3U);
}

class Receiving5 : public Traffic {};

TEST_F(Receiving5, AProtocolWithoutReceivePacketGetsLookaheadAtDispatchAndTransfersTheRest) {
  for (const bool card6 : {true, false}) {
    restart("0");
    Card& nic = start(card(card6));
    Protocol& p = protocol("proto-lookahead", false);
    ULONG lookahead = 40;
    p.oid(NdisRequestSetInformation, OID_GEN_CURRENT_LOOKAHEAD, &lookahead, sizeof(lookahead));
    const std::vector<Bytes> frames = some_frames(3);
    nic.indicate(frames);
    EXPECT_EQ(p.received, frames);
    EXPECT_EQ(p.receive_irqls, std::vector<KIRQL>(3, DISPATCH_LEVEL));
    EXPECT_EQ(p.receive_completes, 1U);
    EXPECT_EQ(nic.returned, frames);
    TearDown();
  }
  tears_down = false;
}

TEST_F(Receiving5, ALookaheadIndicationIsTransferredFromTheMiniport) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  Protocol& six = protocol("six", true);
  const Bytes bytes = frame(1, 700);
  nic.on_transfer = [&](NDIS_PACKET* packet, UINT* transferred, UINT offset, UINT count) {
    MDL* mdl = packet->Private.Head;
    UINT done = 0;
    for (; mdl != nullptr && done < count; mdl = mdl->Next) {
      const UINT here = std::min(count - done, mdl->ByteCount);
      std::copy_n(bytes.begin() + 14 + offset + done, here,
                  static_cast<std::uint8_t*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority)));
      done += here;
    }
    *transferred = done;
    return kSuccess;
  };
  nic.indicate_lookahead(bytes, 100);
  EXPECT_EQ(p.received, (std::vector<Bytes>{bytes}));
  EXPECT_EQ(p.receive_completes, 1U);
  EXPECT_EQ(six.received, (std::vector<Bytes>{bytes}));
  nic.indicate_lookahead(bytes, bytes.size() - 14);
  EXPECT_EQ(six.received.size(), 2U);
  EXPECT_EQ(six.received.back(), bytes);
}

TEST_F(Receiving5, APendedTransferIsCompletedLater) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  const Bytes bytes = frame(1, 300);
  NDIS_PACKET* pended = nullptr;
  nic.on_transfer = [&](NDIS_PACKET* packet, UINT*, UINT, UINT) {
    pended = packet;
    return static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING);
  };
  nic.indicate_lookahead(bytes, 100);
  ASSERT_NE(pended, nullptr);
  EXPECT_EQ(p.received.back().size(), 114U);
  EXPECT_EQ(nic.adapter->receives.inside(), 1U);
  as(nic.driver, [&] {
    UINT at = 114;
    for (MDL* mdl = pended->Private.Head; mdl != nullptr; at += mdl->ByteCount, mdl = mdl->Next)
      std::copy_n(bytes.begin() + at, mdl->ByteCount, static_cast<std::uint8_t*>(mdl->MappedSystemVa));
    NdisMTransferDataComplete(nic.handle, pended, NDIS_STATUS_SUCCESS, 200);
  });
  EXPECT_EQ(p.received.back(), bytes);
  EXPECT_EQ(nic.adapter->receives.inside(), 0U);
}

TEST_F(Receiving5, TransferDataOutsideTheIndicationIsTold) {
  start(card(false));
  Protocol& p = protocol("proto", false);
  as(p.driver, [&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NDIS_PACKET* const packet = p.make_packet(Bytes(100));
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    UINT transferred = 0;
    NdisTransferData(&status, p.handle, &p, 0, 100, packet, &transferred);
    EXPECT_EQ(status, static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE));
    p.free_packet(packet);
  });
  expect({"NdisTransferData: PacketMisuse"});
}

TEST_F(Receiving5, NdisGetReceivedPacketGivesThePacketInsideReceiveOnly) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto-lookahead", false);
  NDIS_HANDLE context = nullptr;
  NDIS_PACKET* inside = nullptr;
  p.on_receive = [&](NDIS_HANDLE mac, UINT, UINT) {
    context = mac;
    inside = NdisGetReceivedPacket(p.handle, mac);
  };
  nic.indicate(some_frames(1));
  EXPECT_NE(inside, nullptr);
  as(p.driver, [&] { EXPECT_EQ(NdisGetReceivedPacket(p.handle, context), nullptr); });
  p.on_receive = [&](NDIS_HANDLE mac, UINT, UINT) { inside = NdisGetReceivedPacket(p.handle, mac); };
  nic.indicate_lookahead(frame(1, 60), 60);
  EXPECT_EQ(inside, nullptr);
}

TEST_F(Receiving5, APacketMayBeReturnedSeveralTimesAndOnceTooOftenIsTold) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  NDIS_PACKET* kept = nullptr;
  p.on_packet = [&](NDIS_PACKET* packet) {
    kept = packet;
    return 2;
  };
  nic.indicate(some_frames(1));
  as(p.driver, [&] {
    NdisReturnPackets(&kept, 1);
    EXPECT_TRUE(nic.returned.empty());
    NdisReturnPackets(&kept, 1);
    EXPECT_EQ(nic.returned.size(), 1U);
    NdisReturnPackets(&kept, 1);
  });
  expect({"NdisReturnPackets: PacketDoubleComplete"});
}

TEST_F(Receiving5, APacketMayBeReturnedBeforeReceivePacketReturns) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  p.on_packet = [&](NDIS_PACKET* packet) {
    NdisReturnPackets(&packet, 1);
    return 1;
  };
  nic.indicate(some_frames(2));
  EXPECT_EQ(nic.returned.size(), 2U);
  p.on_packet = [&](NDIS_PACKET* packet) {
    NdisReturnPackets(&packet, 1);
    return 0;
  };
  nic.indicate(some_frames(1));
  EXPECT_EQ(nic.returned.size(), 3U);
  expect({"NdisMIndicateReceivePacket: PacketDoubleComplete"});
}

TEST_F(Receiving5, KeepingAPacketWithStatusResourcesIsTold) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  p.on_packet = [](NDIS_PACKET*) { return 1; };
  nic.indicate(some_frames(1), NDIS_RECEIVE_FLAGS_RESOURCES);
  expect({"NdisMIndicateReceivePacket: PacketMisuse"});
}

TEST_F(Receiving5, ASerializedMiniportSeesInThePacketWhetherItIsKept) {
  Card& made = card(false);
  made.serialized = true;
  Card& nic = start(made);
  Protocol& p = protocol("proto", false);
  nic.indicate(some_frames(2));  // takes back what is not PENDING
  EXPECT_TRUE(nic.returned.empty());
  p.keep = true;
  nic.indicate(some_frames(2));
  EXPECT_TRUE(nic.returned.empty());
  p.return_kept();
  EXPECT_EQ(nic.returned.size(), 2U);
}

// LIFE-349
TEST_F(Receiving5, AHaltWaitsForWhatProtocolsHold) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  p.keep = true;
  nic.indicate(some_frames(2));
  bool halted = false;
  nic.on_halt = [&] {
    halted = true;
    EXPECT_EQ(nic.returned.size(), 2U);
  };
  system->spawn("removal", [&] { remove_device(*nic.adapter); });
  settle();
  EXPECT_FALSE(halted);
  p.return_kept();
  settle();
  EXPECT_TRUE(halted);
  nic.on_halt = nullptr;
  nic.adapter = nullptr;
}

// LIFE-349
TEST_F(Receiving5, WhatIsIndicatedInsideTheHaltComesBackAndGoesNowhere) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  const std::vector<Bytes> frames = some_frames(2);
  nic.on_halt = [&] {
    nic.indicate(frames);
    EXPECT_EQ(nic.returned, frames) << "the driver may not free their pool before they are back";
    nic.indicate_lookahead(frames.front(), 60);
  };
  system->spawn("removal", [&] { remove_device(*nic.adapter); });
  settle();
  nic.on_halt = nullptr;
  nic.adapter = nullptr;
  EXPECT_TRUE(p.received.empty());
  EXPECT_TRUE(seen.blank_moves.empty());
}

TEST_F(Receiving5, WhatIsIndicatedAfterTheHaltIsTold) {
  Card& nic = start(card(false));
  Protocol& p = protocol("proto", false);
  system->spawn("stop", [&] { stop_device(*nic.adapter); });
  settle();
  nic.indicate_lookahead(frame(1, 60), 60);
  EXPECT_TRUE(p.received.empty());
  EXPECT_EQ(seen.blank_moves, (Lines{"adapter Halted SendReceive"}));
}

}  // namespace
}  // namespace undis::test
