// SPDX-License-Identifier: MIT
//
// What NDIS gives a driver a handle to beside drivers, adapters, bindings and pools: configuration keys,
// timer objects, I/O work items, read/write locks, devices.
#pragma once

#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/driver.h"
#include "kernel/lock.h"
#include "kernel/observer.h"
#include "ndis/handle.h"
#include "ndis/object.h"
#include "ndis/observer.h"

namespace undis {

class Service : public Object {
 public:
  kernel::Driver& driver() const noexcept { return driver_; }
  HandleKind handle_kind() const noexcept { return kind_; }
  NDIS_HANDLE handle() const noexcept { return handle_; }
  /// Where it was made.
  const kernel::Stack& origin() const noexcept { return origin_; }
  /// How reports call it: "timer object 'Tmr1'".
  const std::string& name() const noexcept { return name_; }
  /// The adapter or generic object that it is made for, if it is made for one: it has to end before that
  /// does.
  void made_for(const void* object) noexcept { made_for_ = object; }

 protected:
  Service(HandleKind kind, kernel::Driver& driver, std::string name)
      : driver_(driver), kind_(kind), origin_(kernel::Stack::capture(1)), name_(std::move(name)) {}

  /// Its driver is gone without having given it back: from now on nothing of the driver's may be called.
  /// PASSIVE_LEVEL.
  virtual void abandon() {}

 private:
  friend class ServiceTable;
  kernel::Driver& driver_;
  const HandleKind kind_;
  const kernel::Stack origin_;
  const std::string name_;
  NDIS_HANDLE handle_ = nullptr;
  const void* made_for_ = nullptr;
};

/// Every open one, oldest first. A member of Library.
class ServiceTable {
 public:
  explicit ServiceTable(HandleTable& handles) noexcept : handles_(handles) {}

  /// Opens its handle and keeps it alive until close(). False: no handle is left.
  bool open(Service& service) EXCLUDES(lock_);
  /// False: it was closed before.
  bool close(Service& service) EXCLUDES(lock_);
  std::vector<Ref<Service>> all(HandleKind kind) const EXCLUDES(lock_);

  /// What was made for this adapter or generic object and is still open, oldest first.
  std::vector<Ref<Service>> made_for(const void* object) const EXCLUDES(lock_);
  /// Ends one that its driver has not ended.
  void take_away(Service& service) EXCLUDES(lock_);

  /// Tells of each one that the driver still has (LeftBehind) and takes it away.
  void sweep(kernel::Driver& driver, LeftBehind::When when, bool intermediate) EXCLUDES(lock_);

 private:
  HandleTable& handles_;
  mutable kernel::Lock lock_;
  std::vector<Ref<Service>> open_ GUARDED_BY(lock_);
};

}  // namespace undis
