// SPDX-License-Identifier: MIT
//
// Sends, completions, indications, transfers and returns of 5.x drivers.
//
// Pages   ndis/nf-ndis-ndiscancelsendpackets, ndis/nf-ndis-ndisgetreceivedpacket; most of these functions
// have no page any more
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/binding.h"
#include "ndis/data_path.h"
#include "ndis/item.h"
#include "ndis/visit.h"

using namespace undis;

namespace {

constexpr const char* kAdapterArgument = "MiniportAdapterHandle";

Ref<Adapter> find_adapter(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<Adapter>(kAdapterArgument, handle, HandleKind::Adapter);
}

/// Each medium has an indication of its own: the header is read as that medium's.
bool is_medium(const DdiCall& call, const Adapter& adapter, NDIS_MEDIUM medium, const char* name) {
  if (adapter.traits().medium == medium) return true;
  tell_breach("MediumNotCarried", call.driver(), call.name(), adapter.name(),
              fmt::format("{} selected medium {} when it was initialised: it cannot indicate {} frames",
                          adapter.name(), static_cast<int>(adapter.traits().medium), name));
  return false;
}

void indicate_with_lookahead(const DdiCall& call, NDIS_MEDIUM medium, const char* medium_name,
                             NDIS_HANDLE handle, NDIS_HANDLE context, void* header, UINT header_size,
                             void* lookahead, UINT lookahead_size, UINT packet_size) {
  const Ref<Adapter> adapter = find_adapter(call, handle);
  if (adapter && is_medium(call, *adapter, medium, medium_name))
    indicate_lookahead(*adapter, context, header, header_size, lookahead, lookahead_size, packet_size);
}

void complete_indications(const DdiCall& call, NDIS_HANDLE handle) {
  const Ref<Adapter> adapter = find_adapter(call, handle);
  if (adapter) indicate_receive_complete(*adapter);
}

/// What a call of a driver that is not watched leaves of a DdiCall: who called what.
class QuickCall {
 public:
  QuickCall(Ddi ddi, const void* object) noexcept : frame_(frame_of(ddi, object)), scope_(frame_) {
    kernel::passing_point(frame_.name);
  }
  QuickCall(const QuickCall&) = delete;
  QuickCall& operator=(const QuickCall&) = delete;

 private:
  static kernel::CallFrame frame_of(Ddi ddi, const void* object) noexcept {
    kernel::CallFrame frame;
    frame.kind = kernel::CallFrame::Kind::Ddi;
    frame.name = info(ddi).name;
    frame.driver = kernel::current_driver();
    if (frame.driver == nullptr) frame.driver = &kernel::System::current().host_driver();
    frame.object = object;
    return frame;
  }
  kernel::CallFrame frame_;
  const kernel::FrameScope scope_;
};

/// Carries `body` out on the object of a handle while its driver is not watched: in a visit to its stack,
/// without a lock or a reference. False: the long way.
template <class T, class Body>
bool quickly(Ddi ddi, NDIS_HANDLE handle, HandleKind kind, const Body& body) {
  return goes_quickly() && visit<T>(handle, kind, [&](T& object) {
           const QuickCall call(ddi, &object);
           body(object);
           return true;
         });
}

}  // namespace

// ---- protocols ----

