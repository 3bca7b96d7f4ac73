// SPDX-License-Identifier: MIT
//
// nic6hw: interrupts. Each queue has its message, and the link one more; a card that was given none of them
// has the line. A message is armed by the driver and sent once; the line is masked by its service and
// unmasked by its DPC.
#include "nic6hw.h"

static MINIPORT_ISR NicLineService;
static MINIPORT_INTERRUPT_DPC NicLineDpc;
static MINIPORT_MESSAGE_INTERRUPT NicMessageService;
static MINIPORT_MESSAGE_INTERRUPT_DPC NicMessageDpc;
static MINIPORT_DISABLE_INTERRUPT NicDisable;
static MINIPORT_ENABLE_INTERRUPT NicEnable;
static MINIPORT_DISABLE_MESSAGE_INTERRUPT NicDisableMessage;
static MINIPORT_ENABLE_MESSAGE_INTERRUPT NicEnableMessage;
static MINIPORT_SYNCHRONIZE_INTERRUPT NicLetGo;
static MINIPORT_SYNCHRONIZE_INTERRUPT NicUnmask;

NDIS_STATUS NicRegisterInterrupt(PNIC_ADAPTER Adapter) {
  NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS c;
  NDIS_STATUS status;

  NdisZeroMemory(&c, sizeof(c));
  c.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT;
  c.Header.Revision = NDIS_MINIPORT_INTERRUPT_REVISION_1;
  c.Header.Size = NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1;
  c.InterruptHandler = NicLineService;
  c.InterruptDpcHandler = NicLineDpc;
  c.DisableInterruptHandler = NicDisable;
  c.EnableInterruptHandler = NicEnable;
  c.MsiSupported = TRUE;
  c.MessageInterruptHandler = NicMessageService;
  c.MessageInterruptDpcHandler = NicMessageDpc;
  c.DisableMessageInterruptHandler = NicDisableMessage;
  c.EnableMessageInterruptHandler = NicEnableMessage;
  status = NdisMRegisterInterruptEx(Adapter->Handle, Adapter, &c, &Adapter->Interrupt);
  if (status == NDIS_STATUS_SUCCESS)
    Adapter->Messages = (BOOLEAN)(c.InterruptType == NDIS_CONNECT_MESSAGE_BASED &&
                                  c.MessageInfoTable->MessageCount > NIC_QUEUES);
  return status;
}

static BOOLEAN NicLetGo(NDIS_HANDLE SynchronizeContext) {
  PNIC_ADAPTER adapter = SynchronizeContext;

  adapter->Dying = TRUE;
  NicWrite(adapter, NIC_REG_MASK, 0);
  return TRUE;
}

static BOOLEAN NicUnmask(NDIS_HANDLE SynchronizeContext) {
  NicEnable(SynchronizeContext);
  return TRUE;
}

VOID NicStopInterrupts(PNIC_ADAPTER Adapter) {
  if (Adapter->Interrupt == NULL) return;
  NdisMSynchronizeWithInterruptEx(Adapter->Interrupt, 0, NicLetGo, Adapter);
  NdisMDeregisterInterruptEx(Adapter->Interrupt);
  Adapter->Interrupt = NULL;
}

static VOID NicIndicateLink(PNIC_ADAPTER Adapter) {
  NDIS_STATUS_INDICATION status;
  NDIS_LINK_STATE link;
  BOOLEAN up = (BOOLEAN)((NicRead(Adapter, NIC_REG_STATUS) & NIC_STATUS_LINK) != 0);

  NdisZeroMemory(&link, sizeof(link));
  link.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  link.Header.Revision = NDIS_LINK_STATE_REVISION_1;
  link.Header.Size = NDIS_SIZEOF_LINK_STATE_REVISION_1;
  link.MediaConnectState = up ? MediaConnectStateConnected : MediaConnectStateDisconnected;
  link.MediaDuplexState = up ? MediaDuplexStateFull : MediaDuplexStateUnknown;
  link.XmitLinkSpeed = link.RcvLinkSpeed =
      up ? (ULONG64)NicRead(Adapter, NIC_REG_SPEED) * 1000000 : NDIS_LINK_SPEED_UNKNOWN;

  NdisZeroMemory(&status, sizeof(status));
  status.Header.Type = NDIS_OBJECT_TYPE_STATUS_INDICATION;
  status.Header.Revision = NDIS_STATUS_INDICATION_REVISION_1;
  status.Header.Size = NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
  status.SourceHandle = Adapter->Handle;
  status.StatusCode = NDIS_STATUS_LINK_STATE;
  status.StatusBuffer = &link;
  status.StatusBufferSize = sizeof(link);
  NdisMIndicateStatusEx(Adapter->Handle, &status);
}

static ULONG NicMost(PVOID ReceiveThrottleParameters) {
  PNDIS_RECEIVE_THROTTLE_PARAMETERS throttle = ReceiveThrottleParameters;
  return throttle != NULL && throttle->MaxNblsToIndicate != NDIS_INDICATE_ALL_NBLS
             ? throttle->MaxNblsToIndicate
             : NIC_RING;
}

