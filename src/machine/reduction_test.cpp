// SPDX-License-Identifier: MIT
//
// What the exhaustive search leaves out comes to the same as what it runs: the same outcomes with fewer runs,
// on small programs that tell what they touch.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "machine/chooser.h"
#include "machine/testing.h"

namespace undis::machine {
namespace {

/// A program's memory, and what its strands do to it. Each operation is a stretch of its own and tells what
/// it touches.
struct Memory {
  explicit Memory(Program& the_program) : program(the_program) {}

  int read(std::size_t word) {
    program.machine.touched(&words[word], sizeof(int), false);
    const int value = words[word];
    step();
    return value;
  }
  void write(std::size_t word, int value) {
    program.machine.touched(&words[word], sizeof(int), true);
    words[word] = value;
    step();
  }
  void acquire() {
    program.machine.touched(&lock, sizeof(int), true);
    while (lock != 0) {
      program.machine.spin(&lock);
      program.machine.touched(&lock, sizeof(int), true);
    }
    lock = 1;
    step();
  }
  void release() {
    program.machine.touched(&lock, sizeof(int), true);
    lock = 0;
    program.machine.spun(&lock);
    step();
  }
  void step() { program.point("step"); }
  /// Of which it tells nothing.
  void add_silently(std::size_t word, int value) {
    program.machine.telling(false);
    words[word] += value;
    program.machine.telling(true);
    program.point("silent");
  }
  std::string text() const {
    std::string all;
    for (const int word : words) all += std::to_string(word) + " ";
    return all;
  }

