// SPDX-License-Identifier: MIT
//
// The host's own network card: an NDIS 6 miniport driver whose adapters sit on wires (ndis/link.h). Drivers
// under test bind to it. It keeps to every rule itself, and takes each freedom that a real card has: sends
// are completed at once or later, a pause is completed at once or pended, as the schedule says.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ndis.h>

#include "lab/world.h"
#include "ndis/link.h"

namespace undis::lab {

class HarnessNic {
 public:
  /// Loads the driver into the world. One for each world.
  explicit HarnessNic(World& world, std::string service = "nic");
  ~HarnessNic();
  HarnessNic(const HarnessNic&) = delete;
  HarnessNic& operator=(const HarnessNic&) = delete;

  kernel::Driver& driver() noexcept { return driver_; }
  /// A card on this wire, plugged in and started. The wire outlives it.
  Ref<Adapter> plug(const std::string& name, Link& link);
  void unplug(const std::string& name);
  /// Unplugs nothing; the driver's Unload runs and all its adapters are halted before.
  void unload();

  /// Indicates frames up, in one chain. False: the card is not running.
  bool indicate(const std::string& name, const std::vector<FrameView>& frames);
  std::uint64_t sent(const std::string& name) const;  ///< frames given to the wire
  /// Over all cards that there were, in net buffer lists.
  struct Totals {
    std::uint64_t given = 0;  ///< came down to be sent
    std::uint64_t completed = 0;
    std::uint64_t indicated = 0;
    std::uint64_t returned = 0;
  };
  const Totals& totals() const noexcept { return totals_; }

 private:
  struct Card;
  static NTSTATUS NTAPI driver_entry(PDRIVER_OBJECT object, PUNICODE_STRING path);
  static VOID NTAPI unload_driver(PDRIVER_OBJECT object);
  static NDIS_STATUS initialize(NDIS_HANDLE handle, NDIS_HANDLE context,
                                PNDIS_MINIPORT_INIT_PARAMETERS parameters);
  static VOID halt(NDIS_HANDLE context, NDIS_HALT_ACTION action);
  static NDIS_STATUS pause(NDIS_HANDLE context, PNDIS_MINIPORT_PAUSE_PARAMETERS parameters);
  static NDIS_STATUS restart(NDIS_HANDLE context, PNDIS_MINIPORT_RESTART_PARAMETERS parameters);
  static NDIS_STATUS oid_request(NDIS_HANDLE context, PNDIS_OID_REQUEST request);
  static VOID send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG flags);
  static VOID return_lists(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags);
  static VOID cancel_send(NDIS_HANDLE context, PVOID id);
  static VOID pnp_event(NDIS_HANDLE context, PNET_DEVICE_PNP_EVENT event);
  static VOID shutdown(NDIS_HANDLE context, NDIS_SHUTDOWN_ACTION action);
  static VOID cancel_oid(NDIS_HANDLE context, PVOID id);

  static HarnessNic* loading_;  ///< whose DriverEntry runs
  World& world_;
  kernel::Driver& driver_;
  NDIS_HANDLE handle_ = nullptr;
  std::map<std::string, std::shared_ptr<Card>> cards_;
  Totals totals_;
};

}  // namespace undis::lab
