// SPDX-License-Identifier: MIT
//
// NdisDeregisterProtocol in a Shutdown routine.
// Page: ndis/nf-ndis-ndisderegisterprotocol (LIFE-035 .. LIFE-037)
#include <ntddk.h>

#include "registration_test.h"

namespace undis::test {
namespace {

using lab::FakeDriver;

/// A highest-level protocol with a device and a Shutdown routine.
class ShutdownProtocol : public FakeDriver {
 public:
  ShutdownProtocol(lab::World& world, bool registers) : FakeDriver(world, "top") {
    entry = [this, registers]() -> NTSTATUS {
      PDRIVER_OBJECT const object = driver().object();
      object->MajorFunction[IRP_MJ_SHUTDOWN] = &dispatch;
      set_driver_unload();
      EXPECT_EQ(IoCreateDevice(object, 0, nullptr, FILE_DEVICE_NETWORK, 0, FALSE, &device_), STATUS_SUCCESS);
      if (registers) {
        EXPECT_EQ(IoRegisterShutdownNotification(device_), STATUS_SUCCESS);
      }
      return register_protocol5("top");
    };
    unload_routine = [this, registers] {
      if (registers) IoUnregisterShutdownNotification(device_);
      IoDeleteDevice(device_);
    };
  }
  std::function<void()> on_shutdown_routine;

 private:
  static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp) {
    auto& self = static_cast<ShutdownProtocol&>(*of(*kernel::Driver::from_object(device->DriverObject)));
    self.note("Shutdown");
    if (self.on_shutdown_routine) self.on_shutdown_routine();
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
  }
  PDEVICE_OBJECT device_ = nullptr;
};

class ShuttingTheSystemDown : public NdisTest {
 protected:
  ShuttingTheSystemDown() : nic(world) {
    expects_nothing_left = false;
  }  // after a shutdown nothing is taken apart any more (LIFE-163)

  void start(FakeDriver& protocol) {
    run([&] {
      nic.plug("nic0");
      nic.plug("nic1");
      EXPECT_EQ(protocol.load(), STATUS_SUCCESS);
    });
    EXPECT_EQ(protocol.bindings.size(), 2U);
    protocol.calls.clear();
  }
  Card nic;
};

// LIFE-035, LIFE-036, LIFE-037
TEST_F(ShuttingTheSystemDown, LetsTheShutdownRoutineDeregisterWithBindingsOpen) {
  ShutdownProtocol top(world, true);
  top.on_shutdown_routine = [&] {
    NDIS_STATUS status = kGarbage;
    NdisDeregisterProtocol(&status, top.protocol);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    top.note("returned");
  };
  start(top);
  run([&] { world.library().shutdown(); });
  EXPECT_EQ(top.calls,
            (Lines{"Shutdown", "ProtocolUnbindAdapter nic0", "ProtocolUnbindAdapter nic1", "returned"}));
  expect_trace(world,
               {"> top!DispatchShutdown", "  top calls NdisDeregisterProtocol", "> top!ProtocolUnbindAdapter",
                "< top!ProtocolUnbindAdapter", "> top!ProtocolUnbindAdapter", "< top!ProtocolUnbindAdapter",
                "protocol handle (5.x) top: undone by NdisDeregisterProtocol", "< top!DispatchShutdown"});
  EXPECT_EQ(protocols(world), Lines{});
  EXPECT_TRUE(world.adapter("nic0")->bindings().empty() && world.adapter("nic1")->bindings().empty());
  run([&] { EXPECT_TRUE(top.unload()); });
  expect_no_complaints(top);
}

// LIFE-035
TEST_F(ShuttingTheSystemDown, IsReportedWhenTheShutdownRoutineLeavesTheProtocol) {
  ShutdownProtocol top(world, true);
  start(top);
  expect({"top: LIFE-035"});
  run([&] { world.library().shutdown(); });
  EXPECT_EQ(top.calls, Lines{"Shutdown"});
  EXPECT_EQ(protocols(world), Lines{"top"});
}

// LIFE-036
TEST_F(ShuttingTheSystemDown, TellsNobodyWhoHasNotAskedForIt) {
  ShutdownProtocol top(world, false);
  start(top);
  run([&] { world.library().shutdown(); });
  EXPECT_EQ(top.calls, Lines{});
  EXPECT_EQ(protocols(world), Lines{"top"});
}

NDIS_HANDLE g_deaf_protocol;

/// Of a driver that handles shutdown and forgets to ask for it. Its place in memory is the driver's image.
NTSTATUS NTAPI deaf_dispatch(PDEVICE_OBJECT, PIRP) {
  ADD_FAILURE() << "the Shutdown routine was called";
  return STATUS_SUCCESS;
}
VOID NTAPI deaf_unload(PDRIVER_OBJECT) {
  NDIS_STATUS status = kGarbage;
  NdisDeregisterProtocol(&status, g_deaf_protocol);
}
NTSTATUS NTAPI deaf_entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  object->MajorFunction[IRP_MJ_SHUTDOWN] = &deaf_dispatch;
  object->DriverUnload = &deaf_unload;
  NDIS50_PROTOCOL_CHARACTERISTICS c = FakeDriver::protocol5_characteristics(path);
  NDIS_STATUS status = kGarbage;
  NdisRegisterProtocol(&status, &g_deaf_protocol, &c, sizeof(c));
  return status;
}

// LIFE-036
TEST_F(ShuttingTheSystemDown, IsReportedForARoutineThatNobodyWillCall) {
  const auto at = reinterpret_cast<std::uintptr_t>(&deaf_dispatch);
  kernel::Driver& deaf = world.system().add_driver("deaf", {at, at + 1}, false);
  expect({"deaf: LIFE-036"});
  run([&] { EXPECT_EQ(world.library().load(deaf, &deaf_entry), STATUS_SUCCESS); });
  EXPECT_EQ(violations(), Lines{"deaf: LIFE-036"});  // known as soon as DriverEntry is over
  run([&] {
    world.library().shutdown();
    EXPECT_TRUE(world.library().unload(deaf));
  });
}

}  // namespace
}  // namespace undis::test
