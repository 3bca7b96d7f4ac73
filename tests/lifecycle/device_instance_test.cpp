// SPDX-License-Identifier: MIT
//
// NdisIMDeInitializeDeviceInstance, for NDIS 5.1 and 6.x intermediate drivers with upper protocols of both
// generations: from each place where drivers call it, against initialisations, cancels and second calls, with
// the schedule in between. Pages: ndis/nf-ndis-ndisimdeinitializedeviceinstance,
// -ndisiminitializedeviceinstanceex, -ndisimcancelinitializedeviceinstance.
#include <algorithm>
#include <optional>
#include <type_traits>

#include <fmt/format.h>

#include "intermediate_stack.h"

namespace undis::test {
namespace {

// LIFE-062
TEST(DeInitializingADeviceInstancePrototype, TakesAHandleAndReturnsAStatus) {
  static_assert(std::is_same_v<decltype(&NdisIMDeInitializeDeviceInstance), NDIS_STATUS (*)(NDIS_HANDLE)>);
  NDIS_STATUS (*const address)(NDIS_HANDLE) = &NdisIMDeInitializeDeviceInstance;
  EXPECT_NE(address, nullptr);
}

class DeInitializingADeviceInstance : public NdisTest, public ::testing::WithParamInterface<Generations> {
 protected:
  /// Takes the stack down when the test has not, so that nothing of it is left.
  void stop() {
    run([&] { stack->stop(); });
    EXPECT_EQ(stack->complaints(), Lines{});
  }
  Stack& make(unsigned uppers = 1, unsigned cards = 1) {
    stack.emplace(world, GetParam(), uppers);
    run([&] { stack->start(cards); });
    return *stack;
  }
  NDIS_HANDLE handle_of(std::string_view instance) { return stack->im.adapter(instance)->handle; }

  std::optional<Stack> stack;
};

// LIFE-047, LIFE-049, LIFE-051, LIFE-061, LIFE-313, LIFE-317
TEST_P(DeInitializingADeviceInstance, HaltsItOnceWithItsOwnContextBeforeItReturnsSuccess) {
  Stack& s = make();
  s.only_close_in_unbind();
  ASSERT_TRUE(s.is_running("im-nic0"));
  FakeAdapter* const instance = s.im.adapter("im-nic0");
  FakeAdapter* halted = nullptr;
  s.im.on_halt = [&](FakeAdapter& adapter) { halted = &adapter; };
  run([&] {
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(instance->handle), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(halted, instance)
        << "halted before the return, with the context that the driver gave for this instance";
    EXPECT_EQ(s.im.count(s.halt_name() + " im-nic0"), 1U);
    EXPECT_FALSE(s.is_up("im-nic0"));
  });
  if (GetParam().intermediate == 6) {
    EXPECT_EQ(instance->halt_action, NdisHaltDeviceInstanceDeInitialized);
  }
  stop();
  EXPECT_EQ(s.halts(), 1U);
}

// LIFE-049
TEST_P(DeInitializingADeviceInstance, ReturnsEverythingNdisKeptForTheInstance) {
  Stack& s = make(2);
  s.only_close_in_unbind();
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS); });
  const HeapUse without = ndis_heap();
  const std::size_t handles = world.library().handles().open_count();
  for (int i = 0; i < 3; ++i) {
    run([&] { EXPECT_EQ(s.initialize("im-again"), NDIS_STATUS_SUCCESS); });
    EXPECT_EQ(s.running_bindings("im-again"), 2U);
    EXPECT_GT(ndis_heap().blocks, without.blocks);
    run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-again")), NDIS_STATUS_SUCCESS); });
    EXPECT_EQ(ndis_heap(), without) << "after cycle " << i;
    EXPECT_EQ(world.library().handles().open_count(), handles);
    EXPECT_TRUE(world.library().instances().empty());
  }
  stop();
}

