// SPDX-License-Identifier: MIT
//
// What is done with one net buffer list or net buffer: context space, data start, data, information.
//
// Page    nblapi/index
#include <cstdint>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/nbl_data.h"
#include "ndis/nbl_pool.h"
#include "ndis/nbl_quick.h"

using namespace undis;

namespace {
[[gnu::noinline, gnu::cold]] NDIS_STATUS long_allocate_context(PNET_BUFFER_LIST NetBufferList,
                                                               USHORT ContextSize, USHORT ContextBackFill) {
  const DdiCall call(Ddi::NdisAllocateNetBufferListContext);
  if (find_item(ItemKind::NetBufferList, NetBufferList) != ItemFound::Live) {
    tell_item_misuse(ItemKind::NetBufferList, NetBufferList, false,
                     "context space is asked for in what is no net buffer list, or was freed");
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(add_context(NetBufferList, ContextSize, ContextBackFill));
}
}  // namespace

// Page    nblapi/nf-nblapi-ndisallocatenetbufferlistcontext          IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisAllocateNetBufferListContext(PNET_BUFFER_LIST NetBufferList, USHORT ContextSize,
                                             USHORT ContextBackFill, ULONG) {
  if (NblPool::add_context_quickly(NetBufferList, ContextSize, ContextBackFill)) [[likely]]
    return NDIS_STATUS_SUCCESS;
  return long_allocate_context(NetBufferList, ContextSize, ContextBackFill);
}

namespace {
[[gnu::noinline, gnu::cold]] VOID long_free_context(PNET_BUFFER_LIST NetBufferList, USHORT ContextSize) {
  const DdiCall call(Ddi::NdisFreeNetBufferListContext);
  if (find_item(ItemKind::NetBufferList, NetBufferList) != ItemFound::Live ||
      !remove_context(NetBufferList, ContextSize))
    tell_item_misuse(ItemKind::NetBufferList, NetBufferList, false,
                     "more context space is given back than was allocated");
}
}  // namespace

// Page    nblapi/nf-nblapi-ndisfreenetbufferlistcontext              IRQL  <= DISPATCH_LEVEL
VOID NdisFreeNetBufferListContext(PNET_BUFFER_LIST NetBufferList, USHORT ContextSize) {
  if (NblPool::remove_context_quickly(NetBufferList, ContextSize)) [[likely]]
    return;
  return long_free_context(NetBufferList, ContextSize);
}

// Page    nblapi/nf-nblapi-ndisretreatnetbufferdatastart             IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisRetreatNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, ULONG DataBackFill,
                                          NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler) {
  if (goes_quickly() && DataOffsetDelta <= NetBuffer->DataOffset) [[likely]]
    return retreat(NetBuffer, DataOffsetDelta, DataBackFill, AllocateMdlHandler);
  const DdiCall call(Ddi::NdisRetreatNetBufferDataStart);
  if (DataOffsetDelta > NetBuffer->DataOffset && AllocateMdlHandler == nullptr && call.fails())
    return call.returns(NDIS_STATUS_RESOURCES);
  return call.returns(retreat(NetBuffer, DataOffsetDelta, DataBackFill, AllocateMdlHandler));
}

namespace {

/// Where the data still begins in the MDL in which it does: no MDL is left behind. False: nothing is done.
bool advance_quickly(NET_BUFFER* buffer, ULONG delta) noexcept {
  const MDL* const mdl = buffer->CurrentMdl;
  if (delta > buffer->stDataLength || mdl == nullptr || delta >= mdl->ByteCount - buffer->CurrentMdlOffset)
    return false;
  buffer->DataOffset += delta;
  buffer->CurrentMdlOffset += delta;
  buffer->stDataLength -= delta;
  return true;
}

void advance_or_tell(NET_BUFFER* buffer, ULONG delta, bool free_mdl, FreeMdl free) {
  if (!advance(buffer, delta, free_mdl, free))
    tell_item_misuse(
        ItemKind::NetBuffer, buffer, false,
        fmt::format("{} bytes are released of a net buffer that has {}", delta, buffer->DataLength));
}

}  // namespace

// Page    nblapi/nf-nblapi-ndisadvancenetbufferdatastart             IRQL  <= DISPATCH_LEVEL
VOID NdisAdvanceNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                   NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler) {
  if (goes_quickly() && advance_quickly(NetBuffer, DataOffsetDelta)) [[likely]]
    return;
  const DdiCall call(Ddi::NdisAdvanceNetBufferDataStart);
  advance_or_tell(NetBuffer, DataOffsetDelta, FreeMdl != FALSE, FreeMdlHandler);
}

