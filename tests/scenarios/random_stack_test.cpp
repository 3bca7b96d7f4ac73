// SPDX-License-Identifier: MIT
//
// A stack of everything, to which anything happens in any order while frames flow: nothing is lost, nothing
// is told, nothing grows.
//
// The stack   three cards of one miniport driver, an intermediate driver with a virtual miniport over each,
// eight filter drivers, four
//             protocols
// Moves       frames up and down, cables out and in, pause and restart, cards that go and come or are torn
// out, sleep and wake, filters
//             that come into a running stack and leave it, drivers that unload and load
// Steps       UNDIS_SCENARIO_STEPS, or the number that the build says
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kernel/pool.h"
#include "lab/fake_filter.h"
#include "lab/harness_nic.h"
#include "lab/harness_protocol.h"
#include "lab/world.h"
#include "links/memory/memory.h"
#include "loader/image.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/plug_and_play.h"
#include "ndis/power.h"

namespace undis::test {
namespace {

constexpr unsigned kCards = 3;
constexpr unsigned kProtocols = 4;
constexpr unsigned kFilters = 8;
/// So often everything is taken down, and nothing may be left.
constexpr unsigned kStepsPerLife = 5'000;

unsigned steps_wanted() {
  const char* const text = std::getenv("UNDIS_SCENARIO_STEPS");
  return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10))
                         : UNDIS_SCENARIO_DEFAULT_STEPS;
}

/// What is kept in all: what NDIS has on its heap, what drivers have of the pool.
struct Level {
  HeapUse ndis = ndis_heap();
  bool operator==(const Level&) const = default;
};

class Life {
 public:
  Life(std::uint32_t seed, const std::vector<loader::Image*>& images, kernel::Watch watch)
      : random_(seed), images_(images) {
    lab::WorldOptions options;
    options.watch = watch;
    options.schedule = machine::Schedule(seed);
    world_.emplace(options);
    world_->library().policy.binds = [this](const ProtocolDriver& protocol, const Adapter& adapter) {
      // The intermediate driver binds to cards; every protocol binds to everything.
      for (const kernel::Driver* driver : drivers_)
        if (&protocol.driver() == driver) return !adapter.is_virtual();
      return true;
    };
  }

  void run(unsigned steps) {
    in_world("up", [this] { up(); });
    for (unsigned done = 0; done < steps && !::testing::Test::HasFailure(); done += 100) {
      in_world("steps", [this] {
        for (int i = 0; i < 100; ++i) step();
      });
      check();
    }
    in_world("down", [this] { down(); });
    check();
    EXPECT_EQ(world_->library().handles().open_count(), 0U);
    EXPECT_TRUE(world_->library().adapters().empty());
    EXPECT_TRUE(steps < kStepsPerLife || filtered_ > steps / 10) << "filters saw sends";
    for (unsigned move = 0; move < moves_.size(); ++move)
      EXPECT_TRUE(steps < kStepsPerLife || moves_[move] != 0) << "move " << move;
  }

  std::uint64_t frames() const noexcept { return frames_; }

 private:
  void in_world(const char* what, std::function<void()> body) {
    ASSERT_EQ(world_->run(what, std::move(body)), kernel::Outcome::Idle) << what;
    ASSERT_EQ(world_->verifier().violation_lines(), std::vector<std::string>{})
        << what << ", after move " << last_;
  }

  void up() {
    nic_.emplace(*world_);
    for (unsigned i = 0; i < kCards; ++i) {
      LinkInfo info;
      info.mac = {0x02, 0, 0, 0, 1, static_cast<std::uint8_t>(i)};
      wires_.push_back(std::make_unique<links::MemoryLink>(info));
      nic_->plug(card(i), *wires_[i]);
    }
    for (unsigned i = 0; i < kFilters; ++i) {
      filters_[i] =
          std::make_unique<lab::FakeFilter>(world_->system(), world_->library(), fmt::format("filter{}", i));
      if (i % 2 != 0) continue;  // the others come while the stack runs
      ASSERT_EQ(filters_[i]->load(), STATUS_SUCCESS);
    }
    for (loader::Image* image : images_) {
      image->reset();
      drivers_.push_back(&world_->add(*image));
      ASSERT_EQ(world_->library().load(*drivers_.back(), image->entry()), STATUS_SUCCESS) << image->name();
    }
    for (unsigned i = 0; i < kProtocols; ++i) load_protocol(i);
  }

