// SPDX-License-Identifier: MIT
//
// Callbacks on bug checks and on processes.
//
// Pages   wdm/nf-wdm-keregisterbugcheckcallback, -kederegisterbugcheckcallback,
// -keregisterbugcheckreasoncallback;
//         ntddk/nf-ntddk-pssetcreateprocessnotifyroutine
// Beyond  A callback whose driver has unloaded is told, where Windows would jump into what was its code. Of
// the reasons, those that
//         add to a dump file are registered and never called: none is written.
#include "kernel/notify.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/driver.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"

namespace undis::kernel {
namespace {

constexpr CallbackInfo kBugCheckCallback{"KBUGCHECK_CALLBACK_ROUTINE", HIGH_LEVEL, false};
constexpr CallbackInfo kBugCheckReason{"KBUGCHECK_REASON_CALLBACK_ROUTINE", HIGH_LEVEL, false};
constexpr CallbackInfo kProcessNotify{"PCREATE_PROCESS_NOTIFY_ROUTINE", PASSIVE_LEVEL, false};
constexpr std::size_t kMostProcessRoutines = 64;

struct Entry {
  void* key;  // the record, or the routine
  Driver* driver;
};

/// Of the current System; a new one begins with nothing.
struct Registered {
  const System* system = nullptr;
  std::vector<Entry> bug_checks;
  std::vector<Entry> reasons;
  std::vector<Entry> processes;
};

Registered& registered() {
  static Registered all;
  if (all.system != System::current_or_null()) all = {System::current_or_null(), {}, {}, {}};
  return all;
}

bool remove(std::vector<Entry>& entries, const void* key) {
  return std::erase_if(entries, [key](const Entry& entry) { return entry.key == key; }) != 0;
}

bool is_there(const std::vector<Entry>& entries, const void* key) {
  return std::ranges::any_of(entries, [key](const Entry& entry) { return entry.key == key; });
}

/// False, and told: its driver is gone.
bool can_be_called(const Entry& entry, const char* function, const char* undo) {
  if (entry.driver == nullptr || entry.driver->phase() != DriverPhase::Unloaded) return true;
  report_misuse_of(entry.driver, Misuse::BadParameter, function, entry.key,
                   fmt::format("{} is unloaded and its callback is still registered; {} takes it back",
                               entry.driver->name(), undo));
  return false;
}

}  // namespace

void call_bug_check_callbacks() noexcept {
  const RaiseIrql raised(HIGH_LEVEL);
  const std::vector<Entry> bug_checks = registered().bug_checks;
  const std::vector<Entry> reasons = registered().reasons;
  registered() = {System::current_or_null(), {}, {}, {}};  // a bug check within one calls nobody
  for (auto entry = bug_checks.rbegin(); entry != bug_checks.rend(); ++entry) {
    if (!can_be_called(*entry, "KeBugCheckEx", "KeDeregisterBugCheckCallback")) continue;
    auto& record = *static_cast<KBUGCHECK_CALLBACK_RECORD*>(entry->key);
    record.State = BufferStarted;
    const callback<VOID(PVOID, ULONG)> routine(record.CallbackRoutine);
    call_driver(entry->driver, kBugCheckCallback, &record, nullptr, routine, record.Buffer, record.Length);
    record.State = BufferFinished;
  }
  for (auto entry = reasons.rbegin(); entry != reasons.rend(); ++entry) {
    if (!can_be_called(*entry, "KeBugCheckEx", "KeDeregisterBugCheckReasonCallback")) continue;
    auto& record = *static_cast<KBUGCHECK_REASON_CALLBACK_RECORD*>(entry->key);
    if (record.Reason != KbCallbackReserved1 && record.Reason != KbCallbackTriageDumpData) continue;
    const callback<VOID(KBUGCHECK_CALLBACK_REASON, KBUGCHECK_REASON_CALLBACK_RECORD*, PVOID, ULONG)> routine(
        record.CallbackRoutine);
    call_driver(entry->driver, kBugCheckReason, &record, nullptr, routine, record.Reason, &record, nullptr,
                0U);
  }
}

void notify_process(HANDLE parent, HANDLE process, bool created) {
  const std::vector<Entry> processes = registered().processes;
  for (const Entry& entry : processes) {
    if (!can_be_called(entry, "PsSetCreateProcessNotifyRoutine",
                       "PsSetCreateProcessNotifyRoutine with Remove"))
      continue;
    const callback<VOID(HANDLE, HANDLE, BOOLEAN)> routine(
        reinterpret_cast<PCREATE_PROCESS_NOTIFY_ROUTINE>(entry.key));
    call_driver(entry.driver, kProcessNotify, nullptr, nullptr, routine, parent, process,
                created ? TRUE : FALSE);
  }
}

}  // namespace undis::kernel

using namespace undis::kernel;

BOOLEAN KeRegisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord,
                                   PKBUGCHECK_CALLBACK_ROUTINE CallbackRoutine, PVOID Buffer, ULONG Length,
                                   PUCHAR Component) {
  const KernelCall call("KeRegisterBugCheckCallback", HIGH_LEVEL);
  auto& entries = registered().bug_checks;
  if (CallbackRecord->State != BufferEmpty || is_there(entries, CallbackRecord)) return FALSE;
  CallbackRecord->CallbackRoutine = CallbackRoutine;
  CallbackRecord->Buffer = Buffer;
  CallbackRecord->Length = Length;
  CallbackRecord->Component = Component;
  CallbackRecord->State = BufferInserted;
  entries.push_back({CallbackRecord, current_driver()});
  return TRUE;
}

BOOLEAN KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord) {
  const KernelCall call("KeDeregisterBugCheckCallback", HIGH_LEVEL);
  if (!remove(registered().bug_checks, CallbackRecord)) return FALSE;
  CallbackRecord->State = BufferEmpty;
  return TRUE;
}

BOOLEAN KeRegisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord,
                                         PKBUGCHECK_REASON_CALLBACK_ROUTINE CallbackRoutine,
                                         KBUGCHECK_CALLBACK_REASON Reason, PUCHAR Component) {
  const KernelCall call("KeRegisterBugCheckReasonCallback", HIGH_LEVEL);
  auto& entries = registered().reasons;
  if (CallbackRecord->State != BufferEmpty || is_there(entries, CallbackRecord)) return FALSE;
  CallbackRecord->CallbackRoutine = CallbackRoutine;
  CallbackRecord->Component = Component;
  CallbackRecord->Reason = Reason;
  CallbackRecord->State = BufferInserted;
  entries.push_back({CallbackRecord, current_driver()});
  return TRUE;
}

BOOLEAN KeDeregisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord) {
  const KernelCall call("KeDeregisterBugCheckReasonCallback", HIGH_LEVEL);
  if (!remove(registered().reasons, CallbackRecord)) return FALSE;
  CallbackRecord->State = BufferEmpty;
  return TRUE;
}

NTSTATUS PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE NotifyRoutine, BOOLEAN Remove) {
  const KernelCall call("PsSetCreateProcessNotifyRoutine", PASSIVE_LEVEL);
  auto& entries = registered().processes;
  void* const key = reinterpret_cast<void*>(NotifyRoutine);
  if (Remove != FALSE) return remove(entries, key) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
  if (is_there(entries, key) || entries.size() >= kMostProcessRoutines || fault_point(call.name()))
    return STATUS_INVALID_PARAMETER;
  entries.push_back({key, current_driver()});
  return STATUS_SUCCESS;
}
