// SPDX-License-Identifier: MIT
//
// A virtual miniport of an intermediate driver: from NdisIMInitializeDeviceInstance(Ex) to
// NdisIMDeInitializeDeviceInstance or cancel. Pages: ndis/nf-ndis-ndisiminitializedeviceinstanceex,
// ndis/nf-ndis-ndisimdeinitializedeviceinstance, network/initializing-virtual-miniports.
#pragma once

#include <string>

#include <ndis.h>

#include "ndis/adapter.h"
#include "ndis/miniport_driver.h"
#include "ndis/name_index.h"
#include "ndis/roster.h"

namespace undis {

class Library;

/// An initialisation that was asked for and may not have happened yet: NDIS waits for the device to be
/// started.
class DeviceInstance final : public Object, public Listed<Library>, public NamedIn<Library> {
 public:
  enum class Phase : std::uint8_t { WaitingForDevice, Initializing, Up, Cancelled, Failed, Gone };

  DeviceInstance(MiniportDriver& driver, std::u16string device_name, void* device_context)
      : driver_(&driver), device_name_(std::move(device_name)), device_context_(device_context) {}

  MiniportDriver& driver() const noexcept { return *driver_; }
  const std::u16string& device_name() const noexcept { return device_name_; }
  void* device_context() const noexcept { return device_context_; }
  Phase phase = Phase::WaitingForDevice;  ///< guarded by Library's lock
  Ref<Adapter> adapter;                   ///< from Initializing on

 private:
  const Ref<MiniportDriver> driver_;
  const std::u16string device_name_;
  void* const device_context_;
};

/// NdisIMInitializeDeviceInstance(Ex): SUCCESS (asked for; it happens inside the call or later) or
/// NOT_ACCEPTED.
NDIS_STATUS initialize_device_instance(MiniportDriver& driver, std::u16string_view name,
                                       void* device_context);
/// NdisIMCancelInitializeDeviceInstance: SUCCESS if it never will happen, else FAILURE.
NDIS_STATUS cancel_device_instance(MiniportDriver& driver, std::u16string_view name);
/// NdisIMDeInitializeDeviceInstance: unbinds what is above, pauses, halts. FAILURE if `adapter` is no virtual
/// miniport that is up.
NDIS_STATUS deinitialize_device_instance(Adapter& adapter);

}  // namespace undis
