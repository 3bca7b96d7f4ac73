// SPDX-License-Identifier: MIT
//
// Starting, pausing, restarting and stopping a driver stack. Every function claims the stack, so that these
// never overlap.
#include "ndis/driver_stack.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "kernel/watch.h"
#include "ndis/binding.h"
#include "ndis/co_adapter.h"
#include "ndis/filter_events.h"
#include "ndis/filter_module.h"
#include "ndis/library.h"
#include "ndis/restart_attributes.h"

namespace undis {
namespace {

bool stands(const Adapter& adapter) {
  return adapter.initialized() && !adapter.removed;
}

/// A miniport that controls its default port, or inhibits bindings, decides when protocols come (LIFE-118,
/// LIFE-300).
bool may_bind(const Adapter& adapter) {
  return stands(adapter) && !adapter.binds_inhibited && adapter.ports.is_active(PortTable::kDefaultPort);
}

bool has_missing_bindings(const Adapter& adapter) {
  Library& library = Library::current();
  for (const Ref<ProtocolDriver>& protocol : library.protocols())
    if (protocol->bindable() && library.wants(*protocol, adapter) && !adapter.binding_of(*protocol))
      return true;
  return false;
}

void bind_missing(Adapter& adapter) {
  Library& library = Library::current();
  for (const Ref<ProtocolDriver>& protocol : library.protocols()) {
    if (!may_bind(adapter)) return;  // a bind may have taken the adapter down
    if (!protocol->bindable() || !library.wants(*protocol, adapter) || adapter.binding_of(*protocol))
      continue;
    const Ref<Binding> binding(new Binding(*protocol, adapter));
    if (binding->bind() == NDIS_STATUS_SUCCESS) adapter.co->advertise();
    // A protocol that deregistered from inside its own bind has no use for what it then opened.
    if (protocol->deregistering()) binding->unbind();
  }
}

/// While a stack with filters is being paused: what a filter has of others after so long is told, since the
/// pause waits for it.
class PauseWatch {
 public:
  explicit PauseWatch(Adapter& adapter) {
    if (adapter.filters.empty()) return;
    done_ = std::make_shared<kernel::Event>(kernel::WaitName("the end of a pause", &adapter.name()));
    kernel::System::current().spawn("watch over a pause", [alive = Ref<Adapter>(adapter), done = done_] {
      constexpr std::uint64_t kLimit = 300'000'000;  // 30 s: the pages of the two rules give no number
      if (!done->wait_for(kLimit)) tell_kept(*alive);
    });
  }
  ~PauseWatch() {
    if (done_) done_->set();
  }
  PauseWatch(const PauseWatch&) = delete;
  PauseWatch& operator=(const PauseWatch&) = delete;

