// SPDX-License-Identifier: MIT
// Connection-oriented NDIS 6: handlers that a driver adds to its characteristics, data, requests and status
// of a virtual connection.
//
// Pages  ndis/ns-ndis-_ndis_protocol_co_characteristics, -_ndis_co_call_manager_optional_handlers,
//        -_ndis_co_client_optional_handlers, -_ndis_miniport_co_characteristics
#pragma once
#pragma GCC system_header

#include "condis.h"
#include "nbl.h"
#include "object_header.h"
#include "oidrequest.h"
#include "status_indication.h"

UNDIS_EXTERN_C_START

// ---- Handlers of NDIS 6 protocols -------------------------------------------------------------------------
typedef VOID(PROTOCOL_CO_STATUS_EX)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                    _In_opt_ NDIS_HANDLE ProtocolVcContext,
                                    _In_ PNDIS_STATUS_INDICATION StatusIndication);
typedef PROTOCOL_CO_STATUS_EX(*CO_STATUS_HANDLER_EX);
typedef VOID(PROTOCOL_CO_AF_REGISTER_NOTIFY)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                             _In_ PCO_ADDRESS_FAMILY AddressFamily);
typedef PROTOCOL_CO_AF_REGISTER_NOTIFY(*CO_AF_REGISTER_NOTIFY_HANDLER_EX);
typedef VOID(PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS)(_In_ NDIS_HANDLE ProtocolBindingContext,
                                                   _In_ NDIS_HANDLE ProtocolVcContext,
                                                   _In_ PNET_BUFFER_LIST NetBufferLists,
                                                   _In_ ULONG NumberOfNetBufferLists,
                                                   _In_ ULONG ReceiveFlags);
typedef PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS(*CO_RECEIVE_NET_BUFFER_LISTS_HANDLER);
typedef VOID(PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE)(_In_ NDIS_HANDLE ProtocolVcContext,
                                                         _In_ PNET_BUFFER_LIST NetBufferLists,
                                                         _In_ ULONG SendCompleteFlags);
typedef PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE(*CO_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER);
typedef NDIS_STATUS(PROTOCOL_CO_OID_REQUEST)(_In_ NDIS_HANDLE ProtocolAfContext,
                                             _In_opt_ NDIS_HANDLE ProtocolVcContext,
                                             _In_opt_ NDIS_HANDLE ProtocolPartyContext,
                                             _Inout_ PNDIS_OID_REQUEST OidRequest);
typedef PROTOCOL_CO_OID_REQUEST(*CO_OID_REQUEST_HANDLER);
typedef VOID(PROTOCOL_CO_OID_REQUEST_COMPLETE)(_In_opt_ NDIS_HANDLE ProtocolAfContext,
                                               _In_opt_ NDIS_HANDLE ProtocolVcContext,
                                               _In_opt_ NDIS_HANDLE ProtocolPartyContext,
                                               _Inout_ PNDIS_OID_REQUEST OidRequest, _In_ NDIS_STATUS Status);
typedef PROTOCOL_CO_OID_REQUEST_COMPLETE(*CO_OID_REQUEST_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CM_NOTIFY_CLOSE_AF_COMPLETE)(_In_ NDIS_HANDLE CallMgrAfContext,
                                                   _In_ NDIS_STATUS Status);
typedef PROTOCOL_CM_NOTIFY_CLOSE_AF_COMPLETE(*CM_NOTIFY_CLOSE_AF_COMPLETE_HANDLER);
typedef VOID(PROTOCOL_CL_OPEN_AF_COMPLETE_EX)(_In_ NDIS_HANDLE ProtocolAfContext,
                                              _In_ NDIS_HANDLE NdisAfHandle, _In_ NDIS_STATUS Status);
typedef PROTOCOL_CL_OPEN_AF_COMPLETE_EX(*CL_OPEN_AF_COMPLETE_HANDLER_EX);
typedef NDIS_STATUS(PROTOCOL_CL_NOTIFY_CLOSE_AF)(_In_ NDIS_HANDLE ClientAfContext);
typedef PROTOCOL_CL_NOTIFY_CLOSE_AF(*CL_NOTIFY_CLOSE_AF_HANDLER);

