// SPDX-License-Identifier: MIT
//
// Drivers, their devices, what user processes do with them, shutdown.
//
// Pages  wdm/nc-wdm-driver_initialize, wdm/nf-wdm-iocreatedevice, ifs/irp-mj-cleanup,
// wdm/nf-wdm-ioregistershutdownnotification
#include <array>
#include <cstring>
#include <deque>

#include <ntddk.h>
#include <wdmsec.h>

#include "kernel/file.h"
#include "kernel/io.h"
#include "kernel/registry.h"
#include "kernel/testing.h"
#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ULONG kEcho = CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS);
constexpr ULONG kEchoDirect = CTL_CODE(FILE_DEVICE_NETWORK, 0x801, METHOD_OUT_DIRECT, FILE_ANY_ACCESS);
constexpr ULONG kEchoNeither = CTL_CODE(FILE_DEVICE_NETWORK, 0x802, METHOD_NEITHER, FILE_ANY_ACCESS);
constexpr ULONG kPend = CTL_CODE(FILE_DEVICE_NETWORK, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS);
constexpr ULONG kTooMuch = CTL_CODE(FILE_DEVICE_NETWORK, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS);

UNICODE_STRING string_of(const char16_t* text) {
  UNICODE_STRING string;
  RtlInitUnicodeString(&string, text);
  return string;
}

/// A driver with one device, \Device\Probe, that user processes reach as \\.\Probe.
struct Probe {
  DRIVER_OBJECT* object = nullptr;
  DEVICE_OBJECT* device = nullptr;
  std::u16string registry_path;
  std::vector<int> majors;
  std::deque<PIRP> pending;
  bool keeps_device = false;
  bool registers_shutdown = false;
  NTSTATUS entry_status = STATUS_SUCCESS;
  NTSTATUS create_status = STATUS_SUCCESS;
};
Probe* probe = nullptr;

NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information = 0) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

NTSTATUS control(PIRP irp, const IO_STACK_LOCATION& location) {
  const auto& parameters = location.Parameters.DeviceIoControl;
  const std::size_t size = std::min(parameters.InputBufferLength, parameters.OutputBufferLength);
  switch (parameters.IoControlCode) {
  case kEcho:
    return complete(irp, STATUS_SUCCESS, size);
  case kEchoDirect:
    std::memcpy(MmGetSystemAddressForMdlSafe(irp->MdlAddress, NormalPagePriority),
                irp->AssociatedIrp.SystemBuffer, size);
    return complete(irp, STATUS_SUCCESS, size);
  case kEchoNeither:
    std::memcpy(irp->UserBuffer, parameters.Type3InputBuffer, size);
    return complete(irp, STATUS_SUCCESS, size);
  case kPend:
    IoMarkIrpPending(irp);
    probe->pending.push_back(irp);
    IoSetCancelRoutine(irp, [](PDEVICE_OBJECT, PIRP cancelled) {
      IoReleaseCancelSpinLock(cancelled->CancelIrql);
      probe->pending.pop_front();
      complete(cancelled, STATUS_CANCELLED);
    });
    return STATUS_PENDING;
  case kTooMuch:
    return complete(irp, STATUS_SUCCESS, parameters.OutputBufferLength + 1);
  default:
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST);
  }
}

NTSTATUS dispatch(PDEVICE_OBJECT, PIRP irp) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  probe->majors.push_back(location->MajorFunction);
  switch (location->MajorFunction) {
  case IRP_MJ_CREATE:
    return complete(irp, probe->create_status);
  case IRP_MJ_DEVICE_CONTROL:
    return control(irp, *location);
  case IRP_MJ_READ:
    std::memset(irp->AssociatedIrp.SystemBuffer, 'r', location->Parameters.Read.Length);
    return complete(irp, STATUS_SUCCESS, location->Parameters.Read.Length);
  case IRP_MJ_WRITE:
    return complete(irp, STATUS_SUCCESS, location->Parameters.Write.Length);
  default:
    return complete(irp, STATUS_SUCCESS);
  }
}

