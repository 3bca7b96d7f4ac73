// SPDX-License-Identifier: MIT
//
// OID requests through their entry points: every pair of generations, states, wrong completions.
//
// Pages   ndis/nf-ndis-ndisoidrequest, ndis/nf-ndis-ndisrequest, ndis/nf-ndis-ndismoidrequestcomplete
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

class RequestingOids : public Traffic {};

TEST_F(RequestingOids, AQueryIsAnsweredAcrossEveryPairOfGenerations) {
  for (const bool card6 : {true, false})
    for (const bool protocol6 : {true, false}) {
      restart("0");
      start(card(card6));
      Protocol& p = protocol("proto", protocol6);
      ULONG number = 0;
      EXPECT_EQ(p.oid(NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, &number, sizeof(number)),
                NDIS_STATUS_SUCCESS);
      EXPECT_EQ(number, 1500U);
      EXPECT_EQ(p.oid(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number, sizeof(number)),
                static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_SUPPORTED));
      TearDown();
    }
  tears_down = false;
}

TEST_F(RequestingOids, APendedRequestIsCompletedByCallbackAndASecondCompletionIsTold) {
  for (const bool card6 : {true, false}) {
    restart("0");
    seen = {};
    Card& nic = start(card(card6));
    Protocol& p = protocol("proto", true);
    nic.on_oid = [](NDIS_OID) { return static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING); };
    ULONG number = 0;
    EXPECT_EQ(p.oid(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number, sizeof(number)),
              static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING));
    nic.on_oid = nullptr;
    as(nic.driver, [&] {
      for (int i = 0; i < 2; ++i) {
        if (card6) {
          NDIS_OID_REQUEST other{};
          NdisMOidRequestComplete(nic.handle, &other, NDIS_STATUS_SUCCESS);  // not the one that is pended
          break;
        }
        NdisMQueryInformationComplete(nic.handle, NDIS_STATUS_NOT_SUPPORTED);
      }
    });
    if (!card6) {
      EXPECT_EQ(p.requests_done, (std::vector<NDIS_STATUS>{NDIS_STATUS_NOT_SUPPORTED}));
      expect({"NdisMQueryInformationComplete: no query is pended"});
      TearDown();
    } else {
      EXPECT_TRUE(p.requests_done.empty());
      EXPECT_EQ(seen.told, (Lines{"NdisMOidRequestComplete: this OID request is not pended"}));
    }
  }
  tears_down = false;
}

TEST_F(RequestingOids, ARequestToASerializedMiniportWaitsForItsTurn) {
  Card& made = card(false);
  made.serialized = true;
  made.send_packets = false;
  Card& nic = start(made);
  Protocol& p = protocol("proto", false);
  ULONG number = 0;
  bool sending = false;
  bool reentered = false;
  nic.on_oid = [&](NDIS_OID) {
    reentered |= sending;
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    return static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_SUPPORTED);
  };
  nic.on_send5 = [&](NDIS_PACKET*) {
    sending = true;
    EXPECT_EQ(p.oid(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number, sizeof(number)),
              static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING));
    sending = false;
    return static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
  };
  EXPECT_EQ(p.send_one(frame(1, 60)), static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS));
  EXPECT_FALSE(reentered);
  EXPECT_EQ(p.requests_done, (std::vector<NDIS_STATUS>{NDIS_STATUS_NOT_SUPPORTED}));
  nic.on_oid = nullptr;
}

TEST_F(RequestingOids, AMalformedRequestFails) {
  start(card(true));
  Protocol& p = protocol("proto", true);
  as(p.driver, [&] {
    NDIS_OID_REQUEST request{};
    EXPECT_EQ(NdisOidRequest(p.handle, &request), NDIS_STATUS_FAILURE);
  });
  expected = {"NdisOidRequest: ObjectHeaderValid"};
}

}  // namespace
}  // namespace undis::test
