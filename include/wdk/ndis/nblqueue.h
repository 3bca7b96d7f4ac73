// SPDX-License-Identifier: MIT
// Queues of NET_BUFFER_LISTs with a tail pointer: append a list or a chain, take all of it.
//
// Since  6.40. No page of their own; the names are those that public drivers use.
#pragma once
#pragma GCC system_header

#include "nblaccessors.h"

#if NDIS_SUPPORT_NDIS640

UNDIS_EXTERN_C_START

typedef struct NBL_QUEUE_t {
  NET_BUFFER_LIST* First;
  NET_BUFFER_LIST** Last;
} NBL_QUEUE;

typedef struct NBL_COUNTED_QUEUE_t {
  NBL_QUEUE Queue;
  SIZE_T NblCount;
} NBL_COUNTED_QUEUE;

#define NDIS_ASSERT_VALID_NBL_QUEUE(NblQueue) ((void)(NblQueue))
#define NDIS_ASSERT_VALID_NBL_COUNTED_QUEUE(NblQueue) ((void)(NblQueue))

// ---- Chains -----------------------------------------------------------------------------------------------
UNDIS_INLINE NET_BUFFER_LIST* NdisLastNblInNblChain(_In_ NET_BUFFER_LIST* NblChain) {
  while (NblChain->Next != NULL) NblChain = NblChain->Next;
  return NblChain;
}

UNDIS_INLINE NET_BUFFER_LIST* NdisLastNblInNblChainWithCount(_In_ NET_BUFFER_LIST* NblChain,
                                                             _Out_ SIZE_T* NblCount) {
  *NblCount = 1;
  for (; NblChain->Next != NULL; NblChain = NblChain->Next) ++*NblCount;
  return NblChain;
}

UNDIS_INLINE SIZE_T NdisNumNblsInNblChain(_In_opt_ const NET_BUFFER_LIST* NblChain) {
  SIZE_T count = 0;
  for (; NblChain != NULL; NblChain = NblChain->Next) ++count;
  return count;
}

UNDIS_INLINE VOID NdisSetStatusInNblChain(_In_opt_ NET_BUFFER_LIST* NblChain, _In_ NDIS_STATUS NdisStatus) {
  for (; NblChain != NULL; NblChain = NblChain->Next) NblChain->Status = NdisStatus;
}

// ---- Queues -----------------------------------------------------------------------------------------------
UNDIS_INLINE VOID NdisInitializeNblQueue(_Out_ NBL_QUEUE* NblQueue) {
  NblQueue->First = NULL;
  NblQueue->Last = &NblQueue->First;
}

UNDIS_INLINE BOOLEAN NdisIsNblQueueEmpty(_In_ const NBL_QUEUE* NblQueue) {
  return NblQueue->First == NULL;
}

UNDIS_INLINE NET_BUFFER_LIST* NdisGetNblChainFromNblQueue(_In_ const NBL_QUEUE* NblQueue) {
  return NblQueue->First;
}

UNDIS_INLINE VOID NdisAppendNblChainToNblQueueFast(_Inout_ NBL_QUEUE* NblQueue,
                                                   _In_ NET_BUFFER_LIST* NblChainFirst,
                                                   _In_ NET_BUFFER_LIST* NblChainLast) {
  *NblQueue->Last = NblChainFirst;
  NblQueue->Last = &NblChainLast->Next;
}

UNDIS_INLINE VOID NdisAppendSingleNblToNblQueue(_Inout_ NBL_QUEUE* NblQueue, _In_ NET_BUFFER_LIST* Nbl) {
  NdisAppendNblChainToNblQueueFast(NblQueue, Nbl, Nbl);
}

UNDIS_INLINE VOID NdisAppendNblChainToNblQueue(_Inout_ NBL_QUEUE* NblQueue, _In_ NET_BUFFER_LIST* NblChain) {
  NdisAppendNblChainToNblQueueFast(NblQueue, NblChain, NdisLastNblInNblChain(NblChain));
}

UNDIS_INLINE NET_BUFFER_LIST* NdisPopAllFromNblQueue(_Inout_ NBL_QUEUE* NblQueue) {
  NET_BUFFER_LIST* chain = NblQueue->First;
  NdisInitializeNblQueue(NblQueue);
  return chain;
}

