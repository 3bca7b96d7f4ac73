// SPDX-License-Identifier: MIT
//
// Whether anything costs more when there is more of it. Threaded machine, not watched.
//
// Adapters/N       N cards with a binding each: time to bring them up and to take them down, and memory, for
// each Bindings/N       N protocols on one card, likewise SendAmong.../N   a chain of 32 through one stack
// with so many others in the world
#include <ctime>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "frames.h"
#include "stack.h"

namespace {

using namespace undis;
using bench::Lists;
using bench::Stack;
using bench::StackOptions;

double bytes_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

StackOptions options_of(std::int64_t cards, std::int64_t protocols) {
  StackOptions options;
  options.cards = static_cast<unsigned>(cards);
  options.protocols = static_cast<unsigned>(protocols);
  return options;
}

/// Of the process: what else the machine does is not in it.
double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What plugging `cards` in takes, in a world in which the drivers are loaded.
void grow(benchmark::State& state, std::int64_t cards, std::int64_t protocols) {
  double up = 0;
  double down = 0;
  double bytes = 0;
  for (auto _ : state) {
    Stack stack(options_of(0, protocols));
    double begin = 0;
    double full = 0;
    double end = 0;
    stack.run([&] {
      const double before = bytes_in_use();
      begin = processor_seconds();
      for (std::int64_t i = 0; i < cards; ++i) stack.plug();
      full = processor_seconds();
      bytes += bytes_in_use() - before;
    });
    if (!stack.is_clean() || stack.opens.size() != static_cast<std::size_t>(cards * protocols))
      return state.SkipWithError(stack.complaint().c_str());
    stack.run([&] {
      const double from = processor_seconds();
      for (const Ref<Adapter>& adapter : stack.world().library().adapters()) stack.world().unplug(*adapter);
      end = processor_seconds() - from;
    });
    up += full - begin;
    down += end;
    state.SetIterationTime(full - begin + end);
  }
  const double units = static_cast<double>(state.iterations() * cards * protocols);
  state.SetItemsProcessed(state.iterations() * cards * protocols);
  state.counters["up_us"] = up * 1e6 / units;
  state.counters["down_us"] = down * 1e6 / units;
  state.counters["bytes"] = bytes / units;
}

void Adapters(benchmark::State& state) {
  grow(state, state.range(0), 1);
}
BENCHMARK(Adapters)->RangeMultiplier(10)->Range(1, 10'000)->UseManualTime()->Iterations(1)->Unit(
    benchmark::kMillisecond);

constexpr std::int64_t kCards = 100;

void Bindings(benchmark::State& state) {
  grow(state, kCards, state.range(0));
}
BENCHMARK(Bindings)->DenseRange(1, 10, 3)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);

void send_among(benchmark::State& state, const StackOptions& options) {
  constexpr std::size_t kBatch = 32;
  Stack stack(options);
  if (!stack.is_clean() || stack.opens.empty()) return state.SkipWithError(stack.complaint().c_str());
  stack.run([&] {
    Lists lists(stack.binding(), kBatch, 64);
    for (auto _ : state)
      NdisSendNetBufferLists(stack.binding(), lists.take(kBatch), NDIS_DEFAULT_PORT_NUMBER, 0);
  });
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}

void SendAmongAdapters(benchmark::State& state) {
  send_among(state, options_of(state.range(0), 1));
}
BENCHMARK(SendAmongAdapters)->RangeMultiplier(10)->Range(1, 10'000);

void SendAmongBindings(benchmark::State& state) {
  send_among(state, options_of(1, state.range(0)));
}
BENCHMARK(SendAmongBindings)->DenseRange(1, 10, 3);

}  // namespace

int main(int argc, char** argv) {
  ::mallopt(M_ARENA_MAX, 1);  // mallinfo2 tells of one only
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
