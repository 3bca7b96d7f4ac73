// SPDX-License-Identifier: MIT
//
// Poll objects of NDIS 6.85 miniports.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/adapter.h"
#include "ndis/poll.h"

using namespace undis;

namespace {

Ref<Poll> find(const DdiCall& call, NDIS_POLL_HANDLE handle) {
  return call.find<Poll>("PollHandle", reinterpret_cast<NDIS_HANDLE>(handle), HandleKind::Poll);
}

}  // namespace

// Page    poll/nf-poll-ndisregisterpoll                              IRQL  PASSIVE_LEVEL
// Beyond  A driver of an NDIS before 6.85 gets STATUS_NOT_SUPPORTED.
NTSTATUS NdisRegisterPoll(NDIS_HANDLE NdisHandle, void* Context,
                          const NDIS_POLL_CHARACTERISTICS* Characteristics, NDIS_POLL_HANDLE* PollHandle) {
  const DdiCall call(Ddi::NdisRegisterPoll);
  if (PollHandle == nullptr) return STATUS_INVALID_PARAMETER;
  *PollHandle = nullptr;
  const Ref<Adapter> adapter = call.find<Adapter>("NdisHandle", NdisHandle, HandleKind::Adapter);
  if (!adapter || Characteristics == nullptr) return STATUS_INVALID_PARAMETER;
  if (!call.check_header(Characteristics->Header, NDIS_OBJECT_TYPE_DEFAULT,
                         NDIS_SIZEOF_NDIS_POLL_CHARACTERISTICS_REVISION_1, "Characteristics") ||
      Characteristics->PollHandler == nullptr || Characteristics->SetPollNotificationHandler == nullptr)
    return STATUS_INVALID_PARAMETER;
  const Version version = adapter->driver().version();
  if (version.major < 6 || (version.major == 6 && version.minor < 85)) return STATUS_NOT_SUPPORTED;
  if (call.fails()) return STATUS_INSUFFICIENT_RESOURCES;
  const Ref<Poll> poll(new Poll(*adapter, Context, *Characteristics));
  if (!Library::current().services().open(*poll)) return STATUS_INSUFFICIENT_RESOURCES;
  *PollHandle = reinterpret_cast<NDIS_POLL_HANDLE>(poll->handle());
  return STATUS_SUCCESS;
}

// Page    poll/nf-poll-ndisderegisterpoll                            IRQL  PASSIVE_LEVEL
VOID NdisDeregisterPoll(NDIS_POLL_HANDLE PollHandle) {
  const DdiCall call(Ddi::NdisDeregisterPoll);
  const Ref<Poll> poll = find(call, PollHandle);
  if (!poll) return;
  poll->stop();
  Library::current().services().close(*poll);
}

// Page    poll/nf-poll-ndisrequestpoll                               IRQL  any
VOID NdisRequestPoll(NDIS_POLL_HANDLE PollHandle, PVOID) {
  const DdiCall call(Ddi::NdisRequestPoll);
  if (const Ref<Poll> poll = find(call, PollHandle); poll) poll->request();
}

// Page    poll/nf-poll-ndissetpollaffinity                           IRQL  <= DISPATCH_LEVEL
VOID NdisSetPollAffinity(NDIS_POLL_HANDLE PollHandle, const PROCESSOR_NUMBER* PollAffinity) {
  const DdiCall call(Ddi::NdisSetPollAffinity);
  const Ref<Poll> poll = find(call, PollHandle);
  if (!poll) return;
  if (PollAffinity == nullptr || !poll->set_affinity(*PollAffinity))
    call.tell_breach("PollAffinity", poll->name(),
                     PollAffinity == nullptr ? std::string("PollAffinity is NULL")
                                             : fmt::format("there is no processor {} in group {}",
                                                           PollAffinity->Number, PollAffinity->Group));
}
