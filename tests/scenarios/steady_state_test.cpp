// SPDX-License-Identifier: MIT
//
// What the data path does in its steady state, counted instruction by instruction: no allocation, no locked
// instruction (a lock, a reference, a counter that processors share), no system call.
//
// How     a child brings a stack up, warms it up, stops, does one round, stops; meanwhile its parent steps it
//         through the round and looks at each instruction. What the stops themselves cost is counted in an
//         empty round and taken off.
// Not     in an unoptimized build, where any atomic access is a locked one; under a sanitizer, whose own code
// would
//         be counted; where tracing a child is not allowed.
#include <dlfcn.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "frames.h"
#include "lab/net_buffers.h"
#include "stack.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDIS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDIS_SANITIZED 1
#endif
#endif
#ifndef UNDIS_SANITIZED
#define UNDIS_SANITIZED 0
#endif

namespace undis::test {
namespace {

using bench::Lists;
using bench::Middle;
using bench::Packets;
using bench::Stack;
using bench::StackOptions;

struct Counts {
  std::uint64_t instructions = 0;
  std::uint64_t locked = 0;
  std::uint64_t system_calls = 0;
  std::uint64_t allocations = 0;
};

/// What an instruction is, as far as this test asks.
struct Instruction {
  bool locked = false;
  bool system_call = false;
};

Instruction decode(const std::array<std::uint8_t, 16>& bytes) {
  Instruction found;
  std::size_t at = 0;
  static const std::set<std::uint8_t> kPrefixes{0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65,
                                                0x66, 0x67, 0xF0, 0xF2, 0xF3};
  for (; at < bytes.size() - 4 && kPrefixes.contains(bytes[at]); ++at) found.locked |= bytes[at] == 0xF0;
  if ((bytes[at] & 0xF0) == 0x40) ++at;                         // REX
  const bool is_xchg = bytes[at] == 0x86 || bytes[at] == 0x87;  // with memory it is locked without a prefix
  found.locked |= is_xchg && (bytes[at + 1] & 0xC0) != 0xC0;
  found.system_call = bytes[at] == 0x0F && bytes[at + 1] == 0x05;
  return found;
}

std::set<std::uint64_t> allocators() {
  std::set<std::uint64_t> found;
  void* const libc = dlopen("libc.so.6", RTLD_NOW);
  for (const char* name :
       {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign", "free"})
    if (void* const address = dlsym(libc, name)) found.insert(reinterpret_cast<std::uint64_t>(address));
  return found;
}

/// The child's next stop; 0: it is gone.
int next_stop(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return 0;
  return WSTOPSIG(status);
}

/// Steps the child, which has stopped, to where it stops itself again. False: it did not come to that.
bool step_through(pid_t child, Counts& counts) {
  const std::set<std::uint64_t> allocation = allocators();
  for (;;) {
    user_regs_struct registers{};
    if (ptrace(PTRACE_GETREGS, child, nullptr, &registers) != 0) return false;
    std::array<std::uint8_t, 16> bytes{};
    iovec into{bytes.data(), bytes.size()};
    iovec from{reinterpret_cast<void*>(registers.rip), bytes.size()};
    if (process_vm_readv(child, &into, 1, &from, 1, 0) <= 0) return false;
    const Instruction instruction = decode(bytes);
    ++counts.instructions;
    counts.locked += instruction.locked;
    counts.system_calls += instruction.system_call;
    counts.allocations += allocation.contains(registers.rip);
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) return false;
    const int stop = next_stop(child);
    if (stop == SIGSTOP) return true;
    if (stop != SIGTRAP) return false;
  }
}

using Round = std::function<void()>;
/// Brings something up and calls `rounds` with a round to be counted.
using Setting = std::function<void(const std::function<void(const Round&)>& rounds)>;

[[noreturn]] void be_child(const Setting& setting) {
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  setting([](const Round& round) {
    constexpr unsigned kWarmUp = 200;
    for (unsigned i = 0; i < kWarmUp; ++i) round();
    raise(SIGSTOP);
    raise(SIGSTOP);  // the empty round
    round();
    raise(SIGSTOP);
    _exit(0);  // what comes after is not what is asked for
  });
  _exit(1);
}

/// Of one round, after many others.
Counts count(const Setting& setting) {
  const pid_t child = fork();
  if (child == 0) be_child(setting);
  Counts empty;
  Counts all;
  if (next_stop(child) != SIGSTOP || !step_through(child, empty) || !step_through(child, all))
    ADD_FAILURE() << "the child did not come through its round";
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return {all.instructions - empty.instructions, all.locked - empty.locked,
          all.system_calls - empty.system_calls, all.allocations - empty.allocations};
}

bool may_trace() {
  const pid_t child = fork();
  if (child == 0) _exit(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

constexpr std::size_t kChain = 32;

class TheSteadyState : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!bench::is_optimized()) GTEST_SKIP() << "unoptimized code has locked instructions of its own";
    if (UNDIS_SANITIZED != 0) GTEST_SKIP() << "a sanitizer's own instructions would be counted";
    if (!may_trace()) GTEST_SKIP() << "this process may not trace a child";
  }
  /// What a stack does in a round of `body`. One processor: the child's first thread carries it.
  static Counts count_on(StackOptions options,
                         const std::function<void(Stack&, const std::function<void(const Round&)>&)>& body) {
    options.processors = 1;
    return count([&](const std::function<void(const Round&)>& rounds) {
      Stack stack(options);
      if (!stack.is_up()) _exit(1);
      stack.run([&] { body(stack, rounds); });
    });
  }
  void expect_nothing_shared(const char* what, const Counts& counts) {
    EXPECT_EQ(counts.locked, 0U) << what;
    EXPECT_EQ(counts.allocations, 0U) << what;
    EXPECT_EQ(counts.system_calls, 0U) << what;
    EXPECT_GT(counts.instructions, 0U) << what;
    RecordProperty(what, std::to_string(counts.instructions));
  }
  /// A chain down and back, and one up and back.
  void expect_of_lists(const StackOptions& options) {
    expect_nothing_shared("send", count_on(options, [](Stack& stack, const auto& rounds) {
                            Lists lists(stack.binding(), kChain, 64);
                            rounds([&] {
                              NdisSendNetBufferLists(stack.binding(), lists.take(kChain),
                                                     NDIS_DEFAULT_PORT_NUMBER, 0);
                              if (lists.free_count() != kChain) _exit(1);
                            });
                          }));
    expect_nothing_shared("receive", count_on(options, [](Stack& stack, const auto& rounds) {
                            Lists lists(stack.adapter(), kChain, 64);
                            rounds([&] {
                              NdisMIndicateReceiveNetBufferLists(stack.adapter(), lists.take(kChain),
                                                                 NDIS_DEFAULT_PORT_NUMBER, kChain, 0);
                              if (lists.free_count() != kChain) _exit(1);
                            });
                          }));
  }
};

TEST_F(TheSteadyState, OfAProtocolOnAMiniport) {
  expect_of_lists({});
}
TEST_F(TheSteadyState, OfTwoFilters) {
  expect_of_lists({.filters = 2});
}
TEST_F(TheSteadyState, OfThreeFilters) {
  expect_of_lists({.filters = 3});
}
TEST_F(TheSteadyState, OfAForwardingIntermediateDriver) {
  expect_of_lists({.middle = Middle::Forwards});
}
TEST_F(TheSteadyState, OfACloningIntermediateDriver) {
  expect_of_lists({.middle = Middle::Clones});
}
TEST_F(TheSteadyState, OfOneThatClonesWithTheOriginalsMdls) {
  expect_of_lists({.middle = Middle::ClonesOfMdls});
}
TEST_F(TheSteadyState, OfFourProtocols) {
  expect_of_lists({.protocols = 4});
}

TEST_F(TheSteadyState, OfNdis5) {
  const StackOptions options{.cards5 = true, .protocols5 = true};
  const Counts sent = count_on(options, [](Stack& stack, const auto& rounds) {
    Packets packets(kChain, 64, true);
    rounds([&] {
      NdisSendPackets(stack.binding(), packets.take(kChain), kChain);
      if (packets.free_count() != kChain) _exit(1);
    });
  });
  RecordProperty("send", std::to_string(sent.instructions));
  EXPECT_EQ(sent.allocations, 0U);
  EXPECT_EQ(sent.system_calls, 0U);
  EXPECT_LT(sent.locked, kChain) << "there are some for a call, none for a packet";
  const Counts received = count_on(options, [](Stack& stack, const auto& rounds) {
    Packets packets(kChain, 64, true);
    rounds([&] {
      NdisMIndicateReceivePacket(stack.adapter(), packets.take(kChain), kChain);
      if (packets.free_count() != kChain) _exit(1);
    });
  });
  RecordProperty("receive", std::to_string(received.instructions));
  RecordProperty("receive_locked", std::to_string(received.locked));
  EXPECT_LT(received.allocations, kChain) << "there are some for a call, none for a packet";
  EXPECT_EQ(received.system_calls, 0U);
}

TEST_F(TheSteadyState, OfAllocateAndFree) {
  expect_nothing_shared(
      "lists", count_on({}, [](Stack& stack, const auto& rounds) {
        const NDIS_HANDLE pool = lab::make_pool(stack.binding(), lab::pool_tag("Stdy"));
        rounds(
            [&] { NdisFreeNetBufferList(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 0, 0)); });
      }));
}

}  // namespace
}  // namespace undis::test
