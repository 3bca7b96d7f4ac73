// SPDX-License-Identifier: MIT
//
// The simulated network card: its registers, its rings, its interrupts.
#include "lab/device_nic.h"

#include <algorithm>
#include <cstring>

#include "kernel/system.h"

namespace undis::lab {
namespace {

// Registers, as docs/guide/hardware.md has them.
constexpr std::uint64_t kId = 0x000;
constexpr std::uint64_t kControl = 0x004;
constexpr std::uint64_t kStatus = 0x008;
constexpr std::uint64_t kCauses = 0x00C;
constexpr std::uint64_t kMask = 0x010;
constexpr std::uint64_t kMacLow = 0x014;
constexpr std::uint64_t kMacHigh = 0x018;
constexpr std::uint64_t kFilter = 0x01C;
constexpr std::uint64_t kSpeed = 0x020;
constexpr std::uint64_t kMissed = 0x024;
constexpr std::uint64_t kLinkVector = 0x028;
constexpr std::uint64_t kLinkArm = 0x02C;
constexpr std::uint64_t kMulticast = 0x100;
constexpr std::uint64_t kQueueFirst = 0x400;
constexpr std::uint64_t kQueueSize = 0x40;
constexpr std::uint64_t kRssControl = 0x800;
constexpr std::uint64_t kRssKey = 0x804;
constexpr std::uint64_t kRssTable = 0x880;
constexpr std::uint64_t kPortQueue = 0x40;  // in the port range: queue 0

constexpr std::uint32_t kIdValue = 0x554E4943;  // "CINU" in memory, "UNIC" as a number
constexpr std::uint32_t kLinkUp = 1;
constexpr std::uint32_t kCauseTransmit = 1;
constexpr std::uint32_t kCauseReceive = 2;
constexpr std::uint32_t kCauseLink = 4;
constexpr std::uint32_t kFilterDirected = 0x01;
constexpr std::uint32_t kFilterMulticast = 0x02;
constexpr std::uint32_t kFilterAllMulticast = 0x04;
constexpr std::uint32_t kFilterBroadcast = 0x08;
constexpr std::uint32_t kFilterPromiscuous = 0x20;
constexpr std::uint32_t kInUse = 0x80000000;
constexpr std::uint32_t kMaxRing = 4096;
constexpr std::size_t kMaxArrived = 64;    // frames of a queue that wait inside the card for a descriptor
constexpr machine::Ticks kWorkTime = 100;  // 10 us from a doorbell or a frame to its effect

struct Descriptor {
  std::uint64_t address;
  std::uint16_t length;
  std::uint8_t flags;   // of the driver
  std::uint8_t status;  // of the device
  std::uint32_t hash;
};
static_assert(sizeof(Descriptor) == 16);
constexpr std::uint8_t kEndOfFrame = 1;
constexpr std::uint8_t kDone = 1;
constexpr std::uint8_t kError = 2;
constexpr unsigned kHashTypeShift = 4;  // of the status: which HashTypes bit

std::uint32_t low(const MacAddress& mac) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, mac.data(), 4);
  return value;
}
std::uint32_t high(const MacAddress& mac) noexcept {
  return mac[4] | static_cast<std::uint32_t>(mac[5]) << 8;
}

}  // namespace

DeviceNic::DeviceNic(Link& wire, machine::Machine& machine) : wire_(wire), machine_(machine) {}

DeviceNic::~DeviceNic() {
  machine_.disarm(work_);
  if (attached_to_wire_) wire_.detach();
}

void DeviceNic::reset() {
  machine_.disarm(work_);
  const LinkInfo info = wire_.info();
  control_ = causes_ = mask_ = filter_ = rss_ = 0;
  link_vector_ = kQueues;
  link_armed_ = link_changed_ = false;
  mac_ = {low(info.mac), high(info.mac)};
  multicast_.fill(0);
  key_.fill(0);
  table_.fill(0);
  for (unsigned i = 0; i < kQueues; ++i) {
    queues_[i] = {};
    queues_[i].vector = i;
  }
  update_line();
  if (!attached_to_wire_) attached_to_wire_ = wire_.attach(*this) == LinkStatus::Ok;
}

