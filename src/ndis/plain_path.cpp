// SPDX-License-Identifier: MIT
//
// The plain way: who is next, how many lists, the call. See plain_path.h.
//
// Walks   While no list at all is on the stamped way, and there is one binding, no chain is walked: its first
// list says whose all are.
#include "ndis/plain_path.h"

#include <atomic>
#include <utility>
#include <vector>

#include "kernel/driver.h"
#include "kernel/thread.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/filter_module.h"
#include "ndis/next_way.h"
#include "ndis/visit.h"

namespace undis::plain {
namespace {

using data_path::Chain;

template <class... A>
void take(const Way& way, NET_BUFFER_LIST* chain, A... args) {
  if (kernel::watch() == kernel::Watch::Holder) item_of(chain)->holder = way.frame.driver;
  kernel::CallFrame frame = way.frame;
  const kernel::FrameScope scope(frame);
  way.call(chain, args...);
}

/// Says in each list whose it is, unless its driver did. False: there is none, or one is on the stamped way.
bool claim(NET_BUFFER_LIST* chain, NDIS_HANDLE source) noexcept {
  if (chain == nullptr) return false;
  if (none_stamped() && chain->SourceHandle == source) [[likely]]
    return true;
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
    if (is_stamped(list)) [[unlikely]]
      return false;
    list->SourceHandle = source;
  }
  return true;
}

/// The last of those at the front of a chain of plain lists that are of one source.
NET_BUFFER_LIST* end_of_run(NET_BUFFER_LIST* chain) noexcept {
  while (chain->Next != nullptr && chain->Next->SourceHandle == chain->SourceHandle) chain = chain->Next;
  return chain;
}

/// Leaves in `chain` those that are on the stamped way. The others.
[[gnu::noinline]] NET_BUFFER_LIST* sort_out(NET_BUFFER_LIST*& chain) noexcept {
  Chain stamped;
  Chain plain;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    NET_BUFFER_LIST* const next = list->Next;
    (is_stamped(list) ? stamped : plain).append(list);
    list = next;
  }
  chain = stamped.first;
  return plain.first;
}
NET_BUFFER_LIST* take_plain(NET_BUFFER_LIST*& chain) noexcept {
  if (none_stamped()) [[likely]]
    return std::exchange(chain, nullptr);
  return sort_out(chain);
}
/// The same where what comes next can take both: all of it if the first is plain.
NET_BUFFER_LIST* take_plain_if_first(NET_BUFFER_LIST*& chain) noexcept {
  if (none_stamped() || chain == nullptr || !is_stamped(chain)) [[likely]]
    return std::exchange(chain, nullptr);
  return sort_out(chain);
}
/// Puts `first` before `chain`.
void join(NET_BUFFER_LIST* first, NET_BUFFER_LIST*& chain) noexcept {
  NET_BUFFER_LIST* last = first;
  while (last->Next != nullptr) last = last->Next;
  last->Next = chain;
  chain = first;
}

ULONG length(const NET_BUFFER_LIST* chain) noexcept {
  ULONG count = 0;
  for (; chain != nullptr; chain = chain->Next) ++count;
  return count;
}

bool any_stamped(const NET_BUFFER_LIST* chain) noexcept {
  if (none_stamped()) [[likely]]
    return false;
  for (; chain != nullptr; chain = chain->Next)
    if (is_stamped(chain)) return true;
  return false;
}

void tell_lost(NET_BUFFER_LIST* list, const char* function, const char* why) {
  Library::current().observer().on(ItemMisuse{kernel::current_driver(), function, ItemKind::NetBufferList,
                                              list, "NblMisuse", why, kernel::Stack::capture(1)});
}

/// Its own again, without a call: it has no handler for them (docs/decisions.md#filter-ways).
bool is_of_filter(const NET_BUFFER_LIST* chain) noexcept {
  return HandleTable::is_open(chain->SourceHandle, HandleKind::FilterModule);
}

// ---- sends: down ----

bool takes_plain(const Adapter& adapter) noexcept {
  return adapter.carries_lists() && adapter.attended.load(std::memory_order_relaxed) == 0;
}

/// Whether somebody may have to be shown what is sent.
bool may_loop_back(const Adapter& adapter, ULONG flags) noexcept {
  if ((adapter.traits().mac_options & NDIS_MAC_OPTION_NO_LOOPBACK) == 0) [[likely]]
    return false;
  return NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK) || adapter.bindings_now().size() > 1;
}

/// To `next`, or (nullptr) to the miniport. Nobody: the adapter takes nothing now.
Way way_down(Adapter& adapter, FilterModule* next, NET_BUFFER_LIST* chain) noexcept {
  if (next == nullptr && !adapter.carries_lists()) return {};
  if (next == nullptr && !none_stamped())
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next)
      if (is_stamped(list)) {
        item_of(list)->at = nullptr;
        adapter.sends.add(1);  // as the stamped way counts it
      }
  return next_down(adapter, next);
}

