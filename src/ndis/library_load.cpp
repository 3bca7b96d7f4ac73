// SPDX-License-Identifier: MIT
//
// A driver's DriverEntry and Unload with NDIS' part around them, and system shutdown.
#include <algorithm>

#include "kernel/io.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/filter_module.h"
#include "ndis/items.h"
#include "ndis/library.h"
#include "ndis/net_event.h"
#include "ndis/plug_and_play.h"
#include "ndis/unload.h"

namespace undis {

NTSTATUS Library::load(kernel::Driver& driver,
                       kernel::callback<NTSTATUS(PDRIVER_OBJECT, PUNICODE_STRING)> entry) {
  const NTSTATUS status = driver.load(entry);
  entry_over_.set();
  if (!NT_SUCCESS(status)) {
    check_left_behind(driver, LeftBehind::When::FailedDriverEntry);
    system_.sweep(driver);
  } else {
    DRIVER_OBJECT* const object = driver.object();
    const bool handles_shutdown =
        object->MajorFunction[IRP_MJ_SHUTDOWN] != nullptr &&
        driver.image().holds(reinterpret_cast<const void*>(object->MajorFunction[IRP_MJ_SHUTDOWN]));
    if (handles_shutdown && !protocols_of(driver).empty() && !system_.has_shutdown_registration(driver))
      observer_.on(ShutdownFact{&driver, false, true});
  }
  return status;
}

bool Library::wait_until_loaded(kernel::Driver& driver) {
  while (driver.phase() == kernel::DriverPhase::InDriverEntry && !driver.in_driver_entry()) {
    entry_over_.reset();
    if (driver.phase() != kernel::DriverPhase::InDriverEntry) break;
    entry_over_.wait();
  }
  return driver.phase() != kernel::DriverPhase::FailedToLoad;
}

bool Library::unload(kernel::Driver& driver) {
  // An intermediate driver is taken away either by unbinding it or by removing its virtual devices first.
  if (kernel::choose("the bindings of the driver go before its devices")) {
    for (const Ref<ProtocolDriver>& protocol : protocols_of(driver))
      if (driver_was_intermediate(driver))
        for (const Ref<Binding>& binding : protocol->bindings()) binding->unbind();
  }
  report_orphaned_instances(driver);
  // PnP takes the driver's devices away; the Unload routine runs when all adapters are halted (LIFE-075,
  // LIFE-168).
  for (const Ref<Adapter>& adapter : adapters())
    if (&adapter->driver().driver() == &driver) remove_device(*adapter);
  system_.io().wait_until_closed(driver);
  if (!driver.unload()) return false;
  check_left_behind(driver, LeftBehind::When::Unload);
  system_.sweep(driver);
  return true;
}

void Library::report_orphaned_instances(kernel::Driver& driver) {
  for (const Ref<ProtocolDriver>& protocol : protocols_of(driver))
    if (!protocol->bindings().empty() || !protocol->ever_bound()) return;
  for (const Ref<DeviceInstance>& instance : instances())
    if (&instance->driver().driver() == &driver && instance->phase == DeviceInstance::Phase::Up)
      observer_.on(LeftBehind{LeftBehind::When::Unload, &driver, HandleKind::Adapter,
                              instance->adapter->name(), true, true, instance->driver().origin()});
}

void Library::check_left_behind(kernel::Driver& driver, LeftBehind::When when) {
  const bool failed_entry = when == LeftBehind::When::FailedDriverEntry;
  const std::vector<Ref<MiniportDriver>> miniports = miniport_drivers_of(driver);
  const bool intermediate =
      std::ranges::any_of(miniports, [](const Ref<MiniportDriver>& m) { return m->is_intermediate(); }) ||
      driver_was_intermediate(driver);

  services_.sweep(driver, when, intermediate);
  for (const Ref<ProtocolDriver>& protocol : protocols_of(driver)) {
    observer_.on(LeftBehind{when, &driver, protocol->handle_kind(), protocol->name(), intermediate,
                            protocol->ever_bound(), protocol->origin()});
    protocol->deregister("undis (clean-up)");
    remove(*protocol, "undis (clean-up)");
  }
  for (const Ref<FilterDriver>& filter : filter_drivers_of(driver)) {
    observer_.on(LeftBehind{when, &driver, HandleKind::FilterDriver, filter->name(), intermediate,
                            !filter->modules().empty(), filter->origin()});
    filter->deregister("undis (clean-up)");
    remove(*filter, "undis (clean-up)");
  }
  for (const Ref<DeviceInstance>& instance : instances()) {
    if (&instance->driver().driver() != &driver) continue;
    cancel_device_instance(instance->driver(), instance->device_name());
  }
  for (const Ref<MiniportDriver>& miniport : miniports) {
    // NdisMRegisterMiniport has no counterpart: after a clean Unload NDIS gives that registration back
    // itself.
    if (miniport->handle_kind() != HandleKind::MiniportDriver5)
      observer_.on(LeftBehind{when, &driver, miniport->handle_kind(), miniport->name(), intermediate, false,
                              miniport->origin()});
    remove(*miniport, "undis (clean-up)");
  }
  sweep_items(driver, when);
  if (const Ref<Wrapper> wrapper = wrapper_of(driver); wrapper) {
    if (failed_entry)
      observer_.on(LeftBehind{when, &driver, HandleKind::Wrapper, driver.name(), intermediate, false,
                              wrapper->origin()});
    remove(*wrapper, "undis (clean-up)");
  }
}

bool Library::driver_was_intermediate(const kernel::Driver& driver) const {
  const kernel::Hold hold(lock_);
  return std::ranges::find(intermediates_, &driver) != intermediates_.end();
}

NDIS_STATUS Library::reconfigure(ProtocolDriver& protocol, void* data, ULONG length) {
  return notify_protocol(protocol, NetEventReconfigure, data, length);
}

NDIS_STATUS Library::set_bind_list(ProtocolDriver& protocol,
                                   const std::vector<std::u16string>& device_names) {
  // Names with a terminator each, and one more at the end.
  std::u16string list;
  for (const std::u16string& name : device_names) list += name + u'\0';
  list += u'\0';
  return notify_protocol(protocol, NetEventBindList, list.data(),
                         static_cast<ULONG>(list.size() * sizeof(char16_t)));
}

void Library::uninstall(ProtocolDriver& protocol) {
  const Ref<ProtocolDriver> alive(protocol);
  for (const Ref<Binding>& binding : protocol.bindings()) binding->unbind();
  if (protocol.is_version6() && protocol.handlers6().Uninstall)
    kernel::call_driver(&protocol.driver(), callbacks::kProtocolUninstall, &protocol, nullptr,
                        protocol.handlers6().Uninstall);
}

void Library::bug_check() noexcept {
  const kernel::RaiseIrql raised(HIGH_LEVEL);
  for (const Ref<Adapter>& adapter : adapters()) adapter->shutdown(NdisShutdownBugCheck);
}

void Library::shutdown() {
  // Drivers that asked for it are told before devices are shut down: what they then send has to find its
  // adapter working (wdm/nf-wdm-ioregistershutdownnotification: before the file systems are flushed).
  std::vector<kernel::Driver*> asked;
  for (const Ref<ProtocolDriver>& protocol : protocols())
    if (system_.has_shutdown_registration(protocol->driver())) asked.push_back(&protocol->driver());
  system_.shutdown();
  for (kernel::Driver* driver : asked)
    if (!protocols_of(*driver).empty()) observer_.on(ShutdownFact{driver, true, false});
  for (const Ref<Adapter>& adapter : adapters()) adapter->shutdown(NdisShutdownPowerOff);
}

}  // namespace undis
