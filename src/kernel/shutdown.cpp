// SPDX-License-Identifier: MIT
//
// Shutdown notification: registration by device, and the round of IRP_MJ_SHUTDOWN when the system goes down.
//
// Pages   wdm/nf-wdm-ioregistershutdownnotification, -iounregistershutdownnotification,
// -ioregisterlastchanceshutdownnotification Order   Last registered first; then the last-chance
// registrations, again last first. The page promises no order.
#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/device.h"
#include "kernel/file.h"
#include "kernel/io_parts.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

NTSTATUS add_hook(const char* name, PDEVICE_OBJECT device, bool last_chance) {
  const KernelCall call(name, PASSIVE_LEVEL);
  if (fault_point(name)) return STATUS_INSUFFICIENT_RESOURCES;
  Io::Parts& parts = System::current().io().parts();
  bool known = false;
  {
    const Hold hold(parts.lock);
    if (const DeviceEntry* const entry = parts.entry_locked(device)) {
      parts.shutdown_hooks.push_back({device, entry->driver, last_chance, Stack::capture(2)});
      known = true;
    }
  }
  if (known) return STATUS_SUCCESS;
  report_misuse(Misuse::BadParameter, name, device, "DeviceObject is no live device object");
  return STATUS_INVALID_PARAMETER;
}

}  // namespace

namespace undis::kernel {

void Io::shutdown() {
  for (const bool last_chance : {false, true}) {
    std::vector<ShutdownHook> hooks;
    {
      const Hold hold(parts_->lock);
      hooks = parts_->shutdown_hooks;
    }
    for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook) {
      if (hook->last_chance != last_chance) continue;
      bool still_registered = false;
      {
        const Hold hold(parts_->lock);
        still_registered = std::any_of(parts_->shutdown_hooks.begin(), parts_->shutdown_hooks.end(),
                                       [&](const ShutdownHook& now) {
                                         return now.device == hook->device && now.last_chance == last_chance;
                                       });
      }
      if (still_registered) send_and_wait(top_of_stack(hook->device), IRP_MJ_SHUTDOWN, nullptr);
    }
  }
}

bool Io::has_shutdown_registration(const Driver& driver) const noexcept {
  const Hold hold(parts_->lock);
  return std::ranges::any_of(parts_->shutdown_hooks,
                             [&](const ShutdownHook& hook) { return hook.driver == &driver; });
}

}  // namespace undis::kernel

// Page wdm/nf-wdm-ioregistershutdownnotification
NTSTATUS IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject) {
  return add_hook("IoRegisterShutdownNotification", DeviceObject, false);
}

// Page wdm/nf-wdm-ioregisterlastchanceshutdownnotification
NTSTATUS IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT DeviceObject) {
  return add_hook("IoRegisterLastChanceShutdownNotification", DeviceObject, true);
}

// Page wdm/nf-wdm-iounregistershutdownnotification
VOID IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject) {
  const KernelCall call("IoUnregisterShutdownNotification", PASSIVE_LEVEL);
  Io::Parts& parts = System::current().io().parts();
  std::size_t removed = 0;
  {
    const Hold hold(parts.lock);
    removed = std::erase_if(parts.shutdown_hooks,
                            [&](const ShutdownHook& hook) { return hook.device == DeviceObject; });
  }
  if (removed == 0)
    report_misuse(Misuse::BadParameter, "IoUnregisterShutdownNotification", DeviceObject,
                  "the device is not registered for shutdown");
}
