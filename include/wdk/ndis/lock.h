// SPDX-License-Identifier: MIT
// Spin locks, read-write locks, mutexes, IRQL.
//
// Pages  ndis/nf-ndis-ndisacquirespinlock, ndis/nf-ndis-ndisallocaterwlock, ndis/ns-ndis-_ndis_rw_lock
#pragma once
#pragma GCC system_header

#include "types.h"

UNDIS_EXTERN_C_START

// ---- Spin locks -------------------------------------------------------------------------------------------
typedef struct _NDIS_SPIN_LOCK {
  KSPIN_LOCK SpinLock;
  KIRQL OldIrql;
} NDIS_SPIN_LOCK, *PNDIS_SPIN_LOCK;

NDISAPI VOID NdisAllocateSpinLock(_Out_ PNDIS_SPIN_LOCK SpinLock);
NDISAPI VOID NdisFreeSpinLock(_In_ PNDIS_SPIN_LOCK SpinLock);
#if !NDIS_SUPPORT_NDIS6
// NDIS 5 has a macro that takes its argument away: there are drivers whose argument is not even declared.
#define NdisFreeSpinLock(SpinLock) ((void)0)
#endif
NDISAPI VOID NdisAcquireSpinLock(_In_ PNDIS_SPIN_LOCK SpinLock);
NDISAPI VOID NdisReleaseSpinLock(_In_ PNDIS_SPIN_LOCK SpinLock);
NDISAPI VOID NdisDprAcquireSpinLock(_In_ PNDIS_SPIN_LOCK SpinLock);
NDISAPI VOID NdisDprReleaseSpinLock(_In_ PNDIS_SPIN_LOCK SpinLock);

// ---- Read-write locks of 5.1 to 6.1, in the driver's memory -----------------------------------------------
typedef union _NDIS_RW_LOCK_REFCOUNT {
  ULONG RefCount;
  UCHAR cacheLine[16];
} NDIS_RW_LOCK_REFCOUNT;

#define UNDIS_RW_LOCK_PROCESSORS 64

typedef struct _NDIS_RW_LOCK {
  union {
    struct {
      KSPIN_LOCK SpinLock;
      PVOID Context;
    };
    UCHAR Reserved[16];
  };
  union {
    NDIS_RW_LOCK_REFCOUNT RefCount[UNDIS_RW_LOCK_PROCESSORS];
    ULONG RefCountEx[sizeof(NDIS_RW_LOCK_REFCOUNT) / sizeof(ULONG) * UNDIS_RW_LOCK_PROCESSORS];
    struct {
      KSPIN_LOCK RefCountLock;
      volatile ULONG SharedRefCount;
      volatile BOOLEAN WriterWaiting;
    };
  };
} NDIS_RW_LOCK, *PNDIS_RW_LOCK;

typedef struct _LOCK_STATE {
  USHORT LockState;
  KIRQL OldIrql;
} LOCK_STATE, *PLOCK_STATE;

NDISAPI VOID NdisInitializeReadWriteLock(_Out_ PNDIS_RW_LOCK Lock);
NDISAPI VOID NdisAcquireReadWriteLock(_Inout_ PNDIS_RW_LOCK Lock, _In_ BOOLEAN fWrite,
                                      _Out_ PLOCK_STATE LockState);
NDISAPI VOID NdisReleaseReadWriteLock(_Inout_ PNDIS_RW_LOCK Lock, _In_ PLOCK_STATE LockState);
#if NDIS_SUPPORT_60_COMPATIBLE_API
NDISAPI VOID NdisDprAcquireReadWriteLock(_Inout_ PNDIS_RW_LOCK Lock, _In_ BOOLEAN fWrite,
                                         _Out_ PLOCK_STATE LockState);
NDISAPI VOID NdisDprReleaseReadWriteLock(_Inout_ PNDIS_RW_LOCK Lock, _In_ PLOCK_STATE LockState);
#endif

// ---- Read-write locks of 6.20, in NDIS' memory ------------------------------------------------------------
#if NDIS_SUPPORT_NDIS620
typedef struct _NDIS_RW_LOCK_EX NDIS_RW_LOCK_EX, *PNDIS_RW_LOCK_EX;

typedef struct _LOCK_STATE_EX {
  KIRQL OldIrql;
  UCHAR LockState;
  UCHAR Flags;
} LOCK_STATE_EX, *PLOCK_STATE_EX;

#define NDIS_RWL_AT_DISPATCH_LEVEL 0x01

NDISAPI PNDIS_RW_LOCK_EX NdisAllocateRWLock(_In_ NDIS_HANDLE NdisHandle);
NDISAPI VOID NdisFreeRWLock(_In_ PNDIS_RW_LOCK_EX Lock);
NDISAPI VOID NdisAcquireRWLockRead(_In_ PNDIS_RW_LOCK_EX Lock, _Out_ PLOCK_STATE_EX LockState,
                                   _In_ UCHAR Flags);
NDISAPI VOID NdisAcquireRWLockWrite(_In_ PNDIS_RW_LOCK_EX Lock, _Out_ PLOCK_STATE_EX LockState,
                                    _In_ UCHAR Flags);
NDISAPI VOID NdisReleaseRWLock(_In_ PNDIS_RW_LOCK_EX Lock, _In_ PLOCK_STATE_EX LockState);
#endif

// ---- Mutexes and IRQL -------------------------------------------------------------------------------------
#if NDIS_SUPPORT_NDIS6
typedef KMUTEX NDIS_MUTEX, *PNDIS_MUTEX;

#define NDIS_INIT_MUTEX(_M_) KeInitializeMutex(_M_, 0)
#define NDIS_WAIT_FOR_MUTEX(_M_) KeWaitForSingleObject(_M_, Executive, KernelMode, FALSE, NULL)
#define NDIS_RELEASE_MUTEX(_M_) KeReleaseMutex(_M_, FALSE)
#endif

#define NDIS_CURRENT_IRQL() KeGetCurrentIrql()
#define NDIS_RAISE_IRQL_TO_DISPATCH(_pIrql_) KeRaiseIrql(DISPATCH_LEVEL, _pIrql_)
#define NDIS_LOWER_IRQL(_OldIrql_, _CurIrql_)               \
  do {                                                      \
    if ((_OldIrql_) != (_CurIrql_)) KeLowerIrql(_OldIrql_); \
  } while (0)

UNDIS_EXTERN_C_END
