// SPDX-License-Identifier: MIT
//
// Filters in a stack: the order of everything, insertion and removal while it runs, mandatory and monitoring
// filters. Pages: network/{starting,stopping,pausing,restarting,modifying-a-running}-a-driver-stack,
// network/mandatory-filter-drivers.
#include <cstring>

#include <fmt/format.h>

#include "kernel/io.h"
#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "lab/filter_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

class AStackWithFilters : public FilterTest {};

// LIFE-209, LIFE-215
TEST_F(AStackWithFilters, StartsFromTheMiniportUp) {
  f.on_module_options = g.on_module_options = [](FakeModule&) { return NDIS_STATUS_SUCCESS; };
  all_up({&f, &g});
  EXPECT_EQ(life(),
            (Lines{"p!ProtocolNetPnPEvent", "mp!MiniportInitializeEx", "f!FilterAttach", "g!FilterAttach",
                   "p!ProtocolBindAdapterEx", "f!FilterSetModuleOptions", "g!FilterSetModuleOptions",
                   "mp!MiniportRestart", "f!FilterRestart", "g!FilterRestart", "p!ProtocolNetPnPEvent"}));
  all_down({&f, &g});
}

// LIFE-199, LIFE-212, LIFE-214
TEST_F(AStackWithFilters, StopsFromTheProtocolsDown) {
  f.shape = g.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) { c.NetPnPEventHandler = nullptr; };
  all_up({&f, &g});
  const std::size_t from = mark();
  unplug();
  EXPECT_EQ(life(from),
            (Lines{"p!ProtocolNetPnPEvent", "g!FilterPause", "f!FilterPause", "mp!MiniportPause",
                   "p!ProtocolUnbindAdapterEx", "g!FilterDetach", "f!FilterDetach", "mp!MiniportHaltEx"}));
  all_down({&f, &g});
}

// LIFE-293
TEST_F(AStackWithFilters, AsksAllForTheirOptionsBeforeAnyRestarts) {
  f.on_module_options = g.on_module_options = [](FakeModule&) { return NDIS_STATUS_SUCCESS; };
  all_up({&f, &g});
  const std::size_t from = mark();
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_EQ(
      callbacks({"FilterSetModuleOptions", "FilterRestart"}, from),
      (Lines{"f!FilterSetModuleOptions", "g!FilterSetModuleOptions", "f!FilterRestart", "g!FilterRestart"}));
  all_down({&f, &g});
}

// LIFE-214
TEST_F(AStackWithFilters, AsksEachLayerToPauseWhenTheOneAboveIsPaused) {
  all_up({&f, &g});
  Lines seen;
  g.on_pause = [&](FakeModule&) {
    seen.push_back(fmt::format("g: p {}", to_text(binding_state())));
    return NDIS_STATUS_SUCCESS;
  };
  f.on_pause = [&](FakeModule&) {
    seen.push_back(fmt::format("f: g {}", to_text(module_of(g)->state())));
    return NDIS_STATUS_SUCCESS;
  };
  mp.on_pause = [&](FakeAdapter&) {
    seen.push_back(fmt::format("mp: f {}", to_text(module_of(f)->state())));
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { pause_stack(*nic()); });
  EXPECT_EQ(seen, (Lines{"g: p Paused", "f: g Paused", "mp: f Paused"}));
  run([&] { restart_stack(*nic()); });
  g.on_pause = nullptr;
  f.on_pause = nullptr;
  mp.on_pause = nullptr;
  all_down({&f, &g});
}

// ---- insertion and removal ----

// LIFE-216, LIFE-272
TEST_F(AStackWithFilters, IsPausedAndRestartedAroundAFilterThatRegisters) {
  up();
  const std::size_t from = mark();
  load_filters({&f});
  EXPECT_EQ(life(from), (Lines{"p!ProtocolNetPnPEvent", "mp!MiniportPause", "f!FilterAttach",
                               "mp!MiniportRestart", "f!FilterRestart", "p!ProtocolNetPnPEvent"}));
  EXPECT_EQ(f.calls, (Lines{"FilterSetOptions", "FilterAttach nic", "FilterRestart nic"}));
  all_down({&f});
}

