// SPDX-License-Identifier: MIT
//
// Rule    DriverCrash
// Page    ndis/nf-ndis-ndisallocatenetbufferlistpool
// Broken  the copy of a received frame is made without a look at whether there was memory for it.
// See     undis verify receive_unchecked.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(Lists);
  PUCHAR copy = NdisAllocateMemoryWithTagPriority(Proto6Handle, NET_BUFFER_DATA_LENGTH(buffer), RACE_TAG,
                                                  NormalPoolPriority);
  PUCHAR data;

  UNREFERENCED_PARAMETER(Binding);
  data = NdisGetDataBuffer(buffer, NET_BUFFER_DATA_LENGTH(buffer), copy, 1, 0);
  if (data != NULL && data != copy)
    NdisMoveMemory(copy, data, NET_BUFFER_DATA_LENGTH(buffer));  // wrong: no look
  if (copy != NULL) NdisFreeMemory(copy, 0, 0);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Receive = Receive, .Filter = RACE_FILTER};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
}
