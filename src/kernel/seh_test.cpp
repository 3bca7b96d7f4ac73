// SPDX-License-Identifier: MIT
//
// Page  kernel/handling-exceptions
#include <ntddk.h>

#include "kernel/sanitizer.h"
#include "kernel/testing.h"

extern "C" {
NTSTATUS seh_catch_status(NTSTATUS status);
NTSTATUS seh_probe_read(const void* address, SIZE_T length, ULONG alignment);
int seh_finally_order(NTSTATUS status, int* order);
NTSTATUS seh_rethrow(NTSTATUS status);
NTSTATUS seh_touch(volatile int* address);
int seh_leave(void);
NTSTATUS seh_call_out(void (*routine)(void*), void* context);
}

namespace undis::kernel {
namespace {

class HandlingExceptions : public KernelTest {};

TEST_F(HandlingExceptions, CatchesWhatIsRaisedInside) {
  as_driver([&] {
    EXPECT_EQ(seh_catch_status(STATUS_DEVICE_BUSY), STATUS_DEVICE_BUSY);
    EXPECT_EQ(seh_rethrow(STATUS_DEVICE_BUSY), STATUS_DEVICE_BUSY);
    EXPECT_EQ(seh_rethrow(STATUS_TIMEOUT), STATUS_UNSUCCESSFUL);
    EXPECT_EQ(seh_leave(), 2);
  });
}

TEST_F(HandlingExceptions, RunsFinallyOnBothWays) {
  as_driver([&] {
    int order = 0;
    EXPECT_EQ(seh_finally_order(STATUS_SUCCESS, &order), 0);
    EXPECT_EQ(order, 1235);
    EXPECT_EQ(seh_finally_order(STATUS_DEVICE_BUSY, &order), 1);
    EXPECT_EQ(order, 14);
  });
}

TEST_F(HandlingExceptions, CatchesABadUserBuffer) {
  as_driver([&] {
    int number = 0;
    EXPECT_EQ(seh_probe_read(&number, sizeof number, alignof(int)), STATUS_SUCCESS);
    EXPECT_EQ(seh_probe_read(reinterpret_cast<char*>(&number) + 1, 2, 2), STATUS_DATATYPE_MISALIGNMENT);
    EXPECT_EQ(seh_probe_read(reinterpret_cast<void*>(~std::uintptr_t{7}), 100, 1), STATUS_ACCESS_VIOLATION);
    EXPECT_EQ(seh_probe_read(reinterpret_cast<void*>(~std::uintptr_t{7}), 0, 1), STATUS_SUCCESS);
  });
}

TEST_F(HandlingExceptions, CatchesWhatLowMemoryRaises) {
  restart("0.f1");
  as_driver([&] {
    const auto quota = [](void*) { ExAllocatePoolWithQuotaTag(NonPagedPool, 10, 1); };
    EXPECT_EQ(seh_call_out(quota, nullptr), STATUS_INSUFFICIENT_RESOURCES);
  });
}

TEST_F(HandlingExceptions, KeepsTheChainOfCallsRight) {
  as_driver([&] {
    const CallFrame* const before = current_callback();
    seh_catch_status(STATUS_DEVICE_BUSY);
    EXPECT_EQ(current_callback(), before);
    EXPECT_EQ(current_driver(), driver);
  });
  EXPECT_EQ(current_driver(), nullptr);
}

TEST_F(HandlingExceptions, IsABugCheckWhenNobodyCatches) {
  const Outcome outcome =
      system->run("raiser", [&] { as_driver([] { ExRaiseStatus(STATUS_DEVICE_BUSY); }); });
  EXPECT_EQ(outcome, Outcome::BugCheck);
  EXPECT_EQ(seen.bug_check, static_cast<std::uint32_t>(KMODE_EXCEPTION_NOT_HANDLED));
}

TEST_F(HandlingExceptions, DoesNotPassThroughUndisIntoAnotherDriver) {
  Driver& inner = system->add_driver("inner", {}, false);
  struct Context {
    HandlingExceptions* test;
    Driver* inner;
  } context{this, &inner};
  const Outcome outcome = system->run("raiser", [&] {
    as_driver([&] {
      seh_call_out(
          [](void* raw) {
            auto& c = *static_cast<Context*>(raw);
            c.test->as_driver(*c.inner, [] { ExRaiseStatus(STATUS_DEVICE_BUSY); });
          },
          &context);
    });
  });
  EXPECT_EQ(outcome, Outcome::BugCheck);
}

#if !UNDIS_ADDRESS_SANITIZER  // which takes the signal for itself
TEST_F(HandlingExceptions, CatchesAnAccessToABadAddress) {
  system->enable_crash_reports();
  NTSTATUS status = STATUS_SUCCESS;
  const Outcome outcome =
      system->run("toucher", [&] { as_driver([&] { status = seh_touch(reinterpret_cast<int*>(16)); }); });
  EXPECT_EQ(outcome, Outcome::Idle);
  EXPECT_EQ(status, STATUS_ACCESS_VIOLATION);
}
#endif

}  // namespace
}  // namespace undis::kernel
