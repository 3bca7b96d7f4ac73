// SPDX-License-Identifier: MIT
//
// The NDIS library of one world: registrations, adapters, handles. One is current at a time (the C interface
// forces it).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ndis.h>

#include "kernel/passage.h"
#include "kernel/system.h"
#include "ndis/adapter.h"
#include "ndis/device_instance.h"
#include "ndis/filter_driver.h"
#include "ndis/handle.h"
#include "ndis/interface.h"
#include "ndis/miniport_driver.h"
#include "ndis/name_index.h"
#include "ndis/observer.h"
#include "ndis/protocol_driver.h"
#include "ndis/roster.h"
#include "ndis/service.h"

namespace undis {

class ItemBook;

/// What the host decides where Windows has a network configuration.
struct Policy {
  /// May this protocol bind to this adapter? Default: any, but an intermediate driver's not to its own
  /// virtual miniports.
  std::function<bool(const ProtocolDriver&, const Adapter&)> binds;
  /// Does this filter driver have modules on this adapter? Default: on every adapter of a medium that it
  /// filters.
  std::function<bool(const FilterDriver&, const Adapter&)> filters;
  /// Is the device of this virtual miniport started already? Default: yes. False: it starts with
  /// Library::start_device().
  std::function<bool(const MiniportDriver&, std::u16string_view)> device_is_started;
  /// The newest NDIS version that drivers find here.
  Version newest = kNewestVersion;
  /// Surprise removal as Windows Vista did it: the IRP goes down first, the stack is torn down at the remove
  /// IRP.
  bool vista_surprise_removal = false;
};

class Library {
 public:
  /// Makes this library the current one for its lifetime.
  Library(kernel::System& system, Observer& observer);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  static Library& current() noexcept;
  static Library* current_or_null() noexcept;

  Observer& observer() noexcept { return observer_; }
  HandleTable& handles() noexcept { return handles_; }
  ItemBook& items() noexcept { return *items_; }
  ServiceTable& services() noexcept { return services_; }
  InterfaceTable& interfaces() noexcept { return interfaces_; }
  /// The high byte of a cancel id, another at each call: 1 to 255.
  UCHAR next_cancel_id() noexcept { return static_cast<UCHAR>(cancel_ids_++ % 255 + 1); }
  Policy policy;

  // ---- drivers: DriverEntry and Unload with NDIS' part around them. PASSIVE_LEVEL ----

  /// Calls DriverEntry; on failure checks that nothing is left registered.
  NTSTATUS load(kernel::Driver& driver, kernel::callback<NTSTATUS(PDRIVER_OBJECT, PUNICODE_STRING)> entry);
  /// Removes the driver's devices, calls its Unload, checks that nothing is left. False: it has no Unload.
  bool unload(kernel::Driver& driver);
  /// Waits until the DriverEntry of this driver has returned, unless this thread is inside it. False: it
  /// failed. PASSIVE_LEVEL.
  bool wait_until_loaded(kernel::Driver& driver);

  // ---- registrations ----
  Ref<Wrapper> add_wrapper(kernel::Driver& driver);
  void remove(Wrapper& wrapper, const char* function);
  Ref<Wrapper> wrapper_of(const kernel::Driver& driver) const EXCLUDES(lock_);
  /// Opens the handle, lists it, tells the observer. False: no memory.
  bool add(MiniportDriver& driver, const char* function) EXCLUDES(lock_);
  bool add(ProtocolDriver& protocol, const char* function) EXCLUDES(lock_);
  void remove(MiniportDriver& driver, const char* function) EXCLUDES(lock_);
  void remove(ProtocolDriver& protocol, const char* function) EXCLUDES(lock_);
  std::vector<Ref<MiniportDriver>> miniport_drivers() const EXCLUDES(lock_);
  std::vector<Ref<MiniportDriver>> miniport_drivers_of(const kernel::Driver& driver) const EXCLUDES(lock_);
  std::vector<Ref<ProtocolDriver>> protocols() const EXCLUDES(lock_);
  std::vector<Ref<ProtocolDriver>> protocols_of(const kernel::Driver& driver) const EXCLUDES(lock_);
  /// True if a protocol of that name (compared in upper case) is registered.
  bool has_protocol(std::u16string_view name) const EXCLUDES(lock_);
  /// Opens the handle, lists it, tells the observer. False: no memory.
  bool add(FilterDriver& filter, const char* function) EXCLUDES(lock_);
  void remove(FilterDriver& filter, const char* function) EXCLUDES(lock_);
  /// In order of registration.
  std::vector<Ref<FilterDriver>> filter_drivers() const EXCLUDES(lock_);
  std::vector<Ref<FilterDriver>> filter_drivers_of(const kernel::Driver& driver) const EXCLUDES(lock_);
  bool has_filter(std::u16string_view unique_name) const EXCLUDES(lock_);
  ULONG next_interface_index() noexcept EXCLUDES(lock_);

