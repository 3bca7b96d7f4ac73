// SPDX-License-Identifier: MIT
//
// Accesses to device registers that are plain instructions of a driver (`nic->Control |= 1`): the page is not
// there, the fault asks the model, the instruction runs alone, and what it wrote goes to the model.
//
// READ_REGISTER_ULONG and its like come by a call instead (undis_register_read), which costs no fault; both
// see the same values.
#pragma once

#include <cstdint>

namespace undis::kernel {

/// From now on, until forget_register_traps(), faults in the ranges of the current System's bus are answered.
void trap_registers();
void forget_register_traps() noexcept;

/// How many accesses came by a fault, since the start of the process.
std::uint64_t trapped_accesses() noexcept;

}  // namespace undis::kernel
