// SPDX-License-Identifier: MIT
//
// The hash of receive side scaling: which fields of a frame go into it, and the Toeplitz function over them.
// Pages: network/rss-hashing-functions, network/rss-hashing-types,
// network/verifying-the-rss-hash-calculation.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ndis/link.h"

namespace undis::lab {

inline constexpr std::size_t kHashKeySize = 40;
using HashKey = std::array<std::uint8_t, kHashKeySize>;

/// The types of hash that a device may calculate, one bit each (ours, not NDIS' numbers).
enum HashTypes : std::uint32_t { kHashIpv4 = 1, kHashTcpIpv4 = 2, kHashIpv6 = 4, kHashTcpIpv6 = 8 };

std::uint32_t toeplitz(const HashKey& key, std::span<const std::uint8_t> input) noexcept;

struct FrameHash {
  std::uint32_t value = 0;
  std::uint32_t type = 0;  ///< one of HashTypes; 0: the frame has nothing to hash
};
/// The most specific hash of `types` that fits the frame: with ports for TCP that is not fragmented, else of
/// the addresses.
FrameHash hash_of(FrameView frame, const HashKey& key, std::uint32_t types) noexcept;

}  // namespace undis::lab
