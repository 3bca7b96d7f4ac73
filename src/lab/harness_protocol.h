// SPDX-License-Identifier: MIT
//
// The host's own protocol: an NDIS 6 protocol driver that sits on top of adapters, sends frames and takes
// what is received. Like the card (harness_nic.h) it keeps to every rule and takes each freedom: it pends
// what may be pended and returns received lists late, as the schedule says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ndis.h>

#include "lab/world.h"
#include "ndis/link.h"

namespace undis::lab {

class HarnessProtocol {
 public:
  using Frame = std::vector<std::uint8_t>;

  /// Loads the driver into the world; it binds to what Library::policy lets it.
  explicit HarnessProtocol(World& world, std::string service = "protocol");
  ~HarnessProtocol();
  HarnessProtocol(const HarnessProtocol&) = delete;
  HarnessProtocol& operator=(const HarnessProtocol&) = delete;

  kernel::Driver& driver() noexcept { return driver_; }
  void unload();

  /// Names of the adapters that it is bound to and that are running.
  std::vector<std::string> running() const;
  bool is_bound_to(const std::string& adapter) const;
  /// Sends the frames in one chain. False: there is no such running binding, or no memory.
  bool send(const std::string& adapter, const std::vector<FrameView>& frames);
  /// What happens with each received frame; nullptr: it is counted only.
  std::function<void(const std::string& adapter, FrameView frame)> on_receive;

  /// Over all bindings that there were.
  struct Totals {
    std::uint64_t sent = 0;       ///< net buffer lists given to NDIS
    std::uint64_t completed = 0;  ///< and back, with any status
    std::uint64_t received = 0;   ///< lists that came up and had to be returned
    std::uint64_t returned = 0;
    std::uint64_t lent = 0;  ///< lists that came up with NDIS_RECEIVE_FLAGS_RESOURCES
  };
  const Totals& totals() const noexcept { return totals_; }

  std::uint64_t received(const std::string& adapter) const;
  std::uint64_t completed(const std::string& adapter) const;  ///< sends completed with success
  std::uint64_t failed(const std::string& adapter) const;     ///< sends completed otherwise

 private:
  struct Open;
  static NTSTATUS NTAPI driver_entry(PDRIVER_OBJECT object, PUNICODE_STRING path);
  static VOID NTAPI unload_driver(PDRIVER_OBJECT object);
  static NDIS_STATUS bind(NDIS_HANDLE driver_context, NDIS_HANDLE bind_context,
                          PNDIS_BIND_PARAMETERS parameters);
  static NDIS_STATUS unbind(NDIS_HANDLE unbind_context, NDIS_HANDLE context);
  static VOID open_complete(NDIS_HANDLE context, NDIS_STATUS status);
  static VOID close_complete(NDIS_HANDLE context);
  static NDIS_STATUS pnp_event(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event);
  static VOID oid_complete(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status);
  static VOID status(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication);
  static VOID receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG count,
                      ULONG flags);
  static VOID send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags);

  static HarnessProtocol* loading_;
  World& world_;
  kernel::Driver& driver_;
  NDIS_HANDLE handle_ = nullptr;
  std::map<std::string, std::shared_ptr<Open>> opens_;
  Totals totals_;
};

}  // namespace undis::lab
