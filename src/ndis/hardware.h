// SPDX-License-Identifier: MIT
//
// What an adapter has of its hardware: the device in its slot, the resources it was given, what of them the
// miniport has claimed, and the memory that it shares with the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"
#include "kernel/observer.h"
#include "kernel/pci.h"
#include "ndis/observer.h"

namespace undis {

class Adapter;
class DmaMap;

class AdapterHardware {
 public:
  AdapterHardware(Adapter& adapter, kernel::PciDevice* device) : adapter_(adapter), device_(device) {}
  ~AdapterHardware();
  AdapterHardware(const AdapterHardware&) = delete;
  AdapterHardware& operator=(const AdapterHardware&) = delete;

  /// nullptr: the adapter has no hardware.
  kernel::PciDevice* device() const noexcept { return device_; }

  /// Ranges and interrupts that PnP assigned, as the miniport is shown them; nullptr: none. Lives as long as
  /// this.
  NDIS_RESOURCE_LIST* resources();
  /// Bytes of *resources().
  std::size_t resources_size() const noexcept { return resources_.size(); }

  // ---- shared memory ----
  struct Shared {
    std::byte* address;
    ULONG length;       ///< as asked for
    std::size_t pages;  ///< bytes mapped
    kernel::Stack origin;
  };
  /// Page-aligned, not zeroed, mapped for the device; `low`: below 4 GiB. nullptr: no memory.
  void* allocate_shared(ULONG length, bool low) EXCLUDES(lock_);
  enum class Freed : std::uint8_t { Yes, WrongLength, NotShared };
  Freed free_shared(void* address, ULONG length) EXCLUDES(lock_);
  std::vector<Shared> shared() const EXCLUDES(lock_);

  // ---- ranges that the miniport has claimed ----
  struct Claim {
    std::uint64_t start;
    std::uint64_t length;
    bool port;
    bool operator==(const Claim&) const = default;
  };
  /// False: it is no part of what the device was given.
  bool claim(std::uint64_t start, std::uint64_t length, bool port) EXCLUDES(lock_);
  bool unclaim(std::uint64_t start, std::uint64_t length, bool port) EXCLUDES(lock_);
  std::vector<Claim> claims() const EXCLUDES(lock_);

  /// How many DMA channels (6.x), or whether scatter/gather or map registers were asked for (5.x).
  unsigned dma_channels = 0;
  bool dma64 = false;  ///< of the last channel

  // ---- 5.x ----
  bool scatter_gather5 = false;                        ///< NdisMInitializeScatterGatherDma
  std::vector<std::shared_ptr<DmaMap>> map_registers;  ///< by number: what is mapped by it, empty: free
  /// Builds the list of a packet that goes to the miniport and puts it into the packet's information, if the
  /// miniport asked for it.
  void map_packet(NDIS_PACKET* packet) EXCLUDES(lock_);
  void unmap_packet(NDIS_PACKET* packet) EXCLUDES(lock_);

 private:
  /// A packet's scatter/gather list, while the miniport has the packet.
  struct PacketList {
    std::shared_ptr<DmaMap> map;
    std::unique_ptr<std::byte[]> list;
  };
  void add_resource(const CM_PARTIAL_RESOURCE_DESCRIPTOR& descriptor);

  Adapter& adapter_;
  kernel::PciDevice* const device_;
  std::vector<std::byte> resources_;
  mutable kernel::Lock lock_;
  std::vector<Shared> shared_ GUARDED_BY(lock_);
  std::vector<Claim> claims_ GUARDED_BY(lock_);
  std::unordered_map<const NDIS_PACKET*, PacketList> packets_ GUARDED_BY(lock_);  // looked up only
};

/// Pages below 4 GiB, or anywhere; nullptr: none.
std::byte* map_pages(std::size_t bytes, bool low) noexcept;

/// Tells what a miniport still has when it should have given all back: at the end of its halt, or of an
/// initialisation that failed. Takes it away. PASSIVE_LEVEL.
void check_given_back(Adapter& adapter, LeftBehind::When when);

}  // namespace undis
