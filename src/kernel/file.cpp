// SPDX-License-Identifier: MIT
//
// File objects and the requests of user processes.
//
// Pages   ifs/irp-mj-create, ifs/irp-mj-cleanup, ifs/irp-mj-close, wdm/ns-wdm-_file_object
// Order   IRP_MJ_CLEANUP when the last handle goes, IRP_MJ_CLOSE when the last reference goes, always at
// PASSIVE_LEVEL.
#include "kernel/file.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <ntddk.h>

#include "kernel/device.h"
#include "kernel/driver.h"
#include "kernel/io_parts.h"
#include "kernel/irp_build.h"
#include "kernel/irp_track.h"
#include "kernel/object.h"
#include "kernel/pool.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

constexpr ULONG kFileTag = 0x656C6946;  // 'File'
constexpr ULONG kNameTag = 0x6D616E46;  // 'Fnam'

void* pool_block(std::size_t size, ULONG tag) {
  Pool::Request request;
  request.size = size;
  request.tag = tag;
  request.zero = true;
  return System::current().pool().allocate(request);
}

/// Frees a file object whose device has answered IRP_MJ_CLOSE, or was never opened.
void free_file_object(FILE_OBJECT* file) {
  Pool& pool = System::current().pool();
  ObjectTable& objects = System::current().objects();
  if (file->FileName.Buffer != nullptr) pool.free(file->FileName.Buffer, kNameTag, "IRP_MJ_CLOSE", nullptr);
  --file->DeviceObject->ReferenceCount;
  System::current().io().parts().file_gone.set();
  objects.dereference(file->DeviceObject);
  pool.free(file, kFileTag, "IRP_MJ_CLOSE", nullptr);
}

void close_file_object(FILE_OBJECT* file) {
  clean_up_file_object(file);
  send_and_wait(top_of_stack(file->DeviceObject), IRP_MJ_CLOSE, file);
  free_file_object(file);
}

/// The last reference went, at whatever IRQL; the driver is called at PASSIVE_LEVEL.
void file_object_gone(FILE_OBJECT* file) {
  if (irql() == PASSIVE_LEVEL) {
    close_file_object(file);
  } else {
    queue_work("IRP_MJ_CLOSE", [file] { close_file_object(file); });
  }
}

/// Cuts a path into the device's name and what follows it.
PDEVICE_OBJECT resolve(std::u16string_view path, std::u16string& rest) {
  const Io& io = System::current().io();
  for (std::size_t end = path.size(); end != std::u16string_view::npos && end != 0;
       end = path.rfind(u'\\', end - 1)) {
    if (const PDEVICE_OBJECT device = io.find_device(path.substr(0, end))) {
      rest = path.substr(end);
      return device;
    }
  }
  return nullptr;
}

}  // namespace

struct Request::Parts {
  Event ended{"I/O request"};
  PIRP irp = nullptr;  // nullptr once it is done
  Transfer transfer;
  IO_STATUS_BLOCK status{};
  FILE_OBJECT* file = nullptr;
  bool is_done = false;
};

