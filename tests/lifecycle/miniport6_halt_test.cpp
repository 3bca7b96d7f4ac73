// SPDX-License-Identifier: MIT
//
// The documented life of NDIS 6 miniports, from restart to Unload, where no other test of it stands beside
// the source. Pages: ndis/nf-ndis-ndismregisterminiportdriver, ndis/nc-ndis-set_options,
// ndis/nf-ndis-ndissetoptionalhandlers,
// ndis/nc-ndis-miniport_{initialize,restart,pause,halt,shutdown,unload},
// network/version-information-requirements-for-ndis-drivers.
#include <cstdint>

#include "kernel/pool.h"
#include "kernel/system.h"
#include "miniport6.h"

namespace undis::test {
namespace {

// ---- restart and its attributes ----

// LIFE-137, LIFE-136
TEST_F(Miniport6, GetsOneEntryOfGeneralAttributesAndMayChangeIt) {
  ULONG seen_by_protocol = 0;
  const std::size_t blocks = world.system().pool().live_blocks(nullptr);
  mp.on_restart = [&](FakeAdapter& card) {
    NDIS_RESTART_ATTRIBUTES* const entry = card.driver->last_restart;
    EXPECT_NE(entry, nullptr);
    EXPECT_EQ(entry->Oid, NDIS_OID{OID_GEN_MINIPORT_RESTART_ATTRIBUTES});
    EXPECT_EQ(entry->Next, nullptr);
    auto* const general = reinterpret_cast<NDIS_RESTART_GENERAL_ATTRIBUTES*>(entry->Data);
    EXPECT_EQ(general->Header.Type, NDIS_OBJECT_TYPE_RESTART_GENERAL_ATTRIBUTES);
    EXPECT_EQ(general->MtuSize, 1500U);
    general->MtuSize = 1400;
    return NDIS_STATUS_SUCCESS;
  };
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
    if (code != NetEventRestart) return NDIS_STATUS_SUCCESS;
    auto* const parameters = static_cast<NDIS_PROTOCOL_RESTART_PARAMETERS*>(
        static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent.Buffer);
    EXPECT_NE(parameters, nullptr);
    EXPECT_NE(parameters->RestartAttributes, nullptr);
    seen_by_protocol =
        reinterpret_cast<NDIS_RESTART_GENERAL_ATTRIBUTES*>(parameters->RestartAttributes->Data)->MtuSize;
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(seen_by_protocol, 1400U);
  EXPECT_EQ(nic()->traits().mtu, 1400U);
  EXPECT_EQ(nic()->restart_attributes.first(), nullptr) << "freed when everybody was told";
  EXPECT_EQ(world.system().pool().live_blocks(nullptr), blocks);
  down();
}

// LIFE-135, LIFE-262
TEST(RestartAttributes, MayBeLeftOutAndThenTheEventHasNoBuffer) {
  unsigned without = 0;
  unsigned with = 0;
  for (int seed = 0; seed < 32; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(static_cast<std::uint64_t>(seed) * 0x1234'5678'9abcU);
    lab::World world(options);
    FakeDriver mp(world, "mp");
    FakeDriver p(world, "p");
    mp.be_miniport6();
    p.be_protocol6();
    bool given = true;
    bool told = true;
    mp.on_restart = [&](FakeAdapter& card) {
      given = card.driver->last_restart != nullptr;
      return NDIS_STATUS_SUCCESS;
    };
    p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
      if (code == NetEventRestart)
        told = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent.Buffer != nullptr;
      return NDIS_STATUS_SUCCESS;
    };
    world.run("test", [&] {
      mp.load();
      p.load();
      world.plug(mp.driver(), "nic");
    });
    EXPECT_EQ(given, told) << seed;
    ++(given ? with : without);
    world.run("test", [&] {
      p.unload();
      mp.unload();
    });
    EXPECT_TRUE(world.verifier().violation_lines().empty()) << seed;
  }
  EXPECT_GT(with, 0U);
  EXPECT_GT(without, 0U);
}

// LIFE-135
TEST(RestartAttributes, AddedWhereThereAreNoneAreTold) {
  bool told = false;
  for (int seed = 0; seed < 32 && !told; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(static_cast<std::uint64_t>(seed) * 0x1234'5678'9abcU);
    lab::World world(options);
    FakeDriver mp(world, "mp");
    static bool was_null;
    was_null = false;
    mp.miniport6 = [](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) {
      c.RestartHandler = [](NDIS_HANDLE, PNDIS_MINIPORT_RESTART_PARAMETERS parameters) {
        was_null = parameters->RestartAttributes == nullptr;
        auto* const added = static_cast<NDIS_RESTART_ATTRIBUTES*>(
            ExAllocatePoolWithTag(NonPagedPool, sizeof(NDIS_RESTART_ATTRIBUTES), 0x74736554));
        *added = {};
        added->Next = parameters->RestartAttributes;
        parameters->RestartAttributes = added;
        return NDIS_STATUS_SUCCESS;
      };
    };
    mp.be_miniport6();
    world.run("test", [&] {
      mp.load();
      world.plug(mp.driver(), "nic");
    });
    const Lines expected = was_null ? Lines{"mp: LIFE-135"} : Lines{};
    EXPECT_EQ(world.verifier().violation_lines(), expected) << seed;
    EXPECT_EQ(world.system().pool().live_blocks(&mp.driver()), 0U) << "NDIS frees what drivers add";
    told = was_null;
  }
  EXPECT_TRUE(told);
}

// LIFE-131
TEST_F(Miniport6, WhoseRestartReturnsAnythingElseIsTold) {
  mp.on_restart = [](FakeAdapter&) { return NDIS_STATUS_INVALID_DATA; };
  up();
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  down();
  expect({"mp: CallbackStatus"});
}

// LIFE-132
TEST_F(Miniport6, IsNeitherPausedNorHaltedWhileItsRestartPends) {
  FakeAdapter* card = nullptr;
  kernel::Event restarting("test: MiniportRestart pends");
  mp.on_restart = [&](FakeAdapter& one) {
    card = &one;
    restarting.set();
    return NDIS_STATUS_PENDING;
  };
  be(6, 6);
  load();
  run([&] {
    world.system().spawn("plug", [&] { world.plug(mp.driver(), "nic"); });
    restarting.wait();
    world.system().spawn("remove", [&] { world.unplug(*nic()); });
    for (int i = 0; i < 10; ++i) kernel::schedule_point("let the removal try");
    EXPECT_EQ(mp.count("MiniportPause"), 0U);
    EXPECT_EQ(mp.count("MiniportHaltEx"), 0U);
    NdisMRestartComplete(card->handle, NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  down();
}

// ---- pause ----

// LIFE-145
TEST_F(Miniport6, PausesWithoutAnyMemory) {
  up();
  mp.on_pause = [](FakeAdapter&) {
    // What a driver that needs nothing new does: nothing is allocated, so that nothing can fail.
    return NDIS_STATUS_SUCCESS;
  };
  const std::size_t before = world.system().pool().live_blocks(&mp.driver());
  run([&] { pause_stack(*nic()); });
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  EXPECT_EQ(world.system().pool().live_blocks(&mp.driver()), before);
  down();
}

// LIFE-140
TEST_F(Miniport6, WhosePauseIsCompleteBeforeEverythingIsBackIsTold) {
  up();
  run([&] {
    ASSERT_TRUE(nic()->receives.enter());  // one list is with a protocol
    kernel::Event paused("test: paused");
    world.system().spawn("pause", [&] {
      pause_stack(*nic());
      paused.set();
    });
    NdisMSleep(1'000);  // the others go on until they wait
    EXPECT_EQ(nic_state(), AdapterState::Pausing) << "NDIS itself waits all the same";
    nic()->receives.leave();
    paused.wait();
  });
  down();
  expect({"mp: PauseAllBack"});
}

// LIFE-260
TEST_F(Miniport6, AndAProtocolThatPausesWithASendOutstandingIsToldToo) {
  up();
  run([&] {
    ASSERT_TRUE(binding()->sends.enter());
    kernel::Event paused("test: paused");
    world.system().spawn("pause", [&] {
      pause_stack(*nic());
      paused.set();
    });
    NdisMSleep(1'000);  // the others go on until they wait
    EXPECT_EQ(binding_state(), BindingState::Pausing);
    EXPECT_EQ(mp.count("MiniportPause"), 0U) << "the miniport is asked when the binding is paused";
    binding()->sends.leave();
    paused.wait();
  });
  down();
  expect({"p: PauseAllBack"});
}

// ---- halt, shutdown, unload ----

// LIFE-149, LIFE-156
TEST_F(Miniport6, IsHaltedWhenItsRequestsAreCompleteOnly) {
  FakeAdapter* card = nullptr;
  mp.on_request = [&](FakeAdapter& one, NDIS_OID, bool) {
    card = &one;
    return NDIS_STATUS_PENDING;
  };
  up();
  ULONG number = 0;
  run([&] {
    world.system().spawn("ask", [&] {
      nic()->oids.ask(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number, sizeof(number));
    });
    NdisMSleep(1'000);
    ASSERT_NE(card, nullptr);
    world.system().spawn("remove", [&] { world.unplug(*nic()); });
    NdisMSleep(1'000);
    EXPECT_EQ(mp.count("MiniportHaltEx"), 0U);
    NdisMOidRequestComplete(card->handle, card->asked.request, NDIS_STATUS_NOT_SUPPORTED);
  });
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  mp.on_request = nullptr;
  down();
}

// LIFE-150, LIFE-151, LIFE-155, LIFE-163
TEST_F(Miniport6, HearsNothingAfterItsHaltOrItsShutdown) {
  up();
  const Ref<Adapter> card = nic();
  mp.on_halt = [&](FakeAdapter&) {
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    ULONG number = 0;
    EXPECT_EQ(card->oids.ask(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number, sizeof(number)),
              NDIS_STATUS_CLOSING);
  };
  unplug();
  const std::size_t calls = mp.calls.size();
  run([&] { card->shutdown(NdisShutdownPowerOff); });
  EXPECT_EQ(mp.calls.size(), calls);
  mp.on_halt = nullptr;
  plug();
  run([&] { world.library().shutdown(); });
  EXPECT_EQ(mp.calls.back(), "MiniportShutdownEx nic");
  expects_nothing_left = false;
}

// LIFE-122, LIFE-162
TEST_F(Miniport6, IsShutDownAtABugCheckIfItAskedForThat) {
  KIRQL irql = PASSIVE_LEVEL;
  mp.on_shutdown = [&](FakeAdapter&) { irql = kernel::irql(); };
  for (const bool asked : {false, true}) {
    flags(asked ? NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND |
                      NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK
                : NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND);
    if (!asked) up();
    if (asked) plug();
    run([&] { world.library().bug_check(); });
    EXPECT_EQ(mp.count("MiniportShutdownEx"), asked ? 1U : 0U);
    if (!asked) unplug();
  }
  EXPECT_EQ(irql, HIGH_LEVEL);
  expects_nothing_left = false;
}

// LIFE-162
TEST_F(Miniport6, IsShutDownAtPassiveLevelWhenTheSystemGoesDown) {
  KIRQL irql = HIGH_LEVEL;
  mp.on_shutdown = [&](FakeAdapter&) { irql = kernel::irql(); };
  up();
  run([&] { world.library().shutdown(); });
  EXPECT_EQ(irql, PASSIVE_LEVEL);
  expects_nothing_left = false;
}

// LIFE-166
TEST_F(Miniport6, ThatReleasesSomethingInItsShutdownIsTold) {
  NDIS_HANDLE item = nullptr;
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK);
  mp.on_initialize = [&](FakeAdapter& card) {
    item = NdisAllocateIoWorkItem(card.handle);
    return NDIS_STATUS_SUCCESS;
  };
  mp.on_shutdown = [&](FakeAdapter&) { NdisFreeIoWorkItem(item); };
  up();
  run([&] { world.library().shutdown(); });
  EXPECT_EQ(world.verifier().note_lines(), Lines{"mp: LIFE-166"});
  expects_nothing_left = false;
}

// LIFE-161
TEST_F(Miniport6, ThatFreesSomethingAtABugCheckIsTold) {
  NDIS_HANDLE item = nullptr;
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK);
  mp.on_initialize = [&](FakeAdapter& card) {
    item = NdisAllocateIoWorkItem(card.handle);
    return NDIS_STATUS_SUCCESS;
  };
  mp.on_shutdown = [&](FakeAdapter&) { NdisFreeIoWorkItem(item); };
  up();
  run([&] { world.library().bug_check(); });
  const Lines found = violations();
  EXPECT_NE(std::ranges::find(found, "mp: LIFE-161"), found.end());
  expects_nothing_left = false;
  expect(found);
}

// LIFE-164
TEST_F(Miniport6, IsShutDownInsideItsHaltWhereTheSystemBreaksDown) {
  flags(NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND | NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK);
  up();
  mp.on_halt = [&](FakeAdapter&) { world.library().bug_check(); };
  unplug();
  EXPECT_EQ(mp.count("MiniportShutdownEx"), 1U);
  mp.complaints.clear();  // the fake does not expect a shutdown while it is halted
  down();
}

// LIFE-167, LIFE-168, LIFE-208
TEST_F(Miniport6, IsUnloadedByNdisRoutineWhenEachInstanceWasHaltedOnce) {
  be(6, 6);
  load();
  EXPECT_NE(mp.driver().object()->DriverUnload, nullptr);
  EXPECT_FALSE(mp.driver().image().holds(reinterpret_cast<const void*>(mp.driver().object()->DriverUnload)));
  for (const char* name : {"a", "b", "c"}) run([&] { world.plug(mp.driver(), name); });
  mp.unload_routine = [&] {
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    EXPECT_EQ(mp.count("MiniportHaltEx"), 3U);
    NdisMDeregisterMiniportDriver(mp.miniport);
  };
  unload_both();
  EXPECT_EQ(mp.count("Unload"), 1U);
  EXPECT_EQ(mp.calls.back(), "Unload");
}

// LIFE-335
TEST_F(Miniport6, ThatIndicatesStatusBeforeItsAttributesOrAfterItsHaltIsTold) {
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
  mp.attributes = [&](NDIS_MINIPORT_ADAPTER_ATTRIBUTES& a) {
    if (a.Header.Type != NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES) return;
    const NDIS_HANDLE handle = world.adapter("nic")->handle();
    indication.SourceHandle = handle;
    NdisMIndicateStatusEx(handle, &indication);
  };
  up();
  run([&] { NdisMIndicateStatusEx(nic()->handle(), &indication); });
  EXPECT_EQ(violations(), Lines{"mp: LIFE-335"}) << "between the two it is allowed";
  const Ref<Adapter> card = nic();
  run([&] { stop_device(*card); });
  run([&] { NdisMIndicateStatusEx(card->handle(), &indication); });
  run([&] { remove_device(*card); });
  down();
  expect({"mp: LIFE-335", "host: LIFE-335"});
}

}  // namespace
}  // namespace undis::test
