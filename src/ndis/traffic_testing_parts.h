// SPDX-License-Identifier: MIT
//
// What the card and the protocols of the data path's tests share.
#pragma once

#include "ndis/traffic_testing.h"

namespace undis::test {

inline constexpr ULONG kTag = 0x74736554;  // 'Test'

/// The bytes in pool of their own, with unused ones around them.
void* copy_of(const Bytes& bytes, std::size_t before = 0, std::size_t after = 0);
NDIS_HANDLE make_list_pool(NDIS_HANDLE handle, bool with_buffer);
/// A packet with its data in two buffers, in memory of its own; ProtocolReserved begins with where that is.
NDIS_PACKET* packet_of(NDIS_HANDLE packets, NDIS_HANDLE buffers, const Bytes& bytes);
void free_packet_of(NDIS_PACKET* packet);

}  // namespace undis::test
