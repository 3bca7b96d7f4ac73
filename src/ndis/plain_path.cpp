// SPDX-License-Identifier: MIT
//
// The plain way: who is next, how many lists, the call. See plain_path.h.
//
// Order   a gate that keeps the next one is entered before the one that kept the last is left, all in one
// section;
//         the section is over before the driver is called. After the call only the gate of that call is left.
#include "ndis/plain_path.h"

#include <atomic>
#include <utility>
#include <vector>

#include "kernel/driver.h"
#include "kernel/thread.h"
#include "machine/section.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/filter_module.h"

namespace undis::plain {
namespace {

using data_path::Chain;
using machine::Section;

/// The call that is next: made in a section, carried out after it.
template <class... A>
struct Step {
  Gate* calls = nullptr;  ///< entered; nullptr: nobody is called
  kernel::Driver* driver = nullptr;
  const kernel::CallbackInfo* info = nullptr;
  const void* object = nullptr;
  void* context = nullptr;
  kernel::callback<VOID(NDIS_HANDLE, PNET_BUFFER_LIST, A...)> handler;

  explicit operator bool() const noexcept { return calls != nullptr; }

  /// What remains of kernel::call_driver: whose code runs is on the thread's chain of calls.
  void take(NET_BUFFER_LIST* chain, A... args) const {
    if (kernel::watch() == kernel::Watch::Holder) item_of(chain)->holder = driver;
    kernel::Thread& thread = kernel::Thread::current();
    kernel::CallFrame frame;
    frame.name = info->name;
    frame.driver = driver;
    frame.object = object;
    frame.irql = machine::processor_here->irql;
    frame.spin_locks = thread.spin_locks();
    frame.up = thread.calls;
    thread.calls = &frame;
    handler(context, chain, args...);
    thread.calls = frame.up;
    calls->leave();
  }
};
using SendStep = Step<NDIS_PORT_NUMBER, ULONG>;
using ReceiveStep = Step<NDIS_PORT_NUMBER, ULONG, ULONG>;
using BackStep = Step<ULONG>;  ///< completions and returns

template <class S, class H>
S step_to(Gate& calls, kernel::Driver& driver, const kernel::CallbackInfo& info, const void* object,
          void* context, const H& handler) noexcept {
  calls.add(1);
  return S{&calls, &driver, &info, object, context, handler};
}

template <class S, class H>
S step_to(FilterModule& module, const kernel::CallbackInfo& info, const H& handler) noexcept {
  return step_to<S>(module.calls, module.driver(), info, &module, module.context(), handler);
}

template <class S, class H>
S step_to(Adapter& adapter, const kernel::CallbackInfo& info, const H& handler) noexcept {
  return step_to<S>(adapter.calls, adapter.driver().driver(), info, &adapter, adapter.context(), handler);
}

template <class S, class H>
S step_to(Binding& binding, const kernel::CallbackInfo& info, const H& handler) noexcept {
  return step_to<S>(binding.calls, binding.driver(), info, &binding, binding.context(), handler);
}

/// Says in each list whose it is. The number of lists; 0: one is on the stamped way.
ULONG claim(NET_BUFFER_LIST* chain, NDIS_HANDLE source) noexcept {
  ULONG count = 0;
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
    if (is_stamped(list)) [[unlikely]]
      return 0;
    list->SourceHandle = source;
    ++count;
  }
  return count;
}

/// The lists at the front of a chain that are of the same source and on the plain way.
struct Run {
  ULONG count = 0;
  NET_BUFFER_LIST* last = nullptr;
};
Run run_at(NET_BUFFER_LIST* chain) noexcept {
  Run run;
  const NDIS_HANDLE source = chain->SourceHandle;
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
    if (list->SourceHandle != source || is_stamped(list)) break;
    ++run.count;
    run.last = list;
  }
  return run;
}

/// Takes those that are on the stamped way out of a chain.
Chain take_stamped(NET_BUFFER_LIST*& chain) noexcept {
  Chain stamped;
  Chain plain;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    NET_BUFFER_LIST* const next = list->Next;
    (is_stamped(list) ? stamped : plain).append(list);
    list = next;
  }
  chain = plain.first;
  return stamped;
}

ULONG length(const NET_BUFFER_LIST* chain) noexcept {
  ULONG count = 0;
  for (; chain != nullptr; chain = chain->Next) ++count;
  return count;
}