// LIFE-272
TEST_F(AStackWithFilters, AttachesInsideTheRegistration) {
  up();
  unsigned attached_inside = 0;
  f.entry = [&] {
    const NTSTATUS status = static_cast<NTSTATUS>(f.register_filter());
    attached_inside = f.count("FilterAttach");
    return status;
  };
  load_filters({&f});
  EXPECT_EQ(attached_inside, 1U);
  all_down({&f});
}

// LIFE-216
TEST_F(AStackWithFilters, TellsProtocolsWhichFiltersAreBelowThem) {
  Lines told;
  ULONG reason = 0;
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
    const NET_PNP_EVENT& what = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent;
    if (code == NetEventPause)
      reason = static_cast<NDIS_PROTOCOL_PAUSE_PARAMETERS*>(what.Buffer)->PauseReason;
    if (code != NetEventRestart) return NDIS_STATUS_SUCCESS;
    const auto* const parameters = static_cast<NDIS_PROTOCOL_RESTART_PARAMETERS*>(what.Buffer);
    told.clear();
    for (ULONG at = 0; at < parameters->FilterModuleNameBufferLength;) {
      USHORT length = 0;
      std::memcpy(&length, parameters->FilterModuleNameBuffer + at, sizeof(length));
      std::u16string name(length / sizeof(char16_t), u' ');
      std::memcpy(name.data(), parameters->FilterModuleNameBuffer + at + sizeof(length), length);
      told.push_back(kernel::to_utf8(name));
      at += static_cast<ULONG>(sizeof(length)) + length;
    }
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(told, Lines{});
  load_filters({&f, &g});
  EXPECT_EQ(reason, static_cast<ULONG>(NDIS_PAUSE_ATTACH_FILTER));
  EXPECT_EQ(told, (Lines{"{nic}-{g}-0000", "{nic}-{f}-0000"}));
  unload(g);
  EXPECT_EQ(reason, static_cast<ULONG>(NDIS_PAUSE_DETACH_FILTER));
  EXPECT_EQ(told, (Lines{"{nic}-{f}-0000"}));
  p.on_pnp_event = nullptr;
  all_down({&f, &g});
}

// LIFE-278, LIFE-285
TEST_F(AStackWithFilters, IsPausedAndRestartedAroundAnOptionalFilterThatDeregisters) {
  all_up({&f, &g});
  const std::size_t from = mark();
  unload(f);
  EXPECT_EQ(life(from),
            (Lines{"p!ProtocolNetPnPEvent", "g!FilterPause", "f!FilterPause", "mp!MiniportPause",
                   "f!FilterDetach", "mp!MiniportRestart", "g!FilterRestart", "p!ProtocolNetPnPEvent"}));
  EXPECT_EQ(names(), Lines{"g on nic"});
  all_down({&f, &g});
}

// LIFE-278
TEST_F(AStackWithFilters, LosesEveryModuleOfADriverThatDeregisters) {
  all_up({&f});
  run([&] { world.plug(mp.driver(), "nic2"); });
  EXPECT_EQ(f.modules.size(), 2U);
  unload(f);
  EXPECT_EQ(f.count("FilterDetach"), 2U);
  run([&] { world.unplug(*world.adapter("nic2")); });
  all_down({&f});
}

