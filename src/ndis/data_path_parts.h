// SPDX-License-Identifier: MIT
//
// What the files of the data path share. See data_path.h for what the rest of NDIS may call.
//
// Locks   None is held over a call into a driver. Counts of uses are changed under ItemBook's packet lock or
// atomically. Gates   adapter.sends and .receives are left before the miniport is told (it may complete its
// pause from inside that call); so are a
//         binding's. A close and a halt wait in addition until the data path's calls into the driver have
//         returned (Gate calls).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <ndis.h>

#include "kernel/call.h"
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/item.h"
#include "ndis/items.h"
#include "ndis/library.h"

namespace undis::data_path {

inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::size_t kEthernetAddress = 6;

/// Stretch of bytes in a chain of MDLs: one frame.
struct Frame {
  MDL* chain = nullptr;
  std::size_t offset = 0;
  std::size_t length = 0;
};
Frame frame_of(const NET_BUFFER* buffer) noexcept;
Frame frame_of(NDIS_PACKET* packet) noexcept;

// ---- which binding gets what (packet_filter.cpp) ----

/// The first bytes of a frame, as far as it has them.
struct Destination {
  std::uint8_t bytes[kEthernetAddress] = {};
  bool known = false;
};
Destination destination(const Frame& frame) noexcept;
/// Whether the binding's own filter lets a frame to `to` through.
bool accepts(const Binding& binding, const Destination& to) noexcept;
/// The adapter's bindings that may get data now and have a filter at all.
std::vector<Ref<Binding>> receivers(const Adapter& adapter);

// ---- state (packet_filter.cpp) ----

/// Tells, if it is the protocol's doing, that it sends although its binding is not running.
void tell_send_while_paused(const Binding& from);
/// True if the miniport may indicate now; false, and told if it is the miniport's doing.
bool may_indicate(const Adapter& by);

// ---- one leg of a list's way ----

/// Begins a leg. False: too many legs.
Hop* push(NblItem& item, Hop::Kind kind, Adapter* adapter, Binding* binding) noexcept;
void pop(NblItem& item) noexcept;
/// Begins a leg of a packet's way. nullptr: too many legs.
Hop* push(PacketItem& item, Hop::Kind kind, Adapter* adapter, Binding* binding) noexcept;
/// The leg in use with that kind and adapter, the latest first.
Hop* find_hop(PacketItem& item, Hop::Kind kind, const Adapter* adapter) noexcept;
void end_hop(PacketItem& item, Hop& hop) noexcept;

/// Whether `giver` may hand the item on: it holds it. Told if not. `what`: "sent", "indicated".
bool may_give(NET_BUFFER_LIST* list, kernel::Driver& giver, const char* what);
bool may_give(NDIS_PACKET* packet, kernel::Driver& giver, const char* what);

// ---- 6.x lists ----

/// Chain that is built list by list.
struct Chain {
  NET_BUFFER_LIST* first = nullptr;
  NET_BUFFER_LIST* last = nullptr;
  ULONG count = 0;
  void append(NET_BUFFER_LIST* list) noexcept {
    list->Next = nullptr;
    (last != nullptr ? last->Next : first) = list;
    last = list;
    ++count;
  }
};

/// ProtocolReceiveNetBufferLists of a 6.x binding. False: it is being closed; nothing was called.
bool call_receive(Binding& to, const Chain& chain, NDIS_PORT_NUMBER port, ULONG flags);
/// One use less of that leg of an indicated list; after the last one it is put on `back` for its adapter.
void release(NblItem& item, std::uint8_t hop, Chain& back) noexcept;
/// Gives lists back to the adapters that indicated them (the adapters' gates are left here).
void give_back(const Chain& chain, ULONG flags);
/// The miniport is through with a list: it goes up.
void finish_send(NET_BUFFER_LIST* list, ULONG flags);
/// The same at the top of the stack, for a list that stands for a packet of a 5.x binding.
void end_send(NET_BUFFER_LIST* list);

// ---- through the filters (filter_data.cpp) ----

/// Who has lists that go on to `next` (nullptr: to the miniport).
kernel::Driver* send_target(const Adapter& adapter, const FilterModule* next) noexcept;
/// Gives lists, whose holder is set, to that module or to the miniport.
void give_sends(Adapter& adapter, FilterModule* next, const Chain& chain, NDIS_PORT_NUMBER port, ULONG flags);
/// Lists whose send is over at `from` (nullptr: at the miniport) go up to where they came from.
void complete_up(Adapter& adapter, FilterModule* from, NET_BUFFER_LIST* chain, ULONG flags);
/// Lists on a Receive leg go up from `from` (nullptr: the miniport).
void indicate_up(Adapter& adapter, FilterModule* from, const Chain& chain, NDIS_PORT_NUMBER port,
                 ULONG flags);
/// Lists that all have returned at `from` (nullptr: the bindings) go down to where they came from.
void return_down(Adapter& adapter, FilterModule* from, NET_BUFFER_LIST* chain, ULONG flags);
/// The end of the way up: each binding gets what its packet filter takes.
void indicate_to_bindings(Adapter& adapter, const Chain& chain, NDIS_PORT_NUMBER port, ULONG flags);
/// The same where the lists must be back when it returns.
void show_to_bindings(Adapter& adapter, const Chain& chain, NDIS_PORT_NUMBER port, ULONG flags);

/// Completes lists that share a binding.
void call_send_complete(Binding& to, const Chain& chain, ULONG flags);

// ---- 5.x packets ----

/// Hands packets that are already on a Send leg to a 5.x miniport.
void give_packets(Adapter& adapter, NDIS_PACKET** packets, UINT count);
/// For OID requests to a serialized 5.x driver: true if its functions may be called now, until end_turn().
/// False: the request is noted, and OidQueue::deliver_in_turn() is called when it may be.
bool begin_turn(Adapter& adapter) noexcept;
void end_turn(Adapter& adapter);
bool request_waits(Adapter& adapter) noexcept;
/// A Send leg is over: the protocol is called (or the part of a list is accounted for). No gate of the
/// adapter is touched before.
void finish_send(NDIS_PACKET* packet, Hop& hop, NDIS_STATUS status);
/// MiniportReturnPacket, in its turn if the driver is serialized.
void return_packet(Adapter& adapter, NDIS_PACKET* packet);
/// Delivers one packet, on a Receive leg, to one 5.x binding. True: the binding was called.
bool deliver5(Binding& to, NDIS_PACKET* packet, Hop& hop);
void call_receive_complete(Binding& to);
/// Ends the indication of a packet (NDIS' own use of it); the last use gives it back.
void release(NDIS_PACKET* packet, Hop& hop);

// ---- across the border (translate.cpp) ----

/// A 5.x packet as a list for a 6.x driver; nullptr: no memory.
NET_BUFFER_LIST* list_for(NDIS_PACKET* packet, bool send) noexcept;
/// A buffer of a list as a packet for a 5.x driver; nullptr: no memory.
NDIS_PACKET* packet_for(NET_BUFFER_LIST* list, NET_BUFFER* buffer, bool send) noexcept;
void free_translation(NET_BUFFER_LIST* list) noexcept;
void free_translation(NDIS_PACKET* packet) noexcept;
/// A list, on a Send leg, to a 5.x miniport: a packet for each of its buffers.
void send_as_packets(NET_BUFFER_LIST* chain);
/// What a miniport says of a part of a list that it has sent, and of all of them, to the sender of the list.
void note_part_sent(NDIS_PACKET* packet, Hop& sent) noexcept;
void note_all_sent(NET_BUFFER_LIST* list, const Hop& sent) noexcept;
/// Packets of a 5.x binding, on a Send leg, to filters or a 6.x miniport.
void send_as_lists(Adapter& adapter, NDIS_PACKET** packets, UINT count);
/// Whether packets of 5.x bindings go down as lists.
bool sends_as_lists(const Adapter& adapter) noexcept;
/// A list, on a Receive leg that holds it, to one 5.x binding: a use for each of its buffers.
void deliver_as_packets(Binding& to, NET_BUFFER_LIST* list, bool resources);

// ---- loopback (loopback.cpp) ----

/// Indicates to bindings on the same adapter what is about to be sent. `to_self`: the sender asked for it.
void loop_back(Binding& from, const Frame& frame, bool to_self);
/// Whether anyone could get loopback data at all: asked once a chain.
bool loops_back(const Binding& from, bool to_self);

/// A binding's ProtocolReceive call that runs now: what NdisTransferData and NdisGetReceivedPacket look up.
struct RunningReceive {
  RunningReceive(Binding& binding, NDIS_HANDLE context, NDIS_PACKET* packet, UINT header_size) noexcept;
  ~RunningReceive();
  RunningReceive(const RunningReceive&) = delete;
  RunningReceive& operator=(const RunningReceive&) = delete;

