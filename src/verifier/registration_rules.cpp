// SPDX-License-Identifier: MIT
//
// Rules about registrations: the right handle, one deregistration for each registration, nothing left at
// unload. Pages: the five of LIFE-001..080 (docs/conformance.md).
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/lock.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

using namespace std::string_view_literals;

bool was_registered(const HandleMisuse& e, HandleKind kind) {
  return e.found.kind == kind && !e.found.open;
}

class RegistrationRules final : public Family {
 public:
  using Family::Family;
  using Family::on;

  void on(const Registration& e) override {
    const kernel::Hold hold(lock_);
    if (e.what == Registration::What::Made) ++made_[{e.driver, e.kind}];
    if (e.kind != HandleKind::MiniportDriver6) return;
    if (e.what == Registration::What::Refused) refused_[e.driver] = e.status;
    if (e.what == Registration::What::Made) refused_.erase(e.driver);
    if (e.what == Registration::What::Undone && e.driver->phase() == kernel::DriverPhase::InDriverEntry)
      undone_in_entry_.insert(e.driver);
  }

  void on_driver_phase(kernel::Driver& driver) override {
    if (driver.phase() != kernel::DriverPhase::Loaded) return;
    NDIS_STATUS refusal = NDIS_STATUS_SUCCESS;
    bool undone = false;
    {
      const kernel::Hold hold(lock_);
      if (const auto refused = refused_.find(&driver); refused != refused_.end()) refusal = refused->second;
      undone = undone_in_entry_.contains(&driver);
    }
    if (refusal != NDIS_STATUS_SUCCESS)
      tell(driver, "LIFE-099", "NdisMRegisterMiniportDriver",
           fmt::format("NdisMRegisterMiniportDriver returned {:#010x} and DriverEntry returns success",
                       static_cast<std::uint32_t>(refusal)));
    if (undone)
      tell(driver, "LIFE-018", "NdisMDeregisterMiniportDriver",
           "it was called in DriverEntry, which then succeeds: the call is for MiniportDriverUnload, or for "
           "a DriverEntry that fails");
  }

  void on_fault(const char* what, kernel::Driver* driver) override {
    if (driver == nullptr) return;
    const kernel::Hold hold(lock_);
    fault_[driver] = what;
  }

  void on(const HandleMisuse& e) override {
    Violation v;
    v.rule = rule_of(e);
    v.driver = e.driver->name();
    v.function = e.function;
    v.text = fmt::format("{} of {}: {}, expected an open {}", e.argument, e.function, describe(e),
                         to_text(e.expected));
    v.stack = e.stack;
    report(std::move(v));
  }

  void on(const LeftBehind& e) override {
    Violation v;
    v.rule = rule_of(e);
    v.driver = e.driver->name();
    v.function = place_of(e.when);
    v.object = e.name;
    const std::string fault = fault_of(e.driver);
    if (e.when == LeftBehind::When::Unload) {
      v.text = fmt::format("the driver is unloaded and {} is still there ({})", e.name, to_text(e.kind));
    } else if (e.when == LeftBehind::When::Halt) {
      v.text = fmt::format("the adapter is halted and {} is still there ({})", e.name, to_text(e.kind));
    } else if (e.when == LeftBehind::When::FailedInitialize) {
      v.text = fmt::format("the initialisation failed and left {} behind ({})", e.name, to_text(e.kind));
    } else if (!fault.empty()) {
      v.text = fmt::format("DriverEntry failed after {} failed, and left {} behind ({})", fault, e.name,
                           to_text(e.kind));
    } else {
      v.text = fmt::format("DriverEntry failed and left {} behind ({})", e.name, to_text(e.kind));
    }
    v.origin = e.origin;
    report(std::move(v));
  }

  void on(const ShutdownFact& e) override {
    Violation v;
    v.driver = e.driver->name();
    if (e.still_registered) {
      v.rule = "LIFE-035";
      v.function = "Shutdown";
      v.text = "the driver asked for shutdown notification; its Shutdown routine has run and its protocol is "
               "still registered";
    } else {
      v.rule = "LIFE-036";
      v.function = "DriverEntry";
      v.text = "the driver handles IRP_MJ_SHUTDOWN for its protocol and has not called "
               "IoRegisterShutdownNotification: no notification will come";
    }
    report(std::move(v));
  }

 private:
  static const char* place_of(LeftBehind::When when) {
    switch (when) {
    case LeftBehind::When::Unload:
      return "Unload";
    case LeftBehind::When::Halt:
      return "MiniportHalt";
    case LeftBehind::When::FailedInitialize:
      return "MiniportInitialize";
    case LeftBehind::When::FailedDriverEntry:
      break;
    }
    return "DriverEntry";
  }

  void tell(kernel::Driver& driver, const char* rule, const char* function, std::string text) {
    Violation v;
    v.rule = rule;
    v.driver = driver.name();
    v.function = function;
    v.text = std::move(text);
    report(std::move(v));
  }

  static std::string describe(const HandleMisuse& e) {
    if (e.handle == nullptr) return "NULL";
    if (e.found.kind == HandleKind::None) return fmt::format("{} is no NDIS handle", e.handle);
    if (!e.found.open) return fmt::format("{} was a {} and is closed", e.handle, to_text(e.found.kind));
    return fmt::format("{} is a {}", e.handle, to_text(e.found.kind));
  }

