// SPDX-License-Identifier: MIT
//
// The four registrations: each status that their pages list, characteristics that are too short, too old,
// incomplete or missing, and memory that runs out; what was refused leaves nothing. Pages:
// ndis/nf-ndis-ndismregisterminiportdriver, -ndisregisterprotocoldriver, -ndisregisterprotocol,
// previous-versions ff553602 (NdisMRegisterMiniport), ndis/nf-ndis-ndisimregisterlayeredminiport.
#include <functional>

#include <fmt/format.h>

#include "lab/core_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

class Registering : public CoreTest {
 protected:
  /// Runs `body` as DriverEntry of "mp", which then fails, and checks that NDIS has kept nothing of it.
  void in_a_driver_entry(const std::function<void()>& body) {
    const HeapUse before = ndis_heap();
    mp.entry = [&] {
      body();
      return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
    };
    run([&] { EXPECT_EQ(mp.load(), STATUS_UNSUCCESSFUL); });
    EXPECT_EQ(ndis_heap(), before);
    EXPECT_TRUE(world.library().miniport_drivers().empty());
    EXPECT_TRUE(world.library().protocols().empty());
  }
  NDIS_STATUS register6(NDIS_MINIPORT_DRIVER_CHARACTERISTICS c) {
    NDIS_HANDLE handle = nullptr;
    const NDIS_STATUS status =
        NdisMRegisterMiniportDriver(mp.driver().object(), mp.driver().registry_path(), nullptr, &c, &handle);
    EXPECT_EQ(status == NDIS_STATUS_SUCCESS, handle != nullptr);
    if (status == NDIS_STATUS_SUCCESS) NdisMDeregisterMiniportDriver(handle);
    return status;
  }
  NDIS_STATUS register6(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c) {
    NDIS_HANDLE handle = nullptr;
    const NDIS_STATUS status = NdisRegisterProtocolDriver(nullptr, &c, &handle);
    EXPECT_EQ(status == NDIS_STATUS_SUCCESS, handle != nullptr);
    if (status == NDIS_STATUS_SUCCESS) NdisDeregisterProtocolDriver(handle);
    return status;
  }
  NDIS_STATUS register5(NDIS51_MINIPORT_CHARACTERISTICS c, UINT length) {
    NDIS_HANDLE handle = nullptr;
    const NDIS_STATUS status = NdisIMRegisterLayeredMiniport(mp.wrapper, &c, length, &handle);
    EXPECT_EQ(status == NDIS_STATUS_SUCCESS, handle != nullptr);
    if (status == NDIS_STATUS_SUCCESS) NdisIMDeregisterLayeredMiniport(handle);
    return status;
  }
  NDIS_STATUS register5(NDIS50_PROTOCOL_CHARACTERISTICS c, UINT length) {
    NDIS_HANDLE handle = this;
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    NdisRegisterProtocol(&status, &handle, &c, length);
    EXPECT_EQ(status == NDIS_STATUS_SUCCESS, handle != nullptr);
    NDIS_STATUS gone = NDIS_STATUS_FAILURE;
    if (status == NDIS_STATUS_SUCCESS) NdisDeregisterProtocol(&gone, handle);
    return status;
  }

  WideString name{u"unit"};
};

