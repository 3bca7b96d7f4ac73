// SPDX-License-Identifier: MIT
//
// Lists made from lists: clones, fragments, reassembled ones; and the information that is copied from list to
// list.
//
// Beyond  Parent pointer and child count are the driver's to keep
// (network/relationships-between-net-buffer-list-generations). A clone
//         takes the checksum bias of each buffer along and nothing else.
#include <algorithm>

#include "ndis/buffer_pool.h"
#include "ndis/item.h"
#include "ndis/nbl_data.h"
#include "ndis/nbl_pool.h"

namespace undis {
namespace {

/// A derived list that grows buffer by buffer; the first is the one that came with the list, if one did.
class Growing {
 public:
  Growing(kernel::Driver* owner, NblPool* lists, NbPool* buffers, Derived how) noexcept
      : owner_(owner), buffers_(buffers) {
    ItemBook& book = ItemBook::current();
    if (lists == nullptr) lists = &book.lists();
    if (buffers_ == nullptr) buffers_ = &book.buffers();
    list_ = lists->allocate(owner, 0, 0);
    if (list_ == nullptr) return;
    item_of(list_)->derived = static_cast<std::uint8_t>(how);
    spare_ = list_->FirstNetBuffer;
    list_->FirstNetBuffer = nullptr;
  }
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;
  ~Growing() {
    if (list_ != nullptr) free_derived(list_, 0);
  }

  bool started() const noexcept { return list_ != nullptr; }

  /// Appends a buffer for the chain's bytes; false: no memory.
  NET_BUFFER* append(MDL* chain, ULONG offset, SIZE_T length) noexcept {
    NET_BUFFER* const buffer = spare_ != nullptr ? spare_ : buffers_->allocate(owner_, false);
    spare_ = nullptr;
    if (buffer == nullptr) return nullptr;
    buffer->Next = nullptr;
    set_data(buffer, chain, offset, length);
    (last_ != nullptr ? last_->Next : list_->FirstNetBuffer) = buffer;
    last_ = buffer;
    return buffer;
  }

  NET_BUFFER_LIST* finish() noexcept {
    NET_BUFFER_LIST* const done = list_;
    list_ = nullptr;
    return done;
  }

