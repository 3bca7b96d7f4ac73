// SPDX-License-Identifier: MIT
//
// The lifecycle suites: a driver is brought up, used, and taken down again, in every order that the pages
// allow.
#include "lab/suites.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "kernel/system.h"

namespace undis::lab {
namespace {

constexpr unsigned kFrames = 4;

/// Loaded; `use` if DriverEntry succeeds; unloaded, and the scene is over.
template <class Use>
bool loaded(Scene& scene, Use use) {
  if (scene.load()) use();
  scene.unload();
  scene.close();
  return true;
}

/// Rounds of frames on a thread of their own, while its maker does something else. To be waited for.
class Traffic {
 public:
  Traffic(Scene& scene, int rounds, std::function<void(int)> round) : round_(std::move(round)) {
    scene.world().system().spawn("traffic", [this, rounds] {
      for (int i = 0; i < rounds && !stop_; ++i) round_(i);
      done_.set();
    });
  }
  /// Two frames each way and a chance for others, each round.
  Traffic(Scene& scene, int rounds)
      : Traffic(scene, rounds, [&scene](int) {
          scene.traffic(2);
          kernel::schedule_point("traffic");
        }) {}
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  void wait() { done_.wait(); }
  /// No round begins any more.
  void stop_and_wait() {
    stop_ = true;
    wait();
  }

 private:
  std::function<void(int)> round_;
  bool stop_ = false;
  kernel::Event done_{"suite: traffic ends"};
};

bool load_unload(Scene& scene) {
  scene.load();
  scene.settle();
  scene.unload();
  return true;
}

/// Loaded first; the device comes, works and goes; then Unload.
bool bind_unbind(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(1);
    scene.traffic(kFrames);
    scene.settle();
    scene.detach(0);
  });
}

/// As on a real wire, there are frames before anybody listens, and until after.
bool arrive_under_traffic(Scene& scene) {
  constexpr std::uint64_t kMillisecond = 10'000;
  return loaded(scene, [&] {
    Traffic traffic(scene, 40, [&scene](int i) {
      scene.traffic(1);
      kernel::schedule_point("traffic");
      if (i % 2 != 0) scene.settle(kMillisecond);
    });
    scene.attach(1, 15 * kMillisecond);
    scene.detach(0);
    traffic.stop_and_wait();
  });
}

/// Unload while the device is there and bindings are open.
bool unload_bound(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(1);
    scene.traffic(kFrames);
  });
}

bool two_adapters(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(2);
    scene.traffic(kFrames);
    scene.detach(0);
    scene.traffic(kFrames);
    scene.detach(1);
  });
}

/// The device goes and comes back: what was torn down has to come up again (LIFE-059).
bool come_back(Scene& scene) {
  return loaded(scene, [&] {
    for (int i = 0; i < 3; ++i) {
      scene.attach(1);
      scene.traffic(kFrames);
      scene.detach(0);
    }
  });
}

/// Two adapters taken away while frames go both ways.
bool remove_under_traffic(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(2);
    kernel::System& system = scene.world().system();
    bool stop = false;
    unsigned ended = 0;
    kernel::Event done("suite: traffic ends");
    for (const char* name : {"traffic 1", "traffic 2"}) {
      system.spawn(name, [&] {
        for (int i = 0; i < 8 && !stop; ++i) {
          scene.traffic(2);
          kernel::schedule_point("traffic");
        }
        if (++ended == 2) done.set();
      });
    }
    kernel::schedule_point("removal");
    scene.detach(0);
    stop = true;
    done.wait();
    scene.detach(1);
  });
}

bool pause_under_traffic(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(1);
    Traffic traffic(scene, 8);
    for (int i = 0; i < 3; ++i) scene.pause_and_restart();
    traffic.wait();
    scene.settle();
    scene.detach(0);
  });
}

/// Frames lost, late and doubled, and the cable out and in again, while the driver works.
bool rough_wire(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(1);
    Traffic traffic(scene, 6, [&scene](int) {
      scene.rough_traffic(kFrames);
      kernel::schedule_point("traffic");
    });
    for (const bool in : {false, true, false, true}) {
      kernel::schedule_point("cable");
      scene.cables(in);
    }
    traffic.wait();
    scene.settle();
    scene.detach(0);
  });
}

