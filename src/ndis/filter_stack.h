// SPDX-License-Identifier: MIT
//
// The filter modules of one adapter, in order: which there should be, which there are, and who is next on
// each way through them.
//
// The ways (sends down, completions up, receives up, returns down) leave out every module that has no handler
// for it: it is not in the chain of calls. They are worked out anew only while the whole stack is paused, so
// that the data path reads plain pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"
#include "ndis/object.h"

namespace undis {

class Adapter;
class FilterDriver;
class FilterModule;

class FilterStack {
 public:
  explicit FilterStack(Adapter& adapter) noexcept;
  ~FilterStack();
  FilterStack(const FilterStack&) = delete;
  FilterStack& operator=(const FilterStack&) = delete;

  /// The lowest first.
  std::vector<Ref<FilterModule>> modules() const EXCLUDES(lock_);
  bool empty() const noexcept EXCLUDES(lock_);
  /// A driver that wants to be on this adapter has no module here, or one fewer than it should.
  bool has_missing() const;
  /// The same for mandatory ones only.
  bool has_missing_mandatory() const;

  // ---- the caller has claimed the stack and paused it; PASSIVE_LEVEL ----

  /// Attaches what is missing, from the lowest to the uppermost. False: a mandatory module could not be
  /// attached.
  bool attach_missing();
  /// Detaches and forgets one module, which is Paused.
  void detach(FilterModule& module);
  /// Detaches all, from the uppermost to the lowest.
  void detach_all();
  void relink() EXCLUDES(lock_);
  /// Forgets all modules without a call to a driver: for the end of a world.
  void abandon() noexcept EXCLUDES(lock_);

  // ---- where the ways begin; nullptr: no module takes part ----
  FilterModule* first_send = nullptr;      ///< uppermost with FilterSendNetBufferLists
  FilterModule* first_cancel = nullptr;    ///< uppermost with FilterCancelSendNetBufferLists
  FilterModule* first_complete = nullptr;  ///< lowest with FilterSendNetBufferListsComplete
  FilterModule* first_receive = nullptr;   ///< lowest with FilterReceiveNetBufferLists
  FilterModule* first_return = nullptr;    ///< uppermost with FilterReturnNetBufferLists
  /// What the link was when an indication set out on its way through the filters: for 5.x bindings, which are
  /// told of changes.
  struct {
    NDIS_MEDIA_CONNECT_STATE connect_state = MediaConnectStateUnknown;
    std::uint64_t transmit_speed = 0;
  } link_before;
  bool sees_sends() const noexcept { return first_send != nullptr || first_complete != nullptr; }
  bool sees_receives() const noexcept { return first_receive != nullptr || first_return != nullptr; }

  /// Calls `body` with the modules, the lowest first, and the ways as they are, which do not change
  /// meanwhile. It waits for nothing.
  template <class Body>
  void with_modules(Body body) const EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    body(std::span<const Ref<FilterModule>>(modules_));
  }
  /// The nearest module above (or below) `from` for which `takes` holds; `from` nullptr: from the miniport
  /// (or the bindings) on.
  template <class Takes>
  Ref<FilterModule> next_above(const FilterModule* from, Takes takes) const EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    for (std::size_t i = from == nullptr ? 0 : index_locked(*from) + 1; i < modules_.size(); ++i)
      if (takes(*modules_[i])) return modules_[i];
    return {};
  }
  template <class Takes>
  Ref<FilterModule> next_below(const FilterModule* from, Takes takes) const EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    for (std::size_t i = from == nullptr ? modules_.size() : index_locked(*from); i-- > 0;)
      if (takes(*modules_[i])) return modules_[i];
    return {};
  }

 private:
  void link() EXCLUDES(lock_);
  /// One module that there should be: of `driver`, over the module of `over` (monitoring filters) or nullptr.
  struct Wanted {
    Ref<FilterDriver> driver;
    const FilterDriver* over;
  };
  std::vector<Wanted> wanted() const;
  Ref<FilterModule> find(const Wanted& wanted) const EXCLUDES(lock_);
  std::size_t index_locked(const FilterModule& module) const noexcept REQUIRES(lock_);
  void take_out(FilterModule& module) EXCLUDES(lock_);

  Adapter& adapter_;
  mutable kernel::Lock lock_;
  std::vector<Ref<FilterModule>> modules_ GUARDED_BY(lock_);
};

}  // namespace undis
