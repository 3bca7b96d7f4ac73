// SPDX-License-Identifier: MIT
//
// A miniport's scatter/gather DMA channel: the lists that it has of its buffers, each mapped for the device
// while it exists. Pages: ndis/nf-ndis-ndismregisterscattergatherdma,
// ndis/nf-ndis-ndismallocatenetbuffersglist.
//
// Elements    one for each page that a buffer touches, as on a machine whose pages lie anywhere
// 32 bits     a device that knows no 64-bit addresses gets a copy below 4 GiB, made when the list is built
// and, for what the
//             device writes, carried over when it is freed: before that the driver must not look
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/dpc.h"
#include "kernel/pci.h"
#include "ndis/service.h"

namespace undis {

class Adapter;

/// Memory mapped for a device, and its list of elements.
class DmaMap {
 public:
  /// `length` bytes from `offset` in the chain at `mdl`. `device_writes`: from the device to memory.
  DmaMap(kernel::PciDevice* device, kernel::Driver& driver, MDL* mdl, std::size_t offset, std::size_t length,
         bool device_writes, bool low);
  ~DmaMap();
  DmaMap(const DmaMap&) = delete;
  DmaMap& operator=(const DmaMap&) = delete;

  /// False: the chain is shorter than `length`, or there is no memory for a copy.
  bool valid() const noexcept { return valid_; }
  const std::vector<SCATTER_GATHER_ELEMENT>& elements() const noexcept { return elements_; }
  std::size_t list_size() const noexcept;
  /// Writes the list into `list`, which has room for list_size() bytes.
  void write(SCATTER_GATHER_LIST* list) const noexcept;

 private:
  struct Piece {
    std::byte* memory;
    std::size_t length;
  };
  kernel::PciDevice* const device_;
  const bool device_writes_;
  bool valid_ = true;
  std::vector<Piece> pieces_;  // of the driver's buffers
  std::byte* copy_ = nullptr;  // below 4 GiB
  std::size_t copied_ = 0;
  std::vector<SCATTER_GATHER_ELEMENT> elements_;
};

/// The most bytes that a list for `length` bytes of one buffer can take.
std::size_t most_list_size(std::size_t length) noexcept;

class ScatterGatherDma final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Dma};

  ScatterGatherDma(Adapter& adapter, const NDIS_SG_DMA_DESCRIPTION& description);
  ~ScatterGatherDma() override;

  Adapter& adapter() const noexcept { return adapter_; }
  bool low() const noexcept { return low_; }
  const kernel::callback<MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE>& shared_memory_complete() const noexcept {
    return shared_memory_complete_;
  }

  /// Builds the list and calls MiniportProcessSGList, before it returns or later. IRQL DISPATCH_LEVEL.
  NDIS_STATUS allocate(NET_BUFFER* buffer, void* context, bool device_writes, void* storage,
                       std::size_t storage_size);
  /// False: no list of this channel, or not this NET_BUFFER's.
  bool free(SCATTER_GATHER_LIST* list, const NET_BUFFER* buffer);
  std::size_t lists() const EXCLUDES(lock_);

 private:
  struct Entry {
    const NET_BUFFER* buffer;
    std::unique_ptr<DmaMap> map;
    std::unique_ptr<std::byte[]> own_storage;
    SCATTER_GATHER_LIST* list;
  };
  void abandon() override;
  void process(SCATTER_GATHER_LIST* list, void* context);

  Adapter& adapter_;
  const bool low_;
  const ULONG maximum_;
  const kernel::callback<MINIPORT_PROCESS_SG_LIST> process_;
  const kernel::callback<MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE> shared_memory_complete_;
  mutable kernel::Lock lock_;
  std::list<Entry> entries_ GUARDED_BY(lock_);
  std::list<std::unique_ptr<kernel::OwnDpc>>
      later_ GUARDED_BY(lock_);  // callbacks that came after the call, and those that still will
};

}  // namespace undis
