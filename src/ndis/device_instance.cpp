// SPDX-License-Identifier: MIT
//
// Virtual miniports: asking for one, cancelling, the device's start, tearing one down.
#include "ndis/device_instance.h"

#include <algorithm>

#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/library.h"

namespace undis {
namespace {

/// The binding in whose ProtocolBindAdapter(Ex) this thread is, if any: an instance made there belongs to
/// that binding.
Binding* binding_being_made() {
  for (const kernel::CallFrame* frame = kernel::current_callback(); frame != nullptr; frame = frame->up) {
    const std::string_view name = frame->name;
    if (frame->kind == kernel::CallFrame::Kind::Callback &&
        (name == "ProtocolBindAdapterEx" || name == "ProtocolBindAdapter"))
      return static_cast<Binding*>(const_cast<void*>(frame->object));
  }
  return nullptr;
}

/// "im-nic0" for "\Device\{im-nic0}".
std::string name_of_device(std::u16string_view device) {
  const std::size_t last = device.rfind(u'\\');
  std::u16string_view leaf = last == std::u16string_view::npos ? device : device.substr(last + 1);
  if (leaf.size() > 2 && leaf.front() == u'{' && leaf.back() == u'}') leaf = leaf.substr(1, leaf.size() - 2);
  return kernel::to_utf8(leaf);
}

}  // namespace

NDIS_STATUS initialize_device_instance(MiniportDriver& driver, std::u16string_view name,
                                       void* device_context) {
  Library& library = Library::current();
  Ref<DeviceInstance> instance(new DeviceInstance(driver, std::u16string(name), device_context));
  {
    const kernel::Hold hold(library.lock_);
    if (!library.instances_by_name_.add(*instance)) return NDIS_STATUS_NOT_ACCEPTED;
    library.instances_.add(*instance);
  }
  if (Binding* const binding = binding_being_made(); binding != nullptr) {
    const kernel::Hold hold(binding->running_lock);
    binding->instances_made.emplace_back(name);
  }

  const bool started = !library.policy.device_is_started || library.policy.device_is_started(driver, name);
  if (!started) return NDIS_STATUS_SUCCESS;  // Library::start_device() goes on when the device starts
  // The page leaves open whether MiniportInitialize(Ex) runs inside this call or later.
  if (kernel::choose("the virtual miniport is initialized later")) {
    kernel::queue_work("start a virtual miniport",
                       [instance] { Library::current().initialize_instance(*instance); });
  } else {
    library.initialize_instance(*instance);
  }
  return NDIS_STATUS_SUCCESS;
}

void Library::initialize_instance(DeviceInstance& instance) {
  const Ref<DeviceInstance> alive(instance);
  {
    const kernel::Hold hold(lock_);
    if (instance.phase != DeviceInstance::Phase::WaitingForDevice) return;  // cancelled meanwhile
    instance.phase = DeviceInstance::Phase::Initializing;
  }
  AdapterConfig config;
  config.device_name = instance.device_name();
  config.device_context = instance.device_context();
  config.is_virtual = true;
  config.name = name_of_device(instance.device_name());
  config.configuration_key =
      u"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\" + kernel::to_utf16(config.name);
  const Ref<Adapter> adapter = add_adapter(instance.driver(), std::move(config));
  {
    const kernel::Hold hold(lock_);
    instance.adapter = adapter;
  }

  const Claimed claimed(
      adapter->stack);  // over start and phase: a deinitialisation by another thread waits for both
  const NDIS_STATUS status = start_stack(*adapter);
  if (status != NDIS_STATUS_SUCCESS) forget(*adapter);
  const kernel::Hold hold(lock_);
  if (instance.phase != DeviceInstance::Phase::Initializing) return;
  instance.phase = status == NDIS_STATUS_SUCCESS ? DeviceInstance::Phase::Up : DeviceInstance::Phase::Failed;
  if (status == NDIS_STATUS_SUCCESS) return;
  instance.adapter = nullptr;
  drop_locked(instance);
}

void Library::drop_locked(DeviceInstance& instance) {
  instances_by_name_.remove(instance);
  instances_.take_out(instance);
}

void Library::start_device(std::u16string_view name) {
  for (const Ref<DeviceInstance>& instance : instances())
    if (instance->device_name() == name) initialize_instance(*instance);
}

NDIS_STATUS cancel_device_instance(MiniportDriver& driver, std::u16string_view name) {
  Library& library = Library::current();
  const kernel::Hold hold(library.lock_);
  const Ref<DeviceInstance> instance(library.instances_by_name_.find(name));
  if (!instance || &instance->driver() != &driver ||
      instance->phase != DeviceInstance::Phase::WaitingForDevice)
    return NDIS_STATUS_FAILURE;
  instance->phase = DeviceInstance::Phase::Cancelled;
  library.drop_locked(*instance);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS deinitialize_device_instance(Adapter& adapter) {
  Library& library = Library::current();
  if (!adapter.is_virtual()) return NDIS_STATUS_FAILURE;
  const Claimed claimed(adapter.stack);  // an initialisation or removal on another thread ends first
  {
    // Whoever comes second, or calls from inside a callback of the start or the removal, gets FAILURE
    // (docs/decisions.md#im-deinit).
    const kernel::Hold hold(library.lock_);
    const Ref<DeviceInstance> instance(library.instances_by_name_.find(adapter.device_name()));
    if (!instance || instance->adapter != &adapter || instance->phase != DeviceInstance::Phase::Up)
      return NDIS_STATUS_FAILURE;
    instance->phase = DeviceInstance::Phase::Gone;
    library.drop_locked(*instance);
  }
  return remove_stack(adapter, NdisHaltDeviceInstanceDeInitialized) ? NDIS_STATUS_SUCCESS
                                                                    : NDIS_STATUS_FAILURE;
}

}  // namespace undis