/// Traffic, sleep, traffic: what was set before has to be there afterwards.
bool sleep_and_wake(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(1);
    for (int i = 0; i < 2; ++i) {
      scene.traffic(kFrames);
      scene.sleep_and_wake();
    }
    scene.traffic(kFrames);
    scene.detach(0);
  });
}

/// The device is stopped for a rebalance of resources, and started again.
bool stop_and_start(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(1);
    scene.traffic(kFrames);
    scene.stop_and_start(0);
    scene.traffic(kFrames);
    scene.detach(0);
  });
}

/// The device is torn out while frames go both ways.
bool torn_out(Scene& scene) {
  return loaded(scene, [&] {
    scene.attach(1);
    Traffic traffic(scene, 6);
    kernel::schedule_point("removal");
    scene.tear_out(0);
    traffic.wait();
  });
}

bool system_shutdown(Scene& scene) {
  if (scene.load()) {
    scene.attach(1);
    scene.traffic(kFrames);
    scene.settle();
    scene.shutdown();
  }
  return true;
}

// ---- filters, put into a stack that runs and taken out of it ----

/// Loaded while frames go both ways; Unload while they still do.
bool filter_under_traffic(Scene& scene) {
  scene.raise_host(2);
  Traffic traffic(scene, 16);
  const bool fits = !scene.load() || scene.has_filter();
  if (fits) scene.traffic(kFrames);
  scene.unload();
  traffic.stop_and_wait();
  scene.close();
  return fits;
}

bool filter_insert(Scene& scene) {
  scene.raise_host(1);
  const bool fits = !scene.load() || scene.has_filter();
  scene.traffic(kFrames);
  scene.settle();
  scene.unload();
  scene.close();
  return fits;
}

/// Status indications, events and pauses while frames go both ways.
bool filter_events(Scene& scene) {
  const bool loaded = scene.load();
  const bool fits = !loaded || scene.has_filter();
  if (loaded && fits) {
    scene.attach(1);
    Traffic traffic(scene, 6);
    scene.disturb();
    scene.pause_and_restart();
    scene.disturb();
    traffic.wait();
    scene.settle();
    scene.detach(0);
  }
  scene.unload();
  scene.close();
  return fits;
}

constexpr Play kSuites[] = {
    {"lifecycle.load", "DriverEntry, then Unload, without any device", &load_unload, false},
    {"lifecycle.entry", "DriverEntry with each fallible call made to fail", &load_unload, true},
    {"lifecycle.bind", "a device comes, carries frames, goes; then Unload", &bind_unbind, false},
    {"lifecycle.unload", "Unload while the device is there and bindings are open", &unload_bound, false},
    {"lifecycle.adapters", "two adapters that come together and go one by one", &two_adapters, false},
    {"lifecycle.return", "the device goes and comes back twice", &come_back, false},
    {"lifecycle.memory", "bind, traffic and unbind with each fallible call made to fail", &bind_unbind, true},
    {"lifecycle.arrival", "a device comes and goes, with frames on its wire all the while",
     &arrive_under_traffic, false},
    {"lifecycle.pause", "pause and restart under traffic", &pause_under_traffic, false},
    {"lifecycle.remove", "adapters removed under traffic", &remove_under_traffic, false},
    {"filter.insert", "a filter is put into a running stack, and taken out", &filter_insert, false},
    {"filter.traffic", "the same while frames go both ways over two adapters", &filter_under_traffic, false},
    {"filter.events", "status indications, events and pauses under traffic", &filter_events, false},
    {"filter.memory", "a filter in a running stack, with each fallible call made to fail", &filter_insert,
     true},
    {"lifecycle.wire", "frames lost, late and doubled, and the cable out and in", &rough_wire, false},
    {"lifecycle.power", "the system sleeps and wakes, with traffic before and after", &sleep_and_wake, false},
    {"lifecycle.stop", "the device is stopped and started again", &stop_and_start, false},
    {"lifecycle.surprise", "the device is torn out under traffic", &torn_out, false},
    {"lifecycle.shutdown", "the system shuts down", &system_shutdown, false},
};

}  // namespace

std::span<const Play> all_suites() noexcept {
  return kSuites;
}

const Play* find_suite(std::string_view name) noexcept {
  const auto at = std::ranges::find_if(kSuites, [&](const Play& suite) { return name == suite.name; });
  return at == std::end(kSuites) ? nullptr : at;
}

}  // namespace undis::lab
