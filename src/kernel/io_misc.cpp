// SPDX-License-Identifier: MIT
//
// What else the I/O manager does for drivers: error log entries, driver extensions, associated and forwarded
// IRPs, device interfaces.
//
// Pages   wdm/nf-wdm-ioallocateerrorlogentry, -iowriteerrorlogentry, -ioallocatedriverobjectextension,
// -ioforwardirpsynchronously,
//         -ioregisterdeviceinterface, -iosetdeviceinterfacestate
#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/io_parts.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/string_buffer.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

constexpr ULONG kErrorTag = 0x72456F49;      // 'IoEr'
constexpr ULONG kExtensionTag = 0x78457244;  // 'DrEx'

Io::Parts& tables() {
  return System::current().io().parts();
}

struct Synchronously {
  Event* ended;
};

NTSTATUS forwarded(PDEVICE_OBJECT, PIRP, PVOID context) {
  static_cast<Synchronously*>(context)->ended->set();
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/// Sends the IRP to the device and waits until it comes back here, still uncompleted above.
void send_and_hold(PDEVICE_OBJECT device, PIRP irp) {
  Event ended("forwarded IRP");
  Synchronously wait{&ended};
  IoSetCompletionRoutine(irp, forwarded, &wait, TRUE, TRUE, TRUE);
  send_irp(device, irp);
  ended.wait();
}

}  // namespace

// ---- error log ----

// Page wdm/nf-wdm-ioallocateerrorlogentry. NULL: none to be had, or EntrySize beyond ERROR_LOG_MAXIMUM_SIZE.
PVOID IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize) {
  const KernelCall call("IoAllocateErrorLogEntry", DISPATCH_LEVEL);
  if (IoObject == nullptr || EntrySize > ERROR_LOG_MAXIMUM_SIZE || EntrySize < sizeof(IO_ERROR_LOG_PACKET)) {
    report_misuse(Misuse::BadParameter, call.name(), IoObject,
                  fmt::format("IoObject is NULL or EntrySize {} is not between {} and {}", EntrySize,
                              sizeof(IO_ERROR_LOG_PACKET), ERROR_LOG_MAXIMUM_SIZE));
    return nullptr;
  }
  if (fault_point("IoAllocateErrorLogEntry")) return nullptr;
  Pool::Request request;
  request.size = EntrySize;
  request.tag = kErrorTag;
  request.zero = true;
  request.owner = current_driver();
  return System::current().pool().allocate(request);
}

// Page wdm/nf-wdm-iofreeerrorlogentry
VOID IoFreeErrorLogEntry(PVOID ElEntry) {
  const KernelCall call("IoFreeErrorLogEntry", DISPATCH_LEVEL);
  System::current().pool().free(ElEntry, kErrorTag, call.name(), current_driver());
}

// Page wdm/nf-wdm-iowriteerrorlogentry. The entry goes to the trace and is freed.
VOID IoWriteErrorLogEntry(PVOID ElEntry) {
  const KernelCall call("IoWriteErrorLogEntry", DISPATCH_LEVEL);
  PoolBlock block;
  if (System::current().pool().find(ElEntry, block) && block.live && block.tag == kErrorTag) {
    const auto& entry = *static_cast<const IO_ERROR_LOG_PACKET*>(ElEntry);
    std::string text = fmt::format("{}: error log {:#010x}, unique value {}", name_of(current_driver()),
                                   static_cast<ULONG>(entry.ErrorCode), entry.UniqueErrorValue);
    const auto* const bytes = static_cast<const std::byte*>(ElEntry);
    std::size_t at = entry.StringOffset;
    for (USHORT i = 0; i < entry.NumberOfStrings && at >= sizeof entry - sizeof entry.DumpData; ++i) {
      std::u16string string;
      for (char16_t c = 0; at + sizeof c <= block.size; string.push_back(c)) {
        std::memcpy(&c, bytes + at, sizeof c);
        at += sizeof c;
        if (c == 0) break;
      }
      text += ", \"" + to_utf8(string) + "\"";
    }
    System::current().observer().on_trace(text);
  }
  System::current().pool().free(ElEntry, kErrorTag, call.name(), current_driver());
}

// ---- driver object extensions ----

// Page wdm/nf-wdm-ioallocatedriverobjectextension. Windows frees it with the driver object, and so does the
// sweep.
NTSTATUS IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress,
                                         ULONG DriverObjectExtensionSize, PVOID* DriverObjectExtension) {
  const KernelCall call("IoAllocateDriverObjectExtension", APC_LEVEL);
  *DriverObjectExtension = nullptr;
  Driver* const driver = Driver::from_object(DriverObject);
  if (driver == nullptr) return STATUS_INVALID_PARAMETER;
  if (fault_point("IoAllocateDriverObjectExtension")) return STATUS_INSUFFICIENT_RESOURCES;
  Io::Parts& parts = tables();
  {
    const Hold hold(parts.lock);
    for (const ClientExtension& known : parts.extensions)
      if (known.driver == driver && known.client == ClientIdentificationAddress)
        return STATUS_OBJECT_NAME_COLLISION;
  }
  Pool::Request request;
  request.size = DriverObjectExtensionSize;
  request.tag = kExtensionTag;
  request.zero = true;
  void* const memory = System::current().pool().allocate(request);
  if (memory == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  const Hold hold(parts.lock);
  parts.extensions.push_back({driver, ClientIdentificationAddress, memory});
  *DriverObjectExtension = memory;
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-iogetdriverobjectextension
PVOID IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress) {
  const KernelCall call("IoGetDriverObjectExtension", DISPATCH_LEVEL);
  const Driver* const driver = Driver::from_object(DriverObject);
  Io::Parts& parts = tables();
  const Hold hold(parts.lock);
  for (const ClientExtension& known : parts.extensions)
    if (known.driver == driver && known.client == ClientIdentificationAddress) return known.memory;
  return nullptr;
}

// ---- IRPs ----

// Page wdm/nf-wdm-ioforwardirpsynchronously. The page: the caller has set up nothing; its own location is
// copied down.
BOOLEAN IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  const KernelCall call("IoForwardIrpSynchronously", PASSIVE_LEVEL);
  if (Irp->CurrentLocation <= 1) return FALSE;
  IoCopyCurrentIrpStackLocationToNext(Irp);
  send_and_hold(DeviceObject, Irp);
  return TRUE;
}

