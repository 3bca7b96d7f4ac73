// SPDX-License-Identifier: MIT
//
// Poll objects of NDIS 6.85: NDIS asks the miniport for received lists and finished sends, instead of being
// told. Pages: poll/nf-poll-ndisregisterpoll, -ndisrequestpoll, -ndisderegisterpoll, -ndissetpollaffinity;
// poll/nc-poll-ndis_poll; network/ndis-poll-mode.
//
// A request begins a burst: NdisPoll is called again and again, never twice at once, until it brings nothing;
// then NdisSetPollNotification lets the interrupt come again. docs/decisions.md#poll
#pragma once

#include <atomic>

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/dpc.h"
#include "ndis/gate.h"
#include "ndis/service.h"

namespace undis {

class Adapter;

class Poll final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Poll};

  Poll(Adapter& adapter, void* context, const NDIS_POLL_CHARACTERISTICS& characteristics);

  /// NdisPoll is called at least once after this. Any IRQL.
  void request() noexcept;
  /// From the next burst or iteration on. False: there is no such processor.
  bool set_affinity(const PROCESSOR_NUMBER& processor) noexcept;
  /// Nothing of the driver's runs or comes when it returns. PASSIVE_LEVEL, outside of NdisPoll.
  void stop() noexcept;

 private:
  enum class State : std::uint8_t { Idle, Queued, Running, RequestedAgain };

  void abandon() override { stop(); }
  /// The next iteration, at DISPATCH_LEVEL or, where many came before it, at PASSIVE_LEVEL.
  void schedule();
  void run();
  /// One call of NdisPoll, and on with what it brought. False: it brought nothing.
  bool iterate();
  void send_completed(NET_BUFFER_LIST* chain, ULONG flags);
  void receive(NET_BUFFER_LIST* chain, ULONG count, ULONG flags);
  void let_interrupts_come();
  ULONG judge(const char* what, const NET_BUFFER_LIST* chain, ULONG said, ULONG most) const;

  Adapter& adapter_;
  void* const context_;
  const kernel::callback<NDIS_POLL> poll_;
  const kernel::callback<NDIS_SET_POLL_NOTIFICATION> notification_;
  kernel::OwnDpc dpc_;
  Gate bursts_;  // entered from the request until the burst is over
  std::atomic<State> state_{State::Idle};
  std::atomic<bool> stopping_{false};
  std::atomic<int> processor_{-1};  // -1: wherever it was requested
  unsigned iterations_ = 0;         // of this burst
};

}  // namespace undis