 private:
  static void tell_kept(const Adapter& adapter) {
    Observer& observer = Library::current().observer();
    for (const Ref<FilterModule>& module : adapter.filters.modules()) {
      const auto tell = [&](std::int64_t kept, const char* rule, const char* function) {
        if (kept > 0)
          observer.on(FilterMisuse{
              &module->driver(),
              rule,
              function,
              module->name(),
              fmt::format(
                  "the stack has waited 30 s to be paused, and the filter has {} net buffer lists of others",
                  kept),
              {}});
      };
      tell(module->sends.kept(), "NdisFilterTimedDataSend", "FilterSendNetBufferLists");
      tell(module->receives.kept(), "NdisFilterTimedDataReceive", "FilterReceiveNetBufferLists");
    }
  }
  std::shared_ptr<kernel::Event> done_;
};

void unbind_all(Adapter& adapter) {
  for (std::vector<Ref<Binding>> left = adapter.bindings(); !left.empty(); left = adapter.bindings())
    for (const Ref<Binding>& binding : left) binding->unbind();
}

/// Before the filters of a paused stack change: protocols that cannot follow, or all, are unbound; the stack
/// is bound again afterwards (LIFE-271, network/mandatory-filter-drivers). True: some were.
bool unbind_before_change(Adapter& adapter, bool all) {
  bool some = all;
  if (all) unbind_all(adapter);
  for (const Ref<Binding>& binding : adapter.bindings()) {
    if (binding->handles_stack_changes()) continue;
    binding->unbind();
    some = true;
  }
  return some;
}

/// What a stack whose mandatory filter is missing comes to (network/mandatory-filter-drivers).
void terminate_stack(Adapter& adapter) {
  if (deinitialize_device_instance(adapter) != NDIS_STATUS_SUCCESS)
    remove_stack(adapter, NdisHaltDeviceFailed);
}

/// FilterSetModuleOptions of all modules comes before FilterRestart of any (LIFE-293); then the data path is
/// what they said. The module that would not, or nothing.
Ref<FilterModule> set_filter_options(Adapter& adapter) {
  for (const Ref<FilterModule>& module : adapter.filters.modules())
    if (module->set_options() != NDIS_STATUS_SUCCESS) return module;
  adapter.filters.relink();
  return {};
}

/// From the miniport up. Ends with the module that would not restart, or with nothing.
Ref<FilterModule> restart_filters(Adapter& adapter) {
  for (const Ref<FilterModule>& module : adapter.filters.modules())
    if (module->restart(adapter.restart_attributes.list()) != NDIS_STATUS_SUCCESS) return module;
  return {};
}

void pause_filters(Adapter& adapter, ULONG reason) {
  const std::vector<Ref<FilterModule>> modules = adapter.filters.modules();
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) (*module)->pause(reason);
}

/// Detaches a Paused module, and what watches it, in a stack that is paused. False: it was mandatory, and the
/// stack is gone.
bool drop_filter(Adapter& adapter, FilterModule& failed) {
  const bool mandatory = failed.mandatory();
  const Ref<FilterDriver> filter(failed.filter());
  const std::vector<Ref<FilterModule>> modules = adapter.filters.modules();
  for (auto module = modules.rbegin(); module != modules.rend(); ++module)
    if (*module == &failed || (*module)->over() == filter.get()) adapter.filters.detach(**module);
  if (!mandatory) return true;
  terminate_stack(adapter);
  return false;
}

}  // namespace

NDIS_STATUS start_stack(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  // MiniportInitialize(Ex) never runs before DriverEntry has returned (LIFE-085).
  if (!Library::current().wait_until_loaded(adapter.driver().driver())) return NDIS_STATUS_FAILURE;
  const Claimed claimed(adapter.stack);
  if (const NDIS_STATUS status = adapter.initialize(); status != NDIS_STATUS_SUCCESS) return status;
  if (!adapter.filters.attach_missing()) {
    adapter.filters.detach_all();
    adapter.halt(NdisHaltDeviceInitializationFailed);
    return NDIS_STATUS_FAILURE;
  }
  bind_missing(adapter);  // everything below is Paused (LIFE-210)
  if (!stands(adapter)) return NDIS_STATUS_SUCCESS;
  const NDIS_STATUS restarted = restart_stack(adapter);
  return adapter.removed ? restarted : NDIS_STATUS_SUCCESS;  // without a mandatory filter it has not started
}

void add_bindings(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (!may_bind(adapter) || adapter.is_low_power() || !has_missing_bindings(adapter)) return;
  pause_stack(adapter, NDIS_PAUSE_BIND_PROTOCOL);
  bind_missing(adapter);
  if (stands(adapter)) restart_stack(adapter);
}

void add_filters(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (!stands(adapter) || adapter.removing || !adapter.filters.has_missing()) return;
  const bool mandatory = adapter.filters.has_missing_mandatory();
  pause_stack(adapter, NDIS_PAUSE_ATTACH_FILTER);
  const bool rebind = unbind_before_change(adapter, mandatory);
  if (!adapter.filters.attach_missing()) {
    terminate_stack(adapter);
    return;
  }
  if (rebind) bind_missing(adapter);
  if (stands(adapter)) restart_stack(adapter);
}