// LIFE-279
TEST_F(AStackWithFilters, HasAFilterGoneWithItsDevicesWhenItUnloads) {
  bool forgets = false;
  NDIS_HANDLE device = nullptr;
  f.entry = [&] {
    const NDIS_STATUS status = f.register_filter();
    const WideString name(u"\\Device\\Probe");
    const WideString link(u"\\DosDevices\\Probe");
    static PDRIVER_DISPATCH majors[IRP_MJ_MAXIMUM_FUNCTION + 1]{};
    NDIS_DEVICE_OBJECT_ATTRIBUTES a{};
    a.Header = {NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES, NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
                NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1};
    a.DeviceName = name.get();
    a.SymbolicName = link.get();
    a.MajorFunctions = majors;
    PDEVICE_OBJECT object = nullptr;
    EXPECT_EQ(NdisRegisterDeviceEx(f.handle, &a, &object, &device), NDIS_STATUS_SUCCESS);
    return status;
  };
  f.unload_routine = [&] {
    NdisFDeregisterFilterDriver(f.handle);
    if (!forgets) NdisDeregisterDeviceEx(device);
  };
  all_up({&f});
  EXPECT_NE(world.system().io().find_device(u"\\Device\\Probe"), nullptr);
  unload(f);
  EXPECT_EQ(world.system().io().find_device(u"\\Device\\Probe"), nullptr);
  forgets = true;
  load_filters({&f});
  unload(f);
  EXPECT_EQ(world.system().io().find_device(u"\\Device\\Probe"), nullptr) << "taken away";
  all_down({});
  expect({"f: DeviceAtUnload"});
}

// LIFE-271
TEST_F(AStackWithFilters, HasAProtocolThatKnowsNoPausesUnboundAndBoundAgain) {
  p.on_pnp_event = [](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
    return code == NetEventPause ? NDIS_STATUS_NOT_SUPPORTED : NDIS_STATUS_SUCCESS;
  };
  all_up({});
  const std::size_t from = mark();
  load_filters({&f});
  EXPECT_EQ(life(from), (Lines{"p!ProtocolNetPnPEvent", "mp!MiniportPause", "p!ProtocolUnbindAdapterEx",
                               "f!FilterAttach", "p!ProtocolBindAdapterEx", "mp!MiniportRestart",
                               "f!FilterRestart", "p!ProtocolNetPnPEvent"}));
  p.on_pnp_event = nullptr;
  const std::size_t after = mark();
  unload(f);
  EXPECT_TRUE(callbacks({"ProtocolUnbind", "ProtocolBind"}, after).empty()) << "who follows stays bound";
  all_down({});
  expect({"p: LIFE-263"});
}

// LIFE-298
TEST_F(AStackWithFilters, TellsAFilterThatItIsAboutToBeDetachedWhileRequestsStillWork) {
  all_up({&f});
  Lines seen;
  f.on_net_pnp_event = [&](FakeModule& module, NET_PNP_EVENT_NOTIFICATION* event) {
    if (event->NetPnPEvent.NetEvent != NetEventFilterPreDetach) return NdisFNetPnPEvent(module.handle, event);
    seen.push_back(
        fmt::format("pre-detach in {}, detached {} times", to_text(module_of(f)->state()), module.detaches));
    ULONG filter = 1;
    NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &filter, sizeof(filter));
    EXPECT_EQ(NdisFOidRequest(module.handle, &request), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  };
  unload(f);
  EXPECT_EQ(seen, Lines{"pre-detach in Running, detached 0 times"});
  all_down({&f});
}

// ---- order ----

TEST_F(AStackWithFilters, IsOrderedByClassAndThenByRegistration) {
  FakeFilter low(world.system(), world.library(), "low");
  FakeFilter high(world.system(), world.library(), "high");
  low.be_of_class("custom");
  f.be_of_class("compression");
  g.be_of_class("Compression");
  high.be_of_class("scheduler");
  load_filters({&high, &f, &low, &g});
  up();
  EXPECT_EQ(names(), (Lines{"low on nic", "f on nic", "g on nic", "high on nic"}));
  all_down({&f, &g, &low, &high});
}

