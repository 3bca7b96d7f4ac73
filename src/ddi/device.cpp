// SPDX-License-Identifier: MIT
//
// Stand-alone devices of drivers: NdisRegisterDeviceEx and NdisMRegisterDevice.
//
// Beyond  Security descriptors and device classes are not enforced: each process here may open each device.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/unicode.h"
#include "ndis/device.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

/// Registers a device for `driver`, whose handle the caller gave.
NDIS_STATUS register_device(const DdiCall& call, kernel::Driver& driver, const UNICODE_STRING* name,
                            const UNICODE_STRING* link, const PDRIVER_DISPATCH* majors, std::size_t extension,
                            PDEVICE_OBJECT* object, NDIS_HANDLE* handle) {
  if (kernel::view(name).empty() || kernel::view(link).empty() || majors == nullptr)
    return NDIS_STATUS_INVALID_PARAMETER;
  if (majors[IRP_MJ_PNP] != nullptr || majors[IRP_MJ_POWER] != nullptr)
    report_misuse(
        Misuse::BadParameter, call.name(), nullptr,
        "MajorFunctions has an entry for plug and play or power; such a device never receives these IRPs");
  if (call.fails()) return NDIS_STATUS_RESOURCES;
  const Ref<Device> device(
      new Device(driver, std::u16string(kernel::view(name)), std::u16string(kernel::view(link)), majors));
  if (const NTSTATUS status = device->create(extension); !NT_SUCCESS(status)) return status;
  if (!Library::current().services().open(*device)) {
    device->remove();
    return NDIS_STATUS_RESOURCES;
  }
  *object = device->object();
  *handle = device->handle();
  return NDIS_STATUS_SUCCESS;
}

bool deregister_device(const DdiCall& call, NDIS_HANDLE handle) {
  const Ref<Device> device = call.find<Device>("NdisDeviceHandle", handle, HandleKind::Device);
  if (!device) return false;
  if (const LONG open = device->object()->ReferenceCount; open != 0)
    report_misuse(Misuse::BadParameter, call.name(), device->object(),
                  fmt::format("{} is deregistered while it is open ({} times)", device->name(), open),
                  device->origin());
  device->remove();
  Library::current().services().close(*device);
  return true;
}

}  // namespace

// Page    ndis/nf-ndis-ndisregisterdeviceex                          IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisRegisterDeviceEx(NDIS_HANDLE NdisHandle,
                                 PNDIS_DEVICE_OBJECT_ATTRIBUTES DeviceObjectAttributes,
                                 PDEVICE_OBJECT* pDeviceObject, PNDIS_HANDLE NdisDeviceHandle) {
  const DdiCall call(Ddi::NdisRegisterDeviceEx);
  if (pDeviceObject == nullptr || NdisDeviceHandle == nullptr)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  *pDeviceObject = nullptr;
  *NdisDeviceHandle = nullptr;
  const Ref<FilterDriver> filter = Library::current().handles().find<FilterDriver>(NdisHandle);
  const Ref<MiniportDriver> miniport =
      filter ? Ref<MiniportDriver>()
             : call.find<MiniportDriver>("NdisHandle", NdisHandle, HandleKind::MiniportDriver6);
  if (!filter && !miniport) return call.returns(NDIS_STATUS_NOT_SUPPORTED);
  const NDIS_DEVICE_OBJECT_ATTRIBUTES* const a = DeviceObjectAttributes;
  if (a == nullptr || a->Header.Type != NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES ||
      a->Header.Revision < NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 ||
      a->Header.Size < NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  return call.returns(register_device(call, filter ? filter->driver() : miniport->driver(), a->DeviceName,
                                      a->SymbolicName, a->MajorFunctions, a->ExtensionSize, pDeviceObject,
                                      NdisDeviceHandle));
}

// Page    ndis/nf-ndis-ndisderegisterdeviceex                        IRQL  PASSIVE_LEVEL
VOID NdisDeregisterDeviceEx(NDIS_HANDLE NdisDeviceHandle) {
  const DdiCall call(Ddi::NdisDeregisterDeviceEx);
  deregister_device(call, NdisDeviceHandle);
}

// Page    ndis/nf-ndis-ndisgetdevicereservedextension                IRQL  any
PVOID NdisGetDeviceReservedExtension(PDEVICE_OBJECT DeviceObject) {
  const DdiCall call(Ddi::NdisGetDeviceReservedExtension);
  const Ref<Device> device = Device::of(DeviceObject);
  return device && DeviceObject != nullptr ? device->extension() : nullptr;
}

// Page    ndis/nf-ndis-ndismregisterdevice                           IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMRegisterDevice(NDIS_HANDLE NdisWrapperHandle, PNDIS_STRING DeviceName,
                                PNDIS_STRING SymbolicName, PDRIVER_DISPATCH* MajorFunctions,
                                PDEVICE_OBJECT* pDeviceObject, PNDIS_HANDLE NdisDeviceHandle) {
  const DdiCall call(Ddi::NdisMRegisterDevice);
  if (pDeviceObject == nullptr || NdisDeviceHandle == nullptr)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  *pDeviceObject = nullptr;
  *NdisDeviceHandle = nullptr;
  const Ref<Wrapper> wrapper =
      call.find<Wrapper>("NdisWrapperHandle", NdisWrapperHandle, HandleKind::Wrapper);
  if (!wrapper) return call.returns(NDIS_STATUS_NOT_SUPPORTED);
  return call.returns(register_device(call, wrapper->driver(), DeviceName, SymbolicName, MajorFunctions, 0,
                                      pDeviceObject, NdisDeviceHandle));
}

// Page    ndis/nf-ndis-ndismderegisterdevice                         IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMDeregisterDevice(NDIS_HANDLE NdisDeviceHandle) {
  const DdiCall call(Ddi::NdisMDeregisterDevice);
  return call.returns(deregister_device(call, NdisDeviceHandle) ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE);
}
