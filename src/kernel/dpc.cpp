// SPDX-License-Identifier: MIT
//
// Deferred procedure calls.
//
// Pages   wdm/nf-wdm-keinitializedpc, -keinsertqueuedpc, -keremovequeuedpc, -keflushqueueddpcs,
// -kesetimportancedpc,
//         -kesettargetprocessordpc; nc-wdm-kdeferred_routine
// IRQL    insert and remove: any; KeFlushQueuedDpcs: PASSIVE_LEVEL; the routine runs at DISPATCH_LEVEL
// Beyond  A threaded DPC runs as an ordinary one, which its page allows. Of two importances only high makes a
// difference: it goes first.
#include "kernel/dpc.h"

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "machine/footprint.h"

namespace undis::kernel {
namespace {

constexpr CallbackInfo kDeferredRoutine{"KDEFERRED_ROUTINE", DISPATCH_LEVEL, false};

Driver* driver_of(const KDPC& dpc) noexcept {
  return reinterpret_cast<Driver*>(static_cast<std::uintptr_t>(dpc.ProcessorHistory));
}

bool is_initialised(const KDPC& dpc) noexcept {
  const auto type = static_cast<DpcType>(dpc.Type);
  return (type == DpcType::Dpc || type == DpcType::Threaded || type == DpcType::OfUndis) &&
         dpc.DeferredRoutine != nullptr;
}

void run_own(PKDPC, PVOID context, PVOID, PVOID) {
  static_cast<OwnDpc*>(context)->body();
}

void initialize(KDPC& dpc, DpcType type, PKDEFERRED_ROUTINE routine, PVOID context) noexcept {
  dpc = {};
  dpc.Type = static_cast<UCHAR>(type);
  dpc.Importance = MediumImportance;
  dpc.DeferredRoutine = routine;
  dpc.DeferredContext = context;
}

}  // namespace

void initialize_own_dpc(KDPC& dpc, PKDEFERRED_ROUTINE routine, void* context) noexcept {
  initialize(dpc, DpcType::OfUndis, routine, context);
}

OwnDpc::OwnDpc(std::function<void()> what) : body(std::move(what)) {
  initialize_own_dpc(dpc, &run_own, this);
}

DpcQueues::DpcQueues(machine::Machine& machine) : machine_(machine), queues_(machine.processors().size()) {
  for (machine::Processor& processor : machine.processors()) {
    const std::uint32_t index = processor.index;
    strands_.push_back(std::make_unique<Thread>(Thread::Kind::Dpcs, fmt::format("DPCs of cpu {}", index),
                                                nullptr, [this, index] { loop(index); }));
    processor.dpc_strand = strands_.back().get();
  }
}

bool DpcQueues::insert(KDPC& dpc, void* argument1, void* argument2, Driver* by) noexcept {
  std::uint32_t target;
  {
    const Hold hold(lock_);
    if (dpc.DpcData != nullptr) return false;
    target = dpc.Number != 0 ? dpc.Number - 1U : machine::processor_here->index;
    Queue& queue = queues_[target];
    dpc.SystemArgument1 = argument1;
    dpc.SystemArgument2 = argument2;
    dpc.ProcessorHistory = reinterpret_cast<std::uintptr_t>(by);
    dpc.DpcData = &queue;
    if (dpc.Importance == HighImportance && queue.first != nullptr) {
      dpc.DpcListEntry.Next = queue.first;
      queue.first = &dpc.DpcListEntry;
    } else {
      dpc.DpcListEntry.Next = nullptr;
      (queue.last != nullptr ? queue.last->Next : queue.first) = &dpc.DpcListEntry;
      queue.last = &dpc.DpcListEntry;
    }
  }
  machine_.request_dpcs(machine_.processors()[target]);
  return true;
}

void DpcQueues::unlink(Queue& queue, KDPC& dpc) noexcept {
  SINGLE_LIST_ENTRY* before = nullptr;
  for (SINGLE_LIST_ENTRY* entry = queue.first; entry != &dpc.DpcListEntry; entry = entry->Next)
    before = entry;
  (before != nullptr ? before->Next : queue.first) = dpc.DpcListEntry.Next;
  if (queue.last == &dpc.DpcListEntry) queue.last = before;
  dpc.DpcListEntry.Next = nullptr;
  dpc.DpcData = nullptr;
}

bool DpcQueues::remove(KDPC& dpc) noexcept {
  const Hold hold(lock_);
  if (dpc.DpcData == nullptr) return false;
  unlink(*static_cast<Queue*>(dpc.DpcData), dpc);
  return true;
}

bool DpcQueues::forget(KDPC& dpc) noexcept {
  const Hold hold(lock_);
  // The DPC's own fields may be garbage: only the queues know.
  for (Queue& queue : queues_) {
    for (SINGLE_LIST_ENTRY* entry = queue.first; entry != nullptr; entry = entry->Next) {
      if (entry != &dpc.DpcListEntry) continue;
      unlink(queue, dpc);
      return true;
    }
  }
  return false;
}

bool DpcQueues::is_queued(const KDPC& dpc) noexcept {
  const Hold hold(lock_);
  return dpc.DpcData != nullptr;
}

bool DpcQueues::is_running(const KDPC& dpc) noexcept {
  const Hold hold(lock_);
  for (const Queue& queue : queues_) {
    if (queue.running == &dpc) return true;
  }
  return false;
}

void DpcQueues::take_of(const Driver& driver, const std::function<void(KDPC&)>& visit) {
  std::vector<KDPC*> taken;
  {
    const Hold hold(lock_);
    for (Queue& queue : queues_) {
      for (SINGLE_LIST_ENTRY* entry = queue.first; entry != nullptr;) {
        KDPC& dpc = dpc_of(entry);
        entry = entry->Next;
        if (driver_of(dpc) != &driver) continue;
        unlink(queue, dpc);
        taken.push_back(&dpc);
      }
    }
  }
  for (KDPC* const dpc : taken) visit(*dpc);
}

KDPC* DpcQueues::pop(Queue& queue) noexcept {
  if (queue.first == nullptr) return nullptr;
  KDPC& dpc = dpc_of(queue.first);
  unlink(queue, dpc);
  queue.running = &dpc;
  return &dpc;
}

/// The DPC may be queued again, or freed, while it runs: all that is needed of it is read before.
void DpcQueues::run_one(Queue& queue, KDPC& dpc) noexcept {
  if (static_cast<DpcType>(dpc.Type) == DpcType::OfUndis) {
    dpc.DeferredRoutine(&dpc, dpc.DeferredContext, nullptr, nullptr);
  } else {
    const callback<VOID(PKDPC, PVOID, PVOID, PVOID)> routine(dpc.DeferredRoutine);
    call_driver(driver_of(dpc), kDeferredRoutine, &dpc, dpc.DeferredContext, routine, &dpc,
                dpc.DeferredContext, dpc.SystemArgument1, dpc.SystemArgument2);
  }
  const Hold hold(lock_);
  queue.running = nullptr;
}

void DpcQueues::loop(std::uint32_t processor) noexcept {
  for (;;) {
    lock_.lock();
    Queue& queue = queues_[processor];
    KDPC* const dpc = pop(queue);
    lock_.unlock();
    if (dpc != nullptr) {
      run_one(queue, *dpc);
    } else {
      machine_.end_dpcs();
    }
  }
}

void DpcQueues::flush() noexcept {
  // One more DPC at the end of each queue: when all of them have run, so has everything before.
  Event done("every queued DPC done");
  std::atomic<std::size_t> left = machine_.processors().size();
  std::vector<std::unique_ptr<OwnDpc>> last;
  for (const machine::Processor& processor : machine_.processors()) {
    last.push_back(std::make_unique<OwnDpc>([&left, &done] {
      if (--left == 0) done.set();
    }));
    last.back()->dpc.Number = static_cast<USHORT>(processor.index + 1);
    insert(last.back()->dpc, nullptr, nullptr, nullptr);
  }
  done.wait();
}

namespace {

bool check_dpc(const KDPC* dpc, const char* function) {
  if (is_initialised(*dpc)) return true;
  report_misuse(
      Misuse::ObjectNotInitialized, function, dpc,
      fmt::format("{} was given a DPC that KeInitializeDpc has not initialised, or that was overwritten",
                  function));
  return false;
}

DpcQueues& queues() {
  return System::current().scheduling().dpcs;
}

/// Who is behind a DPC that is queued now.
Driver* queuer(const KDPC& dpc) {
  if (Driver* const driver = current_driver()) return driver;
  return System::current().driver_at(reinterpret_cast<const void*>(dpc.DeferredRoutine));
}

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

namespace {

void initialize_anew(PRKDPC dpc, DpcType type, PKDEFERRED_ROUTINE routine, PVOID context,
                     const char* function) {
  if (System::current_or_null() != nullptr && queues().forget(*dpc)) {
    report_misuse(Misuse::BadParameter, function, dpc,
                  fmt::format("{} initialises a DPC that is queued", function));
  }
  initialize(*dpc, type, routine, context);
}

}  // namespace

VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  undis::machine::tell_touched(Dpc, sizeof *Dpc, true);
  initialize_anew(Dpc, DpcType::Dpc, DeferredRoutine, DeferredContext, "KeInitializeDpc");
}

VOID KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  initialize_anew(Dpc, DpcType::Threaded, DeferredRoutine, DeferredContext, "KeInitializeThreadedDpc");
}

BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2) {
  const KernelCall call("KeInsertQueueDpc", HIGH_LEVEL);
  if (!check_dpc(Dpc, call.name())) return FALSE;
  return queues().insert(*Dpc, SystemArgument1, SystemArgument2, queuer(*Dpc)) ? TRUE : FALSE;
}

BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc) {
  const KernelCall call("KeRemoveQueueDpc", HIGH_LEVEL);
  return check_dpc(Dpc, call.name()) && queues().remove(*Dpc) ? TRUE : FALSE;
}

BOOLEAN KeRemoveQueueDpcEx(PRKDPC Dpc, BOOLEAN WaitIfActive) {
  const KernelCall call("KeRemoveQueueDpcEx", WaitIfActive != FALSE ? APC_LEVEL : HIGH_LEVEL);
  if (!check_dpc(Dpc, call.name())) return FALSE;
  const bool removed = queues().remove(*Dpc);
  if (WaitIfActive != FALSE && queues().is_running(*Dpc)) queues().flush();
  return removed ? TRUE : FALSE;
}

VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance) {
  const KernelCall call("KeSetImportanceDpc", HIGH_LEVEL);
  if (check_dpc(Dpc, call.name())) Dpc->Importance = static_cast<UCHAR>(Importance);
}

namespace {

bool set_target(PKDPC dpc, std::size_t processor, const char* function) {
  if (processor < System::current().machine().processors().size()) {
    dpc->Number = static_cast<USHORT>(processor + 1);
    return true;
  }
  report_misuse(Misuse::BadParameter, function, dpc,
                fmt::format("{} names processor {}, which there is not", function, processor));
  return false;
}

}  // namespace

VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number) {
  const KernelCall call("KeSetTargetProcessorDpc", HIGH_LEVEL);
  if (check_dpc(Dpc, call.name())) set_target(Dpc, static_cast<UCHAR>(Number), call.name());
}

NTSTATUS KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber) {
  const KernelCall call("KeSetTargetProcessorDpcEx", HIGH_LEVEL);
  if (!check_dpc(Dpc, call.name()) || ProcNumber->Group != 0) return STATUS_INVALID_PARAMETER;
  return set_target(Dpc, ProcNumber->Number, call.name()) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

VOID KeFlushQueuedDpcs() {
  const KernelCall call("KeFlushQueuedDpcs", PASSIVE_LEVEL);
  if (irql() < DISPATCH_LEVEL) queues().flush();
}

LOGICAL KeIsExecutingDpc() {
  const Thread* const self = Thread::current_or_null();
  return self != nullptr && self->kind() == Thread::Kind::Dpcs ? TRUE : FALSE;
}

ULONG KeShouldYieldProcessor() {
  const KernelCall call("KeShouldYieldProcessor", HIGH_LEVEL);
  return choose(call.name()) ? 1 : 0;
}

NTSTATUS KeQueryDpcWatchdogInformation(PKDPC_WATCHDOG_INFORMATION WatchdogInformation) {
  const KernelCall call("KeQueryDpcWatchdogInformation", HIGH_LEVEL, DISPATCH_LEVEL);
  // Nothing is watched by a clock here: limits of 0 say so, as the page has it.
  *WatchdogInformation = {};
  return STATUS_SUCCESS;
}
