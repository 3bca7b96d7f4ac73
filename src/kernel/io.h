// SPDX-License-Identifier: MIT
//
// The I/O manager: device objects and their stacks, symbolic links, IRPs on their way, shutdown
// registrations, and the physical devices that stand for the adapters of a host.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <wdm.h>

#include "kernel/observer.h"

namespace undis::kernel {

class Driver;
class PciDevice;

/// What IoGetDeviceProperty and IoOpenDeviceRegistryKey answer about a physical device. Empty strings: the
/// property is absent.
struct PhysicalDevice {
  std::u16string
      instance_path;  ///< under \Registry\Machine\System\CurrentControlSet\Enum, e.g. "ROOT\\NET\\0000"
  std::u16string
      driver_key;  ///< under ...\Control\Class, e.g. "{4d36e972-e325-11ce-bfc1-08002be10318}\\0001"
  std::u16string description;
  std::u16string friendly_name;
  std::u16string manufacturer;
  std::u16string location;
  std::u16string enumerator = u"ROOT";
  std::u16string class_name = u"Net";
  std::u16string class_guid = u"{4d36e972-e325-11ce-bfc1-08002be10318}";
  std::vector<std::u16string> hardware_ids;
  ULONG bus_number = 0;
  ULONG address = 0;
  PciDevice* hardware = nullptr;  ///< what is in the slot; nullptr: nothing that can be reached
};

class Io {
 public:
  Io();
  ~Io();
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;

  /// Sends IRP_MJ_SHUTDOWN to each registered device, last registered first. PASSIVE_LEVEL.
  void shutdown();

  bool has_shutdown_registration(const Driver& driver) const noexcept;

  /// Reports the driver's devices, symbolic links, shutdown registrations and IRPs that are still there, and
  /// takes them away.
  void sweep(Driver& driver);

  /// Waits until no device of the driver is open: until then it cannot be unloaded. PASSIVE_LEVEL.
  void wait_until_closed(const Driver& driver);

  /// A device object of the host's bus driver; it accepts every PnP and power IRP. Lives until
  /// remove_physical_device.
  PDEVICE_OBJECT add_physical_device(PhysicalDevice device);
  void remove_physical_device(PDEVICE_OBJECT device);
  /// nullptr: no physical device of ours.
  const PhysicalDevice* physical_device(const DEVICE_OBJECT* device) const;

  /// The device with this name, symbolic links followed ("\??\TAP", "\\.\TAP", "\Device\NdisProt"); nullptr:
  /// none.
  PDEVICE_OBJECT find_device(std::u16string_view name) const;
  /// The driver whose device this is; nullptr: no live device object.
  Driver* owner_of(const DEVICE_OBJECT* device) const;
  std::vector<PDEVICE_OBJECT> devices_of(const Driver& driver) const;

  struct Parts;
  Parts& parts() noexcept { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace undis::kernel
