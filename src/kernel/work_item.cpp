// SPDX-License-Identifier: MIT
//
// Work items: IoQueueWorkItem and ExQueueWorkItem.
//
// Pages   wdm/nf-wdm-ioallocateworkitem, -ioqueueworkitem, -ioqueueworkitemex, -iofreeworkitem,
// -ioinitializeworkitem, -exqueueworkitem IRQL    <= DISPATCH_LEVEL; the routine runs at PASSIVE_LEVEL Beyond
// The queue types make no difference. Each item that finds no idle worker gets a new one, up to 64, so that
// an item which waits
//         for another does not hang by lack of threads.
#include "kernel/work_item.h"

#include <algorithm>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/driver.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "kernel/wait.h"

/// What a PIO_WORKITEM points at.
struct _IO_WORKITEM {
  ULONG_PTR mark;
  PVOID object;  // the device or driver object
};

namespace undis::kernel {
namespace {

constexpr CallbackInfo kIoRoutine{"IO_WORKITEM_ROUTINE", PASSIVE_LEVEL, false};
constexpr CallbackInfo kIoRoutineEx{"IO_WORKITEM_ROUTINE_EX", PASSIVE_LEVEL, false};
constexpr CallbackInfo kExRoutine{"WORKER_THREAD_ROUTINE", PASSIVE_LEVEL, false};
constexpr ULONG_PTR kItemMark = 0x6D65744920444E55;  // "UND Item"

void run(const WorkEntry& entry) {
  switch (entry.kind) {
  case WorkEntry::Kind::OfUndis:
  case WorkEntry::Kind::OfNdis:
    entry.body();
    return;
  case WorkEntry::Kind::Executive: {
    // From here the driver may queue or free the item.
    static_cast<WORK_QUEUE_ITEM*>(entry.item)->List.Flink = nullptr;
    const callback<VOID(PVOID)> routine(reinterpret_cast<PWORKER_THREAD_ROUTINE>(entry.routine));
    call_driver(entry.driver, kExRoutine, nullptr, entry.context, routine, entry.context);
    return;
  }
  case WorkEntry::Kind::Io: {
    const callback<VOID(PDEVICE_OBJECT, PVOID)> routine(
        reinterpret_cast<PIO_WORKITEM_ROUTINE>(entry.routine));
    call_driver(entry.driver, kIoRoutine, entry.object, entry.context, routine,
                static_cast<PDEVICE_OBJECT>(entry.object), entry.context);
    return;
  }
  case WorkEntry::Kind::IoEx: {
    const callback<VOID(PVOID, PVOID, PIO_WORKITEM)> routine(
        reinterpret_cast<PIO_WORKITEM_ROUTINE_EX>(entry.routine));
    call_driver(entry.driver, kIoRoutineEx, entry.object, entry.context, routine, entry.object, entry.context,
                static_cast<PIO_WORKITEM>(entry.item));
    return;
  }
  }
}

}  // namespace

void WorkQueue::queue(WorkEntry entry) {
  Thread* idle = nullptr;
  std::size_t index = 0;
  {
    const Hold hold(lock_);
    if (entry.item != nullptr) ++pending_[entry.item];
    entries_.push_back(std::move(entry));
    for (Worker& worker : workers_) {
      if (!worker.idle) continue;
      worker.idle = false;
      idle = worker.thread;
      break;
    }
    if (idle == nullptr) {
      if (workers_.size() == kMostWorkers) return;
      index = workers_.size();
      workers_.emplace_back();
    }
  }
  System& system = System::current();
  if (idle != nullptr) {
    system.machine().unpark(*idle);
    return;
  }
  system.scheduling().start(Thread::Kind::Worker, fmt::format("worker {}", index + 1), nullptr,
                            [this, index] { loop(index); });
}

void WorkQueue::loop(std::size_t worker) {
  Thread& self = Thread::current();
  {
    const Hold hold(lock_);
    workers_[worker].thread = &self;
  }
  for (;;) {
    WorkEntry entry;
    bool got = false;
    {
      const Hold hold(lock_);
      if (!entries_.empty()) {
        entry = std::move(entries_.front());
        entries_.pop_front();
        workers_[worker].running = &entry;
        got = true;
      } else {
        workers_[worker].idle = true;
      }
    }
    if (!got) {
      self.wait.for_work = true;
      System::current().machine().park();
      self.wait.for_work = false;
      continue;
    }
    self.activity = entry.name;
    run(entry);
    self.activity = "";
    const Hold hold(lock_);
    workers_[worker].running = nullptr;
    no_longer_pending(entry.item);
  }
}

void WorkQueue::no_longer_pending(const void* item) {
  const auto at = pending_.find(item);
  if (at != pending_.end() && --at->second == 0) pending_.erase(at);
}

bool WorkQueue::is_pending(const void* item) {
  const Hold hold(lock_);
  return pending_.contains(item);
}

void WorkQueue::take_of(const Driver& driver, const std::function<void(const WorkEntry&, bool)>& visit) {
  std::vector<WorkEntry> waiting;
  std::vector<WorkEntry> running;
  {
    const Hold hold(lock_);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      if (entry->driver == &driver && entry->kind != WorkEntry::Kind::OfUndis) {
        no_longer_pending(entry->item);
        waiting.push_back(std::move(*entry));
        entry = entries_.erase(entry);
      } else {
        ++entry;
      }
    }
    for (const Worker& worker : workers_) {
      if (worker.running != nullptr && worker.running->driver == &driver &&
          worker.running->kind != WorkEntry::Kind::OfUndis) {
        running.push_back(*worker.running);
      }
    }
  }
  for (const WorkEntry& entry : waiting) visit(entry, false);
  for (const WorkEntry& entry : running) visit(entry, true);
}

