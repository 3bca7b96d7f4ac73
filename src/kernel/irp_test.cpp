// SPDX-License-Identifier: MIT
//
// IRPs between drivers, MDLs, cancel-safe queues.
//
// Pages  wdm/nf-wdm-iocalldriver, wdm/nf-wdm-iocompleterequest, kernel/cancel-safe-irp-queues,
// kernel/using-mdls
#include <array>
#include <functional>

#include <ntddk.h>

#include "kernel/io.h"
#include "kernel/testing.h"

namespace undis::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two stacked devices; what their driver does with an IRP is the test's choice.
class SendingIrps : public KernelTest {
 protected:
  using Handler = std::function<NTSTATUS(PDEVICE_OBJECT, PIRP)>;
  struct Extension {
    Handler* handler;
  };

  void SetUp() override { build(); }
  void build() {
    driver->object()->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = [](PDEVICE_OBJECT device, PIRP irp) {
      return (*static_cast<Extension*>(device->DeviceExtension)->handler)(device, irp);
    };
    as_driver([&] {
      for (const auto& [device, handler] : {std::pair(&lower, &on_lower), std::pair(&upper, &on_upper)}) {
        IoCreateDevice(driver->object(), sizeof(Extension), nullptr, FILE_DEVICE_NETWORK, 0, FALSE, device);
        static_cast<Extension*>((*device)->DeviceExtension)->handler = handler;
      }
      IoAttachDeviceToDeviceStack(upper, lower);
    });
  }
  void TearDown() override {
    as_driver([&] {
      IoDetachDevice(lower);
      IoDeleteDevice(upper);
      IoDeleteDevice(lower);
    });
    system->sweep(*driver);
    KernelTest::TearDown();
  }

