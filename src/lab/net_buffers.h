// SPDX-License-Identifier: MIT
//
// Frames to net buffer lists and back, for the host's own drivers.
#pragma once

#include <cstdint>
#include <vector>

#include <ndis.h>

#include "ndis/link.h"

namespace undis::lab {

/// A pool tag as debuggers print it.
constexpr ULONG pool_tag(const char (&text)[5]) noexcept {
  ULONG tag = 0;
  for (int i = 3; i >= 0; --i) tag = tag << 8 | static_cast<unsigned char>(text[i]);
  return tag;
}

/// The bytes of one NET_BUFFER.
std::vector<std::uint8_t> bytes_of(NET_BUFFER* buffer);
/// A list with one NET_BUFFER that holds a copy of the frame; nullptr: no memory.
NET_BUFFER_LIST* make_list(NDIS_HANDLE pool, FrameView frame, ULONG tag);
/// Frees what make_list made. Preconditions: the list is not in a chain.
void free_list(NET_BUFFER_LIST* list, ULONG tag);
/// A pool for such lists; nullptr: no memory.
NDIS_HANDLE make_pool(NDIS_HANDLE owner, ULONG tag);

/// Calls `visit` for each list of the chain, taken out of it.
template <class Visit>
void for_each_taken(NET_BUFFER_LIST* chain, Visit visit) {
  while (chain != nullptr) {
    NET_BUFFER_LIST* const next = NET_BUFFER_LIST_NEXT_NBL(chain);
    NET_BUFFER_LIST_NEXT_NBL(chain) = nullptr;
    visit(chain);
    chain = next;
  }
}

/// One chain of the lists that `make` gives for each frame, as far as memory goes; `count` says how far.
template <class Make>
NET_BUFFER_LIST* make_chain(const std::vector<FrameView>& frames, ULONG& count, Make make) {
  NET_BUFFER_LIST* first = nullptr;
  NET_BUFFER_LIST** last = &first;
  count = 0;
  for (const FrameView frame : frames) {
    NET_BUFFER_LIST* const list = make(frame);
    if (list == nullptr) break;
    *last = list;
    last = &NET_BUFFER_LIST_NEXT_NBL(list);
    ++count;
  }
  return first;
}

}  // namespace undis::lab
