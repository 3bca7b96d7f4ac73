// SPDX-License-Identifier: MIT
//
// Receive indications of 6.x miniports, and what comes back of them.
//
// Pages   ndis/nf-ndis-ndismindicatereceivenetbufferlists, ndis/nf-ndis-ndisreturnnetbufferlists
#include <algorithm>
#include <atomic>
#include <cstring>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/nbl_data.h"
#include "ndis/nbl_pool.h"

namespace undis {
namespace data_path {
namespace {

Observer& observer() {
  return Library::current().observer();
}

/// A list of NDIS that stands for `original` on one more binding; nullptr: no memory.
NET_BUFFER_LIST* stand_in(NET_BUFFER_LIST* original) noexcept {
  NET_BUFFER_LIST* const list = clone(nullptr, original, nullptr, nullptr, true);
  if (list == nullptr) return nullptr;
  item_of(list)->parent = item_of(original);
  item_of(list)->parent_hop = static_cast<std::uint8_t>(item_of(original)->depth - 1);
  std::memcpy(list->NetBufferListInfo, original->NetBufferListInfo, sizeof(list->NetBufferListInfo));
  list->NblFlags = original->NblFlags;
  list->Status = original->Status;
  list->SourceHandle = original->SourceHandle;
  return list;
}

struct Target {
  Ref<Binding> binding;
  Chain chain;                          // 6.x
  std::vector<NET_BUFFER_LIST*> lists;  // 5.x: the originals
};

void indicated(NET_BUFFER_LIST* list, Binding& to, kernel::Driver* from, const char* function) {
  NblItem& item = *item_of(list);
  item.top()->binding = &to;
  item.holder = &to.driver();
  tell_item(observer(), ItemEvent::What::Indicated, ItemKind::NetBufferList, list, from, &to.driver(),
            function, to.name());
}

}  // namespace

bool call_receive(Binding& to, const Chain& chain, NDIS_PORT_NUMBER port, ULONG flags) {
  const InCall call(to.calls);
  if (!call) return false;
  kernel::call_driver(&to.driver(), callbacks::kProtocolReceiveNetBufferLists, &to, nullptr,
                      to.protocol().handlers6().ReceiveNetBufferLists, to.context(), chain.first, port,
                      chain.count, flags);
  return true;
}

void release(NblItem& item, std::uint8_t hop, Chain& back) noexcept {
  if (std::atomic_ref(item.hops[hop].out).fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  back.append(item.body());
}

void give_back(const Chain& chain, ULONG flags) {
  NET_BUFFER_LIST* list = chain.first;
  while (list != nullptr) {
    Adapter& adapter = *item_of(list)->top()->adapter;
    Chain run;
    while (list != nullptr && item_of(list)->top()->adapter == &adapter) {
      NET_BUFFER_LIST* const next = list->Next;
      run.append(list);
      list = next;
    }
    return_down(adapter, nullptr, run.first, flags);
  }
}

namespace {

/// The frames of a list go by the address of the first: a receive list carries one buffer.
Destination destination_of(const NET_BUFFER_LIST* list) noexcept {
  return list->FirstNetBuffer != nullptr ? destination(frame_of(list->FirstNetBuffer)) : Destination{};
}

std::vector<Target> targets_of(const Adapter& adapter) {
  std::vector<Target> targets;
  for (Ref<Binding>& binding : receivers(adapter)) targets.push_back({std::move(binding), {}, {}});
  return targets;
}

}  // namespace

// Each binding sees the lists in turn, and none may keep one.
void show_to_bindings(Adapter& by, const Chain& given, NDIS_PORT_NUMBER port, ULONG flags) {
  const char* const function = caller().function;
  kernel::Driver* const driver = &by.driver().driver();
  std::vector<NET_BUFFER_LIST*> all;
  for (NET_BUFFER_LIST* list = given.first; list != nullptr; list = list->Next) all.push_back(list);
  for (Target& target : targets_of(by)) {
    Binding& to = *target.binding;
    std::vector<NET_BUFFER_LIST*> accepted;
    for (NET_BUFFER_LIST* list : all)
      if (accepts(to, destination_of(list))) accepted.push_back(list);
    if (accepted.empty() || !to.receives.enter(static_cast<std::uint32_t>(accepted.size()))) continue;
    if (to.is_version6()) {
      Chain chain;
      for (NET_BUFFER_LIST* list : accepted) {
        chain.append(list);
        indicated(list, to, driver, function);
      }
      call_receive(to, chain, port, flags);
      const NET_BUFFER_LIST* link = chain.first;
      const bool kept = std::ranges::all_of(accepted, [&link](const NET_BUFFER_LIST* list) {
        const bool same = link == list;
        if (same) link = link->Next;
        return same;
      });
      if (!kept)
        tell_item_misuse(
            ItemKind::NetBufferList, accepted.front(), false,
            fmt::format("{} changed the links of lists that it was only shown (NDIS_RECEIVE_FLAGS_RESOURCES)",
                        to.name()),
            item_of(accepted.front())->origin);
    } else {
      for (NET_BUFFER_LIST* list : accepted) deliver_as_packets(to, list, true);
      call_receive_complete(to);
    }
    to.receives.leave(static_cast<std::uint32_t>(accepted.size()));
  }
}

void indicate_to_bindings(Adapter& by, const Chain& given, NDIS_PORT_NUMBER port, ULONG flags) {
  kernel::Driver* const driver = &by.driver().driver();
  const ULONG return_flags =
      NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags) ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0U;
  std::vector<Target> targets = targets_of(by);
  // Who gets what is settled, and every use counted, before anyone is called.
  Chain back;
  const char* const function = caller().function;
  for (NET_BUFFER_LIST* list = given.first; list != nullptr;) {
    NET_BUFFER_LIST* const next = list->Next;
    list->Next = nullptr;
    NblItem& item = *item_of(list);
    Hop* const hop = item.top();
    item.holder = nullptr;
    hop->out = 0;
    const Destination to = destination_of(list);
    Target* last6 = nullptr;
    for (Target& target : targets) {
      if (!accepts(*target.binding, to)) continue;
      if (!target.binding->is_version6()) {
        target.lists.push_back(list);
        ++hop->out;
        continue;
      }
      if (last6 != nullptr) {
        if (NET_BUFFER_LIST* const other = stand_in(list); other != nullptr) {
          push(*item_of(other), Hop::Kind::Receive, &by, nullptr);
          last6->chain.append(other);
          ++hop->out;
        }
      }
      last6 = &target;
    }
    if (last6 != nullptr) {
      last6->chain.append(list);
      ++hop->out;
    }
    if (hop->out == 0) back.append(list);
    list = next;
  }

  for (Target& target : targets) {
    Binding& to = *target.binding;
    if (target.chain.count != 0) {
      const bool entered = to.receives.enter(target.chain.count);
      for (NET_BUFFER_LIST* list = target.chain.first; entered && list != nullptr; list = list->Next)
        indicated(list, to, driver, function);
      if (!entered || !call_receive(to, target.chain, port, flags)) {  // closed meanwhile
        if (entered) to.receives.leave(target.chain.count);
        for (NET_BUFFER_LIST* list = target.chain.first; list != nullptr;) {
          NET_BUFFER_LIST* const next = list->Next;
          NblItem* const parent = item_of(list)->parent;
          const std::uint8_t hop = parent != nullptr ? item_of(list)->parent_hop
                                                     : static_cast<std::uint8_t>(item_of(list)->depth - 1);
          if (parent != nullptr) {
            pop(*item_of(list));
            free_derived(list, 0);
          }
          release(parent != nullptr ? *parent : *item_of(list), hop, back);
          list = next;
        }
      }
    }
    for (NET_BUFFER_LIST* list : target.lists) {
      if (to.receives.enter()) {
        deliver_as_packets(to, list, false);
        to.receives.leave();
      }
      release(*item_of(list), static_cast<std::uint8_t>(item_of(list)->depth - 1), back);
    }
    if (!target.lists.empty()) call_receive_complete(to);
  }
  give_back(back, return_flags);
}

}  // namespace data_path

using namespace data_path;

void indicate_net_buffer_lists(Adapter& by, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG /*count*/,
                               ULONG flags) {
  kernel::Driver* const driver = &by.driver().driver();
  const bool resources = NDIS_TEST_RECEIVE_CANNOT_PEND(flags);
  Chain given;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    if (!may_give(list, *driver, "indicated")) {
      if (find_item(ItemKind::NetBufferList, list) != ItemFound::Live ||
          item_of(list)->state != ItemState::Held)
        break;
      list = list->Next;
      continue;
    }
    NET_BUFFER_LIST* const next = list->Next;
    if (list->SourceHandle != by.handle())
      tell_item_misuse(ItemKind::NetBufferList, list, false,
                       "SourceHandle is not the MiniportAdapterHandle that is passed", item_of(list)->origin);
    given.append(list);
    list = next;
  }
  if (given.count == 0) return;
  const ULONG return_flags =
      NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags) ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0U;
  if (!may_indicate(by) || !by.receives.enter(given.count)) {
    if (resources || !by.initialized()) return;
    const InCall call(by.calls);
    kernel::call_driver(driver, callbacks::kMiniportReturnNetBufferLists, &by, nullptr,
                        by.driver().handlers6().ReturnNetBufferLists, by.context(), given.first,
                        return_flags);
    return;
  }

  if (resources) {
    // The miniport has the lists again when this returns.
    for (NET_BUFFER_LIST* list = given.first; list != nullptr; list = list->Next)
      push(*item_of(list), Hop::Kind::Receive, &by, nullptr)->resources = true;
    std::vector<NET_BUFFER_LIST*> all;
    for (NET_BUFFER_LIST* list = given.first; list != nullptr; list = list->Next) all.push_back(list);
    indicate_up(by, nullptr, given, port, flags);
    const char* const function = caller().function;
    for (NET_BUFFER_LIST* list : all) {
      NblItem& item = *item_of(list);
      pop(item);
      kernel::Driver* const from = item.holder;
      item.holder = driver;
      tell_item(observer(), ItemEvent::What::Returned, ItemKind::NetBufferList, list, from, driver, function,
                by.name());
    }
    by.receives.leave(given.count);
    return;
  }
  for (NET_BUFFER_LIST* list = given.first; list != nullptr; list = list->Next) {
    NblItem& item = *item_of(list);
    push(item, Hop::Kind::Receive, &by, nullptr);
    list->SourceHandle = by.handle();
    item.holder = nullptr;
  }
  indicate_up(by, nullptr, given, port, flags);
}

