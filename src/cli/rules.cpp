// SPDX-License-Identifier: MIT
//
// The table is generated from spec/rules.csv.
#include "cli/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "lab/options.h"
#include "lab/report.h"
#include "undis/rule_table.h"

namespace undis::cli {
namespace {

bool holds(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }) !=
         text.end();
}

void print_row(const char* name, std::string_view value) {
  if (!value.empty()) fmt::print("  {:<9} {}\n", name, value);
}

void print_rule(const RuleInfo& rule) {
  const std::string_view version = rule.version;
  fmt::print("{}: {}\n", rule.id, rule.title);
  print_row("says", rule.says);
  print_row("seen by", rule.seen_by);
  print_row("severity", rule.severity);
  print_row("about", rule.function);
  print_row("NDIS", version == "both" ? "5.x and 6.x" : fmt::format("{}.x", version));
  print_row("Windows", *rule.bugcheck != '\0' ? fmt::format("bug check {}", rule.bugcheck) : "");
  print_row("page", lab::page_address(rule.page));
}

}  // namespace

int rules(const std::string& wanted) {
  if (const RuleInfo* rule = find_rule(wanted)) {
    print_rule(*rule);
    return lab::kClean;
  }
  std::vector<const RuleInfo*> shown;
  std::size_t width = 0;
  for (const RuleInfo& rule : all_rules()) {
    if (!holds(rule.id, wanted) && !holds(rule.title, wanted) && !holds(rule.function, wanted)) continue;
    shown.push_back(&rule);
    width = std::max(width, std::string_view(rule.id).size());
  }
  if (shown.empty()) {
    fmt::print(stderr,
               "undis rules: {}: no rule has this in its name, title or function; `undis rules` lists all\n",
               wanted);
    return lab::kUsage;
  }
  if (shown.size() == 1) {
    print_rule(*shown.front());
    return lab::kClean;
  }
  for (const RuleInfo* rule : shown) fmt::print("{:<{}}  {}\n", rule->id, width, rule->title);
  return lab::kClean;
}

}  // namespace undis::cli
