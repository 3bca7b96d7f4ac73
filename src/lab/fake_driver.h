// SPDX-License-Identifier: MIT
//
// A driver made of hooks, for tests: registers as asked, behaves correctly by default, and lets a test change
// one thing.
//
// It is paranoid, as good drivers are: each adapter and each binding keeps its own idea of the documented
// state, and a callback that comes in a wrong state, at a wrong IRQL or twice is a complaint, which the test
// fixture turns into a failure.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ndis.h>

#include "lab/world.h"

namespace undis::lab {

class FakeDriver;

/// One adapter of a fake driver: its MiniportAdapterContext.
struct FakeAdapter {
  FakeDriver* driver = nullptr;
  std::string name;
  NDIS_HANDLE handle = nullptr;
  void* device_context = nullptr;  ///< of NdisIMInitializeDeviceInstance(Ex)
  enum class State : std::uint8_t { Paused, Running, Halted } state = State::Paused;
  unsigned halts = 0;
  NDIS_HALT_ACTION halt_action{};

  /// The request that came last: where its results go, also after on_request has pended it.
  struct Asked {
    NDIS_OID oid = 0;
    bool query = false;
    void* buffer = nullptr;
    ULONG length = 0;
    ULONG* done = nullptr;  ///< bytes written or read
    ULONG* needed = nullptr;
    NDIS_OID_REQUEST* request = nullptr;  ///< 6.x
  } asked;
};

/// One binding of a fake driver: its ProtocolBindingContext.
struct FakeBinding {
  FakeDriver* driver = nullptr;
  std::string adapter;  ///< name of the adapter
  NDIS_HANDLE handle = nullptr;
  NDIS_HANDLE bind_context = nullptr;
  NDIS_HANDLE unbind_context = nullptr;
  bool open = false;
  bool running = false;
  unsigned unbinds = 0;
  unsigned close_completes = 0;
  NDIS_STATUS result = NDIS_STATUS_SUCCESS;
  struct Answered {
    const void* request;  ///< NDIS_OID_REQUEST or NDIS_REQUEST
    NDIS_STATUS status;
  };
  std::vector<Answered> answered;  ///< requests whose completion came by callback, in order
  std::unique_ptr<kernel::Event> opened;
  std::unique_ptr<kernel::Event> closed;
  std::unique_ptr<kernel::Event>
      instance_started;  ///< intermediate: MiniportInitialize(Ex) ran for the instance asked for in bind
};

class FakeDriver {
 public:
  FakeDriver(World& world, std::string name);
  ~FakeDriver();
  FakeDriver(const FakeDriver&) = delete;
  FakeDriver& operator=(const FakeDriver&) = delete;

  World& world() noexcept { return world_; }
  kernel::Driver& driver() noexcept { return driver_; }
  NTSTATUS load();
  bool unload();

  // ---- what DriverEntry and Unload do; default: nothing, successfully ----
  std::function<NTSTATUS()> entry;
  std::function<void()> unload_routine;

  // ---- registrations, to be called from `entry`; each keeps the handle below ----
  NDIS_HANDLE wrapper = nullptr;
  NDIS_HANDLE miniport = nullptr;  ///< layered (5.x) or 6.x driver handle
  NDIS_HANDLE protocol = nullptr;
  void initialize_wrapper();
  NDIS_STATUS register_miniport5();  ///< NdisMRegisterMiniport
  NDIS_STATUS register_layered5();   ///< NdisIMRegisterLayeredMiniport
  void register_unload_handler();    ///< NdisMRegisterUnloadHandler with `unload_routine`
  NDIS_STATUS register_protocol5(std::string_view name);
  NDIS_STATUS register_miniport6(ULONG flags = 0);  ///< its UnloadHandler runs `unload_routine`
  NDIS_STATUS register_protocol6(std::string_view name);
  void set_driver_unload();            ///< DriverObject->DriverUnload for drivers without a miniport half
  NDIS_STATUS deregister_protocol5();  ///< NdisDeregisterProtocol; the status it wrote
  /// Characteristics as the registrations above use them, for tests that spoil them.
  static NDIS51_MINIPORT_CHARACTERISTICS miniport5_characteristics();
  static NDIS50_PROTOCOL_CHARACTERISTICS protocol5_characteristics(UNICODE_STRING* name);
  static NDIS_MINIPORT_DRIVER_CHARACTERISTICS miniport6_characteristics(ULONG flags = 0);
  static NDIS_PROTOCOL_DRIVER_CHARACTERISTICS protocol6_characteristics(UNICODE_STRING* name);

