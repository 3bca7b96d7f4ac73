// SPDX-License-Identifier: MIT
//
// A service access point: what a client registers with a call manager to be offered calls.
// Pages: network/registering-a-sap, network/deregistering-a-sap.
#pragma once

#include <ndis.h>

#include "ndis/co_adapter.h"
#include "ndis/co_machine.h"

namespace undis {

class Sap final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::ClientSap};

  Sap(AddressFamily& family, void* client_context, CO_SAP* sap);
  ~Sap() override;

  AddressFamily& family() const noexcept { return *family_; }
  const std::string& name() const noexcept { return machine_.object(); }
  const SapMachine& machine() const noexcept { return machine_; }
  void* client_context() const noexcept { return client_context_; }
  NDIS_HANDLE client_handle() const noexcept { return client_handle_; }

  /// NdisClRegisterSap, NdisClDeregisterSap.
  NDIS_STATUS register_it();
  NDIS_STATUS deregister(const CoCaller& by);
  /// Of the call manager. False: nothing of the kind is pended.
  bool complete_register(NDIS_STATUS status, void* context);
  bool complete_deregister(NDIS_STATUS status);
  /// One of the two drivers has gone: the handles are closed, nobody is called.
  void drop();

 private:
  bool settle_register(NDIS_STATUS status, void* context);
  void end();

  const Ref<AddressFamily> family_;
  SapMachine machine_;
  void* const client_context_;
  CO_SAP* const sap_;  ///< the client's, until the registration is complete
  void* manager_context_ = nullptr;
  NDIS_HANDLE client_handle_ = nullptr;
  NDIS_HANDLE manager_handle_ = nullptr;
};

}  // namespace undis
