// SPDX-License-Identifier: MIT
// Connection-oriented NDIS, of both generations: handlers of call managers and clients, and what these and
// miniports call.
//
// Pages  network/connection-oriented-ndis; ndis/nc-ndis-protocol_c*, ndis/nf-ndis-ndisc*,
// ndis/nf-ndis-ndismcm*, ndis/nf-ndis-ndismco*
#pragma once
#pragma GCC system_header

#include "condis_types.h"

UNDIS_EXTERN_C_START

// ---- Handlers of call managers and clients alike ----------------------------------------------------------
typedef NDIS_STATUS(PROTOCOL_CO_CREATE_VC)(_In_ NDIS_HANDLE ProtocolAfContext, _In_ NDIS_HANDLE NdisVcHandle,
                                           _Out_ PNDIS_HANDLE ProtocolVcContext);
typedef PROTOCOL_CO_CREATE_VC(*CO_CREATE_VC_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CO_DELETE_VC)(_In_ NDIS_HANDLE ProtocolVcContext);
typedef PROTOCOL_CO_DELETE_VC(*CO_DELETE_VC_HANDLER);

// ---- Handlers of a call manager ---------------------------------------------------------------------------
typedef NDIS_STATUS(PROTOCOL_CM_OPEN_AF)(_In_ NDIS_HANDLE CallMgrBindingContext,
                                         _In_ PCO_ADDRESS_FAMILY AddressFamily, _In_ NDIS_HANDLE NdisAfHandle,
                                         _Out_ PNDIS_HANDLE CallMgrAfContext);
typedef PROTOCOL_CM_OPEN_AF(*CM_OPEN_AF_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_CLOSE_AF)(_In_ NDIS_HANDLE CallMgrAfContext);
typedef PROTOCOL_CM_CLOSE_AF(*CM_CLOSE_AF_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_REG_SAP)(_In_ NDIS_HANDLE CallMgrAfContext, _In_ PCO_SAP Sap,
                                         _In_ NDIS_HANDLE NdisSapHandle,
                                         _Out_ PNDIS_HANDLE CallMgrSapContext);
typedef PROTOCOL_CM_REG_SAP(*CM_REG_SAP_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_DEREGISTER_SAP)(_In_ NDIS_HANDLE CallMgrSapContext);
typedef PROTOCOL_CM_DEREGISTER_SAP(*CM_DEREG_SAP_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_MAKE_CALL)(_In_ NDIS_HANDLE CallMgrVcContext,
                                           _Inout_ PCO_CALL_PARAMETERS CallParameters,
                                           _In_opt_ NDIS_HANDLE NdisPartyHandle,
                                           _Out_opt_ PNDIS_HANDLE CallMgrPartyContext);
typedef PROTOCOL_CM_MAKE_CALL(*CM_MAKE_CALL_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_CLOSE_CALL)(_In_ NDIS_HANDLE CallMgrVcContext,
                                            _In_opt_ NDIS_HANDLE CallMgrPartyContext,
                                            _In_opt_ PVOID CloseData, _In_opt_ UINT Size);
