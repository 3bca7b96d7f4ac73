// SPDX-License-Identifier: MIT
//
// Interrupts of NDIS 5 miniports.
#include "ndis/interrupt5.h"

#include <utility>

#include <fmt/format.h>

#include "kernel/scheduling.h"
#include "ndis/adapter.h"
#include "ndis/callbacks.h"
#include "ndis/hardware.h"
#include "ndis/library.h"
#include "ndis/send_queue.h"

namespace undis {
namespace {

kernel::Interrupts& interrupts() {
  return kernel::System::current().scheduling().interrupts;
}

}  // namespace

Interrupt5::Interrupt5(Adapter& adapter, NDIS_MINIPORT_INTERRUPT* block, bool asks_isr)
    : Service(HandleKind::Interrupt, adapter.driver().driver(),
              fmt::format("the interrupt of {}", adapter.name())),
      adapter_(adapter), block_(block), asks_isr_(asks_isr),
      handling_({"MiniportHandleInterrupt runs", &adapter.name()}) {
  made_for(&adapter);
}

Ref<Interrupt5> Interrupt5::of(const NDIS_MINIPORT_INTERRUPT* block) {
  for (const Ref<Service>& service : Library::current().services().all(HandleKind::Interrupt))
    if (auto* const interrupt = dynamic_cast<Interrupt5*>(service.get());
        interrupt != nullptr && interrupt->block_ == block)
      return Ref<Interrupt5>(interrupt);
  return {};
}

bool Interrupt5::connect(ULONG vector) {
  const kernel::PciDevice* const device = adapter_.hardware->device();
  if (device == nullptr || device->line() == nullptr || device->line()->vector() != vector) return false;
  dpcs_ = std::make_unique<InterruptDpcs>([this](void*) { handle(); });
  interrupts().connect(*device->line(),
                       {[this] { return service(); }, nullptr, KIRQL{0}, &driver(), &object_});
  block_->InterruptObject = object_;
  return true;
}

void Interrupt5::disconnect() {
  const PKINTERRUPT object = std::exchange(object_, nullptr);
  if (dpcs_ != nullptr) dpcs_->stop();
  take_out_of_line(adapter_, this);
  handling_.close();
  handling_.wait_empty();
  if (object != nullptr)
    interrupts().disconnect(object);  // a call that ran may have been about to synchronize with it
}

/// At the device's IRQL.
bool Interrupt5::service() {
  const MiniportHandlers5& handlers = adapter_.driver().handlers5();
  const bool up = adapter_.initialized();
  if ((asks_isr_ || !up) && handlers.Isr) {
    BOOLEAN recognized = FALSE;
    BOOLEAN queue = FALSE;
    kernel::call_driver(&driver(), callbacks::kMiniportIsr, &adapter_, adapter_.context(), handlers.Isr,
                        &recognized, &queue, adapter_.context());
    if (recognized != FALSE && queue != FALSE && up) dpcs_->queue_here(nullptr);
    return recognized != FALSE;
  }
  if (handlers.DisableInterrupt)
    kernel::call_driver(&driver(), callbacks::kMiniportDisableInterrupt, &adapter_, adapter_.context(),
                        handlers.DisableInterrupt, adapter_.context());
  if (up) dpcs_->queue_here(nullptr);
  return true;
}

/// At DISPATCH_LEVEL. One call in line serves all that asked for one meanwhile.
void Interrupt5::handle() {
  if (in_line_.exchange(true)) return;
  call_in_turn(adapter_, this, [alive = Ref<Interrupt5>(this)] {
    alive->in_line_ = false;
    if (!alive->handling_.enter()) return;
    if (alive->object_ != nullptr && alive->adapter_.initialized()) alive->call_handler();
    alive->handling_.leave();
  });
}

void Interrupt5::call_handler() {
  const MiniportHandlers5& handlers = adapter_.driver().handlers5();
  if (handlers.HandleInterrupt)
    kernel::call_driver(&driver(), callbacks::kMiniportHandleInterrupt, &adapter_, adapter_.context(),
                        handlers.HandleInterrupt, adapter_.context());
  if (!handlers.EnableInterrupt || object_ == nullptr) return;
  interrupts().synchronize(*object_, "MiniportEnableInterrupt", [&] {
    kernel::call_driver(&driver(), callbacks::kMiniportEnableInterrupt, &adapter_, adapter_.context(),
                        handlers.EnableInterrupt, adapter_.context());
    return true;
  });
}

bool Interrupt5::synchronize(void* routine, void* context, const char* function) {
  if (object_ == nullptr) return false;
  const kernel::callback<BOOLEAN(PVOID)> handler(reinterpret_cast<BOOLEAN (*)(PVOID)>(routine));
  return interrupts().synchronize(*object_, function, [&] {
    return kernel::call_driver(&driver(), callbacks::kMiniportSynchronizeInterrupt, &adapter_, context,
                               handler, context) != FALSE;
  });
}

}  // namespace undis
