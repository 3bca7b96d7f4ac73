// SPDX-License-Identifier: MIT
//
// Making, freeing and cancelling IRPs, as drivers reach it.
//
// Pages   wdm/nf-wdm-ioallocateirp, -iofreeirp, -ioinitializeirp, -ioreuseirp,
// -iobuilddeviceiocontrolrequest,
//         -iobuildsynchronousfsdrequest, -iobuildasynchronousfsdrequest, -iocancelirp,
//         -ioacquirecancelspinlock
#include <cstring>
#include <memory>
#include <utility>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/io_parts.h"
#include "kernel/irp_build.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr CallbackInfo kCancel{"Cancel", DISPATCH_LEVEL, true};

KSPIN_LOCK& cancel_lock() noexcept {
  static KSPIN_LOCK lock = 0;  // a free KSPIN_LOCK is zero; one for the whole system, as on Windows
  return lock;
}

/// What the I/O manager does at the end of an IRP that a driver built for itself to wait on.
void finish_threaded(PIRP irp, Transfer& transfer, PKEVENT event, PIO_STATUS_BLOCK status) {
  end_transfer(irp, transfer);
  if (status != nullptr) *status = irp->IoStatus;
  free_irp(irp);
  if (event != nullptr) KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

PIRP make_threaded(PDEVICE_OBJECT device, PKEVENT event, PIO_STATUS_BLOCK status,
                   std::shared_ptr<Transfer>& transfer) {
  transfer = std::make_shared<Transfer>();
  const PIRP irp =
      make_irp(device->StackSize, IrpTrack::Kind::Threaded, current_driver(),
               [transfer, event, status](PIRP done) { finish_threaded(done, *transfer, event, status); });
  if (irp == nullptr) return nullptr;
  irp->UserEvent = event;
  irp->UserIosb = status;
  irp->RequestorMode = KernelMode;
  irp->Tail.Overlay.Thread = KeGetCurrentThread();
  return irp;
}

/// Runs within the frame of the driver's Cancel routine, which enters with the cancel lock held and leaves
/// without it. So lock and IRQL are the same before and after, as for any other callback.
void cancel_with_lock_held(PDEVICE_OBJECT device, PIRP irp, BOOLEAN* called) {
  KIRQL before = PASSIVE_LEVEL;
  KeAcquireSpinLock(&cancel_lock(), &before);
  const PDRIVER_CANCEL routine = IoSetCancelRoutine(irp, nullptr);
  if (routine == nullptr) {
    KeReleaseSpinLock(&cancel_lock(), before);
    return;
  }
  *called = TRUE;
  irp->CancelIrql = before;
  callback<void(PDEVICE_OBJECT, PIRP)>{routine}(device, irp);
}

}  // namespace

// Page wdm/nf-wdm-ioallocateirp
PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN) {
  const KernelCall call("IoAllocateIrp", DISPATCH_LEVEL);
  if (StackSize <= 0) {
    report_misuse(Misuse::BadParameter, "IoAllocateIrp", nullptr, "StackSize must be at least 1");
    return nullptr;
  }
  if (fault_point("IoAllocateIrp")) return nullptr;
  return make_irp(StackSize, IrpTrack::Kind::Allocated, current_driver(), {});
}

// Page wdm/nf-wdm-ioallocateirpex
PIRP IoAllocateIrpEx(PDEVICE_OBJECT, CCHAR StackSize, BOOLEAN ChargeQuota) {
  return IoAllocateIrp(StackSize, ChargeQuota);
}

// Page wdm/nf-wdm-iofreeirp
VOID IoFreeIrp(PIRP Irp) {
  const KernelCall call("IoFreeIrp", DISPATCH_LEVEL);
  const std::shared_ptr<IrpTrack> track = track_of(Irp);
  if (track == nullptr || !track->pooled) {
    report_misuse(Misuse::IrpMisuse, "IoFreeIrp", Irp,
                  track == nullptr
                      ? "the pointer given is no IRP, or it was freed before"
                      : "the IRP stands in the driver's own memory: IoAllocateIrp did not make it");
    return;
  }
  if (track->kind == IrpTrack::Kind::Threaded)
    report_misuse(Misuse::IrpMisuse, "IoFreeIrp", Irp,
                  "the I/O manager frees an IRP of this kind when it is completed", track->made);
  if (track->sent && !track->completed && Irp->CurrentLocation <= Irp->StackCount)
    report_misuse(Misuse::IrpMisuse, "IoFreeIrp", Irp, "the IRP is still with a lower driver", track->made);
  free_irp(Irp);
}

