// SPDX-License-Identifier: MIT
//
// Net buffer lists, OID requests and status on virtual connections; and one connection whole, each way, with
// both kinds of manager. Pages: network/sending-net-buffer-structures-from-condis-drivers,
// network/receiving-net-buffer-structures-in-condis-drivers, network/condis-protocol-driver-oid-requests,
// network/condis-mcm-oid-requests, network/condis-miniport-driver-status-indications.
#include "co_fakes.h"
#include "kernel/unicode.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

class OnAVc : public CoTest, public ::testing::WithParamInterface<CoTest::Manager> {
 protected:
  void SetUp() override {
    CoTest::SetUp();
    manager_ = GetParam();
    up(GetParam());
    calls.clear();
  }
  void TearDown() override {
    down();
    CoTest::TearDown();
  }
  std::string m(const char* name) const { return manager_name() + " " + name; }
  NDIS_HANDLE miniport_vc() const { return integrated() ? cm_vc : mp_vc; }
  std::uint8_t byte_of(NET_BUFFER_LIST* list) { return lab::bytes_of(NET_BUFFER_LIST_FIRST_NB(list)).at(0); }
  void send(std::uint8_t byte) { NdisCoSendNetBufferLists(cl_vc, list_of(cl, byte), 0); }
  void complete_sent() {
    for (NET_BUFFER_LIST* list : std::exchange(sent, {}))
      NdisMCoSendNetBufferListsComplete(miniport_vc(), list, 0);
    for (NET_BUFFER_LIST* list : std::exchange(send_completed, {})) free(list);
  }
  void return_received() {
    for (NET_BUFFER_LIST* list : std::exchange(received, {}))
      NdisReturnNetBufferLists(binding_of(cl), list, 0);
    for (NET_BUFFER_LIST* list : std::exchange(returned, {})) free(list);
  }
  NDIS_OID_REQUEST query(ULONG* value) {
    NDIS_OID_REQUEST request{};
    request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                      NDIS_SIZEOF_OID_REQUEST_REVISION_1};
    request.RequestType = NdisRequestQueryInformation;
    request.DATA.QUERY_INFORMATION.Oid = OID_GEN_CO_LINK_SPEED;
    request.DATA.QUERY_INFORMATION.InformationBuffer = value;
    request.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(*value);
    return request;
  }
};
INSTANTIATE_TEST_SUITE_P(Of, OnAVc,
                         ::testing::Values(CoTest::Manager::StandAlone, CoTest::Manager::Integrated),
                         [](const auto& given) {
                           return std::string(given.param == CoTest::Manager::Integrated
                                                  ? "AnIntegratedManager"
                                                  : "AStandAloneManager");
                         });

// ---- data ----

TEST_P(OnAVc, WhatTheClientSendsComesToTheMiniportAndBack) {
  run([&] {
    connect_out();
    send(1);
    send(2);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(byte_of(sent[1]), 2);
    std::ranges::reverse(sent);  // in any order
    complete_sent();
    EXPECT_EQ(count("cl CoSendNetBufferListsComplete"), 2U);
    hang_up();
  });
}

TEST_P(OnAVc, WhatTheMiniportIndicatesComesToTheClientAndBack) {
  run([&] {
    connect_out();
    NdisMCoIndicateReceiveNetBufferLists(miniport_vc(), list_of(mp, 3), 1, 0);
    ASSERT_EQ(received.size(), 1U);
    EXPECT_EQ(byte_of(received[0]), 3);
    EXPECT_EQ(count("mp MiniportReturnNetBufferLists"), 0U);
    return_received();
    EXPECT_EQ(count("mp MiniportReturnNetBufferLists"), 1U);
    NET_BUFFER_LIST* const shown = list_of(mp, 4);
    NdisMCoIndicateReceiveNetBufferLists(miniport_vc(), shown, 1, NDIS_RECEIVE_FLAGS_RESOURCES);
    EXPECT_EQ(count("cl CoReceiveNetBufferLists"), 2U);
    free(shown);  // the miniport's again
    hang_up();
  });
}

