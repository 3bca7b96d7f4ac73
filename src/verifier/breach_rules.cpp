// SPDX-License-Identifier: MIT
//
// Rules that are one statement of a page each: requests, resets, power, plug and play, ports, attributes.
#include <atomic>
#include <string_view>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "ndis/callbacks.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

class BreachRules final : public Family {
 public:
  explicit BreachRules(Verifier& verifier) : Family(verifier, kCallbackEnter | kCallbackLeave | kDdiEnter) {}
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

  void on_callback_enter(const kernel::CallbackEvent& e) override {
    if (is_shutdown(e.info)) shutdowns_.fetch_add(1, std::memory_order_relaxed);
  }
  void on_callback_leave(const kernel::CallbackEvent& e) override {
    if (is_shutdown(e.info)) shutdowns_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// What a driver calls inside MiniportShutdown(Ex).
  void on_ddi_enter(const kernel::CallFrame& frame) override {
    if (shutdowns_.load(std::memory_order_relaxed) == 0) return;
    const kernel::CallFrame* const callback = kernel::current_callback();
    if (callback == nullptr || frame.driver == nullptr) return;
    const std::string_view where = callback->name;
    if (where != callbacks::kMiniportShutdownEx.name && where != callbacks::kMiniportShutdown.name) return;
    const std::string_view function = frame.name;
    if (function == "NdisMFreeSharedMemory") return;  // a rule of its own, in the function
    if (kernel::inside_callback("MiniportHaltEx", callback->object)) {
      tell(frame, "LIFE-164",
           "it is called in a shutdown that comes inside MiniportHaltEx, which returns without doing "
           "anything");
    } else if (releases(function)) {
      const bool bug_check = callback->irql > DISPATCH_LEVEL;
      tell(frame, bug_check ? "LIFE-161" : "LIFE-166",
           bug_check ? "a resource is released in MiniportShutdownEx at a bug check"
                     : "a resource is released in MiniportShutdownEx, which only stops the hardware");
    }
  }

 private:
  static bool is_shutdown(const kernel::CallbackInfo& info) noexcept {
    return &info == &callbacks::kMiniportShutdownEx || &info == &callbacks::kMiniportShutdown;
  }
  static bool releases(std::string_view function) {
    for (const std::string_view word : {"Free", "Deregister", "Release", "Close", "Unmap"})
      if (function.find(word) != std::string_view::npos &&
          function.find("SpinLock") == std::string_view::npos &&
          function.find("RWLock") == std::string_view::npos)
        return true;
    return false;
  }

  void tell(const kernel::CallFrame& frame, const char* rule, const char* why) {
    Violation v;
    v.rule = rule;
    v.driver = frame.driver->name();
    v.function = frame.name;
    v.text = why;
    v.stack = kernel::Stack::capture(2);
    report(std::move(v));
  }

  std::atomic<int> shutdowns_{0};  ///< that are called now, on any thread
};

}  // namespace

std::unique_ptr<Family> breach_rules(Verifier& verifier) {
  return std::make_unique<BreachRules>(verifier);
}

}  // namespace undis::verifier
