// SPDX-License-Identifier: MIT
//
// The interrupt of an NDIS 5 miniport, known by the NDIS_MINIPORT_INTERRUPT in the driver's memory.
//
// With an ISR (or a shared line) MiniportISR says whether the interrupt is its own and whether it wants
// MiniportHandleInterrupt; without, NDIS calls MiniportDisableInterrupt itself and always queues the DPC.
// After MiniportHandleInterrupt NDIS calls MiniportEnableInterrupt, if there is one. While the miniport
// initialises or halts no DPC is queued.
#pragma once

#include <atomic>
#include <memory>

#include <ndis.h>

#include "ndis/gate.h"
#include "ndis/interrupt.h"

namespace undis {

class Interrupt5 final : public Service {
 public:
  Interrupt5(Adapter& adapter, NDIS_MINIPORT_INTERRUPT* block, bool asks_isr);

  /// False: `vector` is none of the adapter's.
  bool connect(ULONG vector);
  void disconnect();
  bool synchronize(void* routine, void* context, const char* function);
  const NDIS_MINIPORT_INTERRUPT* block() const noexcept { return block_; }

  /// The one of this block; empty: none is registered with it.
  static Ref<Interrupt5> of(const NDIS_MINIPORT_INTERRUPT* block);

 private:
  void abandon() override { disconnect(); }
  bool service();
  void handle();
  void call_handler();

  Adapter& adapter_;
  NDIS_MINIPORT_INTERRUPT* const block_;
  const bool asks_isr_;
  PKINTERRUPT object_ = nullptr;
  std::unique_ptr<InterruptDpcs> dpcs_;
  std::atomic<bool> in_line_{false};  // a call of the handler waits for the turn of a serialized miniport
  Gate handling_;                     // calls of the handler that run
};

}  // namespace undis
