// SPDX-License-Identifier: MIT
//
// Processes: there is one, System. Every thread is its.
//
// Pages   ntddk/nf-ntddk-psgetcurrentprocessid, wdm/nf-wdm-iogetcurrentprocess,
// ntifs/nf-ntifs-pslookupprocessbyprocessid IRQL    the current process: <= DISPATCH_LEVEL; look-ups: <=
// APC_LEVEL
#include <ntddk.h>

#include <algorithm>
#include <vector>

#include "kernel/kernel_call.h"
#include "kernel/object.h"
#include "kernel/process.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "kernel/wait.h"

/// What a PEPROCESS points at.
struct _KPROCESS {
  DISPATCHER_HEADER Header;
};

namespace undis::kernel {
namespace {

_KPROCESS make_process() noexcept {
  _KPROCESS process{};
  initialize_header(process.Header, DispatcherType::Thread, sizeof process,
                    0);  // is never signaled: System does not end
  return process;
}

_KPROCESS system_process = make_process();

}  // namespace

void* system_process_object() noexcept {
  return &system_process;
}

HANDLE id_of(const Thread& thread) noexcept {
  return reinterpret_cast<HANDLE>(8 + std::uintptr_t{thread.id()} * 4);
}

}  // namespace undis::kernel

using namespace undis::kernel;

PEPROCESS PsInitialSystemProcess = &system_process;

PEPROCESS PsGetCurrentProcess() {
  return &system_process;
}
PEPROCESS IoGetCurrentProcess() {
  return &system_process;
}
HANDLE PsGetCurrentProcessId() {
  return kSystemProcessId;
}
HANDLE PsGetProcessId(PEPROCESS Process) {
  return Process == &system_process ? kSystemProcessId : nullptr;
}
HANDLE PsGetThreadProcessId(PETHREAD) {
  return kSystemProcessId;
}
KPROCESSOR_MODE ExGetPreviousMode() {
  return KernelMode;
}

NTSTATUS PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS* Process) {
  const KernelCall call("PsLookupProcessByProcessId", APC_LEVEL);
  if (ProcessId != kSystemProcessId) return STATUS_INVALID_PARAMETER;
  System::current().objects().reference(&system_process);
  *Process = &system_process;
  return STATUS_SUCCESS;
}

NTSTATUS PsLookupThreadByThreadId(HANDLE ThreadId, PETHREAD* Thread) {
  const KernelCall call("PsLookupThreadByThreadId", APC_LEVEL);
  undis::kernel::Thread* found = nullptr;
  System::current().scheduling().threads.each([&](undis::kernel::Thread& thread) {
    if (!thread.has_ended() && id_of(thread) == ThreadId) found = &thread;
  });
  if (found == nullptr || !System::current().objects().reference(found->object()))
    return STATUS_INVALID_PARAMETER;
  *Thread = found->object();
  return STATUS_SUCCESS;
}

VOID KeStackAttachProcess(PRKPROCESS, PRKAPC_STATE ApcState) {
  const KernelCall call("KeStackAttachProcess", APC_LEVEL);
  *ApcState = {};
  ApcState->Process = &system_process;
}

VOID KeUnstackDetachProcess(PRKAPC_STATE) {
  const KernelCall call("KeUnstackDetachProcess", APC_LEVEL);
}
