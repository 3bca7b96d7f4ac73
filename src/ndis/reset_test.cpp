// SPDX-License-Identifier: MIT
//
// Check-for-hang and reset: the period, the question, requests that hang, resets at once and pended, what
// protocols are told, what is set again. Pages: network/miniport-adapter-check-for-hang-and-reset-operations,
// network/protocol-driver-reset-operations, ndis/nc-ndis-miniport_reset, ndis/nf-ndis-ndismresetcomplete.
#include <fmt/format.h>

#include "lab/core_test.h"

namespace undis::test {
namespace {

constexpr std::uint64_t kSecond = 10'000'000;  // 100 ns units

class ResettingAnAdapter : public CoreTest {
 protected:
  void pass(std::uint64_t ticks) { world.system().advance(ticks); }
  std::string status_line(NDIS_STATUS status) const {
    return fmt::format("ProtocolStatusEx nic {:#x}", static_cast<std::uint32_t>(status));
  }
  /// MiniportResetEx pends; `reset` is set when it has been called.
  void pend_resets() {
    mp.on_reset = [this](FakeAdapter& card, BOOLEAN*) {
      card_ = &card;
      pended.set();
      return NDIS_STATUS_PENDING;
    };
  }
  void complete(NDIS_STATUS status = NDIS_STATUS_SUCCESS, BOOLEAN addressing = FALSE) {
    NdisMResetComplete(card_->handle, status, addressing);
  }
  FakeAdapter* card_ = nullptr;
  kernel::Event pended{"test: MiniportResetEx pends"};
};

// LIFE-121
TEST(CheckForHangPeriod, IsAMultipleOfTwoSeconds) {
  EXPECT_EQ(ResetControl::period_of(0), 2U);
  EXPECT_EQ(ResetControl::period_of(1), 2U);
  EXPECT_EQ(ResetControl::period_of(2), 2U);
  EXPECT_EQ(ResetControl::period_of(5), 4U);
  EXPECT_EQ(ResetControl::period_of(60), 60U);
}

// LIFE-121, LIFE-188
TEST_F(ResettingAnAdapter, AsksEachPeriodAndNotAfterTheHalt) {
  mp.on_check_for_hang = [](FakeAdapter&) { return false; };
  mp.attributes = [](NDIS_MINIPORT_ADAPTER_ATTRIBUTES& a) {
    if (a.Header.Type == NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES)
      a.RegistrationAttributes.CheckForHangTimeInSeconds = 5;
  };
  up();
  pass(21 * kSecond);
  EXPECT_EQ(mp.count("MiniportCheckForHangEx"), 5U) << "5 seconds are 4: at 4, 8, 12, 16, 20";
  EXPECT_EQ(mp.count("MiniportResetEx"), 0U);
  unplug();
  pass(20 * kSecond);
  EXPECT_EQ(mp.count("MiniportCheckForHangEx"), 5U);
  down();
}

// LIFE-188, LIFE-185
TEST_F(ResettingAnAdapter, IsDoneWhenTheDriverSaysThatItHangsAndTellsNobodyIfItIsDoneAtOnce) {
  bool hangs = true;
  mp.on_check_for_hang = [&](FakeAdapter&) { return std::exchange(hangs, false); };
  up();
  pass(5 * kSecond);
  EXPECT_EQ(mp.count("MiniportResetEx"), 1U);
  EXPECT_EQ(p.count("ProtocolStatusEx"), 0U);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

// LIFE-188
TEST_F(ResettingAnAdapter, IsDoneForARequestThatTwoQuestionsFindPended) {
  mp.on_check_for_hang = [](FakeAdapter&) { return false; };
  FakeAdapter* card = nullptr;
  mp.on_request = [&](FakeAdapter& adapter, NDIS_OID, bool) {
    card = &adapter;
    return NDIS_STATUS_PENDING;
  };
  mp.on_reset = [](FakeAdapter& adapter, BOOLEAN*) {
    NdisMOidRequestComplete(adapter.handle, adapter.asked.request, NDIS_STATUS_REQUEST_ABORTED);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING); });
  pass(3 * kSecond);
  EXPECT_EQ(mp.count("MiniportResetEx"), 0U) << "one question only so far";
  pass(2 * kSecond);
  EXPECT_EQ(mp.count("MiniportResetEx"), 1U);
  ASSERT_EQ(p.bindings.front().answered.size(), 1U);
  EXPECT_EQ(p.bindings.front().answered[0].status, NDIS_STATUS_REQUEST_ABORTED);
  mp.on_request = nullptr;
  down();
}

// LIFE-185
TEST_F(ResettingAnAdapter, ThatPendsIsAnnouncedToEachProtocolAndItsEndToo) {
  pend_resets();
  up();
  run([&] {
    NdisMResetMiniport(nic()->handle());
    pended.wait();
    kernel::schedule_point("the announcement");
  });
  EXPECT_TRUE(nic()->reset.in_progress());
  EXPECT_EQ(p.calls.back(), status_line(NDIS_STATUS_RESET_START));
  run([&] { complete(); });
  EXPECT_EQ(p.calls.back(), status_line(NDIS_STATUS_RESET_END));
  EXPECT_FALSE(nic()->reset.in_progress());
  down();
}

// LIFE-185
TEST_F(ResettingAnAdapter, IsAnnouncedToProtocolsOfFiveAsWell) {
  pend_resets();
  up(6, 5);
  run([&] {
    NdisMResetMiniport(nic()->handle());
    pended.wait();
  });
  EXPECT_EQ(p.calls.back(),
            fmt::format("ProtocolStatus nic {:#x}", static_cast<std::uint32_t>(NDIS_STATUS_RESET_START)));
  run([&] { complete(); });
  EXPECT_EQ(p.calls.back(),
            fmt::format("ProtocolStatus nic {:#x}", static_cast<std::uint32_t>(NDIS_STATUS_RESET_END)));
  down();
}

// LIFE-187, LIFE-186
TEST_F(ResettingAnAdapter, RefusesRequestsMeanwhileAndTellsAProtocolThatKnewOfIt) {
  pend_resets();
  up();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] {
    NdisMResetMiniport(nic()->handle());
    pended.wait();
  });
  run([&] {
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_RESET_IN_PROGRESS);
    complete();
  });
  EXPECT_EQ(mp.count("MiniportOidRequest"), 0U);
  down();
  expect({"p: LIFE-186"});
}