void unload(DRIVER_OBJECT*) {
  if (probe->keeps_device) return;
  UNICODE_STRING link = string_of(u"\\DosDevices\\Probe");
  IoDeleteSymbolicLink(&link);
  IoDeleteDevice(probe->device);
}

NTSTATUS entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  probe->object = object;
  probe->registry_path = view(path);
  object->DriverUnload = unload;
  for (const int major : {IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_READ, IRP_MJ_WRITE,
                          IRP_MJ_DEVICE_CONTROL, IRP_MJ_SHUTDOWN})
    object->MajorFunction[major] = dispatch;
  if (!NT_SUCCESS(probe->entry_status)) return probe->entry_status;
  UNICODE_STRING name = string_of(u"\\Device\\Probe");
  UNICODE_STRING link = string_of(u"\\DosDevices\\Probe");
  NTSTATUS status = IoCreateDeviceSecure(object, 64, &name, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN,
                                         FALSE, &SDDL_DEVOBJ_SYS_ALL_ADM_ALL, nullptr, &probe->device);
  if (!NT_SUCCESS(status)) return status;
  probe->device->Flags |= DO_BUFFERED_IO;
  status = IoCreateSymbolicLink(&link, &name);
  if (NT_SUCCESS(status) && probe->registers_shutdown) status = IoRegisterShutdownNotification(probe->device);
  if (!NT_SUCCESS(status)) IoDeleteDevice(probe->device);
  return status;
}

class WithAProbe : public KernelTest {
 protected:
  void SetUp() override { probe = &own; }
  NTSTATUS load() { return driver->load(entry); }
  std::unique_ptr<File> open(const char* name = "\\\\.\\Probe") { return File::open(name, status); }
  Probe own;
  NTSTATUS status = STATUS_SUCCESS;
};

class LoadingADriver : public WithAProbe {};

