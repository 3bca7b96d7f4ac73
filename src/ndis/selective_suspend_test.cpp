// SPDX-License-Identifier: MIT
//
// Selective suspend: idle, suspended, woken by NDIS or by the driver.
// Pages: network/handling-the-ndis-selective-suspend-idle-notification, network/canceling-...,
// network/completing-..., ndis/nc-ndis-miniport_idle_notification, ndis/nf-ndis-ndismidlenotificationconfirm,
// ndis/nf-ndis-ndismidlenotificationcomplete.
#include <fmt/format.h>

#include "kernel/registry.h"
#include "lab/core_test.h"

namespace undis::test {
namespace {

constexpr std::uint64_t kSecond = 10'000'000;  // 100 ns units

class SuspendingAnIdleAdapter : public CoreTest {
 protected:
  static SuspendingAnIdleAdapter* test;
  static NDIS_STATUS idle(NDIS_HANDLE context, BOOLEAN force) {
    test->events.push_back(force != FALSE ? "idle, forced" : "idle");
    const NDIS_STATUS status = test->answer;
    if (status == NDIS_STATUS_PENDING && test->confirms)
      NdisMIdleNotificationConfirm(static_cast<FakeAdapter*>(context)->handle, NdisDeviceStateD2);
    return status;
  }
  static VOID cancel(NDIS_HANDLE context) {
    test->events.push_back("cancel");
    if (test->completes) NdisMIdleNotificationComplete(static_cast<FakeAdapter*>(context)->handle);
  }
  void SetUp() override {
    test = this;
    mp.on_set_options = [](NDIS_HANDLE handle) {
      NDIS_MINIPORT_SS_CHARACTERISTICS suspend{};
      suspend.Header = {NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS,
                        NDIS_MINIPORT_SS_CHARACTERISTICS_REVISION_1,
                        NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1};
      suspend.IdleNotificationHandler = &idle;
      suspend.CancelIdleNotificationHandler = &cancel;
      return NdisSetOptionalHandlers(handle, &suspend.Header);
    };
    mp.on_request = [this](FakeAdapter& card, NDIS_OID oid, bool query) {
      if (oid == OID_PNP_SET_POWER)
        events.push_back(fmt::format(
            "D{}", static_cast<int>(*static_cast<NDIS_DEVICE_POWER_STATE*>(card.asked.buffer)) - 1));
      else if (oid == OID_PM_PARAMETERS)
        events.push_back(fmt::format("parameters {:#x}",
                                     static_cast<NDIS_PM_PARAMETERS*>(card.asked.buffer)->WakeUpFlags));
      else
        events.push_back("request");
      return query ? NDIS_STATUS_NOT_SUPPORTED : NDIS_STATUS_SUCCESS;
    };
  }
  void up_with_keywords(const char* on = "1", const char* seconds = "10") {
    const std::u16string key = u"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\{4d36e972-"
                               u"e325-11ce-bfc1-08002be10318}\\nic";
    kernel::Registry& registry = world.system().registry();
    registry.set_value(key, u"*SelectiveSuspend", kernel::RegistryValue::string(on));
    registry.set_value(key, u"*SSIdleTimeout", kernel::RegistryValue::string(seconds));
    up();
    events.clear();
  }
  void pass(std::uint64_t seconds) { world.system().advance(seconds * kSecond); }

  Lines events;
  NDIS_STATUS answer = NDIS_STATUS_PENDING;
  bool confirms = true;
  bool completes = true;
};
SuspendingAnIdleAdapter* SuspendingAnIdleAdapter::test = nullptr;

TEST_F(SuspendingAnIdleAdapter, HappensAfterTheTimeOfTheKeywordAndARequestWakesItFirst) {
  up_with_keywords();
  pass(9);
  EXPECT_EQ(events, Lines{});
  pass(2);
  EXPECT_EQ(events, (Lines{"idle", "parameters 0x10", "D2"}));
  EXPECT_EQ(nic()->suspend.state(), SelectiveSuspend::State::Suspended);
  events.clear();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING); });
  EXPECT_EQ(events, (Lines{"cancel", "D0", "request"}));
  ASSERT_EQ(p.bindings.front().answered.size(), 1U);
  EXPECT_EQ(nic()->suspend.state(), SelectiveSuspend::State::Watching);
  down();
}

TEST_F(SuspendingAnIdleAdapter, DoesNotWakeForWhatNdisAnswersItself) {
  up_with_keywords();
  pass(11);
  events.clear();
  ULONG number = 0;
  run([&] {
    EXPECT_FALSE(nic()->suspend.state() == SelectiveSuspend::State::Watching);
    EXPECT_EQ(
        nic()->oids.ask(NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, &number, sizeof(number)),
        NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(number, 1500U);
  EXPECT_EQ(events, Lines{});
  down();
}

TEST_F(SuspendingAnIdleAdapter, IsVetoedByABusyDriverAndTriedAgain) {
  up_with_keywords();
  answer = NDIS_STATUS_BUSY;
  pass(25);
  EXPECT_EQ(events, (Lines{"idle", "idle"}));
  EXPECT_EQ(nic()->suspend.state(), SelectiveSuspend::State::Watching);
  down();
}

TEST_F(SuspendingAnIdleAdapter, MayNotBeVetoedWhereItIsForced) {
  up_with_keywords();
  answer = NDIS_STATUS_BUSY;
  run([&] { nic()->suspend.force_idle(); });
  EXPECT_EQ(events, (Lines{"idle, forced"}));
  down();
  expect({"mp: CallbackStatus"});
}

TEST_F(SuspendingAnIdleAdapter, MayBeConfirmedLaterAndEndedByTheDriverItself) {
  confirms = false;
  up_with_keywords();
  pass(11);
  EXPECT_EQ(nic()->suspend.state(), SelectiveSuspend::State::Pended);
  run([&] { NdisMIdleNotificationConfirm(nic()->handle(), NdisDeviceStateD3); });
  EXPECT_EQ(events, (Lines{"idle", "parameters 0x10", "D3"}));
  run([&] { NdisMIdleNotificationComplete(nic()->handle()); });
  EXPECT_EQ(events.back(), "D0");
  EXPECT_EQ(nic()->suspend.state(), SelectiveSuspend::State::Watching);
  down();
}

TEST_F(SuspendingAnIdleAdapter, IsEndedBeforeTheStackIsTornDown) {
  up_with_keywords();
  pass(11);
  events.clear();
  unplug();
  EXPECT_EQ(events, (Lines{"cancel", "D0"}));
  down();
}

TEST_F(SuspendingAnIdleAdapter, IsNotWantedWithoutTheKeywordAndTold) {
  up_with_keywords("0");
  pass(60);
  EXPECT_EQ(events, Lines{});
  run([&] {
    NdisMIdleNotificationConfirm(nic()->handle(), NdisDeviceStateD2);
    NdisMIdleNotificationComplete(nic()->handle());
  });
  down();
  expect({"host: DoubleComplete", "host: DoubleComplete"});
}

}  // namespace
}  // namespace undis::test
