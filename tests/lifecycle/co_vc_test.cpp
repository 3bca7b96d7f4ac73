// SPDX-License-Identifier: MIT
//
// Virtual connections and the calls and parties on them: each step at once and later, refused, in a wrong
// state, by the wrong driver. Pages: network/creating-a-vc, network/activating-a-vc,
// network/deactivating-a-vc, network/deleting-a-vc, network/making-a-call,
// network/indicating-an-incoming-call, network/adding-a-party-to-a-multipoint-call.
#include "co_fakes.h"

namespace undis::test {
namespace {

class AVc : public CoTest, public ::testing::WithParamInterface<CoTest::Manager> {
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
};
INSTANTIATE_TEST_SUITE_P(Of, AVc, ::testing::Values(CoTest::Manager::StandAlone, CoTest::Manager::Integrated),
                         [](const auto& given) {
                           return std::string(given.param == CoTest::Manager::Integrated
                                                  ? "AnIntegratedManager"
                                                  : "AStandAloneManager");
                         });

/// The stand-alone call manager only: what goes to the miniport.
class AVcOfAManager : public CoTest {
 protected:
  void SetUp() override {
    CoTest::SetUp();
    up();
    calls.clear();
  }
  void TearDown() override {
    down();
    CoTest::TearDown();
  }
};

// ---- life ----

TEST_P(AVc, IsMadeByTheClientAndToldToTheOthers) {
  run([&] {
    client_creates_vc();
    EXPECT_NE(cl_vc, cm_vc);  // each driver has a handle of its own
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(calls, integrated() ? (Lines{"mp CoCreateVc", "mp CoDeleteVc"})
                                : (Lines{"mp MiniportCoCreateVc", "cm CoCreateVc", "cm CoDeleteVc",
                                         "mp MiniportCoDeleteVc"}));
}

TEST_P(AVc, IsMadeByTheManagerForAnIncomingCall) {
  run([&] {
    manager_creates_vc();
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(calls, integrated() ? (Lines{"cl CoCreateVc", "cl CoDeleteVc"})
                                : (Lines{"mp MiniportCoCreateVc", "cl CoCreateVc", "cl CoDeleteVc",
                                         "mp MiniportCoDeleteVc"}));
}

TEST_P(AVc, ThatOneOfThemRefusesIsTakenBack) {
  answers[m("CoCreateVc")] = NDIS_STATUS_RESOURCES;
  run([&] {
    EXPECT_EQ(NdisCoCreateVc(binding_of(cl), cl_af, &cl_vc_context, &cl_vc), NDIS_STATUS_RESOURCES);
  });
  EXPECT_EQ(count("mp MiniportCoDeleteVc"), integrated() ? 0U : 1U);
  EXPECT_TRUE(vcs().empty());
}

TEST_P(AVc, WhoseCreationIsPendedIsReportedAndDeleted) {
  answers[m("CoCreateVc")] = NDIS_STATUS_PENDING;
  run([&] { EXPECT_EQ(NdisCoCreateVc(binding_of(cl), cl_af, &cl_vc_context, &cl_vc), NDIS_STATUS_FAILURE); });
  EXPECT_EQ(count(m("CoDeleteVc")), 1U);
  expect({manager_name() + ": CallbackStatus"});
}

TEST_P(AVc, NeedsAnAddressFamilyThatIsOpen) {
  run([&] {
    EXPECT_EQ(NdisCoCreateVc(binding_of(cl), cl_vc, &cl_vc_context, &cl_vc),
              integrated() ? NDIS_STATUS_FAILURE : NDIS_STATUS_FAILURE);
    int foreign = 0;
    EXPECT_EQ(NdisCoCreateVc(binding_of(cl), &foreign, &cl_vc_context, &cl_vc), NDIS_STATUS_FAILURE);
  });
  expect({"host: HandleMisuse"});
}

// LIFE-345
TEST_P(AVc, ThatIsDeletedWhileItIsActiveIsReportedAndStays) {
  run([&] {
    connect_out();
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_NOT_ACCEPTED);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc),
              NDIS_STATUS_NOT_ACCEPTED);  // no call any more, and still active: known already
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: LIFE-345"});
}

// LIFE-345
TEST_P(AVc, WhoseHandleIsUsedAfterTheDeleteIsReported) {
  run([&] {
    client_creates_vc();
    const NDIS_HANDLE kept = cl_vc;
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClMakeCall(kept, &parameters, nullptr, nullptr), NDIS_STATUS_FAILURE);
  });
  expect({"host: LIFE-345"});
}

TEST_P(AVc, IsDeletedByItsCreatorOnly) {
  run([&] {
    client_creates_vc();
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_NOT_ACCEPTED);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: CoVcCreatorDeletes"});
}

TEST_P(AVc, IsActivatedAgainAndDeactivatedOnce) {
  run([&] {
    manager_creates_vc();
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);  // new call parameters
    EXPECT_EQ(vcs().at(0)->machine().state(), VcState::Active);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(deactivate(), NDIS_STATUS_NOT_ACCEPTED);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
  });
  if (!integrated()) expect({"host: StateTable"});  // the page of the integrated one has a status for it
}

TEST_P(AVc, IsActivatedWithTheFunctionOfTheKindOfManager) {
  run([&] {
    manager_creates_vc();
    EXPECT_EQ(integrated() ? NdisCmActivateVc(cm_vc, &parameters) : NdisMCmActivateVc(cm_vc, &parameters),
              NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMCmDeactivateVc(cl_vc), NDIS_STATUS_NOT_ACCEPTED);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
  });
  expect({"host: CoManagerKind", "host: HandleMisuse"});
}

TEST_F(AVcOfAManager, IsActivatedAndDeactivatedLater) {
  answers["mp MiniportCoActivateVc"] = answers["mp MiniportCoDeactivateVc"] = NDIS_STATUS_PENDING;
  run([&] {
    manager_creates_vc();
    EXPECT_EQ(activate(), NDIS_STATUS_PENDING);
    EXPECT_EQ(activate(), NDIS_STATUS_FAILURE);
    NdisMCoActivateVcComplete(NDIS_STATUS_SUCCESS, mp_vc, &parameters);
    EXPECT_EQ(result("CmActivateVcComplete"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(deactivate(), NDIS_STATUS_PENDING);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_CLOSING);
    NdisMCoDeactivateVcComplete(NDIS_STATUS_SUCCESS, mp_vc);
    EXPECT_EQ(result("CmDeactivateVcComplete"), NDIS_STATUS_SUCCESS);
    NdisMCoDeactivateVcComplete(NDIS_STATUS_SUCCESS, mp_vc);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
  });
  expect({"host: StateTable", "host: LIFE-345", "host: DoubleComplete"});
}

TEST_F(AVcOfAManager, ThatTheMiniportCannotActivateStaysAsItWas) {
  run([&] {
    manager_creates_vc();
    answers["mp MiniportCoActivateVc"] = NDIS_STATUS_FAILURE;
    EXPECT_EQ(activate(), NDIS_STATUS_FAILURE);
    EXPECT_EQ(vcs().at(0)->machine().state(), VcState::Inactive);
    answers.clear();
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    answers["mp MiniportCoActivateVc"] = NDIS_STATUS_FAILURE;
    EXPECT_EQ(activate(), NDIS_STATUS_FAILURE);
    EXPECT_EQ(vcs().at(0)->machine().state(), VcState::Active);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
  });
}

TEST_F(AVcOfAManager, ForItsOwnSignallingHasNoClient) {
  run([&] {
    NDIS_HANDLE own = nullptr;
    EXPECT_EQ(NdisCoCreateVc(binding_of(cm), nullptr, &cm_vc_context, &own), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCmActivateVc(own, &parameters), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCmDeactivateVc(own), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoDeleteVc(own), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoCreateVc(binding_of(cl), nullptr, &cl_vc_context, &own),
              NDIS_STATUS_FAILURE);  // a client has none
  });
  EXPECT_EQ(calls, (Lines{"mp MiniportCoCreateVc", "mp MiniportCoActivateVc", "mp MiniportCoDeactivateVc",
                          "mp MiniportCoDeleteVc"}));
}

TEST_F(AVcOfAManager, ForItsOwnSignallingIsReportedWhenItIsLeft) {
  run([&] {
    NDIS_HANDLE own = nullptr;
    EXPECT_EQ(NdisCoCreateVc(binding_of(cm), nullptr, &cm_vc_context, &own), NDIS_STATUS_SUCCESS);
  });
  expect({"cm: CoVcDeleted"});
}

// ---- outgoing calls ----

TEST_P(AVc, CarriesACallThatTheClientMakes) {
  run([&] {
    connect_out();
    EXPECT_EQ(vcs().at(0)->call().state(), CallState::Connected);
    hang_up();
  });
}

TEST_P(AVc, CarriesACallThatIsMadeAndClosedLater) {
  answers[m("CmMakeCall")] = answers[m("CmCloseCall")] = NDIS_STATUS_PENDING;
  run([&] {
    client_creates_vc();
    EXPECT_EQ(NdisClMakeCall(cl_vc, &parameters, nullptr, nullptr), NDIS_STATUS_PENDING);
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    NdisCmMakeCallComplete(NDIS_STATUS_SUCCESS, cm_vc, nullptr, nullptr, &parameters);
    EXPECT_EQ(result("ClMakeCallComplete"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_PENDING);
    NdisCmCloseCallComplete(NDIS_STATUS_SUCCESS, cm_vc, nullptr);
    EXPECT_EQ(result("ClCloseCallComplete"), NDIS_STATUS_SUCCESS);
    NdisCmCloseCallComplete(NDIS_STATUS_SUCCESS, cm_vc, nullptr);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: DoubleComplete"});
}

TEST_P(AVc, IsFreeAgainAfterACallThatFailed) {
  answers[m("CmMakeCall")] = NDIS_STATUS_NOT_SUPPORTED;
  run([&] {
    client_creates_vc();
    EXPECT_EQ(NdisClMakeCall(cl_vc, &parameters, nullptr, nullptr), NDIS_STATUS_NOT_SUPPORTED);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: StateTable"});
}

TEST_P(AVc, ThatIsNotActiveWhenTheCallIsThroughIsReported) {
  run([&] {
    client_creates_vc();
    EXPECT_EQ(NdisClMakeCall(cl_vc, &parameters, nullptr, nullptr), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({manager_name() + ": CoActivatedBeforeCall"});
}

TEST_P(AVc, ChangesItsQualityOfServiceFromBothSides) {
  run([&] {
    connect_out();
    EXPECT_EQ(NdisClModifyCallQoS(cl_vc, &parameters), NDIS_STATUS_SUCCESS);
    answers[m("CmModifyCallQoS")] = NDIS_STATUS_PENDING;
    EXPECT_EQ(NdisClModifyCallQoS(cl_vc, &parameters), NDIS_STATUS_PENDING);
    NdisCmModifyCallQoSComplete(NDIS_STATUS_SUCCESS, cm_vc, &parameters);
    EXPECT_EQ(result("ClModifyCallQoSComplete"), NDIS_STATUS_SUCCESS);
    NdisCmDispatchIncomingCallQoSChange(cm_vc, &parameters);
    EXPECT_EQ(count("cl ClIncomingCallQoSChange"), 1U);
    NdisCmModifyCallQoSComplete(NDIS_STATUS_SUCCESS, cm_vc, &parameters);
    hang_up();
  });
  expect({"host: DoubleComplete"});
}

// ---- incoming calls ----

TEST_P(AVc, CarriesACallThatIsOffered) {
  run([&] {
    register_sap();
    manager_creates_vc();
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCmDispatchIncomingCall(cm_sap, cm_vc, &parameters), NDIS_STATUS_SUCCESS);
    NdisCmDispatchCallConnected(cm_vc);
    EXPECT_EQ(count("cl ClCallConnected"), 1U);
    NdisCmDispatchIncomingCloseCall(NDIS_STATUS_SUCCESS, cm_vc, nullptr, 0);
    EXPECT_EQ(result("ClIncomingCloseCall"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
  });
}

TEST_P(AVc, CarriesACallThatIsAcceptedLater) {
  answers["cl ClIncomingCall"] = NDIS_STATUS_PENDING;
  run([&] {
    register_sap();
    manager_creates_vc();
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCmDispatchIncomingCall(cm_sap, cm_vc, &parameters), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisClModifyCallQoS(cl_vc, &parameters),
              NDIS_STATUS_SUCCESS);  // it may negotiate before it answers
    NdisClIncomingCallComplete(NDIS_STATUS_SUCCESS, cl_vc, &parameters);
    EXPECT_EQ(result("CmIncomingCallComplete"), NDIS_STATUS_SUCCESS);
    NdisCmDispatchCallConnected(cm_vc);
    NdisClIncomingCallComplete(NDIS_STATUS_SUCCESS, cl_vc, &parameters);
    EXPECT_EQ(NdisClCloseCall(cl_vc, nullptr, nullptr, 0), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
  });
  expect({"host: DoubleComplete"});
}

TEST_P(AVc, IsTakenBackAfterACallThatTheClientRefuses) {
  answers["cl ClIncomingCall"] = NDIS_STATUS_FAILURE;
  run([&] {
    register_sap();
    manager_creates_vc();
    EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisCmDispatchIncomingCall(cm_sap, cm_vc, &parameters), NDIS_STATUS_FAILURE);
    NdisCmDispatchCallConnected(cm_vc);
    EXPECT_EQ(count("cl ClCallConnected"), 0U);
    EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(manager_deletes_vc(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
  });
  expect({"host: StateTable"});
}

TEST_P(AVc, OfTheClientIsNotOfferedToIt) {
  run([&] {
    register_sap();
    client_creates_vc();
    EXPECT_EQ(NdisCmDispatchIncomingCall(cm_sap, cm_vc, &parameters), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
  });
  expect({"host: StateTable"});
}

// ---- parties ----

TEST_P(AVc, CarriesAMultipointCall) {
  run([&] {
    connect_out(&cl_party_context);
    const NDIS_HANDLE first = cl_party;
    NDIS_HANDLE second = nullptr;
    EXPECT_EQ(NdisClAddParty(cl_vc, &cl_party_context, &parameters, &second), NDIS_STATUS_SUCCESS);
    EXPECT_NE(second, nullptr);
    EXPECT_EQ(vcs().at(0)->parties().size(), 2U);
    NdisCmDispatchIncomingDropParty(NDIS_STATUS_SUCCESS, cm_party, nullptr, 0);
    EXPECT_EQ(count("cl ClIncomingDropParty"), 1U);
    EXPECT_EQ(NdisClDropParty(second, nullptr, 0), NDIS_STATUS_SUCCESS);
    hang_up(first);
  });
}

TEST_P(AVc, HasItsPartiesAddedAndDroppedLater) {
  run([&] {
    connect_out(&cl_party_context);
    const NDIS_HANDLE first = cl_party;
    answers[m("CmAddParty")] = answers[m("CmDropParty")] = NDIS_STATUS_PENDING;
    NDIS_HANDLE unused = nullptr;
    EXPECT_EQ(NdisClAddParty(cl_vc, &cl_party_context, &parameters, &unused), NDIS_STATUS_PENDING);
    NdisCmAddPartyComplete(NDIS_STATUS_SUCCESS, cm_party, &cm_party_context, &parameters);
    EXPECT_EQ(result("ClAddPartyComplete"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClDropParty(cl_party, nullptr, 0), NDIS_STATUS_PENDING);
    NdisCmDropPartyComplete(NDIS_STATUS_SUCCESS, cm_party);
    EXPECT_EQ(result("ClDropPartyComplete"), NDIS_STATUS_SUCCESS);
    NdisCmDropPartyComplete(NDIS_STATUS_SUCCESS, cm_party);  // its handle is closed
    hang_up(first);
  });
  expect({"host: HandleMisuse"});
}

TEST_P(AVc, IsReportedWhenTheLastPartyIsDroppedOrForgotten) {
  run([&] {
    connect_out(&cl_party_context);
    EXPECT_EQ(NdisClDropParty(cl_party, nullptr, 0), NDIS_STATUS_FAILURE);
    hang_up(nullptr);
  });
  expect({"host: CoLastParty", "host: CoLastParty"});
}

// LIFE-344
TEST_P(AVc, IsReportedWhenItsCallIsClosedWithSeveralParties) {
  run([&] {
    connect_out(&cl_party_context);
    const NDIS_HANDLE first = cl_party;
    NDIS_HANDLE second = nullptr;
    EXPECT_EQ(NdisClAddParty(cl_vc, &cl_party_context, &parameters, &second), NDIS_STATUS_SUCCESS);
    hang_up(first);
  });
  expect({"host: LIFE-344"});
}

TEST_P(AVc, GetsNoPartyWhenItsCallIsNotAMultipointOne) {
  run([&] {
    connect_out();
    NDIS_HANDLE party = nullptr;
    EXPECT_EQ(NdisClAddParty(cl_vc, &cl_party_context, &parameters, &party), NDIS_STATUS_FAILURE);
    hang_up();
  });
  expect({"host: CoMultipointCall"});
}

// ---- IRQL ----

TEST_P(AVc, TakesCallsAtDispatchLevelAndNoHigher) {
  run([&] {
    client_creates_vc();
    KIRQL before = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &before);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
    client_creates_vc();
    KIRQL dispatch = 0;
    KeRaiseIrql(DISPATCH_LEVEL + 1, &dispatch);
    NdisCmDispatchCallConnected(nullptr);
    KeLowerIrql(dispatch);
    KeLowerIrql(before);
    EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
  });
  expect({"host: Irql_CallManager_Function", "host: HandleMisuse"});
}

TEST_P(AVc, IsToldWhenAnAddressFamilyIsOpenedAtDispatchLevel) {
  run([&] {
    KIRQL before = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &before);
    EXPECT_EQ(NdisCmNotifyCloseAddressFamily(nullptr), NDIS_STATUS_FAILURE);
    KeLowerIrql(before);
  });
  expect({"host: Irql_CallManager_Function", "host: HandleMisuse"});
}

}  // namespace
}  // namespace undis::test