  Binding& binding;
  NDIS_HANDLE const context;  ///< as the protocol sees it
  NDIS_PACKET* const packet;  ///< nullptr: the miniport has the data, MiniportTransferData gets it
  const UINT header_size;
  RunningReceive* next = nullptr;
};
/// nullptr: no such call runs.
RunningReceive* find_running(Binding& binding, NDIS_HANDLE context) noexcept;

/// ProtocolReceive of a 5.x binding, at DISPATCH_LEVEL.
void call_receive5(Binding& to, NDIS_HANDLE context, NDIS_PACKET* packet, void* header, UINT header_size,
                   void* lookahead, UINT lookahead_size, UINT packet_size);

/// Calls a data function of a 5.x driver: with nothing around it but a frame while it is not watched, and a
/// schedule point that is passed now and then.
template <class R, class... A, class... B>
R call_data(kernel::Driver& driver, const kernel::CallbackInfo& info, const void* object,
            const kernel::callback<R(A...)>& target, B&&... args) {
  if (!goes_quickly()) [[unlikely]]
    return kernel::call_driver(&driver, info, object, nullptr, target, std::forward<B>(args)...);
  kernel::CallFrame frame;
  frame.name = info.name;
  frame.driver = &driver;
  frame.object = object;
  const kernel::FrameScope scope(frame);
  kernel::passing_point(info.name);
  return target(static_cast<A>(std::forward<B>(args))...);
}

/// Keeps a binding or an adapter from being closed or halted while one of its driver's data functions runs.
class InCall {
 public:
  explicit InCall(Gate& gate) noexcept : gate_(gate), inside_(gate.enter()) {}
  ~InCall() {
    if (inside_) gate_.leave();
  }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;
  explicit operator bool() const noexcept { return inside_; }

 private:
  Gate& gate_;
  const bool inside_;
};

}  // namespace undis::data_path
