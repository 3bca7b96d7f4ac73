// SPDX-License-Identifier: MIT
//
// What the tests of virtual miniports stand on: cards, an intermediate driver on them, protocols above its
// virtual miniports.
#pragma once

#include <algorithm>
#include <list>
#include <optional>

#include <fmt/format.h>

#include "lab/test_world.h"
#include "ndis/strings.h"

namespace undis::test {

using lab::FakeAdapter;
using lab::FakeBinding;
using lab::FakeDriver;

/// Who sits on whom: the generation of the intermediate driver and of the protocols above its virtual
/// miniports.
struct Generations {
  int intermediate;
  int upper;
};

inline std::string name_of(const ::testing::TestParamInfo<Generations>& info) {
  return fmt::format("Intermediate{}Upper{}", info.param.intermediate, info.param.upper);
}

inline const auto kGenerations =
    ::testing::Values(Generations{5, 5}, Generations{5, 6}, Generations{6, 5}, Generations{6, 6});

/// Cards, an intermediate driver "im" on them, and protocols "up1", "up2" ... that bind to virtual miniports
/// and to nothing else.
class Stack {
 public:
  Stack(lab::World& on, Generations of, unsigned uppers_count) : world(on), generations(of), im(on, "im") {
    world.library().policy.binds = [this](const ProtocolDriver& protocol, const Adapter& adapter) {
      return (&protocol.driver() == &im.driver()) != adapter.is_virtual();
    };
    if (generations.intermediate == 5) {
      im.be_intermediate5();
    } else {
      im.be_intermediate6();
    }
    for (unsigned i = 1; i <= uppers_count; ++i) add_upper(generations.upper);
  }

  FakeDriver& add_upper(int generation) {
    FakeDriver& upper = uppers.emplace_back(world, fmt::format("up{}", uppers.size() + 1));
    if (generation == 5) {
      upper.be_protocol5();
    } else {
      upper.be_protocol6();
    }
    return upper;
  }

  /// Protocols above first: they bind when the instances come. On a kernel thread; all is up when the machine
  /// has come to rest.
  void start(unsigned cards = 1) {
    for (FakeDriver& upper : uppers) ASSERT_EQ(upper.load(), STATUS_SUCCESS);
    nic.emplace(world);
    for (unsigned i = 0; i < cards; ++i) {
      links::MemoryLink& wire = wires.emplace_back(LinkInfo{});
      nic->plug(fmt::format("nic{}", i), wire);
    }
    ASSERT_EQ(im.load(), STATUS_SUCCESS);
  }

  void stop() {
    for (FakeDriver& upper : uppers) unload(upper);
    unload(im);
    for (std::size_t i = 0; i < wires.size(); ++i) nic->unplug(fmt::format("nic{}", i));
    nic->unload();
  }

  static void unload(FakeDriver& driver) {
    if (driver.driver().phase() != kernel::DriverPhase::Loaded) return;
    EXPECT_TRUE(driver.unload());
  }

  /// The driver asks for the instance itself, outside any bind.
  NDIS_STATUS initialize(std::string_view name, void* context = nullptr) {
    const WideString wide(lab::device_name(name));
    return NdisIMInitializeDeviceInstanceEx(im.miniport, wide.get(), context);
  }
  NDIS_STATUS cancel(std::string_view name) {
    const WideString wide(lab::device_name(name));
    return NdisIMCancelInitializeDeviceInstance(im.miniport, wide.get());
  }
  /// The driver's own unbind, without the virtual miniport.
  void only_close_in_unbind() {
    im.on_unbind = [](FakeBinding& binding) {
      FakeDriver::close_and_wait(binding);
      return NDIS_STATUS_SUCCESS;
    };
  }
  void no_instance_in_bind() { im.after_open = nullptr; }

  /// The callbacks of im and the protocols above since `mark`, in order, without requests, status and data.
  Lines callbacks_since(std::size_t mark) const {
    static constexpr std::string_view kLife[] = {
        "MiniportInitialize", "MiniportHalt",          "MiniportPause",      "MiniportRestart",
        "ProtocolBind",       "ProtocolUnbindAdapter", "ProtocolNetPnPEvent"};
    const Lines trace = world.verifier().trace();
    Lines found;
    for (std::size_t i = mark; i < trace.size(); ++i) {
      const std::string_view line = trace[i];
      if (!line.starts_with("> im!") && !line.starts_with("> up")) continue;
      const std::string_view callback = line.substr(line.find('!') + 1);
      if (std::ranges::any_of(kLife, [&](std::string_view life) { return callback.starts_with(life); }))
        found.emplace_back(line.substr(2));
    }
    return found;
  }
  std::size_t mark() const { return world.verifier().trace().size(); }

  std::string halt_name() const { return generations.intermediate == 5 ? "MiniportHalt" : "MiniportHaltEx"; }
  std::string unbind_name() const {
    return generations.upper == 5 ? "ProtocolUnbindAdapter" : "ProtocolUnbindAdapterEx";
  }
  unsigned halts() const { return im.count("MiniportHalt"); }
  bool is_up(std::string_view name) const { return static_cast<bool>(world.adapter(name)); }
  bool is_running(std::string_view name) const {
    const Ref<Adapter> adapter = world.adapter(name);
    return adapter && adapter->state() == AdapterState::Running;
  }
  /// How many protocols are bound to it and may carry data.
  std::size_t running_bindings(std::string_view name) const {
    const Ref<Adapter> adapter = world.adapter(name);
    if (!adapter) return 0;
    return static_cast<std::size_t>(std::ranges::count_if(
        adapter->bindings(), [](const Ref<Binding>& b) { return b->state() == BindingState::Running; }));
  }
  Lines complaints() const {
    Lines all = im.complaints;
    for (const FakeDriver& upper : uppers)
      all.insert(all.end(), upper.complaints.begin(), upper.complaints.end());
    return all;
  }

  lab::World& world;
  const Generations generations;
  std::list<links::MemoryLink> wires;
  std::optional<lab::HarnessNic> nic;
  FakeDriver im;
  std::list<FakeDriver> uppers;
};

}  // namespace undis::test
