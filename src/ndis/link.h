// SPDX-License-Identifier: MIT
//
// A wire, as an adapter sees it: something that takes and gives Ethernet frames. Nothing of NDIS is visible
// here.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace undis {

/// A whole Ethernet frame from the destination address on, without its check sum. Valid during the call it is
/// passed to.
using FrameView = std::span<const std::uint8_t>;

using MacAddress = std::array<std::uint8_t, 6>;

struct LinkInfo {
  MacAddress mac{};          ///< the station address of this end
  std::uint32_t mtu = 1500;  ///< the longest payload, without the 14 bytes of the Ethernet header
  std::uint64_t speed_bps = 1'000'000'000;
  bool up = true;  ///< media connected
  bool operator==(const LinkInfo&) const = default;
};

enum class [[nodiscard]] LinkStatus : std::uint8_t{
    Ok,
    Down,      ///< the media is disconnected, or nobody is at the other end
    TooShort,  ///< shorter than an Ethernet header
    TooLong,   ///< longer than the wire's MTU allows (14 bytes of header, 4 more for a VLAN tag)
    Failed,    ///< the wire could not write it (a full disk, a closed socket)
};

/// Who takes what comes in from a wire. Called on a kernel thread, at most one call at a time for one wire,
/// in the order of arrival, with no lock of the wire held.
class LinkSink {
 public:
  virtual ~LinkSink() = default;
  virtual void receive(FrameView frame) = 0;
  /// The wire's state is now `info`: cable in or out, another speed.
  virtual void changed(const LinkInfo& info) = 0;
};

class Link {
 public:
  virtual ~Link() = default;
  virtual LinkInfo info() const = 0;
  /// Frames arrive on the sink from now on. Preconditions: nothing is attached.
  virtual LinkStatus attach(LinkSink& sink) = 0;
  /// Sends or copies now; never keeps the view. May be called from inside LinkSink::receive.
  virtual LinkStatus transmit(FrameView frame) = 0;
  /// When it returns, the sink is not and will not be called. Preconditions: not called from inside the sink.
  virtual void detach() = 0;
};

/// The bytes of an Ethernet header, and of the VLAN tag that may follow the addresses.
inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::size_t kVlanTag = 4;

/// Whether a frame of this length may go onto a wire with this MTU.
constexpr LinkStatus check_length(std::size_t length, std::uint32_t mtu) noexcept {
  if (length < kEthernetHeader) return LinkStatus::TooShort;
  return length > kEthernetHeader + kVlanTag + mtu ? LinkStatus::TooLong : LinkStatus::Ok;
}

}  // namespace undis
