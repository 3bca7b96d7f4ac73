// SPDX-License-Identifier: MIT
//
// System threads as drivers make and name them.
//
// Pages   wdm/nf-wdm-pscreatesystemthread, -psterminatesystemthread, -kegetcurrentthread,
// -kesetprioritythread IRQL    create and terminate: PASSIVE_LEVEL; the current thread: any Beyond Priorities
// are kept and told, but the schedule does not look at them.
#include <ntddk.h>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/process.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr CallbackInfo kStartRoutine{"KSTART_ROUTINE", PASSIVE_LEVEL, false};

NTSTATUS create(const char* name, PHANDLE handle, PCLIENT_ID client, PKSTART_ROUTINE routine, PVOID context) {
  if (fault_point(name)) return STATUS_INSUFFICIENT_RESOURCES;
  System& system = System::current();
  Driver* creator = current_driver();
  if (creator == nullptr) creator = system.driver_at(reinterpret_cast<const void*>(routine));
  std::string thread_name =
      fmt::format("{} thread {}", creator != nullptr ? creator->name() : std::string("host"),
                  ++system.scheduling().threads_created);
  Thread* const thread = system.scheduling().start(
      Thread::Kind::System, std::move(thread_name), creator, [creator, routine, context] {
        call_driver(creator, kStartRoutine, nullptr, context, callback<VOID(PVOID)>(routine), context);
      });
  if (thread == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  if (client != nullptr) *client = {kSystemProcessId, id_of(*thread)};
  *handle = system.objects().open(thread->object(), creator);
  return STATUS_SUCCESS;
}

}  // namespace

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG, POBJECT_ATTRIBUTES, HANDLE, PCLIENT_ID ClientId,
                              PKSTART_ROUTINE StartRoutine, PVOID StartContext) {
  const KernelCall call("PsCreateSystemThread", PASSIVE_LEVEL);
  return create(call.name(), ThreadHandle, ClientId, StartRoutine, StartContext);
}

NTSTATUS IoCreateSystemThread(PVOID, PHANDLE ThreadHandle, ULONG, POBJECT_ATTRIBUTES, HANDLE,
                              PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext) {
  const KernelCall call("IoCreateSystemThread", PASSIVE_LEVEL);
  return create(call.name(), ThreadHandle, ClientId, StartRoutine, StartContext);
}

NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus) {
  Thread& self = Thread::current();
  {
    const KernelCall call("PsTerminateSystemThread", PASSIVE_LEVEL, KernelCall::Tells::All);
    const CallFrame* const callback = current_callback();
    if (self.kind() != Thread::Kind::System || callback == nullptr || callback->name != kStartRoutine.name) {
      report_misuse(
          Misuse::BadParameter, call.name(), nullptr,
          "PsTerminateSystemThread is called by a thread that PsCreateSystemThread has not created");
      return STATUS_INVALID_PARAMETER;
    }
  }
  System::current().observer().on_callback_leave({*current_callback(), kStartRoutine});
  self.terminate(ExitStatus);
}

PKTHREAD KeGetCurrentThread() {
  Thread* const self = Thread::current_or_null();
  return self != nullptr ? self->object() : nullptr;
}

PETHREAD PsGetCurrentThread() {
  return KeGetCurrentThread();
}

HANDLE PsGetCurrentThreadId() {
  return id_of(Thread::current());
}

HANDLE PsGetThreadId(PETHREAD Thread) {
  const auto* const thread = undis::kernel::Thread::from_object(Thread);
  return thread != nullptr ? id_of(*thread) : nullptr;
}

KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority) {
  const KernelCall call("KeSetPriorityThread", PASSIVE_LEVEL);
  auto* const thread = undis::kernel::Thread::from_object(Thread);
  if (thread == nullptr || Priority < LOW_PRIORITY || Priority > HIGH_PRIORITY) {
    report_misuse(Misuse::BadParameter, call.name(), Thread,
                  fmt::format("priority {} or the thread is not valid", Priority));
    return 0;
  }
  return std::exchange(thread->priority, Priority);
}

KPRIORITY KeQueryPriorityThread(PKTHREAD Thread) {
  const KernelCall call("KeQueryPriorityThread", DISPATCH_LEVEL);
  const auto* const thread = undis::kernel::Thread::from_object(Thread);
  return thread != nullptr ? thread->priority : 0;
}

LONG KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment) {
  const KernelCall call("KeSetBasePriorityThread", PASSIVE_LEVEL);
  auto* const thread = undis::kernel::Thread::from_object(Thread);
  if (thread == nullptr) return 0;
  constexpr KPRIORITY kBase = 8;
  return std::exchange(thread->priority, kBase + Increment) - kBase;
}

NTSTATUS ZwYieldExecution() {
  const KernelCall call("ZwYieldExecution", PASSIVE_LEVEL);
  System::current().machine().yield();
  return STATUS_SUCCESS;
}

VOID IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit) {
  const Thread& self = Thread::current();
  *LowLimit = self.stack_low();
  *HighLimit = self.stack_high();
}

ULONG_PTR IoGetRemainingStackSize() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - Thread::current().stack_low();
}
