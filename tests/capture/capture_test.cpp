// SPDX-License-Identifier: MIT
//
// A capture goes through an intermediate driver of NDIS 5.1, which is built from its sources as anybody would
// build it, both ways and byte for byte: between neighbours of either generation, once and twice, with
// packets that come back late, that are only lent (NDIS_STATUS_RESOURCES), that are cancelled on their way,
// or that are only looked at.
#include <algorithm>
#include <string>
#include <vector>

#include "kernel/pool.h"
#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "links/pcap/pcap.h"
#include "loader/image.h"
#include "ndis/strings.h"
#include "ndis/traffic_testing.h"

namespace undis::test {
namespace {

constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
constexpr auto kAborted = static_cast<NDIS_STATUS>(NDIS_STATUS_REQUEST_ABORTED);
constexpr std::size_t kChunk = 16;

struct Collector final : LinkSink {
  void receive(FrameView frame) override { frames.emplace_back(frame.begin(), frame.end()); }
  void changed(const LinkInfo&) override {}
  std::vector<Bytes> frames;
};

/// The frames of the capture, read once.
const std::vector<Bytes>& capture() {
  static const std::vector<Bytes> frames = [] {
    links::PcapOptions options;
    options.in = CAPTURE;
    options.clock = [] { return std::uint64_t{0}; };
    std::string error;
    const auto link = links::PcapLink::open(options, error);
    Collector collector;
    if (link == nullptr || link->attach(collector) != LinkStatus::Ok) {
      ADD_FAILURE() << error;
      return collector.frames;
    }
    while (link->deliver_next()) {
    }
    link->detach();
    return collector.frames;
  }();
  return frames;
}

struct Stack {
  const char* name;
  bool version6;           ///< card and protocol
  unsigned intermediates;  ///< one on the other
};
enum class Handling { Plain, Late, Resources, Cancelled, Lookahead };
const char* name_of(Handling handling) {
  constexpr const char* kNames[] = {"Plain", "ComesBackLate", "Resources", "Cancelled", "Lookahead"};
  return kNames[static_cast<int>(handling)];
}

class ThroughPassthru5 : public Traffic, public ::testing::WithParamInterface<std::tuple<Stack, Handling>> {
 protected:
  static Stack stack() { return std::get<0>(GetParam()); }
  static Handling handling() { return std::get<1>(GetParam()); }

  void SetUp() override {
    auto opened = loader::Image::open(PASSTHRU5);
    ASSERT_TRUE(opened) << opened.error();
    image = std::move(*opened);
    ASSERT_EQ(capture().size(), 5932U);
    im = &system->add_driver("passthru5", image->range(), false);

    // The virtual miniport above each adapter that the driver binds to, and who binds where.
    nic = &start(card(stack().version6));
    std::vector<std::u16string> adapters{nic->adapter->config().device_name};
    for (unsigned i = 0; i < stack().intermediates; ++i) {
      adapters.push_back(u"\\Device\\v" + kernel::to_utf16(std::to_string(i)));
      system->registry().set_value(protocol_section("passthru5", adapters[i]), u"UpperBindings",
                                   kernel::RegistryValue::string(adapters[i + 1]));
    }
    library->policy.binds = [this, adapters](const ProtocolDriver& p, const Adapter& a) {
      const bool uppermost = a.config().device_name == adapters.back();
      return (&p.driver() == im) != uppermost;
    };
    ASSERT_TRUE(NT_SUCCESS(library->load(*im, image->entry())));
    settle();
    ASSERT_EQ(library->adapters().size(), 1U + stack().intermediates);
    top = &protocol("top", stack().version6, NDIS_PACKET_TYPE_PROMISCUOUS);
    seen.items.clear();
  }

  void TearDown() override {
    system->run("unload", [&] { library->unload(*im); });
    settle();
    EXPECT_EQ(library->adapters().size(), 1U);
    EXPECT_EQ(system->pool().live_blocks(im), 0U);
    Traffic::TearDown();
    stop();
    image.reset();
  }

  /// Gives each stretch of the capture to `move`, in order.
  template <class Move>
  void in_chunks(Move move) {
    const std::vector<Bytes>& frames = capture();
    for (std::size_t at = 0, number = 0; at < frames.size(); at += kChunk, ++number) {
      const std::size_t end = std::min(frames.size(), at + kChunk);
      move(std::vector<Bytes>(frames.begin() + static_cast<std::ptrdiff_t>(at),
                              frames.begin() + static_cast<std::ptrdiff_t>(end)),
           number);
      settle();
      seen.items.clear();
    }
  }

