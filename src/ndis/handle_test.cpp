// SPDX-License-Identifier: MIT
//
// Handles: looked up, told apart by kind, dead for good when closed; and what each function that takes one
// does with one that it cannot take: NULL, no handle at all, one of another kind, one that was closed.
#include "ndis/handle.h"

#include <functional>

#include <fmt/format.h>

#include "lab/core_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

class AHandleTable : public ::testing::Test {
 protected:
  struct Thing final : Object {
    static constexpr HandleKind kHandleKinds[] = {HandleKind::Timer, HandleKind::RwLock};
  };
  HandleTable table;
};

TEST_F(AHandleTable, FindsWhatItWasGivenAndKeepsItAlive) {
  const HeapUse before = ndis_heap();
  {
    const Ref<Thing> thing(new Thing);
    const NDIS_HANDLE handle = table.open(HandleKind::RwLock, thing.get());
    ASSERT_NE(handle, nullptr);
    EXPECT_EQ(table.open_count(), 1U);
    const Ref<Thing> found = table.find<Thing>(handle);
    EXPECT_EQ(found, thing);
    EXPECT_EQ(table.view(handle).kind, HandleKind::RwLock);
    EXPECT_TRUE(table.view(handle).open);
    table.close(handle);
    EXPECT_EQ(table.open_count(), 0U);
  }
  EXPECT_EQ(ndis_heap(), before);
}

TEST_F(AHandleTable, DoesNotFindWhatIsOfAnotherKind) {
  const Ref<Thing> thing(new Thing);
  const NDIS_HANDLE handle = table.open(HandleKind::NblPool, thing.get());
  EXPECT_FALSE(table.find<Thing>(handle));
  EXPECT_EQ(table.view(handle).kind, HandleKind::NblPool);
  table.close(handle);
}

TEST_F(AHandleTable, RemembersWhatAClosedHandleWas) {
  const Ref<Thing> thing(new Thing);
  const NDIS_HANDLE handle = table.open(HandleKind::Timer, thing.get());
  table.close(handle);
  EXPECT_FALSE(table.find<Thing>(handle));
  const HandleView view = table.view(handle);
  EXPECT_EQ(view.kind, HandleKind::Timer);
  EXPECT_FALSE(view.open);
  EXPECT_EQ(view.object, nullptr);
  table.close(handle);  // a second close closes nothing else
  EXPECT_EQ(table.open_count(), 0U);
}

TEST_F(AHandleTable, DoesNotGiveAClosedHandleOutAgainSoon) {
  const Ref<Thing> thing(new Thing);
  const NDIS_HANDLE first = table.open(HandleKind::Timer, thing.get());
  table.close(first);
  for (int i = 0; i < 1000; ++i) {
    const NDIS_HANDLE next = table.open(HandleKind::Timer, thing.get());
    EXPECT_NE(next, first);
    table.close(next);
  }
  EXPECT_FALSE(table.find<Thing>(first));
}

TEST_F(AHandleTable, DoesNotTakeAnyAddressForAHandle) {
  const Ref<Thing> thing(new Thing);
  const NDIS_HANDLE handle = table.open(HandleKind::Timer, thing.get());
  int local = 0;
  const auto at = reinterpret_cast<std::uintptr_t>(handle);
  for (const auto garbage :
       {std::uintptr_t{0}, std::uintptr_t{1}, ~std::uintptr_t{0}, at + 1, at - 8,
        reinterpret_cast<std::uintptr_t>(&local), reinterpret_cast<std::uintptr_t>(thing.get())}) {
    const auto no_handle = reinterpret_cast<NDIS_HANDLE>(garbage);
    EXPECT_EQ(table.view(no_handle).kind, HandleKind::None) << no_handle;
    EXPECT_FALSE(table.find<Thing>(no_handle));
    table.close(no_handle);
  }
  EXPECT_TRUE(table.find<Thing>(handle));
  table.close(handle);
}

