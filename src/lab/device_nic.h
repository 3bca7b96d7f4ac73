// SPDX-License-Identifier: MIT
//
// A simple network card as a device on the simulated bus: descriptor rings in memory, doorbells, a line or
// messages to interrupt with, receive side scaling over several queues, a wire. docs/guide/hardware.md
// describes it as a data sheet does; examples/nic6hw and examples/nic5hw are drivers of it.
//
// Work     A doorbell starts the device; it works some microseconds later, or at once if the schedule says
// so. Loss     A frame for a queue without a descriptor waits inside the card, 64 of them; the next is
// dropped and counted, as is one
//          longer than its buffer.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "kernel/pci.h"
#include "lab/toeplitz.h"
#include "machine/machine.h"
#include "ndis/link.h"

namespace undis::lab {

class DeviceNic final : public kernel::DeviceModel, public LinkSink {
 public:
  static constexpr std::uint16_t kVendor = 0x5AD1;
  static constexpr std::uint16_t kDevice = 0x0001;
  static constexpr unsigned kQueues = 4;
  static constexpr unsigned kMessages = kQueues + 1;  ///< one for each queue, one for the link
  static constexpr kernel::PciSpec kSpec{
      .vendor = kVendor,
      .device = kDevice,
      .subsystem_vendor = kVendor,
      .subsystem = 1,
      .revision = 1,
      .bars = {{{kernel::PciBar::Kind::Memory, 4096}, {kernel::PciBar::Kind::Port, 128}}},
      .messages = kMessages};

  /// The card sits on this wire from its first reset on. `machine`: its clock. Both outlive it.
  DeviceNic(Link& wire, machine::Machine& machine);
  ~DeviceNic() override;

  std::uint64_t transmitted() const noexcept { return transmitted_; }
  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t missed() const noexcept { return missed_; }
  bool enabled() const noexcept { return (control_ & (kControlReceive | kControlTransmit)) != 0; }

  // ---- DeviceModel ----
  void attached(kernel::PciDevice& device) override { device_ = &device; }
  std::uint64_t read(unsigned bar, std::uint64_t offset, unsigned size) override;
  void write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value) override;
  void reset() override;

  // ---- LinkSink ----
  void receive(FrameView frame) override;
  void changed(const LinkInfo& info) override;

 private:
  static constexpr std::uint32_t kControlReset = 1;
  static constexpr std::uint32_t kControlReceive = 2;
  static constexpr std::uint32_t kControlTransmit = 4;

  struct Ring {
    std::uint64_t base = 0;
    std::uint32_t size = 0;
    std::uint32_t head = 0;  ///< next that the device uses
    std::uint32_t tail = 0;  ///< first that it must not use
  };
  struct Queue {
    Ring transmit;
    Ring receive;
    std::uint32_t vector = 0;
    bool armed = false;  ///< it may send its message once
    std::uint32_t causes = 0;
    std::deque<std::vector<std::uint8_t>> arrived;
  };
  class Work final : public machine::Timer {
   public:
    explicit Work(DeviceNic& nic) noexcept : nic_(nic) {}

   private:
    void expire(machine::Ticks) noexcept override { nic_.work(); }
    DeviceNic& nic_;
  };

  std::uint32_t read_register(std::uint64_t offset) const noexcept;
  void write_register(std::uint64_t offset, std::uint32_t value);
  std::uint32_t read_queue(const Queue& queue, std::uint64_t offset) const noexcept;
  void write_queue(Queue& queue, std::uint64_t offset, std::uint32_t value);
  void control(std::uint32_t value);
  void start() noexcept;
  void work() noexcept;
  void transmit(Queue& queue);
  void fill(Queue& queue);
  bool accepts(FrameView frame) const noexcept;
  void raise(Queue* queue, std::uint32_t cause) noexcept;
  void update_line() noexcept;

  Link& wire_;
  machine::Machine& machine_;
  kernel::PciDevice* device_ = nullptr;
  Work work_{*this};
  bool attached_to_wire_ = false;

  std::uint32_t control_ = 0;
  std::uint32_t causes_ = 0;
  std::uint32_t mask_ = 0;
  std::uint32_t filter_ = 0;
  std::uint32_t link_vector_ = kQueues;
  bool link_armed_ = false;
  bool link_changed_ = false;
  std::array<std::uint32_t, 2> mac_{};
  std::array<std::uint32_t, 64>
      multicast_{};  ///< pairs: the first four bytes, the last two and bit 31 for "in use"
  std::uint32_t rss_ = 0;
  HashKey key_{};
  std::array<std::uint8_t, 128> table_{};
  std::array<Queue, kQueues> queues_;
  std::uint64_t transmitted_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace undis::lab
