// SPDX-License-Identifier: MIT
//
// What NDIS adds to a chain of net buffer lists on its way, beside the bare model (bare.h). Threaded machine.
//
// Send      a protocol takes a chain of its lists and sends it; the miniport completes it inside its send
//           function; the protocol puts the lists back one by one
// Receive   a miniport does so with an indication, which the protocol returns inside its receive function
// Allocate  a list with its buffer from a pool, and back
// Rows      Ndis<what>/<way>/<bytes>/<lists in a chain>/<touched or not>/w<watch>; Bare... the same without
//           the last. Ways: fN through N filters that pass everything on, bypassN under N filters without
//           data handlers, forward and clone and clonemdls through an intermediate driver.
//           ...OnProcessors/N: N of them, each with a stack of its own; time per item of all together
// Machine   ...OnProcessors/N: what N processors make of registers alone. Additions that wait for nothing are
//           bounded by what a core can begin at a time, multiplications that wait for each other by none of
//           it: twice as many of these and not of those are two threads of one core, which share it
#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bare.h"
#include "frames.h"
#include "lab/net_buffers.h"
#include "own_core.h"
#include "stack.h"

namespace {

using namespace undis;
using bench::BareStack;
using bench::Lists;
using bench::Middle;
using bench::Stack;
using bench::StackOptions;

enum class Direction : std::uint8_t { Send, Receive };

/// What a chain goes through.
struct Way {
  const char* name;
  unsigned filters = 0;
  unsigned bypassed = 0;
  Middle middle = Middle::None;
};
constexpr Way kWays[] = {
    {"f0"},
    {"f1", 1},
    {"f2", 2},
    {"f4", 4},
    {"f8", 8},
    {"bypass4", 0, 4},
    {"forward", 0, 0, Middle::Forwards},
    {"clone", 0, 0, Middle::Clones},
    {"clonemdls", 0, 0, Middle::ClonesOfMdls},
};

struct Row {
  Direction direction;
  Way way;
  std::size_t bytes;
  std::size_t batch;
  bool touched;
  kernel::Watch watch = kernel::Watch::Nothing;

  std::string name(const char* model) const {
    return fmt::format("{}{}/{}/{}/{}/{}", model, direction == Direction::Send ? "Send" : "Receive", way.name,
                       bytes, batch, touched ? "touched" : "untouched");
  }
};

void count_items(benchmark::State& state, std::size_t batch) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(batch));
}

void run_bare(benchmark::State& state, const Row& row,
              BareStack::Clones clones = BareStack::Clones::Initialized) {
  BareStack stack(row.way.filters, row.way.middle, row.direction == Direction::Send, row.touched, row.batch,
                  clones);
  Lists lists(row.batch, row.bytes);
  benchmark::DoNotOptimize(stack);
  std::uint8_t value = 0;
  bench::measure(state, row.batch, [&] {
    NET_BUFFER_LIST* const chain = lists.take(row.batch);
    if (row.touched) bench::write_chain(chain, value++);
    stack.go(chain);
    benchmark::ClobberMemory();
  });
}

void send(Stack& stack, std::size_t at, NET_BUFFER_LIST* chain) {
  NdisSendNetBufferLists(stack.binding(at), chain, NDIS_DEFAULT_PORT_NUMBER, 0);
}
void indicate(Stack& stack, NET_BUFFER_LIST* chain, std::size_t count) {
  NdisMIndicateReceiveNetBufferLists(stack.adapter(), chain, NDIS_DEFAULT_PORT_NUMBER,
                                     static_cast<ULONG>(count), 0);
}

void run_ndis(benchmark::State& state, const Row& row) {
  StackOptions options;
  options.filters = row.way.filters;
  options.bypassed = row.way.bypassed;
  options.middle = row.way.middle;
  options.touched = row.touched;
  options.watch = row.watch;
  Stack stack(options);
  if (!stack.is_up()) return state.SkipWithError(stack.complaint().c_str());
  const bool sends = row.direction == Direction::Send;
  bool lost = false;
  stack.run([&] {
    Lists lists(sends ? stack.binding() : stack.adapter(), row.batch, row.bytes);
    std::uint8_t value = 0;
    bench::measure(state, row.batch, [&] {
      NET_BUFFER_LIST* const chain = lists.take(row.batch);
      if (row.touched) bench::write_chain(chain, value++);
      sends ? send(stack, 0, chain) : indicate(stack, chain, row.batch);
      benchmark::ClobberMemory();
    });
    lost = lists.free_count() != row.batch;
  });
  if (lost) return state.SkipWithError("lists were lost");
  if (!stack.is_clean()) state.SkipWithError(stack.complaint().c_str());
}

