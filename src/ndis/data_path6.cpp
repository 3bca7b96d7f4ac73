// SPDX-License-Identifier: MIT
//
// Net buffer lists from 6.x protocols to miniports and back, and from 6.x miniports to protocols and back.
//
// Pages   ndis/nf-ndis-ndissendnetbufferlists, -ndismsendnetbufferlistscomplete,
// -ndismindicatereceivenetbufferlists,
//         -ndisreturnnetbufferlists; network/looping-back-ndis-packets
// Beyond  Several receiving bindings: the last 6.x one gets the miniport's list, the others lists of NDIS on
// the same MDLs. Where there
//         is no memory for one of these, its binding misses the frame.
#include "ndis/data_path.h"

#include <atomic>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/data_path_parts.h"
#include "ndis/nbl_data.h"
#include "ndis/nbl_pool.h"

namespace undis {
namespace data_path {

// ---- legs ----

constinit std::atomic<std::int64_t> stamped_legs{0};

static void count_leg(std::int64_t change) noexcept {
  if (!kernel::watches_all()) stamped_legs.fetch_add(change, std::memory_order_relaxed);
}

Hop* push(NblItem& item, Hop::Kind kind, Adapter* adapter, Binding* binding) noexcept {
  if (item.depth == kMaxHops) return nullptr;
  count_leg(1);
  item.used = true;
  Hop& hop = item.hops[item.depth++];
  hop = Hop{};
  hop.kind = kind;
  hop.adapter = adapter;
  hop.binding = binding;
  hop.source_handle = item.body()->SourceHandle;
  hop.out = 1;
  item.state = kind == Hop::Kind::Send ? ItemState::Sent : ItemState::Indicated;
  item.body()->NdisReserved[1] = &item;  // any address: is_stamped()
  return &hop;
}

void pop(NblItem& item) noexcept {
  count_leg(-1);
  Hop& hop = item.hops[--item.depth];
  item.body()->SourceHandle = hop.source_handle;
  hop.kind = Hop::Kind::None;
  if (item.depth == 0) {
    item.state = ItemState::Held;
    item.body()->NdisReserved[1] = nullptr;
    return;
  }
  item.state = item.top()->kind == Hop::Kind::Send ? ItemState::Sent : ItemState::Indicated;
}

bool may_give(NET_BUFFER_LIST* list, kernel::Driver& giver, const char* what) {
  const ItemFound found = find_item(ItemKind::NetBufferList, list);
  if (found != ItemFound::Live) {
    tell_item_misuse(ItemKind::NetBufferList, list, false,
                     found == ItemFound::Freed
                         ? fmt::format("the net buffer list that is {} was freed before", what)
                         : fmt::format("what is {} is no net buffer list out of a pool", what),
                     found == ItemFound::Freed ? item_of(list)->origin : kernel::Stack{});
    return false;
  }
  const NblItem& item = *item_of(list);
  // The plain way leaves no holder behind.
  if (!kernel::watches_all() && item.depth < kMaxHops) return true;
  const bool held = item.state == ItemState::Held
                        ? acts_for(&giver, item.holder)
                        : item.holder == &giver && !item.hops[item.depth - 1].resources;
  if (held && item.depth < kMaxHops) return true;
  tell_item_misuse(ItemKind::NetBufferList, list, false,
                   fmt::format("the net buffer list is {} by {}, but {} has it{}", what, giver.name(),
                               item.holder != nullptr ? item.holder->name() : "NDIS",
                               item.state == ItemState::Sent        ? ": it is sent and not completed"
                               : item.state == ItemState::Indicated ? ": it is indicated and not returned"
                                                                    : ""),
                   item.origin);
  return false;
}

namespace {

/// A list must say where it goes back to; NDIS goes by what it knows itself.
void check_source(NET_BUFFER_LIST* list, NDIS_HANDLE expected, const char* handle) {
  if (list->SourceHandle == expected) return;
  tell_item_misuse(ItemKind::NetBufferList, list, false,
                   fmt::format("SourceHandle is not the {} that is passed", handle), item_of(list)->origin);
}

}  // namespace

// ---- send ----

void call_send_complete(Binding& to, const Chain& chain, ULONG flags) {
  const InCall call(to.calls);
  to.sends.leave(chain.count);
  kernel::call_driver(&to.driver(), callbacks::kProtocolSendNetBufferListsComplete, &to, nullptr,
                      to.protocol().handlers6().SendNetBufferListsComplete, to.context(), chain.first, flags);
}

namespace {

void loop_back_chain(Binding& from, NET_BUFFER_LIST* chain, ULONG flags) {
  const bool to_self = NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK);
  if (!loops_back(from, to_self)) return;
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next)
    for (NET_BUFFER* buffer = list->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next)
      loop_back(from, frame_of(buffer), to_self);
}

}  // namespace

}  // namespace data_path

