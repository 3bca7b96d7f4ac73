// SPDX-License-Identifier: MIT
//
// Working the ways out.
#include "ndis/ways.h"

#include <iterator>

#include "kernel/driver.h"
#include "kernel/passage.h"
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/filter_module.h"
#include "ndis/item.h"
#include "ndis/next_way.h"

namespace undis {

constinit const Way no_way;

namespace {

Way to(kernel::Driver& driver, const kernel::CallbackInfo& info, const void* object, NDIS_HANDLE handle,
       void* context, void* handler, NDIS_HANDLE source) noexcept {
  Way way;
  way.context = context;
  way.handler = handler;
  way.source = source;
  way.frame.name = info.name;
  way.frame.driver = &driver;
  way.frame.object = object;
  way.frame.handle = handle;
  return way;
}
template <class H>
Way to(const FilterModule& module, const kernel::CallbackInfo& info, const H& handler) noexcept {
  return to(module.driver(), info, &module, module.handle(), module.context(), handler.target, nullptr);
}
template <class H>
Way to(const Binding& binding, const kernel::CallbackInfo& info, const H& handler,
       NDIS_HANDLE source) noexcept {
  return to(binding.driver(), info, &binding, binding.handle(), binding.context(), handler.target, source);
}
template <class H>
Way to(const Adapter& adapter, const kernel::CallbackInfo& info, const H& handler,
       NDIS_HANDLE source) noexcept {
  return to(adapter.driver().driver(), info, &adapter, adapter.handle(), adapter.context(), handler.target,
            source);
}

Way of_source(Way way, NDIS_HANDLE source) noexcept {
  way.source = source;
  return way;
}

/// The handler of a way while the last holder of each chain is noted. Its context is the way to take then.
template <class... A>
VOID hold(NDIS_HANDLE context, NET_BUFFER_LIST* chain, A... args) {
  const Way& way = *static_cast<const Way*>(context);
  item_of(chain)->holder = way.frame.driver;
  way.call(chain, args...);
}
void* holding(Direction direction) noexcept {
  switch (direction) {
  case Direction::Send:
    return reinterpret_cast<void*>(&hold<NDIS_PORT_NUMBER, ULONG>);
  case Direction::Receive:
    return reinterpret_cast<void*>(&hold<NDIS_PORT_NUMBER, ULONG, ULONG>);
  case Direction::Complete:
  case Direction::Return:
    break;
  }
  return reinterpret_cast<void*>(&hold<ULONG>);
}

}  // namespace

Way next_down(const Adapter& adapter, const FilterModule* next) noexcept {
  if (next != nullptr) return to(*next, callbacks::kFilterSendNetBufferLists, next->data().Send);
  return to(adapter, callbacks::kMiniportSendNetBufferLists, adapter.driver().handlers6().SendNetBufferLists,
            nullptr);
}
Way next_back_down(const Adapter& adapter, const FilterModule* next) noexcept {
  if (next != nullptr) return to(*next, callbacks::kFilterReturnNetBufferLists, next->data().Return);
  return to(adapter, callbacks::kMiniportReturnNetBufferLists,
            adapter.driver().handlers6().ReturnNetBufferLists, adapter.handle());
}
Way next_up(const FilterModule* next, const Binding* receiver) noexcept {
  if (next != nullptr) return to(*next, callbacks::kFilterReceiveNetBufferLists, next->data().Receive);
  if (receiver == nullptr) return {};
  return to(*receiver, callbacks::kProtocolReceiveNetBufferLists,
            receiver->protocol().handlers6().ReceiveNetBufferLists, nullptr);
}
Way next_back_up(const FilterModule* next, const Binding* sender) noexcept {
  if (next != nullptr)
    return to(*next, callbacks::kFilterSendNetBufferListsComplete, next->data().SendComplete);
  if (sender == nullptr) return {};
  return to(*sender, callbacks::kProtocolSendNetBufferListsComplete,
            sender->protocol().handlers6().SendNetBufferListsComplete, sender->handle());
}

// ---- the plan ----

void Ways::set(Block& block, NDIS_HANDLE from, Direction direction, const Way& way) {
  if (way.handler == nullptr) return;
  block.push_back(way);
  if (kernel::watch() == kernel::Watch::Holder) {
    Way first = way;
    first.handler = holding(direction);
    first.context = &block.back();
    block.push_back(first);
  }
  Way* const taken = &block.back();
  if (taken->source == nullptr) taken->for_all = taken->context;
  HandleTable::Slot::Exit& exit = HandleTable::exit_of(from, direction);
  exit.context.store(taken->context, std::memory_order_relaxed);
  exit.way.store(taken, std::memory_order_release);
  set_.push_back(&exit.way);
}

Ways::Ends Ways::ends(std::span<Binding* const> bindings) const noexcept {
  Ends found;
  unsigned receivers = 0;
  for (const Binding* const binding : bindings) {
    const bool carries = binding->carries_lists();
    const bool sends_alone = bindings.size() == 1 || (!several_ && sender_.load() == binding);
    if (carries && sends_alone) found.sender = binding;
    if (binding->packet_filter.load(std::memory_order_relaxed) == 0) continue;  // it gets nothing
    ++receivers;
    found.receiver = carries && receivers == 1 ? binding : nullptr;
  }
  return found;
}

/// Who may send by a way of its own: all, once it is known that several do; else the only one that does.
void Ways::plan_binding(Block& block, const Binding& binding, const Ends& ends, bool alone) {
  if (!binding.carries_lists()) return;
  const bool loops_back = (adapter_.traits().mac_options & NDIS_MAC_OPTION_NO_LOOPBACK) != 0;
  if (!loops_back && (alone || several_ || &binding == ends.sender))
    set(block, binding.handle(), Direction::Send,
        of_source(next_down(adapter_, adapter_.filters.first_send), binding.handle()));
  set(block, binding.handle(), Direction::Return, next_back_down(adapter_, adapter_.filters.first_return));
}

void Ways::plan_module(Block& block, const FilterModule& module, const Ends& ends) {
  set(block, module.handle(), Direction::Send, next_down(adapter_, module.next_send));
  set(block, module.handle(), Direction::Complete, next_back_up(module.next_complete, ends.sender));
  set(block, module.handle(), Direction::Receive, next_up(module.next_receive, ends.receiver));
  set(block, module.handle(), Direction::Return, next_back_down(adapter_, module.next_return));
}

void Ways::plan() {
  if (kernel::watches_all()) return;
  constexpr std::size_t kOfEnd = 2;  // of a binding, of the adapter
  constexpr std::size_t kOfModule = 4;
  const std::size_t places = kernel::watch() == kernel::Watch::Holder ? 2 : 1;
  const kernel::Hold hold(lock_);
  for (std::atomic<const Way*>* const place : set_) place->store(&no_way, std::memory_order_release);
  set_.clear();
  if (!adapter_.carries_lists()) {  // everything is back before it goes on
    sender_ = nullptr;
    several_ = false;
    return;
  }
  if (adapter_.attended.load() != 0 || adapter_.handle() == nullptr) return;

  const kernel::Passage::Side side = adapter_.passage.enter();  // the list of bindings lives as long
  const std::span<Binding* const> bindings = adapter_.bindings_now();
  const Ends reached = ends(bindings);
  Block block;
  adapter_.filters.with_modules(
      [&](std::span<const Ref<FilterModule>> modules) NO_THREAD_SAFETY_ANALYSIS {  // lock_ is held
        block.reserve(places *
                      (kOfEnd * (bindings.size() + 1) + kOfModule * modules.size()));  // nothing in it moves
        for (const Binding* const binding : bindings)
          plan_binding(block, *binding, reached, bindings.size() == 1);
        set(block, adapter_.handle(), Direction::Complete,
            next_back_up(adapter_.filters.first_complete, reached.sender));
        set(block, adapter_.handle(), Direction::Receive,
            of_source(next_up(adapter_.filters.first_receive, reached.receiver), adapter_.handle()));
        for (const Ref<FilterModule>& module : modules) plan_module(block, *module, reached);
      });
  adapter_.passage.leave(side);
  blocks_.push_back(std::move(block));
}

void Ways::note_sender(const Binding& from) {
  if (several_.load(std::memory_order_relaxed) || sender_.load(std::memory_order_relaxed) == &from) return;
  {
    const kernel::Hold hold(lock_);
    if (const Binding* const first = sender_.load(); first == nullptr) {
      sender_ = &from;
    } else if (first != &from) {
      several_ = true;
    }
  }
  plan();
}

void Ways::settle() {
  if (adapter_.passage.is_abandoned()) return;  // who is on a way stays there, with its frame
  std::vector<Block> old;
  {
    const kernel::Hold hold(lock_);
    if (blocks_.size() > 1) {
      const auto last = std::prev(blocks_.end());
      old.assign(std::make_move_iterator(blocks_.begin()), std::make_move_iterator(last));
      blocks_.erase(blocks_.begin(), last);
    }
  }
  adapter_.passage.synchronize();
}

}  // namespace undis