bool any_stamped(const NET_BUFFER_LIST* chain) noexcept {
  for (; chain != nullptr; chain = chain->Next)
    if (is_stamped(chain)) return true;
  return false;
}

/// A chain that a filter passes on, whose first list is on the stamped way: `pass` the others, return those.
template <class Pass>
NET_BUFFER_LIST* after_stamped(NET_BUFFER_LIST* chain, Pass pass) {
  const Chain stamped = take_stamped(chain);
  if (chain != nullptr) pass(chain);
  return stamped.first;
}

void tell_lost(NET_BUFFER_LIST* list, const char* function, const char* why) {
  Library::current().observer().on(ItemMisuse{kernel::current_driver(), function, ItemKind::NetBufferList,
                                              list, "NblMisuse", why, kernel::Stack::capture(1)});
}

/// Its own again, without a call: it has no handler for them (docs/decisions.md#filter-ways).
bool is_of_filter(const NET_BUFFER_LIST* chain) noexcept {
  return HandleTable::peek<FilterModule>(chain->SourceHandle, HandleKind::FilterModule) != nullptr;
}

// ---- sends: down ----

/// Whether somebody may have to be shown what is sent.
bool may_loop_back(const Adapter& adapter, ULONG flags) noexcept {
  if ((adapter.traits().mac_options & NDIS_MAC_OPTION_NO_LOOPBACK) == 0) [[likely]]
    return false;
  return NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK) || adapter.bindings_now().size() > 1;
}

/// To `next`, or (nullptr) to the miniport. Nobody: the adapter takes nothing now. `count` 0: not known yet.
SendStep step_down(Adapter& adapter, FilterModule* next, NET_BUFFER_LIST* chain, ULONG count) noexcept {
  if (next != nullptr)
    return step_to<SendStep>(*next, callbacks::kFilterSendNetBufferLists, next->data().Send);
  if (!adapter.carries_lists()) return {};
  if (count == 0)
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
      if (is_stamped(list)) item_of(list)->at = nullptr;
      ++count;
    }
  if (!adapter.sends.enter(count)) return {};
  return step_to<SendStep>(adapter, callbacks::kMiniportSendNetBufferLists,
                           adapter.driver().handlers6().SendNetBufferLists);
}

void complete_up(const Adapter& adapter, FilterModule* next, NET_BUFFER_LIST* chain, ULONG flags);

ULONG completed_flags(ULONG send_flags) noexcept {
  return NDIS_TEST_SEND_AT_DISPATCH_LEVEL(send_flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0U;
}

void refuse(Adapter& adapter, NET_BUFFER_LIST* chain, ULONG flags) {
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) list->Status = NDIS_STATUS_PAUSED;
  if (const Chain stamped = take_stamped(chain); stamped.count != 0)
    data_path::complete_up(adapter, nullptr, stamped.first, completed_flags(flags));
  if (chain != nullptr) complete_up(adapter, adapter.filters.first_complete, chain, completed_flags(flags));
}

// ---- sends: completions up ----

/// Those at the front of the chain that one binding sent. Nobody: SourceHandle names none of
/// `adapter`, which may be gone.
BackStep step_to_sender(const Adapter* adapter, NET_BUFFER_LIST* chain, ULONG count) noexcept {
  auto* const to = HandleTable::peek<Binding>(chain->SourceHandle, HandleKind::Binding);
  if (to == nullptr || &to->adapter() != adapter) return {};
  BackStep step = step_to<BackStep>(*to, callbacks::kProtocolSendNetBufferListsComplete,
                                    to->protocol().handlers6().SendNetBufferListsComplete);
  to->sends.leave(count);
  return step;
}

void complete_to_senders(const Adapter* adapter, NET_BUFFER_LIST* chain, ULONG flags) {
  while (chain != nullptr) {
    const Run run = run_at(chain);
    NET_BUFFER_LIST* const rest = std::exchange(run.last->Next, nullptr);
    BackStep step;
    {
      const Section section;
      step = step_to_sender(adapter, chain, run.count);
    }
    if (step) {
      step.take(chain, flags);
    } else if (!is_of_filter(chain)) {
      tell_lost(chain, "NdisMSendNetBufferListsComplete",
                "SourceHandle of a net buffer list that is completed is no open binding to this adapter: an "
                "intermediate driver restores it, see network/sending-network-data");
    }
    chain = rest;
  }
}