// ---- registers ----

std::uint64_t DeviceNic::read(unsigned bar, std::uint64_t offset, unsigned size) {
  if (bar == 1 && offset >= kPortQueue) offset += kQueueFirst - kPortQueue;
  const std::uint64_t aligned = offset & ~std::uint64_t{3};
  std::uint64_t value = read_register(aligned);
  if (size == 8) value |= std::uint64_t{read_register(aligned + 4)} << 32;
  return value >> (8 * (offset & 3));
}

/// Narrow writes are for the bytes of the hash key and of the indirection table; every other register takes
/// double words.
void DeviceNic::write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value) {
  if (bar == 1 && offset >= kPortQueue) offset += kQueueFirst - kPortQueue;
  for (unsigned i = 0; i < size; ++i) {
    const auto byte = static_cast<std::uint8_t>(value >> (8 * i));
    if (offset + i - kRssKey < key_.size()) key_[offset + i - kRssKey] = byte;
    if (offset + i - kRssTable < table_.size()) table_[offset + i - kRssTable] = byte;
  }
  if (size < 4) return;
  write_register(offset, static_cast<std::uint32_t>(value));
  if (size == 8) write_register(offset + 4, static_cast<std::uint32_t>(value >> 32));
}

std::uint32_t DeviceNic::read_register(std::uint64_t offset) const noexcept {
  const LinkInfo info = wire_.info();
  switch (offset) {
  case kId:
    return kIdValue;
  case kControl:
    return control_;
  case kStatus:
    return (info.up ? kLinkUp : 0) | kQueues << 8;
  case kCauses:
    return causes_;
  case kMask:
    return mask_;
  case kMacLow:
    return mac_[0];
  case kMacHigh:
    return mac_[1];
  case kFilter:
    return filter_;
  case kSpeed:
    return static_cast<std::uint32_t>(info.speed_bps / 1'000'000);
  case kMissed:
    return static_cast<std::uint32_t>(missed_);
  case kLinkVector:
    return link_vector_;
  case kLinkArm:
    return link_armed_ ? 1 : 0;
  case kRssControl:
    return rss_;
  default:
    break;
  }
  if (offset - kMulticast < multicast_.size() * 4) return multicast_[(offset - kMulticast) / 4];
  if (offset - kQueueFirst < kQueues * kQueueSize)
    return read_queue(queues_[(offset - kQueueFirst) / kQueueSize], (offset - kQueueFirst) % kQueueSize);
  std::uint32_t value = 0;
  if (offset - kRssKey <= key_.size() - 4) std::memcpy(&value, key_.data() + (offset - kRssKey), 4);
  if (offset - kRssTable <= table_.size() - 4) std::memcpy(&value, table_.data() + (offset - kRssTable), 4);
  return value;
}

void DeviceNic::write_register(std::uint64_t offset, std::uint32_t value) {
  switch (offset) {
  case kControl:
    control(value);
    return;
  case kCauses:  // what is written is what is taken back
    causes_ &= ~value;
    update_line();
    return;
  case kMask:
    mask_ = value;
    update_line();
    return;
  case kMacLow:
    mac_[0] = value;
    return;
  case kMacHigh:
    mac_[1] = value & 0xFFFF;
    return;
  case kFilter:
    filter_ = value;
    return;
  case kLinkVector:
    link_vector_ = value;
    return;
  case kLinkArm:
    link_armed_ = (value & 1) != 0;
    if (link_armed_ && link_changed_) raise(nullptr, kCauseLink);
    return;
  case kRssControl:
    rss_ = value;
    return;
  default:
    break;
  }
  if (offset - kMulticast < multicast_.size() * 4) {
    multicast_[(offset - kMulticast) / 4] = value;
  } else if (offset - kQueueFirst < kQueues * kQueueSize) {
    write_queue(queues_[(offset - kQueueFirst) / kQueueSize], (offset - kQueueFirst) % kQueueSize, value);
  }
}

