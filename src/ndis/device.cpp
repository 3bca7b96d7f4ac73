// SPDX-License-Identifier: MIT
//
// NDIS' own devices: making and removing them, and the way of an IRP to the driver's routine.
#include "ndis/device.h"

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/device.h"
#include "kernel/irp_track.h"
#include "kernel/system.h"
#include "kernel/unicode.h"
#include "ndis/library.h"
#include "ndis/strings.h"

namespace undis {
namespace {

constexpr std::size_t kNdisPart = 64;  // of the device extension; what follows is the driver's

std::vector<Ref<Service>> devices() {
  Library* const library = Library::current_or_null();
  return library != nullptr ? library->services().all(HandleKind::Device) : std::vector<Ref<Service>>{};
}

}  // namespace

Device::Device(kernel::Driver& driver, std::u16string name, std::u16string link,
               const PDRIVER_DISPATCH* majors)
    : Service(HandleKind::Device, driver, fmt::format("device {}", kernel::to_utf8(name))),
      device_name_(std::move(name)), link_name_(std::move(link)) {
  for (std::size_t i = 0; i < kMajors; ++i) majors_[i] = majors[i];
}

Ref<Device> Device::of(const DEVICE_OBJECT* object) {
  for (const Ref<Service>& service : devices())
    if (auto* const device = static_cast<Device*>(service.get()); device->object_ == object)
      return Ref<Device>(device);
  return {};
}

NTSTATUS Device::create(std::size_t extension) {
  kernel::DeviceRequest request;
  request.name = device_name_;
  request.extension = kNdisPart + extension;
  request.type = FILE_DEVICE_NETWORK;
  request.characteristics = FILE_DEVICE_SECURE_OPEN;
  NTSTATUS status = STATUS_SUCCESS;
  object_ = kernel::create_device(driver().object(), &driver(), request, status);
  if (object_ == nullptr) return status;
  const WideString link(link_name_);
  const WideString target(device_name_);
  status = IoCreateSymbolicLink(link.get(), target.get());
  if (!NT_SUCCESS(status)) {
    kernel::delete_device(object_);
    object_ = nullptr;
    return status;
  }
  if (extension != 0) extension_ = static_cast<std::byte*>(object_->DeviceExtension) + kNdisPart;
  take_entries();
  object_->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
  return STATUS_SUCCESS;
}

void Device::remove() {
  if (object_ == nullptr) return;
  give_entries_back();
  const WideString link(link_name_);
  IoDeleteSymbolicLink(link.get());
  kernel::delete_device(object_);
  object_ = nullptr;
  extension_ = nullptr;
}

void Device::take_entries() {
  PDRIVER_DISPATCH* const entries = driver().object()->MajorFunction;
  const Device* sibling = nullptr;  // whose entries were taken before
  for (const Ref<Service>& service : devices())
    if (service.get() != this && &service->driver() == &driver())
      sibling = static_cast<const Device*>(service.get());
  for (std::size_t i = 0; i < kMajors; ++i) {
    before_[i] = entries[i] == &dispatch && sibling != nullptr ? sibling->before_[i] : entries[i];
    entries[i] = &dispatch;
  }
}

void Device::give_entries_back() {
  for (const Ref<Service>& service : devices())
    if (service.get() != this && &service->driver() == &driver() &&
        static_cast<const Device*>(service.get())->object_ != nullptr)
      return;
  PDRIVER_DISPATCH* const entries = driver().object()->MajorFunction;
  for (std::size_t i = 0; i < kMajors; ++i)
    if (entries[i] == &dispatch) entries[i] = before_[i];
}

/// Runs as the driver's: the I/O manager has entered the driver already.
NTSTATUS Device::dispatch(PDEVICE_OBJECT object, PIRP irp) {
  const UCHAR major = IoGetCurrentIrpStackLocation(irp)->MajorFunction;
  if (const Ref<Device> device = of(object)) {
    // Plug and play and power are NDIS' business; a device that stands alone has neither.
    const bool own = major == IRP_MJ_PNP || major == IRP_MJ_POWER || !device->majors_[major];
    return own ? kernel::invalid_device_request(object, irp) : device->majors_[major](object, irp);
  }
  for (const Ref<Service>& service : devices()) {
    const auto* const other = static_cast<const Device*>(service.get());
    if (other->driver().object() != object->DriverObject || other->before_[major] == nullptr) continue;
    return kernel::callback<NTSTATUS(PDEVICE_OBJECT, PIRP)>(other->before_[major])(object, irp);
  }
  return kernel::invalid_device_request(object, irp);
}

}  // namespace undis