// ---- messages ----

static BOOLEAN NicMessageService(NDIS_HANDLE MiniportInterruptContext, ULONG MessageId,
                                 PBOOLEAN QueueDefaultInterruptDpc, PULONG TargetProcessors) {
  PNIC_ADAPTER adapter = MiniportInterruptContext;
  GROUP_AFFINITY target;

  *TargetProcessors = 0;
  *QueueDefaultInterruptDpc = (BOOLEAN)(MessageId >= NIC_QUEUES || adapter->RssHash == 0);
  if (*QueueDefaultInterruptDpc) return TRUE;
  NdisZeroMemory(&target, sizeof(target));
  target.Mask = (KAFFINITY)1 << adapter->Queues[MessageId].Processor;
  NdisMQueueDpcEx(adapter->Interrupt, MessageId, &target, NULL);
  return TRUE;
}

static VOID NicMessageDpc(NDIS_HANDLE MiniportInterruptContext, ULONG MessageId, PVOID MiniportDpcContext,
                          PVOID ReceiveThrottleParameters, PVOID NdisReserved2) {
  PNIC_ADAPTER adapter = MiniportInterruptContext;
  PNDIS_RECEIVE_THROTTLE_PARAMETERS throttle = ReceiveThrottleParameters;

  UNREFERENCED_PARAMETER(MiniportDpcContext);
  UNREFERENCED_PARAMETER(NdisReserved2);
  if (MessageId == NIC_LINK_MESSAGE) {
    NicIndicateLink(adapter);
    NicWrite(adapter, NIC_REG_LINK_ARM, 1);
    return;
  }
  if (MessageId == 0) NicFinishSends(adapter);
  if (NicReceive(&adapter->Queues[MessageId], NicMost(throttle))) {
    throttle->MoreNblsPending = 1;  // this DPC comes again; the message would be one too many
    return;
  }
  NicWrite(adapter, NIC_REG_QUEUE(MessageId) + NIC_QUEUE_ARM, 1);
}

// ---- the line ----

static BOOLEAN NicLineService(NDIS_HANDLE MiniportInterruptContext, PBOOLEAN QueueDefaultInterruptDpc,
                              PULONG TargetProcessors) {
  PNIC_ADAPTER adapter = MiniportInterruptContext;

  *TargetProcessors = 0;
  *QueueDefaultInterruptDpc = FALSE;
  if (adapter->Dying || (NicRead(adapter, NIC_REG_CAUSES) & NicRead(adapter, NIC_REG_MASK)) == 0)
    return FALSE;
  NicWrite(adapter, NIC_REG_MASK, 0);
  *QueueDefaultInterruptDpc = TRUE;
  return TRUE;
}

static VOID NicLineDpc(NDIS_HANDLE MiniportInterruptContext, PVOID MiniportDpcContext,
                       PVOID ReceiveThrottleParameters, PVOID NdisReserved2) {
  PNIC_ADAPTER adapter = MiniportInterruptContext;
  PNDIS_RECEIVE_THROTTLE_PARAMETERS throttle = ReceiveThrottleParameters;
  ULONG causes = NicRead(adapter, NIC_REG_CAUSES);

  UNREFERENCED_PARAMETER(MiniportDpcContext);
  UNREFERENCED_PARAMETER(NdisReserved2);
  NicWrite(adapter, NIC_REG_CAUSES, causes);  // before the work: what comes meanwhile asks again
  if (causes & NIC_CAUSE_LINK) NicIndicateLink(adapter);
  NicFinishSends(adapter);
  if (NicReceive(&adapter->Queues[0],
                 NicMost(throttle))) {  // without scaling everything comes by the first queue
    throttle->MoreNblsPending = 1;
    return;
  }
  NdisMSynchronizeWithInterruptEx(adapter->Interrupt, 0, NicUnmask, adapter);
}

// ---- for NDIS ----

static VOID NicDisable(NDIS_HANDLE MiniportInterruptContext) {
  NicWrite(MiniportInterruptContext, NIC_REG_MASK, 0);
}

static VOID NicEnable(NDIS_HANDLE MiniportInterruptContext) {
  PNIC_ADAPTER adapter = MiniportInterruptContext;
  if (!adapter->Dying) NicWrite(adapter, NIC_REG_MASK, NIC_CAUSES_ALL);
}

static VOID NicDisableMessage(NDIS_HANDLE MiniportInterruptContext, ULONG MessageId) {
  if (MessageId < NIC_QUEUES) NicWrite(MiniportInterruptContext, NIC_REG_QUEUE(MessageId) + NIC_QUEUE_ARM, 0);
}

static VOID NicEnableMessage(NDIS_HANDLE MiniportInterruptContext, ULONG MessageId) {
  if (MessageId < NIC_QUEUES) NicWrite(MiniportInterruptContext, NIC_REG_QUEUE(MessageId) + NIC_QUEUE_ARM, 1);
}
