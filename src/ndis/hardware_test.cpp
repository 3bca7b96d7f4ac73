// SPDX-License-Identifier: MIT
//
// Resources, registers, ports, shared memory and scatter/gather lists of miniports; what a halt has to have
// given back.
#include <cstring>

#include "ndis/dma.h"
#include "ndis/hardware_testing.h"

namespace undis::test {
namespace {

class Hardware : public HardwareTest {
 public:
  /// Runs `body` in MiniportInitialize(Ex), which then succeeds, or ends as `body` says.
  void in_initialize(std::function<NDIS_STATUS(NDIS_HANDLE)> body) {
    mp.on_initialize = [body = std::move(body)](FakeAdapter& adapter) { return body(adapter.handle); };
  }
  NDIS_HANDLE dma = nullptr;
  std::vector<SCATTER_GATHER_LIST*> lists;

  NDIS_STATUS register_dma(NDIS_HANDLE adapter, ULONG flags = NDIS_SG_DMA_64_BIT_ADDRESS) {
    NDIS_SG_DMA_DESCRIPTION d{};
    d.Header = {NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION, NDIS_SG_DMA_DESCRIPTION_REVISION_1,
                NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1};
    d.Flags = flags;
    d.MaximumPhysicalMapping = 65536;
    d.ProcessSGListHandler = [](PDEVICE_OBJECT, PVOID, PSCATTER_GATHER_LIST list, PVOID context) {
      EXPECT_EQ(kernel::irql(), DISPATCH_LEVEL);
      static_cast<Hardware*>(context)->lists.push_back(list);
    };
    d.SharedMemAllocateCompleteHandler = [](NDIS_HANDLE, PVOID address, PNDIS_PHYSICAL_ADDRESS physical,
                                            ULONG length, PVOID context) {
      EXPECT_EQ(length, 100U);
      auto& self = *static_cast<Hardware*>(context);
      self.later = address;
      self.later_physical = *physical;
    };
    const NDIS_STATUS status = NdisMRegisterScatterGatherDma(adapter, &d, &dma);
    EXPECT_TRUE(status != NDIS_STATUS_SUCCESS ||
                d.ScatterGatherListSize >= sizeof(SCATTER_GATHER_LIST) + 17 * sizeof(SCATTER_GATHER_ELEMENT));
    return status;
  }
  void with_dma(ULONG flags = NDIS_SG_DMA_64_BIT_ADDRESS) {
    in_initialize([this, flags](NDIS_HANDLE adapter) { return register_dma(adapter, flags); });
    mp.on_halt = [this](FakeAdapter&) { NdisMDeregisterScatterGatherDma(dma); };
  }
  void* later = nullptr;
  NDIS_PHYSICAL_ADDRESS later_physical{};
};

TEST_F(Hardware, IsShownAsResources) {
  std::vector<int> types;
  std::vector<ULONG> messages;
  mp.on_initialize = [&](FakeAdapter&) {
    const NDIS_RESOURCE_LIST* const list = world.adapter("nic")->hardware->resources();
    for (ULONG i = 0; i < list->Count; ++i) {
      const CM_PARTIAL_RESOURCE_DESCRIPTOR& d = list->PartialDescriptors[i];
      types.push_back(d.Type);
      if (d.Type == CmResourceTypeInterrupt && (d.Flags & CM_RESOURCE_INTERRUPT_MESSAGE) != 0)
        messages.push_back(d.u.Interrupt.Vector);
    }
    return NDIS_STATUS_SUCCESS;
  };
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(types, (std::vector<int>{CmResourceTypeMemory, CmResourceTypePort, CmResourceTypeInterrupt,
                                     CmResourceTypeInterrupt}));
  EXPECT_EQ(messages, (std::vector<ULONG>{model.device->messages()[0]->vector(),
                                          model.device->messages()[1]->vector()}));
  down();
}

TEST_F(Hardware, IsMappedAndClaimedInInitialise) {
  PVOID registers = nullptr;
  PVOID ports = nullptr;
  in_initialize([&](NDIS_HANDLE adapter) {
    const auto ranges = model.device->ranges();
    NDIS_PHYSICAL_ADDRESS at{};
    at.QuadPart = static_cast<LONGLONG>(ranges[0].start);
    EXPECT_EQ(NdisMMapIoSpace(&registers, adapter, at, 4097), NDIS_STATUS_RESOURCE_CONFLICT);
    EXPECT_EQ(registers, nullptr);
    EXPECT_EQ(NdisMMapIoSpace(&registers, adapter, at, 4096), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisMRegisterIoPortRange(&ports, adapter, 0x3F8, 8), NDIS_STATUS_RESOURCE_CONFLICT);
    EXPECT_EQ(NdisMRegisterIoPortRange(&ports, adapter, static_cast<UINT>(ranges[1].start), 32),
              NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  });
  mp.on_halt = [&](FakeAdapter& adapter) {
    NdisMUnmapIoSpace(adapter.handle, registers, 4096);
    NdisMDeregisterIoPortRange(adapter.handle, static_cast<UINT>(model.device->ranges()[1].start), 32, ports);
  };
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] {
    NdisWriteRegisterUlong(static_cast<PULONG>(registers) + 2, 0xABCD);
    ULONG value = 0;
    NdisReadRegisterUlong(static_cast<PULONG>(registers) + 2, &value);
    EXPECT_EQ(value, 0xABCDU);
    NdisRawWritePortUshort(static_cast<PUCHAR>(ports) + 6, 0x1122);
    USHORT word = 0;
    NdisRawReadPortUshort(static_cast<PUCHAR>(ports) + 6, &word);
    EXPECT_EQ(word, 0x1122);
  });
  EXPECT_EQ((model.registers[{0, 8}]), 0xABCDU);
  EXPECT_EQ((model.registers[{1, 6}]), 0x1122U);
  down();
}

TEST_F(Hardware, ThatAHaltDoesNotGiveBackIsTold) {
  in_initialize([&](NDIS_HANDLE adapter) {
    PVOID registers = nullptr;
    NDIS_PHYSICAL_ADDRESS at{};
    at.QuadPart = static_cast<LONGLONG>(model.device->ranges()[0].start);
    EXPECT_EQ(NdisMMapIoSpace(&registers, adapter, at, 4096), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  });
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] {
    PVOID ports = nullptr;
    EXPECT_EQ(NdisMRegisterIoPortRange(&ports, mp.adapter("nic")->handle,
                                       static_cast<UINT>(model.device->ranges()[1].start), 32),
              NDIS_STATUS_SUCCESS);
    NdisMDeregisterIoPortRange(mp.adapter("nic")->handle, 1, 32, ports);
  });
  down();
  expect({"host: NdisMRegisterIoPortRange", "host: BadParameter",
          "mp: HardwareGivenBack"});  // one finding for both ranges
}