// LIFE-048, LIFE-050, LIFE-051
TEST_P(DeInitializingADeviceInstance, FailsAndHaltsNothingForAnyHandleThatIsNoVirtualMiniport) {
  Stack& s = make();
  const NDIS_HANDLE wrong[] = {nullptr,
                               s.im.miniport,
                               s.im.protocol,
                               s.im.binding("nic0")->handle,
                               s.uppers.front().binding("im-nic0")->handle,
                               &s,
                               world.adapter("nic0")->handle()};
  Lines expected;
  for (const NDIS_HANDLE handle : wrong) {
    // Asked from a callback of the driver, so that the finding is the driver's.
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    s.im.on_request = [&](FakeAdapter&, NDIS_OID, bool) {
      status = NdisIMDeInitializeDeviceInstance(handle);
      return NDIS_STATUS_SUCCESS;
    };
    const std::size_t mark = s.mark();
    run([&] {
      ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
      world.adapter("im-nic0")->oids.ask(NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter,
                                         sizeof(filter));
    });
    s.im.on_request = nullptr;
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    EXPECT_EQ(s.callbacks_since(mark), Lines{}) << "nobody is unbound or halted";
    EXPECT_TRUE(s.is_running("im-nic0"));
    EXPECT_TRUE(world.adapter("nic0"));
    ASSERT_FALSE(violations().empty());
    EXPECT_EQ(violations().back(), "im: LIFE-048");
  }
  stop();
  // Each finding is told once for a function: NULL first; a real card, which is no virtual miniport, is
  // another text of the same rule.
  expect({"im: LIFE-048"});
}

// LIFE-050, LIFE-052
TEST_P(DeInitializingADeviceInstance, FailsForAHandleThatIsStaleAndTellsTheSecondCall) {
  Stack& s = make();
  std::vector<NDIS_STATUS> statuses;
  s.im.on_unbind = [&](FakeBinding& binding) {
    const NDIS_HANDLE handle = handle_of("im-nic0");
    for (int i = 0; i < 3; ++i) statuses.push_back(NdisIMDeInitializeDeviceInstance(handle));
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { s.nic->unplug("nic0"); });
  EXPECT_EQ(statuses,
            (std::vector<NDIS_STATUS>{NDIS_STATUS_SUCCESS, NDIS_STATUS_FAILURE, NDIS_STATUS_FAILURE}));
  EXPECT_EQ(s.halts(), 1U);
  stop();
  expect({"im: LIFE-052"});
}

// LIFE-053, LIFE-054, LIFE-055
TEST_P(DeInitializingADeviceInstance, WorksInTheUnbindThatTheRemovalOfTheCardCauses) {
  Stack& s = make(2);
  const std::size_t mark = s.mark();
  run([&] { s.nic->unplug("nic0"); });
  const bool lower6 = GetParam().intermediate == 6;
  const bool upper6 = GetParam().upper == 6;
  Lines expected;
  if (lower6) expected.emplace_back("im!ProtocolNetPnPEvent");  // the binding to the card is paused first
  expected.emplace_back(lower6 ? "im!ProtocolUnbindAdapterEx" : "im!ProtocolUnbindAdapter");
  if (upper6) expected.insert(expected.end(), {"up1!ProtocolNetPnPEvent", "up2!ProtocolNetPnPEvent"});
  if (lower6) expected.emplace_back("im!MiniportPause");
  expected.push_back("up1!" + s.unbind_name());
  expected.push_back("up2!" + s.unbind_name());
  expected.push_back("im!" + s.halt_name());
  EXPECT_EQ(s.callbacks_since(mark), expected);
  EXPECT_FALSE(s.is_up("im-nic0"));
  EXPECT_FALSE(s.is_up("nic0"));
  EXPECT_TRUE(s.im.bindings.back().unbinds == 1 && !s.im.bindings.back().open)
      << "the unbind came to its end";
  stop();
}

// LIFE-052, LIFE-053
TEST_P(DeInitializingADeviceInstance, LeftOutWhenTheCardGoesIsTold) {
  Stack& s = make();
  s.only_close_in_unbind();
  run([&] { s.nic->unplug("nic0"); });
  EXPECT_TRUE(s.is_up("im-nic0"));
  EXPECT_EQ(violations(), Lines{"im: LIFE-053"});
  stop();
  EXPECT_EQ(s.halts(), 1U) << "its driver's unload takes it down";
  expect({"im: LIFE-053", "im: LIFE-052"});
}