TEST_F(AHandleTable, HasANameForEachKind) {
  Lines names;
  for (int kind = 0; kind <= static_cast<int>(HandleKind::Poll); ++kind)
    names.emplace_back(to_text(static_cast<HandleKind>(kind)));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  EXPECT_TRUE(std::ranges::none_of(names, [](const std::string& name) { return name.empty(); }));
}

// ---- every handle argument ----

/// A call with one argument that is a handle, and the status that it then gives (0: it has none).
struct HandleArgument {
  const char* function;
  HandleKind takes;
  std::function<NDIS_STATUS(NDIS_HANDLE)> call;
  NDIS_STATUS refusal;
};

class EveryHandleArgument : public CoreTest {
 protected:
  static NDIS_STATUS none() { return NDIS_STATUS_SUCCESS; }

  std::vector<HandleArgument> arguments() {
    static NDIS_STATUS status;
    static WideString name(lab::device_name("x"));
    static NDIS51_MINIPORT_CHARACTERISTICS c5;
    static NDIS_HANDLE out;
    static ULONG number;
    static NDIS_OID_REQUEST request;
    static NET_PNP_EVENT_NOTIFICATION event;
    static NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes;
    c5 = FakeDriver::miniport5_characteristics();
    request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
    const auto nothing = [](auto body) {
      return [body](NDIS_HANDLE handle) {
        body(handle);
        return none();
      };
    };
    using enum HandleKind;
    return {
        {"NdisMRegisterMiniport", Wrapper,
         [](NDIS_HANDLE h) { return NdisMRegisterMiniport(h, &c5, sizeof(c5)); }, NDIS_STATUS_FAILURE},
        {"NdisIMRegisterLayeredMiniport", Wrapper,
         [](NDIS_HANDLE h) { return NdisIMRegisterLayeredMiniport(h, &c5, sizeof(c5), &out); },
         NDIS_STATUS_FAILURE},
        {"NdisTerminateWrapper", Wrapper, nothing([](NDIS_HANDLE h) { NdisTerminateWrapper(h, nullptr); }),
         0},
        {"NdisIMDeregisterLayeredMiniport", LayeredMiniport5,
         nothing([](NDIS_HANDLE h) { NdisIMDeregisterLayeredMiniport(h); }), 0},
        {"NdisMDeregisterMiniportDriver", MiniportDriver6,
         nothing([](NDIS_HANDLE h) { NdisMDeregisterMiniportDriver(h); }), 0},
        {"NdisIMInitializeDeviceInstanceEx", MiniportDriver6,
         [](NDIS_HANDLE h) { return NdisIMInitializeDeviceInstanceEx(h, name.get(), nullptr); },
         NDIS_STATUS_FAILURE},
        {"NdisIMCancelInitializeDeviceInstance", MiniportDriver6,
         [](NDIS_HANDLE h) { return NdisIMCancelInitializeDeviceInstance(h, name.get()); },
         NDIS_STATUS_FAILURE},
        {"NdisIMDeInitializeDeviceInstance", Adapter,
         [](NDIS_HANDLE h) { return NdisIMDeInitializeDeviceInstance(h); }, NDIS_STATUS_FAILURE},
        {"NdisIMAssociateMiniport", MiniportDriver6,
         nothing([this](NDIS_HANDLE h) { NdisIMAssociateMiniport(h, p.protocol); }), 0},
        {"NdisIMGetDeviceContext", Adapter,
         nothing([](NDIS_HANDLE h) { EXPECT_EQ(NdisIMGetDeviceContext(h), nullptr); }), 0},
        {"NdisIMGetBindingContext", Binding,
         nothing([](NDIS_HANDLE h) { EXPECT_EQ(NdisIMGetBindingContext(h), nullptr); }), 0},
        {"NdisMSetMiniportAttributes", Adapter,
         [](NDIS_HANDLE h) { return NdisMSetMiniportAttributes(h, &attributes); }, NDIS_STATUS_FAILURE},
        {"NdisMSetAttributes", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMSetAttributes(h, nullptr, FALSE, NdisInterfaceInternal); }), 0},
        {"NdisMSetAttributesEx", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMSetAttributesEx(h, nullptr, 0, 0, NdisInterfaceInternal); }), 0},
        {"NdisMRegisterAdapterShutdownHandler", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMRegisterAdapterShutdownHandler(h, nullptr, nullptr); }), 0},
        {"NdisMDeregisterAdapterShutdownHandler", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMDeregisterAdapterShutdownHandler(h); }), 0},
        {"NdisMPauseComplete", Adapter, nothing([](NDIS_HANDLE h) { NdisMPauseComplete(h); }), 0},
        {"NdisMRestartComplete", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMRestartComplete(h, NDIS_STATUS_SUCCESS); }), 0},
        {"NdisMOidRequestComplete", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMOidRequestComplete(h, &request, NDIS_STATUS_SUCCESS); }), 0},
        {"NdisMQueryInformationComplete", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMQueryInformationComplete(h, NDIS_STATUS_SUCCESS); }), 0},
        {"NdisMSetInformationComplete", Adapter,
         nothing([](NDIS_HANDLE h) { NdisMSetInformationComplete(h, NDIS_STATUS_SUCCESS); }), 0},
        {"NdisDeregisterProtocol", ProtocolDriver5,
         [](NDIS_HANDLE h) {
           status = NDIS_STATUS_FAILURE;
           NdisDeregisterProtocol(&status, h);
           return status;
         },
         NDIS_STATUS_SUCCESS},
        {"NdisDeregisterProtocolDriver", ProtocolDriver6,
         nothing([](NDIS_HANDLE h) { NdisDeregisterProtocolDriver(h); }), 0},
        {"NdisReEnumerateProtocolBindings", ProtocolDriver6,
         nothing([](NDIS_HANDLE h) { NdisReEnumerateProtocolBindings(h); }), 0},
        {"NdisOidRequest", Binding, [](NDIS_HANDLE h) { return NdisOidRequest(h, &request); },
         NDIS_STATUS_CLOSING},
        {"NdisCancelOidRequest", Binding, nothing([](NDIS_HANDLE h) { NdisCancelOidRequest(h, nullptr); }),
         0},
        {"NdisCloseAdapterEx", Binding, [](NDIS_HANDLE h) { return NdisCloseAdapterEx(h); },
         NDIS_STATUS_SUCCESS},
        {"NdisUnbindAdapter", Binding, [](NDIS_HANDLE h) { return NdisUnbindAdapter(h); },
         NDIS_STATUS_SUCCESS},
        {"NdisCompleteNetPnPEvent", Binding,
         nothing([](NDIS_HANDLE h) { NdisCompleteNetPnPEvent(h, &event, NDIS_STATUS_SUCCESS); }), 0},
        {"NdisCompleteBindAdapterEx", BindContext,
         nothing([](NDIS_HANDLE h) { NdisCompleteBindAdapterEx(h, NDIS_STATUS_SUCCESS); }), 0},
        {"NdisCompleteUnbindAdapterEx", UnbindContext,
         nothing([](NDIS_HANDLE h) { NdisCompleteUnbindAdapterEx(h); }), 0},
    };
  }
};

