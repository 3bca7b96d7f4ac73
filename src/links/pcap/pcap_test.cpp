// SPDX-License-Identifier: MIT
//
// Captures are written byte by byte here, so that each way to be broken can be had.
#include "links/pcap/pcap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <filesystem>
#include <fstream>
#include <utility>

namespace fs = std::filesystem;

namespace undis::links {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint32_t kMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kNanoseconds = 0xA1B23C4D;

/// A pcap file under construction.
class Capture {
 public:
  explicit Capture(std::uint32_t magic = kMicroseconds, std::uint32_t link_type = 1, bool swapped = false)
      : swapped_(swapped) {
    u32(magic);
    u32(swapped ? 0x00020004 : 0x00040002);  // two 16-bit numbers: major 2, minor 4
    for (const std::uint32_t word : {0U, 0U, 65535U, link_type}) u32(word);
  }
  Capture& frame(std::uint32_t seconds, std::uint32_t fraction, const Frame& bytes, std::size_t missing = 0) {
    u32(seconds);
    u32(fraction);
    u32(static_cast<std::uint32_t>(bytes.size()));
    u32(static_cast<std::uint32_t>(bytes.size() + missing));
    text_.append(bytes.begin(), bytes.end());
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  void u32(std::uint32_t value) {
    if (swapped_) value = __builtin_bswap32(value);
    const auto bytes = std::bit_cast<std::array<char, 4>>(value);
    text_.append(bytes.data(), bytes.size());
  }
  std::string text_;
  bool swapped_;
};

class Station : public LinkSink {
 public:
  void receive(FrameView frame) override { frames.emplace_back(frame.begin(), frame.end()); }
  void changed(const LinkInfo&) override {}
  std::vector<Frame> frames;
};

class APcapLink : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(directory); }
  void TearDown() override { fs::remove_all(directory); }

  std::string write(const std::string& text) {
    std::ofstream(directory / "in.pcap", std::ios::binary) << text;
    return directory / "in.pcap";
  }
  std::string why_refused(const std::string& text) {
    std::string error;
    EXPECT_EQ(PcapLink::open({.in = write(text), .out = {}, .info = {}, .clock = {}}, error), nullptr);
    return error;
  }
  std::unique_ptr<PcapLink> open(PcapOptions options) {
    std::string error;
    auto link = PcapLink::open(options, error);
    EXPECT_EQ(error, "");
    return link;
  }
  /// The frames of a capture with their times in nanoseconds.
  static std::vector<std::pair<std::uint64_t, Frame>> read(const std::string& path) {
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    pcap_t* capture =
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, why.data());
    std::vector<std::pair<std::uint64_t, Frame>> frames;
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    while (capture != nullptr && pcap_next_ex(capture, &header, &bytes) == 1) {
      frames.emplace_back(static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000 +
                              static_cast<std::uint64_t>(header->ts.tv_usec),
                          Frame(bytes, bytes + header->caplen));
    }
    if (capture != nullptr) pcap_close(capture);
    return frames;
  }

  fs::path directory = fs::path(testing::TempDir()) / ("undis-pcap-" + std::to_string(::getpid()));
  Station station;
};

TEST_F(APcapLink, DeliversEveryFrameOnceAndSaysWhenTheNextIsDue) {
  const auto link =
      open({.in = write(Capture().frame(10, 500, Frame(60, 1)).frame(10, 700, Frame(61, 2)).text()),
            .out = {},
            .info = {},
            .clock = {}});
  ASSERT_NE(link, nullptr);
  ASSERT_EQ(link->attach(station), LinkStatus::Ok);
  EXPECT_EQ(link->frames(), 2U);
  EXPECT_EQ(link->next_due(), 0U);
  EXPECT_TRUE(link->deliver_next());
  EXPECT_EQ(link->next_due(), 2000U);  // 200 us in units of 100 ns
  EXPECT_TRUE(link->deliver_next());
  EXPECT_EQ(link->next_due(), std::nullopt);
  EXPECT_FALSE(link->deliver_next());
  EXPECT_EQ(station.frames, (std::vector<Frame>{Frame(60, 1), Frame(61, 2)}));
  EXPECT_EQ(link->arrived(), 2U);
}

TEST_F(APcapLink, ReadsNanosecondsAndTheOtherByteOrder) {
  const auto link = open(
      {.in = write(
           Capture(kNanoseconds, 1, true).frame(1, 100, Frame(60, 1)).frame(1, 900, Frame(60, 2)).text()),
       .out = {},
       .info = {},
       .clock = {}});
  ASSERT_NE(link, nullptr);
  ASSERT_EQ(link->attach(station), LinkStatus::Ok);
  EXPECT_TRUE(link->deliver_next());
  EXPECT_EQ(link->next_due(), 8U);
}

TEST_F(APcapLink, NeverLetsTimeGoBack) {
  const auto link = open(
      {.in = write(
           Capture().frame(5, 0, Frame(60, 1)).frame(5, 10, Frame(60, 2)).frame(4, 0, Frame(60, 3)).text()),
       .out = {},
       .info = {},
       .clock = {}});
  ASSERT_NE(link, nullptr);
  ASSERT_EQ(link->attach(station), LinkStatus::Ok);
  EXPECT_TRUE(link->deliver_next());
  EXPECT_TRUE(link->deliver_next());
  EXPECT_EQ(link->next_due(), 100U);
}

