// SPDX-License-Identifier: MIT
//
// Work items: I/O work items of NDIS 6 (NDIS' memory) and NDIS_WORK_ITEM of NDIS 5 (the driver's memory).
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/scheduling.h"
#include "ndis/device.h"
#include "ndis/filter_module.h"
#include "ndis/work_item.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

constexpr kernel::CallbackInfo kRoutine{"NDIS_PROC", PASSIVE_LEVEL, false};

/// What NDIS keeps in NDIS_WORK_ITEM::WrapperReserved.
struct Reserved {
  std::uint64_t mark;
  std::uint64_t queued;
};
constexpr std::uint64_t kMark = 0x6D65744920734957;
static_assert(sizeof(Reserved) <= sizeof(NDIS_WORK_ITEM::WrapperReserved));

Reserved read(const NDIS_WORK_ITEM* item) {
  Reserved reserved;
  std::memcpy(&reserved, item->WrapperReserved, sizeof reserved);
  return reserved;
}
void write(NDIS_WORK_ITEM* item, std::uint64_t queued) {
  const Reserved reserved{kMark, queued};
  std::memcpy(item->WrapperReserved, &reserved, sizeof reserved);
}

/// On a worker thread. The routine may free the item: nothing of it is touched once the routine has begun.
void run(NDIS_WORK_ITEM* item, kernel::Driver* driver) {
  kernel::PoolBlock block;
  if (kernel::System::current().pool().find(item, block) && !block.live) {
    kernel::report_misuse_of(driver, Misuse::BadParameter, "NdisScheduleWorkItem", item,
                             "the work item was freed while it was queued", *block.freed);
    return;
  }
  const kernel::callback<std::remove_pointer_t<NDIS_PROC>> routine(item->Routine);
  void* const context = item->Context;
  write(item, 0);
  kernel::call_driver(driver, kRoutine, nullptr, context, routine, item, context);
}

/// The object behind a handle that work items can be made for: of a driver or a device, not of a protocol.
Ref<Object> find_owner(const DdiCall& call, NDIS_HANDLE handle) {
  HandleTable& handles = Library::current().handles();
  if (Ref<Adapter> adapter = handles.find<Adapter>(handle)) return Ref<Object>(adapter.get());
  if (Ref<MiniportDriver> driver = handles.find<MiniportDriver>(handle)) return Ref<Object>(driver.get());
  if (Ref<FilterDriver> filter = handles.find<FilterDriver>(handle)) return Ref<Object>(filter.get());
  if (Ref<FilterModule> module = handles.find<FilterModule>(handle)) return Ref<Object>(module.get());
  if (Ref<Device> device = handles.find<Device>(handle)) return Ref<Object>(device.get());
  call.tell_misuse("NdisObjectHandle", handle, HandleKind::Adapter);
  return {};
}

}  // namespace

// Page    ndis/nf-ndis-ndisallocateioworkitem                        IRQL  <= DISPATCH_LEVEL
NDIS_HANDLE NdisAllocateIoWorkItem(NDIS_HANDLE NdisObjectHandle) {
  const DdiCall call(Ddi::NdisAllocateIoWorkItem);
  Ref<Object> owner = find_owner(call, NdisObjectHandle);
  if (!owner || call.fails()) return nullptr;
  const Ref<IoWorkItem> item(new IoWorkItem(call.driver(), std::move(owner)));
  return Library::current().services().open(*item) ? item->handle() : nullptr;
}

// Page    ndis/nf-ndis-ndisqueueioworkitem                           IRQL  <= DISPATCH_LEVEL
VOID NdisQueueIoWorkItem(NDIS_HANDLE NdisIoWorkItemHandle, NDIS_IO_WORKITEM_ROUTINE Routine,
                         PVOID WorkItemContext) {
  const DdiCall call(Ddi::NdisQueueIoWorkItem);
  const Ref<IoWorkItem> item =
      call.find<IoWorkItem>("NdisIoWorkItemHandle", NdisIoWorkItemHandle, HandleKind::IoWorkItem);
  if (item && !item->queue(Routine, WorkItemContext))
    report_misuse(Misuse::BadParameter, call.name(), NdisIoWorkItemHandle, "the work item is queued already",
                  item->origin());
}

// Page    ndis/nf-ndis-ndisfreeioworkitem                            IRQL  <= DISPATCH_LEVEL
VOID NdisFreeIoWorkItem(NDIS_HANDLE NdisIoWorkItemHandle) {
  const DdiCall call(Ddi::NdisFreeIoWorkItem);
  const Ref<IoWorkItem> item =
      call.find<IoWorkItem>("NdisIoWorkItemHandle", NdisIoWorkItemHandle, HandleKind::IoWorkItem);
  if (!item) return;
  if (item->is_queued())
    report_misuse(Misuse::BadParameter, call.name(), NdisIoWorkItemHandle,
                  "the work item is freed while it is queued", item->origin());
  Library::current().services().close(*item);
}

// Page    previous-versions ff552258 (NdisInitializeWorkItem)        IRQL  any
VOID NTAPI NdisInitializeWorkItem(PNDIS_WORK_ITEM WorkItem, NDIS_PROC Routine, PVOID Context) {
  const DdiCall call(Ddi::NdisInitializeWorkItem);
  std::memset(WorkItem, 0, sizeof *WorkItem);
  WorkItem->Routine = Routine;
  WorkItem->Context = Context;
  write(WorkItem, 0);
}

// Page    ndis/nf-ndis-ndisscheduleworkitem                          IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NTAPI NdisScheduleWorkItem(PNDIS_WORK_ITEM WorkItem) {
  const DdiCall call(Ddi::NdisScheduleWorkItem);
  const Reserved reserved = read(WorkItem);
  if (reserved.mark != kMark || WorkItem->Routine == nullptr) {
    report_misuse(Misuse::ObjectNotInitialized, call.name(), WorkItem,
                  "the work item was not initialised by NdisInitializeWorkItem, or was overwritten");
    return call.returns(NDIS_STATUS_SUCCESS);
  }
  if (reserved.queued != 0) {
    report_misuse(Misuse::BadParameter, call.name(), WorkItem, "the work item is queued already");
    return call.returns(NDIS_STATUS_SUCCESS);
  }
  write(WorkItem, 1);
  kernel::WorkEntry entry;
  entry.kind = kernel::WorkEntry::Kind::OfNdis;
  entry.name = kRoutine.name;
  entry.driver = &call.driver();
  entry.item = WorkItem;
  entry.body = [WorkItem, driver = &call.driver()] { run(WorkItem, driver); };
  kernel::System::current().scheduling().work.queue(std::move(entry));
  return call.returns(NDIS_STATUS_SUCCESS);
}
