// SPDX-License-Identifier: MIT
//
// The driver functions that NDIS calls: documented name and the IRQL at which each is called (its page's
// req.irql).
#pragma once

#include "kernel/call.h"

namespace undis::callbacks {

using kernel::CallbackInfo;

// miniport 6.x
inline constexpr CallbackInfo kMiniportSetOptions{"MiniportSetOptions", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportInitializeEx{"MiniportInitializeEx", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportHaltEx{"MiniportHaltEx", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportDriverUnload{"MiniportDriverUnload", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportPause{"MiniportPause", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportRestart{"MiniportRestart", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportShutdownEx{"MiniportShutdownEx", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportOidRequest{"MiniportOidRequest", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCancelOidRequest{"MiniportCancelOidRequest", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportSendNetBufferLists{"MiniportSendNetBufferLists", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportReturnNetBufferLists{"MiniportReturnNetBufferLists", DISPATCH_LEVEL,
                                                            true};
inline constexpr CallbackInfo kMiniportCancelSend{"MiniportCancelSend", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportDirectOidRequest{"MiniportDirectOidRequest", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCancelDirectOidRequest{"MiniportCancelDirectOidRequest",
                                                              DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportSynchronousOidRequest{"MiniportSynchronousOidRequest", DISPATCH_LEVEL,
                                                             true};
inline constexpr CallbackInfo kMiniportCheckForHangEx{"MiniportCheckForHangEx", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportResetEx{"MiniportResetEx", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportAddDevice{"MiniportAddDevice", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportRemoveDevice{"MiniportRemoveDevice", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportFilterResourceRequirements{"MiniportFilterResourceRequirements",
                                                                  PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportStartDevice{"MiniportStartDevice", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportIdleNotification{"MiniportIdleNotification", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportCancelIdleNotification{"MiniportCancelIdleNotification", PASSIVE_LEVEL,
                                                              false};
inline constexpr CallbackInfo kMiniportDevicePnPEventNotify{"MiniportDevicePnPEventNotify", PASSIVE_LEVEL,
                                                            false};

inline constexpr CallbackInfo kMiniportInterrupt{"MiniportInterrupt", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportMessageInterrupt{"MiniportMessageInterrupt", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportInterruptDpc{"MiniportInterruptDPC", DISPATCH_LEVEL, false};
inline constexpr CallbackInfo kMiniportMessageInterruptDpc{"MiniportMessageInterruptDPC", DISPATCH_LEVEL,
                                                           false};
inline constexpr CallbackInfo kMiniportSynchronizeInterrupt{"MiniportSynchronizeInterrupt", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportSynchronizeMessageInterrupt{"MiniportSynchronizeMessageInterrupt",
                                                                   HIGH_LEVEL, true};
inline constexpr CallbackInfo kNdisPoll{"NdisPoll", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kNdisSetPollNotification{"NdisSetPollNotification", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportProcessSGList{"MiniportProcessSGList", DISPATCH_LEVEL, false};
inline constexpr CallbackInfo kMiniportSharedMemoryAllocateComplete{"MiniportSharedMemoryAllocateComplete",
                                                                    PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kNetProcessSGList{"NetProcessSGList", DISPATCH_LEVEL, false};

// miniport 5.x
inline constexpr CallbackInfo kMiniportIsr{"MiniportISR", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportHandleInterrupt{"MiniportHandleInterrupt", DISPATCH_LEVEL, false};
inline constexpr CallbackInfo kMiniportDisableInterrupt{"MiniportDisableInterrupt", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportEnableInterrupt{"MiniportEnableInterrupt", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportAllocateComplete{"MiniportAllocateComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportInitialize{"MiniportInitialize", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportHalt{"MiniportHalt", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportShutdown{"MiniportShutdown", HIGH_LEVEL, true};
inline constexpr CallbackInfo kMiniportQueryInformation{"MiniportQueryInformation", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportSetInformation{"MiniportSetInformation", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportSend{"MiniportSend", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportSendPackets{"MiniportSendPackets", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportReturnPacket{"MiniportReturnPacket", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportTransferData{"MiniportTransferData", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCancelSendPackets{"MiniportCancelSendPackets", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCheckForHang{"MiniportCheckForHang", DISPATCH_LEVEL, false};
inline constexpr CallbackInfo kMiniportReset{"MiniportReset", DISPATCH_LEVEL, false};
inline constexpr CallbackInfo kMiniportPnPEventNotify{"MiniportPnPEventNotify", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kUnloadHandler{"UnloadHandler", PASSIVE_LEVEL, false};

// filter
inline constexpr CallbackInfo kFilterSetOptions{"FilterSetOptions", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kFilterSetModuleOptions{"FilterSetModuleOptions", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kFilterAttach{"FilterAttach", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kFilterDetach{"FilterDetach", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kFilterRestart{"FilterRestart", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kFilterPause{"FilterPause", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kFilterSendNetBufferLists{"FilterSendNetBufferLists", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterSendNetBufferListsComplete{"FilterSendNetBufferListsComplete",
                                                                DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterCancelSendNetBufferLists{"FilterCancelSendNetBufferLists",
                                                              DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterReceiveNetBufferLists{"FilterReceiveNetBufferLists", DISPATCH_LEVEL,
                                                           true};
inline constexpr CallbackInfo kFilterReturnNetBufferLists{"FilterReturnNetBufferLists", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterOidRequest{"FilterOidRequest", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterOidRequestComplete{"FilterOidRequestComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterCancelOidRequest{"FilterCancelOidRequest", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterDirectOidRequest{"FilterDirectOidRequest", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterDirectOidRequestComplete{"FilterDirectOidRequestComplete",
                                                              DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterCancelDirectOidRequest{"FilterCancelDirectOidRequest", DISPATCH_LEVEL,
                                                            true};
inline constexpr CallbackInfo kFilterSynchronousOidRequest{"FilterSynchronousOidRequest", DISPATCH_LEVEL,
                                                           true};
inline constexpr CallbackInfo kFilterSynchronousOidRequestComplete{"FilterSynchronousOidRequestComplete",
                                                                   DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterStatus{"FilterStatus", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kFilterDevicePnPEventNotify{"FilterDevicePnPEventNotify", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kFilterNetPnPEvent{"FilterNetPnPEvent", PASSIVE_LEVEL, false};

// protocol 6.x
inline constexpr CallbackInfo kProtocolSetOptions{"ProtocolSetOptions", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolBindAdapterEx{"ProtocolBindAdapterEx", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolUnbindAdapterEx{"ProtocolUnbindAdapterEx", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolOpenAdapterCompleteEx{"ProtocolOpenAdapterCompleteEx", PASSIVE_LEVEL,
                                                             false};
inline constexpr CallbackInfo kProtocolCloseAdapterCompleteEx{"ProtocolCloseAdapterCompleteEx", PASSIVE_LEVEL,
                                                              false};
inline constexpr CallbackInfo kProtocolNetPnPEvent{"ProtocolNetPnPEvent", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolUninstall{"ProtocolUninstall", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolOidRequestComplete{"ProtocolOidRequestComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolDirectOidRequestComplete{"ProtocolDirectOidRequestComplete",
                                                                DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolStatusEx{"ProtocolStatusEx", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolReceiveNetBufferLists{"ProtocolReceiveNetBufferLists", DISPATCH_LEVEL,
                                                             true};
inline constexpr CallbackInfo kProtocolSendNetBufferListsComplete{"ProtocolSendNetBufferListsComplete",
                                                                  DISPATCH_LEVEL, true};

// protocol 5.x
inline constexpr CallbackInfo kProtocolBindAdapter{"ProtocolBindAdapter", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolUnbindAdapter{"ProtocolUnbindAdapter", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolOpenAdapterComplete{"ProtocolOpenAdapterComplete", PASSIVE_LEVEL,
                                                           false};
inline constexpr CallbackInfo kProtocolCloseAdapterComplete{"ProtocolCloseAdapterComplete", PASSIVE_LEVEL,
                                                            false};
inline constexpr CallbackInfo kProtocolPnPEvent{"ProtocolPnPEvent", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolResetComplete{"ProtocolResetComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolUnload{"ProtocolUnload", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolRequestComplete{"ProtocolRequestComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolStatus{"ProtocolStatus", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolStatusComplete{"ProtocolStatusComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolReceive{"ProtocolReceive", DISPATCH_LEVEL, false};
inline constexpr CallbackInfo kProtocolReceivePacket{"ProtocolReceivePacket", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolReceiveComplete{"ProtocolReceiveComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolTransferDataComplete{"ProtocolTransferDataComplete", DISPATCH_LEVEL,
                                                            true};
inline constexpr CallbackInfo kProtocolSendComplete{"ProtocolSendComplete", DISPATCH_LEVEL, true};

// connection-oriented: call managers, clients, miniports
inline constexpr CallbackInfo kProtocolCmOpenAf{"ProtocolCmOpenAf", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmCloseAf{"ProtocolCmCloseAf", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmRegisterSap{"ProtocolCmRegisterSap", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmDeregisterSap{"ProtocolCmDeregisterSap", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmMakeCall{"ProtocolCmMakeCall", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmCloseCall{"ProtocolCmCloseCall", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmIncomingCallComplete{"ProtocolCmIncomingCallComplete",
                                                              DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmAddParty{"ProtocolCmAddParty", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmDropParty{"ProtocolCmDropParty", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmActivateVcComplete{"ProtocolCmActivateVcComplete", DISPATCH_LEVEL,
                                                            true};
inline constexpr CallbackInfo kProtocolCmDeactivateVcComplete{"ProtocolCmDeactivateVcComplete",
                                                              DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmModifyCallQoS{"ProtocolCmModifyCallQoS", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCmNotifyCloseAfComplete{"ProtocolCmNotifyCloseAfComplete",
                                                               DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClCloseAfComplete{"ProtocolClCloseAfComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClRegisterSapComplete{"ProtocolClRegisterSapComplete", DISPATCH_LEVEL,
                                                             true};
inline constexpr CallbackInfo kProtocolClDeregisterSapComplete{"ProtocolClDeregisterSapComplete",
                                                               DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClMakeCallComplete{"ProtocolClMakeCallComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClModifyCallQoSComplete{"ProtocolClModifyCallQoSComplete",
                                                               DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClCloseCallComplete{"ProtocolClCloseCallComplete", DISPATCH_LEVEL,
                                                           true};
inline constexpr CallbackInfo kProtocolClAddPartyComplete{"ProtocolClAddPartyComplete", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClDropPartyComplete{"ProtocolClDropPartyComplete", DISPATCH_LEVEL,
                                                           true};
inline constexpr CallbackInfo kProtocolClIncomingCall{"ProtocolClIncomingCall", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClIncomingCallQoSChange{"ProtocolClIncomingCallQoSChange",
                                                               DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClIncomingCloseCall{"ProtocolClIncomingCloseCall", DISPATCH_LEVEL,
                                                           true};
inline constexpr CallbackInfo kProtocolClIncomingDropParty{"ProtocolClIncomingDropParty", DISPATCH_LEVEL,
                                                           true};
inline constexpr CallbackInfo kProtocolClCallConnected{"ProtocolClCallConnected", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolClNotifyCloseAf{"ProtocolClNotifyCloseAf", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCoCreateVc{"ProtocolCoCreateVc", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCoDeleteVc{"ProtocolCoDeleteVc", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCoStatusEx{"ProtocolCoStatusEx", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCoReceiveNetBufferLists{"ProtocolCoReceiveNetBufferLists",
                                                               DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCoSendNetBufferListsComplete{"ProtocolCoSendNetBufferListsComplete",
                                                                    DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCoOidRequest{"ProtocolCoOidRequest", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kProtocolCoOidRequestComplete{"ProtocolCoOidRequestComplete", DISPATCH_LEVEL,
                                                            true};
inline constexpr CallbackInfo kProtocolClOpenAfCompleteEx{"ProtocolClOpenAfCompleteEx", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kProtocolCoAfRegisterNotify{"ProtocolCoAfRegisterNotify", PASSIVE_LEVEL, false};
inline constexpr CallbackInfo kMiniportCoCreateVc{"MiniportCoCreateVc", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCoDeleteVc{"MiniportCoDeleteVc", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCoActivateVc{"MiniportCoActivateVc", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCoDeactivateVc{"MiniportCoDeactivateVc", DISPATCH_LEVEL, true};
inline constexpr CallbackInfo kMiniportCoSendNetBufferLists{"MiniportCoSendNetBufferLists", DISPATCH_LEVEL,
                                                            true};
inline constexpr CallbackInfo kMiniportCoOidRequest{"MiniportCoOidRequest", DISPATCH_LEVEL, true};

}  // namespace undis::callbacks
