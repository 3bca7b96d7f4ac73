// SPDX-License-Identifier: MIT
//
// What NDIS adds to the packets of NDIS 5 on their way, and what it costs to make lists of packets and
// packets of lists where a protocol and a miniport are of two generations. Threaded machine, 64 bytes, not
// watched.
//
// Send      a protocol sends an array of packets; the miniport completes each inside MiniportSendPackets
// Receive   a miniport indicates an array; the protocol returns all of it in ProtocolReceiveComplete
// Rows      Ndis<what>/<protocol>on<miniport>/64/<packets>/untouched/w0 beside Bare<what>/5on5/...: one call
// for
//           an array, one for each packet on the way back; so much is made of lists and packets across the
//           border as well
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bare.h"
#include "frames.h"
#include "own_core.h"
#include "stack.h"

namespace {

using namespace undis;
using bench::BareStack5;
using bench::Lists;
using bench::Packets;
using bench::Stack;
using bench::StackOptions;

constexpr std::size_t kBytes = 64;

struct Row {
  bool sends;
  bool protocol5;
  bool card5;
  std::size_t batch;
  bool touched;

  std::string name(const char* model) const {
    return fmt::format("{}{}/{}on{}/{}/{}/{}", model, sends ? "Send" : "Receive", protocol5 ? 5 : 6,
                       card5 ? 5 : 6, kBytes, batch, touched ? "touched" : "untouched");
  }
  /// The kind of what goes ahead is that of whoever sends or indicates it.
  bool packets() const { return sends ? protocol5 : card5; }
};

void write_packets(NDIS_PACKET** packets, std::size_t count, std::uint8_t value) {
  for (std::size_t i = 0; i < count; ++i) bench::write_frame(packets[i], value);
}

void run_bare(benchmark::State& state, const Row& row) {
  BareStack5 stack(row.sends, row.touched);
  Packets packets(row.batch, kBytes, false);
  benchmark::DoNotOptimize(stack);
  std::uint8_t value = 0;
  bench::measure(state, row.batch, [&] {
    NDIS_PACKET** const taken = packets.take(row.batch);
    if (row.touched) write_packets(taken, row.batch, value++);
    stack.go(taken, static_cast<UINT>(row.batch));
    benchmark::ClobberMemory();
  });
}

void run_packets(benchmark::State& state, const Row& row, Stack& stack) {
  Packets packets(row.batch, kBytes, true);
  const auto count = static_cast<UINT>(row.batch);
  std::uint8_t value = 0;
  bench::measure(state, row.batch, [&] {
    NDIS_PACKET** const taken = packets.take(row.batch);
    if (row.touched) write_packets(taken, row.batch, value++);
    if (row.sends) {
      NdisSendPackets(stack.binding(), taken, count);
    } else {
      NdisMIndicateReceivePacket(stack.adapter(), taken, count);
    }
  });
  if (packets.free_count() != row.batch) state.SkipWithError("packets were lost");
}

void run_lists(benchmark::State& state, const Row& row, Stack& stack) {
  Lists lists(row.sends ? stack.binding() : stack.adapter(), row.batch, kBytes);
  std::uint8_t value = 0;
  bench::measure(state, row.batch, [&] {
    NET_BUFFER_LIST* const chain = lists.take(row.batch);
    if (row.touched) bench::write_chain(chain, value++);
    if (row.sends) {
      NdisSendNetBufferLists(stack.binding(), chain, NDIS_DEFAULT_PORT_NUMBER, 0);
    } else {
      NdisMIndicateReceiveNetBufferLists(stack.adapter(), chain, NDIS_DEFAULT_PORT_NUMBER,
                                         static_cast<ULONG>(row.batch), 0);
    }
  });
  if (lists.free_count() != row.batch) state.SkipWithError("lists were lost");
}

void run_ndis(benchmark::State& state, const Row& row) {
  StackOptions options;
  options.protocols5 = row.protocol5;
  options.cards5 = row.card5;
  options.touched = row.touched;
  Stack stack(options);
  if (!stack.is_up()) return state.SkipWithError(stack.complaint().c_str());
  stack.run([&] { row.packets() ? run_packets(state, row, stack) : run_lists(state, row, stack); });
  if (!stack.is_clean()) state.SkipWithError(stack.complaint().c_str());
}

void register_rows() {
  for (const bool sends : {true, false})
    for (const std::size_t batch : {1U, 32U})
      for (const bool touched : {false, true}) {
        for (const auto& [protocol5, card5] : {std::pair{true, true}, {true, false}, {false, true}}) {
          const Row row{sends, protocol5, card5, batch, touched};
          if (protocol5 && card5)
            benchmark::RegisterBenchmark(row.name("Bare").c_str(), [row](benchmark::State& state) {
              run_bare(state, row);
            })->UseManualTime();
          benchmark::RegisterBenchmark((row.name("Ndis") + "/w0").c_str(), [row](benchmark::State& state) {
            run_ndis(state, row);
          })->UseManualTime();
        }
      }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_rows();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
