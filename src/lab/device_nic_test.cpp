// SPDX-License-Identifier: MIT
//
// The simulated card, programmed by hand: rings, filters, scaling, interrupts; and the hash, by the published
// vectors.
#include "lab/device_nic.h"

#include <cstring>

#include <gtest/gtest.h>

#include "kernel/scheduling.h"
#include "lab/installation.h"
#include "links/memory/memory.h"

namespace undis::lab {
namespace {

// network/verifying-the-rss-hash-calculation: the key and the vectors for IPv4 and IPv6.
constexpr HashKey kKey{0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
                       0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
                       0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

struct Vector {
  std::array<std::uint8_t, 4> source;
  std::uint16_t source_port;
  std::array<std::uint8_t, 4> target;
  std::uint16_t target_port;
  std::uint32_t addresses;
  std::uint32_t with_ports;
};
constexpr Vector kVectors[] = {
    {{66, 9, 149, 187}, 2794, {161, 142, 100, 80}, 1766, 0x323e8fc2, 0x51ccc178},
    {{199, 92, 111, 2}, 14230, {65, 69, 140, 83}, 4739, 0xd718262a, 0xc626b0ea},
    {{24, 19, 198, 95}, 12898, {12, 22, 207, 184}, 38024, 0xd2d0a5de, 0x5c2b394a},
    {{38, 27, 205, 30}, 48228, {209, 142, 163, 6}, 2217, 0x82989176, 0xafc7327f},
    {{153, 39, 163, 191}, 44251, {202, 188, 127, 2}, 1303, 0x5d1809c5, 0x10e828a2},
};

std::vector<std::uint8_t> tcp_frame(const Vector& v, std::uint16_t fragment = 0) {
  std::vector<std::uint8_t> frame(74);
  frame[0] = 0x02;
  frame[5] = 0x01;
  frame[12] = 0x08;
  frame[14] = 0x45;
  frame[20] = static_cast<std::uint8_t>(fragment >> 8);
  frame[21] = static_cast<std::uint8_t>(fragment);
  frame[23] = 6;
  std::ranges::copy(v.source, frame.begin() + 26);
  std::ranges::copy(v.target, frame.begin() + 30);
  frame[34] = static_cast<std::uint8_t>(v.source_port >> 8);
  frame[35] = static_cast<std::uint8_t>(v.source_port);
  frame[36] = static_cast<std::uint8_t>(v.target_port >> 8);
  frame[37] = static_cast<std::uint8_t>(v.target_port);
  return frame;
}

TEST(TheHash, IsThatOfThePublishedVectors) {
  for (const Vector& v : kVectors) {
    const auto frame = tcp_frame(v);
    const FrameHash with_ports = hash_of(frame, kKey, kHashIpv4 | kHashTcpIpv4);
    EXPECT_EQ(with_ports.value, v.with_ports);
    EXPECT_EQ(with_ports.type, kHashTcpIpv4);
    EXPECT_EQ(hash_of(frame, kKey, kHashIpv4).value, v.addresses);
  }
}

TEST(TheHash, OfAFragmentIsThatOfTheAddresses) {
  const FrameHash hash = hash_of(tcp_frame(kVectors[0], 0x2000), kKey, kHashIpv4 | kHashTcpIpv4);
  EXPECT_EQ(hash.type, kHashIpv4);
  EXPECT_EQ(hash.value, kVectors[0].addresses);
}

TEST(TheHash, IsNoneWhereThereIsNothingToHash) {
  const std::vector<std::uint8_t> arp(60);
  EXPECT_EQ(hash_of(arp, kKey, ~0U).type, 0U);
  EXPECT_EQ(hash_of(tcp_frame(kVectors[0]), kKey, kHashIpv6).type, 0U);
  EXPECT_EQ(hash_of(FrameView(arp).first(8), kKey, ~0U).type, 0U);
}

// ---- the card ----

struct Descriptor {
  std::uint64_t address;
  std::uint16_t length;
  std::uint8_t flags;
  std::uint8_t status;
  std::uint32_t hash;
};

class TheCard : public ::testing::Test {
 protected:
  static constexpr std::size_t kRing = 4;

  std::uint32_t in(std::uint64_t offset) { return static_cast<std::uint32_t>(device().read(0, offset, 4)); }
  void out(std::uint64_t offset, std::uint32_t value) { device().write(0, offset, 4, value); }
  void out64(std::uint64_t offset, const void* at) {
    const auto address = reinterpret_cast<std::uint64_t>(at);
    out(offset, static_cast<std::uint32_t>(address));
    out(offset + 4, static_cast<std::uint32_t>(address >> 32));
  }
  kernel::PciDevice& device() { return slot.device(); }
  void map(void* memory, std::size_t size) {
    device().map_dma(reinterpret_cast<std::uint64_t>(memory), size, true, nullptr);
  }

  /// A receive ring of queue `q` with three free buffers.
  void give_receive_ring(unsigned q) {
    map(ring[q], sizeof ring[q]);
    map(buffers[q], sizeof buffers[q]);
    for (std::size_t i = 0; i < kRing; ++i)
      ring[q][i] = {reinterpret_cast<std::uint64_t>(buffers[q][i]), 256, 0, 0, 0};
    out64(0x414 + 0x40 * q, ring[q]);
    out(0x41C + 0x40 * q, kRing);
    out(0x420 + 0x40 * q, kRing - 1);
  }
  void arrive(const std::vector<std::uint8_t>& frame) {
    EXPECT_EQ(wire.inject(frame), LinkStatus::Ok);
    world.system().advance(1'000'000);
  }
  std::vector<std::uint8_t> frame_to(std::initializer_list<std::uint8_t> address) {
    std::vector<std::uint8_t> frame(60);
    std::ranges::copy(address, frame.begin());
    return frame;
  }
  void TearDown() override { EXPECT_TRUE(world.verifier().violations().empty()); }

  World world;
  links::MemoryLink wire{LinkInfo{.mac = {2, 0, 0, 0, 0, 1}}};
  CardSlot slot{world, "card", wire};
  Descriptor ring[DeviceNic::kQueues][kRing] = {};
  std::uint8_t buffers[DeviceNic::kQueues][kRing][256] = {};
};

TEST_F(TheCard, SaysWhoItIs) {
  EXPECT_EQ(in(0), 0x554E4943U);
  EXPECT_EQ(in(8), 0x401U) << "link up, four queues";
  EXPECT_EQ(in(0x14), 0x00000002U);
  EXPECT_EQ(in(0x18), 0x0100U);
  EXPECT_EQ(in(0x20), 1000U);
  EXPECT_EQ(device().read(1, 0, 4), 0x554E4943U) << "by its ports as well";
}

TEST_F(TheCard, TransmitsAFrameOfSeveralPieces) {
  std::uint8_t bytes[64];
  for (std::size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  map(bytes, sizeof bytes);
  map(ring[0], sizeof ring[0]);
  ring[0][0] = {reinterpret_cast<std::uint64_t>(bytes), 20, 0, 0, 0};
  ring[0][1] = {reinterpret_cast<std::uint64_t>(bytes + 20), 44, 1, 0, 0};
  out64(0x400, ring[0]);
  out(0x408, kRing);
  out(0x40C, 1);
  out(0x004, 4);
  world.system().advance(1'000'000);
  EXPECT_TRUE(wire.take().empty()) << "its last piece is not there";
  out(0x40C, 2);
  world.system().advance(1'000'000);
  const auto sent = wire.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(std::memcmp(sent[0].data(), bytes, 64), 0);
  EXPECT_EQ(ring[0][0].status, 1);
  EXPECT_EQ(ring[0][1].status, 1);
  EXPECT_EQ(in(0x410), 2U) << "its head";
  EXPECT_EQ(in(0x00C), 1U) << "the cause";
  out(0x00C, 1);
  EXPECT_EQ(in(0x00C), 0U);
}

TEST_F(TheCard, ReceivesWhatItsFilterTakes) {
  give_receive_ring(0);
  out(0x004, 2);
  arrive(frame_to({2, 0, 0, 0, 0, 1}));
  EXPECT_EQ(ring[0][0].status, 0) << "no filter yet";
  out(0x01C, 0x01 | 0x02 | 0x08);
  arrive(frame_to({2, 0, 0, 0, 0, 1}));
  arrive(frame_to({2, 0, 0, 0, 0, 2}));
  arrive(frame_to({1, 0, 0x5E, 0, 0, 1}));
  EXPECT_EQ(in(0x424), 1U) << "its own address alone";
  EXPECT_EQ(ring[0][0].length, 60);
  EXPECT_EQ(ring[0][0].status, 1);
  out(0x100, 0x005E0001);
  out(0x104, 0x80000100);
  arrive(frame_to({1, 0, 0x5E, 0, 0, 1}));
  arrive(frame_to({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}));
  EXPECT_EQ(in(0x424), 3U);
}

TEST_F(TheCard, KeepsFramesUntilThereAreDescriptorsAndLosesTheRest) {
  out(0x004, 2);
  out(0x01C, 0x20);
  for (int i = 0; i < 70; ++i) arrive(frame_to({2, 0, 0, 0, 0, 1}));
  EXPECT_EQ(in(0x024), 6U);
  give_receive_ring(0);
  world.system().advance(1'000'000);
  EXPECT_EQ(in(0x424), 3U);
}

TEST_F(TheCard, SpreadsFramesByTheirHash) {
  for (unsigned q = 0; q < DeviceNic::kQueues; ++q) give_receive_ring(q);
  for (std::size_t i = 0; i < kKey.size(); ++i) device().write(0, 0x804 + i, 1, kKey[i]);
  for (std::size_t i = 0; i < 128; ++i) device().write(0, 0x880 + i, 1, i % 4);
  out(0x800, 1 | 2 << 1);  // on; TCP over IPv4
  out(0x01C, 0x20);
  out(0x004, 2);
  for (const Vector& v : kVectors) {
    const unsigned queue = v.with_ports % 128 % 4;
    const std::uint32_t before = in(0x424 + 0x40 * queue);
    arrive(tcp_frame(v));
    EXPECT_EQ(in(0x424 + 0x40 * queue), before + 1);
    EXPECT_EQ(ring[queue][before].hash, v.with_ports);
    EXPECT_EQ(ring[queue][before].status, 1 | kHashTcpIpv4 << 4);
  }
}

TEST_F(TheCard, SendsAnArmedMessageOnceAndAssertsTheLineByItsMask) {
  int messages = 0;
  int lines = 0;
  kernel::Interrupts& interrupts = world.system().scheduling().interrupts;
  world.run("test", [&] {
    PKINTERRUPT message = nullptr;
    PKINTERRUPT line = nullptr;
    interrupts.connect(*device().messages()[0], {.service =
                                                     [&] {
                                                       ++messages;
                                                       return true;
                                                     },
                                                 .where = &message});
    interrupts.connect(*device().line(), {.service =
                                              [&] {
                                                ++lines;
                                                out(0x010, 0);
                                                return true;
                                              },
                                          .where = &line});
    give_receive_ring(0);
    out(0x004, 2);
    out(0x01C, 0x20);
    arrive(frame_to({2, 0, 0, 0, 0, 1}));
    EXPECT_EQ(messages, 0);
    out(0x42C, 1);
    world.system().advance(1'000'000);
    EXPECT_EQ(messages, 1) << "what waited comes when it is armed";
    arrive(frame_to({2, 0, 0, 0, 0, 1}));
    EXPECT_EQ(messages, 1) << "once";
    EXPECT_EQ(lines, 0);
    out(0x010, 2);
    world.system().advance(1'000'000);
    EXPECT_EQ(lines, 1);
    interrupts.disconnect(message);
    interrupts.disconnect(line);
  });
}

TEST_F(TheCard, TellsOfItsLink) {
  wire.set_up(false);
  EXPECT_EQ(in(8) & 1, 0U);
  EXPECT_EQ(in(0x00C), 4U);
  wire.set_up(true);
}

}  // namespace
}  // namespace undis::lab
