// SPDX-License-Identifier: MIT
//
// Two system threads that work each on memory of their own, and each add 1 to what they share, in two steps:
// one addition can be lost, which shows as a leak.
#include <ntddk.h>

#define WORKERS 2
#define STEPS 16

typedef struct {
  PVOID Thread;
  LONG Own;
} WORKER;

static WORKER Workers[WORKERS];
static volatile LONG Shared;
static KSPIN_LOCK Lock;

static VOID Work(PVOID Context) {
  WORKER* Self = Context;
  LONG Before;
  KIRQL Irql;
  ULONG i;

  for (i = 0; i < STEPS; ++i) InterlockedIncrement(&Self->Own);
  Before = Shared;
  InterlockedIncrement(&Self->Own);
  Shared = Before + 1;
  KeAcquireSpinLock(&Lock, &Irql);
  Self->Own = 0;
  KeReleaseSpinLock(&Lock, Irql);
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID Unload(PDRIVER_OBJECT Driver) {
  UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath) {
  OBJECT_ATTRIBUTES Attributes;
  HANDLE Handle;
  ULONG i;

  UNREFERENCED_PARAMETER(RegistryPath);
  Driver->DriverUnload = Unload;
  KeInitializeSpinLock(&Lock);
  InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
  for (i = 0; i < WORKERS; ++i) {
    if (!NT_SUCCESS(
            PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, Work, &Workers[i])))
      return STATUS_UNSUCCESSFUL;
    ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, NULL, KernelMode, &Workers[i].Thread, NULL);
    ZwClose(Handle);
  }
  for (i = 0; i < WORKERS; ++i) {
    KeWaitForSingleObject(Workers[i].Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Workers[i].Thread);
  }
  if (Shared != WORKERS) ExAllocatePool2(POOL_FLAG_NON_PAGED, 32, 'tsoL');
  return STATUS_SUCCESS;
}