// IRQL  <= DISPATCH_LEVEL
VOID NdisSend(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNDIS_PACKET Packet) {
  if (NDIS_STATUS quick = NDIS_STATUS_PENDING;
      quickly<Binding>(Ddi::NdisSend, NdisBindingHandle, HandleKind::Binding,
                       [&](Binding& from) { quick = send_packet(from, Packet); })) {
    if (Status != nullptr) *Status = quick;
    return;
  }
  const DdiCall call(Ddi::NdisSend);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  const NDIS_STATUS status =
      binding ? send_packet(*binding, Packet) : static_cast<NDIS_STATUS>(NDIS_STATUS_CLOSING);
  if (Status != nullptr) *Status = call.returns(status);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisSendPackets(NDIS_HANDLE NdisBindingHandle, PPNDIS_PACKET PacketArray, UINT NumberOfPackets) {
  if (quickly<Binding>(Ddi::NdisSendPackets, NdisBindingHandle, HandleKind::Binding,
                       [&](Binding& from) { send_packets(from, PacketArray, NumberOfPackets); }))
    return;
  const DdiCall call(Ddi::NdisSendPackets);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (binding) send_packets(*binding, PacketArray, NumberOfPackets);
}

// Page    ndis/nf-ndis-ndiscancelsendpackets                         IRQL  <= DISPATCH_LEVEL
VOID NdisCancelSendPackets(NDIS_HANDLE NdisBindingHandle, PVOID CancelId) {
  const DdiCall call(Ddi::NdisCancelSendPackets);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (binding) cancel_packets(*binding, CancelId);
}

// IRQL  DISPATCH_LEVEL
VOID NdisTransferData(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE MacReceiveContext,
                      UINT ByteOffset, UINT BytesToTransfer, PNDIS_PACKET Packet, PUINT BytesTransferred) {
  const DdiCall call(Ddi::NdisTransferData);
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  UINT transferred = 0;
  const NDIS_STATUS status =
      binding ? transfer_data(*binding, MacReceiveContext, ByteOffset, BytesToTransfer, Packet, &transferred)
              : static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE);
  if (BytesTransferred != nullptr) *BytesTransferred = transferred;
  if (Status != nullptr) *Status = call.returns(status);
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisReturnPackets(PNDIS_PACKET* PacketsToReturn, UINT NumberOfPackets) {
  if (goes_quickly()) {
    const QuickCall call(Ddi::NdisReturnPackets, nullptr);
    return return_packets(PacketsToReturn, NumberOfPackets);
  }
  const DdiCall call(Ddi::NdisReturnPackets);
  return_packets(PacketsToReturn, NumberOfPackets);
}

// Page    ndis/nf-ndis-ndisgetreceivedpacket                         IRQL  <= DISPATCH_LEVEL
PNDIS_PACKET NdisGetReceivedPacket(NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE MacContext) {
  const DdiCall call(Ddi::NdisGetReceivedPacket);
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  return binding ? received_packet(*binding, MacContext) : nullptr;
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
// Beyond  FAILURE where the indication that runs has no packet: then nobody noted anything of the kind.
NDIS_STATUS NdisQueryReceiveInformation(NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE MacContext,
                                        PLONGLONG TimeSent, PLONGLONG TimeReceived, PUCHAR Buffer,
                                        UINT BufferSize, PUINT SizeNeeded) {
  const DdiCall call(Ddi::NdisQueryReceiveInformation);
  const Ref<Binding> binding =
      call.find<Binding>("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
  NDIS_PACKET* const packet = binding ? received_packet(*binding, MacContext) : nullptr;
  if (packet == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (TimeSent != nullptr) *TimeSent = static_cast<LONGLONG>(NDIS_GET_PACKET_TIME_SENT(packet));
  if (TimeReceived != nullptr) *TimeReceived = static_cast<LONGLONG>(NDIS_GET_PACKET_TIME_RECEIVED(packet));
  PVOID information = nullptr;
  UINT size = 0;
  NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(packet, &information, &size);
  *SizeNeeded = size;
  if (BufferSize < size) return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
  if (size != 0) std::memcpy(Buffer, information, size);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisQueryPendingIOCount(NDIS_HANDLE NdisBindingHandle, PULONG IoCount) {
  const DdiCall call(Ddi::NdisQueryPendingIOCount);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (!binding) return call.returns(NDIS_STATUS_CLOSING);
  *IoCount = binding->sends.inside() + binding->requests.inside();
  return call.returns(NDIS_STATUS_SUCCESS);
}

// ---- miniports ----

// IRQL  <= DISPATCH_LEVEL
VOID NdisMSendComplete(NDIS_HANDLE MiniportAdapterHandle, PNDIS_PACKET Packet, NDIS_STATUS Status) {
  if (quickly<Adapter>(Ddi::NdisMSendComplete, MiniportAdapterHandle, HandleKind::Adapter,
                       [&](Adapter& by) { complete_packet(by, Packet, Status); }))
    return;
  const DdiCall call(Ddi::NdisMSendComplete);
  const Ref<Adapter> adapter = find_adapter(call, MiniportAdapterHandle);
  if (adapter) complete_packet(*adapter, Packet, Status);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMSendResourcesAvailable(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMSendResourcesAvailable);
  const Ref<Adapter> adapter = find_adapter(call, MiniportAdapterHandle);
  if (adapter) send_resources_available(*adapter);
}

// IRQL  <= DISPATCH_LEVEL; a serialized driver's DISPATCH_LEVEL
VOID NdisMIndicateReceivePacket(NDIS_HANDLE MiniportAdapterHandle, PPNDIS_PACKET ReceivePackets,
                                UINT NumberOfPackets) {
  if (quickly<Adapter>(Ddi::NdisMIndicateReceivePacket, MiniportAdapterHandle, HandleKind::Adapter,
                       [&](Adapter& by) { indicate_packets(by, ReceivePackets, NumberOfPackets); }))
    return;
  const DdiCall call(Ddi::NdisMIndicateReceivePacket);
  const Ref<Adapter> adapter = find_adapter(call, MiniportAdapterHandle);
  if (adapter) indicate_packets(*adapter, ReceivePackets, NumberOfPackets);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMEthIndicateReceive(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE MiniportReceiveContext,
                             PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookaheadBuffer,
                             UINT LookaheadBufferSize, UINT PacketSize) {
  const DdiCall call(Ddi::NdisMEthIndicateReceive);
  indicate_with_lookahead(call, NdisMedium802_3, "Ethernet", MiniportAdapterHandle, MiniportReceiveContext,
                          HeaderBuffer, HeaderBufferSize, LookaheadBuffer, LookaheadBufferSize, PacketSize);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMEthIndicateReceiveComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMEthIndicateReceiveComplete);
  complete_indications(call, MiniportAdapterHandle);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMTrIndicateReceive(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE MiniportReceiveContext,
                            PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookaheadBuffer,
                            UINT LookaheadBufferSize, UINT PacketSize) {
  const DdiCall call(Ddi::NdisMTrIndicateReceive);
  indicate_with_lookahead(call, NdisMedium802_5, "Token Ring", MiniportAdapterHandle, MiniportReceiveContext,
                          HeaderBuffer, HeaderBufferSize, LookaheadBuffer, LookaheadBufferSize, PacketSize);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMTrIndicateReceiveComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMTrIndicateReceiveComplete);
  complete_indications(call, MiniportAdapterHandle);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMFddiIndicateReceive(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE MiniportReceiveContext,
                              PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookaheadBuffer,
                              UINT LookaheadBufferSize, UINT PacketSize) {
  const DdiCall call(Ddi::NdisMFddiIndicateReceive);
  indicate_with_lookahead(call, NdisMediumFddi, "FDDI", MiniportAdapterHandle, MiniportReceiveContext,
                          HeaderBuffer, HeaderBufferSize, LookaheadBuffer, LookaheadBufferSize, PacketSize);
}

// IRQL  DISPATCH_LEVEL
VOID NdisMFddiIndicateReceiveComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMFddiIndicateReceiveComplete);
  complete_indications(call, MiniportAdapterHandle);
}

// IRQL  <= DISPATCH_LEVEL; a serialized driver's DISPATCH_LEVEL
VOID NdisMTransferDataComplete(NDIS_HANDLE MiniportAdapterHandle, PNDIS_PACKET Packet, NDIS_STATUS Status,
                               UINT BytesTransferred) {
  const DdiCall call(Ddi::NdisMTransferDataComplete);
  const Ref<Adapter> adapter = find_adapter(call, MiniportAdapterHandle);
  if (adapter) complete_transfer(*adapter, Packet, Status, BytesTransferred);
}
