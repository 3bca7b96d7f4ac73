// SPDX-License-Identifier: MIT
//
// What the entry points of connection-oriented NDIS share: who calls, and on which side a handle is.
#pragma once

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "ndis/address_family.h"
#include "ndis/binding.h"
#include "ndis/co_vc.h"

namespace undis {

inline CoCaller caller_of(const DdiCall& call) noexcept {
  return {call.driver(), call.name()};
}

/// The kind of an open handle, or `otherwise`: what is then told as expected.
inline HandleKind kind_of(NDIS_HANDLE handle, HandleKind otherwise) noexcept {
  const HandleView found = Library::current().handles().view(handle);
  return found.open ? found.kind : otherwise;
}

/// The virtual connection of a client's or call manager's handle, and whose it is.
inline Ref<Vc> find_vc_of_either(const DdiCall& call, NDIS_HANDLE handle, CoSide& side) {
  side = kind_of(handle, HandleKind::ClientVc) == HandleKind::CallManagerVc ? CoSide::CallManager
                                                                            : CoSide::Client;
  return call.find<Vc>("NdisVcHandle", handle,
                       side == CoSide::Client ? HandleKind::ClientVc : HandleKind::CallManagerVc);
}

/// The virtual connection of a miniport's handle; an integrated call manager has no other than that.
inline Ref<Vc> find_vc_of_miniport(const DdiCall& call, const char* argument, NDIS_HANDLE handle) {
  if (kind_of(handle, HandleKind::MiniportVc) == HandleKind::CallManagerVc) {
    const Ref<Vc> vc = Library::current().handles().find<Vc>(handle, HandleKind::CallManagerVc);
    if (vc && vc->manager().integrated()) return vc;
  }
  return call.find<Vc>(argument, handle, HandleKind::MiniportVc);
}

/// A final status; NDIS_STATUS_PENDING is told and taken for a failure.
inline NDIS_STATUS final_status(const DdiCall& call, const void* object, const std::string& name,
                                NDIS_STATUS status) {
  if (status != NDIS_STATUS_PENDING) return status;
  call.tell_bad_status(object, name, status, "any final status, not NDIS_STATUS_PENDING");
  return NDIS_STATUS_FAILURE;
}

}  // namespace undis
