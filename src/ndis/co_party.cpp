// SPDX-License-Identifier: MIT
//
// Parties of multipoint calls: added and dropped.
#include "ndis/co_party.h"

#include <utility>

#include <fmt/format.h>

#include "ndis/address_family.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_vc.h"

namespace undis {

using kernel::call_driver;

Party::Party(Vc& vc, void* client_context)
    : vc_(&vc),
      machine_("party", fmt::format("party {} of the {}", vc.adapter().co->next_number(), vc.call().object()),
               vc.driver(CoSide::Client)),
      client_context_(client_context) {}

Party::~Party() = default;

bool Party::open_handles() {
  HandleTable& handles = Library::current().handles();
  client_handle_ = handles.open(HandleKind::ClientParty, this);
  manager_handle_ = handles.open(HandleKind::CallManagerParty, this);
  machine_.advance(PartyEvent::ClAddParty);
  vc_->add(*this);
  if (client_handle_ != nullptr && manager_handle_ != nullptr) return true;
  machine_.advance(PartyEvent::AddPartyFailed);
  end();
  return false;
}

void Party::end() {
  const Ref<Party> alive(this);
  HandleTable& handles = Library::current().handles();
  for (NDIS_HANDLE* const handle : {&client_handle_, &manager_handle_})
    if (*handle != nullptr) handles.close(std::exchange(*handle, nullptr));
  vc_->remove(*this);
}

NDIS_STATUS Party::add(CO_CALL_PARAMETERS* parameters) {
  const Ref<Party> alive(this);
  CallManager& manager = vc_->manager();
  void* context = nullptr;
  const NDIS_STATUS status = call_driver(&manager.driver(), callbacks::kProtocolCmAddParty, manager.binding(),
                                         this, manager.handlers().AddParty, vc_->context(CoSide::CallManager),
                                         parameters, manager_handle_, &context);
  if (status == NDIS_STATUS_PENDING || settle_add(status, context)) return status;
  tell_twice(manager, callbacks::kProtocolCmAddParty.name, this, name());
  return NDIS_STATUS_PENDING;
}

bool Party::settle_add(NDIS_STATUS status, void* context) {
  const bool added = status == NDIS_STATUS_SUCCESS;
  if (!machine_.advance(added ? PartyEvent::AddPartyComplete : PartyEvent::AddPartyFailed)) return false;
  if (added) {
    manager_context_ = context;
  } else {
    end();
  }
  return true;
}

bool Party::complete_add(NDIS_STATUS status, void* context, CO_CALL_PARAMETERS* parameters) {
  const Ref<Party> alive(this);
  const NDIS_HANDLE handle = status == NDIS_STATUS_SUCCESS ? client_handle_ : nullptr;
  if (!settle_add(status, context)) return false;
  if (!vc_->family()->gone(CoSide::Client))
    call_driver(&vc_->driver(CoSide::Client), callbacks::kProtocolClAddPartyComplete,
                vc_->binding(CoSide::Client), this, vc_->family()->client_handlers().AddPartyComplete, status,
                client_context_, handle, parameters);
  return true;
}

NDIS_STATUS Party::drop(const CoCaller& by, void* data, UINT size) {
  const Ref<Party> alive(this);
  std::size_t others = 0;
  for (const Ref<Party>& party : vc_->parties())
    if (party != this && party->machine().state() != PartyState::Dropping) ++others;
  if (others == 0) {
    tell_breach("CoLastParty", by.driver, by.function, name(),
                "the last party of a call is not dropped: the call is closed (NdisClCloseCall)");
    return NDIS_STATUS_FAILURE;
  }
  if (!machine_.advance(PartyEvent::ClDropParty)) {
    machine_.tell_blank(PartyEvent::ClDropParty, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  CallManager& manager = vc_->manager();
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  if (!vc_->family()->gone(CoSide::CallManager))
    status = call_driver(&manager.driver(), callbacks::kProtocolCmDropParty, manager.binding(), this,
                         manager.handlers().DropParty, manager_context_, data, size);
  if (status == NDIS_STATUS_PENDING || settle_drop(status)) return status;
  tell_twice(manager, callbacks::kProtocolCmDropParty.name, this, name());
  return NDIS_STATUS_PENDING;
}

bool Party::settle_drop(NDIS_STATUS status) {
  const bool dropped = status == NDIS_STATUS_SUCCESS;
  if (!machine_.advance(dropped ? PartyEvent::DropPartyComplete : PartyEvent::DropPartyFailed)) return false;
  if (dropped) end();
  return true;
}

bool Party::complete_drop(NDIS_STATUS status) {
  const Ref<Party> alive(this);
  if (!settle_drop(status)) return false;
  if (!vc_->family()->gone(CoSide::Client))
    call_driver(&vc_->driver(CoSide::Client), callbacks::kProtocolClDropPartyComplete,
                vc_->binding(CoSide::Client), this, vc_->family()->client_handlers().DropPartyComplete,
                status, client_context_);
  return true;
}

void Party::dispatch_drop(const CoCaller& by, NDIS_STATUS status, void* data, UINT size) {
  const Ref<Party> alive(this);
  if (!machine_.allows(PartyEvent::DispatchIncomingDropParty)) {
    machine_.tell_blank(PartyEvent::DispatchIncomingDropParty, by.driver, by.function);
    return;
  }
  if (machine_.state() == PartyState::Dropping || vc_->family()->gone(CoSide::Client))
    return;  // the client does so already
  call_driver(&vc_->driver(CoSide::Client), callbacks::kProtocolClIncomingDropParty,
              vc_->binding(CoSide::Client), this, vc_->family()->client_handlers().IncomingDropParty, status,
              client_context_, data, size);
}

}  // namespace undis
