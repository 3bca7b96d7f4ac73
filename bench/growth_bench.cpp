// SPDX-License-Identifier: MIT
//
// Whether anything costs more when there is more of it. Threaded machine, not watched.
//
// Adapters/N       N cards with a binding each: time to bring them up and down, and memory, for each
// AdaptersAmong/N  a hundred likewise, where N others stand: more of them fill no more of the caches
// Bindings/N       N protocols on a card, likewise; their memory
// EachBinding      the time of each of ten on one card: from one bound to the next bound, all in the same
//                  milliseconds
// SendAmong.../N   a chain of 32 through one stack with so many others in the world
//
// One card stands in the world all along, and the first round is not counted: what is paid once, whoever
// comes, is not the price of any. Few cards come and go several times.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <new>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include "frames.h"
#include "own_core.h"
#include "stack.h"

namespace {

/// What is allocated and not freed, in the sizes that the allocator gives out.
std::atomic<std::int64_t> bytes_in_use{0};

void count(void* memory, std::int64_t sign) noexcept {
  bytes_in_use.fetch_add(sign * static_cast<std::int64_t>(::malloc_usable_size(memory)),
                         std::memory_order_relaxed);
}
void* allocate(std::size_t size, std::size_t alignment) noexcept {
  void* const memory = alignment <= alignof(std::max_align_t)
                           ? std::malloc(size)
                           : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  count(memory, 1);
  return memory;
}
void release(void* memory) noexcept {
  if (memory == nullptr) return;
  count(memory, -1);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}

namespace {

using namespace undis;
using bench::Lists;
using bench::Stack;
using bench::StackOptions;

/// On one processor: whether another one helps is the machine's to say, and costs more than a binding.
StackOptions options_of(std::int64_t cards, std::int64_t protocols) {
  StackOptions options;
  options.processors = 1;
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

constexpr std::int64_t kFew = 500;  ///< cards at least that come and go in a measurement

double median_of(std::vector<double>& values) {
  const auto median = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, median);
  return *median;
}

/// What each step takes: the median of those while the core was its own; of all, if those are too few.
class Median {
 public:
  explicit Median(std::int64_t steps) {  // so many at most: nothing more is allocated while they are counted
    quiet_.reserve(static_cast<std::size_t>(steps));
    all_.reserve(static_cast<std::size_t>(steps));
  }
  template <class Step>
  void add(const Step& step) {
    core_.wait_for_quiet();
    const double from = processor_seconds();
    step();
    const double spent = processor_seconds() - from;
    all_.push_back(spent);
    if (core_.is_quiet()) quiet_.push_back(spent);
  }
  bool has_enough() const noexcept { return quiet_.size() >= kFew / 2; }
  double seconds() { return median_of(has_enough() ? quiet_ : all_); }