void return_net_buffer_lists(Binding& from, NET_BUFFER_LIST* chain, ULONG flags) {
  Chain back;
  std::uint32_t returned = 0;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    const ItemFound found = find_item(ItemKind::NetBufferList, list);
    if (found != ItemFound::Live) {
      tell_item_misuse(ItemKind::NetBufferList, list, found == ItemFound::Freed,
                       found == ItemFound::Freed
                           ? "the net buffer list that is returned was freed before: it was returned already"
                           : "what is returned is no net buffer list out of a pool",
                       found == ItemFound::Freed ? item_of(list)->origin : kernel::Stack{});
      break;
    }
    NblItem& item = *item_of(list);
    Hop* const hop = item.top();
    if (hop == nullptr || hop->kind != Hop::Kind::Receive || hop->binding != &from || hop->resources) {
      const bool shown = hop != nullptr && hop->kind == Hop::Kind::Receive && hop->resources;
      tell_item_misuse(
          ItemKind::NetBufferList, list, !shown,
          shown ? std::string(
                      "the net buffer list was only shown (NDIS_RECEIVE_FLAGS_RESOURCES): it is not returned")
                : fmt::format("the net buffer list that {} returns is not with it: {} has it", from.name(),
                              item.holder != nullptr ? item.holder->name() : "NDIS"),
          item.origin);
      // What is no more the caller's has links that are not the caller's.
      break;
    }
    NET_BUFFER_LIST* const next = list->Next;
    ++returned;
    hop->binding = nullptr;
    item.holder = nullptr;
    if (item.parent != nullptr) {
      NblItem& parent = *item.parent;
      const std::uint8_t parent_hop = item.parent_hop;
      pop(item);
      free_derived(list, 0);
      release(parent, parent_hop, back);
    } else {
      item.holder = &from.driver();
      release(item, static_cast<std::uint8_t>(item.depth - 1), back);
    }
    list = next;
  }
  if (returned != 0) from.receives.leave(returned);
  give_back(back, flags);
}

}  // namespace undis
