// SPDX-License-Identifier: MIT
//
// Power IRPs that drivers ask for, and power setting callbacks.
//
// Pages   wdm/nf-wdm-porequestpowerirp, ntifs/nf-ntifs-posetpowerstate,
// wdm/nf-wdm-poregisterpowersettingcallback Beyond  The host has no power policy: a setting never changes, so
// a registered callback is never called.
#include <memory>
#include <set>
#include <utility>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/device.h"
#include "kernel/io_parts.h"
#include "kernel/irp_track.h"
#include "kernel/kernel_call.h"
#include "kernel/lock.h"
#include "kernel/misuse.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr CallbackInfo kPowerComplete{"PowerCompletion", DISPATCH_LEVEL, true};

struct Settings {
  Lock lock;
  std::uintptr_t next GUARDED_BY(lock) = 1;
  std::set<std::uintptr_t> open GUARDED_BY(lock);
};
Settings settings;

}  // namespace

// Page wdm/nf-wdm-porequestpowerirp. The IRP goes to the top of the device's stack; the I/O manager frees it.
NTSTATUS PoRequestPowerIrp(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
                           PREQUEST_POWER_COMPLETE CompletionFunction, PVOID Context, PIRP* Irp) {
  const KernelCall call("PoRequestPowerIrp", DISPATCH_LEVEL);
  if (MinorFunction != IRP_MN_SET_POWER && MinorFunction != IRP_MN_QUERY_POWER &&
      MinorFunction != IRP_MN_WAIT_WAKE)
    return STATUS_INVALID_PARAMETER_2;
  if (fault_point("PoRequestPowerIrp")) return STATUS_INSUFFICIENT_RESOURCES;
  const PDEVICE_OBJECT device = top_of_stack(DeviceObject);
  Driver* const asker = current_driver();
  const PIRP irp = make_irp(device->StackSize, IrpTrack::Kind::Threaded, asker, [=](PIRP done) {
    IO_STATUS_BLOCK status = done->IoStatus;
    free_irp(done);
    if (CompletionFunction == nullptr) return;
    call_driver(
        asker, kPowerComplete, DeviceObject, Context,
        callback<void(PDEVICE_OBJECT, UCHAR, POWER_STATE, PVOID, PIO_STATUS_BLOCK)>(CompletionFunction),
        DeviceObject, MinorFunction, PowerState, Context, &status);
  });
  if (irp == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
  const PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
  location->MajorFunction = IRP_MJ_POWER;
  location->MinorFunction = MinorFunction;
  if (MinorFunction == IRP_MN_WAIT_WAKE) {
    location->Parameters.WaitWake.PowerState = PowerState.SystemState;
  } else {
    location->Parameters.Power.Type = DevicePowerState;
    location->Parameters.Power.State = PowerState;
  }
  if (Irp != nullptr) *Irp = irp;
  send_irp(device, irp);
  return STATUS_PENDING;
}

// Page ntifs/nf-ntifs-posetpowerstate: tells the power manager; it answers with the state that was told
// before.
POWER_STATE PoSetPowerState(PDEVICE_OBJECT DeviceObject, POWER_STATE_TYPE, POWER_STATE State) {
  const KernelCall call("PoSetPowerState", DISPATCH_LEVEL);
  Io::Parts& parts = System::current().io().parts();
  const Hold hold(parts.lock);
  DeviceEntry* const entry = parts.entry_locked(DeviceObject);
  return entry == nullptr ? State : std::exchange(entry->power, State);
}

// Page wdm/nf-wdm-poregisterpowersettingcallback
NTSTATUS PoRegisterPowerSettingCallback(PDEVICE_OBJECT, const GUID* SettingGuid,
                                        PPOWER_SETTING_CALLBACK Callback, PVOID, PVOID* Handle) {
  const KernelCall call("PoRegisterPowerSettingCallback", PASSIVE_LEVEL);
  if (SettingGuid == nullptr || Callback == nullptr) return STATUS_INVALID_PARAMETER;
  if (fault_point("PoRegisterPowerSettingCallback")) return STATUS_INSUFFICIENT_RESOURCES;
  const Hold hold(settings.lock);
  const std::uintptr_t number = settings.next++;
  settings.open.insert(number);
  if (Handle != nullptr) *Handle = reinterpret_cast<PVOID>(number);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-pounregisterpowersettingcallback
NTSTATUS PoUnregisterPowerSettingCallback(PVOID Handle) {
  const KernelCall call("PoUnregisterPowerSettingCallback", PASSIVE_LEVEL);
  bool known = false;
  {
    const Hold hold(settings.lock);
    known = settings.open.erase(reinterpret_cast<std::uintptr_t>(Handle)) != 0;
  }
  if (known) return STATUS_SUCCESS;
  report_misuse(Misuse::BadParameter, call.name(), Handle,
                "the handle is not registered, or was unregistered before");
  return STATUS_INVALID_PARAMETER;
}