/// Lists without stamped ones. `next`: the filter module that gets them, nullptr: their senders.
void complete_up(const Adapter& adapter, FilterModule* next, NET_BUFFER_LIST* chain, ULONG flags) {
  if (next == nullptr) {
    complete_to_senders(&adapter, chain, flags);
    return;
  }
  BackStep step;
  {
    const Section section;
    step = step_to<BackStep>(*next, callbacks::kFilterSendNetBufferListsComplete, next->data().SendComplete);
  }
  step.take(chain, flags);
}

// ---- receives: up ----

/// Whether every list is for that binding.
bool accepts_all(const Binding& to, const NET_BUFFER_LIST* chain) noexcept {
  if ((std::atomic_ref(const_cast<ULONG&>(to.packet_filter)).load(std::memory_order_relaxed) &
       NDIS_PACKET_TYPE_PROMISCUOUS) != 0)
    return true;
  for (; chain != nullptr; chain = chain->Next) {
    if (chain->FirstNetBuffer == nullptr) return false;
    if (!data_path::accepts(to, data_path::destination(data_path::frame_of(chain->FirstNetBuffer))))
      return false;
  }
  return true;
}

/// The binding that takes all of it, if there is just one, of 6.x. nullptr: it is not as simple as that.
Binding* only_receiver(const Adapter& adapter, const NET_BUFFER_LIST* chain) noexcept {
  Binding* only = nullptr;
  for (Binding* const binding : adapter.bindings_now()) {
    if (std::atomic_ref(binding->packet_filter).load(std::memory_order_relaxed) == 0) continue;
    if (only != nullptr || !binding->carries_lists()) return nullptr;
    only = binding;
  }
  return only != nullptr && accepts_all(*only, chain) ? only : nullptr;
}

ReceiveStep step_to_receiver(Binding& to, ULONG count) noexcept {
  to.receives.add(count);
  return step_to<ReceiveStep>(to, callbacks::kProtocolReceiveNetBufferLists,
                              to.protocol().handlers6().ReceiveNetBufferLists);
}

ReceiveStep step_up(FilterModule& next) noexcept {
  return step_to<ReceiveStep>(next, callbacks::kFilterReceiveNetBufferLists, next.data().Receive);
}

/// Puts a list that came the plain way to `at`, from below or its own, on the stamped one.
void stamp(NET_BUFFER_LIST* list, FilterModule& at, FilterModule* origin) noexcept {
  NblItem& item = *item_of(list);
  data_path::push(item, Hop::Kind::Receive, &at.adapter(), nullptr)->module = origin;
  item.at = &at;
  item.holder = &at.driver();
}

/// The bindings above are more than the plain way can serve.
void stamp_for_bindings(FilterModule& at, NET_BUFFER_LIST* chain) noexcept {
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
    if (is_stamped(list)) continue;
    auto* const origin = HandleTable::peek<FilterModule>(list->SourceHandle, HandleKind::FilterModule);
    stamp(list, at, origin);
    if (origin != nullptr) origin->own_receives.add(1);
  }
}

/// Lists that are the filter's again when the call returns: stamped for as long.
void show(FilterModule& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count, ULONG flags) {
  std::vector<NET_BUFFER_LIST*> lists;
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
    if (is_stamped(list)) continue;
    stamp(list, from, nullptr);
    lists.push_back(list);
  }
  undis::filter_indicate(from, chain, port, count, flags);
  for (NET_BUFFER_LIST* list : lists) {
    data_path::pop(*item_of(list));
    item_of(list)->at = nullptr;
  }
}

// ---- receives: returns down ----

void return_to_miniport(Adapter& adapter, NET_BUFFER_LIST* chain, ULONG flags) {
  while (chain != nullptr) {
    const Run run = run_at(chain);
    NET_BUFFER_LIST* const rest = std::exchange(run.last->Next, nullptr);
    if (chain->SourceHandle != adapter.handle()) {
      if (!is_of_filter(chain))
        tell_lost(chain, "NdisReturnNetBufferLists",
                  "SourceHandle of a net buffer list that is returned is not of this adapter: whose it is "
                  "cannot be told");
      chain = rest;
      continue;
    }
    BackStep step;
    {
      const Section section;
      step = step_to<BackStep>(adapter, callbacks::kMiniportReturnNetBufferLists,
                               adapter.driver().handlers6().ReturnNetBufferLists);
      adapter.receives.leave(run.count);
    }
    step.take(chain, flags);
    chain = rest;
  }
}

