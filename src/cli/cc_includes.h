// SPDX-License-Identifier: MIT
//
// Makes the includes of Windows sources findable on a file system that minds case, and makes the files that
// WPP would make.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace undis::cli {

/// Reads a driver's sources for #include lines whose file is not there as it is spelled, and writes into
/// `directory`
/// - a forwarding header for each that is there in another case or with slashes instead of backslashes,
/// - a header of empty trace macros for each .tmh file (which the WPP preprocessor makes on Windows).
/// `directory` is then given to the compiler as the last -I.
class IncludeHelp {
 public:
  struct Search {
    std::vector<std::string> quote_dirs;    ///< for "x.h", after the includer's own directory
    std::vector<std::string> include_dirs;  ///< the driver's
    std::string wdk;
    std::vector<std::string> wpp_functions;  ///< trace functions named on the command line
  };

  IncludeHelp(Search search, std::filesystem::path directory);

  /// Reads `source` and what it includes, but for undis' own and the host's headers.
  void scan(const std::filesystem::path& source);

  /// The -I to give; below `directory`, deep enough that "../../x.h" stays inside.
  const std::filesystem::path& include_dir() const noexcept { return include_dir_; }

  /// Sentences about includes that cannot be helped: headers that another tool makes, and ambiguous names.
  const std::vector<std::string>& hints() const noexcept { return hints_; }

 private:
  std::filesystem::path find(const std::string& name, bool quoted,
                             const std::filesystem::path& includer) const;
  void forward(const std::string& name, bool quoted, const std::filesystem::path& includer);
  void write(const std::string& name, const std::string& text);
  bool is_ours(const std::filesystem::path& file) const;
  void make_trace_headers();

  Search search_;
  std::filesystem::path include_dir_;
  std::set<std::string> scanned_;
  std::map<std::string, std::string> forwarded_;
  std::set<std::string> trace_headers_;
  std::set<std::string> trace_functions_;
  std::vector<std::string> hints_;
};

}  // namespace undis::cli
