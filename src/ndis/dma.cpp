// SPDX-License-Identifier: MIT
//
// Scatter/gather lists of NET_BUFFERs and MDLs.
#include "ndis/dma.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "kernel/misuse.h"
#include "kernel/scheduling.h"
#include "ndis/adapter.h"
#include "ndis/callbacks.h"
#include "ndis/hardware.h"

namespace undis {
namespace {

constexpr std::size_t kPage = 4096;

}  // namespace

// ---- one mapping ----

DmaMap::DmaMap(kernel::PciDevice* device, kernel::Driver& driver, MDL* mdl, std::size_t offset,
               std::size_t length, bool device_writes, bool low)
    : device_(device), device_writes_(device_writes) {
  for (; mdl != nullptr && length != 0; mdl = mdl->Next) {
    const std::size_t size = mdl->ByteCount;
    if (offset >= size) {
      offset -= size;
      continue;
    }
    auto* const start = static_cast<std::byte*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
    const std::size_t take = std::min(length, size - offset);
    if (start == nullptr) break;
    pieces_.push_back({start + offset, take});
    length -= take;
    offset = 0;
  }
  valid_ = length == 0 && !pieces_.empty();
  if (!valid_) return;
  std::vector<Piece> reached = pieces_;
  const auto is_high = [](const Piece& piece) {
    return reinterpret_cast<std::uint64_t>(piece.memory) + piece.length > 0x100000000;
  };
  if (low && std::ranges::any_of(pieces_, is_high)) {
    for (const Piece& piece : pieces_) copied_ += piece.length;
    copy_ = map_pages(copied_, true);
    valid_ = copy_ != nullptr;
    if (!valid_) return;
    std::size_t at = 0;
    for (const Piece& piece : pieces_) {
      std::memcpy(copy_ + at, piece.memory, piece.length);
      at += piece.length;
    }
    reached = {{copy_, copied_}};
  }
  for (const Piece& piece : reached) {
    auto address = reinterpret_cast<std::uint64_t>(piece.memory);
    for (std::size_t left = piece.length; left != 0;) {
      const std::size_t part = std::min(left, kPage - address % kPage);
      SCATTER_GATHER_ELEMENT element{};
      element.Address.QuadPart = static_cast<LONGLONG>(address);
      element.Length = static_cast<ULONG>(part);
      elements_.push_back(element);
      if (device_ != nullptr) device_->map_dma(address, part, device_writes_, &driver);
      address += part;
      left -= part;
    }
  }
}

DmaMap::~DmaMap() {
  if (device_ != nullptr)
    for (const SCATTER_GATHER_ELEMENT& element : elements_)
      device_->unmap_dma(static_cast<std::uint64_t>(element.Address.QuadPart), element.Length,
                         device_writes_);
  if (copy_ == nullptr) return;
  if (device_writes_) {
    std::size_t at = 0;
    for (const Piece& piece : pieces_) {
      std::memcpy(piece.memory, copy_ + at, piece.length);
      at += piece.length;
    }
  }
  munmap(copy_, copied_);
}

std::size_t DmaMap::list_size() const noexcept {
  return offsetof(SCATTER_GATHER_LIST, Elements) + elements_.size() * sizeof(SCATTER_GATHER_ELEMENT);
}

void DmaMap::write(SCATTER_GATHER_LIST* list) const noexcept {
  list->NumberOfElements = static_cast<ULONG>(elements_.size());
  list->Reserved = 0;
  std::ranges::copy(elements_, list->Elements);
}

std::size_t most_list_size(std::size_t length) noexcept {
  return offsetof(SCATTER_GATHER_LIST, Elements) +
         ((length + kPage - 2) / kPage + 1) * sizeof(SCATTER_GATHER_ELEMENT);
}

// ---- the channel ----

ScatterGatherDma::ScatterGatherDma(Adapter& adapter, const NDIS_SG_DMA_DESCRIPTION& d)
    : Service(HandleKind::Dma, adapter.driver().driver(),
              fmt::format("the scatter/gather DMA channel of {}", adapter.name())),
      adapter_(adapter), low_((d.Flags & NDIS_SG_DMA_64_BIT_ADDRESS) == 0),
      maximum_(d.MaximumPhysicalMapping), process_(d.ProcessSGListHandler),
      shared_memory_complete_(d.SharedMemAllocateCompleteHandler) {
  made_for(&adapter);
}

ScatterGatherDma::~ScatterGatherDma() = default;

std::size_t ScatterGatherDma::lists() const {
  const kernel::Hold hold(lock_);
  return entries_.size();
}

void ScatterGatherDma::abandon() {
  std::list<Entry> gone;
  const kernel::Hold hold(lock_);
  gone.swap(entries_);
  for (const auto& dpc : later_) kernel::System::current().scheduling().dpcs.remove(dpc->dpc);
}

void ScatterGatherDma::process(SCATTER_GATHER_LIST* list, void* context) {
  kernel::call_driver(&driver(), callbacks::kMiniportProcessSGList, &adapter_, context, process_,
                      adapter_.device_object(), nullptr, list, context);
}

NDIS_STATUS ScatterGatherDma::allocate(NET_BUFFER* buffer, void* context, bool device_writes, void* storage,
                                       std::size_t storage_size) {
  // The list begins with the buffer's first MDL, not with its data: who uses it skips CurrentMdlOffset bytes.
  const std::size_t length =
      std::size_t{NET_BUFFER_CURRENT_MDL_OFFSET(buffer)} + NET_BUFFER_DATA_LENGTH(buffer);
  auto map = std::make_unique<DmaMap>(adapter_.hardware->device(), driver(), NET_BUFFER_CURRENT_MDL(buffer),
                                      0, length, device_writes, low_);
  if (!map->valid()) return NDIS_STATUS_FAILURE;
  if (length > maximum_)
    kernel::report_misuse(
        kernel::Misuse::DmaMisuse, "NdisMAllocateNetBufferSGList", buffer,
        fmt::format("{} bytes are to be mapped; MaximumPhysicalMapping was {}", length, maximum_));
  std::unique_ptr<std::byte[]> own;
  if (storage == nullptr || storage_size < map->list_size()) {
    own.reset(new std::byte[map->list_size()]);
    storage = own.get();
  }
  auto* const list = static_cast<SCATTER_GATHER_LIST*>(storage);
  map->write(list);
  std::list<std::unique_ptr<kernel::OwnDpc>> over;  // dropped after the lock
  {
    const kernel::Hold hold(lock_);
    entries_.push_back({buffer, std::move(map), std::move(own), list});
    kernel::DpcQueues& dpcs = kernel::System::current().scheduling().dpcs;
    for (auto at = later_.begin(); at != later_.end();) {
      const auto next = std::next(at);
      if (!dpcs.is_queued((*at)->dpc) && !dpcs.is_running((*at)->dpc)) over.splice(over.end(), later_, at);
      at = next;
    }
  }
  if (!kernel::choose("scatter/gather list")) {
    process(list, context);
    return NDIS_STATUS_SUCCESS;
  }
  auto later = std::make_unique<kernel::OwnDpc>([this, list, context] { process(list, context); });
  KDPC& dpc = later->dpc;
  {
    const kernel::Hold hold(lock_);
    later_.push_back(std::move(later));
  }
  kernel::System::current().scheduling().dpcs.insert(dpc, nullptr, nullptr, nullptr);
  return NDIS_STATUS_SUCCESS;
}

bool ScatterGatherDma::free(SCATTER_GATHER_LIST* list, const NET_BUFFER* buffer) {
  std::list<Entry> gone;
  {
    const kernel::Hold hold(lock_);
    const auto at = std::ranges::find(entries_, list, &Entry::list);
    if (at == entries_.end() || at->buffer != buffer) return false;
    gone.splice(gone.end(), entries_, at);
  }
  return true;
}

}  // namespace undis
