// SPDX-License-Identifier: MIT
#include <ntddk.h>

#include "ddi/testing.h"
#include "kernel/file.h"
#include "kernel/io.h"
#include "ndis/strings.h"

namespace undis {
namespace {

using kernel::Misuse;

NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information = 0) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

class Devices : public ServiceTest {
 protected:
  void SetUp() override {
    opened = 0;
    miniport = add_miniport6();
    majors[IRP_MJ_CREATE] = [](PDEVICE_OBJECT, PIRP irp) {
      ++opened;
      return complete(irp, STATUS_SUCCESS);
    };
    majors[IRP_MJ_CLOSE] = [](PDEVICE_OBJECT, PIRP irp) {
      --opened;
      return complete(irp, STATUS_SUCCESS);
    };
    majors[IRP_MJ_DEVICE_CONTROL] = [](PDEVICE_OBJECT device, PIRP irp) {
      void* const extension = NdisGetDeviceReservedExtension(device);
      return complete(irp, extension != nullptr ? *static_cast<NTSTATUS*>(extension) : STATUS_NOT_FOUND);
    };
  }
  NDIS_STATUS add(std::u16string_view name, std::u16string_view link, NDIS_HANDLE* handle,
                  PDEVICE_OBJECT* object, ULONG extension = 0) {
    const WideString device_name(name);
    const WideString link_name(link);
    NDIS_DEVICE_OBJECT_ATTRIBUTES a{};
    a.Header = {NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES, NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
                NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1};
    a.DeviceName = device_name.get();
    a.SymbolicName = link_name.get();
    a.MajorFunctions = majors;
    a.ExtensionSize = extension;
    return NdisRegisterDeviceEx(miniport->handle(), &a, object, handle);
  }

