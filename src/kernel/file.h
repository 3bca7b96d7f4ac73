// SPDX-License-Identifier: MIT
//
// What a user process does with a device: opens it by name, reads, writes, sends control codes, closes it.
// For hosts and tests.
//
// To be used at PASSIVE_LEVEL, from a kernel thread or from the host's own. Each call waits; the start_ ones
// do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <wdm.h>

namespace undis::kernel {

class File;

/// A request on its way. Destroyed while it is not done: cancelled, then waited for.
class Request {
 public:
  ~Request();
  Request(Request&&) noexcept;
  Request& operator=(Request&&) noexcept;

  bool done() const noexcept;
  /// Waits for the end and returns IoStatus.Status.
  NTSTATUS wait() noexcept;
  /// False: the time (100 ns units) passed first.
  bool wait_for(std::uint64_t ticks) noexcept;
  /// IoCancelIrp. False: the driver set no cancel routine, or it is done.
  bool cancel() noexcept;
  std::size_t information() const noexcept;

 private:
  friend class File;
  struct Parts;
  explicit Request(std::shared_ptr<Parts> parts) noexcept;
  std::shared_ptr<Parts> parts_;
};

class File {
 public:
  /// "\\.\TAP", "\DosDevices\TAP", "\Device\NdisProt" ... with what follows the device's name as the file's
  /// name. nullptr: `status` says why (STATUS_OBJECT_NAME_NOT_FOUND: no such device; else what the driver
  /// answered to IRP_MJ_CREATE).
  static std::unique_ptr<File> open(std::string_view name, NTSTATUS& status);
  /// Closes it, if close() did not.
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  NTSTATUS read(void* buffer, std::size_t size, std::size_t& done, std::int64_t offset = 0);
  NTSTATUS write(const void* buffer, std::size_t size, std::size_t& done, std::int64_t offset = 0);
  NTSTATUS ioctl(std::uint32_t code, const void* input, std::size_t input_size, void* output,
                 std::size_t output_size, std::size_t& done);
  /// IRP_MJ_CLEANUP and, when nothing is on its way any more, IRP_MJ_CLOSE. What is still on its way is
  /// cancelled first.
  void close();

  // The buffers must live until the request is done.
  Request start_read(void* buffer, std::size_t size, std::int64_t offset = 0);
  Request start_write(const void* buffer, std::size_t size, std::int64_t offset = 0);
  Request start_ioctl(std::uint32_t code, const void* input, std::size_t input_size, void* output,
                      std::size_t output_size);

  FILE_OBJECT* object() noexcept { return object_; }
  /// A File over an object that somebody else keeps open; release() before it goes, or it closes the object.
  static std::unique_ptr<File> of(FILE_OBJECT* object) { return std::unique_ptr<File>(new File(object)); }
  void release() noexcept { object_ = nullptr; }

 private:
  explicit File(FILE_OBJECT* object) noexcept : object_(object) {}
  PIRP make(const std::shared_ptr<Request::Parts>& parts);
  Request start(PIRP irp, std::shared_ptr<Request::Parts> parts, bool prepared);
  FILE_OBJECT* object_ = nullptr;
};

// ---- for the entry points that open devices themselves ----

/// Opens a device as above and returns the FILE_OBJECT with one reference; its last dereference sends
/// IRP_MJ_CLOSE.
FILE_OBJECT* open_file_object(std::u16string_view name, NTSTATUS& status);
/// IRP_MJ_CLEANUP, as when the last handle is closed. A second call does nothing.
void clean_up_file_object(FILE_OBJECT* object);
/// Sends an IRP without buffers to the device and waits for its end.
NTSTATUS send_and_wait(PDEVICE_OBJECT device, UCHAR major, FILE_OBJECT* file);

}  // namespace undis::kernel
