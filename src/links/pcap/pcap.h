// SPDX-License-Identifier: MIT
//
// A wire whose other end is a capture: frames arrive from one pcap file, what is transmitted is written to
// another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "links/frame_queue.h"
#include "links/sink_slot.h"
#include "ndis/link.h"

namespace undis::links {

struct PcapOptions {
  std::string in;   ///< the capture to take frames from; empty: none arrive
  std::string out;  ///< the capture to write; empty: transmitted frames are counted and dropped
  LinkInfo info;    ///< an MTU of 0: as the longest frame of `in` needs, at least 1500
  /// The time of transmitted frames, in 100 ns units since the wire was opened; kernel::now if none is given.
  std::function<std::uint64_t()> clock;
};

class PcapLink final : public Link {
 public:
  /// Reads the whole of `in` once, so that a broken file is known before the first frame arrives. nullptr:
  /// `error` says which file, at which byte or frame, what was found and what was expected.
  static std::unique_ptr<PcapLink> open(const PcapOptions& options, std::string& error);
  ~PcapLink() override;

  LinkInfo info() const override;
  LinkStatus attach(LinkSink& sink) override;
  LinkStatus transmit(FrameView frame) override;
  void detach() override;

  /// The number of frames in `in`, of those that have arrived, and of those transmitted.
  std::uint64_t frames() const noexcept;
  std::uint64_t arrived() const noexcept;
  std::uint64_t transmitted() const noexcept;

  /// When the next frame is due: 100 ns units after the first frame of `in`, never less than for the one
  /// before. nullopt: no more.
  std::optional<std::uint64_t> next_due() const;
  /// Lets the next frame arrive, on the calling thread. False: there is none, or nothing is attached (it then
  /// stays the next).
  bool deliver_next();

  /// Writes what is still in memory and closes `out`. An empty string, or why the file is not whole.
  std::string close();

 private:
  struct Parts;
  explicit PcapLink(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace undis::links
