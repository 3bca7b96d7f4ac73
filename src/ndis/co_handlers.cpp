// SPDX-License-Identifier: MIT
//
// The handlers of connection-oriented drivers, out of the structures that they give.
#include "ndis/co_handlers.h"

namespace undis {

CoProtocolHandlers::CoProtocolHandlers(const C& c)
    : given(true), Status(c.CoStatusHandlerEx), AfRegisterNotify(c.CoAfRegisterNotifyHandler),
      ReceiveNetBufferLists(c.CoReceiveNetBufferListsHandler),
      SendNetBufferListsComplete(c.CoSendNetBufferListsCompleteHandler) {}

CoCallManagerHandlers::CoCallManagerHandlers(const C& c)
    : given(true), CreateVc(c.CmCreateVcHandler), DeleteVc(c.CmDeleteVcHandler), OpenAf(c.CmOpenAfHandler),
      CloseAf(c.CmCloseAfHandler), RegisterSap(c.CmRegisterSapHandler),
      DeregisterSap(c.CmDeregisterSapHandler), MakeCall(c.CmMakeCallHandler), CloseCall(c.CmCloseCallHandler),
      IncomingCallComplete(c.CmIncomingCallCompleteHandler), AddParty(c.CmAddPartyHandler),
      DropParty(c.CmDropPartyHandler), ActivateVcComplete(c.CmActivateVcCompleteHandler),
      DeactivateVcComplete(c.CmDeactivateVcCompleteHandler), ModifyCallQoS(c.CmModifyCallQoSHandler),
      OidRequest(c.CmOidRequestHandler), OidRequestComplete(c.CmOidRequestCompleteHandler),
      NotifyCloseAfComplete(c.CmNotifyCloseAfCompleteHandler) {}

CoClientHandlers::CoClientHandlers(const C& c)
    : given(true), CreateVc(c.ClCreateVcHandler), DeleteVc(c.ClDeleteVcHandler),
      OidRequest(c.ClOidRequestHandler), OidRequestComplete(c.ClOidRequestCompleteHandler),
      OpenAfComplete(c.ClOpenAfCompleteHandlerEx), CloseAfComplete(c.ClCloseAfCompleteHandler),
      RegisterSapComplete(c.ClRegisterSapCompleteHandler),
      DeregisterSapComplete(c.ClDeregisterSapCompleteHandler), MakeCallComplete(c.ClMakeCallCompleteHandler),
      ModifyCallQoSComplete(c.ClModifyCallQoSCompleteHandler),
      CloseCallComplete(c.ClCloseCallCompleteHandler), AddPartyComplete(c.ClAddPartyCompleteHandler),
      DropPartyComplete(c.ClDropPartyCompleteHandler), IncomingCall(c.ClIncomingCallHandler),
      IncomingCallQoSChange(c.ClIncomingCallQoSChangeHandler),
      IncomingCloseCall(c.ClIncomingCloseCallHandler), IncomingDropParty(c.ClIncomingDropPartyHandler),
      CallConnected(c.ClCallConnectedHandler), NotifyCloseAf(c.ClNotifyCloseAfHandler) {}

CoMiniportHandlers::CoMiniportHandlers(const C& c)
    : given(true), CreateVc(c.CoCreateVcHandler), DeleteVc(c.CoDeleteVcHandler),
      ActivateVc(c.CoActivateVcHandler), DeactivateVc(c.CoDeactivateVcHandler),
      SendNetBufferLists(c.CoSendNetBufferListsHandler), OidRequest(c.CoOidRequestHandler) {}

}  // namespace undis
