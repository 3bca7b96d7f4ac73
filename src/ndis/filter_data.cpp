// SPDX-License-Identifier: MIT
//
// Net buffer lists on their ways through the filter modules of an adapter: sends down, completions up,
// receives up, returns down.
//
// Pages   network/filter-module-send-and-receive-operations, network/data-bypass-mode
// Costs   On each way one look at a pointer says who is next; a list is touched once at each module that
// takes part. With no filter,
//         or with all bypassed, a chain goes from the binding to the miniport as if there were none.
// Beyond  A filter sees completions (returns) of all lists that pass its place, also of those that it has not
// seen on their way out;
//         a list of its own ends with it. docs/decisions.md#filter-ways
#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/filter_module.h"
#include "ndis/nbl_data.h"

namespace undis {
namespace data_path {
namespace {

Observer& observer() {
  return Library::current().observer();
}

/// Calls into a filter with lists that stay with it unless it passes them on.
class Giving {
 public:
  Giving(FilterModule::Held& held, std::uint32_t count) noexcept : held_(held), count_(count) {
    held_.given(count_);
  }
  ~Giving() { held_.call_over(count_); }
  Giving(const Giving&) = delete;
  Giving& operator=(const Giving&) = delete;

 private:
  FilterModule::Held& held_;
  const std::uint32_t count_;
};

void tell_misuse(const FilterModule& module, const char* rule, const char* function, std::string why) {
  observer().on(FilterMisuse{&module.driver(), rule, function, module.name(), std::move(why),
                             kernel::Stack::capture(2)});
}

/// The way back of a list that `from` (nullptr: the miniport, or the bindings) gives up: a module, or the end
/// of the stack.
struct Stop {
  FilterModule* module = nullptr;
  bool origin = false;  ///< the list is that module's own: its leg ends here
  bool handled = true;  ///< the module has a handler for it
  bool operator==(const Stop& other) const = default;
};

}  // namespace

// ---- sends: down ----

kernel::Driver* send_target(const Adapter& adapter, const FilterModule* next) noexcept {
  return next != nullptr ? &next->driver() : &adapter.driver().driver();
}

void give_sends(Adapter& adapter, FilterModule* next, const Chain& chain, NDIS_PORT_NUMBER port,
                ULONG flags) {
  if (next != nullptr) {
    const Giving giving(next->sends, chain.count);
    const InCall call(next->calls);
    kernel::call_driver(&next->driver(), callbacks::kFilterSendNetBufferLists, next, nullptr,
                        next->data().Send, next->context(), chain.first, port, flags);
    return;
  }
  if (!adapter.may_carry_data() || !adapter.sends.enter(chain.count)) {
    for (NET_BUFFER_LIST* list = chain.first; list != nullptr; list = list->Next)
      list->Status = NDIS_STATUS_PAUSED;
    complete_up(adapter, nullptr, chain.first,
                NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0U);
    return;
  }
  if (!adapter.is_version6()) {
    send_as_packets(chain.first);
    return;
  }
  const MiniportDriver& miniport = adapter.driver();
  const InCall call(adapter.calls);
  kernel::call_driver(&miniport.driver(), callbacks::kMiniportSendNetBufferLists, &adapter, nullptr,
                      miniport.handlers6().SendNetBufferLists, adapter.context(), chain.first, port,
                      flags & ~static_cast<ULONG>(NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK));
}

// ---- sends: completions up ----

namespace {

Stop complete_stop(const Adapter& adapter, const FilterModule* from, const Hop& hop) noexcept {
  FilterModule* const next = from != nullptr ? from->next_complete : adapter.filters.first_complete;
  FilterModule* const origin = hop.module;
  if (origin == nullptr) return {next, false, true};
  if (next == nullptr || next->index > origin->index) return {origin, true, false};
  return {next, next == origin, true};
}

void call_complete(FilterModule& module, const Chain& chain, std::uint32_t own, std::uint32_t others,
                   ULONG flags) {
  const Giving giving(module.sends, others);
  const InCall call(module.calls);
  if (own != 0) module.own_sends.leave(own);
  kernel::call_driver(&module.driver(), callbacks::kFilterSendNetBufferListsComplete, &module, nullptr,
                      module.data().SendComplete, module.context(), chain.first, flags);
}

}  // namespace

void complete_up(Adapter& adapter, FilterModule* from, NET_BUFFER_LIST* chain, ULONG flags) {
  const char* const function = caller().function;
  kernel::Driver* const giver = send_target(adapter, from);
  Chain run;  // lists in a row that stop at the same place
  FilterModule* at = nullptr;
  Binding* to = nullptr;
  std::uint32_t own = 0;
  const auto flush = [&] {
    if (run.count != 0 && at != nullptr) call_complete(*at, run, own, run.count - own, flags);
    if (run.count != 0 && at == nullptr) call_send_complete(*to, run, flags);
    run = {};
    own = 0;
  };
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    NET_BUFFER_LIST* const next = list->Next;
    NblItem& item = *item_of(list);
    const Stop stop = complete_stop(adapter, from, *item.top());
    if (stop.module != nullptr) {
      FilterModule& module = *stop.module;
      if (stop.handled && (at != &module || to != nullptr)) flush();
      item.holder = &module.driver();
      item.at = &module;
      if (stop.origin) {
        pop(item);
        item.at = nullptr;
        list->SourceHandle = module.handle();
      }
      tell_item(observer(), ItemEvent::What::SendCompleted, ItemKind::NetBufferList, list, giver,
                &module.driver(), function, module.name());
      if (stop.handled) {
        at = &module;
        to = nullptr;
        own += stop.origin ? 1 : 0;
        run.append(list);
      } else {
        list->Next = nullptr;
        module.own_sends.leave();  // told when it was sent: the filter has no handler for it
      }
    } else if (item.packet != nullptr) {
      flush();
      item.at = nullptr;
      end_send(list);
    } else {
      Binding& binding = *item.top()->binding;
      if (to != &binding) flush();
      at = nullptr;
      to = &binding;
      pop(item);
      item.at = nullptr;
      item.holder = &binding.driver();
      list->SourceHandle = binding.handle();
      tell_item(observer(), ItemEvent::What::SendCompleted, ItemKind::NetBufferList, list, giver,
                &binding.driver(), function, binding.name());
      run.append(list);
    }
    list = next;
  }
  flush();
}

// ---- receives: up ----

namespace {

/// Lists that must be back when the call returns: what the links were, and who had the lists.
class Shown {
 public:
  Shown(const Chain& chain, FilterModule* from) : from_(from) {
    for (NET_BUFFER_LIST* list = chain.first; list != nullptr; list = list->Next) {
      NblItem& item = *item_of(list);
      Hop& hop = *item.top();
      lists_.push_back({list, item.holder, hop.resources});
      hop.resources = true;
    }
  }
  /// After the call. `to` has changed the chain: told.
  void take_back(const FilterModule* to) {
    const NET_BUFFER_LIST* link = lists_.empty() ? nullptr : lists_.front().list;
    bool same = true;
    for (const Entry& entry : lists_) {
      same = same && link == entry.list;
      if (same) link = link->Next;
    }
    if (!same && to != nullptr)
      tell_misuse(
          *to, "ResourcesNoKeep", "FilterReceiveNetBufferLists",
          "the filter changed the links of lists that it was only shown (NDIS_RECEIVE_FLAGS_RESOURCES)");
    Chain again;
    for (const Entry& entry : lists_) {
      again.append(entry.list);
      NblItem& item = *item_of(entry.list);
      item.at = from_;
      item.holder = entry.holder;
      item.top()->resources = entry.resources;
      item.top()->binding = nullptr;
    }
  }

