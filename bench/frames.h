// SPDX-License-Identifier: MIT
//
// What travels: net buffer lists and packets of one frame each, as a driver keeps them. Free ones stand in a
// row; a chain is taken from it, and put back one by one when it is back.
//
// Whoever takes a chain has put the address of its row into ProtocolReserved[0] and MiniportReserved[0] of
// each list (ProtocolReserved and MiniportReserved of each packet), so that the end of the way finds it.
// Touched   one end writes each byte of a frame, the other end reads each byte.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include <ndis.h>

namespace undis::bench {

// ---- the bytes ----

struct Bytes {
  std::uint8_t* data;
  std::size_t size;
};

inline Bytes bytes_of(const MDL* mdl, std::size_t offset, std::size_t size) noexcept {
  return {static_cast<std::uint8_t*>(mdl->StartVa) + mdl->ByteOffset + offset, size};
}
/// Of a list with one buffer of one MDL.
inline Bytes bytes_of(const NET_BUFFER_LIST* list) noexcept {
  const NET_BUFFER* const buffer = list->FirstNetBuffer;
  return bytes_of(buffer->CurrentMdl, buffer->CurrentMdlOffset, buffer->DataLength);
}
/// Of a packet with one buffer.
inline Bytes bytes_of(const NDIS_PACKET* packet) noexcept {
  return bytes_of(packet->Private.Head, 0, packet->Private.Head->ByteCount);
}

/// Where what was read goes, so that reading is not left out.
extern thread_local std::uint64_t sum_of_read;

template <class Item>
void write_frame(const Item* item, std::uint8_t value) noexcept {
  const Bytes bytes = bytes_of(item);
  std::memset(bytes.data, value, bytes.size);
}
template <class Item>
void read_frame(const Item* item) noexcept {
  const Bytes bytes = bytes_of(item);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size; ++i) sum += bytes.data[i];
  sum_of_read += sum;
}
// Calls of their own: inlined, they cost a handler that touches nothing its registers.
[[gnu::noinline]] inline void write_chain(const NET_BUFFER_LIST* chain, std::uint8_t value) noexcept {
  for (; chain != nullptr; chain = chain->Next) write_frame(chain, value);
}
[[gnu::noinline]] inline void read_chain(const NET_BUFFER_LIST* chain) noexcept {
  for (; chain != nullptr; chain = chain->Next) read_frame(chain);
}

// ---- net buffer lists ----

class Lists {
 public:
  /// `count` lists of a pool of `owner`, an adapter or a binding.
  Lists(NDIS_HANDLE owner, std::size_t count, std::size_t bytes);
  /// The same of plain memory, for a model without NDIS.
  Lists(std::size_t count, std::size_t bytes);
  ~Lists();
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;

  /// A chain of `count` of the free ones, of which there are that many.
  NET_BUFFER_LIST* take(std::size_t count) noexcept {
    NET_BUFFER_LIST* const first = free_;
    NET_BUFFER_LIST* last = first;
    for (std::size_t i = 1; i < count; ++i) last = last->Next;
    free_ = last->Next;
    last->Next = nullptr;
    free_count_.store(free_count_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
    return first;
  }
  /// To where its first list is from; all of a chain are from one row.
  static void put_back(void* row, NET_BUFFER_LIST* chain) noexcept {
    static_cast<Lists*>(row)->put_back(chain);
  }
  /// Also for who waits until another thread has put the last one back.
  std::size_t free_count() const noexcept { return free_count_.load(std::memory_order_acquire); }

 private:
  struct Plain;
  void own(NET_BUFFER_LIST* list) noexcept;
  void put_back(NET_BUFFER_LIST* chain) noexcept {
    std::size_t count = free_count_.load(std::memory_order_relaxed);
    NET_BUFFER_LIST* first = free_;
    while (chain != nullptr) {
      NET_BUFFER_LIST* const next = chain->Next;
      chain->Next = first;
      first = chain;
      ++count;
      chain = next;
    }
    free_ = first;
    free_count_.store(count, std::memory_order_release);
  }
  NDIS_HANDLE pool_ = nullptr;
  std::vector<Plain> plain_;
  NET_BUFFER_LIST* free_ = nullptr;
  std::atomic<std::size_t> free_count_{0};
};

// ---- packets of NDIS 5 ----

class Packets {
 public:
  /// `count` packets of a pool.
  Packets(std::size_t count, std::size_t bytes, bool from_pool);
  ~Packets();
  Packets(const Packets&) = delete;
  Packets& operator=(const Packets&) = delete;

  /// The next `count` of the free ones, in an array that is good until the next call.
  NDIS_PACKET** take(std::size_t count) noexcept {
    free_count_ -= count;
    std::memcpy(taken_.data(), free_.data() + free_count_, count * sizeof(NDIS_PACKET*));
    return taken_.data();
  }
  static void put_back(void* row, NDIS_PACKET* packet) noexcept {
    auto& packets = *static_cast<Packets*>(row);
    packets.free_[packets.free_count_++] = packet;
  }
  /// Where a packet's row stands: a protocol's own (sends) and a miniport's own (receives).
  static void* row_of_sent(const NDIS_PACKET* packet) noexcept {
    return pointer_at(packet->ProtocolReserved);
  }
  static void* row_of_indicated(const NDIS_PACKET* packet) noexcept {
    return pointer_at(packet->MiniportReserved);
  }
  std::size_t free_count() const noexcept { return free_count_; }

 private:
  static void* pointer_at(const UCHAR* bytes) noexcept {
    void* pointer = nullptr;
    std::memcpy(&pointer, bytes, sizeof(pointer));
    return pointer;
  }
  NDIS_HANDLE packets_ = nullptr;
  NDIS_HANDLE buffers_ = nullptr;
  std::vector<std::uint8_t> data_;
  std::vector<std::unique_ptr<std::uint8_t[]>> plain_;
  std::vector<MDL> plain_buffers_;
  std::vector<NDIS_PACKET*> free_;
  std::vector<NDIS_PACKET*> taken_;
  std::size_t free_count_ = 0;
};

}  // namespace undis::bench