TEST_F(Hardware, AnswersForItsConfigurationSpace) {
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] {
    const NDIS_HANDLE adapter = mp.adapter("nic")->handle;
    PCI_COMMON_CONFIG c{};
    EXPECT_EQ(NdisMGetBusData(adapter, PCI_WHICHSPACE_CONFIG, 0, &c, sizeof c), sizeof c);
    EXPECT_EQ(c.VendorID, 0x1234);
    EXPECT_EQ(c.DeviceID, 0x5678);
    UCHAR line = 42;
    EXPECT_EQ(NdisMSetBusData(adapter, PCI_WHICHSPACE_CONFIG, 0x3C, &line, 1), 1U);
    EXPECT_EQ(NdisReadPciSlotInformation(adapter, 0, 0x3C, &c, 1), 1U);
    EXPECT_EQ(c.VendorID & 0xFF, 42);
    EXPECT_EQ(NdisMGetBusData(adapter, PCI_WHICHSPACE_ROM, 0, &c, 4), 0U);
    EXPECT_EQ(NdisMGetBusData(adapter, PCI_WHICHSPACE_CONFIG, 256, &c, 4), 0U);
  });
  down();
}

// ---- shared memory ----

// LIFE-114
TEST_F(Hardware, SharesMemoryThatItCanReach) {
  PVOID memory = nullptr;
  NDIS_PHYSICAL_ADDRESS physical{};
  in_initialize([&](NDIS_HANDLE adapter) {
    NdisMAllocateSharedMemory(adapter, 64, TRUE, &memory, &physical);
    EXPECT_EQ(memory, nullptr) << "not before the channel is registered";
    EXPECT_EQ(register_dma(adapter), NDIS_STATUS_SUCCESS);
    NdisMAllocateSharedMemory(adapter, 64, TRUE, &memory, &physical);
    EXPECT_NE(memory, nullptr);
    return NDIS_STATUS_SUCCESS;
  });
  mp.on_halt = [&](FakeAdapter& adapter) {
    NdisMFreeSharedMemory(adapter.handle, 65, TRUE, memory, physical);
    NdisMFreeSharedMemory(adapter.handle, 64, TRUE, memory, physical);
    EXPECT_FALSE(model.device->dma_write(static_cast<std::uint64_t>(physical.QuadPart), "x", 1));
    NdisMFreeSharedMemory(adapter.handle, 64, TRUE, memory, physical);
    NdisMDeregisterScatterGatherDma(dma);
  };
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  EXPECT_TRUE(model.device->dma_write(static_cast<std::uint64_t>(physical.QuadPart), "abc", 4));
  EXPECT_STREQ(static_cast<const char*>(memory), "abc");
  down();
  expect({"mp: LIFE-114", "mp: DmaVerification", "mp: DmaVerification"});  // the frees are one finding
}

