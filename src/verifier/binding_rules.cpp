// SPDX-License-Identifier: MIT
//
// Rules about bindings and states: closes, unbinds, statuses that callbacks may return, completions, the
// published tables.
#include <string_view>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

class BindingRules final : public Family {
 public:
  using Family::Family;
  using Family::on;

  void on(const NotClosed& e) override {
    Violation v;
    v.rule = e.after_unbind ? "LIFE-040" : "CloseAllBack";
    if (e.after_unbind && e.version6) v.rule = "CloseAllBack";
    v.driver = e.driver->name();
    v.function = e.after_unbind ? (e.version6 ? "ProtocolUnbindAdapterEx" : "ProtocolUnbindAdapter")
                                : (e.version6 ? "ProtocolBindAdapterEx" : "ProtocolBindAdapter");
    v.object = e.binding;
    v.text = fmt::format("{} has ended and the adapter is still open: {} was not called", v.function,
                         e.version6 ? "NdisCloseAdapterEx" : "NdisCloseAdapter");
    v.origin = e.origin;
    report(std::move(v));
  }

  void on(const InstanceOutlivesBinding& e) override {
    Violation v;
    v.rule = "LIFE-053";
    v.driver = e.driver->name();
    v.function = "NdisIMDeInitializeDeviceInstance";
    v.object = e.instance;
    v.text =
        fmt::format("the binding {} under virtual miniport {} is gone and the virtual miniport is still up",
                    e.binding, e.instance);
    report(std::move(v));
  }

  void on(const BadStatus& e) override {
    const std::string_view function = e.function;
    Violation v;
    v.rule = "CallbackStatus";
    if (function.starts_with("ProtocolUnbindAdapter") || function == "NdisCompleteUnbindAdapter")
      v.rule = "LIFE-057";
    if (function == "NdisMOidRequestComplete" || function == "NdisMDirectOidRequestComplete")
      v.rule = "NdisOidComplete";
    if (function == "MiniportPause") v.rule = "MiniportPause_Return";
    if (function == "FilterPause") v.rule = "NdisFilterTimedPauseComplete";
    if (function == "MiniportInitializeEx") v.rule = "RegistrationAttributesFirst";
    v.driver = e.driver->name();
    v.function = e.function;
    v.object = e.object_name;
    v.text = fmt::format("{} gave status {:#010x}; allowed: {}", e.function,
                         static_cast<std::uint32_t>(e.status), e.allowed);
    v.stack = e.stack;
    report(std::move(v));
  }

  void on(const UnexpectedCompletion& e) override {
    Violation v;
    const std::string_view function = e.function;
    v.rule = function == "NdisFPauseComplete" ? "NdisFilterTimedPauseComplete"
             : function == "NdisMOidRequestComplete" || function == "NdisMDirectOidRequestComplete" ||
                     function == "NdisFOidRequestComplete"
                 ? "NdisOidDoubleComplete"
             : function == "NdisMQueryInformationComplete" || function == "NdisMSetInformationComplete"
                 ? "RequestDoubleComplete"
                 : "DoubleComplete";
    v.driver = e.driver->name();
    v.function = e.function;
    v.object = e.object_name;
    v.text = fmt::format("{} for {}: {}", e.function, e.object_name, e.why);
    v.stack = e.stack;
    report(std::move(v));
  }

  void on(const StateMove& e) override {
    if (e.to != nullptr) return;
    Violation v;
    v.rule = e.machine == std::string_view("filter module") ? filter_rule(e) : "StateTable";
    v.driver = e.driver == nullptr ? "host" : e.driver->name();
    v.function = e.function == nullptr ? e.event : e.function;
    v.object = e.object;
    v.text = fmt::format("{} {}: {} in state {}, where the documented table has a blank", e.machine, e.object,
                         e.event, e.from);
    v.stack = kernel::Stack::capture(2);
    report(std::move(v));
  }

 private:
  /// What a filter may not do in a state, as its pages put it.
  static const char* filter_rule(const StateMove& e) {
    const std::string_view from = e.from;
    if (from == "Attaching") return "FilterNoTrafficAttaching";
    if (from == "Detached") return "FilterNoCallsAfterDetach";
    return std::string_view(e.event) == "SendReceive" ? "FilterPausedOriginatesNothing" : "StateTable";
  }
};

}  // namespace

std::unique_ptr<Family> binding_rules(Verifier& verifier) {
  return std::make_unique<BindingRules>(verifier);
}

}  // namespace undis::verifier
