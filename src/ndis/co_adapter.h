// SPDX-License-Identifier: MIT
//
// The connection-oriented side of an adapter: its call managers and the address families they offer, what
// clients have open of these, and the virtual connections on it. Belongs to the Adapter and owns all of them.
// Pages: network/registering-and-opening-an-address-family, network/closing-a-condis-call-manager-or-mcm.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/driver.h"
#include "kernel/lock.h"
#include "ndis/co_handlers.h"
#include "ndis/object.h"

namespace undis {

class Adapter;
class AddressFamily;
class Binding;
class CoRequests;
class Vc;

/// Who called what: for what is told of it.
struct CoCaller {
  kernel::Driver& driver;
  const char* function;
};

/// The two protocol-like ends of an address family, and of what hangs on it.
enum class CoSide : std::uint8_t { Client, CallManager };

/// A call manager on an adapter: a protocol's binding, or the adapter's own miniport driver (an integrated
/// one, "MCM").
class CallManager final : public Object {
 public:
  CallManager(Adapter& adapter, Binding* binding);
  ~CallManager() override;

  Adapter& adapter() const noexcept { return adapter_; }
  Binding* binding() const noexcept { return binding_.get(); }  ///< nullptr: integrated
  bool integrated() const noexcept { return !binding_; }
  kernel::Driver& driver() const noexcept;
  const CoCallManagerHandlers& handlers() const noexcept;
  void* context() const noexcept;  ///< of the binding or of the adapter
  const std::string& name() const noexcept;

 private:
  Adapter& adapter_;
  const Ref<Binding> binding_;
};

/// A call manager has completed inside the call what it then did not return NDIS_STATUS_PENDING for.
void tell_twice(const CallManager& manager, const char* function, const void* object,
                const std::string& name);

class CoAdapter {
 public:
  explicit CoAdapter(Adapter& adapter);
  ~CoAdapter();
  CoAdapter(const CoAdapter&) = delete;
  CoAdapter& operator=(const CoAdapter&) = delete;

  /// The adapter's driver is a connection-oriented miniport driver.
  bool is_connection_oriented() const noexcept;

  // ---- address families on offer ----
  /// Ndis(M)CmRegisterAddressFamilyEx; `binding` nullptr: of the miniport driver itself.
  NDIS_STATUS offer(Binding* binding, const CO_ADDRESS_FAMILY& family) EXCLUDES(lock_);
  /// Tells each client that has not been told of each family (ProtocolCoAfRegisterNotify). PASSIVE_LEVEL.
  void advertise() EXCLUDES(lock_);
  Ref<CallManager> manager_of(const CO_ADDRESS_FAMILY& family) const EXCLUDES(lock_);
  /// The call manager that this binding is, whether it offers anything or not; nothing: its driver is none.
  Ref<CallManager> manager_at(Binding& binding) EXCLUDES(lock_);

  // ---- what is open ----
  void add(AddressFamily& family) EXCLUDES(lock_);
  void remove(AddressFamily& family) EXCLUDES(lock_);
  /// One that has ended while its client still owes the end of a close notification, with the handle it has.
  void keep_for_notice(AddressFamily& family) EXCLUDES(lock_);
  void drop_after_notice(AddressFamily& family) EXCLUDES(lock_);
  std::vector<Ref<AddressFamily>> address_families() const EXCLUDES(lock_);
  void add(Vc& vc) EXCLUDES(lock_);
  void remove(Vc& vc) EXCLUDES(lock_);
  std::vector<Ref<Vc>> vcs() const EXCLUDES(lock_);
  std::vector<Ref<Vc>> vcs_of(const AddressFamily& family) const EXCLUDES(lock_);
  ULONG next_number() noexcept EXCLUDES(lock_);

  // ---- ends ----
  /// NdisCloseAdapter(Ex) of a binding: what it leaves open is told, and closed for it. `function`: that
  /// call.
  void end_of(Binding& binding, const char* function) EXCLUDES(lock_);
  /// MiniportHalt(Ex) has returned.
  void end_of_miniport(const char* function) EXCLUDES(lock_);
  /// The end of a world, without a call to any driver.
  void abandon() EXCLUDES(lock_);

  const std::unique_ptr<CoRequests> requests;  ///< that a driver has and has not completed

 private:
  struct Offer {
    CO_ADDRESS_FAMILY family;
    Ref<CallManager> manager;
    std::vector<const Binding*> told;
  };
  bool tell_next() EXCLUDES(lock_);
  void judge_manager(const CallManager& manager, const char* function);

  Adapter& adapter_;
  mutable kernel::Lock lock_;
  std::vector<Offer> offers_ GUARDED_BY(lock_);
  std::vector<Ref<CallManager>> managers_ GUARDED_BY(lock_);
  std::vector<Ref<AddressFamily>> families_ GUARDED_BY(lock_);
  std::vector<Ref<AddressFamily>> for_notice_ GUARDED_BY(lock_);  ///< ended, see keep_for_notice()
  std::vector<Ref<Vc>> vcs_ GUARDED_BY(lock_);
  ULONG numbers_ GUARDED_BY(lock_) = 0;
};

}  // namespace undis
