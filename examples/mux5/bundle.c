// SPDX-License-Identifier: MIT
//
// mux5: which virtual miniport is over which binding, who uses what, and how a miniport comes and goes.
#include "mux5.h"

// ---- uses ----

BOOLEAN MuxBeginUse(PMUX_MINIPORT Miniport) {
  BOOLEAN may;

  NdisAcquireSpinLock(&Mux.Lock);
  may = Miniport->Up;
  if (may) Miniport->Users++;
  NdisReleaseSpinLock(&Mux.Lock);
  return may;
}

BOOLEAN MuxBeginBindingUse(PMUX_BINDING Binding) {
  BOOLEAN may;

  NdisAcquireSpinLock(&Mux.Lock);
  may = (BOOLEAN)!Binding->Closing;
  if (may) Binding->Users++;
  NdisReleaseSpinLock(&Mux.Lock);
  return may;
}

VOID MuxEndUse(PMUX_MINIPORT Miniport) {
  NdisAcquireSpinLock(&Mux.Lock);
  if (--Miniport->Users == 0 && !Miniport->Up) NdisSetEvent(&Miniport->NoUsers);
  NdisReleaseSpinLock(&Mux.Lock);
}

VOID MuxEndBindingUse(PMUX_BINDING Binding) {
  NdisAcquireSpinLock(&Mux.Lock);
  if (--Binding->Users == 0 && Binding->Closing) NdisSetEvent(&Binding->NoUsers);
  NdisReleaseSpinLock(&Mux.Lock);
}

ULONG MuxTakeUppers(PMUX_BINDING Binding, PMUX_MINIPORT* Uppers) {
  ULONG count = 0, i;

  NdisAcquireSpinLock(&Mux.Lock);
  for (i = 0; i < Binding->UpperCount; i++) {
    if (!Binding->Upper[i]->Up) continue;
    Binding->Upper[i]->Users++;
    Uppers[count++] = Binding->Upper[i];
  }
  NdisReleaseSpinLock(&Mux.Lock);
  return count;
}

ULONG MuxTakeLowers(PMUX_MINIPORT Miniport, PMUX_BINDING* Lowers) {
  ULONG count = 0, i;

  NdisAcquireSpinLock(&Mux.Lock);
  for (i = 0; i < Miniport->LowerCount; i++) {
    Miniport->Lower[i]->Users++;
    Lowers[count++] = Miniport->Lower[i];
  }
  NdisReleaseSpinLock(&Mux.Lock);
  return count;
}

PMUX_BINDING MuxTakeNextLower(PMUX_MINIPORT Miniport) {
  PMUX_BINDING binding = NULL;

  NdisAcquireSpinLock(&Mux.Lock);
  if (Miniport->LowerCount != 0) {
    binding = Miniport->Lower[Miniport->NextLower++ % Miniport->LowerCount];
    binding->Users++;
  }
  NdisReleaseSpinLock(&Mux.Lock);
  return binding;
}

// ---- a virtual miniport comes ----

static VOID MuxFreeMiniport(PMUX_MINIPORT Miniport) {
  if (Miniport->ReceivePool != NULL) NdisFreePacketPool(Miniport->ReceivePool);
  if (Miniport->SendPool != NULL) NdisFreePacketPool(Miniport->SendPool);
  NdisFreeMemory(Miniport, 0, 0);
}

static PMUX_MINIPORT MuxAllocateMiniport(PMUX_BINDING Binding, PNDIS_STRING DeviceName) {
  UINT size = sizeof(MUX_MINIPORT) + DeviceName->Length;
  PMUX_MINIPORT miniport;
  NDIS_STATUS status;

  if (NdisAllocateMemoryWithTag((PVOID*)&miniport, size, MUX_TAG) != NDIS_STATUS_SUCCESS) return NULL;
  NdisZeroMemory(miniport, size);
  miniport->DeviceName.Buffer = (PWSTR)(miniport + 1);
  miniport->DeviceName.Length = miniport->DeviceName.MaximumLength = DeviceName->Length;
  NdisMoveMemory(miniport->DeviceName.Buffer, DeviceName->Buffer, DeviceName->Length);
  NdisInitializeEvent(&miniport->Initialized);
  NdisInitializeEvent(&miniport->Halted);
  NdisInitializeEvent(&miniport->NoUsers);
  NdisMoveMemory(miniport->Address, Binding->Address, ETH_LENGTH_OF_ADDRESS);
  miniport->FrameSize = Binding->FrameSize;
  miniport->LinkSpeed = Binding->LinkSpeed;
  NdisAllocatePacketPoolEx(&status, &miniport->SendPool, MUX_PACKETS, MUX_PACKETS_OVERFLOW,
                           PROTOCOL_RESERVED_SIZE_IN_PACKET);
  if (status == NDIS_STATUS_SUCCESS) {
    NdisAllocatePacketPoolEx(&status, &miniport->ReceivePool, MUX_PACKETS, MUX_PACKETS_OVERFLOW,
                             PROTOCOL_RESERVED_SIZE_IN_PACKET);
    if (status == NDIS_STATUS_SUCCESS) return miniport;
    miniport->ReceivePool = NULL;
  } else {
    miniport->SendPool = NULL;
  }
  MuxFreeMiniport(miniport);
  return NULL;
}