// Page ntifs/nf-ntifs-iosynchronouscalldriver
NTSTATUS IoSynchronousCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  const KernelCall call("IoSynchronousCallDriver", PASSIVE_LEVEL);
  send_and_hold(DeviceObject, Irp);
  return Irp->IoStatus.Status;
}

// Page wdm/nf-wdm-iosetcompletionroutineex. Here no driver goes away while its routine is still to be called.
NTSTATUS IoSetCompletionRoutineEx(PDEVICE_OBJECT, PIRP Irp, PIO_COMPLETION_ROUTINE CompletionRoutine,
                                  PVOID Context, BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError,
                                  BOOLEAN InvokeOnCancel) {
  const KernelCall call("IoSetCompletionRoutineEx", DISPATCH_LEVEL);
  if (fault_point("IoSetCompletionRoutineEx")) return STATUS_INSUFFICIENT_RESOURCES;
  IoSetCompletionRoutine(Irp, CompletionRoutine, Context, InvokeOnSuccess, InvokeOnError, InvokeOnCancel);
  return STATUS_SUCCESS;
}

// ---- device interfaces ----

// Page wdm/nf-wdm-ioregisterdeviceinterface: "\??\ROOT#NET#0000#{guid}", with the reference string behind it.
NTSTATUS IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject, const GUID* InterfaceClassGuid,
                                   PUNICODE_STRING ReferenceString, PUNICODE_STRING SymbolicLinkName) {
  const KernelCall call("IoRegisterDeviceInterface", PASSIVE_LEVEL);
  const PhysicalDevice* const device = System::current().io().physical_device(PhysicalDeviceObject);
  if (device == nullptr) return STATUS_INVALID_DEVICE_REQUEST;
  std::u16string name = u"\\??\\" + device->instance_path;
  std::replace(name.begin() + 4, name.end(), u'\\', u'#');
  name += u'#';
  name += guid_text(*InterfaceClassGuid);
  if (!view(ReferenceString).empty()) {
    name += u'\\';
    name += view(ReferenceString);
  }
  const NTSTATUS status = put_string(call.name(), SymbolicLinkName, name, true, true);
  if (!NT_SUCCESS(status)) return STATUS_INSUFFICIENT_RESOURCES;
  Io::Parts& parts = tables();
  const Hold hold(parts.lock);
  parts.interfaces[normalised(name)].device = PhysicalDeviceObject;
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-iosetdeviceinterfacestate: enabled, the name leads to the top of the device's stack.
NTSTATUS IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable) {
  const KernelCall call("IoSetDeviceInterfaceState", PASSIVE_LEVEL);
  Io::Parts& parts = tables();
  const Hold hold(parts.lock);
  const auto found = parts.interfaces.find(normalised(view(SymbolicLinkName)));
  if (found == parts.interfaces.end()) return STATUS_OBJECT_NAME_NOT_FOUND;
  if (found->second.enabled == (Enable != FALSE))
    return Enable != FALSE ? STATUS_OBJECT_NAME_EXISTS : STATUS_OBJECT_NAME_NOT_FOUND;
  found->second.enabled = Enable != FALSE;
  return STATUS_SUCCESS;
}

// Pages wdm/nf-wdm-ioinvalidatedevicestate, -ioinvalidatedevicerelations: the host has no PnP manager that
// asks again.
VOID IoInvalidateDeviceState(PDEVICE_OBJECT) {
  const KernelCall call("IoInvalidateDeviceState", DISPATCH_LEVEL);
}
VOID IoInvalidateDeviceRelations(PDEVICE_OBJECT, DEVICE_RELATION_TYPE) {
  const KernelCall call("IoInvalidateDeviceRelations", DISPATCH_LEVEL);
}

// Page wdm/nf-wdm-iowmiregistrationcontrol: nobody asks for WMI data, so registering is all there is to it.
NTSTATUS IoWMIRegistrationControl(PDEVICE_OBJECT DeviceObject, ULONG Action) {
  const KernelCall call("IoWMIRegistrationControl", PASSIVE_LEVEL);
  if (System::current().io().owner_of(DeviceObject) == nullptr) return STATUS_INVALID_PARAMETER;
  return Action <= WMIREG_ACTION_UPDATE_GUIDS || Action == 5 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
