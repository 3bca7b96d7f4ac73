// SPDX-License-Identifier: MIT
//
// What the pages ask of drivers of NDIS 5, and of NDIS for them, beyond the five pages of the other files:
// DriverEntry, attributes, status indications, halt, open and close, uninstall. Intermediate drivers:
// ndis5_intermediate_test.cpp.
#include "intermediate_stack.h"
#include "ndis/uninstall.h"
#include "registration_test.h"

namespace undis::test {
namespace {

using lab::FakeAdapter;
using lab::FakeBinding;
using lab::FakeDriver;

constexpr auto kFailure = static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE);
constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
constexpr auto kPending = static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING);

// ---- DriverEntry ----

class ADriverEntryOf5 : public NdisTest {
 protected:
  /// Loads a driver whose DriverEntry is this; its status.
  NTSTATUS load(std::function<NTSTATUS()> entry) {
    driver.entry = std::move(entry);
    NTSTATUS status = STATUS_SUCCESS;
    run([&] { status = driver.load(); });
    return status;
  }
  FakeDriver driver{world, "d"};
};

// LIFE-330
TEST_F(ADriverEntryOf5, IsReportedWhenItCallsAnotherFunctionOfNdisBeforeTheWrappers) {
  NDIS_SPIN_LOCK lock;
  load([&] {
    NdisAllocateSpinLock(&lock);
    driver.initialize_wrapper();
    NdisTerminateWrapper(driver.wrapper, nullptr);
    return STATUS_UNSUCCESSFUL;
  });
  expect({"d: LIFE-330"});
  EXPECT_THAT(last_violation_text(), ::testing::HasSubstr("NdisAllocateSpinLock"));
}

// LIFE-330
TEST_F(ADriverEntryOf5, IsReportedWhenItGoesOnWithoutAWrapperHandle) {
  NDIS51_MINIPORT_CHARACTERISTICS c = FakeDriver::miniport5_characteristics();
  load([&] {
    EXPECT_EQ(NdisMRegisterMiniport(nullptr, &c, sizeof(c)), kFailure);
    return STATUS_UNSUCCESSFUL;
  });
  expect({"d: LIFE-330"});
}

// LIFE-331
TEST_F(ADriverEntryOf5, IsReportedWhenItFailsAndLeavesTheWrapper) {
  load([&] {
    driver.initialize_wrapper();
    return STATUS_UNSUCCESSFUL;
  });
  expect({"d: LIFE-331"});
}

// LIFE-331
TEST_F(ADriverEntryOf5, TerminatesTheWrapperWhenTheRegistrationFails) {
  load([&] {
    driver.initialize_wrapper();
    EXPECT_NE(NdisMRegisterMiniport(driver.wrapper, nullptr, 0), kSuccess);
    NdisTerminateWrapper(driver.wrapper, nullptr);
    return STATUS_UNSUCCESSFUL;
  });
}

// LIFE-328
TEST_F(ADriverEntryOf5, IsReportedWhenItRegistersALayeredMiniportAndNoProtocol) {
  driver.unload_routine = [&] { NdisIMDeregisterLayeredMiniport(driver.miniport); };
  EXPECT_EQ(load([&] {
              driver.initialize_wrapper();
              EXPECT_EQ(driver.register_layered5(), kSuccess);
              driver.register_unload_handler();
              return STATUS_SUCCESS;
            }),
            STATUS_SUCCESS);
  EXPECT_EQ(violations(), Lines{"d: LIFE-328"});
  run([&] { EXPECT_TRUE(driver.unload()); });
  expect({"d: LIFE-328"});
}

