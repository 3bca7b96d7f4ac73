// SPDX-License-Identifier: MIT
//
// A state machine as the documentation prints it: a row per event, a column per state, blank = illegal. Knows
// nothing of NDIS.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace undis {

/// The blank cell of a published table.
struct Blank {};
inline constexpr Blank no{};

template <class State>
class Cell {
 public:
  constexpr Cell(Blank) {}                     // NOLINT(google-explicit-constructor)
  constexpr Cell(State next) : next_(next) {}  // NOLINT(google-explicit-constructor)
  constexpr std::optional<State> next() const { return next_; }

 private:
  std::optional<State> next_;
};

template <class State, std::size_t kStates, class Event, std::size_t kEvents>
struct StateTable {
  struct Row {
    Event event;
    std::array<Cell<State>, kStates> cells;
  };
  std::array<Row, kEvents> rows;

  /// The state after `event` in `state`; nothing where the published cell is blank.
  constexpr std::optional<State> next(State state, Event event) const {
    return rows[static_cast<std::size_t>(event)].cells[static_cast<std::size_t>(state)].next();
  }
  constexpr bool allows(State state, Event event) const { return next(state, event).has_value(); }
  constexpr bool rows_are_in_enum_order() const {
    for (std::size_t i = 0; i < kEvents; ++i)
      if (static_cast<std::size_t>(rows[i].event) != i) return false;
    return true;
  }
};

}  // namespace undis