 private:
  kernel::Driver* const owner_;
  NbPool* buffers_;
  NET_BUFFER_LIST* list_ = nullptr;
  NET_BUFFER* spare_ = nullptr;
  NET_BUFFER* last_ = nullptr;
};

/// Appends a buffer with MDLs of its own for a part of `from`; false: no memory.
NET_BUFFER* append_part(Growing& growing, NET_BUFFER* from, ULONG start, ULONG length) noexcept {
  MDL* const part =
      length == 0 ? nullptr : describe_part(from->CurrentMdl, from->CurrentMdlOffset + start, length);
  if (part == nullptr && length != 0) return nullptr;
  NET_BUFFER* const buffer = growing.append(part, 0, length);
  if (buffer == nullptr) free_mdls(part);
  return buffer;
}

}  // namespace

Derived derived(NET_BUFFER_LIST* list) noexcept {
  return static_cast<Derived>(item_of(list)->derived);
}

NET_BUFFER_LIST* clone(kernel::Driver* owner, NET_BUFFER_LIST* original, NblPool* lists, NbPool* buffers,
                       bool original_mdls) noexcept {
  Growing growing(owner, lists, buffers, original_mdls ? Derived::CloneOfMdls : Derived::Clone);
  if (!growing.started()) return nullptr;
  for (NET_BUFFER* from = original->FirstNetBuffer; from != nullptr; from = from->Next) {
    NET_BUFFER* const buffer =
        original_mdls ? growing.append(from->CurrentMdl, from->CurrentMdlOffset, from->stDataLength)
                      : append_part(growing, from, 0, from->DataLength);
    if (buffer == nullptr) return nullptr;
    buffer->ChecksumBias = from->ChecksumBias;
  }
  return growing.finish();
}

NET_BUFFER_LIST* fragment(kernel::Driver* owner, NET_BUFFER_LIST* original, NblPool* lists, NbPool* buffers,
                          ULONG start, ULONG max_length, ULONG delta, ULONG backfill) noexcept {
  if (max_length == 0) return nullptr;
  Growing growing(owner, lists, buffers, Derived::Fragments);
  if (!growing.started()) return nullptr;
  for (NET_BUFFER* from = original->FirstNetBuffer; from != nullptr; from = from->Next) {
    for (ULONG at = start; at < from->DataLength;) {
      const ULONG length = std::min(max_length, from->DataLength - at);
      NET_BUFFER* const buffer = append_part(growing, from, at, length);
      if (buffer == nullptr || (delta != 0 && retreat(buffer, delta, backfill, {}) != NDIS_STATUS_SUCCESS))
        return nullptr;
      at += length;
    }
  }
  return growing.finish();
}

NET_BUFFER_LIST* reassemble(kernel::Driver* owner, NET_BUFFER_LIST* fragments, NblPool* lists, ULONG start,
                            ULONG delta, ULONG backfill) noexcept {
  Growing growing(owner, lists, nullptr, Derived::Reassembled);
  if (!growing.started()) return nullptr;
  MDL* chain = nullptr;
  MDL** end = &chain;
  ULONG length = 0;
  for (NET_BUFFER* from = fragments->FirstNetBuffer; from != nullptr; from = from->Next) {
    if (from->DataLength <= start) continue;
    *end = describe_part(from->CurrentMdl, from->CurrentMdlOffset + start, from->DataLength - start);
    if (*end == nullptr) {
      free_mdls(chain);
      return nullptr;
    }
    length += from->DataLength - start;
    while (*end != nullptr) end = &(*end)->Next;
  }
  NET_BUFFER* const buffer = growing.append(chain, 0, length);
  if (buffer == nullptr) free_mdls(chain);
  if (buffer == nullptr || (delta != 0 && retreat(buffer, delta, backfill, {}) != NDIS_STATUS_SUCCESS))
    return nullptr;
  return growing.finish();
}

void free_derived(NET_BUFFER_LIST* list, ULONG delta) noexcept {
  const Derived how = derived(list);
  NET_BUFFER* buffer = list->FirstNetBuffer;
  while (buffer != nullptr) {
    NET_BUFFER* const next = buffer->Next;
    if (delta != 0) advance(buffer, delta, true, {});
    if (how != Derived::CloneOfMdls) free_mdls(buffer->MdlChain);
    if (find_item(ItemKind::NetBuffer, buffer) == ItemFound::Live) NbPool::free(buffer);
    buffer = next;
  }
  NblPool::free(list);
}

// ---- information ----

void copy_send_info(NET_BUFFER_LIST* to, const NET_BUFFER_LIST* from) noexcept {
  static constexpr NDIS_NET_BUFFER_LIST_INFO kCopied[] = {TcpIpChecksumNetBufferListInfo,
                                                          IPsecOffloadV1NetBufferListInfo,
                                                          TcpLargeSendNetBufferListInfo,
                                                          Ieee8021QNetBufferListInfo,
                                                          MediaSpecificInformation,
                                                          NetBufferListCancelId,
                                                          NetBufferListProtocolId,
                                                          IPsecOffloadV2TunnelNetBufferListInfo,
                                                          VirtualSubnetInfo,
                                                          NetBufferListFilteringInfo,
                                                          IPsecOffloadV2HeaderNetBufferListInfo};
  for (const NDIS_NET_BUFFER_LIST_INFO slot : kCopied)
    to->NetBufferListInfo[slot] = from->NetBufferListInfo[slot];
}

void copy_receive_info(NET_BUFFER_LIST* to, const NET_BUFFER_LIST* from) noexcept {
  static constexpr NDIS_NET_BUFFER_LIST_INFO kCopied[] = {TcpIpChecksumNetBufferListInfo,
                                                          IPsecOffloadV1NetBufferListInfo,
                                                          TcpReceiveNoPush,
                                                          Ieee8021QNetBufferListInfo,
                                                          MediaSpecificInformation,
                                                          NetBufferListFrameType,
                                                          NetBufferListHashValue,
                                                          NetBufferListHashInfo,
                                                          VirtualSubnetInfo,
                                                          IPsecOffloadV2TunnelNetBufferListInfo,
                                                          NetBufferListFilteringInfo,
                                                          IPsecOffloadV2HeaderNetBufferListInfo};
  for (const NDIS_NET_BUFFER_LIST_INFO slot : kCopied)
    to->NetBufferListInfo[slot] = from->NetBufferListInfo[slot];
}

}  // namespace undis
