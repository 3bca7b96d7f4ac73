// SPDX-License-Identifier: MIT
//
// DbgPrint and its like go to the observer's trace, line by line; break points and failed assertions stop the
// driver.
//
// Pages   wdm/nf-wdm-dbgprint, -dbgprintex, -vdbgprintexwithprefix, wdm/nf-wdm-dbgbreakpoint,
// wdm/nf-wdm-rtlassert Beyond  No filter by component and level: the host asks for the trace and gets all of
// it. There is no debugger in the kernel's
//         sense, so a failed assertion is a trace line and a SIGTRAP, which a real debugger catches and the
//         machine reports.
#include <csignal>
#include <cstdarg>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/format.h"
#include "kernel/misuse.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

BOOLEAN debugger_not_present = TRUE;
BOOLEAN debugger_enabled = FALSE;

void trace(std::string_view text) {
  System* const system = System::current_or_null();
  if (system == nullptr) return;
  const Driver* const driver = current_driver();
  const std::string who = driver != nullptr ? driver->name() : std::string("host");
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) system->observer().on_trace(fmt::format("{}: {}", who, line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

ULONG print(const char* function, const char* prefix, const char* format, va_list arguments) {
  if (format == nullptr) return static_cast<ULONG>(STATUS_INVALID_PARAMETER);
  bool wide = false;
  const std::string text = format_text(format, arguments, &wide);
  if (wide && irql() > PASSIVE_LEVEL) {
    report_misuse(Misuse::WrongIrql, function, nullptr,
                  fmt::format("a Unicode format is used at IRQL {}; it needs PASSIVE_LEVEL (0)", irql()));
  }
  trace(prefix == nullptr ? text : prefix + text);
  return static_cast<ULONG>(STATUS_SUCCESS);
}

}  // namespace

PBOOLEAN KdDebuggerNotPresent = &debugger_not_present;
PBOOLEAN KdDebuggerEnabled = &debugger_enabled;

// Page wdm/nf-wdm-dbgprint
ULONG DbgPrint(PCSTR Format, ...) {
  va_list arguments;
  va_start(arguments, Format);
  const ULONG status = print("DbgPrint", nullptr, Format, arguments);
  va_end(arguments);
  return status;
}

// Page wdm/nf-wdm-dbgprintex
ULONG DbgPrintEx(ULONG, ULONG, PCSTR Format, ...) {
  va_list arguments;
  va_start(arguments, Format);
  const ULONG status = print("DbgPrintEx", nullptr, Format, arguments);
  va_end(arguments);
  return status;
}

// Page wdm/nf-wdm-vdbgprintex
ULONG vDbgPrintEx(ULONG, ULONG, PCCH Format, va_list arglist) {
  return print("vDbgPrintEx", nullptr, Format, arglist);
}

// Page wdm/nf-wdm-vdbgprintexwithprefix
ULONG vDbgPrintExWithPrefix(PCCH Prefix, ULONG, ULONG, PCCH Format, va_list arglist) {
  return print("vDbgPrintExWithPrefix", Prefix, Format, arglist);
}

// There is no filter to set.
NTSTATUS DbgSetDebugFilterState(ULONG, ULONG, BOOLEAN) {
  return STATUS_SUCCESS;
}

NTSTATUS DbgQueryDebugFilterState(ULONG, ULONG) {
  return TRUE;
}

// Page wdm/nf-wdm-dbgbreakpoint
VOID DbgBreakPoint() {
  std::raise(SIGTRAP);
}
VOID DbgBreakPointWithStatus(ULONG Status) {
  trace(fmt::format("break point with status {:#010x}", Status));
  std::raise(SIGTRAP);
}
VOID DbgRaiseAssertionFailure() {
  std::raise(SIGTRAP);
}

// Page wdm/nf-wdm-rtlassert
VOID RtlAssert(PVOID VoidFailedAssertion, PVOID VoidFileName, ULONG LineNumber, PSTR MutableMessage) {
  trace(fmt::format("assertion failed: {}{}{} ({}:{})", MutableMessage == nullptr ? "" : MutableMessage,
                    MutableMessage == nullptr ? "" : ": ", static_cast<const char*>(VoidFailedAssertion),
                    static_cast<const char*>(VoidFileName), LineNumber));
  std::raise(SIGTRAP);
}

// Page wdm/nf-wdm-kdrefreshdebuggernotpresent
BOOLEAN KdRefreshDebuggerNotPresent() {
  return TRUE;
}

// What PAGED_CODE() calls when it finds the IRQL too high.
VOID undis_paged_code(const char* Function, const char* File, unsigned Line) {
  report_misuse(Misuse::WrongIrql, Function, nullptr,
                fmt::format("paged code runs at IRQL {}; APC_LEVEL ({}) is the highest allowed ({}:{})",
                            irql(), APC_LEVEL, File, Line));
}
