// SPDX-License-Identifier: MIT
//
// The call on a virtual connection: made by the client or offered to it, changed, and closed by the client.
#include <utility>

#include <fmt/format.h>

#include "ndis/address_family.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_vc.h"

namespace undis {

using kernel::call_driver;

/// The call is through before the miniport can carry anything on it.
void Vc::judge_active(const CoCaller& by, bool begun_is_enough) const {
  const VcState state = machine_.state();
  if (kVcStates.allows(state, VcEvent::Send) || (begun_is_enough && state == VcState::Activating)) return;
  tell_breach(
      "CoActivatedBeforeCall", by.driver, by.function, name(),
      fmt::format(
          "the call manager goes on with the call while the virtual connection is {}: it activates it before",
          to_text(state)));
}

// ---- outgoing ----

NDIS_STATUS Vc::make_call(const CoCaller& by, CO_CALL_PARAMETERS* parameters, void* party_context,
                          NDIS_HANDLE* party_handle) {
  const Ref<Vc> alive(this);
  if (family_->gone(CoSide::CallManager)) return NDIS_STATUS_CLOSING;
  if (creator_ != CoSide::Client || !call_.advance(CallEvent::ClMakeCall)) {
    call_.tell_blank(CallEvent::ClMakeCall, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  Ref<Party> party;
  if (party_context != nullptr) {
    party = Ref<Party>(new Party(*this, party_context));
    if (!party->open_handles()) {
      call_.advance(CallEvent::MakeCallFailed);
      return NDIS_STATUS_RESOURCES;
    }
    const kernel::Hold hold(lock_);
    first_party_ = party;
  }
  void* manager_party = nullptr;
  const NDIS_STATUS status =
      call_driver(&manager_->driver(), callbacks::kProtocolCmMakeCall, manager_->binding(), this,
                  manager_->handlers().MakeCall, manager_context_, parameters,
                  party ? party->handle(CoSide::CallManager) : nullptr, &manager_party);
  if (status == NDIS_STATUS_PENDING) return status;
  if (status == NDIS_STATUS_SUCCESS && call_.state() == CallState::Making)
    judge_active({manager_->driver(), callbacks::kProtocolCmMakeCall.name});
  if (!settle_make_call(status, manager_party)) {
    tell_twice(*manager_, callbacks::kProtocolCmMakeCall.name, this, name());
    return NDIS_STATUS_PENDING;
  }
  if (status == NDIS_STATUS_SUCCESS && party && party_handle != nullptr)
    *party_handle = party->handle(CoSide::Client);
  return status;
}

bool Vc::settle_make_call(NDIS_STATUS status, void* party_context) {
  const bool made = status == NDIS_STATUS_SUCCESS;
  if (!call_.advance(made ? CallEvent::MakeCallComplete : CallEvent::MakeCallFailed)) return false;
  Ref<Party> party;
  {
    const kernel::Hold hold(lock_);
    party = std::exchange(first_party_, nullptr);
  }
  if (!party) return true;
  party->set_manager_context(party_context);
  party->machine().advance(made ? PartyEvent::AddPartyComplete : PartyEvent::AddPartyFailed);
  if (!made) party->end();
  return true;
}

bool Vc::complete_make_call(const CoCaller& by, NDIS_STATUS status, void* party_context,
                            CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  Ref<Party> party;
  {
    const kernel::Hold hold(lock_);
    party = first_party_;
  }
  const NDIS_HANDLE handle = party && status == NDIS_STATUS_SUCCESS ? party->handle(CoSide::Client) : nullptr;
  if (status == NDIS_STATUS_SUCCESS && call_.state() == CallState::Making) judge_active(by);
  if (!settle_make_call(status, party_context)) return false;
  if (!family_->gone(CoSide::Client))
    call_driver(&driver(CoSide::Client), callbacks::kProtocolClMakeCallComplete, binding(CoSide::Client),
                this, client_handlers().MakeCallComplete, status, client_context_, handle, parameters);
  return true;
}

// ---- incoming ----

NDIS_STATUS Vc::dispatch_incoming(const CoCaller& by, Sap& sap, CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  if (family_->gone(CoSide::Client) || family_->machine().state() != AfState::Open)
    return NDIS_STATUS_CLOSING;
  if (!sap.machine().allows(SapEvent::DispatchIncomingCall)) {
    // The client may be taking it away at this moment: that is nobody's mistake.
    if (sap.machine().state() == SapState::Registering)
      sap.machine().tell_blank(SapEvent::DispatchIncomingCall, by.driver, by.function);
    return NDIS_STATUS_INVALID_SAP;
  }
  if (creator_ != CoSide::CallManager || !call_.advance(CallEvent::DispatchIncomingCall)) {
    call_.tell_blank(CallEvent::DispatchIncomingCall, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  judge_active(by, true);
  const NDIS_STATUS status =
      call_driver(&driver(CoSide::Client), callbacks::kProtocolClIncomingCall, binding(CoSide::Client), this,
                  client_handlers().IncomingCall, sap.client_context(), client_context_, parameters);
  if (status == NDIS_STATUS_PENDING) return status;
  if (call_.advance(status == NDIS_STATUS_SUCCESS ? CallEvent::IncomingCallAccepted
                                                  : CallEvent::IncomingCallRefused))
    return status;
  Library::current().observer().on(UnexpectedCompletion{
      &driver(CoSide::Client),
      callbacks::kProtocolClIncomingCall.name,
      this,
      name(),
      "it was completed inside the call, and the call did not return NDIS_STATUS_PENDING",
      {}});
  return NDIS_STATUS_PENDING;
}

bool Vc::complete_incoming(NDIS_STATUS status, CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  if (!call_.advance(status == NDIS_STATUS_SUCCESS ? CallEvent::IncomingCallAccepted
                                                   : CallEvent::IncomingCallRefused))
    return false;
  if (!family_->gone(CoSide::CallManager))
    call_driver(&manager_->driver(), callbacks::kProtocolCmIncomingCallComplete, manager_->binding(), this,
                manager_->handlers().IncomingCallComplete, status, manager_context_, parameters);
  return true;
}

void Vc::dispatch_connected(const CoCaller& by) {
  const Ref<Vc> alive(this);
  if (!family_ || !call_.advance(CallEvent::DispatchCallConnected)) {
    // The client closes at the same moment: the call manager cannot know.
    if (call_.state() != CallState::Closing)
      call_.tell_blank(CallEvent::DispatchCallConnected, by.driver, by.function);
    return;
  }
  judge_active(by);
  if (!family_->gone(CoSide::Client))
    call_driver(&driver(CoSide::Client), callbacks::kProtocolClCallConnected, binding(CoSide::Client), this,
                client_handlers().CallConnected, client_context_);
}

void Vc::dispatch_close(const CoCaller& by, NDIS_STATUS status, void* data, UINT size) {
  const Ref<Vc> alive(this);
  if (!family_ || !call_.allows(CallEvent::DispatchIncomingCloseCall)) {
    call_.tell_blank(CallEvent::DispatchIncomingCloseCall, by.driver, by.function);
    return;
  }
  if (call_.state() == CallState::Closing || family_->gone(CoSide::Client))
    return;  // the client does so already
  call_driver(&driver(CoSide::Client), callbacks::kProtocolClIncomingCloseCall, binding(CoSide::Client), this,
              client_handlers().IncomingCloseCall, status, client_context_, data, size);
}

// ---- quality of service ----

NDIS_STATUS Vc::modify_qos(const CoCaller& by, CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  if (family_->gone(CoSide::CallManager)) return NDIS_STATUS_CLOSING;
  bool refused = !call_.allows(CallEvent::ClModifyCallQoS);
  if (!refused) {
    const kernel::Hold hold(lock_);
    refused = std::exchange(modifying_, true);
  }
  if (refused) {
    call_.tell_blank(CallEvent::ClModifyCallQoS, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  const NDIS_STATUS status =
      call_driver(&manager_->driver(), callbacks::kProtocolCmModifyCallQoS, manager_->binding(), this,
                  manager_->handlers().ModifyCallQoS, manager_context_, parameters);
  if (status == NDIS_STATUS_PENDING) return status;
  bool mine = false;
  {
    const kernel::Hold hold(lock_);
    mine = std::exchange(modifying_, false);
  }
  if (mine) return status;
  tell_twice(*manager_, callbacks::kProtocolCmModifyCallQoS.name, this, name());
  return NDIS_STATUS_PENDING;
}

bool Vc::complete_modify(NDIS_STATUS status, CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  {
    const kernel::Hold hold(lock_);
    if (!std::exchange(modifying_, false)) return false;
  }
  if (!family_->gone(CoSide::Client))
    call_driver(&driver(CoSide::Client), callbacks::kProtocolClModifyCallQoSComplete, binding(CoSide::Client),
                this, client_handlers().ModifyCallQoSComplete, status, client_context_, parameters);
  return true;
}

void Vc::dispatch_qos(const CoCaller& by, CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  if (!family_ || !call_.allows(CallEvent::DispatchIncomingCallQoSChange)) {
    if (call_.state() != CallState::Closing)
      call_.tell_blank(CallEvent::DispatchIncomingCallQoSChange, by.driver, by.function);
    return;
  }
  if (!family_->gone(CoSide::Client))
    call_driver(&driver(CoSide::Client), callbacks::kProtocolClIncomingCallQoSChange, binding(CoSide::Client),
                this, client_handlers().IncomingCallQoSChange, client_context_, parameters);
}

// ---- close ----

NDIS_STATUS Vc::close_call(const CoCaller& by, Party* party, void* data, UINT size) {
  const Ref<Vc> alive(this);
  const std::vector<Ref<Party>> parties = this->parties();
  std::size_t left = 0;
  for (const Ref<Party>& one : parties)
    if (one->machine().state() == PartyState::Active || one->machine().state() == PartyState::Adding) ++left;
  if (left > 1)
    tell_breach("LIFE-344", by.driver, by.function, name(),
                fmt::format("a multipoint call is closed with {} parties: all but the last are dropped "
                            "before (NdisClDropParty)",
                            left));
  if (left == 1 && party == nullptr)
    tell_breach("CoLastParty", by.driver, by.function, name(),
                "a multipoint call is closed without the handle of its last party");
  if (const int out = sends.load(); out > 0)
    tell_breach("CoSendsBackBeforeClose", by.driver, by.function, name(),
                fmt::format("the call is closed with {} of its sends not completed", out));
  if (!call_.advance(CallEvent::ClCloseCall)) {
    call_.tell_blank(CallEvent::ClCloseCall, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  if (party != nullptr && party->machine().advance(PartyEvent::ClDropParty)) {
    const kernel::Hold hold(lock_);
    last_party_ = Ref<Party>(party);
  }
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  if (!family_->gone(CoSide::CallManager))
    status = call_driver(&manager_->driver(), callbacks::kProtocolCmCloseCall, manager_->binding(), this,
                         manager_->handlers().CloseCall, manager_context_,
                         party != nullptr ? party->context(CoSide::CallManager) : nullptr, data, size);
  if (status == NDIS_STATUS_PENDING || settle_close_call(status)) return status;
  tell_twice(*manager_, callbacks::kProtocolCmCloseCall.name, this, name());
  return NDIS_STATUS_PENDING;
}

bool Vc::settle_close_call(NDIS_STATUS status) {
  const bool closed = status == NDIS_STATUS_SUCCESS;
  if (!call_.advance(closed ? CallEvent::CloseCallComplete : CallEvent::CloseCallFailed)) return false;
  Ref<Party> party;
  {
    const kernel::Hold hold(lock_);
    party = std::exchange(last_party_, nullptr);
  }
  if (party) party->machine().advance(closed ? PartyEvent::DropPartyComplete : PartyEvent::DropPartyFailed);
  if (closed)
    for (const Ref<Party>& one : parties()) one->end();
  return true;
}

bool Vc::complete_close_call(NDIS_STATUS status) {
  const Ref<Vc> alive(this);
  void* party_context = nullptr;
  {
    const kernel::Hold hold(lock_);
    if (last_party_) party_context = last_party_->context(CoSide::Client);
  }
  if (!settle_close_call(status)) return false;
  if (!family_->gone(CoSide::Client))
    call_driver(&driver(CoSide::Client), callbacks::kProtocolClCloseCallComplete, binding(CoSide::Client),
                this, client_handlers().CloseCallComplete, status, client_context_, party_context);
  return true;
}

// ---- parties ----

NDIS_STATUS Vc::add_party(const CoCaller& by, void* party_context, CO_CALL_PARAMETERS* parameters,
                          NDIS_HANDLE* party_handle) {
  const Ref<Vc> alive(this);
  if (family_->gone(CoSide::CallManager)) return NDIS_STATUS_CLOSING;
  if (!call_.allows(CallEvent::ClAddParty)) {
    call_.tell_blank(CallEvent::ClAddParty, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  if (parties().empty()) {
    tell_breach("CoMultipointCall", by.driver, by.function, name(),
                "a party is added to a call that was not made as a multipoint call (a ProtocolPartyContext "
                "in NdisClMakeCall)");
    return NDIS_STATUS_FAILURE;
  }
  const Ref<Party> party(new Party(*this, party_context));
  if (!party->open_handles()) return NDIS_STATUS_RESOURCES;
  const NDIS_STATUS status = party->add(parameters);
  if (status == NDIS_STATUS_SUCCESS) *party_handle = party->handle(CoSide::Client);
  return status;
}

}  // namespace undis
