// SPDX-License-Identifier: MIT
//
// Starting, pausing, restarting and stopping a driver stack. Every function claims the stack, so that these never overlap.
#include "ndis/driver_stack.h"

#include "ndis/binding.h"
#include "ndis/library.h"

namespace undis {
namespace {

bool stands(const Adapter& adapter) { return adapter.initialized() && !adapter.removed; }

bool has_missing_bindings(const Adapter& adapter) {
  Library& library = Library::current();
  for (const Ref<ProtocolDriver>& protocol : library.protocols())
    if (library.wants(*protocol, adapter) && !protocol->binding_to(adapter)) return true;
  return false;
}

void bind_missing(Adapter& adapter) {
  Library& library = Library::current();
  for (const Ref<ProtocolDriver>& protocol : library.protocols()) {
    if (!stands(adapter)) return;  // a bind may have taken the adapter down
    if (protocol->deregistering() || !library.wants(*protocol, adapter) || protocol->binding_to(adapter)) continue;
    const Ref<Binding> binding(new Binding(*protocol, adapter));
    binding->bind();
    // A protocol that deregistered from inside its own bind has no use for what it then opened.
    if (protocol->deregistering()) binding->unbind();
  }
}

}  // namespace

NDIS_STATUS start_stack(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (const NDIS_STATUS status = adapter.initialize(); status != NDIS_STATUS_SUCCESS) return status;
  bind_missing(adapter);  // everything below is Paused (LIFE-210)
  if (stands(adapter)) restart_stack(adapter);
  return NDIS_STATUS_SUCCESS;
}

void add_bindings(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (!stands(adapter) || !has_missing_bindings(adapter)) return;
  pause_stack(adapter);
  bind_missing(adapter);
  if (stands(adapter)) restart_stack(adapter);
}

void pause_stack(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  for (const Ref<Binding>& binding : adapter.bindings()) binding->pause();
  adapter.pause();
}

NDIS_STATUS restart_stack(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (const NDIS_STATUS status = adapter.restart(); status != NDIS_STATUS_SUCCESS) return status;
  for (const Ref<Binding>& binding : adapter.bindings()) binding->restart();
  return NDIS_STATUS_SUCCESS;
}

bool remove_stack(Adapter& adapter, NDIS_HALT_ACTION reason) {
  const Ref<Adapter> alive(adapter);
  if (adapter.removing && adapter.stack.is_mine()) return false;
  const Claimed claimed(adapter.stack);
  if (adapter.removed) return true;  // another thread's removal has just ended
  adapter.removing = true;

  if (adapter.initialized()) {
    // Protocols, then the miniport, are paused; then all bindings go; only then is the miniport halted (LIFE-199, LIFE-055).
    pause_stack(adapter);
    for (std::vector<Ref<Binding>> left = adapter.bindings(); !left.empty(); left = adapter.bindings())
      for (const Ref<Binding>& binding : left) binding->unbind();
    adapter.halt(reason);
  }
  adapter.removed = true;
  Library::current().forget(adapter);
  return true;
}

bool remove_device(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  if (deinitialize_device_instance(adapter) == NDIS_STATUS_SUCCESS) return true;
  return remove_stack(adapter, NdisHaltDeviceDisabled);
}

}  // namespace undis
