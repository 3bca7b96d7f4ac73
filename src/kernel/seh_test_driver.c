// SPDX-License-Identifier: MIT
//
// Driver code with guarded blocks, for seh_test.cpp: the macros are C.
#include <ntddk.h>

NTSTATUS seh_catch_status(NTSTATUS status);
NTSTATUS seh_probe_read(const void* address, SIZE_T length, ULONG alignment);
int seh_finally_order(NTSTATUS status, int* order);
NTSTATUS seh_rethrow(NTSTATUS status);
NTSTATUS seh_touch(volatile int* address);
int seh_leave(void);
NTSTATUS seh_call_out(void (*routine)(void*), void* context);

NTSTATUS seh_catch_status(NTSTATUS status) {
  __try {
    ExRaiseStatus(status);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
  return STATUS_SUCCESS;
}

NTSTATUS seh_probe_read(const void* address, SIZE_T length, ULONG alignment) {
  __try {
    ProbeForRead(address, length, alignment);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
  return STATUS_SUCCESS;
}

// Digits are appended to *order as places are passed.
int seh_finally_order(NTSTATUS status, int* order) {
  volatile int caught = 0;
  *order = 0;
  __try {
    __try {
      *order = *order * 10 + 1;
      if (status != STATUS_SUCCESS) ExRaiseStatus(status);
      *order = *order * 10 + 2;
    } __finally {
      *order = *order * 10 + (AbnormalTermination() ? 4 : 3);
    }
    *order = *order * 10 + 5;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    caught = 1;
  }
  return caught;
}

NTSTATUS seh_rethrow(NTSTATUS status) {
  volatile NTSTATUS seen = STATUS_SUCCESS;
  __try {
    __try {
      ExRaiseStatus(status);
    } __except (GetExceptionCode() == STATUS_TIMEOUT ? EXCEPTION_EXECUTE_HANDLER
                                                     : EXCEPTION_CONTINUE_SEARCH) {
      return STATUS_UNSUCCESSFUL;
    }
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    seen = GetExceptionCode();
  }
  return seen;
}

NTSTATUS seh_touch(volatile int* address) {
  __try {
    *address = 1;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
  return STATUS_SUCCESS;
}

int seh_leave(void) {
  volatile int value = 1;
  __try {
    value = 2;
    __leave;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    value = 4;
  }
  return value;
}

NTSTATUS seh_call_out(void (*routine)(void*), void* context) {
  __try {
    routine(context);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
  return STATUS_SUCCESS;
}
