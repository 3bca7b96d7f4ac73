// SPDX-License-Identifier: MIT
//
// Who is next on the four ways through a stack. `next` is the filter module whose turn it is; nullptr: the
// ways' end, at the miniport or at the bindings. A Way without a handler: nobody of whom that is sure.
#pragma once

#include "ndis/ways.h"

namespace undis {

/// Sends: to the miniport's end.
Way next_down(const Adapter& adapter, const FilterModule* next) noexcept;
/// Returns: back to the miniport.
Way next_back_down(const Adapter& adapter, const FilterModule* next) noexcept;
/// Receives: to that binding, which nullptr says there is not.
Way next_up(const FilterModule* next, const Binding* receiver) noexcept;
/// Completions: back to the binding that sent.
Way next_back_up(const FilterModule* next, const Binding* sender) noexcept;

}  // namespace undis
