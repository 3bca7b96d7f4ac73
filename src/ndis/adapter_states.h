// SPDX-License-Identifier: MIT
//
// The states of a miniport adapter. Page: network/miniport-adapter-states-and-operations ("Event \ State"
// table, same rows and columns).
#pragma once

#include "ndis/state_table.h"

namespace undis {

enum class AdapterState : std::uint8_t {
  Halted,
  Shutdown,
  Initializing,
  Paused,
  Restarting,
  Running,
  Pausing
};
enum class AdapterEvent : std::uint8_t {
  MiniportInitializeEx,
  InitializeComplete,
  MiniportShutdownEx,
  MiniportHaltEx,
  MiniportRestart,
  RestartComplete,
  MiniportPause,
  PauseComplete,
  InitializeFailed,
  RestartFailed,
  SendReceive,
  OidRequest
};

// clang-format off
consteval auto adapter_states() {
  using enum AdapterState;
  using enum AdapterEvent;
  return StateTable<AdapterState, 7, AdapterEvent, 12>{{{
    // event \ state         Halted        Shutdown  Initializing  Paused      Restarting  Running   Pausing
    {MiniportInitializeEx, {{Initializing, no,       no,           no,         no,         no,       no       }}},
    {InitializeComplete,   {{no,           no,       Paused,       no,         no,         no,       no       }}},
    {MiniportShutdownEx,   {{no,           no,       no,           Shutdown,   Shutdown,   Shutdown, Shutdown }}},
    {MiniportHaltEx,       {{no,           no,       no,           Halted,     no,         no,       no       }}},
    {MiniportRestart,      {{no,           no,       no,           Restarting, no,         no,       no       }}},
    {RestartComplete,      {{no,           no,       no,           no,         Running,    no,       no       }}},
    {MiniportPause,        {{no,           no,       no,           no,         no,         Pausing,  no       }}},
    {PauseComplete,        {{no,           no,       no,           no,         no,         no,       Paused   }}},
    {InitializeFailed,     {{no,           no,       Halted,       no,         no,         no,       no       }}},
    {RestartFailed,        {{no,           no,       no,           no,         Paused,     no,       no       }}},
    // operations: legal where the cell is not blank; they never change the state
    {SendReceive,          {{no,           no,       no,           no,         no,         Running,  Pausing  }}},
    {OidRequest,           {{no,           no,       no,           Paused,     Restarting, Running,  Pausing  }}},
  }}};
}
// clang-format on
inline constexpr auto kAdapterStates = adapter_states();
static_assert(kAdapterStates.rows_are_in_enum_order());

const char* to_text(AdapterState state) noexcept;
const char* to_text(AdapterEvent event) noexcept;

}  // namespace undis
