// SPDX-License-Identifier: MIT
//
// NdisAllocateMdl and NdisFreeMdl: an MDL of the kernel for non-paged memory.
//
// Page    nblapi/nf-nblapi-ndisallocatenetbuffer says what such an MDL is for; the two functions have no page
// any more
#include "ddi/caller_handle.h"
#include "ddi/ddi_call.h"

using namespace undis;

// IRQL  <= DISPATCH_LEVEL. IoAllocateMdl is its fault point.
PMDL NdisAllocateMdl(NDIS_HANDLE NdisHandle, PVOID VirtualAddress, UINT Length) {
  const DdiCall call(Ddi::NdisAllocateMdl);
  check_caller_handle(call, "NdisHandle", NdisHandle);
  MDL* const mdl = IoAllocateMdl(VirtualAddress, Length, FALSE, FALSE, nullptr);
  if (mdl != nullptr) MmBuildMdlForNonPagedPool(mdl);
  return mdl;
}

// IRQL  <= DISPATCH_LEVEL
VOID NdisFreeMdl(PMDL Mdl) {
  const DdiCall call(Ddi::NdisFreeMdl);
  if (Mdl != nullptr) IoFreeMdl(Mdl);
}
