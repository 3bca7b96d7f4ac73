// SPDX-License-Identifier: MIT
//
// Device objects: making, naming, stacking and deleting them. Their entry points are in device_ddi.cpp.
#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/device.h"
#include "kernel/driver.h"
#include "kernel/io_parts.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/pool.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

constexpr ULONG kDeviceTag = 0x69766544;  // 'Devi'
constexpr CSHORT kDeviceType = 3;         // IO_TYPE_DEVICE
constexpr CSHORT kDriverType = 4;         // IO_TYPE_DRIVER
constexpr std::u16string_view kLinkFolder = u"\\??\\";

bool cut_front(std::u16string_view& text, std::u16string_view front) noexcept {
  if (text.size() < front.size() || !equal_ignore_case(text.substr(0, front.size()), front)) return false;
  text.remove_prefix(front.size());
  return true;
}

/// PnP, power and everything else end here for a device of the host's bus: granted.
NTSTATUS bus_dispatch(PDEVICE_OBJECT, PIRP irp) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  NTSTATUS status = STATUS_SUCCESS;
  // A PnP query that the bus has no answer to goes back as it came.
  if (location->MajorFunction == IRP_MJ_PNP && location->MinorFunction >= IRP_MN_QUERY_INTERFACE)
    status = irp->IoStatus.Status;
  irp->IoStatus.Status = status;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

void destroy(Io::Parts& parts, PDEVICE_OBJECT device) {
  std::unique_ptr<DeviceEntry> entry;
  {
    const Hold hold(parts.lock);
    std::erase_if(parts.interfaces, [device](const auto& item) { return item.second.device == device; });
    const auto found = std::find_if(parts.devices.begin(), parts.devices.end(),
                                    [device](const auto& e) { return e->object == device; });
    if (found == parts.devices.end()) return;
    entry = std::move(*found);
    parts.devices.erase(found);
  }
  System::current().pool().free(device, kDeviceTag, "IoDeleteDevice", nullptr);
}

void unlink_from_driver(PDEVICE_OBJECT device) noexcept {
  PDEVICE_OBJECT* at = &device->DriverObject->DeviceObject;
  while (*at != nullptr && *at != device) at = &(*at)->NextDevice;
  if (*at == device) *at = device->NextDevice;
  device->NextDevice = nullptr;
}

}  // namespace

std::u16string normalised(std::u16string_view name) {
  std::u16string_view rest = name;
  if (cut_front(rest, u"\\DosDevices\\") || cut_front(rest, u"\\GLOBAL??\\") || cut_front(rest, u"\\\\.\\") ||
      cut_front(rest, u"\\\\?\\") || cut_front(rest, kLinkFolder)) {
    cut_front(rest, u"Global\\");
    return std::u16string(kLinkFolder) + upcased(rest);
  }
  return upcased(name);
}

DeviceEntry* Io::Parts::entry_locked(const DEVICE_OBJECT* device) const noexcept {
  for (const auto& entry : devices)
    if (entry->object == device) return entry.get();
  return nullptr;
}

Io::Io() : parts_(std::make_unique<Parts>()) {
  static const std::u16string name = u"\\Driver\\PnpManager";
  DRIVER_OBJECT& bus = parts_->bus_driver;
  bus.Type = kDriverType;
  bus.Size = sizeof bus;
  bus.DriverName = counted(name);
  for (PDRIVER_DISPATCH& entry : bus.MajorFunction) entry = bus_dispatch;
}

Io::~Io() = default;

