// SPDX-License-Identifier: MIT
//
// What fake drivers of both generations have in common, and the ready-made ones. Callbacks are
// fake_driver5.cpp and fake_driver6.cpp.
#include "lab/fake_driver.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "kernel/unicode.h"
#include "ndis/strings.h"

namespace undis::lab {
namespace {

std::map<const kernel::Driver*, FakeDriver*>& fakes() {
  static std::map<const kernel::Driver*, FakeDriver*> all;  // looked up only
  return all;
}

NTSTATUS NTAPI fake_entry(PDRIVER_OBJECT object, PUNICODE_STRING) {
  FakeDriver* const fake = FakeDriver::of(*kernel::Driver::from_object(object));
  return fake->entry ? fake->entry() : STATUS_SUCCESS;
}

}  // namespace

FakeDriver::FakeDriver(World& world, std::string name)
    : world_(world), driver_(world.add(std::move(name), false)) {
  fakes()[&driver_] = this;
}

FakeDriver::~FakeDriver() {
  fakes().erase(&driver_);
}

FakeDriver* FakeDriver::of(const kernel::Driver& driver) {
  return fakes().at(&driver);
}

NTSTATUS FakeDriver::load() {
  return world_.library().load(driver_, &fake_entry);
}

bool FakeDriver::unload() {
  return world_.library().unload(driver_);
}

FakeAdapter* FakeDriver::adapter(std::string_view name) {
  // The last one of that name: an adapter may have come back.
  for (auto it = adapters.rbegin(); it != adapters.rend(); ++it)
    if (it->name == name) return &*it;
  return nullptr;
}

FakeBinding* FakeDriver::binding(std::string_view adapter) {
  for (auto it = bindings.rbegin(); it != bindings.rend(); ++it)
    if (it->adapter == adapter) return &*it;
  return nullptr;
}

unsigned FakeDriver::count(std::string_view call_prefix) const {
  return static_cast<unsigned>(
      std::ranges::count_if(calls, [&](const std::string& call) { return call.starts_with(call_prefix); }));
}

FakeAdapter& FakeDriver::new_adapter(NDIS_HANDLE handle) {
  const Ref<Adapter> real = Library::current().handles().find<Adapter>(handle);
  FakeAdapter& adapter = adapters.emplace_back();
  adapter.driver = this;
  adapter.handle = handle;
  adapter.name = real->name();
  return adapter;
}

NDIS_STATUS FakeDriver::initialized(FakeAdapter& adapter, NDIS_STATUS status) {
  if (status == NDIS_STATUS_SUCCESS && on_initialize) status = on_initialize(adapter);
  if (status != NDIS_STATUS_SUCCESS) adapter.state = FakeAdapter::State::Halted;
  for (FakeBinding& binding : bindings)
    if (&binding == adapter.device_context && binding.instance_started) binding.instance_started->set();
  return status;
}

std::string FakeDriver::instance_name(const FakeDriver& driver, const FakeBinding& binding) {
  return fmt::format("{}-{}", driver.driver_.name(), binding.adapter);
}

NDIS_STATUS FakeDriver::deinitialize_instance(std::string_view name) {
  FakeAdapter* const found = adapter(name);
  // Halted already, when PnP took the device away first: its handle is dead.
  if (found == nullptr || found->state == FakeAdapter::State::Halted) return NDIS_STATUS_FAILURE;
  return NdisIMDeInitializeDeviceInstance(found->handle);
}

NDIS_STATUS FakeDriver::finish_bind(FakeBinding& binding, NDIS_STATUS opened) {
  if (opened == NDIS_STATUS_PENDING) {
    binding.opened->wait();
    opened = binding.result;
  }
  if (opened != NDIS_STATUS_SUCCESS) return opened;
  binding.open = true;
  return after_open ? after_open(binding) : NDIS_STATUS_SUCCESS;
}

NDIS_STATUS FakeDriver::unbound(FakeBinding& binding) {
  if (++binding.unbinds != 1) complain(fmt::format("a second unbind of {}", binding.adapter));
  if (on_unbind) return on_unbind(binding);
  close_and_wait(binding);
  return NDIS_STATUS_SUCCESS;
}

// ---- ready-made drivers ----

void FakeDriver::be_intermediate5() {
  entry = [this] {
    initialize_wrapper();
    if (wrapper == nullptr) return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
    NDIS_STATUS status = register_layered5();
    if (status != NDIS_STATUS_SUCCESS) {
      NdisTerminateWrapper(wrapper, nullptr);
      return static_cast<NTSTATUS>(status);
    }
    register_unload_handler();
    status = register_protocol5(driver_.name());
    if (status != NDIS_STATUS_SUCCESS) {
      NdisIMDeregisterLayeredMiniport(miniport);
      NdisTerminateWrapper(wrapper, nullptr);
      return static_cast<NTSTATUS>(status);
    }
    NdisIMAssociateMiniport(miniport, protocol);
    return static_cast<NTSTATUS>(STATUS_SUCCESS);
  };
  unload_routine = [this] {
    deregister_protocol5();
    NdisIMDeregisterLayeredMiniport(miniport);
  };
  after_open = [this](FakeBinding& binding) {
    const WideString name(device_name(instance_name(*this, binding)));
    binding.instance_started =
        std::make_unique<kernel::Event>("fake: MiniportInitialize of a virtual miniport");
    const NDIS_STATUS status = NdisIMInitializeDeviceInstanceEx(miniport, name.get(), &binding);
    if (status != NDIS_STATUS_SUCCESS) binding.instance_started = nullptr;
    return status;
  };
  on_unbind = [this](FakeBinding& binding) {
    const WideString name(device_name(instance_name(*this, binding)));
    if (binding.instance_started &&
        NdisIMCancelInitializeDeviceInstance(miniport, name.get()) != NDIS_STATUS_SUCCESS) {
      binding.instance_started->wait();  // too late to cancel: it runs or has run
      const FakeAdapter* const instance = adapter(instance_name(*this, binding));
      if (instance != nullptr && instance->state != FakeAdapter::State::Halted)
        deinitialize_instance(instance->name);
    }
    close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
}

void FakeDriver::be_intermediate6() {
  be_intermediate5();
  entry = [this] {
    NDIS_STATUS status = register_miniport6(NDIS_INTERMEDIATE_DRIVER);
    if (status != NDIS_STATUS_SUCCESS) return static_cast<NTSTATUS>(status);
    status = register_protocol6(driver_.name());
    if (status != NDIS_STATUS_SUCCESS) {
      NdisMDeregisterMiniportDriver(miniport);
      return static_cast<NTSTATUS>(status);
    }
    NdisIMAssociateMiniport(miniport, protocol);
    return static_cast<NTSTATUS>(STATUS_SUCCESS);
  };
  unload_routine = [this] {
    NdisDeregisterProtocolDriver(protocol);
    NdisMDeregisterMiniportDriver(miniport);
  };
}

void FakeDriver::be_protocol5() {
  entry = [this] {
    set_driver_unload();
    return static_cast<NTSTATUS>(register_protocol5(driver_.name()));
  };
  unload_routine = [this] { deregister_protocol5(); };
}

void FakeDriver::be_protocol6() {
  entry = [this] {
    set_driver_unload();
    return static_cast<NTSTATUS>(register_protocol6(driver_.name()));
  };
  unload_routine = [this] { NdisDeregisterProtocolDriver(protocol); };
}

void FakeDriver::be_miniport5() {
  entry = [this] {
    initialize_wrapper();
    const NDIS_STATUS status = register_miniport5();
    if (status != NDIS_STATUS_SUCCESS) {
      NdisTerminateWrapper(wrapper, nullptr);
      return static_cast<NTSTATUS>(status);
    }
    register_unload_handler();
    return static_cast<NTSTATUS>(STATUS_SUCCESS);
  };
}

void FakeDriver::be_miniport6() {
  entry = [this] { return static_cast<NTSTATUS>(register_miniport6()); };
  unload_routine = [this] { NdisMDeregisterMiniportDriver(miniport); };
}

}  // namespace undis::lab