// LIFE-328
TEST_F(ADriverEntryOf5, IsTheOnlyPlaceForALayeredMiniport) {
  driver.be_intermediate5();
  run([&] {
    ASSERT_EQ(driver.load(), STATUS_SUCCESS);
    NDIS51_MINIPORT_CHARACTERISTICS c = FakeDriver::miniport5_characteristics();
    NDIS_HANDLE handle = nullptr;
    EXPECT_EQ(NdisIMRegisterLayeredMiniport(driver.wrapper, &c, sizeof(c), &handle), kSuccess);
    NdisIMDeregisterLayeredMiniport(handle);
    EXPECT_TRUE(driver.unload());
  });
  const Lines told = violations();
  EXPECT_NE(std::ranges::find(told, "host: LIFE-328"), told.end());
  expect(told);
}

// LIFE-318
TEST_F(ADriverEntryOf5, AssociatesItsOwnTwoHalvesOnly) {
  driver.be_intermediate5();
  FakeDriver other(world, "other");
  other.be_protocol5();
  run([&] {
    ASSERT_EQ(driver.load(), STATUS_SUCCESS);
    ASSERT_EQ(other.load(), STATUS_SUCCESS);
    EXPECT_EQ(violations(), Lines{}) << "in DriverEntry, as the driver has done it, it is fine";
    NdisIMAssociateMiniport(driver.miniport, other.protocol);
    EXPECT_EQ(world.library().miniport_drivers_of(driver.driver()).front()->associated(),
              world.library().protocols_of(driver.driver()).front().get())
        << "the halves stay as they were";
    EXPECT_TRUE(driver.unload());
    EXPECT_TRUE(other.unload());
  });
  expect({"host: LIFE-318", "host: LIFE-318"});  // not in DriverEntry, and not one driver's
}

// ---- attributes, status, halt ----

class AMiniportOf5 : public NdisTest {
 protected:
  void up(unsigned cards = 1) {
    nic.be_miniport5();
    run([&] {
      ASSERT_EQ(nic.load(), STATUS_SUCCESS);
      for (unsigned i = 0; i < cards; ++i) world.plug(nic.driver(), "nic" + std::to_string(i));
    });
  }
  void down() {
    run([&] {
      while (!world.library().adapters().empty()) world.unplug(*world.library().adapters().front());
      EXPECT_TRUE(nic.unload());
    });
    expect_no_complaints(nic);
  }
  FakeDriver nic{world, "nic"};
};

// LIFE-333
TEST_F(AMiniportOf5, ThatIsVirtualIsReportedWithoutTheAttributesOfOne) {
  Stack stack(world, {5, 6}, 1);
  ULONG flags = NDIS_ATTRIBUTE_DESERIALIZE | NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER;
  stack.im.on_initialize = [&](FakeAdapter& adapter) {
    NdisMSetAttributesEx(adapter.handle, &adapter, 0, flags, NdisInterfaceInternal);
    return kSuccess;
  };
  run([&] { stack.start(); });
  EXPECT_THAT(last_violation_text(), ::testing::HasSubstr("without the second"));
  run([&] { stack.stop(); });
  expect({"im: LIFE-333"});
}

// LIFE-334
TEST_F(AMiniportOf5, IsReportedWhenItIndicatesStatusInItsHaltOrWithASpinLock) {
  up();
  NDIS_SPIN_LOCK lock;
  nic.on_request = [&](FakeAdapter& adapter, NDIS_OID, bool) {
    NdisMIndicateStatus(adapter.handle, NDIS_STATUS_MEDIA_CONNECT, nullptr, 0);  // nothing is wrong with this
    NdisAllocateSpinLock(&lock);
    NdisAcquireSpinLock(&lock);
    NdisMIndicateStatus(adapter.handle, NDIS_STATUS_MEDIA_CONNECT, nullptr, 0);
    NdisReleaseSpinLock(&lock);
    NdisFreeSpinLock(&lock);
    return kSuccess;
  };
  run([&] {
    ULONG number = 0;
    world.adapter("nic0")->oids.ask(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number, sizeof(number));
  });
  nic.on_request = nullptr;
  EXPECT_EQ(violations(), Lines{"nic: LIFE-334"});
  nic.on_halt = [](FakeAdapter& adapter) {
    NdisMIndicateStatus(adapter.handle, NDIS_STATUS_MEDIA_DISCONNECT, nullptr, 0);
  };
  down();
  expect({"nic: LIFE-334", "nic: LIFE-334"});
}

