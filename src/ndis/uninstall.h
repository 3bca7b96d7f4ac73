// SPDX-License-Identifier: MIT
//
// The user uninstalls a protocol: what Windows' network configuration asks NDIS to do.
#pragma once

namespace undis {

class ProtocolDriver;

/// Unbinds it from every adapter, then calls its ProtocolUnload (5.x) or ProtocolUninstall (6.x), if it has
/// one, which may deregister it. PASSIVE_LEVEL.
void uninstall(ProtocolDriver& protocol);

}  // namespace undis