TEST_F(EveryHandleArgument, ThatIsNullGarbageClosedOrOfAnotherKindIsToldAndChangesNothing) {
  up();
  const NDIS_HANDLE stale = world.library().handles().open(HandleKind::Device, this);
  world.library().handles().close(stale);
  int garbage = 0;
  // A protocol's bind context is a kind that none of these takes but one; a card's handle none that takes
  // protocols, and so on.
  const std::vector<HandleArgument> all = arguments();
  for (const HandleArgument& argument : all) {
    SCOPED_TRACE(argument.function);
    std::vector<NDIS_HANDLE> wrong{nullptr, &garbage, stale};
    if (argument.takes != HandleKind::Adapter) wrong.push_back(nic()->handle());
    if (argument.takes != HandleKind::Binding) wrong.push_back(p.binding("nic")->handle);
    if (argument.takes != HandleKind::ProtocolDriver6) wrong.push_back(p.protocol);
    if (argument.takes != HandleKind::MiniportDriver6) wrong.push_back(mp.miniport);
    for (const NDIS_HANDLE handle : wrong) {
      const std::size_t told = world.verifier().trace().size();
      const HeapUse heap = ndis_heap();
      const std::size_t calls = mp.calls.size() + p.calls.size();
      run([&] { EXPECT_EQ(argument.call(handle), argument.refusal) << handle; });
      const Lines trace = world.verifier().trace();
      EXPECT_TRUE(std::any_of(trace.begin() + static_cast<std::ptrdiff_t>(told), trace.end(),
                              [](const std::string& line) {
                                return line.starts_with("VIOLATION ") &&
                                       line.find("expected an open") != std::string::npos;
                              }))
          << "not told: " << handle;
      EXPECT_EQ(mp.calls.size() + p.calls.size(), calls) << "a driver was called";
      EXPECT_EQ(ndis_heap(), heap);
    }
  }
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  EXPECT_EQ(world.library().protocols().size(), 1U);
  EXPECT_EQ(world.library().miniport_drivers().size(), 1U);
  const Lines told = violations();
  down();
  expect(told);
  for (const auto& violation : world.verifier().violations()) EXPECT_EQ(violation.driver, "host");
}

