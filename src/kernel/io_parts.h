// SPDX-License-Identifier: MIT
//
// The I/O manager's tables; shared by device.cpp, irp.cpp, shutdown.cpp and file.cpp only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernel/io.h"
#include "kernel/irp_track.h"
#include "kernel/lock.h"
#include "kernel/system.h"

namespace undis::kernel {

struct DeviceEntry {
  PDEVICE_OBJECT object = nullptr;
  Driver* driver = nullptr;
  std::u16string name;  ///< "" when the device has none
  std::unique_ptr<PhysicalDevice> physical;
  POWER_STATE power{.DeviceState = PowerDeviceD0};  ///< as PoSetPowerState was told last
  bool deleted = false;                             ///< IoDeleteDevice was called; references keep it
  Stack made;
};

struct LinkEntry {
  std::u16string name;  ///< as given
  std::u16string target;
  Driver* maker = nullptr;
  Stack made;
};

struct ShutdownHook {
  PDEVICE_OBJECT device = nullptr;
  Driver* driver = nullptr;
  bool last_chance = false;
  Stack made;
};

/// Of IoAllocateDriverObjectExtension.
struct ClientExtension {
  Driver* driver = nullptr;
  PVOID client = nullptr;
  void* memory = nullptr;
};

struct DeviceInterface {
  PDEVICE_OBJECT device = nullptr;
  bool enabled = false;
};

struct Io::Parts {
  mutable Lock lock;
  std::vector<std::unique_ptr<DeviceEntry>> devices GUARDED_BY(lock);     // in order of creation
  std::map<std::u16string, LinkEntry> links GUARDED_BY(lock);             // by normalised name
  std::map<std::u16string, DeviceInterface> interfaces GUARDED_BY(lock);  // by normalised name
  std::vector<ClientExtension> extensions GUARDED_BY(lock);
  std::vector<ShutdownHook> shutdown_hooks GUARDED_BY(lock);  // in order of registration
  std::unordered_map<const void*, std::shared_ptr<IrpTrack>>
      irps GUARDED_BY(lock);  // looked up only; sweep sorts by number
  std::uint64_t next_irp GUARDED_BY(lock) = 1;
  DRIVER_OBJECT bus_driver{};  // owner of the physical devices
  UNICODE_STRING bus_name{};
  Event file_gone{"a device of a driver that is to be unloaded is open"};

  DeviceEntry* entry_locked(const DEVICE_OBJECT* device) const noexcept REQUIRES(lock);
};

/// A name as links and devices are looked up by: upper case, "\DosDevices\", "\GLOBAL??\" and "\\.\" written
/// as "\??\".
std::u16string normalised(std::u16string_view name);

}  // namespace undis::kernel
