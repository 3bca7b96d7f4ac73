// SPDX-License-Identifier: MIT
//
// The way of an IRP: down through IoCallDriver, up through IoCompleteRequest, and what is wrong with it on
// the way.
//
// Pages   wdm/nf-wdm-iocalldriver, wdm/nf-wdm-iocompleterequest, wdm/nc-wdm-io_completion_routine,
// kernel/completing-irps Beyond  An IRP that is completed twice, completed with a cancel routine set, or
// returned from a dispatch routine in contradiction
//         to its state is reported, and the call is carried out as far as it makes sense.
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/io_parts.h"
#include "kernel/irp_track.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/system.h"

namespace undis::kernel {
namespace {

constexpr ULONG kIrpTag = 0x20707249;  // 'Irp '
constexpr CSHORT kIrpType = 6;         // IO_TYPE_IRP
constexpr const char* kComplete = "IoCompleteRequest";
constexpr const char* kCall = "IoCallDriver";

/// Dispatch routines by major function, named as the documentation names them. IRPs may be sent at any level
/// up to DISPATCH_LEVEL; which of them a driver sees at PASSIVE_LEVEL only is the sender's promise.
constexpr CallbackInfo kDispatch[] = {
    {"DispatchCreate", DISPATCH_LEVEL, true},
    {"DispatchCreateNamedPipe", DISPATCH_LEVEL, true},
    {"DispatchClose", DISPATCH_LEVEL, true},
    {"DispatchRead", DISPATCH_LEVEL, true},
    {"DispatchWrite", DISPATCH_LEVEL, true},
    {"DispatchQueryInformation", DISPATCH_LEVEL, true},
    {"DispatchSetInformation", DISPATCH_LEVEL, true},
    {"DispatchQueryEa", DISPATCH_LEVEL, true},
    {"DispatchSetEa", DISPATCH_LEVEL, true},
    {"DispatchFlushBuffers", DISPATCH_LEVEL, true},
    {"DispatchQueryVolumeInformation", DISPATCH_LEVEL, true},
    {"DispatchSetVolumeInformation", DISPATCH_LEVEL, true},
    {"DispatchDirectoryControl", DISPATCH_LEVEL, true},
    {"DispatchFileSystemControl", DISPATCH_LEVEL, true},
    {"DispatchDeviceControl", DISPATCH_LEVEL, true},
    {"DispatchInternalDeviceControl", DISPATCH_LEVEL, true},
    {"DispatchShutdown", DISPATCH_LEVEL, true},
    {"DispatchLockControl", DISPATCH_LEVEL, true},
    {"DispatchCleanup", DISPATCH_LEVEL, true},
    {"DispatchCreateMailslot", DISPATCH_LEVEL, true},
    {"DispatchQuerySecurity", DISPATCH_LEVEL, true},
    {"DispatchSetSecurity", DISPATCH_LEVEL, true},
    {"DispatchPower", DISPATCH_LEVEL, true},
    {"DispatchSystemControl", DISPATCH_LEVEL, true},
    {"DispatchDeviceChange", DISPATCH_LEVEL, true},
    {"DispatchQueryQuota", DISPATCH_LEVEL, true},
    {"DispatchSetQuota", DISPATCH_LEVEL, true},
    {"DispatchPnP", DISPATCH_LEVEL, true},
};
static_assert(std::size(kDispatch) == IRP_MJ_MAXIMUM_FUNCTION + 1);
constexpr CallbackInfo kCompletion{"IoCompletion", DISPATCH_LEVEL, true};

Io::Parts& tables() {
  return System::current().io().parts();
}

/// Complains about an IRP that is not, or no longer, one: completed twice, freed, or never made.
void report_unknown(const char* function, PIRP irp) {
  PoolBlock block;
  const bool ours = System::current().pool().find(irp, block) && block.tag == kIrpTag;
  report_misuse(Misuse::IrpMisuse, function, irp,
                ours ? "the IRP was completed and freed before"
                     : "the pointer given is no IRP that the I/O manager knows",
                ours ? *block.freed : Stack{});
}

bool wants(const IO_STACK_LOCATION& location, const IRP& irp) noexcept {
  if (location.CompletionRoutine == nullptr) return false;
  if (NT_SUCCESS(irp.IoStatus.Status) && (location.Control & SL_INVOKE_ON_SUCCESS) != 0) return true;
  if (!NT_SUCCESS(irp.IoStatus.Status) && (location.Control & SL_INVOKE_ON_ERROR) != 0) return true;
  return irp.Cancel != FALSE && (location.Control & SL_INVOKE_ON_CANCEL) != 0;
}

/// Empties a stack location that completion leaves, as Windows does, so that nobody reads it afterwards.
void wipe(IO_STACK_LOCATION& location) noexcept {
  location.MinorFunction = 0;
  location.Flags = 0;
  location.Control = 0;
  std::memset(&location.Parameters, 0, sizeof location.Parameters);
  location.FileObject = nullptr;
}

/// What the dispatch routine returned, held against what became of the IRP. Page kernel/completing-irps.
void check_return(Driver* driver, const char* routine, const IRP* irp, const IrpTrack& track, CHAR number,
                  const IO_STACK_LOCATION* location, NTSTATUS status) {
  const IrpTrack::Level& level = track.levels[static_cast<std::size_t>(number)];
  if (!level.walked && track_of(irp).get() != &track)
    return;  // freed by its maker without ever being completed: reported there
  const bool marked = level.walked ? level.marked_pending : (location->Control & SL_PENDING_RETURNED) != 0;
  if (status == STATUS_PENDING && !marked) {
    report_misuse_of(driver, Misuse::IrpMisuse, routine, irp,
                     "returned STATUS_PENDING without marking the IRP pending", track.made);
  } else if (status != STATUS_PENDING && marked) {
    report_misuse_of(driver, Misuse::IrpMisuse, routine, irp,
                     fmt::format("marked the IRP pending and returned {:#010x} instead of STATUS_PENDING",
                                 static_cast<ULONG>(status)),
                     track.made);
  } else if (status != STATUS_PENDING && !level.walked) {
    report_misuse_of(driver, Misuse::IrpMisuse, routine, irp,
                     fmt::format("returned {:#010x} without completing the IRP", static_cast<ULONG>(status)),
                     track.made);
  }
}

}  // namespace

NTSTATUS invalid_device_request(PDEVICE_OBJECT, PIRP irp) {
  irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
  irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_INVALID_DEVICE_REQUEST;
}

void initialize_irp(PIRP irp, USHORT size, CCHAR stack_size) noexcept {
  // What there is room for beyond `stack_size` lies below the lowest location.
  const std::size_t room = (size - sizeof(IRP)) / sizeof(IO_STACK_LOCATION);
  const std::size_t spare = room - static_cast<std::size_t>(stack_size);
  std::memset(irp, 0, size);
  irp->Type = kIrpType;
  irp->Size = size;
  irp->StackCount = stack_size;
  irp->CurrentLocation = static_cast<CHAR>(stack_size + 1);
  irp->Tail.Overlay.CurrentStackLocation = reinterpret_cast<PIO_STACK_LOCATION>(irp + 1) + spare + stack_size;
  InitializeListHead(&irp->ThreadListEntry);
}

void track_irp(PIRP irp, IrpTrack::Kind kind, Driver* maker, bool pooled, std::function<void(PIRP)> finish) {
  auto track = std::make_shared<IrpTrack>();
  track->kind = kind;
  track->maker = maker;
  track->pooled = pooled;
  track->levels.resize(static_cast<std::size_t>(irp->StackCount) + 2);
  track->made = Stack::capture(2);
  track->finish = std::move(finish);
  Io::Parts& parts = tables();
  const Hold hold(parts.lock);
  track->number = parts.next_irp++;
  parts.irps[irp] = std::move(track);
}

PIRP make_irp(CCHAR stack_size, IrpTrack::Kind kind, Driver* maker, std::function<void(PIRP)> finish) {
  // One location more than asked for: a driver that runs out of them writes its next one there, not into the
  // IRP itself.
  const auto size = static_cast<USHORT>(sizeof(IRP) + (static_cast<std::size_t>(stack_size) + 1) *
                                                          sizeof(IO_STACK_LOCATION));
  Pool::Request request;
  request.size = size;
  request.tag = kIrpTag;
  auto* const irp = static_cast<PIRP>(System::current().pool().allocate(request));
  if (irp == nullptr) return nullptr;
  initialize_irp(irp, size, stack_size);
  track_irp(irp, kind, maker, true, std::move(finish));
  return irp;
}

void free_irp(PIRP irp) noexcept {
  Io::Parts& parts = tables();
  bool pooled = false;
  {
    const Hold hold(parts.lock);
    const auto found = parts.irps.find(irp);
    if (found == parts.irps.end()) return;
    pooled = found->second->pooled;
    parts.irps.erase(found);
  }
  if (pooled) System::current().pool().free(irp, kIrpTag, "IoFreeIrp", nullptr);
}

std::shared_ptr<IrpTrack> track_of(const IRP* irp) {
  Io::Parts& parts = tables();
  const Hold hold(parts.lock);
  const auto found = parts.irps.find(irp);
  return found == parts.irps.end() ? nullptr : found->second;
}

NTSTATUS send_irp(PDEVICE_OBJECT device, PIRP irp) {
  const std::shared_ptr<IrpTrack> track = track_of(irp);
  if (track == nullptr) {
    report_unknown(kCall, irp);
    return STATUS_INVALID_PARAMETER;
  }
  bool live = false;
  Driver* driver = nullptr;
  {
    Io::Parts& parts = tables();
    const Hold hold(parts.lock);
    const DeviceEntry* const entry = parts.entry_locked(device);
    live = entry != nullptr;
    if (live) driver = entry->driver;
  }
  if (!live || irp->CurrentLocation <= 1) {
    report_misuse(Misuse::IrpMisuse, kCall, irp,
                  live ? "the IRP has no stack location left for the next driver: it was allocated with too "
                         "small a StackSize"
                       : "DeviceObject is no live device object",
                  track->made);
    irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
  }

  --irp->CurrentLocation;
  const PIO_STACK_LOCATION location = --irp->Tail.Overlay.CurrentStackLocation;
  const CHAR number = irp->CurrentLocation;
  location->DeviceObject = device;
  track->sent = true;
  track->holder = driver;
  track->levels[static_cast<std::size_t>(number)] = {};
  const UCHAR major = location->MajorFunction <= IRP_MJ_MAXIMUM_FUNCTION
                          ? location->MajorFunction
                          : UCHAR{IRP_MJ_INTERNAL_DEVICE_CONTROL};
  const PDRIVER_DISPATCH dispatch = device->DriverObject->MajorFunction[major];
  const NTSTATUS status = call_driver(driver, kDispatch[major], device, irp,
                                      callback<NTSTATUS(PDEVICE_OBJECT, PIRP)>(dispatch), device, irp);
  check_return(driver, kDispatch[major].name, irp, *track, number, location, status);
  return status;
}

/// Up through the stack locations, then back to its maker.
static void complete_irp(PIRP irp, IrpTrack& track) {
  while (irp->CurrentLocation <= irp->StackCount) {
    const PIO_STACK_LOCATION location = irp->Tail.Overlay.CurrentStackLocation;
    IrpTrack::Level& level = track.levels[static_cast<std::size_t>(irp->CurrentLocation)];
    level.walked = true;
    level.marked_pending = (location->Control & SL_PENDING_RETURNED) != 0;
    irp->PendingReturned = level.marked_pending ? TRUE : FALSE;
    const bool invoke = wants(*location, *irp);
    const PIO_COMPLETION_ROUTINE routine = location->CompletionRoutine;
    const PVOID context = location->Context;
    wipe(*location);
    ++irp->CurrentLocation;
    ++irp->Tail.Overlay.CurrentStackLocation;
    const bool at_top = irp->CurrentLocation > irp->StackCount;
    if (invoke) {
      // The routine belongs to the driver above; the maker of the IRP has no stack location and gets no
      // device.
      const PDEVICE_OBJECT device = at_top ? nullptr : irp->Tail.Overlay.CurrentStackLocation->DeviceObject;
      Driver* const driver = at_top ? track.maker : System::current().io().owner_of(device);
      track.holder = driver;
      const NTSTATUS status =
          call_driver(driver, kCompletion, device, irp,
                      callback<NTSTATUS(PDEVICE_OBJECT, PIRP, PVOID)>(routine), device, irp, context);
      if (status == STATUS_MORE_PROCESSING_REQUIRED)
        return;  // the IRP is the driver's again and may be gone already
    } else if (level.marked_pending && !at_top) {
      irp->Tail.Overlay.CurrentStackLocation->Control |= SL_PENDING_RETURNED;
    }
  }
  track.completed = true;
  track.holder = nullptr;
  track.finished_at = Stack::capture(1);
  if (track.finish) {
    const auto finish = track.finish;
    finish(irp);
    return;
  }
  report_misuse_of(track.maker, Misuse::IrpMisuse, kComplete, irp,
                   "an IRP that a driver allocated went up to the end: its completion routine must return "
                   "STATUS_MORE_PROCESSING_REQUIRED",
                   track.made);
}

}  // namespace undis::kernel

