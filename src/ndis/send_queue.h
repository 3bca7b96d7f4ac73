// SPDX-License-Identifier: MIT
//
// What waits for a serialized 5.x miniport: NDIS calls such a driver's data functions one at a time, so what
// comes while one runs, or while the driver has no room, stands in line.
#pragma once

#include <functional>
#include <list>

#include "kernel/lock.h"
#include "ndis/item.h"

namespace undis {

class Adapter;

/// A function of the driver that waits for its turn: a timer's, or what else NDIS calls it for.
struct Turn {
  const void* id;  ///< by which take_out_of_line() finds it
  std::function<void()> call;
};

struct SendQueue {
  kernel::Lock lock;
  Item* first GUARDED_BY(lock) = nullptr;  ///< state Sent: to be sent; else: to be returned
  Item* last GUARDED_BY(lock) = nullptr;
  bool busy GUARDED_BY(lock) = false;           ///< a function of the driver runs
  bool request_waits GUARDED_BY(lock) = false;  ///< the adapter's current OID request waits for its turn
  std::list<Turn> turns GUARDED_BY(lock);       ///< before any packet
  bool blocked GUARDED_BY(lock) =
      false;  ///< it answered RESOURCES: until NdisMSendResourcesAvailable or a completion
};

/// Makes `call`, which calls a function of the adapter's driver: at DISPATCH_LEVEL, now or when the function
/// that runs has returned, where the driver is serialized; at once and at the caller's IRQL where it is not.
void call_in_turn(Adapter& adapter, const void* id, std::function<void()> call);
/// A call that still stands in line is not made. False: none does.
bool take_out_of_line(Adapter& adapter, const void* id) noexcept;

}  // namespace undis