TEST_F(Hardware, SharesMemoryLater) {
  with_dma();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] {
    EXPECT_EQ(NdisMAllocateSharedMemoryAsyncEx(dma, 100, TRUE, static_cast<Hardware*>(this)),
              NDIS_STATUS_PENDING);
    settle();
    ASSERT_NE(later, nullptr);
    NdisMFreeSharedMemory(mp.adapter("nic")->handle, 100, TRUE, later, later_physical);
  });
  down();
}

TEST_F(Hardware, ThatKnows32BitsGetsMemoryBelow4GiB) {
  PVOID memory = nullptr;
  NDIS_PHYSICAL_ADDRESS physical{};
  in_initialize([&](NDIS_HANDLE adapter) {
    EXPECT_EQ(register_dma(adapter, 0), NDIS_STATUS_SUCCESS);
    NdisMAllocateSharedMemory(adapter, 64, TRUE, &memory, &physical);
    EXPECT_LT(physical.QuadPart, 0x100000000);
    return NDIS_STATUS_SUCCESS;
  });
  mp.on_halt = [&](FakeAdapter& adapter) {
    NdisMFreeSharedMemory(adapter.handle, 64, TRUE, memory, physical);
    NdisMDeregisterScatterGatherDma(dma);
  };
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  down();
}

// LIFE-174
TEST_F(Hardware, ChannelThatAHaltLeavesIsTold) {
  in_initialize([&](NDIS_HANDLE adapter) { return register_dma(adapter); });
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  down();
  expect({"mp: Init_RegisterSG"});
}

// ---- scatter/gather lists ----

/// A NET_BUFFER over two pieces of memory, and what it takes to make one by hand.
struct Buffer {
  alignas(4096) std::byte memory[3 * 4096];
  MDL* first = IoAllocateMdl(memory + 100, 200, FALSE, FALSE, nullptr);
  MDL* second = IoAllocateMdl(memory + 4000, 5000, FALSE, FALSE, nullptr);
  NET_BUFFER buffer{};
  explicit Buffer(ULONG offset) {
    MmBuildMdlForNonPagedPool(first);
    MmBuildMdlForNonPagedPool(second);
    first->Next = second;
    NET_BUFFER_FIRST_MDL(&buffer) = NET_BUFFER_CURRENT_MDL(&buffer) = first;
    NET_BUFFER_DATA_OFFSET(&buffer) = NET_BUFFER_CURRENT_MDL_OFFSET(&buffer) = offset;
    NET_BUFFER_DATA_LENGTH(&buffer) = 5200 - offset;
  }
  ~Buffer() {
    IoFreeMdl(first);
    IoFreeMdl(second);
  }
};

