// SPDX-License-Identifier: MIT
//
// Packets through an intermediate driver's hands: the same packet or list goes on, as
// NdisIMGetCurrentPacketStack allows.
//
// The driver in the middle is not built up as one: an intermediate driver's miniport half is a card and its
// protocol half a protocol of the same kernel driver, which is all that the data path sees of it.
#include "ndis/buffer_pool.h"
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
constexpr auto kPending = static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING);

class PassingOn : public Traffic {
 protected:
  /// lower card, and above it a card and a protocol that belong to one driver.
  void build(bool version6) {
    lower = &start(card(version6));
    middle_protocol = &protocol("middle", version6, NDIS_PACKET_TYPE_PROMISCUOUS);
    cards.push_back(std::make_unique<Card>(*this, version6, middle_protocol->driver));
    middle_card = &start(*cards.back());
    library->policy.binds = [](const ProtocolDriver& p, const Adapter& a) {
      return p.name() == "upper" && a.name() == "middle";
    };
    upper = &protocol("upper", version6);
    seen.told.clear();
  }
  Card* lower = nullptr;
  Protocol* middle_protocol = nullptr;
  Card* middle_card = nullptr;
  Protocol* upper = nullptr;
};

TEST_F(PassingOn, APacketGoesDownAndItsCompletionComesBackUp) {
  build(false);
  lower->hold_sends = true;
  middle_card->on_send5 = [&](NDIS_PACKET* packet) {
    BOOLEAN remaining = FALSE;
    NDIS_PACKET_STACK* const stack = NdisIMGetCurrentPacketStack(packet, &remaining);
    EXPECT_TRUE(remaining);
    stack->IMReserved[0] = 42;
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NdisSend(&status, middle_protocol->handle, packet);
    return status;
  };
  middle_protocol->on_send_complete = [&](NDIS_PACKET* packet, NDIS_STATUS status) {
    BOOLEAN remaining = FALSE;
    EXPECT_EQ(NdisIMGetCurrentPacketStack(packet, &remaining)->IMReserved[0], 42U);
    NdisMSendComplete(middle_card->handle, packet, status);
  };
  const Bytes bytes = frame(1, 100);
  EXPECT_EQ(upper->send_one(bytes), kPending);
  EXPECT_EQ(lower->sent, (std::vector<Bytes>{bytes}));
  EXPECT_TRUE(upper->completed.empty());
  lower->complete_held();
  EXPECT_EQ(upper->completed, (std::vector<NDIS_STATUS>{kSuccess}));
}

TEST_F(PassingOn, AReceivedPacketGoesUpAndComesBackDown) {
  build(false);
  middle_protocol->on_packet = [&](NDIS_PACKET* packet) {
    BOOLEAN remaining = FALSE;
    NdisIMGetCurrentPacketStack(packet, &remaining);
    EXPECT_TRUE(remaining);
    const NDIS_STATUS status = NDIS_GET_PACKET_STATUS(packet);
    NdisMIndicateReceivePacket(middle_card->handle, &packet, 1);
    return status != static_cast<NDIS_STATUS>(NDIS_STATUS_RESOURCES) ? 1 : 0;
  };
  middle_card->on_return5 = [&](NDIS_PACKET* packet) { NdisReturnPackets(&packet, 1); };
  Protocol& beside = *protocols.front();
  static_cast<void>(beside);
  upper->keep = true;
  const std::vector<Bytes> frames = {frame(1, 100), frame(1, 200)};
  lower->indicate(frames);
  EXPECT_EQ(upper->received, frames);
  EXPECT_TRUE(lower->returned.empty());
  upper->return_kept();
  EXPECT_EQ(lower->returned, frames);
  // With NDIS_STATUS_RESOURCES nobody keeps it.
  lower->indicate(frames, NDIS_RECEIVE_FLAGS_RESOURCES);
  EXPECT_EQ(upper->received.size(), 4U);
  EXPECT_EQ(lower->returned.size(), 2U);
}

TEST_F(PassingOn, AListGoesDownAndItsCompletionComesBackUp) {
  build(true);
  lower->hold_sends = true;
  NDIS_HANDLE source = nullptr;  // of all of them: what the page has it save and restore
  middle_card->on_send6 = [&](NET_BUFFER_LIST* chain) {
    source = chain->SourceHandle;
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next)
      list->SourceHandle = middle_protocol->handle;
    NdisSendNetBufferLists(middle_protocol->handle, chain, 0, 0);
  };
  middle_protocol->on_lists_complete = [&](NET_BUFFER_LIST* chain) {
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) list->SourceHandle = source;
    NdisMSendNetBufferListsComplete(middle_card->handle, chain, 0);
  };
  const std::vector<Bytes> frames = {frame(1, 100), frame(1, 200)};
  upper->send(frames);
  EXPECT_EQ(lower->sent, frames);
  lower->complete_held();
  EXPECT_EQ(upper->completed, (std::vector<NDIS_STATUS>{kSuccess, kSuccess}));
}

}  // namespace
}  // namespace undis::test
