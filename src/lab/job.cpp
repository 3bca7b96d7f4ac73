// SPDX-License-Identifier: MIT
//
// Running a suite once, and the form in which the outcome crosses to another process.
#include "lab/job.h"

#include <memory>

#include <nlohmann/json.hpp>

namespace undis::lab {
namespace {

using nlohmann::json;

json addresses(const kernel::Stack& stack) {
  json list = json::array();
  for (std::uint32_t i = 0; i < stack.count; ++i) list.push_back(reinterpret_cast<std::uintptr_t>(stack.frames[i]));
  return list;
}

kernel::Stack stack_from(const json& list) {
  kernel::Stack stack;
  for (const json& address : list)
    if (stack.count < kernel::Stack::kDepth) stack.frames[stack.count++] = reinterpret_cast<void*>(address.get<std::uintptr_t>());  // NOLINT(performance-no-int-to-ptr)
  return stack;
}

json to_json(const verifier::Violation& v) {
  return {{"rule", v.rule},       {"driver", v.driver},           {"function", v.function},         {"object", v.object}, {"holder", v.holder}, {"text", v.text},
          {"calls", v.calls},     {"waiters", v.waiters},         {"trace", v.trace},               {"stack", addresses(v.stack)}, {"origin", addresses(v.origin)}};
}

verifier::Violation violation_from(const json& j) {
  verifier::Violation v;
  v.rule = j.at("rule");
  v.driver = j.at("driver");
  v.function = j.at("function");
  v.object = j.at("object");
  v.holder = j.at("holder");
  v.text = j.at("text");
  v.calls = j.at("calls").get<std::vector<std::string>>();
  v.waiters = j.at("waiters").get<std::vector<std::string>>();
  v.trace = j.at("trace").get<std::vector<std::string>>();
  v.stack = stack_from(j.at("stack"));
  v.origin = stack_from(j.at("origin"));
  return v;
}

}  // namespace

JobResult run_job(const std::vector<loader::Image*>& images, const Play& suite, const machine::Schedule& schedule, bool record_trace) {
  JobResult result;
  result.suite = suite.name;
  result.schedule = schedule.text();
  auto owned = std::make_unique<Scene>(images, schedule, true, record_trace);
  Scene& scene = *owned;
  const kernel::Outcome outcome = scene.world().run(suite.name, [&] { result.fits = suite.play(scene); });
  result.poisoned = outcome != kernel::Outcome::Idle;
  result.faults = scene.world().simulated()->schedule().faults_seen();
  result.trace_hash = scene.world().verifier().trace_hash();
  result.violations = scene.world().verifier().violations();
  if (record_trace) result.trace = scene.world().verifier().trace();
  // Where threads were left in the middle of something, nothing can be taken down in order: it goes with the process.
  if (result.poisoned) static_cast<void>(owned.release());
  return result;
}

std::string to_line(const JobResult& result) {
  json j = {{"suite", result.suite}, {"schedule", result.schedule}, {"fits", result.fits}, {"poisoned", result.poisoned}, {"faults", result.faults},
            {"hash", result.trace_hash}, {"violations", json::array()}};
  for (const verifier::Violation& v : result.violations) j["violations"].push_back(to_json(v));
  // A driver's own text may be no UTF-8.
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

JobResult from_line(const std::string& line) {
  const json j = json::parse(line);
  JobResult result;
  result.suite = j.at("suite");
  result.schedule = j.at("schedule");
  result.fits = j.at("fits");
  result.poisoned = j.at("poisoned");
  result.faults = j.at("faults");
  result.trace_hash = j.at("hash");
  for (const json& v : j.at("violations")) result.violations.push_back(violation_from(v));
  return result;
}

}  // namespace undis::lab
