// SPDX-License-Identifier: MIT
//
// The virtual processors as drivers see them: one group, one node, all active.
//
// Pages   ntddk/nf-ntddk-kegetcurrentprocessornumberex, -kequeryactiveprocessorcountex;
// wdm/nf-wdm-kesetsystemgroupaffinitythread IRQL    queries: any; the affinity of the thread: <=
// DISPATCH_LEVEL
#include <cstring>

#include <fmt/format.h>

#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "kernel/thread.h"

using namespace undis::kernel;
namespace machine = undis::machine;

namespace {

ULONG count() {
  return static_cast<ULONG>(System::current().machine().processors().size());
}

KAFFINITY all() {
  const ULONG n = count();
  return n == 64 ? ~KAFFINITY{0} : (KAFFINITY{1} << n) - 1;
}

bool is_group(USHORT group) {
  return group == 0 || group == ALL_PROCESSOR_GROUPS;
}

/// The affinity before; the new one holds from the next time the thread gives way, which is at once below
/// DISPATCH_LEVEL.
KAFFINITY set_affinity(const char* name, KAFFINITY wanted) {
  Thread& self = Thread::current();
  const KAFFINITY before = self.affinity() & all();
  if ((wanted & all()) == 0) {
    report_misuse(Misuse::BadParameter, name, nullptr,
                  fmt::format("affinity {:#x} names no processor that there is", wanted));
    return before;
  }
  self.set_affinity(wanted);
  if (irql() < DISPATCH_LEVEL && (wanted >> machine::processor_here->index & 1) == 0)
    System::current().machine().move();
  return before;
}

}  // namespace

ULONG KeGetCurrentProcessorNumber() {
  return machine::processor_here->index;
}

ULONG KeGetCurrentProcessorIndex() {
  return machine::processor_here->index;
}

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber) {
  const ULONG index = machine::processor_here->index;
  if (ProcNumber != nullptr) *ProcNumber = {0, static_cast<UCHAR>(index), 0};
  return index;
}

NTSTATUS KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber) {
  if (ProcIndex >= count()) return STATUS_INVALID_PARAMETER;
  *ProcNumber = {0, static_cast<UCHAR>(ProcIndex), 0};
  return STATUS_SUCCESS;
}

ULONG KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber) {
  return ProcNumber->Group == 0 && ProcNumber->Number < count() ? ProcNumber->Number
                                                                : INVALID_PROCESSOR_INDEX;
}

KAFFINITY KeQueryActiveProcessors() {
  return all();
}

ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors) {
  if (ActiveProcessors != nullptr) *ActiveProcessors = all();
  return count();
}

ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber) {
  return is_group(GroupNumber) ? count() : 0;
}

ULONG KeQueryMaximumProcessorCount() {
  return count();
}

ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber) {
  return is_group(GroupNumber) ? count() : 0;
}

USHORT KeQueryActiveGroupCount() {
  return 1;
}

USHORT KeQueryMaximumGroupCount() {
  return 1;
}

KAFFINITY KeQueryGroupAffinity(USHORT GroupNumber) {
  return GroupNumber == 0 ? all() : 0;
}

USHORT KeQueryHighestNodeNumber() {
  return 0;
}

USHORT KeGetCurrentNodeNumber() {
  return 0;
}

VOID KeQueryNodeActiveAffinity(USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count) {
  const bool is_node = NodeNumber == 0;
  if (Affinity != nullptr) {
    *Affinity = {};
    Affinity->Mask = is_node ? all() : 0;
  }
  if (Count != nullptr) *Count = static_cast<USHORT>(is_node ? count() : 0);
}

USHORT KeQueryNodeMaximumProcessorCount(USHORT NodeNumber) {
  return static_cast<USHORT>(NodeNumber == 0 ? count() : 0);
}

ULONG KeGetRecommendedSharedDataAlignment() {
  return 64;
}

// ---- the thread's affinity ----

VOID KeSetSystemAffinityThread(KAFFINITY Affinity) {
  const KernelCall call("KeSetSystemAffinityThread", DISPATCH_LEVEL);
  set_affinity(call.name(), Affinity);
}

KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY Affinity) {
  const KernelCall call("KeSetSystemAffinityThreadEx", DISPATCH_LEVEL);
  return set_affinity(call.name(), Affinity);
}

// Page    ntddk/nf-ntddk-zwsetinformationthread                      IRQL  PASSIVE_LEVEL
// Beyond  The calling thread only (NtCurrentThread). Priorities are checked, and not looked at by the
// schedule.
NTSTATUS ZwSetInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                PVOID ThreadInformation, ULONG ThreadInformationLength) {
  const KernelCall call("ZwSetInformationThread", PASSIVE_LEVEL);
  if (ThreadHandle != NtCurrentThread()) return STATUS_INVALID_HANDLE;
  switch (ThreadInformationClass) {
  case ThreadAffinityMask: {
    if (ThreadInformationLength != sizeof(KAFFINITY)) return STATUS_INFO_LENGTH_MISMATCH;
    KAFFINITY mask;
    std::memcpy(&mask, ThreadInformation, sizeof mask);
    if ((mask & all()) == 0) return STATUS_INVALID_PARAMETER;
    set_affinity(call.name(), mask);
    return STATUS_SUCCESS;
  }
  case ThreadPriority:
  case ThreadBasePriority:
    return ThreadInformationLength == sizeof(LONG) ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
  default:
    return STATUS_INVALID_INFO_CLASS;
  }
}

VOID KeRevertToUserAffinityThread() {
  const KernelCall call("KeRevertToUserAffinityThread", DISPATCH_LEVEL);
  set_affinity(call.name(), ~KAFFINITY{0});
}

VOID KeRevertToUserAffinityThreadEx(KAFFINITY Affinity) {
  const KernelCall call("KeRevertToUserAffinityThreadEx", DISPATCH_LEVEL);
  set_affinity(call.name(), Affinity != 0 ? Affinity : ~KAFFINITY{0});
}

VOID KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity, PGROUP_AFFINITY PreviousAffinity) {
  const KernelCall call("KeSetSystemGroupAffinityThread", DISPATCH_LEVEL);
  const KAFFINITY before = set_affinity(call.name(), Affinity->Group == 0 ? Affinity->Mask : 0);
  if (PreviousAffinity != nullptr) {
    *PreviousAffinity = {};
    PreviousAffinity->Mask = before;
  }
}

VOID KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity) {
  const KernelCall call("KeRevertToUserGroupAffinityThread", DISPATCH_LEVEL);
  set_affinity(call.name(), PreviousAffinity->Mask != 0 ? PreviousAffinity->Mask : ~KAFFINITY{0});
}

// ---- a processor that spins ----

/// What YieldProcessor() of a driver is: others go on at this place.
VOID undis_yield_processor() {
  schedule_point("YieldProcessor");
}

// ---- floating point: every fiber has its own registers ----

NTSTATUS KeSaveFloatingPointState(PKFLOATING_SAVE FloatSave) {
  const KernelCall call("KeSaveFloatingPointState", DISPATCH_LEVEL);
  *FloatSave = {};
  return STATUS_SUCCESS;
}

NTSTATUS KeRestoreFloatingPointState(PKFLOATING_SAVE) {
  const KernelCall call("KeRestoreFloatingPointState", DISPATCH_LEVEL);
  return STATUS_SUCCESS;
}
