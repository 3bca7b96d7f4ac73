// SPDX-License-Identifier: MIT
//
// Rules of the kernel slice: IRQL, locks, pool, objects left at unload; crashes, bug checks and hangs as
// reports.
#include <cstring>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/lock.h"
#include "kernel/scheduling.h"
#include "undis/ddi_table.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

struct Own {
  std::string_view function;
  const char* rule;
};
/// Functions of the five pages for which Microsoft has no IRQL rule: the statement of the page is the rule.
/// (The other two are LIFE-023, Irql_Miniport_Driver_Function, and LIFE-060, Irql_IM_Function.)
constexpr Own kOwnIrqlRules[] = {
    {"NdisIMDeregisterLayeredMiniport", "LIFE-010"},
    {"NdisDeregisterProtocol", "LIFE-044"},
    {"NdisMRegisterUnloadHandler", "LIFE-078"},
};

std::string irql_rule(const char* function) {
  for (const Own& own : kOwnIrqlRules)
    if (own.function == function) return own.rule;
  const DdiInfo* const row = find_ddi(function);
  return row != nullptr && row->irql_rule[0] != '\0' ? row->irql_rule : "Irql";
}

class KernelRules final : public Family {
 public:
  explicit KernelRules(Verifier& verifier) : Family(verifier, kCallbackEnter) {}
  using Family::on;

  void on(const Registration& e) override {
    if (e.what != Registration::What::Made) return;
    const kernel::Hold hold(lock_);
    if (e.kind == HandleKind::LayeredMiniport5) intermediate_.insert(e.driver);
    if (e.kind == HandleKind::MiniportDriver5) miniport5_.insert(e.driver);
  }

  void on_callback_enter(const kernel::CallbackEvent& e) override {
    if (std::string_view(e.frame.name) != "MiniportInitialize") return;
    const kernel::Hold hold(lock_);
    ++initialized_[e.frame.driver];
  }

  void on(const kernel::MisuseEvent& e) override {
    Violation v;
    v.rule = rule_of(e);
    v.driver = e.driver == nullptr ? "host" : e.driver->name();
    v.function = e.function == nullptr ? "" : e.function;
    v.text = e.text;
    v.stack = e.stack;
    v.origin = e.origin;
    report(std::move(v));
  }

  void on(const kernel::HangEvent& e) override {
    Violation v;
    v.rule = "Hang";
    v.text = "nothing can run any more, and somebody still waits";
    for (const kernel::Waiter& waiter : e.waiters) {
      v.waiters.push_back(fmt::format("{} waits for {} since {:.1f} ms (in {}{}{})", waiter.thread_name,
                                      waiter.waits_for, static_cast<double>(waiter.since) / 10'000,
                                      waiter.callback, *waiter.callback == '\0' ? "" : " -> ",
                                      waiter.function));
      v.waiter_stacks.push_back(waiter.stack);
      if (v.driver.empty() && waiter.driver != nullptr && !waiter.driver->harness()) {
        v.driver = waiter.driver->name();
        v.function = waiter.function;
        v.object = waiter.waits_for;
        v.stack = waiter.stack;
      }
    }
    for (const std::string& circle : kernel::circles_of(e))
      v.waiters.push_back("each waits for the next: " + circle);
    if (v.driver.empty()) v.driver = "host";
    report(std::move(v));
  }

  void on(const kernel::BugCheckEvent& e) override {
    Violation v;
    v.rule = "BugCheck";
    v.driver = e.driver == nullptr ? "host" : e.driver->name();
    v.function = "KeBugCheckEx";
    v.text = fmt::format("bug check {:#x} ({:#x}, {:#x}, {:#x}, {:#x})", e.code, e.parameters[0],
                         e.parameters[1], e.parameters[2], e.parameters[3]);
    v.stack = e.stack;
    report(std::move(v));
  }

  void on(const kernel::CrashEvent& e) override {
    Violation v;
    v.rule = "DriverCrash";
    v.driver = e.driver == nullptr ? "host" : e.driver->name();
    v.function = e.function == nullptr ? "" : e.function;
    v.text = e.text.empty() ? fmt::format("{} at {}", strsignal(e.signal), e.address) : e.text;
    v.stack = e.stack;
    report(std::move(v));
  }

 private:
  std::string rule_of(const kernel::MisuseEvent& e) const {
    using enum kernel::Misuse;
    switch (e.kind) {
    case WrongIrql:
      return irql_rule(e.function);
    case IrqlNotRestored:
      return "IrqlReturn";
    case LockNotReleased:
      return "SpinLockBalanced";
    case LockRecursion:
      return "SpinLock";
    case LockOrder:
      return "LockOrder";
    case LockNotHeld:
      return "SpinLockRelease";
    case WaitAtDispatch:
      return "WaitAtDispatch";
    case PoolDoubleFree:
      return "PoolDoubleFree";
    case PoolBadPointer:
      return "PoolBadPointer";
    case PoolTagMismatch:
      return "PoolTagMismatch";
    case PoolCorruption:
      return "PoolCorruption";
    case PoolZeroSize:
      return "PoolZeroSize";
    case PoolLeak:
      return leak_rule(e.driver);
    case TimerActiveAtUnload:
      return "CancelTimerObject";
    case DpcQueuedAtUnload:
      return "DpcAtUnload";
    case WorkItemAtUnload:
      return "WorkItemAtUnload";
    case ThreadAtUnload:
      return "ThreadAtUnload";
    case DeviceAtUnload:
      return "DeviceAtUnload";
    case ShutdownHookAtUnload:
      return "ShutdownHookAtUnload";
    case ObjectNotInitialized:
      return "ObjectNotInitialized";
    case MdlMisuse:
      return "MdlMisuse";
    case IrpMisuse:
      return "IrpMisuse";
    case BadParameter:
      return "BadParameter";
    case InterruptMisuse:
      return "InterruptStorm";
    case InterruptAtUnload:
      return "Init_DeRegisterInterrupt";
    case HardwareLeft:
      return "HardwareGivenBack";
    case DmaMisuse:
      return "DmaVerification";
    case RegisterMisuse:
      return "DeviceRegister";
    }
    return "BadParameter";
  }

  const char* leak_rule(const kernel::Driver* driver) const {
    const kernel::Hold hold(lock_);
    if (intermediate_.contains(driver)) return "LIFE-073";
    const auto count = initialized_.find(driver);
    const bool had_several = count != initialized_.end() && count->second > 1;
    return miniport5_.contains(driver) && had_several ? "LIFE-074" : "PoolLeak";
  }

  mutable kernel::Lock lock_;
  std::map<const kernel::Driver*, unsigned> initialized_ GUARDED_BY(lock_);  // adapters that a driver has had
  std::set<const kernel::Driver*> intermediate_ GUARDED_BY(lock_);           // looked up only
  std::set<const kernel::Driver*> miniport5_ GUARDED_BY(lock_);
};

}  // namespace

std::unique_ptr<Family> kernel_rules(Verifier& verifier) {
  return std::make_unique<KernelRules>(verifier);
}

}  // namespace undis::verifier
