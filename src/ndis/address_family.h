// SPDX-License-Identifier: MIT
//
// A client's open of an address family that a call manager offers, and the service access points on it.
// Pages: network/registering-and-opening-an-address-family, network/closing-an-address-family,
// network/registering-a-sap.
//
// Each of the two drivers has a handle of its own: the client's ends with its close, the call manager's with
// the end of that close.
#pragma once

#include <string>
#include <vector>

#include <ndis.h>

#include "ndis/co_adapter.h"
#include "ndis/co_machine.h"
#include "ndis/co_sap.h"

namespace undis {

class AddressFamily final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::ClientAf};

  AddressFamily(Binding& client, CallManager& manager, const CO_ADDRESS_FAMILY& family, void* client_context);
  ~AddressFamily() override;

  Adapter& adapter() const noexcept { return manager_->adapter(); }
  Binding& client() const noexcept { return *client_; }
  CallManager& manager() const noexcept { return *manager_; }
  const CO_ADDRESS_FAMILY& family() const noexcept { return family_; }
  const std::string& name() const noexcept { return machine_.object(); }
  const AfMachine& machine() const noexcept { return machine_; }
  NDIS_HANDLE handle(CoSide side) const noexcept {
    return side == CoSide::Client ? client_handle_ : manager_handle_;
  }
  void* context(CoSide side) const noexcept {
    return side == CoSide::Client ? client_context_ : manager_context_;
  }
  kernel::Driver& driver(CoSide side) const noexcept;
  const CoClientHandlers& client_handlers() const noexcept;
  const kernel::Stack& origin() const noexcept { return origin_; }
  /// One side has gone without closing: no call is made to it, and what the other one asks for ends at once.
  bool gone(CoSide side) const noexcept EXCLUDES(lock_);
  /// The call manager has asked the client to close.
  bool notified() const noexcept EXCLUDES(lock_);

  // ---- the client ----
  /// NdisClOpenAddressFamilyEx; with SUCCESS the handle is open.
  NDIS_STATUS open();
  NDIS_STATUS close(const CoCaller& by);
  /// NdisClNotifyCloseAddressFamilyComplete. False: no notification is pended.
  bool complete_notify(NDIS_STATUS status) EXCLUDES(lock_);
  NDIS_STATUS register_sap(const CoCaller& by, void* context, CO_SAP* sap, NDIS_HANDLE* handle);

  // ---- the call manager; false: nothing of the kind is pended ----
  bool complete_open(NDIS_STATUS status, void* context);
  bool complete_close(NDIS_STATUS status);
  NDIS_STATUS notify_close(const CoCaller& by) EXCLUDES(lock_);

  // ---- service access points ----
  void add(Sap& sap) EXCLUDES(lock_);
  void remove(Sap& sap) EXCLUDES(lock_);
  std::vector<Ref<Sap>> saps() const EXCLUDES(lock_);

  /// `side` has gone and left this open.
  void leave(CoSide side) EXCLUDES(lock_);
  /// The end of a world.
  void abandon() EXCLUDES(lock_);
  /// The client can no longer use its handle.
  void close_client_handle() EXCLUDES(lock_);

 private:
  bool settle_open(NDIS_STATUS status, void* context);
  void end();
  void close_for_client();
  void uncount() EXCLUDES(lock_);
  void judge_close(const CoCaller& by) const;

  const Ref<Binding> client_;
  const Ref<CallManager> manager_;
  const CO_ADDRESS_FAMILY family_;
  const kernel::Stack origin_;
  AfMachine machine_;
  NDIS_HANDLE client_handle_ = nullptr;
  NDIS_HANDLE manager_handle_ = nullptr;
  void* const client_context_;
  void* manager_context_ = nullptr;

  enum class Notice : std::uint8_t { None, Calling, Pended, Done };
  mutable kernel::Lock lock_;
  Notice notice_ GUARDED_BY(lock_) = Notice::None;
  bool client_gone_ GUARDED_BY(lock_) = false;
  bool manager_gone_ GUARDED_BY(lock_) = false;
  bool client_handle_open_ GUARDED_BY(lock_) = false;
  bool counted_ GUARDED_BY(lock_) = false;  ///< in the gates of its bindings
  std::vector<Ref<Sap>> saps_ GUARDED_BY(lock_);
};

}  // namespace undis
