// SPDX-License-Identifier: MIT
//
// Numbers and states of ports.
#include "ndis/port.h"

namespace undis {

void PortTable::reset(bool driver_controls_default) {
  const kernel::Hold hold(lock_);
  driver_controls_default_ = driver_controls_default;
  ports_.clear();
  Port& port = ports_[kDefaultPort];
  port.characteristics = {};
  port.characteristics.Header = {NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS, NDIS_PORT_CHARACTERISTICS_REVISION_1,
                                 NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1};
  port.active = !driver_controls_default;
}

bool PortTable::allocate(NDIS_PORT_CHARACTERISTICS& port) {
  const kernel::Hold hold(lock_);
  NDIS_PORT_NUMBER number = kDefaultPort + 1;
  for (auto at = ports_.upper_bound(kDefaultPort); at != ports_.end() && at->first == number; ++at) ++number;
  if (number > kLastPort) return false;
  port.PortNumber = number;
  ports_.emplace(number, Port{port, false});
  return true;
}

NDIS_STATUS PortTable::free(NDIS_PORT_NUMBER number) {
  const kernel::Hold hold(lock_);
  const auto at = ports_.find(number);
  if (number == kDefaultPort || at == ports_.end()) return NDIS_STATUS_INVALID_PORT;
  if (at->second.active) return NDIS_STATUS_INVALID_PORT_STATE;
  ports_.erase(at);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS PortTable::activate(NDIS_PORT* list) {
  const kernel::Hold hold(lock_);
  // That all exist is looked at first, then their states. The default port comes alone.
  for (const NDIS_PORT* port = list; port != nullptr; port = port->Next) {
    const NDIS_PORT_NUMBER number = port->PortCharacteristics.PortNumber;
    if (!ports_.contains(number) || (number == kDefaultPort && (port != list || port->Next != nullptr)))
      return NDIS_STATUS_INVALID_PORT;
  }
  for (const NDIS_PORT* port = list; port != nullptr; port = port->Next)
    if (ports_[port->PortCharacteristics.PortNumber].active) return NDIS_STATUS_INVALID_PORT_STATE;
  for (NDIS_PORT* port = list; port != nullptr; port = port->Next) {
    NDIS_PORT_CHARACTERISTICS& given = port->PortCharacteristics;
    if ((given.Flags & NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS) != 0) {
      given.SendControlState = given.RcvControlState = NdisPortControlStateUncontrolled;
      given.SendAuthorizationState = given.RcvAuthorizationState = NdisPortAuthorized;
    }
    Port& ours = ports_[given.PortNumber];
    ours.characteristics = given;
    ours.active = true;
  }
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS PortTable::deactivate(std::span<const NDIS_PORT_NUMBER> numbers) {
  const kernel::Hold hold(lock_);
  for (const NDIS_PORT_NUMBER number : numbers)
    if (!ports_.contains(number) || (number == kDefaultPort && numbers.size() != 1))
      return NDIS_STATUS_INVALID_PORT;
  for (const NDIS_PORT_NUMBER number : numbers)
    if (!ports_[number].active) return NDIS_STATUS_INVALID_PORT_STATE;
  for (const NDIS_PORT_NUMBER number : numbers) ports_[number].active = false;
  return NDIS_STATUS_SUCCESS;
}

bool PortTable::is_active(NDIS_PORT_NUMBER number) const {
  const kernel::Hold hold(lock_);
  const auto at = ports_.find(number);
  return at != ports_.end() && at->second.active;
}

std::vector<NDIS_PORT_CHARACTERISTICS> PortTable::active() const {
  const kernel::Hold hold(lock_);
  std::vector<NDIS_PORT_CHARACTERISTICS> found;
  for (const auto& [number, port] : ports_)
    if (port.active) found.push_back(port.characteristics);
  return found;
}

std::vector<NDIS_PORT_NUMBER> PortTable::allocated() const {
  const kernel::Hold hold(lock_);
  std::vector<NDIS_PORT_NUMBER> found;
  for (const auto& [number, port] : ports_)
    if (number != kDefaultPort) found.push_back(number);
  return found;
}

bool PortTable::driver_controls_default() const {
  const kernel::Hold hold(lock_);
  return driver_controls_default_;
}

}  // namespace undis
