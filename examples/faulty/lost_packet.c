// SPDX-License-Identifier: MIT
//
// Rule    Hang: what is waited for comes.
// Page    network/pausing-a-binding
// Broken  the first list that is received on a binding is kept for ever. Whoever pauses the adapter waits for
// it
//         for ever, too.
// See     undis verify lost_packet.so
#include "common/proto6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PNET_BUFFER_LIST rest = NET_BUFFER_LIST_NEXT_NBL(Lists);

  if (InterlockedCompareExchangePointer(&Binding->Extra, Lists, NULL) != NULL) return Lists;
  NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;  // wrong: nobody ever returns it
  return rest;
}

static const PROTO6_HOOKS Hooks = {
    .Unload = Unload,
    .Receive = Receive,
    .Filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
}
