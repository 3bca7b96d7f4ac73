// SPDX-License-Identifier: MIT
//
// Files and devices by handle or pointer, as drivers open them: IoGetDeviceObjectPointer, ZwCreateFile and
// their like.
//
// Pages   wdm/nf-wdm-iogetdeviceobjectpointer, -zwcreatefile, -zwopenfile, -zwreadfile, -zwwritefile,
// ntifs/nf-ntifs-zwdeviceiocontrolfile IRQL    PASSIVE_LEVEL Beyond  Only devices can be opened: there is no
// file system, so any other name is not found. Each call waits for its end.
#include <memory>
#include <string>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/device.h"
#include "kernel/file.h"
#include "kernel/io_parts.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

ObjectTable& objects() {
  return System::current().objects();
}

NTSTATUS file_of(HANDLE handle, PFILE_OBJECT* file) {
  ObjectKind kind = ObjectKind::Other;
  void* const body = objects().body(handle, &kind);
  if (body == nullptr) return STATUS_INVALID_HANDLE;
  if (kind != ObjectKind::File) return STATUS_OBJECT_TYPE_MISMATCH;
  *file = static_cast<PFILE_OBJECT>(body);
  return STATUS_SUCCESS;
}

NTSTATUS open(const char* name, PHANDLE handle, const OBJECT_ATTRIBUTES* attributes,
              PIO_STATUS_BLOCK status_block) {
  const KernelCall call(name, PASSIVE_LEVEL);
  *handle = nullptr;
  if (fault_point(name)) return STATUS_INSUFFICIENT_RESOURCES;
  NTSTATUS status = STATUS_SUCCESS;
  FILE_OBJECT* const file = open_file_object(view(attributes->ObjectName), status);
  status_block->Status = status;
  status_block->Information = file != nullptr ? FILE_OPENED : FILE_DOES_NOT_EXIST;
  if (file == nullptr) return status;
  file->Flags |= FO_HANDLE_CREATED;
  *handle = objects().open(file, current_driver());
  objects().dereference(file);
  return STATUS_SUCCESS;
}

/// One request on a handle, waited for; then the event is set and the routine called, as for an asynchronous
/// one.
template <class Start>
NTSTATUS perform(const char* name, HANDLE handle, HANDLE event, PIO_APC_ROUTINE routine, PVOID context,
                 PIO_STATUS_BLOCK status_block, Start start) {
  const KernelCall call(name, PASSIVE_LEVEL);
  PFILE_OBJECT file = nullptr;
  if (const NTSTATUS status = file_of(handle, &file); !NT_SUCCESS(status)) return status;
  objects().reference(file);
  NTSTATUS status = STATUS_SUCCESS;
  {
    const std::unique_ptr<File> opened = File::of(file);
    Request request = start(*opened);
    status = request.wait();
    status_block->Status = status;
    status_block->Information = request.information();
    opened->release();
  }
  objects().dereference(file);
  if (event != nullptr) ZwSetEvent(event, nullptr);
  if (routine != nullptr) {
    static constexpr CallbackInfo info{"ApcRoutine", APC_LEVEL, true};
    call_driver(current_driver(), info, nullptr, context,
                callback<void(PVOID, PIO_STATUS_BLOCK, ULONG)>(routine), context, status_block, 0u);
  }
  return status;
}

LONGLONG offset_of(const LARGE_INTEGER* offset) noexcept {
  return offset == nullptr ? 0 : offset->QuadPart;
}

}  // namespace

// Page wdm/nf-wdm-iogetdeviceobjectpointer. The reference returned is the file's; the handle in between is
// closed at once.
NTSTATUS IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK, PFILE_OBJECT* FileObject,
                                  PDEVICE_OBJECT* DeviceObject) {
  const KernelCall call("IoGetDeviceObjectPointer", PASSIVE_LEVEL);
  *FileObject = nullptr;
  *DeviceObject = nullptr;
  if (fault_point("IoGetDeviceObjectPointer")) return STATUS_INSUFFICIENT_RESOURCES;
  NTSTATUS status = STATUS_SUCCESS;
  FILE_OBJECT* const file = open_file_object(view(ObjectName), status);
  if (file == nullptr) return status;
  clean_up_file_object(file);
  *FileObject = file;
  *DeviceObject = top_of_stack(file->DeviceObject);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-zwcreatefile
NTSTATUS ZwCreateFile(PHANDLE FileHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes,
                      PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER, ULONG, ULONG, ULONG, ULONG, PVOID,
                      ULONG) {
  return open("ZwCreateFile", FileHandle, ObjectAttributes, IoStatusBlock);
}

// Page wdm/nf-wdm-zwopenfile
NTSTATUS ZwOpenFile(PHANDLE FileHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes,
                    PIO_STATUS_BLOCK IoStatusBlock, ULONG, ULONG) {
  return open("ZwOpenFile", FileHandle, ObjectAttributes, IoStatusBlock);
}

// Page wdm/nf-wdm-iocreatefile
NTSTATUS IoCreateFile(PHANDLE FileHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes,
                      PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER, ULONG, ULONG, ULONG, ULONG, PVOID,
                      ULONG, CREATE_FILE_TYPE, PVOID, ULONG) {
  return open("IoCreateFile", FileHandle, ObjectAttributes, IoStatusBlock);
}

// Page wdm/nf-wdm-zwreadfile
NTSTATUS ZwReadFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                    PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset,
                    PULONG) {
  return perform("ZwReadFile", FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock,
                 [&](File& file) { return file.start_read(Buffer, Length, offset_of(ByteOffset)); });
}

// Page wdm/nf-wdm-zwwritefile
NTSTATUS ZwWriteFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                     PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset,
                     PULONG) {
  return perform("ZwWriteFile", FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock,
                 [&](File& file) { return file.start_write(Buffer, Length, offset_of(ByteOffset)); });
}

// Page ntifs/nf-ntifs-zwdeviceiocontrolfile
NTSTATUS ZwDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, ULONG IoControlCode, PVOID InputBuffer,
                               ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength) {
  return perform("ZwDeviceIoControlFile", FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock,
                 [&](File& file) {
                   return file.start_ioctl(IoControlCode, InputBuffer, InputBufferLength, OutputBuffer,
                                           OutputBufferLength);
                 });
}