// Page wdm/nf-wdm-ioinitializeirp
VOID IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize) {
  const KernelCall call("IoInitializeIrp", DISPATCH_LEVEL);
  const std::shared_ptr<IrpTrack> known = track_of(Irp);
  if (known != nullptr && known->pooled) {
    report_misuse(Misuse::IrpMisuse, "IoInitializeIrp", Irp,
                  "an IRP of IoAllocateIrp is initialised again: IoReuseIrp is meant", known->made);
    return;
  }
  if (StackSize <= 0 || PacketSize < IoSizeOfIrp(StackSize)) {
    report_misuse(Misuse::BadParameter, "IoInitializeIrp", Irp,
                  "PacketSize is smaller than IoSizeOfIrp(StackSize)");
    return;
  }
  initialize_irp(Irp, PacketSize, StackSize);
  track_irp(Irp, IrpTrack::Kind::Allocated, current_driver(), false, {});
}

// Page wdm/nf-wdm-ioreuseirp
VOID IoReuseIrp(PIRP Irp, NTSTATUS Iostatus) {
  const KernelCall call("IoReuseIrp", DISPATCH_LEVEL);
  const std::shared_ptr<IrpTrack> track = track_of(Irp);
  if (track == nullptr || track->kind != IrpTrack::Kind::Allocated) {
    report_misuse(Misuse::IrpMisuse, "IoReuseIrp", Irp, "only an IRP of IoAllocateIrp may be used again");
    return;
  }
  if (track->sent && !track->completed && Irp->CurrentLocation <= Irp->StackCount) {
    report_misuse(Misuse::IrpMisuse, "IoReuseIrp", Irp, "the IRP is still with a lower driver", track->made);
    return;
  }
  const UCHAR allocation = Irp->AllocationFlags;
  initialize_irp(Irp, Irp->Size, Irp->StackCount);
  Irp->AllocationFlags = allocation;
  Irp->IoStatus.Status = Iostatus;
  track->sent = track->completed = false;
}

// Page wdm/nf-wdm-iobuilddeviceiocontrolrequest
PIRP IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject, PVOID InputBuffer,
                                   ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
                                   BOOLEAN InternalDeviceIoControl, PKEVENT Event,
                                   PIO_STATUS_BLOCK IoStatusBlock) {
  const KernelCall call("IoBuildDeviceIoControlRequest", PASSIVE_LEVEL);
  if (fault_point("IoBuildDeviceIoControlRequest")) return nullptr;
  std::shared_ptr<Transfer> transfer;
  const PIRP irp = make_threaded(DeviceObject, Event, IoStatusBlock, transfer);
  if (irp == nullptr) return nullptr;
  if (!prepare_ioctl(irp, InternalDeviceIoControl != FALSE, IoControlCode, InputBuffer, InputBufferLength,
                     OutputBuffer, OutputBufferLength, *transfer)) {
    free_irp(irp);
    return nullptr;
  }
  return irp;
}

namespace {

/// Read, write, flush, shutdown, PnP: what the two FsdRequest builders share.
bool prepare_fsd(PIRP irp, ULONG major, PDEVICE_OBJECT device, PVOID buffer, ULONG length,
                 PLARGE_INTEGER offset, Transfer& transfer) {
  if (major == IRP_MJ_READ || major == IRP_MJ_WRITE) {
    return prepare_read_write(irp, device, static_cast<UCHAR>(major), buffer, length,
                              offset == nullptr ? 0 : offset->QuadPart, transfer);
  }
  IoGetNextIrpStackLocation(irp)->MajorFunction = static_cast<UCHAR>(major);
  return true;
}

}  // namespace

// Page wdm/nf-wdm-iobuildsynchronousfsdrequest
PIRP IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer,
                                  ULONG Length, PLARGE_INTEGER StartingOffset, PKEVENT Event,
                                  PIO_STATUS_BLOCK IoStatusBlock) {
  const KernelCall call("IoBuildSynchronousFsdRequest", PASSIVE_LEVEL);
  if (fault_point("IoBuildSynchronousFsdRequest")) return nullptr;
  std::shared_ptr<Transfer> transfer;
  const PIRP irp = make_threaded(DeviceObject, Event, IoStatusBlock, transfer);
  if (irp == nullptr) return nullptr;
  if (!prepare_fsd(irp, MajorFunction, DeviceObject, Buffer, Length, StartingOffset, *transfer)) {
    free_irp(irp);
    return nullptr;
  }
  return irp;
}

