// SPDX-License-Identifier: MIT
//
// The simulated bus: its slots, and which device an address or a port number belongs to.
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "kernel/pci.h"
#include "kernel/register_access.h"

namespace undis::kernel {
namespace {

/// Address space that nothing is behind, on a multiple of its size. Below 4 GiB if there is room: a 32-bit
/// BAR holds it then.
std::uint64_t reserve(std::size_t size) {
  void* range =
      mmap(nullptr, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0);
  if (range == MAP_FAILED)
    range = mmap(nullptr, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    std::fputs("undis: no address space for the registers of a device\n", stderr);
    std::abort();
  }
  const auto begin = reinterpret_cast<std::uint64_t>(range);
  const std::uint64_t aligned = (begin + size - 1) & ~(std::uint64_t{size} - 1);
  if (aligned != begin) munmap(range, aligned - begin);
  munmap(reinterpret_cast<void*>(aligned + size), begin + size - aligned);
  return aligned;
}

}  // namespace

Bus::~Bus() {
  while (!devices_.empty()) unplug(*devices_.back());
  forget_register_traps();
}

PciDevice& Bus::plug(std::string name, const PciSpec& spec, DeviceModel& model) {
  auto device =
      std::unique_ptr<PciDevice>(new PciDevice(interrupts_, std::move(name), spec, model, next_slot_++));
  for (unsigned i = 0; i < device->starts_.size(); ++i) {
    PciBar bar = i < spec.bars.size() ? spec.bars[i] : PciBar{};
    if (i == PciDevice::kMsixBar && spec.messages != 0) bar = {PciBar::Kind::Memory, 4096};
    if (bar.kind == PciBar::Kind::None) continue;
    device->sizes_[i] = bar.size;
    if (bar.kind == PciBar::Kind::Memory) {
      device->starts_[i] = reserve(bar.size);
      trap_registers();
    } else {
      device->starts_[i] = next_port_;
      next_port_ += std::max(bar.size, 0x20U);
    }
  }
  device->fill_config();
  devices_.push_back(std::move(device));
  model.attached(*devices_.back());
  model.reset();
  return *devices_.back();
}

void Bus::unplug(PciDevice& device) {
  device.release_line();
  for (const PciRange& range : device.ranges())
    if (!range.port) munmap(reinterpret_cast<void*>(range.start), range.length);
  std::erase_if(devices_, [&](const auto& d) { return d.get() == &device; });
}

RegisterPlace Bus::at_address(std::uint64_t address) const noexcept {
  for (const auto& device : devices_)
    for (unsigned i = 0; i < device->starts_.size(); ++i) {
      const bool port = i < device->spec_.bars.size() && device->spec_.bars[i].kind == PciBar::Kind::Port;
      if (!port && address - device->starts_[i] < device->sizes_[i])
        return {device.get(), i, address - device->starts_[i]};
    }
  return {};
}

RegisterPlace Bus::at_port(std::uint64_t port) const noexcept {
  for (const auto& device : devices_)
    for (unsigned i = 0; i < device->spec_.bars.size(); ++i) {
      if (device->spec_.bars[i].kind != PciBar::Kind::Port) continue;
      if (port - device->starts_[i] < device->sizes_[i]) return {device.get(), i, port - device->starts_[i]};
    }
  return {};
}

}  // namespace undis::kernel
