// SPDX-License-Identifier: MIT
//
// Registration and deregistration of service access points.
#include "ndis/co_sap.h"

#include <fmt/format.h>

#include "ndis/address_family.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_vc.h"

namespace undis {

using kernel::call_driver;

Sap::Sap(AddressFamily& family, void* client_context, CO_SAP* sap)
    : family_(&family),
      machine_("service access point",
               fmt::format("SAP {} of {}", family.adapter().co->next_number(), family.client().name()),
               family.client().driver()),
      client_context_(client_context), sap_(sap) {}

Sap::~Sap() = default;

NDIS_STATUS Sap::register_it() {
  const Ref<Sap> alive(this);
  HandleTable& handles = Library::current().handles();
  client_handle_ = handles.open(HandleKind::ClientSap, this);
  manager_handle_ = handles.open(HandleKind::CallManagerSap, this);
  machine_.advance(SapEvent::ClRegisterSap);
  family_->add(*this);
  if (client_handle_ == nullptr || manager_handle_ == nullptr) {
    settle_register(NDIS_STATUS_RESOURCES, nullptr);
    return NDIS_STATUS_RESOURCES;
  }
  CallManager& manager = family_->manager();
  void* context = nullptr;
  const NDIS_STATUS status = call_driver(
      &manager.driver(), callbacks::kProtocolCmRegisterSap, manager.binding(), this,
      manager.handlers().RegisterSap, family_->context(CoSide::CallManager), sap_, manager_handle_, &context);
  if (status == NDIS_STATUS_PENDING) return status;
  if (settle_register(status, context)) return status;
  tell_twice(manager, callbacks::kProtocolCmRegisterSap.name, this, name());
  return NDIS_STATUS_PENDING;
}

bool Sap::settle_register(NDIS_STATUS status, void* context) {
  const bool registered = status == NDIS_STATUS_SUCCESS;
  if (registered && machine_.state() == SapState::Registering) manager_context_ = context;
  if (!machine_.advance(registered ? SapEvent::RegisterComplete : SapEvent::RegisterFailed)) return false;
  if (!registered) end();
  return true;
}

bool Sap::complete_register(NDIS_STATUS status, void* context) {
  const Ref<Sap> alive(this);
  const NDIS_HANDLE handle = status == NDIS_STATUS_SUCCESS ? client_handle_ : nullptr;
  if (!settle_register(status, context)) return false;
  if (!family_->gone(CoSide::Client))
    call_driver(&family_->client().driver(), callbacks::kProtocolClRegisterSapComplete, &family_->client(),
                this, family_->client_handlers().RegisterSapComplete, status, client_context_, sap_, handle);
  return true;
}

NDIS_STATUS Sap::deregister(const CoCaller& by) {
  const Ref<Sap> alive(this);
  if (family_->notified()) {
    for (const Ref<Vc>& vc : family_->adapter().co->vcs_of(*family_)) {
      const CallState state = vc->call().state();
      if (state == CallState::None || state == CallState::Closing) continue;
      tell_breach("LIFE-344", by.driver, by.function, name(),
                  fmt::format("the client closes the address family and deregisters a service access point "
                              "while the call on {} is {}: calls are "
                              "closed before",
                              vc->name(), to_text(state)));
      break;
    }
  }
  if (!machine_.advance(SapEvent::ClDeregisterSap)) return NDIS_STATUS_FAILURE;
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  CallManager& manager = family_->manager();
  if (!family_->gone(CoSide::CallManager))
    status = call_driver(&manager.driver(), callbacks::kProtocolCmDeregisterSap, manager.binding(), this,
                         manager.handlers().DeregisterSap, manager_context_);
  if (status == NDIS_STATUS_PENDING) return status;
  if (machine_.advance(SapEvent::DeregisterComplete)) {
    end();
    return status;
  }
  tell_twice(manager, callbacks::kProtocolCmDeregisterSap.name, this, name());
  return NDIS_STATUS_PENDING;
}

bool Sap::complete_deregister(NDIS_STATUS status) {
  const Ref<Sap> alive(this);
  if (!machine_.advance(SapEvent::DeregisterComplete)) return false;
  end();
  if (!family_->gone(CoSide::Client))
    call_driver(&family_->client().driver(), callbacks::kProtocolClDeregisterSapComplete, &family_->client(),
                this, family_->client_handlers().DeregisterSapComplete, status, client_context_);
  return true;
}

void Sap::end() {
  HandleTable& handles = Library::current().handles();
  for (const NDIS_HANDLE handle : {client_handle_, manager_handle_})
    if (handle != nullptr) handles.close(handle);
  client_handle_ = manager_handle_ = nullptr;
  family_->remove(*this);
}

void Sap::drop() {
  const Ref<Sap> alive(this);
  end();
}

}  // namespace undis
