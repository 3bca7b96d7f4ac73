// SPDX-License-Identifier: MIT
//
// libpcap reads both byte orders, microseconds and nanoseconds, and pcapng. Times are kept as nanoseconds of
// the file, the machine's as 100 ns units since the first frame.
#include "links/pcap/pcap.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "kernel/system.h"

namespace undis::links {
namespace {

constexpr std::uint64_t kNanosecondsPerTick = 100;
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr int kSnapLength = 262'144;

using Capture = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

Capture open_capture(const std::string& path, std::string& error) {
  std::array<char, PCAP_ERRBUF_SIZE> why{};
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    error = fmt::format("{}: {}; expected a capture file (pcap or pcapng)", path, std::strerror(errno));
    return {nullptr, &pcap_close};
  }
  Capture capture(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why.data()),
                  &pcap_close);
  if (capture == nullptr) {
    error = fmt::format("{}: at byte {}: {}; expected a capture file (pcap or pcapng)", path,
                        std::ftell(file), why.data());
    std::fclose(file);
  }
  return capture;
}

std::uint64_t nanoseconds(const pcap_pkthdr& header) {
  return static_cast<std::uint64_t>(header.ts.tv_sec) * kNanosecondsPerSecond +
         static_cast<std::uint64_t>(header.ts.tv_usec);
}

/// What one reading of a whole capture tells.
struct Summary {
  std::uint64_t frames = 0;
  std::size_t longest = 0;
};

bool check_capture(const std::string& path, Summary& summary, std::string& error) {
  const Capture capture = open_capture(path, error);
  if (capture == nullptr) return false;
  if (const int type = pcap_datalink(capture.get()); type != DLT_EN10MB) {
    const char* name = pcap_datalink_val_to_name(type);
    error = fmt::format("{}: its frames are of link type {} ({}); expected Ethernet (EN10MB, {})", path, type,
                        name != nullptr ? name : "unknown", DLT_EN10MB);
    return false;
  }
  for (;;) {
    const long at = std::ftell(pcap_file(capture.get()));
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    const int result = pcap_next_ex(capture.get(), &header, &bytes);
    if (result == PCAP_ERROR_BREAK) return true;
    const std::string where = fmt::format("{}: frame {} at byte {}", path, summary.frames + 1, at);
    if (result != 1) {
      error = fmt::format("{}: {}", where, pcap_geterr(capture.get()));
      return false;
    }
    if (header->caplen < header->len) {
      error = fmt::format("{}: only {} of its {} bytes were captured; expected whole frames (tcpdump -s 0)",
                          where, header->caplen, header->len);
      return false;
    }
    if (header->caplen < kEthernetHeader) {
      error = fmt::format("{}: has {} bytes; expected at least the {} of an Ethernet header", where,
                          header->caplen, kEthernetHeader);
      return false;
    }
    ++summary.frames;
    summary.longest = std::max<std::size_t>(summary.longest, header->caplen);
  }
}

}  // namespace

struct PcapLink::Parts {
  PcapOptions options;
  Summary summary;
  LinkInfo info;
  SinkSlot sink;

  Capture in{nullptr, &pcap_close};
  Frame next;  ///< the frame that arrives next; valid while has_next
  bool has_next = false;
  std::uint64_t first_time = 0;  ///< nanoseconds of the file
  std::uint64_t next_time = 0;   ///< nanoseconds after the first frame
  std::uint64_t arrived = 0;

  Capture out_format{nullptr, &pcap_close};
  pcap_dumper_t* out = nullptr;
  std::uint64_t last_written = 0;  ///< nanoseconds after first_time
  std::uint64_t transmitted = 0;
  std::string failure;

  ~Parts() {
    if (out != nullptr) pcap_dump_close(out);
  }

  void read_next() {
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    has_next = in != nullptr && pcap_next_ex(in.get(), &header, &bytes) == 1;
    if (!has_next) return;
    next.assign(bytes, bytes + header->caplen);
    const std::uint64_t time = nanoseconds(*header);
    if (arrived == 0) first_time = time;
    // Captures of several processors or hosts are not always in order; time never goes back here.
    next_time = std::max(next_time, time > first_time ? time - first_time : 0);
  }

