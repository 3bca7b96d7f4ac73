// SPDX-License-Identifier: MIT
//
// Interrupts, resources and DMA of NDIS 5 miniports.
#include <cstring>

#include "ndis/hardware_testing.h"

namespace undis::test {
namespace {

/// The hooks of the one NDIS 5 driver of a test: its characteristics have no context of their own.
struct Hooks {
  std::vector<std::string> calls;
  TestDevice* device = nullptr;
  bool mine = true;
  KIRQL isr_irql = 0;
  KIRQL handle_irql = 0;
};
Hooks* hooks = nullptr;

class Hardware5 : public HardwareTest {
 public:
  Hardware5() {
    hooks = &seen;
    seen.device = &model;
    mp.entry = [this] {
      mp.initialize_wrapper();
      NDIS51_MINIPORT_CHARACTERISTICS c = FakeDriver::miniport5_characteristics();
      c.ISRHandler = [](PBOOLEAN recognized, PBOOLEAN queue, NDIS_HANDLE) {
        hooks->calls.emplace_back("ISR");
        hooks->isr_irql = kernel::irql();
        *recognized = *queue = hooks->mine ? TRUE : FALSE;
        if (hooks->mine) hooks->device->device->release_line();
      };
      c.HandleInterruptHandler = [](NDIS_HANDLE) {
        hooks->calls.emplace_back("HandleInterrupt");
        hooks->handle_irql = kernel::irql();
      };
      c.EnableInterruptHandler = [](NDIS_HANDLE) { hooks->calls.emplace_back("Enable"); };
      c.DisableInterruptHandler = [](NDIS_HANDLE) {
        hooks->calls.emplace_back("Disable");
        hooks->device->device->release_line();
      };
      c.AllocateCompleteHandler = [](NDIS_HANDLE, PVOID address, PNDIS_PHYSICAL_ADDRESS, ULONG length,
                                     PVOID context) {
        EXPECT_EQ(length, 64U);
        *static_cast<PVOID*>(context) = address;
      };
      if (NdisMRegisterMiniport(mp.wrapper, reinterpret_cast<PNDIS_MINIPORT_CHARACTERISTICS>(&c), sizeof c) !=
          NDIS_STATUS_SUCCESS)
        return STATUS_UNSUCCESSFUL;
      mp.register_unload_handler();
      return STATUS_SUCCESS;
    };
  }
  ~Hardware5() override { hooks = nullptr; }

  NDIS_STATUS up5(BOOLEAN isr, BOOLEAN shared, UINT wrong_vector = 0) {
    mp.on_initialize = [this, isr, shared, wrong_vector](FakeAdapter& adapter) {
      return NdisMRegisterInterrupt(&interrupt5, adapter.handle,
                                    model.device->line()->vector() + wrong_vector,
                                    model.device->line()->irql(), isr, shared, NdisInterruptLevelSensitive);
    };
    mp.on_halt = [this](FakeAdapter&) { NdisMDeregisterInterrupt(&interrupt5); };
    p.be_protocol5();
    load();
    return plug_again(kLineSpec);
  }

