// SPDX-License-Identifier: MIT
// Device objects with a security descriptor from the start: IoCreateDeviceSecure and the usual SDDL strings.
#pragma once
#pragma GCC system_header

#include <wdm.h>

#define UNDIS_SDDL(name, text) \
  static const UNICODE_STRING __attribute__((unused)) name = RTL_CONSTANT_STRING(text)
#if __SIZEOF_WCHAR_T__ == 2
#define UNDIS_WIDE(text) L##text
#else
#define UNDIS_WIDE(text) u##text
#endif

#if __SIZEOF_WCHAR_T__ == 2 || defined(__cplusplus)
UNDIS_SDDL(SDDL_DEVOBJ_KERNEL_ONLY, UNDIS_WIDE("D:P"));
UNDIS_SDDL(SDDL_DEVOBJ_SYS_ALL, UNDIS_WIDE("D:P(A;;GA;;;SY)"));
UNDIS_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_ALL, UNDIS_WIDE("D:P(A;;GA;;;SY)(A;;GA;;;BA)"));
UNDIS_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RX, UNDIS_WIDE("D:P(A;;GA;;;SY)(A;;GRGX;;;BA)"));
UNDIS_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R, UNDIS_WIDE("D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)"));
UNDIS_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R,
           UNDIS_WIDE("D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)(A;;GR;;;RC)"));
UNDIS_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R,
           UNDIS_WIDE("D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGW;;;WD)(A;;GR;;;RC)"));
UNDIS_SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX,
           UNDIS_WIDE("D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)"));
#endif

UNDIS_EXTERN_C_START

// PASSIVE_LEVEL
NTKERNELAPI NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                                          PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType,
                                          ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                                          PCUNICODE_STRING DefaultSDDLString, const GUID* DeviceClassGuid,
                                          PDEVICE_OBJECT* DeviceObject);

UNDIS_EXTERN_C_END

#define WdmlibIoCreateDeviceSecure IoCreateDeviceSecure
