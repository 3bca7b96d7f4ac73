// SPDX-License-Identifier: MIT
//
// Pools of NDIS 5 packets, and what a packet consists of.
// Pages: ndis/nf-ndis-ndisallocatepacketpoolex, ndis/nf-ndis-ndisfreepacketpool.
//
// Layout  body: NDIS_PACKET with its ProtocolReserved bytes; NDIS_PACKET_OOB_DATA; NDIS_PACKET_EXTENSION; the
// packet stack.
#pragma once

#include <ndis.h>

#include "ndis/items.h"

namespace undis {

class PacketPool final : public DriverPool {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::PacketPool};
  static constexpr std::uint32_t kMaxDescriptors = 0xFFFF;
  PacketPool(kernel::Driver* owner, std::uint32_t limit, std::size_t reserved_length);

  /// nullptr: all descriptors are in use, or no memory.
  NDIS_PACKET* allocate(kernel::Driver* owner) noexcept;
  static void free(NDIS_PACKET* packet) noexcept;

  std::uint8_t protocol_id = 0;  ///< NdisSetPacketPoolProtocolId

 private:
  const std::size_t oob_at_;
  const std::size_t stacks_at_;
  ItemPool* packets_;
};

/// Counts the packet's buffers, physical pages and bytes again unless they are known.
void count_packet(NDIS_PACKET* packet) noexcept;
UINT packet_length(NDIS_PACKET* packet) noexcept;

/// Puts a chain of MDLs into an empty packet.
void set_chain(NDIS_PACKET* packet, MDL* chain) noexcept;

/// Whether the packet may be used by its holder: told if it is none, was freed, or is on its way.
bool check_at_rest(NDIS_PACKET* packet, const char* what);
/// False, and told, if the packet was freed. What comes out of no pool of NDIS is let pass.
bool check_not_freed(NDIS_PACKET* packet, const char* what);

}  // namespace undis
