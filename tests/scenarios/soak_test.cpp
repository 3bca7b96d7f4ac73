// SPDX-License-Identifier: MIT
//
// Stacks on real threads that send, receive, ask, pause, unbind and lose their cards all at once: every list
// and packet comes back, nothing is told. Made for ThreadSanitizer, and for hours: scripts/soak.
//
// Lives     one stack after another, each of another shape: protocols of 5.x or 6.x, filters, an intermediate
//           driver that forwards or clones
// Threads   two senders, one that indicates for each card, one that asks, one that pauses and restarts, one
//           that unbinds and binds, unplugs and plugs in
// Counts    who sends a chain has it back when the call returns, as every end of these stacks completes at
//           once; lists that do not come back are missing in their row
// Time      UNDIS_SOAK_SECONDS for each test, or half a second
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "frames.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "parts.h"
#include "stack.h"

namespace undis::test {
namespace {

using bench::Lists;
using bench::Middle;
using bench::Open;
using bench::Packets;
using bench::Port;
using bench::Stack;
using bench::StackOptions;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kChain = 8;
constexpr unsigned kChains = 16;  // between two looks at whether the stack still runs
constexpr unsigned kSenders = 2;
constexpr std::chrono::milliseconds kLife{250};
constexpr std::chrono::seconds kPatience{1};

std::chrono::milliseconds time_wanted() {
  const char* const text = std::getenv("UNDIS_SOAK_SECONDS");
  return text == nullptr ? std::chrono::milliseconds(500)
                         : std::chrono::seconds(std::strtol(text, nullptr, 10));
}

struct Counts {
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> completed{0};
  std::atomic<std::uint64_t> indicated{0};
  std::atomic<std::uint64_t> returned{0};
  std::atomic<std::uint64_t> asked{0};
  std::atomic<std::uint64_t> pauses{0};
  std::atomic<std::uint64_t> unbinds{0};
};

StackOptions draw_options(std::mt19937& random, kernel::Watch watch) {
  const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  StackOptions options;
  options.watch = watch;
  options.processors = 4 + draw(5);  // strands share them only where one waits
  options.cards = 1 + draw(2);
  options.protocols = 1 + draw(3);
  options.listeners = 1 + draw(options.protocols);
  options.filters = draw(4);
  options.bypassed = draw(2);
  options.touched = draw(2) == 0;
  options.guarded = true;
  if (draw(2) == 0) options.middle = static_cast<Middle>(1 + draw(3));
  if (options.middle == Middle::None && draw(3) == 0) {
    options.protocols5 = draw(2) == 0;
    options.cards5 = draw(2) == 0;
    // One ProtocolReceivePacket at a time for each binding, and one registration without a context.
    if (options.protocols5) options.protocols = options.listeners = 1;
  }
  return options;
}

class Life {
 public:
  Life(std::uint32_t seed, kernel::Watch watch, Counts& counts)
      : random_(seed), counts_(counts), stack_(draw_options(random_, watch)), options_(stack_.options()) {}

  void run(std::chrono::milliseconds time) {
    ASSERT_TRUE(stack_.is_up()) << stack_.complaint();
    ASSERT_EQ(stack_.run([this, time] {
      until_ = Clock::now() + time;
      for (unsigned i = 0; i < kSenders; ++i) spawn("sender", [this] { send(); });
      for (unsigned i = 0; i < options_.cards; ++i) spawn("card", [this, i] { indicate(i); });
      spawn("asker", [this] { ask(); });
      spawn("pauser", [this] { pause_and_restart(); });
      change();
    }),
              kernel::Outcome::Idle)
        << stack_.complaint();
    EXPECT_TRUE(stack_.is_clean()) << stack_.complaint();
    ASSERT_EQ(stack_.run([this] { stack_.take_down(); }), kernel::Outcome::Idle);
    EXPECT_TRUE(stack_.is_clean()) << stack_.complaint();
    EXPECT_EQ(stack_.world().library().handles().open_count(), 0U);
  }

 private:
  void spawn(const char* name, std::function<void()> body) {
    stack_.world().system().spawn(name, std::move(body));
  }
  bool over() const { return Clock::now() >= until_; }
  static void pass() { kernel::schedule_point("between two moves"); }

  // ---- data ----

  void send() {
    std::mt19937 random(1);
    while (!over()) {
      const std::vector<Open*> opens = stack_.opens_now();
      Open& open = *opens[random() % opens.size()];
      if (open.use.enter()) {
        options_.protocols5 ? send_packets(open) : send_lists(open);
        open.use.leave();
      }
      pass();
    }
  }
  /// How many of a chain are back, after the call or, at the latest, a second later.
  template <class Row>
  std::size_t back(const Row& row, const char* what) {
    if (row.free_count() == kChain) return kChain;
    const std::size_t at_once = row.free_count();
    for (const Clock::time_point end = Clock::now() + kPatience;
         row.free_count() != kChain && Clock::now() < end;)
      pass();
    ADD_FAILURE() << what << ": " << at_once << " of " << kChain << " are back with the call, "
                  << row.free_count() << " later; " << shape();
    return row.free_count();
  }
  std::string shape() const {
    return fmt::format("cards {} (5.x: {}), protocols {} (5.x: {}), listeners {}, filters {}, middle {}",
                       options_.cards, options_.cards5, options_.protocols, options_.protocols5,
                       options_.listeners, options_.filters, static_cast<int>(options_.middle));
  }
  void send_lists(const Open& open) {
    Lists lists(open.handle, kChain, 64);
    for (unsigned i = 0; i < kChains; ++i) {
      counts_.sent += kChain;
      NET_BUFFER_LIST* const chain = lists.take(kChain);
      if (options_.touched) bench::write_chain(chain, static_cast<std::uint8_t>(i));
      NdisSendNetBufferLists(open.handle, chain, NDIS_DEFAULT_PORT_NUMBER, 0);
      counts_.completed += back(lists, "send");
      if (lists.free_count() != kChain) return;
    }
  }
  void send_packets(const Open& open) {
    Packets packets(kChain, 64, true);
    for (unsigned i = 0; i < kChains; ++i) {
      counts_.sent += kChain;
      NdisSendPackets(open.handle, packets.take(kChain), kChain);
      counts_.completed += back(packets, "send of packets");
      if (packets.free_count() != kChain) return;
    }
  }

