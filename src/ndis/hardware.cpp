// SPDX-License-Identifier: MIT
//
// Resources, shared memory and claimed ranges of an adapter.
#include "ndis/hardware.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "kernel/misuse.h"
#include "kernel/system.h"
#include "ndis/adapter.h"
#include "ndis/dma.h"
#include "ndis/interrupt.h"
#include "ndis/library.h"
#include "ndis/timer_object.h"

namespace undis {
namespace {

constexpr std::size_t kPage = 4096;
constexpr int kFresh = 0xCD;  // as pool that was not asked to be zeroed

std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + kPage - 1) & ~(kPage - 1);
}

}  // namespace

std::byte* map_pages(std::size_t bytes, bool low) noexcept {
  void* const pages = mmap(nullptr, whole_pages(bytes), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | (low ? MAP_32BIT : 0), -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<std::byte*>(pages);
}

AdapterHardware::~AdapterHardware() {
  for (const Shared& block : shared_) munmap(block.address, block.pages);
}

// ---- resources ----

void AdapterHardware::add_resource(const CM_PARTIAL_RESOURCE_DESCRIPTOR& descriptor) {
  constexpr std::size_t kHead = offsetof(NDIS_RESOURCE_LIST, PartialDescriptors);
  if (resources_.empty()) {
    resources_.resize(kHead);
    auto* const list = reinterpret_cast<NDIS_RESOURCE_LIST*>(resources_.data());
    list->Version = 1;
    list->Revision = 1;
  }
  const auto* const bytes = reinterpret_cast<const std::byte*>(&descriptor);
  resources_.insert(resources_.end(), bytes, bytes + sizeof descriptor);
  ++reinterpret_cast<NDIS_RESOURCE_LIST*>(resources_.data())->Count;
}

NDIS_RESOURCE_LIST* AdapterHardware::resources() {
  if (device_ == nullptr) return nullptr;
  if (resources_.empty()) {
    for (const kernel::PciRange& range : device_->ranges()) {
      if (range.bar == kernel::PciDevice::kMsixBar) continue;  // the bus driver's own
      CM_PARTIAL_RESOURCE_DESCRIPTOR d{};
      d.Type = range.port ? CmResourceTypePort : CmResourceTypeMemory;
      d.ShareDisposition = CmResourceShareDeviceExclusive;
      d.Flags = range.port ? CM_RESOURCE_PORT_IO : CM_RESOURCE_MEMORY_READ_WRITE;
      d.u.Generic.Start.QuadPart = static_cast<LONGLONG>(range.start);
      d.u.Generic.Length = range.length;
      add_resource(d);
    }
    const auto add_interrupt = [&](const kernel::InterruptInput& input) {
      CM_PARTIAL_RESOURCE_DESCRIPTOR d{};
      d.Type = CmResourceTypeInterrupt;
      d.ShareDisposition = input.is_line() ? CmResourceShareShared : CmResourceShareDeviceExclusive;
      d.Flags = static_cast<USHORT>(input.is_line()
                                        ? CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE
                                        : CM_RESOURCE_INTERRUPT_LATCHED | CM_RESOURCE_INTERRUPT_MESSAGE);
      d.u.Interrupt.Level = input.irql();
      d.u.Interrupt.Vector = input.vector();
      d.u.Interrupt.Affinity = input.affinity();
      add_resource(d);
    };
    // A driver of NDIS 5 knows no messages; one of NDIS 6 is given them where the device has them.
    if (adapter_.is_version6() && !device_->messages().empty()) {
      for (const kernel::InterruptInput* const message : device_->messages()) add_interrupt(*message);
    } else if (device_->line() != nullptr) {
      add_interrupt(*device_->line());
    }
  }
  return reinterpret_cast<NDIS_RESOURCE_LIST*>(resources_.data());
}

// ---- shared memory ----

void* AdapterHardware::allocate_shared(ULONG length, bool low) {
  if (length == 0) return nullptr;
  Shared block{map_pages(length, low), length, whole_pages(length), kernel::Stack::capture(1)};
  if (block.address == nullptr) return nullptr;
  std::memset(block.address, kFresh, length);
  if (device_ != nullptr) {
    const auto at = reinterpret_cast<std::uint64_t>(block.address);
    device_->map_dma(at, length, true, &adapter_.driver().driver());
  }
  void* const address = block.address;
  const kernel::Hold hold(lock_);
  shared_.push_back(block);
  return address;
}

AdapterHardware::Freed AdapterHardware::free_shared(void* address, ULONG length) {
  Shared block{};
  {
    const kernel::Hold hold(lock_);
    const auto at = std::ranges::find(shared_, static_cast<std::byte*>(address), &Shared::address);
    if (at == shared_.end()) return Freed::NotShared;
    if (at->length != length) return Freed::WrongLength;
    block = *at;
    shared_.erase(at);
  }
  if (device_ != nullptr) device_->unmap_dma(reinterpret_cast<std::uint64_t>(address), length, true);
  munmap(block.address, block.pages);
  return Freed::Yes;
}

std::vector<AdapterHardware::Shared> AdapterHardware::shared() const {
  const kernel::Hold hold(lock_);
  return shared_;
}

// ---- claimed ranges ----

bool AdapterHardware::claim(std::uint64_t start, std::uint64_t length, bool port) {
  if (device_ == nullptr || length == 0) return false;
  const auto ranges = device_->ranges();
  const bool given = std::ranges::any_of(ranges, [&](const kernel::PciRange& range) {
    return range.port == port && start >= range.start && length <= range.length &&
           start - range.start <= range.length - length;
  });
  if (!given) return false;
  const kernel::Hold hold(lock_);
  claims_.push_back({start, length, port});
  return true;
}

bool AdapterHardware::unclaim(std::uint64_t start, std::uint64_t length, bool port) {
  const kernel::Hold hold(lock_);
  const auto at = std::ranges::find(claims_, Claim{start, length, port});
  if (at == claims_.end()) return false;
  claims_.erase(at);
  return true;
}

std::vector<AdapterHardware::Claim> AdapterHardware::claims() const {
  const kernel::Hold hold(lock_);
  return claims_;
}

// ---- packets of 5.x ----

void AdapterHardware::map_packet(NDIS_PACKET* packet) {
  if (!scatter_gather5) return;
  std::size_t length = 0;
  for (const MDL* mdl = packet->Private.Head; mdl != nullptr; mdl = mdl->Next) length += mdl->ByteCount;
  auto map = std::make_shared<DmaMap>(device_, adapter_.driver().driver(), packet->Private.Head, 0, length,
                                      false, !dma64);
  if (!map->valid()) return;
  std::unique_ptr<std::byte[]> list(new std::byte[map->list_size()]);
  map->write(reinterpret_cast<SCATTER_GATHER_LIST*>(list.get()));
  NDIS_PER_PACKET_INFO_FROM_PACKET(packet, ScatterGatherListPacketInfo) = list.get();
  const kernel::Hold hold(lock_);
  packets_[packet] = {std::move(map), std::move(list)};
}

void AdapterHardware::unmap_packet(NDIS_PACKET* packet) {
  if (!scatter_gather5) return;
  PacketList gone;
  const kernel::Hold hold(lock_);
  const auto at = packets_.find(packet);
  if (at == packets_.end()) return;
  gone = std::move(at->second);
  packets_.erase(at);
}

// ---- what has to be given back ----

void check_given_back(Adapter& adapter, LeftBehind::When when) {
  Library& library = Library::current();
  AdapterHardware& hardware = *adapter.hardware;
  kernel::Driver* const driver = &adapter.driver().driver();
  for (const Ref<Service>& service : library.services().made_for(&adapter)) {
    // A timer object that is allocated is no timer that is set; what its driver's unload finds is another
    // matter.
    if (service->handle_kind() == HandleKind::Timer && !static_cast<TimerObject*>(service.get())->is_set())
      continue;
    const bool stays =
        service->handle_kind() == HandleKind::Timer || service->handle_kind() == HandleKind::IoWorkItem;
    if (!driver->harness())
      library.observer().on(LeftBehind{when, driver, service->handle_kind(), service->name(),
                                       adapter.driver().is_intermediate(), false, service->origin()});
    if (!stays) library.services().take_away(*service);
  }
  const char* const callback = when == LeftBehind::When::Halt
                                   ? adapter.is_version6() ? "MiniportHaltEx" : "MiniportHalt"
                               : adapter.is_version6() ? "MiniportInitializeEx"
                                                       : "MiniportInitialize";
  const auto tell = [&](const void* object, std::string text, const kernel::Stack& origin) {
    if (!driver->harness())
      kernel::report_misuse_of(driver, kernel::Misuse::HardwareLeft, callback, object,
                               adapter.name() + ": " + text, origin);
  };
  for (const AdapterHardware::Shared& block : hardware.shared()) {
    tell(block.address,
         fmt::format("{} bytes of shared memory were not freed by NdisMFreeSharedMemory", block.length),
         block.origin);
    hardware.free_shared(block.address, block.length);
  }
  for (const AdapterHardware::Claim& claim : hardware.claims()) {
    tell(nullptr,
         claim.port
             ? fmt::format("ports {:#x} to {:#x} were not given back by NdisMDeregisterIoPortRange",
                           claim.start, claim.start + claim.length - 1)
             : fmt::format("{} bytes of registers were not unmapped by NdisMUnmapIoSpace", claim.length),
         {});
    hardware.unclaim(claim.start, claim.length, claim.port);
  }
  if (!hardware.map_registers.empty()) {
    tell(nullptr,
         fmt::format("{} map registers were not freed by NdisMFreeMapRegisters",
                     hardware.map_registers.size()),
         {});
    hardware.map_registers.clear();
  }
  hardware.dma_channels = 0;
  hardware.scatter_gather5 = false;
}

}  // namespace undis
