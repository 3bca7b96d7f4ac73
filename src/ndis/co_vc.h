// SPDX-License-Identifier: MIT
//
// A virtual connection: made by a client or a call manager, shared with the other one and the miniport;
// activated and deactivated by the call manager; and the call on it. Pages: network/creating-a-vc,
// network/activating-a-vc, network/deactivating-a-vc, network/deleting-a-vc, network/making-a-call,
// network/indicating-an-incoming-call.
//
// Each driver has a handle of its own (docs/decisions.md#co-handles). A call manager's connection for its own
// signalling has no client. The miniport of an integrated call manager is the call manager: it has one
// handle.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include <ndis.h>

#include "ndis/co_adapter.h"
#include "ndis/co_machine.h"
#include "ndis/co_party.h"

namespace undis {

class Sap;

class Vc final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::ClientVc};

  /// `family` nullptr: a stand-alone call manager's own.
  Vc(CallManager& manager, AddressFamily* family, CoSide creator, void* creator_context);
  ~Vc() override;

  Adapter& adapter() const noexcept { return manager_->adapter(); }
  CallManager& manager() const noexcept { return *manager_; }
  AddressFamily* family() const noexcept { return family_.get(); }
  CoSide creator() const noexcept { return creator_; }
  const std::string& name() const noexcept { return machine_.object(); }
  const VcMachine& machine() const noexcept { return machine_; }
  const CallMachine& call() const noexcept { return call_; }
  NDIS_HANDLE handle(CoSide side) const noexcept {
    return side == CoSide::Client ? client_handle_ : manager_handle_;
  }
  void* context(CoSide side) const noexcept {
    return side == CoSide::Client ? client_context_ : manager_context_;
  }
  /// The miniport's; of an integrated call manager its own.
  NDIS_HANDLE miniport_handle() const noexcept {
    return manager_->integrated() ? manager_handle_ : miniport_handle_;
  }
  void* miniport_context() const noexcept {
    return manager_->integrated() ? manager_context_ : miniport_context_;
  }
  /// nullptr: an integrated call manager.
  Binding* binding(CoSide side) const noexcept;
  kernel::Driver& driver(CoSide side) const noexcept;

  // ---- life; the handle of who asks is there when it returns SUCCESS ----
  NDIS_STATUS create();
  NDIS_STATUS remove(const CoCaller& by, CoSide side);
  NDIS_STATUS activate(const CoCaller& by, CO_CALL_PARAMETERS* parameters);
  NDIS_STATUS deactivate(const CoCaller& by);
  bool complete_activate(NDIS_STATUS status,
                         CO_CALL_PARAMETERS* parameters);  ///< of the miniport; false: not pended
  bool complete_deactivate(NDIS_STATUS status);
  /// NdisMCmActivateVc, NdisMCmDeactivateVc: at once.
  NDIS_STATUS activate_integrated(const CoCaller& by);
  NDIS_STATUS deactivate_integrated(const CoCaller& by);
  /// A driver has gone: the handles are closed, nobody is called but the miniport, which is told to delete.
  void drop(bool miniport_gone);

  // ---- calls: the client ----
  NDIS_STATUS make_call(const CoCaller& by, CO_CALL_PARAMETERS* parameters, void* party_context,
                        NDIS_HANDLE* party_handle);
  NDIS_STATUS close_call(const CoCaller& by, Party* party, void* data, UINT size);
  NDIS_STATUS modify_qos(const CoCaller& by, CO_CALL_PARAMETERS* parameters);
  bool complete_incoming(NDIS_STATUS status, CO_CALL_PARAMETERS* parameters);
  NDIS_STATUS add_party(const CoCaller& by, void* party_context, CO_CALL_PARAMETERS* parameters,
                        NDIS_HANDLE* party_handle);

  // ---- calls: the call manager; false: not pended ----
  bool complete_make_call(const CoCaller& by, NDIS_STATUS status, void* party_context,
                          CO_CALL_PARAMETERS* parameters);
  bool complete_close_call(NDIS_STATUS status);
  bool complete_modify(NDIS_STATUS status, CO_CALL_PARAMETERS* parameters);
  NDIS_STATUS dispatch_incoming(const CoCaller& by, Sap& sap, CO_CALL_PARAMETERS* parameters);
  void dispatch_connected(const CoCaller& by);
  void dispatch_close(const CoCaller& by, NDIS_STATUS status, void* data, UINT size);
  void dispatch_qos(const CoCaller& by, CO_CALL_PARAMETERS* parameters);

  // ---- parties ----
  void add(Party& party) EXCLUDES(lock_);
  void remove(Party& party) EXCLUDES(lock_);
  std::vector<Ref<Party>> parties() const EXCLUDES(lock_);

  // ---- names ----
  /// The one that TAPI applications know it by.
  std::string tapi_call_id() const;
  /// The name of NdisCoAssignInstanceName: what it was given first, and an index.
  std::u16string assign_instance_name(std::u16string_view base) EXCLUDES(lock_);

  std::atomic<int> sends{0};  ///< net buffer lists sent on it and not completed

 private:
  NDIS_STATUS call_create_miniport();
  NDIS_STATUS call_create_other();
  void call_delete_miniport();
  NDIS_STATUS call_delete_other();
  bool open_handles();
  void close_handles();
  void judge_deactivated(const char* function);
  void judge_active(const CoCaller& by, bool begun_is_enough = false) const;
  bool settle_activate(NDIS_STATUS status);
  bool settle_deactivate(NDIS_STATUS status, const char* function);
  bool settle_make_call(NDIS_STATUS status, void* party_context);
  bool settle_close_call(NDIS_STATUS status);
  CoSide other() const noexcept { return creator_ == CoSide::Client ? CoSide::CallManager : CoSide::Client; }
  const CoClientHandlers& client_handlers() const noexcept;

  const Ref<CallManager> manager_;
  const Ref<AddressFamily> family_;
  const CoSide creator_;
  const ULONG number_;
  VcMachine machine_;
  CallMachine call_;
  void* client_context_ = nullptr;
  void* manager_context_ = nullptr;
  void* miniport_context_ = nullptr;
  NDIS_HANDLE client_handle_ = nullptr;
  NDIS_HANDLE manager_handle_ = nullptr;
  NDIS_HANDLE miniport_handle_ = nullptr;

  mutable kernel::Lock lock_;
  std::u16string instance_name_ GUARDED_BY(lock_);
  bool deleting_ GUARDED_BY(lock_) = false;
  bool modifying_ GUARDED_BY(lock_) = false;  ///< a change of the quality of service is at the call manager
  Ref<Party> first_party_ GUARDED_BY(lock_);  ///< of a call that is being made
  Ref<Party> last_party_ GUARDED_BY(lock_);   ///< that goes with the call that is being closed
  std::vector<Ref<Party>> parties_ GUARDED_BY(lock_);
};

}  // namespace undis
