// SPDX-License-Identifier: MIT
//
// Whether a binding may send an OID request now, of any kind. Page:
// network/protocol-binding-states-and-operations.
#pragma once

#include "ddi/ddi_call.h"
#include "ndis/binding.h"

namespace undis {

/// True if the published table lets the binding send a request now; told if not.
inline bool may_request(const DdiCall& call, const Binding& binding) {
  const BindingState state = binding.state();
  if (kBindingStates.allows(state, BindingEvent::OidRequest)) return true;
  Library::current().observer().on(StateMove{"binding", binding.name(), to_text(state),
                                             to_text(BindingEvent::OidRequest), nullptr, &call.driver(),
                                             call.name()});
  return false;
}

}  // namespace undis