/// Registers with each handler member taken out in turn; `required` says which of them must not be missing.
#define UNDIS_WITHOUT(member, status) \
  {                                   \
    auto c = whole();                 \
    c.member = nullptr;               \
    SCOPED_TRACE(#member);            \
    EXPECT_EQ(attempt(c), status);    \
  }

class AMiniportOfSix : public Registering {
 protected:
  static NDIS_MINIPORT_DRIVER_CHARACTERISTICS whole() { return FakeDriver::miniport6_characteristics(); }
  NDIS_STATUS attempt(const NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) { return register6(c); }
};

// LIFE-086
TEST_F(AMiniportOfSix, IsRegisteredWithEachKnownVersionAndRefusedWithOthers) {
  in_a_driver_entry([&] {
    for (const int minor : {0, 1, 20, 30, 40, 50, 51, 60, 70, 80, 85, 89}) {
      auto c = whole();
      c.MinorNdisVersion = static_cast<UCHAR>(minor);
      EXPECT_EQ(attempt(c), NDIS_STATUS_SUCCESS) << minor;
    }
    for (const auto& [major, minor] : {std::pair{5, 1}, {4, 0}, {7, 0}, {0, 0}, {6, 2}, {6, 99}}) {
      auto c = whole();
      c.MajorNdisVersion = static_cast<UCHAR>(major);
      c.MinorNdisVersion = static_cast<UCHAR>(minor);
      EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_VERSION) << major << '.' << minor;
    }
  });
}

// LIFE-087, LIFE-095, LIFE-097
TEST_F(AMiniportOfSix, NeedsAHeaderThatFitsItsVersion) {
  in_a_driver_entry([&] {
    auto c = whole();
    c.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    c.Header.Revision = 0;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 - 1;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    c.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    c.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS) << "revision 1 is for 6.0";
    c.MinorNdisVersion = 0;
    EXPECT_EQ(attempt(c), NDIS_STATUS_SUCCESS);
  });
  expect({"mp: ObjectHeaderValid"});
}

