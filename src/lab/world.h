// SPDX-License-Identifier: MIT
//
// A world: one machine with its kernel slice, an NDIS library, a verifier, and the drivers loaded into it.
//
// One world exists at a time (the C interface of NDIS forces it). Everything in it goes with it, also what a
// driver left behind and what an abandoned run never came to; nothing in a driver is called at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/system.h"
#include "lab/options.h"
#include "loader/image.h"
#include "machine/simulated.h"
#include "ndis/library.h"
#include "verifier/verifier.h"

namespace undis::lab {

struct WorldOptions {
  Engine engine = Engine::Simulated;
  machine::Schedule schedule;       ///< every choice of a simulated run
  std::uint32_t processors = 0;     ///< virtual ones; 0: as many as the schedule says, or two
  machine::Trail* trail = nullptr;  ///< where a simulated run is noted; outlives the world
  verifier::Evidence evidence = verifier::Evidence::Tail;
  kernel::Watch watch = kernel::Watch::All;
  bool crash_reports =
      false;  ///< a driver's SIGSEGV, abort ... becomes a finding; the world is of no use afterwards
};

class World {
 public:
  explicit World(const WorldOptions& options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  machine::Machine& machine() noexcept { return *machine_; }
  /// nullptr: the machine is a threaded one.
  machine::Simulated* simulated() noexcept { return simulated_; }
  kernel::System& system() noexcept { return system_; }
  Library& library() noexcept { return library_; }
  verifier::Verifier& verifier() noexcept { return verifier_; }

  /// A driver under test, from an image. Not loaded yet.
  kernel::Driver& add(loader::Image& image);
  /// A driver whose code is part of this process. `harness`: it belongs to the host, and no faults are
  /// injected into it.
  kernel::Driver& add(std::string service, bool harness);

  /// Plugs a device in for the driver's miniport half (the one that is not for virtual miniports) and starts
  /// its stack. Empty: the driver has no such half, or MiniportInitialize(Ex) failed (`status` says how).
  /// `hardware`: what is in its slot (System::bus()); nullptr: nothing, as for a driver without hardware.
  Ref<Adapter> plug(kernel::Driver& driver, std::string name, NDIS_STATUS* status = nullptr,
                    kernel::PciDevice* hardware = nullptr);
  /// Takes the device away: pause, unbind, halt.
  void unplug(Adapter& adapter);

  /// Runs `body` on a kernel thread until it has ended and nothing more can run.
  kernel::Outcome run(std::string name, std::function<void()> body) {
    return system_.run(std::move(name), std::move(body));
  }

  /// The adapter of that name, virtual ones included; empty if there is none.
  Ref<Adapter> adapter(std::string_view name);

 private:
  std::unique_ptr<machine::Machine> machine_;
  machine::Simulated* simulated_;
  verifier::Verifier verifier_;
  kernel::System system_;
  Library library_;
};

/// "\Device\{nic0}" for "nic0": the name by which protocols open it.
std::u16string device_name(std::string_view adapter);
/// The registry path of an adapter's own key.
std::u16string adapter_key(std::string_view adapter);

}  // namespace undis::lab
