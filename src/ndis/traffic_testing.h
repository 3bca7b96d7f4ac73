// SPDX-License-Identifier: MIT
//
// For tests of the data path: a library on a simulated machine, one network card and any number of protocols,
// each of 5.1 or 6.30 and a driver of its own. They do what the pages ask; a test turns one thing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <ndis.h>

#include "kernel/system.h"
#include "kernel/watch_testing.h"
#include "machine/simulated.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/items.h"
#include "ndis/library.h"
#include "ndis/plug_and_play.h"

namespace undis::test {

using Bytes = std::vector<std::uint8_t>;
using Lines = std::vector<std::string>;

inline constexpr std::uint8_t kCardAddress[6] = {0x02, 0, 0, 0, 0, 1};
/// An Ethernet frame to `to` (its last byte; 0xFF: broadcast; 0x100 + n: multicast group n) with `length`
/// bytes after the header.
Bytes frame(unsigned to, std::size_t length, unsigned seed = 0);

Bytes bytes_of_buffer(const NET_BUFFER* buffer);
Bytes bytes_of_list(const NET_BUFFER_LIST* list);  ///< of all its buffers, one after the other
Bytes bytes_of_packet(NDIS_PACKET* packet);

/// Remembers what is told, as lines.
struct Recorder final : Observer {
  using Observer::on;
  Lines told;         ///< misuse of any kind
  Lines blank_moves;  ///< "binding Paused SendReceive"
  std::vector<ItemMisuse> misuses;
  std::vector<ItemsOut> out;
  std::vector<LeftBehind> left;
  std::vector<WrongPlace> places;
  std::vector<ItemEvent> items;
  void on(const kernel::MisuseEvent& e) override { told.push_back(std::string("kernel: ") + e.text); }
  void on(const HandleMisuse& e) override { told.push_back(std::string(e.function) + ": handle"); }
  void on(const UnexpectedCompletion& e) override { told.push_back(std::string(e.function) + ": " + e.why); }
  void on(const BadStatus& e) override { told.push_back(std::string(e.function) + ": status"); }
  void on(const StateMove& e) override {
    if (e.to == nullptr) blank_moves.push_back(std::string(e.machine) + " " + e.from + " " + e.event);
  }
  void on(const ItemMisuse& e) override {
    misuses.push_back(e);
    told.push_back(std::string(e.function) + ": " + e.rule_hint);
  }
  void on(const ItemsOut& e) override {
    out.push_back(e);
    told.push_back("out: " + e.why);
  }
  void on(const LeftBehind& e) override {
    left.push_back(e);
    told.push_back("left: " + e.name);
  }
  void on(const WrongPlace& e) override {
    places.push_back(e);
    told.push_back(std::string(e.function) + ": wrong place");
  }
  /// How the protocols of these tests unbind is not what is tested: they clear nothing, and do not wait for
  /// their close.
  void on(const Breach& e) override {
    const std::string_view rule = e.rule;
    if (rule != "LIFE-240" && rule != "LIFE-241") told.push_back(std::string(e.function) + ": " + e.rule);
  }
  void on(const ItemEvent& e) override { items.push_back(e); }
  void on(const FilterMisuse& e) override { told.push_back(std::string(e.function) + ": " + e.rule); }
};

class Traffic;

/// A miniport driver with one adapter.
class Card {
 public:
  Card(Traffic& world, bool version6);
  Card(Traffic& world, bool version6,
       kernel::Driver& driver);  ///< the miniport half of a driver that is there
  virtual ~Card();

  Traffic& world;
  const bool version6;
  kernel::Driver& driver;
  NDIS_HANDLE miniport = nullptr;
  NDIS_HANDLE handle = nullptr;  ///< MiniportAdapterHandle
  Ref<Adapter> adapter;

  // ---- how it behaves ----
  bool serialized = false;   ///< 5.x
  bool send_packets = true;  ///< 5.x: has MiniportSendPackets, else MiniportSend
  bool hold_sends = false;
  UCHAR minor = 30;                                   ///< 6.x: of the NDIS version that it registers with
  std::function<NDIS_STATUS(NDIS_PACKET*)> on_send5;  ///< 5.x: instead of everything else
  std::function<void(NET_BUFFER_LIST*)> on_send6;
  std::function<void(NDIS_PACKET*)> on_return5;
  std::function<NDIS_STATUS(NDIS_PACKET*, UINT*, UINT offset, UINT bytes)> on_transfer;
  std::function<NDIS_STATUS(NDIS_OID)> on_oid;
  std::function<void()> on_halt;

  // ---- what happened ----
  std::vector<Bytes> sent;
  std::deque<NET_BUFFER_LIST*> held_lists;
  std::deque<NDIS_PACKET*> held_packets;
  std::vector<Bytes> returned;
  std::vector<KIRQL> send_irqls;
  std::vector<void*> cancelled;
  unsigned inside = 0;  ///< data functions that run; a serialized driver's never exceed 1
  unsigned most_inside = 0;

