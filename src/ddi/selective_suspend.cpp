// SPDX-License-Identifier: MIT
//
// What a miniport says of an idle notification.
#include "ddi/ddi_call.h"

using namespace undis;

// Page    ndis/nf-ndis-ndismidlenotificationconfirm                  IRQL  PASSIVE_LEVEL
VOID NdisMIdleNotificationConfirm(NDIS_HANDLE MiniportAdapterHandle, NDIS_DEVICE_POWER_STATE IdlePowerState) {
  const DdiCall call(Ddi::NdisMIdleNotificationConfirm);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && !adapter->suspend.confirm(IdlePowerState))
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "no idle notification is open");
}

// Page    ndis/nf-ndis-ndismidlenotificationcomplete                 IRQL  <= DISPATCH_LEVEL
VOID NdisMIdleNotificationComplete(NDIS_HANDLE MiniportAdapterHandle) {
  const DdiCall call(Ddi::NdisMIdleNotificationComplete);
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (adapter && !adapter->suspend.complete())
    call.tell_unexpected_completion(adapter.get(), adapter->name(), "no idle notification is open");
}
