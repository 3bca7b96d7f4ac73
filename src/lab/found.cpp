// SPDX-License-Identifier: MIT
//
// Each try is a process of its own: what is looked for may be a crash.
#include "lab/found.h"

#include <algorithm>

#include "lab/worker.h"
#include "machine/shrink.h"

namespace undis::lab {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kTraceLines = 48;

std::size_t length_of(const machine::Trail& trail, const machine::Schedule& schedule) {
  return trail.turns.size() + trail.yes.size() + schedule.failures().size();
}

const verifier::Violation* find(const JobResult& result, const verifier::Violation& wanted) {
  const auto at = std::ranges::find_if(result.violations,
                                       [&](const verifier::Violation& v) { return same_finding(v, wanted); });
  return at == result.violations.end() ? nullptr : &*at;
}

}  // namespace

bool same_finding(const verifier::Violation& a, const verifier::Violation& b) {
  return a.rule == b.rule && a.driver == b.driver && a.function == b.function;
}

std::optional<Found> shrink_finding(const std::vector<loader::Image*>& images, const Play& suite,
                                    const std::string& text, const verifier::Violation& violation,
                                    std::chrono::milliseconds budget) {
  const auto until = Clock::now() + budget;
  const std::optional<machine::Schedule> schedule = machine::Schedule::parse(text);
  if (!schedule) return std::nullopt;
  machine::Trail first;
  const std::optional<JobResult> again =
      run_apart(images, suite, *schedule, first, verifier::Evidence::None, kPatience);
  if (!again || find(*again, violation) == nullptr) return std::nullopt;

  Found found;
  found.found_length = length_of(first, *schedule);
  machine::Schedule best = *schedule;
  const auto shows = [&](const machine::Schedule& candidate) {
    machine::Trail trail;
    const std::optional<JobResult> result =
        run_apart(images, suite, candidate, trail, verifier::Evidence::None, kPatience);
    return result && find(*result, violation) != nullptr;
  };
  if (const auto shrunk = machine::shrink(*schedule, first, shows, [&] { return Clock::now() < until; })) {
    best = shrunk->schedule;
    found.tried = shrunk->tried;
  }
  // Nothing left of it: it is the default run, by its own name.
  if (best.turns().empty() && best.answers().empty() && best.way() == machine::Schedule::Way::Given)
    best = machine::Schedule(0).with_failures(best.failures()).with_processors(best.processors());

  machine::Trail last;
  const std::optional<JobResult> shown =
      run_apart(images, suite, best, last, verifier::Evidence::Whole, kPatience);
  const verifier::Violation* const at = shown ? find(*shown, violation) : nullptr;
  if (at == nullptr) return std::nullopt;
  found.violation = *at;
  found.length = length_of(last, best);
  std::vector<std::string> names;
  for (const loader::Image* image : images) names.push_back(image->name());
  found.schedule = best.bound_to(machine::drivers_mark(names), machine::run_mark(shown->switch_hash));

  // More of the trace than a violation carries, now that it is worth it: up to where it was found.
  const std::size_t end = [&] {
    const std::string mark = "VIOLATION " + at->rule + " " + at->driver;
    for (std::size_t i = 0; i < shown->trace.size(); ++i)
      if (shown->trace[i].starts_with(mark)) return i + 1;
    return shown->trace.size();
  }();
  const std::size_t begin = end > kTraceLines ? end - kTraceLines : 0;
  found.violation.trace.assign(shown->trace.begin() + static_cast<std::ptrdiff_t>(begin),
                               shown->trace.begin() + static_cast<std::ptrdiff_t>(end));
  found.violation.places.assign(shown->places.begin() + static_cast<std::ptrdiff_t>(begin),
                                shown->places.begin() + static_cast<std::ptrdiff_t>(end));
  return found;
}

}  // namespace undis::lab
