// SPDX-License-Identifier: MIT
//
// The events of pause and restart, as one binding is told of them and answers. Pages:
// ndis/nf-ndis-ndiscompletenetpnpevent,
// network/handling-pnp-events-and-power-management-events-in-a-protocol-driver.
#include <fmt/format.h>

#include "lab/core_test.h"

namespace undis::test {
namespace {

class TellingABinding : public CoreTest {
 protected:
  /// Does `what` on a thread of its own until the protocol has pended the event `code`; then calls `then`
  /// with it.
  void until_pended(NET_PNP_EVENT_CODE code, const std::function<void()>& what,
                    const std::function<void(NET_PNP_EVENT_NOTIFICATION*)>& then) {
    kernel::Event pends("test: the event pends");
    NET_PNP_EVENT_NOTIFICATION* pended = nullptr;
    p.on_pnp_event = [&, code](FakeBinding&, NET_PNP_EVENT_CODE given, void* event) {
      if (given != code) return NDIS_STATUS_SUCCESS;
      pended = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event);
      pends.set();
      return NDIS_STATUS_PENDING;
    };
    run([&] {
      world.system().spawn("cause", what);
      pends.wait();
      then(pended);
    });
    p.on_pnp_event = nullptr;
  }
};

// LIFE-259, LIFE-262
TEST_F(TellingABinding, CarriesTheParametersOfPauseAndRestart) {
  Lines seen;
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
    const NET_PNP_EVENT& e = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent;
    if (code == NetEventPause) {
      EXPECT_EQ(e.BufferLength, sizeof(NDIS_PROTOCOL_PAUSE_PARAMETERS));
      EXPECT_EQ(static_cast<NDIS_PROTOCOL_PAUSE_PARAMETERS*>(e.Buffer)->Header.Revision,
                NDIS_PROTOCOL_PAUSE_PARAMETERS_REVISION_1);
      seen.emplace_back("pause");
    }
    if (code == NetEventRestart) {
      EXPECT_TRUE(e.Buffer == nullptr || e.BufferLength == sizeof(NDIS_PROTOCOL_RESTART_PARAMETERS));
      seen.emplace_back("restart");
    }
    return NDIS_STATUS_SUCCESS;
  };
  up();
  down();
  EXPECT_EQ(seen, (Lines{"restart", "pause"}));
}

// LIFE-214, LIFE-265
TEST_F(TellingABinding, APauseThatPendsIsWaitedForBeforeTheCardIsPaused) {
  up();
  until_pended(
      NetEventPause, [&] { pause_stack(*nic()); },
      [&](NET_PNP_EVENT_NOTIFICATION* event) {
        EXPECT_EQ(binding_state(), BindingState::Pausing);
        EXPECT_EQ(nic_state(), AdapterState::Running);
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
      });
  EXPECT_EQ(binding_state(), BindingState::Paused);
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  down();
}

TEST_F(TellingABinding, ARestartThatPendsIsWaitedFor) {
  be(6, 6);
  load();
  until_pended(
      NetEventRestart, [&] { world.plug(mp.driver(), "nic"); },
      [&](NET_PNP_EVENT_NOTIFICATION* event) {
        EXPECT_EQ(nic_state(), AdapterState::Running);
        EXPECT_EQ(binding_state(), BindingState::Restarting);
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
      });
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

TEST_F(TellingABinding, AnEventMayBeCompletedFromInsideTheCallback) {
  p.on_pnp_event = [](FakeBinding& of, NET_PNP_EVENT_CODE, void* event) {
    NdisCompleteNetPnPEvent(of.handle, static_cast<NET_PNP_EVENT_NOTIFICATION*>(event), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_PENDING;
  };
  up();
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-265
TEST_F(TellingABinding, AnEventCompletedTwiceOrUnaskedIsTold) {
  up();
  NET_PNP_EVENT_NOTIFICATION never{};
  run([&] { NdisCompleteNetPnPEvent(p.binding("nic")->handle, &never, NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(violations(), Lines{"host: DoubleComplete"});
  until_pended(
      NetEventPause, [&] { pause_stack(*nic()); },
      [&](NET_PNP_EVENT_NOTIFICATION* event) {
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, &never, NDIS_STATUS_SUCCESS);
        EXPECT_EQ(binding_state(), BindingState::Pausing) << "another event completes nothing";
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
      });
  EXPECT_EQ(binding_state(), BindingState::Paused);
  down();
  expect({"host: DoubleComplete"});
}

TEST_F(TellingABinding, OfFiveIsNotDoneForPauseAndRestart) {
  Lines seen;
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
    seen.push_back(fmt::format("{}", static_cast<int>(code)));
    return NDIS_STATUS_SUCCESS;
  };
  up(6, 5);
  run([&] {
    pause_stack(*nic());
    EXPECT_EQ(binding_state(), BindingState::Paused);
    restart_stack(*nic());
  });
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
  EXPECT_EQ(std::ranges::count(seen, fmt::format("{}", static_cast<int>(NetEventPause))), 0);
  EXPECT_EQ(std::ranges::count(seen, fmt::format("{}", static_cast<int>(NetEventRestart))), 0);
}

}  // namespace
}  // namespace undis::test
