// SPDX-License-Identifier: MIT
//
// The bare model: the drivers of a stack without anything between them. The same indirect calls in the same
// order over the same structures, taken from a row and put back; nothing is looked up, checked, counted or
// kept alive.
//
// A call is a call: no compiler makes a jump of it, as it cannot of a driver's call into NDIS.
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

class BareStack {
 public:
  /// Two ends with `filters` drivers between them, or an intermediate driver.
  BareStack(unsigned filters, Middle middle, bool sends, bool touched, std::size_t clones = 0);
  BareStack(const BareStack&) = delete;
  BareStack& operator=(const BareStack&) = delete;

  void go(NET_BUFFER_LIST* chain) {
    BareNode& first = *nodes_[1];
    first.ahead(first, chain, NDIS_DEFAULT_PORT_NUMBER, 0);
  }

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
