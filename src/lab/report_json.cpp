// SPDX-License-Identifier: MIT
//
// The JSON form: what scripts read. Keys are added, never renamed.
#include <nlohmann/json.hpp>

#include "lab/report.h"

namespace undis::lab {

std::string report_json(const Report& report) {
  using Json = nlohmann::ordered_json;
  Json suites = Json::array();
  for (const Suite& suite : report.suites) {
    Json entry{{"name", suite.name},
               {"verdict", suite.verdict},
               {"runs", suite.runs},
               {"schedules", suite.schedules},
               {"seconds", suite.seconds}};
    entry["states"] = suite.states;
    entry["exhausted"] = suite.exhausted;
    if (suite.faults_seen != 0)
      entry["faults"] = {
          {"seen", suite.faults_seen}, {"failed", suite.faults_failed}, {"reported", suite.faults_reported}};
    if (!suite.reason.empty()) entry["reason"] = suite.reason;
    suites.push_back(std::move(entry));
  }
  Json violations = Json::array();
  for (const Violation& violation : report.violations) {
    violations.push_back(Json{{"rule", violation.rule},
                              {"title", violation.title},
                              {"severity", violation.severity},
                              {"text", violation.text},
                              {"driver", violation.driver},
                              {"function", violation.function},
                              {"object", violation.object},
                              {"holder", violation.holder},
                              {"suite", violation.suite},
                              {"schedule", violation.schedule},
                              {"stack", violation.stack},
                              {"origin", violation.origin},
                              {"calls", violation.calls},
                              {"waiters", violation.waiters},
                              {"trace", violation.trace},
                              {"interleaving", violation.interleaving},
                              {"found_schedule", violation.found_schedule},
                              {"found_after", violation.found_after},
                              {"found_seconds", violation.found_seconds},
                              {"found_length", violation.found_length},
                              {"length", violation.length},
                              {"page", violation.page},
                              {"bugcheck", violation.bugcheck},
                              {"replay", violation.replay},
                              {"times", violation.times}});
  }
  const Json whole{{"undis", report.version},     {"verdict", report.verdict},
                   {"drivers", report.drivers},   {"seconds", report.seconds},
                   {"strategy", report.strategy}, {"seed", report.seed},
                   {"shard", report.shard},       {"shards", report.shards},
                   {"suites", std::move(suites)}, {"violations", std::move(violations)}};
  // What a driver prints need not be UTF-8.
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Report report_from_json(const std::string& text) {
  using Json = nlohmann::json;
  const Json whole = Json::parse(text);
  Report report;
  report.version = whole.at("undis");
  report.verdict = whole.at("verdict");
  report.drivers = whole.at("drivers").get<std::vector<std::string>>();
  report.seconds = whole.at("seconds");
  report.strategy = whole.at("strategy");
  report.seed = whole.at("seed");
  report.shard = whole.at("shard");
  report.shards = whole.at("shards");
  for (const Json& entry : whole.at("suites")) {
    Suite suite;
    suite.name = entry.at("name");
    suite.verdict = entry.at("verdict");
    suite.runs = entry.at("runs");
    suite.schedules = entry.at("schedules");
    suite.seconds = entry.at("seconds");
    suite.states = entry.at("states");
    suite.exhausted = entry.at("exhausted");
    suite.reason = entry.value("reason", "");
    if (entry.contains("faults")) {
      suite.faults_seen = entry.at("faults").at("seen");
      suite.faults_failed = entry.at("faults").at("failed");
      suite.faults_reported = entry.at("faults").at("reported");
    }
    report.suites.push_back(std::move(suite));
  }
  for (const Json& entry : whole.at("violations")) {
    Violation v;
    const auto text_of = [&entry](const char* key) { return entry.at(key).get<std::string>(); };
    const auto lines_of = [&entry](const char* key) { return entry.at(key).get<std::vector<std::string>>(); };
    v.rule = text_of("rule");
    v.title = text_of("title");
    v.severity = text_of("severity");
    v.text = text_of("text");
    v.driver = text_of("driver");
    v.function = text_of("function");
    v.object = text_of("object");
    v.holder = text_of("holder");
    v.suite = text_of("suite");
    v.schedule = text_of("schedule");
    v.stack = lines_of("stack");
    v.origin = lines_of("origin");
    v.calls = lines_of("calls");
    v.waiters = lines_of("waiters");
    v.trace = lines_of("trace");
    v.interleaving = lines_of("interleaving");
    v.page = text_of("page");
    v.bugcheck = text_of("bugcheck");
    v.replay = text_of("replay");
    v.times = entry.at("times");
    v.found_schedule = text_of("found_schedule");
    v.found_after = entry.at("found_after");
    v.found_seconds = entry.at("found_seconds");
    v.found_length = entry.at("found_length");
    v.length = entry.at("length");
    report.violations.push_back(std::move(v));
  }
  return report;
}

}  // namespace undis::lab
