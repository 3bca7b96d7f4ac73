// SPDX-License-Identifier: MIT
//
// Interrupts as drivers without NDIS connect them.
//
// Pages   wdm/nf-wdm-ioconnectinterrupt, -ioconnectinterruptex, -iodisconnectinterrupt(ex),
// -kesynchronizeexecution,
//         -keacquireinterruptspinlock
// Beyond  CONNECT_LINE_BASED and CONNECT_MESSAGE_BASED find the device by its physical device object; a
// device whose messages
//         were not given to it falls back to the line, as the page says.
#include <cstdlib>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/io.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pci.h"
#include "kernel/pool.h"
#include "kernel/scheduling.h"
#include "kernel/spin.h"

namespace undis::kernel {
namespace {

constexpr CallbackInfo kServiceRoutine{"KSERVICE_ROUTINE", HIGH_LEVEL, true};
constexpr CallbackInfo kMessageServiceRoutine{"KMESSAGE_SERVICE_ROUTINE", HIGH_LEVEL, true};
constexpr CallbackInfo kSynchronizeRoutine{"KSYNCHRONIZE_ROUTINE", HIGH_LEVEL, true};
constexpr ULONG kTableTag = 0x6767734D;

Interrupts& interrupts() {
  return System::current().scheduling().interrupts;
}

bool connect_line(PKINTERRUPT* where, InterruptInput& input, PKSERVICE_ROUTINE routine, PVOID context,
                  PKSPIN_LOCK lock, KIRQL irql) {
  Driver* const driver = current_driver();
  const callback<BOOLEAN(PKINTERRUPT, PVOID)> service(routine);
  auto* const object = where;
  interrupts().connect(input, {[=] {
                                 return call_driver(driver, kServiceRoutine, nullptr, context, service,
                                                    *object, context) != FALSE;
                               },
                               lock, irql, driver, where});
  return true;
}

const PciDevice* hardware_of(PDEVICE_OBJECT pdo) {
  const PhysicalDevice* const physical = System::current().io().physical_device(pdo);
  return physical != nullptr ? physical->hardware : nullptr;
}

NTSTATUS connect_fully(const IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS& p) {
  InterruptInput* const input = interrupts().input_of(p.Vector);
  if (input == nullptr || p.ServiceRoutine == nullptr || p.InterruptObject == nullptr ||
      p.SynchronizeIrql < p.Irql)
    return STATUS_INVALID_PARAMETER;
  return connect_line(p.InterruptObject, *input, p.ServiceRoutine, p.ServiceContext, p.SpinLock,
                      p.SynchronizeIrql)
             ? STATUS_SUCCESS
             : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS connect_by_line(const IO_CONNECT_INTERRUPT_LINE_BASED_PARAMETERS& p) {
  const PciDevice* const device = hardware_of(p.PhysicalDeviceObject);
  if (device == nullptr || device->line() == nullptr || p.ServiceRoutine == nullptr) return STATUS_NOT_FOUND;
  return connect_line(p.InterruptObject, *device->line(), p.ServiceRoutine, p.ServiceContext, p.SpinLock,
                      p.SynchronizeIrql)
             ? STATUS_SUCCESS
             : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS connect_by_message(IO_CONNECT_INTERRUPT_PARAMETERS& all) {
  const IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS& p = all.MessageBased;
  const PciDevice* const device = hardware_of(p.PhysicalDeviceObject);
  if (device == nullptr) return STATUS_NOT_FOUND;
  if (device->messages().empty()) {
    if (p.FallBackServiceRoutine == nullptr || device->line() == nullptr) return STATUS_NOT_FOUND;
    all.Version = CONNECT_LINE_BASED;
    connect_line(p.ConnectionContext.InterruptObject, *device->line(), p.FallBackServiceRoutine,
                 p.ServiceContext, p.SpinLock, p.SynchronizeIrql);
    return STATUS_SUCCESS;
  }
  const std::size_t count = device->messages().size();
  Pool::Request request;
  request.size = sizeof(IO_INTERRUPT_MESSAGE_INFO) + (count - 1) * sizeof(IO_INTERRUPT_MESSAGE_INFO_ENTRY);
  request.tag = kTableTag;
  request.zero = true;
  auto* const table = static_cast<IO_INTERRUPT_MESSAGE_INFO*>(System::current().pool().allocate(request));
  if (table == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  *p.ConnectionContext.InterruptMessageTable = table;
  table->MessageCount = static_cast<ULONG>(count);
  table->UnifiedIrql = p.SynchronizeIrql;
  Driver* const driver = current_driver();
  const callback<BOOLEAN(PKINTERRUPT, PVOID, ULONG)> service(p.MessageServiceRoutine);
  for (std::size_t i = 0; i < count; ++i) {
    InterruptInput& input = *device->messages()[i];
    IO_INTERRUPT_MESSAGE_INFO_ENTRY& entry = table->MessageInfo[i];
    entry.TargetProcessorSet = input.affinity();
    entry.MessageData = entry.Vector = input.vector();
    entry.Irql = input.irql();
    entry.Mode = Latched;
    entry.Polarity = InterruptActiveHigh;
    const auto id = static_cast<ULONG>(i);
    interrupts().connect(input, {[=, context = p.ServiceContext] {
                                   return call_driver(driver, kMessageServiceRoutine, nullptr, context,
                                                      service, table->MessageInfo[id].InterruptObject,
                                                      context, id) != FALSE;
                                 },
                                 p.SpinLock, p.SynchronizeIrql, driver, &entry.InterruptObject});
  }
  return STATUS_SUCCESS;
}

bool check_connected(PKINTERRUPT interrupt, const char* function) {
  if (interrupt != nullptr && interrupts().is_connected(interrupt)) return true;
  report_misuse(Misuse::BadParameter, function, interrupt,
                fmt::format("{} is given an interrupt object that is not connected", function));
  return false;
}

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

NTSTATUS IoConnectInterrupt(PKINTERRUPT* InterruptObject, PKSERVICE_ROUTINE ServiceRoutine,
                            PVOID ServiceContext, PKSPIN_LOCK SpinLock, ULONG Vector, KIRQL Irql,
                            KIRQL SynchronizeIrql, KINTERRUPT_MODE InterruptMode, BOOLEAN ShareVector,
                            KAFFINITY ProcessorEnableMask, BOOLEAN FloatingSave) {
  const KernelCall call("IoConnectInterrupt", PASSIVE_LEVEL);
  if (fault_point(call.name())) return STATUS_INSUFFICIENT_RESOURCES;
  return connect_fully({nullptr, InterruptObject, ServiceRoutine, ServiceContext, SpinLock, SynchronizeIrql,
                        FloatingSave, ShareVector, Vector, Irql, InterruptMode, ProcessorEnableMask, 0});
}

VOID IoDisconnectInterrupt(PKINTERRUPT InterruptObject) {
  const KernelCall call("IoDisconnectInterrupt", PASSIVE_LEVEL);
  if (check_connected(InterruptObject, call.name())) interrupts().disconnect(InterruptObject);
}

NTSTATUS IoConnectInterruptEx(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters) {
  const KernelCall call("IoConnectInterruptEx", PASSIVE_LEVEL);
  if (fault_point(call.name())) return STATUS_INSUFFICIENT_RESOURCES;
  switch (Parameters->Version) {
  case CONNECT_FULLY_SPECIFIED:
  case CONNECT_FULLY_SPECIFIED_GROUP:
    return connect_fully(Parameters->FullySpecified);
  case CONNECT_LINE_BASED:
    return connect_by_line(Parameters->LineBased);
  case CONNECT_MESSAGE_BASED:
    return connect_by_message(*Parameters);
  default:
    Parameters->Version = CONNECT_FULLY_SPECIFIED_GROUP;
    return STATUS_NOT_SUPPORTED;
  }
}

VOID IoDisconnectInterruptEx(PIO_DISCONNECT_INTERRUPT_PARAMETERS Parameters) {
  const KernelCall call("IoDisconnectInterruptEx", PASSIVE_LEVEL);
  if (Parameters->Version != CONNECT_MESSAGE_BASED) {
    PKINTERRUPT const interrupt = Parameters->ConnectionContext.InterruptObject;
    if (check_connected(interrupt, call.name())) interrupts().disconnect(interrupt);
    return;
  }
  PIO_INTERRUPT_MESSAGE_INFO const table = Parameters->ConnectionContext.InterruptMessageTable;
  for (ULONG i = 0; i < table->MessageCount; ++i)
    if (check_connected(table->MessageInfo[i].InterruptObject, call.name()))
      interrupts().disconnect(table->MessageInfo[i].InterruptObject);
  System::current().pool().free(table, kTableTag, call.name(), nullptr);
}

BOOLEAN KeSynchronizeExecution(PKINTERRUPT Interrupt, PKSYNCHRONIZE_ROUTINE SynchronizeRoutine,
                               PVOID SynchronizeContext) {
  const KernelCall call("KeSynchronizeExecution", HIGH_LEVEL);
  if (!check_connected(Interrupt, call.name())) return FALSE;
  const callback<BOOLEAN(PVOID)> routine(SynchronizeRoutine);
  return interrupts().synchronize(*Interrupt, call.name(),
                                  [&] {
                                    return call_driver(current_driver(), kSynchronizeRoutine, Interrupt,
                                                       SynchronizeContext, routine,
                                                       SynchronizeContext) != FALSE;
                                  })
             ? TRUE
             : FALSE;
}

KIRQL KeAcquireInterruptSpinLock(PKINTERRUPT Interrupt) {
  const KernelCall call("KeAcquireInterruptSpinLock", HIGH_LEVEL);
  const KIRQL before = irql();
  if (!check_connected(Interrupt, call.name())) return before;
  check_irql(call.name(), Interrupt->irql);
  set_irql(Interrupt->irql);
  spin::acquire(Interrupt->lock, call.name(), __builtin_return_address(0));
  return before;
}

VOID KeReleaseInterruptSpinLock(PKINTERRUPT Interrupt, KIRQL OldIrql) {
  const KernelCall call("KeReleaseInterruptSpinLock", HIGH_LEVEL);
  if (check_connected(Interrupt, call.name())) spin::release_restoring(Interrupt->lock, OldIrql, call.name());
}
