// SPDX-License-Identifier: MIT
// Bounded string functions (RtlStringCb..., RtlStringCch..., RtlUnicodeString...), as inlines.
//
// The count includes the terminator, in characters (Cch) or bytes (Cb). What does not fit is cut, terminated,
// and told by STATUS_BUFFER_OVERFLOW; a count of zero or above NTSTRSAFE_MAX_CCH is STATUS_INVALID_PARAMETER.
#pragma once
#pragma GCC system_header

#include <crt.h>
#include <ntstatus.h>
#include <wdm/types.h>

#define NTSTRSAFE_MAX_CCH 2147483647
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(WCHAR))
#define NTSTRSAFE_MAX_LENGTH (NTSTRSAFE_MAX_CCH - 1)
#define STRSAFE_FILL_BEHIND_NULL 0x00000200
#define STRSAFE_IGNORE_NULLS 0x00000100
#define STRSAFE_FILL_ON_FAILURE 0x00000400
#define STRSAFE_NULL_ON_FAILURE 0x00000800
#define STRSAFE_NO_TRUNCATION 0x00001000
#define STRSAFE_ZERO_LENGTH_ON_FAILURE 0x00002000
#define STRSAFE_FILL_BYTE(x) ((ULONG)(((x)&0xff) | STRSAFE_FILL_BEHIND_NULL))
#define STRSAFE_FAILURE_BYTE(x) ((ULONG)(((x)&0xff) | STRSAFE_FILL_ON_FAILURE))
typedef const CHAR* NTSTRSAFE_PCSTR;
typedef CHAR* NTSTRSAFE_PSTR;
typedef const WCHAR* NTSTRSAFE_PCWSTR;
typedef WCHAR* NTSTRSAFE_PWSTR;

UNDIS_EXTERN_C_START

