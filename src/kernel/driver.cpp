// SPDX-License-Identifier: MIT
//
// The DRIVER_OBJECT of a loaded driver, DriverEntry and DriverUnload.
//
// Pages   wdm/nc-wdm-driver_initialize, wdm/nc-wdm-driver_unload, wdm/ns-wdm-_driver_object
#include "kernel/driver.h"

#include <cstring>
#include <utility>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/io.h"
#include "kernel/irp_track.h"
#include "kernel/pool.h"
#include "kernel/registry.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

constexpr CallbackInfo kDriverEntry{"DriverEntry", PASSIVE_LEVEL, false};
constexpr CallbackInfo kDriverUnload{"DriverUnload", PASSIVE_LEVEL, false};
constexpr CSHORT kDriverType = 4;       // IO_TYPE_DRIVER
constexpr ULONG kPathTag = 0x68746150;  // 'Path'

void announce(Driver& driver) {
  if (System* const system = System::current_or_null()) system->observer().on_driver_phase(driver);
}

}  // namespace

struct Driver::Parts {
  DRIVER_OBJECT object{};
  DRIVER_EXTENSION extension{};
  std::u16string object_name;
  std::u16string service_name;
  std::u16string path;
  std::u16string hardware;
  UNICODE_STRING path_string{};
  UNICODE_STRING hardware_string{};
};

Driver::Driver(std::string service, ImageRange image, bool harness)
    : name_(std::move(service)), image_(image), harness_(harness), parts_(std::make_unique<Parts>()) {
  Parts& parts = *parts_;
  parts.service_name = to_utf16(name_);
  parts.object_name = u"\\Driver\\" + parts.service_name;
  parts.path = u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\" + parts.service_name;
  parts.hardware = u"\\Registry\\Machine\\Hardware\\Description\\System";
  parts.path_string = counted(parts.path);
  parts.hardware_string = counted(parts.hardware);

  DRIVER_OBJECT& object = parts.object;
  object.Type = kDriverType;
  object.Size = sizeof object;
  object.DriverStart = reinterpret_cast<PVOID>(image.begin);
  object.DriverSize = static_cast<ULONG>(image.end - image.begin);
  object.DriverExtension = &parts.extension;
  object.DriverName = counted(parts.object_name);
  object.HardwareDatabase = &parts.hardware_string;
  for (PDRIVER_DISPATCH& entry : object.MajorFunction) entry = invalid_device_request;
  parts.extension.DriverObject = &object;
  parts.extension.ServiceKeyName = counted(parts.service_name);
}

Driver::~Driver() = default;

DRIVER_OBJECT* Driver::object() noexcept {
  return &parts_->object;
}
UNICODE_STRING* Driver::registry_path() noexcept {
  return &parts_->path_string;
}

Driver* Driver::from_object(const DRIVER_OBJECT* object) noexcept {
  System* const system = System::current_or_null();
  if (system == nullptr || object == nullptr) return nullptr;
  return system->driver_of(object);
}

NTSTATUS Driver::load(callback<NTSTATUS(PDRIVER_OBJECT, PUNICODE_STRING)> entry) {
  System& system = System::current();
  Parts& parts = *parts_;
  system.registry().create_key(parts.path);
  phase_ = DriverPhase::InDriverEntry;
  announce(*this);

  // The page says that the path is freed after DriverEntry: a driver that keeps the pointer then reads
  // poison.
  UNICODE_STRING path = parts.path_string;
  Pool::Request request;
  request.size = path.MaximumLength;
  request.tag = kPathTag;
  request.kind = PoolKind::Paged;
  void* const buffer = system.pool().allocate(request);
  if (buffer == nullptr) {
    phase_ = DriverPhase::FailedToLoad;
    announce(*this);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  std::memcpy(buffer, path.Buffer, path.MaximumLength);
  path.Buffer = static_cast<PWCH>(buffer);
  parts.object.DriverInit = reinterpret_cast<PDRIVER_INITIALIZE>(entry.target);
  const NTSTATUS status =
      call_driver(this, kDriverEntry, &parts.object, nullptr, entry, &parts.object, &path);
  system.pool().free(buffer, kPathTag, "DriverEntry", this);
  // As the page of IoCreateDevice says: for devices made in DriverEntry the I/O manager clears the flag.
  for (const PDEVICE_OBJECT device : system.io().devices_of(*this))
    device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);

  phase_ = NT_SUCCESS(status) ? DriverPhase::Loaded : DriverPhase::FailedToLoad;
  announce(*this);
  return status;
}

bool Driver::unload() {
  DRIVER_OBJECT& object = parts_->object;
  if (object.DriverUnload == nullptr) return false;
  phase_ = DriverPhase::Unloading;
  announce(*this);
  call_driver(this, kDriverUnload, &object, nullptr, callback<void(PDRIVER_OBJECT)>(object.DriverUnload),
              &object);
  phase_ = DriverPhase::Unloaded;
  announce(*this);
  return true;
}

bool Driver::in_driver_entry() const noexcept {
  return phase() == DriverPhase::InDriverEntry && inside_callback(kDriverEntry.name, &parts_->object);
}
bool Driver::in_unload() const noexcept {
  return phase() == DriverPhase::Unloading && inside_callback(kDriverUnload.name, &parts_->object);
}

}  // namespace undis::kernel
