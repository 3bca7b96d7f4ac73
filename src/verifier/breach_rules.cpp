// SPDX-License-Identifier: MIT
//
// Rules that are one statement of a page each: requests, resets, power, plug and play, ports, attributes.
#include "kernel/driver.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

class BreachRules final : public Family {
 public:
  using Family::Family;
  using Family::on;

  void on(const Breach& e) override {
    Violation v;
    v.rule = e.rule;
    v.driver = e.driver->name();
    v.function = e.function;
    v.object = e.object_name;
    v.text = e.why;
    v.stack = e.stack;
    v.origin = e.origin;
    report(std::move(v));
  }
};

}  // namespace

std::unique_ptr<Family> breach_rules(Verifier& verifier) { return std::make_unique<BreachRules>(verifier); }

}  // namespace undis::verifier
