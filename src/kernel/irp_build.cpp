// SPDX-License-Identifier: MIT
//
// Buffered, direct and neither I/O.
//
// Pages   kernel/methods-for-accessing-data-buffers, wdm/nf-wdm-iobuilddeviceiocontrolrequest
#include "kernel/irp_build.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/system.h"

namespace undis::kernel {
namespace {

constexpr ULONG kBufferTag = 0x42206F49;  // 'Io B'

void* make_buffer(std::size_t size, const void* content, std::size_t content_size) {
  Pool::Request request;
  request.size = size;
  request.tag = kBufferTag;
  void* const buffer = System::current().pool().allocate(request);
  if (buffer != nullptr && content != nullptr) std::memcpy(buffer, content, std::min(size, content_size));
  return buffer;
}

PMDL lock_buffer(PIRP irp, void* buffer, std::size_t size) {
  const PMDL mdl = IoAllocateMdl(buffer, static_cast<ULONG>(size), FALSE, FALSE, irp);
  if (mdl != nullptr) MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess);
  return mdl;
}

}  // namespace

bool prepare_ioctl(PIRP irp, bool internal, ULONG code, const void* input, std::size_t input_size,
                   void* output, std::size_t output_size, Transfer& transfer) {
  const PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
  location->MajorFunction = internal ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
  location->Parameters.DeviceIoControl.IoControlCode = code;
  location->Parameters.DeviceIoControl.InputBufferLength = static_cast<ULONG>(input_size);
  location->Parameters.DeviceIoControl.OutputBufferLength = static_cast<ULONG>(output_size);
  transfer = {};
  const ULONG method = METHOD_FROM_CTL_CODE(code);
  if (method == METHOD_NEITHER) {
    location->Parameters.DeviceIoControl.Type3InputBuffer = const_cast<void*>(input);
    irp->UserBuffer = output;
    return true;
  }
  const std::size_t buffered = method == METHOD_BUFFERED ? std::max(input_size, output_size) : input_size;
  if (buffered != 0) {
    transfer.system_buffer = make_buffer(buffered, input, input_size);
    if (transfer.system_buffer == nullptr) return false;
    irp->AssociatedIrp.SystemBuffer = transfer.system_buffer;
  }
  transfer.output_size = output_size;
  if (method == METHOD_BUFFERED) {
    transfer.user_output = output;
    irp->UserBuffer = output;
  } else if (output_size != 0 && output != nullptr) {
    transfer.mdl = lock_buffer(irp, output, output_size);
    if (transfer.mdl == nullptr) {
      end_transfer(irp, transfer);
      return false;
    }
    irp->MdlAddress = transfer.mdl;
  }
  return true;
}

bool prepare_read_write(PIRP irp, PDEVICE_OBJECT device, UCHAR major, void* buffer, std::size_t size,
                        LONGLONG offset, Transfer& transfer) {
  const PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
  location->MajorFunction = major;
  if (major == IRP_MJ_READ) {
    location->Parameters.Read.Length = static_cast<ULONG>(size);
    location->Parameters.Read.ByteOffset.QuadPart = offset;
  } else {
    location->Parameters.Write.Length = static_cast<ULONG>(size);
    location->Parameters.Write.ByteOffset.QuadPart = offset;
  }
  transfer = {};
  if (size == 0) return true;
  if ((device->Flags & DO_BUFFERED_IO) != 0) {
    transfer.system_buffer = make_buffer(size, major == IRP_MJ_WRITE ? buffer : nullptr, size);
    if (transfer.system_buffer == nullptr) return false;
    irp->AssociatedIrp.SystemBuffer = transfer.system_buffer;
    irp->UserBuffer = buffer;
    if (major == IRP_MJ_READ) {
      transfer.user_output = buffer;
      transfer.output_size = size;
    }
  } else if ((device->Flags & DO_DIRECT_IO) != 0) {
    transfer.mdl = lock_buffer(irp, buffer, size);
    if (transfer.mdl == nullptr) return false;
    irp->MdlAddress = transfer.mdl;
  } else {
    irp->UserBuffer = buffer;
  }
  return true;
}

void end_transfer(PIRP irp, Transfer& transfer) {
  if (transfer.user_output != nullptr && !NT_ERROR(irp->IoStatus.Status)) {
    auto size = static_cast<std::size_t>(irp->IoStatus.Information);
    if (size > transfer.output_size) {
      report_misuse(Misuse::IrpMisuse, "IoCompleteRequest", irp,
                    fmt::format("IoStatus.Information is {}, but the output buffer has {} bytes", size,
                                transfer.output_size));
      size = transfer.output_size;
    }
    if (size != 0) std::memcpy(transfer.user_output, transfer.system_buffer, size);
  }
  if (transfer.mdl != nullptr) {
    MmUnlockPages(transfer.mdl);
    IoFreeMdl(transfer.mdl);
    irp->MdlAddress = nullptr;
  }
  if (transfer.system_buffer != nullptr) {
    System::current().pool().free(transfer.system_buffer, kBufferTag, "IoCompleteRequest", nullptr);
    irp->AssociatedIrp.SystemBuffer = nullptr;
  }
  transfer = {};
}

}  // namespace undis::kernel