void complete_up(const Adapter& adapter, FilterModule* next, NET_BUFFER_LIST* chain, ULONG flags);

ULONG completed_flags(ULONG send_flags) noexcept {
  return NDIS_TEST_SEND_AT_DISPATCH_LEVEL(send_flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0U;
}

[[gnu::noinline]] void refuse(Adapter& adapter, NET_BUFFER_LIST* chain, ULONG flags) {
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) list->Status = NDIS_STATUS_PAUSED;
  NET_BUFFER_LIST* const plain = take_plain(chain);
  if (chain != nullptr) data_path::complete_up(adapter, nullptr, chain, completed_flags(flags));
  if (plain != nullptr) complete_up(adapter, adapter.filters.first_complete, plain, completed_flags(flags));
}

// ---- sends: completions up ----

/// The binding that the first list of the chain names as its sender, if it is one to `adapter`.
const Binding* sender_of(const Adapter& adapter, const NET_BUFFER_LIST* chain) noexcept {
  return HandleTable::find_in<const Binding>(adapter.passage, chain->SourceHandle, HandleKind::Binding);
}

/// Whether the first list speaks for the whole chain: all are plain, and one binding is all that there is.
bool is_of_only_binding(const Adapter& adapter, const NET_BUFFER_LIST* chain) noexcept {
  const std::span<Binding* const> bindings = adapter.bindings_now();
  return none_stamped() && bindings.size() == 1 && bindings[0]->handle() == chain->SourceHandle;
}

void complete_to_senders(const Adapter& adapter, NET_BUFFER_LIST* chain, ULONG flags) {
  if (is_of_only_binding(adapter, chain)) [[likely]] {
    if (const Binding* const to = sender_of(adapter, chain))
      return take(next_back_up(nullptr, to), chain, flags);
  }
  while (chain != nullptr) {
    NET_BUFFER_LIST* const rest = std::exchange(end_of_run(chain)->Next, nullptr);
    if (const Binding* const to = sender_of(adapter, chain)) {
      take(next_back_up(nullptr, to), chain, flags);
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
    complete_to_senders(adapter, chain, flags);
    return;
  }
  take(next_back_up(next, nullptr), chain, flags);
}

// ---- receives: up ----

/// The binding that takes all of it, if there is just one, of 6.x. nullptr: it is not as simple as that.
/// Where no other binding asks for anything, what the miniport lets through is what this one has asked for
/// (docs/decisions.md#watch-levels).
Binding* only_receiver(const Adapter& adapter) noexcept {
  Binding* only = nullptr;
  for (Binding* const binding : adapter.bindings_now()) {
    if (binding->packet_filter.load(std::memory_order_relaxed) == 0) continue;
    if (only != nullptr || !binding->carries_lists()) return nullptr;
    only = binding;
  }
  return only;
}

/// To `next`, or (nullptr) to the binding that takes it all. Nobody: it is not as simple as that.
Way way_up(const Adapter& adapter, FilterModule* next) noexcept {
  return next_up(next, next != nullptr ? nullptr : only_receiver(adapter));
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
    auto* const origin = HandleTable::find_in<FilterModule>(at.adapter().passage, list->SourceHandle,
                                                            HandleKind::FilterModule);
    stamp(list, at, origin);
    (origin != nullptr ? origin->own_receives : at.adapter().receives).add(1);  // from here on it is counted
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
  const Way down = next_back_down(adapter, nullptr);
  if (none_stamped() && chain->SourceHandle == adapter.handle()) [[likely]]
    return take(down, chain, flags);
  while (chain != nullptr) {
    NET_BUFFER_LIST* const rest = std::exchange(end_of_run(chain)->Next, nullptr);
    if (chain->SourceHandle != adapter.handle()) {
      if (!is_of_filter(chain))
        tell_lost(chain, "NdisReturnNetBufferLists",
                  "SourceHandle of a net buffer list that is returned is not of this adapter: whose it is "
                  "cannot be told");
      chain = rest;
      continue;
    }
    take(down, chain, flags);
    chain = rest;
  }
}

void return_down(Adapter& adapter, FilterModule* next, NET_BUFFER_LIST* chain, ULONG flags) {
  if (next == nullptr) {
    return_to_miniport(adapter, chain, flags);
    return;
  }
  take(next_back_down(adapter, next), chain, flags);
}

}  // namespace

// ---- what protocols and miniports call ----

