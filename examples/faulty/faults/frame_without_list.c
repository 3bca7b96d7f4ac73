// SPDX-License-Identifier: MIT
//
// Rule    PoolLeak
// Page    ndis/nf-ndis-ndisallocatenetbufferandnetbufferlist
// Broken  a frame has memory, an MDL and a list. When there is no list, the MDL goes and the memory stays.
// See     undis verify frame_without_list.so --suite lifecycle.entry --suite lifecycle.memory
#include "races/race.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Pool;

static VOID SendComplete(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PNET_BUFFER_LIST next;

  UNREFERENCED_PARAMETER(Binding);
  for (; Lists != NULL; Lists = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(Lists);
    NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
    RaceFreeFrame(Lists);
  }
}

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  PRACE_FRAME_DATA frame;
  PNET_BUFFER_LIST list;

  UNREFERENCED_PARAMETER(Binding);
  if (Event != NetEventRestart) return;
  if (Pool == NULL) Pool = RacePool();
  frame = Pool != NULL ? RaceAllocate(sizeof(*frame)) : NULL;
  if (frame == NULL) return;
  frame->Mdl = NdisAllocateMdl(Proto6Handle, frame->Data, RACE_FRAME);
  if (frame->Mdl == NULL) {
    NdisFreeMemory(frame, 0, 0);
    return;
  }
  list = NdisAllocateNetBufferAndNetBufferList(Pool, 0, 0, frame->Mdl, 0, RACE_FRAME);
  if (list == NULL) {
    NdisFreeMdl(frame->Mdl);
    return;  // wrong: the memory is lost
  }
  NET_BUFFER_LIST_PROTOCOL_RESERVED(list)[0] = frame;
  RaceFreeFrame(list);
}

static const PROTO6_HOOKS Hooks = {.Unload = Unload, .Event = Event, .SendComplete = SendComplete};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Proto6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  if (Pool != NULL) NdisFreeNetBufferListPool(Pool);
}
