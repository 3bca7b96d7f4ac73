// SPDX-License-Identifier: MIT
//
// A loaded driver: its name, its image, its DRIVER_OBJECT, and how far it is in its life.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <wdm.h>

#include "kernel/call.h"

namespace undis::kernel {

/// Where the code of an image lies in this process; used to tell whose function an address is.
struct ImageRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool holds(const void* p) const noexcept {
    const auto a = reinterpret_cast<std::uintptr_t>(p);
    return a >= begin && a < end;
  }
};

enum class DriverPhase : std::uint8_t { Created, InDriverEntry, Loaded, Unloading, Unloaded, FailedToLoad };

class Driver {
 public:
  /// `service`: the service name ("passthru"). `harness`: a driver of the host (fakes, wires): never blamed,
  /// never made to fail.
  Driver(std::string service, ImageRange image, bool harness);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  const std::string& name() const noexcept { return name_; }
  bool harness() const noexcept { return harness_; }
  /// Its code tells the machine of each read and write (`undis cc --memory`).
  bool tells_memory() const noexcept { return tells_memory_; }
  void set_tells_memory(bool tells) noexcept { tells_memory_ = tells; }
  const ImageRange& image() const noexcept { return image_; }
  DriverPhase phase() const noexcept { return phase_.load(std::memory_order_relaxed); }
  DRIVER_OBJECT* object() noexcept;
  /// "\Registry\Machine\System\CurrentControlSet\Services\<name>"; the UNICODE_STRING that DriverEntry
  /// receives.
  UNICODE_STRING* registry_path() noexcept;

  /// The driver that owns `object`, or nullptr for a pointer that is no live DRIVER_OBJECT of ours.
  static Driver* from_object(const DRIVER_OBJECT* object) noexcept;

  /// Calls DriverEntry on the current thread at PASSIVE_LEVEL; phase Created -> InDriverEntry -> Loaded |
  /// FailedToLoad.
  NTSTATUS load(callback<NTSTATUS(PDRIVER_OBJECT, PUNICODE_STRING)> entry);

  /// Calls DriverObject->DriverUnload if there is one: phase Loaded -> Unloading -> Unloaded. False: the
  /// driver has no unload routine (it then stays loaded, as on Windows). Removing its devices first is the
  /// caller's (PnP's) job.
  bool unload();

  /// Which function runs or ran in DriverEntry or Unload: true while DriverEntry (or Unload) of this driver
  /// is on the stack of the current thread.
  bool in_driver_entry() const noexcept;
  bool in_unload() const noexcept;

 private:
  struct Parts;
  std::string name_;
  ImageRange image_;
  bool harness_;
  bool tells_memory_ = false;
  std::atomic<DriverPhase> phase_ = DriverPhase::Created;
  std::unique_ptr<Parts> parts_;
};

}  // namespace undis::kernel
