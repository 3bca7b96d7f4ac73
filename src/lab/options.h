// SPDX-License-Identifier: MIT
//
// What `undis verify` and `undis run` were asked for, and the two calls that do it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel/watch.h"

namespace undis::lab {

enum class Color : std::uint8_t {
  Auto,
  Always,
  Never
};  ///< Auto: colours on a terminal, unless NO_COLOR is set

/// Exit codes of the command.
inline constexpr int kClean = 0;  ///< no violation
inline constexpr int kViolations = 1;
inline constexpr int kUsage = 2;  ///< wrong usage, or what was to be loaded cannot be

/// What a world's virtual processors are: fibers in virtual time, or threads in real time.
enum class Engine : std::uint8_t { Simulated, Threaded };

struct VerifyOptions {
  std::vector<std::string> images;  ///< driver images, in the order in which they are loaded
  std::vector<std::string>
      infs;  ///< INFs by which they are installed: each of the image of its name, or of the only image
  std::vector<std::string> suites;  ///< names, or the part before a dot: "lifecycle"; empty: all
  std::uint64_t schedules = 0;  ///< how many schedules a suite is run with; 0: as many as the budget allows
  std::string seed = "0";       ///< hex; where random schedules begin
  std::string strategy = "mixed";  ///< a name of machine::Strategy; suites of failing calls have their own
  std::uint32_t bound = 2;         ///< exhaustive: departures from the default run
  std::uint32_t depth = 3;         ///< pct
  std::uint32_t processors = 2;    ///< virtual ones, 1 to 64
  std::uint32_t shard = 0;         ///< this run takes part `shard` (from 0) of `shards` of every search
  std::uint32_t shards = 1;
  bool fault_pairs = false;                  ///< each two fallible calls fail together as well
  bool shrink = true;                        ///< the schedule of a finding is made as short as can be
  std::chrono::milliseconds budget{10'000};  ///< of real time, for all suites together
  std::string replay_suite;  ///< with replay_schedule: only this suite, only this schedule; empty: none
  std::string replay_schedule;
  std::string json;  ///< files to write; empty: none, "-": standard output
  std::string junit;
  std::string sarif;
  std::string html;
  Color color = Color::Auto;
  bool quiet = false;        ///< the verdict alone
  bool progress = false;     ///< a progress line on standard error though that is no terminal
  bool list_suites = false;  ///< name the suites and stop
};

struct RunOptions {
  std::string lab;  ///< the TOML file that says which drivers, adapters and wires there are
  std::string in;   ///< a capture to send through; replaces the lab file's
  std::string out;
  std::string seed = "0";
  Engine engine = Engine::Simulated;
  kernel::Watch watch = kernel::Watch::All;
  Color color = Color::Auto;
  bool quiet = false;
};

struct MergeOptions {
  std::vector<std::string> reports;  ///< JSON reports of the parts of one search
  VerifyOptions output;              ///< the files to write, colour, quiet
};

/// Returns an exit code. Writes the report to standard output, complaints and progress to standard error.
int verify(const VerifyOptions& options);
int run(const RunOptions& options);
int merge(const MergeOptions& options);

}  // namespace undis::lab
