// SPDX-License-Identifier: MIT
//
// The verifier: hears everything that the kernel slice and NDIS tell, keeps the trace, and lets the rules judge.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ndis/observer.h"
#include "verifier/violation.h"

namespace undis::verifier {

class Verifier;

/// A family of rules: an Observer that turns some facts into violations.
class Family : public Observer {
 public:
  explicit Family(Verifier& verifier) : verifier_(verifier) {}

 protected:
  Verifier& verifier() noexcept { return verifier_; }
  /// Reports `violation` (rule, driver, function, object, text, stacks); the verifier adds calls and trace.
  void report(Violation violation);

 private:
  Verifier& verifier_;
};

class Verifier final : public Observer {
 public:
  /// `trace_lines`: how many last lines of the trace a violation carries. `record`: keep the whole trace.
  explicit Verifier(std::size_t trace_lines = 24, bool record = false);
  ~Verifier() override;

  const std::vector<Violation>& violations() const noexcept { return violations_; }
  /// "driver: rule", in order: what tests compare. Rules that are mere notes are in note_lines().
  std::vector<std::string> violation_lines() const { return lines(false); }
  std::vector<std::string> note_lines() const { return lines(true); }
  /// The recorded trace, or its tail.
  std::vector<std::string> trace() const { return {trace_.begin(), trace_.end()}; }
  /// Of each line of trace().
  std::vector<TracePlace> trace_places() const { return places_from(0); }
  void trace_line(std::string line);
  /// A hash of every trace line so far: equal for equal runs.
  std::uint64_t trace_hash() const noexcept { return hash_; }

  // ---- Observer: each fact is traced and handed to every family ----
  void on(const kernel::MisuseEvent& e) override;
  void on(const kernel::HangEvent& e) override;
  void on(const kernel::BugCheckEvent& e) override;
  void on(const kernel::CrashEvent& e) override;
  void on_callback_enter(const kernel::CallbackEvent& e) override;
  void on_callback_leave(const kernel::CallbackEvent& e) override;
  void on_driver_phase(kernel::Driver& driver) override;
  void on_trace(std::string_view line) override;
  void on_fault(const char* what, kernel::Driver* driver) override;
  void on_ddi_enter(const kernel::CallFrame& frame) override;
  void on_ddi_leave(const kernel::CallFrame& frame) override;
  void on(const HandleMisuse& e) override;
  void on(const Registration& e) override;
  void on(const LeftBehind& e) override;
  void on(const WrongPlace& e) override;
  void on(const BadStatus& e) override;
  void on(const UnexpectedCompletion& e) override;
  void on(const NotClosed& e) override;
  void on(const InstanceOutlivesBinding& e) override;
  void on(const ShutdownFact& e) override;
  void on(const StateMove& e) override;
  void on(const ItemEvent& e) override;
  void on(const ItemMisuse& e) override;
  void on(const ItemsOut& e) override;
  void on(const Breach& e) override;
  void on(const FilterMisuse& e) override;

 private:
  friend class Family;
  void add(Violation violation);
  std::vector<std::string> lines(bool notes) const;
  std::vector<TracePlace> places_from(std::size_t first) const;
  template <class E>
  void tell(const E& e) {
    for (const auto& family : families_) family->on(e);
  }

  const std::size_t trace_lines_;
  const bool record_;
  std::vector<std::unique_ptr<Family>> families_;
  std::vector<Violation> violations_;
  /// Of a line of trace_: when, and which strand.
  struct Mark {
    std::uint64_t time;
    std::uint32_t strand;
  };
  std::deque<std::string> trace_;
  std::deque<Mark> marks_;
  std::vector<std::string> strands_;   // names by number, of those that were seen
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace undis::verifier
