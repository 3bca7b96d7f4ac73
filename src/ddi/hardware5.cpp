// SPDX-License-Identifier: MIT
//
// Hardware of NDIS 5 miniports: resources, interrupts, scatter/gather lists and map registers, shared memory
// that comes later.
//
// The pages of these functions are not published any more; what each does is that of the NDIS 5.1 DDK's
// description, in our words. Beyond  A map register maps one buffer, whatever its size up to the largest that
// was named; there are 64.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "ndis/callbacks.h"
#include "ndis/dma.h"
#include "ndis/hardware.h"
#include "ndis/interrupt5.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

constexpr UINT kMapRegisters = 64;

Ref<Adapter> find(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<Adapter>("MiniportAdapterHandle", handle, HandleKind::Adapter);
}

}  // namespace

// ---- resources ----

// IRQL  PASSIVE_LEVEL, in MiniportInitialize
VOID NTAPI NdisMQueryAdapterResources(PNDIS_STATUS Status, NDIS_HANDLE WrapperConfigurationContext,
                                      PNDIS_RESOURCE_LIST ResourceList, PUINT BufferSize) {
  const DdiCall call(Ddi::NdisMQueryAdapterResources);
  const HandleView found = Library::current().handles().view(WrapperConfigurationContext);
  if (found.kind != HandleKind::ConfigurationKey || !found.open) {
    call.tell_misuse("WrapperConfigurationContext", WrapperConfigurationContext, HandleKind::ConfigurationKey,
                     found);
    *Status = call.returns(NDIS_STATUS_FAILURE);
    return;
  }
  AdapterHardware& hardware = *static_cast<Adapter*>(found.object)->hardware;
  const NDIS_RESOURCE_LIST* const list = hardware.resources();
  if (list == nullptr) {
    *Status = call.returns(NDIS_STATUS_FAILURE);
    return;
  }
  const auto needed = static_cast<UINT>(hardware.resources_size());
  const bool fits = *BufferSize >= needed && ResourceList != nullptr;
  if (fits) std::memcpy(ResourceList, list, needed);
  *BufferSize = needed;
  *Status = call.returns(fits ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCES);
}

// IRQL  PASSIVE_LEVEL, in MiniportInitialize
NDIS_STATUS NTAPI NdisMPciAssignResources(NDIS_HANDLE MiniportAdapterHandle, ULONG,
                                          PNDIS_RESOURCE_LIST* AssignedResources) {
  const DdiCall call(Ddi::NdisMPciAssignResources);
  *AssignedResources = nullptr;
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter || call.fails()) return call.returns(NDIS_STATUS_FAILURE);
  *AssignedResources = adapter->hardware->resources();
  return call.returns(*AssignedResources != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE);
}

// ---- interrupts ----