// LIFE-055, LIFE-056
TEST_P(DeInitializingADeviceInstance, TellsEachProtocolAboveToUnbindBeforeItHalts) {
  for (unsigned uppers = 1; uppers <= 3; ++uppers) {
    SCOPED_TRACE(fmt::format("{} protocols above", uppers));
    Stack& s = make(uppers);
    s.only_close_in_unbind();
    ASSERT_EQ(s.running_bindings("im-nic0"), uppers);
    const std::size_t mark = s.mark();
    run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS); });
    const Lines seen = s.callbacks_since(mark);
    for (unsigned i = 1; i <= uppers; ++i)
      EXPECT_EQ(std::ranges::count(seen, fmt::format("up{}!{}", i, s.unbind_name())), 1);
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen.back(), "im!" + s.halt_name());
    EXPECT_EQ(std::ranges::count(seen, "im!" + s.halt_name()), 1);
    for (const FakeDriver& upper : s.uppers) EXPECT_FALSE(upper.bindings.back().open);
    stop();
    stack.reset();
  }
}

// LIFE-056
TEST_P(DeInitializingADeviceInstance, TellsProtocolsOfBothGenerationsOnOneInstance) {
  stack.emplace(world, GetParam(), 1);
  Stack& s = *stack;
  FakeDriver& other = s.add_upper(GetParam().upper == 5 ? 6 : 5);
  FakeDriver& third = s.add_upper(GetParam().upper);
  run([&] { s.start(); });
  s.only_close_in_unbind();
  ASSERT_EQ(s.running_bindings("im-nic0"), 3U);
  run([&] {
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(s.uppers.front().count("ProtocolUnbindAdapter"), 1U);
    EXPECT_EQ(other.count("ProtocolUnbindAdapter"), 1U);
    EXPECT_EQ(third.count("ProtocolUnbindAdapter"), 1U);
    EXPECT_EQ(s.halts(), 1U);
  });
  stop();
}

// LIFE-055
TEST_P(DeInitializingADeviceInstance, WithNoProtocolAboveJustHalts) {
  Stack& s = make(0);
  s.only_close_in_unbind();
  const std::size_t mark = s.mark();
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS); });
  const Lines expected = GetParam().intermediate == 6 ? Lines{"im!MiniportPause", "im!MiniportHaltEx"}
                                                      : Lines{"im!MiniportHalt"};
  EXPECT_EQ(s.callbacks_since(mark), expected);
  stop();
}

