// SPDX-License-Identifier: MIT
//
// Installing by an INF, and the simulated card's slot.
#include "lab/installation.h"

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/pci.h"
#include "kernel/registry.h"
#include "kernel/unicode.h"

namespace undis::lab {

loader::Result<Installation> Installation::of(Inf inf) {
  const std::string id = fmt::format("PCI\\VEN_{:04X}&DEV_{:04X}", DeviceNic::kVendor, DeviceNic::kDevice);
  const InfDevice* const simulated = inf.device_with(id);
  Installation made;
  made.simulated_ = simulated != nullptr;
  auto changes = inf.install(simulated != nullptr ? *simulated : inf.devices().front());
  if (!changes) return loader::Failure{changes.error()};
  made.changes_ = std::move(*changes);
  return made;
}

void Installation::write(World& world, const kernel::Driver& driver, const std::string& adapter) const {
  InfKeys keys;
  keys.driver = adapter_key(adapter);
  keys.hardware = u"\\Registry\\Machine\\System\\CurrentControlSet\\Enum\\PCI\\" + kernel::to_utf16(adapter);
  keys.service =
      u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\" + kernel::to_utf16(driver.name());
  apply(changes_, keys, world.system().registry());
}

CardSlot::CardSlot(World& world, const std::string& name, Link& wire)
    : world_(world), model_(wire, world.machine()),
      device_(&world.system().bus().plug(name, DeviceNic::kSpec, model_)) {}

CardSlot::~CardSlot() {
  world_.system().bus().unplug(*device_);
}

}  // namespace undis::lab
