// SPDX-License-Identifier: MIT
#include "links/memory/memory.h"

#include <gtest/gtest.h>

#include <functional>

namespace undis::links {
namespace {

Frame frame_of(std::size_t length, std::uint8_t fill) {
  return Frame(length, fill);
}

/// Keeps what arrives; may do more with each frame.
class Station : public LinkSink {
 public:
  void receive(FrameView frame) override {
    frames.emplace_back(frame.begin(), frame.end());
    if (on_frame) on_frame();
  }
  void changed(const LinkInfo& info) override { states.push_back(info.up); }

  std::vector<Frame> frames;
  std::vector<bool> states;
  std::function<void()> on_frame;
};

class AMemoryLink : public testing::Test {
 protected:
  MemoryLink link{LinkInfo{{2, 0, 0, 0, 0, 1}, 1500, 1'000'000'000, true}};
  Station station;
};

TEST_F(AMemoryLink, HandsInjectedFramesToItsSinkInOrder) {
  ASSERT_EQ(link.attach(station), LinkStatus::Ok);
  EXPECT_EQ(link.inject(frame_of(60, 1)), LinkStatus::Ok);
  EXPECT_EQ(link.inject(frame_of(61, 2)), LinkStatus::Ok);
  EXPECT_EQ(station.frames, (std::vector<Frame>{frame_of(60, 1), frame_of(61, 2)}));
}

TEST_F(AMemoryLink, GivesEachTransmittedFrameOnce) {
  EXPECT_EQ(link.transmit(frame_of(60, 3)), LinkStatus::Ok);
  EXPECT_EQ(link.take(), std::vector<Frame>{frame_of(60, 3)});
  EXPECT_TRUE(link.take().empty());
}

TEST_F(AMemoryLink, RefusesFramesThatNoEthernetCarries) {
  ASSERT_EQ(link.attach(station), LinkStatus::Ok);
  EXPECT_EQ(link.transmit(frame_of(13, 0)), LinkStatus::TooShort);
  EXPECT_EQ(link.transmit(frame_of(1518, 0)), LinkStatus::Ok);  // full, with a VLAN tag
  EXPECT_EQ(link.transmit(frame_of(1519, 0)), LinkStatus::TooLong);
  EXPECT_EQ(link.inject(frame_of(1519, 0)), LinkStatus::TooLong);
}

TEST_F(AMemoryLink, LosesFramesWhileNothingIsAttached) {
  EXPECT_EQ(link.inject(frame_of(60, 1)), LinkStatus::Down);
  ASSERT_EQ(link.attach(station), LinkStatus::Ok);
  EXPECT_TRUE(station.frames.empty());
}

TEST_F(AMemoryLink, TakesOneSinkAtATime) {
  Station other;
  ASSERT_EQ(link.attach(station), LinkStatus::Ok);
  EXPECT_EQ(link.attach(other), LinkStatus::Failed);
  link.detach();
  EXPECT_EQ(link.attach(other), LinkStatus::Ok);
}

TEST_F(AMemoryLink, TellsItsSinkWhenTheCableGoesOutAndIn) {
  ASSERT_EQ(link.attach(station), LinkStatus::Ok);
  link.set_up(false);
  EXPECT_EQ(link.transmit(frame_of(60, 1)), LinkStatus::Down);
  EXPECT_EQ(link.inject(frame_of(60, 1)), LinkStatus::Down);
  link.set_up(false);
  link.set_up(true);
  EXPECT_EQ(station.states, (std::vector<bool>{false, true}));
  EXPECT_EQ(link.transmit(frame_of(60, 1)), LinkStatus::Ok);
}

TEST_F(AMemoryLink, DeliversWhatIsInjectedFromInsideTheSinkAfterwards) {
  ASSERT_EQ(link.attach(station), LinkStatus::Ok);
  std::size_t depth = 0;
  station.on_frame = [&] {
    EXPECT_EQ(++depth, 1U);
    if (station.frames.size() == 1) {
      EXPECT_EQ(link.inject(frame_of(60, 2)), LinkStatus::Ok);
      EXPECT_EQ(station.frames.size(), 1U);
    }
    --depth;
  };
  EXPECT_EQ(link.inject(frame_of(60, 1)), LinkStatus::Ok);
  EXPECT_EQ(station.frames.size(), 2U);
}

}  // namespace
}  // namespace undis::links
