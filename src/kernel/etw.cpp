// SPDX-License-Identifier: MIT
//
// Event tracing: providers register, and nobody listens.
//
// Pages   wdm/nf-wdm-etwregister, -etwunregister, -etweventenabled, -etwproviderenabled, -etwwrite
// Beyond  No session ever enables a provider: what is written is dropped, as on a Windows where nobody
// traces. A provider that is still
//         registered at unload is not told.
#include <set>

#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/lock.h"
#include "kernel/misuse.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

struct Providers {
  Lock lock;
  REGHANDLE next GUARDED_BY(lock) = 1;
  std::set<REGHANDLE> open GUARDED_BY(lock);
};
Providers providers;

}  // namespace

// Page wdm/nf-wdm-etwregister
NTSTATUS EtwRegister(const GUID* ProviderId, PETWENABLECALLBACK, PVOID, PREGHANDLE RegHandle) {
  const KernelCall call("EtwRegister", PASSIVE_LEVEL);
  if (ProviderId == nullptr || RegHandle == nullptr) return STATUS_INVALID_PARAMETER;
  if (fault_point("EtwRegister")) return STATUS_NO_MEMORY;
  const Hold hold(providers.lock);
  *RegHandle = providers.next++;
  providers.open.insert(*RegHandle);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-etwunregister
NTSTATUS EtwUnregister(REGHANDLE RegHandle) {
  const KernelCall call("EtwUnregister", PASSIVE_LEVEL);
  bool known = false;
  {
    const Hold hold(providers.lock);
    known = providers.open.erase(RegHandle) != 0;
  }
  if (known) return STATUS_SUCCESS;
  report_misuse(Misuse::BadParameter, call.name(), nullptr,
                "the handle is not registered, or was unregistered before");
  return STATUS_INVALID_HANDLE;
}

// Pages wdm/nf-wdm-etweventenabled, -etwproviderenabled
BOOLEAN EtwEventEnabled(REGHANDLE, PCEVENT_DESCRIPTOR) {
  return FALSE;
}
BOOLEAN EtwProviderEnabled(REGHANDLE, UCHAR, ULONGLONG) {
  return FALSE;
}

// Pages wdm/nf-wdm-etwwrite, -etwwritestring
NTSTATUS EtwWrite(REGHANDLE, PCEVENT_DESCRIPTOR, const GUID*, ULONG, PEVENT_DATA_DESCRIPTOR) {
  return STATUS_SUCCESS;
}
NTSTATUS EtwWriteString(REGHANDLE, UCHAR, ULONGLONG, const GUID*, PCWSTR) {
  return STATUS_SUCCESS;
}