using namespace undis::kernel;

// Page wdm/nf-wdm-iocalldriver
NTSTATUS IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  const KernelCall call(kCall, DISPATCH_LEVEL);
  return send_irp(DeviceObject, Irp);
}

NTSTATUS IoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  return IofCallDriver(DeviceObject, Irp);
}

// Page ntifs/nf-ntifs-pocalldriver
NTSTATUS PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  const KernelCall call("PoCallDriver", DISPATCH_LEVEL);
  return send_irp(DeviceObject, Irp);
}

// Page ntifs/nf-ntifs-postartnextpowerirp: needed up to Windows XP, does nothing since Vista.
VOID PoStartNextPowerIrp(PIRP) {
  const KernelCall call("PoStartNextPowerIrp", DISPATCH_LEVEL);
}

// Page wdm/nf-wdm-iocompleterequest
VOID IofCompleteRequest(PIRP Irp, CCHAR) {
  const KernelCall call(kComplete, DISPATCH_LEVEL);
  const std::shared_ptr<IrpTrack> track = track_of(Irp);
  if (track == nullptr) return report_unknown(kComplete, Irp);
  if (track->completed || Irp->CurrentLocation > Irp->StackCount + 1) {
    report_misuse(Misuse::IrpMisuse, kComplete, Irp, "the IRP was completed before", track->finished_at);
    return;
  }
  if (Irp->IoStatus.Status == STATUS_PENDING)
    report_misuse(Misuse::IrpMisuse, kComplete, Irp,
                  "the IRP is completed with IoStatus.Status STATUS_PENDING", track->made);
  if (Irp->CancelRoutine != nullptr) {
    report_misuse(Misuse::IrpMisuse, kComplete, Irp,
                  "the IRP is completed while its cancel routine is still set", track->made);
    Irp->CancelRoutine = nullptr;
  }
  complete_irp(Irp, *track);
}

VOID IoCompleteRequest(PIRP Irp, CCHAR PriorityBoost) {
  IofCompleteRequest(Irp, PriorityBoost);
}
