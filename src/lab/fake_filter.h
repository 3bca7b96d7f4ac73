// SPDX-License-Identifier: MIT
//
// A filter driver made of hooks, for tests: passes everything on by default, and lets a test change one
// thing.
//
// It is paranoid, as good drivers are: each module keeps its own idea of the documented state, and a callback
// that comes in a wrong state, at a wrong IRQL or twice is a complaint.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include <ndis.h>

#include "kernel/system.h"
#include "ndis/library.h"

namespace undis::lab {

class FakeFilter;

/// One module of a fake filter: its FilterModuleContext.
struct FakeModule {
  FakeFilter* filter = nullptr;
  std::string adapter;
  NDIS_HANDLE handle = nullptr;
  enum class State : std::uint8_t {
    Attaching,
    Paused,
    Restarting,
    Running,
    Detached
  } state = State::Attaching;
  NDIS_FILTER_ATTACH_PARAMETERS attach{};  ///< a copy; its pointers are dead
  unsigned detaches = 0;
  NDIS_OID_REQUEST* original = nullptr;  ///< forwarded, not answered
  NDIS_OID_REQUEST* clone = nullptr;
  struct Answered {
    const NDIS_OID_REQUEST* request;
    NDIS_STATUS status;
  };
  std::vector<Answered> answered;  ///< answers by callback to requests of its own
};

class FakeFilter {
 public:
  FakeFilter(kernel::System& system, Library& library, std::string name);
  ~FakeFilter();
  FakeFilter(const FakeFilter&) = delete;
  FakeFilter& operator=(const FakeFilter&) = delete;

  kernel::Driver& driver() noexcept { return driver_; }
  NDIS_HANDLE handle = nullptr;
  NTSTATUS load();
  bool unload();
  NDIS_STATUS register_filter();
  NDIS_FILTER_DRIVER_CHARACTERISTICS characteristics();
  std::u16string unique_name() const;

  // ---- what its INF says; before load() ----
  void be_mandatory() { set(u"FilterRunType", 1); }
  void be_monitoring() { set(u"FilterType", 1); }
  void be_of_class(std::string_view name);

  // ---- hooks; an empty one: the correct default ----
  std::function<void(NDIS_FILTER_DRIVER_CHARACTERISTICS&)> shape;  ///< what is registered
  std::function<NTSTATUS()> entry;                                 ///< instead of register_filter()
  std::function<void()> unload_routine;                            ///< instead of NdisFDeregisterFilterDriver
  std::function<NDIS_STATUS()> on_set_options;
  std::function<NDIS_STATUS(FakeModule&)> on_attach;  ///< after NdisFSetAttributes
  std::function<NDIS_STATUS(FakeModule&, NDIS_FILTER_RESTART_PARAMETERS&)> on_restart;
  std::function<NDIS_STATUS(FakeModule&)> on_pause;
  std::function<void(FakeModule&)> on_detach;
  std::function<NDIS_STATUS(FakeModule&)>
      on_module_options;  ///< FilterSetModuleOptions is registered if set before load()
  std::function<void(FakeModule&, NET_BUFFER_LIST*, NDIS_PORT_NUMBER, ULONG)> on_send;
  std::function<void(FakeModule&, NET_BUFFER_LIST*, ULONG)> on_send_complete;
  std::function<void(FakeModule&, NET_BUFFER_LIST*, NDIS_PORT_NUMBER, ULONG, ULONG)> on_receive;
  std::function<void(FakeModule&, NET_BUFFER_LIST*, ULONG)> on_return;
  std::function<void(FakeModule&, void* id)> on_cancel_send;
  std::function<NDIS_STATUS(FakeModule&, NDIS_OID_REQUEST*)> on_oid;  ///< default: a clone of it goes down
  std::function<void(FakeModule&, NDIS_OID_REQUEST*, NDIS_STATUS)> on_oid_complete;
  std::function<void(FakeModule&, void* id)> on_cancel_oid;
  std::function<void(FakeModule&, NDIS_STATUS_INDICATION*)> on_status;
  std::function<NDIS_STATUS(FakeModule&, NET_PNP_EVENT_NOTIFICATION*)> on_net_pnp_event;
  std::function<void(FakeModule&, NET_DEVICE_PNP_EVENT*)> on_device_pnp_event;

  /// The default of on_oid.
  static NDIS_STATUS forward(FakeModule& module, NDIS_OID_REQUEST* request);

  // ---- what happened ----
  std::vector<std::string> calls;
  std::vector<std::string> complaints;
  std::list<FakeModule> modules;
  FakeModule& module() { return modules.back(); }
  unsigned count(std::string_view call_prefix) const;
  void note(std::string call) { calls.push_back(std::move(call)); }
  void complain(std::string what) { complaints.push_back(std::move(what)); }

 private:
  struct Callbacks;
  void set(std::u16string_view value, std::uint32_t number);
  static FakeFilter* of(const kernel::Driver& driver);

  kernel::System& system_;
  Library& library_;
  kernel::Driver& driver_;
};

}  // namespace undis::lab
