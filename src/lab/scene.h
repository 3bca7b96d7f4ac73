// SPDX-License-Identifier: MIT
//
// What a suite plays on: the drivers under test in a world, host cards below them, a host protocol on top,
// and the steps that suites are made of (load, attach, traffic, detach, unload).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/harness_nic.h"
#include "lab/harness_protocol.h"
#include "lab/installation.h"
#include "lab/world.h"
#include "links/memory/memory.h"

namespace undis::lab {

class Scene {
 public:
  /// The INF that an image is installed by, in every scene from now on: its registry, and the device in the
  /// slots of its adapters.
  /// "" or what is wrong.
  static std::string install(const loader::Image& image, Inf inf);

  Scene(const std::vector<loader::Image*>& images, const machine::Schedule& schedule, bool crash_reports,
        verifier::Evidence evidence = verifier::Evidence::Tail, machine::Trail* trail = nullptr);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  static constexpr std::uint64_t kLong = 10'000'000;  ///< a second: for all that a driver may have set going

  World& world() noexcept { return world_; }
  const std::vector<kernel::Driver*>& subjects() const noexcept { return subjects_; }

  // ---- steps; on a kernel thread ----

  /// DriverEntry of each driver, in order. False: one has failed; nothing of it is loaded then.
  bool load();
  /// Cards 0 .. count-1: a device for each driver's miniport half, or a host card where the lowest driver
  /// needs one to bind to. Then waits `ticks` of virtual time.
  void attach(unsigned count, std::uint64_t ticks = kLong);
  /// Host cards 0 .. count-1 with the host's protocol on them, whether any driver under test is there or not:
  /// what a filter is put into.
  void raise_host(unsigned count);
  /// What filters see besides frames: the cables go out and come back, the devices are about to go and stay,
  /// their power profile changes.
  void disturb();
  /// Takes card `index` away (everything above it unbinds).
  void detach(unsigned index);
  /// Sends `frames` frames down on every adapter that the host protocol is bound to, and lets as many arrive
  /// on every card.
  void traffic(unsigned frames);
  /// As traffic(), on wires that lose frames, deliver them twice, or late and in another order: which, the
  /// schedule says.
  void rough_traffic(unsigned frames);
  /// Puts the cable of every card in or out.
  void cables(bool in);
  /// Unload of each driver that is loaded, the uppermost first.
  void unload();
  /// The host's own drivers go as well; to be called last.
  void close();
  /// Lets pended work end: waits `ticks` of virtual time.
  void settle(std::uint64_t ticks = kLong);
  /// Pauses and restarts the stacks of all cards.
  void pause_and_restart();
  /// Each adapter to D3 and back, virtual miniports first down and last up, as when the system sleeps.
  void sleep_and_wake();
  /// The card of this index is torn out; stopped and started again.
  void tear_out(unsigned index);
  void stop_and_start(unsigned index);
  void shutdown();

  /// True if any driver under test is a filter driver.
  bool has_filter() const;
  /// True if any driver has a protocol half or is a filter, and so wants something below it.
  bool wants_card();

 private:
  void send_down(unsigned frames);
  struct Card;
  kernel::Driver* subject_of(const kernel::Driver& driver) const;
  std::size_t position(const kernel::Driver& driver) const;
  bool binds(const ProtocolDriver& protocol, const Adapter& adapter);
  bool has_virtual_miniports(const kernel::Driver& driver);
  void name_virtual_miniports(unsigned count);
  kernel::PciDevice* install_adapter(std::size_t subject, const std::string& name, unsigned index);
  void plug_host_card(unsigned index);
  bool is_filter(const kernel::Driver& driver) const;

  World world_;
  std::vector<loader::Image*> images_;
  std::vector<kernel::Driver*> subjects_;
  std::unique_ptr<HarnessNic> nic_;
  std::unique_ptr<HarnessProtocol> protocol_;
  std::vector<std::unique_ptr<links::MemoryLink>> wires_;
  std::vector<std::unique_ptr<CardSlot>> slots_;  // by card
  std::uint32_t sequence_ = 0;
  bool host_stack_ = false;  ///< raise_host() was called
};

}  // namespace undis::lab