// ---- Handlers of NDIS 6 miniports -------------------------------------------------------------------------
typedef NDIS_STATUS(MINIPORT_CO_CREATE_VC)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                           _In_ NDIS_HANDLE NdisVcHandle,
                                           _Out_ PNDIS_HANDLE MiniportVcContext);
typedef MINIPORT_CO_CREATE_VC(*MINIPORT_CO_CREATE_VC_HANDLER);
typedef NDIS_STATUS(MINIPORT_CO_DELETE_VC)(_In_ NDIS_HANDLE MiniportVcContext);
typedef MINIPORT_CO_DELETE_VC(*MINIPORT_CO_DELETE_VC_HANDLER);
typedef NDIS_STATUS(MINIPORT_CO_ACTIVATE_VC)(_In_ NDIS_HANDLE MiniportVcContext,
                                             _Inout_ PCO_CALL_PARAMETERS CallParameters);
typedef MINIPORT_CO_ACTIVATE_VC(*MINIPORT_CO_ACTIVATE_VC_HANDLER);
typedef NDIS_STATUS(MINIPORT_CO_DEACTIVATE_VC)(_In_ NDIS_HANDLE MiniportVcContext);
typedef MINIPORT_CO_DEACTIVATE_VC(*MINIPORT_CO_DEACTIVATE_VC_HANDLER);
typedef VOID(MINIPORT_CO_SEND_NET_BUFFER_LISTS)(_In_ NDIS_HANDLE MiniportVcContext,
                                                _In_ PNET_BUFFER_LIST NetBufferLists, _In_ ULONG SendFlags);
typedef MINIPORT_CO_SEND_NET_BUFFER_LISTS(*MINIPORT_CO_SEND_NET_BUFFER_LISTS_HANDLER);
typedef NDIS_STATUS(MINIPORT_CO_OID_REQUEST)(_In_ NDIS_HANDLE MiniportAdapterContext,
                                             _In_opt_ NDIS_HANDLE MiniportVcContext,
                                             _Inout_ PNDIS_OID_REQUEST NdisRequest);
typedef MINIPORT_CO_OID_REQUEST(*MINIPORT_CO_OID_REQUEST_HANDLER);

// ---- What NdisSetOptionalHandlers takes -------------------------------------------------------------------
typedef struct _NDIS_PROTOCOL_CO_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  CO_STATUS_HANDLER_EX CoStatusHandlerEx;
  CO_AF_REGISTER_NOTIFY_HANDLER_EX CoAfRegisterNotifyHandler;
  CO_RECEIVE_NET_BUFFER_LISTS_HANDLER CoReceiveNetBufferListsHandler;
  CO_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER CoSendNetBufferListsCompleteHandler;
} NDIS_PROTOCOL_CO_CHARACTERISTICS, *PNDIS_PROTOCOL_CO_CHARACTERISTICS;

#define NDIS_PROTOCOL_CO_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_PROTOCOL_CO_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PROTOCOL_CO_CHARACTERISTICS, CoSendNetBufferListsCompleteHandler)

typedef struct _NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Reserved;
  CO_CREATE_VC_HANDLER CmCreateVcHandler;
  CO_DELETE_VC_HANDLER CmDeleteVcHandler;
  CM_OPEN_AF_HANDLER CmOpenAfHandler;
  CM_CLOSE_AF_HANDLER CmCloseAfHandler;
  CM_REG_SAP_HANDLER CmRegisterSapHandler;
  CM_DEREG_SAP_HANDLER CmDeregisterSapHandler;
  CM_MAKE_CALL_HANDLER CmMakeCallHandler;
  CM_CLOSE_CALL_HANDLER CmCloseCallHandler;
  CM_INCOMING_CALL_COMPLETE_HANDLER CmIncomingCallCompleteHandler;
  CM_ADD_PARTY_HANDLER CmAddPartyHandler;
  CM_DROP_PARTY_HANDLER CmDropPartyHandler;
  CM_ACTIVATE_VC_COMPLETE_HANDLER CmActivateVcCompleteHandler;
  CM_DEACTIVATE_VC_COMPLETE_HANDLER CmDeactivateVcCompleteHandler;
  CM_MODIFY_CALL_QOS_HANDLER CmModifyCallQoSHandler;
  CO_OID_REQUEST_HANDLER CmOidRequestHandler;
  CO_OID_REQUEST_COMPLETE_HANDLER CmOidRequestCompleteHandler;
  CM_NOTIFY_CLOSE_AF_COMPLETE_HANDLER CmNotifyCloseAfCompleteHandler;
} NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, *PNDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS;

