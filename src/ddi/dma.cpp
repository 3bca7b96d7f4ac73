// SPDX-License-Identifier: MIT
//
// Scatter/gather DMA of NDIS 6: the channel, lists of NET_BUFFERs, lists of MDLs, shared memory that comes
// later.
//
// Beyond  System DMA (NdisMRegisterDmaChannel) is not there: the simulated board has no such controller.
// docs/decisions.md#system-dma
#include <fmt/format.h>

#include "ddi/caller_handle.h"
#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/system.h"
#include "ndis/callbacks.h"
#include "ndis/dma.h"
#include "ndis/hardware.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

constexpr ULONG kCacheLine = 64;

Ref<ScatterGatherDma> find(const DdiCall& call, const char* argument, NDIS_HANDLE handle) {
  return call.find<ScatterGatherDma>(argument, handle, HandleKind::Dma);
}

}  // namespace

// Page    ndis/nf-ndis-ndismregisterscattergatherdma                 IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMRegisterScatterGatherDma(NDIS_HANDLE MiniportAdapterHandle,
                                          PNDIS_SG_DMA_DESCRIPTION DmaDescription,
                                          PNDIS_HANDLE NdisMiniportDmaHandle) {
  const DdiCall call(Ddi::NdisMRegisterScatterGatherDma);
  if (NdisMiniportDmaHandle == nullptr) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  *NdisMiniportDmaHandle = nullptr;
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  const NDIS_SG_DMA_DESCRIPTION* const d = DmaDescription;
  if (!adapter || d == nullptr || d->Header.Type != NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION ||
      d->Header.Revision < NDIS_SG_DMA_DESCRIPTION_REVISION_1 ||
      d->Header.Size < NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1 || d->ProcessSGListHandler == nullptr)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (!kernel::inside_callback("MiniportInitializeEx", adapter.get())) {
    call.tell_wrong_place(
        WrongPlace::Kind::OutsideInitialize, adapter.get(),
        fmt::format("{}: a DMA channel is registered outside MiniportInitializeEx", adapter->name()));
    return call.returns(NDIS_STATUS_FAILURE);
  }
  if (!adapter->registration_attributes_set())
    call.tell_wrong_place(
        WrongPlace::Kind::BeforeAttributes, adapter.get(),
        fmt::format("{}: the DMA channel is registered before the registration attributes are set",
                    adapter->name()));
  if ((adapter->attribute_flags() & NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER) == 0)
    return call.returns(NDIS_STATUS_NOT_SUPPORTED);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const Ref<ScatterGatherDma> dma(new ScatterGatherDma(*adapter, *d));
  if (!Library::current().services().open(*dma)) return call.returns(NDIS_STATUS_RESOURCES);
  ++adapter->hardware->dma_channels;
  adapter->hardware->dma64 = !dma->low();
  DmaDescription->ScatterGatherListSize = static_cast<ULONG>(most_list_size(d->MaximumPhysicalMapping));
  *NdisMiniportDmaHandle = dma->handle();
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndismderegisterscattergatherdma               IRQL  PASSIVE_LEVEL
VOID NdisMDeregisterScatterGatherDma(NDIS_HANDLE NdisMiniportDmaHandle) {
  const DdiCall call(Ddi::NdisMDeregisterScatterGatherDma);
  const Ref<ScatterGatherDma> dma = find(call, "NdisMiniportDmaHandle", NdisMiniportDmaHandle);
  if (!dma) return;
  if (const std::size_t left = dma->lists(); left != 0)
    report_misuse(Misuse::DmaMisuse, call.name(), NdisMiniportDmaHandle,
                  fmt::format("{}: the channel is deregistered with {} scatter/gather lists not freed",
                              dma->adapter().name(), left),
                  dma->origin());
  if (dma->adapter().hardware->dma_channels != 0) --dma->adapter().hardware->dma_channels;
  Library::current().services().take_away(*dma);
}

// Page    ndis/nf-ndis-ndismallocatenetbuffersglist                  IRQL  DISPATCH_LEVEL
NDIS_STATUS NdisMAllocateNetBufferSGList(NDIS_HANDLE NdisMiniportDmaHandle, PNET_BUFFER NetBuffer,
                                         PVOID Context, ULONG Flags, PVOID ScatterGatherListBuffer,
                                         ULONG ScatterGatherListBufferSize) {
  const DdiCall call(Ddi::NdisMAllocateNetBufferSGList);
  const Ref<ScatterGatherDma> dma = find(call, "NdisMiniportDmaHandle", NdisMiniportDmaHandle);
  if (!dma || NetBuffer == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);  // for the callback, also where the caller was too low
  return call.returns(dma->allocate(NetBuffer, Context, (Flags & NDIS_SG_LIST_WRITE_TO_DEVICE) == 0,
                                    ScatterGatherListBuffer, ScatterGatherListBufferSize));
}

// Page    ndis/nf-ndis-ndismfreenetbuffersglist                      IRQL  DISPATCH_LEVEL
VOID NdisMFreeNetBufferSGList(NDIS_HANDLE NdisMiniportDmaHandle, PSCATTER_GATHER_LIST pSGL,
                              PNET_BUFFER NetBuffer) {
  const DdiCall call(Ddi::NdisMFreeNetBufferSGList);
  const Ref<ScatterGatherDma> dma = find(call, "NdisMiniportDmaHandle", NdisMiniportDmaHandle);
  if (dma && !dma->free(pSGL, NetBuffer))
    report_misuse(
        Misuse::DmaMisuse, call.name(), pSGL,
        fmt::format("{}: no scatter/gather list of this NET_BUFFER is at {}, or it was freed already",
                    dma->adapter().name(), static_cast<const void*>(pSGL)));
}

// Page    ndis/nf-ndis-ndismgetdmaalignment                          IRQL  PASSIVE_LEVEL
ULONG NdisMGetDmaAlignment(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMGetDmaAlignment);
  call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  return kCacheLine;
}