// LIFE-334
TEST_F(AMiniportOf5, MayIndicateStatusWhileSomebodyAboveHoldsALock) {
  up();
  FakeDriver p(world, "p");
  p.be_protocol5();
  run([&] { ASSERT_EQ(p.load(), STATUS_SUCCESS); });
  nic.on_request = [](FakeAdapter& adapter, NDIS_OID, bool) {
    NdisMIndicateStatus(adapter.handle, NDIS_STATUS_MEDIA_CONNECT, nullptr, 0);
    return kSuccess;
  };
  run([&] {
    NDIS_SPIN_LOCK lock;
    NdisAllocateSpinLock(&lock);
    NdisAcquireSpinLock(&lock);
    ULONG lookahead = 128;
    EXPECT_EQ(set(*p.binding("nic0"), OID_GEN_CURRENT_LOOKAHEAD, &lookahead, sizeof(lookahead)), kSuccess);
    NdisReleaseSpinLock(&lock);
    NdisFreeSpinLock(&lock);
    EXPECT_TRUE(p.unload());
  });
  nic.on_request = nullptr;
  down();
}

// LIFE-354, LIFE-347
TEST_F(AMiniportOf5, IsReportedWhenItsHaltLeavesTheShutdownHandler) {
  nic.on_initialize = [](FakeAdapter& adapter) {
    NdisMRegisterAdapterShutdownHandler(adapter.handle, &adapter, [](PVOID) {});
    return kSuccess;
  };
  bool takes_back = true;
  nic.on_halt = [&](FakeAdapter& adapter) {
    if (takes_back) NdisMDeregisterAdapterShutdownHandler(adapter.handle);
  };
  up();
  run([&] { world.unplug(*world.adapter("nic0")); });
  EXPECT_EQ(violations(), Lines{});
  run([&] { world.plug(nic.driver(), "nic0"); });
  takes_back = false;
  down();
  expect({"nic: LIFE-354"});
}

// LIFE-347
TEST_F(AMiniportOf5, IsReportedWhenNothingFreesWhatItsInitializeTook) {
  nic.on_initialize = [](FakeAdapter&) {
    NDIS_HANDLE pool = nullptr;
    NDIS_STATUS status = kFailure;
    NdisAllocatePacketPool(&status, &pool, 4, PROTOCOL_RESERVED_SIZE_IN_PACKET);
    return status;
  };
  up();
  down();
  expect({"nic: PacketLeak"});
}

TEST_F(AMiniportOf5, WithoutAnUnloadHandlerIsUnloadedByNdis) {
  nic.be_miniport5();
  nic.entry = [&] {
    nic.initialize_wrapper();
    return nic.register_miniport5();
  };
  run([&] {
    ASSERT_EQ(nic.load(), STATUS_SUCCESS);
    ASSERT_TRUE(world.plug(nic.driver(), "nic0"));
    EXPECT_TRUE(nic.unload());
  });
  EXPECT_EQ(nic.count("MiniportHalt nic0"), 1U);
  expect_no_complaints(nic);
}

// LIFE-348
TEST_F(AMiniportOf5, IsHaltedOnceAtRemovalAndOnceAtUnload) {
  up(2);
  run([&] { world.unplug(*world.adapter("nic0")); });
  EXPECT_EQ(nic.count("MiniportHalt nic0"), 1U);
  EXPECT_EQ(nic.count("MiniportHalt nic1"), 0U);
  run([&] { EXPECT_TRUE(nic.unload()); });
  EXPECT_EQ(nic.count("MiniportHalt nic0"), 1U);
  EXPECT_EQ(nic.count("MiniportHalt nic1"), 1U);
  expect_no_complaints(nic);
}

