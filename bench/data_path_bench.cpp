// SPDX-License-Identifier: MIT
//
// What NDIS adds to a chain of net buffer lists on its way, beside a bare model: the same drivers' work on
// the same structures, the same number of indirect calls, and nothing between them. Untouched 64-byte frames.
//
// send       a protocol takes a chain of its lists and sends it; the miniport completes it inside its send
// function; the
//            protocol puts the lists back one by one
// receive    a miniport does so with an indication, which the protocol returns inside its receive function
// allocate   a list with its buffer from a pool, and back
// Each as Bare.../N and Ndis.../N/W for chains of N, watched as W says (kernel::Watch: 0, 1, 2). Threaded
// machine.
#include <benchmark/benchmark.h>

#include "lab/net_buffers.h"
#include "ndis/least_stack_testing.h"

namespace {

using namespace undis;
using test::LeastStack;
using test::Lists;

// ---- the bare model ----

struct BareStack {
  void (*down)(BareStack&, NET_BUFFER_LIST*) = nullptr;
  void (*back)(BareStack&, NET_BUFFER_LIST*) = nullptr;
};

void bare_recycle(BareStack&, NET_BUFFER_LIST* chain) {
  Lists::recycle(chain->ProtocolReserved[0], chain);
}

void bare_send(BareStack& stack, NET_BUFFER_LIST* chain) {
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list))
    NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_SUCCESS;
  stack.back(stack, chain);
}

void bare_return(BareStack& stack, NET_BUFFER_LIST* chain) {
  stack.back(stack, chain);
}

void bare(benchmark::State& state, void (*down)(BareStack&, NET_BUFFER_LIST*)) {
  const auto count = static_cast<std::size_t>(state.range(0));
  BareStack stack{down, &bare_recycle};
  Lists lists(count);
  benchmark::DoNotOptimize(stack);
  for (auto _ : state) {
    stack.down(stack, lists.take(count));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BareSend(benchmark::State& state) {
  bare(state, &bare_send);
}
BENCHMARK(BareSend)->Arg(1)->Arg(32)->Arg(256);
void BareReceive(benchmark::State& state) {
  bare(state, &bare_return);
}
BENCHMARK(BareReceive)->Arg(1)->Arg(32)->Arg(256);

// ---- the same through NDIS ----

lab::WorldOptions watched(std::int64_t watch) {
  lab::WorldOptions options;
  options.engine = lab::Engine::Threaded;
  options.watch = static_cast<kernel::Watch>(watch);
  return options;
}

template <class Round>
void through_ndis(benchmark::State& state, bool from_above, Round round) {
  LeastStack stack(watched(state.range(1)));
  if (!stack.is_up()) return state.SkipWithError("the stack did not come up");
  const auto count = static_cast<std::size_t>(state.range(0));
  stack.run([&] {
    Lists lists(from_above ? stack.binding() : stack.adapter(), count, 64);
    for (auto _ : state) round(stack, lists.take(count));
  });
  if (!stack.world().verifier().violations().empty()) state.SkipWithError("the run was not clean");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void NdisSend(benchmark::State& state) {
  through_ndis(state, true, [](LeastStack& stack, NET_BUFFER_LIST* chain) {
    NdisSendNetBufferLists(stack.binding(), chain, NDIS_DEFAULT_PORT_NUMBER, 0);
  });
}
BENCHMARK(NdisSend)->ArgsProduct({{1, 32, 256}, {0, 1, 2}});

void NdisReceive(benchmark::State& state) {
  const auto count = static_cast<ULONG>(state.range(0));
  through_ndis(state, false, [count](LeastStack& stack, NET_BUFFER_LIST* chain) {
    NdisMIndicateReceiveNetBufferLists(stack.adapter(), chain, NDIS_DEFAULT_PORT_NUMBER, count, 0);
  });
}
BENCHMARK(NdisReceive)->ArgsProduct({{1, 32, 256}, {0, 1, 2}});

void NdisAllocate(benchmark::State& state) {
  LeastStack stack(watched(state.range(0)));
  if (!stack.is_up()) return state.SkipWithError("the stack did not come up");
  stack.run([&] {
    const NDIS_HANDLE pool = lab::make_pool(stack.binding(), lab::pool_tag("Bnch"));
    for (auto _ : state)
      NdisFreeNetBufferList(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 0, 0));
    NdisFreeNetBufferListPool(pool);
  });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(NdisAllocate)->Arg(0)->Arg(1)->Arg(2);

}  // namespace

BENCHMARK_MAIN();