  /// For the card that was plugged in last of those with this number.
  void indicate(unsigned number) {
    while (!over()) {
      const std::vector<Port*> ports = stack_.ports_now();
      Port& port = *ports[ports.size() - 1 - number];
      if (port.use.enter()) {
        // One at a time: a protocol of 5.x keeps what it receives until ProtocolReceiveComplete.
        if (!port.indicates.exchange(true)) {
          options_.cards5 ? indicate_packets(port) : indicate_lists(port);
          port.indicates = false;
        }
        port.use.leave();
      }
      pass();
    }
  }
  void indicate_lists(const Port& port) {
    Lists lists(port.handle, kChain, 64);
    for (unsigned i = 0; i < kChains; ++i) {
      counts_.indicated += kChain;
      NdisMIndicateReceiveNetBufferLists(port.handle, lists.take(kChain), NDIS_DEFAULT_PORT_NUMBER, kChain,
                                         0);
      counts_.returned += back(lists, "indication");
      if (lists.free_count() != kChain) return;
    }
  }
  void indicate_packets(const Port& port) {
    Packets packets(kChain, 64, true);
    for (unsigned i = 0; i < kChains; ++i) {
      counts_.indicated += kChain;
      NdisMIndicateReceivePacket(port.handle, packets.take(kChain), kChain);
      counts_.returned += back(packets, "indication of packets");
      if (packets.free_count() != kChain) return;
    }
  }

  // ---- trouble ----

  void ask() {
    std::mt19937 random(2);
    while (!over()) {
      const std::vector<Open*> opens = stack_.opens_now();
      Open& open = *opens[random() % opens.size()];
      if (!options_.protocols5 && open.use.enter()) {
        ULONG id = 0;
        bench::ask6(open.handle, NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &id, sizeof(id));
        ++counts_.asked;
        open.use.leave();
      }
      pass();
    }
  }

  Ref<Adapter> any_adapter(std::mt19937& random) {
    const std::vector<Ref<Adapter>> adapters = stack_.world().library().adapters();
    return adapters.empty() ? Ref<Adapter>() : adapters[random() % adapters.size()];
  }

  void pause_and_restart() {
    std::mt19937 random(3);
    while (!over()) {
      if (const Ref<Adapter> adapter = any_adapter(random); adapter) {
        const Claimed claimed(adapter->stack);
        if (!adapter->removed && adapter->initialized()) {
          pause_stack(*adapter);
          restart_stack(*adapter);
          ++counts_.pauses;
        }
      }
      pass();
    }
  }

  void change() {
    while (!over()) {
      const unsigned move = random_() % 8;
      if (move < 6) {
        unbind_and_bind();
      } else if (move == 6) {
        unplug_and_plug();
      } else {
        stack_.unload_protocol();
        stack_.load_protocol();
      }
      pass();
    }
  }
  void unbind_and_bind() {
    const Ref<Adapter> adapter = any_adapter(random_);
    if (!adapter) return;
    for (const Ref<Binding>& binding : adapter->bindings()) {
      // What is under the virtual miniport goes with it, and comes back with it.
      binding->unbind();
      ++counts_.unbinds;
    }
    add_bindings(*adapter);
  }
  void unplug_and_plug() {
    const std::vector<Ref<Adapter>> adapters = stack_.world().library().adapters();
    const auto card =
        std::ranges::find_if(adapters, [](const Ref<Adapter>& adapter) { return !adapter->is_virtual(); });
    if (card == adapters.end()) return;
    stack_.world().unplug(**card);
    EXPECT_TRUE(stack_.plug());
  }

  std::mt19937 random_;
  Counts& counts_;
  Stack stack_;
  const StackOptions& options_;
  Clock::time_point until_;
};

class AStackInTrouble : public ::testing::TestWithParam<kernel::Watch> {};

TEST_P(AStackInTrouble, LosesNothing) {
  Counts counts;
  const Clock::time_point end = Clock::now() + time_wanted();
  unsigned lives = 0;
  for (; Clock::now() < end && !HasFailure(); ++lives) {
    SCOPED_TRACE(fmt::format("life {}", lives));
    Life life(lives, GetParam(), counts);
    life.run(std::min(kLife, std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now())));
  }
  EXPECT_EQ(counts.sent, counts.completed);
  EXPECT_EQ(counts.indicated, counts.returned);
  EXPECT_GT(counts.sent, 0U);
  EXPECT_GT(counts.indicated, 0U);
  fmt::print("{} lives: {} sent, {} indicated, {} requests, {} pauses, {} unbinds\n", lives,
             counts.sent.load(), counts.indicated.load(), counts.asked.load(), counts.pauses.load(),
             counts.unbinds.load());
}

std::string name_of(const ::testing::TestParamInfo<kernel::Watch>& watch) {
  return watch.param == kernel::Watch::All ? "All" : "Nothing";
}
INSTANTIATE_TEST_SUITE_P(Watched, AStackInTrouble,
                         ::testing::Values(kernel::Watch::Nothing, kernel::Watch::All), name_of);

}  // namespace
}  // namespace undis::test