  static NTSTATUS complete(PIRP irp, NTSTATUS status = STATUS_SUCCESS) {
    irp->IoStatus.Status = status;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
  }
  static NTSTATUS hold(PDEVICE_OBJECT, PIRP, PVOID context) {
    if (context != nullptr) ++*static_cast<int*>(context);
    return STATUS_MORE_PROCESSING_REQUIRED;
  }
  static PIRP make(CCHAR stack = 2) {
    const PIRP irp = IoAllocateIrp(stack, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    return irp;
  }
  /// Allocates, sends to the upper device, takes it back in the completion routine, frees.
  NTSTATUS send_and_free(int* completions = nullptr) {
    const PIRP irp = make();
    IoSetCompletionRoutine(irp, hold, completions, TRUE, TRUE, TRUE);
    const NTSTATUS status = IoCallDriver(upper, irp);
    IoFreeIrp(irp);
    return status;
  }

  PDEVICE_OBJECT lower = nullptr;
  PDEVICE_OBJECT upper = nullptr;
  Handler on_upper = [this](PDEVICE_OBJECT, PIRP irp) {
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(lower, irp);
  };
  Handler on_lower = [](PDEVICE_OBJECT, PIRP irp) { return complete(irp); };
};

TEST_F(SendingIrps, GoesDownAndComesBackToItsMaker) {
  int completions = 0;
  as_driver([&] { EXPECT_EQ(send_and_free(&completions), STATUS_SUCCESS); });
  EXPECT_EQ(completions, 1);
}

TEST_F(SendingIrps, CallsEachCompletionRoutineOnItsWayUp) {
  static std::vector<PDEVICE_OBJECT> devices;
  devices.clear();
  on_upper = [this](PDEVICE_OBJECT, PIRP irp) {
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(
        irp,
        [](PDEVICE_OBJECT device, PIRP done, PVOID) -> NTSTATUS {
          devices.push_back(device);
          if (done->PendingReturned != FALSE) IoMarkIrpPending(done);
          return STATUS_CONTINUE_COMPLETION;
        },
        nullptr, TRUE, TRUE, TRUE);
    return IoCallDriver(lower, irp);
  };
  as_driver([&] { send_and_free(); });
  EXPECT_THAT(devices, ElementsAre(upper));
}

TEST_F(SendingIrps, KeepsThePendingMarkOnTheWayUp) {
  PIRP pended = nullptr;
  int completions = 0;
  on_lower = [&](PDEVICE_OBJECT, PIRP irp) {
    IoMarkIrpPending(irp);
    pended = irp;
    return STATUS_PENDING;
  };
  as_driver([&] {
    const PIRP irp = make();
    IoSetCompletionRoutine(irp, hold, &completions, TRUE, TRUE, TRUE);
    EXPECT_EQ(IoCallDriver(upper, irp), STATUS_PENDING);
    EXPECT_EQ(completions, 0);
    complete(pended);
    EXPECT_EQ(completions, 1);
    EXPECT_TRUE(irp->PendingReturned);
    IoReuseIrp(irp, STATUS_SUCCESS);
    IoFreeIrp(irp);
  });
}

TEST_F(SendingIrps, IsReportedWhenCompletedTwice) {
  as_driver([&] {
    const PIRP irp = make();
    IoSetCompletionRoutine(irp, hold, nullptr, TRUE, TRUE, TRUE);
    IoCallDriver(upper, irp);
    complete(irp);  // its maker completes what is its own: it runs up to the end
    complete(irp);
    IoFreeIrp(irp);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::IrpMisuse, Misuse::IrpMisuse, Misuse::IrpMisuse));
}

TEST_F(SendingIrps, IsReportedWhenReturnAndStateContradict) {
  on_lower = [](PDEVICE_OBJECT, PIRP irp) {
    complete(irp);
    return STATUS_PENDING;
  };
  as_driver([&] { send_and_free(); });
  ASSERT_FALSE(seen.misuses.empty());
  EXPECT_THAT(seen.misuses[0].text, HasSubstr("without marking the IRP pending"));
  take_misuses();

  on_lower = [](PDEVICE_OBJECT, PIRP irp) {
    IoMarkIrpPending(irp);
    return complete(irp);
  };
  as_driver([&] { send_and_free(); });
  ASSERT_FALSE(seen.misuses.empty());
  EXPECT_THAT(seen.misuses[0].text, HasSubstr("marked the IRP pending and returned"));
  take_misuses();
}

TEST_F(SendingIrps, IsReportedWhenItIsNeitherCompletedNorPended) {
  PIRP lost = nullptr;
  on_lower = [&](PDEVICE_OBJECT, PIRP irp) {
    lost = irp;
    return STATUS_SUCCESS;
  };
  as_driver([&] {
    const PIRP irp = make();
    IoSetCompletionRoutine(irp, hold, nullptr, TRUE, TRUE, TRUE);
    IoCallDriver(lower, irp);
  });
  EXPECT_THAT(seen.misuses[0].text, HasSubstr("without completing the IRP"));
  take_misuses();
  system->io().sweep(*driver);  // devices, and the IRP that was never freed
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::IrpMisuse, Misuse::DeviceAtUnload, Misuse::DeviceAtUnload));
  build();
}

TEST_F(SendingIrps, IsReportedWhenStackLocationsRunOut) {
  on_upper = [this](PDEVICE_OBJECT, PIRP irp) {
    IoCopyCurrentIrpStackLocationToNext(irp);
    return IoCallDriver(lower, irp);
  };
  as_driver([&] {
    const PIRP irp = make(1);
    IoSetCompletionRoutine(irp, hold, nullptr, TRUE, TRUE, TRUE);
    IoCallDriver(upper, irp);
    IoFreeIrp(irp);
  });
  ASSERT_FALSE(seen.misuses.empty());
  EXPECT_THAT(seen.misuses[0].text, HasSubstr("no stack location left"));
  take_misuses();
}

TEST_F(SendingIrps, IsReportedWhenTheCancelRoutineIsStillSet) {
  on_lower = [](PDEVICE_OBJECT, PIRP irp) {
    IoSetCancelRoutine(irp, [](PDEVICE_OBJECT, PIRP) {});
    return complete(irp);
  };
  as_driver([&] { send_and_free(); });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::IrpMisuse));
}

