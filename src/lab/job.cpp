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
  for (std::uint32_t i = 0; i < stack.count; ++i)
    list.push_back(reinterpret_cast<std::uintptr_t>(stack.frames[i]));
  return list;
}

kernel::Stack stack_from(const json& list) {
  kernel::Stack stack;
  for (const json& address : list)
    if (stack.count < kernel::Stack::kDepth)
      stack.frames[stack.count++] =
          reinterpret_cast<void*>(address.get<std::uintptr_t>());  // NOLINT(performance-no-int-to-ptr)
  return stack;
}

json places(const std::vector<verifier::TracePlace>& list) {
  json out = json::array();
  for (const verifier::TracePlace& place : list) out.push_back({place.time, place.thread});
  return out;
}

json stacks(const std::vector<kernel::Stack>& list) {
  json out = json::array();
  for (const kernel::Stack& stack : list) out.push_back(addresses(stack));
  return out;
}

json to_json(const verifier::Violation& v) {
  return {{"waiter stacks", stacks(v.waiter_stacks)},
          {"rule", v.rule},
          {"driver", v.driver},
          {"function", v.function},
          {"object", v.object},
          {"holder", v.holder},
          {"text", v.text},
          {"calls", v.calls},
          {"waiters", v.waiters},
          {"trace", v.trace},
          {"places", places(v.places)},
          {"stack", addresses(v.stack)},
          {"origin", addresses(v.origin)}};
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
  for (const json& stack : j.at("waiter stacks")) v.waiter_stacks.push_back(stack_from(stack));
  for (const json& place : j.at("places")) v.places.push_back({place.at(0), place.at(1)});
  v.stack = stack_from(j.at("stack"));
  v.origin = stack_from(j.at("origin"));
  return v;
}

}  // namespace

JobResult run_job(const std::vector<loader::Image*>& images, const Play& suite,
                  const machine::Schedule& schedule, machine::Trail& trail, verifier::Evidence evidence) {
  JobResult result;
  result.suite = suite.name;
  result.schedule = schedule.text();
  auto owned = std::make_unique<Scene>(images, schedule, true, evidence, &trail);
  Scene& scene = *owned;
  const kernel::Outcome outcome = scene.world().run(suite.name, [&] { result.fits = suite.play(scene); });
  result.poisoned = outcome != kernel::Outcome::Idle;
  const verifier::Verifier& verifier = scene.world().verifier();
  result.trace_hash = verifier.trace_hash();
  result.switch_hash = scene.world().machine().switch_hash();
  result.violations = verifier.violations();
  if (evidence == verifier::Evidence::Whole) {
    result.trace = verifier.trace();
    result.places = verifier.trace_places();
  }
  trail.points = scene.world().machine().steps();
  // Where threads were left in the middle of something, nothing can be taken down in order: it goes with the
  // process.
  if (result.poisoned) static_cast<void>(owned.release());
  return result;
}

std::string to_line(const JobResult& result, const machine::Trail& trail, TrailPart part) {
  json j = {{"number", result.number},        {"suite", result.suite},
            {"schedule", result.schedule},    {"fits", result.fits},
            {"poisoned", result.poisoned},    {"hash", result.trace_hash},
            {"switches", result.switch_hash}, {"violations", json::array()}};
  for (const verifier::Violation& v : result.violations) j["violations"].push_back(to_json(v));
  if (!result.trace.empty()) {
    j["trace"] = result.trace;
    j["places"] = places(result.places);
  }
  if (part == TrailPart::Turns) {
    j["turns"] = json::array();
    for (const machine::Turn& turn : trail.turns) j["turns"].push_back({turn.strand, turn.point, turn.to});
    j["yes"] = trail.yes;
  }
  if (part == TrailPart::Faults) {
    j["fault points"] = trail.fault_points;
    j["faults"] = json::array();
    for (const machine::Trail::FaultPoint& point : trail.faults)
      j["faults"].push_back({point.number, point.place, point.failed});
  }
  // A driver's own text may be no UTF-8.
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

JobResult from_line(const std::string& line, machine::Trail& trail) {
  const json j = json::parse(line);
  JobResult result;
  result.number = j.at("number");
  result.suite = j.at("suite");
  result.schedule = j.at("schedule");
  result.fits = j.at("fits");
  result.poisoned = j.at("poisoned");
  result.trace_hash = j.at("hash");
  result.switch_hash = j.at("switches");
  for (const json& v : j.at("violations")) result.violations.push_back(violation_from(v));
  if (j.contains("trace")) {
    result.trace = j.at("trace").get<std::vector<std::string>>();
    for (const json& place : j.at("places")) result.places.push_back({place.at(0), place.at(1)});
  }
  trail.clear();
  if (j.contains("turns")) {
    for (const json& turn : j.at("turns")) trail.turns.push_back({turn.at(0), turn.at(1), turn.at(2)});
    trail.yes = j.at("yes").get<std::vector<std::uint32_t>>();
  }
  if (j.contains("faults")) {
    trail.fault_points = j.at("fault points");
    for (const json& point : j.at("faults")) trail.faults.push_back({point.at(0), point.at(1), point.at(2)});
  }
  return result;
}

}  // namespace undis::lab
