// SPDX-License-Identifier: MIT
//
// One finding of the verifier.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel/observer.h"

namespace undis::verifier {

/// What is kept while drivers run, for the report of what they may do wrong. What is found does not depend on
/// it, and the hash of the trace neither.
enum class Evidence : std::uint8_t {
  None,  ///< findings come without lines of the trace and without where a block or list came from: for a run
         ///< that is had again
  Tail,  ///< stacks of allocations, and the last lines of the trace
  Whole  ///< and all of its lines
};

/// Where a line of the trace comes from.
struct TracePlace {
  std::uint64_t time = 0;  ///< virtual, 100 ns units
  std::string thread;
  std::uint8_t irql = 0;
};

struct Violation {
  std::string rule;                          ///< id of a row of spec/rules.csv
  std::string driver;                        ///< service name of who broke it
  std::string function;                      ///< DDI or callback concerned
  std::string object;                        ///< "nic0", "tcpip on nic0", "" if none
  std::string holder;                        ///< who holds what is missing, "" if that is not the question
  std::string text;                          ///< what was found and what was expected
  kernel::Stack stack;                       ///< where it happened; may be empty
  kernel::Stack origin;                      ///< where the object concerned came from; may be empty
  std::vector<std::string> calls;            ///< the chain of calls between NDIS and drivers, outermost first
  std::vector<std::string> waiters;          ///< hang reports: who waits for what
  std::vector<kernel::Stack> waiter_stacks;  ///< of each of the first of them, in the same order
  std::vector<std::string> trace;            ///< the last lines of the trace
  std::vector<TracePlace> places;            ///< of each of them
};

}  // namespace undis::verifier
