// SPDX-License-Identifier: MIT
//
// Sends, completions and indications on virtual connections. Returns go the common way
// (NdisReturnNetBufferLists, MiniportReturnNetBufferLists).
//
// Beyond  What is received goes to the client; on a call manager's own connection to the call manager.
// docs/decisions.md#co-data
#include "ndis/co_data.h"

#include <fmt/format.h>

#include "kernel/driver.h"
#include "ndis/address_family.h"
#include "ndis/co_vc.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"

namespace undis::co_data {

using namespace data_path;
using kernel::call_driver;

namespace {

Observer& observer() {
  return Library::current().observer();
}

void call_complete(Vc& vc, CoSide to, const Chain& chain, ULONG flags) {
  Binding& binding = *vc.binding(to);
  const InCall call(binding.calls);
  binding.sends.leave(chain.count);
  call_driver(&binding.driver(), callbacks::kProtocolCoSendNetBufferListsComplete, &binding, &vc,
              binding.protocol().connection_oriented.SendNetBufferListsComplete, vc.context(to), chain.first,
              flags);
}

/// Why a list cannot go now, told if it is the sender's doing; SUCCESS: it can.
NDIS_STATUS refusal(const CoCaller& by, const Vc& vc, CoSide from, const Binding& binding) {
  if (!vc.machine().allows(VcEvent::Send)) {
    vc.machine().tell_blank(VcEvent::Send, by.driver, by.function);
    return NDIS_STATUS_VC_NOT_ACTIVATED;
  }
  if (from == CoSide::Client && !vc.call().allows(CallEvent::Send)) {
    vc.call().tell_blank(CallEvent::Send, by.driver, by.function);
    return NDIS_STATUS_CLOSING;
  }
  if (binding.may_carry_data() && binding.adapter().may_carry_data()) return NDIS_STATUS_SUCCESS;
  tell_send_while_paused(binding);
  return binding.adapter().refusal();
}

}  // namespace

void send(const CoCaller& by, Vc& vc, CoSide from, NET_BUFFER_LIST* chain, ULONG flags) {
  const Ref<Vc> alive(&vc);
  Adapter& adapter = vc.adapter();
  Binding& binding = *vc.binding(from);
  Chain sent;
  while (chain != nullptr) {
    NET_BUFFER_LIST* const list = chain;
    const bool ours = may_give(list, by.driver, "sent");
    if (!ours && (find_item(ItemKind::NetBufferList, list) != ItemFound::Live ||
                  item_of(list)->state != ItemState::Held))
      break;
    chain = list->Next;
    if (ours) sent.append(list);
  }
  if (sent.count == 0) return;
  const ULONG complete_flags =
      NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0U;
  NDIS_STATUS status = refusal(by, vc, from, binding);
  if (status == NDIS_STATUS_SUCCESS && !adapter.sends.enter(sent.count)) status = adapter.refusal();
  binding.sends.add(sent.count);  // the binding is open: who calls is inside it
  if (status != NDIS_STATUS_SUCCESS) {
    for (NET_BUFFER_LIST* list = sent.first; list != nullptr; list = list->Next) list->Status = status;
    call_complete(vc, from, sent, complete_flags);
    return;
  }
  vc.sends += static_cast<int>(sent.count);
  kernel::Driver& driver = adapter.driver().driver();
  for (NET_BUFFER_LIST* list = sent.first; list != nullptr; list = list->Next) {
    NblItem& item = *item_of(list);
    push(item, Hop::Kind::Send, &adapter, &binding);
    list->SourceHandle = vc.handle(from);
    item.holder = &driver;
    item.at = nullptr;
    tell_item(observer(), ItemEvent::What::Sent, ItemKind::NetBufferList, list, &by.driver, &driver,
              by.function, vc.name());
  }
  const InCall call(adapter.calls);
  call_driver(&driver, callbacks::kMiniportCoSendNetBufferLists, &adapter, &vc,
              adapter.driver().optional6.connection_oriented.SendNetBufferLists, vc.miniport_context(),
              sent.first, flags);
}

void complete(Vc& vc, NET_BUFFER_LIST* chain, ULONG flags) {
  const Ref<Vc> alive(&vc);
  Adapter& adapter = vc.adapter();
  Chain done[2];
  while (chain != nullptr) {
    NET_BUFFER_LIST* const list = chain;
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
    chain = list->Next;
    NblItem& item = *item_of(list);
    const Hop* const hop = item.top();
    const bool of_client = list->SourceHandle == vc.handle(CoSide::Client);
    if (hop == nullptr || hop->kind != Hop::Kind::Send || hop->adapter != &adapter ||
        (!of_client && list->SourceHandle != vc.handle(CoSide::CallManager))) {
      tell_item_misuse(ItemKind::NetBufferList, list, true,
                       fmt::format("the net buffer list that {} completes is not on its way on {}: {} has it",
                                   adapter.name(), vc.name(),
                                   item.holder != nullptr ? item.holder->name() : "NDIS"),
                       item.origin);
      continue;
    }
    const CoSide to = of_client ? CoSide::Client : CoSide::CallManager;
    kernel::Driver* const miniport = item.holder;
    pop(item);
    item.holder = &vc.driver(to);
    tell_item(observer(), ItemEvent::What::SendCompleted, ItemKind::NetBufferList, list, miniport,
              item.holder, caller().function, vc.name());
    done[of_client ? 0 : 1].append(list);
  }
  for (const CoSide to : {CoSide::Client, CoSide::CallManager}) {
    const Chain& part = done[to == CoSide::Client ? 0 : 1];
    if (part.count == 0) continue;
    vc.sends -= static_cast<int>(part.count);
    adapter.sends.leave(part.count);
    call_complete(vc, to, part, flags);
  }
}

namespace {

/// Back to the miniport what nobody takes.
void refuse_indication(Adapter& adapter, const Chain& chain, bool resources, ULONG flags) {
  adapter.receives.leave(chain.count);
  if (resources) return;
  const ULONG return_flags =
      (flags & NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL) != 0 ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0U;
  call_driver(&adapter.driver().driver(), callbacks::kMiniportReturnNetBufferLists, &adapter, nullptr,
              adapter.driver().handlers6().ReturnNetBufferLists, adapter.context(), chain.first,
              return_flags);
}

}  // namespace

void indicate(const CoCaller& by, Vc& vc, NET_BUFFER_LIST* chain, ULONG flags) {
  const Ref<Vc> alive(&vc);
  Adapter& adapter = vc.adapter();
  const bool resources = (flags & NDIS_RECEIVE_FLAGS_RESOURCES) != 0;
  Chain given;
  while (chain != nullptr) {
    NET_BUFFER_LIST* const list = chain;
    const bool ours = may_give(list, by.driver, "indicated");
    if (!ours && (find_item(ItemKind::NetBufferList, list) != ItemFound::Live ||
                  item_of(list)->state != ItemState::Held))
      break;
    chain = list->Next;
    if (ours) given.append(list);
  }
  if (given.count == 0) return;
  bool carried = vc.machine().allows(VcEvent::Receive);
  if (!carried) vc.machine().tell_blank(VcEvent::Receive, by.driver, by.function);
  adapter.receives.add(given.count);
  carried = may_indicate(adapter) && carried;
  const CoSide to = vc.family() != nullptr ? CoSide::Client : CoSide::CallManager;
  Binding& binding = *vc.binding(to);
  if (!carried || !binding.may_carry_data() || (vc.family() != nullptr && vc.family()->gone(to)) ||
      !binding.receives.enter(given.count)) {
    refuse_indication(adapter, given, resources, flags);
    return;
  }
  kernel::Driver& driver = binding.driver();
  for (NET_BUFFER_LIST* list = given.first; list != nullptr; list = list->Next) {
    NblItem& item = *item_of(list);
    list->SourceHandle = vc.miniport_handle();
    push(item, Hop::Kind::Receive, &adapter, &binding)->resources = resources;
    item.holder = &driver;
    item.at = nullptr;
    tell_item(observer(), ItemEvent::What::Indicated, ItemKind::NetBufferList, list, &by.driver, &driver,
              by.function, vc.name());
  }
  {
    const InCall call(binding.calls);
    call_driver(&driver, callbacks::kProtocolCoReceiveNetBufferLists, &binding, &vc,
                binding.protocol().connection_oriented.ReceiveNetBufferLists, binding.context(),
                vc.context(to), given.first, given.count, flags);
  }
  if (!resources) return;
  for (NET_BUFFER_LIST* list = given.first; list != nullptr; list = list->Next) {
    NblItem& item = *item_of(list);
    pop(item);
    item.holder = &by.driver;
    tell_item(observer(), ItemEvent::What::Returned, ItemKind::NetBufferList, list, &driver, &by.driver,
              by.function, vc.name());
  }
  binding.receives.leave(given.count);
  adapter.receives.leave(given.count);
}

std::size_t indicated_on(const Vc& vc) {
  std::size_t found = 0;
  for (const Ref<DriverPool>& pool : Library::current().items().pools_of(vc.adapter().driver().driver())) {
    if (pool->items() != ItemKind::NetBufferList) continue;
    for (Item* item : pool->live_items()) {
      NblItem& list = *static_cast<NblItem*>(item);
      const Hop* const hop = list.top();
      if (hop != nullptr && hop->kind == Hop::Kind::Receive &&
          list.body()->SourceHandle == vc.miniport_handle())
        ++found;
    }
  }
  return found;
}

// ---- status ----

namespace {

void call_status(Binding& to, void* vc_context, const NDIS_STATUS_INDICATION& indication) {
  const InCall call(to.calls);
  if (!call) return;
  NDIS_STATUS_INDICATION copy = indication;
  if (to.protocol().connection_oriented.Status) {
    call_driver(&to.driver(), callbacks::kProtocolCoStatusEx, &to, nullptr,
                to.protocol().connection_oriented.Status, to.context(), vc_context, &copy);
  } else if (to.is_version6()) {
    call_driver(&to.driver(), callbacks::kProtocolStatusEx, &to, nullptr, to.protocol().handlers6().Status,
                to.context(), &copy);
  }
}

}  // namespace

void indicate_status(Adapter& adapter, Vc* vc, const NDIS_STATUS_INDICATION& indication) {
  if (vc != nullptr) {
    const Ref<Vc> alive(vc);
    for (const CoSide side : {CoSide::Client, CoSide::CallManager}) {
      Binding* const binding = vc->binding(side);
      if (binding != nullptr && (vc->family() == nullptr || !vc->family()->gone(side)))
        call_status(*binding, vc->context(side), indication);
    }
    return;
  }
  for (const Ref<Binding>& binding : adapter.bindings()) {
    if (!binding->is_open()) continue;
    if (indication.DestinationHandle != nullptr && indication.DestinationHandle != binding->handle())
      continue;
    call_status(*binding, nullptr, indication);
  }
}

}  // namespace undis::co_data
