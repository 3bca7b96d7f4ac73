// SPDX-License-Identifier: MIT
//
// A build tree keeps a file undis.paths beside the executable (lines "wdk=..." and "library=..."). Installed,
// everything is found relative to bin/, so that the whole tree may be moved.
#include "cli/paths.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "cli/cc.h"

namespace fs = std::filesystem;

namespace undis::cli {
namespace {

#ifndef UNDIS_LIBDIR
#define UNDIS_LIBDIR "lib"
#endif

Paths read_paths_file(const fs::path& file) {
  Paths paths;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kWdk = "wdk=";
    constexpr std::string_view kLibrary = "library=";
    if (line.starts_with(kWdk)) paths.wdk = line.substr(kWdk.size());
    if (line.starts_with(kLibrary)) paths.library = line.substr(kLibrary.size());
  }
  return paths;
}

}  // namespace

Paths find_paths() {
  const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
  Paths paths;
  if (fs::exists(bin / "undis.paths")) {
    paths = read_paths_file(bin / "undis.paths");
  } else {
    const fs::path prefix = bin.parent_path();
    paths.wdk = (prefix / "include/undis/wdk").string();
    for (const char* library_dir : {UNDIS_LIBDIR, "lib", "lib64"}) {
      paths.library = (prefix / library_dir / "libundis.so").string();
      if (fs::exists(paths.library)) break;
    }
  }
  if (!fs::exists(fs::path(paths.wdk) / "undis_prelude.h")) {
    throw UsageError(
        fmt::format("undis' driver headers are not at {}: the installation of {} is not complete", paths.wdk,
                    bin.string()));
  }
  return paths;
}

}  // namespace undis::cli
