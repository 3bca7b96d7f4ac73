// SPDX-License-Identifier: MIT
//
// A forwarding header, not a link: what a header includes in quotes is looked for beside the header itself,
// so the compiler has to open it where it really is.
#include "cli/cc_includes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>
#include <string_view>

namespace fs = std::filesystem;

namespace undis::cli {
namespace {

constexpr int kDepth = 8;  // how many ".." an include may begin with and still lie in our directory
constexpr const char* kHostHeaders = "/usr/include";

bool same_but_for_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_file(const fs::path& path) {
  std::error_code none;
  return fs::is_regular_file(path, none);
}

std::string with_slashes(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  return name;
}

/// `name` below `directory`, each part of it in whatever case it is there; empty: it is not.
fs::path find_in_any_case(const fs::path& directory, const fs::path& name) {
  fs::path at = directory;
  for (const fs::path& part : name) {
    std::error_code error;
    if (part == "." || part == ".." || fs::exists(at / part, error)) {
      at /= part;
      continue;
    }
    std::vector<fs::path> matches;
    for (const auto& entry : fs::directory_iterator(at, error)) {
      if (same_but_for_case(entry.path().filename().native(), part.native())) matches.push_back(entry.path());
    }
    if (matches.empty()) return {};
    at = *std::min_element(matches.begin(), matches.end());  // not what the file system happens to name first
  }
  return is_file(at) ? at : fs::path();
}

struct Include {
  std::string name;
  bool quoted = false;
};

std::optional<Include> parse_include(std::string_view line) {
  const auto skip_blanks = [&] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const bool quoted = line[0] == '"';
  const std::size_t end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{std::string(line.substr(1, end - 1)), quoted};
}

/// "FUNC DoTraceLevelMessage(LEVEL, FLAGS, MSG, ...);" inside a "begin_wpp config" comment: the function's
/// name.
std::optional<std::string> parse_trace_function(std::string_view line) {
  const std::size_t word = line.find("FUNC ");
  if (word == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(word + 5);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const std::size_t end = rest.find_first_of("({ \t;");
  const std::string name(rest.substr(0, end));
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return std::nullopt;
  const bool plain =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  return plain ? std::optional(name) : std::nullopt;
}

}  // namespace

IncludeHelp::IncludeHelp(Search search, fs::path directory)
    : search_(std::move(search)), include_dir_(std::move(directory)) {
  for (int i = 0; i < kDepth; ++i) include_dir_ /= "i";
  fs::create_directories(include_dir_);
  trace_functions_ = {"DoTraceMessage", "DoTraceLevelMessage", "TraceEvents", "DoDebugTrace"};
  trace_functions_.insert(search_.wpp_functions.begin(), search_.wpp_functions.end());
}

bool IncludeHelp::is_ours(const fs::path& file) const {
  const auto below = [&](const fs::path& directory) {
    const fs::path relative = file.lexically_normal().lexically_relative(directory.lexically_normal());
    return !relative.empty() && *relative.begin() != "..";
  };
  return below(search_.wdk) || below(kHostHeaders);
}

fs::path IncludeHelp::find(const std::string& name, bool quoted, const fs::path& includer) const {
  std::vector<fs::path> directories;
  if (quoted) {
    directories.push_back(includer.parent_path());
    directories.insert(directories.end(), search_.quote_dirs.begin(), search_.quote_dirs.end());
  }
  directories.insert(directories.end(), search_.include_dirs.begin(), search_.include_dirs.end());
  directories.emplace_back(search_.wdk);
  directories.emplace_back(kHostHeaders);
  for (fs::path& directory : directories) {
    if (directory.empty()) directory = ".";
  }

  for (const fs::path& directory : directories) {
    if (is_file(directory / name)) return directory / name;
  }
  const std::string slashes = with_slashes(name);
  for (const fs::path& directory : directories) {
    if (fs::path found = find_in_any_case(directory, slashes); !found.empty()) return found;
  }
  return {};
}

void IncludeHelp::write(const std::string& name, const std::string& text) {
  const fs::path file = (include_dir_ / name).lexically_normal();
  const fs::path relative = file.lexically_relative(include_dir_.parent_path());
  std::error_code error;
  if (relative.empty() || fs::exists(file, error)) return;
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

void IncludeHelp::forward(const std::string& name, bool quoted, const fs::path& includer) {
  const fs::path found = find(name, quoted, includer);
  const fs::path wanted(name);
  if (found.empty()) {
    std::string stem = wanted.stem().string();
    if (same_but_for_case(wanted.extension().native(), ".tmh")) {
      trace_headers_.insert({name, with_slashes(name)});
    } else if (const fs::path source = find(stem + ".mc", quoted, includer); !source.empty()) {
      hints_.push_back(fmt::format(
          "{} is made by the message compiler from {}: run `windmc {}` (binutils-mingw-w64) first", name,
          source.string(), source.string()));
    } else if (const fs::path idl = find(stem + ".idl", quoted, includer); !idl.empty()) {
      hints_.push_back(fmt::format("{} is made by an IDL compiler from {}", name, idl.string()));
    }
    return;
  }
  const std::string target = fs::absolute(found).lexically_normal().string();
  const bool spelled_as_is = found.native().ends_with("/" + name) || found == wanted;
  if (!spelled_as_is) {
    const auto [known, fresh] = forwarded_.emplace(name, target);
    if (fresh) {
      const fs::path in_wdk =
          fs::path(target).lexically_relative(fs::absolute(search_.wdk).lexically_normal());
      const bool ours = !in_wdk.empty() && *in_wdk.begin() != "..";
      const std::string text =
          ours ? fmt::format("#include <{}>\n", in_wdk.string()) : fmt::format("#include \"{}\"\n", target);
      write(name, text);
      if (const std::string slashes = with_slashes(name); slashes != name)
        write(slashes, text);  // clang turns them itself
    } else if (known->second != target) {
      hints_.push_back(
          fmt::format("the include of {} in {} is ambiguous: {} or {}; spell it as the file is spelled", name,
                      includer.string(), known->second, target));
    }
  }
  if (!is_ours(found)) scan(found);
}

void IncludeHelp::scan(const fs::path& source) {
  if (!scanned_.insert(fs::absolute(source).lexically_normal().string()).second) return;
  std::ifstream file(source);
  bool in_wpp_config = false;
  for (std::string line; std::getline(file, line);) {
    if (const auto include = parse_include(line)) forward(include->name, include->quoted, source);
    if (line.find("begin_wpp") != std::string::npos) in_wpp_config = true;
    if (line.find("end_wpp") != std::string::npos) in_wpp_config = false;
    if (!in_wpp_config) continue;
    if (const auto function = parse_trace_function(line)) trace_functions_.insert(*function);
  }
  make_trace_headers();
}

void IncludeHelp::make_trace_headers() {
  if (trace_headers_.empty()) return;
  std::string text =
      "/* Made by undis cc in place of the WPP preprocessor: every trace function does nothing. */\n"
      "#undef WPP_INIT_TRACING\n#define WPP_INIT_TRACING(...) ((void)0)\n"
      "#undef WPP_CLEANUP\n#define WPP_CLEANUP(...) ((void)0)\n"
      "#undef WPP_LEVEL_ENABLED\n#define WPP_LEVEL_ENABLED(...) 0\n"
      "#undef WPP_FLAG_ENABLED\n#define WPP_FLAG_ENABLED(...) 0\n"
      "#undef WPP_FLAGS_LEVEL_ENABLED\n#define WPP_FLAGS_LEVEL_ENABLED(...) 0\n"
      "#undef WPP_LEVEL_FLAGS_ENABLED\n#define WPP_LEVEL_FLAGS_ENABLED(...) 0\n";
  for (const std::string& function : trace_functions_) {
    text += fmt::format("#ifndef {0}\n#define {0}(...) ((void)0)\n#endif\n", function);
  }
  for (const std::string& name : trace_headers_) {
    const fs::path file = (include_dir_ / name).lexically_normal();
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;  // again when a later file has named more trace functions
  }
}

}  // namespace undis::cli