// LIFE-187, LIFE-186
TEST_F(ResettingAnAdapter, RefusesSendsMeanwhile) {
  pend_resets();
  up();
  EXPECT_TRUE(nic()->may_carry_data());
  run([&] {
    NdisMResetMiniport(nic()->handle());
    pended.wait();
  });
  EXPECT_FALSE(nic()->may_carry_data());
  EXPECT_EQ(nic()->refusal(), NDIS_STATUS_RESET_IN_PROGRESS);
  run([&] { complete(); });
  EXPECT_TRUE(nic()->may_carry_data());
  down();
}

// LIFE-182
TEST_F(ResettingAnAdapter, ThatLostTheAddressesHasThemSetAgain) {
  mp.on_reset = [](FakeAdapter&, BOOLEAN* addressing) {
    *addressing = TRUE;
    return NDIS_STATUS_SUCCESS;
  };
  up();
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
  UCHAR pattern[32] = {1};
  NDIS_OID_REQUEST sets[] = {set_request(OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter)),
                             set_request(OID_PNP_ADD_WAKE_UP_PATTERN, pattern, sizeof(pattern))};
  run([&] {
    for (NDIS_OID_REQUEST& set : sets)
      EXPECT_EQ(NdisOidRequest(binding()->handle(), &set), NDIS_STATUS_SUCCESS);
  });
  std::vector<NDIS_OID> seen;
  mp.on_request = [&](FakeAdapter&, NDIS_OID oid, bool) {
    seen.push_back(oid);
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { NdisMResetMiniport(nic()->handle()); });
  EXPECT_EQ(seen, (std::vector<NDIS_OID>{OID_GEN_CURRENT_PACKET_FILTER, OID_PNP_ADD_WAKE_UP_PATTERN}));
  down();
}

// LIFE-183
TEST_F(ResettingAnAdapter, AbortsNothingThatIsPended) {
  mp.miniport6 = [](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) { c.MinorNdisVersion = 20; };
  FakeAdapter* card = nullptr;
  mp.on_request = [&](FakeAdapter& adapter, NDIS_OID, bool) {
    card = &adapter;
    return NDIS_STATUS_PENDING;
  };
  mp.on_reset = [](FakeAdapter&, BOOLEAN*) { return NDIS_STATUS_SUCCESS; };
  up();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] {
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING);
    NdisMResetMiniport(nic()->handle());
  });
  EXPECT_EQ(mp.count("MiniportResetEx"), 1U);
  EXPECT_TRUE(p.bindings.front().answered.empty());
  run([&] { NdisMOidRequestComplete(card->handle, card->asked.request, NDIS_STATUS_NOT_SUPPORTED); });
  EXPECT_EQ(p.bindings.front().answered.size(), 1U);
  mp.on_request = nullptr;
  down();
}

// LIFE-181
TEST_F(ResettingAnAdapter, ThatKeepsARequestPendedIsToldFromSixThirtyOn) {
  FakeAdapter* card = nullptr;
  mp.on_request = [&](FakeAdapter& adapter, NDIS_OID, bool) {
    card = &adapter;
    return NDIS_STATUS_PENDING;
  };
  mp.on_reset = [](FakeAdapter&, BOOLEAN*) { return NDIS_STATUS_SUCCESS; };
  up();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] {
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING);
    NdisMResetMiniport(nic()->handle());
  });
  run([&] { NdisMOidRequestComplete(card->handle, card->asked.request, NDIS_STATUS_NOT_SUPPORTED); });
  mp.on_request = nullptr;
  down();
  expect({"mp: LIFE-181"});
}

