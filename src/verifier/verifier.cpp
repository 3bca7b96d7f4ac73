// SPDX-License-Identifier: MIT
//
// Hearing, tracing, handing on.
#include "verifier/verifier.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "kernel/system.h"
#include "kernel/thread.h"
#include "undis/rule_table.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

std::string driver_name(const kernel::Driver* driver) {
  return driver == nullptr ? "host" : driver->name();
}

/// The chain of calls of this thread, outermost first: "NDIS -> passthru ProtocolUnbindAdapter ->
/// NdisDeregisterProtocol".
std::vector<std::string> chain_of_calls() {
  std::vector<std::string> chain;
  const kernel::Thread* const thread = kernel::Thread::current_or_null();
  for (const kernel::CallFrame* frame = thread == nullptr ? nullptr : thread->calls; frame != nullptr;
       frame = frame->up) {
    if (frame->kind == kernel::CallFrame::Kind::Outside) break;
    const bool callback = frame->kind == kernel::CallFrame::Kind::Callback;
    chain.push_back(callback ? fmt::format("{}!{}", driver_name(frame->driver), frame->name)
                             : std::string(frame->name));
  }
  std::ranges::reverse(chain);
  return chain;
}

}  // namespace

void Family::report(Violation violation) {
  verifier_.add(std::move(violation));
}

namespace {

std::vector<std::unique_ptr<Family>> all_families(Verifier& verifier) {
  std::vector<std::unique_ptr<Family>> families;
  for (const auto make : {&registration_rules, &place_rules, &binding_rules, &item_rules, &kernel_rules,
                          &breach_rules, &ndis5_rules})
    families.push_back(make(verifier));
  return families;
}

}  // namespace

Verifier::Verifier(std::size_t trace_lines, Evidence evidence, std::size_t processors)
    : trace_lines_(trace_lines), families_(all_families(*this)),
      hear_callback_enter_(who_wants(Family::kCallbackEnter)),
      hear_callback_leave_(who_wants(Family::kCallbackLeave)), hear_ddi_enter_(who_wants(Family::kDdiEnter)),
      hear_ddi_leave_(who_wants(Family::kDdiLeave)), hear_items_(who_wants(Family::kItems)),
      trace_(evidence == Evidence::None   ? 0
             : evidence == Evidence::Tail ? trace_lines * 4
                                          : Trace::kAll,
             processors) {}

Verifier::~Verifier() = default;

Verifier::Families Verifier::who_wants(Family::Often fact) const {
  Families found;
  for (const auto& family : families_)
    if (family->wants(fact)) found.push_back(family.get());
  return found;
}

/// The same finding again, of the same driver at the same place, says nothing new.
bool Verifier::is_known(const Violation& violation) const {
  return std::ranges::any_of(violations_, [&violation](const Violation& other) {
    return other.rule == violation.rule && other.driver == violation.driver &&
           other.function == violation.function && other.object == violation.object;
  });
}

void Verifier::add(Violation violation) {
  trace_.add({"VIOLATION ", violation.rule, " ", violation.driver, ": ", violation.text});
  const kernel::Hold hold(lock_);
  if (is_known(violation)) return;
  if (violation.calls.empty()) violation.calls = chain_of_calls();
  for (Trace::Line& line : trace_.last(trace_lines_)) {
    violation.trace.push_back(std::move(line.text));
    violation.places.push_back(std::move(line.place));
  }
  violations_.push_back(std::move(violation));
}

std::vector<std::string> Verifier::lines(bool notes) const {
  const kernel::Hold hold(lock_);
  std::vector<std::string> found;
  for (const Violation& v : violations_) {
    const RuleInfo* const rule = find_rule(v.rule);
    if ((rule != nullptr && std::string_view(rule->severity) == "note") == notes)
      found.push_back(fmt::format("{}: {}", v.driver, v.rule));
  }
  return found;
}