// LIFE-091
TEST_F(AMiniportOfSix, NeedsItsRequiredHandlers) {
  in_a_driver_entry([&] {
    UNDIS_WITHOUT(InitializeHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(HaltHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(UnloadHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(PauseHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(RestartHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(OidRequestHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(SendNetBufferListsHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(ReturnNetBufferListsHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(CancelSendHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(DevicePnPEventNotifyHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(ShutdownHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(CancelOidRequestHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(SetOptionsHandler, NDIS_STATUS_SUCCESS)
    UNDIS_WITHOUT(CheckForHangHandlerEx, NDIS_STATUS_SUCCESS)
    UNDIS_WITHOUT(ResetHandlerEx, NDIS_STATUS_SUCCESS)
  });
}

// LIFE-088
TEST_F(AMiniportOfSix, FailsWithoutItsPointers) {
  in_a_driver_entry([&] {
    auto c = whole();
    NDIS_HANDLE handle = nullptr;
    DRIVER_OBJECT* const object = mp.driver().object();
    UNICODE_STRING* const path = mp.driver().registry_path();
    EXPECT_EQ(NdisMRegisterMiniportDriver(nullptr, path, nullptr, &c, &handle), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMRegisterMiniportDriver(object, nullptr, nullptr, &c, &handle), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMRegisterMiniportDriver(object, path, nullptr, nullptr, &handle), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMRegisterMiniportDriver(object, path, nullptr, &c, nullptr), NDIS_STATUS_FAILURE);
    EXPECT_EQ(handle, nullptr);
  });
}

TEST_F(AMiniportOfSix, IsTakenBackWhereItsSetOptionsFails) {
  in_a_driver_entry([&] {
    auto c = whole();
    c.SetOptionsHandler = [](NDIS_HANDLE handle, NDIS_HANDLE) {
      EXPECT_NE(handle, nullptr);
      return static_cast<NDIS_STATUS>(NDIS_STATUS_RESOURCES);
    };
    EXPECT_EQ(attempt(c), NDIS_STATUS_RESOURCES);
    c.SetOptionsHandler = [](NDIS_HANDLE, NDIS_HANDLE) {
      return static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
    };
    EXPECT_EQ(attempt(c), NDIS_STATUS_SUCCESS);
  });
}

// LIFE-083
TEST_F(AMiniportOfSix, KeepsACopyOfItsCharacteristics) {
  mp.entry = [&] {
    auto c = FakeDriver::miniport6_characteristics();
    const NDIS_STATUS status = NdisMRegisterMiniportDriver(mp.driver().object(), mp.driver().registry_path(),
                                                           nullptr, &c, &mp.miniport);
    c = {};
    return static_cast<NTSTATUS>(status);
  };
  mp.unload_routine = [&] { NdisMDeregisterMiniportDriver(mp.miniport); };
  run([&] { ASSERT_EQ(mp.load(), STATUS_SUCCESS); });
  EXPECT_EQ(plug(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

class AProtocolOfSix : public Registering {
 protected:
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS whole() { return FakeDriver::protocol6_characteristics(name.get()); }
  NDIS_STATUS attempt(const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) { return register6(c); }
};

// LIFE-220
TEST_F(AProtocolOfSix, IsRegisteredWithEachKnownVersionAndRefusedWithOthers) {
  in_a_driver_entry([&] {
    for (const int minor : {0, 1, 20, 30, 40, 50, 60, 70, 80, 89}) {
      auto c = whole();
      c.MinorNdisVersion = static_cast<UCHAR>(minor);
      EXPECT_EQ(attempt(c), NDIS_STATUS_SUCCESS) << minor;
    }
    for (const auto& [major, minor] : {std::pair{5, 0}, {7, 0}, {6, 3}}) {
      auto c = whole();
      c.MajorNdisVersion = static_cast<UCHAR>(major);
      c.MinorNdisVersion = static_cast<UCHAR>(minor);
      EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_VERSION) << major << '.' << minor;
    }
  });
}

// LIFE-220, LIFE-095
TEST_F(AProtocolOfSix, NeedsAHeaderThatFitsItsVersionAndAName) {
  in_a_driver_entry([&] {
    auto c = whole();
    c.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    c.Header.Revision = 0;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    c.Header.Size = static_cast<USHORT>(c.Header.Size - 1);
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    c.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c.MinorNdisVersion = 0;
    EXPECT_EQ(attempt(c), NDIS_STATUS_SUCCESS);
    c = whole();
    c.Name.Length = 0;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    c.Name.Buffer = nullptr;
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
    NDIS_HANDLE handle = nullptr;
    EXPECT_EQ(NdisRegisterProtocolDriver(nullptr, nullptr, &handle), NDIS_STATUS_BAD_CHARACTERISTICS);
    c = whole();
    EXPECT_EQ(NdisRegisterProtocolDriver(nullptr, &c, nullptr), NDIS_STATUS_FAILURE);
  });
  expect({"mp: ObjectHeaderValid"});
}

// LIFE-220
TEST_F(AProtocolOfSix, NeedsItsRequiredHandlers) {
  in_a_driver_entry([&] {
    UNDIS_WITHOUT(BindAdapterHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(UnbindAdapterHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(OpenAdapterCompleteHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(CloseAdapterCompleteHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(NetPnPEventHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(OidRequestCompleteHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(StatusHandlerEx, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(ReceiveNetBufferListsHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(SendNetBufferListsCompleteHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(SetOptionsHandler, NDIS_STATUS_SUCCESS)
    UNDIS_WITHOUT(UninstallHandler, NDIS_STATUS_SUCCESS)
  });
}

TEST_F(AProtocolOfSix, IsTakenBackWhereItsSetOptionsFails) {
  in_a_driver_entry([&] {
    auto c = whole();
    c.SetOptionsHandler = [](NDIS_HANDLE, NDIS_HANDLE) {
      return static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_SUPPORTED);
    };
    EXPECT_EQ(attempt(c), NDIS_STATUS_NOT_SUPPORTED);
  });
}

// LIFE-327
TEST_F(Registering, ASecondProtocolOfTheSameNameIsRefusedInBothGenerations) {
  up();
  const WideString same(u"P");  // compared in upper case
  run([&] {
    EXPECT_EQ(register6(FakeDriver::protocol6_characteristics(same.get())), NDIS_STATUS_FAILURE);
    EXPECT_EQ(
        register5(FakeDriver::protocol5_characteristics(same.get()), sizeof(NDIS50_PROTOCOL_CHARACTERISTICS)),
        NDIS_STATUS_FAILURE);
  });
  EXPECT_EQ(world.library().protocols().size(), 1U);
  down();
}

class AProtocolOfFive : public Registering {
 protected:
  NDIS50_PROTOCOL_CHARACTERISTICS whole() { return FakeDriver::protocol5_characteristics(name.get()); }
  NDIS_STATUS attempt(const NDIS50_PROTOCOL_CHARACTERISTICS& c) { return register5(c, sizeof(c)); }
};

// LIFE-325, LIFE-326
TEST_F(AProtocolOfFive, IsRegisteredWithItsVersionAndLength) {
  in_a_driver_entry([&] {
    struct Case {
      int major, minor;
      std::size_t length;
      NDIS_STATUS status;
    };
    constexpr std::size_t k4 = sizeof(NDIS40_PROTOCOL_CHARACTERISTICS);
    constexpr std::size_t k5 = sizeof(NDIS50_PROTOCOL_CHARACTERISTICS);
    for (const Case& each : {Case{5, 0, k5, NDIS_STATUS_SUCCESS},
                             {5, 1, k5, NDIS_STATUS_SUCCESS},
                             {4, 0, k4, NDIS_STATUS_SUCCESS},
                             {4, 0, k5, NDIS_STATUS_SUCCESS},
                             {5, 0, k5 - 1, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {4, 0, k4 - 1, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {5, 0, 1, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {5, 0, 0, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {3, 0, k5, NDIS_STATUS_BAD_VERSION},
                             {3, 10, k5, NDIS_STATUS_BAD_VERSION},
                             {5, 2, k5, NDIS_STATUS_BAD_VERSION},
                             {4, 1, k5, NDIS_STATUS_BAD_VERSION},
                             {6, 0, k5, NDIS_STATUS_BAD_VERSION}}) {
      auto c = whole();
      c.MajorNdisVersion = static_cast<UCHAR>(each.major);
      c.MinorNdisVersion = static_cast<UCHAR>(each.minor);
      EXPECT_EQ(register5(c, static_cast<UINT>(each.length)), each.status)
          << fmt::format("{}.{}, {} bytes", each.major, each.minor, each.length);
    }
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NDIS_HANDLE handle = this;
    NdisRegisterProtocol(&status, &handle, nullptr, sizeof(NDIS50_PROTOCOL_CHARACTERISTICS));
    EXPECT_EQ(status, NDIS_STATUS_BAD_CHARACTERISTICS);
    EXPECT_EQ(handle, nullptr);
  });
}

// LIFE-325, LIFE-350
TEST_F(AProtocolOfFive, NeedsBindUnbindAndAName) {
  in_a_driver_entry([&] {
    UNDIS_WITHOUT(BindAdapterHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(UnbindAdapterHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(PnPEventHandler, NDIS_STATUS_SUCCESS)
    UNDIS_WITHOUT(UnloadHandler, NDIS_STATUS_SUCCESS)
    auto c = whole();
    c.Name = {};
    EXPECT_EQ(attempt(c), NDIS_STATUS_BAD_CHARACTERISTICS);
  });
}

class AMiniportOfFive : public Registering {
 protected:
  static NDIS51_MINIPORT_CHARACTERISTICS whole() { return FakeDriver::miniport5_characteristics(); }
  NDIS_STATUS attempt(const NDIS51_MINIPORT_CHARACTERISTICS& c) { return register5(c, sizeof(c)); }
  void with_wrapper(const std::function<void()>& body) {
    in_a_driver_entry([&] {
      mp.initialize_wrapper();
      ASSERT_NE(mp.wrapper, nullptr);
      body();
      NdisTerminateWrapper(mp.wrapper, nullptr);
    });
  }
};

// LIFE-329
TEST_F(AMiniportOfFive, IsRegisteredWithItsVersionAndLength) {
  with_wrapper([&] {
    struct Case {
      int major, minor;
      std::size_t length;
      NDIS_STATUS status;
    };
    constexpr std::size_t k4 = sizeof(NDIS40_MINIPORT_CHARACTERISTICS);
    constexpr std::size_t k50 = sizeof(NDIS50_MINIPORT_CHARACTERISTICS);
    constexpr std::size_t k51 = sizeof(NDIS51_MINIPORT_CHARACTERISTICS);
    for (const Case& each : {Case{5, 1, k51, NDIS_STATUS_SUCCESS},
                             {5, 0, k50, NDIS_STATUS_SUCCESS},
                             {4, 0, k4, NDIS_STATUS_SUCCESS},
                             {5, 1, k50, k50 < k51 ? NDIS_STATUS_BAD_CHARACTERISTICS : NDIS_STATUS_SUCCESS},
                             {5, 1, k51 - 1, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {5, 0, k50 - 1, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {4, 0, k4 - 1, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {5, 1, 0, NDIS_STATUS_BAD_CHARACTERISTICS},
                             {3, 0, k51, NDIS_STATUS_BAD_VERSION},
                             {5, 2, k51, NDIS_STATUS_BAD_VERSION},
                             {4, 1, k51, NDIS_STATUS_BAD_VERSION},
                             {6, 0, k51, NDIS_STATUS_BAD_VERSION}}) {
      auto c = whole();
      c.MajorNdisVersion = static_cast<UCHAR>(each.major);
      c.MinorNdisVersion = static_cast<UCHAR>(each.minor);
      EXPECT_EQ(register5(c, static_cast<UINT>(each.length)), each.status)
          << fmt::format("{}.{}, {} bytes", each.major, each.minor, each.length);
    }
    NDIS_HANDLE handle = nullptr;
    EXPECT_EQ(NdisIMRegisterLayeredMiniport(mp.wrapper, nullptr, k51, &handle),
              NDIS_STATUS_BAD_CHARACTERISTICS);
    auto c = whole();
    EXPECT_EQ(NdisIMRegisterLayeredMiniport(mp.wrapper, &c, k51, nullptr), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisMRegisterMiniport(mp.wrapper, nullptr, k51), NDIS_STATUS_BAD_CHARACTERISTICS);
  });
}

// LIFE-329
TEST_F(AMiniportOfFive, NeedsItsRequiredHandlers) {
  with_wrapper([&] {
    UNDIS_WITHOUT(InitializeHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(HaltHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(QueryInformationHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(SetInformationHandler, NDIS_STATUS_BAD_CHARACTERISTICS)
    UNDIS_WITHOUT(CheckForHangHandler, NDIS_STATUS_SUCCESS)
    UNDIS_WITHOUT(PnPEventNotifyHandler, NDIS_STATUS_SUCCESS)
  });
}

TEST_F(AMiniportOfFive, NeedsAWrapperOfItsOwnDriverObject) {
  in_a_driver_entry([&] {
    NDIS_HANDLE handle = this;
    NdisMInitializeWrapper(&handle, this, nullptr, nullptr);  // no DRIVER_OBJECT
    EXPECT_EQ(handle, nullptr);
  });
  expect({"mp: WrongPlace"});
}

#undef UNDIS_WITHOUT

// ---- low memory: the k-th call that may fail does, for every k ----

// LIFE-326, LIFE-329, LIFE-088, LIFE-220, LIFE-098
TEST(RegisteringWithoutMemory, FailsWithResourcesAndLeavesNothing) {
  struct Kind {
    const char* name;
    void (FakeDriver::*be)();
    NTSTATUS first_failure;
  };
  for (const Kind& kind : {Kind{"protocol of 5", &FakeDriver::be_protocol5, NDIS_STATUS_RESOURCES},
                           Kind{"protocol of 6", &FakeDriver::be_protocol6, NDIS_STATUS_RESOURCES},
                           Kind{"miniport of 6", &FakeDriver::be_miniport6, NDIS_STATUS_RESOURCES},
                           Kind{"intermediate of 5", &FakeDriver::be_intermediate5, STATUS_UNSUCCESSFUL},
                           Kind{"intermediate of 6", &FakeDriver::be_intermediate6, NDIS_STATUS_RESOURCES}}) {
    SCOPED_TRACE(kind.name);
    bool loaded = false;
    unsigned failures = 0;
    for (std::uint32_t k = 1; !loaded; ++k) {
      ASSERT_LT(k, 50U);
      lab::WorldOptions options;
      options.schedule = machine::Schedule(0, k);
      SCOPED_TRACE(options.schedule.text());
      const HeapUse before = ndis_heap();
      {
        lab::World world(options);
        FakeDriver driver(world, "driver");
        (driver.*kind.be)();
        NTSTATUS status = STATUS_SUCCESS;
        ASSERT_EQ(world.run("load", [&] { status = driver.load(); }), kernel::Outcome::Idle);
        loaded = NT_SUCCESS(status);
        if (!loaded) {
          ++failures;
          if (k == 1) {
            EXPECT_EQ(status, kind.first_failure);
          }
          EXPECT_TRUE(world.library().protocols().empty());
          EXPECT_TRUE(world.library().miniport_drivers().empty());
          EXPECT_EQ(world.library().handles().open_count(), 0U);
        } else {
          ASSERT_EQ(world.run("unload", [&] { EXPECT_TRUE(driver.unload()); }), kernel::Outcome::Idle);
        }
        EXPECT_EQ(world.verifier().violation_lines(), Lines{}) << "the driver takes back what it had";
      }
      EXPECT_EQ(ndis_heap(), before);
    }
    EXPECT_GE(failures, 1U);
  }
}

/// A stack in which every fallible call of the protocol or miniport fails once: each run ends and leaves
/// nothing.
// LIFE-111
TEST(BringingUpWithoutMemory, EndsCleanlyWhicheverCallFails) {
  bool all_passed = false;
  for (std::uint32_t k = 1; !all_passed; ++k) {
    ASSERT_LT(k, 100U);
    lab::WorldOptions options;
    options.schedule = machine::Schedule(0, k);
    SCOPED_TRACE(options.schedule.text());
    const HeapUse before = ndis_heap();
    {
      lab::World world(options);
      FakeDriver mp(world, "mp");
      FakeDriver im(world, "im");
      FakeDriver p(world, "p");
      mp.be_miniport6();
      im.be_intermediate6();
      p.be_protocol5();
      world.library().policy.binds = [&](const ProtocolDriver& protocol, const Adapter& adapter) {
        return (&protocol.driver() == &im.driver()) != adapter.is_virtual();
      };
      ASSERT_EQ(world.run("up",
                          [&] {
                            mp.load();
                            im.load();
                            p.load();
                            if (mp.driver().phase() == kernel::DriverPhase::Loaded)
                              world.plug(mp.driver(), "nic");
                          }),
                kernel::Outcome::Idle);
      all_passed = world.adapter("im-nic") && world.adapter("im-nic")->bindings().size() == 1 &&
                   world.simulated()->faults_seen() < k;
      ASSERT_EQ(world.run("down",
                          [&] {
                            for (FakeDriver* driver : {&p, &im, &mp}) {
                              if (driver->driver().phase() != kernel::DriverPhase::Loaded) continue;
                              EXPECT_TRUE(driver->unload());
                            }
                          }),
                kernel::Outcome::Idle);
      for (const FakeDriver* driver : {&mp, &im, &p}) EXPECT_EQ(driver->complaints, Lines{});
      EXPECT_EQ(world.verifier().violation_lines(), Lines{});
      EXPECT_EQ(world.library().handles().open_count(), 0U);
    }
    EXPECT_EQ(ndis_heap(), before);
  }
}

}  // namespace
}  // namespace undis::test
