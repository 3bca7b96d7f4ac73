// SPDX-License-Identifier: MIT
//
// The drivers of the bare model.
#include "bare.h"

#include <utility>

#include "middle.h"
#include "ndis/nbl_pool.h"
#include "parts.h"

namespace undis::bench {
namespace {

// ---- the entry points ----

void go_ahead(BareNode& from, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  from.next->ahead(*from.next, chain, port, flags);
  stay();
}
void go_back(BareNode& from, NET_BUFFER_LIST* chain, ULONG flags) {
  from.previous->back(*from.previous, chain, flags);
  stay();
}

// ---- the drivers ----

/// A filter.
void pass_ahead(BareNode& node, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  imports.ahead(node, chain, port, flags);
  stay();
}
void pass_back(BareNode& node, NET_BUFFER_LIST* chain, ULONG flags) {
  imports.back(node, chain, flags);
  stay();
}

/// The end of the way: it completes, or returns.
void end(BareNode& node, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER, ULONG) {
  if (node.touched) read_chain(chain);
  if (node.completes)
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next)
      list->Status = NDIS_STATUS_SUCCESS;
  imports.back(node, chain, 0);
}
/// The beginning of the way: it has its lists back.
void put_back_sent(BareNode&, NET_BUFFER_LIST* chain, ULONG) {
  Lists::put_back(chain->ProtocolReserved[0], chain);
}
void put_back_indicated(BareNode&, NET_BUFFER_LIST* chain, ULONG) {
  Lists::put_back(chain->MiniportReserved[0], chain);
}

// ---- intermediate drivers ----

void forward(BareNode& node, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
    list->Context->Offset = static_cast<USHORT>(list->Context->Offset - kNote);
    note_of(list).source = std::exchange(list->SourceHandle, node.source);
  }
  imports.ahead(node, chain, port, flags);
}
void forward_back(BareNode& node, NET_BUFFER_LIST* chain, ULONG flags) {
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) {
    list->SourceHandle = note_of(list).source;
    list->Context->Offset = static_cast<USHORT>(list->Context->Offset + kNote);
  }
  imports.back(node, chain, flags);
}

/// What its makers keep stays: where the buffer and the MDL of the block are.
void initialize(NET_BUFFER_LIST& list, NET_BUFFER& buffer) {
  MDL* const mdl = buffer.MdlChain;
  undis::detail::set_zero<sizeof(list)>(&list);  // what the compiler makes of `list = {}` is slower
  undis::detail::set_zero<sizeof(buffer)>(&buffer);
  list.FirstNetBuffer = &buffer;
  buffer.MdlChain = mdl;
}
/// What a clone is: a list and a buffer that describe the original's data. `mdls`: with an MDL of its own.
/// `stale`: what the last user left in them stays.
template <bool mdls, bool stale>
void clone(BareNode& node, NET_BUFFER_LIST* chain, NDIS_PORT_NUMBER port, ULONG flags) {
  Chain clones;
  for (NET_BUFFER_LIST* list = chain; list != nullptr;) {
    NET_BUFFER_LIST* const next = list->Next;
    NET_BUFFER_LIST* const copy = node.clones.back();
    node.clones.pop_back();
    const NET_BUFFER& from = *list->FirstNetBuffer;
    NET_BUFFER& to = *copy->FirstNetBuffer;
    if constexpr (!stale) initialize(*copy, to);
    if constexpr (mdls) {
      *to.MdlChain = *from.MdlChain;
      to.CurrentMdl = to.MdlChain;
    } else {
      to.MdlChain = from.MdlChain;
      to.CurrentMdl = from.CurrentMdl;
    }
    to.CurrentMdlOffset = from.CurrentMdlOffset;
    to.DataOffset = from.DataOffset;
    to.DataLength = from.DataLength;
    copy->SourceHandle = node.source;
    copy->ParentNetBufferList = list;
    clones.append(copy);
    list = next;
  }
  imports.ahead(node, clones.end(), port, flags);
}
auto clones_ahead(bool with_mdls, BareStack::Clones kind) {
  if (kind == BareStack::Clones::Stale) return with_mdls ? &clone<true, true> : &clone<false, true>;
  return with_mdls ? &clone<true, false> : &clone<false, false>;
}
void clone_back(BareNode& node, NET_BUFFER_LIST* chain, ULONG flags) {
  Chain originals;
  while (chain != nullptr) {
    NET_BUFFER_LIST* const next = chain->Next;
    NET_BUFFER_LIST* const original = chain->ParentNetBufferList;
    original->Status = chain->Status;
    node.clones.push_back(chain);
    originals.append(original);
    chain = next;
  }
  imports.back(node, originals.end(), flags);
}

// ---- NDIS 5 ----

void send_packets(BareStack5& stack, NDIS_PACKET** packets, UINT count) {
  for (UINT i = 0; i < count; ++i) {
    if (stack.touched) read_frame(packets[i]);
    stack.each(stack, packets[i]);
  }
}
void put_sent_packet_back(BareStack5&, NDIS_PACKET* packet) {
  Packets::put_back(Packets::row_of_sent(packet), packet);
}
void indicate_packets(BareStack5& stack, NDIS_PACKET** packets, UINT count) {
  for (UINT i = 0; i < count; ++i) stack.each(stack, packets[i]);
  stack.over(stack);
}
void keep_packet(BareStack5& stack, NDIS_PACKET* packet) {
  if (stack.touched) read_frame(packet);
  stack.kept.push_back(packet);
}
void return_kept(BareStack5& stack) {
  for (NDIS_PACKET* const packet : stack.kept) stack.returned(stack, packet);
  stack.kept.clear();
}
void put_indicated_packet_back(BareStack5&, NDIS_PACKET* packet) {
  Packets::put_back(Packets::row_of_indicated(packet), packet);
}

}  // namespace

constinit const BareImports imports{&go_ahead, &go_back};

BareStack::BareStack(unsigned filters, Middle middle, bool sends, bool touched, std::size_t clones,
                     Clones kind) {
  const auto add = [this](auto ahead, auto back) -> BareNode& {
    nodes_.push_back(std::make_unique<BareNode>());
    nodes_.back()->ahead = ahead;
    nodes_.back()->back = back;
    return *nodes_.back();
  };
  add(nullptr, sends ? &put_back_sent : &put_back_indicated);
  for (unsigned i = 0; i < filters; ++i) add(&pass_ahead, &pass_back);
  if (middle == Middle::Forwards) {
    add(&forward, &forward_back).source = this;
  } else if (middle != Middle::None) {
    BareNode& node = add(clones_ahead(middle == Middle::Clones, kind), &clone_back);
    node.source = this;
    clones_ = std::make_unique<Lists>(clones, 1);
    for (std::size_t i = 0; i < clones; ++i) node.clones.push_back(clones_->take(1));
  }
  BareNode& last = add(&end, nullptr);
  last.touched = touched;
  last.completes = sends;
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    nodes_[i]->previous = nodes_[i - 1].get();
    nodes_[i - 1]->next = nodes_[i].get();
  }
}

BareStack5::BareStack5(bool sends, bool touches) : touched(touches) {
  first = sends ? &send_packets : &indicate_packets;
  each = sends ? &put_sent_packet_back : &keep_packet;
  over = &return_kept;
  returned = &put_indicated_packet_back;
}

}  // namespace undis::bench