#define NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1 1
#define NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, CmNotifyCloseAfCompleteHandler)

typedef struct _NDIS_CO_CLIENT_OPTIONAL_HANDLERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Reserved;
  CO_CREATE_VC_HANDLER ClCreateVcHandler;
  CO_DELETE_VC_HANDLER ClDeleteVcHandler;
  CO_OID_REQUEST_HANDLER ClOidRequestHandler;
  CO_OID_REQUEST_COMPLETE_HANDLER ClOidRequestCompleteHandler;
  CL_OPEN_AF_COMPLETE_HANDLER_EX ClOpenAfCompleteHandlerEx;
  CL_CLOSE_AF_COMPLETE_HANDLER ClCloseAfCompleteHandler;
  CL_REG_SAP_COMPLETE_HANDLER ClRegisterSapCompleteHandler;
  CL_DEREG_SAP_COMPLETE_HANDLER ClDeregisterSapCompleteHandler;
  CL_MAKE_CALL_COMPLETE_HANDLER ClMakeCallCompleteHandler;
  CL_MODIFY_CALL_QOS_COMPLETE_HANDLER ClModifyCallQoSCompleteHandler;
  CL_CLOSE_CALL_COMPLETE_HANDLER ClCloseCallCompleteHandler;
  CL_ADD_PARTY_COMPLETE_HANDLER ClAddPartyCompleteHandler;
  CL_DROP_PARTY_COMPLETE_HANDLER ClDropPartyCompleteHandler;
  CL_INCOMING_CALL_HANDLER ClIncomingCallHandler;
  CL_INCOMING_CALL_QOS_CHANGE_HANDLER ClIncomingCallQoSChangeHandler;
  CL_INCOMING_CLOSE_CALL_HANDLER ClIncomingCloseCallHandler;
  CL_INCOMING_DROP_PARTY_HANDLER ClIncomingDropPartyHandler;
  CL_CALL_CONNECTED_HANDLER ClCallConnectedHandler;
  CL_NOTIFY_CLOSE_AF_HANDLER ClNotifyCloseAfHandler;
} NDIS_CO_CLIENT_OPTIONAL_HANDLERS, *PNDIS_CO_CLIENT_OPTIONAL_HANDLERS;

#define NDIS_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1 1
#define NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_CO_CLIENT_OPTIONAL_HANDLERS, ClNotifyCloseAfHandler)

typedef struct _NDIS_MINIPORT_CO_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  MINIPORT_CO_CREATE_VC_HANDLER CoCreateVcHandler;
  MINIPORT_CO_DELETE_VC_HANDLER CoDeleteVcHandler;
  MINIPORT_CO_ACTIVATE_VC_HANDLER CoActivateVcHandler;
  MINIPORT_CO_DEACTIVATE_VC_HANDLER CoDeactivateVcHandler;
  MINIPORT_CO_SEND_NET_BUFFER_LISTS_HANDLER CoSendNetBufferListsHandler;
  MINIPORT_CO_OID_REQUEST_HANDLER CoOidRequestHandler;
} NDIS_MINIPORT_CO_CHARACTERISTICS, *PNDIS_MINIPORT_CO_CHARACTERISTICS;

#define NDIS_MINIPORT_CO_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_MINIPORT_CO_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_MINIPORT_CO_CHARACTERISTICS, CoOidRequestHandler)

