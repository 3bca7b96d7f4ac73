// SPDX-License-Identifier: MIT
//
// What the I/O manager remembers of an IRP beside the IRP itself: who made it, who has it, how far it got.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <wdm.h>

#include "kernel/observer.h"

namespace undis::kernel {

class Driver;

/// The default entry of a driver's MajorFunction table: completes the IRP with STATUS_INVALID_DEVICE_REQUEST.
NTSTATUS invalid_device_request(PDEVICE_OBJECT device, PIRP irp);

struct IrpTrack {
  /// Who takes the IRP back when no completion routine does.
  enum class Kind : std::uint8_t {
    Allocated,  ///< IoAllocateIrp, IoInitializeIrp, IoBuildAsynchronousFsdRequest: its maker, by a completion
                ///< routine
    Threaded,   ///< IoBuildDeviceIoControlRequest, IoBuildSynchronousFsdRequest: the I/O manager, which frees
                ///< it
    Host,       ///< made by undis for a host's request
  };
  struct Level {
    bool walked = false;          ///< completion went up past this stack location
    bool marked_pending = false;  ///< SL_PENDING_RETURNED stood in it at that moment
  };

  std::uint64_t number = 0;  ///< order of creation
  Kind kind = Kind::Allocated;
  Driver* maker = nullptr;
  Driver* holder = nullptr;  ///< whose dispatch routine was given it last; nullptr: nobody's
  bool sent = false;
  bool completed = false;     ///< went up to the end
  bool pooled = true;         ///< false: memory of the driver's own (IoInitializeIrp)
  std::vector<Level> levels;  ///< index: stack location number, 1 to StackCount
  Stack made;
  Stack finished_at;
  std::function<void(PIRP)>
      finish;  ///< Threaded and Host: what the I/O manager does at the end, freeing included
};

/// An IRP with `stack_size` locations; nullptr: no memory. `finish`: see IrpTrack. Not a fault point.
PIRP make_irp(CCHAR stack_size, IrpTrack::Kind kind, Driver* maker, std::function<void(PIRP)> finish);
/// Clears an IRP of `size` bytes and sets its stack up, as IoInitializeIrp.
void initialize_irp(PIRP irp, USHORT size, CCHAR stack_size) noexcept;
/// Remembers an initialised IRP. `pooled`: free_irp gives its memory back.
void track_irp(PIRP irp, IrpTrack::Kind kind, Driver* maker, bool pooled, std::function<void(PIRP)> finish);
/// Frees an IRP of make_irp.
void free_irp(PIRP irp) noexcept;
/// nullptr: no IRP that is known.
std::shared_ptr<IrpTrack> track_of(const IRP* irp);
/// Sends an IRP to a device as IoCallDriver does.
NTSTATUS send_irp(PDEVICE_OBJECT device, PIRP irp);

}  // namespace undis::kernel