TEST_F(SendingIrps, WaitsForARequestThatADriverBuilt) {
  driver->object()->MajorFunction[IRP_MJ_DEVICE_CONTROL] = [](PDEVICE_OBJECT, PIRP irp) {
    *static_cast<int*>(irp->AssociatedIrp.SystemBuffer) += 1;
    irp->IoStatus.Information = sizeof(int);
    return complete(irp);
  };
  as_driver([&] {
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IO_STATUS_BLOCK status{};
    int number = 41;
    const PIRP irp =
        IoBuildDeviceIoControlRequest(CTL_CODE(FILE_DEVICE_NETWORK, 1, METHOD_BUFFERED, 0), lower, &number,
                                      sizeof number, &number, sizeof number, FALSE, &event, &status);
    EXPECT_EQ(IoCallDriver(lower, irp), STATUS_SUCCESS);
    EXPECT_EQ(KeReadStateEvent(&event), 1);
    EXPECT_EQ(number, 42);
    EXPECT_EQ(status.Information, sizeof number);
  });
}

TEST_F(SendingIrps, ForwardsAndWaits) {
  on_upper = [this](PDEVICE_OBJECT, PIRP irp) {
    EXPECT_TRUE(IoForwardIrpSynchronously(lower, irp));
    EXPECT_EQ(irp->IoStatus.Status, STATUS_DEVICE_BUSY);
    return complete(irp, STATUS_SUCCESS);
  };
  on_lower = [](PDEVICE_OBJECT, PIRP irp) { return complete(irp, STATUS_DEVICE_BUSY); };
  as_driver([&] { EXPECT_EQ(send_and_free(), STATUS_SUCCESS); });
}

class AllocatingIrps : public KernelTest {};

TEST_F(AllocatingIrps, FailsInLowMemory) {
  restart("0.f1");
  as_driver([&] { EXPECT_EQ(IoAllocateIrp(1, FALSE), nullptr); });
}

TEST_F(AllocatingIrps, IsReportedForWhatIsNotFreedAndForWhatIsFreedTwice) {
  as_driver([&] {
    const PIRP irp = IoAllocateIrp(1, FALSE);
    IoFreeIrp(irp);
    IoFreeIrp(irp);
    IoAllocateIrp(1, FALSE);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::IrpMisuse));
  system->sweep(*driver);
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::IrpMisuse));
}

class QueueingIrpsSafely : public KernelTest {
 protected:
  struct Queue {
    IO_CSQ csq;
    KSPIN_LOCK lock;
    LIST_ENTRY list;
    std::vector<PIRP> cancelled;
  };
  static Queue& queue_of(PIO_CSQ csq) { return *CONTAINING_RECORD(csq, Queue, csq); }
  void SetUp() override {
    KeInitializeSpinLock(&queue.lock);
    InitializeListHead(&queue.list);
    IoCsqInitialize(
        &queue.csq,
        [](PIO_CSQ csq, PIRP irp) { InsertTailList(&queue_of(csq).list, &irp->Tail.Overlay.ListEntry); },
        [](PIO_CSQ, PIRP irp) { RemoveEntryList(&irp->Tail.Overlay.ListEntry); },
        [](PIO_CSQ csq, PIRP irp, PVOID) -> PIRP {
          const PLIST_ENTRY next =
              irp == nullptr ? queue_of(csq).list.Flink : irp->Tail.Overlay.ListEntry.Flink;
          return next == &queue_of(csq).list ? nullptr : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
        },
        [](PIO_CSQ csq, PKIRQL irql) { KeAcquireSpinLock(&queue_of(csq).lock, irql); },
        [](PIO_CSQ csq, KIRQL irql) { KeReleaseSpinLock(&queue_of(csq).lock, irql); },
        [](PIO_CSQ csq, PIRP irp) { queue_of(csq).cancelled.push_back(irp); });
  }
  static PIRP make() {
    const PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(irp);
    return irp;
  }
  Queue queue;
};

TEST_F(QueueingIrpsSafely, HandsThemOutInOrder) {
  as_driver([&] {
    const PIRP one = make();
    const PIRP two = make();
    IO_CSQ_IRP_CONTEXT context;
    IoCsqInsertIrp(&queue.csq, one, nullptr);
    IoCsqInsertIrp(&queue.csq, two, &context);
    EXPECT_EQ(IoCsqRemoveNextIrp(&queue.csq, nullptr), one);
    EXPECT_EQ(IoCsqRemoveIrp(&queue.csq, &context), two);
    EXPECT_EQ(IoCsqRemoveIrp(&queue.csq, &context), nullptr);
    EXPECT_EQ(IoCsqRemoveNextIrp(&queue.csq, nullptr), nullptr);
    IoFreeIrp(one);
    IoFreeIrp(two);
  });
}

