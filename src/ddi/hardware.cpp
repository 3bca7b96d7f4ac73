// SPDX-License-Identifier: MIT
//
// Registers, ports, configuration space and shared memory of a miniport's device; NDIS 5 and 6.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "ndis/hardware.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

bool in_initialize(const Adapter& adapter) noexcept {
  return kernel::inside_callback(adapter.is_version6() ? "MiniportInitializeEx" : "MiniportInitialize",
                                 &adapter);
}

/// The page has MiniportInitialize(Ex) as the only place; what is asked for elsewhere is told and done.
void check_initializing(const DdiCall& call, const Adapter& adapter, const char* what) {
  if (!in_initialize(adapter))
    call.tell_wrong_place(WrongPlace::Kind::OutsideInitialize, &adapter,
                          fmt::format("{}: {} outside MiniportInitialize{}", adapter.name(), what,
                                      adapter.is_version6() ? "Ex" : ""));
  else if (adapter.is_version6() && !adapter.registration_attributes_set())
    call.tell_wrong_place(
        WrongPlace::Kind::BeforeAttributes, &adapter,
        fmt::format("{}: {} before the registration attributes are set", adapter.name(), what));
}

Ref<Adapter> find(const DdiCall& call, const char* argument, NDIS_HANDLE handle) {
  return call.find<Adapter>(argument, handle, HandleKind::Adapter);
}

}  // namespace

// ---- registers and ports ----

