// SPDX-License-Identifier: MIT
// Intrinsic functions of the Microsoft compiler that drivers call.
#pragma once
#pragma GCC system_header

#include <ntdef.h>
#include <wdm/interlocked.h>

UNDIS_EXTERN_C_START

// ---- Bits and bytes
// ----------------------------------------------------------------------------------------------
UNDIS_INLINE USHORT _byteswap_ushort(USHORT value) {
  return __builtin_bswap16(value);
}
UNDIS_INLINE ULONG _byteswap_ulong(ULONG value) {
  return __builtin_bswap32(value);
}
UNDIS_INLINE ULONG64 _byteswap_uint64(ULONG64 value) {
  return __builtin_bswap64(value);
}
// With -fms-extensions clang has functions of these names built in, which C++ does not let anybody define.
#if defined(__clang__) && defined(__cplusplus)
#define _BitScanForward undis_BitScanForward
#define _BitScanReverse undis_BitScanReverse
#define _BitScanForward64 undis_BitScanForward64
#define _BitScanReverse64 undis_BitScanReverse64
#define _bittest undis_bittest
#define _bittest64 undis_bittest64
#endif
UNDIS_INLINE UCHAR _BitScanForward(ULONG* Index, ULONG Mask) {
  if (Mask == 0) return 0;
  *Index = (ULONG)__builtin_ctz(Mask);
  return 1;
}
UNDIS_INLINE UCHAR _BitScanReverse(ULONG* Index, ULONG Mask) {
  if (Mask == 0) return 0;
  *Index = 31U - (ULONG)__builtin_clz(Mask);
  return 1;
}
UNDIS_INLINE UCHAR _BitScanForward64(ULONG* Index, ULONG64 Mask) {
  if (Mask == 0) return 0;
  *Index = (ULONG)__builtin_ctzll(Mask);
  return 1;
}
UNDIS_INLINE UCHAR _BitScanReverse64(ULONG* Index, ULONG64 Mask) {
  if (Mask == 0) return 0;
  *Index = 63U - (ULONG)__builtin_clzll(Mask);
  return 1;
}
UNDIS_INLINE UCHAR _bittest(const LONG* Base, LONG Offset) {
  return (UCHAR)((Base[Offset >> 5] >> (Offset & 31)) & 1);
}
UNDIS_INLINE UCHAR _bittest64(const LONG64* Base, LONG64 Offset) {
  return (UCHAR)((Base[Offset >> 6] >> (Offset & 63)) & 1);
}
#define BitScanForward _BitScanForward
#define BitScanReverse _BitScanReverse
#define BitScanForward64 _BitScanForward64
#define BitScanReverse64 _BitScanReverse64
#define BitTest _bittest
#define BitTest64 _bittest64

UNDIS_INLINE ULONG undis_rotate_left(ULONG value, int shift) {
  return (value << (shift & 31)) | (value >> (-shift & 31));
}
UNDIS_INLINE ULONG64 undis_rotate_left64(ULONG64 value, int shift) {
  return (value << (shift & 63)) | (value >> (-shift & 63));
}
#ifndef _rotl
#define _rotl(value, shift) undis_rotate_left((value), (shift))
#define _rotr(value, shift) undis_rotate_left((value), -(shift))
#endif
#define _rotl64(value, shift) undis_rotate_left64((value), (shift))
#define _rotr64(value, shift) undis_rotate_left64((value), -(shift))
#define __popcnt(value) ((unsigned)__builtin_popcount(value))
#define __popcnt64(value) ((ULONG64)__builtin_popcountll(value))
#define UnsignedMultiply128(Multiplier, Multiplicand, HighProduct) \
  undis_multiply128((Multiplier), (Multiplicand), (HighProduct))
#define _umul128 UnsignedMultiply128
__extension__ typedef unsigned __int128 undis_uint128;
UNDIS_INLINE ULONG64 undis_multiply128(ULONG64 Multiplier, ULONG64 Multiplicand, ULONG64* HighProduct) {
  undis_uint128 const product = (undis_uint128)Multiplier * Multiplicand;
  *HighProduct = (ULONG64)(product >> 64);
  return (ULONG64)product;
}

// ---- Processor and compiler
// ----------------------------------------------------------------------------------------
#define _ReadWriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _ReadBarrier() __atomic_signal_fence(__ATOMIC_ACQUIRE)
#define _WriteBarrier() __atomic_signal_fence(__ATOMIC_RELEASE)
#define _ReturnAddress() __builtin_return_address(0)
#define _AddressOfReturnAddress() ((void*)((char*)__builtin_frame_address(0) + sizeof(void*)))
#define __debugbreak() DbgBreakPoint()
#define __nop() __asm__ volatile("nop")
#if defined(__x86_64__)
UNDIS_INLINE VOID undis_cpuid(int CPUInfo[4], int function_id, int subfunction_id) {
  __asm__ volatile("cpuid"
                   : "=a"(CPUInfo[0]), "=b"(CPUInfo[1]), "=c"(CPUInfo[2]), "=d"(CPUInfo[3])
                   : "a"(function_id), "c"(subfunction_id));
}
#undef __cpuid
#undef __cpuidex
#define __cpuid(CPUInfo, function_id) undis_cpuid((CPUInfo), (function_id), 0)
#define __cpuidex(CPUInfo, function_id, subfunction_id) \
  undis_cpuid((CPUInfo), (function_id), (subfunction_id))
#ifndef __rdtsc
#define __rdtsc() __builtin_ia32_rdtsc()
#endif
#define ReadTimeStampCounter() __builtin_ia32_rdtsc()
#ifndef _mm_pause
#define _mm_pause() __builtin_ia32_pause()
#endif
#ifndef _mm_mfence
#define _mm_mfence() __builtin_ia32_mfence()
#define _mm_lfence() __builtin_ia32_lfence()
#define _mm_sfence() __builtin_ia32_sfence()
#endif
#endif
// A spin in a driver is a place where another processor must get its turn.
NTKERNELAPI VOID undis_yield_processor(VOID);
NTSYSAPI VOID DbgBreakPoint(VOID);
#define YieldProcessor() undis_yield_processor()
#define KeYieldProcessorEx(Flag) ((void)(Flag), undis_yield_processor())

UNDIS_EXTERN_C_END
