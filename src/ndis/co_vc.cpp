// SPDX-License-Identifier: MIT
//
// The life of a virtual connection: created, activated, deactivated, deleted.
#include "ndis/co_vc.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kernel/unicode.h"
#include "ndis/address_family.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_data.h"

namespace undis {

using kernel::call_driver;

Vc::Vc(CallManager& manager, AddressFamily* family, CoSide creator, void* creator_context)
    : manager_(&manager), family_(family), creator_(creator), number_(manager.adapter().co->next_number()),
      machine_("VC", fmt::format("VC {} on {}", number_, manager.adapter().name()),
               creator == CoSide::Client && family != nullptr ? family->client().driver() : manager.driver()),
      call_("call", fmt::format("call on {}", machine_.object()), manager.driver()) {
  (creator == CoSide::Client ? client_context_ : manager_context_) = creator_context;
}

Vc::~Vc() = default;

Binding* Vc::binding(CoSide side) const noexcept {
  if (side == CoSide::CallManager) return manager_->binding();
  return family_ ? &family_->client() : nullptr;
}

kernel::Driver& Vc::driver(CoSide side) const noexcept {
  return side == CoSide::Client && family_ ? family_->client().driver() : manager_->driver();
}

const CoClientHandlers& Vc::client_handlers() const noexcept {
  return family_->client_handlers();
}

// ---- create ----

bool Vc::open_handles() {
  HandleTable& handles = Library::current().handles();
  if (family_) client_handle_ = handles.open(HandleKind::ClientVc, this);
  manager_handle_ = handles.open(HandleKind::CallManagerVc, this);
  if (!manager_->integrated()) miniport_handle_ = handles.open(HandleKind::MiniportVc, this);
  return manager_handle_ != nullptr && (client_handle_ != nullptr || !family_) &&
         (miniport_handle_ != nullptr || manager_->integrated());
}

void Vc::close_handles() {
  HandleTable& handles = Library::current().handles();
  for (NDIS_HANDLE* const handle : {&client_handle_, &manager_handle_, &miniport_handle_})
    if (*handle != nullptr) handles.close(std::exchange(*handle, nullptr));
}

NDIS_STATUS Vc::call_create_miniport() {
  if (manager_->integrated()) return NDIS_STATUS_SUCCESS;
  kernel::Driver& driver = adapter().driver().driver();
  const NDIS_STATUS status = call_driver(&driver, callbacks::kMiniportCoCreateVc, &adapter(), this,
                                         adapter().driver().optional6.connection_oriented.CreateVc,
                                         adapter().context(), miniport_handle_, &miniport_context_);
  if (status != NDIS_STATUS_PENDING) return status;
  Library::current().observer().on(BadStatus{&driver,
                                             callbacks::kMiniportCoCreateVc.name,
                                             this,
                                             name(),
                                             status,
                                             "any but NDIS_STATUS_PENDING: it is a synchronous function",
                                             {}});
  call_delete_miniport();  // the page: NDIS has it deleted
  return NDIS_STATUS_FAILURE;
}

NDIS_STATUS Vc::call_create_other() {
  if (!family_) return NDIS_STATUS_SUCCESS;
  const CoSide to = other();
  void*& context = to == CoSide::Client ? client_context_ : manager_context_;
  const NDIS_STATUS status =
      call_driver(&driver(to), callbacks::kProtocolCoCreateVc, binding(to), this,
                  to == CoSide::Client ? client_handlers().CreateVc : manager_->handlers().CreateVc,
                  family_->context(to), handle(to), &context);
  if (status != NDIS_STATUS_PENDING) return status;
  Library::current().observer().on(BadStatus{&driver(to),
                                             callbacks::kProtocolCoCreateVc.name,
                                             this,
                                             name(),
                                             status,
                                             "any but NDIS_STATUS_PENDING: it is a synchronous function",
                                             {}});
  call_delete_other();
  return NDIS_STATUS_FAILURE;
}

NDIS_STATUS Vc::create() {
  const Ref<Vc> alive(this);
  NDIS_STATUS status = open_handles() ? call_create_miniport() : NDIS_STATUS_RESOURCES;
  if (status == NDIS_STATUS_SUCCESS) {
    status = call_create_other();
    if (status != NDIS_STATUS_SUCCESS) call_delete_miniport();
  }
  if (status != NDIS_STATUS_SUCCESS) {
    close_handles();
    return status;
  }
  machine_.advance(VcEvent::CreateVc);
  adapter().co->add(*this);
  return status;
}

// ---- delete ----

void Vc::call_delete_miniport() {
  if (manager_->integrated()) return;
  call_driver(&adapter().driver().driver(), callbacks::kMiniportCoDeleteVc, &adapter(), this,
              adapter().driver().optional6.connection_oriented.DeleteVc, miniport_context_);
}

NDIS_STATUS Vc::call_delete_other() {
  const CoSide to = other();
  if (!family_ || family_->gone(to)) return NDIS_STATUS_SUCCESS;
  const NDIS_STATUS status = call_driver(
      &driver(to), callbacks::kProtocolCoDeleteVc, binding(to), this,
      to == CoSide::Client ? client_handlers().DeleteVc : manager_->handlers().DeleteVc, context(to));
  if (status != NDIS_STATUS_PENDING) return status;
  Library::current().observer().on(BadStatus{&driver(to),
                                             callbacks::kProtocolCoDeleteVc.name,
                                             this,
                                             name(),
                                             status,
                                             "any but NDIS_STATUS_PENDING: it is a synchronous function",
                                             {}});
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS Vc::remove(const CoCaller& by, CoSide side) {
  const Ref<Vc> alive(this);
  if (side != creator_) {
    tell_breach("CoVcCreatorDeletes", by.driver, by.function, name(),
                fmt::format("only who created a virtual connection deletes it: this one is of {}",
                            driver(creator_).name()));
    return NDIS_STATUS_NOT_ACCEPTED;
  }
  const VcState state = machine_.state();
  const CallState call = call_.state();
  const bool without_manager = family_ && family_->gone(CoSide::CallManager);
  if (!without_manager && (state != VcState::Inactive || call != CallState::None)) {
    tell_breach("LIFE-345", by.driver, by.function, name(),
                fmt::format("the virtual connection is deleted while it is {} and its call is {}: it has to "
                            "be deactivated, without a call",
                            to_text(state), to_text(call)));
    return state == VcState::Deactivating ? NDIS_STATUS_CLOSING : NDIS_STATUS_NOT_ACCEPTED;
  }
  {
    const kernel::Hold hold(lock_);
    if (std::exchange(deleting_, true)) return NDIS_STATUS_CLOSING;
  }
  if (call_delete_other() != NDIS_STATUS_SUCCESS) {
    const kernel::Hold hold(lock_);
    deleting_ = false;
    return NDIS_STATUS_NOT_ACCEPTED;
  }
  machine_.advance(VcEvent::DeleteVc);
  call_delete_miniport();
  drop(true);
  return NDIS_STATUS_SUCCESS;
}

void Vc::drop(bool miniport_gone) {
  const Ref<Vc> alive(this);
  if (manager_handle_ == nullptr) return;
  for (const Ref<Party>& party : parties()) party->end();
  if (!miniport_gone) call_delete_miniport();
  close_handles();
  {
    const kernel::Hold hold(lock_);
    first_party_ = last_party_ = nullptr;
  }
  adapter().co->remove(*this);
}

// ---- activate ----

NDIS_STATUS Vc::activate(const CoCaller& by, CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  if (!machine_.advance(VcEvent::ActivateVc)) {
    machine_.tell_blank(VcEvent::ActivateVc, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  kernel::Driver& driver = adapter().driver().driver();
  const NDIS_STATUS status =
      call_driver(&driver, callbacks::kMiniportCoActivateVc, &adapter(), this,
                  adapter().driver().optional6.connection_oriented.ActivateVc, miniport_context_, parameters);
  if (status == NDIS_STATUS_PENDING || settle_activate(status)) return status;
  Library::current().observer().on(UnexpectedCompletion{
      &driver,
      callbacks::kMiniportCoActivateVc.name,
      this,
      name(),
      "it was completed inside the call, and the call did not return NDIS_STATUS_PENDING",
      {}});
  return NDIS_STATUS_PENDING;
}

bool Vc::settle_activate(NDIS_STATUS status) {
  return machine_.advance(status == NDIS_STATUS_SUCCESS ? VcEvent::ActivateComplete
                                                        : VcEvent::ActivateFailed);
}

bool Vc::complete_activate(NDIS_STATUS status, CO_CALL_PARAMETERS* parameters) {
  const Ref<Vc> alive(this);
  if (!settle_activate(status)) return false;
  call_driver(&manager_->driver(), callbacks::kProtocolCmActivateVcComplete, manager_->binding(), this,
              manager_->handlers().ActivateVcComplete, status, manager_context_, parameters);
  return true;
}

NDIS_STATUS Vc::activate_integrated(const CoCaller& by) {
  if (machine_.advance(VcEvent::ActivateVc) && machine_.advance(VcEvent::ActivateComplete))
    return NDIS_STATUS_SUCCESS;
  machine_.tell_blank(VcEvent::ActivateVc, by.driver, by.function);
  return NDIS_STATUS_FAILURE;
}

// ---- deactivate ----

/// The miniport has completed all sends before, and has back what it indicated.
void Vc::judge_deactivated(const char* function) {
  kernel::Driver& driver = adapter().driver().driver();
  if (const int out = sends.load(); out > 0)
    tell_breach("CoDeactivatedEmpty", driver, function, name(),
                fmt::format("the virtual connection is deactivated with {} sends not completed", out));
  if (const std::size_t out = co_data::indicated_on(*this); out != 0)
    tell_breach(
        "CoDeactivatedEmpty", driver, function, name(),
        fmt::format("the virtual connection is deactivated with {} indicated net buffer lists not returned",
                    out));
}

NDIS_STATUS Vc::deactivate(const CoCaller& by) {
  const Ref<Vc> alive(this);
  if (!machine_.advance(VcEvent::DeactivateVc)) {
    machine_.tell_blank(VcEvent::DeactivateVc, by.driver, by.function);
    return NDIS_STATUS_NOT_ACCEPTED;
  }
  kernel::Driver& driver = adapter().driver().driver();
  const NDIS_STATUS status =
      call_driver(&driver, callbacks::kMiniportCoDeactivateVc, &adapter(), this,
                  adapter().driver().optional6.connection_oriented.DeactivateVc, miniport_context_);
  if (status == NDIS_STATUS_PENDING || settle_deactivate(status, callbacks::kMiniportCoDeactivateVc.name))
    return status;
  Library::current().observer().on(UnexpectedCompletion{
      &driver,
      callbacks::kMiniportCoDeactivateVc.name,
      this,
      name(),
      "it was completed inside the call, and the call did not return NDIS_STATUS_PENDING",
      {}});
  return NDIS_STATUS_PENDING;
}

bool Vc::settle_deactivate(NDIS_STATUS status, const char* function) {
  const bool done = status == NDIS_STATUS_SUCCESS;
  if (!machine_.advance(done ? VcEvent::DeactivateComplete : VcEvent::DeactivateFailed)) return false;
  if (done) judge_deactivated(function);
  return true;
}

bool Vc::complete_deactivate(NDIS_STATUS status) {
  const Ref<Vc> alive(this);
  if (!settle_deactivate(status, "NdisMCoDeactivateVcComplete")) return false;
  call_driver(&manager_->driver(), callbacks::kProtocolCmDeactivateVcComplete, manager_->binding(), this,
              manager_->handlers().DeactivateVcComplete, status, manager_context_);
  return true;
}

NDIS_STATUS Vc::deactivate_integrated(const CoCaller& by) {
  if (!machine_.advance(VcEvent::DeactivateVc)) return NDIS_STATUS_NOT_ACCEPTED;  // the page: redundant
  machine_.advance(VcEvent::DeactivateComplete);
  judge_deactivated(by.function);
  return NDIS_STATUS_SUCCESS;
}

// ---- names ----

std::string Vc::tapi_call_id() const {
  return fmt::format("{:08x}{:08x}", adapter().interface_index(), number_);
}

std::u16string Vc::assign_instance_name(std::u16string_view base) {
  const std::u16string fresh = std::u16string(base) + kernel::to_utf16(fmt::format("{}", number_));
  const kernel::Hold hold(lock_);
  if (instance_name_.empty()) instance_name_ = fresh;
  return instance_name_;
}

// ---- parties ----

void Vc::add(Party& party) {
  Ref<Party> added(&party);
  const kernel::Hold hold(lock_);
  parties_.push_back(std::move(added));
}

void Vc::remove(Party& party) {
  Ref<Party> gone;
  const kernel::Hold hold(lock_);
  const auto at = std::ranges::find_if(parties_, [&](const Ref<Party>& one) { return one == &party; });
  if (at == parties_.end()) return;
  gone = std::move(*at);
  parties_.erase(at);
}

std::vector<Ref<Party>> Vc::parties() const {
  const kernel::Hold hold(lock_);
  return parties_;
}

}  // namespace undis