TEST_F(LoadingADriver, CallsDriverEntryWithItsRegistryPath) {
  EXPECT_EQ(driver->phase(), DriverPhase::Created);
  EXPECT_EQ(load(), STATUS_SUCCESS);
  EXPECT_EQ(driver->phase(), DriverPhase::Loaded);
  EXPECT_EQ(own.object, driver->object());
  EXPECT_EQ(own.registry_path, u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\probe");
  EXPECT_TRUE(system->registry().has_key(own.registry_path));
  EXPECT_EQ(Driver::from_object(own.object), driver);
  EXPECT_EQ(own.device->Flags & DO_DEVICE_INITIALIZING, 0u);
  EXPECT_FALSE(driver->in_driver_entry());
  EXPECT_TRUE(driver->unload());
  EXPECT_EQ(driver->phase(), DriverPhase::Unloaded);
  system->sweep(*driver);
}

TEST_F(LoadingADriver, FailsWhenDriverEntryFails) {
  own.entry_status = STATUS_UNSUCCESSFUL;
  EXPECT_EQ(load(), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(driver->phase(), DriverPhase::FailedToLoad);
}

TEST_F(LoadingADriver, LeavesNothingBehindWhereverItFails) {
  for (int k = 1; k <= 2; ++k) {
    restart(("0.f" + std::to_string(k)).c_str());
    EXPECT_EQ(load(), STATUS_INSUFFICIENT_RESOURCES) << k;
    system->sweep(*driver);
    EXPECT_THAT(take_misuses(), IsEmpty()) << k;
  }
}

TEST_F(LoadingADriver, StaysLoadedWithoutAnUnloadRoutine) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  own.object->DriverUnload = nullptr;
  EXPECT_FALSE(driver->unload());
  EXPECT_EQ(driver->phase(), DriverPhase::Loaded);
}

TEST_F(LoadingADriver, ReportsWhatIsLeftAtUnload) {
  own.keeps_device = true;
  own.registers_shutdown = true;
  ASSERT_EQ(load(), STATUS_SUCCESS);
  driver->unload();
  system->sweep(*driver);
  EXPECT_THAT(take_misuses(),
              ElementsAre(Misuse::ShutdownHookAtUnload, Misuse::DeviceAtUnload, Misuse::DeviceAtUnload));
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(status, STATUS_OBJECT_NAME_NOT_FOUND);
}

class OpeningADevice : public WithAProbe {
 protected:
  void SetUp() override {
    WithAProbe::SetUp();
    ASSERT_EQ(load(), STATUS_SUCCESS);
  }
};

TEST_F(OpeningADevice, SendsCreateCleanupAndClose) {
  for (const char* const name :
       {"\\\\.\\probe", "\\??\\Probe", "\\DosDevices\\PROBE", "\\Device\\Probe", "\\GLOBAL??\\Probe"}) {
    own.majors.clear();
    EXPECT_NE(open(name), nullptr) << name;
    EXPECT_THAT(own.majors, ElementsAre(IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE)) << name;
  }
  EXPECT_EQ(own.device->ReferenceCount, 0);
}

TEST_F(OpeningADevice, HandsTheRestOfTheNameOver) {
  const auto file = open("\\\\.\\Probe\\{guid}");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(view(&file->object()->FileName), u"\\{guid}");
}

TEST_F(OpeningADevice, FailsWhenTheDriverSaysSoOrThereIsNone) {
  own.create_status = STATUS_ACCESS_DENIED;
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(status, STATUS_ACCESS_DENIED);
  EXPECT_THAT(own.majors, ElementsAre(IRP_MJ_CREATE));
  EXPECT_EQ(open("\\\\.\\Nothing"), nullptr);
  EXPECT_EQ(status, STATUS_OBJECT_NAME_NOT_FOUND);
}

TEST_F(OpeningADevice, MovesBuffersByEachMethod) {
  const auto file = open();
  ASSERT_NE(file, nullptr);
  for (const ULONG code : {kEcho, kEchoDirect, kEchoNeither}) {
    std::array<char, 8> output{};
    std::size_t done = 0;
    EXPECT_EQ(file->ioctl(code, "hello", 5, output.data(), output.size(), done), STATUS_SUCCESS);
    EXPECT_EQ(done, 5u);
    EXPECT_STREQ(output.data(), "hello");
  }
  std::array<char, 4> read{};
  std::size_t done = 0;
  EXPECT_EQ(file->read(read.data(), read.size(), done), STATUS_SUCCESS);
  EXPECT_EQ(std::string(read.data(), done), "rrrr");
  EXPECT_EQ(file->write("abc", 3, done), STATUS_SUCCESS);
  EXPECT_EQ(done, 3u);
  EXPECT_EQ(file->ioctl(0, nullptr, 0, nullptr, 0, done), STATUS_INVALID_DEVICE_REQUEST);
}

TEST_F(OpeningADevice, LetsARequestPendAndCancelsIt) {
  const auto file = open();
  Request request = file->start_ioctl(kPend, nullptr, 0, nullptr, 0);
  EXPECT_FALSE(request.done());
  EXPECT_EQ(own.pending.size(), 1u);
  EXPECT_TRUE(request.cancel());
  EXPECT_EQ(request.wait(), STATUS_CANCELLED);
  EXPECT_FALSE(request.cancel());

  Request other = file->start_ioctl(kPend, nullptr, 0, nullptr, 0);
  as_driver([&] {
    const PIRP irp = own.pending.front();
    own.pending.pop_front();
    IoSetCancelRoutine(irp, nullptr);
    complete(irp, STATUS_SUCCESS);
  });
  EXPECT_EQ(other.wait(), STATUS_SUCCESS);
}

TEST_F(OpeningADevice, IsReportedWhenMoreInformationIsReturnedThanFits) {
  const auto file = open();
  std::array<char, 4> output{};
  std::size_t done = 0;
  file->ioctl(kTooMuch, nullptr, 0, output.data(), output.size(), done);
  ASSERT_EQ(seen.misuses.size(), 1u);
  EXPECT_THAT(seen.misuses[0].text, HasSubstr("Information is 5"));
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::IrpMisuse));
}

