// SPDX-License-Identifier: MIT
//
// A miniport's interrupt: its service routine at the device's IRQL, its DPCs, one for each processor and
// message. Pages: ndis/nf-ndis-ndismregisterinterruptex, ndis/nc-ndis-miniport_isr,
// ndis/nc-ndis-miniport_interrupt_dpc and their kin.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "kernel/dpc.h"
#include "kernel/interrupt.h"
#include "ndis/service.h"

namespace undis {

class Adapter;

/// The DPCs of one interrupt, or of one of its messages: at most one queued on each processor.
class InterruptDpcs {
 public:
  /// `run`: on the processor, at DISPATCH_LEVEL, with the DPC context that it was queued with.
  explicit InterruptDpcs(std::function<void(void* context)> run);

  /// One on each processor of the mask; the mask of those where none was queued yet.
  KAFFINITY queue(KAFFINITY targets, void* context);
  bool queue_here(void* context);
  /// From now on none is queued; waits until those that are have run. PASSIVE_LEVEL.
  void stop();

 private:
  const std::function<void(void*)> run_;
  std::vector<std::unique_ptr<kernel::OwnDpc>> dpcs_;  // by processor
  bool stopped_ = false;
};

class Interrupt final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Interrupt};

  Interrupt(Adapter& adapter, void* context, const NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS& characteristics);

  Adapter& adapter() const noexcept { return adapter_; }
  /// Connects to what the adapter was given, and says so in `characteristics`. The service may run before it
  /// returns.
  NDIS_STATUS connect(NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS& characteristics);
  /// No service and no DPC runs or comes when it returns. PASSIVE_LEVEL.
  void disconnect();

  KAFFINITY queue_dpcs(ULONG message, KAFFINITY targets, void* context);
  BOOLEAN synchronize(ULONG message, MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER routine, void* context,
                      const char* function);

 private:
  struct Source {
    PKINTERRUPT object = nullptr;
    std::unique_ptr<InterruptDpcs> dpcs;
  };
  void abandon() override { disconnect(); }
  kernel::Driver& driver() const noexcept;
  bool service(ULONG message);
  void run_dpc(ULONG message, void* context);
  Source* source(ULONG message) noexcept;

  using C = NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS;
  Adapter& adapter_;
  void* const context_;
  const bool wants_messages_;
  const bool one_lock_;
  bool by_message_ = false;
  const kernel::callback<MINIPORT_ISR> isr_;
  const kernel::callback<MINIPORT_INTERRUPT_DPC> dpc_;
  const kernel::callback<MINIPORT_MESSAGE_INTERRUPT> message_isr_;
  const kernel::callback<MINIPORT_MESSAGE_INTERRUPT_DPC> message_dpc_;
  KSPIN_LOCK shared_lock_ = 0;
  std::vector<std::byte> table_;  // IO_INTERRUPT_MESSAGE_INFO
  std::vector<Source> sources_;   // one, or one for each message
};

}  // namespace undis