// ---- Address families -------------------------------------------------------------------------------------
NDISAPI NDIS_STATUS NdisCmRegisterAddressFamilyEx(_In_ NDIS_HANDLE NdisBindingHandle,
                                                  _In_ PCO_ADDRESS_FAMILY AddressFamily);
NDISAPI NDIS_STATUS NdisMCmRegisterAddressFamilyEx(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                                   _In_ PCO_ADDRESS_FAMILY AddressFamily);
NDISAPI NDIS_STATUS NdisClOpenAddressFamilyEx(_In_ NDIS_HANDLE NdisBindingHandle,
                                              _In_ PCO_ADDRESS_FAMILY AddressFamily,
                                              _In_ NDIS_HANDLE ClientAfContext,
                                              _Out_ PNDIS_HANDLE NdisAfHandle);
NDISAPI NDIS_STATUS NdisCmNotifyCloseAddressFamily(_In_ NDIS_HANDLE NdisAfHandle);
NDISAPI VOID NdisClNotifyCloseAddressFamilyComplete(_In_ NDIS_HANDLE NdisAfHandle, _In_ NDIS_STATUS Status);

// ---- Data, requests and status ----------------------------------------------------------------------------
NDISAPI VOID NdisCoSendNetBufferLists(_In_ NDIS_HANDLE NdisVcHandle, _In_ PNET_BUFFER_LIST NetBufferLists,
                                      _In_ ULONG SendFlags);
NDISAPI VOID NdisMCoSendNetBufferListsComplete(_In_ NDIS_HANDLE NdisVcHandle,
                                               _In_ PNET_BUFFER_LIST NetBufferLists,
                                               _In_ ULONG SendCompleteFlags);
NDISAPI VOID NdisMCoIndicateReceiveNetBufferLists(_In_ NDIS_HANDLE NdisVcHandle,
                                                  _In_ PNET_BUFFER_LIST NetBufferLists,
                                                  _In_ ULONG NumberOfNetBufferLists,
                                                  _In_ ULONG CoReceiveFlags);
NDISAPI VOID NdisMCoIndicateStatusEx(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                     _In_opt_ NDIS_HANDLE NdisVcHandle,
                                     _In_ PNDIS_STATUS_INDICATION StatusIndication);
NDISAPI NDIS_STATUS NdisCoOidRequest(_In_ NDIS_HANDLE NdisBindingHandle, _In_opt_ NDIS_HANDLE NdisAfHandle,
                                     _In_opt_ NDIS_HANDLE NdisVcHandle, _In_opt_ NDIS_HANDLE NdisPartyHandle,
                                     _Inout_ PNDIS_OID_REQUEST OidRequest);
NDISAPI VOID NdisCoOidRequestComplete(_In_ NDIS_HANDLE NdisAfHandle, _In_opt_ NDIS_HANDLE NdisVcHandle,
                                      _In_opt_ NDIS_HANDLE NdisPartyHandle, _In_ PNDIS_OID_REQUEST OidRequest,
                                      _In_ NDIS_STATUS Status);
NDISAPI NDIS_STATUS NdisMCmOidRequest(_In_ NDIS_HANDLE NdisAfHandle, _In_opt_ NDIS_HANDLE NdisVcHandle,
                                      _In_opt_ NDIS_HANDLE NdisPartyHandle,
                                      _Inout_ PNDIS_OID_REQUEST NdisOidRequest);
NDISAPI VOID NdisMCoOidRequestComplete(_In_ NDIS_HANDLE MiniportAdapterHandle,
                                       _In_opt_ NDIS_HANDLE NdisMiniportVcHandle,
                                       _In_ PNDIS_OID_REQUEST Request, _In_ NDIS_STATUS Status);

// ---- An integrated call manager's names -------------------------------------------------------------------
#define NdisMCmNotifyCloseAddressFamily(_AH_) NdisCmNotifyCloseAddressFamily(_AH_)
#define NdisMCmOidRequestComplete(_AH_, _VH_, _PH_, _R_, _S_) \
  NdisCoOidRequestComplete(_AH_, _VH_, _PH_, _R_, _S_)

UNDIS_EXTERN_C_END