  Hooks seen;
  NDIS_MINIPORT_INTERRUPT interrupt5{};
};

TEST_F(Hardware5, AsksTheIsrAndThenHandlesAndEnables) {
  ASSERT_EQ(up5(TRUE, TRUE), NDIS_STATUS_SUCCESS);
  run([&] {
    model.device->assert_line();
    settle();
  });
  EXPECT_EQ(seen.calls, (Lines{"ISR", "HandleInterrupt", "Enable"}));
  EXPECT_GT(seen.isr_irql, DISPATCH_LEVEL);
  EXPECT_EQ(seen.handle_irql, DISPATCH_LEVEL);
  down();
}

TEST_F(Hardware5, HandlesNothingThatTheIsrDoesNotRecognise) {
  ASSERT_EQ(up5(TRUE, TRUE), NDIS_STATUS_SUCCESS);
  seen.mine = false;
  run([&] {
    kernel::Interrupts& interrupts = world.system().scheduling().interrupts;
    PKINTERRUPT other = nullptr;
    interrupts.connect(*model.device->line(), {.service =
                                                   [&] {
                                                     model.device->release_line();
                                                     return true;
                                                   },
                                               .where = &other});
    model.device->assert_line();
    settle();
    interrupts.disconnect(other);
  });
  EXPECT_EQ(seen.calls, (Lines{"ISR"}));
  down();
}

TEST_F(Hardware5, IsDisabledByNdisWithoutAnIsr) {
  ASSERT_EQ(up5(FALSE, FALSE), NDIS_STATUS_SUCCESS);
  run([&] {
    model.device->assert_line();
    settle();
  });
  EXPECT_EQ(seen.calls, (Lines{"Disable", "HandleInterrupt", "Enable"}));
  down();
}

TEST_F(Hardware5, HasNoInterruptOfAnotherVector) {
  EXPECT_EQ(up5(TRUE, TRUE, 1), NDIS_STATUS_RESOURCE_CONFLICT);
  down();
}

TEST_F(Hardware5, LeftConnectedByAHaltIsTold) {
  ASSERT_EQ(up5(TRUE, TRUE), NDIS_STATUS_SUCCESS);
  mp.on_halt = nullptr;
  down();
  expect({"mp: Init_DeRegisterInterrupt"});
}

TEST_F(Hardware5, SynchronizesWithTheIsr) {
  ASSERT_EQ(up5(TRUE, TRUE), NDIS_STATUS_SUCCESS);
  run([&] {
    auto* const section = +[](PVOID context) -> BOOLEAN {
      return kernel::irql() > DISPATCH_LEVEL && context == hooks ? TRUE : FALSE;
    };
    EXPECT_EQ(NdisMSynchronizeWithInterrupt(&interrupt5, reinterpret_cast<PVOID>(section), &seen), TRUE);
    NDIS_MINIPORT_INTERRUPT other{};
    EXPECT_EQ(NdisMSynchronizeWithInterrupt(&other, reinterpret_cast<PVOID>(section), &seen), FALSE);
  });
  down();
  expect({"host: BadParameter"});
}

TEST_F(Hardware5, MapsBuffersByMapRegisters) {
  mp.on_initialize = [&](FakeAdapter& adapter) {
    EXPECT_EQ(NdisMAllocateMapRegisters(adapter.handle, 0, NDIS_DMA_64BITS, 65, 4096), NDIS_STATUS_RESOURCES);
    return NdisMAllocateMapRegisters(adapter.handle, 0, NDIS_DMA_64BITS, 2, 4096);
  };
  mp.on_halt = [&](FakeAdapter& adapter) { NdisMFreeMapRegisters(adapter.handle); };
  p.be_protocol5();
  load();
  ASSERT_EQ(plug_again(kLineSpec), NDIS_STATUS_SUCCESS);
  auto memory = std::make_unique<std::byte[]>(9000);
  MDL* const mdl = IoAllocateMdl(memory.get(), 9000, FALSE, FALSE, nullptr);
  MmBuildMdlForNonPagedPool(mdl);
  run([&] {
    const NDIS_HANDLE adapter = mp.adapter("nic")->handle;
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NDIS_PHYSICAL_ADDRESS_UNIT units[8];
    UINT count = 0;
    NdisMStartBufferPhysicalMapping(adapter, mdl, 1, TRUE, units, &count);
    EXPECT_GE(count, 3U);
    UINT total = 0;
    for (UINT i = 0; i < count; ++i) total += units[i].Length;
    EXPECT_EQ(total, 9000U);
    char byte = 0;
    EXPECT_TRUE(
        model.device->dma_read(static_cast<std::uint64_t>(units[0].PhysicalAddress.QuadPart), &byte, 1));
    NdisMStartBufferPhysicalMapping(adapter, mdl, 1, TRUE, units, &count);
    EXPECT_EQ(count, 0U) << "it maps a buffer already";
    NdisMCompleteBufferPhysicalMapping(adapter, mdl, 1);
    EXPECT_EQ(model.device->dma_mappings(), 0U);
    NdisMCompleteBufferPhysicalMapping(adapter, mdl, 1);
  });
  IoFreeMdl(mdl);
  down();
  expect({"host: DmaVerification", "host: DmaVerification"});
}

TEST_F(Hardware5, ReadsItsResources) {
  NDIS_STATUS short_status = 0;
  UINT size = 0;
  PNDIS_RESOURCE_LIST assigned = nullptr;
  mp.on_initialize = [&](FakeAdapter& adapter) {
    EXPECT_EQ(NdisMPciAssignResources(adapter.handle, 0, &assigned), NDIS_STATUS_SUCCESS);
    NdisMQueryAdapterResources(&short_status, adapter.handle, nullptr,
                               &size);  // the adapter's handle is not the context
    return NDIS_STATUS_SUCCESS;
  };
  p.be_protocol5();
  load();
  ASSERT_EQ(plug_again(kLineSpec), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(short_status, NDIS_STATUS_FAILURE);
  ASSERT_NE(assigned, nullptr);
  EXPECT_EQ(assigned->Count, 3U);
  EXPECT_EQ(assigned->PartialDescriptors[2].Type, CmResourceTypeInterrupt);
  EXPECT_EQ(assigned->PartialDescriptors[2].u.Interrupt.Vector, model.device->line()->vector());
  down();
  expect({"mp: HandleMisuse"});
}

TEST_F(Hardware5, SharesMemoryLater) {
  p.be_protocol5();
  load();
  ASSERT_EQ(plug_again(kLineSpec), NDIS_STATUS_SUCCESS);
  run([&] {
    PVOID memory = nullptr;
    EXPECT_EQ(NdisMAllocateSharedMemoryAsync(mp.adapter("nic")->handle, 64, TRUE, &memory),
              NDIS_STATUS_PENDING);
    settle();
    ASSERT_NE(memory, nullptr);
    NDIS_PHYSICAL_ADDRESS physical{};
    physical.QuadPart = reinterpret_cast<LONGLONG>(memory);
    NdisMFreeSharedMemory(mp.adapter("nic")->handle, 64, TRUE, memory, physical);
  });
  down();
}

}  // namespace
}  // namespace undis::test