void return_down(Adapter& adapter, FilterModule* next, NET_BUFFER_LIST* chain, ULONG flags) {
  if (next == nullptr) {
    return_to_miniport(adapter, chain, flags);
    return;
  }
  BackStep step;
  {
    const Section section;
    step = step_to<BackStep>(*next, callbacks::kFilterReturnNetBufferLists, next->data().Return);
  }
  step.take(chain, flags);
}

}  // namespace

// ---- what protocols and miniports call ----

NET_BUFFER_LIST* send(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  kernel::schedule_point("NdisSendNetBufferLists");
  Adapter* adapter = nullptr;
  SendStep step;
  {
    const Section section;
    auto* const from = HandleTable::peek<Binding>(binding, HandleKind::Binding);
    if (from == nullptr || !from->carries_lists()) return chain;
    adapter = &from->adapter();
    if (!adapter->carries_lists() || adapter->attended != 0 || may_loop_back(*adapter, flags)) return chain;
    const ULONG count = claim(chain, binding);
    if (count == 0) return chain;
    from->sends.add(count);
    step = step_down(*adapter, adapter->filters.first_send, chain, count);
  }
  if (step) {
    step.take(chain, port, flags & ~static_cast<ULONG>(NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK));
  } else {
    refuse(*adapter, chain, flags);
  }
  return nullptr;
}

NET_BUFFER_LIST* complete(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, ULONG flags) {
  if (chain == nullptr) return nullptr;
  BackStep step;
  Chain stamped;
  const Adapter* by = nullptr;
  {
    const Section section;
    auto* const at = HandleTable::peek<Adapter>(adapter, HandleKind::Adapter);
    if (at == nullptr || !at->is_version6()) return chain;
    by = at;
    FilterModule* const next = at->filters.first_complete;
    Run run = run_at(chain);
    const bool simple = run.last != nullptr && run.last->Next == nullptr;
    if (!simple) {  // of several senders, or of both ways
      stamped = take_stamped(chain);
      if (chain == nullptr) return stamped.first;
      run.count = length(chain);
    }
    if (next != nullptr) {
      step =
          step_to<BackStep>(*next, callbacks::kFilterSendNetBufferListsComplete, next->data().SendComplete);
    } else if (simple) {
      step = step_to_sender(at, chain, run.count);
    }
    at->sends.leave(run.count);
  }
  if (step) {
    step.take(chain, flags);
  } else {
    complete_to_senders(by, chain, flags);
  }
  return stamped.first;
}

NET_BUFFER_LIST* indicate(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  kernel::schedule_point("NdisMIndicateReceiveNetBufferLists");
  if (NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) return chain;
  ULONG count = 0;
  ReceiveStep step;
  {
    const Section section;
    auto* const by = HandleTable::peek<Adapter>(adapter, HandleKind::Adapter);
    if (by == nullptr || !by->carries_lists() || by->attended != 0) return chain;
    FilterModule* const next = by->filters.first_receive;
    Binding* const to = next == nullptr ? only_receiver(*by, chain) : nullptr;
    if (next == nullptr && to == nullptr) return chain;
    count = claim(chain, adapter);
    if (count == 0) return chain;
    if (!by->receives.enter(count)) return chain;
    step = next != nullptr ? step_up(*next) : step_to_receiver(*to, count);
  }
  step.take(chain, port, count, flags);
  return nullptr;
}

NET_BUFFER_LIST* give_back(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, ULONG flags) {
  if (chain == nullptr) return nullptr;
  Chain stamped;
  BackStep step;
  Adapter* adapter = nullptr;
  {
    const Section section;
    auto* const from = HandleTable::peek<Binding>(binding, HandleKind::Binding);
    if (from == nullptr || !from->is_version6()) return chain;
    adapter = &from->adapter();
    FilterModule* const next = adapter->filters.first_return;
    Run run = run_at(chain);
    const bool simple = run.last != nullptr && run.last->Next == nullptr;
    if (!simple) {
      stamped = take_stamped(chain);
      if (chain == nullptr) return stamped.first;
      run.count = length(chain);
    }
    if (next != nullptr) {
      step = step_to<BackStep>(*next, callbacks::kFilterReturnNetBufferLists, next->data().Return);
    } else if (simple && chain->SourceHandle == adapter->handle()) {
      step = step_to<BackStep>(*adapter, callbacks::kMiniportReturnNetBufferLists,
                               adapter->driver().handlers6().ReturnNetBufferLists);
      adapter->receives.leave(run.count);
    }
    from->receives.leave(run.count);
  }
  if (step) {
    step.take(chain, flags);
  } else {
    return_to_miniport(*adapter, chain, flags);
  }
  return stamped.first;
}

