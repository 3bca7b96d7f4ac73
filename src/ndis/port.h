// SPDX-License-Identifier: MIT
//
// The NDIS ports of one adapter: allocated, activated, deactivated, freed. Port 0 is the default port.
// Pages: network/{allocating,activating,deactivating,freeing}-an-ndis-port, ndis/nf-ndis-ndismallocateport,
// ndis/nf-ndis-ndismfreeport.
#pragma once

#include <map>
#include <span>
#include <vector>

#include <ndis.h>

#include "kernel/lock.h"

namespace undis {

class PortTable {
 public:
  static constexpr NDIS_PORT_NUMBER kDefaultPort = 0;
  static constexpr NDIS_PORT_NUMBER kLastPort = 0xFFFFFF;

  /// Nothing but the default port. `driver_controls_default`: NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT:
  /// it is not active then.
  void reset(bool driver_controls_default) EXCLUDES(lock_);
  /// The lowest free number; written into `port`. Not active yet. False: none is left.
  bool allocate(NDIS_PORT_CHARACTERISTICS& port) EXCLUDES(lock_);
  /// SUCCESS, INVALID_PORT, INVALID_PORT_STATE (active).
  NDIS_STATUS free(NDIS_PORT_NUMBER number) EXCLUDES(lock_);
  /// All or none. SUCCESS, INVALID_PORT, INVALID_PORT_STATE.
  NDIS_STATUS activate(NDIS_PORT* list) EXCLUDES(lock_);
  NDIS_STATUS deactivate(std::span<const NDIS_PORT_NUMBER> numbers) EXCLUDES(lock_);

  bool is_active(NDIS_PORT_NUMBER number) const EXCLUDES(lock_);
  std::vector<NDIS_PORT_CHARACTERISTICS> active() const EXCLUDES(lock_);
  /// Ports that the driver allocated and has not freed.
  std::vector<NDIS_PORT_NUMBER> allocated() const EXCLUDES(lock_);
  bool driver_controls_default() const EXCLUDES(lock_);

 private:
  struct Port {
    NDIS_PORT_CHARACTERISTICS characteristics;
    bool active = false;
  };
  mutable kernel::Lock lock_;
  bool driver_controls_default_ GUARDED_BY(lock_) = false;
  std::map<NDIS_PORT_NUMBER, Port> ports_ GUARDED_BY(lock_){{kDefaultPort, {{}, true}}};
};

}  // namespace undis
