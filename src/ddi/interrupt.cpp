// SPDX-License-Identifier: MIT
//
// Interrupts of NDIS 6 miniports.
//
// Beyond  An adapter without a device, or a device without an interrupt, gives NDIS_STATUS_RESOURCE_CONFLICT;
// so does a second
//         registration, of which the page says nothing. docs/decisions.md#interrupts
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "ndis/hardware.h"
#include "ndis/interrupt.h"

using namespace undis;

namespace {

bool in_initialize(const Adapter& adapter) noexcept {
  return kernel::inside_callback("MiniportInitializeEx", &adapter);
}

bool is_complete(const NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS& c) noexcept {
  if (c.Header.Type != NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT ||
      c.Header.Revision < NDIS_MINIPORT_INTERRUPT_REVISION_1 ||
      c.Header.Size < NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1)
    return false;
  const bool line = c.InterruptHandler != nullptr && c.InterruptDpcHandler != nullptr;
  return line && (c.MsiSupported == FALSE ||
                  (c.MessageInterruptHandler != nullptr && c.MessageInterruptDpcHandler != nullptr));
}

}  // namespace

// Page    ndis/nf-ndis-ndismregisterinterruptex                      IRQL  PASSIVE_LEVEL
NDIS_STATUS
NdisMRegisterInterruptEx(NDIS_HANDLE MiniportAdapterHandle, NDIS_HANDLE MiniportInterruptContext,
                         PNDIS_MINIPORT_INTERRUPT_CHARACTERISTICS MiniportInterruptCharacteristics,
                         PNDIS_HANDLE NdisInterruptHandle) {
  const DdiCall call(Ddi::NdisMRegisterInterruptEx);
  if (NdisInterruptHandle == nullptr) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  *NdisInterruptHandle = nullptr;
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || MiniportInterruptCharacteristics == nullptr ||
      !is_complete(*MiniportInterruptCharacteristics))
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (!in_initialize(*adapter)) {
    call.tell_wrong_place(
        WrongPlace::Kind::OutsideInitialize, adapter.get(),
        fmt::format("{}: an interrupt is registered outside MiniportInitializeEx", adapter->name()));
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (!adapter->registration_attributes_set())
    call.tell_wrong_place(
        WrongPlace::Kind::BeforeAttributes, adapter.get(),
        fmt::format("{}: the interrupt is registered before the registration attributes are set",
                    adapter->name()));
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  for (const Ref<Service>& other : Library::current().services().made_for(adapter.get()))
    if (other->handle_kind() == HandleKind::Interrupt) return call.returns(NDIS_STATUS_RESOURCE_CONFLICT);

  const Ref<Interrupt> interrupt(
      new Interrupt(*adapter, MiniportInterruptContext, *MiniportInterruptCharacteristics));
  if (!Library::current().services().open(*interrupt)) return call.returns(NDIS_STATUS_RESOURCES);
  *NdisInterruptHandle = interrupt->handle();  // its service may come before this call returns
  const NDIS_STATUS status = interrupt->connect(*MiniportInterruptCharacteristics);
  if (status != NDIS_STATUS_SUCCESS) {
    *NdisInterruptHandle = nullptr;
    Library::current().services().close(*interrupt);
  }
  return call.returns(status);
}

// Page    ndis/nf-ndis-ndismderegisterinterruptex                    IRQL  PASSIVE_LEVEL
VOID NdisMDeregisterInterruptEx(NDIS_HANDLE NdisInterruptHandle) {
  const DdiCall call(Ddi::NdisMDeregisterInterruptEx);
  const Ref<Interrupt> interrupt =
      call.find<Interrupt>("NdisInterruptHandle", NdisInterruptHandle, HandleKind::Interrupt);
  if (!interrupt) return;
  if (!in_initialize(interrupt->adapter()) &&
      !kernel::inside_callback("MiniportHaltEx", &interrupt->adapter()))
    call.tell_wrong_place(
        WrongPlace::Kind::OutsideInitialize, &interrupt->adapter(),
        fmt::format("{}: the interrupt is deregistered outside MiniportHaltEx and MiniportInitializeEx",
                    interrupt->adapter().name()));
  interrupt->disconnect();
  Library::current().services().close(*interrupt);
}

