// SPDX-License-Identifier: MIT
//
// What a filter may do with net buffer lists: send, complete, indicate, return, cancel; and what is wrong
// when it does.
//
// Pages   ndis/nf-ndis-ndisfsendnetbufferlists, -ndisfsendnetbufferlistscomplete,
// -ndisfindicatereceivenetbufferlists,
//         -ndisfreturnnetbufferlists, -ndisfcancelsendnetbufferlists
#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/filter_module.h"

namespace undis {
namespace data_path {
namespace {

Observer& observer() {
  return Library::current().observer();
}

const char* name_of_holder(const NblItem& item) {
  if (item.at != nullptr) return item.at->name().c_str();
  return item.holder != nullptr ? item.holder->name().c_str() : "NDIS";
}

void tell_misuse(const FilterModule& module, const char* rule, const char* function, std::string why) {
  observer().on(FilterMisuse{&module.driver(), rule, function, module.name(), std::move(why),
                             kernel::Stack::capture(2)});
}

/// Tells, with the published table, that a filter sends or indicates in a state that does not allow it.
void tell_state(const FilterModule& module, const char* function) {
  const FilterState state = module.state();
  observer().on(StateMove{"filter module", module.name(), to_text(state), to_text(FilterEvent::SendReceive),
                          nullptr, &module.driver(), function});
}

/// Whether the list may pass `module` on a leg of that kind: it was given to it.
bool may_pass(const FilterModule& module, NET_BUFFER_LIST* list, Hop::Kind kind) noexcept {
  const NblItem& item = *item_of(list);
  return item.depth != 0 && item.at == &module && item.hops[item.depth - 1].kind == kind &&
         item.hops[item.depth - 1].adapter == &module.adapter();
}

/// False: nothing is known of the list, nor of what hangs on it. Told.
bool is_live(NET_BUFFER_LIST* list, bool completion, const char* what) {
  const ItemFound found = find_item(ItemKind::NetBufferList, list);
  if (found == ItemFound::Live) return true;
  tell_item_misuse(ItemKind::NetBufferList, list, completion && found == ItemFound::Freed,
                   found == ItemFound::Freed
                       ? fmt::format("the net buffer list that is {} was freed before", what)
                       : fmt::format("what is {} is no net buffer list out of a pool", what),
                   found == ItemFound::Freed ? item_of(list)->origin : kernel::Stack{});
  return false;
}

void tell_not_with(const FilterModule& module, NET_BUFFER_LIST* list, const char* what, bool completion) {
  const NblItem& item = *item_of(list);
  tell_item_misuse(ItemKind::NetBufferList, list, completion,
                   fmt::format("the net buffer list that {} {} is not with it: {} has it", module.name(),
                               what, name_of_holder(item)),
                   item.origin);
}

/// A list of the filter's own: the leg begins. False: it is not its own. Told.
bool originate(FilterModule& module, NET_BUFFER_LIST* list, Hop::Kind kind, const char* what) {
  if (!may_give(list, module.driver(), what)) return false;
  NblItem& item = *item_of(list);
  if (item.depth !=
      0) {  // received (or sent) by another driver object of the same image: it is not the filter's
    tell_not_with(module, list, what, false);
    return false;
  }
  if (list->SourceHandle != module.handle())
    tell_misuse(
        module, "SourceHandleOwn", caller().function,
        fmt::format(
            "SourceHandle of a list of the filter's own is {}, not the NdisFilterHandle that is passed",
            fmt::ptr(list->SourceHandle)));
  push(item, kind, &module.adapter(), nullptr)->module = &module;
  list->SourceHandle = module.handle();
  return true;
}

/// Whether the filter may originate now: told if not. docs/decisions.md#filter-originates
bool may_originate(const FilterModule& module) {
  const FilterState state = module.state();
  if (state == FilterState::Running || state == FilterState::Restarting) return true;
  // A thread of the filter that looked before FilterPause came may be here: the pause then waits for the
  // list. FilterPause itself knows.
  if (state == FilterState::Pausing && !kernel::inside_callback(callbacks::kFilterPause.name, &module))
    return true;
  tell_state(module, caller().function);
  return false;
}

/// Lists of its own that a filter may not send or indicate now: they stay with it, as if they had come back.
void refuse_own(FilterModule& module, const Chain& chain, Hop::Kind kind, bool tell) {
  if (chain.count == 0) return;
  for (NET_BUFFER_LIST* list = chain.first; list != nullptr; list = list->Next) {
    list->Status = NDIS_STATUS_PAUSED;
    pop(*item_of(list));
  }
  if (!tell) return;
  const InCall call(module.calls);
  if (kind == Hop::Kind::Send && module.data().SendComplete)
    kernel::call_driver(&module.driver(), callbacks::kFilterSendNetBufferListsComplete, &module, nullptr,
                        module.data().SendComplete, module.context(), chain.first, 0U);
  if (kind == Hop::Kind::Receive && module.data().Return)
    kernel::call_driver(&module.driver(), callbacks::kFilterReturnNetBufferLists, &module, nullptr,
                        module.data().Return, module.context(), chain.first, 0U);
}

}  // namespace
}  // namespace data_path

using namespace data_path;

void filter_send(FilterModule& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  Adapter& adapter = from.adapter();
  FilterModule* const next = from.next_send;
  kernel::Driver* const target = send_target(adapter, next);
  const char* const function = caller().function;
  Chain passed;
  std::uint32_t others = 0;
  std::uint32_t own = 0;
  Chain refused;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    if (!is_live(list, false, "sent")) break;
    NET_BUFFER_LIST* const following = list->Next;
    NblItem& item = *item_of(list);
    const bool foreign = may_pass(from, list, Hop::Kind::Send);
    if (!foreign && !originate(from, list, Hop::Kind::Send, "sent")) {
      if (item.state != ItemState::Held) break;  // its links are not the filter's
      list = following;
      continue;
    }
    if (!foreign && !may_originate(from)) {
      refused.append(list);
      list = following;
      continue;
    }
    if (!foreign && !from.data().SendComplete)
      tell_misuse(from, "FilterMustReturnHandler", function,
                  "a filter that originates sends needs FilterSendNetBufferListsComplete");
    item.at = next;
    item.holder = target;
    tell_item(observer(), ItemEvent::What::Sent, ItemKind::NetBufferList, list, &from.driver(), target,
              function, from.name());
    ++(foreign ? others : own);
    passed.append(list);
    list = following;
  }
  refuse_own(from, refused, Hop::Kind::Send, true);
  if (passed.count == 0) return;
  if (others != 0 && from.state() == FilterState::Paused) tell_state(from, function);
  from.sends.passed_on(others);
  if (own != 0) from.own_sends.enter(own);
  give_sends(adapter, next, passed, port, flags);
}