  void down() {
    for (auto& protocol : protocols_)
      if (protocol) protocol->unload();
    for (kernel::Driver* driver : drivers_)
      if (driver->phase() == kernel::DriverPhase::Loaded) world_->library().unload(*driver);
    for (const auto& filter : filters_)
      if (filter->driver().phase() == kernel::DriverPhase::Loaded) filter->unload();
    nic_->unload();
  }

  static std::string card(unsigned i) { return fmt::format("nic{}", i); }

  void load_protocol(unsigned i) {
    protocols_[i] = std::make_unique<lab::HarnessProtocol>(*world_, fmt::format("protocol{}", ++loads_));
  }

  unsigned draw(unsigned below) { return static_cast<unsigned>(random_() % below); }

  std::vector<std::vector<std::uint8_t>> draw_frames() {
    std::vector<std::vector<std::uint8_t>> frames(1 + draw(32));
    for (auto& frame : frames) {
      frame.assign(60 + draw(1'440), static_cast<std::uint8_t>(draw(256)));
      frame[0] = 0x02;
    }
    frames_ += frames.size();
    return frames;
  }

  void step() {
    last_ = draw(100);
    if (last_ < 36) return send();
    if (last_ < 72) return receive();
    if (last_ < 76) return sleep_and_wake();
    if (last_ < 78) return tear_out();
    if (last_ < 82) return load_or_unload_filter();
    if (last_ < 88) return pause_and_restart();
    if (last_ < 92) return unplug_or_plug();
    if (last_ < 94) return cable();
    if (last_ < 97) return reload_protocol();
    return reload_driver();
  }

  void send() {
    ++moves_[0];
    lab::HarnessProtocol& protocol = *protocols_[draw(kProtocols)];
    const std::vector<std::string> adapters = protocol.running();
    if (adapters.empty()) return;
    const auto frames = draw_frames();
    protocol.send(adapters[draw(static_cast<unsigned>(adapters.size()))], {frames.begin(), frames.end()});
  }

  void receive() {
    ++moves_[1];
    links::MemoryLink& wire = *wires_[draw(kCards)];
    for (const auto& frame : draw_frames())
      static_cast<void>(wire.inject(frame));  // nobody there: lost, as on any wire
    static_cast<void>(wire.take());
  }

  void pause_and_restart() {
    ++moves_[2];
    const std::vector<Ref<Adapter>> adapters = world_->library().adapters();
    if (adapters.empty()) return;
    Adapter& adapter = *adapters[draw(static_cast<unsigned>(adapters.size()))];
    const Claimed claimed(adapter.stack);
    if (adapter.removed || !adapter.initialized()) return;
    pause_stack(adapter);
    restart_stack(adapter);
  }

  void unplug_or_plug() {
    ++moves_[3];
    const unsigned i = draw(kCards);
    if (world_->adapter(card(i)))
      nic_->unplug(card(i));
    else
      nic_->plug(card(i), *wires_[i]);
  }

  void cable() {
    ++moves_[4];
    links::MemoryLink& wire = *wires_[draw(kCards)];
    wire.set_up(!wire.info().up);
  }

  void reload_protocol() {
    ++moves_[5];
    const unsigned i = draw(kProtocols);
    protocols_[i]->unload();
    gone_.push_back(protocols_[i]->totals());
    protocols_[i] = nullptr;
    load_protocol(i);
  }

  void sleep_and_wake() {
    ++moves_[7];
    const Ref<Adapter> adapter = world_->adapter(card(draw(kCards)));
    if (!adapter) return;
    const NDIS_DEVICE_POWER_STATE states[] = {NdisDeviceStateD1, NdisDeviceStateD2, NdisDeviceStateD3};
    const NDIS_DEVICE_POWER_STATE to = states[draw(3)];
    const bool agreed = query_power(*adapter, to) == NDIS_STATUS_SUCCESS;
    EXPECT_EQ(set_power(*adapter, agreed ? to : NdisDeviceStateD0), NDIS_STATUS_SUCCESS);
    send();
    receive();
    EXPECT_EQ(set_power(*adapter, NdisDeviceStateD0), NDIS_STATUS_SUCCESS);
  }

  void tear_out() {
    ++moves_[8];
    if (const Ref<Adapter> adapter = world_->adapter(card(draw(kCards))); adapter)
      surprise_remove_device(*adapter);
  }

  void load_or_unload_filter() {
    ++moves_[9];
    lab::FakeFilter& filter = *filters_[draw(kFilters)];
    if (filter.driver().phase() == kernel::DriverPhase::Loaded) {
      EXPECT_TRUE(filter.unload());
      filter.modules.clear();
    } else {
      EXPECT_EQ(filter.load(), STATUS_SUCCESS);
    }
  }

  /// Any of the images, found loaded or not.
  void reload_driver() {
    ++moves_[6];
    if (images_.empty()) return;
    const unsigned i = draw(static_cast<unsigned>(images_.size()));
    if (drivers_[i]->phase() == kernel::DriverPhase::Loaded) {
      world_->library().unload(*drivers_[i]);
      return;
    }
    images_[i]->reset();
    kernel::Driver& driver = world_->add(*images_[i]);
    drivers_[i] = &driver;
    EXPECT_EQ(world_->library().load(driver, images_[i]->entry()), STATUS_SUCCESS) << images_[i]->name();
  }

  /// When nothing can run, nothing is under way.
  void check() {
    std::vector<lab::HarnessProtocol::Totals> all = gone_;
    for (const auto& protocol : protocols_)
      if (protocol) all.push_back(protocol->totals());
    for (const auto& totals : all) {
      EXPECT_EQ(totals.sent, totals.completed) << "after move " << last_;
      EXPECT_EQ(totals.received, totals.returned) << "after move " << last_;
    }
    for (const auto& filter : filters_) {
      EXPECT_EQ(filter->complaints, std::vector<std::string>{}) << "after move " << last_;
      filtered_ += filter->count("FilterSendNetBufferLists ");
      filter->calls.clear();
    }
    EXPECT_EQ(nic_->totals().given, nic_->totals().completed) << "after move " << last_;
    EXPECT_EQ(nic_->totals().indicated, nic_->totals().returned) << "after move " << last_;
  }

  std::mt19937 random_;
  const std::vector<loader::Image*>& images_;
  std::optional<lab::World> world_;
  std::vector<std::unique_ptr<links::MemoryLink>> wires_;
  std::vector<kernel::Driver*> drivers_;
  std::optional<lab::HarnessNic> nic_;
  std::array<std::unique_ptr<lab::HarnessProtocol>, kProtocols> protocols_;
  std::array<std::unique_ptr<lab::FakeFilter>, kFilters> filters_;
  std::vector<lab::HarnessProtocol::Totals> gone_;
  std::array<unsigned, 10> moves_{};
  unsigned loads_ = 0;
  unsigned last_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t filtered_ = 0;  // calls of FilterSendNetBufferLists
};

void live(unsigned steps, kernel::Watch watch) {
  std::vector<std::unique_ptr<loader::Image>> opened;
  std::vector<loader::Image*> images;
  for (const char* path : {UNDIS_SCENARIO_IMAGES}) {
    auto image = loader::Image::open(path);
    ASSERT_TRUE(image) << image.error();
    opened.push_back(std::move(*image));
    images.push_back(opened.back().get());
  }
  const Level before;
  std::uint64_t frames = 0;
  for (unsigned life = 0; life * kStepsPerLife < steps && !::testing::Test::HasFailure(); ++life) {
    SCOPED_TRACE(fmt::format("life {}", life));
    {
      Life one(life, images, watch);
      one.run(std::min(kStepsPerLife, steps - life * kStepsPerLife));
      frames += one.frames();
    }
    EXPECT_EQ(Level(), before);
  }
  ::testing::Test::RecordProperty("steps", static_cast<int>(steps));
  ::testing::Test::RecordProperty("frames", std::to_string(frames));
}

TEST(AStackOfEverything, LosesNothingWhateverHappensToIt) {
  live(steps_wanted(), kernel::Watch::All);
}

/// The plain way and the stamped one side by side: a card has up to four receivers.
TEST(AStackOfEverything, LosesNothingWhileNobodyWatches) {
  live(steps_wanted() / 5, kernel::Watch::Nothing);
}

}  // namespace
}  // namespace undis::test
