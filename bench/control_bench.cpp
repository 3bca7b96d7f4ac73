// SPDX-License-Identifier: MIT
//
// What is not data: requests, pauses, bindings, drivers. Threaded machine, not watched; one card, one
// protocol.
//
// OidRoundTrip   a protocol asks, the miniport answers inside its handler. Beside it the two calls alone
// PauseRestart   of the whole stack
// BindUnbind     the protocol is unbound from a running card and bound again; the stack pauses around each
// LoadUnload     of the protocol's driver, with its binding
// PlugUnplug     of the card: initialize, bind, restart; pause, unbind, halt
#include <benchmark/benchmark.h>

#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "parts.h"
#include "stack.h"

namespace {

using namespace undis;
using bench::Stack;

/// `round(stack)` again and again on a kernel thread.
template <class Round>
void with_stack(benchmark::State& state, Round round) {
  Stack stack;
  if (!stack.is_up()) return state.SkipWithError(stack.complaint().c_str());
  stack.run([&] {
    for (auto _ : state)
      if (!round(stack)) return state.SkipWithError("a round failed");
  });
  if (!stack.is_clean()) return state.SkipWithError(stack.complaint().c_str());
  state.SetItemsProcessed(state.iterations());
}

void NdisOidRoundTrip(benchmark::State& state) {
  with_stack(state, [](Stack& stack) {
    ULONG id = 0;
    NDIS_OID_REQUEST request =
        bench::request6(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &id, sizeof(id));
    return NdisOidRequest(stack.binding(), &request) == NDIS_STATUS_SUCCESS && id != 0;
  });
}
BENCHMARK(NdisOidRoundTrip)->Name("NdisOidRoundTrip/w0");

NDIS_STATUS answer(NDIS_HANDLE, NDIS_OID_REQUEST* request) {
  *static_cast<ULONG*>(request->DATA.QUERY_INFORMATION.InformationBuffer) = 0xFFFFFF;
  request->DATA.QUERY_INFORMATION.BytesWritten = sizeof(ULONG);
  return NDIS_STATUS_SUCCESS;
}
void BareOidRoundTrip(benchmark::State& state) {
  NDIS_STATUS (*handler)(NDIS_HANDLE, NDIS_OID_REQUEST*) = &answer;
  benchmark::DoNotOptimize(handler);
  for (auto _ : state) {
    ULONG id = 0;
    NDIS_OID_REQUEST request =
        bench::request6(NdisRequestQueryInformation, OID_GEN_VENDOR_ID, &id, sizeof(id));
    benchmark::DoNotOptimize(handler(nullptr, &request));
    benchmark::DoNotOptimize(id);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BareOidRoundTrip);

void PauseRestart(benchmark::State& state) {
  with_stack(state, [](Stack& stack) {
    Adapter& adapter = *stack.world().adapter("nic0");
    const Claimed claimed(adapter.stack);
    pause_stack(adapter);
    return restart_stack(adapter) == NDIS_STATUS_SUCCESS;
  });
}
BENCHMARK(PauseRestart)->Unit(benchmark::kMicrosecond);

void BindUnbind(benchmark::State& state) {
  with_stack(state, [](Stack& stack) {
    Adapter& adapter = *stack.world().adapter("nic0");
    for (const Ref<Binding>& binding : adapter.bindings()) binding->unbind();
    stack.opens.clear();
    add_bindings(adapter);
    return stack.opens.size() == 1 && stack.binding() != nullptr;
  });
}
BENCHMARK(BindUnbind)->Unit(benchmark::kMicrosecond);

void LoadUnload(benchmark::State& state) {
  with_stack(state, [](Stack& stack) {
    stack.unload_protocol();
    stack.opens.clear();
    stack.load_protocol();
    // Bindings are made by a worker (docs/decisions.md#bind-after-register).
    while (stack.opens.empty() || !stack.open().use.enter()) kernel::schedule_point("not bound yet");
    stack.open().use.leave();
    return true;
  });
}
BENCHMARK(LoadUnload)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->UseRealTime();

void PlugUnplug(benchmark::State& state) {
  with_stack(state, [](Stack& stack) {
    stack.world().unplug(*stack.world().library().adapters().front());
    stack.opens.clear();
    stack.ports.clear();
    return static_cast<bool>(stack.plug()) && stack.opens.size() == 1;
  });
}
BENCHMARK(PlugUnplug)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