  bool open_out(std::string& error) {
    out_format.reset(
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength, PCAP_TSTAMP_PRECISION_NANO));
    out = pcap_dump_open(out_format.get(), options.out.c_str());
    if (out != nullptr) return true;
    error = fmt::format("{}; the capture cannot be written", pcap_geterr(out_format.get()));
    return false;
  }
};

PcapLink::PcapLink(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PcapLink::~PcapLink() = default;

std::unique_ptr<PcapLink> PcapLink::open(const PcapOptions& options, std::string& error) {
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  parts->info = options.info;
  if (!parts->options.clock) parts->options.clock = [] { return kernel::now(); };
  if (!options.in.empty()) {
    if (!check_capture(options.in, parts->summary, error)) return nullptr;
    parts->in = open_capture(options.in, error);
    if (parts->in == nullptr) return nullptr;
    parts->read_next();
  }
  if (parts->info.mtu == 0) {
    const std::size_t payload = std::max(parts->summary.longest, kEthernetHeader) - kEthernetHeader;
    parts->info.mtu = std::max<std::uint32_t>(1500, static_cast<std::uint32_t>(payload));
  }
  if (!options.out.empty()) {
    std::error_code not_there_yet;
    if (std::filesystem::equivalent(options.in, options.out, not_there_yet)) {
      error = fmt::format("{}: is both the capture to read and the one to write", options.out);
      return nullptr;
    }
    if (!parts->open_out(error)) return nullptr;
  }
  return std::unique_ptr<PcapLink>(new PcapLink(std::move(parts)));
}

LinkInfo PcapLink::info() const {
  return parts_->info;
}

LinkStatus PcapLink::attach(LinkSink& sink) {
  return parts_->sink.attach(sink) ? LinkStatus::Ok : LinkStatus::Failed;
}

LinkStatus PcapLink::transmit(FrameView frame) {
  if (const LinkStatus status = check_length(frame.size(), parts_->info.mtu); status != LinkStatus::Ok)
    return status;
  ++parts_->transmitted;
  if (parts_->options.out.empty()) return LinkStatus::Ok;
  if (parts_->out == nullptr) return LinkStatus::Failed;
  parts_->last_written = std::max(parts_->last_written, parts_->options.clock() * kNanosecondsPerTick);
  const std::uint64_t time = parts_->first_time + parts_->last_written;
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(time / kNanosecondsPerSecond);
  header.ts.tv_usec = static_cast<suseconds_t>(time % kNanosecondsPerSecond);
  header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
  pcap_dump(reinterpret_cast<u_char*>(parts_->out), &header, frame.data());
  return std::ferror(pcap_dump_file(parts_->out)) != 0 ? LinkStatus::Failed : LinkStatus::Ok;
}

void PcapLink::detach() {
  parts_->sink.detach();
}

std::uint64_t PcapLink::frames() const noexcept {
  return parts_->summary.frames;
}
std::uint64_t PcapLink::arrived() const noexcept {
  return parts_->arrived;
}
std::uint64_t PcapLink::transmitted() const noexcept {
  return parts_->transmitted;
}

std::optional<std::uint64_t> PcapLink::next_due() const {
  if (!parts_->has_next) return std::nullopt;
  return parts_->next_time / kNanosecondsPerTick;
}

bool PcapLink::deliver_next() {
  if (!parts_->has_next) return false;
  return parts_->sink.call([this](LinkSink& sink) {
    // The next one is read before this one is handed over: the sink may block, and somebody may ask for
    // next_due meanwhile.
    const Frame frame = std::exchange(parts_->next, {});
    ++parts_->arrived;
    parts_->read_next();
    sink.receive(frame);
  });
}

std::string PcapLink::close() {
  if (parts_->out == nullptr) return parts_->failure;
  errno = 0;
  const bool whole = pcap_dump_flush(parts_->out) == 0 && std::ferror(pcap_dump_file(parts_->out)) == 0;
  if (!whole)
    parts_->failure =
        fmt::format("{}: not all frames could be written: {}", parts_->options.out, std::strerror(errno));
  pcap_dump_close(std::exchange(parts_->out, nullptr));
  return parts_->failure;
}

}  // namespace undis::links
