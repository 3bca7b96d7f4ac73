// SPDX-License-Identifier: MIT
// Interlocked operations, fences, and reads and writes with a stated order. All of them are inlines.
//
// As on Windows, an operation without a suffix is a full barrier; Acquire, Release and NoFence weaken it.
// Increment, Decrement and Add return the new value, all others the old one.
#pragma once
#pragma GCC system_header

#include <ntdef.h>

UNDIS_EXTERN_C_START

// ---- In a driver, another thread may go on before each operation
// ------------------------------------------------------------------
UNDIS_EXPORT void undis_interlocked_point(void);
#if defined(UNDIS_DRIVER)
#define UNDIS_POINT() undis_interlocked_point()
#else
#define UNDIS_POINT() ((void)0)
#endif

// ---- Read-modify-write
// ------------------------------------------------------------------------------------------- The order of a
// failed compare must not be Release, hence two orders.
#define UNDIS_INTERLOCKED(Suffix, Width, Type, Order, FailureOrder)                                      \
  UNDIS_INLINE Type InterlockedIncrement##Suffix##Width(Type volatile* Addend) {                         \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_add_fetch(Addend, 1, Order);                                                   \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedDecrement##Suffix##Width(Type volatile* Addend) {                         \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_sub_fetch(Addend, 1, Order);                                                   \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedAdd##Suffix##Width(Type volatile* Addend, Type Value) {                   \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_add_fetch(Addend, Value, Order);                                               \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedExchange##Suffix##Width(Type volatile* Target, Type Value) {              \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_exchange_n(Target, Value, Order);                                              \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedExchangeAdd##Suffix##Width(Type volatile* Addend, Type Value) {           \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_fetch_add(Addend, Value, Order);                                               \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedAnd##Suffix##Width(Type volatile* Destination, Type Value) {              \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_fetch_and(Destination, Value, Order);                                          \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedOr##Suffix##Width(Type volatile* Destination, Type Value) {               \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_fetch_or(Destination, Value, Order);                                           \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedXor##Suffix##Width(Type volatile* Destination, Type Value) {              \
    UNDIS_POINT();                                                                                       \
    return (Type)__atomic_fetch_xor(Destination, Value, Order);                                          \
  }                                                                                                      \
  UNDIS_INLINE Type InterlockedCompareExchange##Suffix##Width(Type volatile* Destination, Type ExChange, \
                                                              Type Comperand) {                          \
    UNDIS_POINT();                                                                                       \
    __atomic_compare_exchange_n(Destination, &Comperand, ExChange, 0, Order, FailureOrder);              \
    return Comperand;                                                                                    \
  }
#define UNDIS_INTERLOCKED_POINTER(Suffix, Order, FailureOrder)                                              \
  UNDIS_INLINE PVOID InterlockedExchangePointer##Suffix(PVOID volatile* Target, PVOID Value) {              \
    UNDIS_POINT();                                                                                          \
    return __atomic_exchange_n(Target, Value, Order);                                                       \
  }                                                                                                         \
  UNDIS_INLINE PVOID InterlockedCompareExchangePointer##Suffix(PVOID volatile* Destination, PVOID Exchange, \
                                                               PVOID Comperand) {                           \
    UNDIS_POINT();                                                                                          \
    __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, Order, FailureOrder);                 \
    return Comperand;                                                                                       \
  }
#define UNDIS_INTERLOCKED_ORDER(Suffix, Order, FailureOrder) \
  UNDIS_INTERLOCKED(Suffix, 8, CHAR, Order, FailureOrder)    \
  UNDIS_INTERLOCKED(Suffix, 16, SHORT, Order, FailureOrder)  \
  UNDIS_INTERLOCKED(Suffix, , LONG, Order, FailureOrder)     \
  UNDIS_INTERLOCKED(Suffix, 64, LONG64, Order, FailureOrder) \
  UNDIS_INTERLOCKED_POINTER(Suffix, Order, FailureOrder)

