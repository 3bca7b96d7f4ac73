// SPDX-License-Identifier: MIT
//
// What waits for a serialized 5.x miniport: NDIS calls such a driver's data functions one at a time, so what
// comes while one runs, or while the driver has no room, stands in line.
#pragma once

#include "kernel/lock.h"
#include "ndis/item.h"

namespace undis {

struct SendQueue {
  kernel::Lock lock;
  Item* first GUARDED_BY(lock) = nullptr;  ///< state Sent: to be sent; else: to be returned
  Item* last GUARDED_BY(lock) = nullptr;
  bool busy GUARDED_BY(lock) = false;           ///< a function of the driver runs
  bool request_waits GUARDED_BY(lock) = false;  ///< the adapter's current OID request waits for its turn
  bool blocked GUARDED_BY(lock) =
      false;  ///< it answered RESOURCES: until NdisMSendResourcesAvailable or a completion
};

}  // namespace undis