void DeviceNic::control(std::uint32_t value) {
  if ((value & kControlReset) != 0) {
    reset();
    return;
  }
  const std::uint32_t before = control_;
  control_ = value;
  if ((before & kControlReceive) != 0 && (value & kControlReceive) == 0)
    for (Queue& queue : queues_) queue.arrived.clear();
  start();
}

std::uint32_t DeviceNic::read_queue(const Queue& queue, std::uint64_t offset) const noexcept {
  switch (offset) {
  case 0x00:
    return static_cast<std::uint32_t>(queue.transmit.base);
  case 0x04:
    return static_cast<std::uint32_t>(queue.transmit.base >> 32);
  case 0x08:
    return queue.transmit.size;
  case 0x0C:
    return queue.transmit.tail;
  case 0x10:
    return queue.transmit.head;
  case 0x14:
    return static_cast<std::uint32_t>(queue.receive.base);
  case 0x18:
    return static_cast<std::uint32_t>(queue.receive.base >> 32);
  case 0x1C:
    return queue.receive.size;
  case 0x20:
    return queue.receive.tail;
  case 0x24:
    return queue.receive.head;
  case 0x28:
    return queue.vector;
  case 0x2C:
    return queue.armed ? 1 : 0;
  default:
    return 0;
  }
}

void DeviceNic::write_queue(Queue& queue, std::uint64_t offset, std::uint32_t value) {
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  switch (offset) {
  case 0x00:
    queue.transmit.base = (queue.transmit.base & ~kLow) | value;
    return;
  case 0x04:
    queue.transmit.base = (queue.transmit.base & kLow) | std::uint64_t{value} << 32;
    return;
  case 0x08:
    queue.transmit.size = std::min(value, kMaxRing);
    queue.transmit.head = queue.transmit.tail = 0;
    return;
  case 0x0C:
    if (value < queue.transmit.size) queue.transmit.tail = value;
    start();
    return;
  case 0x14:
    queue.receive.base = (queue.receive.base & ~kLow) | value;
    return;
  case 0x18:
    queue.receive.base = (queue.receive.base & kLow) | std::uint64_t{value} << 32;
    return;
  case 0x1C:
    queue.receive.size = std::min(value, kMaxRing);
    queue.receive.head = queue.receive.tail = 0;
    return;
  case 0x20:
    if (value < queue.receive.size) queue.receive.tail = value;
    start();
    return;
  case 0x28:
    queue.vector = value;
    return;
  case 0x2C:
    queue.armed = (value & 1) != 0;
    if (queue.armed && queue.causes != 0) raise(&queue, queue.causes);
    return;
  default:
    return;
  }
}

// ---- interrupts ----

/// `queue` nullptr: the link's.
void DeviceNic::raise(Queue* queue, std::uint32_t cause) noexcept {
  causes_ |= cause;
  update_line();
  bool& armed = queue != nullptr ? queue->armed : link_armed_;
  if (queue != nullptr) queue->causes |= cause;
  if (queue == nullptr) link_changed_ = true;
  if (!armed) return;
  armed = false;
  if (queue != nullptr) {
    queue->causes = 0;
  } else {
    link_changed_ = false;
  }
  device_->signal(queue != nullptr ? queue->vector : link_vector_);
}

void DeviceNic::update_line() noexcept {
  if (device_ == nullptr) return;
  if ((causes_ & mask_) != 0) {
    device_->assert_line();
  } else {
    device_->release_line();
  }
}

// ---- work ----

void DeviceNic::start() noexcept {
  if (kernel::choose("the card works at once")) {
    work();
  } else if (!work_.armed()) {
    machine_.arm(work_, machine_.now() + kWorkTime);
  }
}

void DeviceNic::work() noexcept {
  if ((control_ & kControlTransmit) != 0)
    for (Queue& queue : queues_) transmit(queue);
  if ((control_ & kControlReceive) != 0)
    for (Queue& queue : queues_) fill(queue);
}