NTSTATUS send_and_wait(PDEVICE_OBJECT device, UCHAR major, FILE_OBJECT* file) {
  struct Answer {
    Event ended{"I/O request"};
    NTSTATUS status = STATUS_PENDING;
  };
  const auto answer = std::make_shared<Answer>();
  const PIRP irp = make_irp(device->StackSize, IrpTrack::Kind::Host, nullptr, [answer](PIRP done) {
    answer->status = done->IoStatus.Status;
    free_irp(done);
    answer->ended.set();
  });
  if (irp == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  irp->RequestorMode = UserMode;
  irp->Tail.Overlay.Thread = KeGetCurrentThread();
  irp->Tail.Overlay.OriginalFileObject = file;
  const PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
  location->MajorFunction = major;
  location->FileObject = file;
  IO_SECURITY_CONTEXT security{};
  if (major == IRP_MJ_CREATE) {
    security.DesiredAccess = FILE_GENERIC_READ | FILE_GENERIC_WRITE;
    location->Parameters.Create.SecurityContext = &security;
    location->Parameters.Create.Options = ULONG{FILE_OPEN} << 24;
    location->Parameters.Create.ShareAccess = FILE_SHARE_READ | FILE_SHARE_WRITE;
  }
  send_irp(device, irp);
  answer->ended.wait();
  return answer->status;
}

FILE_OBJECT* open_file_object(std::u16string_view name, NTSTATUS& status) {
  std::u16string rest;
  status = STATUS_OBJECT_NAME_NOT_FOUND;
  const PDEVICE_OBJECT device = resolve(name, rest);
  if (device == nullptr) return nullptr;
  if ((device->Flags & DO_DEVICE_INITIALIZING) != 0) {
    status = STATUS_NO_SUCH_DEVICE;  // the driver has not finished setting it up
    return nullptr;
  }
  if ((device->Flags & DO_EXCLUSIVE) != 0 && device->ReferenceCount != 0) {
    status = STATUS_ACCESS_DENIED;
    return nullptr;
  }
  status = STATUS_INSUFFICIENT_RESOURCES;
  auto* const file = static_cast<FILE_OBJECT*>(pool_block(sizeof(FILE_OBJECT), kFileTag));
  if (file == nullptr) return nullptr;
  file->Type = IO_TYPE_FILE;
  file->Size = sizeof *file;
  file->DeviceObject = device;
  file->ReadAccess = file->WriteAccess = TRUE;
  file->SharedRead = file->SharedWrite = TRUE;
  if (!rest.empty()) {
    const std::size_t bytes = rest.size() * sizeof(char16_t);
    file->FileName.Buffer = static_cast<PWCH>(pool_block(bytes + sizeof(char16_t), kNameTag));
    if (file->FileName.Buffer != nullptr) {
      std::memcpy(file->FileName.Buffer, rest.data(), bytes);
      file->FileName.Length = static_cast<USHORT>(bytes);
      file->FileName.MaximumLength = static_cast<USHORT>(bytes + sizeof(char16_t));
    }
  }
  System::current().objects().reference(device);
  ++device->ReferenceCount;
  status = send_and_wait(top_of_stack(device), IRP_MJ_CREATE, file);
  if (!NT_SUCCESS(status)) {
    free_file_object(file);  // a failed create gets neither cleanup nor close
    return nullptr;
  }
  System::current().objects().add(
      file, ObjectKind::File, to_utf8(name), [file] { file_object_gone(file); },
      [file] { clean_up_file_object(file); });
  return file;
}

void clean_up_file_object(FILE_OBJECT* file) {
  if ((file->Flags & FO_CLEANUP_COMPLETE) != 0) return;
  file->Flags |= FO_CLEANUP_COMPLETE;
  send_and_wait(top_of_stack(file->DeviceObject), IRP_MJ_CLEANUP, file);
}

void Io::wait_until_closed(const Driver& driver) {
  const auto is_open = [](const DEVICE_OBJECT* device) { return device->ReferenceCount != 0; };
  for (;;) {
    parts_->file_gone.reset();
    if (!std::ranges::any_of(devices_of(driver), is_open)) return;
    parts_->file_gone.wait();
  }
}

std::unique_ptr<File> File::open(std::string_view name, NTSTATUS& status) {
  FILE_OBJECT* const object = open_file_object(to_utf16(name), status);
  return object == nullptr ? nullptr : std::unique_ptr<File>(new File(object));
}

File::~File() {
  close();
}

void File::close() {
  if (object_ == nullptr) return;
  FILE_OBJECT* const object = std::exchange(object_, nullptr);
  clean_up_file_object(object);
  System::current().objects().dereference(object);
}

Request::Request(std::shared_ptr<Parts> parts) noexcept : parts_(std::move(parts)) {}
Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;

Request::~Request() {
  if (parts_ == nullptr || parts_->is_done) return;
  cancel();
  parts_->ended.wait();
}

bool Request::done() const noexcept {
  return parts_->is_done;
}
NTSTATUS Request::wait() noexcept {
  parts_->ended.wait();
  return parts_->status.Status;
}
bool Request::wait_for(std::uint64_t ticks) noexcept {
  return parts_->ended.wait_for(ticks);
}
bool Request::cancel() noexcept {
  return parts_->irp != nullptr && IoCancelIrp(parts_->irp) != FALSE;
}
std::size_t Request::information() const noexcept {
  return static_cast<std::size_t>(parts_->status.Information);
}

PIRP File::make(const std::shared_ptr<Request::Parts>& parts) {
  const PDEVICE_OBJECT device = top_of_stack(object_->DeviceObject);
  const PIRP irp = make_irp(device->StackSize, IrpTrack::Kind::Host, nullptr, [parts](PIRP done) {
    end_transfer(done, parts->transfer);
    parts->status = done->IoStatus;
    parts->irp = nullptr;
    parts->is_done = true;
    free_irp(done);
    System::current().objects().dereference(parts->file);
    parts->ended.set();
  });
  if (irp == nullptr) return nullptr;
  irp->RequestorMode = UserMode;
  irp->UserIosb = &parts->status;
  irp->Tail.Overlay.Thread = KeGetCurrentThread();
  irp->Tail.Overlay.OriginalFileObject = object_;
  return irp;
}

Request File::start(PIRP irp, std::shared_ptr<Request::Parts> parts, bool prepared) {
  if (irp == nullptr || !prepared) {
    if (irp != nullptr) free_irp(irp);
    parts->status.Status = STATUS_INSUFFICIENT_RESOURCES;
    parts->is_done = true;
    parts->ended.set();
    return Request(std::move(parts));
  }
  IoGetNextIrpStackLocation(irp)->FileObject = object_;
  System::current().objects().reference(object_);  // while it is on its way the file stays open
  parts->irp = irp;
  parts->file = object_;
  send_irp(top_of_stack(object_->DeviceObject), irp);
  return Request(std::move(parts));
}

Request File::start_read(void* buffer, std::size_t size, std::int64_t offset) {
  auto parts = std::make_shared<Request::Parts>();
  const PIRP irp = make(parts);
  const bool prepared = irp != nullptr && prepare_read_write(irp, object_->DeviceObject, IRP_MJ_READ, buffer,
                                                             size, offset, parts->transfer);
  return start(irp, std::move(parts), prepared);
}

Request File::start_write(const void* buffer, std::size_t size, std::int64_t offset) {
  auto parts = std::make_shared<Request::Parts>();
  const PIRP irp = make(parts);
  const bool prepared =
      irp != nullptr && prepare_read_write(irp, object_->DeviceObject, IRP_MJ_WRITE,
                                           const_cast<void*>(buffer), size, offset, parts->transfer);
  return start(irp, std::move(parts), prepared);
}

Request File::start_ioctl(std::uint32_t code, const void* input, std::size_t input_size, void* output,
                          std::size_t output_size) {
  auto parts = std::make_shared<Request::Parts>();
  const PIRP irp = make(parts);
  const bool prepared = irp != nullptr && prepare_ioctl(irp, false, code, input, input_size, output,
                                                        output_size, parts->transfer);
  return start(irp, std::move(parts), prepared);
}

NTSTATUS File::read(void* buffer, std::size_t size, std::size_t& done, std::int64_t offset) {
  Request request = start_read(buffer, size, offset);
  const NTSTATUS status = request.wait();
  done = request.information();
  return status;
}

NTSTATUS File::write(const void* buffer, std::size_t size, std::size_t& done, std::int64_t offset) {
  Request request = start_write(buffer, size, offset);
  const NTSTATUS status = request.wait();
  done = request.information();
  return status;
}

NTSTATUS File::ioctl(std::uint32_t code, const void* input, std::size_t input_size, void* output,
                     std::size_t output_size, std::size_t& done) {
  Request request = start_ioctl(code, input, input_size, output, output_size);
  const NTSTATUS status = request.wait();
  done = request.information();
  return status;
}

}  // namespace undis::kernel
