// SPDX-License-Identifier: MIT
// Base types of the kernel: characters, integers, strings, lists, handles, NTSTATUS, and the macros around
// them.
//
// Layouts are those of Windows x64. WCHAR is 16 bits: wchar_t in a driver build (-fshort-wchar), else
// char16_t.
#pragma once
#pragma GCC system_header

#include <undis_prelude.h>

#include <basetsd.h>
#include <ctype.h>
#include <guiddef.h>
#include <sdkddkver.h>
#include <specstrings.h>
#include <string.h>

// ---- Words around declarations
// ---------------------------------------------------------------------------------
#ifndef EXTERN_C
#define EXTERN_C UNDIS_EXTERN_C
#define EXTERN_C_START UNDIS_EXTERN_C_START
#define EXTERN_C_END UNDIS_EXTERN_C_END
#endif
#define NTAPI
#define NTAPI_INLINE
#define FASTCALL
#define WINAPI
#define APIENTRY
#define CALLBACK
#define STDAPICALLTYPE
#define STDMETHODCALLTYPE
#define NTSYSAPI UNDIS_EXPORT
#define NTSYSCALLAPI UNDIS_EXPORT
#define NTKERNELAPI UNDIS_EXPORT
#define NTHALAPI UNDIS_EXPORT
#define DECLSPEC_IMPORT UNDIS_EXPORT
#define DECLSPEC_EXPORT UNDIS_EXPORT
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_NOTHROW __attribute__((nothrow))
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define DECLSPEC_ALIGN(n) __attribute__((aligned(n)))
#define DECLSPEC_SELECTANY __attribute__((weak))
#define DECLSPEC_DEPRECATED
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_NOVTABLE
#define DECLSPEC_UUID(x)
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(SYSTEM_CACHE_ALIGNMENT_SIZE)
#define DECLSPEC_SAFEBUFFERS
#define PRAGMA_DEPRECATED_DDK 0
#define FORCEINLINE __forceinline
#define CFORCEINLINE FORCEINLINE
#define UNALIGNED
#define UNALIGNED64
#define RESTRICTED_POINTER __restrict
#define POINTER_ALIGNMENT DECLSPEC_ALIGN(8)
#define MEMORY_ALLOCATION_ALIGNMENT 16
#define SYSTEM_CACHE_ALIGNMENT_SIZE 64
#define MAX_NATURAL_ALIGNMENT 8
#define TYPE_ALIGNMENT(t) \
  __builtin_offsetof(     \
      struct {            \
        char x;           \
        t test;           \
      },                  \
      test)
#define PROBE_ALIGNMENT(s) 4
#define C_ASSERT(e) UNDIS_STATIC_ASSERT(e, #e)
#define STATIC_ASSERT_MSG(e, m) UNDIS_STATIC_ASSERT(e, m)

#if !defined(__cplusplus) || defined(UNDIS_DRIVER)
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#endif
#ifndef FAR
#define FAR
#define NEAR
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef DUMMYSTRUCTNAME
#if defined(NONAMELESSUNION)
#define DUMMYSTRUCTNAME s
#define DUMMYSTRUCTNAME2 s2
#define DUMMYSTRUCTNAME3 s3
#define DUMMYUNIONNAME u
#define DUMMYUNIONNAME2 u2
#define DUMMYUNIONNAME3 u3
#define DUMMYUNIONNAME4 u4
#define DUMMYUNIONNAME5 u5
#else
#define DUMMYSTRUCTNAME
#define DUMMYSTRUCTNAME2
#define DUMMYSTRUCTNAME3
#define DUMMYUNIONNAME
#define DUMMYUNIONNAME2
#define DUMMYUNIONNAME3
#define DUMMYUNIONNAME4
#define DUMMYUNIONNAME5
#endif
#endif