using namespace data_path;

void complete_net_buffer_lists(Adapter& by, NET_BUFFER_LIST* chain, ULONG flags) {
  Chain done;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    const ItemFound found = find_item(ItemKind::NetBufferList, list);
    if (found != ItemFound::Live) {
      tell_item_misuse(
          ItemKind::NetBufferList, list, found == ItemFound::Freed,
          found == ItemFound::Freed
              ? "the net buffer list that is completed was freed before: it was completed already"
              : "what is completed is no net buffer list out of a pool",
          found == ItemFound::Freed ? item_of(list)->origin : kernel::Stack{});
      break;  // nothing is known of the rest of the chain
    }
    NET_BUFFER_LIST* const next = list->Next;
    NblItem& item = *item_of(list);
    const Hop* const hop = item.top();
    if (hop == nullptr || hop->kind != Hop::Kind::Send || hop->adapter != &by || item.at != nullptr) {
      tell_item_misuse(
          ItemKind::NetBufferList, list, true,
          fmt::format(
              "the net buffer list that {} completes is not on its way through this adapter: {} has it",
              by.name(), item.holder != nullptr ? item.holder->name() : "NDIS"),
          item.origin);
      list = next;
      continue;
    }
    done.append(list);
    list = next;
  }
  if (done.count == 0) return;
  by.sends.leave(done.count);
  complete_up(by, nullptr, done.first, flags);
}

void send_net_buffer_lists(Binding& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  Adapter& adapter = from.adapter();
  kernel::Driver& driver = from.driver();
  Chain sent;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    if (!may_give(list, driver, "sent")) {
      if (find_item(ItemKind::NetBufferList, list) != ItemFound::Live) break;
      NET_BUFFER_LIST* const next = list->Next;
      if (item_of(list)->state != ItemState::Held) break;  // its links are not the sender's any more
      list = next;
      continue;
    }
    NET_BUFFER_LIST* const next = list->Next;
    check_source(list, from.handle(), "NdisBindingHandle");
    sent.append(list);
    list = next;
  }
  if (sent.count == 0) return;
  if (!from.sends.enter(sent.count)) {  // a close has begun between the look at the handle and now
    for (NET_BUFFER_LIST* list = sent.first; list != nullptr; list = list->Next)
      list->Status = NDIS_STATUS_PAUSED;
    kernel::call_driver(&driver, callbacks::kProtocolSendNetBufferListsComplete, &from, nullptr,
                        from.protocol().handlers6().SendNetBufferListsComplete, from.context(), sent.first,
                        0U);
    return;
  }
  const ULONG complete_flags =
      NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0U;
  if (!from.may_carry_data() || !adapter.may_carry_data()) {
    tell_send_while_paused(from);
    for (NET_BUFFER_LIST* list = sent.first; list != nullptr; list = list->Next)
      list->Status = adapter.refusal();
    call_send_complete(from, sent, complete_flags);
    return;
  }

  loop_back_chain(from, sent.first, flags);
  const char* const function = caller().function;
  FilterModule* const next = adapter.filters.first_send;
  kernel::Driver* const target = send_target(adapter, next);
  for (NET_BUFFER_LIST* list = sent.first; list != nullptr; list = list->Next) {
    NblItem& item = *item_of(list);
    push(item, Hop::Kind::Send, &adapter, &from);
    list->SourceHandle = from.handle();
    item.holder = target;
    item.at = next;
    tell_item(Library::current().observer(), ItemEvent::What::Sent, ItemKind::NetBufferList, list, &driver,
              target, function, from.name());
  }
  give_sends(adapter, next, sent, port, flags);
}

void cancel_net_buffer_lists(Binding& from, void* cancel_id) {
  cancel_sends_below(from.adapter(), nullptr, cancel_id);
}

}  // namespace undis
