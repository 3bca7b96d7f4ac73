// SPDX-License-Identifier: MIT
//
// Device queues, and the start-I/O queue of a device object that is made of one.
//
// Pages   wdm/nf-wdm-keinitializedevicequeue, -keinsertdevicequeue, -keremovedevicequeue,
// -keremoveentrydevicequeue;
//         ntifs/nf-ntifs-iostartpacket, -iostartnextpacket
#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/driver.h"
#include "kernel/io.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/spin.h"
#include "kernel/system.h"

namespace undis::kernel {
namespace {

constexpr CallbackInfo kStartIo{"DRIVER_STARTIO", DISPATCH_LEVEL, false};
constexpr CSHORT kQueueType = 20;  // DeviceQueueObject

KDEVICE_QUEUE_ENTRY& entry_of(LIST_ENTRY* link) {
  return *CONTAINING_RECORD(link, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

bool check_queue(const KDEVICE_QUEUE* queue, const char* function) {
  if (queue->Type == kQueueType) return true;
  report_misuse(
      Misuse::ObjectNotInitialized, function, queue,
      fmt::format("{} was given a device queue that KeInitializeDeviceQueue has not initialised", function));
  return false;
}

/// False: the queue was empty and is busy now.
bool insert(KDEVICE_QUEUE* queue, KDEVICE_QUEUE_ENTRY* entry, const ULONG* key, const char* function) {
  const RaiseIrql raised(DISPATCH_LEVEL);
  spin::acquire(&queue->Lock, function, nullptr);
  const bool waits = queue->Busy != FALSE;
  if (waits) {
    LIST_ENTRY* at = &queue->DeviceListHead;  // before which it goes
    if (key != nullptr) {
      entry->SortKey = *key;
      for (at = queue->DeviceListHead.Flink; at != &queue->DeviceListHead && entry_of(at).SortKey <= *key;)
        at = at->Flink;
    }
    InsertTailList(at, &entry->DeviceListEntry);
  }
  queue->Busy = TRUE;
  entry->Inserted = waits ? TRUE : FALSE;
  spin::release(&queue->Lock, function);
  return waits;
}

/// nullptr: nothing waits, and the queue is not busy any more.
KDEVICE_QUEUE_ENTRY* take(KDEVICE_QUEUE* queue, const char* function) {
  const RaiseIrql raised(DISPATCH_LEVEL);
  spin::acquire(&queue->Lock, function, nullptr);
  KDEVICE_QUEUE_ENTRY* entry = nullptr;
  if (IsListEmpty(&queue->DeviceListHead) != FALSE) {
    queue->Busy = FALSE;
  } else {
    entry = &entry_of(RemoveHeadList(&queue->DeviceListHead));
    entry->Inserted = FALSE;
  }
  spin::release(&queue->Lock, function);
  return entry;
}

void start_io(PDEVICE_OBJECT device, PIRP irp) {
  device->CurrentIrp = irp;
  const callback<VOID(PDEVICE_OBJECT, PIRP)> routine(device->DriverObject->DriverStartIo);
  call_driver(System::current().io().owner_of(device), kStartIo, device, nullptr, routine, device, irp);
}

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

VOID KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  const KernelCall call("KeInitializeDeviceQueue", DISPATCH_LEVEL);
  *DeviceQueue = {};
  DeviceQueue->Type = kQueueType;
  DeviceQueue->Size = sizeof *DeviceQueue;
  InitializeListHead(&DeviceQueue->DeviceListHead);
}

BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  const KernelCall call("KeInsertDeviceQueue", DISPATCH_LEVEL, DISPATCH_LEVEL);
  return check_queue(DeviceQueue, call.name()) && insert(DeviceQueue, DeviceQueueEntry, nullptr, call.name())
             ? TRUE
             : FALSE;
}

PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  const KernelCall call("KeRemoveDeviceQueue", DISPATCH_LEVEL, DISPATCH_LEVEL);
  return check_queue(DeviceQueue, call.name()) ? take(DeviceQueue, call.name()) : nullptr;
}

BOOLEAN KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  const KernelCall call("KeRemoveEntryDeviceQueue", DISPATCH_LEVEL);
  if (!check_queue(DeviceQueue, call.name())) return FALSE;
  const KIRQL before = spin::acquire_raising(&DeviceQueue->Lock, call.name(), __builtin_return_address(0));
  const BOOLEAN inserted = DeviceQueueEntry->Inserted;
  if (inserted != FALSE) RemoveEntryList(&DeviceQueueEntry->DeviceListEntry);
  DeviceQueueEntry->Inserted = FALSE;
  spin::release_restoring(&DeviceQueue->Lock, before, call.name());
  return inserted;
}

VOID IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key, PDRIVER_CANCEL CancelFunction) {
  const KernelCall call("IoStartPacket", DISPATCH_LEVEL);
  if (DeviceObject->DriverObject->DriverStartIo == nullptr) {
    report_misuse(Misuse::BadParameter, call.name(), DeviceObject, "the driver object has no DriverStartIo");
    return;
  }
  const RaiseIrql raised(DISPATCH_LEVEL);
  if (CancelFunction != nullptr) IoSetCancelRoutine(Irp, CancelFunction);
  if (DeviceObject->DeviceQueue.Type != kQueueType) KeInitializeDeviceQueue(&DeviceObject->DeviceQueue);
  if (!insert(&DeviceObject->DeviceQueue, &Irp->Tail.Overlay.DeviceQueueEntry, Key, call.name()))
    start_io(DeviceObject, Irp);
}

VOID IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN) {
  const KernelCall call("IoStartNextPacket", DISPATCH_LEVEL, DISPATCH_LEVEL);
  if (!check_queue(&DeviceObject->DeviceQueue, call.name())) return;
  DeviceObject->CurrentIrp = nullptr;
  if (KDEVICE_QUEUE_ENTRY* const next = take(&DeviceObject->DeviceQueue, call.name()); next != nullptr)
    start_io(DeviceObject, CONTAINING_RECORD(next, IRP, Tail.Overlay.DeviceQueueEntry));
}
