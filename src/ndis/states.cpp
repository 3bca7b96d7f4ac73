// SPDX-License-Identifier: MIT
//
// The names of states and events, as traces and reports print them.
#include <array>

#include "ndis/adapter_states.h"
#include "ndis/binding_states.h"
#include "ndis/filter_states.h"

namespace undis {

const char* to_text(AdapterState state) noexcept {
  constexpr std::array kNames{"Halted",     "Shutdown", "Initializing", "Paused",
                              "Restarting", "Running",  "Pausing"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(AdapterEvent event) noexcept {
  constexpr std::array kNames{"MiniportInitializeEx", "InitializeComplete", "MiniportShutdownEx",
                              "MiniportHaltEx",       "MiniportRestart",    "RestartComplete",
                              "MiniportPause",        "PauseComplete",      "InitializeFailed",
                              "RestartFailed",        "SendReceive",        "OidRequest"};
  return kNames[static_cast<std::size_t>(event)];
}

const char* to_text(BindingState state) noexcept {
  constexpr std::array kNames{"Unbound", "Opening", "Closing", "Paused", "Restarting", "Running", "Pausing"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(BindingEvent event) noexcept {
  constexpr std::array kNames{"ProtocolBindAdapterEx",   "BindFailed",     "BindComplete",
                              "ProtocolUnbindAdapterEx", "UnbindComplete", "PnpPause",
                              "PauseComplete",           "PnpRestart",     "RestartComplete",
                              "RestartFailed",           "SendReceive",    "OidRequest"};
  return kNames[static_cast<std::size_t>(event)];
}

const char* to_text(FilterState state) noexcept {
  constexpr std::array kNames{"Detached", "Attaching", "Paused", "Restarting", "Running", "Pausing"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(FilterEvent event) noexcept {
  constexpr std::array kNames{"FilterAttach",    "AttachComplete", "FilterDetach",  "FilterRestart",
                              "RestartComplete", "FilterPause",    "PauseComplete", "AttachFailed",
                              "RestartFailed",   "SendReceive",    "OidRequest"};
  return kNames[static_cast<std::size_t>(event)];
}

}  // namespace undis
