// SPDX-License-Identifier: MIT
//
// A device on the simulated bus: configuration space, MSI-X table, interrupts, DMA.
#include "kernel/pci.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/driver.h"
#include "kernel/misuse.h"

namespace undis::kernel {
namespace {

// Offsets in configuration space (PCI Local Bus Specification 3.0, 6.1 and 6.7; PCI Power Management 1.2).
constexpr std::size_t kCommand = 0x04;
constexpr std::size_t kStatus = 0x06;
constexpr std::size_t kRevision = 0x08;
constexpr std::size_t kFirstBar = 0x10;
constexpr std::size_t kSubsystemVendor = 0x2C;
constexpr std::size_t kCapabilities = 0x34;
constexpr std::size_t kInterruptLine = 0x3C;
constexpr std::size_t kPower = 0x40;
constexpr std::size_t kMsix = 0x50;
constexpr std::uint16_t kHasCapabilities = 0x0010;
constexpr std::uint16_t kNoLine = 0x0400;  // command: interrupt disable
constexpr std::uint32_t kPendingBits = 0x800;
constexpr std::uint32_t kTableEntrySize = 16;
constexpr std::uint32_t kTableSpace = 4096;
constexpr std::uint64_t kMessageAddress = 0xFEE00000;  // where x86 takes messages

template <class T>
void put(std::array<std::uint8_t, PciDevice::kConfigSize>& config, std::size_t offset, T value) noexcept {
  std::memcpy(config.data() + offset, &value, sizeof value);
}

}  // namespace

PciDevice::PciDevice(Interrupts& interrupts, std::string name, const PciSpec& spec, DeviceModel& model,
                     std::uint32_t slot)
    : interrupts_(interrupts), name_(std::move(name)), spec_(spec), model_(model), slot_(slot) {
  constexpr std::uint64_t kAllProcessors = ~std::uint64_t{0};
  if (spec_.line)
    line_ = &interrupts_.add_input(fmt::format("the interrupt line of {}", name_), true, kAllProcessors);
  for (unsigned i = 0; i < spec_.messages; ++i)
    messages_.push_back(
        &interrupts_.add_input(fmt::format("message {} of {}", i, name_), false, kAllProcessors));
  const Hold hold(lock_);
  for (unsigned i = 0; i < spec_.messages; ++i)
    table_.push_back({kMessageAddress, messages_[i]->vector(), false, false});
}

/// As the firmware and the bus driver leave it: ranges assigned, decoding and bus mastering on.
void PciDevice::fill_config() noexcept {
  put(config_, 0x00, spec_.vendor);
  put(config_, 0x02, spec_.device);
  put(config_, kCommand,
      static_cast<std::uint16_t>(PCI_ENABLE_IO_SPACE | PCI_ENABLE_MEMORY_SPACE | PCI_ENABLE_BUS_MASTER));
  put(config_, kStatus, kHasCapabilities);
  put(config_, kRevision, static_cast<std::uint32_t>(spec_.class_code << 8 | spec_.revision));
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    if (sizes_[i] == 0) continue;
    const bool port = i < spec_.bars.size() && spec_.bars[i].kind == PciBar::Kind::Port;
    put(config_, kFirstBar + 4 * i, static_cast<std::uint32_t>(starts_[i] | (port ? 1U : 0U)));
  }
  put(config_, kSubsystemVendor, spec_.subsystem_vendor);
  put(config_, kSubsystemVendor + 2, spec_.subsystem);
  put(config_, kCapabilities, static_cast<std::uint8_t>(kPower));
  if (line_ != nullptr) {
    put(config_, kInterruptLine, static_cast<std::uint8_t>(line_->vector()));
    put(config_, kInterruptLine + 1, std::uint8_t{1});  // INTA
  }
  put(config_, kPower, std::uint8_t{PCI_CAPABILITY_ID_POWER_MANAGEMENT});
  put(config_, kPower + 2, std::uint16_t{3});
  if (spec_.messages == 0) return;
  put(config_, kPower + 1, static_cast<std::uint8_t>(kMsix));
  put(config_, kMsix, std::uint8_t{PCI_CAPABILITY_ID_MSIX});
  put(config_, kMsix + 2, static_cast<std::uint16_t>(0x8000U | (spec_.messages - 1)));  // enabled
  put(config_, kMsix + 4, std::uint32_t{kMsixBar});
  put(config_, kMsix + 8, kPendingBits | kMsixBar);
}