std::vector<std::string> Verifier::trace() const {
  std::vector<std::string> texts;
  for (Trace::Line& line : trace_.lines()) texts.push_back(std::move(line.text));
  return texts;
}

std::vector<TracePlace> Verifier::trace_places() const {
  std::vector<TracePlace> places;
  for (Trace::Line& line : trace_.lines()) places.push_back(std::move(line.place));
  return places;
}

// ---- facts ----

void Verifier::on(const kernel::MisuseEvent& e) {
  tell(e);
}
void Verifier::on(const kernel::HangEvent& e) {
  tell(e);
}
void Verifier::on(const kernel::BugCheckEvent& e) {
  tell(e);
}
void Verifier::on(const kernel::CrashEvent& e) {
  tell(e);
}

void Verifier::on_callback_enter(const kernel::CallbackEvent& e) {
  trace_.add(Trace::Kind::Enter, e.frame.driver, e.frame.name);
  for (Family* const family : hear_callback_enter_) family->on_callback_enter(e);
}

void Verifier::on_callback_leave(const kernel::CallbackEvent& e) {
  trace_.add(Trace::Kind::Leave, e.frame.driver, e.frame.name);
  for (Family* const family : hear_callback_leave_) family->on_callback_leave(e);
}

void Verifier::on_driver_phase(kernel::Driver& driver) {
  static constexpr const char* kPhases[] = {"created",   "in DriverEntry", "loaded",
                                            "unloading", "unloaded",       "failed to load"};
  trace_.add({driver.name(), " is ", kPhases[static_cast<std::size_t>(driver.phase())]});
  for (const auto& family : families_) family->on_driver_phase(driver);
}

void Verifier::on_trace(std::string_view line) {
  trace_line(line);
}

void Verifier::on_fault(const char* what, kernel::Driver* driver) {
  trace_.add({what, " is made to fail for ", driver_name(driver)});
  for (const auto& family : families_) family->on_fault(what, driver);
}

void Verifier::on_ddi_enter(const kernel::CallFrame& frame) {
  trace_.add(Trace::Kind::Call, frame.driver, frame.name);
  for (Family* const family : hear_ddi_enter_) family->on_ddi_enter(frame);
}

void Verifier::on_ddi_leave(const kernel::CallFrame& frame) {
  for (Family* const family : hear_ddi_leave_) family->on_ddi_leave(frame);
}

void Verifier::on(const HandleMisuse& e) {
  tell(e);
}
void Verifier::on(const Registration& e) {
  static constexpr const char* kWhat[] = {"made", "refused", "undone"};
  trace_.add(
      {to_text(e.kind), " ", e.name, ": ", kWhat[static_cast<std::size_t>(e.what)], " by ", e.function});
  tell(e);
}
void Verifier::on(const LeftBehind& e) {
  tell(e);
}
void Verifier::on(const WrongPlace& e) {
  tell(e);
}
void Verifier::on(const BadStatus& e) {
  tell(e);
}
void Verifier::on(const UnexpectedCompletion& e) {
  tell(e);
}
void Verifier::on(const NotClosed& e) {
  tell(e);
}
void Verifier::on(const InstanceOutlivesBinding& e) {
  tell(e);
}
void Verifier::on(const ShutdownFact& e) {
  tell(e);
}

void Verifier::on(const StateMove& e) {
  if (e.to != nullptr) trace_.add({e.object, " ", e.event, ": ", e.from, " -> ", e.to});
  tell(e);
}

void Verifier::on(const ItemEvent& e) {
  for (Family* const family : hear_items_) family->on(e);
}
void Verifier::on(const ItemMisuse& e) {
  tell(e);
}
void Verifier::on(const ItemsOut& e) {
  tell(e);
}
void Verifier::on(const Breach& e) {
  tell(e);
}
void Verifier::on(const FilterMisuse& e) {
  tell(e);
}

}  // namespace undis::verifier
