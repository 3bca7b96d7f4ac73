// SPDX-License-Identifier: MIT
//
// Which modules an adapter should have, in which order, and bringing that about.
#include "ndis/filter_stack.h"

#include <algorithm>

#include "ndis/filter_module.h"
#include "ndis/library.h"

namespace undis {
namespace {

bool wants(const FilterDriver& filter, const Adapter& adapter) {
  if (!filter.attachable()) return false;
  const Library& library = Library::current();
  if (library.policy.filters) return library.policy.filters(filter, adapter);
  return filter.settings().takes(adapter.traits().medium);
}

}  // namespace

FilterStack::FilterStack(Adapter& adapter) noexcept : adapter_(adapter) {}
FilterStack::~FilterStack() = default;

std::vector<Ref<FilterModule>> FilterStack::modules() const {
  const kernel::Hold hold(lock_);
  return modules_;
}

bool FilterStack::empty() const noexcept {
  const kernel::Hold hold(lock_);
  return modules_.empty();
}

std::size_t FilterStack::index_locked(const FilterModule& module) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::find(modules_, &module, [](const Ref<FilterModule>& m) { return m.get(); }) -
      modules_.begin());
}

/// From the miniport up: modifying filters by their class, those of one class in order of registration, the
/// later above; a monitoring filter over the miniport and over each of them (docs/decisions.md#filter-order).
std::vector<FilterStack::Wanted> FilterStack::wanted() const {
  std::vector<Ref<FilterDriver>> modifying;
  std::vector<Ref<FilterDriver>> monitoring;
  for (Ref<FilterDriver>& filter : Library::current().filter_drivers()) {
    if (!wants(*filter, adapter_)) continue;
    (filter->settings().monitoring ? monitoring : modifying).push_back(std::move(filter));
  }
  std::ranges::stable_sort(modifying, {}, [](const Ref<FilterDriver>& f) { return f->settings().rank(); });
  std::vector<Wanted> all;
  for (const Ref<FilterDriver>& monitor : monitoring) all.push_back({monitor, nullptr});
  for (const Ref<FilterDriver>& filter : modifying) {
    all.push_back({filter, nullptr});
    for (const Ref<FilterDriver>& monitor : monitoring) all.push_back({monitor, filter.get()});
  }
  return all;
}

Ref<FilterModule> FilterStack::find(const Wanted& wanted) const {
  const kernel::Hold hold(lock_);
  for (const Ref<FilterModule>& module : modules_)
    if (&module->filter() == wanted.driver.get() && module->over() == wanted.over) return module;
  return {};
}

bool FilterStack::has_missing() const {
  return std::ranges::any_of(wanted(), [this](const Wanted& w) { return !find(w); });
}

bool FilterStack::has_missing_mandatory() const {
  return std::ranges::any_of(wanted(),
                             [this](const Wanted& w) { return w.driver->settings().mandatory && !find(w); });
}

bool FilterStack::attach_missing() {
  bool complete = true;
  Ref<FilterModule> below;
  const std::vector<Wanted> all = wanted();
  for (const Wanted& one : all) {
    if (Ref<FilterModule> present = find(one); present) {
      below = std::move(present);
      continue;
    }
    // A monitoring filter stands on the module that it watches: where that one is missing, so is it.
    const bool stands =
        one.over == nullptr || (below && (&below->filter() == one.over || below->over() == one.over));
    Ref<FilterModule> module;
    if (stands && one.driver->attachable()) {
      module = Ref<FilterModule>(new FilterModule(*one.driver, adapter_, one.over));
      {
        const kernel::Hold hold(lock_);
        const std::size_t at = below ? index_locked(*below) + 1 : 0;
        modules_.insert(modules_.begin() + static_cast<std::ptrdiff_t>(at), module);
      }
      if (module->attach() == NDIS_STATUS_SUCCESS) {
        below = module;
        continue;
      }
      take_out(*module);
    }
    if (one.driver->settings().mandatory && one.driver->attachable()) complete = false;
  }
  relink();
  return complete;
}

void FilterStack::take_out(FilterModule& module) {
  Ref<FilterModule> gone;  // dropped after the lock
  const kernel::Hold hold(lock_);
  const std::size_t at = index_locked(module);
  if (at == modules_.size()) return;
  gone = std::move(modules_[at]);
  modules_.erase(modules_.begin() + static_cast<std::ptrdiff_t>(at));
}

void FilterStack::detach(FilterModule& module) {
  const Ref<FilterModule> alive(module);
  module.detach();
  take_out(module);
  relink();
}

void FilterStack::detach_all() {
  for (std::vector<Ref<FilterModule>> left = modules(); !left.empty(); left = modules()) detach(*left.back());
}

void FilterStack::abandon() noexcept {
  std::vector<Ref<FilterModule>> gone;
  {
    const kernel::Hold hold(lock_);
    gone.swap(modules_);
  }
  for (const Ref<FilterModule>& module : gone) module->filter().forget(*module);
}

void FilterStack::relink() {
  link();
  adapter_.ways.plan();
}

void FilterStack::link() {
  const kernel::Hold hold(lock_);
  first_send = first_cancel = first_complete = first_receive = first_return = nullptr;
  // Down: the last seen from the bottom is the nearest below of whoever comes next.
  std::size_t index = 0;
  for (const Ref<FilterModule>& module : modules_) {
    module->index = index++;
    module->next_send = first_send;
    module->next_cancel = first_cancel;
    module->next_return = first_return;
    if (module->data().Send) first_send = module.get();
    if (module->data().CancelSend) first_cancel = module.get();
    if (module->data().Return) first_return = module.get();
  }
  for (auto at = modules_.rbegin(); at != modules_.rend(); ++at) {
    FilterModule& module = **at;
    module.next_complete = first_complete;
    module.next_receive = first_receive;
    if (module.data().SendComplete) first_complete = &module;
    if (module.data().Receive) first_receive = &module;
  }
}

}  // namespace undis
