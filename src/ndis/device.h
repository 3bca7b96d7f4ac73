// SPDX-License-Identifier: MIT
//
// Device objects that NDIS makes for a driver: a name, a symbolic link, and the driver's dispatch routines,
// which NDIS calls. Pages: ndis/nf-ndis-ndisregisterdeviceex, ndis/nf-ndis-ndismregisterdevice.
//
// While a driver has such a device, the entries of its DRIVER_OBJECT are NDIS': an IRP for the device goes to
// the routine that was registered with it, an IRP for any other device of the driver to the entry that stood
// there before.
#pragma once

#include <array>
#include <string>

#include <ndis.h>

#include "kernel/call.h"
#include "ndis/service.h"

namespace undis {

class Device final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Device};
  static constexpr std::size_t kMajors = IRP_MJ_MAXIMUM_FUNCTION + 1;
  using Majors = std::array<kernel::callback<NTSTATUS(PDEVICE_OBJECT, PIRP)>, kMajors>;

  /// `majors`: kMajors entries.
  Device(kernel::Driver& driver, std::u16string name, std::u16string link, const PDRIVER_DISPATCH* majors);

  /// Makes the device object and the link, with `extension` bytes for the driver. On failure nothing is left.
  /// PASSIVE_LEVEL.
  NTSTATUS create(std::size_t extension);
  /// Takes both away. PASSIVE_LEVEL.
  void remove();

  DEVICE_OBJECT* object() const noexcept { return object_; }
  /// The driver's part of the device extension; nullptr: it asked for none.
  void* extension() const noexcept { return extension_; }

  /// The one whose device object this is; empty: none of NDIS' own, or deregistered.
  static Ref<Device> of(const DEVICE_OBJECT* object);

 private:
  static NTSTATUS dispatch(PDEVICE_OBJECT object, PIRP irp);
  void abandon() override { remove(); }
  void take_entries();
  void give_entries_back();

  const std::u16string device_name_;
  const std::u16string link_name_;
  Majors majors_;
  std::array<PDRIVER_DISPATCH, kMajors> before_{};  ///< the driver object's own entries
  DEVICE_OBJECT* object_ = nullptr;
  void* extension_ = nullptr;
};

}  // namespace undis