// IRQL  PASSIVE_LEVEL, in MiniportInitialize
NDIS_STATUS NTAPI NdisMRegisterInterrupt(PNDIS_MINIPORT_INTERRUPT Interrupt,
                                         NDIS_HANDLE MiniportAdapterHandle, UINT InterruptVector, UINT,
                                         BOOLEAN RequestIsr, BOOLEAN SharedInterrupt, NDIS_INTERRUPT_MODE) {
  const DdiCall call(Ddi::NdisMRegisterInterrupt);
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter || Interrupt == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (!kernel::inside_callback("MiniportInitialize", adapter.get()))
    call.tell_wrong_place(
        WrongPlace::Kind::OutsideInitialize, adapter.get(),
        fmt::format("{}: an interrupt is registered outside MiniportInitialize", adapter->name()));
  const MiniportHandlers5& handlers = adapter->driver().handlers5();
  const bool asks_isr = RequestIsr != FALSE || SharedInterrupt != FALSE;
  if (!handlers.HandleInterrupt || (asks_isr && !handlers.Isr) || (!asks_isr && !handlers.DisableInterrupt)) {
    report_misuse(Misuse::BadParameter, call.name(), Interrupt,
                  fmt::format("{}: the characteristics have no {}, which this interrupt needs",
                              adapter->name(),
                              !handlers.HandleInterrupt ? "HandleInterruptHandler"
                              : asks_isr                ? "ISRHandler"
                                                        : "DisableInterruptHandler"));
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  *Interrupt = {};
  Interrupt->Miniport = static_cast<PNDIS_MINIPORT_BLOCK>(MiniportAdapterHandle);
  Interrupt->SharedInterrupt = SharedInterrupt;
  Interrupt->IsrRequested = RequestIsr;
  const Ref<Interrupt5> made(new Interrupt5(*adapter, Interrupt, asks_isr));
  if (!Library::current().services().open(*made)) return call.returns(NDIS_STATUS_RESOURCES);
  if (made->connect(InterruptVector)) return call.returns(NDIS_STATUS_SUCCESS);
  Library::current().services().close(*made);
  return call.returns(NDIS_STATUS_RESOURCE_CONFLICT);
}

// IRQL  PASSIVE_LEVEL, in MiniportHalt or a failing MiniportInitialize
VOID NTAPI NdisMDeregisterInterrupt(PNDIS_MINIPORT_INTERRUPT Interrupt) {
  const DdiCall call(Ddi::NdisMDeregisterInterrupt);
  const Ref<Interrupt5> found = Interrupt5::of(Interrupt);
  if (!found) {
    report_misuse(Misuse::BadParameter, call.name(), Interrupt,
                  "no interrupt is registered with this NDIS_MINIPORT_INTERRUPT");
    return;
  }
  found->disconnect();
  Library::current().services().close(*found);
}

// IRQL  <= DIRQL
BOOLEAN NTAPI NdisMSynchronizeWithInterrupt(PNDIS_MINIPORT_INTERRUPT Interrupt, PVOID SynchronizeFunction,
                                            PVOID SynchronizeContext) {
  const DdiCall call(Ddi::NdisMSynchronizeWithInterrupt);
  const Ref<Interrupt5> found = Interrupt5::of(Interrupt);
  if (!found) {
    report_misuse(Misuse::BadParameter, call.name(), Interrupt,
                  "no interrupt is registered with this NDIS_MINIPORT_INTERRUPT");
    return FALSE;
  }
  return found->synchronize(SynchronizeFunction, SynchronizeContext, call.name()) ? TRUE : FALSE;
}

// ---- scatter/gather lists and map registers ----

// IRQL  PASSIVE_LEVEL, in MiniportInitialize
NDIS_STATUS NTAPI NdisMInitializeScatterGatherDma(NDIS_HANDLE MiniportAdapterHandle,
                                                  BOOLEAN Dma64BitAddresses, ULONG) {
  const DdiCall call(Ddi::NdisMInitializeScatterGatherDma);
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  if ((adapter->attribute_flags() & NDIS_ATTRIBUTE_BUS_MASTER) == 0)
    return call.returns(NDIS_STATUS_NOT_SUPPORTED);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  adapter->hardware->scatter_gather5 = true;
  adapter->hardware->dma64 = Dma64BitAddresses != FALSE;
  return call.returns(NDIS_STATUS_SUCCESS);
}

// IRQL  PASSIVE_LEVEL, in MiniportInitialize
NDIS_STATUS NTAPI NdisMAllocateMapRegisters(NDIS_HANDLE MiniportAdapterHandle, UINT, NDIS_DMA_SIZE DmaSize,
                                            ULONG PhysicalMapRegistersNeeded, ULONG) {
  const DdiCall call(Ddi::NdisMAllocateMapRegisters);
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter) return call.returns(NDIS_STATUS_FAILURE);
  AdapterHardware& hardware = *adapter->hardware;
  if (PhysicalMapRegistersNeeded > kMapRegisters || !hardware.map_registers.empty() || call.fails())
    return call.returns(NDIS_STATUS_RESOURCES);
  hardware.map_registers.resize(PhysicalMapRegistersNeeded);
  hardware.dma64 = DmaSize == NDIS_DMA_64BITS;
  return call.returns(NDIS_STATUS_SUCCESS);
}

// IRQL  PASSIVE_LEVEL
VOID NTAPI NdisMFreeMapRegisters(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMFreeMapRegisters);
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter) return;
  auto& registers = adapter->hardware->map_registers;
  if (const auto used = std::ranges::count_if(registers, [](const auto& map) { return map != nullptr; });
      used != 0)
    report_misuse(
        Misuse::DmaMisuse, call.name(), nullptr,
        fmt::format("{}: map registers are freed while {} of them map buffers", adapter->name(), used));
  registers.clear();
}

