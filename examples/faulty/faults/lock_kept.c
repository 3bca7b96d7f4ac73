// SPDX-License-Identifier: MIT
//
// Rule    SpinLockBalanced
// Page    ndis/nf-ndis-ndisacquirespinlock
// Broken  the way out that is taken when there is no memory forgets the lock.
// See     undis verify lock_kept.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_SPIN_LOCK Lock;
static PVOID Cached;

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  UNREFERENCED_PARAMETER(Binding);
  NdisAcquireSpinLock(&Lock);
  if (Cached == NULL) {
    Cached = RaceAllocate(64);
    if (Cached == NULL) return Lists;  // wrong: with the lock held
  }
  NdisReleaseSpinLock(&Lock);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  NdisAllocateSpinLock(&Lock);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  if (Cached != NULL) NdisFreeMemory(Cached, 0, 0);
  NdisFreeSpinLock(&Lock);
}
