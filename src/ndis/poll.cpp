// SPDX-License-Identifier: MIT
//
// Bursts of polling. Pages: poll/nc-poll-ndis_poll, poll/nc-poll-ndis_set_poll_notification.
#include "ndis/poll.h"

#include <fmt/format.h>

#include "kernel/scheduling.h"
#include "kernel/system.h"
#include "kernel/thread.h"
#include "ndis/adapter.h"
#include "ndis/breach.h"
#include "ndis/callbacks.h"
#include "ndis/data_path.h"

namespace undis {
namespace {

constexpr ULONG kMostLists = 64;             // an iteration, each way
constexpr unsigned kDispatchIterations = 4;  // of a burst, before it goes on at PASSIVE_LEVEL

kernel::Scheduling& scheduling() {
  return kernel::System::current().scheduling();
}

/// Keeps the thread on one processor for its lifetime; -1: wherever it is.
class OnProcessor {
 public:
  explicit OnProcessor(int index) : before_(kernel::Thread::current().affinity()), moved_(index >= 0) {
    if (!moved_) return;
    kernel::Thread::current().set_affinity(std::uint64_t{1} << index);
    if (machine::processor_here->index != static_cast<unsigned>(index))
      kernel::System::current().machine().move();
  }
  ~OnProcessor() {
    if (moved_) kernel::Thread::current().set_affinity(before_);
  }
  OnProcessor(const OnProcessor&) = delete;
  OnProcessor& operator=(const OnProcessor&) = delete;

 private:
  const std::uint64_t before_;
  const bool moved_;
};

}  // namespace

Poll::Poll(Adapter& adapter, void* context, const NDIS_POLL_CHARACTERISTICS& c)
    : Service(HandleKind::Poll, adapter.driver().driver(),
              fmt::format("a poll object of {}", adapter.name())),
      adapter_(adapter), context_(context), poll_(c.PollHandler), notification_(c.SetPollNotificationHandler),
      dpc_([this] { run(); }), bursts_({"polling", &adapter.name()}) {
  made_for(&adapter);
}

void Poll::request() noexcept {
  State now = state_.load(std::memory_order_acquire);
  for (;;) {
    if (now == State::Queued || now == State::RequestedAgain) return;
    const State next = now == State::Idle ? State::Queued : State::RequestedAgain;
    if (next == State::Queued && !bursts_.enter()) return;  // it is being deregistered
    if (state_.compare_exchange_weak(now, next, std::memory_order_acq_rel)) {
      if (next == State::Queued) {
        iterations_ = 0;
        schedule();
      }
      return;
    }
    if (next == State::Queued) bursts_.leave();
  }
}

bool Poll::set_affinity(const PROCESSOR_NUMBER& processor) noexcept {
  if (processor.Group != 0 || processor.Number >= scheduling().machine.processors().size()) return false;
  processor_ = processor.Number;
  return true;
}

void Poll::stop() noexcept {
  stopping_ = true;
  bursts_.close();
  bursts_.wait_empty();
}

void Poll::schedule() {
  const bool passive = iterations_ >= kDispatchIterations ||
                       (kernel::irql() == PASSIVE_LEVEL && kernel::choose("poll at PASSIVE_LEVEL"));
  if (passive) {
    kernel::queue_work("poll", [alive = Ref<Poll>(this)] {
      const OnProcessor here(alive->processor_);
      alive->run();
    });
    return;
  }
  const int processor = processor_;
  dpc_.dpc.Number = static_cast<USHORT>(processor + 1);  // 0: the current one
  scheduling().dpcs.insert(dpc_.dpc, nullptr, nullptr, nullptr);
}

void Poll::run() {
  const Ref<Poll> alive(this);
  state_ = State::Running;
  ++iterations_;
  const bool progress = iterate();
  if (!progress && state_ == State::Running && !stopping_)
    let_interrupts_come();  // whoever requests meanwhile makes it RequestedAgain
  if (!stopping_) {
    State expected = State::Running;
    if (progress || !state_.compare_exchange_strong(expected, State::Idle)) {
      state_ = State::Queued;
      schedule();
      return;
    }
  }
  bursts_.leave();
}

bool Poll::iterate() {
  const ULONG most = kernel::choose("poll one list") ? 1 : kMostLists;
  NDIS_POLL_DATA data{};
  data.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_POLL_DATA_REVISION_1, NDIS_SIZEOF_NDIS_POLL_DATA_REVISION_1};
  data.Transmit.MaxNblsToComplete = most;
  data.Receive.MaxNblsToIndicate = most;
  kernel::call_driver(&driver(), callbacks::kNdisPoll, &adapter_, context_, poll_, context_, &data);

  const bool raised = kernel::irql() == DISPATCH_LEVEL;
  const NDIS_POLL_TRANSMIT_DATA& sent = data.Transmit;
  const NDIS_POLL_RECEIVE_DATA& received = data.Receive;
  judge("completed", sent.CompletedNblChain, sent.NumberOfCompletedNbls, most);
  const ULONG count = judge("indicated", received.IndicatedNblChain, received.NumberOfIndicatedNbls, most);
  send_completed(sent.CompletedNblChain,
                 sent.SendCompleteFlags | (raised ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0U));
  receive(received.IndicatedNblChain, count,
          received.Flags | (raised ? NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL : 0U));
  return sent.CompletedNblChain != nullptr || received.IndicatedNblChain != nullptr;
}

// As NdisMSendNetBufferListsComplete and NdisMIndicateReceiveNetBufferLists do it; while drivers are watched,
// without a call of the driver's in the trace.

void Poll::send_completed(NET_BUFFER_LIST* chain, ULONG flags) {
  if (chain == nullptr) return;
  if (kernel::watches_all()) return complete_net_buffer_lists(adapter_, chain, flags);
  NdisMSendNetBufferListsComplete(adapter_.handle(), chain, flags);
}

void Poll::receive(NET_BUFFER_LIST* chain, ULONG count, ULONG flags) {
  if (chain == nullptr) return;
  if (kernel::watches_all())
    return indicate_net_buffer_lists(adapter_, chain, NDIS_DEFAULT_PORT_NUMBER, count, flags);
  NdisMIndicateReceiveNetBufferLists(adapter_.handle(), chain, NDIS_DEFAULT_PORT_NUMBER, count, flags);
}

void Poll::let_interrupts_come() {
  NDIS_POLL_NOTIFICATION notification{};
  notification.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_POLL_NOTIFICATION_REVISION_1,
                         NDIS_SIZEOF_NDIS_POLL_NOTIFICATION_REVISION_1};
  notification.Enabled = TRUE;
  kernel::call_driver(&driver(), callbacks::kNdisSetPollNotification, &adapter_, context_, notification_,
                      context_, &notification);
}

/// How many lists there are; a driver that says another number, or brings more than it was asked for, is
/// told.
ULONG Poll::judge(const char* what, const NET_BUFFER_LIST* chain, ULONG said, ULONG most) const {
  ULONG count = 0;
  for (const NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) ++count;
  if (said != NDIS_ANY_NUMBER_OF_NBLS && said != count)
    tell_breach("PollCount", driver(), "NdisPoll", adapter_.name(),
                fmt::format("it says that {} lists are {}, and the chain has {}", said, what, count));
  if (count > most)
    tell_breach("PollLimit", driver(), "NdisPoll", adapter_.name(),
                fmt::format("{} lists are {}, {} were asked for at most", count, what, most));
  return count;
}

}  // namespace undis
