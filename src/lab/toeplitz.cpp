// SPDX-License-Identifier: MIT
//
// The Toeplitz hash and the fields that it is taken over.
#include "lab/toeplitz.h"

#include <algorithm>

namespace undis::lab {
namespace {

constexpr std::size_t kTypeOffset = 12;
constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86DD;
constexpr std::uint8_t kTcp = 6;

std::uint16_t big16(FrameView frame, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

FrameHash hash(const HashKey& key, FrameView addresses, FrameView ports, std::uint32_t type) noexcept {
  std::array<std::uint8_t, 36> input{};
  const auto end = std::ranges::copy(ports, std::ranges::copy(addresses, input.begin()).out).out;
  return {toeplitz(key, {input.begin(), end}), type};
}

}  // namespace

/// For each input bit that is set, the 32 bits of the key that begin there.
std::uint32_t toeplitz(const HashKey& key, std::span<const std::uint8_t> input) noexcept {
  std::uint32_t result = 0;
  std::uint32_t window = static_cast<std::uint32_t>(key[0]) << 24 | static_cast<std::uint32_t>(key[1]) << 16 |
                         static_cast<std::uint32_t>(key[2]) << 8 | key[3];
  for (std::size_t i = 0; i < input.size(); ++i) {
    const std::uint8_t next = i + 4 < key.size() ? key[i + 4] : std::uint8_t{0};
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((input[i] & 0x80U >> bit) != 0) result ^= window;
      window = window << 1 | (next >> (7 - bit) & 1U);
    }
  }
  return result;
}

FrameHash hash_of(FrameView frame, const HashKey& key, std::uint32_t types) noexcept {
  if (frame.size() < kEthernetHeader) return {};
  const std::uint16_t type = big16(frame, kTypeOffset);
  const FrameView packet = frame.subspan(kEthernetHeader);
  if (type == kIpv4 && packet.size() >= 20) {
    const std::size_t header = std::size_t{packet[0] & 0xFU} * 4;
    const bool fragment = (big16(packet, 6) & 0x3FFF) != 0;
    const bool tcp = packet[9] == kTcp && !fragment && header >= 20 && packet.size() >= header + 4;
    const FrameView addresses = packet.subspan(12, 8);
    if (tcp && (types & kHashTcpIpv4) != 0)
      return hash(key, addresses, packet.subspan(header, 4), kHashTcpIpv4);
    if ((types & kHashIpv4) != 0) return hash(key, addresses, {}, kHashIpv4);
  }
  if (type == kIpv6 && packet.size() >= 40) {
    const bool tcp = packet[6] == kTcp && packet.size() >= 44;
    const FrameView addresses = packet.subspan(8, 32);
    if (tcp && (types & kHashTcpIpv6) != 0) return hash(key, addresses, packet.subspan(40, 4), kHashTcpIpv6);
    if ((types & kHashIpv6) != 0) return hash(key, addresses, {}, kHashIpv6);
  }
  return {};
}

}  // namespace undis::lab
