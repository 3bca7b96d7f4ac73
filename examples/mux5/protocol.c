// SPDX-License-Identifier: MIT
//
// mux5: the protocol half, as far as it is not data.
#include "mux5.h"

// ---- requests that their sender waits for; NDIS hands the first member back ----

typedef struct _MUX_REQUEST {
  NDIS_REQUEST Request;
  NDIS_EVENT Completed;
  NDIS_STATUS Status;
} MUX_REQUEST, *PMUX_REQUEST;

static NDIS_STATUS MuxRequest(PMUX_BINDING Binding, NDIS_REQUEST_TYPE Type, NDIS_OID Oid, PVOID Buffer,
                              UINT Length) {
  MUX_REQUEST request;
  NDIS_STATUS status;

  NdisZeroMemory(&request, sizeof(request));
  NdisInitializeEvent(&request.Completed);
  request.Request.RequestType = Type;
  if (Type == NdisRequestQueryInformation) {
    request.Request.DATA.QUERY_INFORMATION.Oid = Oid;
    request.Request.DATA.QUERY_INFORMATION.InformationBuffer = Buffer;
    request.Request.DATA.QUERY_INFORMATION.InformationBufferLength = Length;
  } else {
    request.Request.DATA.SET_INFORMATION.Oid = Oid;
    request.Request.DATA.SET_INFORMATION.InformationBuffer = Buffer;
    request.Request.DATA.SET_INFORMATION.InformationBufferLength = Length;
  }
  NdisRequest(&status, Binding->Handle, &request.Request);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&request.Completed, 0);
  return request.Status;
}

VOID NTAPI MuxRequestComplete(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                              NDIS_STATUS Status) {
  PMUX_REQUEST request = CONTAINING_RECORD(NdisRequest, MUX_REQUEST, Request);

  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  request->Status = Status;
  NdisSetEvent(&request->Completed);
}

// ---- open and close ----

static PMUX_BINDING MuxAllocateBinding(VOID) {
  PMUX_BINDING binding;

  if (NdisAllocateMemoryWithTag((PVOID*)&binding, sizeof(*binding), MUX_TAG) != NDIS_STATUS_SUCCESS)
    return NULL;
  NdisZeroMemory(binding, sizeof(*binding));
  NdisInitializeEvent(&binding->Completed);
  NdisInitializeEvent(&binding->NoUsers);
  return binding;
}

VOID NTAPI MuxOpenComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                           NDIS_STATUS OpenErrorStatus) {
  PMUX_BINDING binding = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(OpenErrorStatus);
  binding->Status = Status;
  NdisSetEvent(&binding->Completed);
}

VOID NTAPI MuxCloseComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  PMUX_BINDING binding = ProtocolBindingContext;

  UNREFERENCED_PARAMETER(Status);
  NdisSetEvent(&binding->Completed);
}

static NDIS_STATUS MuxOpen(PMUX_BINDING Binding, PNDIS_STRING DeviceName) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_STATUS status, error;
  UINT medium;

  NdisOpenAdapter(&status, &error, &Binding->Handle, &medium, media, RTL_NUMBER_OF(media), Mux.Protocol,
                  Binding, DeviceName, 0, NULL);
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&Binding->Completed, 0);
  return Binding->Status;
}

static VOID MuxClose(PMUX_BINDING Binding) {
  NDIS_STATUS status;

  NdisResetEvent(&Binding->Completed);
  NdisCloseAdapter(&status, Binding->Handle);
  if (status == NDIS_STATUS_PENDING) NdisWaitEvent(&Binding->Completed, 0);
}

// What the virtual miniports will say of themselves, and a filter that lets in whatever any of them may want:
// the driver sorts the frames itself.
static NDIS_STATUS MuxConfigure(PMUX_BINDING Binding) {
  ULONG filter = NDIS_PACKET_TYPE_PROMISCUOUS;
  NDIS_STATUS status;

  status = MuxRequest(Binding, NdisRequestQueryInformation, OID_802_3_CURRENT_ADDRESS, Binding->Address,
                      sizeof(Binding->Address));
  if (status != NDIS_STATUS_SUCCESS) return status;
  status = MuxRequest(Binding, NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, &Binding->FrameSize,
                      sizeof(Binding->FrameSize));
  if (status != NDIS_STATUS_SUCCESS) return status;
  status = MuxRequest(Binding, NdisRequestQueryInformation, OID_GEN_LINK_SPEED, &Binding->LinkSpeed,
                      sizeof(Binding->LinkSpeed));
  if (status != NDIS_STATUS_SUCCESS) return status;
  return MuxRequest(Binding, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter,
                    sizeof(filter));
}

// ---- the names of the virtual miniports ----

// The second miniport of a binding has the name of the first with "-2" before a closing brace, or at the end.
static NDIS_STATUS MuxAttachSecond(PMUX_BINDING Binding, PNDIS_STRING First) {
  static const WCHAR Addition[] = {L'-', L'2', L'}'};
  NDIS_STRING name = {0};
  NDIS_STATUS status;
  BOOLEAN braced = (BOOLEAN)(First->Length != 0 && First->Buffer[First->Length / sizeof(WCHAR) - 1] == L'}');
  USHORT kept = (USHORT)(First->Length - (braced ? sizeof(WCHAR) : 0));

  name.MaximumLength = (USHORT)(kept + sizeof(Addition));
  name.Length = (USHORT)(name.MaximumLength - (braced ? 0 : sizeof(WCHAR)));
  status = NdisAllocateMemoryWithTag((PVOID*)&name.Buffer, name.MaximumLength, MUX_TAG);
  if (status != NDIS_STATUS_SUCCESS) return NDIS_STATUS_RESOURCES;
  NdisMoveMemory(name.Buffer, First->Buffer, kept);
  NdisMoveMemory((PUCHAR)name.Buffer + kept, Addition, sizeof(Addition));
  status = MuxAttach(Binding, &name);
  NdisFreeMemory(name.Buffer, name.MaximumLength, 0);
  return status;
}