  void send_with_id(const std::vector<Bytes>& frames, void* id) {
    as(top->driver, [&] {
      if (stack().version6) {
        NET_BUFFER_LIST* first = nullptr;
        NET_BUFFER_LIST** end = &first;
        for (const Bytes& bytes : frames) {
          *end = top->make_list({bytes});
          NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(*end, id);
          end = &(*end)->Next;
        }
        NdisSendNetBufferLists(top->handle, first, NDIS_DEFAULT_PORT_NUMBER, 0);
        return;
      }
      std::vector<NDIS_PACKET*> packets;
      for (const Bytes& bytes : frames) {
        packets.push_back(top->make_packet(bytes));
        NDIS_SET_PACKET_CANCEL_ID(packets.back(), id);
      }
      NdisSendPackets(top->handle, packets.data(), static_cast<UINT>(packets.size()));
    });
  }
  void cancel(void* id) {
    as(top->driver, [&] {
      if (stack().version6) {
        NdisCancelSendNetBufferLists(top->handle, id);
      } else {
        NdisCancelSendPackets(top->handle, id);
      }
    });
  }
  /// What the card holds bears this id: it is what a real card looks for.
  std::size_t held_with(void* id) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(nic->held_packets,
                              [&](NDIS_PACKET* p) { return NDIS_GET_PACKET_CANCEL_ID(p) == id; }) +
        std::ranges::count_if(nic->held_lists, [&](NET_BUFFER_LIST* l) {
          return NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(l) == id;
        }));
  }

  std::unique_ptr<loader::Image> image;
  kernel::Driver* im = nullptr;
  Card* nic = nullptr;
  Protocol* top = nullptr;
};

TEST_P(ThroughPassthru5, TheCaptureGoesDown) {
  if (handling() == Handling::Cancelled) {
    nic->hold_sends = true;
    std::vector<Bytes> arrived;
    in_chunks([&](const std::vector<Bytes>& frames, std::size_t number) {
      void* const id = reinterpret_cast<void*>(0x1000 + number);
      for (const bool cancelled : {true, false}) {  // cancelled in flight; then sent again, for good
        if (cancelled && number % 2 == 0) continue;
        top->completed.clear();
        nic->sent.clear();
        send_with_id(frames, id);
        ASSERT_EQ(held_with(id), frames.size());
        if (cancelled) {
          nic->cancelled.clear();
          cancel(id);
          ASSERT_EQ(nic->cancelled, (std::vector<void*>{id}));
        } else {
          arrived.insert(arrived.end(), nic->sent.begin(), nic->sent.end());
        }
        const NDIS_STATUS status = cancelled ? kAborted : kSuccess;
        nic->complete_held(status);
        ASSERT_EQ(top->completed, std::vector<NDIS_STATUS>(frames.size(), status));
      }
    });
    EXPECT_TRUE(arrived == capture());
    return;
  }
  nic->hold_sends = handling() == Handling::Late;
  in_chunks([&](const std::vector<Bytes>& frames, std::size_t) {
    top->send(frames);
    if (nic->hold_sends) {
      ASSERT_EQ(nic->held_lists.size() + nic->held_packets.size(), frames.size());
      nic->complete_held();
    }
  });
  EXPECT_TRUE(nic->sent == capture());
  EXPECT_EQ(top->completed, std::vector<NDIS_STATUS>(capture().size(), kSuccess));
}

TEST_P(ThroughPassthru5, TheCaptureComesUp) {
  if (handling() == Handling::Lookahead) {
    if (stack().version6) GTEST_SKIP() << "only a miniport of NDIS 5 indicates with lookahead";
    const Bytes* current = nullptr;
    nic->on_transfer = [&](NDIS_PACKET* packet, UINT* transferred, UINT offset, UINT count) {
      UINT done = 0;
      for (MDL* mdl = packet->Private.Head; mdl != nullptr && done < count; mdl = mdl->Next) {
        const UINT here = std::min(count - done, mdl->ByteCount);
        std::copy_n(current->begin() + 14 + offset + done, here,
                    static_cast<std::uint8_t*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority)));
        done += here;
      }
      *transferred = done;
      return kSuccess;
    };
    in_chunks([&](const std::vector<Bytes>& frames, std::size_t) {
      for (const Bytes& bytes : frames) {
        current = &bytes;
        nic->indicate_lookahead(bytes, std::min<std::size_t>(bytes.size() - 14, 64));
      }
    });
    EXPECT_TRUE(top->received == capture());
    return;
  }
  const bool resources = handling() == Handling::Resources;
  top->keep = handling() == Handling::Late;
  in_chunks([&](const std::vector<Bytes>& frames, std::size_t) {
    nic->returned.clear();
    nic->indicate(frames, resources ? NDIS_RECEIVE_FLAGS_RESOURCES : 0U);
    if (top->keep) {
      ASSERT_TRUE(nic->returned.empty()) << "the card has back what the protocol still holds";
      top->return_kept();
    }
    settle();
    ASSERT_EQ(nic->returned.size(), resources ? 0U : frames.size());
    ASSERT_TRUE(resources || nic->returned == frames) << "the card's own packets came back changed";
  });
  EXPECT_TRUE(top->received == capture());
}

INSTANTIATE_TEST_SUITE_P(
    Capture, ThroughPassthru5,
    ::testing::Combine(::testing::Values(Stack{"Among5", false, 1}, Stack{"Between6", true, 1},
                                         Stack{"TwiceAmong5", false, 2}, Stack{"TwiceBetween6", true, 2}),
                       ::testing::Values(Handling::Plain, Handling::Late, Handling::Resources,
                                         Handling::Cancelled, Handling::Lookahead)),
    [](const auto& of) { return std::string(std::get<0>(of.param).name) + name_of(std::get<1>(of.param)); });

}  // namespace
}  // namespace undis::test