// Page    ndis/nf-ndis-ndismsynchronizewithinterruptex               IRQL  <= DIRQL
BOOLEAN NdisMSynchronizeWithInterruptEx(NDIS_HANDLE NdisInterruptHandle, ULONG MessageId,
                                        MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER SynchronizeFunction,
                                        PVOID SynchronizeContext) {
  const DdiCall call(Ddi::NdisMSynchronizeWithInterruptEx);
  const Ref<Interrupt> interrupt =
      call.find<Interrupt>("NdisInterruptHandle", NdisInterruptHandle, HandleKind::Interrupt);
  if (!interrupt || SynchronizeFunction == nullptr) return FALSE;
  return interrupt->synchronize(MessageId, SynchronizeFunction, SynchronizeContext, call.name());
}

// Page    ndis/nf-ndis-ndismqueuedpc                                 IRQL  any
ULONG NdisMQueueDpc(NDIS_HANDLE NdisInterruptHandle, ULONG MessageId, ULONG TargetProcessors,
                    PVOID MiniportDpcContext) {
  const DdiCall call(Ddi::NdisMQueueDpc);
  const Ref<Interrupt> interrupt =
      call.find<Interrupt>("NdisInterruptHandle", NdisInterruptHandle, HandleKind::Interrupt);
  return interrupt
             ? static_cast<ULONG>(interrupt->queue_dpcs(MessageId, TargetProcessors, MiniportDpcContext))
             : 0;
}

// Page    ndis/nf-ndis-ndismqueuedpcex                               IRQL  any
KAFFINITY NdisMQueueDpcEx(NDIS_HANDLE NdisInterruptHandle, ULONG MessageId, PGROUP_AFFINITY TargetProcessors,
                          PVOID MiniportDpcContext) {
  const DdiCall call(Ddi::NdisMQueueDpcEx);
  const Ref<Interrupt> interrupt =
      call.find<Interrupt>("NdisInterruptHandle", NdisInterruptHandle, HandleKind::Interrupt);
  if (!interrupt || TargetProcessors == nullptr || TargetProcessors->Group != 0)
    return 0;  // there is one group here
  return interrupt->queue_dpcs(MessageId, TargetProcessors->Mask, MiniportDpcContext);
}

// Page    ndis/nf-ndis-ndismconfigmsixtableentry                     IRQL  any
NDIS_STATUS NdisMConfigMSIXTableEntry(NDIS_HANDLE NdisMiniportHandle,
                                      PNDIS_MSIX_CONFIG_PARAMETERS MSIXConfigParameters) {
  const DdiCall call(Ddi::NdisMConfigMSIXTableEntry);
  const Ref<Adapter> adapter =
      call.find<Adapter>("NdisMiniportHandle", NdisMiniportHandle, HandleKind::Adapter);
  const NDIS_MSIX_CONFIG_PARAMETERS* const p = MSIXConfigParameters;
  if (!adapter || p == nullptr || p->Header.Revision < NDIS_MSIX_CONFIG_PARAMETERS_REVISION_1 ||
      p->Header.Size < NDIS_SIZEOF_MSIX_CONFIG_PARAMETERS_REVISION_1)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  kernel::PciDevice* const device = adapter->hardware->device();
  if (device == nullptr) return call.returns(NDIS_STATUS_NOT_SUPPORTED);
  bool done = false;
  switch (p->ConfigOperation) {
  case NdisMSIXTableConfigSetTableEntry:
    done = device->set_table_entry(p->TableEntry, p->MessageNumber);
    break;
  case NdisMSIXTableConfigMaskTableEntry:
    done = device->mask_table_entry(p->TableEntry, true);
    break;
  case NdisMSIXTableConfigUnmaskTableEntry:
    done = device->mask_table_entry(p->TableEntry, false);
    break;
  default:
    break;
  }
  return call.returns(done ? NDIS_STATUS_SUCCESS : NDIS_STATUS_INVALID_PARAMETER);
}
