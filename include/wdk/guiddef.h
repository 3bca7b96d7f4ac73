// SPDX-License-Identifier: MIT
// GUID and DEFINE_GUID. With INITGUID defined (initguid.h) DEFINE_GUID defines the constant, else it declares
// it.
#pragma GCC system_header

#include <string.h>
#include <undis_prelude.h>

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
  unsigned int Data1;
  unsigned short Data2;
  unsigned short Data3;
  unsigned char Data4[8];
} GUID;
typedef GUID* LPGUID;
typedef const GUID* LPCGUID;
typedef GUID IID, *LPIID, CLSID, *LPCLSID, FMTID;

#ifdef __cplusplus
#define REFGUID const GUID&
#define REFIID const IID&
#define REFCLSID const CLSID&
#define InlineIsEqualGUID(rguid1, rguid2) (memcmp(&(rguid1), &(rguid2), sizeof(GUID)) == 0)
#define IsEqualGUID(rguid1, rguid2) (memcmp(&(rguid1), &(rguid2), sizeof(GUID)) == 0)
UNDIS_INLINE bool operator==(const GUID& one, const GUID& other) {
  return memcmp(&one, &other, sizeof(GUID)) == 0;
}
#if __cplusplus < 202002L
UNDIS_INLINE bool operator!=(const GUID& one, const GUID& other) {
  return !(one == other);
}
#endif
#else
#define REFGUID const GUID*
#define REFIID const IID*
#define REFCLSID const CLSID*
#define InlineIsEqualGUID(rguid1, rguid2) (memcmp((rguid1), (rguid2), sizeof(GUID)) == 0)
#define IsEqualGUID(rguid1, rguid2) (memcmp((rguid1), (rguid2), sizeof(GUID)) == 0)
#endif
#define IsEqualIID(riid1, riid2) IsEqualGUID(riid1, riid2)
#define IsEqualCLSID(rclsid1, rclsid2) IsEqualGUID(rclsid1, rclsid2)
#endif

// No include guard from here on: a source may include initguid.h after other headers, and then some of them
// again.
#ifndef EXTERN_GUID_WEAK
#define EXTERN_GUID_WEAK __attribute__((weak))
#endif
#undef DEFINE_GUID
#ifdef INITGUID
// Weak, because on Windows such constants are `selectany`: each source of a driver may define them.
#ifdef __cplusplus
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                   \
  extern "C" {                                                                         \
  extern const GUID name EXTERN_GUID_WEAK;                                             \
  const GUID name = {(unsigned int)(l), (w1), (w2), {b1, b2, b3, b4, b5, b6, b7, b8}}; \
  }
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  extern const GUID name EXTERN_GUID_WEAK;                           \
  const GUID name = {(unsigned int)(l), (w1), (w2), {b1, b2, b3, b4, b5, b6, b7, b8}}
#endif
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) UNDIS_EXTERN_C const GUID name
#endif
#undef DEFINE_OLEGUID
#define DEFINE_OLEGUID(name, l, w1, w2) DEFINE_GUID(name, l, w1, w2, 0xC0, 0, 0, 0, 0, 0, 0, 0x46)
