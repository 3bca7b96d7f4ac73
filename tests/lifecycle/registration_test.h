// SPDX-License-Identifier: MIT
//
// What the tests of registrations share: a card to bind to, the trace in order, worlds under many schedules.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <dlfcn.h>
#include <gmock/gmock.h>

#include "lab/net_buffers.h"
#include "lab/test_world.h"

namespace undis::test {

/// The card that other drivers bind to: an NDIS 6.30 or 5.1 miniport driver "nic".
class Card : public lab::FakeDriver {
 public:
  enum class Version : std::uint8_t { Ndis51, Ndis630 };
  explicit Card(lab::World& world, Version version = Version::Ndis630) : FakeDriver(world, "nic") {
    version == Version::Ndis630 ? be_miniport6() : be_miniport5();
  }
  /// Loads the driver at the first call. On a kernel thread, as the next one.
  void plug(const std::string& name) {
    if (driver().phase() == kernel::DriverPhase::Created) {
      EXPECT_EQ(load(), STATUS_SUCCESS);
    }
    EXPECT_TRUE(world().plug(driver(), name)) << name;
  }
  void unplug(const std::string& name) { world().unplug(*world().adapter(name)); }
};

/// What was said at each breach of `rule`, the repetitions that reports leave out included.
inline Lines breaches(lab::World& world, std::string_view rule) {
  const std::string head = "VIOLATION " + std::string(rule) + " ";
  Lines found;
  for (const std::string& line : world.verifier().trace())
    if (line.starts_with(head)) found.push_back(line.substr(head.size()));
  return found;
}

/// The lines of the trace that are among `expected`: all of them, in this order, as often as there.
inline void expect_trace(lab::World& world, const Lines& expected) {
  Lines found = world.verifier().trace();
  std::erase_if(found,
                [&](const std::string& line) { return std::ranges::find(expected, line) == expected.end(); });
  EXPECT_EQ(found, expected);
}

/// How often exactly this line is in the trace.
inline long times_traced(lab::World& world, std::string_view line) {
  const Lines trace = world.verifier().trace();
  return std::ranges::count(trace, line);
}

/// Names of the registered miniport drivers, in order.
inline Lines miniport_drivers(lab::World& world) {
  Lines names;
  for (const Ref<MiniportDriver>& miniport : world.library().miniport_drivers())
    names.push_back(miniport->name());
  return names;
}

inline Lines protocols(lab::World& world) {
  Lines names;
  for (const Ref<ProtocolDriver>& protocol : world.library().protocols()) names.push_back(protocol->name());
  return names;
}

/// True if libundis.so itself has the function, and the address that a driver takes is that one.
template <class F>
bool is_exported(const char* name, F* address) {
  void* const found = dlsym(RTLD_DEFAULT, name);
  Dl_info info{};
  return found == reinterpret_cast<void*>(address) && dladdr(found, &info) != 0 &&
         std::string_view(info.dli_fname).find("libundis.so") != std::string_view::npos;
}

/// What a status variable holds before the call that is to write it.
inline constexpr auto kGarbage = static_cast<NDIS_STATUS>(0x5EEDF00D);

/// NdisRequest of an NDIS 5 protocol.
inline NDIS_STATUS request(lab::FakeBinding& binding, NDIS_REQUEST& asked) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRequest(&status, binding.handle, &asked);
  return status;
}

inline NDIS_STATUS set(lab::FakeBinding& binding, NDIS_OID oid, void* data, UINT length) {
  NDIS_REQUEST set{};
  set.RequestType = NdisRequestSetInformation;
  set.DATA.SET_INFORMATION.Oid = oid;
  set.DATA.SET_INFORMATION.InformationBuffer = data;
  set.DATA.SET_INFORMATION.InformationBufferLength = length;
  return request(binding, set);
}

/// `body(world)` under `count` random schedules, each in a world of its own, in which nothing may be found
/// and nothing be left.
template <class Body>
void under_schedules(unsigned count, Body body) {
  for (unsigned seed = 1; seed <= count; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(seed);
    options.evidence = verifier::Evidence::Whole;
    SCOPED_TRACE("schedule " + options.schedule.text());
    lab::World world(options);
    body(world);
    EXPECT_EQ(world.verifier().violation_lines(), Lines{});
    EXPECT_EQ(world.library().handles().open_count(), 0U);
    EXPECT_TRUE(world.library().adapters().empty());
    if (::testing::Test::HasFailure()) return;  // one schedule tells enough
  }
}

}  // namespace undis::test