// LIFE-207
TEST_F(AMiniportOf5, ThatFailsToInitializeIsBoundByNobody) {
  FakeDriver p(world, "p");
  p.be_protocol5();
  run([&] { ASSERT_EQ(p.load(), STATUS_SUCCESS); });
  nic.on_initialize = [](FakeAdapter&) { return kFailure; };
  up();
  EXPECT_EQ(p.count("ProtocolBindAdapter"), 0U);
  EXPECT_EQ(nic.count("MiniportHalt"), 0U);
  run([&] { EXPECT_TRUE(p.unload()); });
  down();
}

// ---- open, close, unbind ----

class AProtocolOf5 : public AMiniportOf5 {
 protected:
  AProtocolOf5() { p.be_protocol5(); }
  void both_up() {
    up();
    run([&] { ASSERT_EQ(p.load(), STATUS_SUCCESS); });
  }
  void both_down() {
    run([&] {
      if (p.driver().phase() == kernel::DriverPhase::Loaded) {
        EXPECT_TRUE(p.unload());
      }
    });
    down();
    expect_no_complaints(p);
  }
  NDIS_STATUS open(NDIS_HANDLE& handle, std::string_view adapter, NDIS_MEDIUM medium = NdisMedium802_3) {
    const WideString name(lab::device_name(adapter));
    NDIS_STATUS status = kGarbage;
    NDIS_STATUS error = kGarbage;
    UINT index = 7;
    NdisOpenAdapter(&status, &error, &handle, &index, &medium, 1, p.protocol, this, name.get(), 0, nullptr);
    return status;
  }
  FakeDriver p{world, "p"};
};

// LIFE-332
TEST_F(AProtocolOf5, OpensTheAdapterOfItsBindOnceAndLearnsWhyNot) {
  std::vector<NDIS_STATUS> answers;
  p.after_open = [&](FakeBinding&) {
    NDIS_HANDLE handle = nullptr;
    answers = {open(handle, "nic0"), open(handle, "other")};
    EXPECT_EQ(handle, nullptr);
    return kSuccess;
  };
  both_up();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0], static_cast<NDIS_STATUS>(NDIS_STATUS_OPEN_FAILED));
  EXPECT_NE(answers[1], kSuccess);
  p.after_open = nullptr;
  both_down();
  expect(violations());
}

// LIFE-351
TEST_F(AProtocolOf5, IsToldOfTheEndOfACloseWhenItsRequestsAreComplete) {
  both_up();
  FakeAdapter* asked = nullptr;
  nic.on_request = [&](FakeAdapter& adapter, NDIS_OID oid, bool) {
    if (oid != OID_GEN_VENDOR_ID) return kSuccess;
    asked = &adapter;
    return kPending;
  };
  ULONG number = 0;
  NDIS_REQUEST query{};
  query.RequestType = NdisRequestQueryInformation;
  query.DATA.QUERY_INFORMATION.Oid = OID_GEN_VENDOR_ID;
  query.DATA.QUERY_INFORMATION.InformationBuffer = &number;
  query.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(number);
  run([&] {
    EXPECT_EQ(request(*p.binding("nic0"), query), kPending);
    world.system().spawn("unload p", [&] { EXPECT_TRUE(p.unload()); });
    world.system().advance(10'000'000);
    EXPECT_EQ(p.count("ProtocolUnbindAdapter"), 1U);
    EXPECT_EQ(p.binding("nic0")->close_completes, 0U) << "a request of the binding is still out";
    EXPECT_TRUE(p.binding("nic0")->answered.empty());
    NdisMQueryInformationComplete(asked->handle, NDIS_STATUS_NOT_SUPPORTED);
  });
  EXPECT_EQ(p.binding("nic0")->answered.size(), 1U);
  EXPECT_EQ(p.binding("nic0")->close_completes, 1U);
  nic.on_request = nullptr;
  both_down();
}

