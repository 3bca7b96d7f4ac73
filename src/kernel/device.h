// SPDX-License-Identifier: MIT
//
// Making and deleting device objects without the checks that the entry points make.
#pragma once

#include <cstddef>
#include <string>

#include <wdm.h>

namespace undis::kernel {

class Driver;

struct DeviceRequest {
  std::u16string name;        ///< "": unnamed
  std::size_t extension = 0;  ///< bytes
  DEVICE_TYPE type = 0;
  ULONG characteristics = 0;
  bool exclusive = false;
};

/// nullptr: see `status` (STATUS_OBJECT_NAME_COLLISION, STATUS_INSUFFICIENT_RESOURCES).
PDEVICE_OBJECT create_device(DRIVER_OBJECT* driver_object, Driver* driver, const DeviceRequest& request,
                             NTSTATUS& status);
/// False: no device object, or deleted before. What still refers to it keeps the memory.
bool delete_device(PDEVICE_OBJECT device);
PDEVICE_OBJECT top_of_stack(PDEVICE_OBJECT device) noexcept;
PDEVICE_OBJECT bottom_of_stack(PDEVICE_OBJECT device);
/// "device \Device\NdisProt", "an unnamed device": for reports.
std::string device_text(const DEVICE_OBJECT* device);

}  // namespace undis::kernel
