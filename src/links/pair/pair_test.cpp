// SPDX-License-Identifier: MIT
#include "links/pair/pair.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

namespace undis::links {
namespace {

class Station : public LinkSink {
 public:
  void receive(FrameView frame) override { frames.emplace_back(frame.begin(), frame.end()); }
  void changed(const LinkInfo& info) override { states.push_back(info.up); }

  std::vector<Frame> frames;
  std::vector<bool> states;
};

/// Work waits here until run_all(), in place of the machine's workers.
class APair : public testing::Test {
 protected:
  void run_all() {
    for (auto& work : std::exchange(queued, {})) work();
  }

  std::vector<std::function<void()>> queued;
  Pair pair{LinkInfo{{2, 0, 0, 0, 0, 1}, 1500, 1, true}, LinkInfo{{2, 0, 0, 0, 0, 2}, 1500, 1, true},
            [this](std::function<void()> work) { queued.push_back(std::move(work)); }};
  Station a;
  Station b;
};

TEST_F(APair, CarriesFramesToTheOtherEndInOrder) {
  ASSERT_EQ(pair.left().attach(a), LinkStatus::Ok);
  ASSERT_EQ(pair.right().attach(b), LinkStatus::Ok);
  EXPECT_EQ(pair.left().transmit(Frame(60, 1)), LinkStatus::Ok);
  EXPECT_EQ(pair.left().transmit(Frame(70, 2)), LinkStatus::Ok);
  EXPECT_EQ(pair.right().transmit(Frame(80, 3)), LinkStatus::Ok);
  run_all();
  EXPECT_EQ(b.frames, (std::vector<Frame>{Frame(60, 1), Frame(70, 2)}));
  EXPECT_EQ(a.frames, std::vector<Frame>{Frame(80, 3)});
}

TEST_F(APair, NeverDeliversInsideTransmit) {
  ASSERT_EQ(pair.right().attach(b), LinkStatus::Ok);
  EXPECT_EQ(pair.left().transmit(Frame(60, 1)), LinkStatus::Ok);
  EXPECT_TRUE(b.frames.empty());
  run_all();
  EXPECT_EQ(b.frames.size(), 1U);
}

TEST_F(APair, IsDownWhileNobodyIsAtTheOtherEnd) {
  EXPECT_EQ(pair.left().transmit(Frame(60, 1)), LinkStatus::Down);
}

TEST_F(APair, CallsNoSinkAfterDetach) {
  ASSERT_EQ(pair.right().attach(b), LinkStatus::Ok);
  EXPECT_EQ(pair.left().transmit(Frame(60, 1)), LinkStatus::Ok);
  pair.right().detach();
  run_all();
  EXPECT_TRUE(b.frames.empty());
}

TEST_F(APair, TellsBothEndsWhenTheCableGoesOut) {
  ASSERT_EQ(pair.left().attach(a), LinkStatus::Ok);
  ASSERT_EQ(pair.right().attach(b), LinkStatus::Ok);
  EXPECT_EQ(pair.left().transmit(Frame(60, 1)), LinkStatus::Ok);
  pair.set_up(false);
  run_all();
  EXPECT_TRUE(b.frames.empty());
  EXPECT_EQ(a.states, std::vector<bool>{false});
  EXPECT_EQ(b.states, std::vector<bool>{false});
  EXPECT_EQ(pair.left().transmit(Frame(60, 1)), LinkStatus::Down);
}

}  // namespace
}  // namespace undis::links
