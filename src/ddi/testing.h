// SPDX-License-Identifier: MIT
//
// For the tests of the services beside it: a library on a simulated machine, an observer that remembers, and
// code that runs as a driver's. What needs a driver that does things has lab/test_world.h.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <ndis.h>

#include "kernel/pool.h"
#include "kernel/registry.h"
#include "kernel/system.h"
#include "machine/simulated.h"
#include "ndis/library.h"

namespace undis {

class ServiceTest : public ::testing::Test {
 protected:
  struct Recorder final : Observer {
    using Observer::on;
    struct Wrong {
      kernel::Misuse kind;
      std::string function;
      std::string text;
      kernel::Driver* driver;
    };
    std::vector<Wrong> misuses;
    std::vector<HandleMisuse> handles;
    std::vector<LeftBehind> left;
    std::vector<WrongPlace> places;
    std::vector<std::string> breaches;  ///< "function: rule"
    std::size_t completions = 0;
    std::vector<std::string> trace;
    void on(const kernel::MisuseEvent& e) override {
      misuses.push_back({e.kind, e.function, e.text, e.driver});
    }
    void on(const HandleMisuse& e) override { handles.push_back(e); }
    void on(const LeftBehind& e) override { left.push_back(e); }
    void on(const WrongPlace& e) override { places.push_back(e); }
    void on(const Breach& e) override { breaches.push_back(fmt::format("{}: {}", e.function, e.rule)); }
    void on(const UnexpectedCompletion&) override { ++completions; }
    void on_trace(std::string_view line) override { trace.emplace_back(line); }
  };

  ServiceTest() { restart("0"); }
  ~ServiceTest() override { stop(); }

  /// A new machine with nothing in it.
  void restart(const char* schedule) {
    stop();
    machine = std::make_unique<machine::Simulated>(*machine::Schedule::parse(schedule));
    system = std::make_unique<kernel::System>(*machine, seen);
    library = std::make_unique<Library>(*system, seen);
    driver = &system->add_driver("probe", {}, false);
  }
  void stop() {
    library.reset();
    system.reset();
    machine.reset();
  }

  /// Runs `body` on this thread as code of the driver.
  template <class Body>
  void as_driver(Body body) {
    static constexpr kernel::CallbackInfo info{"TestCallback", HIGH_LEVEL, true};
    kernel::call_driver(driver, info, nullptr, nullptr,
                        kernel::callback<void(Body*)>([](Body* code) { (*code)(); }), &body);
  }
  /// The same at an IRQL.
  template <class Body>
  void as_driver_at(KIRQL irql, Body body) {
    const kernel::RaiseIrql raised(irql);
    as_driver(std::move(body));
  }
  /// Runs `body` in a DriverEntry whose first fallible call fails, and which then fails itself.
  template <class Body>
  void with_first_call_failing(Body body) {
    restart("0.f1");
    static Body* code;
    code = &body;
    library->load(
        *driver, +[](PDRIVER_OBJECT, PUNICODE_STRING) -> NTSTATUS {
          (*code)();
          return STATUS_UNSUCCESSFUL;
        });
  }

  /// A 6.x miniport driver, registered without its DriverEntry, and a halted adapter of it. The reference
  /// keeps either alive.
  Ref<MiniportDriver> add_miniport6(ULONG flags = 0) {
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
    c.MajorNdisVersion = 6;
    c.MinorNdisVersion = 30;
    c.Flags = flags;
    Ref<MiniportDriver> made(new MiniportDriver(*driver, c, nullptr));
    EXPECT_TRUE(library->add(*made, "test"));
    return made;
  }
  Ref<Adapter> add_adapter(MiniportDriver& miniport) {
    return library->add_adapter(
        miniport, {.name = "nic0", .device_name = u"\\Device\\{nic0}", .configuration_key = kAdapterKey});
  }
  static constexpr const char16_t* kAdapterKey = u"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\C"
                                                 u"lass\\{4d36e972-e325-11ce-bfc1-08002be10318}\\0000";

  /// The kinds of misuse since the last call. What is not asked for fails the test.
  std::vector<kernel::Misuse> misuses() {
    std::vector<kernel::Misuse> kinds;
    for (const auto& one : seen.misuses) kinds.push_back(one.kind);
    seen.misuses.clear();
    return kinds;
  }
  using Kinds = std::vector<kernel::Misuse>;
  /// How many handle misuses since the last call.
  std::size_t handle_misuses() { return std::exchange(seen.handles, {}).size(); }

  void TearDown() override {
    for (const auto& one : seen.misuses) ADD_FAILURE() << one.function << ": " << one.text;
    for (const auto& one : seen.handles) ADD_FAILURE() << one.function << ": wrong " << one.argument;
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    EXPECT_EQ(system->pool().live_blocks(driver), 0U) << "the test left pool behind";
  }

  Recorder seen;
  std::unique_ptr<machine::Simulated> machine;
  std::unique_ptr<kernel::System> system;
  std::unique_ptr<Library> library;
  kernel::Driver* driver = nullptr;
};

}  // namespace undis