PDEVICE_OBJECT create_device(DRIVER_OBJECT* driver_object, Driver* driver, const DeviceRequest& request,
                             NTSTATUS& status) {
  Io::Parts& parts = System::current().io().parts();
  status = STATUS_OBJECT_NAME_COLLISION;
  if (!request.name.empty() && System::current().io().find_device(request.name) != nullptr) return nullptr;

  // The extension follows the object, on a boundary that suits any type.
  const std::size_t offset = (sizeof(DEVICE_OBJECT) + 15) & ~std::size_t{15};
  Pool::Request memory;
  memory.size = offset + request.extension;
  memory.tag = kDeviceTag;
  memory.zero = true;
  status = STATUS_INSUFFICIENT_RESOURCES;
  auto* const bytes = static_cast<std::byte*>(System::current().pool().allocate(memory));
  if (bytes == nullptr) return nullptr;

  auto* const device = reinterpret_cast<PDEVICE_OBJECT>(bytes);
  device->Type = kDeviceType;
  device->Size = static_cast<USHORT>(sizeof(DEVICE_OBJECT) + request.extension);
  device->ReferenceCount = 0;
  device->DriverObject = driver_object;
  device->Flags = DO_DEVICE_INITIALIZING | (request.exclusive ? DO_EXCLUSIVE : 0u) |
                  (request.name.empty() ? 0u : DO_DEVICE_HAS_NAME);
  device->Characteristics = request.characteristics;
  device->DeviceType = request.type;
  device->StackSize = 1;
  device->DeviceExtension = request.extension == 0 ? nullptr : bytes + offset;

  auto entry = std::make_unique<DeviceEntry>();
  entry->object = device;
  entry->driver = driver;
  entry->name = request.name;
  entry->made = Stack::capture(1);
  {
    const Hold hold(parts.lock);
    device->NextDevice = driver_object->DeviceObject;
    driver_object->DeviceObject = device;
    parts.devices.push_back(std::move(entry));
  }
  System::current().objects().add(device, ObjectKind::Device, to_utf8(request.name),
                                  [&parts, device] { destroy(parts, device); });
  status = STATUS_SUCCESS;
  return device;
}

bool delete_device(PDEVICE_OBJECT device) {
  Io::Parts& parts = System::current().io().parts();
  {
    const Hold hold(parts.lock);
    DeviceEntry* const entry = parts.entry_locked(device);
    if (entry == nullptr || entry->deleted) return false;
    entry->deleted = true;
    entry->name.clear();  // the name is free from now on
    unlink_from_driver(device);
  }
  System::current().objects().dereference(device);
  return true;
}

PDEVICE_OBJECT top_of_stack(PDEVICE_OBJECT device) noexcept {
  while (device->AttachedDevice != nullptr) device = device->AttachedDevice;
  return device;
}

PDEVICE_OBJECT bottom_of_stack(PDEVICE_OBJECT device) {
  Io::Parts& parts = System::current().io().parts();
  const Hold hold(parts.lock);
  for (bool found = true; found;) {
    found = false;
    for (const auto& entry : parts.devices) {
      if (entry->object->AttachedDevice != device) continue;
      device = entry->object;
      found = true;
      break;
    }
  }
  return device;
}

std::string device_text(const DEVICE_OBJECT* device) {
  Io::Parts& parts = System::current().io().parts();
  const Hold hold(parts.lock);
  const DeviceEntry* const entry = parts.entry_locked(device);
  if (entry == nullptr) return "something that is no device object";
  return entry->name.empty() ? std::string("an unnamed device") : "device " + to_utf8(entry->name);
}

Driver* Io::owner_of(const DEVICE_OBJECT* device) const {
  const Hold hold(parts_->lock);
  const DeviceEntry* const entry = parts_->entry_locked(device);
  return entry == nullptr ? nullptr : entry->driver;
}

std::vector<PDEVICE_OBJECT> Io::devices_of(const Driver& driver) const {
  const Hold hold(parts_->lock);
  std::vector<PDEVICE_OBJECT> found;
  for (const auto& entry : parts_->devices)
    if (entry->driver == &driver && !entry->deleted) found.push_back(entry->object);
  return found;
}

PDEVICE_OBJECT Io::find_device(std::u16string_view name) const {
  const Hold hold(parts_->lock);
  std::u16string wanted = normalised(name);
  for (int hops = 0; hops < 8; ++hops) {  // a link may lead to a link, but not for ever
    const auto link = parts_->links.find(wanted);
    if (link == parts_->links.end()) break;
    wanted = normalised(link->second.target);
  }
  const auto interface = parts_->interfaces.find(wanted);
  if (interface != parts_->interfaces.end())
    return interface->second.enabled ? interface->second.device : nullptr;
  for (const auto& entry : parts_->devices)
    if (!entry->name.empty() && normalised(entry->name) == wanted) return entry->object;
  return nullptr;
}

