// SPDX-License-Identifier: MIT
//
// Runs another program and waits for it: `undis cc` drives the host's compiler with it.
#pragma once

#include <string>
#include <vector>

namespace undis::cli {

/// What a finished program left behind.
struct Finished {
  int exit_code = 0;        ///< 127 when it could not be started, 128 + the signal when a signal ended it
  std::string diagnostics;  ///< all of its standard error, when it was captured
};

/// Where a program's standard error goes.
enum class Diagnostics { Through, Captured };

/// Runs `command` (searched in PATH) with messages in English (LC_ALL=C), so that what it says can be read by
/// a program too.
Finished run_program(const std::vector<std::string>& command, Diagnostics diagnostics);

/// The command as one could paste it into a shell.
std::string shell_line(const std::vector<std::string>& command);

/// A directory of our own under TMPDIR, removed with all it holds at the end of its life.
class TemporaryDirectory {
 public:
  /// Throws std::system_error when none can be made.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace undis::cli