void DeviceNic::transmit(Queue& queue) {
  Ring& ring = queue.transmit;
  bool any = false;
  while (ring.head != ring.tail && ring.size != 0) {
    // A frame is one descriptor or more; it goes when its last one is there.
    std::vector<std::uint8_t> frame;
    std::uint32_t at = ring.head;
    bool whole = false;
    bool good = true;
    while (at != ring.tail && !whole) {
      Descriptor d{};
      if (!device_->dma_read(ring.base + at * sizeof d, &d, sizeof d)) return;
      const std::size_t before = frame.size();
      frame.resize(before + d.length);
      good = device_->dma_read(d.address, frame.data() + before, d.length) && good;
      whole = (d.flags & kEndOfFrame) != 0;
      at = (at + 1) % ring.size;
    }
    if (!whole) break;
    if (good && wire_.transmit(frame) == LinkStatus::Ok) {
      ++transmitted_;
    } else {
      good = false;
    }
    const std::uint8_t status = good ? kDone : kDone | kError;
    for (; ring.head != at; ring.head = (ring.head + 1) % ring.size)
      if (!device_->dma_write(ring.base + ring.head * sizeof(Descriptor) + offsetof(Descriptor, status),
                              &status, 1))
        return;
    any = true;
  }
  if (any) raise(&queue, kCauseTransmit);
}

void DeviceNic::fill(Queue& queue) {
  Ring& ring = queue.receive;
  bool any = false;
  while (!queue.arrived.empty() && ring.size != 0 && ring.head != ring.tail) {
    const std::vector<std::uint8_t>& frame = queue.arrived.front();
    const std::uint64_t at = ring.base + ring.head * sizeof(Descriptor);
    Descriptor d{};
    if (!device_->dma_read(at, &d, sizeof d)) return;
    if (frame.size() > d.length) {
      ++missed_;  // longer than the buffer: the descriptor stays for the next
      queue.arrived.pop_front();
      continue;
    }
    if (!device_->dma_write(d.address, frame.data(), frame.size())) return;
    const FrameHash hash = (rss_ & 1) != 0 ? hash_of(frame, key_, rss_ >> 1) : FrameHash{};
    d.length = static_cast<std::uint16_t>(frame.size());
    d.status = static_cast<std::uint8_t>(kDone | hash.type << kHashTypeShift);
    d.hash = hash.value;
    if (!device_->dma_write(at, &d, sizeof d)) return;
    ring.head = (ring.head + 1) % ring.size;
    queue.arrived.pop_front();
    ++received_;
    any = true;
  }
  if (any) raise(&queue, kCauseReceive);
}

// ---- the wire ----

bool DeviceNic::accepts(FrameView frame) const noexcept {
  if ((filter_ & kFilterPromiscuous) != 0) return true;
  MacAddress to{};
  std::copy_n(frame.begin(), to.size(), to.begin());
  const bool group = (to[0] & 1) != 0;
  if (!group) return (filter_ & kFilterDirected) != 0 && low(to) == mac_[0] && high(to) == mac_[1];
  if (std::ranges::all_of(to, [](std::uint8_t byte) { return byte == 0xFF; }))
    return (filter_ & kFilterBroadcast) != 0;
  if ((filter_ & kFilterAllMulticast) != 0) return true;
  if ((filter_ & kFilterMulticast) == 0) return false;
  for (std::size_t i = 0; i + 1 < multicast_.size(); i += 2)
    if ((multicast_[i + 1] & kInUse) != 0 && multicast_[i] == low(to) &&
        (multicast_[i + 1] & 0xFFFF) == high(to))
      return true;
  return false;
}

void DeviceNic::receive(FrameView frame) {
  if ((control_ & kControlReceive) == 0 || frame.size() < kEthernetHeader || !accepts(frame)) return;
  const FrameHash hash = (rss_ & 1) != 0 ? hash_of(frame, key_, rss_ >> 1) : FrameHash{};
  const unsigned target = hash.type != 0 ? table_[hash.value % table_.size()] : 0;
  Queue& queue = queues_[target % kQueues];
  if (queue.arrived.size() >= kMaxArrived) {
    ++missed_;
    return;
  }
  queue.arrived.emplace_back(frame.begin(), frame.end());
  start();
}

void DeviceNic::changed(const LinkInfo&) {
  raise(nullptr, kCauseLink);
}

}  // namespace undis::lab
