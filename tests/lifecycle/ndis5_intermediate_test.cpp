// SPDX-License-Identifier: MIT
//
// What the pages ask of intermediate drivers of NDIS 5, and of NDIS for them, beyond the five pages of the
// other files: events that come from below, virtual miniports.
#include "intermediate_stack.h"
#include "registration_test.h"

namespace undis::test {
namespace {

using lab::FakeAdapter;
using lab::FakeBinding;

constexpr auto kFailure = static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE);
constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);

// ---- events through an intermediate driver ----

class AnEventFromBelow : public NdisTest {
 protected:
  void start(NDIS_STATUS from_above) {
    stack.emplace(world, Generations{5, 5}, 1);
    stack->uppers.front().on_pnp_event = [this, from_above](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
      above.push_back(code);
      return code == NetEventQueryRemoveDevice ? from_above : kSuccess;
    };
    run([&] { stack->start(); });
    above.clear();
  }
  /// The query that the card's removal begins with, to the driver in the middle; its answer.
  NDIS_STATUS query() {
    NDIS_STATUS status = kGarbage;
    run([&] {
      status = world.adapter("nic0")->bindings().front()->notify(NetEventQueryRemoveDevice, nullptr, 0);
    });
    return status;
  }
  /// ProtocolPnPEvent of the driver in the middle: passes the query up, and answers as told.
  void pass_up(bool honest) {
    stack->im.on_pnp_event = [this, honest](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
      if (code != NetEventQueryRemoveDevice) return kSuccess;
      const NDIS_STATUS status =
          NdisIMNotifyPnPEvent(stack->im.adapter("im-nic0")->handle, static_cast<PNET_PNP_EVENT>(event));
      return honest ? status : kSuccess;
    };
  }
  void stop() {
    run([&] { stack->stop(); });
    EXPECT_EQ(stack->complaints(), Lines{});
  }
  std::optional<Stack> stack;
  std::vector<NET_PNP_EVENT_CODE> above;
};

// LIFE-308
TEST_F(AnEventFromBelow, IsRefusedByTheIntermediateDriverWhenThoseAboveRefuse) {
  start(kFailure);
  pass_up(true);
  EXPECT_EQ(query(), kFailure);
  EXPECT_EQ(above, std::vector<NET_PNP_EVENT_CODE>{NetEventQueryRemoveDevice});
  stop();
}

// LIFE-308
TEST_F(AnEventFromBelow, IsReportedWhenTheRefusalIsKeptBack) {
  start(kFailure);
  pass_up(false);
  EXPECT_EQ(query(), kSuccess);
  stop();
  expect({"im: LIFE-308"});
}

// LIFE-308
TEST_F(AnEventFromBelow, IsAnsweredFreelyWhenThoseAboveAgree) {
  start(kSuccess);
  pass_up(true);
  EXPECT_EQ(query(), kSuccess);
  EXPECT_EQ(above.size(), 1U);
  stop();
}

// LIFE-308
TEST_F(AnEventFromBelow, IsReportedWhenItIsPassedUpElsewhere) {
  start(kSuccess);
  stack->im.on_request = [&](FakeAdapter& adapter, NDIS_OID, bool) {
    NET_PNP_EVENT event{};
    event.NetEvent = NetEventReconfigure;
    NdisIMNotifyPnPEvent(adapter.handle, &event);
    return kSuccess;
  };
  run([&] {
    ULONG number = 0;
    world.adapter("im-nic0")->oids.ask(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number,
                                       sizeof(number));
  });
  stack->im.on_request = nullptr;
  stop();
  const Lines told = violations();
  EXPECT_NE(std::ranges::find(told, "im: LIFE-308"), told.end());
  expect(told);
}

// ---- virtual miniports ----

class AVirtualMiniport : public NdisTest, public ::testing::WithParamInterface<Generations> {
 protected:
  Stack& make() {
    stack.emplace(world, GetParam(), 1);
    stack->no_instance_in_bind();
    stack->only_close_in_unbind();
    return *stack;
  }
  void stop() {
    run([&] { stack->stop(); });
    EXPECT_EQ(stack->complaints(), Lines{});
  }
  std::optional<Stack> stack;
};

// LIFE-309, LIFE-313
TEST_P(AVirtualMiniport, IsInitializedWhenItsDeviceStartsAndGetsItsDeviceContext) {
  Stack& s = make();
  bool started = false;
  world.library().policy.device_is_started = [&](const MiniportDriver&, std::u16string_view) {
    return started;
  };
  run([&] { s.start(); });
  int context = 0;
  run([&] { EXPECT_EQ(s.initialize("late", &context), kSuccess); });
  EXPECT_FALSE(s.is_up("late"));
  started = true;
  run([&] { world.library().start_device(lab::device_name("late")); });
  ASSERT_TRUE(s.is_running("late"));
  EXPECT_EQ(s.im.adapter("late")->device_context, &context);
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(s.im.adapter("late")->handle), kSuccess); });
  stop();
}

// LIFE-310
TEST_P(AVirtualMiniport, IsNotAcceptedASecondTime) {
  Stack& s = make();
  run([&] { s.start(); });
  run([&] {
    EXPECT_EQ(s.initialize("once"), kSuccess);
    EXPECT_EQ(s.initialize("once"), static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_ACCEPTED));
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(s.im.adapter("once")->handle), kSuccess);
    EXPECT_EQ(s.initialize("once"), kSuccess);
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(s.im.adapters.back().handle), kSuccess);
  });
  stop();
}

// LIFE-312, LIFE-314
TEST_P(AVirtualMiniport, IsUndoneByCancelBeforeItIsInitializedAndOnlyThen) {
  Stack& s = make();
  bool started = false;
  world.library().policy.device_is_started = [&](const MiniportDriver&, std::u16string_view) {
    return started;
  };
  run([&] { s.start(); });
  run([&] {
    EXPECT_EQ(s.initialize("never"), kSuccess);
    EXPECT_EQ(s.cancel("never"), kSuccess);
    EXPECT_EQ(s.cancel("never"), kFailure);
    started = true;
    world.library().start_device(lab::device_name("never"));
  });
  EXPECT_EQ(s.im.count("MiniportInitialize"), 0U);
  run([&] {
    EXPECT_EQ(s.initialize("now"), kSuccess);
    EXPECT_EQ(s.cancel("now"), kFailure) << "it is up: only NdisIMDeInitializeDeviceInstance takes it down";
    EXPECT_TRUE(s.is_up("now"));
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(s.im.adapter("now")->handle), kSuccess);
  });
  stop();
}

// LIFE-313, LIFE-319
TEST_P(AVirtualMiniport, GivesItsContextToThoseAboveAndACardNone) {
  Stack& s = make();
  run([&] { s.start(); });
  int context = 0;
  run([&] {
    EXPECT_EQ(s.initialize("shown", &context), kSuccess);
    world.system().advance(1'000'000);
    ASSERT_NE(s.uppers.front().binding("shown"), nullptr);
    EXPECT_EQ(NdisIMGetBindingContext(s.uppers.front().binding("shown")->handle), &context);
    EXPECT_EQ(NdisIMGetBindingContext(s.im.binding("nic0")->handle), nullptr);
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(s.im.adapter("shown")->handle), kSuccess);
  });
  stop();
}

INSTANTIATE_TEST_SUITE_P(Generations, AVirtualMiniport, kGenerations, name_of);

}  // namespace
}  // namespace undis::test