void remove_filter(Adapter& adapter, FilterDriver& filter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  std::vector<Ref<FilterModule>> going;
  for (Ref<FilterModule>& module : adapter.filters.modules())
    if (&module->filter() == &filter || module->over() == &filter)
      going.insert(going.begin(), std::move(module));
  if (going.empty()) return;
  // Requests and indications still work here: a filter may do what needs them (LIFE-298).
  for (const Ref<FilterModule>& module : going) tell_pre_detach(*module);
  const bool mandatory =
      std::ranges::any_of(going, [](const Ref<FilterModule>& module) { return module->mandatory(); });
  pause_stack(adapter, NDIS_PAUSE_DETACH_FILTER);
  const bool rebind = unbind_before_change(adapter, mandatory);
  for (const Ref<FilterModule>& module : going)
    if (module->state() == FilterState::Paused) adapter.filters.detach(*module);
  if (rebind && stands(adapter)) bind_missing(adapter);
  if (stands(adapter)) restart_stack(adapter);
}

void pause_stack(Adapter& adapter, ULONG reason) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  const PauseWatch watch(adapter);
  for (const Ref<Binding>& binding : adapter.bindings()) binding->pause(reason);
  pause_filters(adapter, reason);
  adapter.pause(reason);
}

NDIS_STATUS restart_stack(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (adapter.start_inhibited || adapter.is_low_power()) return NDIS_STATUS_SUCCESS;
  adapter.co->advertise();  // a miniport that was initialised again offers again what it had
  for (;;) {
    Ref<FilterModule> failed = set_filter_options(adapter);
    if (!failed) {
      if (const NDIS_STATUS status = adapter.restart(); status != NDIS_STATUS_SUCCESS) {
        adapter.restart_attributes.free();
        return status;
      }
      failed = restart_filters(adapter);
      if (!failed)
        for (const Ref<Binding>& binding : adapter.bindings())
          binding->restart(adapter.restart_attributes.first());
      adapter.restart_attributes.free();  // everybody above has been told (LIFE-136)
      if (!failed) {
        if (!kernel::watches_all()) adapter.ways.settle();  // each that restarted has made a plan of its own
        return NDIS_STATUS_SUCCESS;
      }
      // What has restarted below it is paused again: a module leaves a paused stack only.
      pause_filters(adapter, NDIS_PAUSE_DETACH_FILTER);
      adapter.pause(NDIS_PAUSE_DETACH_FILTER);
    }
    if (!drop_filter(adapter, *failed)) return NDIS_STATUS_FAILURE;
  }
}

void cycle_stack(Adapter& adapter, ULONG reason) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (!stands(adapter) || adapter.removing) return;
  pause_stack(adapter, reason);
  restart_stack(adapter);
}

bool remove_stack(Adapter& adapter, NDIS_HALT_ACTION reason) {
  const Ref<Adapter> alive(adapter);
  if (adapter.removing && adapter.stack.is_mine()) return false;
  const Claimed claimed(adapter.stack);
  if (adapter.removed) return true;  // another thread's removal has just ended
  adapter.removing = true;

  take_down_stack(adapter, reason, NDIS_PAUSE_MINIPORT_DEVICE_REMOVE);
  adapter.removed = true;
  Library::current().forget(adapter);
  return true;
}

bool take_down_stack(Adapter& adapter, NDIS_HALT_ACTION reason, ULONG pause_reason) {
  if (!adapter.initialized() && !adapter.powered_down) return false;
  // The stack is paused from the top; then all bindings go, then the filters; only then is the miniport
  // halted (LIFE-199, LIFE-055).
  if (adapter.initialized()) {
    const std::vector<Ref<FilterModule>> modules = adapter.filters.modules();
    for (auto module = modules.rbegin(); module != modules.rend(); ++module) tell_pre_detach(**module);
  }
  pause_stack(adapter, pause_reason);
  unbind_all(adapter);
  adapter.filters.detach_all();
  if (adapter.initialized()) adapter.halt(reason);
  adapter.powered_down = false;
  adapter.settings.clear();
  return true;
}

void close_bindings(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (!stands(adapter)) return;
  pause_stack(adapter, NDIS_PAUSE_UNBIND_PROTOCOL);
  unbind_all(adapter);
  if (stands(adapter)) restart_stack(adapter);
}

}  // namespace undis
