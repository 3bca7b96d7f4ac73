// SPDX-License-Identifier: MIT
//
// Cancel-safe IRP queues: the I/O manager's half over the driver's own queue and lock.
//
// Pages   kernel/cancel-safe-irp-queues, wdm/nf-wdm-iocsqinsertirpex, -iocsqremoveirp, -iocsqremovenextirp
// Beyond  The driver's Csq routines run as part of the driver's own call: CsqAcquireLock leaves with its lock
// held and the IRQL raised
//         by design, so they do not go through call_driver, which would report just that.
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"

using namespace undis::kernel;

namespace {

constexpr std::size_t kSlot = 3;  // DriverContext[3] of a queued IRP belongs to the queue, as documented

NTSTATUS insert(PIO_CSQ csq, PIRP irp, PVOID context) {
  if (csq->Type == IO_TYPE_CSQ_EX)
    return callback<NTSTATUS(PIO_CSQ, PIRP, PVOID)>{reinterpret_cast<PIO_CSQ_INSERT_IRP_EX>(
        reinterpret_cast<void*>(csq->CsqInsertIrp))}(csq, irp, context);
  callback<void(PIO_CSQ, PIRP)>{csq->CsqInsertIrp}(csq, irp);
  return STATUS_SUCCESS;
}
void remove(PIO_CSQ csq, PIRP irp) {
  callback<void(PIO_CSQ, PIRP)>{csq->CsqRemoveIrp}(csq, irp);
}
PIRP peek(PIO_CSQ csq, PIRP irp, PVOID context) {
  return callback<PIRP(PIO_CSQ, PIRP, PVOID)>{csq->CsqPeekNextIrp}(csq, irp, context);
}
KIRQL acquire(PIO_CSQ csq) {
  KIRQL before = PASSIVE_LEVEL;
  callback<void(PIO_CSQ, PKIRQL)>{csq->CsqAcquireLock}(csq, &before);
  return before;
}
void release(PIO_CSQ csq, KIRQL before) {
  callback<void(PIO_CSQ, KIRQL)>{csq->CsqReleaseLock}(csq, before);
}
void complete_canceled(PIO_CSQ csq, PIRP irp) {
  callback<void(PIO_CSQ, PIRP)>{csq->CsqCompleteCanceledIrp}(csq, irp);
}

/// The slot holds the queue itself or, when the driver gave one, its context, which leads to the queue.
PIO_CSQ queue_of(PIRP irp) {
  auto* const slot = static_cast<PIO_CSQ>(irp->Tail.Overlay.DriverContext[kSlot]);
  return slot->Type == IO_TYPE_CSQ_IRP_CONTEXT ? reinterpret_cast<PIO_CSQ_IRP_CONTEXT>(slot)->Csq : slot;
}

/// The queue has let go of the IRP.
void forget(PIRP irp) {
  auto* const slot = static_cast<PIO_CSQ>(irp->Tail.Overlay.DriverContext[kSlot]);
  if (slot->Type == IO_TYPE_CSQ_IRP_CONTEXT) reinterpret_cast<PIO_CSQ_IRP_CONTEXT>(slot)->Irp = nullptr;
  irp->Tail.Overlay.DriverContext[kSlot] = nullptr;
}

void cancel_queued(PDEVICE_OBJECT, PIRP irp) {
  IoReleaseCancelSpinLock(irp->CancelIrql);
  const PIO_CSQ csq = queue_of(irp);
  const KIRQL before = acquire(csq);
  remove(csq, irp);
  forget(irp);
  release(csq, before);
  complete_canceled(csq, irp);
}

void fill(PIO_CSQ csq, ULONG type, PIO_CSQ_INSERT_IRP insert_irp, PIO_CSQ_REMOVE_IRP remove_irp,
          PIO_CSQ_PEEK_NEXT_IRP peek_next, PIO_CSQ_ACQUIRE_LOCK acquire_lock,
          PIO_CSQ_RELEASE_LOCK release_lock, PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  csq->Type = type;
  csq->CsqInsertIrp = insert_irp;
  csq->CsqRemoveIrp = remove_irp;
  csq->CsqPeekNextIrp = peek_next;
  csq->CsqAcquireLock = acquire_lock;
  csq->CsqReleaseLock = release_lock;
  csq->CsqCompleteCanceledIrp = complete;
  csq->ReservePointer = nullptr;
}

}  // namespace