// LIFE-055, LIFE-057
TEST_P(DeInitializingADeviceInstance, WaitsForAnUnbindThatTheProtocolAbovePends) {
  Stack& s = make();
  s.only_close_in_unbind();
  FakeBinding* pended = nullptr;
  kernel::Event unbinding("test: the unbind is pended");
  s.uppers.front().on_unbind = [&](FakeBinding& binding) {
    FakeDriver::close_and_wait(binding);
    pended = &binding;
    unbinding.set();
    return NDIS_STATUS_PENDING;
  };
  std::optional<NDIS_STATUS> status;
  run([&] {
    world.system().spawn("de-initialises",
                         [&] { status = NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")); });
    unbinding.wait();
    EXPECT_FALSE(status.has_value());
    EXPECT_EQ(s.halts(), 0U) << "not before the unbind is complete";
    EXPECT_TRUE(s.is_up("im-nic0"));
    if (GetParam().upper == 5) {
      NdisCompleteUnbindAdapter(pended->unbind_context, NDIS_STATUS_SUCCESS);
    } else {
      NdisCompleteUnbindAdapterEx(pended->unbind_context);
    }
  });
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(s.halts(), 1U);
  stop();
}

// LIFE-057
TEST_P(DeInitializingADeviceInstance, CannotBeRefusedByAProtocolAbove) {
  Stack& s = make(2);
  s.only_close_in_unbind();
  s.uppers.front().on_unbind = [&](FakeBinding& binding) {
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_FAILURE;
  };
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(s.uppers.back().count("ProtocolUnbindAdapter"), 1U) << "the others are told all the same";
  EXPECT_EQ(s.halts(), 1U);
  stop();
  expect({"up1: LIFE-057"});
}

// LIFE-057
TEST_P(DeInitializingADeviceInstance, GoesOnWhereAProtocolAboveDoesNotClose) {
  Stack& s = make();
  s.only_close_in_unbind();
  s.uppers.front().on_unbind = [](FakeBinding&) { return NDIS_STATUS_SUCCESS; };
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(s.halts(), 1U);
  stop();
  expect({GetParam().upper == 5 ? "up1: LIFE-040" : "up1: CloseAllBack"});
}

// LIFE-058
TEST_P(DeInitializingADeviceInstance, LeavesOtherInstancesOfTheDriverRunning) {
  Stack& s = make(2, 3);
  s.only_close_in_unbind();
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic1")), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(s.halts(), 1U);
  EXPECT_EQ(s.im.adapter("im-nic1")->halts, 1U);
  EXPECT_FALSE(s.is_up("im-nic1"));
  for (const char* other : {"im-nic0", "im-nic2"}) {
    EXPECT_TRUE(s.is_running(other)) << other;
    EXPECT_EQ(s.running_bindings(other), 2U) << other;
  }
  for (const FakeDriver& upper : s.uppers) EXPECT_EQ(upper.count("ProtocolUnbindAdapter"), 1U);
  EXPECT_TRUE(s.is_running("nic1")) << "the card below is not touched";
  stop();
}

// LIFE-059, LIFE-310
TEST_P(DeInitializingADeviceInstance, LetsTheSameNameBeInitializedAgain) {
  Stack& s = make();
  s.only_close_in_unbind();
  FakeAdapter* const first = s.im.adapter("im-nic0");
  int context = 0;
  run([&] {
    EXPECT_EQ(s.initialize("im-nic0"), NDIS_STATUS_NOT_ACCEPTED) << "not while it is up";
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(first->handle), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(s.initialize("im-nic0", &context), NDIS_STATUS_SUCCESS);
  });
  FakeAdapter* const second = s.im.adapter("im-nic0");
  EXPECT_NE(second, first);
  EXPECT_NE(second->handle, first->handle);
  EXPECT_EQ(second->device_context, &context);
  EXPECT_TRUE(s.is_running("im-nic0"));
  EXPECT_EQ(s.running_bindings("im-nic0"), 1U);
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(second->handle), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(first->halts, 1U);
  EXPECT_EQ(second->halts, 1U);
  stop();
}

// LIFE-054, LIFE-059
TEST_P(DeInitializingADeviceInstance, FitsAReconfigurationThatBringsTheCardBack) {
  Stack& s = make(2);
  for (int i = 0; i < 3; ++i) {
    run([&] { s.nic->unplug("nic0"); });
    EXPECT_FALSE(s.is_up("im-nic0"));
    run([&] { s.nic->plug("nic0", s.wires.front()); });
    EXPECT_TRUE(s.is_running("im-nic0"));
    EXPECT_EQ(s.running_bindings("im-nic0"), 2U);
  }
  EXPECT_EQ(s.halts(), 3U);
  EXPECT_EQ(s.im.count("MiniportInitialize"), 4U);
  stop();
  EXPECT_EQ(s.halts(), 4U) << "one halt for each initialisation";
}

// LIFE-052
TEST_P(DeInitializingADeviceInstance, IsDoneForADriverWhoseUnloadBegins) {
  Stack& s = make(2, 2);
  std::size_t up_at_unload = 99;
  const auto unload = s.im.unload_routine;
  s.im.unload_routine = [&] {
    up_at_unload =
        static_cast<std::size_t>(s.is_up("im-nic0")) + static_cast<std::size_t>(s.is_up("im-nic1"));
    unload();
  };
  run([&] { EXPECT_TRUE(s.im.unload()); });
  EXPECT_EQ(up_at_unload, 0U) << "the Unload routine runs when all devices of the driver are gone";
  EXPECT_EQ(s.halts(), s.im.count("MiniportInitialize")) << "one for each";
  stop();
}

// LIFE-052, LIFE-054
TEST_P(DeInitializingADeviceInstance, WorksInTheUnloadRoutine) {
  Stack& s = make();
  s.no_instance_in_bind();
  s.only_close_in_unbind();
  std::vector<NDIS_STATUS> statuses;
  const auto unload = s.im.unload_routine;
  // The driver makes an instance late, when PnP has taken the others away, and takes it down in Unload.
  s.im.unload_routine = [&] {
    statuses.push_back(s.initialize("im-late"));
    statuses.push_back(NdisIMDeInitializeDeviceInstance(handle_of("im-late")));
    EXPECT_EQ(s.im.count(s.halt_name() + " im-late"), 1U);
    unload();
  };
  run([&] { EXPECT_TRUE(s.im.unload()); });
  EXPECT_EQ(statuses, (std::vector<NDIS_STATUS>{NDIS_STATUS_SUCCESS, NDIS_STATUS_SUCCESS}));
  EXPECT_TRUE(world.library().miniport_drivers_of(s.im.driver()).empty());
  stop();
}

// LIFE-050, LIFE-052
TEST_P(DeInitializingADeviceInstance, SucceedsForOneOfTwoThreadsAndTheOtherWaitsForIt) {
  Stack& s = make();
  s.only_close_in_unbind();
  kernel::Event unbinding("test: the first is inside");
  kernel::Event second_calls("test: the second calls");
  kernel::Event go("test: go on");
  s.uppers.front().on_unbind = [&](FakeBinding& binding) {
    unbinding.set();
    go.wait();
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  std::optional<NDIS_STATUS> first;
  std::optional<NDIS_STATUS> second;
  const NDIS_HANDLE handle = handle_of("im-nic0");
  run([&] {
    world.system().spawn("first", [&] { first = NdisIMDeInitializeDeviceInstance(handle); });
    unbinding.wait();
    world.system().spawn("second", [&] {
      second_calls.set();
      second = NdisIMDeInitializeDeviceInstance(handle);
    });
    second_calls.wait();
    EXPECT_FALSE(first.has_value());
    EXPECT_FALSE(second.has_value()) << "it waits for the first";
    go.set();
  });
  EXPECT_EQ(first, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(second, NDIS_STATUS_FAILURE);
  EXPECT_EQ(s.halts(), 1U);
  EXPECT_EQ(s.uppers.front().count("ProtocolUnbindAdapter"), 1U);
  stop();
}

// LIFE-051, LIFE-052
TEST_P(DeInitializingADeviceInstance, FailsInsideTheCallbacksOfItself) {
  Stack& s = make(2);
  std::vector<NDIS_STATUS> inner;
  const NDIS_HANDLE handle = handle_of("im-nic0");
  for (FakeDriver& upper : s.uppers) {
    upper.on_unbind = [&](FakeBinding& binding) {
      inner.push_back(
          NdisIMDeInitializeDeviceInstance(handle));  // before and after the close of this protocol
      FakeDriver::close_and_wait(binding);
      inner.push_back(NdisIMDeInitializeDeviceInstance(handle));
      return NDIS_STATUS_SUCCESS;
    };
  }
  s.im.on_halt = [&](FakeAdapter& adapter) {
    inner.push_back(NdisIMDeInitializeDeviceInstance(adapter.handle));
  };
  s.only_close_in_unbind();
  run([&] { EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(inner, std::vector<NDIS_STATUS>(5, NDIS_STATUS_FAILURE));
  EXPECT_EQ(s.halts(), 1U);
  for (const FakeDriver& upper : s.uppers) EXPECT_EQ(upper.count("ProtocolUnbindAdapter"), 1U);
  stop();
}

// LIFE-050, LIFE-051
TEST_P(DeInitializingADeviceInstance, FailsInsideItsOwnInitializationAndChangesNothing) {
  stack.emplace(world, GetParam(), 1);
  Stack& s = *stack;
  std::vector<NDIS_STATUS> inner;
  s.im.on_initialize = [&](FakeAdapter& adapter) {
    inner.push_back(NdisIMDeInitializeDeviceInstance(adapter.handle));
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { s.start(); });
  EXPECT_EQ(inner, std::vector<NDIS_STATUS>{NDIS_STATUS_FAILURE});
  EXPECT_TRUE(s.is_running("im-nic0"));
  EXPECT_EQ(s.halts(), 0U);
  EXPECT_EQ(s.running_bindings("im-nic0"), 1U);
  stop();
}

// LIFE-049, LIFE-054
TEST_P(DeInitializingADeviceInstance, WaitsForAnInitializationOnAnotherThread) {
  stack.emplace(world, GetParam(), 1);
  Stack& s = *stack;
  kernel::Event initializing("test: MiniportInitialize runs");
  kernel::Event calls("test: de-initialisation is called");
  kernel::Event go("test: MiniportInitialize may end");
  s.im.on_initialize = [&](FakeAdapter&) {
    initializing.set();
    go.wait();
    return NDIS_STATUS_SUCCESS;
  };
  s.only_close_in_unbind();
  std::optional<NDIS_STATUS> status;
  run([&] {
    s.start();
    initializing.wait();
    world.system().spawn("de-initialises", [&] {
      calls.set();
      status = NdisIMDeInitializeDeviceInstance(handle_of("im-nic0"));
    });
    calls.wait();
    EXPECT_FALSE(status.has_value());
    EXPECT_EQ(s.halts(), 0U) << "an adapter that initialises is not halted";
    go.set();
  });
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(s.halts(), 1U);
  EXPECT_FALSE(s.is_up("im-nic0"));
  EXPECT_EQ(s.uppers.front().count("ProtocolBindAdapter"), s.uppers.front().count("ProtocolUnbindAdapter"));
  stop();
}

// LIFE-050, LIFE-052
TEST_P(DeInitializingADeviceInstance, FailsWhereTheInitializationFailed) {
  stack.emplace(world, GetParam(), 1);
  Stack& s = *stack;
  NDIS_HANDLE given = nullptr;
  s.im.on_initialize = [&](FakeAdapter& adapter) {
    given = adapter.handle;
    adapter.state = FakeAdapter::State::Halted;
    return NDIS_STATUS_FAILURE;
  };
  std::optional<NDIS_STATUS> status;
  s.im.on_unbind = [&](FakeBinding& binding) {
    status = NdisIMDeInitializeDeviceInstance(given);
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { s.start(); });
  EXPECT_FALSE(s.is_up("im-nic0"));
  run([&] { s.nic->unplug("nic0"); });
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_EQ(s.halts(), 0U) << "an adapter whose initialisation failed is not halted";
  stop();
  expect({"im: LIFE-052"});
}

// LIFE-050, LIFE-309
TEST_P(DeInitializingADeviceInstance, CannotReachAnInstanceWhoseDeviceHasNotStarted) {
  world.library().policy.device_is_started = [](const MiniportDriver&, std::u16string_view) { return false; };
  Stack& s = make();
  EXPECT_EQ(s.im.count("MiniportInitialize"), 0U);
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  s.im.on_unbind = [&](FakeBinding& binding) {
    status = NdisIMDeInitializeDeviceInstance(nullptr);  // the driver has no handle yet
    EXPECT_EQ(s.cancel("im-nic0"), NDIS_STATUS_SUCCESS);
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { s.nic->unplug("nic0"); });
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  run([&] { world.library().start_device(lab::device_name("im-nic0")); });
  EXPECT_EQ(s.im.count("MiniportInitialize"), 0U) << "cancelled: the start of the device changes nothing";
  EXPECT_TRUE(world.library().instances().empty());
  stop();
  expect({"im: LIFE-048"});
}

// LIFE-052, LIFE-312, LIFE-314, LIFE-315
TEST_P(DeInitializingADeviceInstance, IsForInstancesThatStartedAndCancelForThoseThatDidNot) {
  world.library().policy.device_is_started = [](const MiniportDriver&, std::u16string_view) { return false; };
  Stack& s = make();
  s.no_instance_in_bind();
  s.only_close_in_unbind();
  run([&] {
    world.library().start_device(lab::device_name("im-nic0"));
    EXPECT_TRUE(s.is_running("im-nic0"));
    EXPECT_EQ(s.cancel("im-nic0"), NDIS_STATUS_FAILURE) << "it has started";
    EXPECT_TRUE(s.is_running("im-nic0"));
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(s.cancel("im-nic0"), NDIS_STATUS_FAILURE) << "it is gone";

    EXPECT_EQ(s.initialize("im-nic0"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(s.initialize("im-nic0"), NDIS_STATUS_NOT_ACCEPTED) << "it waits for its device";
    EXPECT_EQ(s.cancel("im-nic0"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(s.cancel("im-nic0"), NDIS_STATUS_FAILURE);
    world.library().start_device(lab::device_name("im-nic0"));
    EXPECT_FALSE(s.is_up("im-nic0"));

    EXPECT_EQ(s.initialize("im-nic0"), NDIS_STATUS_SUCCESS) << "after a cancel the name is free";
    world.library().start_device(lab::device_name("im-nic0"));
    EXPECT_TRUE(s.is_running("im-nic0"));
    EXPECT_EQ(NdisIMDeInitializeDeviceInstance(handle_of("im-nic0")), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(s.im.count("MiniportInitialize"), 2U);
  EXPECT_EQ(s.halts(), 2U);
  stop();
}

// LIFE-060
TEST_P(DeInitializingADeviceInstance, AboveIrqlPassiveIsTold) {
  Stack& s = make(0);
  s.only_close_in_unbind();
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    status = NdisIMDeInitializeDeviceInstance(nullptr);
  });
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_TRUE(s.is_running("im-nic0"));
  stop();
  expect({"host: Irql_IM_Function", "host: LIFE-048"});
}

INSTANTIATE_TEST_SUITE_P(Generations, DeInitializingADeviceInstance, kGenerations, name_of);

}  // namespace
}  // namespace undis::test
