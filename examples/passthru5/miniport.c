// SPDX-License-Identifier: MIT
//
// passthru5: the virtual miniport, as far as it is not data.
#include "passthru5.h"

BOOLEAN PtBeginUse(PPT_ADAPTER Adapter, BOOLEAN ForData) {
  BOOLEAN may;

  NdisAcquireSpinLock(&Adapter->Lock);
  may = (BOOLEAN)(Adapter->Up && (!ForData || Adapter->PacketFilter != 0));
  if (may) Adapter->Users++;
  NdisReleaseSpinLock(&Adapter->Lock);
  return may;
}

VOID PtEndUse(PPT_ADAPTER Adapter) {
  NdisAcquireSpinLock(&Adapter->Lock);
  if (--Adapter->Users == 0 && !Adapter->Up) NdisSetEvent(&Adapter->NoUsers);
  NdisReleaseSpinLock(&Adapter->Lock);
}

// ---- life ----

NDIS_STATUS NTAPI PtInitialize(PNDIS_STATUS OpenErrorStatus, PUINT SelectedMediumIndex,
                               PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                               NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE WrapperConfigurationContext) {
  PPT_ADAPTER adapter = NdisIMGetDeviceContext(MiniportAdapterHandle);
  UINT medium = 0;
  BOOLEAN found;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  UNREFERENCED_PARAMETER(WrapperConfigurationContext);
  while (medium < MediumArraySize && MediumArray[medium] != NdisMedium802_3) medium++;
  found = (BOOLEAN)(medium < MediumArraySize);
  if (found) {
    *SelectedMediumIndex = medium;
    NdisMSetAttributesEx(MiniportAdapterHandle, adapter, 0,
                         NDIS_ATTRIBUTE_IGNORE_PACKET_TIMEOUT | NDIS_ATTRIBUTE_IGNORE_REQUEST_TIMEOUT |
                             NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER | NDIS_ATTRIBUTE_DESERIALIZE |
                             NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND,
                         NdisInterfaceInternal);
  }

  NdisAcquireSpinLock(&adapter->Lock);
  adapter->InitializePending = FALSE;
  adapter->Miniport = found ? MiniportAdapterHandle : NULL;
  adapter->Up = found;
  NdisReleaseSpinLock(&adapter->Lock);
  NdisSetEvent(&adapter->Initialized);
  return found ? NDIS_STATUS_SUCCESS : NDIS_STATUS_UNSUPPORTED_MEDIA;
}

VOID NTAPI PtHalt(NDIS_HANDLE MiniportAdapterContext) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  BOOLEAN used;

  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Up = FALSE;  // from here nothing begins its way up
  used = (BOOLEAN)(adapter->Users != 0);
  NdisReleaseSpinLock(&adapter->Lock);
  if (used) NdisWaitEvent(&adapter->NoUsers, 0);

  NdisAcquireSpinLock(&adapter->Lock);
  adapter->Miniport = NULL;
  adapter->PacketFilter = 0;
  NdisReleaseSpinLock(&adapter->Lock);
  NdisSetEvent(&adapter->Halted);  // last: PtUnbind may free the adapter now
}

VOID NTAPI PtShutdown(PVOID ShutdownContext) {
  UNREFERENCED_PARAMETER(ShutdownContext);
}

VOID NTAPI PtDevicePnPEvent(NDIS_HANDLE MiniportAdapterContext, NDIS_DEVICE_PNP_EVENT PnPEvent,
                            PVOID InformationBuffer, ULONG InformationBufferLength) {
  UNREFERENCED_PARAMETER(MiniportAdapterContext);
  UNREFERENCED_PARAMETER(PnPEvent);
  UNREFERENCED_PARAMETER(InformationBuffer);
  UNREFERENCED_PARAMETER(InformationBufferLength);
}

// ---- OID requests: the adapter below answers, but for power, which is the virtual miniport's own ----

