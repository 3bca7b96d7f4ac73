// SPDX-License-Identifier: MIT
// Debug output, assertions, paged-code checks, the words of code-placement pragmas.
#pragma once
#pragma GCC system_header

#include <wdm/irql.h>

#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3
#define DPFLTR_MASK 0x80000000

#define DPFLTR_SYSTEM_ID 0
#define DPFLTR_SMSS_ID 1
#define DPFLTR_SETUP_ID 2
#define DPFLTR_NTFS_ID 3
#define DPFLTR_TCPIP_ID 10
#define DPFLTR_DCOMSS_ID 25
#define DPFLTR_NDIS_ID 26
#define DPFLTR_NDISUIO_ID 28
#define DPFLTR_NDISTAPI_ID 40
#define DPFLTR_NDISWAN_ID 41
#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_IHVVIDEO_ID 78
#define DPFLTR_IHVAUDIO_ID 79
#define DPFLTR_IHVNETWORK_ID 80
#define DPFLTR_IHVSTREAMING_ID 81
#define DPFLTR_IHVBUS_ID 82
#define DPFLTR_DEFAULT_ID 101

UNDIS_EXTERN_C_START

NTSYSAPI ULONG DbgPrint(PCSTR Format, ...);
NTSYSAPI ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...);
NTSYSAPI ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list arglist);
NTSYSAPI ULONG vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format,
                                     va_list arglist);
NTSYSAPI NTSTATUS DbgSetDebugFilterState(ULONG ComponentId, ULONG Level, BOOLEAN State);
NTSYSAPI NTSTATUS DbgQueryDebugFilterState(ULONG ComponentId, ULONG Level);
NTSYSAPI VOID DbgBreakPoint(VOID);
NTSYSAPI VOID DbgBreakPointWithStatus(ULONG Status);
NTSYSAPI VOID DbgRaiseAssertionFailure(VOID);
NTSYSAPI VOID RtlAssert(PVOID VoidFailedAssertion, PVOID VoidFileName, ULONG LineNumber, PSTR MutableMessage);
NTKERNELAPI BOOLEAN KdRefreshDebuggerNotPresent(VOID);
NTKERNELAPI VOID undis_paged_code(const char* Function, const char* File, unsigned Line);

extern NTKERNELAPI PBOOLEAN KdDebuggerNotPresent;
extern NTKERNELAPI PBOOLEAN KdDebuggerEnabled;
#define KD_DEBUGGER_ENABLED (*KdDebuggerEnabled)
#define KD_DEBUGGER_NOT_PRESENT (*KdDebuggerNotPresent)

UNDIS_EXTERN_C_END

// A macro's condition is evaluated in checked builds (DBG) only, as on Windows.
#if defined(DBG) && DBG
#define UNDIS_CHECK(exp, text, message) \
  ((!(exp)) ? (RtlAssert((PVOID)(text), (PVOID)__FILE__, (ULONG)__LINE__, (PSTR)(message)), FALSE) : TRUE)
#define ASSERT(exp) ((void)UNDIS_CHECK(exp, #exp, NULL))
#define ASSERTMSG(msg, exp) ((void)UNDIS_CHECK(exp, #exp, msg))
#define RTL_SOFT_ASSERT(exp) ((void)UNDIS_CHECK(exp, #exp, NULL))
#define RTL_SOFT_ASSERTMSG(msg, exp) ((void)UNDIS_CHECK(exp, #exp, msg))
#define NT_ASSERT(exp) UNDIS_CHECK(exp, #exp, NULL)
#define NT_ASSERTMSG(msg, exp) UNDIS_CHECK(exp, #exp, msg)
#define NT_ASSERT_ASSUME(exp) UNDIS_CHECK(exp, #exp, NULL)
#define RTL_VERIFY(exp) UNDIS_CHECK(exp, #exp, NULL)
#define RTL_VERIFYMSG(msg, exp) UNDIS_CHECK(exp, #exp, msg)
#define NT_VERIFY(exp) UNDIS_CHECK(exp, #exp, NULL)
#define NT_VERIFYMSG(msg, exp) UNDIS_CHECK(exp, #exp, msg)
#define KdPrint(_x_) DbgPrint _x_
#define KdPrintEx(_x_) DbgPrintEx _x_
#define vKdPrintEx(_x_) vDbgPrintEx _x_
#define vKdPrintExWithPrefix(_x_) vDbgPrintExWithPrefix _x_
#define KdBreakPoint() DbgBreakPoint()
#define KdBreakPointWithStatus(s) DbgBreakPointWithStatus(s)
#define PAGED_CODE() \
  ((KeGetCurrentIrql() > APC_LEVEL) ? undis_paged_code(__func__, __FILE__, __LINE__) : (void)0)
#else
#define ASSERT(exp) ((void)0)
#define ASSERTMSG(msg, exp) ((void)0)
#define RTL_SOFT_ASSERT(exp) ((void)0)
#define RTL_SOFT_ASSERTMSG(msg, exp) ((void)0)
#define NT_ASSERT(exp) ((void)0)
#define NT_ASSERTMSG(msg, exp) ((void)0)
#define NT_ASSERT_ASSUME(exp) ((void)0)
#define RTL_VERIFY(exp) ((exp) ? TRUE : FALSE)
#define RTL_VERIFYMSG(msg, exp) ((exp) ? TRUE : FALSE)
#define NT_VERIFY(exp) ((exp) ? TRUE : FALSE)
#define NT_VERIFYMSG(msg, exp) ((exp) ? TRUE : FALSE)
#define KdPrint(_x_)
#define KdPrintEx(_x_)
#define vKdPrintEx(_x_)
#define vKdPrintExWithPrefix(_x_)
#define KdBreakPoint()
#define KdBreakPointWithStatus(s)
// The check of paged code costs one comparison, so free builds keep it: the verifier wants it (bug check
// 0xD3).
#define PAGED_CODE() \
  ((KeGetCurrentIrql() > APC_LEVEL) ? undis_paged_code(__func__, __FILE__, __LINE__) : (void)0)
#endif
#define NT_FRE_ASSERT(exp) \
  ((void)((!(exp)) ? (RtlAssert((PVOID) #exp, (PVOID)__FILE__, (ULONG)__LINE__, NULL), FALSE) : TRUE))
#define NT_FRE_ASSERTMSG(msg, exp) \
  ((void)((!(exp)) ? (RtlAssert((PVOID) #exp, (PVOID)__FILE__, (ULONG)__LINE__, (PSTR)(msg)), FALSE) : TRUE))
#define PAGED_CODE_LOCKED() ((void)0)
#define NOP_FUNCTION ((void)0)

#ifndef ALLOC_PRAGMA
#define ALLOC_PRAGMA 1
#endif
#ifndef ALLOC_DATA_PRAGMA
#define ALLOC_DATA_PRAGMA 1
#endif
