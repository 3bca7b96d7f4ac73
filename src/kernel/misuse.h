// SPDX-License-Identifier: MIT
//
// How the kernel slice tells the observer that its interface was used wrongly.
#pragma once

#include <string>

#include "kernel/observer.h"

namespace undis::kernel {

/// Reports on behalf of the driver that runs on this thread. `function` is the DDI or callback concerned. No
/// Lock may be held.
void report_misuse(Misuse kind, const char* function, const void* object, std::string text,
                   const Stack& origin = {});
/// The same with another culprit (nullptr: the host), for what is found after the fact.
void report_misuse_of(Driver* blame, Misuse kind, const char* function, const void* object, std::string text,
                      const Stack& origin = {});
/// "driver passthru" or "the host".
std::string name_of(const Driver* driver);

}  // namespace undis::kernel