// "UpperBindings" has to be there; "Bundle" may be.
static NDIS_STATUS MuxAttachConfigured(PMUX_BINDING Binding, PNDIS_STRING ProtocolSection) {
  NDIS_STRING own = NDIS_STRING_CONST("UpperBindings");
  NDIS_STRING bundle = NDIS_STRING_CONST("Bundle");
  PNDIS_CONFIGURATION_PARAMETER value;
  NDIS_HANDLE configuration;
  NDIS_STATUS status, found;

  NdisOpenProtocolConfiguration(&status, &configuration, ProtocolSection);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NdisReadConfiguration(&status, &value, configuration, &own, NdisParameterString);
  if (status == NDIS_STATUS_SUCCESS) status = MuxAttach(Binding, &value->ParameterData.StringData);
  if (status == NDIS_STATUS_SUCCESS) status = MuxAttachSecond(Binding, &value->ParameterData.StringData);
  if (status == NDIS_STATUS_SUCCESS) {
    NdisReadConfiguration(&found, &value, configuration, &bundle, NdisParameterString);
    if (found == NDIS_STATUS_SUCCESS) status = MuxAttach(Binding, &value->ParameterData.StringData);
  }
  NdisCloseConfiguration(configuration);
  return status;
}

// ---- bind and unbind ----

static VOID MuxEnterGate(VOID) {
  KeWaitForSingleObject(&Mux.Gate, Executive, KernelMode, FALSE, NULL);
}

static VOID MuxLeaveGate(VOID) {
  KeSetEvent(&Mux.Gate, IO_NO_INCREMENT, FALSE);
}

static VOID MuxTakeDown(PMUX_BINDING Binding) {
  MuxDetachAll(Binding);
  MuxClose(Binding);
  NdisFreeMemory(Binding, 0, 0);
}

VOID NTAPI MuxBind(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                   PVOID SystemSpecific1, PVOID SystemSpecific2) {
  PMUX_BINDING binding = MuxAllocateBinding();

  UNREFERENCED_PARAMETER(BindContext);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  if (binding == NULL) {
    *Status = NDIS_STATUS_RESOURCES;
    return;
  }
  *Status = MuxOpen(binding, DeviceName);
  if (*Status != NDIS_STATUS_SUCCESS) {
    NdisFreeMemory(binding, 0, 0);
    return;
  }
  MuxEnterGate();
  *Status = MuxConfigure(binding);
  if (*Status == NDIS_STATUS_SUCCESS) *Status = MuxAttachConfigured(binding, SystemSpecific1);
  if (*Status != NDIS_STATUS_SUCCESS) MuxTakeDown(binding);
  MuxLeaveGate();
}

VOID NTAPI MuxUnbind(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE UnbindContext) {
  UNREFERENCED_PARAMETER(UnbindContext);
  MuxEnterGate();
  MuxTakeDown(ProtocolBindingContext);
  MuxLeaveGate();
  *Status = NDIS_STATUS_SUCCESS;
}

// ---- status and events: those above each miniport hear of every adapter under it ----

VOID NTAPI MuxStatus(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                     UINT StatusBufferSize) {
  PMUX_MINIPORT uppers[MUX_UPPER_MAX];
  ULONG count = MuxTakeUppers(ProtocolBindingContext, uppers), i;

  for (i = 0; i < count; i++) {
    NdisMIndicateStatus(uppers[i]->Miniport, GeneralStatus, StatusBuffer, StatusBufferSize);
    MuxEndUse(uppers[i]);
  }
}

VOID NTAPI MuxStatusComplete(NDIS_HANDLE ProtocolBindingContext) {
  PMUX_MINIPORT uppers[MUX_UPPER_MAX];
  ULONG count = MuxTakeUppers(ProtocolBindingContext, uppers), i;

  for (i = 0; i < count; i++) {
    NdisMIndicateStatusComplete(uppers[i]->Miniport);
    MuxEndUse(uppers[i]);
  }
}

NDIS_STATUS NTAPI MuxPnPEvent(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  switch (NetPnPEvent->NetEvent) {
  case NetEventSetPower:
  case NetEventQueryPower:
  case NetEventQueryRemoveDevice:
  case NetEventCancelRemoveDevice:
  case NetEventReconfigure:
  case NetEventBindList:
  case NetEventBindsComplete:
  case NetEventPnPCapabilities:
    return NDIS_STATUS_SUCCESS;  // nothing of ours depends on it
  default:
    return NDIS_STATUS_NOT_SUPPORTED;
  }
}

VOID NTAPI MuxResetComplete(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status) {
  UNREFERENCED_PARAMETER(ProtocolBindingContext);
  UNREFERENCED_PARAMETER(Status);
}
