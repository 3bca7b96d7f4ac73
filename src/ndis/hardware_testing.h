// SPDX-License-Identifier: MIT
//
// For tests of miniports with hardware: a device that does what the test says, and a miniport of it whose
// interrupt is a few hooks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel/pci.h"
#include "kernel/scheduling.h"
#include "lab/core_test.h"
#include "ndis/hardware.h"

namespace undis::test {

/// A device whose registers are memory.
struct TestDevice final : kernel::DeviceModel {
  void attached(kernel::PciDevice& the_device) override { device = &the_device; }
  std::uint64_t read(unsigned bar, std::uint64_t offset, unsigned) override {
    return registers[{bar, offset}];
  }
  void write(unsigned bar, std::uint64_t offset, unsigned, std::uint64_t value) override {
    registers[{bar, offset}] = value;
    if (on_write) on_write(bar, offset, value);
  }
  void reset() override {}

  kernel::PciDevice* device = nullptr;
  std::map<std::pair<unsigned, std::uint64_t>, std::uint64_t> registers;
  std::function<void(unsigned bar, std::uint64_t offset, std::uint64_t value)> on_write;
};

class HardwareTest : public CoreTest {
 public:
  static constexpr kernel::PciSpec kSpec{
      .vendor = 0x1234,
      .device = 0x5678,
      .bars = {{{kernel::PciBar::Kind::Memory, 4096}, {kernel::PciBar::Kind::Port, 32}}},
      .messages = 2};
  static constexpr kernel::PciSpec kLineSpec{
      .vendor = 0x1234,
      .device = 0x5679,
      .bars = {{{kernel::PciBar::Kind::Memory, 4096}, {kernel::PciBar::Kind::Port, 32}}}};

  ~HardwareTest() override {
    for (kernel::PciDevice* const device : plugged) world.system().bus().unplug(*device);
  }

  /// Loads the miniport and the protocol and plugs the card in, with the device in its slot.
  NDIS_STATUS plug_hardware(const kernel::PciSpec& spec = kSpec, int generation = 6) {
    be(generation, generation);
    load();
    return plug_again(spec);
  }
  NDIS_STATUS plug_again(const kernel::PciSpec& spec = kSpec) {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    plugged.push_back(&world.system().bus().plug("nic", spec, model));
    run([&] { world.plug(mp.driver(), "nic", &status, plugged.back()); });
    return status;
  }

  // ---- the miniport's interrupt ----
  NDIS_STATUS register_interrupt(NDIS_HANDLE adapter, bool messages = true) {
    NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT, NDIS_MINIPORT_INTERRUPT_REVISION_1,
                NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1};
    c.InterruptHandler = [](NDIS_HANDLE context, PBOOLEAN queue, PULONG targets) -> BOOLEAN {
      return self(context).service(0, queue, targets);
    };
    c.InterruptDpcHandler = [](NDIS_HANDLE context, PVOID dpc, PVOID, PVOID) { self(context).dpc(0, dpc); };
    c.MsiSupported = messages ? TRUE : FALSE;
    c.MessageInterruptHandler = [](NDIS_HANDLE context, ULONG message, PBOOLEAN queue,
                                   PULONG targets) -> BOOLEAN {
      return self(context).service(message, queue, targets);
    };
    c.MessageInterruptDpcHandler = [](NDIS_HANDLE context, ULONG message, PVOID dpc, PVOID parameters,
                                      PVOID) {
      self(context).throttle = static_cast<NDIS_RECEIVE_THROTTLE_PARAMETERS*>(parameters);
      self(context).dpc(message, dpc);
    };
    const NDIS_STATUS status = NdisMRegisterInterruptEx(adapter, this, &c, &interrupt);
    type = c.InterruptType;
    messages_given = c.MessageInfoTable != nullptr ? c.MessageInfoTable->MessageCount : 0;
    return status;
  }
  void deregister_interrupt() {
    if (interrupt != nullptr) NdisMDeregisterInterruptEx(std::exchange(interrupt, nullptr));
  }
  /// An adapter that registers its interrupt when it starts and gives it back when it ends.
  void with_interrupt(bool messages = true) {
    mp.on_initialize = [this, messages](FakeAdapter& adapter) {
      return register_interrupt(adapter.handle, messages);
    };
    mp.on_halt = [this](FakeAdapter&) { deregister_interrupt(); };
  }

  static HardwareTest& self(void* context) { return *static_cast<HardwareTest*>(context); }
  BOOLEAN service(ULONG message, PBOOLEAN queue, PULONG targets) {
    *queue = TRUE;
    *targets = 0;
    services.push_back(message);
    service_irql = kernel::irql();
    return on_service ? on_service(message, queue, targets) : TRUE;
  }
  void dpc(ULONG message, void* context) {
    dpcs.push_back(message);
    dpc_irql = kernel::irql();
    if (on_dpc) on_dpc(message, context);
  }
  /// From here on the choices are drawn from `seed`.
  void use_seed(int seed) { world.simulated()->follow(machine::Schedule(static_cast<std::uint64_t>(seed))); }
  void settle() { world.system().advance(10'000'000); }

  TestDevice model;
  std::vector<kernel::PciDevice*> plugged;
  NDIS_HANDLE interrupt = nullptr;
  NDIS_INTERRUPT_TYPE type{};
  ULONG messages_given = 0;
  std::vector<ULONG> services;
  std::vector<ULONG> dpcs;
  KIRQL service_irql = 0;
  KIRQL dpc_irql = 0;
  NDIS_RECEIVE_THROTTLE_PARAMETERS* throttle = nullptr;
  std::function<BOOLEAN(ULONG message, PBOOLEAN queue, PULONG targets)> on_service;
  std::function<void(ULONG message, void* context)> on_dpc;
};

}  // namespace undis::test
