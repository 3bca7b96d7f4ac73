// SPDX-License-Identifier: MIT
//
// What becomes of a driver that crashes, or loops without ever calling anything: a report, and the end of the
// run.
#pragma once

#include "kernel/observer.h"
#include "machine/machine.h"

namespace undis::kernel {

/// Installs the handlers of the calling OS thread's machine. They act only while a System is current, its
/// machine runs, and code of a fiber is executing; everything else gets the signal's default action.
/// Idempotent.
void install_crash_handlers();
/// Gives the signals back to whoever had them before.
void remove_crash_handlers() noexcept;
/// The machine whose fibers the handlers are for; nullptr while no System is whole. Signals come at any
/// instruction.
void set_crash_machine(machine::Machine* machine) noexcept;

}  // namespace undis::kernel
