// SPDX-License-Identifier: MIT
//
// The bare model: the drivers of a stack with nothing between them but the calls. The same indirect calls in
// the same order over the same structures, taken from a row and put back; nothing is looked up, checked,
// counted or kept alive.
//
// Hop     a driver calls an entry point, by a pointer as an image does that imports it, and the entry point
//         calls the next driver's handler: two indirect calls. Those of filters are calls both, here and with
//         NDIS (stay()); the ends' may be jumps, as in their drivers.
// Clones  come out of their row initialized, as what a pool gives does: no out-of-band data of the last user.
//         Stale ones come as they were left.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "frames.h"
#include "stack.h"

namespace undis::bench {

/// One driver of the model. `ahead`: towards the end of the way (down for sends, up for receives).
struct BareNode {
  void (*ahead)(BareNode&, NET_BUFFER_LIST*, NDIS_PORT_NUMBER, ULONG) = nullptr;
  void (*back)(BareNode&, NET_BUFFER_LIST*, ULONG) = nullptr;
  BareNode* next = nullptr;
  BareNode* previous = nullptr;
  bool touched = false;
  bool completes = false;                ///< the end sets a status: it is a miniport
  std::vector<NET_BUFFER_LIST*> clones;  ///< free ones
  NDIS_HANDLE source = nullptr;
};

/// The entry points, as a driver that imports them has them.
struct BareImports {
  void (*volatile ahead)(BareNode& from, NET_BUFFER_LIST*, NDIS_PORT_NUMBER, ULONG);
  void (*volatile back)(BareNode& from, NET_BUFFER_LIST*, ULONG);
};
extern const BareImports imports;

class BareStack {
 public:
  enum class Clones : std::uint8_t { Initialized, Stale };
  /// Two ends with `filters` drivers between them, or an intermediate driver.
  BareStack(unsigned filters, Middle middle, bool sends, bool touched, std::size_t clones = 0,
            Clones kind = Clones::Initialized);
  BareStack(const BareStack&) = delete;
  BareStack& operator=(const BareStack&) = delete;

  void go(NET_BUFFER_LIST* chain) { imports.ahead(*nodes_[0], chain, NDIS_DEFAULT_PORT_NUMBER, 0); }

 private:
  std::vector<std::unique_ptr<BareNode>> nodes_;
  std::unique_ptr<Lists> clones_;
};

/// NDIS 5: an array goes ahead in one call, or each packet in one of its own; each comes back in one of its
/// own.
struct BareStack5 {
  BareStack5(bool sends, bool touched);
  void go(NDIS_PACKET** packets, UINT count) { first(*this, packets, count); }

  void (*first)(BareStack5&, NDIS_PACKET**, UINT) = nullptr;
  void (*each)(BareStack5&, NDIS_PACKET*) = nullptr;  ///< sends: completed; receives: ProtocolReceivePacket
  void (*over)(BareStack5&) = nullptr;                ///< receives: ProtocolReceiveComplete
  void (*returned)(BareStack5&, NDIS_PACKET*) = nullptr;  ///< receives: MiniportReturnPacket
  bool touched = false;
  std::vector<NDIS_PACKET*> kept;
};

}  // namespace undis::bench
