// SPDX-License-Identifier: MIT
//
// Which Windows this is: the answers are those of one version, in one place.
//
// Pages   wdm/nf-wdm-rtlgetversion, wdm/nf-wdm-psgetversion, wdm/nf-wdm-rtlverifyversioninfo,
// ntddk/nf-ntddk-exuuidcreate
#include <cstring>

#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/lock.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

// Windows Server 2022: the newest of which all documented NDIS versions up to 6.85 are known.
constexpr ULONG kMajor = 10;
constexpr ULONG kMinor = 0;
constexpr ULONG kBuild = 20348;
constexpr ULONG kPlatform = 2;  // VER_PLATFORM_WIN32_NT

}  // namespace

// Page wdm/nf-wdm-rtlgetversion
NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation) {
  const KernelCall call("RtlGetVersion", PASSIVE_LEVEL);
  const ULONG size = lpVersionInformation->dwOSVersionInfoSize;
  lpVersionInformation->dwMajorVersion = kMajor;
  lpVersionInformation->dwMinorVersion = kMinor;
  lpVersionInformation->dwBuildNumber = kBuild;
  lpVersionInformation->dwPlatformId = kPlatform;
  std::memset(lpVersionInformation->szCSDVersion, 0, sizeof lpVersionInformation->szCSDVersion);
  if (size == sizeof(RTL_OSVERSIONINFOEXW)) {
    auto* const more = reinterpret_cast<PRTL_OSVERSIONINFOEXW>(lpVersionInformation);
    more->wServicePackMajor = more->wServicePackMinor = more->wSuiteMask = 0;
    more->wProductType = VER_NT_SERVER;
  }
  return STATUS_SUCCESS;
}

// Page ntddk/nf-ntddk-psgetversion. FALSE: a free build.
BOOLEAN PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber,
                     PUNICODE_STRING CSDVersion) {
  if (MajorVersion != nullptr) *MajorVersion = kMajor;
  if (MinorVersion != nullptr) *MinorVersion = kMinor;
  if (BuildNumber != nullptr) *BuildNumber = kBuild;
  if (CSDVersion != nullptr) CSDVersion->Length = 0;
  return FALSE;
}

// Page wdm/nf-wdm-iosiswdmversionavailable: WDM 6.0 is the last that was counted.
BOOLEAN IoIsWdmVersionAvailable(UCHAR MajorVersion, UCHAR MinorVersion) {
  return MajorVersion < WDM_MAJORVERSION ||
                 (MajorVersion == WDM_MAJORVERSION && MinorVersion <= WDM_MINORVERSION)
             ? TRUE
             : FALSE;
}

// Page wdm/nf-wdm-versetconditionmask: three bits of condition for each bit of type.
ULONGLONG VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition) {
  constexpr unsigned kBits = 3;
  if (TypeMask == 0 || (Condition & 7) == 0) return ConditionMask;
  for (unsigned i = 0; i < 8; ++i)
    if ((TypeMask >> i & 1) != 0) ConditionMask |= static_cast<ULONGLONG>(Condition & 7) << (i * kBits);
  return ConditionMask;
}

// Page wdm/nf-wdm-rtlverifyversioninfo
NTSTATUS RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask, ULONGLONG ConditionMask) {
  const KernelCall call("RtlVerifyVersionInfo", PASSIVE_LEVEL);
  if (TypeMask == 0 || ConditionMask == 0) return STATUS_INVALID_PARAMETER;
  const auto condition = [ConditionMask](unsigned bit) {
    return static_cast<unsigned>(ConditionMask >> (bit * 3) & 7);
  };
  const auto holds = [](unsigned wanted, long long difference) {
    switch (wanted) {
    case 1:
      return difference == 0;
    case 2:
      return difference > 0;
    case 3:
      return difference >= 0;
    case 4:
      return difference < 0;
    case 5:
      return difference <= 0;
    default:
      return false;
    }
  };
  // Major, minor and service pack are one number: the first that differs decides.
  struct Part {
    unsigned bit;
    long long difference;
  };
  const Part parts[] = {{1, static_cast<long long>(kMajor) - VersionInfo->dwMajorVersion},
                        {0, static_cast<long long>(kMinor) - VersionInfo->dwMinorVersion},
                        {5, 0LL - VersionInfo->wServicePackMajor}};
  long long difference = 0;
  unsigned wanted = 0;
  for (const Part& part : parts) {
    if ((TypeMask >> part.bit & 1) == 0) continue;
    wanted = condition(part.bit);
    difference = part.difference;
    if (difference != 0) break;
  }
  if (wanted != 0 && !holds(wanted, difference)) return STATUS_REVISION_MISMATCH;
  if ((TypeMask & VER_BUILDNUMBER) != 0 &&
      !holds(condition(2), static_cast<long long>(kBuild) - VersionInfo->dwBuildNumber))
    return STATUS_REVISION_MISMATCH;
  return STATUS_SUCCESS;
}

// Not documented beyond its name; no class of information is supplied, as the page leaves any version free to
// do.
NTSTATUS ZwQuerySystemInformation(ULONG, PVOID, ULONG, PULONG ReturnLength) {
  const KernelCall call("ZwQuerySystemInformation", PASSIVE_LEVEL);
  if (ReturnLength != nullptr) *ReturnLength = 0;
  return STATUS_INVALID_INFO_CLASS;
}

// Page ntddk/nf-ntddk-exuuidcreate. Numbered from the start of the process, so that a run repeats; version
// and variant are set as in a random one.
NTSTATUS ExUuidCreate(GUID* Uuid) {
  const KernelCall call("ExUuidCreate", PASSIVE_LEVEL);
  static Lock lock;
  static ULONG next = 0;
  ULONG number = 0;
  {
    const Hold hold(lock);
    number = ++next;
  }
  *Uuid = {number, 0x756E, 0x4000 | 0x0469, {0x80, 0x73, 0, 0, 0, 0, 0, 1}};
  return STATUS_SUCCESS;
}
