// SPDX-License-Identifier: MIT
//
// A state by one of the tables of co_states.h: its only writer is advance(), and every move is told.
#pragma once

#include <string>

#include "kernel/lock.h"
#include "ndis/co_states.h"
#include "ndis/library.h"

namespace undis {

template <const auto& kTable, class State, class Event>
class CoMachine {
 public:
  /// `machine`: "address family"; `driver`: whose operations move it, for the trace.
  CoMachine(const char* machine, std::string object, kernel::Driver& driver)
      : machine_(machine), object_(std::move(object)), driver_(driver) {}

  State state() const noexcept EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    return state_;
  }
  bool allows(Event event) const noexcept { return kTable.allows(state(), event); }
  /// False: the table has a blank there, and nothing has changed.
  bool advance(Event event) EXCLUDES(lock_) {
    const kernel::Hold hold(lock_);
    const auto next = kTable.next(state_, event);
    if (!next) return false;
    Library::current().observer().on(
        StateMove{machine_, object_, to_text(state_), to_text(event), to_text(*next), &driver_, nullptr});
    state_ = *next;
    return true;
  }
  /// `driver` has tried, in `function`, what the state forbids.
  void tell_blank(Event event, kernel::Driver& driver, const char* function) const {
    Library::current().observer().on(
        StateMove{machine_, object_, to_text(state()), to_text(event), nullptr, &driver, function});
  }
  const std::string& object() const noexcept { return object_; }

 private:
  const char* const machine_;
  const std::string object_;
  kernel::Driver& driver_;
  mutable kernel::Lock lock_;
  State state_ GUARDED_BY(lock_){};
};

using AfMachine = CoMachine<kAfStates, AfState, AfEvent>;
using SapMachine = CoMachine<kSapStates, SapState, SapEvent>;
using VcMachine = CoMachine<kVcStates, VcState, VcEvent>;
using CallMachine = CoMachine<kCallStates, CallState, CallEvent>;
using PartyMachine = CoMachine<kPartyStates, PartyState, PartyEvent>;

}  // namespace undis