// Page wdm/nf-wdm-iocsqinitialize
NTSTATUS IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                         PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                         PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                         PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  const KernelCall call("IoCsqInitialize", DISPATCH_LEVEL);
  fill(Csq, IO_TYPE_CSQ, CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
       CsqCompleteCanceledIrp);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-iocsqinitializeex
NTSTATUS IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                           PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                           PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                           PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  const KernelCall call("IoCsqInitializeEx", DISPATCH_LEVEL);
  void* const insert_ex = reinterpret_cast<void*>(CsqInsertIrp);
  fill(Csq, IO_TYPE_CSQ_EX, reinterpret_cast<PIO_CSQ_INSERT_IRP>(insert_ex), CsqRemoveIrp, CsqPeekNextIrp,
       CsqAcquireLock, CsqReleaseLock, CsqCompleteCanceledIrp);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-iocsqinsertirp
VOID IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context) {
  IoCsqInsertIrpEx(Csq, Irp, Context, nullptr);
}

// Page wdm/nf-wdm-iocsqinsertirpex
NTSTATUS IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext) {
  const KernelCall call("IoCsqInsertIrpEx", DISPATCH_LEVEL);
  if (Context != nullptr) {
    Context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
    Context->Irp = Irp;
    Context->Csq = Csq;
    Irp->Tail.Overlay.DriverContext[kSlot] = Context;
  } else {
    Irp->Tail.Overlay.DriverContext[kSlot] = Csq;
  }
  const KIRQL before = acquire(Csq);
  const NTSTATUS status = insert(Csq, Irp, InsertContext);
  if (!NT_SUCCESS(status)) {
    forget(Irp);
    release(Csq, before);
    return status;
  }
  IoMarkIrpPending(Irp);
  IoSetCancelRoutine(Irp, cancel_queued);
  // Cancelled before the routine was set: nobody else will take it out. If the canceller got the routine, it
  // does the rest.
  if (Irp->Cancel != FALSE && IoSetCancelRoutine(Irp, nullptr) != nullptr) {
    remove(Csq, Irp);
    forget(Irp);
    release(Csq, before);
    complete_canceled(Csq, Irp);
    return STATUS_SUCCESS;
  }
  release(Csq, before);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-iocsqremovenextirp
PIRP IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeeIO_TYPE_CSQ_IRP_CONTEXT) {
  const KernelCall call("IoCsqRemoveNextIrp", DISPATCH_LEVEL);
  const KIRQL before = acquire(Csq);
  PIRP irp = peek(Csq, nullptr, PeeIO_TYPE_CSQ_IRP_CONTEXT);
  // One whose cancel routine is taken is just being cancelled: it belongs to the canceller.
  while (irp != nullptr && IoSetCancelRoutine(irp, nullptr) == nullptr)
    irp = peek(Csq, irp, PeeIO_TYPE_CSQ_IRP_CONTEXT);
  if (irp != nullptr) {
    remove(Csq, irp);
    forget(irp);
  }
  release(Csq, before);
  return irp;
}

// Page wdm/nf-wdm-iocsqremoveirp
PIRP IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context) {
  const KernelCall call("IoCsqRemoveIrp", DISPATCH_LEVEL);
  const KIRQL before = acquire(Csq);
  PIRP irp = Context->Irp;
  if (irp != nullptr && IoSetCancelRoutine(irp, nullptr) != nullptr) {
    remove(Csq, irp);
    forget(irp);
  } else {
    irp = nullptr;
  }
  release(Csq, before);
  return irp;
}
