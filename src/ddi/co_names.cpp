// SPDX-License-Identifier: MIT
//
// Names of virtual connections: for WMI, and for TAPI applications.
#include <cstring>
#include <limits>

#include "ddi/co_call.h"
#include "kernel/pool.h"
#include "kernel/unicode.h"

using namespace undis;

namespace {

constexpr ULONG kNameTag = 0x6E764344;  // 'DCvn'

}  // namespace

// Page    ndis/nf-ndis-ndiscoassigninstancename                      IRQL  DISPATCH_LEVEL
// Beyond  There is no WMI that the name could be registered with.
NDIS_STATUS NdisCoAssignInstanceName(NDIS_HANDLE NdisVcHandle, PNDIS_STRING BaseInstanceName,
                                     PNDIS_STRING VcInstanceName) {
  const DdiCall call(Ddi::NdisCoAssignInstanceName);
  CoSide side{};
  const Ref<Vc> vc = find_vc_of_either(call, NdisVcHandle, side);
  if (!vc || BaseInstanceName == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (side == CoSide::CallManager && vc->manager().integrated()) {
    call.tell_breach("CoManagerKind", vc->name(),
                     "an integrated call manager cannot name its virtual connections");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  const std::u16string name = vc->assign_instance_name(kernel::view(BaseInstanceName));
  if (VcInstanceName == nullptr) return call.returns(NDIS_STATUS_SUCCESS);
  *VcInstanceName = {};
  const std::size_t size = name.size() * sizeof(char16_t);
  if (size > std::numeric_limits<USHORT>::max()) return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  kernel::Pool::Request request;
  request.size = size;
  request.tag = kNameTag;
  request.owner = &call.driver();
  VcInstanceName->Buffer = static_cast<PWCH>(kernel::System::current().pool().allocate(request));
  if (VcInstanceName->Buffer == nullptr) return call.returns(NDIS_STATUS_RESOURCES);
  std::memcpy(VcInstanceName->Buffer, name.data(), size);
  VcInstanceName->Length = VcInstanceName->MaximumLength = static_cast<USHORT>(size);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndiscogettapicallid                           IRQL  DISPATCH_LEVEL
NDIS_STATUS NdisCoGetTapiCallId(NDIS_HANDLE NdisVcHandle, PVAR_STRING TapiCallId) {
  const DdiCall call(Ddi::NdisCoGetTapiCallId);
  const Ref<Vc> vc = call.find<Vc>("NdisVcHandle", NdisVcHandle, HandleKind::ClientVc);
  if (!vc || TapiCallId == nullptr) return call.returns(NDIS_STATUS_INVALID_DATA);
  const std::string id = vc->tapi_call_id();
  const auto size = static_cast<ULONG>(id.size() + 1);
  TapiCallId->ulNeededSize = static_cast<ULONG>(sizeof(VAR_STRING)) + size;
  if (TapiCallId->ulTotalSize < TapiCallId->ulNeededSize) return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
  TapiCallId->ulUsedSize = TapiCallId->ulNeededSize;
  TapiCallId->ulStringFormat = STRINGFORMAT_ASCII;
  TapiCallId->ulStringSize = size;
  TapiCallId->ulStringOffset = sizeof(VAR_STRING);
  std::memcpy(TapiCallId + 1, id.c_str(), size);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisclgetprotocolvccontextfromtapicallid      IRQL  DISPATCH_LEVEL
NDIS_STATUS NdisClGetProtocolVcContextFromTapiCallId(UNICODE_STRING TapiCallId,
                                                     PNDIS_HANDLE ProtocolVcContext) {
  const DdiCall call(Ddi::NdisClGetProtocolVcContextFromTapiCallId);
  const std::string id = kernel::to_utf8(kernel::view(&TapiCallId));
  for (const Ref<Adapter>& adapter : Library::current().adapters()) {
    for (const Ref<Vc>& vc : adapter->co->vcs()) {
      if (vc->family() == nullptr || vc->tapi_call_id() != id) continue;
      *ProtocolVcContext = vc->context(CoSide::Client);
      return call.returns(NDIS_STATUS_SUCCESS);
    }
  }
  return call.returns(NDIS_STATUS_FAILURE);
}
