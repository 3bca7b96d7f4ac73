// SPDX-License-Identifier: MIT
//
// All drivers define the same names, so an image exports its entry point alone; its other functions are found
// by debug information.
#include "cli/cc_link.h"

#include <map>

namespace undis::cli {
namespace {

template <class F>
void each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    f(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// The name between the quotes that follow `phrase`, or the rest of the line if there are none.
std::string_view name_after(std::string_view line, std::string_view phrase) {
  const std::size_t at = line.find(phrase);
  if (at == std::string_view::npos) return {};
  std::string_view name = line.substr(at + phrase.size());
  name = name.substr(name.find_first_not_of(" `'") == std::string_view::npos ? name.size()
                                                                             : name.find_first_not_of(" `'"));
  return name.substr(0, name.find_first_of("'\r"));
}

/// "/usr/bin/ld: /tmp/x.o: file.c:12: undefined ..." -> "file.c:12"; an object's "(.text+0x15)" is no place.
std::string place_before(std::string_view line) {
  line = line.substr(0, line.find(": undefined reference"));
  const std::size_t space = line.rfind(": ");
  if (space != std::string_view::npos) line.remove_prefix(space + 2);
  const std::size_t section = line.find(":(.");
  if (section != std::string_view::npos) line = line.substr(0, section);
  return std::string(line);
}

std::string_view missing_in(std::string_view line) {
  std::string_view name = name_after(line, "undefined reference to");
  if (name.empty()) name = name_after(line, "undefined symbol:");
  return name;
}

bool is_ballast(std::string_view line) {
  return line.find("in function `") != std::string_view::npos || line.starts_with(">>> ") ||
         line.find("more undefined references to") != std::string_view::npos ||
         line.find("ld returned 1 exit status") != std::string_view::npos ||
         line.find("linker command failed with exit code") != std::string_view::npos;
}

}  // namespace

std::vector<MissingFunction> missing_functions(std::string_view messages) {
  std::map<std::string, std::string> found;
  std::string last;  // lld tells the place in the line below
  each_line(messages, [&](std::string_view line) {
    if (const std::string_view name = missing_in(line); !name.empty()) {
      const bool gnu = line.find("undefined reference") != std::string_view::npos;
      found.emplace(std::string(name), gnu ? place_before(line) : std::string());
      last = gnu ? std::string() : std::string(name);
    } else if (!last.empty() && line.starts_with(">>> referenced by ")) {
      const std::string_view place = line.substr(std::string_view(">>> referenced by ").size());
      std::string& where = found[last];
      if (where.empty()) where = place.substr(0, place.find(' '));
    }
  });
  std::vector<MissingFunction> result;
  for (auto& [name, where] : found) result.push_back({name, where});
  return result;
}

std::string other_messages(std::string_view messages) {
  std::string rest;
  each_line(messages, [&](std::string_view line) {
    if (missing_in(line).empty() && !is_ballast(line)) rest.append(line).append("\n");
  });
  return rest;
}

std::string export_script() {
  return "{ global: DriverEntry; GsDriverEntry; local: *; };\n";
}

}  // namespace undis::cli