  static inline int opened = 0;
  Ref<MiniportDriver> miniport;
  PDRIVER_DISPATCH majors[IRP_MJ_MAXIMUM_FUNCTION + 1]{};
};

TEST_F(Devices, AreOpenedByTheirLinkAndCallTheRoutinesOfTheDriver) {
  NDIS_HANDLE handle = nullptr;
  PDEVICE_OBJECT object = nullptr;
  as_driver([&] {
    ASSERT_EQ(add(u"\\Device\\Probe", u"\\DosDevices\\Probe", &handle, &object, sizeof(NTSTATUS)),
              NDIS_STATUS_SUCCESS);
  });
  auto* const extension = static_cast<NTSTATUS*>(NdisGetDeviceReservedExtension(object));
  ASSERT_NE(extension, nullptr);
  *extension = STATUS_SUCCESS;
  NTSTATUS status = STATUS_PENDING;
  auto file = kernel::File::open("\\\\.\\Probe", status);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(opened, 1);
  std::size_t done = 0;
  EXPECT_EQ(file->ioctl(0x220000, nullptr, 0, nullptr, 0, done), STATUS_SUCCESS);
  char buffer[4];
  EXPECT_EQ(file->read(buffer, sizeof buffer, done), STATUS_INVALID_DEVICE_REQUEST)
      << "the driver has no routine for it";
  file.reset();
  EXPECT_EQ(opened, 0);
  as_driver([&] { NdisDeregisterDeviceEx(handle); });
  EXPECT_EQ(kernel::File::open("\\\\.\\Probe", status), nullptr);
  as_driver([&] { NdisDeregisterDeviceEx(handle); });
  EXPECT_EQ(handle_misuses(), 1U);
}

TEST_F(Devices, LeaveTheEntriesOfOtherDevicesAlone) {
  static int own_opened;
  own_opened = 0;
  driver->object()->MajorFunction[IRP_MJ_CREATE] = [](PDEVICE_OBJECT, PIRP irp) {
    ++own_opened;
    return complete(irp, STATUS_UNSUCCESSFUL);
  };
  const PDRIVER_DISPATCH before = driver->object()->MajorFunction[IRP_MJ_CREATE];
  NDIS_HANDLE first = nullptr;
  NDIS_HANDLE second = nullptr;
  PDEVICE_OBJECT object = nullptr;
  PDEVICE_OBJECT own = nullptr;
  const WideString own_name(u"\\Device\\Own");
  as_driver([&] {
    EXPECT_EQ(IoCreateDevice(driver->object(), 0, own_name.get(), FILE_DEVICE_UNKNOWN, 0, FALSE, &own),
              STATUS_SUCCESS);
    own->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
    EXPECT_EQ(add(u"\\Device\\A", u"\\DosDevices\\A", &first, &object), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(add(u"\\Device\\B", u"\\DosDevices\\B", &second, &object), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(add(u"\\Device\\A", u"\\DosDevices\\C", &second, &object), STATUS_OBJECT_NAME_COLLISION);
    EXPECT_EQ(object, nullptr);
  });
  NTSTATUS status = STATUS_PENDING;
  EXPECT_EQ(kernel::File::open("\\Device\\Own", status), nullptr);
  EXPECT_EQ(own_opened, 1);
  as_driver([&] {
    IoDeleteDevice(own);
    for (const Ref<Service>& device : library->services().all(HandleKind::Device))
      NdisDeregisterDeviceEx(device->handle());
  });
  EXPECT_EQ(driver->object()->MajorFunction[IRP_MJ_CREATE], before);
}

// LIFE-337
TEST_F(Devices, DeregisteredWhileOpenAreTold) {
  NDIS_HANDLE handle = nullptr;
  PDEVICE_OBJECT object = nullptr;
  as_driver([&] { add(u"\\Device\\Probe", u"\\DosDevices\\Probe", &handle, &object); });
  NTSTATUS status = STATUS_PENDING;
  auto file = kernel::File::open("\\\\.\\Probe", status);
  as_driver([&] { NdisDeregisterDeviceEx(handle); });
  EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
  file.reset();
}

TEST_F(Devices, AreRefusedToOthersAndWithoutMemory) {
  NDIS_HANDLE handle = this;
  PDEVICE_OBJECT object = nullptr;
  NDIS_DEVICE_OBJECT_ATTRIBUTES a{};
  as_driver([&] {
    EXPECT_EQ(NdisRegisterDeviceEx(this, &a, &object, &handle), NDIS_STATUS_NOT_SUPPORTED);
    EXPECT_EQ(handle, nullptr);
    EXPECT_EQ(handle_misuses(), 1U);
    EXPECT_EQ(NdisRegisterDeviceEx(miniport->handle(), &a, &object, &handle), NDIS_STATUS_INVALID_PARAMETER);
  });
}

// LIFE-338
TEST_F(Devices, OfNdis6AreToldWhenTheDriverLeavesThemAndAreGoneThen) {
  NDIS_HANDLE handle = nullptr;
  PDEVICE_OBJECT object = nullptr;
  as_driver([&] { add(u"\\Device\\Probe", u"\\DosDevices\\Probe", &handle, &object); });
  library->services().sweep(*driver, LeftBehind::When::Unload, false);
  ASSERT_EQ(seen.left.size(), 1U);
  EXPECT_EQ(seen.left[0].kind, HandleKind::Device);
  EXPECT_EQ(system->io().find_device(u"\\Device\\Probe"), nullptr);
  EXPECT_EQ(system->io().find_device(u"\\DosDevices\\Probe"), nullptr);
}

// LIFE-337
TEST_F(Devices, OfNdis5AreToldWhenTheDriverLeavesThem) {
  miniport = nullptr;
  restart("0");
  static PDRIVER_DISPATCH* routines;
  routines = majors;
  library->load(
      *driver, +[](PDRIVER_OBJECT driver_object, PUNICODE_STRING path) -> NTSTATUS {
        NDIS_HANDLE wrapper = nullptr;
        NdisMInitializeWrapper(&wrapper, driver_object, path, nullptr);
        const WideString name(u"\\Device\\Probe");
        const WideString link(u"\\DosDevices\\Probe");
        const WideString other(u"\\Device\\Other");
        PDEVICE_OBJECT object = nullptr;
        NDIS_HANDLE kept = nullptr;
        NDIS_HANDLE given_back = nullptr;
        EXPECT_EQ(NdisMRegisterDevice(wrapper, name.get(), link.get(), routines, &object, &kept),
                  NDIS_STATUS_SUCCESS);
        EXPECT_EQ(NdisMRegisterDevice(wrapper, other.get(), link.get(), routines, &object, &given_back),
                  STATUS_OBJECT_NAME_COLLISION);
        const WideString other_link(u"\\DosDevices\\Other");
        EXPECT_EQ(NdisMRegisterDevice(wrapper, other.get(), other_link.get(), routines, &object, &given_back),
                  NDIS_STATUS_SUCCESS);
        EXPECT_EQ(NdisMDeregisterDevice(given_back), NDIS_STATUS_SUCCESS);
        EXPECT_EQ(NdisGetDeviceReservedExtension(object), nullptr);
        NdisTerminateWrapper(wrapper, nullptr);
        return STATUS_UNSUCCESSFUL;
      });
  ASSERT_EQ(seen.left.size(), 1U);
  EXPECT_EQ(seen.left[0].kind, HandleKind::Device);
  EXPECT_EQ(misuses(), Kinds{}) << "and taken away";
}

// LIFE-336
TEST_F(Devices, OfNdis5KeepTheirDriverWhileAHandleIsOpen) {
  miniport = nullptr;
  restart("0");
  static PDRIVER_DISPATCH* routines;
  static NDIS_HANDLE kept;
  static int unloads;
  routines = majors;
  unloads = 0;
  ASSERT_EQ(library->load(
                *driver,
                +[](PDRIVER_OBJECT driver_object, PUNICODE_STRING path) -> NTSTATUS {
                  NDIS_HANDLE wrapper = nullptr;
                  NdisMInitializeWrapper(&wrapper, driver_object, path, nullptr);
                  const WideString name(u"\\Device\\Probe");
                  const WideString link(u"\\DosDevices\\Probe");
                  PDEVICE_OBJECT object = nullptr;
                  EXPECT_EQ(NdisMRegisterDevice(wrapper, name.get(), link.get(), routines, &object, &kept),
                            NDIS_STATUS_SUCCESS);
                  driver_object->DriverUnload = [](PDRIVER_OBJECT) {
                    ++unloads;
                    EXPECT_EQ(NdisMDeregisterDevice(kept), NDIS_STATUS_SUCCESS);
                  };
                  return STATUS_SUCCESS;
                }),
            STATUS_SUCCESS);
  NTSTATUS status = STATUS_PENDING;
  auto file = kernel::File::open("\\\\.\\Probe", status);
  ASSERT_NE(file, nullptr);
  bool unloaded = false;
  system->spawn("unload", [&] { unloaded = library->unload(*driver); });
  system->run_until_idle();
  EXPECT_FALSE(unloaded) << "it waits";
  EXPECT_EQ(unloads, 0);
  EXPECT_EQ(driver->phase(), kernel::DriverPhase::Loaded);
  file->close();
  EXPECT_EQ(opened, 0);
  system->run_until_idle();
  EXPECT_TRUE(unloaded);
  EXPECT_EQ(unloads, 1);
}

}  // namespace
}  // namespace undis