TEST_F(Hardware, GetsAListOfEachPageFromTheFirstMdlOn) {
  with_dma();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  auto b = std::make_unique<Buffer>(40);
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    ASSERT_EQ(NdisMAllocateNetBufferSGList(dma, &b->buffer, static_cast<Hardware*>(this),
                                           NDIS_SG_LIST_WRITE_TO_DEVICE, nullptr, 0),
              NDIS_STATUS_SUCCESS);
  });
  run([&] { settle(); });  // the callback may come later
  ASSERT_EQ(lists.size(), 1U);
  const auto at = reinterpret_cast<LONGLONG>(b->memory);
  ASSERT_EQ(lists[0]->NumberOfElements, 4U);
  EXPECT_EQ(lists[0]->Elements[0].Address.QuadPart, at + 100) << "the first byte of the MDL, not of the data";
  EXPECT_EQ(lists[0]->Elements[0].Length, 200U);
  EXPECT_EQ(lists[0]->Elements[1].Address.QuadPart, at + 4000);
  EXPECT_EQ(lists[0]->Elements[1].Length, 96U);
  EXPECT_EQ(lists[0]->Elements[2].Length, 4096U);
  EXPECT_EQ(lists[0]->Elements[3].Length, 808U);
  char byte = 0;
  EXPECT_TRUE(model.device->dma_read(static_cast<std::uint64_t>(at + 8000), &byte, 1));
  EXPECT_FALSE(model.device->dma_write(static_cast<std::uint64_t>(at + 8000), &byte, 1))
      << "the list is for reading by the device";
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisMFreeNetBufferSGList(dma, lists[0], &b->buffer);
    NdisMFreeNetBufferSGList(dma, lists[0], &b->buffer);
  });
  EXPECT_EQ(model.device->dma_mappings(), 0U);
  down();
  expect({"mp: DmaVerification", "host: DmaVerification"});
}

TEST_F(Hardware, ThatKnows32BitsReadsAndWritesACopy) {
  with_dma(0);
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  auto b = std::make_unique<Buffer>(0);
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    ASSERT_EQ(NdisMAllocateNetBufferSGList(dma, &b->buffer, static_cast<Hardware*>(this), 0, nullptr, 0),
              NDIS_STATUS_SUCCESS);
  });
  run([&] { settle(); });
  ASSERT_EQ(lists.size(), 1U);
  const auto where = static_cast<std::uint64_t>(lists[0]->Elements[0].Address.QuadPart);
  EXPECT_LT(where, 0x100000000U);
  EXPECT_TRUE(model.device->dma_write(where + 5, "hello", 5));
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisMFreeNetBufferSGList(dma, lists[0], &b->buffer);
  });
  EXPECT_EQ(std::memcmp(b->memory + 105, "hello", 5), 0) << "carried over when the list is freed";
  down();
}

TEST_F(Hardware, ChannelThatGoesWithListsIsTold) {
  with_dma();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  auto b = std::make_unique<Buffer>(0);
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NdisMAllocateNetBufferSGList(dma, &b->buffer, static_cast<Hardware*>(this), NDIS_SG_LIST_WRITE_TO_DEVICE,
                                 nullptr, 0);
  });
  down();
  EXPECT_EQ(model.device->dma_mappings(), 0U);
  expect({"mp: DmaVerification"});
}

