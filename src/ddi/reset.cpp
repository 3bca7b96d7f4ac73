// SPDX-License-Identifier: MIT
//
// Resets: asked for by a miniport or by a 5.x protocol, and their completion.
#include "ddi/ddi_call.h"
#include "kernel/thread.h"
#include "ndis/binding.h"

using namespace undis;

// Page    ndis/nf-ndis-ndismresetcomplete          IRQL  <= DISPATCH_LEVEL; a driver of NDIS 5:
// DISPATCH_LEVEL
VOID NTAPI NdisMResetComplete(NDIS_HANDLE MiniportAdapterHandle, NDIS_STATUS Status,
                              BOOLEAN AddressingReset) {
  const DdiCall call(Ddi::NdisMResetComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter) return;
  if (kernel::Thread::current().spin_locks() != 0)
    call.tell_breach("LIFE-184", adapter->name(), "it is called with a spin lock held");
  if (!adapter->is_version6() && kernel::irql() != DISPATCH_LEVEL)
    call.tell_breach("LIFE-184", adapter->name(), "a driver of NDIS 5 calls it at DISPATCH_LEVEL");
  if (Status == NDIS_STATUS_PENDING)
    call.tell_bad_status(adapter.get(), adapter->name(), Status, "any final status, not NDIS_STATUS_PENDING");
  if (!adapter->reset.complete(Status == NDIS_STATUS_PENDING ? NDIS_STATUS_HARD_ERRORS : Status,
                               AddressingReset != FALSE))
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "no reset is pended");
}

// Page    ndis/nf-ndis-ndismresetminiport                            IRQL  <= DISPATCH_LEVEL
VOID NdisMResetMiniport(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMResetMiniport);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter) adapter->reset.request();
}

// Page    none is left (NDIS 5)                                      IRQL  <= DISPATCH_LEVEL
// Beyond  The reset runs on a worker: the status is NDIS_STATUS_PENDING, and ProtocolResetComplete follows.
VOID NTAPI NdisReset(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle) {
  const DdiCall call(Ddi::NdisReset);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  if (!binding) {
    status = NDIS_STATUS_CLOSING;
  } else if (binding->is_version6()) {
    call.tell_misuse("NdisBindingHandle", NdisBindingHandle, HandleKind::Binding);
    status = NDIS_STATUS_NOT_SUPPORTED;
  } else if (binding->adapter().reset.in_progress()) {
    status = NDIS_STATUS_RESET_IN_PROGRESS;
  } else if (!binding->adapter().reset.request(binding.get())) {
    status = NDIS_STATUS_CLOSING;
  }
  *Status = call.returns(status);
}