// IRQL  PASSIVE_LEVEL
NDIS_STATUS NTAPI NdisQueryMapRegisterCount(NDIS_INTERFACE_TYPE, PUINT MapRegisterCount) {
  const DdiCall call(Ddi::NdisQueryMapRegisterCount);
  *MapRegisterCount = kMapRegisters;
  return call.returns(NDIS_STATUS_SUCCESS);
}

// IRQL  DISPATCH_LEVEL
VOID NTAPI NdisMStartBufferPhysicalMapping(NDIS_HANDLE MiniportAdapterHandle, PNDIS_BUFFER Buffer,
                                           ULONG PhysicalMapRegister, BOOLEAN WriteToDevice,
                                           PNDIS_PHYSICAL_ADDRESS_UNIT PhysicalAddressArray,
                                           PUINT ArraySize) {
  const DdiCall call(Ddi::NdisMStartBufferPhysicalMapping);
  *ArraySize = 0;
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter) return;
  AdapterHardware& hardware = *adapter->hardware;
  if (PhysicalMapRegister >= hardware.map_registers.size() ||
      hardware.map_registers[PhysicalMapRegister] != nullptr) {
    report_misuse(Misuse::DmaMisuse, call.name(), Buffer,
                  fmt::format("{}: map register {} {}", adapter->name(), PhysicalMapRegister,
                              PhysicalMapRegister >= hardware.map_registers.size()
                                  ? "was not allocated"
                                  : "maps a buffer already"));
    return;
  }
  auto map = std::make_shared<DmaMap>(hardware.device(), adapter->driver().driver(), Buffer, 0,
                                      Buffer->ByteCount, WriteToDevice == FALSE, !hardware.dma64);
  if (!map->valid()) return;
  for (const SCATTER_GATHER_ELEMENT& element : map->elements()) {
    PhysicalAddressArray[*ArraySize].PhysicalAddress = element.Address;
    PhysicalAddressArray[*ArraySize].Length = element.Length;
    ++*ArraySize;
  }
  hardware.map_registers[PhysicalMapRegister] = std::move(map);
}

// IRQL  DISPATCH_LEVEL
VOID NTAPI NdisMCompleteBufferPhysicalMapping(NDIS_HANDLE MiniportAdapterHandle, PNDIS_BUFFER Buffer,
                                              ULONG PhysicalMapRegister) {
  const DdiCall call(Ddi::NdisMCompleteBufferPhysicalMapping);
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter) return;
  auto& registers = adapter->hardware->map_registers;
  if (PhysicalMapRegister >= registers.size() || registers[PhysicalMapRegister] == nullptr) {
    report_misuse(Misuse::DmaMisuse, call.name(), Buffer,
                  fmt::format("{}: map register {} maps nothing", adapter->name(), PhysicalMapRegister));
    return;
  }
  registers[PhysicalMapRegister] = nullptr;
}

// ---- shared memory that comes later ----

// IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NTAPI NdisMAllocateSharedMemoryAsync(NDIS_HANDLE MiniportAdapterHandle, ULONG Length, BOOLEAN,
                                                 PVOID Context) {
  const DdiCall call(Ddi::NdisMAllocateSharedMemoryAsync);
  const Ref<Adapter> adapter = find(call, MiniportAdapterHandle);
  if (!adapter || !adapter->driver().handlers5().AllocateComplete || call.fails())
    return call.returns(NDIS_STATUS_FAILURE);
  kernel::queue_work("shared memory", [adapter, Length, Context] {
    void* const memory = adapter->hardware->allocate_shared(Length, !adapter->hardware->dma64);
    NDIS_PHYSICAL_ADDRESS physical{};
    physical.QuadPart = reinterpret_cast<LONGLONG>(memory);
    kernel::call_driver(&adapter->driver().driver(), callbacks::kMiniportAllocateComplete, adapter.get(),
                        Context, adapter->driver().handlers5().AllocateComplete, adapter->context(), memory,
                        memory != nullptr ? &physical : nullptr, Length, Context);
  });
  return call.returns(NDIS_STATUS_PENDING);
}
