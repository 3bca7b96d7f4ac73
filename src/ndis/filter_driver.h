// SPDX-License-Identifier: MIT
//
// A filter driver's registration: NdisFRegisterFilterDriver until NdisFDeregisterFilterDriver.
//
// Pages  network/initializing-a-filter-driver, network/types-of-filter-drivers,
// network/mandatory-filter-drivers,
//        network/configuring-an-inf-file-for-a-modifying-filter-driver
#pragma once

#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/system.h"
#include "ndis/miniport_driver.h"

namespace undis {

class Adapter;
class FilterModule;

/// The entry points that a filter may change for each module (NDIS_FILTER_PARTIAL_CHARACTERISTICS); an empty
/// one is bypassed.
struct FilterDataHandlers {
  using C = NDIS_FILTER_PARTIAL_CHARACTERISTICS;
  Handler<&C::SendNetBufferListsHandler> Send;
  Handler<&C::SendNetBufferListsCompleteHandler> SendComplete;
  Handler<&C::CancelSendNetBufferListsHandler> CancelSend;
  Handler<&C::ReceiveNetBufferListsHandler> Receive;
  Handler<&C::ReturnNetBufferListsHandler> Return;
};

struct FilterHandlers {
  using C = NDIS_FILTER_DRIVER_CHARACTERISTICS;
  explicit FilterHandlers(const C& c);
  Handler<&C::SetOptionsHandler> SetOptions;
  Handler<&C::SetFilterModuleOptionsHandler> SetModuleOptions;
  Handler<&C::AttachHandler> Attach;
  Handler<&C::DetachHandler> Detach;
  Handler<&C::RestartHandler> Restart;
  Handler<&C::PauseHandler> Pause;
  FilterDataHandlers data;
  Handler<&C::OidRequestHandler> OidRequest;
  Handler<&C::OidRequestCompleteHandler> OidRequestComplete;
  Handler<&C::CancelOidRequestHandler> CancelOidRequest;
  Handler<&C::DevicePnPEventNotifyHandler> DevicePnPEventNotify;
  Handler<&C::NetPnPEventHandler> NetPnPEvent;
  Handler<&C::StatusHandler> Status;
  Handler<&C::DirectOidRequestHandler> DirectOidRequest;
  Handler<&C::DirectOidRequestCompleteHandler> DirectOidRequestComplete;
  Handler<&C::CancelDirectOidRequestHandler> CancelDirectOidRequest;
  Handler<&C::SynchronousOidRequestHandler> SynchronousOidRequest;
  Handler<&C::SynchronousOidRequestCompleteHandler> SynchronousOidRequestComplete;
};

/// What the filter's INF says of it (FilterType, FilterRunType, FilterClass, FilterMediaTypes), from the Ndi
/// key of the component:
/// \Registry\Machine\System\CurrentControlSet\Control\Network\{4d36e974-e325-11ce-bfc1-08002be10318}\{UniqueName}\Ndi.
/// What is not there: a modifying, optional filter of class custom, for Ethernet
/// (docs/decisions.md#filter-settings).
struct FilterSettings {
  bool monitoring = false;
  bool mandatory = false;
  std::u16string filter_class = u"custom";
  std::u16string media = u"ethernet";  ///< comma separated
  /// Place in the stack: the lower the rank, the nearer to the miniport.
  unsigned rank() const noexcept;
  bool takes(NDIS_MEDIUM medium) const noexcept;
};
/// The Ndi key of a filter driver's component, as a registry path.
std::u16string filter_ndi_key(std::u16string_view unique_name);

class FilterDriver final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::FilterDriver};

  /// `context`: the FilterDriverContext.
  FilterDriver(kernel::Driver& driver, const NDIS_FILTER_DRIVER_CHARACTERISTICS& characteristics,
               void* context);
  ~FilterDriver() override;

  kernel::Driver& driver() const noexcept { return driver_; }
  Version version() const noexcept { return version_; }
  NDIS_HANDLE handle() const noexcept { return handle_; }
  void* context() const noexcept { return context_; }
  const std::u16string& unique_name() const noexcept { return unique_name_; }
  const std::u16string& friendly_name() const noexcept { return friendly_name_; }
  /// The service name, as reports and traces call it.
  const std::string& name() const noexcept { return name_; }
  const FilterSettings& settings() const noexcept { return settings_; }
  const FilterHandlers& handlers() const noexcept { return handlers_; }
  const kernel::Stack& origin() const noexcept { return origin_; }

  /// A reference to each module, in order of attachment.
  std::vector<Ref<FilterModule>> modules() const EXCLUDES(lock_);
  /// FilterSetOptions has returned: modules may be attached from now on.
  void set_ready() EXCLUDES(lock_);
  bool attachable() const noexcept EXCLUDES(lock_);

  /// NdisFDeregisterFilterDriver: detaches every module, then gives the registration back. From inside an
  /// operation on a stack (a callback of this very driver) the modules of that stack go when the operation is
  /// over. False: already under way. PASSIVE_LEVEL.
  bool deregister(const char* function) EXCLUDES(lock_);

 private:
  friend class FilterModule;
  friend class FilterStack;
  friend class Library;
  bool add(FilterModule& module) EXCLUDES(lock_);
  void forget(FilterModule& module) EXCLUDES(lock_);
  void remove(FilterModule& module) EXCLUDES(lock_);

  kernel::Driver& driver_;
  const Version version_;
  void* const context_;
  const std::u16string unique_name_;
  const std::u16string friendly_name_;
  const std::string name_;
  const FilterSettings settings_;
  const FilterHandlers handlers_;
  const kernel::Stack origin_;
  NDIS_HANDLE handle_ = nullptr;  ///< opened and closed by Library
  mutable kernel::Lock lock_;
  std::vector<FilterModule*> modules_ GUARDED_BY(lock_);
  bool ready_ GUARDED_BY(lock_) = false;
  bool deregistering_ GUARDED_BY(lock_) = false;
  bool release_when_detached_ GUARDED_BY(lock_) =
      false;  ///< deregistered from inside an operation on one of its stacks
  const char* deregistered_by_ GUARDED_BY(lock_) = nullptr;
};

}  // namespace undis
