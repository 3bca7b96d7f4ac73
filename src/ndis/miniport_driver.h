// SPDX-License-Identifier: MIT
//
// A miniport driver's registration: NdisMRegisterMiniportDriver, NdisMRegisterMiniport or
// NdisIMRegisterLayeredMiniport.
#pragma once

#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/lock.h"
#include "kernel/observer.h"
#include "ndis/co_handlers.h"
#include "ndis/handle.h"
#include "ndis/handler.h"
#include "ndis/object.h"
#include "ndis/roster.h"
#include "ndis/version.h"

namespace undis {

class Adapter;
class ProtocolDriver;

struct MiniportHandlers5 {
  using C = NDIS51_MINIPORT_CHARACTERISTICS;
  explicit MiniportHandlers5(const C& c);
  Handler<&C::CheckForHangHandler> CheckForHang;
  Handler<&C::HaltHandler> Halt;
  Handler<&C::InitializeHandler> Initialize;
  Handler<&C::QueryInformationHandler> QueryInformation;
  Handler<&C::ResetHandler> Reset;
  Handler<&C::ReturnPacketHandler> ReturnPacket;
  Handler<&C::SendHandler> Send;
  Handler<&C::SendPacketsHandler> SendPackets;
  Handler<&C::SetInformationHandler> SetInformation;
  Handler<&C::TransferDataHandler> TransferData;
  Handler<&C::CancelSendPacketsHandler> CancelSendPackets;
  Handler<&C::PnPEventNotifyHandler> PnPEventNotify;
  Handler<&C::AdapterShutdownHandler> AdapterShutdown;
  Handler<&C::ISRHandler> Isr;
  Handler<&C::HandleInterruptHandler> HandleInterrupt;
  Handler<&C::DisableInterruptHandler> DisableInterrupt;
  Handler<&C::EnableInterruptHandler> EnableInterrupt;
  Handler<&C::AllocateCompleteHandler> AllocateComplete;
};

struct MiniportHandlers6 {
  using C = NDIS_MINIPORT_DRIVER_CHARACTERISTICS;
  explicit MiniportHandlers6(const C& c);
  Handler<&C::SetOptionsHandler> SetOptions;
  Handler<&C::InitializeHandlerEx> Initialize;
  Handler<&C::HaltHandlerEx> Halt;
  Handler<&C::UnloadHandler> Unload;
  Handler<&C::PauseHandler> Pause;
  Handler<&C::RestartHandler> Restart;
  Handler<&C::OidRequestHandler> OidRequest;
  Handler<&C::SendNetBufferListsHandler> SendNetBufferLists;
  Handler<&C::ReturnNetBufferListsHandler> ReturnNetBufferLists;
  Handler<&C::CancelSendHandler> CancelSend;
  Handler<&C::CheckForHangHandlerEx> CheckForHang;
  Handler<&C::ResetHandlerEx> Reset;
  Handler<&C::DevicePnPEventNotifyHandler> DevicePnPEventNotify;
  Handler<&C::ShutdownHandlerEx> Shutdown;
  Handler<&C::CancelOidRequestHandler> CancelOidRequest;
  Handler<&C::DirectOidRequestHandler> DirectOidRequest;
  Handler<&C::CancelDirectOidRequestHandler> CancelDirectOidRequest;
  Handler<&C::SynchronousOidRequestHandler> SynchronousOidRequest;
};

/// What NdisSetOptionalHandlers adds.
struct OptionalHandlers6 {
  using P = NDIS_MINIPORT_PNP_CHARACTERISTICS;
  using S = NDIS_MINIPORT_SS_CHARACTERISTICS;
  Handler<&P::MiniportAddDeviceHandler> AddDevice;
  Handler<&P::MiniportRemoveDeviceHandler> RemoveDevice;
  Handler<&P::MiniportFilterResourceRequirementsHandler> FilterResourceRequirements;
  Handler<&P::MiniportStartDeviceHandler> StartDevice;
  Handler<&S::IdleNotificationHandler> IdleNotification;
  Handler<&S::CancelIdleNotificationHandler> CancelIdleNotification;
  CoMiniportHandlers connection_oriented;
  CoCallManagerHandlers call_manager;  ///< of an integrated call manager
};

class MiniportDriver final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::MiniportDriver5, HandleKind::LayeredMiniport5,
                                                HandleKind::MiniportDriver6};

  /// 5.x. `layered`: made by NdisIMRegisterLayeredMiniport.
  MiniportDriver(kernel::Driver& driver, const NDIS51_MINIPORT_CHARACTERISTICS& characteristics,
                 bool layered);
  /// 6.x. `context`: the MiniportDriverContext.
  MiniportDriver(kernel::Driver& driver, const NDIS_MINIPORT_DRIVER_CHARACTERISTICS& characteristics,
                 void* context);
  ~MiniportDriver() override;

  kernel::Driver& driver() const noexcept { return driver_; }
  Version version() const noexcept { return version_; }
  bool is_version6() const noexcept { return version_.major >= 6; }
  /// Registered for the upper half of an intermediate driver: layered (5.x) or NDIS_INTERMEDIATE_DRIVER
  /// (6.x).
  bool is_intermediate() const noexcept { return intermediate_; }
  HandleKind handle_kind() const noexcept;
  NDIS_HANDLE handle() const noexcept { return handle_; }
  void* context() const noexcept { return context_; }
  const MiniportHandlers5& handlers5() const noexcept { return handlers5_; }
  const MiniportHandlers6& handlers6() const noexcept { return handlers6_; }
  OptionalHandlers6 optional6;  ///< written while MiniportSetOptions runs
  const kernel::Stack& origin() const noexcept { return origin_; }
  /// "passthru (layered miniport)", as reports name it.
  std::string name() const;

  /// The protocol half named by NdisIMAssociateMiniport, or nullptr.
  ProtocolDriver* associated() const noexcept { return associated_; }
  void associate(ProtocolDriver* protocol) noexcept { associated_ = protocol; }

  std::vector<Ref<Adapter>> adapters() const EXCLUDES(lock_);
  void add(Adapter& adapter) EXCLUDES(lock_);
  void remove(Adapter& adapter) EXCLUDES(lock_);

 private:
  friend class Library;

  kernel::Driver& driver_;
  const Version version_;
  const bool intermediate_;
  const bool layered_;
  void* const context_;
  const MiniportHandlers5 handlers5_;
  const MiniportHandlers6 handlers6_;
  const kernel::Stack origin_;
  NDIS_HANDLE handle_ = nullptr;  ///< opened and closed by Library
  ProtocolDriver* associated_ = nullptr;
  mutable kernel::Lock lock_;
  Roster<Adapter, MiniportDriver, Adapter*> adapters_ GUARDED_BY(lock_);
};

/// NdisMInitializeWrapper's object: what a 5.x miniport's DriverEntry starts with.
class Wrapper final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Wrapper};
  explicit Wrapper(kernel::Driver& driver) : driver_(driver), origin_(kernel::Stack::capture()) {}

  kernel::Driver& driver() const noexcept { return driver_; }
  NDIS_HANDLE handle() const noexcept { return handle_; }
  const kernel::Stack& origin() const noexcept { return origin_; }
  kernel::callback<DRIVER_UNLOAD> unload_handler;  ///< NdisMRegisterUnloadHandler
  bool miniport_registered =
      false;  ///< NdisMRegisterMiniport or NdisIMRegisterLayeredMiniport was called with it

 private:
  friend class Library;
  kernel::Driver& driver_;
  const kernel::Stack origin_;
  NDIS_HANDLE handle_ = nullptr;
};

}  // namespace undis
