// SPDX-License-Identifier: MIT
//
// The names of the states and events of co_states.h, as traces and reports print them.
#include "ndis/co_states.h"

#include <array>

namespace undis {

const char* to_text(AfState state) noexcept {
  constexpr std::array kNames{"Closed", "Opening", "Open", "Closing"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(AfEvent event) noexcept {
  constexpr std::array kNames{"ClOpenAddressFamily",  "OpenComplete",  "OpenFailed",
                              "ClCloseAddressFamily", "CloseComplete", "NotifyCloseAf",
                              "RegisterSap",          "CreateVc",      "OidRequest"};
  return kNames[static_cast<std::size_t>(event)];
}

const char* to_text(SapState state) noexcept {
  constexpr std::array kNames{"Deregistered", "Registering", "Registered", "Deregistering"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(SapEvent event) noexcept {
  constexpr std::array kNames{"ClRegisterSap",   "RegisterComplete",   "RegisterFailed",
                              "ClDeregisterSap", "DeregisterComplete", "DispatchIncomingCall"};
  return kNames[static_cast<std::size_t>(event)];
}

const char* to_text(VcState state) noexcept {
  constexpr std::array kNames{"Deleted", "Inactive", "Activating", "Active", "Reactivating", "Deactivating"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(VcEvent event) noexcept {
  constexpr std::array kNames{
      "CreateVc",           "ActivateVc",       "ActivateComplete", "ActivateFailed", "DeactivateVc",
      "DeactivateComplete", "DeactivateFailed", "DeleteVc",         "Send",           "Receive"};
  return kNames[static_cast<std::size_t>(event)];
}

const char* to_text(CallState state) noexcept {
  constexpr std::array kNames{"None", "Making", "Offered", "Accepted", "Connected", "Closing"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(CallEvent event) noexcept {
  constexpr std::array kNames{"ClMakeCall",
                              "MakeCallComplete",
                              "MakeCallFailed",
                              "DispatchIncomingCall",
                              "IncomingCallAccepted",
                              "IncomingCallRefused",
                              "DispatchCallConnected",
                              "ClCloseCall",
                              "CloseCallComplete",
                              "CloseCallFailed",
                              "DispatchIncomingCloseCall",
                              "ClModifyCallQoS",
                              "DispatchIncomingCallQoSChange",
                              "ClAddParty",
                              "Send"};
  return kNames[static_cast<std::size_t>(event)];
}

const char* to_text(PartyState state) noexcept {
  constexpr std::array kNames{"Dropped", "Adding", "Active", "Dropping"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* to_text(PartyEvent event) noexcept {
  constexpr std::array kNames{
      "ClAddParty",        "AddPartyComplete", "AddPartyFailed",           "ClDropParty",
      "DropPartyComplete", "DropPartyFailed",  "DispatchIncomingDropParty"};
  return kNames[static_cast<std::size_t>(event)];
}

}  // namespace undis
