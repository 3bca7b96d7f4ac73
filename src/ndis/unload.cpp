// SPDX-License-Identifier: MIT
//
// NDIS' Unload routine: calls the routine that the driver gave at registration, once, whatever number of
// registrations it made.
#include "ndis/unload.h"

#include <algorithm>
#include <vector>

#include "ndis/callbacks.h"
#include "ndis/library.h"

namespace undis {
namespace {

void NTAPI ndis_unload(PDRIVER_OBJECT object) {
  kernel::Driver* const driver = kernel::Driver::from_object(object);
  Library& library = Library::current();
  if (const Ref<Wrapper> wrapper = library.wrapper_of(*driver); wrapper && wrapper->unload_handler) {
    const kernel::callback<DRIVER_UNLOAD> handler = wrapper->unload_handler;
    kernel::call_driver(driver, callbacks::kUnloadHandler, wrapper.get(), nullptr, handler, object);
  }
  std::vector<void*> called;
  for (const Ref<MiniportDriver>& miniport : library.miniport_drivers_of(*driver)) {
    const auto& handler = miniport->handlers6().Unload;
    if (!miniport->is_version6() || !handler || std::ranges::find(called, handler.target) != called.end())
      continue;
    called.push_back(handler.target);
    kernel::call_driver(driver, callbacks::kMiniportDriverUnload, miniport.get(), nullptr, handler, object);
  }
}

}  // namespace

void install_unload(kernel::Driver& driver) {
  driver.object()->DriverUnload = &ndis_unload;
}

}  // namespace undis