TEST_F(QueueingIrpsSafely, TakesACancelledOneOut) {
  as_driver([&] {
    const PIRP irp = make();
    IoCsqInsertIrp(&queue.csq, irp, nullptr);
    EXPECT_TRUE(IoCancelIrp(irp));
    EXPECT_THAT(queue.cancelled, ElementsAre(irp));
    EXPECT_EQ(IoCsqRemoveNextIrp(&queue.csq, nullptr), nullptr);
    IoFreeIrp(irp);

    const PIRP early = make();
    EXPECT_FALSE(IoCancelIrp(early));
    IoCsqInsertIrp(&queue.csq, early, nullptr);
    EXPECT_EQ(queue.cancelled.size(), 2u);
    IoFreeIrp(early);
  });
}

class DescribingMemory : public KernelTest {};

TEST_F(DescribingMemory, OfNonPagedPoolIsMappedAtOnce) {
  as_driver([&] {
    auto* const memory = static_cast<char*>(ExAllocatePoolWithTag(NonPagedPool, 5000, 1));
    const PMDL mdl = IoAllocateMdl(memory + 100, 4000, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(mdl);
    EXPECT_EQ(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), memory + 100);
    EXPECT_EQ(MmGetMdlByteCount(mdl), 4000u);
    EXPECT_EQ(MmGetMdlByteOffset(mdl), 100u);
    EXPECT_EQ(MmGetMdlPfnArray(mdl)[1], MmGetMdlPfnArray(mdl)[0] + 1);

    const PMDL part = IoAllocateMdl(memory + 200, 50, FALSE, FALSE, nullptr);
    IoBuildPartialMdl(mdl, part, memory + 200, 50);
    EXPECT_EQ(MmGetSystemAddressForMdlSafe(part, NormalPagePriority), memory + 200);
    EXPECT_EQ(MmAdvanceMdl(part, 10), STATUS_SUCCESS);
    EXPECT_EQ(MmGetMdlVirtualAddress(part), memory + 210);
    IoFreeMdl(part);
    IoFreeMdl(mdl);
    ExFreePool(memory);
  });
}

TEST_F(DescribingMemory, OfOtherMemoryIsLockedFirst) {
  as_driver([&] {
    std::array<char, 64> buffer{};
    const PMDL mdl = IoAllocateMdl(buffer.data(), 64, FALSE, FALSE, nullptr);
    MmProbeAndLockPages(mdl, UserMode, IoWriteAccess);
    EXPECT_EQ(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), buffer.data());
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
  });
}

TEST_F(DescribingMemory, OfPagesFromTheSystemIsFreedInTwoSteps) {
  as_driver([&] {
    const PHYSICAL_ADDRESS zero{};
    PHYSICAL_ADDRESS high{};
    high.QuadPart = -1;
    const PMDL mdl = MmAllocatePagesForMdl(zero, high, zero, 10000);
    auto* const address = static_cast<char*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
    address[9999] = 1;
    MmUnmapLockedPages(address, mdl);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
  });
  EXPECT_EQ(system->pool().live_blocks(driver), 0u);
}

TEST_F(DescribingMemory, IsReportedInTheWrongOrder) {
  as_driver([&] {
    std::array<char, 64> buffer{};
    const PMDL mdl = IoAllocateMdl(buffer.data(), 64, FALSE, FALSE, nullptr);
    MmUnlockPages(mdl);
    MmMapLockedPages(mdl, KernelMode);
    MmUnmapLockedPages(buffer.data(), mdl);
    MmUnmapLockedPages(buffer.data(), mdl);
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    IoFreeMdl(mdl);
    void* const paged = ExAllocatePoolWithTag(PagedPool, 64, 1);
    const PMDL other = IoAllocateMdl(paged, 64, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(other);
    IoFreeMdl(other);
    IoFreeMdl(other);
    ExFreePool(paged);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::MdlMisuse, Misuse::MdlMisuse, Misuse::MdlMisuse,
                                          Misuse::MdlMisuse, Misuse::MdlMisuse, Misuse::PoolDoubleFree));
}

TEST_F(DescribingMemory, FailsInLowMemory) {
  restart("0.f1");
  as_driver([&] { EXPECT_EQ(IoAllocateMdl(nullptr, 10, FALSE, FALSE, nullptr), nullptr); });
  restart("0.f2");
  as_driver([&] {
    char byte = 0;
    const PMDL mdl = IoAllocateMdl(&byte, 1, FALSE, FALSE, nullptr);
    mdl->MdlFlags |= MDL_PAGES_LOCKED;
    EXPECT_EQ(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), nullptr);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
  });
}