 private:
  bench::OwnCore core_;
  std::vector<double> quiet_;
  std::vector<double> all_;
};

/// Of a card.
struct Cost {
  explicit Cost(std::int64_t cards) : up(cards), down(cards) {}
  bool has_enough() const noexcept { return up.has_enough() && down.has_enough(); }
  Median up;
  Median down;
  double bytes = 0;  ///< of all
};

/// Plugs `cards` in and out, beside the one that stands; each in a run of its own, which ends when there is
/// nothing left to do.
void round_trip(Stack& stack, std::int64_t cards, Cost& cost) {
  std::vector<Ref<Adapter>> plugged;
  plugged.reserve(static_cast<std::size_t>(cards));
  const std::int64_t before = bytes_in_use;
  for (std::int64_t i = 0; i < cards; ++i)
    cost.up.add([&] { stack.run([&] { plugged.push_back(stack.plug()); }); });
  cost.bytes += static_cast<double>(bytes_in_use - before);
  for (Ref<Adapter>& adapter : plugged)
    cost.down.add([&] {
      stack.run([&] {
        stack.world().unplug(*adapter);
        adapter = nullptr;
      });
    });
}

/// `cards` with `protocols` each, where `others` stand.
void grow(benchmark::State& state, std::int64_t cards, std::int64_t protocols, std::int64_t others = 1) {
  const std::int64_t least = std::max<std::int64_t>(1, kFew / cards);
  const std::int64_t most = 20 * least;  // while others compute on the core
  std::int64_t rounds = 0;
  Cost cost(most * cards);
  for (auto _ : state) {
    Stack stack(options_of(others, protocols));
    Cost of_first(cards);
    round_trip(stack, cards, of_first);
    for (rounds = 0; rounds < least || (!cost.has_enough() && rounds < most); ++rounds)
      round_trip(stack, cards, cost);
    state.SetIterationTime((cost.up.seconds() + cost.down.seconds()) * static_cast<double>(rounds * cards));
    if (!stack.is_clean() ||
        stack.opens.size() != static_cast<std::size_t>((others + (1 + rounds) * cards) * protocols))
      return state.SkipWithError(stack.complaint().c_str());
  }
  const std::int64_t units = state.iterations() * rounds * cards * protocols;
  state.SetItemsProcessed(units);
  state.counters["up_us"] = cost.up.seconds() * 1e6 / static_cast<double>(protocols);
  state.counters["down_us"] = cost.down.seconds() * 1e6 / static_cast<double>(protocols);
  state.counters["bytes"] = cost.bytes / static_cast<double>(units);
}

void Adapters(benchmark::State& state) {
  grow(state, state.range(0), 1);
}
BENCHMARK(Adapters)->RangeMultiplier(10)->Range(1, 10'000)->UseManualTime()->Iterations(1)->Unit(
    benchmark::kMillisecond);

constexpr std::int64_t kCards = 100;

void AdaptersAmong(benchmark::State& state) {
  grow(state, kCards, 1, state.range(0));
}
BENCHMARK(AdaptersAmong)
    ->RangeMultiplier(10)
    ->Range(1, 10'000)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void Bindings(benchmark::State& state) {
  grow(state, kCards, state.range(0));
}
BENCHMARK(Bindings)->DenseRange(1, 10, 3)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

constexpr std::size_t kProtocols = 10;

/// What the second, the third ... of some took, each time: the medians.
class Steps {
 public:
  Steps() {
    for (std::vector<double>& each : seconds_) each.reserve(kFew);
  }
  void begin() noexcept { done_ = 0; }
  void step() noexcept {
    const double now = processor_seconds();
    if (done_ != 0 && done_ < kProtocols) seconds_[done_].push_back(now - last_);
    last_ = now;
    ++done_;
  }
  std::size_t done() const noexcept { return done_; }
  void tell(benchmark::State& state, const char* name) {
    for (std::size_t i = 1; i < kProtocols; ++i)
      state.counters[fmt::format("{}_{}", name, i + 1)] = median_of(seconds_[i]) * 1e6;
  }

 private:
  std::array<std::vector<double>, kProtocols> seconds_;
  double last_ = 0;
  std::size_t done_ = 0;
};

void EachBinding(benchmark::State& state) {
  Stack stack(options_of(1, kProtocols));
  Cost of_all(kCards + kFew);
  round_trip(stack, kCards, of_all);
  Steps up;
  Steps down;
  bool all = true;
  stack.on_bound = [&up] { up.step(); };
  stack.on_unbound = [&down] { down.step(); };
  for (auto _ : state) {
    up.begin();
    down.begin();
    round_trip(stack, 1, of_all);
    all = all && up.done() == kProtocols && down.done() == kProtocols;
  }
  stack.on_bound = stack.on_unbound = nullptr;
  if (!all || !stack.is_clean()) return state.SkipWithError("not every protocol was bound and unbound");
  up.tell(state, "up_us");
  down.tell(state, "down_us");
}
BENCHMARK(EachBinding)->Iterations(kFew)->Unit(benchmark::kMicrosecond);

void send_among(benchmark::State& state, const StackOptions& options) {
  constexpr std::size_t kBatch = 32;
  Stack stack(options);
  if (!stack.is_clean() || stack.opens.empty()) return state.SkipWithError(stack.complaint().c_str());
  stack.run([&] {
    Lists lists(stack.binding(), kBatch, 64);
    bench::measure(state, kBatch, [&] {
      NdisSendNetBufferLists(stack.binding(), lists.take(kBatch), NDIS_DEFAULT_PORT_NUMBER, 0);
    });
  });
}

void SendAmongAdapters(benchmark::State& state) {
  send_among(state, options_of(state.range(0), 1));
}
BENCHMARK(SendAmongAdapters)->RangeMultiplier(10)->Range(1, 10'000)->UseManualTime();

void SendAmongBindings(benchmark::State& state) {
  send_among(state, options_of(1, state.range(0)));
}
BENCHMARK(SendAmongBindings)->DenseRange(1, 10, 3)->UseManualTime();

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