 private:
  struct Entry {
    NET_BUFFER_LIST* list;
    kernel::Driver* holder;
    bool resources;
  };
  FilterModule* const from_;
  std::vector<Entry> lists_;
};

}  // namespace

void indicate_up(Adapter& adapter, FilterModule* from, const Chain& chain, NDIS_PORT_NUMBER port,
                 ULONG flags) {
  const bool resources = NDIS_TEST_RECEIVE_CANNOT_PEND(flags);
  FilterModule* const next = from != nullptr ? from->next_receive : adapter.filters.first_receive;
  if (next == nullptr) {
    for (NET_BUFFER_LIST* list = chain.first; list != nullptr; list = list->Next) item_of(list)->at = nullptr;
    if (!resources) {
      indicate_to_bindings(adapter, chain, port, flags);
      return;
    }
    Shown shown(chain, from);
    show_to_bindings(adapter, chain, port, flags);
    shown.take_back(nullptr);
    return;
  }
  const char* const function = caller().function;
  kernel::Driver* const giver = from != nullptr ? &from->driver() : &adapter.driver().driver();
  const auto stamp = [&] {
    for (NET_BUFFER_LIST* list = chain.first; list != nullptr; list = list->Next) {
      NblItem& item = *item_of(list);
      item.at = next;
      item.holder = &next->driver();
      tell_item(observer(), ItemEvent::What::Indicated, ItemKind::NetBufferList, list, giver, &next->driver(),
                function, next->name());
    }
  };
  const auto call_receive_handler = [&] {
    const InCall call(next->calls);
    kernel::call_driver(&next->driver(), callbacks::kFilterReceiveNetBufferLists, next, nullptr,
                        next->data().Receive, next->context(), chain.first, port, chain.count, flags);
  };
  if (resources) {
    Shown shown(chain, from);
    stamp();
    call_receive_handler();
    shown.take_back(next);
    return;
  }
  stamp();
  const Giving giving(next->receives, chain.count);
  call_receive_handler();
}

// ---- receives: returns down ----

namespace {

Stop return_stop(const Adapter& adapter, const FilterModule* from, const Hop& hop) noexcept {
  FilterModule* const next = from != nullptr ? from->next_return : adapter.filters.first_return;
  FilterModule* const origin = hop.module;
  if (origin == nullptr) return {next, false, true};
  if (next == nullptr || next->index < origin->index) return {origin, true, false};
  return {next, next == origin, true};
}

void call_return(FilterModule& module, const Chain& chain, std::uint32_t own, std::uint32_t others,
                 ULONG flags) {
  const Giving giving(module.receives, others);
  const InCall call(module.calls);
  if (own != 0) module.own_receives.leave(own);
  kernel::call_driver(&module.driver(), callbacks::kFilterReturnNetBufferLists, &module, nullptr,
                      module.data().Return, module.context(), chain.first, flags);
}

void call_miniport_return(Adapter& adapter, const Chain& chain, ULONG flags) {
  const MiniportDriver& miniport = adapter.driver();
  const InCall call(adapter.calls);
  adapter.receives.leave(chain.count);
  kernel::call_driver(&miniport.driver(), callbacks::kMiniportReturnNetBufferLists, &adapter, nullptr,
                      miniport.handlers6().ReturnNetBufferLists, adapter.context(), chain.first, flags);
}

/// A list of NDIS' own that stands for what a 5.x miniport indicated is back at the miniport.
void end_own_receive(NET_BUFFER_LIST* list) {
  NblItem& item = *item_of(list);
  NDIS_PACKET* const packet = item.packet;
  const std::uint8_t packet_hop = item.packet_hop;
  Adapter& adapter = *item.top()->adapter;
  pop(item);
  free_translation(list);
  if (packet != nullptr) {
    release(packet, item_of(packet)->hops[packet_hop]);
  } else {
    adapter.receives.leave();
  }
}

}  // namespace

void return_down(Adapter& adapter, FilterModule* from, NET_BUFFER_LIST* chain, ULONG flags) {
  const char* const function = caller().function;
  Chain run;
  FilterModule* at = nullptr;
  std::uint32_t own = 0;
  const auto flush = [&] {
    if (run.count != 0 && at != nullptr) call_return(*at, run, own, run.count - own, flags);
    if (run.count != 0 && at == nullptr) call_miniport_return(adapter, run, flags);
    run = {};
    own = 0;
  };
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    NET_BUFFER_LIST* const next = list->Next;
    NblItem& item = *item_of(list);
    kernel::Driver* const giver = item.holder;
    const Stop stop = return_stop(adapter, from, *item.top());
    if (stop.module != nullptr) {
      FilterModule& module = *stop.module;
      if (stop.handled && at != &module) flush();
      item.holder = &module.driver();
      item.at = &module;
      if (stop.origin) {
        pop(item);
        item.at = nullptr;
        list->SourceHandle = module.handle();
      }
      tell_item(observer(), ItemEvent::What::Returned, ItemKind::NetBufferList, list, giver, &module.driver(),
                function, module.name());
      if (stop.handled) {
        at = &module;
        own += stop.origin ? 1 : 0;
        run.append(list);
      } else {
        list->Next = nullptr;
        module.own_receives.leave();  // told when it was indicated: the filter has no handler for it
      }
    } else if (item.packet != nullptr || item.ndis_data) {
      flush();
      item.at = nullptr;
      end_own_receive(list);
    } else {
      if (at != nullptr) flush();
      at = nullptr;
      pop(item);
      item.at = nullptr;
      item.holder = &adapter.driver().driver();
      tell_item(observer(), ItemEvent::What::Returned, ItemKind::NetBufferList, list, giver, item.holder,
                function, adapter.name());
      run.append(list);
    }
    list = next;
  }
  flush();
}

}  // namespace data_path
}  // namespace undis