// ---- several processors ----

using Clock = std::chrono::steady_clock;
constexpr unsigned kChains = 4'000;  // at a time
constexpr std::size_t kBatch = 32;

struct Span {
  Clock::time_point begin;
  Clock::time_point end;
};
double seconds_of_all(const std::vector<Span>& spans) {
  const auto begin = std::ranges::min(spans, {}, &Span::begin).begin;
  const auto end = std::ranges::max(spans, {}, &Span::end).end;
  return std::chrono::duration<double>(end - begin).count();
}

/// Lets everybody begin at the same time; the caller is one of them.
class Start {
 public:
  explicit Start(unsigned count) : missing_(static_cast<int>(count)) {}
  void wait() noexcept {
    --missing_;
    while (missing_ > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> missing_;
};

/// `spawn(i, body)` runs `body` on another processor, `wait()` waits for all of those.
template <class Spawn, class Wait, class Lane>
void run_lanes(benchmark::State& state, unsigned count, Spawn spawn, Wait wait, Lane lane) {
  std::vector<Span> spans(count);
  for (auto _ : state) {
    Start start(count);
    const auto body = [&](unsigned i) {
      lane(i, [&](auto round) {
        round();  // the first time is nobody's time
        start.wait();
        spans[i].begin = Clock::now();
        for (unsigned n = 0; n < kChains; ++n) round();
        spans[i].end = Clock::now();
      });
    };
    for (unsigned i = 1; i < count; ++i) spawn([&body, i] { body(i); });
    body(0);
    wait();
    state.SetIterationTime(seconds_of_all(spans));
  }
  count_items(state, static_cast<std::size_t>(count) * kChains * kBatch);
}

void run_ndis_on_processors(benchmark::State& state, unsigned count) {
  StackOptions options;
  options.cards = count;
  options.processors = count;
  Stack stack(options);
  if (!stack.is_up()) return state.SkipWithError(stack.complaint().c_str());
  std::vector<std::unique_ptr<kernel::Event>> ends;
  stack.run([&] {
    run_lanes(
        state, count,
        [&](auto body) {
          ends.push_back(std::make_unique<kernel::Event>("a lane's end"));
          stack.world().system().spawn("lane", [body, end = ends.back().get()] {
            body();
            end->set();
          });
        },
        [&] {
          for (const auto& end : ends) end->wait();
          ends.clear();
        },
        [&](unsigned i, auto measure) {
          Lists lists(stack.binding(i), kBatch, 64);
          measure([&] { send(stack, i, lists.take(kBatch)); });
        });
  });
  if (!stack.is_clean()) state.SkipWithError(stack.complaint().c_str());
}

void run_bare_on_processors(benchmark::State& state, unsigned count) {
  std::vector<std::thread> threads;
  run_lanes(
      state, count, [&](auto body) { threads.emplace_back(body); },
      [&] {
        for (std::thread& thread : threads) thread.join();
        threads.clear();
      },
      [](unsigned, auto measure) {
        BareStack stack(0, Middle::None, true, false);
        Lists lists(kBatch, 64);
        benchmark::DoNotOptimize(stack);
        measure([&] {
          stack.go(lists.take(kBatch));
          benchmark::ClobberMemory();
        });
      });
}

/// Four at a time that do not wait for each other.
void add() noexcept {
  std::uint64_t a = 0, b = 0, c = 0, d = 0;
  for (std::size_t i = 0; i < kBatch; ++i) {
    a += 1;
    b += 3;
    c += 5;
    d += 7;
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
  }
}
/// Each waits for the one before.
void multiply() noexcept {
  std::uint64_t a = 1;
  for (std::size_t i = 0; i < kBatch; ++i) {
    a = a * 6364136223846793005U + 1;
    asm volatile("" : "+r"(a));
  }
}

void run_machine_on_processors(benchmark::State& state, unsigned count, void (*work)()) {
  std::vector<std::thread> threads;
  run_lanes(
      state, count, [&](auto body) { threads.emplace_back(body); },
      [&] {
        for (std::thread& thread : threads) thread.join();
        threads.clear();
      },
      [work](unsigned, auto measure) { measure(work); });
}

// ---- pools ----

void run_allocate(benchmark::State& state, kernel::Watch watch) {
  StackOptions options;
  options.watch = watch;
  Stack stack(options);
  if (!stack.is_up()) return state.SkipWithError(stack.complaint().c_str());
  stack.run([&] {
    const NDIS_HANDLE pool = lab::make_pool(stack.binding(), lab::pool_tag("Bnch"));
    bench::measure(state, 1, [&] {
      NdisFreeNetBufferList(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 0, 0));
    });
    NdisFreeNetBufferListPool(pool);
  });
}

/// A row of free ones, as the model has for its clones.
void run_bare_allocate(benchmark::State& state) {
  Lists lists(32, 1);
  bench::measure(state, 1, [&] {
    NET_BUFFER_LIST* const list = lists.take(1);
    benchmark::DoNotOptimize(list);
    Lists::put_back(&lists, list);
    benchmark::ClobberMemory();
  });
}

// ---- the rows ----

void register_row(const Row& row) {
  const std::string ndis = fmt::format("{}/w{}", row.name("Ndis"), static_cast<int>(row.watch));
  benchmark::RegisterBenchmark(ndis.c_str(), [row](benchmark::State& state) {
    run_ndis(state, row);
  })->UseManualTime();
}

void register_rows() {
  for (const Direction direction : {Direction::Send, Direction::Receive})
    for (const Way& way : kWays)
      for (const std::size_t bytes : {64U, 1500U})
        for (const std::size_t batch : {1U, 32U, 256U})
          for (const bool touched : {false, true}) {
            Row row{direction, way, bytes, batch, touched};
            if (way.bypassed == 0)  // else it is the row of f0
              benchmark::RegisterBenchmark(row.name("Bare").c_str(), [row](benchmark::State& state) {
                run_bare(state, row);
              })->UseManualTime();
            register_row(row);
            const bool clones = way.middle == Middle::Clones || way.middle == Middle::ClonesOfMdls;
            if (clones && bytes == 64 && batch == 32 && !touched)  // where there is a target
              benchmark::RegisterBenchmark(
                  (row.name("Bare") + "/stale").c_str(),
                  [row](benchmark::State& state) { run_bare(state, row, BareStack::Clones::Stale); })
                  ->UseManualTime();
            if (way.filters != 0 || way.bypassed != 0 || way.middle != Middle::None || touched || bytes != 64)
              continue;
            for (const kernel::Watch watch : {kernel::Watch::Holder, kernel::Watch::All}) {
              row.watch = watch;
              register_row(row);
            }
          }
  for (const unsigned count : {1U, 2U}) {
    benchmark::RegisterBenchmark(
        fmt::format("MachineAddOnProcessors/{}", count).c_str(),
        [count](benchmark::State& state) { run_machine_on_processors(state, count, add); })
        ->UseManualTime();
    benchmark::RegisterBenchmark(
        fmt::format("MachineMultiplyOnProcessors/{}", count).c_str(),
        [count](benchmark::State& state) { run_machine_on_processors(state, count, multiply); })
        ->UseManualTime();
    benchmark::RegisterBenchmark(fmt::format("BareSendOnProcessors/{}", count).c_str(),
                                 [count](benchmark::State& state) { run_bare_on_processors(state, count); })
        ->UseManualTime();
    benchmark::RegisterBenchmark(fmt::format("NdisSendOnProcessors/{}/w0", count).c_str(),
                                 [count](benchmark::State& state) { run_ndis_on_processors(state, count); })
        ->UseManualTime();
  }
  benchmark::RegisterBenchmark("BareAllocate", run_bare_allocate)->UseManualTime();
  for (const int watch : {0, 1, 2})
    benchmark::RegisterBenchmark(
        fmt::format("NdisAllocate/w{}", watch).c_str(),
        [watch](benchmark::State& state) { run_allocate(state, static_cast<kernel::Watch>(watch)); })
        ->UseManualTime();
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_rows();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
