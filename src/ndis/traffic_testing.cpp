// SPDX-License-Identifier: MIT
//
// The world of the data path's tests, and the frames in it.
#include "ndis/traffic_testing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernel/pool.h"
#include "kernel/unicode.h"
#include "kernel/watch_testing.h"
#include "ndis/buffer_pool.h"
#include "ndis/strings.h"
#include "ndis/traffic_testing_parts.h"

namespace undis::test {
void* copy_of(const Bytes& bytes, std::size_t before, std::size_t after) {
  auto* const data = static_cast<std::uint8_t*>(
      ExAllocatePoolWithTag(NonPagedPoolNx, before + bytes.size() + after + 1, kTag));
  std::memset(data, 0xEE, before + bytes.size() + after + 1);
  std::memcpy(data + before, bytes.data(), bytes.size());
  return data;
}

NDIS_HANDLE make_list_pool(NDIS_HANDLE handle, bool with_buffer) {
  NET_BUFFER_LIST_POOL_PARAMETERS p{};
  p.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
              NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  p.fAllocateNetBuffer = with_buffer ? TRUE : FALSE;
  p.PoolTag = kTag;
  return NdisAllocateNetBufferListPool(handle, &p);
}

NDIS_PACKET* packet_of(NDIS_HANDLE packets, NDIS_HANDLE buffers, const Bytes& bytes) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NDIS_PACKET* packet = nullptr;
  NdisAllocatePacket(&status, &packet, packets);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  if (packet == nullptr) return nullptr;
  auto* const data = static_cast<std::uint8_t*>(copy_of(bytes));
  const std::size_t first = bytes.size() < 20 ? bytes.size() : 20;
  NDIS_BUFFER* buffer = nullptr;
  NdisAllocateBuffer(&status, &buffer, buffers, data, static_cast<UINT>(first));
  NdisChainBufferAtBack(packet, buffer);
  if (bytes.size() > first) {
    NdisAllocateBuffer(&status, &buffer, buffers, data + first, static_cast<UINT>(bytes.size() - first));
    NdisChainBufferAtBack(packet, buffer);
  }
  std::memcpy(packet->ProtocolReserved, &data, sizeof(data));
  return packet;
}

void free_packet_of(NDIS_PACKET* packet) {
  void* data = nullptr;
  std::memcpy(&data, packet->ProtocolReserved, sizeof(data));
  for (;;) {
    NDIS_BUFFER* buffer = nullptr;
    NdisUnchainBufferAtFront(packet, &buffer);
    if (buffer == nullptr) break;
    NdisFreeBuffer(buffer);
  }
  NdisFreePacket(packet);
  ExFreePoolWithTag(data, kTag);
}

Bytes frame(unsigned to, std::size_t length, unsigned seed) {
  Bytes bytes(14 + length);
  if (to == 0xFF) {
    std::fill_n(bytes.begin(), 6, std::uint8_t{0xFF});
  } else if (to >= 0x100) {
    const std::uint8_t group[6] = {0x01, 0, 0x5E, 0, 0, static_cast<std::uint8_t>(to)};
    std::copy_n(group, 6, bytes.begin());
  } else {
    std::copy_n(kCardAddress, 5, bytes.begin());
    bytes[5] = static_cast<std::uint8_t>(to);
  }
  bytes[6] = 0x02;
  bytes[11] = 0x99;
  bytes[12] = 0x88;
  bytes[13] = 0xB5;
  for (std::size_t i = 0; i < length; ++i) bytes[14 + i] = static_cast<std::uint8_t>(i * 7 + seed * 13 + 1);
  return bytes;
}

Bytes bytes_of_buffer(const NET_BUFFER* buffer) {
  Bytes bytes(buffer->DataLength);
  EXPECT_EQ(copy_out(bytes.data(), buffer->CurrentMdl, buffer->CurrentMdlOffset, bytes.size()), bytes.size());
  return bytes;
}