// LIFE-130
TEST_F(ResettingAnAdapter, MovesNoStateAndMayEndBeforeOrAfterAPause) {
  for (const bool reset_first : {true, false}) {
    pend_resets();
    pended.reset();
    kernel::Event pausing("test: MiniportPause pends");
    mp.on_pause = [&](FakeAdapter&) {
      pausing.set();
      return NDIS_STATUS_PENDING;
    };
    if (!nic()) {
      if (mp.calls.empty()) {
        up();
      } else {
        plug();
      }
    }
    run([&] {
      NdisMResetMiniport(nic()->handle());
      pended.wait();
    });
    EXPECT_EQ(nic_state(), AdapterState::Running);
    run([&] {
      world.system().spawn("pause", [&] { pause_stack(*nic()); });
      pausing.wait();
      EXPECT_EQ(nic_state(), AdapterState::Pausing);
      if (reset_first) complete();
      NdisMPauseComplete(nic()->handle());
      if (!reset_first) complete();
    });
    EXPECT_EQ(nic_state(), AdapterState::Paused);
    EXPECT_FALSE(nic()->reset.in_progress());
    mp.on_pause = nullptr;
    unplug();
  }
  down();
}

// LIFE-184
TEST_F(ResettingAnAdapter, CompletedWithASpinLockHeldOrUnaskedIsTold) {
  pend_resets();
  up();
  run([&] {
    NdisMResetMiniport(nic()->handle());
    pended.wait();
    KSPIN_LOCK lock;
    KeInitializeSpinLock(&lock);
    KIRQL irql = PASSIVE_LEVEL;
    KeAcquireSpinLock(&lock, &irql);
    complete();
    KeReleaseSpinLock(&lock, irql);
  });
  run([&] { complete(); });
  down();
  expect({"host: LIFE-184", "host: DoubleComplete"});
}

TEST_F(ResettingAnAdapter, MayBeCompletedFromInsideTheCallback) {
  mp.on_reset = [](FakeAdapter& card, BOOLEAN*) {
    NdisMResetComplete(card.handle, NDIS_STATUS_SUCCESS, FALSE);
    return NDIS_STATUS_PENDING;
  };
  up();
  run([&] { NdisMResetMiniport(nic()->handle()); });
  EXPECT_FALSE(nic()->reset.in_progress());
  EXPECT_EQ(p.count("ProtocolStatusEx"), 2U);
  down();
}

TEST_F(ResettingAnAdapter, WithAStatusThatThePageDoesNotListIsTold) {
  mp.on_reset = [](FakeAdapter&, BOOLEAN*) { return NDIS_STATUS_RESOURCES; };
  up();
  run([&] { NdisMResetMiniport(nic()->handle()); });
  down();
  expect({"mp: CallbackStatus"});
}

// LIFE-185
TEST_F(ResettingAnAdapter, IndicatedByTheDriverItselfIsTold) {
  up();
  run([&] {
    NDIS_STATUS_INDICATION indication{};
    indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                         NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
    indication.SourceHandle = nic()->handle();
    indication.StatusCode = NDIS_STATUS_RESET_START;
    NdisMIndicateStatusEx(nic()->handle(), &indication);
  });
  down();
  expect({"host: LIFE-185"});
}

// LIFE-184, LIFE-188
TEST_F(ResettingAnAdapter, OfFiveIsAskedForByItsPeriodOrByAProtocol) {
  mp.check_for_hang_seconds = 2;
  mp.on_check_for_hang = [](FakeAdapter&) {
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    return false;
  };
  mp.on_reset = [](FakeAdapter&, BOOLEAN*) {
    EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
    return NDIS_STATUS_SUCCESS;
  };
  up(5, 5);
  pass(5 * kSecond);
  EXPECT_EQ(mp.count("MiniportCheckForHang"), 2U);
  run([&] {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NdisReset(&status, binding()->handle());
    EXPECT_EQ(status, NDIS_STATUS_PENDING);
  });
  EXPECT_EQ(mp.count("MiniportReset"), 1U);
  EXPECT_EQ(p.calls.back(), "ProtocolResetComplete nic");
  down();
}

// LIFE-184
TEST_F(ResettingAnAdapter, OfFiveCompletedBelowDispatchLevelIsTold) {
  pend_resets();
  up(5, 5);
  run([&] {
    NdisMResetMiniport(nic()->handle());
    pended.wait();
    complete();
  });
  down();
  expect({"host: LIFE-184"});
}

}  // namespace
}  // namespace undis::test