// Page wdm/nf-wdm-iobuildasynchronousfsdrequest. The driver frees the IRP, and the MDL or buffer in it, in
// its completion routine.
PIRP IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer,
                                   ULONG Length, PLARGE_INTEGER StartingOffset,
                                   PIO_STATUS_BLOCK IoStatusBlock) {
  const KernelCall call("IoBuildAsynchronousFsdRequest", DISPATCH_LEVEL);
  if (fault_point("IoBuildAsynchronousFsdRequest")) return nullptr;
  const PIRP irp = make_irp(DeviceObject->StackSize, IrpTrack::Kind::Allocated, current_driver(), {});
  if (irp == nullptr) return nullptr;
  irp->UserIosb = IoStatusBlock;
  irp->RequestorMode = KernelMode;
  irp->Tail.Overlay.Thread = KeGetCurrentThread();
  Transfer transfer;
  if (!prepare_fsd(irp, MajorFunction, DeviceObject, Buffer, Length, StartingOffset, transfer)) {
    free_irp(irp);
    return nullptr;
  }
  return irp;
}

// Page wdm/nf-wdm-ioacquirecancelspinlock
VOID IoAcquireCancelSpinLock(PKIRQL Irql) {
  const KernelCall call("IoAcquireCancelSpinLock", DISPATCH_LEVEL);
  KeAcquireSpinLock(&cancel_lock(), Irql);
}

// Page wdm/nf-wdm-ioreleasecancelspinlock
VOID IoReleaseCancelSpinLock(KIRQL Irql) {
  const KernelCall call("IoReleaseCancelSpinLock", DISPATCH_LEVEL);
  KeReleaseSpinLock(&cancel_lock(), Irql);
}

// Page wdm/nf-wdm-iocancelirp
BOOLEAN IoCancelIrp(PIRP Irp) {
  const KernelCall call("IoCancelIrp", DISPATCH_LEVEL);
  const std::shared_ptr<IrpTrack> track = track_of(Irp);
  if (track == nullptr) {
    report_misuse(Misuse::IrpMisuse, "IoCancelIrp", Irp,
                  "the pointer given is no IRP, or it was freed before");
    return FALSE;
  }
  KIRQL before = PASSIVE_LEVEL;
  KeAcquireSpinLock(&cancel_lock(), &before);
  Irp->Cancel = TRUE;
  const bool cancellable = Irp->CancelRoutine != nullptr;
  const PDEVICE_OBJECT device =
      Irp->CurrentLocation <= Irp->StackCount ? IoGetCurrentIrpStackLocation(Irp)->DeviceObject : nullptr;
  KeReleaseSpinLock(&cancel_lock(), before);
  if (!cancellable) return FALSE;
  BOOLEAN called = FALSE;
  call_driver(System::current().io().owner_of(device), kCancel, device, Irp,
              callback<void(PDEVICE_OBJECT, PIRP, BOOLEAN*)>(cancel_with_lock_held), device, Irp, &called);
  return called;
}

// Page ntifs/nf-ntifs-iogetrequestorprocess
PEPROCESS IoGetRequestorProcess(PIRP) {
  return IoGetCurrentProcess();
}

// Page ntifs/nf-ntifs-iogetrequestorprocessid
ULONG IoGetRequestorProcessId(PIRP) {
  return static_cast<ULONG>(reinterpret_cast<ULONG_PTR>(PsGetCurrentProcessId()));
}

// Page ntddk/nf-ntddk-iomakeassociatedirp. Completing the last associated IRP completes the master, unless a
// routine stops it.
PIRP IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize) {
  const KernelCall call("IoMakeAssociatedIrp", DISPATCH_LEVEL);
  if (StackSize <= 0 || fault_point("IoMakeAssociatedIrp")) return nullptr;
  const PIRP associated = make_irp(StackSize, IrpTrack::Kind::Threaded, current_driver(), [Irp](PIRP done) {
    free_irp(done);
    if (__atomic_sub_fetch(&Irp->AssociatedIrp.IrpCount, 1, __ATOMIC_SEQ_CST) == 0)
      IoCompleteRequest(Irp, IO_NO_INCREMENT);
  });
  if (associated == nullptr) return nullptr;
  associated->AssociatedIrp.MasterIrp = Irp;
  associated->Tail.Overlay.Thread = Irp->Tail.Overlay.Thread;
  return associated;
}

// Page wdm/nf-wdm-iovalidatedeviceiocontrolaccess: whoever opens a device here may read and write it.
NTSTATUS IoValidateDeviceIoControlAccess(PIRP, ULONG) {
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-iois32bitprocess
BOOLEAN IoIs32bitProcess(PIRP) {
  return FALSE;
}