TEST_P(OnAVc, ASendBeforeTheCallIsConnectedIsToldAndComesBack) {
  run([&] {
    client_creates_vc();
    send(1);
    ASSERT_EQ(send_completed.size(), 1U);
    EXPECT_EQ(NET_BUFFER_LIST_STATUS(send_completed[0]),
              static_cast<NDIS_STATUS>(NDIS_STATUS_VC_NOT_ACTIVATED));
    complete_sent();
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    send(1);
    ASSERT_EQ(send_completed.size(), 1U);
    EXPECT_EQ(NET_BUFFER_LIST_STATUS(send_completed[0]), static_cast<NDIS_STATUS>(NDIS_STATUS_CLOSING));
    complete_sent();
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(count("mp MiniportCoSendNetBufferLists"), 0U);
  expect({"host: StateTable", "host: StateTable"});
}

TEST_P(OnAVc, AnIndicationOnAnInactiveOneIsToldAndGoesBack) {
  run([&] {
    client_creates_vc();
    NdisMCoIndicateReceiveNetBufferLists(miniport_vc(), list_of(mp, 3), 1, 0);
    EXPECT_EQ(count("cl CoReceiveNetBufferLists"), 0U);
    return_received();
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(count("mp MiniportReturnNetBufferLists"), 1U);
  expect({"host: StateTable"});
}

TEST_P(OnAVc, ACallThatIsClosedWithSendsOutIsTold) {
  run([&] {
    connect_out();
    send(1);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);  // and the miniport, which has it still
    complete_sent();
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: CoSendsBackBeforeClose", "mp: CoDeactivatedEmpty"});
}

TEST_P(OnAVc, ADeactivationWithIndicatedListsOutIsTold) {
  NET_BUFFER_LIST* kept = nullptr;
  NDIS_HANDLE pool = nullptr;
  // A pool of the miniport driver's own: it is made inside one of its callbacks.
  hooks["mp MiniportCoOidRequest"] = [&] {
    const std::uint8_t byte = 9;
    pool = lab::make_pool(nullptr, kTag);
    kept = lab::make_list(pool, FrameView(&byte, 1), kTag);
    NdisMCoIndicateReceiveNetBufferLists(miniport_vc(), kept, 1, 0);
  };
  run([&] {
    connect_out();
    ULONG value = 0;
    NDIS_OID_REQUEST request = query(&value);
    EXPECT_EQ(NdisCoOidRequest(binding_of(cl), nullptr, cl_vc, nullptr, &request), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    return_received();
    NdisFreeNetBufferListPool(pool);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"mp: CoDeactivatedEmpty"});
}

TEST_P(OnAVc, AListThatIsCompletedTwiceIsTold) {
  run([&] {
    connect_out();
    send(1);
    NET_BUFFER_LIST* const list = sent.at(0);
    NdisMCoSendNetBufferListsComplete(miniport_vc(), list, 0);
    NdisMCoSendNetBufferListsComplete(miniport_vc(), list, 0);
    sent.clear();
    complete_sent();
    hang_up();
  });
  ASSERT_EQ(violations().size(), 1U);
  expect(violations());
}

// ---- requests ----

TEST_P(OnAVc, ARequestToTheMiniportIsAnsweredAtOnceOrLater) {
  run([&] {
    client_creates_vc();
    ULONG value = 0;
    NDIS_OID_REQUEST request = query(&value);
    EXPECT_EQ(NdisCoOidRequest(binding_of(cl), nullptr, cl_vc, nullptr, &request), NDIS_STATUS_SUCCESS);
    answers["mp MiniportCoOidRequest"] = NDIS_STATUS_PENDING;
    NDIS_OID_REQUEST second = query(&value);
    EXPECT_EQ(NdisCoOidRequest(binding_of(cl), nullptr, nullptr, nullptr, &request), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisCoOidRequest(binding_of(cl), nullptr, nullptr, nullptr, &second),
              NDIS_STATUS_PENDING);  // not one at a time
    NdisMCoOidRequestComplete(card(), nullptr, &second, NDIS_STATUS_NOT_SUPPORTED);
    EXPECT_EQ(result("cl CoOidRequestComplete"), NDIS_STATUS_NOT_SUPPORTED);
    NdisMCoOidRequestComplete(card(), nullptr, &request, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(result("cl CoOidRequestComplete"), NDIS_STATUS_SUCCESS);
    NdisMCoOidRequestComplete(card(), nullptr, &request, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: DoubleComplete"});
}

TEST_P(OnAVc, ARequestGoesToTheOtherDriverOfTheAddressFamily) {
  run([&] {
    client_creates_vc();
    ULONG value = 0;
    NDIS_OID_REQUEST request = query(&value);
    EXPECT_EQ(NdisCoOidRequest(binding_of(cl), cl_af, cl_vc, nullptr, &request), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(count(m("CoOidRequest")), 1U);
    answers[m("CoOidRequest")] = answers["cl CoOidRequest"] = NDIS_STATUS_PENDING;
    EXPECT_EQ(NdisCoOidRequest(binding_of(cl), cl_af, nullptr, nullptr, &request), NDIS_STATUS_PENDING);
    NdisCoOidRequestComplete(cm_af, nullptr, nullptr, asked, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(result("cl CoOidRequestComplete"), NDIS_STATUS_SUCCESS);
    // The other way: OID_CO_AF_CLOSE and the like.
    EXPECT_EQ(integrated() ? NdisMCmOidRequest(cm_af, cm_vc, nullptr, &request)
                           : NdisCoOidRequest(binding_of(cm), cm_af, cm_vc, nullptr, &request),
              NDIS_STATUS_PENDING);
    NdisCoOidRequestComplete(cl_af, cl_vc, nullptr, asked, NDIS_STATUS_NOT_SUPPORTED);
    EXPECT_EQ(result(m("CoOidRequestComplete")), NDIS_STATUS_NOT_SUPPORTED);
    NdisCoOidRequestComplete(cl_af, cl_vc, nullptr, asked, NDIS_STATUS_NOT_SUPPORTED);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: DoubleComplete"});
}

// ---- status ----

TEST_P(OnAVc, AStatusGoesToThoseWhoShareItOrToAll) {
  run([&] {
    client_creates_vc();
    NDIS_STATUS_INDICATION status{};
    status.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                     NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
    status.SourceHandle = card();
    status.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
    NdisMCoIndicateStatusEx(card(), miniport_vc(), &status);
    EXPECT_EQ(result("cl CoStatusEx"), NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
    EXPECT_EQ(count("cm CoStatusEx"), integrated() ? 0U : 1U);
    NdisMCoIndicateStatusEx(card(), nullptr, &status);
    EXPECT_EQ(count("cl CoStatusEx"), 2U);
    status.DestinationHandle = binding_of(cl);
    NdisMCoIndicateStatusEx(card(), nullptr, &status);
    EXPECT_EQ(count("cl CoStatusEx"), 3U);
    EXPECT_EQ(count("cm CoStatusEx"), integrated() ? 0U : 2U);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
}

// ---- names ----

TEST_P(OnAVc, ATapiCallIdLeadsBackToTheClientsContext) {
  run([&] {
    client_creates_vc();
    KIRQL before = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &before);
    struct {
      VAR_STRING head;
      char text[64];
    } id{};
    id.head.ulTotalSize = sizeof(id.head);
    EXPECT_EQ(NdisCoGetTapiCallId(cl_vc, &id.head), NDIS_STATUS_BUFFER_TOO_SHORT);
    id.head.ulTotalSize = sizeof(id);
    EXPECT_LE(id.head.ulNeededSize, sizeof(id));
    EXPECT_EQ(NdisCoGetTapiCallId(cl_vc, &id.head), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(id.head.ulStringSize, std::string(id.text).size() + 1);
    const WideString wide(kernel::to_utf16(id.text));
    NDIS_HANDLE context = nullptr;
    EXPECT_EQ(NdisClGetProtocolVcContextFromTapiCallId(*wide.get(), &context), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(context, &cl_vc_context);
    const WideString other(u"nobody");
    EXPECT_EQ(NdisClGetProtocolVcContextFromTapiCallId(*other.get(), &context), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisCoGetTapiCallId(cm_vc, &id.head), NDIS_STATUS_INVALID_DATA);
    KeLowerIrql(before);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: HandleMisuse"});
}

TEST_P(OnAVc, AnInstanceNameIsGivenOnce) {
  run([&] {
    client_creates_vc();
    KIRQL before = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &before);
    const WideString base(u"line ");
    const WideString again(u"other ");
    NDIS_STRING first{};
    NDIS_STRING second{};
    EXPECT_EQ(NdisCoAssignInstanceName(cl_vc, base.get(), &first), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoAssignInstanceName(cl_vc, again.get(), &second), NDIS_STATUS_SUCCESS);
    EXPECT_TRUE(kernel::view(&first).starts_with(u"line "));
    EXPECT_GT(kernel::view(&first).size(), 5U);
    EXPECT_EQ(kernel::view(&first), kernel::view(&second));
    NdisFreeString(first);
    NdisFreeString(second);
    KeLowerIrql(before);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
}

// ---- whole ----

// LIFE-343, LIFE-344, LIFE-345
TEST_P(OnAVc, AConnectionLivesEachWayUntilTheManagerAsksForItsEnd) {
  run([&] {
    connect_out();
    send(1);
    NdisMCoIndicateReceiveNetBufferLists(miniport_vc(), list_of(mp, 2), 1, 0);
    complete_sent();
    return_received();
    const NDIS_HANDLE outgoing = cl_vc;
    const NDIS_HANDLE outgoing_of_manager = cm_vc;
    register_sap();
    manager_creates_vc();
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCmDispatchIncomingCall(cm_sap, cm_vc, &parameters), NDIS_STATUS_SUCCESS);
    NdisCmDispatchCallConnected(cm_vc);
    EXPECT_EQ(vcs().size(), 2U);
    send(3);
    NdisMCoIndicateReceiveNetBufferLists(miniport_vc(), list_of(mp, 4), 1, 0);
    ASSERT_EQ(received.size(), 1U);
    EXPECT_EQ(byte_of(received[0]), 4);
    complete_sent();
    return_received();
    // The client ends everything when the call manager asks for it, later.
    answers["cl ClNotifyCloseAf"] = NDIS_STATUS_PENDING;
    EXPECT_EQ(NdisCmNotifyCloseAddressFamily(cm_af), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
    cl_vc = outgoing;
    cm_vc = outgoing_of_manager;
    hang_up();
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClCloseAddressFamily(cl_af), NDIS_STATUS_SUCCESS);
    NdisClNotifyCloseAddressFamilyComplete(std::exchange(cl_af, nullptr), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(result("CmNotifyCloseAfComplete"), NDIS_STATUS_SUCCESS);
    EXPECT_TRUE(nic()->co->address_families().empty());
    EXPECT_TRUE(vcs().empty());
  });
}

}  // namespace
}  // namespace undis::test
