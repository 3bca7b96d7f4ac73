// SPDX-License-Identifier: MIT
//
// What NdisSetOptionalHandlers adds to a driver that speaks connection-oriented NDIS.
#pragma once

#include <ndis.h>

#include "kernel/call.h"
#include "ndis/handler.h"

namespace undis {

/// What a connection-oriented protocol adds to its characteristics.
struct CoProtocolHandlers {
  using C = NDIS_PROTOCOL_CO_CHARACTERISTICS;
  CoProtocolHandlers() = default;
  explicit CoProtocolHandlers(const C& c);
  bool given = false;
  Handler<&C::CoStatusHandlerEx> Status;
  Handler<&C::CoAfRegisterNotifyHandler> AfRegisterNotify;
  Handler<&C::CoReceiveNetBufferListsHandler> ReceiveNetBufferLists;
  Handler<&C::CoSendNetBufferListsCompleteHandler> SendNetBufferListsComplete;
};

/// A call manager, stand-alone or integrated. The page: every one is set.
struct CoCallManagerHandlers {
  using C = NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS;
  CoCallManagerHandlers() = default;
  explicit CoCallManagerHandlers(const C& c);
  bool given = false;
  Handler<&C::CmCreateVcHandler> CreateVc;
  Handler<&C::CmDeleteVcHandler> DeleteVc;
  Handler<&C::CmOpenAfHandler> OpenAf;
  Handler<&C::CmCloseAfHandler> CloseAf;
  Handler<&C::CmRegisterSapHandler> RegisterSap;
  Handler<&C::CmDeregisterSapHandler> DeregisterSap;
  Handler<&C::CmMakeCallHandler> MakeCall;
  Handler<&C::CmCloseCallHandler> CloseCall;
  Handler<&C::CmIncomingCallCompleteHandler> IncomingCallComplete;
  Handler<&C::CmAddPartyHandler> AddParty;
  Handler<&C::CmDropPartyHandler> DropParty;
  Handler<&C::CmActivateVcCompleteHandler> ActivateVcComplete;
  Handler<&C::CmDeactivateVcCompleteHandler> DeactivateVcComplete;
  Handler<&C::CmModifyCallQoSHandler> ModifyCallQoS;
  Handler<&C::CmOidRequestHandler> OidRequest;
  Handler<&C::CmOidRequestCompleteHandler> OidRequestComplete;
  Handler<&C::CmNotifyCloseAfCompleteHandler> NotifyCloseAfComplete;
};

/// A client. The page: every one is set.
struct CoClientHandlers {
  using C = NDIS_CO_CLIENT_OPTIONAL_HANDLERS;
  CoClientHandlers() = default;
  explicit CoClientHandlers(const C& c);
  bool given = false;
  Handler<&C::ClCreateVcHandler> CreateVc;
  Handler<&C::ClDeleteVcHandler> DeleteVc;
  Handler<&C::ClOidRequestHandler> OidRequest;
  Handler<&C::ClOidRequestCompleteHandler> OidRequestComplete;
  Handler<&C::ClOpenAfCompleteHandlerEx> OpenAfComplete;
  Handler<&C::ClCloseAfCompleteHandler> CloseAfComplete;
  Handler<&C::ClRegisterSapCompleteHandler> RegisterSapComplete;
  Handler<&C::ClDeregisterSapCompleteHandler> DeregisterSapComplete;
  Handler<&C::ClMakeCallCompleteHandler> MakeCallComplete;
  Handler<&C::ClModifyCallQoSCompleteHandler> ModifyCallQoSComplete;
  Handler<&C::ClCloseCallCompleteHandler> CloseCallComplete;
  Handler<&C::ClAddPartyCompleteHandler> AddPartyComplete;
  Handler<&C::ClDropPartyCompleteHandler> DropPartyComplete;
  Handler<&C::ClIncomingCallHandler> IncomingCall;
  Handler<&C::ClIncomingCallQoSChangeHandler> IncomingCallQoSChange;
  Handler<&C::ClIncomingCloseCallHandler> IncomingCloseCall;
  Handler<&C::ClIncomingDropPartyHandler> IncomingDropParty;
  Handler<&C::ClCallConnectedHandler> CallConnected;
  Handler<&C::ClNotifyCloseAfHandler> NotifyCloseAf;
};

/// A connection-oriented miniport; of an integrated call manager the first four are not called.
struct CoMiniportHandlers {
  using C = NDIS_MINIPORT_CO_CHARACTERISTICS;
  CoMiniportHandlers() = default;
  explicit CoMiniportHandlers(const C& c);
  bool given = false;
  Handler<&C::CoCreateVcHandler> CreateVc;
  Handler<&C::CoDeleteVcHandler> DeleteVc;
  Handler<&C::CoActivateVcHandler> ActivateVc;
  Handler<&C::CoDeactivateVcHandler> DeactivateVc;
  Handler<&C::CoSendNetBufferListsHandler> SendNetBufferLists;
  Handler<&C::CoOidRequestHandler> OidRequest;
};

}  // namespace undis