typedef PROTOCOL_CM_CLOSE_CALL(*CM_CLOSE_CALL_HANDLER);
typedef VOID(PROTOCOL_CM_INCOMING_CALL_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE CallMgrVcContext,
                                                 _In_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CM_INCOMING_CALL_COMPLETE(*CM_INCOMING_CALL_COMPLETE_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_ADD_PARTY)(_In_ NDIS_HANDLE CallMgrVcContext,
                                           _Inout_ PCO_CALL_PARAMETERS CallParameters,
                                           _In_ NDIS_HANDLE NdisPartyHandle,
                                           _Out_ PNDIS_HANDLE CallMgrPartyContext);
typedef PROTOCOL_CM_ADD_PARTY(*CM_ADD_PARTY_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_DROP_PARTY)(_In_ NDIS_HANDLE CallMgrPartyContext, _In_opt_ PVOID CloseData,
                                            _In_opt_ UINT Size);
typedef PROTOCOL_CM_DROP_PARTY(*CM_DROP_PARTY_HANDLER);
typedef VOID(PROTOCOL_CM_ACTIVATE_VC_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE CallMgrVcContext,
                                               _In_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CM_ACTIVATE_VC_COMPLETE(*CM_ACTIVATE_VC_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CM_DEACTIVATE_VC_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE CallMgrVcContext);
typedef PROTOCOL_CM_DEACTIVATE_VC_COMPLETE(*CM_DEACTIVATE_VC_COMPLETE_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CM_MODIFY_QOS_CALL)(_In_ NDIS_HANDLE CallMgrVcContext,
                                                 _In_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CM_MODIFY_QOS_CALL(*CM_MODIFY_CALL_QOS_HANDLER);

// ---- Handlers of a client ---------------------------------------------------------------------------------
typedef VOID(PROTOCOL_CL_CLOSE_AF_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolAfContext);
typedef PROTOCOL_CL_CLOSE_AF_COMPLETE(*CL_CLOSE_AF_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_REGISTER_SAP_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolSapContext,
                                                _In_ PCO_SAP Sap, _In_ NDIS_HANDLE NdisSapHandle);
typedef PROTOCOL_CL_REGISTER_SAP_COMPLETE(*CL_REG_SAP_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_DEREGISTER_SAP_COMPLETE)(_In_ NDIS_STATUS Status,
                                                  _In_ NDIS_HANDLE ProtocolSapContext);
typedef PROTOCOL_CL_DEREGISTER_SAP_COMPLETE(*CL_DEREG_SAP_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_MAKE_CALL_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolVcContext,
                                             _In_opt_ NDIS_HANDLE NdisPartyHandle,
                                             _In_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_MAKE_CALL_COMPLETE(*CL_MAKE_CALL_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_MODIFY_CALL_QOS_COMPLETE)(_In_ NDIS_STATUS Status,
                                                   _In_ NDIS_HANDLE ProtocolVcContext,
                                                   _In_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_MODIFY_CALL_QOS_COMPLETE(*CL_MODIFY_CALL_QOS_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_CLOSE_CALL_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolVcContext,
                                              _In_opt_ NDIS_HANDLE ProtocolPartyContext);
typedef PROTOCOL_CL_CLOSE_CALL_COMPLETE(*CL_CLOSE_CALL_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_ADD_PARTY_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolPartyContext,
                                             _In_ NDIS_HANDLE NdisPartyHandle,
                                             _In_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_ADD_PARTY_COMPLETE(*CL_ADD_PARTY_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_DROP_PARTY_COMPLETE)(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE ProtocolPartyContext);
typedef PROTOCOL_CL_DROP_PARTY_COMPLETE(*CL_DROP_PARTY_COMPLETE_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CL_INCOMING_CALL)(_In_ NDIS_HANDLE ProtocolSapContext,
                                               _In_ NDIS_HANDLE ProtocolVcContext,
                                               _Inout_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_INCOMING_CALL(*CL_INCOMING_CALL_HANDLER);
typedef VOID(PROTOCOL_CL_INCOMING_CALL_QOS_CHANGE)(_In_ NDIS_HANDLE ProtocolVcContext,
                                                   _In_ PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_INCOMING_CALL_QOS_CHANGE(*CL_INCOMING_CALL_QOS_CHANGE_HANDLER);
typedef VOID(PROTOCOL_CL_INCOMING_CLOSE_CALL)(_In_ NDIS_STATUS CloseStatus,
                                              _In_ NDIS_HANDLE ProtocolVcContext, _In_opt_ PVOID CloseData,
                                              _In_opt_ UINT Size);
typedef PROTOCOL_CL_INCOMING_CLOSE_CALL(*CL_INCOMING_CLOSE_CALL_HANDLER);
typedef VOID(PROTOCOL_CL_INCOMING_DROP_PARTY)(_In_ NDIS_STATUS DropStatus,
                                              _In_ NDIS_HANDLE ProtocolPartyContext, _In_opt_ PVOID CloseData,
                                              _In_opt_ UINT Size);
typedef PROTOCOL_CL_INCOMING_DROP_PARTY(*CL_INCOMING_DROP_PARTY_HANDLER);
typedef VOID(PROTOCOL_CL_CALL_CONNECTED)(_In_ NDIS_HANDLE ProtocolVcContext);
typedef PROTOCOL_CL_CALL_CONNECTED(*CL_CALL_CONNECTED_HANDLER);

// ---- Address families -------------------------------------------------------------------------------------
NDISAPI NDIS_STATUS NdisClCloseAddressFamily(_In_ NDIS_HANDLE NdisAfHandle);

// ---- Service access points --------------------------------------------------------------------------------
NDISAPI NDIS_STATUS NdisClRegisterSap(_In_ NDIS_HANDLE NdisAfHandle, _In_ NDIS_HANDLE ProtocolSapContext,
                                      _In_ PCO_SAP Sap, _Out_ PNDIS_HANDLE NdisSapHandle);
NDISAPI NDIS_STATUS NdisClDeregisterSap(_In_ NDIS_HANDLE NdisSapHandle);
NDISAPI VOID NdisCmRegisterSapComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisSapHandle,
                                       _In_ NDIS_HANDLE CallMgrSapContext);
NDISAPI VOID NdisCmDeregisterSapComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisSapHandle);
NDISAPI VOID NdisCmOpenAddressFamilyComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisAfHandle,
                                             _In_ NDIS_HANDLE CallMgrAfContext);
NDISAPI VOID NdisCmCloseAddressFamilyComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisAfHandle);

// ---- Virtual connections ----------------------------------------------------------------------------------
NDISAPI NDIS_STATUS NdisCoCreateVc(_In_ NDIS_HANDLE NdisBindingHandle, _In_opt_ NDIS_HANDLE NdisAfHandle,
                                   _In_ NDIS_HANDLE ProtocolVcContext, _Inout_ PNDIS_HANDLE NdisVcHandle);
NDISAPI NDIS_STATUS NdisCoDeleteVc(_In_ NDIS_HANDLE NdisVcHandle);
NDISAPI NDIS_STATUS NdisCmActivateVc(_In_ NDIS_HANDLE NdisVcHandle,
                                     _Inout_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI NDIS_STATUS NdisCmDeactivateVc(_In_ NDIS_HANDLE NdisVcHandle);
NDISAPI NDIS_STATUS NdisMCmCreateVc(_In_ NDIS_HANDLE MiniportAdapterHandle, _In_ NDIS_HANDLE NdisAfHandle,
                                    _In_ NDIS_HANDLE MiniportVcContext, _Out_ PNDIS_HANDLE NdisVcHandle);
NDISAPI NDIS_STATUS NdisMCmDeleteVc(_In_ NDIS_HANDLE NdisVcHandle);
NDISAPI NDIS_STATUS NdisMCmActivateVc(_In_ NDIS_HANDLE NdisVcHandle, _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI NDIS_STATUS NdisMCmDeactivateVc(_In_ NDIS_HANDLE NdisVcHandle);
NDISAPI VOID NdisMCoActivateVcComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisVcHandle,
                                       _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI VOID NdisMCoDeactivateVcComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisVcHandle);

// ---- Calls ------------------------------------------------------------------------------------------------
NDISAPI NDIS_STATUS NdisClMakeCall(_In_ NDIS_HANDLE NdisVcHandle, _Inout_ PCO_CALL_PARAMETERS CallParameters,
                                   _In_opt_ NDIS_HANDLE ProtocolPartyContext,
                                   _Out_opt_ PNDIS_HANDLE NdisPartyHandle);
NDISAPI NDIS_STATUS NdisClCloseCall(_In_ NDIS_HANDLE NdisVcHandle, _In_opt_ NDIS_HANDLE NdisPartyHandle,
                                    _In_opt_ PVOID Buffer, _In_ UINT Size);
NDISAPI NDIS_STATUS NdisClModifyCallQoS(_In_ NDIS_HANDLE NdisVcHandle,
                                        _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI VOID NdisClIncomingCallComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisVcHandle,
                                        _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI VOID NdisCmMakeCallComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisVcHandle,
                                    _In_opt_ NDIS_HANDLE NdisPartyHandle,
                                    _In_opt_ NDIS_HANDLE CallMgrPartyContext,
                                    _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI VOID NdisCmCloseCallComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisVcHandle,
                                     _In_opt_ NDIS_HANDLE NdisPartyHandle);
NDISAPI VOID NdisCmModifyCallQoSComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisVcHandle,
                                         _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI NDIS_STATUS NdisCmDispatchIncomingCall(_In_ NDIS_HANDLE NdisSapHandle, _In_ NDIS_HANDLE NdisVcHandle,
                                               _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI VOID NdisCmDispatchCallConnected(_In_ NDIS_HANDLE NdisVcHandle);
NDISAPI VOID NdisCmDispatchIncomingCallQoSChange(_In_ NDIS_HANDLE NdisVcHandle,
                                                 _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI VOID NdisCmDispatchIncomingCloseCall(_In_ NDIS_STATUS CloseStatus, _In_ NDIS_HANDLE NdisVcHandle,
                                             _In_opt_ PVOID Buffer, _In_ UINT Size);

// ---- Parties of a multipoint call -------------------------------------------------------------------------
NDISAPI NDIS_STATUS NdisClAddParty(_In_ NDIS_HANDLE NdisVcHandle, _In_ NDIS_HANDLE ProtocolPartyContext,
                                   _Inout_ PCO_CALL_PARAMETERS CallParameters,
                                   _Out_ PNDIS_HANDLE NdisPartyHandle);
NDISAPI NDIS_STATUS NdisClDropParty(_In_ NDIS_HANDLE NdisPartyHandle, _In_opt_ PVOID Buffer,
                                    _In_opt_ UINT Size);
NDISAPI VOID NdisCmAddPartyComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisPartyHandle,
                                    _In_opt_ NDIS_HANDLE CallMgrPartyContext,
                                    _In_ PCO_CALL_PARAMETERS CallParameters);
NDISAPI VOID NdisCmDropPartyComplete(_In_ NDIS_STATUS Status, _In_ NDIS_HANDLE NdisPartyHandle);
NDISAPI VOID NdisCmDispatchIncomingDropParty(_In_ NDIS_STATUS DropStatus, _In_ NDIS_HANDLE NdisPartyHandle,
                                             _In_opt_ PVOID Buffer, _In_ UINT Size);

// ---- An integrated call manager's names for what a stand-alone one calls ----------------------------------
#define NdisMCmOpenAddressFamilyComplete(_S_, _H_, _C_) NdisCmOpenAddressFamilyComplete(_S_, _H_, _C_)
#define NdisMCmCloseAddressFamilyComplete(_S_, _H_) NdisCmCloseAddressFamilyComplete(_S_, _H_)
#define NdisMCmRegisterSapComplete(_S_, _H_, _C_) NdisCmRegisterSapComplete(_S_, _H_, _C_)
#define NdisMCmDeregisterSapComplete(_S_, _H_) NdisCmDeregisterSapComplete(_S_, _H_)
#define NdisMCmMakeCallComplete(_S_, _VH_, _PH_, _CC_, _CP_) \
  NdisCmMakeCallComplete(_S_, _VH_, _PH_, _CC_, _CP_)
#define NdisMCmCloseCallComplete(_S_, _VH_, _PH_) NdisCmCloseCallComplete(_S_, _VH_, _PH_)
#define NdisMCmAddPartyComplete(_S_, _H_, _C_, _P_) NdisCmAddPartyComplete(_S_, _H_, _C_, _P_)
#define NdisMCmDropPartyComplete(_S_, _H_) NdisCmDropPartyComplete(_S_, _H_)
#define NdisMCmModifyCallQoSComplete(_S_, _H_, _P_) NdisCmModifyCallQoSComplete(_S_, _H_, _P_)
#define NdisMCmDispatchIncomingCall(_SH_, _VH_, _CP_) NdisCmDispatchIncomingCall(_SH_, _VH_, _CP_)
#define NdisMCmDispatchCallConnected(_H_) NdisCmDispatchCallConnected(_H_)
#define NdisMCmDispatchIncomingCloseCall(_S_, _H_, _B_, _Z_) \
  NdisCmDispatchIncomingCloseCall(_S_, _H_, _B_, _Z_)
#define NdisMCmDispatchIncomingDropParty(_S_, _H_, _B_, _Z_) \
  NdisCmDispatchIncomingDropParty(_S_, _H_, _B_, _Z_)
#define NdisMCmDispatchIncomingCallQoSChange(_H_, _P_) NdisCmDispatchIncomingCallQoSChange(_H_, _P_)

// ---- Names of virtual connections
// --------------------------------------------------------------------------- The string follows at
// ulStringOffset.
typedef struct _VAR_STRING {
  ULONG ulTotalSize;
  ULONG ulNeededSize;
  ULONG ulUsedSize;
  ULONG ulStringFormat;
  ULONG ulStringSize;
  ULONG ulStringOffset;
} VAR_STRING, *PVAR_STRING;

#define STRINGFORMAT_ASCII 0x00000001
#define STRINGFORMAT_DBCS 0x00000002
#define STRINGFORMAT_UNICODE 0x00000003
#define STRINGFORMAT_BINARY 0x00000004

NDISAPI NDIS_STATUS NdisCoAssignInstanceName(_In_ NDIS_HANDLE NdisVcHandle,
                                             _In_ PNDIS_STRING BaseInstanceName,
                                             _Out_opt_ PNDIS_STRING VcInstanceName);
NDISAPI NDIS_STATUS NdisCoGetTapiCallId(_In_ NDIS_HANDLE NdisVcHandle, _Inout_ PVAR_STRING TapiCallId);
NDISAPI NDIS_STATUS NdisClGetProtocolVcContextFromTapiCallId(_In_ UNICODE_STRING TapiCallId,
                                                             _Out_ PNDIS_HANDLE ProtocolVcContext);

UNDIS_EXTERN_C_END