static VOID PtGiveRequestResults(PPT_ADAPTER Adapter) {
  if (Adapter->Request.RequestType == NdisRequestQueryInformation) {
    *Adapter->RequestBytesUsed = Adapter->Request.DATA.QUERY_INFORMATION.BytesWritten;
    *Adapter->RequestBytesNeeded = Adapter->Request.DATA.QUERY_INFORMATION.BytesNeeded;
  } else {
    *Adapter->RequestBytesUsed = Adapter->Request.DATA.SET_INFORMATION.BytesRead;
    *Adapter->RequestBytesNeeded = Adapter->Request.DATA.SET_INFORMATION.BytesNeeded;
  }
}

static NDIS_STATUS PtForwardRequest(PPT_ADAPTER Adapter, PULONG BytesUsed, PULONG BytesNeeded) {
  NDIS_STATUS status;

  Adapter->RequestBytesUsed = BytesUsed;
  Adapter->RequestBytesNeeded = BytesNeeded;
  NdisRequest(&status, Adapter->Binding, &Adapter->Request);
  if (status != NDIS_STATUS_PENDING) PtGiveRequestResults(Adapter);
  return status;
}

VOID NTAPI PtRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                             NDIS_STATUS Status) {
  PPT_ADAPTER adapter = ProtocolBindingContext;
  BOOLEAN query = (BOOLEAN)(NdisRequest->RequestType == NdisRequestQueryInformation);

  PtGiveRequestResults(adapter);
  // The next request may come, and use adapter->Request, before these return.
  if (query)
    NdisMQueryInformationComplete(adapter->Miniport, Status);
  else
    NdisMSetInformationComplete(adapter->Miniport, Status);
}

NDIS_STATUS NTAPI PtQueryInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid,
                                     PVOID InformationBuffer, ULONG InformationBufferLength,
                                     PULONG BytesWritten, PULONG BytesNeeded) {
  PPT_ADAPTER adapter = MiniportAdapterContext;

  *BytesWritten = 0;
  *BytesNeeded = 0;
  if (Oid == OID_PNP_QUERY_POWER) return NDIS_STATUS_SUCCESS;
  NdisZeroMemory(&adapter->Request, sizeof(adapter->Request));
  adapter->Request.RequestType = NdisRequestQueryInformation;
  adapter->Request.DATA.QUERY_INFORMATION.Oid = Oid;
  adapter->Request.DATA.QUERY_INFORMATION.InformationBuffer = InformationBuffer;
  adapter->Request.DATA.QUERY_INFORMATION.InformationBufferLength = InformationBufferLength;
  return PtForwardRequest(adapter, BytesWritten, BytesNeeded);
}

NDIS_STATUS NTAPI PtSetInformation(NDIS_HANDLE MiniportAdapterContext, NDIS_OID Oid, PVOID InformationBuffer,
                                   ULONG InformationBufferLength, PULONG BytesRead, PULONG BytesNeeded) {
  PPT_ADAPTER adapter = MiniportAdapterContext;
  ULONG filter;

  *BytesRead = 0;
  *BytesNeeded = 0;
  if (Oid == OID_PNP_SET_POWER) {
    *BytesRead = InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
  }
  if (Oid == OID_GEN_CURRENT_PACKET_FILTER && InformationBufferLength >= sizeof(filter)) {
    NdisMoveMemory(&filter, InformationBuffer, sizeof(filter));
    NdisAcquireSpinLock(&adapter->Lock);
    adapter->PacketFilter = filter;
    NdisReleaseSpinLock(&adapter->Lock);
  }
  NdisZeroMemory(&adapter->Request, sizeof(adapter->Request));
  adapter->Request.RequestType = NdisRequestSetInformation;
  adapter->Request.DATA.SET_INFORMATION.Oid = Oid;
  adapter->Request.DATA.SET_INFORMATION.InformationBuffer = InformationBuffer;
  adapter->Request.DATA.SET_INFORMATION.InformationBufferLength = InformationBufferLength;
  return PtForwardRequest(adapter, BytesRead, BytesNeeded);
}