void filter_complete(FilterModule& from, NET_BUFFER_LIST* chain, ULONG flags) {
  Chain done;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    if (!is_live(list, true, "completed")) break;
    NET_BUFFER_LIST* const following = list->Next;
    if (!may_pass(from, list, Hop::Kind::Send)) {
      tell_not_with(from, list, "completes", true);
      if (item_of(list)->state != ItemState::Held) break;
      list = following;
      continue;
    }
    done.append(list);
    list = following;
  }
  from.sends.passed_on(done.count);
  complete_up(from.adapter(), &from, done.first, flags);
}

void filter_indicate(FilterModule& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG count,
                     ULONG flags) {
  const char* const function = caller().function;
  const bool resources = NDIS_TEST_RECEIVE_CANNOT_PEND(flags);
  Chain passed;
  Chain refused;
  std::uint32_t others = 0;
  std::uint32_t own = 0;
  bool shown = false;  // some of them were only shown to the filter
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    if (!is_live(list, false, "indicated")) break;
    NET_BUFFER_LIST* const following = list->Next;
    NblItem& item = *item_of(list);
    const bool foreign = may_pass(from, list, Hop::Kind::Receive);
    if (!foreign && !originate(from, list, Hop::Kind::Receive, "indicated")) {
      if (item.state != ItemState::Held) break;
      list = following;
      continue;
    }
    if (!foreign && !may_originate(from)) {
      refused.append(list);
      list = following;
      continue;
    }
    if (!foreign && !resources && !from.data().Return)
      tell_misuse(from, "FilterMustReturnHandler", function,
                  "a filter that originates indications needs FilterReturnNetBufferLists");
    shown = shown || (foreign && item.top()->resources);
    ++(foreign ? others : own);
    passed.append(list);
    list = following;
  }
  refuse_own(from, refused, Hop::Kind::Receive, !resources);
  if (passed.count == 0) return;
  if (count != passed.count + refused.count)
    tell_misuse(from, "NumberOfNblsTruth", function,
                fmt::format("NumberOfNetBufferLists is {}, and {} lists are in the chain", count,
                            passed.count + refused.count));
  if (shown && !resources) {
    tell_misuse(from, "ResourcesNoKeep", function,
                "lists that the filter was only shown are passed on without NDIS_RECEIVE_FLAGS_RESOURCES: "
                "whoever gets them may keep them");
    flags |= NDIS_RECEIVE_FLAGS_RESOURCES;
  }
  Adapter& adapter = from.adapter();
  if (!resources && !shown) {
    from.receives.passed_on(others);
    if (own != 0) from.own_receives.enter(own);
    indicate_up(adapter, &from, passed, port, flags);
    return;
  }
  // When the call is over the lists are the filter's again; its own legs end with it.
  for (NET_BUFFER_LIST* list = passed.first; list != nullptr; list = list->Next)
    if (item_of(list)->top()->module == &from) item_of(list)->top()->resources = true;
  std::vector<NET_BUFFER_LIST*> own_lists;
  for (NET_BUFFER_LIST* list = passed.first; list != nullptr; list = list->Next)
    if (item_of(list)->top()->module == &from) own_lists.push_back(list);
  indicate_up(adapter, &from, passed, port, flags);
  for (NET_BUFFER_LIST* list : own_lists) {
    NblItem& item = *item_of(list);
    pop(item);
    item.at = nullptr;
    item.holder = &from.driver();
  }
}