// Page    nblapi/nf-nblapi-ndisretreatnetbufferlistdatastart         IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisRetreatNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta,
                                              ULONG DataBackFill,
                                              NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler,
                                              NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler) {
  if (NET_BUFFER* const only = NetBufferList->FirstNetBuffer;
      goes_quickly() && only != nullptr && only->Next == nullptr && DataOffsetDelta <= only->DataOffset)
      [[likely]]
    return retreat(only, DataOffsetDelta, DataBackFill, AllocateMdlHandler);
  const DdiCall call(Ddi::NdisRetreatNetBufferListDataStart);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  for (NET_BUFFER* buffer = NetBufferList->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    const NDIS_STATUS status = retreat(buffer, DataOffsetDelta, DataBackFill, AllocateMdlHandler);
    if (status == NDIS_STATUS_SUCCESS) continue;
    for (NET_BUFFER* done = NetBufferList->FirstNetBuffer; done != buffer; done = done->Next)
      advance(done, DataOffsetDelta, true, FreeMdlHandler);
    return call.returns(status);
  }
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    nblapi/nf-nblapi-ndisadvancenetbufferlistdatastart         IRQL  <= DISPATCH_LEVEL
VOID NdisAdvanceNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                       NET_BUFFER_FREE_MDL_HANDLER FreeMdlMdlHandler) {
  if (NET_BUFFER* const only = NetBufferList->FirstNetBuffer;
      goes_quickly() && only != nullptr && only->Next == nullptr && advance_quickly(only, DataOffsetDelta))
      [[likely]]
    return;
  const DdiCall call(Ddi::NdisAdvanceNetBufferListDataStart);
  for (NET_BUFFER* buffer = NetBufferList->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next)
    advance_or_tell(buffer, DataOffsetDelta, FreeMdl != FALSE, FreeMdlMdlHandler);
}

// Page    nblapi/nf-nblapi-ndisadjustnetbuffercurrentmdl             IRQL  any
VOID NdisAdjustNetBufferCurrentMdl(PNET_BUFFER NetBuffer) {
  if (goes_quickly()) [[likely]]
    return adjust_current_mdl(NetBuffer);
  const DdiCall call(Ddi::NdisAdjustNetBufferCurrentMdl);
  adjust_current_mdl(NetBuffer);
}

// Page    nblapi/nf-nblapi-ndisgetdatabuffer                         IRQL  <= DISPATCH_LEVEL
// Beyond  The data is mapped already, so the call fails for what the page lists and for nothing else.
PVOID NdisGetDataBuffer(PNET_BUFFER NetBuffer, ULONG BytesNeeded, PVOID Storage, UINT AlignMultiple,
                        UINT AlignOffset) {
  if (goes_quickly()) [[likely]]
    return data_buffer(NetBuffer, BytesNeeded, Storage, AlignMultiple, AlignOffset);
  const DdiCall call(Ddi::NdisGetDataBuffer);
  if (call.fails()) return nullptr;
  return data_buffer(NetBuffer, BytesNeeded, Storage, AlignMultiple, AlignOffset);
}

// Page    nblapi/nf-nblapi-ndiscopyfromnetbuffertonetbuffer          IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisCopyFromNetBufferToNetBuffer(PNET_BUFFER Destination, ULONG DestinationOffset,
                                             ULONG BytesToCopy, PNET_BUFFER Source, ULONG SourceOffset,
                                             PULONG BytesCopied) {
  const DdiCall call(Ddi::NdisCopyFromNetBufferToNetBuffer);
  *BytesCopied = 0;
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  *BytesCopied = copy_data(Destination, DestinationOffset, BytesToCopy, Source, SourceOffset);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    nblapi/nf-nblapi-ndisquerynetbufferphysicalcount           IRQL  <= DISPATCH_LEVEL
ULONG NdisQueryNetBufferPhysicalCount(PNET_BUFFER NetBuffer) {
  const DdiCall call(Ddi::NdisQueryNetBufferPhysicalCount);
  return physical_count(NetBuffer);
}

// Page    nblapi/nf-nblapi-ndisgetnetbufferlistprotocolid            IRQL  any
UCHAR NdisGetNetBufferListProtocolId(PNET_BUFFER_LIST NetBufferList) {
  const DdiCall call(Ddi::NdisGetNetBufferListProtocolId);
  return *reinterpret_cast<const UCHAR*>(&NET_BUFFER_LIST_INFO(NetBufferList, NetBufferListProtocolId));
}

// Page    nblapi/nf-nblapi-ndiscopysendnetbufferlistinfo             IRQL  <= DISPATCH_LEVEL
VOID NdisCopySendNetBufferListInfo(PNET_BUFFER_LIST DestNetBufferList, PNET_BUFFER_LIST SrcNetBufferList) {
  if (goes_quickly()) [[likely]]
    return copy_send_info(DestNetBufferList, SrcNetBufferList);
  const DdiCall call(Ddi::NdisCopySendNetBufferListInfo);
  copy_send_info(DestNetBufferList, SrcNetBufferList);
}

// Page    nblapi/nf-nblapi-ndiscopyreceivenetbufferlistinfo          IRQL  <= DISPATCH_LEVEL
VOID NdisCopyReceiveNetBufferListInfo(PNET_BUFFER_LIST DestNetBufferList, PNET_BUFFER_LIST SrcNetBufferList) {
  if (goes_quickly()) [[likely]]
    return copy_receive_info(DestNetBufferList, SrcNetBufferList);
  const DdiCall call(Ddi::NdisCopyReceiveNetBufferListInfo);
  copy_receive_info(DestNetBufferList, SrcNetBufferList);
}
