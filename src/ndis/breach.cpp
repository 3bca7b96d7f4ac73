// SPDX-License-Identifier: MIT
//
// Telling of breaches.
#include "ndis/breach.h"

#include "ndis/library.h"

namespace undis {

void tell_breach(const char* rule, kernel::Driver& driver, const char* function, std::string object_name,
                 std::string why) {
  Library::current().observer().on(
      Breach{rule, &driver, function, std::move(object_name), std::move(why), kernel::Stack::capture(1)});
}

}  // namespace undis