TEST_F(AStackWithFilters, HasAMonitoringFilterOverTheMiniportAndOverEachModifyingOne) {
  g.be_monitoring();
  all_up({&g, &f});
  EXPECT_EQ(names(), (Lines{"g on nic", "f on nic", "g on nic over f"}));
  unload(f);
  EXPECT_EQ(names(), Lines{"g on nic"});
  all_down({&g, &f});
}

TEST_F(AStackWithFilters, LeavesOutFiltersOfOtherMedia) {
  world.system().registry().set_value(filter_ndi_key(f.unique_name()) + u"\\Interfaces", u"FilterMediaTypes",
                                      kernel::RegistryValue::string(std::u16string_view(u"wan, tokenring")));
  all_up({&f, &g});
  EXPECT_EQ(names(), Lines{"g on nic"});
  all_down({&f, &g});
}

// ---- mandatory ----

// LIFE-285
TEST_F(AStackWithFilters, UnbindsAndBindsProtocolsAroundAMandatoryFilter) {
  f.be_mandatory();
  up();
  std::size_t from = mark();
  load_filters({&f});
  EXPECT_EQ(life(from), (Lines{"p!ProtocolNetPnPEvent", "mp!MiniportPause", "p!ProtocolUnbindAdapterEx",
                               "f!FilterAttach", "p!ProtocolBindAdapterEx", "mp!MiniportRestart",
                               "f!FilterRestart", "p!ProtocolNetPnPEvent"}));
  from = mark();
  unload(f);
  EXPECT_EQ(life(from), (Lines{"p!ProtocolNetPnPEvent", "f!FilterPause", "mp!MiniportPause",
                               "p!ProtocolUnbindAdapterEx", "f!FilterDetach", "p!ProtocolBindAdapterEx",
                               "mp!MiniportRestart", "p!ProtocolNetPnPEvent"}));
  all_down({&f});
}

// LIFE-284
TEST_F(AStackWithFilters, DoesNotStartWithoutAMandatoryFilter) {
  f.be_mandatory();
  f.on_attach = [](FakeModule&) { return NDIS_STATUS_FAILURE; };
  load_filters({&g, &f});
  be(6, 6);
  load();
  EXPECT_EQ(plug(), NDIS_STATUS_FAILURE);
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), 0U);
  EXPECT_EQ(g.count("FilterDetach"), 1U);
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  EXPECT_TRUE(world.library().adapters().empty());
  all_down({&f, &g});
}

// LIFE-284
TEST_F(AStackWithFilters, StartsWithoutAnOptionalFilter) {
  f.on_attach = [](FakeModule&) { return NDIS_STATUS_FAILURE; };
  all_up({&f, &g});
  EXPECT_EQ(names(), Lines{"g on nic"});
  EXPECT_EQ(binding_state(), BindingState::Running);
  all_down({&f, &g});
}

// LIFE-284
TEST_F(AStackWithFilters, GoesWhenAMandatoryFilterDoesNotAttachToItWhileItRuns) {
  f.be_mandatory();
  f.on_attach = [](FakeModule&) { return NDIS_STATUS_RESOURCES; };
  up();
  load_filters({&f});
  EXPECT_TRUE(world.library().adapters().empty());
  EXPECT_EQ(mp.adapter("nic")->halt_action, NdisHaltDeviceFailed);
  all_down({&f});
}

// LIFE-295
TEST_F(AStackWithFilters, LosesAnOptionalFilterThatDoesNotRestart) {
  all_up({&f, &g});
  f.on_restart = [](FakeModule&, NDIS_FILTER_RESTART_PARAMETERS&) { return NDIS_STATUS_RESOURCES; };
  const std::size_t from = mark();
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_EQ(names(), Lines{"g on nic"});
  EXPECT_EQ(callbacks({"FilterDetach", "FilterRestart", "MiniportRestart", "MiniportPause"}, from),
            (Lines{"mp!MiniportPause", "mp!MiniportRestart", "f!FilterRestart", "mp!MiniportPause",
                   "f!FilterDetach", "mp!MiniportRestart", "g!FilterRestart"}));
  EXPECT_EQ(binding_state(), BindingState::Running);
  all_down({&f, &g});
}

