// SPDX-License-Identifier: MIT
//
// A protocol driver's registration: NdisRegisterProtocol (5.x) or NdisRegisterProtocolDriver (6.x), until it
// is deregistered.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/system.h"
#include "ndis/claim.h"
#include "ndis/miniport_driver.h"
#include "ndis/roster.h"

namespace undis {

class Adapter;
class Binding;

struct ProtocolHandlers5 {
  using C = NDIS50_PROTOCOL_CHARACTERISTICS;
  explicit ProtocolHandlers5(const C& c);
  Handler<&C::OpenAdapterCompleteHandler> OpenAdapterComplete;
  Handler<&C::CloseAdapterCompleteHandler> CloseAdapterComplete;
  Handler<&C::SendCompleteHandler> SendComplete;
  Handler<&C::TransferDataCompleteHandler> TransferDataComplete;
  Handler<&C::ResetCompleteHandler> ResetComplete;
  Handler<&C::RequestCompleteHandler> RequestComplete;
  Handler<&C::ReceiveHandler> Receive;
  Handler<&C::ReceiveCompleteHandler> ReceiveComplete;
  Handler<&C::StatusHandler> Status;
  Handler<&C::StatusCompleteHandler> StatusComplete;
  Handler<&C::ReceivePacketHandler> ReceivePacket;
  Handler<&C::BindAdapterHandler> BindAdapter;
  Handler<&C::UnbindAdapterHandler> UnbindAdapter;
  Handler<&C::PnPEventHandler> PnPEvent;
  Handler<&C::UnloadHandler> Unload;
};

struct ProtocolHandlers6 {
  using C = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS;
  explicit ProtocolHandlers6(const C& c);
  Handler<&C::SetOptionsHandler> SetOptions;
  Handler<&C::BindAdapterHandlerEx> BindAdapter;
  Handler<&C::UnbindAdapterHandlerEx> UnbindAdapter;
  Handler<&C::OpenAdapterCompleteHandlerEx> OpenAdapterComplete;
  Handler<&C::CloseAdapterCompleteHandlerEx> CloseAdapterComplete;
  Handler<&C::NetPnPEventHandler> NetPnPEvent;
  Handler<&C::UninstallHandler> Uninstall;
  Handler<&C::OidRequestCompleteHandler> OidRequestComplete;
  Handler<&C::StatusHandlerEx> Status;
  Handler<&C::ReceiveNetBufferListsHandler> ReceiveNetBufferLists;
  Handler<&C::SendNetBufferListsCompleteHandler> SendNetBufferListsComplete;
  Handler<&C::DirectOidRequestCompleteHandler> DirectOidRequestComplete;
};

class ProtocolDriver final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::ProtocolDriver5, HandleKind::ProtocolDriver6};

  ProtocolDriver(kernel::Driver& driver, std::u16string name,
                 const NDIS50_PROTOCOL_CHARACTERISTICS& characteristics);
  ProtocolDriver(kernel::Driver& driver, std::u16string name,
                 const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& characteristics, void* context);
  ~ProtocolDriver() override;

  kernel::Driver& driver() const noexcept { return driver_; }
  Version version() const noexcept { return version_; }
  bool is_version6() const noexcept { return version_.major >= 6; }
  HandleKind handle_kind() const noexcept {
    return is_version6() ? HandleKind::ProtocolDriver6 : HandleKind::ProtocolDriver5;
  }
  NDIS_HANDLE handle() const noexcept { return handle_; }
  void* context() const noexcept { return context_; }
  const std::u16string& registered_name() const noexcept { return registered_name_; }
  std::string name() const;  ///< registered name in UTF-8
  const ProtocolHandlers5& handlers5() const noexcept { return handlers5_; }
  const ProtocolHandlers6& handlers6() const noexcept { return handlers6_; }
  CoProtocolHandlers connection_oriented;  ///< these three are written while ProtocolSetOptions runs
  CoClientHandlers client;
  CoCallManagerHandlers call_manager;
  const kernel::Stack& origin() const noexcept { return origin_; }
  bool ever_bound() const noexcept { return ever_bound_; }

  /// A reference to each binding, oldest first, whatever its state.
  std::vector<Ref<Binding>> bindings() const EXCLUDES(lock_);

  /// NdisDeregisterProtocol(Driver): unbinds every binding (once each), waits until their opens are closed,
  /// then gives the registration back. Inside the unbind of a binding on this same thread that one is not
  /// waited for: the registration is then given back when that binding has gone. False: already being
  /// deregistered. PASSIVE_LEVEL.
  bool deregister(const char* function) EXCLUDES(lock_);
  bool deregistering() const noexcept EXCLUDES(lock_);
  /// The driver has its handle, and ProtocolSetOptions has returned: it may be bound from now on.
  void set_ready() EXCLUDES(lock_);
  bool bindable() const noexcept EXCLUDES(lock_);

  // ---- an event for the protocol as a whole (net_event.h): one at a time ----
  /// False: the protocol is going.
  bool begin_event(void* event) EXCLUDES(lock_);
  /// The final answer, after a pended one has come.
  NDIS_STATUS end_event(NDIS_STATUS status) EXCLUDES(lock_);
  /// NdisCompleteNetPnPEvent without a binding. False: that event is not pended.
  bool complete_event(const void* event, NDIS_STATUS status) EXCLUDES(lock_);
  /// Takes the binding off the list and nothing else: for the end of a world.
  void forget(Binding& binding) EXCLUDES(lock_);

 private:
  friend class Binding;
  friend class Library;
  /// True: `binding` may come into being (the protocol is not being deregistered).
  bool add(Binding& binding) EXCLUDES(lock_);
  void remove(Binding& binding) EXCLUDES(lock_);

  kernel::Driver& driver_;
  const Version version_;
  const std::u16string registered_name_;
  void* const context_;
  const ProtocolHandlers5 handlers5_;
  const ProtocolHandlers6 handlers6_;
  const kernel::Stack origin_;
  NDIS_HANDLE handle_ = nullptr;          ///< opened and closed by Library
  std::atomic<bool> ever_bound_ = false;  ///< an adapter was opened at least once
  mutable kernel::Lock lock_;
  Roster<Binding, ProtocolDriver, Binding*> bindings_ GUARDED_BY(lock_);
  bool ready_ GUARDED_BY(lock_) = false;
  bool deregistering_ GUARDED_BY(lock_) = false;
  bool release_when_unbound_ GUARDED_BY(lock_) = false;  ///< deregistered from inside the last unbind
  const char* deregistered_by_ GUARDED_BY(lock_) = nullptr;
  const void* event_ GUARDED_BY(lock_) = nullptr;  ///< whose answer is awaited
  NDIS_STATUS event_answer_ GUARDED_BY(lock_) = NDIS_STATUS_SUCCESS;
  Claim events_{"another event of the protocol"};
  kernel::Event event_answered_{"NdisCompleteNetPnPEvent"};
};

}  // namespace undis
