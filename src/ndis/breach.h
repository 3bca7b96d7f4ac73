// SPDX-License-Identifier: MIT
//
// What a driver did against a documented statement, where the fact needs no more than a sentence. The
// statement is named as spec/rules.csv has it; what becomes of it is the verifier's business.
#pragma once

#include <string>

#include "kernel/observer.h"

namespace undis {

struct Breach {
  const char* rule;  ///< "LIFE-157", or Microsoft's name of the rule
  kernel::Driver* driver;
  const char* function;     ///< the DDI or callback at fault
  std::string object_name;  ///< the adapter or binding that it is about
  std::string why;
  kernel::Stack stack;
  kernel::Stack origin{};  ///< where the object at fault was made; empty if unknown
};

/// Tells the observer of the current library, with the stack of the caller.
void tell_breach(const char* rule, kernel::Driver& driver, const char* function, std::string object_name,
                 std::string why);

}  // namespace undis
