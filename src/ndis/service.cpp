// SPDX-License-Identifier: MIT
//
// The list of what drivers have handles to.
#include "ndis/service.h"

#include <algorithm>

#include "ndis/library.h"

namespace undis {

bool ServiceTable::open(Service& service) {
  service.handle_ = handles_.open(service.kind_, &service);
  if (service.handle_ == nullptr) return false;
  Ref<Service> listed(service);
  const kernel::Hold hold(lock_);
  open_.push_back(std::move(listed));
  return true;
}

bool ServiceTable::close(Service& service) {
  Ref<Service> keep;  // dropped after the lock
  {
    const kernel::Hold hold(lock_);
    const auto at = std::ranges::find(open_, &service, [](const Ref<Service>& entry) { return entry.get(); });
    if (at == open_.end()) return false;
    keep = std::move(*at);
    open_.erase(at);
  }
  handles_.close(service.handle_);
  return true;
}

std::vector<Ref<Service>> ServiceTable::all(HandleKind kind) const {
  const kernel::Hold hold(lock_);
  std::vector<Ref<Service>> found;
  for (const Ref<Service>& entry : open_)
    if (entry->kind_ == kind) found.push_back(entry);
  return found;
}

std::vector<Ref<Service>> ServiceTable::made_for(const void* object) const {
  const kernel::Hold hold(lock_);
  std::vector<Ref<Service>> found;
  for (const Ref<Service>& entry : open_)
    if (entry->made_for_ == object) found.push_back(entry);
  return found;
}

void ServiceTable::take_away(Service& service) {
  service.abandon();
  close(service);
}

void ServiceTable::sweep(kernel::Driver& driver, LeftBehind::When when, bool intermediate) {
  std::vector<Ref<Service>> left;
  {
    const kernel::Hold hold(lock_);
    for (const Ref<Service>& entry : open_)
      if (&entry->driver_ == &driver) left.push_back(entry);
  }
  for (const Ref<Service>& entry : left) {
    if (!driver.harness())
      Library::current().observer().on(
          LeftBehind{when, &driver, entry->kind_, entry->name_, intermediate, false, entry->origin_});
    entry->abandon();
    close(*entry);
  }
}

}  // namespace undis
