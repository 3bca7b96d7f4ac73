// SPDX-License-Identifier: MIT
//
// The states of what connection-oriented NDIS connects: address families, service access points, virtual
// connections, the call on one, and the parties of a call. The pages print no tables; these say what their
// sentences say. Pages: network/using-afs--vcs--saps--and-parties,
// network/registering-and-opening-an-address-family, network/making-a-call,
// network/indicating-an-incoming-call, network/client-initiated-request-to-close-a-call,
// network/activating-a-vc, network/deleting-a-vc.
#pragma once

#include "ndis/state_table.h"

namespace undis {

enum class AfState : std::uint8_t { Closed, Opening, Open, Closing };
enum class AfEvent : std::uint8_t {
  ClOpenAddressFamily,
  OpenComplete,
  OpenFailed,
  ClCloseAddressFamily,
  CloseComplete,
  NotifyCloseAf,
  RegisterSap,
  CreateVc,
  OidRequest
};

enum class SapState : std::uint8_t { Deregistered, Registering, Registered, Deregistering };
enum class SapEvent : std::uint8_t {
  ClRegisterSap,
  RegisterComplete,
  RegisterFailed,
  ClDeregisterSap,
  DeregisterComplete,
  DispatchIncomingCall
};

/// Reactivating: active, and the miniport looks at new call parameters.
enum class VcState : std::uint8_t { Deleted, Inactive, Activating, Active, Reactivating, Deactivating };
enum class VcEvent : std::uint8_t {
  CreateVc,
  ActivateVc,
  ActivateComplete,
  ActivateFailed,
  DeactivateVc,
  DeactivateComplete,
  DeactivateFailed,
  DeleteVc,
  Send,
  Receive
};

/// Offered: the client has not answered. Accepted: it has, and the connection is not through.
enum class CallState : std::uint8_t { None, Making, Offered, Accepted, Connected, Closing };
enum class CallEvent : std::uint8_t {
  ClMakeCall,
  MakeCallComplete,
  MakeCallFailed,
  DispatchIncomingCall,
  IncomingCallAccepted,
  IncomingCallRefused,
  DispatchCallConnected,
  ClCloseCall,
  CloseCallComplete,
  CloseCallFailed,
  DispatchIncomingCloseCall,
  ClModifyCallQoS,
  DispatchIncomingCallQoSChange,
  ClAddParty,
  Send
};

enum class PartyState : std::uint8_t { Dropped, Adding, Active, Dropping };
enum class PartyEvent : std::uint8_t {
  ClAddParty,
  AddPartyComplete,
  AddPartyFailed,
  ClDropParty,
  DropPartyComplete,
  DropPartyFailed,
  DispatchIncomingDropParty
};

// clang-format off
consteval auto af_states() {
  using enum AfState;
  using enum AfEvent;
  return StateTable<AfState, 4, AfEvent, 9>{{{
    // event \ state         Closed    Opening  Open     Closing
    {ClOpenAddressFamily,  {{Opening,  no,      no,      no      }}},
    {OpenComplete,         {{no,       Open,    no,      no      }}},
    {OpenFailed,           {{no,       Closed,  no,      no      }}},
    {ClCloseAddressFamily, {{no,       no,      Closing, no      }}},
    {CloseComplete,        {{no,       no,      no,      Closed  }}},
    // operations: legal where the cell is not blank; they never change the state
    {NotifyCloseAf,        {{no,       no,      Open,    no      }}},
    {RegisterSap,          {{no,       no,      Open,    no      }}},
    {CreateVc,             {{no,       no,      Open,    no      }}},
    {OidRequest,           {{no,       no,      Open,    Closing }}},
  }}};
}

consteval auto sap_states() {
  using enum SapState;
  using enum SapEvent;
  return StateTable<SapState, 4, SapEvent, 6>{{{
    // event \ state         Deregistered  Registering   Registered     Deregistering
    {ClRegisterSap,        {{Registering,  no,           no,            no           }}},
    {RegisterComplete,     {{no,           Registered,   no,            no           }}},
    {RegisterFailed,       {{no,           Deregistered, no,            no           }}},
    {ClDeregisterSap,      {{no,           no,           Deregistering, no           }}},
    {DeregisterComplete,   {{no,           no,           no,            Deregistered }}},
    {DispatchIncomingCall, {{no,           no,           Registered,    no           }}},
  }}};
}

consteval auto vc_states() {
  using enum VcState;
  using enum VcEvent;
  return StateTable<VcState, 6, VcEvent, 10>{{{
    // event \ state        Deleted   Inactive    Activating Active        Reactivating  Deactivating
    {CreateVc,            {{Inactive, no,         no,        no,           no,           no           }}},
    {ActivateVc,          {{no,       Activating, no,        Reactivating, no,           no           }}},
    {ActivateComplete,    {{no,       no,         Active,    no,           Active,       no           }}},
    {ActivateFailed,      {{no,       no,         Inactive,  no,           Active,       no           }}},
    {DeactivateVc,        {{no,       no,         no,        Deactivating, no,           no           }}},
    {DeactivateComplete,  {{no,       no,         no,        no,           no,           Inactive     }}},
    {DeactivateFailed,    {{no,       no,         no,        no,           no,           Active       }}},
    {DeleteVc,            {{no,       Deleted,    no,        no,           no,           no           }}},
    {Send,                {{no,       no,         no,        Active,       Reactivating, no           }}},
    {Receive,             {{no,       no,         no,        Active,       Reactivating, Deactivating }}},
  }}};
}

consteval auto call_states() {
  using enum CallState;
  using enum CallEvent;
  return StateTable<CallState, 6, CallEvent, 15>{{{
    // event \ state                  None     Making     Offered   Accepted   Connected  Closing
    {ClMakeCall,                    {{Making,  no,        no,       no,        no,        no        }}},
    {MakeCallComplete,              {{no,      Connected, no,       no,        no,        no        }}},
    {MakeCallFailed,                {{no,      None,      no,       no,        no,        no        }}},
    {DispatchIncomingCall,          {{Offered, no,        no,       no,        no,        no        }}},
    {IncomingCallAccepted,          {{no,      no,        Accepted, no,        no,        no        }}},
    {IncomingCallRefused,           {{no,      no,        None,     no,        no,        no        }}},
    {DispatchCallConnected,         {{no,      no,        no,       Connected, no,        no        }}},
    {ClCloseCall,                   {{no,      no,        no,       Closing,   Closing,   no        }}},
    {CloseCallComplete,             {{no,      no,        no,       no,        no,        None      }}},
    {CloseCallFailed,               {{no,      no,        no,       no,        no,        Connected }}},
    // operations
    {DispatchIncomingCloseCall,     {{no,      no,        Offered,  Accepted,  Connected, Closing   }}},
    {ClModifyCallQoS,               {{no,      no,        Offered,  no,        Connected, no        }}},
    {DispatchIncomingCallQoSChange, {{no,      no,        no,       no,        Connected, no        }}},
    {ClAddParty,                    {{no,      no,        no,       no,        Connected, no        }}},
    {Send,                          {{no,      no,        no,       no,        Connected, no        }}},
  }}};
}

consteval auto party_states() {
  using enum PartyState;
  using enum PartyEvent;
  return StateTable<PartyState, 4, PartyEvent, 7>{{{
    // event \ state              Dropped Adding   Active    Dropping
    {ClAddParty,                {{Adding, no,      no,       no      }}},
    {AddPartyComplete,          {{no,     Active,  no,       no      }}},
    {AddPartyFailed,            {{no,     Dropped, no,       no      }}},
    {ClDropParty,               {{no,     no,      Dropping, no      }}},
    {DropPartyComplete,         {{no,     no,      no,       Dropped }}},
    {DropPartyFailed,           {{no,     no,      no,       Active  }}},
    {DispatchIncomingDropParty, {{no,     no,      Active,   Dropping}}},
  }}};
}
// clang-format on
inline constexpr auto kAfStates = af_states();
inline constexpr auto kSapStates = sap_states();
inline constexpr auto kVcStates = vc_states();
inline constexpr auto kCallStates = call_states();
inline constexpr auto kPartyStates = party_states();
static_assert(kAfStates.rows_are_in_enum_order() && kSapStates.rows_are_in_enum_order() &&
              kVcStates.rows_are_in_enum_order() && kCallStates.rows_are_in_enum_order() &&
              kPartyStates.rows_are_in_enum_order());

const char* to_text(AfState state) noexcept;
const char* to_text(AfEvent event) noexcept;
const char* to_text(SapState state) noexcept;
const char* to_text(SapEvent event) noexcept;
const char* to_text(VcState state) noexcept;
const char* to_text(VcEvent event) noexcept;
const char* to_text(CallState state) noexcept;
const char* to_text(CallEvent event) noexcept;
const char* to_text(PartyState state) noexcept;
const char* to_text(PartyEvent event) noexcept;

}  // namespace undis
