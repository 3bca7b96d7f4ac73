// SPDX-License-Identifier: MIT
//
// The SARIF 2.1.0 form, for code scanning (GitHub, Visual Studio Code, Azure DevOps).
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "lab/report.h"
#include "lab/symbols.h"
#include "undis/rule_table.h"

namespace undis::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "https://json.schemastore.org/sarif-2.1.0.json";

/// A path as a URI reference: relative as it is, absolute with file://.
std::string uri_of(const std::string& path) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

std::string level_of(const std::string& severity) {
  return severity == "warning" || severity == "note" ? severity : "error";
}

Json location(const std::string& file, std::uint32_t line) {
  return {{"physicalLocation",
           {{"artifactLocation", {{"uri", uri_of(file)}}}, {"region", {{"startLine", line}}}}}};
}

/// "PtUnload (passthru.c:120) in passthru": the words before the place.
std::string function_in(const std::string& stack_line) {
  return stack_line.substr(0, stack_line.find(" ("));
}

Json stack_of(const char* title, const std::vector<std::string>& lines) {
  Json frames = Json::array();
  for (const std::string& line : lines) {
    std::string file;
    std::uint32_t number = 0;
    Json where = source_of(line, file, number) ? location(file, number) : Json::object();
    where["message"] = {{"text", function_in(line)}};
    frames.push_back(Json{{"location", std::move(where)}});
  }
  return {{"message", {{"text", title}}}, {"frames", std::move(frames)}};
}

/// The rules that were broken, in the order in which they first occur, and where each stands in that list.
class Rules {
 public:
  std::size_t index_of(const Violation& violation) {
    const auto [entry, fresh] = indices_.emplace(violation.rule, indices_.size());
    if (fresh) list_.push_back(describe(violation));
    return entry->second;
  }
  Json take() { return std::move(list_); }

 private:
  static Json describe(const Violation& violation) {
    Json rule{{"id", violation.rule}, {"shortDescription", {{"text", violation.title}}}};
    const RuleInfo* row = find_rule(violation.rule);
    if (row != nullptr) rule["fullDescription"] = {{"text", row->says}};
    if (const std::string address = page_address(violation.page); !address.empty()) rule["helpUri"] = address;
    rule["defaultConfiguration"] = {{"level", level_of(row != nullptr ? row->severity : violation.severity)}};
    return rule;
  }

  std::map<std::string, std::size_t> indices_;
  Json list_ = Json::array();
};

Json result_of(const Violation& violation, std::size_t rule_index) {
  std::string file = violation.file;
  std::uint32_t line = violation.line;
  if (file.empty()) {
    for (const std::string& frame : violation.stack) {
      if (source_of(frame, file, line)) break;
    }
  }
  Json where = file.empty() || line == 0 ? Json::object() : location(file, line);
  where["logicalLocations"] =
      Json::array({Json{{"name", violation.function},
                        {"fullyQualifiedName", violation.driver + "::" + violation.function},
                        {"kind", "function"}}});
  const std::string text = violation.text.empty() ? violation.title : violation.text;
  Json result{{"ruleId", violation.rule},
              {"ruleIndex", rule_index},
              {"level", level_of(violation.severity)},
              {"message", {{"text", text}}},
              {"locations", Json::array({std::move(where)})},
              {"occurrenceCount", violation.times}};
  Json stacks = Json::array();
  if (!violation.stack.empty()) stacks.push_back(stack_of("where it happened", violation.stack));
  if (!violation.origin.empty()) stacks.push_back(stack_of("where the object comes from", violation.origin));
  if (!stacks.empty()) result["stacks"] = std::move(stacks);
  result["partialFingerprints"] = {{"undis/v1", fmt::format("{}/{}/{}/{}", violation.rule, violation.driver,
                                                            violation.function, violation.object)}};
  result["properties"] = {{"driver", violation.driver},     {"object", violation.object},
                          {"holder", violation.holder},     {"suite", violation.suite},
                          {"schedule", violation.schedule}, {"bugcheck", violation.bugcheck},
                          {"replay", violation.replay},     {"trace", violation.trace}};
  return result;
}

}  // namespace

std::string report_sarif(const Report& report) {
  Rules rules;
  Json results = Json::array();
  for (const Violation& violation : report.violations)
    results.push_back(result_of(violation, rules.index_of(violation)));
  const Json run{
      {"tool", {{"driver", {{"name", "undis"}, {"version", report.version}, {"rules", rules.take()}}}}},
      {"invocations", Json::array({Json{{"executionSuccessful", true}}})},
      {"results", std::move(results)}};
  const Json whole{{"$schema", kSchema}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace undis::lab