UNDIS_INLINE VOID NdisAppendNblQueueToNblQueueFast(_Inout_ NBL_QUEUE* Destination,
                                                   _Inout_ NBL_QUEUE* Source) {
  if (NdisIsNblQueueEmpty(Source)) return;
  *Destination->Last = Source->First;
  Destination->Last = Source->Last;
  NdisInitializeNblQueue(Source);
}

UNDIS_INLINE NET_BUFFER_LIST* NdisPopFirstNblFromNblQueue(_Inout_ NBL_QUEUE* NblQueue) {
  NET_BUFFER_LIST* first = NblQueue->First;
  NblQueue->First = first->Next;
  if (NblQueue->First == NULL) NblQueue->Last = &NblQueue->First;
  first->Next = NULL;
  return first;
}

// ---- Queues that know their length ------------------------------------------------------------------------
UNDIS_INLINE VOID NdisInitializeNblCountedQueue(_Out_ NBL_COUNTED_QUEUE* NblQueue) {
  NdisInitializeNblQueue(&NblQueue->Queue);
  NblQueue->NblCount = 0;
}

UNDIS_INLINE BOOLEAN NdisIsNblCountedQueueEmpty(_In_ const NBL_COUNTED_QUEUE* NblQueue) {
  return NdisIsNblQueueEmpty(&NblQueue->Queue);
}

UNDIS_INLINE NET_BUFFER_LIST* NdisGetNblChainFromNblCountedQueue(_In_ const NBL_COUNTED_QUEUE* NblQueue) {
  return NblQueue->Queue.First;
}

UNDIS_INLINE VOID NdisAppendNblChainToNblCountedQueueFast(_Inout_ NBL_COUNTED_QUEUE* NblQueue,
                                                          _In_ NET_BUFFER_LIST* NblChainFirst,
                                                          _In_ NET_BUFFER_LIST* NblChainLast,
                                                          _In_ SIZE_T NblCount) {
  NdisAppendNblChainToNblQueueFast(&NblQueue->Queue, NblChainFirst, NblChainLast);
  NblQueue->NblCount += NblCount;
}

UNDIS_INLINE VOID NdisAppendSingleNblToNblCountedQueue(_Inout_ NBL_COUNTED_QUEUE* NblQueue,
                                                       _In_ NET_BUFFER_LIST* Nbl) {
  NdisAppendNblChainToNblCountedQueueFast(NblQueue, Nbl, Nbl, 1);
}

UNDIS_INLINE VOID NdisAppendNblChainToNblCountedQueue(_Inout_ NBL_COUNTED_QUEUE* NblQueue,
                                                      _In_ NET_BUFFER_LIST* NblChain) {
  SIZE_T count;
  NET_BUFFER_LIST* last = NdisLastNblInNblChainWithCount(NblChain, &count);
  NdisAppendNblChainToNblCountedQueueFast(NblQueue, NblChain, last, count);
}

UNDIS_INLINE NET_BUFFER_LIST* NdisPopAllFromNblCountedQueue(_Inout_ NBL_COUNTED_QUEUE* NblQueue) {
  NblQueue->NblCount = 0;
  return NdisPopAllFromNblQueue(&NblQueue->Queue);
}

UNDIS_INLINE NET_BUFFER_LIST* NdisPopFirstNblFromNblCountedQueue(_Inout_ NBL_COUNTED_QUEUE* NblQueue) {
  NblQueue->NblCount -= 1;
  return NdisPopFirstNblFromNblQueue(&NblQueue->Queue);
}

UNDIS_INLINE VOID NdisAppendNblCountedQueueToNblCountedQueueFast(_Inout_ NBL_COUNTED_QUEUE* Destination,
                                                                 _Inout_ NBL_COUNTED_QUEUE* Source) {
  NdisAppendNblQueueToNblQueueFast(&Destination->Queue, &Source->Queue);
  Destination->NblCount += Source->NblCount;
  Source->NblCount = 0;
}

UNDIS_EXTERN_C_END

#endif
