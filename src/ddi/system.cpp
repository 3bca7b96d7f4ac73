// SPDX-License-Identifier: MIT
//
// NDIS itself, clocks, logs, optional handlers.
#include <dlfcn.h>

#include <cstdarg>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/time.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/filter_module.h"
#include "ndis/version.h"

using namespace undis;

namespace {

/// MAX_EVENT_LOG_DATA_SIZE: what an error log record has room for beside its head.
constexpr std::size_t kMostEventData =
    (ERROR_LOG_MAXIMUM_SIZE - sizeof(IO_ERROR_LOG_PACKET)) & ~std::size_t{3};

void trace(std::string_view line) {
  kernel::System::current().observer().on_trace(line);
}

/// The function of this name that drivers are linked with; nullptr: undis has none.
void* address_of(const std::string& name) {
  const DdiInfo* const row = find_ddi(name);
  if (row == nullptr || row->kind != DdiKind::Function || std::string_view(row->status) == "none" ||
      !name.starts_with("Ndis"))
    return nullptr;
  Dl_info here;
  if (dladdr(reinterpret_cast<const void*>(&NdisGetRoutineAddress), &here) == 0) return nullptr;
  void* const library = dlopen(here.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return nullptr;
  void* const address = dlsym(library, name.c_str());
  dlclose(library);
  return address;
}

}  // namespace

// Page    ndis/nf-ndis-ndisgetversion                                IRQL  <= DISPATCH_LEVEL
UINT NdisGetVersion() {
  const DdiCall call(Ddi::NdisGetVersion);
  return UINT{kNewestVersion.major} << 16 | kNewestVersion.minor;
}

// Page    ndis/nf-ndis-ndisgetroutineaddress                         IRQL  PASSIVE_LEVEL
PVOID NdisGetRoutineAddress(PNDIS_STRING NdisRoutineName) {
  const DdiCall call(Ddi::NdisGetRoutineAddress);
  return address_of(kernel::to_utf8(kernel::view(NdisRoutineName)));
}

// Page    ndis/nf-ndis-ndisgeneratepartialcancelid                   IRQL  <= DISPATCH_LEVEL
// Beyond  There are 255 of them: after that they come again.
UCHAR NdisGeneratePartialCancelId() {
  const DdiCall call(Ddi::NdisGeneratePartialCancelId);
  return Library::current().next_cancel_id();
}

// ---- clocks ----

// Page    ndis/nf-ndis-ndisgetcurrentsystemtime                      IRQL  any
VOID NdisGetCurrentSystemTime(PLARGE_INTEGER pSystemTime) {
  const DdiCall call(Ddi::NdisGetCurrentSystemTime);
  pSystemTime->QuadPart = kernel::kSystemTimeAtStart + static_cast<LONGLONG>(kernel::now());
}

// Page    previous-versions ff552110 (NdisGetSystemUpTime)           IRQL  any
VOID NdisGetSystemUpTime(PULONG pSystemUpTime) {
  const DdiCall call(Ddi::NdisGetSystemUpTime);
  *pSystemUpTime = static_cast<ULONG>(kernel::now() / kernel::kTicksPerMillisecond);
}

// Page    ndis/nf-ndis-ndisgetsystemuptimeex                         IRQL  any
VOID NdisGetSystemUpTimeEx(PLARGE_INTEGER pSystemUpTime) {
  const DdiCall call(Ddi::NdisGetSystemUpTimeEx);
  pSystemUpTime->QuadPart = static_cast<LONGLONG>(kernel::now() / kernel::kTicksPerMillisecond);
}

// ---- logs: lines of the trace ----

// Page    ndis/nf-ndis-ndiswriteerrorlogentry                        IRQL  <= DISPATCH_LEVEL
VOID NdisWriteErrorLogEntry(NDIS_HANDLE NdisAdapterHandle, NDIS_ERROR_CODE ErrorCode,
                            ULONG NumberOfErrorValues, ...) {
  constexpr ULONG kMostValues = 64;  // far above what an error log record can hold
  const DdiCall call(Ddi::NdisWriteErrorLogEntry);
  const Ref<Adapter> adapter =
      call.find<Adapter>("NdisAdapterHandle", NdisAdapterHandle, HandleKind::Adapter);
  std::string line =
      fmt::format("error log: {}: error {:#x}", adapter ? adapter->name() : call.driver().name(),
                  static_cast<ULONG>(ErrorCode));
  va_list values;
  va_start(values, NumberOfErrorValues);
  for (ULONG i = 0; i < std::min(NumberOfErrorValues, kMostValues); ++i)
    line += fmt::format(" {:#x}", va_arg(values, ULONG_PTR));
  va_end(values);
  trace(line);
}

// Page    ndis/nf-ndis-ndiswriteeventlogentry                        IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisWriteEventLogEntry(PVOID LogHandle, NDIS_STATUS EventCode, ULONG UniqueEventValue,
                                   USHORT NumStrings, PVOID StringsList, ULONG DataSize, PVOID Data) {
  const DdiCall call(Ddi::NdisWriteEventLogEntry);
  if ((StringsList == nullptr && NumStrings != 0) || (Data == nullptr && DataSize != 0)) {
    kernel::report_misuse(kernel::Misuse::BadParameter, call.name(), LogHandle,
                          "a count is given for strings or data that are NULL");
    return call.returns(NDIS_STATUS_SUCCESS);
  }
  std::string line = fmt::format("event log: {}: event {:#x} ({})", call.driver().name(),
                                 static_cast<ULONG>(EventCode), UniqueEventValue);
  std::size_t size = (DataSize + sizeof(ULONG) - 1) / sizeof(ULONG) * sizeof(ULONG);
  for (USHORT i = 0; i < NumStrings; ++i) {
    const std::u16string_view text = kernel::view(static_cast<const WCHAR* const*>(StringsList)[i]);
    size += (text.size() + 1) * sizeof(char16_t);
    line += fmt::format(" \"{}\"", kernel::to_utf8(text));
  }
  if (size > kMostEventData) return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  for (ULONG i = 0; i < DataSize; ++i)
    line += fmt::format("{}{:02x}", i == 0 ? " " : "", static_cast<const UCHAR*>(Data)[i]);
  trace(line);
  return call.returns(NDIS_STATUS_SUCCESS);
}
