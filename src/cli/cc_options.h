// SPDX-License-Identifier: MIT
//
// The command line of `undis cc`: gcc's words, sorted by the step they belong to.
#pragma once

#include <string>
#include <vector>

namespace undis::cli {

enum class CcGoal { Link, Object, Assembly, Preprocess, SyntaxOnly };
enum class Language { C, Cxx, Assembler };

struct CcSource {
  std::string path;
  Language language;
};

struct CcOptions {
  CcGoal goal = CcGoal::Link;
  std::vector<CcSource> sources;
  std::string output;                     ///< -o; empty: by the first source's name
  std::string compiler;                   ///< --compiler, else $UNDIS_CC, else gcc
  std::vector<std::string> preprocessor;  ///< -I -D -U -include ...: for the first step alone
  std::vector<std::string> common;        ///< -O -g -f -W -m ...: for every step
  std::vector<std::string> link;          ///< objects, archives, -l -L -Wl, in their order
  std::vector<std::string> quote_dirs;    ///< -iquote: searched for "x.h"
  std::vector<std::string> include_dirs;  ///< -I, -isystem, -idirafter
  std::vector<std::string>
      wpp_functions;          ///< --wpp-func: names of trace functions that the .tmh files define
  bool dependencies = false;  ///< -MD or -MMD
  bool dependencies_without_system = false;     ///< -MMD
  bool dependencies_phony = false;              ///< -MP
  std::string dependency_file;                  ///< -MF
  std::vector<std::string> dependency_targets;  ///< -MT and -MQ, with the flag
  bool has_c_standard = false;
  bool has_cxx_standard = false;
  bool memory = false;  ///< --memory: the code tells of each read and write
  bool dry_run = false;
  bool verbose = false;
  bool print_flags = false;
  bool help = false;

  bool defines(const std::string& macro) const;  ///< whether -D or -U of this macro is among the words
};

/// Throws UsageError.
CcOptions parse_cc_options(const std::vector<std::string>& arguments);

/// The text of `undis cc --help`.
extern const char* const kCcHelp;

}  // namespace undis::cli
