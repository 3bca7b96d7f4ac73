// SPDX-License-Identifier: MIT
// The C run time that kernel drivers have: 16-bit wide strings, Windows' format letters, functions libc does
// not know.
//
// libc's own wide functions and formats do not fit (wchar_t is 32 bits, %ld 64 bits there), so in a driver
// build their names are bound to the library's undis_crt_* functions. Library code calls those by their own
// names.
#pragma once
#pragma GCC system_header

#include <ntdef.h>
#include <stdint.h>
#if defined(UNDIS_DRIVER) && !defined(__cplusplus) && !defined(_SYS_TYPES_H)
// libc's stdlib.h brings the names of <sys/types.h> along (struct timeval, u_int, fd_set ...), which drivers
// define.
#define _SYS_TYPES_H 1
#define UNDIS_WITHOUT_SYS_TYPES
#endif
#include <stdlib.h>
#include <string.h>
#if defined(UNDIS_WITHOUT_SYS_TYPES)
#undef _SYS_TYPES_H
#undef EXIT_SUCCESS
#undef EXIT_FAILURE
#endif

UNDIS_EXTERN_C_START

// ---- Formatting: as C99 vsnprintf, with Windows' letters (%ws, %S, %wZ, %Z, %I64d, %I32x, %Ix, 32-bit %ld)
// ---------------
NTKERNELAPI int undis_crt_vsnprintf(CHAR* buffer, size_t count, const CHAR* format, va_list arguments);
NTKERNELAPI int undis_crt_vsnwprintf(WCHAR* buffer, size_t count, const WCHAR* format, va_list arguments);

// These two are Windows': -1 when cut short, and no terminator when the text just fills the buffer.
NTKERNELAPI int _snprintf(CHAR* buffer, size_t count, const CHAR* format, ...);
NTKERNELAPI int _vsnprintf(CHAR* buffer, size_t count, const CHAR* format, va_list arguments);
NTKERNELAPI int _snwprintf(WCHAR* buffer, size_t count, const WCHAR* format, ...);
NTKERNELAPI int _vsnwprintf(WCHAR* buffer, size_t count, const WCHAR* format, va_list arguments);

// ---- Names that libc does not have
// ----------------------------------------------------------------------------------
NTKERNELAPI int _stricmp(const CHAR* one, const CHAR* other);
NTKERNELAPI int _strnicmp(const CHAR* one, const CHAR* other, size_t count);
NTKERNELAPI CHAR* _strlwr(CHAR* text);
NTKERNELAPI CHAR* _strupr(CHAR* text);
NTKERNELAPI int _wcsicmp(const WCHAR* one, const WCHAR* other);
NTKERNELAPI int _wcsnicmp(const WCHAR* one, const WCHAR* other, size_t count);
NTKERNELAPI WCHAR* _wcslwr(WCHAR* text);
NTKERNELAPI WCHAR* _wcsupr(WCHAR* text);
NTKERNELAPI CHAR* _itoa(int value, CHAR* text, int radix);
NTKERNELAPI CHAR* _ultoa(ULONG value, CHAR* text, int radix);
NTKERNELAPI CHAR* _i64toa(LONGLONG value, CHAR* text, int radix);
NTKERNELAPI CHAR* _ui64toa(ULONGLONG value, CHAR* text, int radix);
NTKERNELAPI WCHAR* _itow(int value, WCHAR* text, int radix);
NTKERNELAPI WCHAR* _ultow(ULONG value, WCHAR* text, int radix);
NTKERNELAPI int _wtoi(const WCHAR* text);
#define _alloca __builtin_alloca
#define _malloca __builtin_alloca
#define _freea(block) ((void)(block))
#define stricmp _stricmp
#define strnicmp _strnicmp
#define wcsicmp _wcsicmp

// ---- Checked forms: too small a buffer is an error (ERANGE), and the buffer is emptied
// --------------------------------
typedef int errno_t;
UNDIS_INLINE errno_t memcpy_s(void* dest, size_t destSize, const void* src, size_t count) {
  if (count > destSize) {
    memset(dest, 0, destSize);
    return 34;
  }
  memcpy(dest, src, count);
  return 0;
}
UNDIS_INLINE errno_t memmove_s(void* dest, size_t numberOfElements, const void* src, size_t count) {
  if (count > numberOfElements) return 34;
  memmove(dest, src, count);
  return 0;
}
UNDIS_INLINE errno_t strcpy_s(CHAR* dest, size_t dest_size, const CHAR* src) {
  size_t const length = strlen(src);
  if (length < dest_size) {
    memcpy(dest, src, length + 1);
    return 0;
  }
  if (dest_size != 0) dest[0] = 0;
  return 34;
}
UNDIS_INLINE errno_t strcat_s(CHAR* dest, size_t dest_size, const CHAR* src) {
  size_t const length = strnlen(dest, dest_size);
  if (strcpy_s(dest + length, dest_size - length, src) == 0) return 0;
  if (dest_size != 0) dest[0] = 0;
  return 34;
}
UNDIS_INLINE int sprintf_s(CHAR* buffer, size_t sizeOfBuffer, const CHAR* format, ...) {
  va_list arguments;
  int length;
  va_start(arguments, format);
  length = undis_crt_vsnprintf(buffer, sizeOfBuffer, format, arguments);
  va_end(arguments);
  if (length >= 0 && (size_t)length < sizeOfBuffer) return length;
  if (sizeOfBuffer != 0) buffer[0] = 0;
  return -1;
}