  // ---- adapters ----
  /// For the stack on one adapter; they live as long as the library does.
  kernel::Passage& take_passage() EXCLUDES(lock_);
  /// A device for `driver`: MiniportAddDevice's part. It is Halted until start_stack().
  Ref<Adapter> add_adapter(MiniportDriver& driver, AdapterConfig config) EXCLUDES(lock_);
  void forget(Adapter& adapter) EXCLUDES(lock_);
  std::vector<Ref<Adapter>> adapters() const EXCLUDES(lock_);
  Ref<Adapter> adapter_by_device_name(std::u16string_view name) const EXCLUDES(lock_);
  /// The adapter for which `is_it` holds; it runs under the lock and does no more than compare.
  template <class IsIt>
  Ref<Adapter> find_adapter(IsIt is_it) const EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    for (Adapter& adapter : adapters_)
      if (is_it(adapter)) return Ref<Adapter>(adapter);
    return {};
  }
  /// The device of a virtual miniport starts (IRP_MN_START_DEVICE): an initialisation that waits for it
  /// happens now.
  void start_device(std::u16string_view name) EXCLUDES(lock_);
  bool wants(const ProtocolDriver& protocol, const Adapter& adapter) const;

  std::vector<Ref<DeviceInstance>> instances() const EXCLUDES(lock_);
  /// The instance that was asked for under this name and is not gone.
  Ref<DeviceInstance> instance_named(std::u16string_view name) const EXCLUDES(lock_);

  /// Binds a protocol that has just registered to all adapters that are up; later, on a worker
  /// (docs/decisions.md#bind-after-register).
  void bind_later(ProtocolDriver& protocol);

  /// NetEventReconfigure, NetEventBindList: for one protocol as a whole. PASSIVE_LEVEL.
  NDIS_STATUS reconfigure(ProtocolDriver& protocol, void* data, ULONG length);
  NDIS_STATUS set_bind_list(ProtocolDriver& protocol, const std::vector<std::u16string>& device_names);
  /// The protocol is uninstalled: unbound everywhere, then ProtocolUninstall (LIFE-254). PASSIVE_LEVEL.
  void uninstall(ProtocolDriver& protocol);

  /// A system error: MiniportShutdown(Ex) of the adapters that ask for it, at HIGH_LEVEL.
  void bug_check() noexcept;
  /// System shutdown: MiniportShutdown(Ex) of every adapter, shutdown notifications, and what the rules say
  /// of them.
  void shutdown();

 private:
  friend NDIS_STATUS initialize_device_instance(MiniportDriver&, std::u16string_view, void*);
  friend NDIS_STATUS cancel_device_instance(MiniportDriver&, std::u16string_view);
  friend NDIS_STATUS deinitialize_device_instance(Adapter&);
  /// Virtual miniports that are up although nothing is left below them.
  void report_orphaned_instances(kernel::Driver& driver);
  void check_left_behind(kernel::Driver& driver, LeftBehind::When when);
  void initialize_instance(DeviceInstance& instance);
  void drop_locked(DeviceInstance& instance) REQUIRES(lock_);
  void describe_in_registry(const AdapterConfig& config);
  bool driver_was_intermediate(const kernel::Driver& driver) const EXCLUDES(lock_);

  kernel::System& system_;
  Observer& observer_;
  HandleTable handles_;
  std::unique_ptr<ItemBook> items_;
  ServiceTable services_{handles_};
  InterfaceTable interfaces_;
  unsigned cancel_ids_ = 0;
  mutable kernel::Lock lock_;
  std::vector<Ref<Wrapper>> wrappers_ GUARDED_BY(lock_);
  std::vector<Ref<MiniportDriver>> miniport_drivers_ GUARDED_BY(lock_);
  std::vector<Ref<ProtocolDriver>> protocols_ GUARDED_BY(lock_);
  std::vector<Ref<FilterDriver>> filter_drivers_ GUARDED_BY(lock_);
  Roster<Adapter, Library> adapters_ GUARDED_BY(lock_);
  NameIndex<Adapter, Library> adapters_by_name_ GUARDED_BY(lock_);
  Roster<DeviceInstance, Library> instances_ GUARDED_BY(lock_);
  NameIndex<DeviceInstance, Library> instances_by_name_ GUARDED_BY(lock_);
  std::vector<const kernel::Driver*>
      intermediates_ GUARDED_BY(lock_);  ///< drivers that ever registered an intermediate half
  ULONG last_interface_index_ GUARDED_BY(lock_) = 0;
  std::vector<std::unique_ptr<kernel::Passage>> passages_ GUARDED_BY(lock_);
  std::vector<kernel::Passage*> free_passages_ GUARDED_BY(lock_);
  kernel::Event entry_over_{"the end of a DriverEntry"};
};

}  // namespace undis
