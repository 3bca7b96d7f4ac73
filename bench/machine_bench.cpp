// SPDX-License-Identifier: MIT
//
// What the simulated machine costs: a schedule point, a switch, a thread's memory, and a complete life of two
// drivers (load, bind, traffic, unbind, unload) under one schedule after another.
//
// machine_bench NIC6.so PROTO6.so [options of Google Benchmark]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "kernel/scheduling.h"
#include "lab/job.h"
#include "machine/trail.h"

namespace {

using namespace undis;

std::vector<loader::Image*> g_images;

/// `text`: the schedule.
void SchedulePoint(benchmark::State& state, const char* text) {
  lab::WorldOptions options;
  options.schedule = *machine::Schedule::parse(text);
  lab::World world(options);
  constexpr int kPoints = 100'000;
  for (auto _ : state) {
    world.run("points", [] {
      for (int i = 0; i < kPoints; ++i) kernel::schedule_point("bench");
    });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kPoints);
}
BENCHMARK_CAPTURE(SchedulePoint, default, "0")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(SchedulePoint, random, "7f3a")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(SchedulePoint, pct, "pct3-7f3a")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(SchedulePoint, given, "x1@50=2")->Unit(benchmark::kMicrosecond);

/// Two threads that give way to each other at each point.
void Switch(benchmark::State& state) {
  lab::WorldOptions options;
  options.schedule = machine::Schedule::round_robin(1);
  lab::World world(options);
  constexpr int kPoints = 10'000;
  for (auto _ : state) {
    const auto body = [] {
      for (int i = 0; i < kPoints; ++i) kernel::schedule_point("bench");
    };
    world.run("one", [&] {
      world.system().spawn("other", body);
      body();
    });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 2 * kPoints);
}
BENCHMARK(Switch)->Unit(benchmark::kMicrosecond);

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// What a thread that waits holds of the process' memory.
void ThreadMemory(benchmark::State& state) {
  constexpr std::int64_t kThreads = 1000;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    lab::World world;
    kernel::Event go("bench");
    const std::int64_t before = resident_bytes();
    world.run("main", [&] {
      for (int i = 0; i < kThreads; ++i) world.system().spawn("waiter", [&go] { go.wait(); });
      kernel::schedule_point("started");
      world.system().advance(1);
      bytes = resident_bytes() - before;
      go.set();
    });
  }
  state.counters["bytes_per_thread"] = static_cast<double>(bytes) / static_cast<double>(kThreads);
}
BENCHMARK(ThreadMemory)->Iterations(1);

/// One complete run after another, each with a seed of its own. `noted`: as a search notes it.
void LifeOfTwoDrivers(benchmark::State& state, bool noted) {
  const lab::Play& suite = *lab::find_suite("lifecycle.bind");
  std::uint64_t seed = 0;
  std::uint64_t points = 0;
  machine::Trail trail;
  for (auto _ : state) {
    trail.clear();
    trail.want_places = noted;
    const lab::JobResult result =
        lab::run_job(g_images, suite, machine::Schedule(seed++), trail, verifier::Evidence::None);
    points += trail.points;
    if (!result.violations.empty() || result.poisoned) {
      state.SkipWithError(result.violations.empty() ? "the run did not end"
                                                    : result.violations[0].text.c_str());
      return;
    }
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["points_per_run"] = static_cast<double>(points) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(LifeOfTwoDrivers, plain, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(LifeOfTwoDrivers, noted, true)->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: machine_bench NIC6.so PROTO6.so [--benchmark_...]\n");
    return 2;
  }
  std::vector<std::unique_ptr<undis::loader::Image>> opened;
  for (int i = 1; i <= 2; ++i) {
    auto image = undis::loader::Image::open(argv[i]);
    if (!image) {
      std::fprintf(stderr, "%s\n", image.error().c_str());
      return 2;
    }
    opened.push_back(std::move(*image));
    g_images.push_back(opened.back().get());
  }
  argc -= 2;
  argv += 2;
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