class UsingObjects : public KernelTest {};

TEST_F(UsingObjects, NotifiesRegisteredCallbacks) {
  as_driver([&] {
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, u"\\Callback\\Probe");
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
    PCALLBACK_OBJECT object = nullptr;
    EXPECT_EQ(ExCreateCallback(&object, &attributes, FALSE, TRUE), STATUS_OBJECT_NAME_NOT_FOUND);
    ASSERT_EQ(ExCreateCallback(&object, &attributes, TRUE, TRUE), STATUS_SUCCESS);
    PCALLBACK_OBJECT same = nullptr;
    ASSERT_EQ(ExCreateCallback(&same, &attributes, FALSE, TRUE), STATUS_SUCCESS);
    EXPECT_EQ(same, object);
    int calls = 0;
    const auto count = [](PVOID context, PVOID add, PVOID) {
      *static_cast<int*>(context) += *static_cast<int*>(add);
    };
    const PVOID registration = ExRegisterCallback(object, count, &calls);
    int five = 5;
    ExNotifyCallback(same, &five, nullptr);
    ExUnregisterCallback(registration);
    ExNotifyCallback(same, &five, nullptr);
    EXPECT_EQ(calls, 5);
    ExUnregisterCallback(registration);
    ObDereferenceObject(object);
    ObDereferenceObject(same);
    ObDereferenceObject(same);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::BadParameter, Misuse::BadParameter));
}

TEST_F(UsingObjects, PushesAndPopsSequencedLists) {
  SLIST_HEADER head;
  InitializeSListHead(&head);
  alignas(16) SLIST_ENTRY one{};
  alignas(16) SLIST_ENTRY two{};
  EXPECT_EQ(InterlockedPushEntrySList(&head, &one), nullptr);
  EXPECT_EQ(InterlockedPushEntrySList(&head, &two), &one);
  EXPECT_EQ(QueryDepthSList(&head), 2);
  EXPECT_EQ(InterlockedPopEntrySList(&head), &two);
  EXPECT_EQ(InterlockedFlushSList(&head), &one);
  EXPECT_EQ(InterlockedPopEntrySList(&head), nullptr);
  as_driver([&] {
    KSPIN_LOCK lock;
    KeInitializeSpinLock(&lock);
    LIST_ENTRY list;
    InitializeListHead(&list);
    LIST_ENTRY entry;
    EXPECT_EQ(ExInterlockedInsertTailList(&list, &entry, &lock), nullptr);
    EXPECT_EQ(ExInterlockedRemoveHeadList(&list, &lock), &entry);
    EXPECT_EQ(ExInterlockedRemoveHeadList(&list, &lock), nullptr);
  });
}

TEST_F(UsingObjects, FindsSystemRoutinesByName) {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, u"ExFreePoolWithTag");
  EXPECT_EQ(MmGetSystemRoutineAddress(&name), reinterpret_cast<PVOID>(&ExFreePoolWithTag));
  RtlInitUnicodeString(&name, u"NoSuchRoutine");
  EXPECT_EQ(MmGetSystemRoutineAddress(&name), nullptr);
  EXPECT_TRUE(MmIsAddressValid(&name));
  EXPECT_FALSE(MmIsAddressValid(reinterpret_cast<PVOID>(0x10)));
}

TEST_F(UsingObjects, WritesErrorLogEntriesToTheTrace) {
  as_driver([&] {
    auto* const entry = static_cast<PIO_ERROR_LOG_PACKET>(
        IoAllocateErrorLogEntry(driver->object(), sizeof(IO_ERROR_LOG_PACKET)));
    entry->ErrorCode = static_cast<NTSTATUS>(0xC0001389);
    IoWriteErrorLogEntry(entry);
  });
  EXPECT_THAT(seen.trace, ElementsAre(HasSubstr("0xc0001389")));
  EXPECT_EQ(system->pool().live_blocks(driver), 0u);
}

}  // namespace
}  // namespace undis::kernel
