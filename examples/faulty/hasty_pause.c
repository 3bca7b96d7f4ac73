// SPDX-License-Identifier: MIT
//
// Rule    PauseAllBack: a pause is complete when every send is completed.
// Page    network/pausing-a-binding
// Broken  the protocol sends a frame for each chain that it receives, and its pause does not wait for
// completions. Seen where the card
//         is slow and the pause soon: lifecycle.pause, among others.
// See     undis verify hasty_pause.so
#include "common/proto6.h"

#define FRAME_LENGTH 60
#define FRAME_TAG 'tsaH'

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_HANDLE Pool;

typedef struct _FRAME {
  PMDL Mdl;
  UCHAR Data[FRAME_LENGTH];
} FRAME, *PFRAME;

static VOID FreeFrame(PFRAME Frame) {
  if (Frame->Mdl != NULL) NdisFreeMdl(Frame->Mdl);
  NdisFreeMemory(Frame, 0, 0);
}

// A broadcast of a local experiment. Without memory there is none this time.
static VOID Send(PPROTO6_BINDING Binding) {
  PFRAME frame =
      NdisAllocateMemoryWithTagPriority(Proto6Handle, sizeof(*frame), FRAME_TAG, NormalPoolPriority);
  PNET_BUFFER_LIST list = NULL;

  if (frame == NULL) return;
  NdisZeroMemory(frame, sizeof(*frame));
  NdisFillMemory(frame->Data, ETH_LENGTH_OF_ADDRESS, 0xFF);
  frame->Data[6] = 0x02;
  frame->Data[12] = 0x88;
  frame->Data[13] = 0xB6;
  frame->Mdl = NdisAllocateMdl(Proto6Handle, frame->Data, FRAME_LENGTH);
  if (frame->Mdl != NULL)
    list = NdisAllocateNetBufferAndNetBufferList(Pool, 0, 0, frame->Mdl, 0, FRAME_LENGTH);
  if (list == NULL) {
    FreeFrame(frame);
    return;
  }
  list->SourceHandle = Binding->Handle;
  NET_BUFFER_LIST_PROTOCOL_RESERVED(list)[0] = frame;
  NdisSendNetBufferLists(Binding->Handle, list, NDIS_DEFAULT_PORT_NUMBER, 0);
}

static VOID SendComplete(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  PNET_BUFFER_LIST next;
  PFRAME frame;

  UNREFERENCED_PARAMETER(Binding);
  for (; Lists != NULL; Lists = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(Lists);
    frame = NET_BUFFER_LIST_PROTOCOL_RESERVED(Lists)[0];
    NdisFreeNetBufferList(Lists);
    FreeFrame(frame);
  }
}

// Calls of Send are over before the pause is; what they sent need not be completed.
static LONG Running[PROTO6_BINDINGS];
static LONG Calls[PROTO6_BINDINGS];

static VOID Event(PPROTO6_BINDING Binding, NET_PNP_EVENT_CODE Event) {
  ptrdiff_t i = Binding - Proto6Bindings;

  if (Event == NetEventRestart) InterlockedExchange(&Running[i], TRUE);
  if (Event != NetEventPause) return;
  InterlockedExchange(&Running[i], FALSE);
  while (InterlockedCompareExchange(&Calls[i], 0, 0) != 0) NdisMSleep(1000);
  // wrong: the frames may still be with the card
}

static PNET_BUFFER_LIST Receive(PPROTO6_BINDING Binding, PNET_BUFFER_LIST Lists) {
  ptrdiff_t i = Binding - Proto6Bindings;

  InterlockedIncrement(&Calls[i]);
  if (InterlockedCompareExchange(&Running[i], TRUE, TRUE)) Send(Binding);
  InterlockedDecrement(&Calls[i]);
  return Lists;
}

static const PROTO6_HOOKS Hooks = {
    .Unload = Unload,
    .Event = Event,
    .Receive = Receive,
    .SendComplete = SendComplete,
    .Filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;
  NTSTATUS status;

  UNREFERENCED_PARAMETER(RegistryPath);
  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = FRAME_TAG;
  Pool = NdisAllocateNetBufferListPool(NULL, &parameters);
  if (Pool == NULL) return STATUS_INSUFFICIENT_RESOURCES;
  status = Proto6DriverEntry(DriverObject, &Hooks);
  if (status != NDIS_STATUS_SUCCESS) NdisFreeNetBufferListPool(Pool);
  return status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisDeregisterProtocolDriver(Proto6Handle);
  NdisFreeNetBufferListPool(Pool);
}
