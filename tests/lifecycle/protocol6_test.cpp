// SPDX-License-Identifier: MIT
//
// The documented life of NDIS 6 protocols, from registration to uninstall, where no other test of it stands
// beside the source. Pages: ndis/nf-ndis-ndisregisterprotocoldriver, -ndisderegisterprotocoldriver,
// ndis/nc-ndis-protocol_{bind,unbind}_adapter_ex, -protocol_net_pnp_event, -protocol_uninstall,
// ndis/nf-ndis-ndisunbindadapter, -ndisreenumerateprotocolbindings.
#include <cstring>

#include <ntddk.h>

#include <fmt/format.h>

#include "lab/core_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

class Protocol6 : public CoreTest {};

// LIFE-217, LIFE-219
TEST_F(Protocol6, HasItsCharacteristicsCopiedAndItsOptionsSetInsideTheRegistration) {
  static NDIS_HANDLE seen;
  static bool inside;
  seen = nullptr;
  p.entry = [&] {
    p.set_driver_unload();
    WideString name(u"proto");
    auto c = FakeDriver::protocol6_characteristics(name.get());
    c.SetOptionsHandler = [](NDIS_HANDLE handle, NDIS_HANDLE) {
      seen = handle;
      inside = kernel::irql() == PASSIVE_LEVEL && kernel::inside_callback("ProtocolSetOptions");
      return NDIS_STATUS_SUCCESS;
    };
    NDIS_HANDLE second = nullptr;
    const NDIS_STATUS status = NdisRegisterProtocolDriver(&p, &c, &p.protocol);
    WideString other_name(u"other");
    auto other = FakeDriver::protocol6_characteristics(other_name.get());
    EXPECT_EQ(NdisRegisterProtocolDriver(&p, &other, &second), NDIS_STATUS_SUCCESS);
    EXPECT_NE(second, p.protocol);
    NdisDeregisterProtocolDriver(second);
    std::memset(&c, 0xFF, sizeof(c));  // NDIS has its own copy
    return static_cast<NTSTATUS>(status);
  };
  p.unload_routine = [&] { NdisDeregisterProtocolDriver(p.protocol); };
  mp.be_miniport6();
  run([&] {
    EXPECT_EQ(mp.load(), STATUS_SUCCESS);
    EXPECT_EQ(p.load(), STATUS_SUCCESS);
  });
  plug();
  EXPECT_EQ(seen, p.protocol);
  EXPECT_TRUE(inside);
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-218
TEST_F(Protocol6, MayBeBoundWhileItsDriverEntryGoesOn) {
  bool bound = false;
  bool returning = false;
  p.entry = [&] {
    p.set_driver_unload();
    const NDIS_STATUS status = p.register_protocol6("p");
    NdisMSleep(1'000);
    returning = true;
    return static_cast<NTSTATUS>(status);
  };
  p.unload_routine = [&] { NdisDeregisterProtocolDriver(p.protocol); };
  p.after_open = [&](FakeBinding&) {
    bound = !returning;
    return NDIS_STATUS_SUCCESS;
  };
  mp.be_miniport6();
  run([&] {
    mp.load();
    world.plug(mp.driver(), "nic");
    p.load();
  });
  EXPECT_TRUE(bound);
  down();
}

// LIFE-221
TEST_F(Protocol6, LeftByAFailingDriverEntryIsTold) {
  p.entry = [&] {
    p.register_protocol6("p");
    return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
  };
  run([&] { p.load(); });
  expect({"p: DriverEntryFailCleanup"});
}

// LIFE-222, LIFE-225
TEST_F(Protocol6, DeregisteredInsideACallbackOrAbovePassiveLevelIsTold) {
  up();
  p.on_unbind = [&](FakeBinding& one) {
    NdisDeregisterProtocolDriver(p.protocol);
    FakeDriver::close_and_wait(one);
    return NDIS_STATUS_SUCCESS;
  };
  unplug();
  p.unload_routine = [] {};
  down();
  expect({"p: WrongPlace"});
}

// LIFE-225
TEST_F(Protocol6, DeregisteredAtDispatchLevelIsTold) {
  p.be_protocol6();
  run([&] { EXPECT_EQ(p.load(), STATUS_SUCCESS); });
  p.unload_routine = [&] {
    KIRQL before = PASSIVE_LEVEL;
    KeRaiseIrql(DISPATCH_LEVEL, &before);
    NdisDeregisterProtocolDriver(p.protocol);
    KeLowerIrql(before);
  };
  run([&] { p.unload(); });
  EXPECT_EQ(violations().size(), 1U);
  expect(violations());
}

// LIFE-223, LIFE-224
TEST_F(Protocol6, IsUnboundOncePerBindingBeforeTheDeregistrationReturns) {
  be(6, 6);
  load();
  for (const char* name : {"a", "b", "c"}) run([&] { world.plug(mp.driver(), name); });
  std::size_t unbound = 0;
  FakeBinding* pended = nullptr;
  kernel::Event pending("test: an unbind pends");
  p.on_unbind = [&](FakeBinding& one) {
    ++unbound;
    if (pended == nullptr) {
      pended = &one;
      pending.set();
      return NDIS_STATUS_PENDING;
    }
    FakeDriver::close_and_wait(one);
    return NDIS_STATUS_SUCCESS;
  };
  bool returned = false;
  p.unload_routine = [&] {
    NdisDeregisterProtocolDriver(p.protocol);
    returned = true;
  };
  run([&] {
    world.system().spawn("unload", [&] { p.unload(); });
    pending.wait();
    for (int i = 0; i < 10; ++i) kernel::schedule_point("let it go on");
    EXPECT_FALSE(returned) << "a pended unbind delays it";
    FakeDriver::close_and_wait(*pended);
    NdisCompleteUnbindAdapterEx(pended->unbind_context);
  });
  EXPECT_TRUE(returned);
  EXPECT_EQ(unbound, 3U);
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 3U);
  for (const char* name : {"a", "b", "c"}) run([&] { world.unplug(*world.adapter(name)); });
  run([&] { EXPECT_TRUE(mp.unload()); });
}

// LIFE-226
TEST_F(Protocol6, IsBoundToEachAdapterThatComes) {
  be(6, 6);
  load();
  for (const char* name : {"a", "b"}) {
    run([&] { world.plug(mp.driver(), name); });
    ASSERT_NE(p.binding(name), nullptr);
    EXPECT_TRUE(p.binding(name)->running);
  }
  for (const char* name : {"a", "b"}) run([&] { world.unplug(*world.adapter(name)); });
  down();
}

// LIFE-227, LIFE-228
TEST_F(Protocol6, ThatFailsItsBindAfterTheOpenClosesItAndLeavesNothing) {
  p.after_open = [](FakeBinding&) {
    return NDIS_STATUS_RESOURCES;
  };  // the fake closes what it opened, and fails
  up();
  EXPECT_FALSE(binding());
  EXPECT_FALSE(p.bindings.front().open);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  p.after_open = nullptr;
  run([&] { add_bindings(*nic()); });
  EXPECT_EQ(binding_state(), BindingState::Running) << "it may try again";
  down();
}

// LIFE-230, LIFE-257
TEST_F(Protocol6, ThatSendsARequestBeforeItsOpenIsCompleteIsTold) {
  up();
  const NDIS_HANDLE stale = binding()->handle();
  unplug();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  run([&] { EXPECT_EQ(NdisOidRequest(stale, &request), NDIS_STATUS_CLOSING); });
  down();
  expect({"host: NoUseAfterClose"});
}

// LIFE-316
TEST_F(Protocol6, ThatSendsOnABindingItHasClosedIsTold) {
  up();
  const NDIS_HANDLE stale = binding()->handle();
  unplug();
  run([&] { NdisSendNetBufferLists(stale, nullptr, 0, 0); });
  down();
  expect({"host: NoUseAfterClose"});
}

// LIFE-232
TEST_F(Protocol6, HearsOfStatusAsSoonAsItsOpenIsCompleteAndOfReceivesWithAFilterOnly) {
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
  p.after_open = [&](FakeBinding&) {
    indication.SourceHandle = nic()->handle();
    NdisMIndicateStatusEx(nic()->handle(), &indication);
    EXPECT_EQ(p.count("ProtocolStatusEx"), 1U);
    EXPECT_EQ(binding()->packet_filter, 0U);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(p.count("ProtocolStatusEx"), 1U);
  down();
}

// LIFE-236
TEST_F(Protocol6, NeedsTheNameOfItsAdapterForTheOpenOnly) {
  p.after_open = [&](FakeBinding&) { return NDIS_STATUS_SUCCESS; };
  up();
  // The name that the bind was given is gone by now; the binding works on.
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  down();
}

// LIFE-240, LIFE-247
TEST(AProtocolThatUnbinds, BeforeItsCloseIsCompleteIsTold) {
  bool told = false;
  for (int seed = 0; seed < 32 && !told; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(static_cast<std::uint64_t>(seed) * 0x1234'5678'9abcU);
    lab::World world(options);
    FakeDriver mp(world, "mp");
    FakeDriver p(world, "p");
    mp.be_miniport6();
    p.be_protocol6();
    bool pended = false;
    p.on_unbind = [&](FakeBinding& one) {
      one.open = false;
      pended = NdisCloseAdapterEx(one.handle) == NDIS_STATUS_PENDING && !one.closed->is_set();
      return NDIS_STATUS_SUCCESS;  // without waiting
    };
    world.run("test", [&] {
      mp.load();
      p.load();
      world.plug(mp.driver(), "nic");
      world.unplug(*world.adapter("nic"));
      p.unload();
      mp.unload();
    });
    const Lines lines = world.verifier().violation_lines();
    if (!pended) {
      EXPECT_EQ(lines, Lines{}) << seed;
    }
    told = lines == Lines{"p: LIFE-240"};
  }
  EXPECT_TRUE(told);
}

// LIFE-241
TEST_F(Protocol6, ThatClosesWithItsFilterSetIsNoted) {
  up();
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  run([&] { EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  down();
  EXPECT_EQ(world.verifier().note_lines(), Lines{"p: LIFE-241"});
}

// LIFE-242
TEST_F(Protocol6, MayStillHearOfStatusUntilItsCloseIsComplete) {
  up();
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
  p.on_unbind = [&](FakeBinding& one) {
    indication.SourceHandle = nic()->handle();
    NdisMIndicateStatusEx(nic()->handle(), &indication);
    EXPECT_EQ(p.count("ProtocolStatusEx"), 1U) << "between the call of the unbind and the close";
    FakeDriver::close_and_wait(one);
    NdisMIndicateStatusEx(nic()->handle(), &indication);
    EXPECT_EQ(p.count("ProtocolStatusEx"), 1U) << "and not after it";
    return NDIS_STATUS_SUCCESS;
  };
  unplug();
  down();
}

// LIFE-243
TEST_F(Protocol6, ThatClosesWithARequestOutstandingIsTold) {
  FakeAdapter* card = nullptr;
  mp.on_request = [&](FakeAdapter& one, NDIS_OID, bool) {
    card = &one;
    return NDIS_STATUS_PENDING;
  };
  up();
  ULONG number = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  kernel::Event closing("test: the close was called");
  p.on_unbind = [&](FakeBinding& one) {
    one.open = false;
    EXPECT_EQ(NdisCloseAdapterEx(one.handle), NDIS_STATUS_PENDING);
    closing.set();
    one.closed->wait();
    return NDIS_STATUS_SUCCESS;
  };
  run([&] {
    EXPECT_EQ(NdisOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING);
    world.system().spawn("remove", [&] { world.unplug(*nic()); });
    closing.wait();
    NdisMOidRequestComplete(card->handle, card->asked.request, NDIS_STATUS_NOT_SUPPORTED);
  });
  mp.on_request = nullptr;
  down();
  expect({"p: LIFE-243"});
}

// LIFE-250, LIFE-249
TEST_F(Protocol6, AskedTwiceToUnbindIsUnboundOnce) {
  up();
  run([&] {
    const NDIS_HANDLE handle = binding()->handle();
    EXPECT_EQ(NdisUnbindAdapter(handle), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisUnbindAdapter(handle), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 1U);
  EXPECT_FALSE(binding());
  down();
  EXPECT_LE(violations().size(), 1U);
  expect(violations());
}

// LIFE-252, LIFE-253
TEST_F(Protocol6, ReenumeratedIsBoundToWhatIsMissingOnlyAndNotInsideABind) {
  be(6, 6);
  load();
  for (const char* name : {"a", "b"}) run([&] { world.plug(mp.driver(), name); });
  run([&] { NdisUnbindAdapter(p.binding("a")->handle); });
  const unsigned before = p.count("ProtocolBindAdapterEx");
  run([&] { NdisReEnumerateProtocolBindings(p.protocol); });
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), before + 1) << "b is bound already";
  EXPECT_EQ(violations(), Lines{});
  p.on_unbind = [&](FakeBinding& one) {
    NdisReEnumerateProtocolBindings(p.protocol);
    FakeDriver::close_and_wait(one);
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { world.unplug(*world.adapter("a")); });
  p.on_unbind = nullptr;
  run([&] { world.unplug(*world.adapter("b")); });
  down();
  expect({"p: WrongPlace"});
}

// LIFE-254
TEST_F(Protocol6, UninstalledIsUnboundFirstAndUnloadedLater) {
  static FakeDriver* self;
  self = &p;
  p.protocol6 = [](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) {
    c.UninstallHandler = [] { self->note("ProtocolUninstall"); };
  };
  up();
  run([&] {
    for (const Ref<ProtocolDriver>& protocol : world.library().protocols_of(p.driver()))
      world.library().uninstall(*protocol);
  });
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 1U);
  EXPECT_EQ(p.calls.back(), "ProtocolUninstall");
  unplug();
  down();
  EXPECT_EQ(p.calls.back(), "Unload");
}

// LIFE-266
TEST_F(Protocol6, HearsOfItsBindListAndOfTheEndOfItsBindsWithANullContext) {
  Lines events;
  p.on_global_event = [&](NET_PNP_EVENT_CODE code, void* event) {
    const auto& seen = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent;
    if (code == NetEventBindsComplete) events.push_back("binds complete");
    if (code == NetEventReconfigure) events.push_back("reconfigure " + std::to_string(seen.BufferLength));
    if (code == NetEventBindList) {
      std::u16string_view list(static_cast<const char16_t*>(seen.Buffer),
                               seen.BufferLength / sizeof(char16_t));
      events.push_back(list == std::u16string_view(u"\\Device\\{a}\0\\Device\\{b}\0\0", 25) ? "bind list"
                                                                                            : "another list");
    }
    return NDIS_STATUS_SUCCESS;
  };
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
    EXPECT_NE(code, NetEventBindList);
    EXPECT_NE(code, NetEventBindsComplete);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(events, Lines{"binds complete"});
  run([&] {
    for (const Ref<ProtocolDriver>& protocol : world.library().protocols_of(p.driver())) {
      EXPECT_EQ(world.library().set_bind_list(*protocol, {u"\\Device\\{a}", u"\\Device\\{b}"}),
                NDIS_STATUS_SUCCESS);
      int data = 1;
      EXPECT_EQ(world.library().reconfigure(*protocol, &data, sizeof(data)), NDIS_STATUS_SUCCESS);
    }
  });
  EXPECT_EQ(events, (Lines{"binds complete", "bind list", "reconfigure 4"}));
  down();
}

// LIFE-265
TEST_F(Protocol6, MayCompleteAnEventForAllItsBindingsLater) {
  NET_PNP_EVENT_NOTIFICATION* kept = nullptr;
  kernel::Event pending("test: the event pends");
  p.on_global_event = [&](NET_PNP_EVENT_CODE code, void* event) {
    if (code != NetEventReconfigure) return NDIS_STATUS_SUCCESS;
    kept = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event);
    pending.set();
    return NDIS_STATUS_PENDING;
  };
  up();
  NDIS_STATUS answer = NDIS_STATUS_SUCCESS;
  run([&] {
    kernel::Event done("test: answered");
    world.system().spawn("reconfigure", [&] {
      answer = world.library().reconfigure(*world.library().protocols_of(p.driver()).front(), nullptr, 0);
      done.set();
    });
    pending.wait();
    EXPECT_TRUE(
        world.library().protocols_of(p.driver()).front()->complete_event(kept, NDIS_STATUS_RESOURCES));
    done.wait();
  });
  EXPECT_EQ(answer, NDIS_STATUS_RESOURCES);
  down();
}

// LIFE-319
TEST_F(Protocol6, LearnsTheContextOfAVirtualMiniportAndOfNoOther) {
  FakeDriver im(world, "im");
  im.be_intermediate6();
  be(6, 6);
  run([&] {
    EXPECT_EQ(mp.load(), STATUS_SUCCESS);
    EXPECT_EQ(im.load(), STATUS_SUCCESS);
    EXPECT_EQ(p.load(), STATUS_SUCCESS);
  });
  plug();
  std::size_t virtual_ones = 0;
  run([&] {
    for (const FakeBinding& one : p.bindings) {
      const FakeAdapter* const made = im.adapter(one.adapter);
      EXPECT_EQ(NdisIMGetBindingContext(one.handle), made == nullptr ? nullptr : made->device_context)
          << one.adapter;
      if (made != nullptr) {
        EXPECT_NE(made->device_context, nullptr);
        ++virtual_ones;
      }
    }
  });
  EXPECT_EQ(virtual_ones, 1U);
  EXPECT_EQ(p.bindings.size(), 2U);
  unplug();
  run([&] { EXPECT_TRUE(im.unload()); });
  down();
}

// LIFE-318
TEST_F(Protocol6, AssociatedByAWrongHandleIsTold) {
  p.entry = [&] {
    p.set_driver_unload();
    const NDIS_STATUS status = p.register_protocol6("p");
    NdisIMAssociateMiniport(p.protocol, p.protocol);  // the miniport half's handle is meant
    return static_cast<NTSTATUS>(status);
  };
  p.unload_routine = [&] { NdisDeregisterProtocolDriver(p.protocol); };
  run([&] {
    EXPECT_EQ(p.load(), STATUS_SUCCESS);
    EXPECT_TRUE(p.unload());
  });
  expect({"p: HandleMisuse"});
}

// LIFE-353
TEST_F(Protocol6, ThatForgetsToDeregisterAtItsUnloadIsTold) {
  up();
  unplug();
  p.unload_routine = [] {};
  down();
  expect({"p: DeregisterFromUnload"});
}

}  // namespace
}  // namespace undis::test