// ---- Narrow
// --------------------------------------------------------------------------------------------------------
UNDIS_INLINE NTSTATUS RtlStringCchLengthA(const CHAR* psz, size_t cchMax, size_t* pcchLength) {
  size_t length = 0;
  if (psz == NULL || cchMax > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
  while (length < cchMax && psz[length] != 0) ++length;
  if (length == cchMax) {
    if (pcchLength != NULL) *pcchLength = 0;
    return STATUS_INVALID_PARAMETER;
  }
  if (pcchLength != NULL) *pcchLength = length;
  return STATUS_SUCCESS;
}
UNDIS_INLINE NTSTATUS RtlStringCbLengthA(const CHAR* psz, size_t cbMax, size_t* pcbLength) {
  size_t length = 0;
  NTSTATUS const status = RtlStringCchLengthA(psz, cbMax / sizeof(CHAR), &length);
  if (pcbLength != NULL) *pcbLength = length * sizeof(CHAR);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchCopyNA(CHAR* pszDest, size_t cchDest, const CHAR* pszSrc,
                                         size_t cchToCopy) {
  size_t length = 0;
  if (cchDest == 0 || cchDest > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
  for (; length < cchToCopy && pszSrc[length] != 0; ++length) {
    if (length == cchDest - 1) {
      pszDest[length] = 0;
      return STATUS_BUFFER_OVERFLOW;
    }
    pszDest[length] = pszSrc[length];
  }
  pszDest[length] = 0;
  return STATUS_SUCCESS;
}
UNDIS_INLINE NTSTATUS RtlStringCchCopyA(CHAR* pszDest, size_t cchDest, const CHAR* pszSrc) {
  return RtlStringCchCopyNA(pszDest, cchDest, pszSrc, NTSTRSAFE_MAX_CCH);
}
UNDIS_INLINE NTSTATUS RtlStringCbCopyA(CHAR* pszDest, size_t cbDest, const CHAR* pszSrc) {
  return RtlStringCchCopyA(pszDest, cbDest / sizeof(CHAR), pszSrc);
}
UNDIS_INLINE NTSTATUS RtlStringCbCopyNA(CHAR* pszDest, size_t cbDest, const CHAR* pszSrc, size_t cbToCopy) {
  return RtlStringCchCopyNA(pszDest, cbDest / sizeof(CHAR), pszSrc, cbToCopy / sizeof(CHAR));
}
UNDIS_INLINE NTSTATUS RtlStringCchCatNA(CHAR* pszDest, size_t cchDest, const CHAR* pszSrc,
                                        size_t cchToAppend) {
  size_t length = 0;
  NTSTATUS const status = RtlStringCchLengthA(pszDest, cchDest, &length);
  if (!NT_SUCCESS(status)) return status;
  return RtlStringCchCopyNA(pszDest + length, cchDest - length, pszSrc, cchToAppend);
}
UNDIS_INLINE NTSTATUS RtlStringCchCatA(CHAR* pszDest, size_t cchDest, const CHAR* pszSrc) {
  return RtlStringCchCatNA(pszDest, cchDest, pszSrc, NTSTRSAFE_MAX_CCH);
}
UNDIS_INLINE NTSTATUS RtlStringCbCatA(CHAR* pszDest, size_t cbDest, const CHAR* pszSrc) {
  return RtlStringCchCatA(pszDest, cbDest / sizeof(CHAR), pszSrc);
}
UNDIS_INLINE NTSTATUS RtlStringCbCatNA(CHAR* pszDest, size_t cbDest, const CHAR* pszSrc, size_t cbToAppend) {
  return RtlStringCchCatNA(pszDest, cbDest / sizeof(CHAR), pszSrc, cbToAppend / sizeof(CHAR));
}
UNDIS_INLINE NTSTATUS RtlStringCchVPrintfA(CHAR* pszDest, size_t cchDest, const CHAR* pszFormat,
                                           va_list argList) {
  int length;
  if (cchDest == 0 || cchDest > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
  length = undis_crt_vsnprintf(pszDest, cchDest, pszFormat, argList);
  if (length >= 0 && (size_t)length < cchDest) return STATUS_SUCCESS;
  pszDest[cchDest - 1] = 0;
  return STATUS_BUFFER_OVERFLOW;
}
UNDIS_INLINE NTSTATUS RtlStringCbVPrintfA(CHAR* pszDest, size_t cbDest, const CHAR* pszFormat,
                                          va_list argList) {
  return RtlStringCchVPrintfA(pszDest, cbDest / sizeof(CHAR), pszFormat, argList);
}
UNDIS_INLINE NTSTATUS RtlStringCchPrintfA(CHAR* pszDest, size_t cchDest, const CHAR* pszFormat, ...) {
  va_list arguments;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status = RtlStringCchVPrintfA(pszDest, cchDest, pszFormat, arguments);
  va_end(arguments);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCbPrintfA(CHAR* pszDest, size_t cbDest, const CHAR* pszFormat, ...) {
  va_list arguments;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status = RtlStringCchVPrintfA(pszDest, cbDest / sizeof(CHAR), pszFormat, arguments);
  va_end(arguments);
  return status;
}

// The Ex forms also tell where the terminator stands and what is left behind it, and may fill or empty the
// buffer.
UNDIS_INLINE NTSTATUS undis_string_resultA(CHAR* start, size_t count, NTSTATUS status, CHAR** end,
                                           size_t* remaining, ULONG flags) {
  size_t length = 0;
  if (status == STATUS_INVALID_PARAMETER) return status;
  if (status == STATUS_BUFFER_OVERFLOW) {
    if ((flags & STRSAFE_FILL_ON_FAILURE) != 0) {
      memset(start, (int)(flags & 0xff), count * sizeof(CHAR));
      start[count - 1] = 0;
    }
    if ((flags & (STRSAFE_NULL_ON_FAILURE | STRSAFE_NO_TRUNCATION)) != 0) start[0] = 0;
  }
  while (start[length] != 0) ++length;
  if (status == STATUS_SUCCESS && (flags & STRSAFE_FILL_BEHIND_NULL) != 0 && length + 1 < count)
    memset(start + length + 1, (int)(flags & 0xff), (count - length - 1) * sizeof(CHAR));
  if (end != NULL) *end = start + length;
  if (remaining != NULL) *remaining = count - length;
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchCopyExA(CHAR* pszDest, size_t cchDest, const CHAR* pszSrc,
                                          CHAR** ppszDestEnd, size_t* pcchRemaining, ULONG dwFlags) {
  return undis_string_resultA(pszDest, cchDest, RtlStringCchCopyA(pszDest, cchDest, pszSrc), ppszDestEnd,
                              pcchRemaining, dwFlags);
}
UNDIS_INLINE NTSTATUS RtlStringCbCopyExA(CHAR* pszDest, size_t cbDest, const CHAR* pszSrc, CHAR** ppszDestEnd,
                                         size_t* pcbRemaining, ULONG dwFlags) {
  size_t remaining = 0;
  NTSTATUS const status =
      RtlStringCchCopyExA(pszDest, cbDest / sizeof(CHAR), pszSrc, ppszDestEnd, &remaining, dwFlags);
  if (pcbRemaining != NULL) *pcbRemaining = remaining * sizeof(CHAR) + cbDest % sizeof(CHAR);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchCatExA(CHAR* pszDest, size_t cchDest, const CHAR* pszSrc,
                                         CHAR** ppszDestEnd, size_t* pcchRemaining, ULONG dwFlags) {
  return undis_string_resultA(pszDest, cchDest, RtlStringCchCatA(pszDest, cchDest, pszSrc), ppszDestEnd,
                              pcchRemaining, dwFlags);
}
UNDIS_INLINE NTSTATUS RtlStringCbCatExA(CHAR* pszDest, size_t cbDest, const CHAR* pszSrc, CHAR** ppszDestEnd,
                                        size_t* pcbRemaining, ULONG dwFlags) {
  size_t remaining = 0;
  NTSTATUS const status =
      RtlStringCchCatExA(pszDest, cbDest / sizeof(CHAR), pszSrc, ppszDestEnd, &remaining, dwFlags);
  if (pcbRemaining != NULL) *pcbRemaining = remaining * sizeof(CHAR) + cbDest % sizeof(CHAR);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchVPrintfExA(CHAR* pszDest, size_t cchDest, CHAR** ppszDestEnd,
                                             size_t* pcchRemaining, ULONG dwFlags, const CHAR* pszFormat,
                                             va_list argList) {
  return undis_string_resultA(pszDest, cchDest, RtlStringCchVPrintfA(pszDest, cchDest, pszFormat, argList),
                              ppszDestEnd, pcchRemaining, dwFlags);
}
UNDIS_INLINE NTSTATUS RtlStringCchPrintfExA(CHAR* pszDest, size_t cchDest, CHAR** ppszDestEnd,
                                            size_t* pcchRemaining, ULONG dwFlags, const CHAR* pszFormat,
                                            ...) {
  va_list arguments;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status =
      RtlStringCchVPrintfExA(pszDest, cchDest, ppszDestEnd, pcchRemaining, dwFlags, pszFormat, arguments);
  va_end(arguments);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCbPrintfExA(CHAR* pszDest, size_t cbDest, CHAR** ppszDestEnd,
                                           size_t* pcbRemaining, ULONG dwFlags, const CHAR* pszFormat, ...) {
  va_list arguments;
  size_t remaining = 0;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status = RtlStringCchVPrintfExA(pszDest, cbDest / sizeof(CHAR), ppszDestEnd, &remaining, dwFlags, pszFormat,
                                  arguments);
  va_end(arguments);
  if (pcbRemaining != NULL) *pcbRemaining = remaining * sizeof(CHAR) + cbDest % sizeof(CHAR);
  return status;
}

// ---- Wide
// --------------------------------------------------------------------------------------------------------
UNDIS_INLINE NTSTATUS RtlStringCchLengthW(const WCHAR* psz, size_t cchMax, size_t* pcchLength) {
  size_t length = 0;
  if (psz == NULL || cchMax > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
  while (length < cchMax && psz[length] != 0) ++length;
  if (length == cchMax) {
    if (pcchLength != NULL) *pcchLength = 0;
    return STATUS_INVALID_PARAMETER;
  }
  if (pcchLength != NULL) *pcchLength = length;
  return STATUS_SUCCESS;
}
UNDIS_INLINE NTSTATUS RtlStringCbLengthW(const WCHAR* psz, size_t cbMax, size_t* pcbLength) {
  size_t length = 0;
  NTSTATUS const status = RtlStringCchLengthW(psz, cbMax / sizeof(WCHAR), &length);
  if (pcbLength != NULL) *pcbLength = length * sizeof(WCHAR);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchCopyNW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszSrc,
                                         size_t cchToCopy) {
  size_t length = 0;
  if (cchDest == 0 || cchDest > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
  for (; length < cchToCopy && pszSrc[length] != 0; ++length) {
    if (length == cchDest - 1) {
      pszDest[length] = 0;
      return STATUS_BUFFER_OVERFLOW;
    }
    pszDest[length] = pszSrc[length];
  }
  pszDest[length] = 0;
  return STATUS_SUCCESS;
}
UNDIS_INLINE NTSTATUS RtlStringCchCopyW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszSrc) {
  return RtlStringCchCopyNW(pszDest, cchDest, pszSrc, NTSTRSAFE_MAX_CCH);
}
UNDIS_INLINE NTSTATUS RtlStringCbCopyW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszSrc) {
  return RtlStringCchCopyW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}
UNDIS_INLINE NTSTATUS RtlStringCbCopyNW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszSrc, size_t cbToCopy) {
  return RtlStringCchCopyNW(pszDest, cbDest / sizeof(WCHAR), pszSrc, cbToCopy / sizeof(WCHAR));
}
UNDIS_INLINE NTSTATUS RtlStringCchCatNW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszSrc,
                                        size_t cchToAppend) {
  size_t length = 0;
  NTSTATUS const status = RtlStringCchLengthW(pszDest, cchDest, &length);
  if (!NT_SUCCESS(status)) return status;
  return RtlStringCchCopyNW(pszDest + length, cchDest - length, pszSrc, cchToAppend);
}
UNDIS_INLINE NTSTATUS RtlStringCchCatW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszSrc) {
  return RtlStringCchCatNW(pszDest, cchDest, pszSrc, NTSTRSAFE_MAX_CCH);
}
UNDIS_INLINE NTSTATUS RtlStringCbCatW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszSrc) {
  return RtlStringCchCatW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}
UNDIS_INLINE NTSTATUS RtlStringCbCatNW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszSrc,
                                       size_t cbToAppend) {
  return RtlStringCchCatNW(pszDest, cbDest / sizeof(WCHAR), pszSrc, cbToAppend / sizeof(WCHAR));
}
UNDIS_INLINE NTSTATUS RtlStringCchVPrintfW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszFormat,
                                           va_list argList) {
  int length;
  if (cchDest == 0 || cchDest > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
  length = undis_crt_vsnwprintf(pszDest, cchDest, pszFormat, argList);
  if (length >= 0 && (size_t)length < cchDest) return STATUS_SUCCESS;
  pszDest[cchDest - 1] = 0;
  return STATUS_BUFFER_OVERFLOW;
}
UNDIS_INLINE NTSTATUS RtlStringCbVPrintfW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszFormat,
                                          va_list argList) {
  return RtlStringCchVPrintfW(pszDest, cbDest / sizeof(WCHAR), pszFormat, argList);
}
UNDIS_INLINE NTSTATUS RtlStringCchPrintfW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszFormat, ...) {
  va_list arguments;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status = RtlStringCchVPrintfW(pszDest, cchDest, pszFormat, arguments);
  va_end(arguments);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCbPrintfW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszFormat, ...) {
  va_list arguments;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status = RtlStringCchVPrintfW(pszDest, cbDest / sizeof(WCHAR), pszFormat, arguments);
  va_end(arguments);
  return status;
}

// The Ex forms also tell where the terminator stands and what is left behind it, and may fill or empty the
// buffer.
UNDIS_INLINE NTSTATUS undis_string_resultW(WCHAR* start, size_t count, NTSTATUS status, WCHAR** end,
                                           size_t* remaining, ULONG flags) {
  size_t length = 0;
  if (status == STATUS_INVALID_PARAMETER) return status;
  if (status == STATUS_BUFFER_OVERFLOW) {
    if ((flags & STRSAFE_FILL_ON_FAILURE) != 0) {
      memset(start, (int)(flags & 0xff), count * sizeof(WCHAR));
      start[count - 1] = 0;
    }
    if ((flags & (STRSAFE_NULL_ON_FAILURE | STRSAFE_NO_TRUNCATION)) != 0) start[0] = 0;
  }
  while (start[length] != 0) ++length;
  if (status == STATUS_SUCCESS && (flags & STRSAFE_FILL_BEHIND_NULL) != 0 && length + 1 < count)
    memset(start + length + 1, (int)(flags & 0xff), (count - length - 1) * sizeof(WCHAR));
  if (end != NULL) *end = start + length;
  if (remaining != NULL) *remaining = count - length;
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchCopyExW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszSrc,
                                          WCHAR** ppszDestEnd, size_t* pcchRemaining, ULONG dwFlags) {
  return undis_string_resultW(pszDest, cchDest, RtlStringCchCopyW(pszDest, cchDest, pszSrc), ppszDestEnd,
                              pcchRemaining, dwFlags);
}
UNDIS_INLINE NTSTATUS RtlStringCbCopyExW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszSrc,
                                         WCHAR** ppszDestEnd, size_t* pcbRemaining, ULONG dwFlags) {
  size_t remaining = 0;
  NTSTATUS const status =
      RtlStringCchCopyExW(pszDest, cbDest / sizeof(WCHAR), pszSrc, ppszDestEnd, &remaining, dwFlags);
  if (pcbRemaining != NULL) *pcbRemaining = remaining * sizeof(WCHAR) + cbDest % sizeof(WCHAR);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchCatExW(WCHAR* pszDest, size_t cchDest, const WCHAR* pszSrc,
                                         WCHAR** ppszDestEnd, size_t* pcchRemaining, ULONG dwFlags) {
  return undis_string_resultW(pszDest, cchDest, RtlStringCchCatW(pszDest, cchDest, pszSrc), ppszDestEnd,
                              pcchRemaining, dwFlags);
}
UNDIS_INLINE NTSTATUS RtlStringCbCatExW(WCHAR* pszDest, size_t cbDest, const WCHAR* pszSrc,
                                        WCHAR** ppszDestEnd, size_t* pcbRemaining, ULONG dwFlags) {
  size_t remaining = 0;
  NTSTATUS const status =
      RtlStringCchCatExW(pszDest, cbDest / sizeof(WCHAR), pszSrc, ppszDestEnd, &remaining, dwFlags);
  if (pcbRemaining != NULL) *pcbRemaining = remaining * sizeof(WCHAR) + cbDest % sizeof(WCHAR);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCchVPrintfExW(WCHAR* pszDest, size_t cchDest, WCHAR** ppszDestEnd,
                                             size_t* pcchRemaining, ULONG dwFlags, const WCHAR* pszFormat,
                                             va_list argList) {
  return undis_string_resultW(pszDest, cchDest, RtlStringCchVPrintfW(pszDest, cchDest, pszFormat, argList),
                              ppszDestEnd, pcchRemaining, dwFlags);
}
UNDIS_INLINE NTSTATUS RtlStringCchPrintfExW(WCHAR* pszDest, size_t cchDest, WCHAR** ppszDestEnd,
                                            size_t* pcchRemaining, ULONG dwFlags, const WCHAR* pszFormat,
                                            ...) {
  va_list arguments;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status =
      RtlStringCchVPrintfExW(pszDest, cchDest, ppszDestEnd, pcchRemaining, dwFlags, pszFormat, arguments);
  va_end(arguments);
  return status;
}
UNDIS_INLINE NTSTATUS RtlStringCbPrintfExW(WCHAR* pszDest, size_t cbDest, WCHAR** ppszDestEnd,
                                           size_t* pcbRemaining, ULONG dwFlags, const WCHAR* pszFormat, ...) {
  va_list arguments;
  size_t remaining = 0;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status = RtlStringCchVPrintfExW(pszDest, cbDest / sizeof(WCHAR), ppszDestEnd, &remaining, dwFlags,
                                  pszFormat, arguments);
  va_end(arguments);
  if (pcbRemaining != NULL) *pcbRemaining = remaining * sizeof(WCHAR) + cbDest % sizeof(WCHAR);
  return status;
}

// ---- Counted
// -------------------------------------------------------------------------------------------------------
UNDIS_INLINE NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString) {
  if (SourceString == NULL) return STATUS_INVALID_PARAMETER;
  if (SourceString->Length % sizeof(WCHAR) != 0 || SourceString->MaximumLength % sizeof(WCHAR) != 0 ||
      SourceString->Length > SourceString->MaximumLength)
    return STATUS_INVALID_PARAMETER;
  if (SourceString->Buffer == NULL && SourceString->MaximumLength != 0) return STATUS_INVALID_PARAMETER;
  return STATUS_SUCCESS;
}
UNDIS_INLINE NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, const WCHAR* pszSrc) {
  size_t length = 0;
  if (DestinationString == NULL) return STATUS_INVALID_PARAMETER;
  DestinationString->Length = DestinationString->MaximumLength = 0;
  DestinationString->Buffer = NULL;
  if (pszSrc == NULL) return STATUS_SUCCESS;
  while (length <= NTSTRSAFE_UNICODE_STRING_MAX_CCH && pszSrc[length] != 0) ++length;
  if (length > NTSTRSAFE_UNICODE_STRING_MAX_CCH) return STATUS_INVALID_PARAMETER;
  DestinationString->Length = (USHORT)(length * sizeof(WCHAR));
  DestinationString->MaximumLength =
      (USHORT)(length < NTSTRSAFE_UNICODE_STRING_MAX_CCH ? DestinationString->Length + sizeof(WCHAR)
                                                         : DestinationString->Length);
  DestinationString->Buffer = (PWCH)pszSrc;
  return STATUS_SUCCESS;
}
// Appends `count` characters behind `start` characters; what does not fit is cut. No terminator is needed.
UNDIS_INLINE NTSTATUS undis_unicode_string_put(PUNICODE_STRING to, size_t start, const WCHAR* from,
                                               size_t count) {
  size_t const room = to->MaximumLength / sizeof(WCHAR) - start;
  size_t const fits = count < room ? count : room;
  if (fits != 0) memmove(to->Buffer + start, from, fits * sizeof(WCHAR));
  to->Length = (USHORT)((start + fits) * sizeof(WCHAR));
  return fits == count ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}
UNDIS_INLINE size_t undis_wide_length(const WCHAR* text) {
  size_t length = 0;
  while (text != NULL && text[length] != 0) ++length;
  return length;
}
UNDIS_INLINE NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  if (!NT_SUCCESS(RtlUnicodeStringValidate(DestinationString)) ||
      !NT_SUCCESS(RtlUnicodeStringValidate(SourceString)))
    return STATUS_INVALID_PARAMETER;
  return undis_unicode_string_put(DestinationString, 0, SourceString->Buffer,
                                  SourceString->Length / sizeof(WCHAR));
}
UNDIS_INLINE NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, const WCHAR* pszSrc) {
  if (!NT_SUCCESS(RtlUnicodeStringValidate(DestinationString))) return STATUS_INVALID_PARAMETER;
  return undis_unicode_string_put(DestinationString, 0, pszSrc, undis_wide_length(pszSrc));
}
UNDIS_INLINE NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  if (!NT_SUCCESS(RtlUnicodeStringValidate(DestinationString)) ||
      !NT_SUCCESS(RtlUnicodeStringValidate(SourceString)))
    return STATUS_INVALID_PARAMETER;
  return undis_unicode_string_put(DestinationString, DestinationString->Length / sizeof(WCHAR),
                                  SourceString->Buffer, SourceString->Length / sizeof(WCHAR));
}
UNDIS_INLINE NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, const WCHAR* pszSrc) {
  if (!NT_SUCCESS(RtlUnicodeStringValidate(DestinationString))) return STATUS_INVALID_PARAMETER;
  return undis_unicode_string_put(DestinationString, DestinationString->Length / sizeof(WCHAR), pszSrc,
                                  undis_wide_length(pszSrc));
}
// A counted string needs no terminator: text that just fills the buffer fits (_vsnwprintf writes none then).
UNDIS_INLINE NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING DestinationString, const WCHAR* pszFormat,
                                              va_list argList) {
  size_t room;
  int length;
  if (!NT_SUCCESS(RtlUnicodeStringValidate(DestinationString))) return STATUS_INVALID_PARAMETER;
  room = DestinationString->MaximumLength / sizeof(WCHAR);
  length = _vsnwprintf(DestinationString->Buffer, room, pszFormat, argList);
  DestinationString->Length = (USHORT)((length < 0 ? room : (size_t)length) * sizeof(WCHAR));
  return length < 0 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
UNDIS_INLINE NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString, const WCHAR* pszFormat, ...) {
  va_list arguments;
  NTSTATUS status;
  va_start(arguments, pszFormat);
  status = RtlUnicodeStringVPrintf(DestinationString, pszFormat, arguments);
  va_end(arguments);
  return status;
}

UNDIS_EXTERN_C_END
