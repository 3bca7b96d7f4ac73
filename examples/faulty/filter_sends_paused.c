// SPDX-License-Identifier: MIT
//
// Rule    FilterPausedOriginatesNothing: a filter that is paused originates nothing.
// Page    ndis/nc-ndis-filter_pause
// Broken  FilterPause says good-bye with a frame, and waits for it as it should.
// See     undis verify filter_sends_paused.so
#include "common/filter6.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NDIS_STATUS Attach(PFILTER6_MODULE Module) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.PoolTag = FILTER6_TAG;
  Module->Extra = NdisAllocateNetBufferListPool(Module->Handle, &parameters);
  return Module->Extra == NULL ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS;
}

static VOID Detach(PFILTER6_MODULE Module) {
  NdisFreeNetBufferListPool(Module->Extra);
}

static UCHAR Frame[60] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0, 0, 0, 0, 1, 0x88, 0xB5};

static VOID SendComplete(PFILTER6_MODULE Module, PNET_BUFFER_LIST Lists, ULONG Flags) {
  PNET_BUFFER_LIST next;

  for (; Lists != NULL; Lists = next) {
    next = NET_BUFFER_LIST_NEXT_NBL(Lists);
    NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
    if (Lists->SourceHandle == Module->Handle) {
      PMDL mdl = NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(Lists));

      NdisFreeNetBufferList(Lists);
      NdisFreeMdl(mdl);
      NdisFPauseComplete(Module->Handle);
    } else {
      NdisFSendNetBufferListsComplete(Module->Handle, Lists, Flags);
    }
  }
}

static NDIS_STATUS Pause(PFILTER6_MODULE Module) {
  PMDL mdl = NdisAllocateMdl(Module->Handle, Frame, sizeof(Frame));
  PNET_BUFFER_LIST list = NULL;

  if (mdl == NULL) return NDIS_STATUS_SUCCESS;
  list = NdisAllocateNetBufferAndNetBufferList(Module->Extra, 0, 0, mdl, 0, sizeof(Frame));
  if (list == NULL) {
    NdisFreeMdl(mdl);
    return NDIS_STATUS_SUCCESS;
  }
  list->SourceHandle = Module->Handle;
  NdisFSendNetBufferLists(Module->Handle, list, NDIS_DEFAULT_PORT_NUMBER, 0);  // wrong: the module is Pausing
  return NDIS_STATUS_PENDING;
}

static const FILTER6_HOOKS Hooks = {
    .Unload = Unload, .Attach = Attach, .Detach = Detach, .Pause = Pause, .SendComplete = SendComplete};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  return Filter6DriverEntry(DriverObject, &Hooks);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  NdisFDeregisterFilterDriver(Filter6Driver);
}