void filter_return(FilterModule& from, NET_BUFFER_LIST* chain, ULONG flags) {
  Chain back;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    if (!is_live(list, true, "returned")) break;
    NET_BUFFER_LIST* const following = list->Next;
    NblItem& item = *item_of(list);
    const bool shown = may_pass(from, list, Hop::Kind::Receive) && item.top()->resources;
    if (shown) {
      tell_misuse(from, "ResourcesNoKeep", caller().function,
                  "the net buffer list was only shown (NDIS_RECEIVE_FLAGS_RESOURCES): it is not returned");
      break;  // NDIS takes it back, in its chain, when FilterReceiveNetBufferLists returns
    }
    if (!may_pass(from, list, Hop::Kind::Receive)) {
      tell_not_with(from, list, "returns", true);
      if (item.state != ItemState::Held) break;
      list = following;
      continue;
    }
    back.append(list);
    list = following;
  }
  from.receives.passed_on(back.count);
  return_down(from.adapter(), &from, back.first, flags);
}

void cancel_sends_below(Adapter& adapter, const FilterModule* from, void* cancel_id) {
  FilterModule* const next = from != nullptr ? from->next_cancel : adapter.filters.first_cancel;
  if (next != nullptr) {
    const InCall call(next->calls);
    kernel::call_driver(&next->driver(), callbacks::kFilterCancelSendNetBufferLists, next, nullptr,
                        next->data().CancelSend, next->context(), cancel_id);
    return;
  }
  const MiniportDriver& miniport = adapter.driver();
  const InCall call(adapter.calls);
  if (adapter.is_version6()) {
    if (miniport.handlers6().CancelSend)
      kernel::call_driver(&miniport.driver(), callbacks::kMiniportCancelSend, &adapter, nullptr,
                          miniport.handlers6().CancelSend, adapter.context(), cancel_id);
  } else if (miniport.handlers5().CancelSendPackets) {
    kernel::call_driver(&miniport.driver(), callbacks::kMiniportCancelSendPackets, &adapter, nullptr,
                        miniport.handlers5().CancelSendPackets, adapter.context(), cancel_id);
  }
}

}  // namespace undis
