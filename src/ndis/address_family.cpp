// SPDX-License-Identifier: MIT
//
// Opens, closes and close notifications of address families.
#include "ndis/address_family.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_vc.h"

namespace undis {

using kernel::call_driver;

void tell_twice(const CallManager& manager, const char* function, const void* object,
                const std::string& name) {
  Library::current().observer().on(UnexpectedCompletion{
      &manager.driver(),
      function,
      object,
      name,
      "it was completed inside the call, and the call did not return NDIS_STATUS_PENDING",
      {}});
}

AddressFamily::AddressFamily(Binding& client, CallManager& manager, const CO_ADDRESS_FAMILY& family,
                             void* client_context)
    : client_(&client), manager_(&manager), family_(family), origin_(kernel::Stack::capture(1)),
      machine_("address family",
               fmt::format("address family {:#x} of {}", family.AddressFamily, client.name()),
               client.driver()),
      client_context_(client_context) {}

AddressFamily::~AddressFamily() = default;

kernel::Driver& AddressFamily::driver(CoSide side) const noexcept {
  return side == CoSide::Client ? client_->driver() : manager_->driver();
}

const CoClientHandlers& AddressFamily::client_handlers() const noexcept {
  return client_->protocol().client;
}

bool AddressFamily::gone(CoSide side) const noexcept {
  const kernel::Hold hold(lock_);
  return side == CoSide::Client ? client_gone_ : manager_gone_;
}

bool AddressFamily::notified() const noexcept {
  const kernel::Hold hold(lock_);
  return notice_ != Notice::None;
}

// ---- open ----

NDIS_STATUS AddressFamily::open() {
  const Ref<AddressFamily> alive(this);
  HandleTable& handles = Library::current().handles();
  // The closes of both bindings wait for what is open on them.
  if (!client_->families.enter()) return NDIS_STATUS_CLOSING;
  if (manager_->binding() != nullptr && !manager_->binding()->families.enter()) {
    client_->families.leave();
    return NDIS_STATUS_FAILURE;
  }
  client_handle_ = handles.open(HandleKind::ClientAf, this);
  manager_handle_ = handles.open(HandleKind::CallManagerAf, this);
  {
    const kernel::Hold hold(lock_);
    counted_ = true;
    client_handle_open_ = client_handle_ != nullptr;
  }
  machine_.advance(AfEvent::ClOpenAddressFamily);
  adapter().co->add(*this);
  if (client_handle_ == nullptr || manager_handle_ == nullptr) {
    settle_open(NDIS_STATUS_RESOURCES, nullptr);
    return NDIS_STATUS_RESOURCES;
  }
  CO_ADDRESS_FAMILY family = family_;
  void* context = nullptr;
  const NDIS_STATUS status =
      call_driver(&manager_->driver(), callbacks::kProtocolCmOpenAf, manager_->binding(), this,
                  manager_->handlers().OpenAf, manager_->context(), &family, manager_handle_, &context);
  if (status == NDIS_STATUS_PENDING) return status;
  if (settle_open(status, context)) return status;
  tell_twice(*manager_, callbacks::kProtocolCmOpenAf.name, this, name());
  return NDIS_STATUS_PENDING;
}

/// The call manager has answered. False: it had done so before.
bool AddressFamily::settle_open(NDIS_STATUS status, void* context) {
  const bool opened = status == NDIS_STATUS_SUCCESS;
  if (opened && machine_.state() == AfState::Opening) manager_context_ = context;
  if (!machine_.advance(opened ? AfEvent::OpenComplete : AfEvent::OpenFailed)) return false;
  if (!opened) {
    close_client_handle();
    end();
  }
  return true;
}

bool AddressFamily::complete_open(NDIS_STATUS status, void* context) {
  const Ref<AddressFamily> alive(this);
  const NDIS_HANDLE handle = status == NDIS_STATUS_SUCCESS ? client_handle_ : nullptr;
  if (!settle_open(status, context)) return false;
  if (gone(CoSide::Client)) {
    if (status == NDIS_STATUS_SUCCESS) close_for_client();
    return true;
  }
  const auto tell = [alive, handle, status] {
    call_driver(&alive->client_->driver(), callbacks::kProtocolClOpenAfCompleteEx, alive->client_.get(),
                alive.get(), alive->client_handlers().OpenAfComplete, alive->client_context_, handle, status);
  };
  if (kernel::irql() == PASSIVE_LEVEL) {
    tell();
  } else {
    kernel::queue_work("tell a client of its address family", tell);
  }
  return true;
}

// ---- close ----

/// What is to be gone before: calls, then service access points (LIFE-344).
void AddressFamily::judge_close(const CoCaller& by) const {
  for (const Ref<Vc>& vc : adapter().co->vcs_of(*this)) {
    const CallState state = vc->call().state();
    if (state == CallState::None || state == CallState::Closing) continue;
    tell_breach("LIFE-344", by.driver, by.function, name(),
                fmt::format("the address family is closed while the call on {} is {}: calls are closed first",
                            vc->name(), to_text(state)));
    return;
  }
  for (const Ref<Sap>& sap : saps()) {
    if (sap->machine().state() == SapState::Deregistering) continue;
    tell_breach(
        "LIFE-344", by.driver, by.function, name(),
        fmt::format(
            "the address family is closed while {} is {}: service access points are deregistered first",
            sap->name(), to_text(sap->machine().state())));
    return;
  }
}

NDIS_STATUS AddressFamily::close(const CoCaller& by) {
  const Ref<AddressFamily> alive(this);
  judge_close(by);
  if (!machine_.advance(AfEvent::ClCloseAddressFamily)) {
    machine_.tell_blank(AfEvent::ClCloseAddressFamily, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  bool keep_handle = false;
  bool manager_gone = false;
  {
    const kernel::Hold hold(lock_);
    // The page: the handle is good for NdisClNotifyCloseAddressFamilyComplete after this call too.
    keep_handle = notice_ == Notice::Calling || notice_ == Notice::Pended;
    manager_gone = manager_gone_;
  }
  if (!keep_handle) close_client_handle();
  const NDIS_STATUS status =
      manager_gone ? NDIS_STATUS_SUCCESS
                   : call_driver(&manager_->driver(), callbacks::kProtocolCmCloseAf, manager_->binding(),
                                 this, manager_->handlers().CloseAf, manager_context_);
  if (status == NDIS_STATUS_PENDING) return status;
  if (machine_.advance(AfEvent::CloseComplete)) {
    end();
    return status;
  }
  tell_twice(*manager_, callbacks::kProtocolCmCloseAf.name, this, name());
  return NDIS_STATUS_PENDING;
}

bool AddressFamily::complete_close(NDIS_STATUS status) {
  const Ref<AddressFamily> alive(this);
  if (!machine_.advance(AfEvent::CloseComplete)) return false;
  const bool tell = !gone(CoSide::Client);
  if (tell)
    call_driver(&client_->driver(), callbacks::kProtocolClCloseAfComplete, client_.get(), this,
                client_handlers().CloseAfComplete, status, client_context_);
  end();
  return true;
}

void AddressFamily::close_client_handle() {
  {
    const kernel::Hold hold(lock_);
    if (!client_handle_open_) return;
    client_handle_open_ = false;
  }
  Library::current().handles().close(client_handle_);
  adapter().co->drop_after_notice(*this);
}

/// Both drivers are through with it.
void AddressFamily::end() {
  const bool miniport_gone = gone(CoSide::CallManager) && manager_->integrated();
  for (const Ref<Vc>& vc : adapter().co->vcs_of(*this)) vc->drop(miniport_gone);
  for (const Ref<Sap>& sap : saps()) sap->drop();
  if (manager_handle_ != nullptr) Library::current().handles().close(manager_handle_);
  uncount();
  adapter().co->keep_for_notice(*this);
  bool owed = false;
  {
    const kernel::Hold hold(lock_);
    owed = client_handle_open_;
  }
  if (!owed) adapter().co->drop_after_notice(*this);
  adapter().co->remove(*this);
}

// ---- the call manager asks for a close ----

NDIS_STATUS AddressFamily::notify_close(const CoCaller& by) {
  const Ref<AddressFamily> alive(this);
  bool client_gone = false;
  {
    const kernel::Hold hold(lock_);
    client_gone = client_gone_;
  }
  if (client_gone) return NDIS_STATUS_SUCCESS;
  if (machine_.state() == AfState::Closing) return NDIS_STATUS_CLOSING;  // it does so already
  bool again = false;
  {
    const kernel::Hold hold(lock_);
    again = notice_ != Notice::None;
    if (!again) notice_ = Notice::Calling;
  }
  if (again || !machine_.allows(AfEvent::NotifyCloseAf)) {
    machine_.tell_blank(AfEvent::NotifyCloseAf, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  const NDIS_STATUS status =
      call_driver(&client_->driver(), callbacks::kProtocolClNotifyCloseAf, client_.get(), this,
                  client_handlers().NotifyCloseAf, client_context_);
  bool completed_inside = false;
  {
    const kernel::Hold hold(lock_);
    completed_inside = notice_ == Notice::Done;
    if (!completed_inside) notice_ = status == NDIS_STATUS_PENDING ? Notice::Pended : Notice::Done;
  }
  if (status == NDIS_STATUS_PENDING) return status;
  if (completed_inside) {
    Library::current().observer().on(UnexpectedCompletion{
        &client_->driver(),
        callbacks::kProtocolClNotifyCloseAf.name,
        this,
        name(),
        "it was completed inside the call, and the call did not return NDIS_STATUS_PENDING",
        {}});
    return NDIS_STATUS_PENDING;
  }
  if (machine_.state() == AfState::Open) {
    if (status == NDIS_STATUS_SUCCESS)
      tell_breach("LIFE-344", client_->driver(), callbacks::kProtocolClNotifyCloseAf.name, name(),
                  "NDIS_STATUS_SUCCESS says that the address family is closed, and NdisClCloseAddressFamily "
                  "was not called");
  } else {
    close_client_handle();
  }
  return status;
}

bool AddressFamily::complete_notify(NDIS_STATUS status) {
  const Ref<AddressFamily> alive(this);
  {
    const kernel::Hold hold(lock_);
    if (notice_ != Notice::Calling && notice_ != Notice::Pended) return false;
    notice_ = Notice::Done;
  }
  if (machine_.state() == AfState::Open) {
    if (status == NDIS_STATUS_SUCCESS)
      tell_breach("LIFE-344", client_->driver(), "NdisClNotifyCloseAddressFamilyComplete", name(),
                  "NDIS_STATUS_SUCCESS says that the address family is closed, and NdisClCloseAddressFamily "
                  "was not called");
  } else {
    close_client_handle();
  }
  if (!gone(CoSide::CallManager))
    call_driver(&manager_->driver(), callbacks::kProtocolCmNotifyCloseAfComplete, manager_->binding(), this,
                manager_->handlers().NotifyCloseAfComplete, manager_context_, status);
  return true;
}

// ---- service access points ----

NDIS_STATUS AddressFamily::register_sap(const CoCaller& by, void* context, CO_SAP* sap, NDIS_HANDLE* handle) {
  if (!machine_.allows(AfEvent::RegisterSap)) {
    machine_.tell_blank(AfEvent::RegisterSap, by.driver, by.function);
    return NDIS_STATUS_FAILURE;
  }
  if (gone(CoSide::CallManager)) return NDIS_STATUS_CLOSING;
  const Ref<Sap> fresh(new Sap(*this, context, sap));
  const NDIS_STATUS status = fresh->register_it();
  if (status == NDIS_STATUS_SUCCESS) *handle = fresh->client_handle();
  return status;
}

void AddressFamily::add(Sap& sap) {
  Ref<Sap> added(&sap);
  const kernel::Hold hold(lock_);
  saps_.push_back(std::move(added));
}

void AddressFamily::remove(Sap& sap) {
  Ref<Sap> gone;
  const kernel::Hold hold(lock_);
  const auto at = std::ranges::find_if(saps_, [&](const Ref<Sap>& one) { return one == &sap; });
  if (at == saps_.end()) return;
  gone = std::move(*at);
  saps_.erase(at);
}

std::vector<Ref<Sap>> AddressFamily::saps() const {
  const kernel::Hold hold(lock_);
  return saps_;
}

// ---- ends ----

void AddressFamily::leave(CoSide side) {
  const Ref<AddressFamily> alive(this);
  bool both = false;
  {
    const kernel::Hold hold(lock_);
    (side == CoSide::Client ? client_gone_ : manager_gone_) = true;
    both = client_gone_ && manager_gone_;
  }
  if (both) {
    close_client_handle();
    end();
    return;
  }
  if (side == CoSide::Client) {
    close_client_handle();
    if (machine_.state() != AfState::Opening) close_for_client();  // else when the call manager has answered
    return;
  }
  switch (machine_.state()) {
  case AfState::Opening:
    complete_open(NDIS_STATUS_FAILURE, nullptr);
    return;
  case AfState::Closing:
    complete_close(NDIS_STATUS_SUCCESS);
    return;
  default:
    break;
  }
  // The client has it open and will close it, which takes effect at once. Nobody waits for that.
  HandleTable& handles = Library::current().handles();
  if (manager_handle_ != nullptr) handles.close(std::exchange(manager_handle_, nullptr));
  uncount();
}

/// A client that has gone without closing: the call manager is told as if it had closed.
void AddressFamily::close_for_client() {
  if (!machine_.advance(AfEvent::ClCloseAddressFamily)) return;
  const NDIS_STATUS status =
      call_driver(&manager_->driver(), callbacks::kProtocolCmCloseAf, manager_->binding(), this,
                  manager_->handlers().CloseAf, manager_context_);
  if (status != NDIS_STATUS_PENDING && machine_.advance(AfEvent::CloseComplete)) end();
}

void AddressFamily::uncount() {
  bool counted = false;
  {
    const kernel::Hold hold(lock_);
    counted = std::exchange(counted_, false);
  }
  if (!counted) return;
  client_->families.leave();
  if (manager_->binding() != nullptr) manager_->binding()->families.leave();
}

void AddressFamily::abandon() {
  std::vector<Ref<Sap>> saps;
  const kernel::Hold hold(lock_);
  saps.swap(saps_);
}

}  // namespace undis