  // ---- ready-made intermediate drivers: entry, bind, unbind and unload as the pages describe them ----
  /// 5.1: layered miniport, unload handler, protocol; a virtual miniport "<name>-<adapter>" for each adapter
  /// bound to.
  void be_intermediate5();
  void be_intermediate6();
  /// A plain protocol or miniport with its unload routine.
  void be_protocol5();
  void be_protocol6();
  void be_miniport5();
  void be_miniport6();
  static std::string instance_name(const FakeDriver& driver, const FakeBinding& binding);

  // ---- hooks; an empty one: the correct default ----
  std::function<NDIS_STATUS(FakeAdapter&)> on_initialize;
  std::function<void(FakeAdapter&)> on_halt;
  std::function<NDIS_STATUS(FakeAdapter&)> on_pause;    ///< 6.x
  std::function<NDIS_STATUS(FakeAdapter&)> on_restart;  ///< 6.x
  std::function<void(FakeAdapter&)> on_shutdown;
  std::function<NDIS_STATUS(FakeAdapter&, NDIS_OID, bool query)> on_request;
  std::function<void(FakeAdapter&, void* request_id)> on_cancel_request;  ///< 6.x
  std::function<NDIS_STATUS(FakeAdapter&, BOOLEAN* addressing)> on_reset;
  std::function<bool(FakeAdapter&)> on_check_for_hang;  ///< registered only if set before the registration
  std::function<NDIS_STATUS(FakeAdapter&, NDIS_OID_REQUEST*)>
      on_direct_request;  ///< 6.x; the same holds for these two
  std::function<NDIS_STATUS(FakeAdapter&, NDIS_OID_REQUEST*)> on_synchronous_request;
  std::function<void(FakeAdapter&, NDIS_DEVICE_PNP_EVENT, void* buffer)> on_device_event;
  std::function<NDIS_STATUS(NDIS_HANDLE driver_handle)> on_set_options;  ///< 6.x miniport and protocol
  std::function<NDIS_STATUS(NET_PNP_EVENT_CODE, void* event)>
      on_global_event;  ///< with a NULL binding context
  std::function<void(FakeBinding&, const NDIS_STATUS_INDICATION&)> on_status;  ///< 6.x
  /// Change what the driver registers with, and each attributes structure before it is set.
  std::function<void(NDIS_MINIPORT_DRIVER_CHARACTERISTICS&)> miniport6;
  std::function<void(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS&)> protocol6;
  std::function<void(NDIS_MINIPORT_ADAPTER_ATTRIBUTES&)> attributes;
  UINT check_for_hang_seconds = 0;  ///< 5.x
  ULONG attribute_flags5 = 0;
  ULONG last_pause_reason = 0;  ///< of MiniportPause
  NDIS_RESTART_ATTRIBUTES* last_restart = nullptr;
  std::function<NDIS_STATUS(FakeBinding&)>
      after_open;  ///< in bind, once the adapter is open; its status ends the bind
  std::function<NDIS_STATUS(FakeBinding&)> on_unbind;  ///< instead of close_and_wait
  std::function<NDIS_STATUS(FakeBinding&, NET_PNP_EVENT_CODE, void* event)> on_pnp_event;

  /// Closes the binding and waits for a pended close: the correct body of an unbind.
  static void close_and_wait(FakeBinding& binding);
  NDIS_STATUS deinitialize_instance(std::string_view name);

  // ---- what happened ----
  std::vector<std::string> calls;  ///< "MiniportHaltEx im-nic0", in order, over all its callbacks
  std::vector<std::string> complaints;
  std::list<FakeAdapter> adapters;
  std::list<FakeBinding> bindings;
  FakeAdapter* adapter(std::string_view name);
  FakeBinding* binding(std::string_view adapter);
  unsigned count(std::string_view call_prefix) const;

  static FakeDriver* of(const kernel::Driver& driver);
  void note(std::string call) { calls.push_back(std::move(call)); }
  void complain(std::string what) { complaints.push_back(std::move(what)); }

 private:
  struct Callbacks5;
  struct Callbacks6;
  NDIS_STATUS finish_bind(FakeBinding& binding, NDIS_STATUS opened);
  NDIS_STATUS unbound(FakeBinding& binding);
  FakeAdapter& new_adapter(NDIS_HANDLE handle);
  /// The end of MiniportInitialize(Ex), also of one that `status` has ended early: whoever waits for it goes
  /// on.
  NDIS_STATUS initialized(FakeAdapter& adapter, NDIS_STATUS status = NDIS_STATUS_SUCCESS);

  World& world_;
  kernel::Driver& driver_;
};

}  // namespace undis::lab
