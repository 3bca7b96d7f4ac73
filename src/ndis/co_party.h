// SPDX-License-Identifier: MIT
//
// A party of a multipoint call. Pages: network/adding-a-party-to-a-multipoint-call,
// network/dropping-a-party-from-a-multipoint-call.
#pragma once

#include <ndis.h>

#include "ndis/co_adapter.h"
#include "ndis/co_machine.h"

namespace undis {

class Party final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::ClientParty};

  Party(Vc& vc, void* client_context);
  ~Party() override;

  Vc& vc() const noexcept { return *vc_; }
  const std::string& name() const noexcept { return machine_.object(); }
  PartyMachine& machine() noexcept { return machine_; }
  const PartyMachine& machine() const noexcept { return machine_; }
  NDIS_HANDLE handle(CoSide side) const noexcept {
    return side == CoSide::Client ? client_handle_ : manager_handle_;
  }
  void* context(CoSide side) const noexcept {
    return side == CoSide::Client ? client_context_ : manager_context_;
  }
  void set_manager_context(void* context) noexcept { manager_context_ = context; }

  /// False: no handle left.
  bool open_handles();
  /// NdisClAddParty: asks the call manager.
  NDIS_STATUS add(CO_CALL_PARAMETERS* parameters);
  NDIS_STATUS drop(const CoCaller& by, void* data, UINT size);
  /// Of the call manager. False: not pended.
  bool complete_add(NDIS_STATUS status, void* context, CO_CALL_PARAMETERS* parameters);
  bool complete_drop(NDIS_STATUS status);
  void dispatch_drop(const CoCaller& by, NDIS_STATUS status, void* data, UINT size);
  /// It is no more: the handles are closed, the call forgets it.
  void end();

 private:
  bool settle_add(NDIS_STATUS status, void* context);
  bool settle_drop(NDIS_STATUS status);

  const Ref<Vc> vc_;
  PartyMachine machine_;
  void* const client_context_;
  void* manager_context_ = nullptr;
  NDIS_HANDLE client_handle_ = nullptr;
  NDIS_HANDLE manager_handle_ = nullptr;
};

}  // namespace undis
