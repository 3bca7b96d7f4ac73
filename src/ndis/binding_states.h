// SPDX-License-Identifier: MIT
//
// The states of a protocol binding. Page: network/protocol-binding-states-and-operations ("Event \ State"
// table, same rows and columns).
#pragma once

#include "ndis/state_table.h"

namespace undis {

enum class BindingState : std::uint8_t { Unbound, Opening, Closing, Paused, Restarting, Running, Pausing };
enum class BindingEvent : std::uint8_t {
  ProtocolBindAdapterEx,
  BindFailed,
  BindComplete,
  ProtocolUnbindAdapterEx,
  UnbindComplete,
  PnpPause,
  PauseComplete,
  PnpRestart,
  RestartComplete,
  RestartFailed,
  SendReceive,
  OidRequest
};

// clang-format off
consteval auto binding_states() {
  using enum BindingState;
  using enum BindingEvent;
  return StateTable<BindingState, 7, BindingEvent, 12>{{{
    // event \ state            Unbound  Opening  Closing  Paused      Restarting  Running  Pausing
    {ProtocolBindAdapterEx,   {{Opening, no,      no,      no,         no,         no,      no      }}},
    {BindFailed,              {{no,      Unbound, no,      no,         no,         no,      no      }}},
    {BindComplete,            {{no,      Paused,  no,      no,         no,         no,      no      }}},
    {ProtocolUnbindAdapterEx, {{no,      no,      no,      Closing,    no,         no,      no      }}},
    {UnbindComplete,          {{no,      no,      Unbound, no,         no,         no,      no      }}},
    {PnpPause,                {{no,      no,      no,      no,         no,         Pausing, no      }}},
    {PauseComplete,           {{no,      no,      no,      no,         no,         no,      Paused  }}},
    {PnpRestart,              {{no,      no,      no,      Restarting, no,         no,      no      }}},
    {RestartComplete,         {{no,      no,      no,      no,         Running,    no,      no      }}},
    {RestartFailed,           {{no,      no,      no,      no,         Paused,     no,      no      }}},
    // operations: legal where the cell is not blank; they never change the state
    {SendReceive,             {{no,      no,      no,      no,         no,         Running, Pausing }}},
    {OidRequest,              {{no,      no,      Closing, Paused,     Restarting, Running, Pausing }}},
  }}};
}
// clang-format on
inline constexpr auto kBindingStates = binding_states();
static_assert(kBindingStates.rows_are_in_enum_order());

const char* to_text(BindingState state) noexcept;
const char* to_text(BindingEvent event) noexcept;

}  // namespace undis
