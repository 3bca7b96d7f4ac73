// SPDX-License-Identifier: MIT
//
// Queueing of I/O work items. What is queued when the driver goes is taken out of the queue with the rest of
// its work.
#include "ndis/work_item.h"

#include "kernel/call.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"

namespace undis {
namespace {

constexpr kernel::CallbackInfo kRoutine{"NDIS_IO_WORKITEM_FUNCTION", PASSIVE_LEVEL, false};

}  // namespace

bool IoWorkItem::queue(NDIS_IO_WORKITEM_ROUTINE routine, void* context) {
  if (queued_) return false;
  queued_ = true;
  kernel::WorkEntry entry;
  entry.kind = kernel::WorkEntry::Kind::OfNdis;
  entry.name = kRoutine.name;
  entry.driver = &driver();
  entry.item = this;
  entry.body = [item = Ref<IoWorkItem>(this), function = kernel::callback<NDIS_IO_WORKITEM_FUNCTION>(routine),
                context] {
    item->queued_ = false;  // from here it may be queued again, or freed
    kernel::call_driver(&item->driver(), kRoutine, item.get(), context, function, context, item->handle());
  };
  kernel::System::current().scheduling().work.queue(std::move(entry));
  return true;
}

}  // namespace undis
