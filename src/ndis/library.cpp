// SPDX-License-Identifier: MIT
//
// The registrations, adapters and handles of one world. Loading and unloading of drivers is library_load.cpp.
#include "ndis/library.h"

#include <algorithm>
#include <cassert>

#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/items.h"
#include "ndis/net_event.h"

namespace undis {
namespace {

Library* g_current = nullptr;

/// Takes `object` out of `list`; the reference is returned so that the last one is dropped outside the lock.
template <class T>
Ref<T> take_out(std::vector<Ref<T>>& list, const T& object) {
  const auto at = std::ranges::find_if(list, [&](const Ref<T>& entry) { return entry == &object; });
  if (at == list.end()) return {};
  Ref<T> taken = std::move(*at);
  list.erase(at);
  return taken;
}

}  // namespace

Library::Library(kernel::System& system, Observer& observer) : system_(system), observer_(observer) {
  assert(g_current == nullptr);
  g_current = this;
  items_ = std::make_unique<ItemBook>();
  data_path::stamped_legs = 0;  // what a world before this one left on its way
}

Library::~Library() {
  {
    const kernel::Hold hold(lock_);
    for (const auto& passage : passages_) passage->abandon();
  }
  // Whatever a run left behind, or an abandoned run never came to, goes without any further call to a driver.
  for (const Ref<Adapter>& adapter : adapters()) adapter->co->abandon();
  for (const Ref<Adapter>& adapter : adapters())
    for (const Ref<Binding>& binding : adapter->bindings()) {
      adapter->remove(*binding);
      binding->protocol().forget(*binding);
    }
  for (const Ref<Adapter>& adapter : adapters()) {
    adapter->filters.abandon();
    adapter->driver().remove(*adapter);
  }
  g_current = nullptr;
}

Library& Library::current() noexcept {
  assert(g_current != nullptr);
  return *g_current;
}

Library* Library::current_or_null() noexcept {
  return g_current;
}

// ---- registrations ----

Ref<Wrapper> Library::add_wrapper(kernel::Driver& driver) {
  Ref<Wrapper> wrapper(new Wrapper(driver));
  wrapper->handle_ = handles_.open(HandleKind::Wrapper, wrapper.get());
  if (wrapper->handle_ == nullptr) return {};
  const kernel::Hold hold(lock_);
  wrappers_.push_back(wrapper);
  return wrapper;
}

void Library::remove(Wrapper& wrapper, const char* function) {
  Ref<Wrapper> gone;
  {
    const kernel::Hold hold(lock_);
    gone = take_out(wrappers_, wrapper);
  }
  if (!gone) return;
  handles_.close(gone->handle_);
  observer_.on(Registration{Registration::What::Undone, &gone->driver(), HandleKind::Wrapper, gone.get(),
                            gone->driver().name(), function, NDIS_STATUS_SUCCESS});
}

Ref<Wrapper> Library::wrapper_of(const kernel::Driver& driver) const {
  const kernel::Hold hold(lock_);
  for (const Ref<Wrapper>& wrapper : wrappers_)
    if (&wrapper->driver() == &driver) return wrapper;
  return {};
}

bool Library::add(MiniportDriver& driver, const char* function) {
  driver.handle_ = handles_.open(driver.handle_kind(), &driver);
  if (driver.handle_ == nullptr) return false;
  {
    Ref<MiniportDriver> added(driver);
    const kernel::Hold hold(lock_);
    miniport_drivers_.push_back(std::move(added));
    if (driver.is_intermediate()) intermediates_.push_back(&driver.driver());
  }
  observer_.on(Registration{Registration::What::Made, &driver.driver(), driver.handle_kind(), &driver,
                            driver.name(), function, NDIS_STATUS_SUCCESS});
  return true;
}

bool Library::add(ProtocolDriver& protocol, const char* function) {
  protocol.handle_ = handles_.open(protocol.handle_kind(), &protocol);
  if (protocol.handle_ == nullptr) return false;
  {
    Ref<ProtocolDriver> added(protocol);
    const kernel::Hold hold(lock_);
    protocols_.push_back(std::move(added));
  }
  observer_.on(Registration{Registration::What::Made, &protocol.driver(), protocol.handle_kind(), &protocol,
                            protocol.name(), function, NDIS_STATUS_SUCCESS});
  return true;
}

void Library::remove(MiniportDriver& driver, const char* function) {
  Ref<MiniportDriver> gone;
  {
    const kernel::Hold hold(lock_);
    gone = take_out(miniport_drivers_, driver);
  }
  if (!gone) return;
  handles_.close(gone->handle_);
  observer_.on(Registration{Registration::What::Undone, &gone->driver(), gone->handle_kind(), gone.get(),
                            gone->name(), function, NDIS_STATUS_SUCCESS});
}

void Library::remove(ProtocolDriver& protocol, const char* function) {
  Ref<ProtocolDriver> gone;
  {
    const kernel::Hold hold(lock_);
    gone = take_out(protocols_, protocol);
  }
  if (!gone) return;
  handles_.close(gone->handle_);
  for (const Ref<MiniportDriver>& miniport : miniport_drivers())
    if (miniport->associated() == gone.get()) miniport->associate(nullptr);
  observer_.on(Registration{Registration::What::Undone, &gone->driver(), gone->handle_kind(), gone.get(),
                            gone->name(), function, NDIS_STATUS_SUCCESS});
}

bool Library::add(FilterDriver& filter, const char* function) {
  filter.handle_ = handles_.open(HandleKind::FilterDriver, &filter);
  if (filter.handle_ == nullptr) return false;
  {
    Ref<FilterDriver> added(filter);
    const kernel::Hold hold(lock_);
    filter_drivers_.push_back(std::move(added));
  }
  observer_.on(Registration{Registration::What::Made, &filter.driver(), HandleKind::FilterDriver, &filter,
                            filter.name(), function, NDIS_STATUS_SUCCESS});
  return true;
}

void Library::remove(FilterDriver& filter, const char* function) {
  Ref<FilterDriver> gone;
  {
    const kernel::Hold hold(lock_);
    gone = take_out(filter_drivers_, filter);
  }
  if (!gone) return;
  handles_.close(gone->handle_);
  observer_.on(Registration{Registration::What::Undone, &gone->driver(), HandleKind::FilterDriver, gone.get(),
                            gone->name(), function, NDIS_STATUS_SUCCESS});
}

std::vector<Ref<FilterDriver>> Library::filter_drivers() const {
  const kernel::Hold hold(lock_);
  return filter_drivers_;
}

std::vector<Ref<FilterDriver>> Library::filter_drivers_of(const kernel::Driver& driver) const {
  std::vector<Ref<FilterDriver>> found = filter_drivers();
  std::erase_if(found, [&](const Ref<FilterDriver>& f) { return &f->driver() != &driver; });
  return found;
}

bool Library::has_filter(std::u16string_view unique_name) const {
  const kernel::Hold hold(lock_);
  return std::ranges::any_of(filter_drivers_, [&](const Ref<FilterDriver>& f) {
    return kernel::equal_ignore_case(f->unique_name(), unique_name);
  });
}

ULONG Library::next_interface_index() noexcept {
  const kernel::Hold hold(lock_);
  return ++last_interface_index_;
}

std::vector<Ref<MiniportDriver>> Library::miniport_drivers() const {
  const kernel::Hold hold(lock_);
  return miniport_drivers_;
}

std::vector<Ref<MiniportDriver>> Library::miniport_drivers_of(const kernel::Driver& driver) const {
  std::vector<Ref<MiniportDriver>> found = miniport_drivers();
  std::erase_if(found, [&](const Ref<MiniportDriver>& m) { return &m->driver() != &driver; });
  return found;
}

std::vector<Ref<ProtocolDriver>> Library::protocols() const {
  const kernel::Hold hold(lock_);
  return protocols_;
}

std::vector<Ref<ProtocolDriver>> Library::protocols_of(const kernel::Driver& driver) const {
  std::vector<Ref<ProtocolDriver>> found = protocols();
  std::erase_if(found, [&](const Ref<ProtocolDriver>& p) { return &p->driver() != &driver; });
  return found;
}

bool Library::has_protocol(std::u16string_view name) const {
  const kernel::Hold hold(lock_);
  return std::ranges::any_of(protocols_, [&](const Ref<ProtocolDriver>& p) {
    return kernel::equal_ignore_case(p->registered_name(), name);
  });
}

bool Library::wants(const ProtocolDriver& protocol, const Adapter& adapter) const {
  if (policy.binds) return policy.binds(protocol, adapter);
  return &protocol.driver() != &adapter.driver().driver();
}

void Library::bind_later(ProtocolDriver& protocol) {
  const Ref<ProtocolDriver> later(protocol);
  kernel::queue_work("bind a new protocol", [later] {
    for (const Ref<Adapter>& adapter : Library::current().adapters())
      if (!later->deregistering()) add_bindings(*adapter);
    notify_protocol(*later, NetEventBindsComplete, nullptr, 0);
  });
}

// ---- adapters ----

Ref<Adapter> Library::add_adapter(MiniportDriver& driver, AdapterConfig config) {
  describe_in_registry(config);
  Ref<Adapter> adapter(new Adapter(driver, std::move(config)));
  adapter->handle_ = handles_.open(HandleKind::Adapter, adapter.get(), &adapter->passage);
  driver.add(*adapter);
  const kernel::Hold hold(lock_);
  adapter->interface_index_ = ++last_interface_index_;
  adapters_.add(*adapter);
  adapters_by_name_.add(*adapter);
  return adapter;
}

/// What Windows writes into an adapter's key when it is installed, and what drivers look for there.
void Library::describe_in_registry(const AdapterConfig& config) {
  kernel::Registry& registry = system_.registry();
  const std::size_t last = config.device_name.rfind(u'\\');
  const std::u16string_view leaf =
      std::u16string_view(config.device_name).substr(last == std::u16string::npos ? 0 : last + 1);
  using kernel::RegistryValue;
  const auto set = [&](const kernel::Registry::Key& key, std::u16string_view name, RegistryValue value) {
    if (!registry.get(key, name)) registry.set(key, name, std::move(value));
  };
  bool created = false;
  const kernel::Registry::Key key =
      registry.create(registry.root(), config.configuration_key, false, created);
  set(key, u"NetCfgInstanceId", RegistryValue::string(leaf));
  set(key, u"MiniportName", RegistryValue::string(config.device_name));
  // Where protocols that make a device for each adapter find their names.
  const kernel::Registry::Key linkage = registry.create(key, u"Linkage", false, created);
  set(linkage, u"Export", RegistryValue::list_of(config.device_name));
  set(linkage, u"RootDevice", RegistryValue::list_of(leaf));
}

void Library::forget(Adapter& adapter) {
  Ref<Adapter> gone;
  {
    const kernel::Hold hold(lock_);
    gone = adapters_.take_out(adapter);
    adapters_by_name_.remove(adapter);
  }
  if (!gone) return;
  gone->driver().remove(*gone);
  handles_.close(gone->handle());
  interfaces_.forget(gone->interface_index());
  const kernel::Hold hold(lock_);
  free_passages_.push_back(&gone->passage);
}

kernel::Passage& Library::take_passage() {
  {
    const kernel::Hold hold(lock_);
    if (!free_passages_.empty()) {
      kernel::Passage& again = *free_passages_.back();
      free_passages_.pop_back();
      return again;
    }
  }
  auto fresh = std::make_unique<kernel::Passage>();
  const kernel::Hold hold(lock_);
  passages_.push_back(std::move(fresh));
  return *passages_.back();
}

std::vector<Ref<Adapter>> Library::adapters() const {
  const kernel::Hold hold(lock_);
  return adapters_.all();
}

Ref<Adapter> Library::adapter_by_device_name(std::u16string_view name) const {
  const kernel::Hold hold(lock_);
  return Ref<Adapter>(adapters_by_name_.find(name));
}

std::vector<Ref<DeviceInstance>> Library::instances() const {
  const kernel::Hold hold(lock_);
  return instances_.all();
}

Ref<DeviceInstance> Library::instance_named(std::u16string_view name) const {
  const kernel::Hold hold(lock_);
  return Ref<DeviceInstance>(instances_by_name_.find(name));
}

}  // namespace undis
