// SPDX-License-Identifier: MIT
//
// Rule    ThreadAtUnload
// Page    wdm/nf-wdm-pscreatesystemthread
// Race    Unload waits for an event that the thread sets, not for the thread: its last instructions run
//         when the driver is gone.
// See     undis verify unload_thread.so
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static KEVENT Stop;
static KEVENT Stopped;
static LONG Started;

static VOID Run(PVOID StartContext) {
  UNREFERENCED_PARAMETER(StartContext);
  KeWaitForSingleObject(&Stop, Executive, KernelMode, FALSE, NULL);
  KeSetEvent(&Stopped, IO_NO_INCREMENT, FALSE);
  PsTerminateSystemThread(STATUS_SUCCESS);  // wrong: nobody waits for this
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  HANDLE thread;

  UNREFERENCED_PARAMETER(Binding);
  if (Event != NetEventRestart || InterlockedExchange(&Started, TRUE)) return;
  if (NT_SUCCESS(PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Run, NULL)))
    ZwClose(thread);
  else
    InterlockedExchange(&Started, FALSE);
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Event = Event};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  KeInitializeEvent(&Stop, NotificationEvent, FALSE);
  KeInitializeEvent(&Stopped, NotificationEvent, FALSE);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  KeSetEvent(&Stop, IO_NO_INCREMENT, FALSE);
  if (InterlockedCompareExchange(&Started, TRUE, TRUE))
    KeWaitForSingleObject(&Stopped, Executive, KernelMode, FALSE, NULL);
}
