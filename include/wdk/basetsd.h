// SPDX-License-Identifier: MIT
// Integer types of fixed and of pointer size, and the conversions between them.
//
// ULONG_PTR, SIZE_T and size_t are one type, as on Windows x64; 64-bit types are `long long`.
#pragma once
#pragma GCC system_header

#include <undis_prelude.h>

typedef signed char INT8, *PINT8;
typedef unsigned char UINT8, *PUINT8;
typedef short INT16, *PINT16;
typedef unsigned short UINT16, *PUINT16;
typedef int INT32, *PINT32, LONG32, *PLONG32;
typedef unsigned int UINT32, *PUINT32, ULONG32, *PULONG32, DWORD32, *PDWORD32;
typedef long long INT64, *PINT64, LONG64, *PLONG64;
typedef unsigned long long UINT64, *PUINT64, ULONG64, *PULONG64, DWORD64, *PDWORD64;

typedef __INTPTR_TYPE__ INT_PTR, *PINT_PTR, LONG_PTR, *PLONG_PTR, SSIZE_T, *PSSIZE_T;
typedef __UINTPTR_TYPE__ UINT_PTR, *PUINT_PTR, ULONG_PTR, *PULONG_PTR, DWORD_PTR, *PDWORD_PTR, SIZE_T,
    *PSIZE_T, KAFFINITY, *PKAFFINITY;
typedef int HALF_PTR, *PHALF_PTR;
typedef unsigned int UHALF_PTR, *PUHALF_PTR;

#define POINTER_32
#define POINTER_64
#define FIRMWARE_PTR

#define MAXULONG_PTR (~((ULONG_PTR)0))
#define MAXLONG_PTR ((LONG_PTR)(MAXULONG_PTR >> 1))
#define MINLONG_PTR (~MAXLONG_PTR)
#define MAXSIZE_T ((SIZE_T) ~((SIZE_T)0))
#define MAXUINT8 ((UINT8) ~((UINT8)0))
#define MAXINT8 ((INT8)(MAXUINT8 >> 1))
#define MININT8 ((INT8)~MAXINT8)
#define MAXUINT16 ((UINT16) ~((UINT16)0))
#define MAXINT16 ((INT16)(MAXUINT16 >> 1))
#define MININT16 ((INT16)~MAXINT16)
#define MAXUINT32 ((UINT32) ~((UINT32)0))
#define MAXINT32 ((INT32)(MAXUINT32 >> 1))
#define MININT32 ((INT32)~MAXINT32)
#define MAXUINT64 ((UINT64) ~((UINT64)0))
#define MAXINT64 ((INT64)(MAXUINT64 >> 1))
#define MININT64 ((INT64)~MAXINT64)

#define HandleToULong(h) ((ULONG32)(ULONG_PTR)(h))
#define HandleToUlong(h) HandleToULong(h)
#define HandleToLong(h) ((LONG32)(LONG_PTR)(h))
#define ULongToHandle(ul) ((void*)(ULONG_PTR)(ULONG32)(ul))
#define UlongToHandle(ul) ULongToHandle(ul)
#define LongToHandle(l) ((void*)(LONG_PTR)(LONG32)(l))
#define PtrToUlong(p) ((ULONG32)(ULONG_PTR)(p))
#define PtrToULong(p) PtrToUlong(p)
#define PtrToLong(p) ((LONG32)(LONG_PTR)(p))
#define PtrToUint(p) ((UINT32)(UINT_PTR)(p))
#define PtrToInt(p) ((INT32)(INT_PTR)(p))
#define PtrToUshort(p) ((UINT16)(ULONG_PTR)(p))
#define PtrToShort(p) ((INT16)(LONG_PTR)(p))
#define UlongToPtr(ul) ((void*)(ULONG_PTR)(ULONG32)(ul))
#define ULongToPtr(ul) UlongToPtr(ul)
#define LongToPtr(l) ((void*)(LONG_PTR)(LONG32)(l))
#define UintToPtr(ui) ((void*)(UINT_PTR)(UINT32)(ui))
#define UIntToPtr(ui) UintToPtr(ui)
#define IntToPtr(i) ((void*)(INT_PTR)(INT32)(i))
#define PtrToPtr64(p) ((void*)(p))
#define Ptr64ToPtr(p) ((void*)(p))
#define HandleToHandle64(h) ((void*)(h))
#define Handle64ToHandle(h) ((void*)(h))