// ---- shared memory that comes later ----

// Page    ndis/nf-ndis-ndismallocatesharedmemoryasyncex              IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisMAllocateSharedMemoryAsyncEx(NDIS_HANDLE MiniportDmaHandle, ULONG Length, BOOLEAN,
                                             PVOID Context) {
  const DdiCall call(Ddi::NdisMAllocateSharedMemoryAsyncEx);
  const Ref<ScatterGatherDma> dma = find(call, "MiniportDmaHandle", MiniportDmaHandle);
  if (!dma || !dma->shared_memory_complete() || call.fails()) return call.returns(NDIS_STATUS_FAILURE);
  kernel::queue_work("shared memory", [dma, Length, Context] {
    Adapter& adapter = dma->adapter();
    void* const memory = adapter.hardware->allocate_shared(Length, dma->low());
    NDIS_PHYSICAL_ADDRESS physical{};
    physical.QuadPart = reinterpret_cast<LONGLONG>(memory);
    kernel::call_driver(&adapter.driver().driver(), callbacks::kMiniportSharedMemoryAllocateComplete,
                        &adapter, Context, dma->shared_memory_complete(), adapter.context(), memory,
                        memory != nullptr ? &physical : nullptr, Length, Context);
  });
  return call.returns(NDIS_STATUS_PENDING);
}

// ---- lists of MDLs, for any driver ----

// Page    ndis/nf-ndis-ndisbuildscattergatherlist                    IRQL  DISPATCH_LEVEL
NDIS_STATUS NdisBuildScatterGatherList(NDIS_HANDLE NdisHandle,
                                       PNDIS_SCATTER_GATHER_LIST_PARAMETERS SGListParameters) {
  const DdiCall call(Ddi::NdisBuildScatterGatherList);
  NDIS_SCATTER_GATHER_LIST_PARAMETERS* const p = SGListParameters;
  if (!check_caller_handle(call, "NdisHandle", NdisHandle) || p == nullptr || p->Mdl == nullptr ||
      p->ProcessSGListHandler == nullptr || p->ScatterGatherListBuffer == nullptr)
    return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  const auto* const start = static_cast<const std::byte*>(MmGetMdlVirtualAddress(p->Mdl));
  const auto* const at = static_cast<const std::byte*>(p->CurrentVa);
  if (at < start) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  if (call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  // The list is the buffer; nothing else stays behind, so nothing is mapped for one device.
  const DmaMap map(nullptr, call.driver(), p->Mdl, static_cast<std::size_t>(at - start), p->Length,
                   (p->Flags & NDIS_SG_LIST_PARAMETERS_WRITE_TO_DEVICE) == 0, false);
  if (!map.valid()) return call.returns(NDIS_STATUS_INVALID_PARAMETER);
  p->ScatterGatherListBufferSizeNeeded = static_cast<ULONG>(map.list_size());
  if (p->ScatterGatherListBufferSize < map.list_size()) return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
  map.write(p->ScatterGatherListBuffer);
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);
  const kernel::callback<NDIS_PROCESS_SG_LIST> process(p->ProcessSGListHandler);
  kernel::call_driver(&call.driver(), callbacks::kNetProcessSGList, p->Mdl, p->Context, process, nullptr,
                      nullptr, p->ScatterGatherListBuffer, p->Context);
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisfreescattergatherlist                     IRQL  DISPATCH_LEVEL
VOID NdisFreeScatterGatherList(NDIS_HANDLE NdisHandle, PSCATTER_GATHER_LIST ScatterGatherListBuffer,
                               BOOLEAN) {
  const DdiCall call(Ddi::NdisFreeScatterGatherList);
  check_caller_handle(call, "NdisHandle", NdisHandle);
  if (ScatterGatherListBuffer == nullptr)
    report_misuse(Misuse::BadParameter, call.name(), nullptr,
                  "ScatterGatherListBuffer is NULL; it must be the buffer that the list was built in");
}