// ---- Integers and characters
// -----------------------------------------------------------------------------------
#ifndef VOID
#define VOID void
#endif
typedef void *PVOID, **PPVOID;
typedef const void* PCVOID;
typedef char CHAR, *PCHAR, CCHAR, *PCCHAR;
typedef signed char SCHAR, *PSCHAR;
typedef unsigned char UCHAR, *PUCHAR, BOOLEAN, *PBOOLEAN;
typedef const unsigned char* PCUCHAR;
typedef short SHORT, *PSHORT, CSHORT, *PCSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef const unsigned short* PCUSHORT;
typedef int LONG, *PLONG, INT, *PINT;
typedef unsigned int ULONG, *PULONG, CLONG, *PCLONG, UINT, *PUINT;
typedef const unsigned int* PCULONG;
typedef long long LONGLONG, *PLONGLONG;
typedef unsigned long long ULONGLONG, *PULONGLONG, DWORDLONG, *PDWORDLONG;
typedef LONGLONG USN;
typedef LONG HRESULT;
typedef UCHAR KIRQL, *PKIRQL;
typedef ULONG LOGICAL, *PLOGICAL;
typedef UCHAR FCHAR, UTINY, *PFCHAR;
typedef SHORT FSHORT;
typedef ULONG FLONG;

#ifndef FALSE
#define FALSE 0
#define TRUE 1
#endif
#ifndef NULL
#define NULL 0
#endif
#ifdef __cplusplus
#define NULL64 0
#else
#define NULL64 ((void*)0)
#endif

#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#else
typedef unsigned short WCHAR;
#endif
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *NWPSTR, *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWCH, *PCWCH, *LPCWSTR, *PCWSTR, *PCUWSTR;
typedef WCHAR* PUWSTR;
typedef PWSTR* PZPWSTR;
typedef const PWSTR* PCZPWSTR;
typedef WCHAR *PZZWSTR, *PNZWCH;
typedef const WCHAR *PCZZWSTR, *PCNZWCH;
typedef CHAR *LPCH, *PCH, *NPSTR, *LPSTR, *PSTR, *PZZSTR, *PNZCH;
typedef const CHAR *LPCCH, *PCCH, *LPCSTR, *PCSTR, *PCSZ, *PCZZSTR, *PCNZCH;
typedef CHAR* PSZ;
#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef const WCHAR *PCTSTR, *LPCTSTR;
#define TEXT(quote) L##quote
#else
typedef char TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef const char *PCTSTR, *LPCTSTR;
#define TEXT(quote) quote
#endif
typedef unsigned char TBYTE, *PTBYTE;
#define UNICODE_NULL ((WCHAR)0)
#define UNICODE_STRING_MAX_BYTES ((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS (32767)
#define ANSI_NULL ((CHAR)0)
#define UNICODE_SPACE ((WCHAR)0x20)
#define ANSI_SPACE ((CHAR)0x20)

#define MINCHAR 0x80
#define MAXCHAR 0x7f
#define MINSHORT 0x8000
#define MAXSHORT 0x7fff
#define MINLONG ((LONG)0x80000000)
#define MAXLONG 0x7fffffff
#define MAXUCHAR 0xff
#define MAXUSHORT 0xffff
#define MAXULONG 0xffffffffU
#define MAXLONGLONG (0x7fffffffffffffffLL)
#define MINLONGLONG (-MAXLONGLONG - 1)
#define MAXULONGLONG (0xffffffffffffffffULL)
#define MAXINT 0x7fffffff
#define MAXUINT 0xffffffffU

#define MAKELANGID(p, s) ((((USHORT)(s)) << 10) | (USHORT)(p))
typedef ULONG LCID, *PLCID;
typedef USHORT LANGID;

// ---- Handles, status, 64-bit numbers
// ------------------------------------------------------------------------------
typedef void *HANDLE, **PHANDLE;
#define DECLARE_HANDLE(name) \
  struct name##__ {          \
    int unused;              \
  };                         \
  typedef struct name##__* name
#define DECLARE_OPAQUE_HANDLE(name) DECLARE_HANDLE(name)

typedef LONG NTSTATUS, *PNTSTATUS;
#define NT_SUCCESS(Status) (((NTSTATUS)(Status)) >= 0)
#define NT_INFORMATION(Status) ((((ULONG)(Status)) >> 30) == 1)
#define NT_WARNING(Status) ((((ULONG)(Status)) >> 30) == 2)
#define NT_ERROR(Status) ((((ULONG)(Status)) >> 30) == 3)
#define APPLICATION_ERROR_MASK 0x20000000
#define ERROR_SEVERITY_SUCCESS 0x00000000
#define ERROR_SEVERITY_INFORMATIONAL 0x40000000
#define ERROR_SEVERITY_WARNING 0x80000000
#define ERROR_SEVERITY_ERROR 0xC0000000
#define SUCCEEDED(hr) (((HRESULT)(hr)) >= 0)
#define FAILED(hr) (((HRESULT)(hr)) < 0)