// Page    ndis/nf-ndis-ndismmapiospace                               IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMMapIoSpace(PVOID* VirtualAddress, NDIS_HANDLE MiniportAdapterHandle,
                            NDIS_PHYSICAL_ADDRESS PhysicalAddress, UINT Length) {
  const DdiCall call(Ddi::NdisMMapIoSpace);
  *VirtualAddress = nullptr;
  const Ref<Adapter> adapter = find(call, "MiniportAdapterHandle", MiniportAdapterHandle);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  check_initializing(call, *adapter, "registers are mapped");
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const auto start = static_cast<std::uint64_t>(PhysicalAddress.QuadPart);
  if (!adapter->hardware->claim(start, Length, false)) return call.returns(NDIS_STATUS_RESOURCE_CONFLICT);
  *VirtualAddress = reinterpret_cast<void*>(start);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndismunmapiospace                             IRQL  PASSIVE_LEVEL
VOID NdisMUnmapIoSpace(NDIS_HANDLE MiniportAdapterHandle, PVOID VirtualAddress, UINT Length) {
  const DdiCall call(Ddi::NdisMUnmapIoSpace);
  const Ref<Adapter> adapter = find(call, "MiniportAdapterHandle", MiniportAdapterHandle);
  if (adapter && !adapter->hardware->unclaim(reinterpret_cast<std::uint64_t>(VirtualAddress), Length, false))
    report_misuse(Misuse::BadParameter, call.name(), VirtualAddress,
                  fmt::format("{}: {} bytes at {} were not mapped by NdisMMapIoSpace", adapter->name(),
                              Length, VirtualAddress));
}

// Page    ndis/nf-ndis-ndismregisterioportrange                      IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMRegisterIoPortRange(PVOID* PortOffset, NDIS_HANDLE MiniportAdapterHandle, UINT InitialPort,
                                     UINT NumberOfPorts) {
  const DdiCall call(Ddi::NdisMRegisterIoPortRange);
  *PortOffset = nullptr;
  const Ref<Adapter> adapter = find(call, "MiniportAdapterHandle", MiniportAdapterHandle);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  check_initializing(call, *adapter, "ports are registered");
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  if (!adapter->hardware->claim(InitialPort, NumberOfPorts, true))
    return call.returns(NDIS_STATUS_RESOURCE_CONFLICT);
  *PortOffset = reinterpret_cast<void*>(static_cast<std::uintptr_t>(InitialPort));
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndismderegisterioportrange                    IRQL  PASSIVE_LEVEL
VOID NdisMDeregisterIoPortRange(NDIS_HANDLE MiniportAdapterHandle, UINT InitialPort, UINT NumberOfPorts,
                                PVOID PortOffset) {
  const DdiCall call(Ddi::NdisMDeregisterIoPortRange);
  const Ref<Adapter> adapter = find(call, "MiniportAdapterHandle", MiniportAdapterHandle);
  if (!adapter) return;
  const bool same = reinterpret_cast<std::uintptr_t>(PortOffset) == InitialPort;
  if (!same || !adapter->hardware->unclaim(InitialPort, NumberOfPorts, true))
    report_misuse(Misuse::BadParameter, call.name(), PortOffset,
                  fmt::format("{}: {} ports at {:#x} were not registered by NdisMRegisterIoPortRange",
                              adapter->name(), NumberOfPorts, InitialPort));
}

// ---- configuration space ----

// Page    ndis/nf-ndis-ndismgetbusdata                               IRQL  any
ULONG NdisMGetBusData(NDIS_HANDLE NdisMiniportHandle, ULONG WhichSpace, ULONG Offset, PVOID Buffer,
                      ULONG Length) {
  const DdiCall call(Ddi::NdisMGetBusData);
  const Ref<Adapter> adapter = find(call, "NdisMiniportHandle", NdisMiniportHandle);
  if (!adapter || adapter->hardware->device() == nullptr || WhichSpace != PCI_WHICHSPACE_CONFIG) return 0;
  return static_cast<ULONG>(adapter->hardware->device()->read_config(Offset, Buffer, Length));
}

// Page    ndis/nf-ndis-ndismsetbusdata                               IRQL  any
ULONG NdisMSetBusData(NDIS_HANDLE NdisMiniportHandle, ULONG WhichSpace, ULONG Offset, PVOID Buffer,
                      ULONG Length) {
  const DdiCall call(Ddi::NdisMSetBusData);
  const Ref<Adapter> adapter = find(call, "NdisMiniportHandle", NdisMiniportHandle);
  if (!adapter || adapter->hardware->device() == nullptr || WhichSpace != PCI_WHICHSPACE_CONFIG) return 0;
  return static_cast<ULONG>(adapter->hardware->device()->write_config(Offset, Buffer, Length));
}

// Page    none is left (NDIS 5); NdisMGetBusData has taken its place. SlotNumber is ignored: the adapter's
// own device is meant.
ULONG NTAPI NdisReadPciSlotInformation(NDIS_HANDLE NdisAdapterHandle, ULONG, ULONG Offset, PVOID Buffer,
                                       ULONG Length) {
  const DdiCall call(Ddi::NdisReadPciSlotInformation);
  const Ref<Adapter> adapter = find(call, "NdisAdapterHandle", NdisAdapterHandle);
  if (!adapter || adapter->hardware->device() == nullptr) return 0;
  return static_cast<ULONG>(adapter->hardware->device()->read_config(Offset, Buffer, Length));
}

ULONG NTAPI NdisWritePciSlotInformation(NDIS_HANDLE NdisAdapterHandle, ULONG, ULONG Offset, PVOID Buffer,
                                        ULONG Length) {
  const DdiCall call(Ddi::NdisWritePciSlotInformation);
  const Ref<Adapter> adapter = find(call, "NdisAdapterHandle", NdisAdapterHandle);
  if (!adapter || adapter->hardware->device() == nullptr) return 0;
  return static_cast<ULONG>(adapter->hardware->device()->write_config(Offset, Buffer, Length));
}

// ---- memory shared with the device ----

// Page    ndis/nf-ndis-ndismallocatesharedmemory                     IRQL  PASSIVE_LEVEL
VOID NdisMAllocateSharedMemory(NDIS_HANDLE MiniportAdapterHandle, ULONG Length, BOOLEAN,
                               PVOID* VirtualAddress, PNDIS_PHYSICAL_ADDRESS PhysicalAddress) {
  const DdiCall call(Ddi::NdisMAllocateSharedMemory);
  *VirtualAddress = nullptr;
  PhysicalAddress->QuadPart = 0;
  const Ref<Adapter> adapter = find(call, "MiniportAdapterHandle", MiniportAdapterHandle);
  if (!adapter) return;
  AdapterHardware& hardware = *adapter->hardware;
  if (adapter->is_version6() && hardware.dma_channels == 0) {
    call.tell_wrong_place(
        WrongPlace::Kind::BeforeAttributes, adapter.get(),
        fmt::format("{}: shared memory is asked for before NdisMRegisterScatterGatherDma", adapter->name()));
    return;
  }
  check_initializing(call, *adapter, "shared memory is allocated");
  if (call.fails()) return;
  *VirtualAddress = hardware.allocate_shared(Length, !hardware.dma64);
  PhysicalAddress->QuadPart = reinterpret_cast<LONGLONG>(*VirtualAddress);
}

// Page    ndis/nf-ndis-ndismfreesharedmemory                         IRQL  <= DISPATCH_LEVEL
VOID NdisMFreeSharedMemory(NDIS_HANDLE MiniportAdapterHandle, ULONG Length, BOOLEAN, PVOID VirtualAddress,
                           NDIS_PHYSICAL_ADDRESS PhysicalAddress) {
  const DdiCall call(Ddi::NdisMFreeSharedMemory);
  const Ref<Adapter> adapter = find(call, "MiniportAdapterHandle", MiniportAdapterHandle);
  if (!adapter) return;
  if (kernel::inside_callback("MiniportShutdownEx", adapter.get()))
    call.tell_wrong_place(
        WrongPlace::Kind::InShutdown, adapter.get(),
        fmt::format("{}: shared memory is freed in MiniportShutdownEx, where nothing is to be freed",
                    adapter->name()));
  const bool matches = PhysicalAddress.QuadPart == reinterpret_cast<LONGLONG>(VirtualAddress);
  const auto freed =
      matches ? adapter->hardware->free_shared(VirtualAddress, Length) : AdapterHardware::Freed::NotShared;
  if (freed != AdapterHardware::Freed::Yes)
    report_misuse(
        Misuse::DmaMisuse, call.name(), VirtualAddress,
        freed == AdapterHardware::Freed::WrongLength
            ? fmt::format("{}: the shared memory at {} was not allocated with {} bytes", adapter->name(),
                          VirtualAddress, Length)
            : fmt::format("{}: {} (physical {:#x}) is no shared memory of the adapter, or was freed already",
                          adapter->name(), VirtualAddress,
                          static_cast<std::uint64_t>(PhysicalAddress.QuadPart)));
}
