// SPDX-License-Identifier: MIT
//
// The states of a filter module. Page: network/filter-module-states-and-operations ("Event/State" table, same
// rows and columns).
#pragma once

#include "ndis/state_table.h"

namespace undis {

enum class FilterState : std::uint8_t { Detached, Attaching, Paused, Restarting, Running, Pausing };
enum class FilterEvent : std::uint8_t {
  FilterAttach,
  AttachComplete,
  FilterDetach,
  FilterRestart,
  RestartComplete,
  FilterPause,
  PauseComplete,
  AttachFailed,
  RestartFailed,
  SendReceive,
  OidRequest
};

// clang-format off
consteval auto filter_states() {
  using enum FilterState;
  using enum FilterEvent;
  return StateTable<FilterState, 6, FilterEvent, 11>{{{
    // event \ state      Detached   Attaching  Paused      Restarting  Running  Pausing
    {FilterAttach,     {{Attaching, no,        no,         no,         no,      no      }}},
    {AttachComplete,   {{no,        Paused,    no,         no,         no,      no      }}},
    {FilterDetach,     {{no,        no,        Detached,   no,         no,      no      }}},
    {FilterRestart,    {{no,        no,        Restarting, no,         no,      no      }}},
    {RestartComplete,  {{no,        no,        no,         Running,    no,      no      }}},
    {FilterPause,      {{no,        no,        no,         no,         Pausing, no      }}},
    {PauseComplete,    {{no,        no,        no,         no,         no,      Paused  }}},
    {AttachFailed,     {{no,        Detached,  no,         no,         no,      no      }}},
    {RestartFailed,    {{no,        no,        no,         Paused,     no,      no      }}},
    // operations: legal where the cell is not blank; they never change the state
    {SendReceive,      {{no,        no,        no,         no,         Running, Pausing }}},
    {OidRequest,       {{no,        no,        Paused,     Restarting, Running, Pausing }}},
  }}};
}
// clang-format on
inline constexpr auto kFilterStates = filter_states();
static_assert(kFilterStates.rows_are_in_enum_order());

const char* to_text(FilterState state) noexcept;
const char* to_text(FilterEvent event) noexcept;

}  // namespace undis
