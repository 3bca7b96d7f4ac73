// SPDX-License-Identifier: MIT
//
// Devices on the simulated bus: configuration space, registers by call and by plain pointer, ports, messages,
// DMA.
#include "kernel/pci.h"

#include <cstring>
#include <map>

#include <ntddk.h>

#include "kernel/register_access.h"
#include "kernel/scheduling_test.h"

namespace undis::kernel {
namespace {

/// Remembers what is written, answers with it, and counts.
struct Model final : DeviceModel {
  struct Write {
    unsigned bar;
    std::uint64_t offset;
    unsigned size;
    std::uint64_t value;
    bool operator==(const Write&) const = default;
  };
  void attached(PciDevice& the_device) override { device = &the_device; }
  std::uint64_t read(unsigned bar, std::uint64_t offset, unsigned size) override {
    ++reads;
    last_read_size = size;
    return values[{bar, offset}];
  }
  void write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value) override {
    writes.push_back({bar, offset, size, value});
    values[{bar, offset}] = value;
  }
  void reset() override { ++resets; }

  PciDevice* device = nullptr;
  std::map<std::pair<unsigned, std::uint64_t>, std::uint64_t> values;
  std::vector<Write> writes;
  int reads = 0;
  unsigned last_read_size = 0;
  int resets = 0;
};

constexpr PciSpec kSpec{.vendor = 0x1AF4,
                        .device = 0x10F0,
                        .subsystem_vendor = 0x1AF4,
                        .subsystem = 7,
                        .revision = 2,
                        .bars = {{{PciBar::Kind::Memory, 8192}, {PciBar::Kind::Port, 64}}},
                        .messages = 3};

struct Plugged {
  World world;
  Model model;
  PciDevice& device = world.system.bus().plug("nic", kSpec, model);
  volatile std::uint32_t* registers() {
    return reinterpret_cast<volatile std::uint32_t*>(device.ranges()[0].start);
  }
  ~Plugged() { world.system.bus().unplug(device); }
};

template <class T>
T config(const PciDevice& device, std::size_t offset) {
  T value{};
  EXPECT_EQ(device.read_config(offset, &value, sizeof value), sizeof value);
  return value;
}

TEST(ConfigurationSpace, SaysWhatTheDeviceIsAndWhereItsRangesLie) {
  Plugged p;
  PCI_COMMON_CONFIG c{};
  ASSERT_EQ(p.device.read_config(0, &c, sizeof c), sizeof c);
  EXPECT_EQ(c.VendorID, 0x1AF4);
  EXPECT_EQ(c.DeviceID, 0x10F0);
  EXPECT_EQ(c.RevisionID, 2);
  EXPECT_EQ(c.BaseClass, 2);
  EXPECT_EQ(c.SubClass, 0);
  EXPECT_EQ(c.u.type0.SubSystemID, 7);
  EXPECT_EQ(c.u.type0.InterruptPin, 1);
  EXPECT_EQ(c.u.type0.BaseAddresses[0], static_cast<ULONG>(p.device.ranges()[0].start));
  EXPECT_EQ(c.u.type0.BaseAddresses[1], static_cast<ULONG>(p.device.ranges()[1].start | 1));
  EXPECT_EQ(p.model.resets, 1);
}

TEST(ConfigurationSpace, HasTheMsixTableInAChainOfCapabilities) {
  Plugged p;
  std::vector<int> ids;
  for (auto at = config<std::uint8_t>(p.device, 0x34); at != 0; at = config<std::uint8_t>(p.device, at + 1U))
    ids.push_back(config<std::uint8_t>(p.device, at));
  EXPECT_EQ(ids, (std::vector<int>{PCI_CAPABILITY_ID_POWER_MANAGEMENT, PCI_CAPABILITY_ID_MSIX}));
}

TEST(ConfigurationSpace, TellsTheSizeOfARangeAndKeepsWhatIsReadOnly) {
  Plugged p;
  const std::uint32_t ones = 0xFFFFFFFF;
  EXPECT_EQ(p.device.write_config(0x10, &ones, 4), 4U);
  EXPECT_EQ(~config<std::uint32_t>(p.device, 0x10) + 1, 8192U);
  std::uint32_t beyond = 0;
  p.device.write_config(0, &ones, 4);
  EXPECT_EQ(config<std::uint16_t>(p.device, 0), 0x1AF4);
  EXPECT_EQ(p.device.read_config(256, &beyond, 4), 0U) << "there is nothing beyond its end";
}

TEST(ARegister, IsReadAndWrittenByCall) {
  Plugged p;
  auto* const at = reinterpret_cast<PULONG>(p.device.ranges()[0].start + 8);
  WRITE_REGISTER_ULONG(at, 0x12345678);
  EXPECT_EQ(p.model.writes, (std::vector<Model::Write>{{0, 8, 4, 0x12345678}}));
  EXPECT_EQ(READ_REGISTER_ULONG(at), 0x12345678U);
  EXPECT_EQ(READ_REGISTER_UCHAR(reinterpret_cast<PUCHAR>(at)), 0x78);
  EXPECT_EQ(p.model.last_read_size, 1U);
  ULONG plain = 5;
  WRITE_REGISTER_ULONG(&plain, 6);
  EXPECT_EQ(READ_REGISTER_ULONG(&plain), 6U) << "memory is memory";
}

TEST(ARegister, IsReadAndWrittenByAPlainPointer) {
  Plugged p;
  const std::uint64_t before = trapped_accesses();
  p.registers()[3] = 0xCAFE;
  EXPECT_EQ(p.model.writes, (std::vector<Model::Write>{{0, 12, 4, 0xCAFE}}));
  EXPECT_EQ(p.model.reads, 0) << "a store does not read";
  p.model.values[{0, 12}] = 0xBEEF;
  const std::uint32_t seen = p.registers()[3];
  EXPECT_EQ(seen, 0xBEEFU);
  EXPECT_EQ(p.model.writes.size(), 1U) << "a load does not write";
  p.registers()[3] = p.registers()[3] | 0x10000;
  EXPECT_EQ(p.model.writes.back(), (Model::Write{0, 12, 4, 0x1BEEF}));
  EXPECT_GE(trapped_accesses() - before, 4U);
}

TEST(ARegister, OfEachWidthReachesTheModelAtThatWidth) {
  Plugged p;
  const std::uint64_t base = p.device.ranges()[0].start;
  *reinterpret_cast<volatile std::uint8_t*>(base + 1) = 0xA1;
  *reinterpret_cast<volatile std::uint16_t*>(base + 2) = 0xA2A2;
  *reinterpret_cast<volatile std::uint64_t*>(base + 16) = 0xA8A8A8A8A8A8A8A8;
  EXPECT_EQ(p.model.writes,
            (std::vector<Model::Write>{{0, 1, 1, 0xA1}, {0, 2, 2, 0xA2A2}, {0, 16, 8, 0xA8A8A8A8A8A8A8A8}}));
  EXPECT_EQ(*reinterpret_cast<volatile std::uint8_t*>(base + 1), 0xA1);
  EXPECT_EQ(*reinterpret_cast<volatile std::uint64_t*>(base + 16), 0xA8A8A8A8A8A8A8A8);
}

TEST(APort, IsReadAndWrittenByNumber) {
  Plugged p;
  const std::uint64_t base = p.device.ranges()[1].start;
  WRITE_PORT_USHORT(reinterpret_cast<PUSHORT>(base + 4), 0x55AA);
  EXPECT_EQ(p.model.writes, (std::vector<Model::Write>{{1, 4, 2, 0x55AA}}));
  EXPECT_EQ(READ_PORT_USHORT(reinterpret_cast<PUSHORT>(base + 4)), 0x55AA);
  UCHAR bytes[3] = {1, 2, 3};
  WRITE_PORT_BUFFER_UCHAR(reinterpret_cast<PUCHAR>(base), bytes, 3);
  EXPECT_EQ(p.model.writes.size(), 4U);
  EXPECT_EQ(p.model.writes.back().offset, 0U) << "the same port each time";
}

TEST(APort, OfNobodyReadsAsOnesAndIsTold) {
  Plugged p;
  EXPECT_EQ(READ_PORT_ULONG(reinterpret_cast<PULONG>(std::uintptr_t{0x3F8})), 0xFFFFFFFFU);
  EXPECT_TRUE(p.world.recorder.saw(Misuse::RegisterMisuse, "READ_PORT_ULONG"));
}

TEST(AMessage, ThatIsMaskedInTheTableStaysPendingUntilItIsNot) {
  Plugged p;
  Interrupts& interrupts = p.world.system.scheduling().interrupts;
  int served = 0;
  p.world.system.run("t", [&] {
    PKINTERRUPT object = nullptr;
    interrupts.connect(*p.device.messages()[1], {.service =
                                                     [&] {
                                                       ++served;
                                                       return true;
                                                     },
                                                 .where = &object});
    EXPECT_TRUE(p.device.mask_table_entry(1, true));
    p.device.signal(1);
    sleep_ms(1);
    EXPECT_EQ(served, 0);
    EXPECT_TRUE(p.device.mask_table_entry(1, false));
    sleep_ms(1);
    EXPECT_EQ(served, 1);
    EXPECT_TRUE(p.device.set_table_entry(0, 1));  // entry 0 now sends message 1
    p.device.signal(0);
    sleep_ms(1);
    EXPECT_EQ(served, 2);
    EXPECT_FALSE(p.device.set_table_entry(3, 0));
    EXPECT_FALSE(p.device.mask_table_entry(3, true));
    interrupts.disconnect(object);
  });
}

TEST(Dma, ReachesWhatIsMappedAndNothingElse) {
  Plugged p;
  std::uint8_t memory[64] = {};
  const auto at = reinterpret_cast<std::uint64_t>(memory);
  p.device.map_dma(at, 32, false, nullptr);
  std::uint32_t value = 7;
  EXPECT_TRUE(p.device.dma_read(at + 28, &value, 4));
  EXPECT_FALSE(p.device.dma_write(at, &value, 4)) << "mapped for reading alone";
  EXPECT_FALSE(p.device.dma_read(at + 30, &value, 4)) << "half of it is beyond the end";
  p.device.map_dma(at + 32, 32, true, nullptr);
  EXPECT_TRUE(p.device.dma_read(at + 30, &value, 4)) << "two pieces that meet";
  value = 9;
  EXPECT_TRUE(p.device.dma_write(at + 32, &value, 4));
  EXPECT_EQ(memory[32], 9);
  EXPECT_FALSE(p.device.unmap_dma(at, 31, false));
  EXPECT_TRUE(p.device.unmap_dma(at, 32, false));
  EXPECT_FALSE(p.device.dma_read(at, &value, 4));
  EXPECT_EQ(p.world.recorder.misuses.size(), 3U) << p.world.recorder.text();
}

TEST(Dma, NeedsTheBusMasterBit) {
  Plugged p;
  std::uint8_t memory[8] = {};
  p.device.map_dma(reinterpret_cast<std::uint64_t>(memory), 8, true, nullptr);
  const std::uint16_t off = PCI_ENABLE_MEMORY_SPACE;
  p.device.write_config(4, &off, 2);
  EXPECT_FALSE(p.device.dma_write(reinterpret_cast<std::uint64_t>(memory), &off, 2));
  EXPECT_EQ(p.world.recorder.text(), "");
}

TEST(MappingIoSpace, GivesTheRegistersOfARangeAndNoMore) {
  Plugged p;
  PHYSICAL_ADDRESS at{};
  at.QuadPart = static_cast<LONGLONG>(p.device.ranges()[0].start);
  EXPECT_NE(MmMapIoSpace(at, 8192, MmNonCached), nullptr);
  EXPECT_EQ(MmMapIoSpace(at, 8193, MmNonCached), nullptr);
}

}  // namespace
}  // namespace undis::kernel
