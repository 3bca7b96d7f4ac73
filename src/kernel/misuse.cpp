// SPDX-License-Identifier: MIT
//
// Hands a misuse to the current system's observer. What harness drivers do wrong is reported as well: it is a
// bug of the host.
#include "kernel/misuse.h"

#include <utility>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/system.h"

namespace undis::kernel {

void report_misuse(Misuse kind, const char* function, const void* object, std::string text,
                   const Stack& origin) {
  report_misuse_of(current_driver(), kind, function, object, std::move(text), origin);
}

void report_misuse_of(Driver* blame, Misuse kind, const char* function, const void* object, std::string text,
                      const Stack& origin) {
  System* const system = System::current_or_null();
  if (system == nullptr) return;  // torn down: nobody is left to tell
  system->observer().on(
      MisuseEvent{kind, blame, function, object, std::move(text), Stack::capture(1), origin});
}

std::string name_of(const Driver* driver) {
  return driver == nullptr ? std::string("the host") : "driver " + driver->name();
}

}  // namespace undis::kernel