static PMUX_MINIPORT MuxFindMiniport(PNDIS_STRING DeviceName) {
  PLIST_ENTRY link;

  for (link = Mux.Miniports.Flink; link != &Mux.Miniports; link = link->Flink) {
    PMUX_MINIPORT miniport = CONTAINING_RECORD(link, MUX_MINIPORT, Link);
    if (RtlEqualUnicodeString(&miniport->DeviceName, DeviceName, TRUE)) return miniport;
  }
  return NULL;
}

NDIS_STATUS MuxAttach(PMUX_BINDING Binding, PNDIS_STRING DeviceName) {
  PMUX_MINIPORT miniport = MuxFindMiniport(DeviceName);
  BOOLEAN made = (BOOLEAN)(miniport == NULL);
  NDIS_STATUS status = NDIS_STATUS_RESOURCES;
  BOOLEAN room;

  if (made) miniport = MuxAllocateMiniport(Binding, DeviceName);
  if (miniport == NULL) return NDIS_STATUS_RESOURCES;

  NdisAcquireSpinLock(&Mux.Lock);
  room = (BOOLEAN)(miniport->LowerCount < MUX_LOWER_MAX && Binding->UpperCount < MUX_UPPER_MAX);
  if (room) {
    miniport->Lower[miniport->LowerCount++] = Binding;
    Binding->Upper[Binding->UpperCount++] = miniport;
    miniport->InitializePending |= made;
  }
  NdisReleaseSpinLock(&Mux.Lock);
  if (room) {
    miniport->Bindings++;
    if (!made) return NDIS_STATUS_SUCCESS;
    InsertTailList(&Mux.Miniports, &miniport->Link);
    // MuxInitialize runs inside this call, or at any time afterwards.
    status = NdisIMInitializeDeviceInstanceEx(Mux.Driver, &miniport->DeviceName, miniport);
    if (status == NDIS_STATUS_SUCCESS) return status;

    RemoveEntryList(&miniport->Link);
    NdisAcquireSpinLock(&Mux.Lock);
    Binding->UpperCount--;  // the last, as it was added
    NdisReleaseSpinLock(&Mux.Lock);
  }
  if (made) MuxFreeMiniport(miniport);
  return status;
}

// ---- and goes ----

// Takes the virtual miniport down, in whatever state it is.
static VOID MuxRemoveMiniport(PMUX_MINIPORT Miniport) {
  NDIS_HANDLE handle;
  BOOLEAN pending;

  NdisAcquireSpinLock(&Mux.Lock);
  pending = Miniport->InitializePending;
  NdisReleaseSpinLock(&Mux.Lock);
  if (pending) {
    if (NdisIMCancelInitializeDeviceInstance(Mux.Driver, &Miniport->DeviceName) == NDIS_STATUS_SUCCESS)
      return;
    NdisWaitEvent(&Miniport->Initialized, 0);  // too late to cancel: it is under way
  }

  NdisAcquireSpinLock(&Mux.Lock);
  handle = Miniport->Miniport;
  NdisReleaseSpinLock(&Mux.Lock);
  if (handle == NULL) return;  // its initialize failed, or it has been halted on its own
  NdisIMDeInitializeDeviceInstance(handle);
  NdisWaitEvent(&Miniport->Halted, 0);  // set already, unless somebody else is just halting it
}

static VOID MuxTakeOut(PMUX_BINDING Binding, PMUX_MINIPORT Miniport) {
  ULONG i, left = 0;

  NdisAcquireSpinLock(&Mux.Lock);
  for (i = 0; i < Miniport->LowerCount; i++)
    if (Miniport->Lower[i] != Binding) Miniport->Lower[left++] = Miniport->Lower[i];
  Miniport->LowerCount = left;
  for (left = i = 0; i < Binding->UpperCount; i++)
    if (Binding->Upper[i] != Miniport) Binding->Upper[left++] = Binding->Upper[i];
  Binding->UpperCount = left;
  NdisReleaseSpinLock(&Mux.Lock);
}

VOID MuxDetachAll(PMUX_BINDING Binding) {
  BOOLEAN used;

  while (Binding->UpperCount != 0) {  // changes with the gate held only
    PMUX_MINIPORT miniport = Binding->Upper[0];
    if (--miniport->Bindings == 0) {
      // The binding carries it until it is down: what those above sent goes out, and comes back.
      MuxRemoveMiniport(miniport);
      RemoveEntryList(&miniport->Link);
      MuxTakeOut(Binding, miniport);
      MuxFreeMiniport(miniport);
    } else {
      MuxTakeOut(Binding, miniport);
    }
  }

  NdisAcquireSpinLock(&Mux.Lock);
  Binding->Closing = TRUE;
  used = (BOOLEAN)(Binding->Users != 0);
  NdisReleaseSpinLock(&Mux.Lock);
  if (!used) return;
  NdisWaitEvent(&Binding->NoUsers, 0);
  // Whoever set the event did so with the lock held, and may still be about to release it.
  NdisAcquireSpinLock(&Mux.Lock);
  NdisReleaseSpinLock(&Mux.Lock);
}