TEST_F(EveryHandleArgument, ThatWasItsOwnBeforeItWasClosedIsToldAsLateUse) {
  up();
  const NDIS_HANDLE card = nic()->handle();
  const NDIS_HANDLE binding_handle = p.binding("nic")->handle;
  const NDIS_HANDLE protocol = p.protocol;
  const NDIS_HANDLE miniport = mp.miniport;
  const std::vector<HandleArgument> all = arguments();
  down();
  const auto late = [&](HandleKind kind) -> NDIS_HANDLE {
    switch (kind) {
    case HandleKind::Adapter:
      return card;
    case HandleKind::Binding:
      return binding_handle;
    case HandleKind::ProtocolDriver6:
      return protocol;
    case HandleKind::MiniportDriver6:
      return miniport;
    default:
      return nullptr;
    }
  };
  for (const HandleArgument& argument : all) {
    const NDIS_HANDLE handle = late(argument.takes);
    if (handle == nullptr) continue;
    SCOPED_TRACE(argument.function);
    const std::size_t told = world.verifier().trace().size();
    run([&] { EXPECT_EQ(argument.call(handle), argument.refusal); });
    const Lines trace = world.verifier().trace();
    EXPECT_TRUE(std::any_of(
        trace.begin() + static_cast<std::ptrdiff_t>(told), trace.end(), [](const std::string& line) {
          return line.starts_with("VIOLATION ") && line.find("and is closed") != std::string::npos;
        }));
  }
  expect(violations());
}

TEST_F(EveryHandleArgument, OfAFunctionOfOneGenerationIsRefusedFromTheOther) {
  mp.be_intermediate5();
  p.be_protocol6();
  FakeDriver five(world, "five");
  five.be_protocol5();
  FakeDriver six(world, "six");
  six.be_intermediate6();
  load();
  run([&] {
    ASSERT_EQ(five.load(), STATUS_SUCCESS);
    ASSERT_EQ(six.load(), STATUS_SUCCESS);
    NdisIMDeregisterLayeredMiniport(six.miniport);
    NdisMDeregisterMiniportDriver(mp.miniport);
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisDeregisterProtocol(&status, p.protocol);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisDeregisterProtocolDriver(five.protocol);
  });
  EXPECT_EQ(world.library().miniport_drivers().size(), 2U);
  EXPECT_EQ(world.library().protocols().size(), 4U);
  EXPECT_EQ(violations(),
            (Lines{"host: LIFE-011", "host: LIFE-016", "host: LIFE-045", "host: HandleMisuse"}));
  run([&] {
    for (FakeDriver* driver : {&mp, &p, &five, &six}) EXPECT_TRUE(driver->unload());
  });
  expect({"host: LIFE-011", "host: LIFE-016", "host: LIFE-045", "host: HandleMisuse"});
}

}  // namespace
}  // namespace undis::test
