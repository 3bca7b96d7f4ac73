// SPDX-License-Identifier: MIT
//
// examples/proto5 above a miniport of NDIS 5 that indicates with lookahead: it fetches the rest of each
// question by NdisTransferData, at once or later, and answers.
#include <algorithm>

#include "kernel/pool.h"
#include "loader/image.h"
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
constexpr auto kPending = static_cast<NDIS_STATUS>(NDIS_STATUS_PENDING);

class Proto5 : public Traffic {
 protected:
  void SetUp() override {
    auto opened = loader::Image::open(PROTO5);
    ASSERT_TRUE(opened) << opened.error();
    image = std::move(*opened);
    driver = &system->add_driver("proto5", image->range(), false);
    nic = &start(card(false));
    ASSERT_TRUE(NT_SUCCESS(library->load(*driver, image->entry())));
    settle();
    ASSERT_EQ(nic->adapter->bindings().size(), 1U);
    EXPECT_EQ(nic->adapter->applied_lookahead, 128U);
  }
  void TearDown() override {
    system->run("unload", [&] { library->unload(*driver); });
    settle();
    EXPECT_EQ(system->pool().live_blocks(driver), 0U);
    Traffic::TearDown();
    stop();
    image.reset();
  }
  static Bytes question(std::size_t length) { return frame(1, length, 3); }  // its type is the question's
  static Bytes answer(const Bytes& asked) {
    Bytes bytes = asked;
    std::copy_n(asked.begin() + 6, 6, bytes.begin());
    std::copy_n(kCardAddress, 6, bytes.begin() + 6);
    bytes[13] = 0xB6;
    return bytes;
  }
  void fill(NDIS_PACKET* packet, const Bytes& bytes, UINT offset, UINT count) {
    UINT done = 0;
    for (MDL* mdl = packet->Private.Head; mdl != nullptr && done < count; mdl = mdl->Next) {
      const UINT here = std::min(count - done, mdl->ByteCount);
      std::copy_n(bytes.begin() + 14 + offset + done, here,
                  static_cast<std::uint8_t*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority)));
      done += here;
    }
  }

  std::unique_ptr<loader::Image> image;
  kernel::Driver* driver = nullptr;
  Card* nic = nullptr;
};

TEST_F(Proto5, AnswersWhatItSawAPartOfAndFetched) {
  const Bytes asked = question(700);
  unsigned transfers = 0;
  nic->on_transfer = [&](NDIS_PACKET* packet, UINT* transferred, UINT offset, UINT count) {
    ++transfers;
    fill(packet, asked, offset, count);
    *transferred = count;
    return kSuccess;
  };
  for (const std::size_t lookahead : {std::size_t{20}, std::size_t{128}, asked.size() - 14}) {
    nic->sent.clear();
    nic->indicate_lookahead(asked, lookahead);
    settle();
    EXPECT_EQ(nic->sent, std::vector<Bytes>{answer(asked)}) << lookahead;
  }
  EXPECT_EQ(transfers, 2U) << "what was shown whole needs no transfer";
}

TEST_F(Proto5, AnswersWhenAPendedTransferIsComplete) {
  const Bytes asked = question(300);
  NDIS_PACKET* pended = nullptr;
  UINT from = 0;
  UINT wanted = 0;
  nic->on_transfer = [&](NDIS_PACKET* packet, UINT*, UINT offset, UINT count) {
    pended = packet;
    from = offset;
    wanted = count;
    return kPending;
  };
  nic->indicate_lookahead(asked, 64);
  settle();
  ASSERT_NE(pended, nullptr);
  EXPECT_TRUE(nic->sent.empty());
  fill(pended, asked, from, wanted);
  as(nic->driver, [&] { NdisMTransferDataComplete(nic->handle, pended, NDIS_STATUS_SUCCESS, wanted); });
  settle();
  EXPECT_EQ(nic->sent, std::vector<Bytes>{answer(asked)});
}

TEST_F(Proto5, LeavesAloneWhatAFailedTransferDidNotBring) {
  nic->on_transfer = [](NDIS_PACKET*, UINT* transferred, UINT, UINT) {
    *transferred = 0;
    return static_cast<NDIS_STATUS>(NDIS_STATUS_FAILURE);
  };
  nic->indicate_lookahead(question(300), 64);
  settle();
  EXPECT_TRUE(nic->sent.empty());
}

}  // namespace
}  // namespace undis::test