  Program& program;
  alignas(64) std::array<int, 8> words{};
  alignas(64) int lock = 0;
};

using Body = std::function<std::string(Program&)>;

struct Searched {
  std::set<std::string> outcomes;
  std::uint64_t runs = 0;
  bool exhausted = false;
};

Searched search(const Body& body, std::uint32_t bound, bool reduces, std::uint32_t processors = 2) {
  SearchSetup setup;
  setup.bound = bound;
  setup.reduces = reduces;
  setup.processors = processors;
  const auto strategy = Strategy::make("exhaustive", setup);
  Searched found;
  for (; found.runs < 300'000; ++found.runs) {
    const auto schedule = strategy->next();
    if (!schedule) {
      found.exhausted = true;
      break;
    }
    Trail trail;
    strategy->prepare(trail);
    {
      Program program(*schedule, &trail);
      found.outcomes.insert(body(program));
    }
    strategy->learn(*schedule, trail);
  }
  return found;
}

/// Runs `strands` at the same time until nothing can run; the first starts the others.
void together(Program& program, const std::vector<std::function<void()>>& strands) {
  program.spawn([&program, &strands] {
    for (std::size_t i = 1; i < strands.size(); ++i)
      program.spawn([&program, &strands, i] {
        program.machine.telling(true);
        strands[i]();
      });
    program.machine.telling(true);
    program.point("started");
    strands[0]();
  });
  program.machine.run(nullptr, {});
}

TEST(TheReduction, LeavesOutNearlyAllOfWhatStrandsDoEachForItself) {
  const Body body = [](Program& program) {
    Memory memory(program);
    const auto own = [&memory](std::size_t word) {
      return [&memory, word] {
        for (int i = 1; i <= 12; ++i) memory.write(word, i);
      };
    };
    together(program, {own(0), own(2), own(4)});
    return memory.text();
  };
  const Searched all = search(body, 2, false);
  const Searched reduced = search(body, 2, true);
  RecordProperty("runs", std::to_string(all.runs) + " " + std::to_string(reduced.runs));
  EXPECT_TRUE(all.exhausted && reduced.exhausted);
  EXPECT_EQ(reduced.outcomes, all.outcomes);
  EXPECT_GT(all.runs, 5 * reduced.runs) << all.runs << " and " << reduced.runs;
}

TEST(TheReduction, KeepsALostUpdate) {
  const Body body = [](Program& program) {
    Memory memory(program);
    const auto add = [&memory](std::size_t own) {
      return [&memory, own] {
        for (int i = 1; i <= 8; ++i) memory.write(own, i);
        const int before = memory.read(0);
        for (int i = 1; i <= 8; ++i) memory.write(own, i);
        memory.write(0, before + 1);
      };
    };
    together(program, {add(2), add(4)});
    return memory.text();
  };
  const Searched all = search(body, 2, false);
  const Searched reduced = search(body, 2, true);
  RecordProperty("runs", std::to_string(all.runs) + " " + std::to_string(reduced.runs));
  EXPECT_TRUE(all.exhausted && reduced.exhausted);
  EXPECT_EQ(all.outcomes.size(), 2U);
  EXPECT_EQ(reduced.outcomes, all.outcomes);
  EXPECT_GT(all.runs, 3 * reduced.runs) << all.runs << " and " << reduced.runs;
}

TEST(TheReduction, LeavesOutNothingOfAProgramThatTellsNothing) {
  const Body body = [](Program& program) {
    int value = 0;
    const auto add = [&] {
      program.machine.telling(false);
      const int before = value;
      program.point("between");
      value = before + 1;
      program.point("after");
    };
    together(program, {add, add});
    return std::to_string(value);
  };
  const Searched all = search(body, 2, false);
  const Searched reduced = search(body, 2, true);
  EXPECT_EQ(reduced.outcomes, all.outcomes);
  EXPECT_EQ(reduced.runs, all.runs);
}

TEST(TheReduction, EndsWithoutABoundWhenNothingIsLeft) {
  const Body body = [](Program& program) {
    Memory memory(program);
    const auto own = [&memory](std::size_t word) {
      return [&memory, word] {
        for (int i = 1; i <= 3; ++i) memory.write(word, i);
        memory.write(0, memory.read(0) * 2 + static_cast<int>(word));
      };
    };
    together(program, {own(2), own(4)});
    return memory.text();
  };
  const Searched reduced = search(body, 1000, true, 1);
  EXPECT_TRUE(reduced.exhausted);
  EXPECT_EQ(reduced.outcomes.size(), 4U);  // 2*2+4, 4*2+2, and each of the two lost
}

/// Programs drawn at random: three strands, a few operations each, on few words and a lock; some operations
/// tell nothing.
class ARandomProgram : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ARandomProgram, ComesToTheSameOutcomesWithFewerRuns) {
  struct Operation {
    enum class Kind : std::uint8_t { Read, Write, Add, Locked, Silent } kind;
    std::size_t word;
  };
  Random random{GetParam()};
  std::vector<std::vector<Operation>> plan(2 + random.below(2));
  for (auto& operations : plan)
    for (std::uint32_t i = 0, count = 2 + random.below(3); i < count; ++i) {
      const std::uint32_t kind = random.below(12);
      operations.push_back({kind == 0  ? Operation::Kind::Silent
                            : kind < 3 ? Operation::Kind::Locked
                            : kind < 5 ? Operation::Kind::Add
                            : kind < 8 ? Operation::Kind::Read
                                       : Operation::Kind::Write,
                            2 * random.below(4)});
    }
  const Body body = [&plan](Program& program) {
    Memory memory(program);
    std::vector<int> seen(plan.size());
    std::vector<std::function<void()>> strands;
    for (std::size_t s = 0; s < plan.size(); ++s)
      strands.push_back([&memory, &plan, &seen, s] {
        int value = static_cast<int>(s) + 1;
        for (const Operation& operation : plan[s]) switch (operation.kind) {
          case Operation::Kind::Read:
            value = value * 7 + memory.read(operation.word);
            break;
          case Operation::Kind::Write:
            memory.write(operation.word, ++value);
            break;
          case Operation::Kind::Add: {
            const int before = memory.read(operation.word);
            memory.write(operation.word, before * 3 + 1);
            break;
          }
          case Operation::Kind::Locked:
            memory.acquire();
            memory.write(operation.word, memory.read(operation.word) * 5 + value);
            memory.release();
            break;
          case Operation::Kind::Silent:
            memory.add_silently(operation.word, value);
            break;
          }
        seen[s] = value;
      });
    together(program, strands);
    std::string text = memory.text();
    for (const int value : seen) text += "/" + std::to_string(value);
    return text;
  };
  for (const std::uint32_t processors : {1U, 2U}) {
    const std::uint32_t bound = processors == 1 && GetParam() % 2 == 0 ? 3 : 2;
    const Searched all = search(body, bound, false, processors);
    const Searched reduced = search(body, bound, true, processors);
    ASSERT_TRUE(all.exhausted && reduced.exhausted);
    EXPECT_EQ(reduced.outcomes, all.outcomes) << processors << " processors";
    EXPECT_LE(reduced.runs, all.runs);
    RecordProperty("runs_" + std::to_string(processors),
                   std::to_string(all.runs) + " " + std::to_string(reduced.runs));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ARandomProgram, ::testing::Range(std::uint64_t{1}, std::uint64_t{41}));

}  // namespace
}  // namespace undis::machine