Bytes bytes_of_list(const NET_BUFFER_LIST* list) {
  Bytes all;
  for (const NET_BUFFER* buffer = list->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    const Bytes some = bytes_of_buffer(buffer);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Bytes bytes_of_packet(NDIS_PACKET* packet) {
  UINT total = 0;
  NDIS_BUFFER* first = nullptr;
  NdisQueryPacket(packet, nullptr, nullptr, &first, &total);
  Bytes bytes(total);
  EXPECT_EQ(copy_out(bytes.data(), first, 0, total), total);
  return bytes;
}

// ---- the world ----

void Traffic::restart(const char* schedule) {
  stop();
  machine = std::make_unique<machine::Simulated>(*machine::Schedule::parse(schedule));
  system = std::make_unique<kernel::System>(*machine, seen, watch_wanted());
  library = std::make_unique<Library>(*system, seen);
}

void Traffic::stop() {
  protocols.clear();
  cards.clear();
  library.reset();
  system.reset();
  machine.reset();
}

Card& Traffic::card(bool version6) {
  cards.push_back(std::make_unique<Card>(*this, version6));
  return *cards.back();
}

Card& Traffic::start(Card& card) {
  Card::loading = &card;
  if (card.driver.phase() == kernel::DriverPhase::Loaded) {  // the other half of a driver that is there
    as(card.driver,
       [&] { EXPECT_TRUE(NT_SUCCESS(card.entry(card.driver.object(), card.driver.registry_path()))); });
  } else {
    EXPECT_TRUE(NT_SUCCESS(library->load(
        card.driver, +[](PDRIVER_OBJECT object, PUNICODE_STRING path) -> NTSTATUS {
          return Card::loading->entry(object, path);
        })));
  }
  AdapterConfig config;
  config.name = card.driver.name();
  config.device_name = u"\\Device\\" + kernel::to_utf16(config.name);
  card.adapter = library->add_adapter(*library->miniport_drivers_of(card.driver).front(), config);
  EXPECT_EQ(start_stack(*card.adapter), NDIS_STATUS_SUCCESS);
  settle();
  return card;
}

Protocol& Traffic::protocol(std::string name, bool version6, ULONG filter) {
  auto made = std::make_unique<Protocol>(*this, std::move(name), version6);
  if (made->name.ends_with("-lookahead")) made->receive_packet = false;
  Protocol& p = *made;
  protocols.push_back(std::move(made));
  Protocol::loading = &p;
  EXPECT_TRUE(NT_SUCCESS(library->load(
      p.driver, +[](PDRIVER_OBJECT, PUNICODE_STRING) -> NTSTATUS { return Protocol::loading->entry(); })));
  settle();
  EXPECT_NE(p.handle, nullptr);
  if (filter != 0) p.set_filter(filter);
  return p;
}

void Traffic::as(kernel::Driver& driver, const std::function<void()>& body) {
  static constexpr kernel::CallbackInfo info{"TestCallback", HIGH_LEVEL, true};
  using Body = const std::function<void()>;
  kernel::call_driver(&driver, info, nullptr, nullptr,
                      kernel::callback<void(Body*)>([](Body* code) { (*code)(); }), &body);
}

void Traffic::TearDown() {
  if (!tears_down || library == nullptr) return;
  for (const auto& card : cards) {
    if (!card->adapter) continue;
    Card::loading = card.get();
    remove_device(*card->adapter);
    card->adapter = nullptr;
  }
  settle();
  EXPECT_EQ(seen.told, expected);
  for (const auto& protocol : protocols) {
    for (const Ref<DriverPool>& pool : library->items().pools_of(protocol->driver))
      EXPECT_EQ(pool->live(), 0U) << protocol->name << ": " << pool->name();
    EXPECT_EQ(system->pool().live_blocks(&protocol->driver), 0U) << protocol->name;
  }
  for (const auto& card : cards) {
    for (const Ref<DriverPool>& pool : library->items().pools_of(card->driver))
      EXPECT_EQ(pool->live(), 0U) << "card: " << pool->name();
    EXPECT_EQ(system->pool().live_blocks(&card->driver), 0U) << "card";
  }
  EXPECT_EQ(library->items().own_live(), 0U) << "NDIS' own items are left";
}

}  // namespace undis::test