TEST_F(Hardware, ListOfAnMdlGoesIntoTheCallersBuffer) {
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  auto b = std::make_unique<Buffer>(0);
  alignas(SCATTER_GATHER_LIST) std::byte storage[256];
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    NDIS_SCATTER_GATHER_LIST_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_SCATTER_GATHER_LIST_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_SCATTER_GATHER_LIST_PARAMETERS_REVISION_1};
    parameters.Mdl = b->second;
    parameters.CurrentVa = b->memory + 4090;
    parameters.Length = 10;
    parameters.ProcessSGListHandler = [](PDEVICE_OBJECT, PVOID, PSCATTER_GATHER_LIST list, PVOID context) {
      static_cast<Hardware*>(context)->lists.push_back(list);
    };
    parameters.Context = static_cast<Hardware*>(this);
    parameters.ScatterGatherListBuffer = reinterpret_cast<SCATTER_GATHER_LIST*>(storage);
    parameters.ScatterGatherListBufferSize = 8;
    const NDIS_HANDLE adapter = mp.adapter("nic")->handle;
    EXPECT_EQ(NdisBuildScatterGatherList(adapter, &parameters), NDIS_STATUS_BUFFER_TOO_SHORT);
    parameters.ScatterGatherListBufferSize = parameters.ScatterGatherListBufferSizeNeeded;
    EXPECT_EQ(NdisBuildScatterGatherList(adapter, &parameters), NDIS_STATUS_SUCCESS);
    parameters.Length = 100'000;
    EXPECT_EQ(NdisBuildScatterGatherList(adapter, &parameters), NDIS_STATUS_INVALID_PARAMETER);
    NdisFreeScatterGatherList(adapter, reinterpret_cast<SCATTER_GATHER_LIST*>(storage), TRUE);
  });
  ASSERT_EQ(lists.size(), 1U);
  EXPECT_EQ(lists[0]->NumberOfElements, 2U);
  EXPECT_EQ(lists[0]->Elements[0].Length, 6U);
  down();
}

// ---- what else a halt has to have ended ----

// LIFE-175
TEST_F(Hardware, TimerThatIsSetWhenTheHaltEndsIsTold) {
  NDIS_HANDLE timer = nullptr;
  in_initialize([&](NDIS_HANDLE adapter) {
    NDIS_TIMER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS, NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1};
    c.TimerFunction = [](PVOID, PVOID, PVOID, PVOID) {};
    EXPECT_EQ(NdisAllocateTimerObject(adapter, &c, &timer), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  });
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] {
    LARGE_INTEGER due{};
    due.QuadPart = -100'000'000'000;
    EXPECT_EQ(NdisSetTimerObject(timer, due, 0, nullptr), FALSE);
  });
  unplug();
  EXPECT_EQ(violations(), (Lines{"mp: CancelTimerObject"}));
  run([&] {
    EXPECT_EQ(NdisCancelTimerObject(timer), TRUE);
    NdisFreeTimerObject(timer);
  });
  down();
  expect({"mp: CancelTimerObject"});
}

// LIFE-178
TEST_F(Hardware, WorkItemOfTheAdapterThatOutlivesTheHaltIsTold) {
  NDIS_HANDLE item = nullptr;
  in_initialize([&](NDIS_HANDLE adapter) {
    item = NdisAllocateIoWorkItem(adapter);
    return NDIS_STATUS_SUCCESS;
  });
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  unplug();
  EXPECT_EQ(violations(), (Lines{"mp: Init_NdisAllocateIoWorkItem"}));
  run([&] { NdisFreeIoWorkItem(item); });
  down();
  expect({"mp: Init_NdisAllocateIoWorkItem"});
}

// LIFE-179
TEST_F(Hardware, ConfigurationThatIsOpenWhenTheHaltEndsIsTold) {
  NDIS_HANDLE configuration = nullptr;
  in_initialize([&](NDIS_HANDLE adapter) {
    NDIS_CONFIGURATION_OBJECT object{};
    object.Header = {NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT, NDIS_CONFIGURATION_OBJECT_REVISION_1,
                     NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1};
    object.NdisHandle = adapter;
    return NdisOpenConfigurationEx(&object, &configuration);
  });
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  down();
  expect({"mp: NdisOpenConfigurationEx"});
}

}  // namespace
}  // namespace undis::test
