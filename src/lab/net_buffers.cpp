// SPDX-License-Identifier: MIT
//
// Frames to net buffer lists and back.
#include "lab/net_buffers.h"

#include <algorithm>
#include <cstring>

namespace undis::lab {

std::vector<std::uint8_t> bytes_of(NET_BUFFER* buffer) {
  std::vector<std::uint8_t> bytes(NET_BUFFER_DATA_LENGTH(buffer));
  ULONG left = NET_BUFFER_DATA_LENGTH(buffer);
  ULONG offset = NET_BUFFER_CURRENT_MDL_OFFSET(buffer);
  for (MDL* mdl = NET_BUFFER_CURRENT_MDL(buffer); mdl != nullptr && left != 0; mdl = mdl->Next, offset = 0) {
    const auto* const data =
        static_cast<const std::uint8_t*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
    const ULONG here = std::min(left, MmGetMdlByteCount(mdl) - offset);
    std::memcpy(&bytes[bytes.size() - left], data + offset, here);
    left -= here;
  }
  return bytes;
}

NDIS_HANDLE make_pool(NDIS_HANDLE owner, ULONG tag) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = tag;
  return NdisAllocateNetBufferListPool(owner, &parameters);
}

NET_BUFFER_LIST* make_list(NDIS_HANDLE pool, FrameView frame, ULONG tag) {
  void* const data = ExAllocatePoolWithTag(NonPagedPoolNx, frame.size(), tag);
  if (data == nullptr) return nullptr;
  std::memcpy(data, frame.data(), frame.size());
  MDL* const mdl = IoAllocateMdl(data, static_cast<ULONG>(frame.size()), FALSE, FALSE, nullptr);
  if (mdl != nullptr) {
    MmBuildMdlForNonPagedPool(mdl);
    NET_BUFFER_LIST* const list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, frame.size());
    if (list != nullptr) return list;
    IoFreeMdl(mdl);
  }
  ExFreePoolWithTag(data, tag);
  return nullptr;
}

void free_list(NET_BUFFER_LIST* list, ULONG tag) {
  MDL* const mdl = NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(list));
  void* const data = MmGetMdlVirtualAddress(mdl);
  NdisFreeNetBufferList(list);
  IoFreeMdl(mdl);
  ExFreePoolWithTag(data, tag);
}

}  // namespace undis::lab