/// The bits of a double word that a driver can write.
std::uint32_t PciDevice::config_mask(std::size_t dword) const noexcept {
  if (dword == kCommand) return 0x0547;
  if (dword == 0x0C) return 0xFFFF;  // cache line, latency
  if (dword == kInterruptLine) return 0xFF;
  if (dword == kPower + 4) return 0x8103;
  if (dword == kMsix && spec_.messages != 0) return 0xC0000000;
  if (dword >= kFirstBar && dword < kFirstBar + 4 * sizes_.size()) {
    const std::uint32_t size = sizes_[(dword - kFirstBar) / 4];
    return size == 0 ? 0 : ~(size - 1);
  }
  return 0;
}

std::vector<PciRange> PciDevice::ranges() const {
  std::vector<PciRange> ranges;
  for (unsigned i = 0; i < starts_.size(); ++i) {
    if (sizes_[i] == 0) continue;
    const bool port = i < spec_.bars.size() && spec_.bars[i].kind == PciBar::Kind::Port;
    ranges.push_back({i, port, starts_[i], sizes_[i]});
  }
  return ranges;
}

std::size_t PciDevice::read_config(std::size_t offset, void* to, std::size_t size) const {
  if (offset >= kConfigSize) return 0;
  const std::size_t count = std::min(size, kConfigSize - offset);
  const Hold hold(lock_);
  std::memcpy(to, config_.data() + offset, count);
  return count;
}

std::size_t PciDevice::write_config(std::size_t offset, const void* from, std::size_t size) {
  if (offset >= kConfigSize) return 0;
  const std::size_t count = std::min(size, kConfigSize - offset);
  const auto* const bytes = static_cast<const std::uint8_t*>(from);
  const Hold hold(lock_);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = offset + i;
    const auto mask = static_cast<std::uint8_t>(config_mask(at & ~std::size_t{3}) >> (8 * (at & 3)));
    config_[at] = static_cast<std::uint8_t>((config_[at] & ~mask) | (bytes[i] & mask));
  }
  return count;
}

// ---- interrupts ----

void PciDevice::assert_line() noexcept {
  {
    const Hold hold(lock_);
    std::uint16_t command = 0;
    std::memcpy(&command, config_.data() + kCommand, sizeof command);
    if (line_ == nullptr || line_asserted_ || (command & kNoLine) != 0) return;
    line_asserted_ = true;
  }
  interrupts_.assert_line(*line_);
}

void PciDevice::release_line() noexcept {
  {
    const Hold hold(lock_);
    if (!line_asserted_) return;
    line_asserted_ = false;
  }
  interrupts_.release_line(*line_);
}

/// To the message whose vector the entry's data names.
void PciDevice::deliver_locked(unsigned entry) noexcept {
  for (InterruptInput* const message : messages_)
    if (message->vector() == table_[entry].data) interrupts_.signal(*message);
}

void PciDevice::signal(unsigned entry) noexcept {
  const Hold hold(lock_);
  if (entry >= table_.size()) return;
  if (table_[entry].masked) {
    table_[entry].pending = true;
  } else {
    deliver_locked(entry);
  }
}

bool PciDevice::set_table_entry(unsigned entry, unsigned message) {
  const Hold hold(lock_);
  if (entry >= table_.size() || message >= messages_.size()) return false;
  table_[entry].data = messages_[message]->vector();
  return true;
}

bool PciDevice::mask_table_entry(unsigned entry, bool masked) {
  const Hold hold(lock_);
  if (entry >= table_.size()) return false;
  table_[entry].masked = masked;
  if (!masked && table_[entry].pending) {
    table_[entry].pending = false;
    deliver_locked(entry);
  }
  return true;
}

