// SPDX-License-Identifier: MIT
//
// Working the ways out.
#include "ndis/ways.h"

#include "kernel/driver.h"
#include "kernel/passage.h"
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/filter_module.h"
#include "ndis/next_way.h"

namespace undis {
namespace {

template <class H>
Way to(const FilterModule& module, const kernel::CallbackInfo& info, const H& handler) noexcept {
  return {&module.driver(), info.name, &module, module.context(), handler.target, nullptr};
}
template <class H>
Way to(const Binding& binding, const kernel::CallbackInfo& info, const H& handler,
       NDIS_HANDLE source) noexcept {
  return {&binding.driver(), info.name, &binding, binding.context(), handler.target, source};
}
template <class H>
Way to(const Adapter& adapter, const kernel::CallbackInfo& info, const H& handler,
       NDIS_HANDLE source) noexcept {
  return {&adapter.driver().driver(), info.name, &adapter, adapter.context(), handler.target, source};
}

/// A binding without a packet filter gets nothing.
const Binding* receiver(const Binding* binding) noexcept {
  return binding != nullptr && binding->packet_filter.load(std::memory_order_relaxed) != 0 ? binding
                                                                                           : nullptr;
}

Way of_source(Way way, NDIS_HANDLE source) noexcept {
  way.source = source;
  return way;
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

void Ways::set(Block& block, NDIS_HANDLE from, Direction direction, const Way& way) {
  if (way.handler == nullptr) return;
  block.push_back(way);
  std::atomic<const Way*>& place = HandleTable::way_of(from, direction);
  place.store(&block.back(), std::memory_order_release);
  set_.push_back(&place);
}

void Ways::plan_module(Block& block, const FilterModule& module, const Binding* only) {
  set(block, module.handle(), Direction::Send, next_down(adapter_, module.next_send));
  set(block, module.handle(), Direction::Complete, next_back_up(module.next_complete, only));
  set(block, module.handle(), Direction::Receive, next_up(module.next_receive, receiver(only)));
  set(block, module.handle(), Direction::Return, next_back_down(adapter_, module.next_return));
}

void Ways::plan() {
  if (kernel::watches_all()) return;
  constexpr std::size_t kOfEnds = 4;
  constexpr std::size_t kOfModule = 4;
  const kernel::Hold hold(lock_);
  for (std::atomic<const Way*>* const place : set_) place->store(nullptr, std::memory_order_release);
  set_.clear();
  if (!adapter_.carries_lists() || adapter_.attended.load() != 0 || adapter_.handle() == nullptr) return;

  const kernel::Passage::Phase phase = adapter_.passage.enter();  // the list of bindings lives as long
  const std::span<Binding* const> bindings = adapter_.bindings_now();
  const Binding* const only = bindings.size() == 1 && bindings[0]->carries_lists() ? bindings[0] : nullptr;
  auto block = std::make_unique<Block>();
  adapter_.filters.with_modules([&](std::span<const Ref<FilterModule>> modules) NO_THREAD_SAFETY_ANALYSIS {  // lock_ is held
    block->reserve(kOfEnds + kOfModule * modules.size());  // nothing in it moves
    if (only != nullptr) {
      if ((adapter_.traits().mac_options & NDIS_MAC_OPTION_NO_LOOPBACK) == 0)
        set(*block, only->handle(), Direction::Send,
            of_source(next_down(adapter_, adapter_.filters.first_send), only->handle()));
      set(*block, only->handle(), Direction::Return, next_back_down(adapter_, adapter_.filters.first_return));
    }
    set(*block, adapter_.handle(), Direction::Complete, next_back_up(adapter_.filters.first_complete, only));
    set(*block, adapter_.handle(), Direction::Receive,
        of_source(next_up(adapter_.filters.first_receive, receiver(only)), adapter_.handle()));
    for (const Ref<FilterModule>& module : modules) plan_module(*block, *module, only);
  });
  adapter_.passage.leave(phase);
  blocks_.push_back(std::move(block));
}

void Ways::settle() {
  std::vector<std::unique_ptr<Block>> old;
  {
    const kernel::Hold hold(lock_);
    old.swap(blocks_);
    if (!old.empty()) {
      blocks_.push_back(std::move(old.back()));
      old.pop_back();
    }
  }
  adapter_.passage.synchronize();
}

}  // namespace undis
