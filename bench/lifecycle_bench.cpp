// SPDX-License-Identifier: MIT
//
// What a whole life costs: load, bind, traffic, unbind, unload of an intermediate driver in the simulated
// machine, and how that grows with the number of adapters and of protocols. A bare world (no driver at all)
// stands beside it for comparison.
//
// lifecycle_bench PASSTHRU6.so [options of Google Benchmark]
#include <cstdio>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "lab/fake_driver.h"
#include "lab/scene.h"
#include "links/memory/memory.h"

namespace {

using namespace undis;

loader::Image* g_image = nullptr;

void cycle(benchmark::State& state, unsigned adapters) {
  for (auto _ : state) {
    lab::Scene scene({g_image}, machine::Schedule(), false);
    const kernel::Outcome outcome = scene.world().run("bench", [&] {
      scene.load();
      scene.attach(adapters);
      scene.traffic(4);
      for (unsigned i = 0; i < adapters; ++i) scene.detach(i);
      scene.unload();
      scene.close();
    });
    if (outcome != kernel::Outcome::Idle || !scene.world().verifier().violations().empty())
      state.SkipWithError("the run was not clean");
  }
}

void BareWorld(benchmark::State& state) {
  for (auto _ : state) {
    lab::World world;
    world.run("bench", [] {});
  }
}
BENCHMARK(BareWorld)->Unit(benchmark::kMicrosecond);

void IntermediateCycle(benchmark::State& state) {
  cycle(state, 1);
}
BENCHMARK(IntermediateCycle)->Unit(benchmark::kMicrosecond);

void IntermediateCycleByAdapters(benchmark::State& state) {
  cycle(state, static_cast<unsigned>(state.range(0)));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(IntermediateCycleByAdapters)
    ->RangeMultiplier(10)
    ->Range(1, 1000)
    ->Unit(benchmark::kMillisecond)
    ->Complexity(benchmark::oN);

void CycleByProtocols(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    lab::World world;
    links::MemoryLink wire(LinkInfo{});
    world.run("bench", [&] {
      lab::HarnessNic nic(world);
      std::vector<std::unique_ptr<lab::FakeDriver>> protocols;
      for (std::size_t i = 0; i < count; ++i) {
        protocols.push_back(std::make_unique<lab::FakeDriver>(world, "protocol" + std::to_string(i)));
        protocols.back()->be_protocol6();
        protocols.back()->load();
      }
      nic.plug("nic0", wire);
      nic.unplug("nic0");
      for (const auto& protocol : protocols) protocol->unload();
      nic.unload();
    });
  }
  state.SetComplexityN(state.range(0));
}
BENCHMARK(CycleByProtocols)->DenseRange(1, 10, 3)->Unit(benchmark::kMicrosecond)->Complexity(benchmark::oN);

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: lifecycle_bench PASSTHRU6.so [--benchmark_...]\n");
    return 2;
  }
  auto image = undis::loader::Image::open(argv[1]);
  if (!image) {
    std::fprintf(stderr, "%s\n", image.error().c_str());
    return 2;
  }
  g_image = image->get();
  --argc;
  ++argv;
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
