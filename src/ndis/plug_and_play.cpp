// SPDX-License-Identifier: MIT
//
// The life of a device, IRP by IRP.
#include "ndis/plug_and_play.h"

#include <ntddk.h>

#include <fmt/format.h>

#include "kernel/call.h"
#include "kernel/irp_build.h"
#include "kernel/pool.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/driver_stack.h"
#include "ndis/library.h"
#include "ndis/net_event.h"

namespace undis {

using kernel::call_driver;

namespace {

const char* name_of(UCHAR minor) {
  switch (minor) {
  case IRP_MN_START_DEVICE:
    return "IRP_MN_START_DEVICE";
  case IRP_MN_STOP_DEVICE:
    return "IRP_MN_STOP_DEVICE";
  case IRP_MN_REMOVE_DEVICE:
    return "IRP_MN_REMOVE_DEVICE";
  case IRP_MN_SURPRISE_REMOVAL:
    return "IRP_MN_SURPRISE_REMOVAL";
  case IRP_MN_FILTER_RESOURCE_REQUIREMENTS:
    return "IRP_MN_FILTER_RESOURCE_REQUIREMENTS";
  default:
    return "a plug and play IRP";
  }
}

/// To the next lower device of the stack; comes back when it is complete.
NTSTATUS pass_down(const Adapter& adapter, UCHAR minor) {
  Library::current().observer().on_trace(
      fmt::format("{} {} goes to the lower device", adapter.name(), name_of(minor)));
  return adapter.config().lower_devices ? adapter.config().lower_devices(minor) : STATUS_SUCCESS;
}

/// MiniportFilterResourceRequirements or MiniportStartDevice, with an IRP whose stack location says which.
NDIS_STATUS
call_with_irp(const Adapter& adapter, const kernel::CallbackInfo& info,
              const Handler<&NDIS_MINIPORT_PNP_CHARACTERISTICS::MiniportStartDeviceHandler>& handler,
              UCHAR minor) {
  if (!handler) return NDIS_STATUS_SUCCESS;
  constexpr CCHAR kStackSize = 2;
  const PIRP irp = IoAllocateIrp(kStackSize, FALSE);
  if (irp == nullptr) return NDIS_STATUS_RESOURCES;
  irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
  IoSetNextIrpStackLocation(irp);
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  location->MajorFunction = IRP_MJ_PNP;
  location->MinorFunction = minor;
  MiniportDriver& driver = adapter.driver();
  const NDIS_STATUS status =
      call_driver(&driver.driver(), info, &adapter, nullptr, handler, adapter.add_device_context(), irp);
  IoFreeIrp(irp);
  return status;
}

/// AddDevice. A failure must have given its context back.
NDIS_STATUS add_device(Adapter& adapter) {
  MiniportDriver& driver = adapter.driver();
  if (!driver.optional6.AddDevice) return NDIS_STATUS_SUCCESS;
  const kernel::Pool& pool = kernel::System::current().pool();
  const std::size_t before = pool.live_blocks(&driver.driver());
  const NDIS_STATUS status = call_driver(&driver.driver(), callbacks::kMiniportAddDevice, &adapter, nullptr,
                                         driver.optional6.AddDevice, adapter.handle(), driver.context());
  const std::size_t after = pool.live_blocks(&driver.driver());
  if (status != NDIS_STATUS_SUCCESS && after > before)
    tell_breach("LIFE-190", driver.driver(), "MiniportAddDevice", adapter.name(),
                fmt::format("MiniportAddDevice failed and has left {} pool blocks behind", after - before));
  return status;
}

void call_remove_device(Adapter& adapter) {
  MiniportDriver& driver = adapter.driver();
  if (driver.optional6.RemoveDevice)
    call_driver(&driver.driver(), callbacks::kMiniportRemoveDevice, &adapter, nullptr,
                driver.optional6.RemoveDevice, adapter.add_device_context());
}

}  // namespace

Ref<Adapter> plug_device(MiniportDriver& driver, AdapterConfig config, NDIS_STATUS& status) {
  Library& library = Library::current();
  if (!library.wait_until_loaded(driver.driver())) {
    status = NDIS_STATUS_FAILURE;
    return {};
  }
  Ref<Adapter> adapter = library.add_adapter(driver, std::move(config));
  status = add_device(*adapter);
  if (status != NDIS_STATUS_SUCCESS) {
    library.forget(*adapter);
    return {};
  }
  if (call_with_irp(*adapter, callbacks::kMiniportFilterResourceRequirements,
                    driver.optional6.FilterResourceRequirements,
                    IRP_MN_FILTER_RESOURCE_REQUIREMENTS) == NDIS_STATUS_SUCCESS)
    pass_down(*adapter, IRP_MN_FILTER_RESOURCE_REQUIREMENTS);
  status = start_device(*adapter);
  if (status == NDIS_STATUS_SUCCESS) return adapter;
  remove_device(*adapter);
  return {};
}

NDIS_STATUS start_device(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (adapter.removed || adapter.initialized()) return NDIS_STATUS_FAILURE;
  const NDIS_STATUS asked = call_with_irp(adapter, callbacks::kMiniportStartDevice,
                                          adapter.driver().optional6.StartDevice, IRP_MN_START_DEVICE);
  if (asked != NDIS_STATUS_SUCCESS) return asked;
  // The devices below start first (LIFE-207).
  if (!NT_SUCCESS(pass_down(adapter, IRP_MN_START_DEVICE))) return NDIS_STATUS_FAILURE;
  const NDIS_STATUS status = start_stack(adapter);
  if (status == NDIS_STATUS_SUCCESS) adapter.stopped = false;
  return status;
}

NDIS_STATUS query_remove_device(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (adapter.removed || !adapter.initialized()) return NDIS_STATUS_SUCCESS;
  return pass_event_up(adapter, NetEventQueryRemoveDevice, nullptr, 0);
}

void cancel_remove_device(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (adapter.removed || !adapter.initialized()) return;
  pass_event_up(adapter, NetEventCancelRemoveDevice, nullptr, 0);
}

void cancel_stop_device(Adapter& adapter) {
  cancel_remove_device(adapter);
}

bool remove_device(Adapter& adapter, NDIS_HALT_ACTION reason) {
  const Ref<Adapter> alive(adapter);
  const bool was_removed = adapter.removed;
  const bool done =
      deinitialize_device_instance(adapter) == NDIS_STATUS_SUCCESS || remove_stack(adapter, reason);
  if (!done || was_removed) return done;
  call_remove_device(adapter);
  if (!adapter.is_virtual()) pass_down(adapter, IRP_MN_REMOVE_DEVICE);
  return true;
}

bool surprise_remove_device(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const bool early = Library::current().policy.vista_surprise_removal;
  {
    const Claimed claimed(adapter.stack);
    if (adapter.removed) return false;
    if (!early && adapter.initialized()) pass_event_up(adapter, NetEventQueryRemoveDevice, nullptr, 0);
    if (adapter.initialized()) {
      adapter.surprise_removed = true;
      adapter.notify_device_event(NdisDevicePnPEventSurpriseRemoved, nullptr, 0);
    }
    if (early) pass_down(adapter, IRP_MN_SURPRISE_REMOVAL);
  }
  if (early) return remove_device(adapter);
  if (!remove_stack(adapter, NdisHaltDeviceSurpriseRemoved)) return false;
  pass_down(adapter, IRP_MN_SURPRISE_REMOVAL);
  call_remove_device(adapter);
  pass_down(adapter, IRP_MN_REMOVE_DEVICE);
  return true;
}

bool stop_device(Adapter& adapter) {
  const Ref<Adapter> alive(adapter);
  const Claimed claimed(adapter.stack);
  if (adapter.removed || !adapter.initialized()) return false;
  if (!take_down_stack(adapter, NdisHaltDeviceStopped, NDIS_PAUSE_NDIS_INTERNAL)) return false;
  adapter.stopped = true;
  pass_down(adapter, IRP_MN_STOP_DEVICE);
  return true;
}

}  // namespace undis