UNDIS_INTERLOCKED_ORDER(, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
UNDIS_INTERLOCKED_ORDER(Acquire, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
UNDIS_INTERLOCKED_ORDER(Release, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
UNDIS_INTERLOCKED_ORDER(NoFence, __ATOMIC_RELAXED, __ATOMIC_RELAXED)

#define UNDIS_INTERLOCKED_BIT(Suffix, Type, Mask)                                        \
  UNDIS_INLINE UCHAR InterlockedBitTestAndSet##Suffix(Type volatile* Base, Type Bit) {   \
    UNDIS_POINT();                                                                       \
    Type const bit = (Type)((Type)1 << (Bit & Mask));                                    \
    return (__atomic_fetch_or(Base, bit, __ATOMIC_SEQ_CST) & bit) != 0;                  \
  }                                                                                      \
  UNDIS_INLINE UCHAR InterlockedBitTestAndReset##Suffix(Type volatile* Base, Type Bit) { \
    UNDIS_POINT();                                                                       \
    Type const bit = (Type)((Type)1 << (Bit & Mask));                                    \
    return (__atomic_fetch_and(Base, ~bit, __ATOMIC_SEQ_CST) & bit) != 0;                \
  }
UNDIS_INTERLOCKED_BIT(, LONG, 31)
UNDIS_INTERLOCKED_BIT(64, LONG64, 63)

// ---- Loads and stores
// --------------------------------------------------------------------------------------------
#define UNDIS_ATOMIC_ACCESS(Name, Width, Type)                                            \
  UNDIS_INLINE Type Read##Name##Acquire##Width(Type const volatile* Source) {             \
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);                                     \
  }                                                                                       \
  UNDIS_INLINE Type Read##Name##NoFence##Width(Type const volatile* Source) {             \
    return __atomic_load_n(Source, __ATOMIC_RELAXED);                                     \
  }                                                                                       \
  UNDIS_INLINE Type Read##Name##Raw##Width(Type const volatile* Source) {                 \
    return __atomic_load_n(Source, __ATOMIC_RELAXED);                                     \
  }                                                                                       \
  UNDIS_INLINE VOID Write##Name##Release##Width(Type volatile* Destination, Type Value) { \
    __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);                               \
  }                                                                                       \
  UNDIS_INLINE VOID Write##Name##NoFence##Width(Type volatile* Destination, Type Value) { \
    __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);                               \
  }                                                                                       \
  UNDIS_INLINE VOID Write##Name##Raw##Width(Type volatile* Destination, Type Value) {     \
    __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);                               \
  }
UNDIS_ATOMIC_ACCESS(, 8, CHAR)
UNDIS_ATOMIC_ACCESS(, 16, SHORT)
UNDIS_ATOMIC_ACCESS(, , LONG)
UNDIS_ATOMIC_ACCESS(, 64, LONG64)
UNDIS_ATOMIC_ACCESS(Boolean, , BOOLEAN)
UNDIS_ATOMIC_ACCESS(UChar, , UCHAR)
UNDIS_ATOMIC_ACCESS(UShort, , USHORT)
UNDIS_ATOMIC_ACCESS(ULong, , ULONG)
UNDIS_ATOMIC_ACCESS(ULong64, , ULONG64)
UNDIS_ATOMIC_ACCESS(Int8, , INT8)
UNDIS_ATOMIC_ACCESS(Int16, , INT16)
UNDIS_ATOMIC_ACCESS(Int32, , INT32)
UNDIS_ATOMIC_ACCESS(Int64, , INT64)
UNDIS_ATOMIC_ACCESS(UInt8, , UINT8)
UNDIS_ATOMIC_ACCESS(UInt16, , UINT16)
UNDIS_ATOMIC_ACCESS(UInt32, , UINT32)
UNDIS_ATOMIC_ACCESS(UInt64, , UINT64)
UNDIS_ATOMIC_ACCESS(LongPtr, , LONG_PTR)
UNDIS_ATOMIC_ACCESS(ULongPtr, , ULONG_PTR)
UNDIS_ATOMIC_ACCESS(SizeT, , SIZE_T)
UNDIS_ATOMIC_ACCESS(Pointer, , PVOID)

// ---- Fences
// -----------------------------------------------------------------------------------------------------
UNDIS_INLINE VOID KeMemoryBarrier(VOID) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
UNDIS_INLINE VOID MemoryBarrier(VOID) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
UNDIS_INLINE VOID KeMemoryBarrierWithoutFence(VOID) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
UNDIS_INLINE VOID BarrierAfterRead(VOID) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

UNDIS_EXTERN_C_END

// ---- The compiler's names for the same operations
// -----------------------------------------------------------------
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedIncrement16 InterlockedIncrement16
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedDecrement16 InterlockedDecrement16
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedAdd InterlockedAdd
#define _InterlockedAdd64 InterlockedAdd64
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchange8 InterlockedExchange8
#define _InterlockedExchange16 InterlockedExchange16
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange8 InterlockedCompareExchange8
#define _InterlockedCompareExchange16 InterlockedCompareExchange16
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _InterlockedAnd InterlockedAnd
#define _InterlockedAnd8 InterlockedAnd8
#define _InterlockedAnd16 InterlockedAnd16
#define _InterlockedAnd64 InterlockedAnd64
#define _InterlockedOr InterlockedOr
#define _InterlockedOr8 InterlockedOr8
#define _InterlockedOr16 InterlockedOr16
#define _InterlockedOr64 InterlockedOr64
#define _InterlockedXor InterlockedXor
#define _InterlockedXor64 InterlockedXor64
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset
#define _interlockedbittestandset64 InterlockedBitTestAndSet64
#define _interlockedbittestandreset64 InterlockedBitTestAndReset64
#define InterlockedExchangeAddSizeT(a, b) \
  ((SIZE_T)InterlockedExchangeAdd64((LONG64 volatile*)(a), (LONG64)(b)))
#define InterlockedIncrementSizeT(a) ((SIZE_T)InterlockedIncrement64((LONG64 volatile*)(a)))
#define InterlockedDecrementSizeT(a) ((SIZE_T)InterlockedDecrement64((LONG64 volatile*)(a)))
