// SPDX-License-Identifier: MIT
//
// Interrupts of NDIS 6 miniports. Pages: ndis/nf-ndis-ndismregisterinterruptex, -ndismderegisterinterruptex,
// -ndismsynchronizewithinterruptex, -ndismqueuedpcex, -ndismconfigmsixtableentry.
#include "ndis/hardware_testing.h"

namespace undis::test {
namespace {

class Interrupts6 : public HardwareTest {};

TEST_F(Interrupts6, ComeByMessagesWhereTheDeviceHasThem) {
  with_interrupt();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(type, NDIS_CONNECT_MESSAGE_BASED);
  EXPECT_EQ(messages_given, 2U);
  run([&] {
    model.device->signal(1);
    settle();
  });
  EXPECT_EQ(services, (std::vector<ULONG>{1}));
  EXPECT_EQ(dpcs, (std::vector<ULONG>{1}));
  EXPECT_GT(service_irql, DISPATCH_LEVEL);
  EXPECT_EQ(dpc_irql, DISPATCH_LEVEL);
  down();
}

TEST_F(Interrupts6, ComeByTheLineWhereThereAreNoMessages) {
  with_interrupt();
  on_service = [&](ULONG, PBOOLEAN, PULONG) -> BOOLEAN {
    model.device->release_line();
    return TRUE;
  };
  ASSERT_EQ(plug_hardware(kLineSpec), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(type, NDIS_CONNECT_LINE_BASED);
  run([&] {
    model.device->assert_line();
    settle();
  });
  EXPECT_EQ(services.size(), 1U);
  EXPECT_EQ(dpcs.size(), 1U);
  down();
}

TEST_F(Interrupts6, ComeByTheLineForADriverThatKnowsNoMessages) {
  with_interrupt(false);
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(type, NDIS_CONNECT_LINE_BASED);
  down();
}

// LIFE-172
TEST_F(Interrupts6, MayComeBeforeTheRegistrationReturns) {
  bool returned = false;
  bool before = false;
  mp.on_initialize = [&](FakeAdapter& adapter) {
    model.device->assert_line();  // it asks already; nobody is connected
    const NDIS_STATUS status = register_interrupt(adapter.handle, false);
    returned = true;
    return status;
  };
  mp.on_halt = [&](FakeAdapter&) { deregister_interrupt(); };
  on_service = [&](ULONG, PBOOLEAN, PULONG) -> BOOLEAN {
    before = before || !returned;
    EXPECT_NE(interrupt, nullptr) << "the handle is there already";
    model.device->release_line();
    return TRUE;
  };
  for (int seed = 1; seed < 200 && !before; ++seed) {
    use_seed(seed);
    returned = false;
    if (seed == 1) {
      ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
    } else {
      ASSERT_EQ(plug_again(), NDIS_STATUS_SUCCESS);
    }
    unplug();
  }
  EXPECT_TRUE(before) << "no schedule of 200 had the service inside the call";
  down();
}

TEST_F(Interrupts6, AreRegisteredInMiniportInitializeExOnly) {
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] { EXPECT_EQ(register_interrupt(mp.adapter("nic")->handle), NDIS_STATUS_FAILURE); });
  expect({"host: Init_RegisterInterrupt"});
  down();
}

TEST_F(Interrupts6, NeedCompleteCharacteristicsAndADevice) {
  mp.on_initialize = [&](FakeAdapter& adapter) {
    NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS c{};
    EXPECT_EQ(NdisMRegisterInterruptEx(adapter.handle, this, &c, &interrupt), NDIS_STATUS_INVALID_PARAMETER)
        << "no header";
    EXPECT_EQ(NdisMRegisterInterruptEx(adapter.handle, this, nullptr, &interrupt),
              NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(register_interrupt(adapter.handle), NDIS_STATUS_RESOURCE_CONFLICT)
        << "the adapter has no device";
    return NDIS_STATUS_SUCCESS;
  };
  up();
  down();
}

// LIFE-173
TEST_F(Interrupts6, AreOverWhenTheDeregistrationReturns) {
  bool gone = false;
  on_service = [&](ULONG, PBOOLEAN, PULONG) -> BOOLEAN {
    EXPECT_FALSE(gone);
    return TRUE;
  };
  on_dpc = [&](ULONG, void*) {
    for (int i = 0; i < 20; ++i) {
      EXPECT_FALSE(gone);
      kernel::schedule_point("a long DPC");
    }
  };
  mp.on_initialize = [&](FakeAdapter& adapter) { return register_interrupt(adapter.handle); };
  mp.on_halt = [&](FakeAdapter&) {
    model.device->signal(0);
    model.device->signal(1);
    kernel::schedule_point("now or later");
    deregister_interrupt();
    gone = true;
  };
  for (int seed = 1; seed < 60; ++seed) {
    use_seed(seed);
    gone = false;
    if (seed == 1) {
      ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
    } else {
      ASSERT_EQ(plug_again(), NDIS_STATUS_SUCCESS);
    }
    unplug();
    EXPECT_TRUE(gone);
  }
  EXPECT_FALSE(dpcs.empty());
  down();
}

// LIFE-152
TEST_F(Interrupts6, StillComeInAHaltUntilTheyAreDeregistered) {
  mp.on_initialize = [&](FakeAdapter& adapter) { return register_interrupt(adapter.handle); };
  unsigned inside_halt = 0;
  bool halting = false;
  on_service = [&](ULONG, PBOOLEAN queue, PULONG) -> BOOLEAN {
    inside_halt += halting ? 1 : 0;
    *queue = halting ? FALSE : TRUE;  // masked: it claims the interrupt and queues nothing
    return TRUE;
  };
  mp.on_halt = [&](FakeAdapter&) {
    halting = true;
    model.device->signal(0);
    settle();
    deregister_interrupt();
    halting = false;
    model.device->signal(0);
    settle();
  };
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  down();
  EXPECT_EQ(inside_halt, 1U);
  EXPECT_EQ(services, (std::vector<ULONG>{0})) << "none comes after the deregistration";
}

// LIFE-173
TEST_F(Interrupts6, CannotBeSynchronizedWithAfterwards) {
  with_interrupt();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  const NDIS_HANDLE handle = interrupt;
  mp.on_halt = [&](FakeAdapter&) {
    deregister_interrupt();
    EXPECT_EQ(NdisMSynchronizeWithInterruptEx(
                  handle, 0, [](NDIS_HANDLE) -> BOOLEAN { return TRUE; }, nullptr),
              FALSE);
  };
  down();
  expect({"mp: HandleMisuse"});
}

// LIFE-174
TEST_F(Interrupts6, ThatAHaltLeavesAreToldAndTakenAway) {
  mp.on_initialize = [&](FakeAdapter& adapter) { return register_interrupt(adapter.handle); };
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  down();
  model.device->signal(0);
  run([&] { settle(); });
  EXPECT_TRUE(services.empty());
  expect({"mp: Init_DeRegisterInterrupt"});
}

// LIFE-174
TEST_F(Interrupts6, ThatAFailedInitialisationLeavesAreToldAndTakenAway) {
  mp.on_initialize = [&](FakeAdapter& adapter) {
    EXPECT_EQ(register_interrupt(adapter.handle), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_FAILURE;
  };
  EXPECT_EQ(plug_hardware(), NDIS_STATUS_FAILURE);
  down();
  expect({"mp: Init_DeRegisterInterrupt"});
}

TEST_F(Interrupts6, QueueTheirDpcsOnTheProcessorsThatTheServiceNames) {
  with_interrupt();
  std::vector<ULONG> processors;
  on_service = [&](ULONG, PBOOLEAN queue, PULONG targets) -> BOOLEAN {
    *queue = FALSE;
    *targets = 3;
    return TRUE;
  };
  on_dpc = [&](ULONG, void*) { processors.push_back(KeGetCurrentProcessorNumber()); };
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] {
    model.device->signal(0);
    settle();
  });
  std::ranges::sort(processors);
  EXPECT_EQ(processors, (std::vector<ULONG>{0, 1}));
  down();
}

TEST_F(Interrupts6, QueueADpcOnceForEachProcessor) {
  with_interrupt();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  std::vector<void*> contexts;
  on_dpc = [&](ULONG, void* context) { contexts.push_back(context); };
  run([&] {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    GROUP_AFFINITY target{};
    target.Mask = KAFFINITY{1} << machine::processor_here->index;
    EXPECT_EQ(NdisMQueueDpcEx(interrupt, 1, &target, &contexts), target.Mask);
    EXPECT_EQ(NdisMQueueDpcEx(interrupt, 1, &target, nullptr), 0U) << "it is queued already";
    EXPECT_EQ(NdisMQueueDpcEx(interrupt, 0, &target, nullptr), target.Mask) << "another message, another DPC";
    target.Group = 1;
    EXPECT_EQ(NdisMQueueDpcEx(interrupt, 0, &target, nullptr), 0U);
    EXPECT_EQ(NdisMQueueDpc(interrupt, 9, 1, nullptr), 0U) << "there is no such message";
  });
  run([&] { settle(); });
  EXPECT_EQ(contexts, (std::vector<void*>{&contexts, nullptr}));
  down();
}

TEST_F(Interrupts6, CallTheDpcAgainWhileItSaysThatThereIsMore) {
  with_interrupt();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  on_dpc = [&](ULONG, void*) {
    ASSERT_NE(throttle, nullptr);
    EXPECT_NE(throttle->MaxNblsToIndicate, 0U);
    if (dpcs.size() < 4) throttle->MoreNblsPending = 1;
  };
  run([&] {
    model.device->signal(0);
    settle();
  });
  EXPECT_EQ(dpcs.size(), 4U);
  EXPECT_EQ(services.size(), 1U);
  down();
}

TEST_F(Interrupts6, AreKeptOutBySynchronization) {
  with_interrupt();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  struct Section {
    HardwareTest* test;
    TestDevice* model;
    KIRQL irql = 0;
    std::size_t during = 0;
  } section{this, &model};
  run([&] {
    const BOOLEAN result = NdisMSynchronizeWithInterruptEx(
        interrupt, 0,
        [](NDIS_HANDLE context) -> BOOLEAN {
          auto& s = *static_cast<Section*>(context);
          s.irql = kernel::irql();
          s.model->device->signal(0);
          for (int i = 0; i < 50; ++i) kernel::schedule_point("in the section");
          return TRUE;
        },
        &section);
    EXPECT_EQ(result, TRUE);
    settle();
  });
  EXPECT_GT(section.irql, DISPATCH_LEVEL);
  EXPECT_EQ(services.size(), 1U);
  down();
}

TEST_F(Interrupts6, FollowTheMsixTable) {
  with_interrupt();
  ASSERT_EQ(plug_hardware(), NDIS_STATUS_SUCCESS);
  run([&] {
    NDIS_MSIX_CONFIG_PARAMETERS table{};
    table.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_MSIX_CONFIG_PARAMETERS_REVISION_1,
                    NDIS_SIZEOF_MSIX_CONFIG_PARAMETERS_REVISION_1};
    table.ConfigOperation = NdisMSIXTableConfigSetTableEntry;
    table.TableEntry = 0;
    table.MessageNumber = 1;
    const NDIS_HANDLE handle = mp.adapter("nic")->handle;
    EXPECT_EQ(NdisMConfigMSIXTableEntry(handle, &table), NDIS_STATUS_SUCCESS);
    model.device->signal(0);
    settle();
    EXPECT_EQ(services, (std::vector<ULONG>{1}));
    table.ConfigOperation = NdisMSIXTableConfigMaskTableEntry;
    EXPECT_EQ(NdisMConfigMSIXTableEntry(handle, &table), NDIS_STATUS_SUCCESS);
    model.device->signal(0);
    settle();
    EXPECT_EQ(services.size(), 1U);
    table.ConfigOperation = NdisMSIXTableConfigUnmaskTableEntry;
    EXPECT_EQ(NdisMConfigMSIXTableEntry(handle, &table), NDIS_STATUS_SUCCESS);
    settle();
    EXPECT_EQ(services.size(), 2U);
    table.TableEntry = 7;
    EXPECT_EQ(NdisMConfigMSIXTableEntry(handle, &table), NDIS_STATUS_INVALID_PARAMETER);
    table.ConfigOperation = NdisMSIXTableConfigMax;
    EXPECT_EQ(NdisMConfigMSIXTableEntry(handle, &table), NDIS_STATUS_INVALID_PARAMETER);
  });
  down();
}

}  // namespace
}  // namespace undis::test
