// SPDX-License-Identifier: MIT
// The words of the Microsoft compiler that driver sources use, spelled for gcc and clang.
//
// `undis cc` includes this file before the first line of a driver (with UNDIS_DRIVER defined); every other
// header here includes it too. C11 and C++20. `long` never occurs: driver text has 32-bit long, the library
// has not. Every header of this folder is a system header to the compiler: its linemarkers carry flag 3, so a
// tool that rewrites `long` in preprocessed driver text can tell our lines (and libc's) from the driver's.
#pragma once
#pragma GCC system_header

#include <stdarg.h>
#include <stddef.h>

// ---- What a driver build defines on Windows
// -------------------------------------------------------------------
#if defined(UNDIS_DRIVER)
#ifndef _WIN32
#define _WIN32 1
#endif
#ifndef _WIN64
#define _WIN64 1
#endif
#ifndef _AMD64_
#define _AMD64_ 1
#endif
#ifndef AMD64
#define AMD64 1
#endif
#ifndef _M_AMD64
#define _M_AMD64 100
#endif
#ifndef _M_X64
#define _M_X64 100
#endif
#ifndef _KERNEL_MODE
#define _KERNEL_MODE 1
#endif
#ifndef WINNT
#define WINNT 1
#endif
#endif

// ---- Linkage
// ----------------------------------------------------------------------------------------------------
#ifdef __cplusplus
#define UNDIS_EXTERN_C extern "C"
#define UNDIS_EXTERN_C_START extern "C" {
#define UNDIS_EXTERN_C_END }
#else
#define UNDIS_EXTERN_C extern
#define UNDIS_EXTERN_C_START
#define UNDIS_EXTERN_C_END
#endif

// Each prototype of an exported function carries this, so that the library can be built with hidden
// visibility.
#define UNDIS_EXPORT __attribute__((visibility("default")))

// Inline functions of these headers. Drivers' own words (FORCEINLINE ...) must not say `static`: drivers add
// it.
#define UNDIS_INLINE static inline __attribute__((unused))

// Compile-time check that works at file, block and struct scope in both languages.
#ifdef __cplusplus
#define UNDIS_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define UNDIS_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#if defined(UNDIS_DRIVER) && !defined(static_assert)
#define static_assert _Static_assert
#endif
#endif

// ---- Calling conventions and type modifiers: nothing on x64
// ------------------------------------------------------
#define __cdecl
#define _cdecl
#define __stdcall
#define _stdcall
#define __fastcall
#define _fastcall
#define __thiscall
#define __vectorcall
#define __clrcall
#define __ptr32
#define __ptr64
#define __sptr
#define __uptr
#define __unaligned
#define __w64

// ---- Sized integers
// -------------------------------------------------------------------------------------------
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define _int8 char
#define _int16 short
#define _int32 int
#define _int64 long long

// ---- Inlining
// -------------------------------------------------------------------------------------------------
#define __forceinline inline __attribute__((always_inline))
#define _forceinline inline __attribute__((always_inline))
#ifndef _inline
#define _inline inline
#endif
#ifndef __cplusplus
#if !defined(__GNUC_GNU_INLINE__) && !defined(__GNUC_STDC_INLINE__)
#error "undis: this compiler does not say which meaning `inline` has; use gcc or clang"
#endif
#endif

// ---- __declspec(word) and __declspec(word(argument))
// ------------------------------------------------------------ Pasting turns `__declspec(align(16))` into
// `__declspec_align(16)`. A word that is missing here is an error that names it.
#ifdef __declspec
#undef __declspec
#endif
#define __declspec(word) __declspec_##word
#define _declspec(word) __declspec_##word
#define __declspec_
#define __declspec_align(n) __attribute__((aligned(n)))
#define __declspec_allocate(section)
#define __declspec_allocator
#define __declspec_appdomain
#define __declspec_code_seg(section)
#define __declspec_deprecated
#define __declspec_dllexport __attribute__((visibility("default")))
#define __declspec_dllimport
#define __declspec_empty_bases
#define __declspec_guard(word)
#define __declspec_naked
#define __declspec_noalias
#define __declspec_noinline __attribute__((noinline))
#define __declspec_noreturn __attribute__((noreturn))
#define __declspec_nothrow __attribute__((nothrow))
#define __declspec_novtable
#define __declspec_no_init_all
#define __declspec_no_sanitize_address
#define __declspec_restrict
#define __declspec_safebuffers
#define __declspec_selectany __attribute__((weak))
#define __declspec_spectre(word)
#define __declspec_strict_gs_check
#define __declspec_thread __thread
#define __declspec_uuid(text)

// ---- Other operators and intrinsics of the language
// ----------------------------------------------------------------
#define __pragma(...) _Pragma(#__VA_ARGS__)
#ifndef __clang__
#ifdef __cplusplus
UNDIS_EXTERN_C_START
UNDIS_INLINE int __noop(...) {
  return 0;
}
UNDIS_EXTERN_C_END
#else
// Clang has __noop; for gcc a function with unnamed parameters takes the same calls, but evaluates the
// arguments.
UNDIS_INLINE int __noop() {
  return 0;
}
#endif
#endif
#define __assume(condition)                    \
  do {                                         \
    if (!(condition)) __builtin_unreachable(); \
  } while (0)
#define __annotation(...)
#define __identifier(name) name
#define __FUNCDNAME__ __func__
#define __FUNCSIG__ __PRETTY_FUNCTION__
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
