// SPDX-License-Identifier: MIT
//
// Data while drivers are not watched: several threads send while the stack is paused and restarted, and
// nothing is lost; what goes the stamped way beside it; allocations and locks of the steady state are none.
//
// What goes where is tested by the tests of the data path, which are run again with UNDIS_TEST_WATCH=0 and 1.
#include "ndis/plain_path.h"

#include <atomic>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/least_stack_testing.h"

namespace undis::test {
namespace {

lab::WorldOptions unwatched(lab::Engine engine, kernel::Watch watch = kernel::Watch::Nothing) {
  lab::WorldOptions options;
  options.engine = engine;
  options.watch = watch;
  return options;
}

class PlainOnThreads : public ::testing::TestWithParam<kernel::Watch> {};
std::string name_of(const ::testing::TestParamInfo<kernel::Watch>& info) {
  switch (info.param) {
  case kernel::Watch::Nothing:
    return "Nothing";
  case kernel::Watch::Holder:
    return "Holder";
  case kernel::Watch::All:
    break;
  }
  return "All";
}

INSTANTIATE_TEST_SUITE_P(Watched, PlainOnThreads,
                         ::testing::Values(kernel::Watch::Nothing, kernel::Watch::Holder, kernel::Watch::All),
                         name_of);

TEST_P(PlainOnThreads, NothingIsLostWhileTheStackIsPausedAndRestarted) {
  constexpr unsigned kSenders = 2;
  constexpr unsigned kRounds = 100;
  constexpr std::size_t kChain = 8;
  std::atomic<bool> may_send = true;  // the stack is paused once more when it goes
  std::atomic<unsigned> sending = 0;
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> chains = 0;
  LeastStack stack(unwatched(lab::Engine::Threaded, GetParam()));
  ASSERT_TRUE(stack.is_up());
  stack.on_pause = [&] {
    may_send = false;
    while (sending != 0) kernel::schedule_point("a sender is in its call");
  };
  stack.on_restart = [&] { may_send = true; };
  const kernel::Outcome outcome = stack.run([&] {
    for (unsigned i = 0; i < kSenders; ++i) {
      stack.world().system().spawn("sender", [&] {
        Lists lists(stack.binding(), kChain, 64);
        while (!over) {
          ++sending;
          if (may_send) {
            NdisSendNetBufferLists(stack.binding(), lists.take(kChain), NDIS_DEFAULT_PORT_NUMBER, 0);
            if (lists.free_count() != kChain) ADD_FAILURE() << "a send is not completed";
            ++chains;
          }
          --sending;
          kernel::schedule_point("between sends");
        }
      });
    }
    Adapter& adapter = *stack.world().adapter("nic0");
    for (unsigned round = 0; round < kRounds; ++round) {
      const Claimed claimed(adapter.stack);
      pause_stack(adapter);
      EXPECT_EQ(adapter.sends.inside(), 0U);
      EXPECT_FALSE(adapter.carries_lists());
      restart_stack(adapter);
    }
    while (chains < kRounds) kernel::schedule_point("the senders have hardly begun");
    over = true;
  });
  EXPECT_EQ(outcome, kernel::Outcome::Idle);
  EXPECT_EQ(stack.world().verifier().violation_lines(), std::vector<std::string>{});
}

TEST(APlainStack, TellsOfAListWhoseSenderCannotBeTold) {
  LeastStack stack(unwatched(lab::Engine::Simulated));
  ASSERT_TRUE(stack.is_up());
  ASSERT_EQ(stack.run([&] {
    Lists lists(stack.binding(), 1, 64);
    NET_BUFFER_LIST* const list = lists.take(1);
    list->SourceHandle = &stack;
    NdisMSendNetBufferListsComplete(stack.adapter(), list, 0);
    Lists::recycle(list->ProtocolReserved[0], list);
  }),
            kernel::Outcome::Idle);
  EXPECT_EQ(stack.world().verifier().violation_lines(), (std::vector<std::string>{"host: NblMisuse"}));
}

TEST(APlainStack, KnowsTheLastHolderOfAChain) {
  for (const kernel::Watch watch : {kernel::Watch::Nothing, kernel::Watch::Holder}) {
    LeastStack stack(unwatched(lab::Engine::Simulated, watch));
    ASSERT_TRUE(stack.is_up());
    ASSERT_EQ(stack.run([&] {
      Lists lists(stack.adapter(), 2, 64);
      NET_BUFFER_LIST* const chain = lists.take(2);
      kernel::Driver* const maker = item_of(chain)->holder;
      NdisMIndicateReceiveNetBufferLists(stack.adapter(), chain, NDIS_DEFAULT_PORT_NUMBER, 2, 0);
      kernel::Driver& nic = stack.world().adapter("nic0")->driver().driver();
      EXPECT_EQ(item_of(chain)->holder, watch == kernel::Watch::Holder ? &nic : maker);
    }),
              kernel::Outcome::Idle);
  }
}

}  // namespace
}  // namespace undis::test
