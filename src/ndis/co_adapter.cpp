// SPDX-License-Identifier: MIT
//
// Offers of address families, and what becomes of what is open when a driver goes.
#include "ndis/co_adapter.h"

#include <algorithm>

#include <fmt/format.h>

#include "ndis/address_family.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/co_requests.h"
#include "ndis/co_vc.h"
#include "ndis/library.h"

namespace undis {
namespace {

template <class T>
Ref<T> take_out(std::vector<Ref<T>>& list, const T& object) {
  const auto at = std::ranges::find_if(list, [&](const Ref<T>& entry) { return entry == &object; });
  if (at == list.end()) return {};
  Ref<T> taken = std::move(*at);
  list.erase(at);
  return taken;
}

}  // namespace

// ---- call managers ----

CallManager::CallManager(Adapter& adapter, Binding* binding) : adapter_(adapter), binding_(binding) {}
CallManager::~CallManager() = default;

kernel::Driver& CallManager::driver() const noexcept {
  return binding_ ? binding_->driver() : adapter_.driver().driver();
}

const CoCallManagerHandlers& CallManager::handlers() const noexcept {
  return binding_ ? binding_->protocol().call_manager : adapter_.driver().optional6.call_manager;
}

void* CallManager::context() const noexcept {
  return binding_ ? binding_->context() : adapter_.context();
}

const std::string& CallManager::name() const noexcept {
  return binding_ ? binding_->name() : adapter_.name();
}

// ---- offers ----

CoAdapter::CoAdapter(Adapter& adapter) : requests(std::make_unique<CoRequests>()), adapter_(adapter) {}
CoAdapter::~CoAdapter() = default;

bool CoAdapter::is_connection_oriented() const noexcept {
  const MiniportDriver& driver = adapter_.driver();
  return driver.is_version6() && driver.optional6.connection_oriented.given;
}

Ref<CallManager> CoAdapter::manager_at(Binding& binding) {
  if (!binding.protocol().call_manager.given) return {};
  Ref<CallManager> fresh(new CallManager(adapter_, &binding));
  const kernel::Hold hold(lock_);
  for (const Ref<CallManager>& manager : managers_)
    if (manager->binding() == &binding) return manager;
  managers_.push_back(fresh);
  return fresh;
}

NDIS_STATUS CoAdapter::offer(Binding* binding, const CO_ADDRESS_FAMILY& family) {
  const Ref<CallManager> manager =
      binding != nullptr ? manager_at(*binding) : Ref<CallManager>(new CallManager(adapter_, nullptr));
  const kernel::Hold hold(lock_);
  const bool known = std::ranges::any_of(
      offers_, [&](const Offer& offer) { return offer.family.AddressFamily == family.AddressFamily; });
  if (known) return NDIS_STATUS_FAILURE;  // one call manager for a family on an adapter
  offers_.push_back({family, manager, {}});
  return NDIS_STATUS_SUCCESS;
}

Ref<CallManager> CoAdapter::manager_of(const CO_ADDRESS_FAMILY& family) const {
  const kernel::Hold hold(lock_);
  for (const Offer& offer : offers_)
    if (offer.family.AddressFamily == family.AddressFamily) return offer.manager;
  return {};
}

/// One client of one family. False: everyone knows everything.
bool CoAdapter::tell_next() {
  const std::vector<Ref<Binding>> bindings = adapter_.bindings();
  CO_ADDRESS_FAMILY family{};
  Ref<Binding> client;
  {
    const kernel::Hold hold(lock_);
    for (Offer& offer : offers_) {
      for (const Ref<Binding>& binding : bindings) {
        const ProtocolDriver& protocol = binding->protocol();
        if (!protocol.client.given || !protocol.connection_oriented.AfRegisterNotify) continue;
        if (!binding->is_open() || binding->close_called() ||
            std::ranges::find(offer.told, binding.get()) != offer.told.end())
          continue;
        offer.told.push_back(binding.get());
        family = offer.family;
        client = binding;
        break;
      }
      if (client) break;
    }
  }
  if (!client) return false;
  kernel::call_driver(&client->driver(), callbacks::kProtocolCoAfRegisterNotify, client.get(), nullptr,
                      client->protocol().connection_oriented.AfRegisterNotify, client->context(), &family);
  return true;
}

void CoAdapter::advertise() {
  while (tell_next()) {
  }
}

// ---- what is open ----

void CoAdapter::add(AddressFamily& family) {
  Ref<AddressFamily> added(&family);
  const kernel::Hold hold(lock_);
  families_.push_back(std::move(added));
}

void CoAdapter::remove(AddressFamily& family) {
  Ref<AddressFamily> gone;
  const kernel::Hold hold(lock_);
  gone = take_out(families_, family);
}

void CoAdapter::keep_for_notice(AddressFamily& family) {
  Ref<AddressFamily> kept(&family);
  const kernel::Hold hold(lock_);
  for_notice_.push_back(std::move(kept));
}

void CoAdapter::drop_after_notice(AddressFamily& family) {
  Ref<AddressFamily> gone;
  const kernel::Hold hold(lock_);
  gone = take_out(for_notice_, family);
}

std::vector<Ref<AddressFamily>> CoAdapter::address_families() const {
  const kernel::Hold hold(lock_);
  return families_;
}

void CoAdapter::add(Vc& vc) {
  Ref<Vc> added(&vc);
  const kernel::Hold hold(lock_);
  vcs_.push_back(std::move(added));
}

void CoAdapter::remove(Vc& vc) {
  Ref<Vc> gone;
  const kernel::Hold hold(lock_);
  gone = take_out(vcs_, vc);
}

std::vector<Ref<Vc>> CoAdapter::vcs() const {
  const kernel::Hold hold(lock_);
  return vcs_;
}

std::vector<Ref<Vc>> CoAdapter::vcs_of(const AddressFamily& family) const {
  std::vector<Ref<Vc>> found = vcs();
  std::erase_if(found, [&](const Ref<Vc>& vc) { return vc->family() != &family; });
  return found;
}

ULONG CoAdapter::next_number() noexcept {
  const kernel::Hold hold(lock_);
  return ++numbers_;
}

// ---- ends ----

/// What a call manager that goes has not asked its clients to close (LIFE-343).
void CoAdapter::judge_manager(const CallManager& manager, const char* function) {
  for (const Ref<AddressFamily>& family : address_families()) {
    if (&family->manager() != &manager || family->notified() || family->machine().state() != AfState::Open)
      continue;
    Library::current().observer().on(
        Breach{"LIFE-343", &manager.driver(), function, family->name(),
               fmt::format("{} goes and {} has not been asked to close the address family ({})",
                           manager.name(), family->client().name(), "NdisCmNotifyCloseAddressFamily"),
               kernel::Stack::capture(2), family->origin()});
  }
}

void CoAdapter::end_of(Binding& binding, const char* function) {
  Ref<CallManager> manager;
  {
    const kernel::Hold hold(lock_);
    for (const Ref<CallManager>& one : managers_)
      if (one->binding() == &binding) manager = one;
    std::erase(managers_, manager);
    std::erase_if(offers_, [&](const Offer& offer) { return offer.manager == manager && manager; });
    for (Offer& offer : offers_) std::erase(offer.told, &binding);
  }
  for (const Ref<AddressFamily>& family : address_families()) {
    if (&family->client() != &binding || family->machine().state() == AfState::Closing) continue;
    if (!family->gone(CoSide::CallManager))
      Library::current().observer().on(Breach{
          "CoAfClosed", &binding.driver(), function, family->name(),
          "the client closes the adapter and has not closed its address family (NdisClCloseAddressFamily)",
          kernel::Stack::capture(1), family->origin()});
    family->leave(CoSide::Client);
  }
  std::vector<Ref<AddressFamily>> owed;
  {
    const kernel::Hold hold(lock_);
    owed = for_notice_;
  }
  for (const Ref<AddressFamily>& family : owed)
    if (&family->client() == &binding) family->close_client_handle();
  if (!manager) return;
  judge_manager(*manager, function);
  // A client that was asked to close is waited for; one that was not will never know.
  for (const Ref<AddressFamily>& family : address_families())
    if (family->manager().binding() == &binding && !family->notified() &&
        family->machine().state() == AfState::Open)
      family->leave(CoSide::CallManager);
  for (const Ref<Vc>& vc : vcs()) {
    if (vc->manager().binding() != &binding || vc->family() != nullptr) continue;
    tell_breach("CoVcDeleted", manager->driver(), function, vc->name(),
                "the call manager closes the adapter and has not deleted its own virtual connection");
    vc->drop(false);
  }
}

void CoAdapter::end_of_miniport(const char* function) {
  std::vector<Offer> gone;
  {
    const kernel::Hold hold(lock_);
    gone.swap(offers_);
    managers_.clear();
  }
  for (const Ref<AddressFamily>& family : address_families()) {
    if (!family->manager().integrated()) continue;
    if (!family->gone(CoSide::Client))
      Library::current().observer().on(
          Breach{"LIFE-343", &family->manager().driver(), function, family->name(),
                 fmt::format("the adapter is halted and {} still has the address family open: it was {}",
                             family->client().name(),
                             family->notified() ? "asked to close and not waited for"
                                                : "not asked to close (NdisMCmNotifyCloseAddressFamily)"),
                 kernel::Stack::capture(1), family->origin()});
    family->leave(CoSide::CallManager);
  }
  for (const Ref<Vc>& vc : vcs()) vc->drop(true);
}

void CoAdapter::abandon() {
  std::vector<Offer> offers;
  std::vector<Ref<CallManager>> managers;
  std::vector<Ref<AddressFamily>> families;
  std::vector<Ref<Vc>> vcs;
  {
    const kernel::Hold hold(lock_);
    offers.swap(offers_);
    managers.swap(managers_);
    families.swap(families_);
    families.insert(families.end(), for_notice_.begin(), for_notice_.end());
    for_notice_.clear();
    vcs.swap(vcs_);
  }
  for (const Ref<AddressFamily>& family : families) family->abandon();
  for (const Ref<Vc>& vc : vcs)
    for (const Ref<Party>& party : vc->parties()) vc->remove(*party);
}

}  // namespace undis