typedef union _LARGE_INTEGER {
  struct {
    ULONG LowPart;
    LONG HighPart;
  } DUMMYSTRUCTNAME;
  struct {
    ULONG LowPart;
    LONG HighPart;
  } u;
  LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
  struct {
    ULONG LowPart;
    ULONG HighPart;
  } DUMMYSTRUCTNAME;
  struct {
    ULONG LowPart;
    ULONG HighPart;
  } u;
  ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef struct _LUID {
  ULONG LowPart;
  LONG HighPart;
} LUID, *PLUID;

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

typedef struct _QUAD {
  union {
    LONGLONG UseThisFieldToCopy;
    double DoNotUseThisField;
  } DUMMYUNIONNAME;
} QUAD, *PQUAD, UQUAD, *PUQUAD;

#define Int32x32To64(a, b) (((LONGLONG)((LONG)(a))) * ((LONGLONG)((LONG)(b))))
#define UInt32x32To64(a, b) (((ULONGLONG)((ULONG)(a))) * ((ULONGLONG)((ULONG)(b))))
#define Int64ShllMod32(a, b) (((ULONGLONG)(a)) << (b))
#define Int64ShraMod32(a, b) (((LONGLONG)(a)) >> (b))
#define Int64ShrlMod32(a, b) (((ULONGLONG)(a)) >> (b))

// ---- Counted strings
// ---------------------------------------------------------------------------------------------
typedef struct _UNICODE_STRING {
  USHORT Length;
  USHORT MaximumLength;
  PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING* PCUNICODE_STRING;

typedef struct _STRING {
  USHORT Length;
  USHORT MaximumLength;
  PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING, OEM_STRING, *POEM_STRING, UTF8_STRING, *PUTF8_STRING;
typedef const STRING *PCOEM_STRING, *PCANSI_STRING, *PCUTF8_STRING;

typedef struct _CSTRING {
  USHORT Length;
  USHORT MaximumLength;
  const char* Buffer;
} CSTRING, *PCSTRING;

// Initialises a STRING or a UNICODE_STRING from a literal; the type of the literal decides which it fits.
#ifdef __cplusplus
extern "C++" {
template <typename Character, size_t Count>
constexpr Character* undis_string_buffer(const Character (&text)[Count]) {
  return const_cast<Character*>(text);
}
}
#define UNDIS_STRING_BUFFER(s) undis_string_buffer(s)
#else
#define UNDIS_STRING_BUFFER(s) ((void*)(s))
#endif
#define RTL_CONSTANT_STRING(s) \
  { (USHORT)(sizeof(s) - sizeof((s)[0])), (USHORT)sizeof(s), UNDIS_STRING_BUFFER(s) }
#define DECLARE_CONST_UNICODE_STRING(_var, _string) \
  const WCHAR _var##_buffer[] = _string;            \
  const UNICODE_STRING _var = {sizeof(_string) - sizeof(WCHAR), sizeof(_string), (PWCH)_var##_buffer}
#define DECLARE_GLOBAL_CONST_UNICODE_STRING(_var, _str) \
  extern const DECLSPEC_SELECTANY UNICODE_STRING _var;  \
  const UNICODE_STRING _var = RTL_CONSTANT_STRING(_str)
#define DECLARE_UNICODE_STRING_SIZE(_var, _size) \
  WCHAR _var##_buffer[_size];                    \
  UNICODE_STRING _var = {0, (USHORT)((_size) * sizeof(WCHAR)), _var##_buffer}

// ---- Lists
// ---------------------------------------------------------------------------------------------------------
typedef struct _LIST_ENTRY {
  struct _LIST_ENTRY* Flink;
  struct _LIST_ENTRY* Blink;
} LIST_ENTRY, *PLIST_ENTRY, *RESTRICTED_POINTER PRLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
  struct _SINGLE_LIST_ENTRY* Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

#define CONTAINING_RECORD(address, type, field) \
  ((type*)((PCHAR)(address) - (ULONG_PTR) __builtin_offsetof(type, field)))
#define FIELD_OFFSET(type, field) ((LONG) __builtin_offsetof(type, field))
#define UFIELD_OFFSET(type, field) ((ULONG) __builtin_offsetof(type, field))

// ---- Objects
// ----------------------------------------------------------------------------------------------------
typedef struct _OBJECT_ATTRIBUTES {
  ULONG Length;
  HANDLE RootDirectory;
  PUNICODE_STRING ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor;
  PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;
typedef const OBJECT_ATTRIBUTES* PCOBJECT_ATTRIBUTES;

#define OBJ_INHERIT 0x00000002U
#define OBJ_PERMANENT 0x00000010U
#define OBJ_EXCLUSIVE 0x00000020U
#define OBJ_CASE_INSENSITIVE 0x00000040U
#define OBJ_OPENIF 0x00000080U
#define OBJ_OPENLINK 0x00000100U
#define OBJ_KERNEL_HANDLE 0x00000200U
#define OBJ_FORCE_ACCESS_CHECK 0x00000400U
#define OBJ_IGNORE_IMPERSONATED_DEVICEMAP 0x00000800U
#define OBJ_DONT_REPARSE 0x00001000U
#define OBJ_VALID_ATTRIBUTES 0x00001FF2U

#define InitializeObjectAttributes(p, n, a, r, s) \
  {                                               \
    (p)->Length = sizeof(OBJECT_ATTRIBUTES);      \
    (p)->RootDirectory = (r);                     \
    (p)->Attributes = (a);                        \
    (p)->ObjectName = (n);                        \
    (p)->SecurityDescriptor = (s);                \
    (p)->SecurityQualityOfService = NULL;         \
  }
#define RTL_CONSTANT_OBJECT_ATTRIBUTES(n, a) \
  { sizeof(OBJECT_ATTRIBUTES), NULL, (PUNICODE_STRING)(n), (a), NULL, NULL }
#define RTL_INIT_OBJECT_ATTRIBUTES(n, a) RTL_CONSTANT_OBJECT_ATTRIBUTES(n, a)

typedef enum _EVENT_TYPE { NotificationEvent, SynchronizationEvent } EVENT_TYPE;
typedef enum _TIMER_TYPE { NotificationTimer, SynchronizationTimer } TIMER_TYPE;
typedef enum _WAIT_TYPE { WaitAll, WaitAny, WaitNotification, WaitDequeue } WAIT_TYPE;
typedef enum _NT_PRODUCT_TYPE { NtProductWinNt = 1, NtProductLanManNt, NtProductServer } NT_PRODUCT_TYPE;

typedef struct _PROCESSOR_NUMBER {
  USHORT Group;
  UCHAR Number;
  UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;

typedef struct _GROUP_AFFINITY {
  KAFFINITY Mask;
  USHORT Group;
  USHORT Reserved[3];
} GROUP_AFFINITY, *PGROUP_AFFINITY;
typedef const GROUP_AFFINITY* PCGROUP_AFFINITY;

// ---- Arithmetic on sizes, addresses and flags
// ---------------------------------------------------------------------
#define RTL_FIELD_TYPE(type, field) (((type*)0)->field)
#define RTL_FIELD_SIZE(type, field) (sizeof(((type*)0)->field))
#define RTL_BITS_OF(sizeOfArg) (sizeof(sizeOfArg) * 8)
#define RTL_BITS_OF_FIELD(type, field) (RTL_BITS_OF(RTL_FIELD_TYPE(type, field)))
#define RTL_NUMBER_OF(A) (sizeof(A) / sizeof((A)[0]))
#define RTL_NUMBER_OF_V1(A) RTL_NUMBER_OF(A)
#define RTL_NUMBER_OF_V2(A) RTL_NUMBER_OF(A)
#define ARRAYSIZE(A) RTL_NUMBER_OF(A)
#define RTL_NUMBER_OF_FIELD(type, field) (RTL_NUMBER_OF(RTL_FIELD_TYPE(type, field)))
#define RTL_SIZEOF_THROUGH_FIELD(type, field) (__builtin_offsetof(type, field) + RTL_FIELD_SIZE(type, field))
#define RTL_CONTAINS_FIELD(Struct, Size, Field) \
  ((((PCHAR)(&(Struct)->Field)) + sizeof((Struct)->Field)) <= (((PCHAR)(Struct)) + (Size)))
#define RTL_PADDING_BETWEEN_FIELDS(T, F1, F2)                                  \
  ((UFIELD_OFFSET(T, F2) > UFIELD_OFFSET(T, F1))                               \
       ? (UFIELD_OFFSET(T, F2) - UFIELD_OFFSET(T, F1) - RTL_FIELD_SIZE(T, F1)) \
       : (UFIELD_OFFSET(T, F1) - UFIELD_OFFSET(T, F2) - RTL_FIELD_SIZE(T, F2)))

#define ALIGN_DOWN_BY(length, alignment) ((ULONG_PTR)(length) & ~((ULONG_PTR)(alignment)-1))
#define ALIGN_UP_BY(length, alignment) (ALIGN_DOWN_BY(((ULONG_PTR)(length) + (alignment)-1), alignment))
#define ALIGN_DOWN_POINTER_BY(address, alignment) \
  ((PVOID)((ULONG_PTR)(address) & ~((ULONG_PTR)(alignment)-1)))
#define ALIGN_UP_POINTER_BY(address, alignment) \
  (ALIGN_DOWN_POINTER_BY(((ULONG_PTR)(address) + (alignment)-1), alignment))
#define ALIGN_DOWN(length, type) ALIGN_DOWN_BY(length, sizeof(type))
#define ALIGN_UP(length, type) ALIGN_UP_BY(length, sizeof(type))
#define ALIGN_DOWN_POINTER(address, type) ALIGN_DOWN_POINTER_BY(address, sizeof(type))
#define ALIGN_UP_POINTER(address, type) ALIGN_UP_POINTER_BY(address, sizeof(type))

#define RTL_IS_POWER_OF_TWO(Value) ((Value) != 0 && !((Value) & ((Value)-1)))
#define RTL_IS_CLEAR_OR_SINGLE_FLAG(Flags, Mask) \
  (((Flags) & (Mask)) == 0 || !(((Flags) & (Mask)) & (((Flags) & (Mask)) - 1)))
#define FlagOn(_F, _SF) ((_F) & (_SF))
#define BooleanFlagOn(F, SF) ((BOOLEAN)(((F) & (SF)) != 0))
#define SetFlag(_F, _SF) ((_F) |= (_SF))
#define ClearFlag(_F, _SF) ((_F) &= ~(_SF))
#define ARGUMENT_PRESENT(ArgumentPointer) ((CHAR*)((ULONG_PTR)(ArgumentPointer)) != (CHAR*)(NULL))

#ifndef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(P) ((void)(P))
#define UNREFERENCED_LOCAL_VARIABLE(V) ((void)(V))
#define DBG_UNREFERENCED_PARAMETER(P) ((void)(P))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(V) ((void)(V))
#endif
#define DEFAULT_UNREACHABLE \
  default:                  \
    __builtin_unreachable()

#ifdef __cplusplus
#define DEFINE_ENUM_FLAG_OPERATORS(ENUMTYPE)                    \
  extern "C++" {                                                \
  inline constexpr ENUMTYPE operator|(ENUMTYPE a, ENUMTYPE b) { \
    return ENUMTYPE(int(a) | int(b));                           \
  }                                                             \
  inline constexpr ENUMTYPE operator&(ENUMTYPE a, ENUMTYPE b) { \
    return ENUMTYPE(int(a) & int(b));                           \
  }                                                             \
  inline constexpr ENUMTYPE operator^(ENUMTYPE a, ENUMTYPE b) { \
    return ENUMTYPE(int(a) ^ int(b));                           \
  }                                                             \
  inline constexpr ENUMTYPE operator~(ENUMTYPE a) {             \
    return ENUMTYPE(~int(a));                                   \
  }                                                             \
  inline ENUMTYPE& operator|=(ENUMTYPE& a, ENUMTYPE b) {        \
    return a = a | b;                                           \
  }                                                             \
  inline ENUMTYPE& operator&=(ENUMTYPE& a, ENUMTYPE b) {        \
    return a = a & b;                                           \
  }                                                             \
  inline ENUMTYPE& operator^=(ENUMTYPE& a, ENUMTYPE b) {        \
    return a = a ^ b;                                           \
  }                                                             \
  }
#else
#define DEFINE_ENUM_FLAG_OPERATORS(ENUMTYPE)
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif
