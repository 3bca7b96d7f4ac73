// SPDX-License-Identifier: MIT
//
// The 5.x wrapper: NdisMInitializeWrapper, NdisTerminateWrapper, NdisMRegisterUnloadHandler.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/unload.h"

using namespace undis;

// Page    previous-versions ff553547 (NdisMInitializeWrapper)        IRQL  PASSIVE_LEVEL
// Result  a wrapper handle in *NdisWrapperHandle, NULL if it failed: DriverEntry then fails (LIFE-330)
VOID NTAPI NdisMInitializeWrapper(PNDIS_HANDLE NdisWrapperHandle, PVOID SystemSpecific1,
                                  PVOID SystemSpecific2, PVOID SystemSpecific3) {
  const DdiCall call(Ddi::NdisMInitializeWrapper);
  UNREFERENCED_PARAMETER(SystemSpecific2);
  UNREFERENCED_PARAMETER(SystemSpecific3);

  *NdisWrapperHandle = nullptr;
  kernel::Driver* const driver = kernel::Driver::from_object(static_cast<PDRIVER_OBJECT>(SystemSpecific1));
  if (driver == nullptr) {
    call.tell_wrong_place(WrongPlace::Kind::OutsideDriverEntry, SystemSpecific1,
                          "SystemSpecific1 is not the DRIVER_OBJECT that DriverEntry received");
    return;
  }
  if (call.fails()) return;
  const Ref<Wrapper> wrapper = Library::current().add_wrapper(*driver);
  if (wrapper) *NdisWrapperHandle = wrapper->handle();
}

// Page    previous-versions ff564632 (NdisTerminateWrapper)          IRQL  PASSIVE_LEVEL
VOID NTAPI NdisTerminateWrapper(NDIS_HANDLE NdisWrapperHandle, PVOID SystemSpecific) {
  const DdiCall call(Ddi::NdisTerminateWrapper);
  UNREFERENCED_PARAMETER(SystemSpecific);

  const Ref<Wrapper> wrapper =
      call.find<Wrapper>("NdisWrapperHandle", NdisWrapperHandle, HandleKind::Wrapper);
  if (!wrapper) return;
  // A registration made with the wrapper ends with it; the unload handler does too.
  Library& library = Library::current();
  for (const Ref<MiniportDriver>& miniport : library.miniport_drivers_of(wrapper->driver()))
    if (miniport->handle_kind() == HandleKind::MiniportDriver5) library.remove(*miniport, call.name());
  library.remove(*wrapper, call.name());
}

// Page    ndis/nf-ndis-ndismregisterunloadhandler                    IRQL  PASSIVE_LEVEL
// Beyond  The page names no failure; a call that breaks its rules is told to the verifier, and takes effect
// where that makes
//         sense. docs/decisions.md#unload-handler
VOID NTAPI NdisMRegisterUnloadHandler(NDIS_HANDLE NdisWrapperHandle, PDRIVER_UNLOAD UnloadHandler) {
  const DdiCall call(Ddi::NdisMRegisterUnloadHandler);

  Library& library = Library::current();
  for (const Ref<MiniportDriver>& miniport : library.miniport_drivers_of(call.driver())) {
    if (!miniport->is_version6()) continue;
    call.tell_wrong_place(
        WrongPlace::Kind::WrongVersion, miniport.get(),
        "an NDIS 6.0 driver gives its unload routine to NdisMRegisterMiniportDriver (UnloadHandler)");
    return;
  }
  const Ref<Wrapper> wrapper =
      call.find<Wrapper>("NdisWrapperHandle", NdisWrapperHandle, HandleKind::Wrapper);
  if (!wrapper) return;
  if (!wrapper->driver().in_driver_entry())
    call.tell_wrong_place(WrongPlace::Kind::OutsideDriverEntry, wrapper.get(),
                          "it is called from DriverEntry only");
  if (!wrapper->miniport_registered)
    call.tell_wrong_place(
        WrongPlace::Kind::BeforeRegistration, wrapper.get(),
        "it is called after NdisMRegisterMiniport or NdisIMRegisterLayeredMiniport; neither has been called");
  wrapper->unload_handler = kernel::callback<DRIVER_UNLOAD>(UnloadHandler);
  install_unload(wrapper->driver());
}
