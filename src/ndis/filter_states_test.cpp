// SPDX-License-Identifier: MIT
//
// The published table of filter modules: every cell, and a module that goes through each that is not blank.
// Page: network/filter-module-states-and-operations.
#include <array>

#include <fmt/format.h>

#include "lab/filter_test.h"

namespace undis::test {
namespace {

/// A row as the page prints it: the event's label, then the cell under each state; "" is blank.
struct PrintedRow {
  const char* event;
  std::array<const char*, 6> cells;
};
constexpr std::array<const char*, 6> kPrintedStates{"Detached",   "Attaching", "Paused",
                                                    "Restarting", "Running",   "Pausing"};
// clang-format off
constexpr std::array<PrintedRow, 11> kPrintedTable{{
    {"Filter attach",       {"Attaching", "", "", "", "", ""}},
    {"Attach is complete",  {"", "Paused", "", "", "", ""}},
    {"Filter detach",       {"", "", "Detached", "", "", ""}},
    {"Filter restart",      {"", "", "Restarting", "", "", ""}},
    {"Restart is complete", {"", "", "", "Running", "", ""}},
    {"Filter pause",        {"", "", "", "", "Pausing", ""}},
    {"Pause is complete",   {"", "", "", "", "", "Paused"}},
    {"Attach failed",       {"", "Detached", "", "", "", ""}},
    {"Restart failed",      {"", "", "", "Paused", "", ""}},
    {"Send and Receive",    {"", "", "", "", "Running", "Pausing"}},
    {"OID Requests",        {"", "", "Paused", "Restarting", "Running", "Pausing"}},
}};
// clang-format on

TEST(TheFilterModuleTable, IsTheOneThatIsPublishedCellByCell) {
  unsigned cells = 0;
  for (std::size_t row = 0; row < kPrintedTable.size(); ++row)
    for (std::size_t column = 0; column < kPrintedStates.size(); ++column, ++cells) {
      const auto state = static_cast<FilterState>(column);
      ASSERT_STREQ(to_text(state), kPrintedStates[column]);
      const auto next = kFilterStates.next(state, static_cast<FilterEvent>(row));
      EXPECT_STREQ(next ? to_text(*next) : "", kPrintedTable[row].cells[column])
          << kPrintedTable[row].event << " in " << kPrintedStates[column];
    }
  EXPECT_EQ(cells, 66U);
}

class AFilterModule : public FilterTest {};

// LIFE-280, LIFE-286, LIFE-291, LIFE-297
TEST_F(AFilterModule, GoesFromDetachedToRunningAndBack) {
  all_up({&f});
  unplug();
  EXPECT_EQ(moves("f on nic"),
            (Lines{"FilterAttach: Detached -> Attaching", "AttachComplete: Attaching -> Paused",
                   "FilterRestart: Paused -> Restarting", "RestartComplete: Restarting -> Running",
                   "FilterPause: Running -> Pausing", "PauseComplete: Pausing -> Paused",
                   "FilterDetach: Paused -> Detached"}));
  all_down({&f});
}

TEST_F(AFilterModule, IsDetachedAgainWhenItDoesNotAttach) {
  f.on_attach = [](FakeModule&) { return NDIS_STATUS_RESOURCES; };
  all_up({&f});
  EXPECT_EQ(moves("f on nic"),
            (Lines{"FilterAttach: Detached -> Attaching", "AttachFailed: Attaching -> Detached"}));
  EXPECT_EQ(names(), Lines{});
  EXPECT_EQ(f.count("FilterDetach"), 0U);
  all_down({&f});
}

TEST_F(AFilterModule, IsPausedAgainWhenItDoesNotRestart) {
  f.on_restart = [](FakeModule&, NDIS_FILTER_RESTART_PARAMETERS&) { return NDIS_STATUS_FAILURE; };
  all_up({&f});
  EXPECT_EQ(moves("f on nic"),
            (Lines{"FilterAttach: Detached -> Attaching", "AttachComplete: Attaching -> Paused",
                   "FilterRestart: Paused -> Restarting", "RestartFailed: Restarting -> Paused",
                   "FilterDetach: Paused -> Detached"}));
  EXPECT_EQ(nic_state(), AdapterState::Running);
  EXPECT_EQ(binding_state(), BindingState::Running);
  all_down({&f});
}

TEST_F(AFilterModule, IsPausingUntilNdisFPauseComplete) {
  all_up({&f});
  f.on_pause = [](FakeModule& module) {
    kernel::queue_work("later", [&module] { NdisFPauseComplete(module.handle); });
    return NDIS_STATUS_PENDING;
  };
  const std::size_t from = mark();
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_EQ(moves("f on nic", from),
            (Lines{"FilterPause: Running -> Pausing", "PauseComplete: Pausing -> Paused",
                   "FilterRestart: Paused -> Restarting", "RestartComplete: Restarting -> Running"}));
  all_down({&f});
}

TEST_F(AFilterModule, MayCompleteItsPauseInsideFilterPause) {
  all_up({&f});
  f.on_pause = [](FakeModule& module) {
    NdisFPauseComplete(module.handle);
    return NDIS_STATUS_PENDING;
  };
  run([&] { cycle_stack(*nic(), NDIS_PAUSE_NDIS_INTERNAL); });
  EXPECT_EQ(module_of(f)->state(), FilterState::Running);
  all_down({&f});
}

TEST_F(AFilterModule, IsRestartingUntilNdisFRestartComplete) {
  FilterState seen = FilterState::Detached;
  f.on_restart = [&](FakeModule& module, NDIS_FILTER_RESTART_PARAMETERS&) {
    kernel::queue_work("later", [&] {
      seen = module_of(f)->state();
      NdisFRestartComplete(module.handle, NDIS_STATUS_SUCCESS);
    });
    return NDIS_STATUS_PENDING;
  };
  all_up({&f});
  EXPECT_EQ(seen, FilterState::Restarting);
  EXPECT_EQ(module_of(f)->state(), FilterState::Running);
  all_down({&f});
}

TEST_F(AFilterModule, ThatFailsAPendedRestartIsDetached) {
  f.on_restart = [](FakeModule& module, NDIS_FILTER_RESTART_PARAMETERS&) {
    NdisFRestartComplete(module.handle, NDIS_STATUS_FAILURE);
    return NDIS_STATUS_PENDING;
  };
  load_filters({&f});
  up();
  EXPECT_EQ(names(), Lines{});
  EXPECT_EQ(f.count("FilterDetach"), 1U);
  f.complaints.clear();  // its own copy of the state does not know of the failure
  all_down({&f});
}

}  // namespace
}  // namespace undis::test