// ---- Names that libc has, in another size
// ---------------------------------------------------------------------------
#if defined(UNDIS_DRIVER)
#define UNDIS_CRT(name) __asm__("undis_crt_" #name)
extern int sprintf(CHAR* buffer, const CHAR* format, ...) UNDIS_CRT(sprintf);
extern int snprintf(CHAR* buffer, size_t count, const CHAR* format, ...) UNDIS_CRT(snprintf);
extern int vsprintf(CHAR* buffer, const CHAR* format, va_list arguments) UNDIS_CRT(vsprintf);
extern int vsnprintf(CHAR* buffer, size_t count, const CHAR* format, va_list arguments) UNDIS_CRT(vsnprintf);
extern size_t wcslen(const WCHAR* text) UNDIS_CRT(wcslen);
extern size_t wcsnlen(const WCHAR* text, size_t count) UNDIS_CRT(wcsnlen);
extern WCHAR* wcscpy(WCHAR* to, const WCHAR* from) UNDIS_CRT(wcscpy);
extern WCHAR* wcsncpy(WCHAR* to, const WCHAR* from, size_t count) UNDIS_CRT(wcsncpy);
extern WCHAR* wcscat(WCHAR* to, const WCHAR* from) UNDIS_CRT(wcscat);
extern WCHAR* wcsncat(WCHAR* to, const WCHAR* from, size_t count) UNDIS_CRT(wcsncat);
extern int wcscmp(const WCHAR* one, const WCHAR* other) UNDIS_CRT(wcscmp);
extern int wcsncmp(const WCHAR* one, const WCHAR* other, size_t count) UNDIS_CRT(wcsncmp);
#ifndef __cplusplus
extern WCHAR* wcschr(const WCHAR* text, WCHAR character) UNDIS_CRT(wcschr);
extern WCHAR* wcsrchr(const WCHAR* text, WCHAR character) UNDIS_CRT(wcsrchr);
extern WCHAR* wcsstr(const WCHAR* text, const WCHAR* part) UNDIS_CRT(wcsstr);
#endif
extern size_t wcsspn(const WCHAR* text, const WCHAR* accept) UNDIS_CRT(wcsspn);
extern size_t wcscspn(const WCHAR* text, const WCHAR* reject) UNDIS_CRT(wcscspn);
#else
NTKERNELAPI size_t undis_crt_wcslen(const WCHAR* text);
NTKERNELAPI size_t undis_crt_wcsnlen(const WCHAR* text, size_t count);
NTKERNELAPI WCHAR* undis_crt_wcscpy(WCHAR* to, const WCHAR* from);
NTKERNELAPI WCHAR* undis_crt_wcsncpy(WCHAR* to, const WCHAR* from, size_t count);
NTKERNELAPI WCHAR* undis_crt_wcscat(WCHAR* to, const WCHAR* from);
NTKERNELAPI WCHAR* undis_crt_wcsncat(WCHAR* to, const WCHAR* from, size_t count);
NTKERNELAPI int undis_crt_wcscmp(const WCHAR* one, const WCHAR* other);
NTKERNELAPI int undis_crt_wcsncmp(const WCHAR* one, const WCHAR* other, size_t count);
NTKERNELAPI WCHAR* undis_crt_wcschr(const WCHAR* text, WCHAR character);
NTKERNELAPI WCHAR* undis_crt_wcsrchr(const WCHAR* text, WCHAR character);
NTKERNELAPI WCHAR* undis_crt_wcsstr(const WCHAR* text, const WCHAR* part);
NTKERNELAPI size_t undis_crt_wcsspn(const WCHAR* text, const WCHAR* accept);
NTKERNELAPI size_t undis_crt_wcscspn(const WCHAR* text, const WCHAR* reject);
NTKERNELAPI int undis_crt_sprintf(CHAR* buffer, const CHAR* format, ...);
NTKERNELAPI int undis_crt_snprintf(CHAR* buffer, size_t count, const CHAR* format, ...);
NTKERNELAPI int undis_crt_vsprintf(CHAR* buffer, const CHAR* format, va_list arguments);
#endif

UNDIS_EXTERN_C_END