TEST_F(OpeningADevice, KeepsTheDeviceWhileItIsOpen) {
  auto file = open();
  own.majors.clear();
  driver->unload();
  file.reset();
  EXPECT_THAT(own.majors, ElementsAre(IRP_MJ_CLEANUP, IRP_MJ_CLOSE));
  system->sweep(*driver);
}

TEST_F(OpeningADevice, FromAnotherDriverIsClosedByTheLastDereference) {
  Driver& other = system->add_driver("other", {}, false);
  as_driver(other, [&] {
    UNICODE_STRING name = string_of(u"\\Device\\Probe");
    PFILE_OBJECT file = nullptr;
    PDEVICE_OBJECT device = nullptr;
    ASSERT_EQ(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device), STATUS_SUCCESS);
    EXPECT_EQ(device, own.device);
    EXPECT_THAT(own.majors, ElementsAre(IRP_MJ_CREATE, IRP_MJ_CLEANUP));
    ObDereferenceObject(file);
    EXPECT_EQ(own.majors.back(), IRP_MJ_CLOSE);

    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, 0, nullptr, nullptr);
    HANDLE handle = nullptr;
    IO_STATUS_BLOCK io{};
    ASSERT_EQ(ZwOpenFile(&handle, FILE_READ_DATA, &attributes, &io, 0, 0), STATUS_SUCCESS);
    char buffer[2];
    EXPECT_EQ(ZwReadFile(handle, nullptr, nullptr, nullptr, &io, buffer, 2, nullptr, nullptr),
              STATUS_SUCCESS);
    EXPECT_EQ(io.Information, 2u);
    void* object = nullptr;
    EXPECT_EQ(ObReferenceObjectByHandle(handle, 0, *PsThreadType, KernelMode, &object, nullptr),
              STATUS_OBJECT_TYPE_MISMATCH);
    EXPECT_EQ(ObReferenceObjectByHandle(handle, 0, *IoFileObjectType, KernelMode, &object, nullptr),
              STATUS_SUCCESS);
    own.majors.clear();
    ZwClose(handle);
    EXPECT_THAT(own.majors, ElementsAre(IRP_MJ_CLEANUP));
    ObDereferenceObject(object);
    EXPECT_THAT(own.majors, ElementsAre(IRP_MJ_CLEANUP, IRP_MJ_CLOSE));
  });
}

class NamingADevice : public KernelTest {};

TEST_F(NamingADevice, FailsWhenTheNameIsTaken) {
  as_driver([&] {
    UNICODE_STRING name = string_of(u"\\Device\\Same");
    PDEVICE_OBJECT first = nullptr;
    PDEVICE_OBJECT second = nullptr;
    ASSERT_EQ(IoCreateDevice(driver->object(), 0, &name, FILE_DEVICE_NETWORK, 0, FALSE, &first),
              STATUS_SUCCESS);
    EXPECT_EQ(driver->object()->DeviceObject, first);
    EXPECT_EQ(IoCreateDevice(driver->object(), 0, &name, FILE_DEVICE_NETWORK, 0, FALSE, &second),
              STATUS_OBJECT_NAME_COLLISION);
    EXPECT_EQ(second, nullptr);
    UNICODE_STRING link = string_of(u"\\??\\Same");
    EXPECT_EQ(IoCreateSymbolicLink(&link, &name), STATUS_SUCCESS);
    EXPECT_EQ(IoCreateSymbolicLink(&link, &name), STATUS_OBJECT_NAME_COLLISION);
    EXPECT_EQ(IoDeleteSymbolicLink(&link), STATUS_SUCCESS);
    EXPECT_EQ(IoDeleteSymbolicLink(&link), STATUS_OBJECT_NAME_NOT_FOUND);
    IoDeleteDevice(first);
    EXPECT_EQ(driver->object()->DeviceObject, nullptr);
    EXPECT_EQ(IoCreateDevice(driver->object(), 0, &name, FILE_DEVICE_NETWORK, 0, FALSE, &second),
              STATUS_SUCCESS);
    IoDeleteDevice(second);
  });
}

TEST_F(NamingADevice, StacksAndUnstacks) {
  as_driver([&] {
    PDEVICE_OBJECT bottom = nullptr;
    PDEVICE_OBJECT top = nullptr;
    IoCreateDevice(driver->object(), 0, nullptr, FILE_DEVICE_NETWORK, 0, FALSE, &bottom);
    IoCreateDevice(driver->object(), 32, nullptr, FILE_DEVICE_NETWORK, 0, FALSE, &top);
    EXPECT_NE(top->DeviceExtension, nullptr);
    EXPECT_EQ(IoAttachDeviceToDeviceStack(top, bottom), bottom);
    EXPECT_EQ(top->StackSize, 2);
    EXPECT_EQ(IoGetAttachedDevice(bottom), top);
    IoDetachDevice(bottom);
    IoDetachDevice(bottom);
    IoDeleteDevice(top);
    IoDeleteDevice(top);
    IoDeleteDevice(bottom);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::BadParameter, Misuse::BadParameter));
}

TEST_F(NamingADevice, KeepsAnInterfaceReachableWhileItIsEnabled) {
  PhysicalDevice description;
  description.instance_path = u"ROOT\\NET\\0000";
  const PDEVICE_OBJECT pdo = system->io().add_physical_device(description);
  as_driver([&] {
    const GUID guid{1, 2, 3, {4}};
    UNICODE_STRING link{};
    ASSERT_EQ(IoRegisterDeviceInterface(pdo, &guid, nullptr, &link), STATUS_SUCCESS);
    EXPECT_EQ(system->io().find_device(view(&link)), nullptr);
    EXPECT_EQ(IoSetDeviceInterfaceState(&link, TRUE), STATUS_SUCCESS);
    EXPECT_EQ(system->io().find_device(view(&link)), pdo);
    EXPECT_EQ(IoSetDeviceInterfaceState(&link, FALSE), STATUS_SUCCESS);
    EXPECT_EQ(system->io().find_device(view(&link)), nullptr);
    RtlFreeUnicodeString(&link);
  });
  system->io().remove_physical_device(pdo);
}

class ShuttingDown : public KernelTest {
 protected:
  static inline std::vector<int> order;
  static NTSTATUS on_shutdown(PDEVICE_OBJECT device, PIRP irp) {
    order.push_back(*static_cast<int*>(device->DeviceExtension));
    return complete(irp, STATUS_SUCCESS);
  }
  PDEVICE_OBJECT add(int number) {
    PDEVICE_OBJECT device = nullptr;
    IoCreateDevice(driver->object(), sizeof(int), nullptr, FILE_DEVICE_NETWORK, 0, FALSE, &device);
    *static_cast<int*>(device->DeviceExtension) = number;
    return device;
  }
};

TEST_F(ShuttingDown, CallsTheLastRegisteredFirstAndTheLastChanceOnesLast) {
  order.clear();
  driver->object()->MajorFunction[IRP_MJ_SHUTDOWN] = on_shutdown;
  as_driver([&] {
    IoRegisterLastChanceShutdownNotification(add(9));
    IoRegisterShutdownNotification(add(1));
    IoRegisterShutdownNotification(add(2));
    const PDEVICE_OBJECT gone = add(3);
    IoRegisterShutdownNotification(gone);
    IoUnregisterShutdownNotification(gone);
    IoUnregisterShutdownNotification(gone);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::BadParameter));
  EXPECT_TRUE(system->has_shutdown_registration(*driver));
  system->shutdown();
  EXPECT_THAT(order, ElementsAre(2, 1, 9));
}

TEST_F(ShuttingDown, ToADriverWithoutTheRoutineDoesNothing) {
  as_driver([&] { IoRegisterShutdownNotification(add(1)); });
  system->shutdown();
}

}  // namespace
}  // namespace undis::kernel
