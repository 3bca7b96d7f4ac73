// SPDX-License-Identifier: MIT
//
// Interrupts of NDIS 6 miniports: connecting, service, DPCs.
#include "ndis/interrupt.h"

#include <algorithm>

#include <fmt/format.h>

#include "kernel/scheduling.h"
#include "ndis/adapter.h"
#include "ndis/callbacks.h"
#include "ndis/hardware.h"

namespace undis {
namespace {

kernel::Scheduling& scheduling() {
  return kernel::System::current().scheduling();
}

bool is_620(const Adapter& adapter) noexcept {
  const Version version = adapter.driver().version();
  return version.major > 6 || (version.major == 6 && version.minor >= 20);
}

}  // namespace

// ---- DPCs ----

InterruptDpcs::InterruptDpcs(std::function<void(void*)> run) : run_(std::move(run)) {
  for (const machine::Processor& processor : scheduling().machine.processors()) {
    dpcs_.push_back(std::make_unique<kernel::OwnDpc>(
        [this, index = processor.index] { run_(dpcs_[index]->dpc.SystemArgument1); }));
    dpcs_.back()->dpc.Number = static_cast<USHORT>(processor.index + 1);
  }
}

KAFFINITY InterruptDpcs::queue(KAFFINITY targets, void* context) {
  KAFFINITY queued = 0;
  if (stopped_) return 0;
  for (std::size_t i = 0; i < dpcs_.size(); ++i)
    if ((targets >> i & 1) != 0 && scheduling().dpcs.insert(dpcs_[i]->dpc, context, nullptr, nullptr))
      queued |= KAFFINITY{1} << i;
  return queued;
}

bool InterruptDpcs::queue_here(void* context) {
  return queue(KAFFINITY{1} << machine::processor_here->index, context) != 0;
}

void InterruptDpcs::stop() {
  stopped_ = true;
  scheduling().dpcs.flush();
}

// ---- the interrupt ----

Interrupt::Interrupt(Adapter& adapter, void* context, const NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS& c)
    : Service(HandleKind::Interrupt, adapter.driver().driver(),
              fmt::format("the interrupt of {}", adapter.name())),
      adapter_(adapter), context_(context), wants_messages_(c.MsiSupported != FALSE),
      one_lock_(c.MsiSyncWithAllMessages != FALSE), isr_(c.InterruptHandler), dpc_(c.InterruptDpcHandler),
      message_isr_(c.MessageInterruptHandler), message_dpc_(c.MessageInterruptDpcHandler) {
  made_for(&adapter);
}

kernel::Driver& Interrupt::driver() const noexcept {
  return adapter_.driver().driver();
}

NDIS_STATUS Interrupt::connect(NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS& c) {
  kernel::PciDevice* const device = adapter_.hardware->device();
  if (device == nullptr) return NDIS_STATUS_RESOURCE_CONFLICT;
  by_message_ = wants_messages_ && !device->messages().empty();
  if (!by_message_ && device->line() == nullptr) return NDIS_STATUS_RESOURCE_CONFLICT;

  std::vector<kernel::InterruptInput*> inputs{device->line()};
  if (by_message_) inputs = device->messages();
  sources_.resize(inputs.size());
  c.InterruptType = by_message_ ? NDIS_CONNECT_MESSAGE_BASED : NDIS_CONNECT_LINE_BASED;
  c.MessageInfoTable = nullptr;
  IO_INTERRUPT_MESSAGE_INFO* table = nullptr;
  if (by_message_) {
    table_.resize(sizeof(IO_INTERRUPT_MESSAGE_INFO) +
                  (inputs.size() - 1) * sizeof(IO_INTERRUPT_MESSAGE_INFO_ENTRY));
    table = reinterpret_cast<IO_INTERRUPT_MESSAGE_INFO*>(table_.data());
    table->MessageCount = static_cast<ULONG>(inputs.size());
    c.MessageInfoTable = table;  // before the first service: it may look into it
  }
  KIRQL unified = 0;
  for (const kernel::InterruptInput* const input : inputs) unified = std::max(unified, input->irql());
  if (table != nullptr) table->UnifiedIrql = unified;

  for (ULONG i = 0; i < sources_.size(); ++i)
    sources_[i].dpcs = std::make_unique<InterruptDpcs>([this, i](void* dpc) { run_dpc(i, dpc); });
  for (ULONG i = 0; i < sources_.size(); ++i) {
    const bool share = by_message_ && one_lock_;
    scheduling().interrupts.connect(*inputs[i],
                                    {[this, i] { return service(i); }, share ? &shared_lock_ : nullptr,
                                     share ? unified : KIRQL{0}, &driver(), &sources_[i].object});
    if (table == nullptr) continue;
    IO_INTERRUPT_MESSAGE_INFO_ENTRY& entry = table->MessageInfo[i];
    entry.TargetProcessorSet = inputs[i]->affinity();
    entry.InterruptObject = sources_[i].object;
    entry.MessageData = entry.Vector = inputs[i]->vector();
    entry.Irql = inputs[i]->irql();
    entry.Mode = Latched;
    entry.Polarity = InterruptActiveHigh;
  }
  return NDIS_STATUS_SUCCESS;
}

void Interrupt::disconnect() {
  // The DPCs first: one that runs may be about to synchronize with its interrupt.
  for (Source& source : sources_)
    if (source.dpcs != nullptr) source.dpcs->stop();
  for (Source& source : sources_) {
    if (source.object != nullptr) scheduling().interrupts.disconnect(source.object);
    source.object = nullptr;
  }
  sources_.clear();
}

Interrupt::Source* Interrupt::source(ULONG message) noexcept {
  if (!by_message_) message = 0;
  return message < sources_.size() ? &sources_[message] : nullptr;
}

/// At the device's IRQL.
bool Interrupt::service(ULONG message) {
  BOOLEAN queue_default = FALSE;
  ULONG targets = 0;
  const BOOLEAN mine =
      by_message_ ? kernel::call_driver(&driver(), callbacks::kMiniportMessageInterrupt, &adapter_, context_,
                                        message_isr_, context_, message, &queue_default, &targets)
                  : kernel::call_driver(&driver(), callbacks::kMiniportInterrupt, &adapter_, context_, isr_,
                                        context_, &queue_default, &targets);
  if (Source* const from = source(message); from != nullptr) {
    if (queue_default != FALSE) {
      from->dpcs->queue_here(nullptr);
    } else if (targets != 0) {
      from->dpcs->queue(targets, nullptr);
    }
  }
  return mine != FALSE;
}

/// At DISPATCH_LEVEL. A driver that was told to indicate a part, and has more, is called again.
void Interrupt::run_dpc(ULONG message, void* dpc_context) {
  NDIS_RECEIVE_THROTTLE_PARAMETERS throttle{};
  throttle.MaxNblsToIndicate =
      is_620(adapter_) && kernel::choose("receive throttle") ? 1 : NDIS_INDICATE_ALL_NBLS;
  void* const parameters = is_620(adapter_) ? &throttle : nullptr;
  if (by_message_) {
    // Before 6.20 the last two parameters were pointers to ULONG, reserved: of the same size.
    kernel::call_driver(&driver(), callbacks::kMiniportMessageInterruptDpc, &adapter_, context_, message_dpc_,
                        context_, message, dpc_context, parameters, nullptr);
  } else {
    kernel::call_driver(&driver(), callbacks::kMiniportInterruptDpc, &adapter_, context_, dpc_, context_,
                        dpc_context, parameters, nullptr);
  }
  if (throttle.MoreNblsPending == 0) return;
  if (Source* const from = source(message); from != nullptr) from->dpcs->queue_here(dpc_context);
}

KAFFINITY Interrupt::queue_dpcs(ULONG message, KAFFINITY targets, void* context) {
  Source* const from = source(message);
  return from != nullptr ? from->dpcs->queue(targets, context) : 0;
}

BOOLEAN Interrupt::synchronize(ULONG message, MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER routine, void* context,
                               const char* function) {
  Source* const with = source(message);
  if (with == nullptr || with->object == nullptr) return FALSE;
  const kernel::callback<MINIPORT_SYNCHRONIZE_INTERRUPT> handler(routine);
  const bool result = scheduling().interrupts.synchronize(*with->object, function, [&] {
    return kernel::call_driver(&driver(),
                               by_message_ ? callbacks::kMiniportSynchronizeMessageInterrupt
                                           : callbacks::kMiniportSynchronizeInterrupt,
                               &adapter_, context, handler, context) != FALSE;
  });
  return result ? TRUE : FALSE;
}

}  // namespace undis