void WorkQueue::drain_io(const Driver& driver) {
  const auto is_io = [&driver](const WorkEntry& entry) {
    return entry.driver == &driver &&
           (entry.kind == WorkEntry::Kind::Io || entry.kind == WorkEntry::Kind::IoEx);
  };
  for (;;) {
    bool pending = false;
    {
      const Hold hold(lock_);
      pending = std::any_of(entries_.begin(), entries_.end(), is_io) ||
                std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
                  return worker.running != nullptr && is_io(*worker.running);
                });
    }
    if (!pending) return;
    sleep_until("waiting for work items", now() + 10'000);
  }
}

void WorkQueue::allocated(void* item, Driver* by) {
  const Hold hold(lock_);
  allocated_[item] = {allocations_++, by};
}

bool WorkQueue::freed(void* item) {
  const Hold hold(lock_);
  return allocated_.erase(item) != 0;
}

std::vector<void*> WorkQueue::allocated_by(const Driver& driver) {
  std::vector<std::pair<std::uint64_t, void*>> found;
  {
    const Hold hold(lock_);
    for (const auto& [item, allocated] : allocated_)
      if (allocated.by == &driver) found.emplace_back(allocated.order, item);
  }
  std::ranges::sort(found);
  std::vector<void*> items;
  for (const auto& one : found) items.push_back(one.second);
  return items;
}

void WorkQueue::discard(void* item) {
  if (freed(item)) delete static_cast<PIO_WORKITEM>(item);
}

void queue_work(const char* name, std::function<void()> body) {
  schedule_point(name);
  WorkEntry entry;
  entry.name = name;
  entry.body = std::move(body);
  System::current().scheduling().work.queue(std::move(entry));
  schedule_point(name);
}

namespace {

WorkQueue& work() {
  return System::current().scheduling().work;
}

bool check_item(PIO_WORKITEM item, const char* function) {
  if (item->mark == kItemMark) return true;
  report_misuse(Misuse::ObjectNotInitialized, function, item,
                fmt::format("{} was given a work item that was never allocated or initialised, or was freed",
                            function));
  return false;
}

void queue_io(PIO_WORKITEM item, void* routine, WorkEntry::Kind kind, void* context, const char* function) {
  if (!check_item(item, function)) return;
  WorkEntry entry;
  entry.kind = kind;
  entry.driver = current_driver();
  if (entry.driver == nullptr) entry.driver = System::current().driver_at(routine);
  entry.routine = routine;
  entry.object = item->object;
  entry.context = context;
  entry.item = item;
  work().queue(std::move(entry));
}

void report_pending(const void* item, const char* function) {
  if (!work().is_pending(item)) return;
  // The routine may free its own item: that is the usual way, and it has begun.
  if (inside_callback("IO_WORKITEM_ROUTINE") || inside_callback("IO_WORKITEM_ROUTINE_EX")) return;
  report_misuse(Misuse::BadParameter, function, item,
                fmt::format("{} is called for a work item that is queued", function));
}

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject) {
  const KernelCall call("IoAllocateWorkItem", DISPATCH_LEVEL);
  if (fault_point(call.name())) return nullptr;
  auto* const item = new (std::nothrow) _IO_WORKITEM{kItemMark, DeviceObject};
  if (item != nullptr) work().allocated(item, current_driver());
  return item;
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem) {
  const KernelCall call("IoFreeWorkItem", DISPATCH_LEVEL);
  if (!work().freed(IoWorkItem)) {
    report_misuse(Misuse::BadParameter, call.name(), IoWorkItem,
                  "IoFreeWorkItem was given a work item that IoAllocateWorkItem did not return, or that was "
                  "freed already");
    return;
  }
  report_pending(IoWorkItem, call.name());
  IoWorkItem->mark = 0;
  delete IoWorkItem;
}

ULONG IoSizeofWorkItem() {
  return sizeof(_IO_WORKITEM);
}

VOID IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem) {
  *IoWorkItem = {kItemMark, IoObject};
}

VOID IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem) {
  const KernelCall call("IoUninitializeWorkItem", DISPATCH_LEVEL);
  if (!check_item(IoWorkItem, call.name())) return;
  report_pending(IoWorkItem, call.name());
  IoWorkItem->mark = 0;
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE,
                     PVOID Context) {
  const KernelCall call("IoQueueWorkItem", DISPATCH_LEVEL);
  queue_io(IoWorkItem, reinterpret_cast<void*>(WorkerRoutine), WorkEntry::Kind::Io, Context, call.name());
}

VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine, WORK_QUEUE_TYPE,
                       PVOID Context) {
  const KernelCall call("IoQueueWorkItemEx", DISPATCH_LEVEL);
  queue_io(IoWorkItem, reinterpret_cast<void*>(WorkerRoutine), WorkEntry::Kind::IoEx, Context, call.name());
}

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE) {
  const KernelCall call("ExQueueWorkItem", DISPATCH_LEVEL);
  if (WorkItem->List.Flink != nullptr) {
    report_misuse(work().is_pending(WorkItem) ? Misuse::BadParameter : Misuse::ObjectNotInitialized,
                  call.name(), WorkItem,
                  "ExQueueWorkItem was given a work item that is queued already, or that "
                  "ExInitializeWorkItem has not initialised");
    return;
  }
  WorkItem->List.Flink = &WorkItem->List;
  WorkEntry entry;
  entry.kind = WorkEntry::Kind::Executive;
  entry.routine = reinterpret_cast<void*>(WorkItem->WorkerRoutine);
  entry.driver = current_driver();
  if (entry.driver == nullptr) entry.driver = System::current().driver_at(entry.routine);
  entry.context = WorkItem->Parameter;
  entry.item = WorkItem;
  work().queue(std::move(entry));
}
