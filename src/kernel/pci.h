// SPDX-License-Identifier: MIT
//
// The simulated bus: devices with PCI configuration space, registers in memory and in ports, a line or
// messages to interrupt with, and a way to memory. What a device does with them is its DeviceModel, written
// by a host or a test.
//
// Registers  A memory BAR is address space without memory: each access of a driver, by READ_REGISTER_ULONG
// and its like or by
//            a plain pointer, becomes a call of the model (register_access.h). A port BAR is a range of port
//            numbers.
// DMA        A device reaches only what was given to it: shared memory and scatter/gather lists while they
// are mapped. What a
//            real bus would let it destroy is refused here and told (Misuse::DmaMisuse).
// Addresses  A physical address is a virtual one (mdl.cpp), a logical address of DMA as well.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <wdm.h>

#include "kernel/interrupt.h"
#include "kernel/lock.h"

namespace undis::kernel {

class PciDevice;

/// The inside of a device. Its functions are called in anybody's context, also in the midst of a driver's
/// instruction: they neither wait nor call a driver; they may raise interrupts, reach memory by DMA and set
/// timers of the machine.
class DeviceModel {
 public:
  virtual ~DeviceModel() = default;
  /// The device sits in its slot; `device` outlives the model's use of it.
  virtual void attached(PciDevice& device) = 0;
  /// `size`: 1, 2, 4 or 8 bytes at `offset` in the range of `bar`.
  virtual std::uint64_t read(unsigned bar, std::uint64_t offset, unsigned size) = 0;
  virtual void write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value) = 0;
  /// Power on, or gone: registers as after a reset, nothing asserted, no transfer under way.
  virtual void reset() = 0;
};

struct PciBar {
  enum class Kind : std::uint8_t { None, Memory, Port };
  Kind kind = Kind::None;
  std::uint32_t size = 0;  ///< a power of two; memory: at least 4096
};

struct PciSpec {
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem = 0;
  std::uint8_t revision = 0;
  std::uint32_t class_code = 0x020000;  ///< Ethernet controller
  std::array<PciBar, 5> bars{};         ///< the sixth is for the MSI-X table
  bool line = true;                     ///< it has an interrupt pin
  unsigned messages = 0;                ///< size of its MSI-X table; 0: it knows no messages
};

/// One range that the device was given.
struct PciRange {
  unsigned bar;
  bool port;
  std::uint64_t start;
  std::uint32_t length;
};

class PciDevice {
 public:
  static constexpr unsigned kMsixBar = 5;
  static constexpr std::size_t kConfigSize = 256;

  const std::string& name() const noexcept { return name_; }
  const PciSpec& spec() const noexcept { return spec_; }
  std::uint32_t bus() const noexcept { return 0; }
  std::uint32_t slot() const noexcept { return slot_; }  ///< device number
  std::vector<PciRange> ranges() const;

  // ---- for the model ----
  void assert_line() noexcept EXCLUDES(lock_);
  void release_line() noexcept EXCLUDES(lock_);
  /// Entry `entry` of the MSI-X table.
  void signal(unsigned entry) noexcept EXCLUDES(lock_);
  /// False: the address is not the device's to reach; told once for each.
  bool dma_read(std::uint64_t address, void* to, std::size_t size) EXCLUDES(lock_);
  bool dma_write(std::uint64_t address, const void* from, std::size_t size) EXCLUDES(lock_);

  // ---- for bus and class drivers ----
  std::size_t read_config(std::size_t offset, void* to, std::size_t size) const EXCLUDES(lock_);
  std::size_t write_config(std::size_t offset, const void* from, std::size_t size) EXCLUDES(lock_);
  InterruptInput* line() const noexcept { return line_; }
  /// What the driver was given: one input for each message; empty: the line.
  const std::vector<InterruptInput*>& messages() const noexcept { return messages_; }
  /// Routes an MSI-X table entry to a message; nothing else may be done to a live entry.
  bool set_table_entry(unsigned entry, unsigned message) EXCLUDES(lock_);
  bool mask_table_entry(unsigned entry, bool masked) EXCLUDES(lock_);

  // ---- memory that it may reach ----
  void map_dma(std::uint64_t address, std::size_t size, bool device_writes, Driver* driver) EXCLUDES(lock_);
  bool unmap_dma(std::uint64_t address, std::size_t size, bool device_writes) EXCLUDES(lock_);
  std::size_t dma_mappings() const EXCLUDES(lock_);

  std::uint64_t read(unsigned bar, std::uint64_t offset, unsigned size) EXCLUDES(lock_);
  void write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value) EXCLUDES(lock_);

 private:
  friend class Bus;
  struct Mapping {
    std::uint64_t begin;
    std::uint64_t end;
    bool device_writes;
    Driver* driver;
  };
  struct TableEntry {
    std::uint64_t address = 0;
    std::uint32_t data = 0;
    bool masked = true;
    bool pending = false;
  };
  PciDevice(Interrupts& interrupts, std::string name, const PciSpec& spec, DeviceModel& model,
            std::uint32_t slot);

  void fill_config() noexcept;
  std::uint32_t config_mask(std::size_t dword) const noexcept;
  bool reaches_locked(std::uint64_t address, std::size_t size, bool device_writes) const noexcept
      REQUIRES(lock_);
  bool may_reach(std::uint64_t address, std::size_t size, bool device_writes) EXCLUDES(lock_);
  void deliver_locked(unsigned entry) noexcept REQUIRES(lock_);
  std::uint64_t read_table(std::uint64_t offset, unsigned size) noexcept EXCLUDES(lock_);
  void write_table(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept EXCLUDES(lock_);

  Interrupts& interrupts_;
  const std::string name_;
  const PciSpec spec_;
  DeviceModel& model_;
  const std::uint32_t slot_;
  std::array<std::uint64_t, 6> starts_{};  // of each BAR's range
  std::array<std::uint32_t, 6> sizes_{};
  InterruptInput* line_ = nullptr;
  std::vector<InterruptInput*> messages_;

  mutable Lock lock_;
  std::array<std::uint8_t, kConfigSize> config_{};
  std::vector<TableEntry> table_ GUARDED_BY(lock_);
  std::vector<Mapping> mappings_ GUARDED_BY(lock_);
  bool line_asserted_ GUARDED_BY(lock_) = false;
  std::uint64_t refused_ GUARDED_BY(lock_) = 0;  // the address told last
};

/// Where an address or port belongs to.
struct RegisterPlace {
  PciDevice* device = nullptr;
  unsigned bar = 0;
  std::uint64_t offset = 0;
};

class Bus {
 public:
  explicit Bus(Interrupts& interrupts) : interrupts_(interrupts) {}
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// A device in the next free slot. `model` outlives it.
  PciDevice& plug(std::string name, const PciSpec& spec, DeviceModel& model);
  void unplug(PciDevice& device);
  const std::vector<std::unique_ptr<PciDevice>>& devices() const noexcept { return devices_; }

  /// device nullptr: there is none.
  RegisterPlace at_address(std::uint64_t address) const noexcept;
  RegisterPlace at_port(std::uint64_t port) const noexcept;

 private:
  Interrupts& interrupts_;
  std::vector<std::unique_ptr<PciDevice>> devices_;
  std::uint32_t next_slot_ = 3;  // as on a board whose chip set takes the first
  std::uint32_t next_port_ = 0xC000;
};

}  // namespace undis::kernel