TEST_F(APcapLink, WritesTransmittedFramesAtTheMachinesTimeAfterTheFirstFrame) {
  std::uint64_t now = 0;
  const std::string out = directory / "out.pcap";
  const auto link =
      open({.in = write(Capture().frame(7, 1, Frame(60, 1)).text()), .out = out, .info = {}, .clock = [&] {
              return now;
            }});
  ASSERT_NE(link, nullptr);
  now = 30;
  EXPECT_EQ(link->transmit(Frame(60, 8)), LinkStatus::Ok);
  now = 20;
  EXPECT_EQ(link->transmit(Frame(61, 9)), LinkStatus::Ok);
  EXPECT_EQ(link->close(), "");
  const std::uint64_t start = 7'000'001'000;
  EXPECT_EQ(read(out), (std::vector<std::pair<std::uint64_t, Frame>>{{start + 3000, Frame(60, 8)},
                                                                     {start + 3000, Frame(61, 9)}}));
}

TEST_F(APcapLink, TakesItsMtuFromTheLongestFrame) {
  LinkInfo by_capture;
  by_capture.mtu = 0;
  const std::string jumbo = write(Capture().frame(1, 0, Frame(9014, 1)).text());
  EXPECT_EQ(open({.in = jumbo, .out = {}, .info = by_capture, .clock = {}})->info().mtu, 9000U);
  const std::string small = write(Capture().frame(1, 0, Frame(60, 1)).text());
  EXPECT_EQ(open({.in = small, .out = {}, .info = by_capture, .clock = {}})->info().mtu, 1500U);
}

TEST_F(APcapLink, KeepsTheFrameThatNobodyWasThereToTake) {
  const auto link =
      open({.in = write(Capture().frame(1, 0, Frame(60, 1)).text()), .out = {}, .info = {}, .clock = {}});
  EXPECT_FALSE(link->deliver_next());
  ASSERT_EQ(link->attach(station), LinkStatus::Ok);
  EXPECT_TRUE(link->deliver_next());
  EXPECT_EQ(station.frames.size(), 1U);
}

TEST_F(APcapLink, IsRefusedWhenTheFileIsMissing) {
  std::string error;
  EXPECT_EQ(PcapLink::open({.in = directory / "none.pcap", .out = {}, .info = {}, .clock = {}}, error),
            nullptr);
  EXPECT_THAT(error,
              AllOf(HasSubstr("none.pcap"), HasSubstr("No such file"), HasSubstr("expected a capture")));
}

TEST_F(APcapLink, IsRefusedWhenTheFileIsNoCapture) {
  EXPECT_THAT(why_refused("hello, this is no capture at all"),
              AllOf(HasSubstr("at byte "), HasSubstr("expected a capture")));
  EXPECT_THAT(why_refused(""), HasSubstr("at byte 0"));
}

TEST_F(APcapLink, NamesTheFrameAndTheByteWhereACaptureIsCutOff) {
  std::string text = Capture().frame(1, 0, Frame(60, 1)).frame(1, 0, Frame(60, 2)).text();
  text.resize(text.size() - 10);
  EXPECT_THAT(why_refused(text), AllOf(HasSubstr("frame 2 at byte 100"), HasSubstr("truncated")));
  text.resize(104);
  EXPECT_THAT(why_refused(text), AllOf(HasSubstr("frame 2 at byte 100"), HasSubstr("truncated")));
}

TEST_F(APcapLink, IsRefusedWhenAFrameLengthIsNonsense) {
  std::string text = Capture().frame(1, 0, Frame(60, 1)).text();
  text.replace(24 + 8, 4, std::string(4, '\x7f'));
  EXPECT_THAT(why_refused(text), HasSubstr("frame 1 at byte 24"));
}

TEST_F(APcapLink, IsRefusedWhenFramesWereCutAtCapture) {
  EXPECT_THAT(why_refused(Capture().frame(1, 0, Frame(60, 1), 1400).text()),
              AllOf(HasSubstr("only 60 of its 1460 bytes"), HasSubstr("expected whole frames")));
}

TEST_F(APcapLink, IsRefusedWhenItsFramesAreNotEthernet) {
  EXPECT_THAT(why_refused(Capture(kMicroseconds, 101).frame(1, 0, Frame(60, 1)).text()),
              AllOf(HasSubstr("link type"), HasSubstr("expected Ethernet")));
}

TEST_F(APcapLink, IsRefusedWhenAFrameIsShorterThanItsHeader) {
  EXPECT_THAT(why_refused(Capture().frame(1, 0, Frame(13, 1)).text()), HasSubstr("has 13 bytes"));
}

TEST_F(APcapLink, IsRefusedWhenTheOutputCannotBeWrittenOrIsTheInput) {
  const std::string in = write(Capture().text());
  std::string error;
  EXPECT_EQ(PcapLink::open({.in = in, .out = directory / "none/out.pcap", .info = {}, .clock = {}}, error),
            nullptr);
  EXPECT_THAT(error, HasSubstr("none/out.pcap"));
  EXPECT_EQ(PcapLink::open({.in = in, .out = directory / "." / "in.pcap", .info = {}, .clock = {}}, error),
            nullptr);
  EXPECT_THAT(error, HasSubstr("both"));
}

TEST_F(APcapLink, SaysWhenTheDiskIsFull) {
  const auto link = open({.in = {}, .out = "/dev/full", .info = {}, .clock = [] { return 0; }});
  ASSERT_NE(link, nullptr);
  EXPECT_EQ(link->transmit(Frame(60, 1)), LinkStatus::Ok);  // still in memory
  EXPECT_THAT(link->close(), AllOf(HasSubstr("/dev/full"), HasSubstr("No space left")));
}

}  // namespace
}  // namespace undis::links
