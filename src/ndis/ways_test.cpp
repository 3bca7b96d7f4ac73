// SPDX-License-Identifier: MIT
//
// When there are ways through a stack, and when each chain has to be looked at instead.
#include "ndis/ways.h"

#include <string>

#include <gtest/gtest.h>

#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/least_stack_testing.h"

namespace undis::test {
namespace {

class WaysOfAStack : public ::testing::Test {
 protected:
  static lab::WorldOptions unwatched(kernel::Watch watch) {
    lab::WorldOptions options;
    options.watch = watch;
    return options;
  }
  /// The directions that have a way, of the binding and of the adapter: "send return / complete receive".
  static std::string ways(const LeastStack& stack) {
    return of(stack.binding()) + " /" + of(stack.adapter());
  }
  static std::string of(NDIS_HANDLE handle) {
    static constexpr const char* kNames[] = {" send", " complete", " receive", " return"};
    std::string found;
    for (const Direction direction :
         {Direction::Send, Direction::Complete, Direction::Receive, Direction::Return})
      if (HandleTable::exit_of(handle, direction).way.load()->handler != nullptr)
        found += kNames[static_cast<std::size_t>(direction)];
    return found;
  }
  static constexpr const char* kAll = " send return / complete receive";
  static constexpr const char* kNone = " /";
};

TEST_F(WaysOfAStack, AreThereWhileItRuns) {
  LeastStack stack(unwatched(kernel::Watch::Nothing));
  EXPECT_EQ(ways(stack), kAll);
  ASSERT_EQ(stack.run([&] {
    Adapter& adapter = *stack.world().adapter("nic0");
    const Claimed claimed(adapter.stack);
    pause_stack(adapter);
    EXPECT_EQ(ways(stack), kNone);
    restart_stack(adapter);
  }),
            kernel::Outcome::Idle);
  EXPECT_EQ(ways(stack), kAll);
}

TEST_F(WaysOfAStack, AreNotThereWhileDriversAreWatched) {
  LeastStack stack(unwatched(kernel::Watch::All));
  EXPECT_EQ(ways(stack), kNone);
}

TEST_F(WaysOfAStack, LeadToNobodyWhoHasNoPacketFilter) {
  LeastStack stack(unwatched(kernel::Watch::Nothing));
  Binding& binding = *stack.world().adapter("nic0")->bindings()[0];
  binding.set_packet_filter(0);
  EXPECT_EQ(ways(stack), " send return / complete");
  binding.set_packet_filter(NDIS_PACKET_TYPE_DIRECTED);
  EXPECT_EQ(ways(stack), kAll);
}

TEST_F(WaysOfAStack, AreNotTakenWhereEachChainIsLookedAt) {
  LeastStack stack(unwatched(kernel::Watch::Nothing));
  Adapter& adapter = *stack.world().adapter("nic0");
  adapter.attend(true);
  EXPECT_EQ(ways(stack), kNone);
  adapter.attend(true);
  adapter.attend(false);
  EXPECT_EQ(ways(stack), kNone);
  adapter.attend(false);
  EXPECT_EQ(ways(stack), kAll);
}

TEST_F(WaysOfAStack, LeadBackToTheSenderWhileOneOfSeveralBindingsSends) {
  LeastStack stack(unwatched(kernel::Watch::Nothing));
  Adapter& adapter = *stack.world().adapter("nic0");
  ASSERT_EQ(stack.run([&] {
    const Ref<Binding> other(new Binding(adapter.bindings()[0]->protocol(), adapter));
    const auto send = [&] {
      Lists lists(stack.binding(), 4, 64);
      NdisSendNetBufferLists(stack.binding(), lists.take(4), NDIS_DEFAULT_PORT_NUMBER, 0);
      EXPECT_EQ(lists.free_count(), 4U);
    };
    adapter.add(*other);
    EXPECT_EQ(ways(stack), " return / receive");  // nobody has sent yet
    send();
    EXPECT_EQ(ways(stack), kAll);
    adapter.ways.note_sender(*other);
    EXPECT_EQ(ways(stack), " send return / receive");  // what is completed may be of both
    send();
    adapter.remove(*other);
    EXPECT_EQ(ways(stack), kAll);
  }),
            kernel::Outcome::Idle);
}

TEST_F(WaysOfAStack, LeadToTheOneOfSeveralBindingsThatAsksForFrames) {
  LeastStack stack(unwatched(kernel::Watch::Nothing));
  Adapter& adapter = *stack.world().adapter("nic0");
  ASSERT_EQ(stack.run([&] {
    const Ref<Binding> other(new Binding(adapter.bindings()[0]->protocol(), adapter));
    adapter.add(*other);
    EXPECT_EQ(ways(stack), " return / receive");
    other->set_packet_filter(NDIS_PACKET_TYPE_DIRECTED);
    EXPECT_EQ(ways(stack), " return /");
    other->set_packet_filter(0);
    EXPECT_EQ(ways(stack), " return / receive");
    adapter.remove(*other);
  }),
            kernel::Outcome::Idle);
}

TEST_F(WaysOfAStack, AreLeftByChainsOfAnotherSource) {
  LeastStack stack(unwatched(kernel::Watch::Nothing));
  ASSERT_EQ(stack.run([&] {
    Lists lists(stack.binding(), 4, 64);
    NET_BUFFER_LIST* const chain = lists.take(4);
    chain->SourceHandle = nullptr;  // its driver did not say: the plain way does it
    NdisSendNetBufferLists(stack.binding(), chain, NDIS_DEFAULT_PORT_NUMBER, 0);
    EXPECT_EQ(lists.free_count(), 4U);
  }),
            kernel::Outcome::Idle);
  EXPECT_EQ(stack.world().verifier().violation_lines(), std::vector<std::string>{});
}

}  // namespace
}  // namespace undis::test
