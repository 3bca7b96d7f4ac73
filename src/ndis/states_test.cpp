// SPDX-License-Identifier: MIT
//
// The published tables of adapters and bindings: every cell of both, and for each cell that is not blank a
// driver that goes through it. Pages: network/miniport-adapter-states-and-operations,
// network/protocol-binding-states-and-operations.
#include <array>

#include <fmt/format.h>

#include "lab/core_test.h"

namespace undis::test {
namespace {

// ---- all cells ----

/// A row as the page prints it: the event's label, then the cell under each state; "" is blank.
struct PrintedRow {
  const char* event;
  std::array<const char*, 7> cells;
};

constexpr std::array<const char*, 7> kPrintedAdapterStates{"Halted",     "Shutdown", "Initializing", "Paused",
                                                           "Restarting", "Running",  "Pausing"};
// clang-format off
constexpr std::array<PrintedRow, 12> kPrintedAdapterTable{{
    {"MiniportInitializeEx",        {"Initializing", "", "", "", "", "", ""}},
    {"Initialize is complete",      {"", "", "Paused", "", "", "", ""}},
    {"MiniportShutdownEx",          {"", "", "", "Shutdown", "Shutdown", "Shutdown", "Shutdown"}},
    {"MiniportHaltEx",              {"", "", "", "Halted", "", "", ""}},
    {"MiniportRestart",             {"", "", "", "Restarting", "", "", ""}},
    {"Restart is complete",         {"", "", "", "", "Running", "", ""}},
    {"MiniportPause",               {"", "", "", "", "", "Pausing", ""}},
    {"Pause is complete",           {"", "", "", "", "", "", "Paused"}},
    {"Initialize failed",           {"", "", "Halted", "", "", "", ""}},
    {"Restart failed",              {"", "", "", "", "Paused", "", ""}},
    {"Send and receive operations", {"", "", "", "", "", "Running", "Pausing"}},
    {"OID requests",                {"", "", "", "Paused", "Restarting", "Running", "Pausing"}},
}};
// clang-format on
constexpr std::array kAdapterEvents{
    AdapterEvent::MiniportInitializeEx, AdapterEvent::InitializeComplete, AdapterEvent::MiniportShutdownEx,
    AdapterEvent::MiniportHaltEx,       AdapterEvent::MiniportRestart,    AdapterEvent::RestartComplete,
    AdapterEvent::MiniportPause,        AdapterEvent::PauseComplete,      AdapterEvent::InitializeFailed,
    AdapterEvent::RestartFailed,        AdapterEvent::SendReceive,        AdapterEvent::OidRequest};
constexpr std::array kAdapterStatesInOrder{
    AdapterState::Halted,     AdapterState::Shutdown, AdapterState::Initializing, AdapterState::Paused,
    AdapterState::Restarting, AdapterState::Running,  AdapterState::Pausing};

constexpr std::array<const char*, 7> kPrintedBindingStates{"Unbound",    "Opening", "Closing", "Paused",
                                                           "Restarting", "Running", "Pausing"};
// clang-format off
constexpr std::array<PrintedRow, 12> kPrintedBindingTable{{
    {"ProtocolBindAdapterEx",       {"Opening", "", "", "", "", "", ""}},
    {"Bind failed",                 {"", "Unbound", "", "", "", "", ""}},
    {"Bind is complete",            {"", "Paused", "", "", "", "", ""}},
    {"ProtocolUnbindAdapterEx",     {"", "", "", "Closing", "", "", ""}},
    {"Unbind is complete",          {"", "", "Unbound", "", "", "", ""}},
    {"PnP pause",                   {"", "", "", "", "", "Pausing", ""}},
    {"Pause is complete",           {"", "", "", "", "", "", "Paused"}},
    {"PnP restart",                 {"", "", "", "Restarting", "", "", ""}},
    {"Restart is complete",         {"", "", "", "", "Running", "", ""}},
    {"Restart failed",              {"", "", "", "", "Paused", "", ""}},
    {"Send and receive operations", {"", "", "", "", "", "Running", "Pausing"}},
    {"OID requests",                {"", "", "Closing", "Paused", "Restarting", "Running", "Pausing"}},
}};
// clang-format on
constexpr std::array kBindingEvents{
    BindingEvent::ProtocolBindAdapterEx,   BindingEvent::BindFailed,     BindingEvent::BindComplete,
    BindingEvent::ProtocolUnbindAdapterEx, BindingEvent::UnbindComplete, BindingEvent::PnpPause,
    BindingEvent::PauseComplete,           BindingEvent::PnpRestart,     BindingEvent::RestartComplete,
    BindingEvent::RestartFailed,           BindingEvent::SendReceive,    BindingEvent::OidRequest};
constexpr std::array kBindingStatesInOrder{
    BindingState::Unbound,    BindingState::Opening, BindingState::Closing, BindingState::Paused,
    BindingState::Restarting, BindingState::Running, BindingState::Pausing};

/// Compares cell by cell and counts them.
template <class Table, class States, class Events>
unsigned compare(const std::array<PrintedRow, 12>& printed, const std::array<const char*, 7>& columns,
                 const Table& table, const States& states, const Events& events) {
  unsigned cells = 0;
  for (std::size_t row = 0; row < printed.size(); ++row) {
    for (std::size_t column = 0; column < columns.size(); ++column) {
      EXPECT_STREQ(to_text(states[column]), columns[column]);
      const auto next = table.next(states[column], events[row]);
      EXPECT_STREQ(next ? to_text(*next) : "", printed[row].cells[column])
          << printed[row].event << " in " << columns[column];
      EXPECT_EQ(table.allows(states[column], events[row]), *printed[row].cells[column] != '\0');
      ++cells;
    }
  }
  return cells;
}

// LIFE-123
TEST(StateTables, OfAdaptersAreThePublishedOnes) {
  EXPECT_EQ(compare(kPrintedAdapterTable, kPrintedAdapterStates, kAdapterStates, kAdapterStatesInOrder,
                    kAdapterEvents),
            84U);
}

// LIFE-255
TEST(StateTables, OfBindingsAreThePublishedOnes) {
  EXPECT_EQ(compare(kPrintedBindingTable, kPrintedBindingStates, kBindingStates, kBindingStatesInOrder,
                    kBindingEvents),
            84U);
}

TEST(StateTables, NameEachStateAndEventOnce) {
  Lines names;
  for (const AdapterEvent event : kAdapterEvents) names.emplace_back(to_text(event));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  names.clear();
  for (const BindingEvent event : kBindingEvents) names.emplace_back(to_text(event));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

// ---- adapters that go through the cells; the name says the row and the column ----

class AdapterStatesInUse : public CoreTest {};

TEST_F(AdapterStatesInUse, MiniportInitializeExInHaltedGivesInitializing) {
  std::optional<AdapterState> inside;
  mp.on_initialize = [&](FakeAdapter&) {
    inside = nic_state();
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(inside, AdapterState::Initializing);
  EXPECT_EQ(moves("nic").front(), "MiniportInitializeEx: Halted -> Initializing");
  down();
}

// LIFE-110
TEST_F(AdapterStatesInUse, InitializeCompleteInInitializingGivesPaused) {
  std::optional<AdapterState> at_bind;
  p.after_open = [&](FakeBinding&) {
    at_bind = nic_state();
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(at_bind, AdapterState::Paused);
  EXPECT_EQ(moves("nic").at(1), "InitializeComplete: Initializing -> Paused");
  down();
}

// LIFE-112
TEST_F(AdapterStatesInUse, InitializeFailedInInitializingGivesHalted) {
  mp.on_initialize = [](FakeAdapter&) { return NDIS_STATUS_HARD_ERRORS; };
  be(6, 6);
  load();
  EXPECT_EQ(plug(), NDIS_STATUS_HARD_ERRORS);
  EXPECT_EQ(moves("nic"), (Lines{"MiniportInitializeEx: Halted -> Initializing",
                                 "InitializeFailed: Initializing -> Halted"}));
  EXPECT_EQ(mp.count("MiniportHaltEx"), 0U) << "what was not initialised is not halted";
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), 0U);
  down();
}

// LIFE-125, LIFE-134
TEST_F(AdapterStatesInUse, MiniportRestartInPausedGivesRestartingAndItsCompletionRunning) {
  std::optional<AdapterState> inside;
  mp.on_restart = [&](FakeAdapter&) {
    inside = nic_state();
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(inside, AdapterState::Restarting);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(moves("nic").at(2), "MiniportRestart: Paused -> Restarting");
  EXPECT_EQ(moves("nic").at(3), "RestartComplete: Restarting -> Running");
  down();
}

// LIFE-123
TEST_F(AdapterStatesInUse, RestartFailedInRestartingGivesPaused) {
  mp.on_restart = [](FakeAdapter&) { return NDIS_STATUS_RESOURCES; };
  up();
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  EXPECT_EQ(moves("nic").back(), "RestartFailed: Restarting -> Paused");
  EXPECT_EQ(binding_state(), BindingState::Paused)
      << "what is above a card that did not restart stays paused";
  down();
  EXPECT_EQ(mp.count("MiniportPause"), 0U) << "it is paused already";
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
}

// LIFE-126
TEST_F(AdapterStatesInUse, MiniportPauseInRunningGivesPausingAndItsCompletionPaused) {
  std::optional<AdapterState> inside;
  std::optional<AdapterState> at_unbind;
  mp.on_pause = [&](FakeAdapter&) {
    inside = nic_state();
    return NDIS_STATUS_SUCCESS;
  };
  p.on_unbind = [&](FakeBinding& of) {
    at_unbind = nic_state();
    FakeDriver::close_and_wait(of);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  const std::size_t from = mark();
  down();
  EXPECT_EQ(inside, AdapterState::Pausing);
  EXPECT_EQ(at_unbind, AdapterState::Paused);
  EXPECT_EQ(moves("nic", from),
            (Lines{"MiniportPause: Running -> Pausing", "PauseComplete: Pausing -> Paused",
                   "MiniportHaltEx: Paused -> Halted"}));
}

// LIFE-124
TEST_F(AdapterStatesInUse, MiniportHaltExInPausedGivesHalted) {
  Ref<Adapter> card;
  std::optional<AdapterState> inside;
  mp.on_halt = [&](FakeAdapter&) { inside = card->state(); };
  up();
  card = nic();
  down();
  EXPECT_EQ(inside, AdapterState::Halted) << "from here no request is given to it";
  EXPECT_EQ(card->state(), AdapterState::Halted);
}

// LIFE-127
TEST_F(AdapterStatesInUse, MiniportShutdownExInPausedGivesShutdown) {
  expects_nothing_left = false;  // a machine that shuts down takes nothing apart
  up();
  run([&] {
    pause_stack(*nic());
    world.library().shutdown();
  });
  EXPECT_EQ(moves("nic").back(), "MiniportShutdownEx: Paused -> Shutdown");
  EXPECT_EQ(mp.count("MiniportShutdownEx"), 1U);
}

TEST_F(AdapterStatesInUse, MiniportShutdownExInRunningGivesShutdown) {
  expects_nothing_left = false;
  up();
  run([&] { world.library().shutdown(); });
  EXPECT_EQ(moves("nic").back(), "MiniportShutdownEx: Running -> Shutdown");
  EXPECT_EQ(mp.calls.back(), "MiniportShutdownEx nic") << "no call follows";
}

TEST_F(AdapterStatesInUse, MiniportShutdownExInRestartingGivesShutdown) {
  expects_nothing_left = false;
  kernel::Event restarting("test: MiniportRestart has pended");
  mp.on_restart = [&](FakeAdapter&) {
    restarting.set();
    return NDIS_STATUS_PENDING;
  };
  be(6, 6);
  load();
  run([&] {
    world.system().spawn("plug", [&] { world.plug(mp.driver(), "nic"); });
    restarting.wait();
    EXPECT_EQ(nic_state(), AdapterState::Restarting);
    world.library().shutdown();
    EXPECT_EQ(nic_state(), AdapterState::Shutdown);
    NdisMRestartComplete(nic()->handle(), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(moves("nic").back(), "MiniportShutdownEx: Restarting -> Shutdown");
  EXPECT_EQ(p.count("NetEventRestart"), 0U);
}

TEST_F(AdapterStatesInUse, MiniportShutdownExInPausingGivesShutdown) {
  expects_nothing_left = false;
  up();
  kernel::Event pausing("test: MiniportPause has pended");
  mp.on_pause = [&](FakeAdapter&) {
    pausing.set();
    return NDIS_STATUS_PENDING;
  };
  run([&] {
    world.system().spawn("pause", [&] { pause_stack(*nic()); });
    pausing.wait();
    EXPECT_EQ(nic_state(), AdapterState::Pausing);
    world.library().shutdown();
    EXPECT_EQ(nic_state(), AdapterState::Shutdown);
    NdisMPauseComplete(nic()->handle());
  });
  EXPECT_EQ(moves("nic").back(), "MiniportShutdownEx: Pausing -> Shutdown");
}

// LIFE-127, LIFE-151
TEST_F(AdapterStatesInUse, MiniportShutdownExIsNotCalledInHaltedOrInitializing) {
  be(6, 6);
  load();
  mp.on_initialize = [&](FakeAdapter&) {
    world.library().shutdown();
    EXPECT_EQ(nic_state(), AdapterState::Initializing);
    return NDIS_STATUS_FAILURE;
  };
  plug();
  EXPECT_EQ(mp.count("MiniportShutdownEx"), 0U);
  down();
}

// LIFE-129
TEST_F(AdapterStatesInUse, DataMayFlowInRunningAndPausingOnly) {
  Lines seen;
  const auto note = [&] {
    seen.push_back(fmt::format("{} {}", to_text(nic_state()), nic()->may_carry_data()));
  };
  mp.on_initialize = [&](FakeAdapter&) { return note(), NDIS_STATUS_SUCCESS; };
  p.after_open = [&](FakeBinding&) { return note(), NDIS_STATUS_SUCCESS; };
  mp.on_restart = [&](FakeAdapter&) { return note(), NDIS_STATUS_SUCCESS; };
  up();
  note();
  mp.on_pause = [&](FakeAdapter&) { return note(), NDIS_STATUS_SUCCESS; };
  const Ref<Adapter> card = nic();
  down();
  EXPECT_EQ(seen, (Lines{"Initializing false", "Paused false", "Restarting false", "Running true",
                         "Pausing true"}));
  EXPECT_FALSE(card->may_carry_data());
}

// LIFE-128
TEST_F(AdapterStatesInUse, OidRequestsAreDeliveredInPausedRestartingRunningAndPausing) {
  Lines delivered;
  mp.on_request = [&](FakeAdapter&, NDIS_OID oid, bool) {
    if (oid == OID_GEN_CURRENT_LOOKAHEAD) delivered.emplace_back(to_text(nic_state()));
    return NDIS_STATUS_SUCCESS;
  };
  const auto request = [&](FakeBinding& of) {
    // More each time: the miniport is told of what changes only.
    ULONG number = 256 + static_cast<ULONG>(delivered.size());
    NDIS_OID_REQUEST set = set_request(OID_GEN_CURRENT_LOOKAHEAD, &number, sizeof(number));
    EXPECT_EQ(NdisOidRequest(of.handle, &set), NDIS_STATUS_SUCCESS);
  };
  p.after_open = [&](FakeBinding& of) { return request(of), NDIS_STATUS_SUCCESS; };
  mp.on_restart = [&](FakeAdapter&) { return request(*p.binding("nic")), NDIS_STATUS_SUCCESS; };
  up();
  run([&] { request(*p.binding("nic")); });
  mp.on_pause = [&](FakeAdapter&) { return request(*p.binding("nic")), NDIS_STATUS_SUCCESS; };
  down();
  EXPECT_EQ(delivered, (Lines{"Paused", "Restarting", "Running", "Pausing"}));
}

// LIFE-107, LIFE-128, LIFE-150
TEST_F(AdapterStatesInUse, OidRequestsAreNotDeliveredInInitializingAndHalted) {
  unsigned delivered = 0;
  Ref<Adapter> card;
  std::vector<NDIS_STATUS> statuses;
  const auto ask = [&] {
    ULONG number = 0;
    statuses.push_back(
        card->oids.ask(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &number, sizeof(number)));
  };
  mp.on_request = [&](FakeAdapter&, NDIS_OID, bool) { return ++delivered, NDIS_STATUS_SUCCESS; };
  mp.on_initialize = [&](FakeAdapter&) {
    card = nic();
    ask();
    return NDIS_STATUS_SUCCESS;
  };
  mp.on_halt = [&](FakeAdapter&) { ask(); };
  up();
  down();
  run([&] { ask(); });
  EXPECT_EQ(delivered, 0U);
  EXPECT_EQ(statuses, std::vector<NDIS_STATUS>(3, NDIS_STATUS_CLOSING));
}

TEST_F(AdapterStatesInUse, ABlankCellIsToldAndChangesNothing) {
  up();
  run([&] { nic()->halt(NdisHaltDeviceDisabled); });  // a halt in Running
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(mp.complaints, Lines{"MiniportHaltEx while not Paused: nic"});
  EXPECT_NE(last_violation_text().find("MiniportHaltEx in state Running"), std::string::npos);
  expect({"mp: StateTable"});
  expects_nothing_left = false;
}

// ---- bindings that go through the cells ----

class BindingStatesInUse : public CoreTest {};

// LIFE-231
TEST_F(BindingStatesInUse, ProtocolBindAdapterExInUnboundGivesOpeningAndTheOpenPaused) {
  std::optional<BindingState> after_open;
  p.after_open = [&](FakeBinding&) {
    after_open = binding_state();
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(after_open, BindingState::Paused);
  EXPECT_EQ(moves("p on nic").at(0), "ProtocolBindAdapterEx: Unbound -> Opening");
  EXPECT_EQ(moves("p on nic").at(1), "BindComplete: Opening -> Paused");
  down();
}

// LIFE-231
TEST_F(BindingStatesInUse, BindFailedInOpeningGivesUnbound) {
  mp.on_initialize = [&](FakeAdapter&) {
    nic()->traits().medium = NdisMedium802_5;  // none that the protocol opens
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(moves("p on nic"),
            (Lines{"ProtocolBindAdapterEx: Unbound -> Opening", "BindFailed: Opening -> Unbound"}));
  EXPECT_FALSE(binding());
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

TEST_F(BindingStatesInUse, ABindThatFailsAfterItsOpenGoesTheWayOfAnUnbind) {
  p.after_open = [](FakeBinding&) { return NDIS_STATUS_RESOURCES; };
  up();
  EXPECT_EQ(moves("p on nic"),
            (Lines{"ProtocolBindAdapterEx: Unbound -> Opening", "BindComplete: Opening -> Paused",
                   "ProtocolUnbindAdapterEx: Paused -> Closing", "UnbindComplete: Closing -> Unbound"}));
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 0U);
  EXPECT_FALSE(binding());
  down();
}

// LIFE-256
TEST_F(BindingStatesInUse, PnpRestartInPausedGivesRestartingAndItsCompletionRunning) {
  std::optional<BindingState> inside;
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
    if (code == NetEventRestart) inside = binding_state();
    return NDIS_STATUS_SUCCESS;
  };
  up();
  EXPECT_EQ(inside, BindingState::Restarting);
  EXPECT_EQ(binding_state(), BindingState::Running);
  EXPECT_EQ(moves("p on nic").at(2), "PnpRestart: Paused -> Restarting");
  EXPECT_EQ(moves("p on nic").at(3), "RestartComplete: Restarting -> Running");
  down();
}

TEST_F(BindingStatesInUse, RestartFailedInRestartingGivesPaused) {
  p.on_pnp_event = [&](FakeBinding& of, NET_PNP_EVENT_CODE code, void*) {
    if (code != NetEventRestart) return NDIS_STATUS_SUCCESS;
    of.running = false;
    return NDIS_STATUS_RESOURCES;
  };
  up();
  EXPECT_EQ(binding_state(), BindingState::Paused);
  EXPECT_EQ(moves("p on nic").back(), "RestartFailed: Restarting -> Paused");
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
  EXPECT_EQ(p.count("NetEventPause"), 0U) << "it is paused already";
}

// LIFE-256
TEST_F(BindingStatesInUse, PnpPauseInRunningGivesPausingAndItsCompletionPaused) {
  std::optional<BindingState> inside;
  std::optional<BindingState> at_pause_of_the_card;
  up();
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
    if (code == NetEventPause) inside = binding_state();
    return NDIS_STATUS_SUCCESS;
  };
  mp.on_pause = [&](FakeAdapter&) {
    at_pause_of_the_card = binding_state();
    return NDIS_STATUS_SUCCESS;
  };
  const std::size_t from = mark();
  down();
  EXPECT_EQ(inside, BindingState::Pausing);
  EXPECT_EQ(at_pause_of_the_card, BindingState::Paused);
  EXPECT_EQ(moves("p on nic", from),
            (Lines{"PnpPause: Running -> Pausing", "PauseComplete: Pausing -> Paused",
                   "ProtocolUnbindAdapterEx: Paused -> Closing", "UnbindComplete: Closing -> Unbound"}));
}

// LIFE-256, LIFE-237
TEST_F(BindingStatesInUse, ProtocolUnbindAdapterExInPausedGivesClosingAndItsCompletionUnbound) {
  std::optional<BindingState> inside;
  Ref<Binding> bound;
  p.on_unbind = [&](FakeBinding& of) {
    inside = bound->state();
    FakeDriver::close_and_wait(of);
    EXPECT_EQ(bound->state(), BindingState::Closing) << "until the unbind is complete";
    return NDIS_STATUS_SUCCESS;
  };
  up();
  bound = binding();
  down();
  EXPECT_EQ(inside, BindingState::Closing);
  EXPECT_EQ(bound->state(), BindingState::Unbound);
}

// The page has Running and Pausing; Restarting is added by docs/decisions.md#send-while-restarting.
// LIFE-230
TEST_F(BindingStatesInUse, DataMayFlowFromTheRestartToTheEndOfThePauseOnly) {
  Lines seen;
  Ref<Binding> bound;
  const auto note = [&] {
    seen.push_back(fmt::format("{} {}", to_text(bound->state()), bound->may_carry_data()));
  };
  p.after_open = [&](FakeBinding&) {
    bound = binding();
    return note(), NDIS_STATUS_SUCCESS;
  };
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE, void*) { return note(), NDIS_STATUS_SUCCESS; };
  p.on_unbind = [&](FakeBinding& of) {
    note();
    FakeDriver::close_and_wait(of);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  note();
  down();
  note();
  EXPECT_EQ(seen, (Lines{"Paused false", "Restarting true", "Running true", "Pausing true", "Closing false",
                         "Unbound false"}));
}

// LIFE-257
TEST_F(BindingStatesInUse, OidRequestsAreTakenInPausedRestartingRunningPausingAndClosing) {
  Lines delivered;
  mp.on_request = [&](FakeAdapter&, NDIS_OID oid, bool) {
    if (oid == OID_GEN_CURRENT_LOOKAHEAD) delivered.emplace_back(to_text(binding_state()));
    return NDIS_STATUS_SUCCESS;
  };
  const auto request = [&](FakeBinding& of) {
    // More each time: the miniport is told of what changes only.
    ULONG number = 256 + static_cast<ULONG>(delivered.size());
    NDIS_OID_REQUEST set = set_request(OID_GEN_CURRENT_LOOKAHEAD, &number, sizeof(number));
    EXPECT_EQ(NdisOidRequest(of.handle, &set), NDIS_STATUS_SUCCESS);
  };
  p.after_open = [&](FakeBinding& of) { return request(of), NDIS_STATUS_SUCCESS; };
  p.on_pnp_event = [&](FakeBinding& of, NET_PNP_EVENT_CODE, void*) {
    return request(of), NDIS_STATUS_SUCCESS;
  };
  p.on_unbind = [&](FakeBinding& of) {
    request(of);
    FakeDriver::close_and_wait(of);
    return NDIS_STATUS_SUCCESS;
  };
  up();
  run([&] { request(*p.binding("nic")); });
  down();
  EXPECT_EQ(delivered, (Lines{"Paused", "Restarting", "Running", "Pausing", "Closing"}));
}

// ---- 5.x drivers, which know nothing of pause and restart ----

class StatesOfFiveDrivers : public CoreTest {};

TEST_F(StatesOfFiveDrivers, GoThroughTheSameMovesAsThoseOfSix) {
  up(5, 5);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
  EXPECT_EQ(moves("nic"),
            (Lines{"MiniportInitializeEx: Halted -> Initializing",
                   "InitializeComplete: Initializing -> Paused", "MiniportRestart: Paused -> Restarting",
                   "RestartComplete: Restarting -> Running", "MiniportPause: Running -> Pausing",
                   "PauseComplete: Pausing -> Paused", "MiniportHaltEx: Paused -> Halted"}));
  EXPECT_EQ(moves("p on nic"),
            (Lines{"ProtocolBindAdapterEx: Unbound -> Opening", "BindComplete: Opening -> Paused",
                   "PnpRestart: Paused -> Restarting", "RestartComplete: Restarting -> Running",
                   "PnpPause: Running -> Pausing", "PauseComplete: Pausing -> Paused",
                   "ProtocolUnbindAdapterEx: Paused -> Closing", "UnbindComplete: Closing -> Unbound"}));
}

}  // namespace
}  // namespace undis::test