// ---- what filters call ----

NET_BUFFER_LIST* filter_send(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  if (chain == nullptr) return nullptr;
  if (is_stamped(chain))
    return after_stamped(chain, [&](NET_BUFFER_LIST* rest) { filter_send(module, rest, port, flags); });
  Adapter* adapter = nullptr;
  SendStep step;
  {
    const Section section;
    auto* const from = HandleTable::peek<FilterModule>(module, HandleKind::FilterModule);
    if (from == nullptr) return chain;
    adapter = &from->adapter();
    if (!adapter->is_version6()) return chain;
    step = step_down(*adapter, from->next_send, chain, 0);
  }
  if (step) {
    step.take(chain, port, flags);
  } else {
    refuse(*adapter, chain, flags);
  }
  return nullptr;
}

NET_BUFFER_LIST* filter_complete(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags) {
  if (chain == nullptr) return nullptr;
  if (is_stamped(chain))
    return after_stamped(chain, [&](NET_BUFFER_LIST* rest) { filter_complete(module, rest, flags); });
  BackStep step;
  const Adapter* adapter = nullptr;
  {
    const Section section;
    auto* const from = HandleTable::peek<FilterModule>(module, HandleKind::FilterModule);
    if (from == nullptr) return chain;
    adapter = &from->adapter();
    if (FilterModule* const next = from->next_complete; next != nullptr)
      step =
          step_to<BackStep>(*next, callbacks::kFilterSendNetBufferListsComplete, next->data().SendComplete);
  }
  if (step) {
    step.take(chain, flags);
    return nullptr;
  }
  const Chain stamped = any_stamped(chain) ? take_stamped(chain) : Chain{};
  complete_to_senders(adapter, chain, flags);
  return stamped.first;
}

NET_BUFFER_LIST* filter_indicate(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port,
                                 ULONG count, ULONG flags) {
  if (chain == nullptr) return nullptr;
  if (is_stamped(chain))
    return after_stamped(
        chain, [&](NET_BUFFER_LIST* rest) { filter_indicate(module, rest, port, length(rest), flags); });
  ReceiveStep step;
  Ref<FilterModule> shows;
  {
    const Section section;
    auto* const from = HandleTable::peek<FilterModule>(module, HandleKind::FilterModule);
    if (from == nullptr) return chain;
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) {
      shows = Ref<FilterModule>(from);
    } else if (FilterModule* const next = from->next_receive; next != nullptr) {
      step = step_up(*next);
    } else if (Binding* const to = any_stamped(chain) ? nullptr : only_receiver(from->adapter(), chain);
               to != nullptr) {
      count = length(chain);
      step = step_to_receiver(*to, count);
    } else {
      stamp_for_bindings(*from, chain);
      return chain;
    }
  }
  if (shows) {
    show(*shows, chain, port, count, flags);
  } else {
    step.take(chain, port, count, flags);
  }
  return nullptr;
}

NET_BUFFER_LIST* filter_return(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags) {
  if (chain == nullptr) return nullptr;
  if (is_stamped(chain))
    return after_stamped(chain, [&](NET_BUFFER_LIST* rest) { filter_return(module, rest, flags); });
  Adapter* adapter = nullptr;
  FilterModule* next = nullptr;
  {
    const Section section;
    auto* const from = HandleTable::peek<FilterModule>(module, HandleKind::FilterModule);
    if (from == nullptr) return chain;
    adapter = &from->adapter();
    next = from->next_return;
  }
  const Chain stamped = next == nullptr && any_stamped(chain) ? take_stamped(chain) : Chain{};
  return_down(*adapter, next, chain, flags);
  return stamped.first;
}

}  // namespace undis::plain