  bool ever_made(kernel::Driver* driver, HandleKind kind) const {
    const kernel::Hold hold(lock_);
    return made_.contains({driver, kind});
  }

  /// What was made to fail for it last; empty: nothing.
  std::string fault_of(kernel::Driver* driver) const {
    const kernel::Hold hold(lock_);
    const auto fault = fault_.find(driver);
    return fault != fault_.end() ? fault->second : std::string();
  }

  const char* rule_of(const HandleMisuse& e) const {
    const std::string_view function = e.function;
    if (function == "NdisIMDeregisterLayeredMiniport"sv) {
      if (was_registered(e, HandleKind::LayeredMiniport5)) return "LIFE-006";
      return e.found.kind == HandleKind::MiniportDriver6 ? "LIFE-011" : "LIFE-002";
    }
    if (function == "NdisMDeregisterMiniportDriver"sv) {
      if (was_registered(e, HandleKind::MiniportDriver6)) return "LIFE-020";
      return e.found.kind == HandleKind::None && !ever_made(e.driver, HandleKind::MiniportDriver6)
                 ? "LIFE-019"
                 : "LIFE-016";
    }
    if (function == "NdisDeregisterProtocol"sv) {
      if (e.found.kind == HandleKind::ProtocolDriver6) return "LIFE-045";
      return e.found.kind == HandleKind::None && !ever_made(e.driver, HandleKind::ProtocolDriver5)
                 ? "LIFE-029"
                 : "LIFE-028";
    }
    if (function == "NdisIMDeInitializeDeviceInstance"sv)
      return was_registered(e, HandleKind::Adapter) ? "LIFE-052" : "LIFE-048";
    if (function == "NdisMRegisterUnloadHandler"sv) return "LIFE-064";
    if (e.expected == HandleKind::Wrapper && e.handle == nullptr) return "LIFE-330";
    if (function == "NdisFDeregisterFilterDriver"sv) return "NdisFDeregisterFilterDriver";
    if (was_registered(e, HandleKind::FilterModule)) return "FilterNoCallsAfterDetach";
    if (!e.found.open && (e.found.kind == HandleKind::ClientVc || e.found.kind == HandleKind::CallManagerVc ||
                          e.found.kind == HandleKind::MiniportVc))
      return "LIFE-345";
    return was_registered(e, HandleKind::Binding) ? "NoUseAfterClose" : "HandleMisuse";
  }

  const char* rule_of(const LeftBehind& e) const {
    const bool unload = e.when == LeftBehind::When::Unload;
    switch (e.kind) {
    case HandleKind::LayeredMiniport5:
      return unload ? "LIFE-003" : !fault_of(e.driver).empty() ? "LIFE-005" : "LIFE-004";
    case HandleKind::MiniportDriver6:
      return unload ? "LIFE-018" : "LIFE-017";
    case HandleKind::ProtocolDriver5:
      if (!unload) return "DriverEntryFailCleanup";
      return e.intermediate ? "LIFE-071" : e.ever_bound ? "LIFE-031" : "LIFE-030";
    case HandleKind::ProtocolDriver6:
      return unload ? "DeregisterFromUnload" : "DriverEntryFailCleanup";
    case HandleKind::Wrapper:
      return "LIFE-331";
    case HandleKind::FilterDriver:
      return unload ? "NdisFDeregisterFilterDriver" : "DriverEntryFailCleanup";
    case HandleKind::Adapter:
      return "LIFE-052";
    case HandleKind::NblPool:
    case HandleKind::NetBufferPool:
      return "NblLeak";
    case HandleKind::PacketPool:
    case HandleKind::BufferPool:
      return "PacketLeak";
    case HandleKind::Interrupt:
      return "Init_DeRegisterInterrupt";
    case HandleKind::Poll:
      return "PollDeregistered";
    case HandleKind::IfProvider:
      return "IfProvider";
    case HandleKind::Device:
      return unload ? "DeviceAtUnload" : "DriverEntryFailCleanup";
    case HandleKind::Dma:
      return "Init_RegisterSG";
    case HandleKind::Configuration:
      return e.when == LeftBehind::When::Halt || e.when == LeftBehind::When::FailedInitialize
                 ? "NdisOpenConfigurationEx"
                 : "ConfigClosed";
    case HandleKind::Timer:
      return "CancelTimerObject";
    case HandleKind::IoWorkItem:
      return e.when == LeftBehind::When::Halt || e.when == LeftBehind::When::FailedInitialize
                 ? "Init_NdisAllocateIoWorkItem"
                 : "WorkItemAtUnload";
    default:
      return "DriverEntryFailCleanup";
    }
  }

  mutable kernel::Lock lock_;
  std::map<std::pair<kernel::Driver*, HandleKind>, int>
      made_ GUARDED_BY(lock_);  // looked up only, never walked: its order means nothing
  std::map<kernel::Driver*, std::string> fault_ GUARDED_BY(lock_);
  std::map<kernel::Driver*, NDIS_STATUS>
      refused_ GUARDED_BY(lock_);  ///< the last registration of an NDIS 6 miniport driver
  std::set<kernel::Driver*> undone_in_entry_ GUARDED_BY(lock_);
};

}  // namespace

std::unique_ptr<Family> registration_rules(Verifier& verifier) {
  return std::make_unique<RegistrationRules>(verifier);
}

}  // namespace undis::verifier
