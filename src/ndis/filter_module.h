// SPDX-License-Identifier: MIT
//
// A filter module: one instance of a filter driver on one adapter, and its state machine.
// Pages: network/filter-module-states-and-operations, -attaching-, -starting-, -pausing-,
// -detaching-a-filter-module.
//
// Its life-cycle operations are carried out by whoever has claimed the adapter's stack; they never overlap.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <ndis.h>

#include "kernel/system.h"
#include "ndis/adapter.h"
#include "ndis/filter_driver.h"
#include "ndis/filter_oid.h"
#include "ndis/filter_states.h"
#include "ndis/gate.h"

namespace undis {

class FilterModule final : public Object {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::FilterModule};
  /// How long FilterPause may take (LIFE-292).
  static constexpr std::uint64_t kPauseLimit = 100'000'000;

  /// `over`: for a monitoring filter, the modifying filter whose module it watches; nullptr: it is right
  /// above the miniport.
  FilterModule(FilterDriver& filter, Adapter& adapter, const FilterDriver* over);
  ~FilterModule() override;

  FilterDriver& filter() const noexcept { return *filter_; }
  kernel::Driver& driver() const noexcept { return filter_->driver(); }
  Adapter& adapter() const noexcept { return *adapter_; }
  const FilterDriver* over() const noexcept { return over_; }
  bool mandatory() const noexcept { return filter_->settings().mandatory; }
  /// "ndislwf on nic0"
  const std::string& name() const noexcept { return name_; }
  /// "{GUID of the adapter}-{UniqueName}-0000", as FilterModuleGuidName.
  const std::u16string& guid_name() const noexcept { return guid_name_; }
  NDIS_HANDLE handle() const noexcept { return handle_; }
  /// The FilterModuleContext.
  void* context() const noexcept { return context_; }
  FilterState state() const noexcept EXCLUDES(lock_);
  bool allows(FilterEvent operation) const noexcept EXCLUDES(lock_);
  ULONG interface_index() const noexcept { return interface_index_; }
  NET_LUID net_luid() const noexcept;

  // ---- operations of NDIS: PASSIVE_LEVEL, the caller has claimed the stack ----

  /// Detached -> Attaching -> Paused (SUCCESS), or back to Detached.
  NDIS_STATUS attach();
  /// FilterSetModuleOptions, if there is one.
  NDIS_STATUS set_options();
  /// Paused -> Restarting -> Running, or back to Paused. `attributes` is handed on upwards, as the filter
  /// leaves it.
  NDIS_STATUS restart(PNDIS_RESTART_ATTRIBUTES* attributes);
  /// Running -> Pausing -> Paused; waits for NdisFPauseComplete. Nothing in any other state.
  void pause(ULONG reason);
  /// Paused -> Detached.
  void detach();

  // ---- what the filter calls ----

  NDIS_STATUS set_attributes(void* context);  ///< NdisFSetAttributes
  bool attributes_set() const noexcept { return attributes_set_; }
  bool complete_pause() EXCLUDES(lock_);  ///< NdisFPauseComplete; false: no pause is pended
  bool complete_restart(NDIS_STATUS status) EXCLUDES(lock_);
  /// NdisFRestartFilter: the stack is paused and restarted, on a worker. False: the module is being taken
  /// away.
  bool request_restart() EXCLUDES(lock_);
  /// True inside FilterSetModuleOptions of this module, on this thread: where set_data_handlers() may be
  /// called.
  bool options_open() const noexcept;
  void set_data_handlers(const FilterDataHandlers& handlers) noexcept { data_ = handlers; }

  // ---- data path ----
  const FilterDataHandlers& data() const noexcept { return data_; }
  std::size_t index = 0;  ///< from the miniport up; written with the links below while the stack is paused
  FilterModule* next_send = nullptr;  ///< nearest below with that handler; nullptr: the miniport
  FilterModule* next_cancel = nullptr;
  FilterModule* next_complete = nullptr;  ///< nearest above; nullptr: the bindings
  FilterModule* next_receive = nullptr;
  FilterModule* next_return = nullptr;
  Gate own_sends;     ///< originated here, not completed
  Gate own_receives;  ///< originated here, not returned
  Gate calls;         ///< calls into the filter that run; a detach waits for them
  /// Lists of others that the filter has, and how many of them it keeps from calls that are over.
  struct Held {
    std::atomic<std::int64_t> has{0};
    std::int64_t kept() const noexcept { return kept_.load(); }

    void given(std::int64_t lists) noexcept { has += lists; }
    void call_over(std::int64_t lists) noexcept { kept_ += lists; }  ///< that they were given in
    void passed_on(std::int64_t lists) noexcept {
      has -= lists;
      kept_ -= lists;
    }

   private:
    std::atomic<std::int64_t> kept_{0};  ///< one number, for who looks while others pass lists on
  };
  Held sends;
  Held receives;

  FilterOids oids;  ///< requests that pass it

 private:
  friend class FilterStack;
  void advance(FilterEvent event) EXCLUDES(lock_);
  void advance_locked(FilterEvent event) REQUIRES(lock_);
  void await_pause();
  void check_all_back();
  void check_handlers() const;

  const Ref<FilterDriver> filter_;
  const Ref<Adapter> adapter_;
  const FilterDriver* const over_;
  const std::string name_;
  const std::u16string guid_name_;
  const ULONG interface_index_;
  NDIS_HANDLE handle_ = nullptr;
  void* context_ = nullptr;
  bool attributes_set_ = false;
  FilterDataHandlers data_;

  mutable kernel::Lock lock_;
  FilterState state_ GUARDED_BY(lock_) = FilterState::Detached;
  bool pause_pended_ GUARDED_BY(lock_) = false;
  bool restart_pended_ GUARDED_BY(lock_) = false;
  bool restart_asked_ GUARDED_BY(lock_) = false;
  NDIS_STATUS restart_status_ GUARDED_BY(lock_) = NDIS_STATUS_SUCCESS;
  kernel::Event paused_;
  kernel::Event restarted_;
};

}  // namespace undis