  /// Completes what is held, oldest first.
  void complete_held(NDIS_STATUS status = NDIS_STATUS_SUCCESS);
  /// Indicates frames out of its own pool. 6.x `flags`; 5.x: with RESOURCES if it says so.
  void indicate(const std::vector<Bytes>& frames, ULONG flags = 0);
  /// 5.x: NdisMEthIndicateReceive with that much lookahead, and the completion.
  void indicate_lookahead(const Bytes& bytes, std::size_t lookahead);
  NET_BUFFER_LIST* make_list(const Bytes& bytes);
  NDIS_PACKET* make_packet(const Bytes& bytes);
  void take_back(NET_BUFFER_LIST* list);
  void take_back(NDIS_PACKET* packet);
  NDIS_HANDLE list_pool = nullptr;
  NDIS_HANDLE packet_pool = nullptr;
  NDIS_HANDLE buffer_pool = nullptr;

  NTSTATUS entry(PDRIVER_OBJECT object, PUNICODE_STRING path);  ///< its DriverEntry
  static Card* loading;                                         ///< whose DriverEntry or Unload runs
};

/// A protocol driver with one binding.
class Protocol {
 public:
  Protocol(Traffic& world, std::string name, bool version6);
  virtual ~Protocol();

  Traffic& world;
  const std::string name;
  const bool version6;
  kernel::Driver& driver;
  NDIS_HANDLE protocol = nullptr;
  NDIS_HANDLE handle = nullptr;  ///< NdisBindingHandle

  // ---- how it behaves ----
  bool receive_packet = true;  ///< 5.x: has ProtocolReceivePacket
  bool keep = false;           ///< keeps what it receives until return_kept()
  std::function<INT(NDIS_PACKET*)> on_packet;
  std::function<void(NET_BUFFER_LIST*, ULONG flags)> on_lists;
  std::function<void(NDIS_PACKET*, NDIS_STATUS)> on_send_complete;
  std::function<void(NET_BUFFER_LIST*)> on_lists_complete;
  std::function<void(NDIS_HANDLE context, UINT lookahead, UINT size)>
      on_receive;  ///< in ProtocolReceive, after the default

  // ---- what happened ----
  std::vector<Bytes> received;
  std::vector<bool> loopbacks;            ///< of each received
  std::vector<NDIS_STATUS> completed;     ///< status of each send
  std::vector<unsigned> completed_order;  ///< which send
  std::vector<KIRQL> receive_irqls;
  std::vector<NDIS_STATUS> statuses;
  std::vector<NDIS_STATUS> requests_done;
  unsigned receive_completes = 0;
  unsigned status_completes = 0;
  std::deque<NET_BUFFER_LIST*> kept_lists;
  std::deque<NDIS_PACKET*> kept_packets;

  void set_filter(ULONG filter);
  void set_multicast(const Bytes& list);
  NDIS_STATUS oid(NDIS_REQUEST_TYPE type, NDIS_OID code, void* buffer, ULONG length);
  /// Sends each frame in a list or packet of its own, all in one call. `flags`: SendFlags (6.x) or packet
  /// flags (5.x).
  void send(const std::vector<Bytes>& frames, ULONG flags = 0);
  /// 6.x: all frames in one list.
  void send_in_one_list(const std::vector<Bytes>& frames);
  /// 5.x: NdisSend; its status.
  NDIS_STATUS send_one(const Bytes& bytes);
  void return_kept();
  NET_BUFFER_LIST* make_list(const std::vector<Bytes>& frames);
  NDIS_PACKET* make_packet(const Bytes& bytes);
  void free_list(NET_BUFFER_LIST* list);
  void free_packet(NDIS_PACKET* packet);

  NTSTATUS entry();          ///< what its DriverEntry does
  static Protocol* loading;  ///< whose DriverEntry runs

 private:
  friend struct ProtocolCallbacks;
  NDIS_HANDLE bind_context_ = nullptr;  ///< of a bind whose open is pended
  UINT medium_index_ = 0;               // written when a pended open completes
  unsigned next_send_ = 0;
  NDIS_HANDLE list_pool_ = nullptr;
  NDIS_HANDLE packet_pool_ = nullptr;
  NDIS_HANDLE buffer_pool_ = nullptr;
  NDIS_OID_REQUEST request6_{};
  NDIS_REQUEST request5_{};
};

/// What a gate counts of lists that are out; none of those on the plain way (docs/decisions.md#watch-levels).
inline std::uint32_t counted(std::uint32_t lists, bool plain) noexcept {
  return plain && watch_wanted() != kernel::Watch::All ? 0 : lists;
}

class Traffic : public ::testing::Test {
 protected:
  friend class Card;
  friend class Protocol;
  Traffic() { restart("0"); }
  ~Traffic() override { stop(); }
  void TearDown() override;

  void restart(const char* schedule);
  void stop();
  /// A card that is up, then protocols that are bound to it and running; each with a filter for everything
  /// that is for the card.
  Card& card(bool version6);
  Card& start(Card& card);
  Protocol& protocol(std::string name, bool version6,
                     ULONG filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST);
  void settle() { system->run_until_idle(); }
  /// Runs `body` as code of the driver.
  void as(kernel::Driver& driver, const std::function<void()>& body);
  void expect(Lines lines) { expected = std::move(lines); }

 public:
  Recorder seen;
  std::unique_ptr<machine::Simulated> machine;
  std::unique_ptr<kernel::System> system;
  std::unique_ptr<Library> library;
  std::vector<std::unique_ptr<Card>> cards;
  std::vector<std::unique_ptr<Protocol>> protocols;
  Lines expected;  ///< what the test means to be told, in order
  bool tears_down = true;
};

}  // namespace undis::test
