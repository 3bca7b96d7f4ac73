// SPDX-License-Identifier: MIT
//
// The buffers of a read, write or device control request, laid out for the driver as the I/O manager does,
// and brought back.
#pragma once

#include <cstddef>

#include <wdm.h>

namespace undis::kernel {

/// The buffers of one request. Made by one of the prepare functions, ended by end_transfer.
struct Transfer {
  void* system_buffer = nullptr;  ///< in AssociatedIrp.SystemBuffer; pool of the host
  PMDL mdl = nullptr;             ///< in MdlAddress; locked
  void* user_output = nullptr;    ///< where buffered output is to go
  std::size_t output_size = 0;    ///< of the caller's buffer
};

/// Fills the IRP's next stack location. False: no memory; nothing is left to end then.
bool prepare_ioctl(PIRP irp, bool internal, ULONG code, const void* input, std::size_t input_size,
                   void* output, std::size_t output_size, Transfer& transfer);
/// `major`: IRP_MJ_READ or IRP_MJ_WRITE. The device's DO_BUFFERED_IO and DO_DIRECT_IO decide how.
bool prepare_read_write(PIRP irp, PDEVICE_OBJECT device, UCHAR major, void* buffer, std::size_t size,
                        LONGLONG offset, Transfer& transfer);
/// Copies buffered output back if the request did not fail, and frees what prepare made. More Information
/// than the buffer holds is reported as the completing driver's misuse and cut.
void end_transfer(PIRP irp, Transfer& transfer);

}  // namespace undis::kernel
