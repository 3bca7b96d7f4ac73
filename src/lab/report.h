// SPDX-License-Identifier: MIT
//
// The outcome of a verification as plain data, and the forms it is written in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/options.h"

namespace undis::lab {

/// One way in which a driver broke its contract.
struct Violation {
  std::string rule;  ///< the rule's id in spec/rules.csv
  std::string title;
  std::string severity = "error";  ///< "error", "warning" or "note"
  std::string text;                ///< one sentence: what was found and what was expected
  std::string driver;              ///< the service name
  std::string function;            ///< the function or callback concerned
  std::string object;              ///< its name and kind, not an address: "adapter nic"
  std::string holder;              ///< who holds what did not come back, or ""
  std::string suite;
  std::string schedule;                   ///< the schedule's text form
  std::vector<std::string> stack;         ///< "function (file.c:12) in passthru", innermost first
  std::vector<std::string> origin;        ///< where the object came from, same form
  std::vector<std::string> calls;         ///< the chain of calls between NDIS and drivers, outermost first
  std::vector<std::string> waiters;       ///< of a hang: who waits for what
  std::vector<std::string> trace;         ///< the last lines of the trace
  std::vector<std::string> interleaving;  ///< the same in columns, one a thread; empty if there was only one
  std::string found_schedule;             ///< the one that found it, before shrinking
  std::uint64_t found_after = 0;          ///< runs of the suite before it was found
  double found_seconds = 0;               ///< of real time in the suite
  std::uint64_t found_length = 0;         ///< departures from the default run in the schedule that found it
  std::uint64_t length = 0;               ///< and in `schedule`, after shrinking
  std::string page;                       ///< "ndis/nf-ndis-...", a path below the documentation's root
  std::string bugcheck;                   ///< what Windows would stop with, or ""
  std::string replay;                     ///< the command that shows it again
  std::string file;  ///< the source line to point at, or "": the innermost one of the driver
  std::uint32_t line = 0;
  std::uint64_t times = 1;  ///< how often it was seen; the rest of the fields tell of the first time
};

struct Suite {
  std::string name;
  std::string verdict;  ///< "pass", "fail" or "skipped"
  std::uint64_t runs = 0;
  std::uint64_t schedules = 0;    ///< different ones
  double seconds = 0;             ///< of real time
  std::string reason;             ///< why it was skipped
  std::uint64_t states = 0;       ///< different ones that its runs went through
  bool exhausted = false;         ///< every schedule that its strategy knows was run
  std::uint64_t faults_seen = 0;  ///< of a suite in which calls fail: different stacks of fallible calls ...
  std::uint64_t faults_failed = 0;    ///< ... and those of them that failed
  std::uint64_t faults_reported = 0;  ///< findings in runs with a failure
};

struct Report {
  std::string version;
  std::string verdict;  ///< "pass" or "fail"
  std::vector<std::string> drivers;
  std::vector<Suite> suites;
  std::vector<Violation> violations;
  double seconds = 0;
  std::string strategy;
  std::string seed;
  std::uint32_t shard = 0;
  std::uint32_t shards = 1;
};

/// "no violation", "2 violations, 1 note": what was found, notes apart from what drivers did wrong.
std::string count_of_findings(const Report& report);

/// The address of a documentation page:
/// "https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-..."; "" for "".
std::string page_address(const std::string& page);

std::string report_text(const Report& report, bool colored, bool quiet);
std::string report_json(const Report& report);
/// What report_json() wrote. Throws std::exception: it is none.
Report report_from_json(const std::string& text);
std::string report_junit(const Report& report);
std::string report_sarif(const Report& report);
std::string report_html(const Report& report);

/// Writes the files that the options ask for and the text to standard output. "" or why a file could not be
/// written.
std::string write_report(const Report& report, const VerifyOptions& options);

}  // namespace undis::lab
