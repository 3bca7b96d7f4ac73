// SPDX-License-Identifier: MIT
//
// Uninstalling a protocol. Page: ndis/nc-ndis-protocol_uninstall. docs/decisions.md#uninstall
#include "ndis/uninstall.h"

#include "kernel/call.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/protocol_driver.h"

namespace undis {
namespace {

constexpr kernel::CallbackInfo kProtocolUninstall{"ProtocolUninstall", PASSIVE_LEVEL, false};

}  // namespace

void uninstall(ProtocolDriver& protocol) {
  const Ref<ProtocolDriver> alive(protocol);
  for (const Ref<Binding>& binding : protocol.bindings()) binding->unbind();
  if (protocol.is_version6()) {
    if (protocol.handlers6().Uninstall)
      kernel::call_driver(&protocol.driver(), kProtocolUninstall, &protocol, nullptr,
                          protocol.handlers6().Uninstall);
  } else if (protocol.handlers5().Unload) {
    kernel::call_driver(&protocol.driver(), callbacks::kProtocolUnload, &protocol, nullptr,
                        protocol.handlers5().Unload);
  }
}

}  // namespace undis