// LIFE-295
TEST_F(AStackWithFilters, GoesWhenAMandatoryFilterDoesNotRestart) {
  f.be_mandatory();
  all_up({&f, &g});
  f.on_restart = [](FakeModule&, NDIS_FILTER_RESTART_PARAMETERS&) { return NDIS_STATUS_FAILURE; };
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_TRUE(world.library().adapters().empty());
  EXPECT_EQ(g.count("FilterDetach"), 1U);
  all_down({&f, &g});
}

// ---- NdisFRestartFilter ----

// LIFE-296
TEST_F(AStackWithFilters, IsPausedAndRestartedForNdisFRestartFilter) {
  f.on_module_options = [](FakeModule&) { return NDIS_STATUS_SUCCESS; };
  all_up({&f});
  const std::size_t from = mark();
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    EXPECT_EQ(NdisFRestartFilter(f.module().handle), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisFRestartFilter(f.module().handle), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(callbacks({"Filter"}, from),
            (Lines{"f!FilterPause", "f!FilterSetModuleOptions", "f!FilterRestart"}));
  all_down({&f});
}

TEST_F(AStackWithFilters, IsNotRestartedForAFilterThatAttaches) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  f.on_attach = [&](FakeModule& module) {
    status = NdisFRestartFilter(module.handle);
    return NDIS_STATUS_SUCCESS;
  };
  all_up({&f});
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  all_down({&f});
}

TEST_F(AStackWithFilters, HandsRestartAttributesFromFilterToFilterAndToProtocols) {
  ULONG mtu_at_g = 0;
  ULONG mtu_at_p = 0;
  const auto general_of = [](PNDIS_RESTART_ATTRIBUTES list) -> NDIS_RESTART_GENERAL_ATTRIBUTES* {
    for (; list != nullptr; list = list->Next)
      if (list->Oid == OID_GEN_MINIPORT_RESTART_ATTRIBUTES)
        return reinterpret_cast<NDIS_RESTART_GENERAL_ATTRIBUTES*>(list->Data);
    return nullptr;
  };
  f.on_restart = [&](FakeModule&, NDIS_FILTER_RESTART_PARAMETERS& parameters) {
    general_of(parameters.RestartAttributes)->MtuSize -= 100;
    // One of its own in front, which NDIS frees.
    void* memory = nullptr;
    NdisAllocateMemoryWithTag(&memory, sizeof(NDIS_RESTART_ATTRIBUTES), 0x61747472);
    auto* const own = static_cast<PNDIS_RESTART_ATTRIBUTES>(memory);
    own->Next = parameters.RestartAttributes;
    own->Oid = OID_GEN_VENDOR_ID;
    own->DataLength = 1;
    parameters.RestartAttributes = own;
    return NDIS_STATUS_SUCCESS;
  };
  g.on_restart = [&](FakeModule&, NDIS_FILTER_RESTART_PARAMETERS& parameters) {
    mtu_at_g = general_of(parameters.RestartAttributes)->MtuSize;
    return NDIS_STATUS_SUCCESS;
  };
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
    if (code != NetEventRestart) return NDIS_STATUS_SUCCESS;
    const NET_PNP_EVENT& what = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent;
    mtu_at_p =
        general_of(static_cast<NDIS_PROTOCOL_RESTART_PARAMETERS*>(what.Buffer)->RestartAttributes)->MtuSize;
    return NDIS_STATUS_SUCCESS;
  };
  all_up({&f, &g});
  EXPECT_EQ(mtu_at_g, 1400U);
  EXPECT_EQ(mtu_at_p, 1400U);
  p.on_pnp_event = nullptr;
  all_down({&f, &g});
}

}  // namespace
}  // namespace undis::test