void send(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags, Send* stamped) {
  const bool done = visit<const Binding>(binding, HandleKind::Binding, [&](const Binding& from) {
    if (!from.carries_lists()) return false;
    Adapter& adapter = from.adapter();
    if (!takes_plain(adapter) || may_loop_back(adapter, flags) || !claim(chain, binding)) return false;
    adapter.ways.note_sender(from);
    if (const Way way = way_down(adapter, adapter.filters.first_send, chain); way.handler != nullptr) {
      take(way, chain, port, flags & ~static_cast<ULONG>(NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK));
    } else {
      refuse(adapter, chain, flags);
    }
    return true;
  });
  if (!done) stamped(binding, chain, port, flags);
}

void complete(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped) {
  const bool done = visit<const Adapter>(adapter, HandleKind::Adapter, [&](const Adapter& by) {
    if (!by.is_version6()) return false;
    if (NET_BUFFER_LIST* const plain = take_plain(chain))
      complete_up(by, by.filters.first_complete, plain, flags);
    return chain == nullptr;
  });
  if (!done) stamped(adapter, chain, flags);
}

void indicate(NDIS_HANDLE adapter, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count, ULONG flags,
              Receive* stamped) {
  const bool done = visit<const Adapter>(adapter, HandleKind::Adapter, [&](const Adapter& by) {
    if (!takes_plain(by) || NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) return false;
    const Way way = way_up(by, by.filters.first_receive);
    if (way.handler == nullptr || !claim(chain, adapter)) return false;
    take(way, chain, port, count, flags);
    return true;
  });
  if (!done) stamped(adapter, chain, port, count, flags);
}

void give_back(NDIS_HANDLE binding, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped) {
  const bool done = visit<const Binding>(binding, HandleKind::Binding, [&](const Binding& from) {
    if (!from.is_version6()) return false;
    Adapter& adapter = from.adapter();
    if (NET_BUFFER_LIST* const plain = take_plain(chain))
      return_down(adapter, adapter.filters.first_return, plain, flags);
    return chain == nullptr;
  });
  if (!done) stamped(binding, chain, flags);
}

// ---- what filters call ----

void filter_send(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags,
                 Send* stamped) {
  const bool done =
      visit<const FilterModule>(module, HandleKind::FilterModule, [&](const FilterModule& from) {
        Adapter& adapter = from.adapter();
        if (!adapter.is_version6()) return false;
        if (NET_BUFFER_LIST* const plain = take_plain_if_first(chain)) {
          if (const Way way = way_down(adapter, from.next_send, plain); way.handler != nullptr) {
            take(way, plain, port, flags);
          } else {
            refuse(adapter, plain, flags);
          }
        }
        return chain == nullptr;
      });
  if (!done) stamped(module, chain, port, flags);
}

void filter_complete(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped) {
  const bool done =
      visit<const FilterModule>(module, HandleKind::FilterModule, [&](const FilterModule& from) {
        FilterModule* const next = from.next_complete;
        if (NET_BUFFER_LIST* const plain = next == nullptr ? take_plain(chain) : take_plain_if_first(chain))
          complete_up(from.adapter(), next, plain, flags);
        return chain == nullptr;
      });
  if (!done) stamped(module, chain, flags);
}

void filter_indicate(NDIS_HANDLE module, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count,
                     ULONG flags, Receive* stamped) {
  const bool done = visit<FilterModule>(module, HandleKind::FilterModule, [&](FilterModule& from) {
    NET_BUFFER_LIST* plain = take_plain_if_first(chain);
    if (plain == nullptr) return chain == nullptr;
    if (chain != nullptr) count = length(plain);
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) {
      show(from, plain, port, count, flags);
    } else if (FilterModule* const next = from.next_receive; next != nullptr) {
      take(next_up(next, nullptr), plain, port, count, flags);
    } else if (const Way way = any_stamped(plain) ? Way{} : way_up(from.adapter(), nullptr);
               way.handler != nullptr) {
      take(way, plain, port, count, flags);
    } else {
      stamp_for_bindings(from, plain);
      join(plain, chain);
    }
    return chain == nullptr;
  });
  if (!done) stamped(module, chain, port, count, flags);
}

void filter_return(NDIS_HANDLE module, NET_BUFFER_LIST* chain, ULONG flags, Back* stamped) {
  const bool done =
      visit<const FilterModule>(module, HandleKind::FilterModule, [&](const FilterModule& from) {
        FilterModule* const next = from.next_return;
        if (NET_BUFFER_LIST* const plain = next == nullptr ? take_plain(chain) : take_plain_if_first(chain))
          return_down(from.adapter(), next, plain, flags);
        return chain == nullptr;
      });
  if (!done) stamped(module, chain, flags);
}

}  // namespace undis::plain
