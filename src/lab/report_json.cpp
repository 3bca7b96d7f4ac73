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
                              {"page", violation.page},
                              {"bugcheck", violation.bugcheck},
                              {"replay", violation.replay},
                              {"times", violation.times}});
  }
  const Json whole{{"undis", report.version},     {"verdict", report.verdict},
                   {"drivers", report.drivers},   {"seconds", report.seconds},
                   {"suites", std::move(suites)}, {"violations", std::move(violations)}};
  // What a driver prints need not be UTF-8.
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace undis::lab
