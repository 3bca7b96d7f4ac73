// SPDX-License-Identifier: MIT
//
// Address families and service access points of connection-oriented NDIS: offered, opened, closed in both
// orders, notified. Pages: network/registering-and-opening-an-address-family,
// network/closing-an-address-family, network/registering-a-sap,
// ndis/nf-ndis-ndis{cm,mcm}registeraddressfamilyex, ndis/nf-ndis-ndiscmnotifycloseaddressfamily.
#include "co_fakes.h"

namespace undis::test {
namespace {

class AddressFamilies : public CoTest {};

using Manager = CoTest::Manager;
using Order = CoTest::Order;

struct Setup {
  Manager manager;
  Order order;
};
class AnAddressFamily : public CoTest, public ::testing::WithParamInterface<Setup> {
 protected:
  void SetUp() override {
    CoTest::SetUp();
    manager_ = GetParam().manager;  // for manager_name()
  }
  void start() { up(GetParam().manager, GetParam().order); }
};
INSTANTIATE_TEST_SUITE_P(Of, AnAddressFamily,
                         ::testing::Values(Setup{Manager::StandAlone, Order::ManagerFirst},
                                           Setup{Manager::StandAlone, Order::ClientFirst},
                                           Setup{Manager::Integrated, Order::ClientFirst}),
                         [](const auto& given) {
                           return std::string(
                               given.param.manager == Manager::Integrated ? "AnIntegratedManager"
                               : given.param.order == Order::ManagerFirst ? "AManagerThatIsUnboundFirst"
                                                                          : "AManagerThatIsUnboundLast");
                         });

TEST_P(AnAddressFamily, IsAdvertisedOpenedAndClosed) {
  start();
  EXPECT_EQ(calls, (Lines{"cl CoAfRegisterNotify", manager_name() + " CmOpenAf"}));
  EXPECT_EQ(af_state(), AfState::Open);
  calls.clear();
  down();
  EXPECT_EQ(count(manager_name() + " CmCloseAf"), 1U);
  // Who is unbound first asks the client to close; a client that goes first has closed it already.
  EXPECT_EQ(count("cl ClNotifyCloseAf"),
            GetParam().manager == Manager::StandAlone && GetParam().order == Order::ManagerFirst ? 1U : 0U);
}

TEST_P(AnAddressFamily, MayBeOpenedAndClosedLater) {
  answers[manager_name() + " CmOpenAf"] = NDIS_STATUS_PENDING;
  answers[manager_name() + " CmCloseAf"] = NDIS_STATUS_PENDING;
  start();
  EXPECT_EQ(results["open"], NDIS_STATUS_PENDING);
  EXPECT_EQ(af_state(), AfState::Opening);
  run([&] {
    NdisCmOpenAddressFamilyComplete(NDIS_STATUS_SUCCESS, cm_af, &cm_af_context);
    EXPECT_EQ(result("ClOpenAfCompleteEx"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClCloseAddressFamily(cl_af), NDIS_STATUS_PENDING);
    EXPECT_EQ(af_state(), AfState::Closing);
    NdisCmCloseAddressFamilyComplete(NDIS_STATUS_SUCCESS, cm_af);
    EXPECT_EQ(result("ClCloseAfComplete"), NDIS_STATUS_SUCCESS);
    EXPECT_TRUE(nic()->co->address_families().empty());
    cl_af = cm_af = nullptr;
  });
  down();
}

TEST_P(AnAddressFamily, IsCompletedAtPassiveLevelAlsoWhenTheManagerIsNot) {
  answers[manager_name() + " CmOpenAf"] = NDIS_STATUS_PENDING;
  start();
  run([&] {
    KIRQL before = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &before);
    NdisCmOpenAddressFamilyComplete(NDIS_STATUS_SUCCESS, cm_af, &cm_af_context);
    KeLowerIrql(before);
  });
  EXPECT_EQ(result("ClOpenAfCompleteEx"), NDIS_STATUS_SUCCESS);  // its callback checks the IRQL
  down();
}

TEST_P(AnAddressFamily, ThatTheManagerRefusesIsNotThere) {
  answers[manager_name() + " CmOpenAf"] = NDIS_STATUS_RESOURCES;
  start();
  EXPECT_EQ(results["open"], NDIS_STATUS_RESOURCES);
  EXPECT_TRUE(nic()->co->address_families().empty());
  EXPECT_EQ(cl_af, nullptr);
  cm_af = nullptr;
  down();
}

TEST_P(AnAddressFamily, MayBeCompletedInsideTheCall) {
  answers[manager_name() + " CmOpenAf"] = NDIS_STATUS_PENDING;
  hooks[manager_name() + " CmOpenAf"] = [&] {
    NdisCmOpenAddressFamilyComplete(NDIS_STATUS_SUCCESS, cm_af, &cm_af_context);
  };
  start();
  EXPECT_EQ(result("ClOpenAfCompleteEx"), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(af_state(), AfState::Open);
  down();
}

TEST_P(AnAddressFamily, ThatIsCompletedTwiceIsReported) {
  start();
  run([&] { NdisCmOpenAddressFamilyComplete(NDIS_STATUS_SUCCESS, cm_af, &cm_af_context); });
  expect({"host: DoubleComplete"});
  EXPECT_EQ(af_state(), AfState::Open);
  down();
}

// ---- NotifyCloseAf ----

// LIFE-343
TEST_F(AddressFamilies, AManagerThatGoesWithoutNotifyingIsReported) {
  up();
  notifies_in_unbind = false;
  expect({"cm: LIFE-343"});
  down();
  EXPECT_EQ(count("cl ClNotifyCloseAf"), 0U);
  EXPECT_EQ(count("cm CmCloseAf"), 0U);  // it has gone: the client's close ends at once
}

// LIFE-343
TEST_F(AddressFamilies, AnIntegratedManagerThatHaltsWithoutNotifyingIsReported) {
  up(Manager::Integrated);
  notifies_in_unbind = false;
  closes_af_in_unbind = true;
  // The halt for a low-power state leaves the bindings, so that the client is still there.
  mp.attributes = nullptr;
  run([&] {
    nic()->pause();
    nic()->halt(NdisHaltDeviceStopped);
  });
  expect({"mp: LIFE-343"});
  run([&] { EXPECT_EQ(NdisClCloseAddressFamily(std::exchange(cl_af, nullptr)), NDIS_STATUS_SUCCESS); });
  EXPECT_TRUE(nic()->co->address_families().empty());
  run([&] {
    EXPECT_EQ(nic()->initialize(), NDIS_STATUS_SUCCESS);
    nic()->restart();
  });
  cm_af = nullptr;
  down();
}

TEST_F(AddressFamilies, AnIntegratedManagerThatHaltsNotifiesItsClients) {
  up(Manager::Integrated);
  run([&] {
    nic()->pause();
    nic()->halt(NdisHaltDeviceStopped);
  });
  EXPECT_EQ(count("cl ClNotifyCloseAf"), 1U);
  EXPECT_EQ(count("mp CmCloseAf"), 1U);
  EXPECT_EQ(cl_af, nullptr);
  calls.clear();
  run([&] {
    EXPECT_EQ(nic()->initialize(), NDIS_STATUS_SUCCESS);
    const Claimed claimed(nic()->stack);
    restart_stack(*nic());
  });
  EXPECT_EQ(calls, (Lines{"cl CoAfRegisterNotify", "mp CmOpenAf"}));  // it offers it again
  down();
}

TEST_F(AddressFamilies, ANotificationMayBeCompletedLaterWithTheHandleThatIsClosed) {
  up();
  answers["cl ClNotifyCloseAf"] = NDIS_STATUS_PENDING;
  run([&] {
    EXPECT_EQ(NdisCmNotifyCloseAddressFamily(cm_af), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisClCloseAddressFamily(cl_af), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(count("cm CmNotifyCloseAfComplete"), 0U);
    NdisClNotifyCloseAddressFamilyComplete(cl_af, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(result("CmNotifyCloseAfComplete"), NDIS_STATUS_SUCCESS);
    cl_af = nullptr;
  });
  down();
}

TEST_F(AddressFamilies, TheHandleOfAFamilyThatIsClosedIsGoodForNothingElse) {
  up();
  answers["cl ClNotifyCloseAf"] = NDIS_STATUS_PENDING;
  run([&] {
    EXPECT_EQ(NdisCmNotifyCloseAddressFamily(cm_af), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisClCloseAddressFamily(cl_af), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClRegisterSap(cl_af, &cl_sap_context, &sap, &cl_sap), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisClCloseAddressFamily(cl_af), NDIS_STATUS_FAILURE);
    NdisClNotifyCloseAddressFamilyComplete(cl_af, NDIS_STATUS_SUCCESS);
    NdisClNotifyCloseAddressFamilyComplete(cl_af, NDIS_STATUS_SUCCESS);
    cl_af = nullptr;
  });
  expect({"host: HandleMisuse", "host: HandleMisuse", "host: HandleMisuse"});
  down();
}

TEST_F(AddressFamilies, TheUnbindOfTheManagerWaitsForAClientThatClosesLater) {
  up();
  answers["cl ClNotifyCloseAf"] = NDIS_STATUS_PENDING;
  hooks["cl ClNotifyCloseAf"] = [&] {
    kernel::queue_work("the client closes later", [&] {
      NdisMSleep(5'000);
      EXPECT_EQ(cm.binding("nic")->unbinds, 1U);
      EXPECT_EQ(NdisClCloseAddressFamily(cl_af), NDIS_STATUS_SUCCESS);
      NdisClNotifyCloseAddressFamilyComplete(std::exchange(cl_af, nullptr), NDIS_STATUS_SUCCESS);
    });
  };
  down();
  EXPECT_EQ(count("cm CmCloseAf"), 1U);
}

TEST_F(AddressFamilies, AClientThatSaysItHasClosedAndHasNotIsReported) {
  up();
  answers["cl ClNotifyCloseAf"] = NDIS_STATUS_SUCCESS;
  run([&] { EXPECT_EQ(NdisCmNotifyCloseAddressFamily(cm_af), NDIS_STATUS_SUCCESS); });
  expect({"cl: LIFE-344"});
  run([&] { NdisClCloseAddressFamily(std::exchange(cl_af, nullptr)); });
  down();
}

TEST_F(AddressFamilies, AClientThatLeavesItsFamilyOpenIsReportedAndClosedFor) {
  up(Manager::StandAlone, Order::ClientFirst);
  closes_af_in_unbind = false;
  expect({"cl: CoAfClosed"});
  down();
  EXPECT_EQ(count("cm CmCloseAf"), 1U);
  EXPECT_EQ(count("cl ClNotifyCloseAf"), 0U);
}

// ---- order (LIFE-344) ----

// LIFE-344
TEST_F(AddressFamilies, AClientThatIsNotifiedClosesCallsThenSapsThenTheFamily) {
  up();
  run([&] {
    register_sap();
    connect_out();
  });
  hooks["cl ClNotifyCloseAf"] = [&] {
    hang_up();
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClCloseAddressFamily(std::exchange(cl_af, nullptr)), NDIS_STATUS_SUCCESS);
  };
  down();
}

// LIFE-344
TEST_F(AddressFamilies, AClientThatDeregistersItsSapBeforeItClosesACallIsReported) {
  up();
  run([&] {
    register_sap();
    connect_out();
  });
  hooks["cl ClNotifyCloseAf"] = [&] {
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
    hang_up();
    EXPECT_EQ(NdisClCloseAddressFamily(std::exchange(cl_af, nullptr)), NDIS_STATUS_SUCCESS);
  };
  expect({"cl: LIFE-344"});
  down();
}

// LIFE-344
TEST_F(AddressFamilies, AFamilyThatIsClosedWithASapIsReported) {
  up();
  run([&] {
    register_sap();
    EXPECT_EQ(NdisClCloseAddressFamily(std::exchange(cl_af, nullptr)), NDIS_STATUS_SUCCESS);
  });
  expect({"host: LIFE-344"});
  down();
}

// LIFE-344
TEST_F(AddressFamilies, AFamilyThatIsClosedWithACallIsReported) {
  up();
  run([&] {
    connect_out();
    EXPECT_EQ(NdisClCloseAddressFamily(std::exchange(cl_af, nullptr)), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(count("mp MiniportCoDeleteVc"), 1U);  // what hung on it has gone with it
  });
  expect({"host: LIFE-344"});
  down();
}

// ---- registration ----

TEST_F(AddressFamilies, AFamilyHasOneManagerOnAnAdapter) {
  up();
  run([&] {
    CO_ADDRESS_FAMILY other{CO_ADDRESS_FAMILY_Q2931, 3, 1};
    EXPECT_EQ(NdisCmRegisterAddressFamilyEx(binding_of(cm), &family), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisCmRegisterAddressFamilyEx(binding_of(cl), &other), NDIS_STATUS_FAILURE);  // no call manager
    EXPECT_EQ(NdisMCmRegisterAddressFamilyEx(card(), &other), NDIS_STATUS_FAILURE);         // neither
    EXPECT_EQ(NdisClOpenAddressFamilyEx(binding_of(cl), &other, &cl_af_context, &cl_af),
              NDIS_STATUS_FAILURE);  // nobody offers it
    EXPECT_EQ(NdisClOpenAddressFamilyEx(binding_of(cm), &family, &cl_af_context, &cl_af),
              NDIS_STATUS_FAILURE);  // no client
    calls.clear();
    EXPECT_EQ(NdisCmRegisterAddressFamilyEx(binding_of(cm), &other), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(calls, (Lines{"cl CoAfRegisterNotify"}));  // a second one, outside the bind
  down();
}

TEST_F(AddressFamilies, HandlersAreTakenWholeOrNotAtAll) {
  static std::vector<NDIS_STATUS> got;
  got.clear();
  static const auto offer = [](NDIS_HANDLE handle, NDIS_HANDLE) {
    NDIS_CO_CLIENT_OPTIONAL_HANDLERS none{};
    none.Header = {NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS, 1,
                   NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1};
    got.push_back(NdisSetOptionalHandlers(handle, &none.Header));
    NDIS_PROTOCOL_CO_CHARACTERISTICS small{};
    small.Header = {NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS, 1, 8};
    got.push_back(NdisSetOptionalHandlers(handle, &small.Header));
    NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS manager{};
    manager.Header = {NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS, 0, sizeof(manager)};
    got.push_back(NdisSetOptionalHandlers(handle, &manager.Header));
    return NDIS_STATUS_SUCCESS;
  };
  cl.protocol6 = [](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) { c.SetOptionsHandler = offer; };
  cl.be_protocol6();
  run([&] { EXPECT_EQ(cl.load(), STATUS_SUCCESS); });
  EXPECT_EQ(got, (std::vector<NDIS_STATUS>(3, NDIS_STATUS_FAILURE)));
  run([&] { cl.unload(); });
}

// ---- low memory ----

/// One fallible call of the drivers fails, another one in each test.
class BringingUpAClientWithoutMemory : public CoTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  BringingUpAClientWithoutMemory() : CoTest(options()) { memory_fails = true; }
  static lab::WorldOptions options() {
    lab::WorldOptions o;
    o.schedule = machine::Schedule(0, GetParam());
    return o;
  }
};
constexpr std::uint32_t kFallibleCalls = 14;
INSTANTIATE_TEST_SUITE_P(At, BringingUpAClientWithoutMemory, ::testing::Range(1U, kFallibleCalls + 2));

TEST_P(BringingUpAClientWithoutMemory, LeavesNothingWhicheverCallFails) {
  up();
  const bool none_failed = world.simulated()->faults_seen() < GetParam();
  EXPECT_EQ(none_failed, cl_af != nullptr && af_state() == AfState::Open);
  EXPECT_EQ(none_failed, GetParam() > kFallibleCalls);
  down();
}

// ---- service access points ----

TEST_P(AnAddressFamily, HasSapsThatAreRegisteredAndDeregisteredAtOnceOrLater) {
  start();
  run([&] {
    register_sap();
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_SUCCESS);
    answers[manager_name() + " CmRegisterSap"] = NDIS_STATUS_PENDING;
    answers[manager_name() + " CmDeregisterSap"] = NDIS_STATUS_PENDING;
    NDIS_HANDLE unused = nullptr;
    EXPECT_EQ(NdisClRegisterSap(cl_af, &cl_sap_context, &sap, &unused), NDIS_STATUS_PENDING);
    NdisCmRegisterSapComplete(NDIS_STATUS_SUCCESS, cm_sap, &cm_sap_context);
    EXPECT_EQ(result("ClRegisterSapComplete"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisClDeregisterSap(cl_sap), NDIS_STATUS_FAILURE);  // the page: it is being closed already
    NdisCmDeregisterSapComplete(NDIS_STATUS_SUCCESS, cm_sap);
    EXPECT_EQ(result("ClDeregisterSapComplete"), NDIS_STATUS_SUCCESS);
  });
  down();
}

TEST_F(AddressFamilies, ASapThatTheManagerRefusesIsNotThere) {
  up();
  answers["cm CmRegisterSap"] = NDIS_STATUS_INVALID_DATA;
  run([&] {
    EXPECT_EQ(NdisClRegisterSap(cl_af, &cl_sap_context, &sap, &cl_sap), NDIS_STATUS_INVALID_DATA);
    EXPECT_EQ(NdisClDeregisterSap(cm_sap), NDIS_STATUS_FAILURE);  // closed, and not the client's
    NdisCmDeregisterSapComplete(NDIS_STATUS_SUCCESS, cl_af);
  });
  expect({"host: HandleMisuse", "host: HandleMisuse"});
  down();
}

}  // namespace
}  // namespace undis::test