PDEVICE_OBJECT Io::add_physical_device(PhysicalDevice description) {
  DeviceRequest request;
  request.type = FILE_DEVICE_UNKNOWN;
  NTSTATUS status = STATUS_SUCCESS;
  const PDEVICE_OBJECT device = create_device(&parts_->bus_driver, nullptr, request, status);
  if (device == nullptr) return nullptr;
  device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
  const Hold hold(parts_->lock);
  parts_->entry_locked(device)->physical = std::make_unique<PhysicalDevice>(std::move(description));
  return device;
}

void Io::remove_physical_device(PDEVICE_OBJECT device) {
  delete_device(device);
}

const PhysicalDevice* Io::physical_device(const DEVICE_OBJECT* device) const {
  const Hold hold(parts_->lock);
  const DeviceEntry* const entry = parts_->entry_locked(device);
  return entry == nullptr ? nullptr : entry->physical.get();
}

void Io::sweep(Driver& driver) {
  struct Left {
    Misuse kind;
    const void* object;
    std::string text;
    Stack made;
  };
  std::vector<Left> left;
  std::vector<PDEVICE_OBJECT> devices;
  std::vector<PIRP> irps;
  std::vector<void*> extensions;
  {
    const Hold hold(parts_->lock);
    std::erase_if(parts_->extensions, [&](const ClientExtension& extension) {
      if (extension.driver != &driver) return false;
      extensions.push_back(extension.memory);
      return true;
    });
    std::erase_if(parts_->shutdown_hooks, [&](const ShutdownHook& hook) {
      if (hook.driver != &driver) return false;
      left.push_back({Misuse::ShutdownHookAtUnload, hook.device,
                      "a shutdown notification is still registered", hook.made});
      return true;
    });
    std::erase_if(parts_->links, [&](const auto& link) {
      if (link.second.maker != &driver) return false;
      left.push_back({Misuse::DeviceAtUnload, nullptr,
                      fmt::format("symbolic link {} is still there", to_utf8(link.second.name)),
                      link.second.made});
      return true;
    });
    std::vector<std::pair<std::uint64_t, const void*>> tracked;
    for (const auto& [irp, track] : parts_->irps)
      if (track->maker == &driver || (track->holder == &driver && track->sent && !track->completed))
        tracked.emplace_back(track->number, irp);
    std::sort(tracked.begin(), tracked.end());
    for (const auto& [number, irp] : tracked) {
      IrpTrack& track = *parts_->irps.find(irp)->second;
      if (track.kind == IrpTrack::Kind::Allocated && track.maker == &driver) {
        left.push_back({Misuse::IrpMisuse, irp, "an IRP that the driver allocated is not freed", track.made});
      } else {
        left.push_back(
            {Misuse::IrpMisuse, irp, "an IRP that the driver was given is not completed", track.made});
      }
      if (track.maker == &driver) irps.push_back(static_cast<PIRP>(const_cast<void*>(irp)));
      track.holder = nullptr;
    }
    for (const auto& entry : parts_->devices) {
      if (entry->driver != &driver) continue;
      if (!entry->deleted) {
        left.push_back({Misuse::DeviceAtUnload, entry->object,
                        entry->name.empty() ? std::string("an unnamed device is not deleted")
                                            : fmt::format("device {} is not deleted", to_utf8(entry->name)),
                        entry->made});
        devices.push_back(entry->object);
      }
      entry->driver = nullptr;  // handles may keep the memory longer than the driver lives
    }
  }
  for (void* const memory : extensions) System::current().pool().free(memory, 0, "DriverUnload", nullptr);
  for (const PIRP irp : irps) free_irp(irp);
  for (const PDEVICE_OBJECT device : devices) delete_device(device);
  if (driver.harness()) return;
  for (Left& item : left)
    report_misuse_of(&driver, item.kind, "DriverUnload", item.object, std::move(item.text), item.made);
}

}  // namespace undis::kernel
