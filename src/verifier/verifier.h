// SPDX-License-Identifier: MIT
//
// The verifier: hears everything that the kernel slice and NDIS tell, keeps the trace, and lets the rules
// judge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ndis/observer.h"
#include "verifier/trace.h"
#include "verifier/violation.h"

namespace undis::verifier {

class Verifier;

/// A family of rules: an Observer that turns some facts into violations. What it remembers it guards by
/// itself: with real threads, facts come from several at the same time, and while locks of ndis are held.
class Family : public Observer {
 public:
  /// Facts that come so often that only who wants them is told.
  enum Often : std::uint8_t {
    kNothing = 0,
    kCallbackEnter = 1,
    kCallbackLeave = 2,
    kDdiEnter = 4,
    kDdiLeave = 8,
    kItems = 16
  };
  explicit Family(Verifier& verifier, unsigned often = kNothing) : verifier_(verifier), often_(often) {}
  bool wants(Often fact) const noexcept { return (often_ & fact) != 0; }

 protected:
  Verifier& verifier() noexcept { return verifier_; }
  /// Reports `violation` (rule, driver, function, object, text, stacks); the verifier adds calls and trace.
  void report(Violation violation);

 private:
  Verifier& verifier_;
  const unsigned often_;
};

class Verifier final : public Observer {
 public:
  /// `trace_lines`: how many last lines of the trace a violation carries. `processors`: how many run at the
  /// same time.
  explicit Verifier(std::size_t trace_lines = 24, Evidence evidence = Evidence::Tail,
                    std::size_t processors = 1);
  ~Verifier() override;

  /// To be read while nothing runs.
  const std::vector<Violation>& violations() const noexcept NO_THREAD_SAFETY_ANALYSIS { return violations_; }
  /// "driver: rule", in order: what tests compare. Rules that are mere notes are in note_lines().
  std::vector<std::string> violation_lines() const { return lines(false); }
  std::vector<std::string> note_lines() const { return lines(true); }
  /// The recorded trace, or its tail.
  std::vector<std::string> trace() const;
  /// Of each line of trace().
  std::vector<TracePlace> trace_places() const;
  void trace_line(std::string_view line) { trace_.add({line}); }
  /// A hash of every trace line so far: equal for equal runs.
  std::uint64_t trace_hash() const { return trace_.hash(); }

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
  void add(Violation violation) EXCLUDES(lock_);
  std::vector<std::string> lines(bool notes) const EXCLUDES(lock_);
  bool is_known(const Violation& violation) const REQUIRES(lock_);
  using Families = std::vector<Family*>;
  Families who_wants(Family::Often fact) const;
  template <class E>
  void tell(const E& e) {
    for (const auto& family : families_) family->on(e);
  }

  const std::size_t trace_lines_;
  const std::vector<std::unique_ptr<Family>> families_;
  const Families hear_callback_enter_;
  const Families hear_callback_leave_;
  const Families hear_ddi_enter_;
  const Families hear_ddi_leave_;
  const Families hear_items_;
  Trace trace_;
  mutable kernel::Lock lock_;
  std::vector<Violation> violations_ GUARDED_BY(lock_);
};

}  // namespace undis::verifier