// LIFE-350, LIFE-352
TEST_F(AProtocolOf5, EndsAPendedUnbindOnceAndItsContextIsDeadAfterwards) {
  NDIS_HANDLE context = nullptr;
  p.on_unbind = [&](FakeBinding& of) {
    context = of.unbind_context;
    kernel::queue_work("finish the unbind", [&of] {
      FakeDriver::close_and_wait(of);
      NdisCompleteUnbindAdapter(of.unbind_context, NDIS_STATUS_SUCCESS);
    });
    return kPending;
  };
  both_up();
  run([&] { EXPECT_TRUE(p.unload()); });
  EXPECT_EQ(violations(), Lines{});
  run([&] { NdisCompleteUnbindAdapter(context, NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(violations(), Lines{"host: HandleMisuse"});
  both_down();
  expect({"host: HandleMisuse"});
}

// LIFE-350
TEST_F(AProtocolOf5, IsReportedWhenItsUnbindClosesNothing) {
  both_up();
  p.on_unbind = [](FakeBinding&) { return kSuccess; };
  run([&] { EXPECT_TRUE(p.unload()); });
  both_down();
  expect({"p: LIFE-040"});
}

// LIFE-252, LIFE-253
TEST_F(AProtocolOf5, IsReportedWhenItEnumeratesItsBindingsInsideABind) {
  p.after_open = [&](FakeBinding&) {
    NdisReEnumerateProtocolBindings(p.protocol);
    return kSuccess;
  };
  both_up();
  EXPECT_EQ(p.count("ProtocolBindAdapter"), 1U) << "what is bound, or just being bound, is not bound again";
  both_down();
  expect({"p: WrongPlace"});
}

// ---- uninstall ----

class UninstallingAProtocol : public AMiniportOf5 {
 protected:
  /// A protocol whose characteristics name a function for it.
  void load(int generation) {
    if (generation == 5) {
      p.be_protocol5();
    } else {
      p.be_protocol6();
    }
    p.entry = [this, generation]() -> NTSTATUS {
      p.set_driver_unload();
      const WideString name(u"p");
      static unsigned* counter;
      counter = &calls;
      if (generation == 6) {
        NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c = FakeDriver::protocol6_characteristics(name.get());
        c.UninstallHandler = [] { ++*counter; };
        return NdisRegisterProtocolDriver(nullptr, &c, &p.protocol);
      }
      NDIS50_PROTOCOL_CHARACTERISTICS c = FakeDriver::protocol5_characteristics(name.get());
      c.UnloadHandler = [] { ++*counter; };
      NDIS_STATUS status = kFailure;
      NdisRegisterProtocol(&status, &p.protocol, &c, sizeof(c));
      return status;
    };
    run([&] { ASSERT_EQ(p.load(), STATUS_SUCCESS); });
  }
  FakeDriver p{world, "p"};
  unsigned calls = 0;
};

TEST_F(UninstallingAProtocol, Of5UnbindsItEverywhereAndThenCallsItsFunctionOnce) {
  up(2);
  load(5);
  EXPECT_EQ(p.bindings.size(), 2U);
  run([&] { uninstall(*world.library().protocols_of(p.driver()).front()); });
  EXPECT_EQ(p.count("ProtocolUnbindAdapter"), 2U);
  EXPECT_EQ(calls, 1U);
  EXPECT_EQ(world.adapter("nic0")->state(), AdapterState::Running);
  run([&] { EXPECT_TRUE(p.unload()); });
  down();
}

TEST_F(UninstallingAProtocol, Of6UnbindsItEverywhereAndThenCallsItsFunctionOnce) {
  up(2);
  load(6);
  run([&] { uninstall(*world.library().protocols_of(p.driver()).front()); });
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 2U);
  EXPECT_EQ(calls, 1U);
  run([&] { EXPECT_TRUE(p.unload()); });
  down();
}

}  // namespace
}  // namespace undis::test