std::uint64_t PciDevice::read_table(std::uint64_t offset, unsigned size) noexcept {
  std::array<std::uint8_t, kTableSpace + 8> image{};
  {
    const Hold hold(lock_);
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const std::uint32_t control = table_[i].masked ? 1 : 0;
      std::memcpy(image.data() + i * kTableEntrySize, &table_[i].address, 8);
      std::memcpy(image.data() + i * kTableEntrySize + 8, &table_[i].data, 4);
      std::memcpy(image.data() + i * kTableEntrySize + 12, &control, 4);
      if (table_[i].pending) image[kPendingBits + i / 8] |= static_cast<std::uint8_t>(1U << i % 8);
    }
  }
  std::uint64_t value = 0;
  std::memcpy(&value, image.data() + offset, size);
  return value;
}

void PciDevice::write_table(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept {
  const auto entry = static_cast<unsigned>(offset / kTableEntrySize);
  if (size != 4) return;  // the specification has double words only
  switch (offset % kTableEntrySize) {
  case 8: {
    const Hold hold(lock_);
    if (entry < table_.size()) table_[entry].data = static_cast<std::uint32_t>(value);
    return;
  }
  case 12:
    mask_table_entry(entry, (value & 1) != 0);
    return;
  default:
    return;
  }
}

// ---- registers ----

std::uint64_t PciDevice::read(unsigned bar, std::uint64_t offset, unsigned size) {
  return bar == kMsixBar ? read_table(offset, size) : model_.read(bar, offset, size);
}

void PciDevice::write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value) {
  if (bar == kMsixBar) {
    write_table(offset, size, value);
  } else {
    model_.write(bar, offset, size, value);
  }
}

// ---- DMA ----

void PciDevice::map_dma(std::uint64_t address, std::size_t size, bool device_writes, Driver* driver) {
  const Hold hold(lock_);
  mappings_.push_back({address, address + size, device_writes, driver});
}

bool PciDevice::unmap_dma(std::uint64_t address, std::size_t size, bool device_writes) {
  const Hold hold(lock_);
  const auto at = std::ranges::find_if(mappings_, [&](const Mapping& m) {
    return m.begin == address && m.end == address + size && m.device_writes == device_writes;
  });
  if (at == mappings_.end()) return false;
  mappings_.erase(at);
  return true;
}

std::size_t PciDevice::dma_mappings() const {
  const Hold hold(lock_);
  return mappings_.size();
}

bool PciDevice::reaches_locked(std::uint64_t address, std::size_t size, bool device_writes) const noexcept {
  const std::uint64_t end = address + size;
  while (address < end) {
    std::uint64_t covered = address;
    for (const Mapping& m : mappings_)
      if (m.begin <= address && address < m.end && (m.device_writes || !device_writes))
        covered = std::max(covered, m.end);
    if (covered == address) return false;
    address = covered;
  }
  return true;
}

bool PciDevice::may_reach(std::uint64_t address, std::size_t size, bool device_writes) {
  Driver* driver = nullptr;
  {
    const Hold hold(lock_);
    std::uint16_t command = 0;
    std::memcpy(&command, config_.data() + kCommand, sizeof command);
    if ((command & PCI_ENABLE_BUS_MASTER) == 0) return false;  // the device cannot even ask
    if (reaches_locked(address, size, device_writes)) return true;
    if (refused_ == address) return false;
    refused_ = address;
    if (!mappings_.empty()) driver = mappings_.front().driver;
  }
  report_misuse_of(driver != nullptr ? driver : current_driver(), Misuse::DmaMisuse, "DMA",
                   reinterpret_cast<const void*>(address),
                   fmt::format("{} {} {} bytes at {:#x}, which is not mapped for it: never mapped{}, or "
                               "given back while the device still had it",
                               name_, device_writes ? "writes" : "reads", size, address,
                               device_writes ? " for writing" : ""));
  return false;
}

bool PciDevice::dma_read(std::uint64_t address, void* to, std::size_t size) {
  if (!may_reach(address, size, false)) return false;
  std::memcpy(to, reinterpret_cast<const void*>(address), size);
  return true;
}

bool PciDevice::dma_write(std::uint64_t address, const void* from, std::size_t size) {
  if (!may_reach(address, size, true)) return false;
  std::memcpy(reinterpret_cast<void*>(address), from, size);
  return true;
}

}  // namespace undis::kernel
