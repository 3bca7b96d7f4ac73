// SPDX-License-Identifier: MIT
//
// What the installation of a driver by its INF leaves: its registry, and which device is in the slot of an
// adapter.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/device_nic.h"
#include "lab/inf.h"
#include "lab/world.h"

namespace undis::lab {

class Installation {
 public:
  /// The INF's device for the simulated card, else its first.
  static loader::Result<Installation> of(Inf inf);

  /// True: the INF has the hardware id of the simulated card.
  bool simulated() const noexcept { return simulated_; }
  /// Writes what the INF says of this adapter of `driver`.
  void write(World& world, const kernel::Driver& driver, const std::string& adapter) const;

 private:
  std::vector<InfChange> changes_;
  bool simulated_ = false;
};

/// A simulated card in a slot of the world's bus, on a wire. Goes before the wire, after its adapter.
class CardSlot {
 public:
  CardSlot(World& world, const std::string& name, Link& wire);
  ~CardSlot();
  CardSlot(const CardSlot&) = delete;
  CardSlot& operator=(const CardSlot&) = delete;

  kernel::PciDevice& device() const noexcept { return *device_; }

 private:
  World& world_;
  DeviceNic model_;
  kernel::PciDevice* device_;
};

}  // namespace undis::lab
