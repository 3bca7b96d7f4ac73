// SPDX-License-Identifier: MIT
//
// Miniport driver registrations.
#include "ndis/miniport_driver.h"

#include <algorithm>

#include "ndis/adapter.h"

namespace undis {

// Handlers are copied out of the driver's structure: what the driver does to it later has no effect
// (LIFE-083, LIFE-329).
MiniportHandlers5::MiniportHandlers5(const C& c)
    : CheckForHang(c.CheckForHangHandler), Halt(c.HaltHandler), Initialize(c.InitializeHandler),
      QueryInformation(c.QueryInformationHandler), Reset(c.ResetHandler), ReturnPacket(c.ReturnPacketHandler),
      Send(c.SendHandler), SendPackets(c.SendPacketsHandler), SetInformation(c.SetInformationHandler),
      TransferData(c.TransferDataHandler), CancelSendPackets(c.CancelSendPacketsHandler),
      PnPEventNotify(c.PnPEventNotifyHandler), AdapterShutdown(c.AdapterShutdownHandler), Isr(c.ISRHandler),
      HandleInterrupt(c.HandleInterruptHandler), DisableInterrupt(c.DisableInterruptHandler),
      EnableInterrupt(c.EnableInterruptHandler), AllocateComplete(c.AllocateCompleteHandler) {}

MiniportHandlers6::MiniportHandlers6(const C& c)
    : SetOptions(c.SetOptionsHandler), Initialize(c.InitializeHandlerEx), Halt(c.HaltHandlerEx),
      Unload(c.UnloadHandler), Pause(c.PauseHandler), Restart(c.RestartHandler),
      OidRequest(c.OidRequestHandler), SendNetBufferLists(c.SendNetBufferListsHandler),
      ReturnNetBufferLists(c.ReturnNetBufferListsHandler), CancelSend(c.CancelSendHandler),
      CheckForHang(c.CheckForHangHandlerEx), Reset(c.ResetHandlerEx),
      DevicePnPEventNotify(c.DevicePnPEventNotifyHandler), Shutdown(c.ShutdownHandlerEx),
      CancelOidRequest(c.CancelOidRequestHandler), DirectOidRequest(c.DirectOidRequestHandler),
      CancelDirectOidRequest(c.CancelDirectOidRequestHandler),
      SynchronousOidRequest(c.SynchronousOidRequestHandler) {}

MiniportDriver::MiniportDriver(kernel::Driver& driver, const NDIS51_MINIPORT_CHARACTERISTICS& characteristics,
                               bool layered)
    : driver_(driver), version_{characteristics.MajorNdisVersion, characteristics.MinorNdisVersion},
      intermediate_(layered), layered_(layered), context_(nullptr), handlers5_(characteristics),
      handlers6_(NDIS_MINIPORT_DRIVER_CHARACTERISTICS{}), origin_(kernel::Stack::capture()) {}

MiniportDriver::MiniportDriver(kernel::Driver& driver,
                               const NDIS_MINIPORT_DRIVER_CHARACTERISTICS& characteristics, void* context)
    : driver_(driver), version_{characteristics.MajorNdisVersion, characteristics.MinorNdisVersion},
      intermediate_((characteristics.Flags & NDIS_INTERMEDIATE_DRIVER) != 0), layered_(false),
      context_(context), handlers5_(NDIS51_MINIPORT_CHARACTERISTICS{}), handlers6_(characteristics),
      origin_(kernel::Stack::capture()) {}

MiniportDriver::~MiniportDriver() = default;

HandleKind MiniportDriver::handle_kind() const noexcept {
  if (is_version6()) return HandleKind::MiniportDriver6;
  return layered_ ? HandleKind::LayeredMiniport5 : HandleKind::MiniportDriver5;
}

std::string MiniportDriver::name() const {
  if (layered_) return driver_.name() + " (layered miniport)";
  return driver_.name() + (intermediate_ ? " (intermediate miniport)" : " (miniport)");
}

std::vector<Ref<Adapter>> MiniportDriver::adapters() const {
  const kernel::Hold hold(lock_);
  return adapters_.all();
}

void MiniportDriver::add(Adapter& adapter) {
  const kernel::Hold hold(lock_);
  adapters_.add(adapter);
}

void MiniportDriver::remove(Adapter& adapter) {
  const kernel::Hold hold(lock_);
  adapters_.take_out(adapter);
}

}  // namespace undis
