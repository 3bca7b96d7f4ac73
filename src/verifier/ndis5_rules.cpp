// SPDX-License-Identifier: MIT
//
// Rules that only drivers of NDIS 5 can break: the order in DriverEntry, attributes, status indications, what
// a halt leaves.
//
// Pages   ndis/nf-ndis-ndisminitializewrapper, -ndisimregisterlayeredminiport, -ndismsetattributesex,
// -ndismindicatestatus,
//         -ndisimnotifypnpevent; previous-versions ff553584 (NdisMRegisterAdapterShutdownHandler)
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/lock.h"
#include "kernel/thread.h"
#include "ndis/adapter.h"
#include "ndis/callbacks.h"
#include "undis/ddi_table.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

using namespace std::string_view_literals;
using kernel::CallFrame;
using kernel::DriverPhase;

class Ndis5Rules final : public Family {
 public:
  explicit Ndis5Rules(Verifier& verifier) : Family(verifier, kDdiEnter | kCallbackLeave) {}
  using Family::on;

  void on_driver_phase(kernel::Driver& driver) override {
    if (driver.phase() == DriverPhase::Loaded && lacks_lower_half(driver))
      tell("LIFE-328", &driver, "DriverEntry", {},
           "DriverEntry registered a layered miniport and returns without NdisRegisterProtocol: the driver "
           "has no lower half");
    if (driver.phase() == DriverPhase::InDriverEntry) return;
    const kernel::Hold hold(lock_);
    first_call_.erase(&driver);
  }

  void on(const Registration& e) override {
    if (e.what != Registration::What::Made) return;
    const kernel::Hold hold(lock_);
    if (e.kind == HandleKind::LayeredMiniport5) layered_.insert(e.driver);
    if (e.kind == HandleKind::ProtocolDriver5) protocol_.insert(e.driver);
  }

  void on_ddi_enter(const CallFrame& frame) override {
    if (frame.driver == nullptr || frame.driver->harness()) return;
    if (frame.driver->in_driver_entry()) in_driver_entry(frame);
    switch (static_cast<Ddi>(frame.number)) {
    case Ddi::NdisMIndicateStatus:
    case Ddi::NdisMIndicateStatusComplete:
      indicating(frame);
      break;
    case Ddi::NdisIMNotifyPnPEvent:
      if (!kernel::inside_callback("ProtocolPnPEvent"))
        tell("LIFE-308", frame.driver, frame.name, {},
             "an event is passed on to those above in the context of ProtocolPnPEvent, which brought it, and "
             "nowhere else");
      break;
    // What claims hardware: NDIS has to know the adapter's attributes by then.
    case Ddi::NdisMRegisterInterrupt:
    case Ddi::NdisMRegisterIoPortRange:
    case Ddi::NdisMMapIoSpace:
    case Ddi::NdisMAllocateMapRegisters:
    case Ddi::NdisMInitializeScatterGatherDma:
    case Ddi::NdisMRegisterDmaChannel:
    case Ddi::NdisMAllocateSharedMemory:
      claiming(frame);
      break;
    default:
      break;
    }
  }

  void on_callback_leave(const kernel::CallbackEvent& e) override {
    if (e.frame.object == nullptr) return;
    if (&e.info == &callbacks::kMiniportInitialize)
      initialized(e, *static_cast<const Adapter*>(e.frame.object));
    if (&e.info == &callbacks::kMiniportHalt) halted(e, *static_cast<const Adapter*>(e.frame.object));
  }

 private:
  bool lacks_lower_half(const kernel::Driver& driver) const {
    const kernel::Hold hold(lock_);
    return layered_.contains(&driver) && !protocol_.contains(&driver);
  }

  /// The function of NDIS that this DriverEntry called first: perhaps this one.
  std::string_view first_call(const CallFrame& frame) {
    const kernel::Hold hold(lock_);
    return first_call_.try_emplace(frame.driver, frame.name).first->second;
  }

  void in_driver_entry(const CallFrame& frame) {
    if (!std::string_view(frame.name).starts_with("Ndis")) return;
    const std::string_view first = first_call(frame);
    if (static_cast<Ddi>(frame.number) == Ddi::NdisMInitializeWrapper && first != frame.name)
      tell("LIFE-330", frame.driver, frame.name, {},
           fmt::format("{} was called before it: it is the first function of NDIS that DriverEntry calls",
                       first));
  }

  void indicating(const CallFrame& frame) {
    // Inside a callback of its own: that of a driver below, which has called up from its halt, is not its
    // doing.
    for (const CallFrame* at = frame.up; at != nullptr; at = at->up) {
      if (at->kind != CallFrame::Kind::Callback || at->driver != frame.driver) continue;
      for (const std::string_view callback : {"MiniportHalt"sv, "MiniportShutdown"sv, "MiniportISR"sv})
        if (at->name == callback)
          tell("LIFE-334", frame.driver, frame.name, callback,
               fmt::format("it is called inside {}", callback));
    }
    // Locks that the callback itself has acquired; those further out are not the driver's doing.
    const CallFrame* outer = frame.up;
    while (outer != nullptr && outer->kind != CallFrame::Kind::Callback) outer = outer->up;
    const kernel::Thread* const thread = kernel::Thread::current_or_null();
    if (thread != nullptr && thread->spin_locks() > (outer != nullptr ? outer->spin_locks : 0))
      tell("LIFE-334", frame.driver, frame.name, "spin lock",
           "a spin lock is held: those above may need it, or call back");
  }

  /// The adapter whose MiniportInitialize runs on this thread, nullptr: none.
  static const Adapter* initializing(const CallFrame& frame) {
    for (const CallFrame* at = frame.up; at != nullptr; at = at->up)
      if (at->kind == CallFrame::Kind::Callback && at->name == "MiniportInitialize"sv)
        return static_cast<const Adapter*>(at->object);
    return nullptr;
  }

  void claiming(const CallFrame& frame) {
    const Adapter* const adapter = initializing(frame);
    if (adapter != nullptr && !adapter->attributes5_set())
      tell("LIFE-333", frame.driver, frame.name, adapter->name(),
           "hardware is claimed before NdisMSetAttributesEx has said what the adapter is");
  }

  void initialized(const kernel::CallbackEvent& e, const Adapter& adapter) {
    constexpr ULONG kNeeded = NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER | NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND;
    if (!adapter.driver().is_intermediate() || !adapter.attributes5_set()) return;
    const ULONG missing = kNeeded & ~adapter.attribute_flags();
    if (missing == 0) return;
    tell("LIFE-333", e.frame.driver, e.frame.name, adapter.name(),
         fmt::format("an intermediate driver sets NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER and "
                     "NDIS_ATTRIBUTE_NO_HALT_ON_SUSPEND; without {}",
                     missing == kNeeded                              ? "both"
                     : missing == NDIS_ATTRIBUTE_INTERMEDIATE_DRIVER ? "the first"
                                                                     : "the second"));
  }

  void halted(const kernel::CallbackEvent& e, const Adapter& adapter) {
    if (adapter.shutdown_handler5)
      tell("LIFE-354", e.frame.driver, e.frame.name, adapter.name(),
           "MiniportHalt returns with the handler of NdisMRegisterAdapterShutdownHandler still registered: "
           "its context is gone");
  }

  void tell(const char* rule, kernel::Driver* driver, const char* function, std::string_view object,
            std::string text) {
    if (driver == nullptr || driver->harness()) return;
    Violation v;
    v.rule = rule;
    v.driver = driver->name();
    v.function = function;
    v.object = object;
    v.text = std::move(text);
    v.stack = kernel::Stack::capture(1);
    report(std::move(v));
  }

  mutable kernel::Lock lock_;
  std::set<const kernel::Driver*> layered_ GUARDED_BY(lock_);  // looked up only
  std::set<const kernel::Driver*> protocol_ GUARDED_BY(lock_);
  std::map<const kernel::Driver*, std::string_view>
      first_call_ GUARDED_BY(lock_);  ///< of a function of NDIS, in DriverEntry
};

}  // namespace

std::unique_ptr<Family> ndis5_rules(Verifier& verifier) {
  return std::make_unique<Ndis5Rules>(verifier);
}

}  // namespace undis::verifier
