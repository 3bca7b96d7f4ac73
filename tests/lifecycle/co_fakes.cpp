// SPDX-License-Identifier: MIT
//
// The callbacks of the three drivers, and what they do of themselves.
#include "co_fakes.h"

namespace undis::test {

struct CoCallbacks {
  static CoTest& t() { return *CoTest::here(); }
  static std::string mgr() { return t().manager_name(); }

  // ---- protocols ----
  static void co_status(NDIS_HANDLE binding, NDIS_HANDLE, PNDIS_STATUS_INDICATION status) {
    const std::string who = static_cast<lab::FakeBinding*>(binding)->driver == &t().cl ? "cl" : "cm";
    t().results[who + " CoStatusEx"] = status->StatusCode;
    t().note(who, "CoStatusEx");
  }
  static void af_notify(NDIS_HANDLE binding, PCO_ADDRESS_FAMILY family) {
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    t().note("cl", "CoAfRegisterNotify");
    if (!t().opens_families || t().cl_af != nullptr) return;
    const NDIS_STATUS status = NdisClOpenAddressFamilyEx(static_cast<lab::FakeBinding*>(binding)->handle,
                                                         family, &t().cl_af_context, &t().cl_af);
    t().results["open"] = status;
  }
  static void receive(NDIS_HANDLE binding, NDIS_HANDLE vc, PNET_BUFFER_LIST lists, ULONG number,
                      ULONG flags) {
    const bool client = static_cast<lab::FakeBinding*>(binding)->driver == &t().cl;
    EXPECT_EQ(vc, client ? static_cast<void*>(&t().cl_vc_context) : &t().cm_vc_context);
    t().note(client ? "cl" : "cm", "CoReceiveNetBufferLists");
    ULONG seen = 0;
    for (NET_BUFFER_LIST* list = lists; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list)) ++seen;
    EXPECT_EQ(seen, number);
    if ((flags & NDIS_RECEIVE_FLAGS_RESOURCES) != 0) return;
    lab::for_each_taken(lists, [](NET_BUFFER_LIST* list) { t().received.push_back(list); });
  }
  static void send_complete(NDIS_HANDLE vc, PNET_BUFFER_LIST lists, ULONG) {
    const bool client = vc == &t().cl_vc_context;
    EXPECT_TRUE(client || vc == &t().cm_vc_context);
    t().note(client ? "cl" : "cm", "CoSendNetBufferListsComplete");
    lab::for_each_taken(lists, [](NET_BUFFER_LIST* list) { t().send_completed.push_back(list); });
  }

  // ---- call manager ----
  static NDIS_STATUS cm_create_vc(NDIS_HANDLE af, NDIS_HANDLE vc, PNDIS_HANDLE context) {
    EXPECT_EQ(af, &t().cm_af_context);
    t().cm_vc = vc;
    *context = &t().cm_vc_context;
    return t().note(mgr(), "CoCreateVc");
  }
  static NDIS_STATUS cm_delete_vc(NDIS_HANDLE vc) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    return t().note(mgr(), "CoDeleteVc");
  }
  static NDIS_STATUS open_af(NDIS_HANDLE binding, PCO_ADDRESS_FAMILY family, NDIS_HANDLE af,
                             PNDIS_HANDLE context) {
    EXPECT_NE(binding, nullptr);
    EXPECT_EQ(family->AddressFamily, t().family.AddressFamily);
    t().cm_af = af;
    *context = &t().cm_af_context;
    return t().note(mgr(), "CmOpenAf");
  }
  static NDIS_STATUS close_af(NDIS_HANDLE af) {
    EXPECT_EQ(af, &t().cm_af_context);
    const NDIS_STATUS status = t().note(mgr(), "CmCloseAf");
    if (status != NDIS_STATUS_PENDING) t().cm_af = nullptr;
    return status;
  }
  static NDIS_STATUS register_sap(NDIS_HANDLE af, PCO_SAP sap, NDIS_HANDLE handle, PNDIS_HANDLE context) {
    EXPECT_EQ(af, &t().cm_af_context);
    EXPECT_EQ(sap, &t().sap);
    t().cm_sap = handle;
    *context = &t().cm_sap_context;
    return t().note(mgr(), "CmRegisterSap");
  }
  static NDIS_STATUS deregister_sap(NDIS_HANDLE sap) {
    EXPECT_EQ(sap, &t().cm_sap_context);
    return t().note(mgr(), "CmDeregisterSap");
  }
  static NDIS_STATUS make_call(NDIS_HANDLE vc, PCO_CALL_PARAMETERS, NDIS_HANDLE party, PNDIS_HANDLE context) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    t().cm_party = party;
    if (party != nullptr) *context = &t().cm_party_context;
    return t().note(mgr(), "CmMakeCall");
  }
  static NDIS_STATUS close_call(NDIS_HANDLE vc, NDIS_HANDLE, PVOID, UINT) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    return t().note(mgr(), "CmCloseCall");
  }
  static void incoming_complete(NDIS_STATUS status, NDIS_HANDLE vc, PCO_CALL_PARAMETERS) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    t().results["CmIncomingCallComplete"] = status;
    t().note(mgr(), "CmIncomingCallComplete");
  }
  static NDIS_STATUS add_party(NDIS_HANDLE vc, PCO_CALL_PARAMETERS, NDIS_HANDLE party, PNDIS_HANDLE context) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    t().cm_party = party;
    *context = &t().cm_party_context;
    return t().note(mgr(), "CmAddParty");
  }
  static NDIS_STATUS drop_party(NDIS_HANDLE party, PVOID, UINT) {
    EXPECT_EQ(party, &t().cm_party_context);
    return t().note(mgr(), "CmDropParty");
  }
  static void activate_complete(NDIS_STATUS status, NDIS_HANDLE vc, PCO_CALL_PARAMETERS) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    t().results["CmActivateVcComplete"] = status;
    t().note(mgr(), "CmActivateVcComplete");
  }
  static void deactivate_complete(NDIS_STATUS status, NDIS_HANDLE vc) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    t().results["CmDeactivateVcComplete"] = status;
    t().note(mgr(), "CmDeactivateVcComplete");
  }
  static NDIS_STATUS modify_qos(NDIS_HANDLE vc, PCO_CALL_PARAMETERS) {
    EXPECT_EQ(vc, &t().cm_vc_context);
    return t().note(mgr(), "CmModifyCallQoS");
  }
  static NDIS_STATUS cm_request(NDIS_HANDLE af, NDIS_HANDLE, NDIS_HANDLE, PNDIS_OID_REQUEST request) {
    EXPECT_EQ(af, &t().cm_af_context);
    t().asked = request;
    return t().note(mgr(), "CoOidRequest");
  }
  static void cm_request_complete(NDIS_HANDLE, NDIS_HANDLE, NDIS_HANDLE, PNDIS_OID_REQUEST,
                                  NDIS_STATUS status) {
    t().results[mgr() + " CoOidRequestComplete"] = status;
    t().note(mgr(), "CoOidRequestComplete");
  }
  static void notify_complete(NDIS_HANDLE af, NDIS_STATUS status) {
    EXPECT_EQ(af, &t().cm_af_context);
    t().results["CmNotifyCloseAfComplete"] = status;
    t().note(mgr(), "CmNotifyCloseAfComplete");
  }

  // ---- client ----
  static NDIS_STATUS cl_create_vc(NDIS_HANDLE af, NDIS_HANDLE vc, PNDIS_HANDLE context) {
    EXPECT_EQ(af, &t().cl_af_context);
    t().cl_vc = vc;
    *context = &t().cl_vc_context;
    return t().note("cl", "CoCreateVc");
  }
  static NDIS_STATUS cl_delete_vc(NDIS_HANDLE vc) {
    EXPECT_EQ(vc, &t().cl_vc_context);
    return t().note("cl", "CoDeleteVc");
  }
  static NDIS_STATUS cl_request(NDIS_HANDLE af, NDIS_HANDLE, NDIS_HANDLE, PNDIS_OID_REQUEST request) {
    EXPECT_EQ(af, &t().cl_af_context);
    t().asked = request;
    return t().note("cl", "CoOidRequest");
  }
  static void cl_request_complete(NDIS_HANDLE, NDIS_HANDLE, NDIS_HANDLE, PNDIS_OID_REQUEST,
                                  NDIS_STATUS status) {
    t().results["cl CoOidRequestComplete"] = status;
    t().note("cl", "CoOidRequestComplete");
  }
  static void open_af_complete(NDIS_HANDLE af, NDIS_HANDLE handle, NDIS_STATUS status) {
    EXPECT_EQ(af, &t().cl_af_context);
    EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL);
    if (status == NDIS_STATUS_SUCCESS) t().cl_af = handle;
    t().results["ClOpenAfCompleteEx"] = status;
    t().note("cl", "ClOpenAfCompleteEx");
  }
  template <class Context>
  static void completed(const char* name, NDIS_STATUS status, void* context, Context* expected) {
    EXPECT_EQ(context, expected);
    t().results[name] = status;
    t().note("cl", name);
  }
  static void close_af_complete(NDIS_STATUS s, NDIS_HANDLE af) {
    completed("ClCloseAfComplete", s, af, &t().cl_af_context);
  }
  static void register_sap_complete(NDIS_STATUS s, NDIS_HANDLE sap, PCO_SAP given, NDIS_HANDLE handle) {
    EXPECT_EQ(given, &t().sap);
    if (s == NDIS_STATUS_SUCCESS) t().cl_sap = handle;
    completed("ClRegisterSapComplete", s, sap, &t().cl_sap_context);
  }
  static void deregister_sap_complete(NDIS_STATUS s, NDIS_HANDLE sap) {
    completed("ClDeregisterSapComplete", s, sap, &t().cl_sap_context);
  }
  static void make_call_complete(NDIS_STATUS s, NDIS_HANDLE vc, NDIS_HANDLE party, PCO_CALL_PARAMETERS) {
    if (party != nullptr) t().cl_party = party;
    completed("ClMakeCallComplete", s, vc, &t().cl_vc_context);
  }
  static void modify_complete(NDIS_STATUS s, NDIS_HANDLE vc, PCO_CALL_PARAMETERS) {
    completed("ClModifyCallQoSComplete", s, vc, &t().cl_vc_context);
  }
  static void close_call_complete(NDIS_STATUS s, NDIS_HANDLE vc, NDIS_HANDLE) {
    completed("ClCloseCallComplete", s, vc, &t().cl_vc_context);
  }
  static void add_party_complete(NDIS_STATUS s, NDIS_HANDLE party, NDIS_HANDLE handle, PCO_CALL_PARAMETERS) {
    t().cl_party = handle;
    completed("ClAddPartyComplete", s, party, &t().cl_party_context);
  }
  static void drop_party_complete(NDIS_STATUS s, NDIS_HANDLE party) {
    completed("ClDropPartyComplete", s, party, &t().cl_party_context);
  }
  static NDIS_STATUS incoming_call(NDIS_HANDLE sap, NDIS_HANDLE vc, PCO_CALL_PARAMETERS) {
    EXPECT_EQ(sap, &t().cl_sap_context);
    EXPECT_EQ(vc, &t().cl_vc_context);
    return t().note("cl", "ClIncomingCall");
  }
  static void incoming_qos(NDIS_HANDLE vc, PCO_CALL_PARAMETERS) {
    completed("ClIncomingCallQoSChange", 0, vc, &t().cl_vc_context);
  }
  static void incoming_close(NDIS_STATUS s, NDIS_HANDLE vc, PVOID, UINT) {
    completed("ClIncomingCloseCall", s, vc, &t().cl_vc_context);
  }
  static void incoming_drop(NDIS_STATUS s, NDIS_HANDLE party, PVOID, UINT) {
    completed("ClIncomingDropParty", s, party, &t().cl_party_context);
  }
  static void connected(NDIS_HANDLE vc) { completed("ClCallConnected", 0, vc, &t().cl_vc_context); }
  static NDIS_STATUS notify_close(NDIS_HANDLE af) {
    EXPECT_EQ(af, &t().cl_af_context);
    if (!t().answers.contains("cl ClNotifyCloseAf") && !t().hooks.contains("cl ClNotifyCloseAf")) {
      t().note("cl", "ClNotifyCloseAf");
      return NdisClCloseAddressFamily(std::exchange(t().cl_af, nullptr));
    }
    return t().note("cl", "ClNotifyCloseAf");
  }

  // ---- miniport ----
  static NDIS_STATUS mp_create_vc(NDIS_HANDLE adapter, NDIS_HANDLE vc, PNDIS_HANDLE context) {
    EXPECT_EQ(adapter, &t().mp.adapters.front());
    t().mp_vc = vc;
    *context = &t().mp_vc_context;
    return t().note("mp", "MiniportCoCreateVc");
  }
  static NDIS_STATUS mp_one(const char* name, NDIS_HANDLE vc) {
    EXPECT_EQ(vc, &t().mp_vc_context);
    return t().note("mp", name);
  }
  static NDIS_STATUS mp_delete_vc(NDIS_HANDLE vc) { return mp_one("MiniportCoDeleteVc", vc); }
  static NDIS_STATUS mp_activate(NDIS_HANDLE vc, PCO_CALL_PARAMETERS) {
    return mp_one("MiniportCoActivateVc", vc);
  }
  static NDIS_STATUS mp_deactivate(NDIS_HANDLE vc) { return mp_one("MiniportCoDeactivateVc", vc); }
  static void mp_send(NDIS_HANDLE vc, PNET_BUFFER_LIST lists, ULONG) {
    EXPECT_EQ(vc, t().integrated() ? static_cast<void*>(&t().cm_vc_context) : &t().mp_vc_context);
    lab::for_each_taken(lists, [](NET_BUFFER_LIST* list) { t().sent.push_back(list); });
    t().note("mp", "MiniportCoSendNetBufferLists");
  }
  static NDIS_STATUS mp_request(NDIS_HANDLE, NDIS_HANDLE, PNDIS_OID_REQUEST request) {
    t().asked = request;
    return t().note("mp", "MiniportCoOidRequest");
  }
  static void mp_return(NDIS_HANDLE, PNET_BUFFER_LIST lists, ULONG) {
    lab::for_each_taken(lists, [](NET_BUFFER_LIST* list) { t().returned.push_back(list); });
    t().note("mp", "MiniportReturnNetBufferLists");
  }

  static NDIS_STATUS set_manager(NDIS_HANDLE handle) {
    NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS c{};
    c.Header = {NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
                NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1,
                NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1};
    c.CmCreateVcHandler = cm_create_vc;
    c.CmDeleteVcHandler = cm_delete_vc;
    c.CmOpenAfHandler = open_af;
    c.CmCloseAfHandler = close_af;
    c.CmRegisterSapHandler = register_sap;
    c.CmDeregisterSapHandler = deregister_sap;
    c.CmMakeCallHandler = make_call;
    c.CmCloseCallHandler = close_call;
    c.CmIncomingCallCompleteHandler = incoming_complete;
    c.CmAddPartyHandler = add_party;
    c.CmDropPartyHandler = drop_party;
    c.CmActivateVcCompleteHandler = activate_complete;
    c.CmDeactivateVcCompleteHandler = deactivate_complete;
    c.CmModifyCallQoSHandler = modify_qos;
    c.CmOidRequestHandler = cm_request;
    c.CmOidRequestCompleteHandler = cm_request_complete;
    c.CmNotifyCloseAfCompleteHandler = notify_complete;
    return NdisSetOptionalHandlers(handle, &c.Header);
  }
  static NDIS_STATUS set_protocol(NDIS_HANDLE handle, bool client) {
    NDIS_PROTOCOL_CO_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS, NDIS_PROTOCOL_CO_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_PROTOCOL_CO_CHARACTERISTICS_REVISION_1};
    c.CoStatusHandlerEx = co_status;
    c.CoAfRegisterNotifyHandler = client ? af_notify : nullptr;
    c.CoReceiveNetBufferListsHandler = receive;
    c.CoSendNetBufferListsCompleteHandler = send_complete;
    return NdisSetOptionalHandlers(handle, &c.Header);
  }
  static NDIS_STATUS set_client(NDIS_HANDLE handle) {
    NDIS_CO_CLIENT_OPTIONAL_HANDLERS c{};
    c.Header = {NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1,
                NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1};
    c.ClCreateVcHandler = cl_create_vc;
    c.ClDeleteVcHandler = cl_delete_vc;
    c.ClOidRequestHandler = cl_request;
    c.ClOidRequestCompleteHandler = cl_request_complete;
    c.ClOpenAfCompleteHandlerEx = open_af_complete;
    c.ClCloseAfCompleteHandler = close_af_complete;
    c.ClRegisterSapCompleteHandler = register_sap_complete;
    c.ClDeregisterSapCompleteHandler = deregister_sap_complete;
    c.ClMakeCallCompleteHandler = make_call_complete;
    c.ClModifyCallQoSCompleteHandler = modify_complete;
    c.ClCloseCallCompleteHandler = close_call_complete;
    c.ClAddPartyCompleteHandler = add_party_complete;
    c.ClDropPartyCompleteHandler = drop_party_complete;
    c.ClIncomingCallHandler = incoming_call;
    c.ClIncomingCallQoSChangeHandler = incoming_qos;
    c.ClIncomingCloseCallHandler = incoming_close;
    c.ClIncomingDropPartyHandler = incoming_drop;
    c.ClCallConnectedHandler = connected;
    c.ClNotifyCloseAfHandler = notify_close;
    return NdisSetOptionalHandlers(handle, &c.Header);
  }
  static NDIS_STATUS set_miniport(NDIS_HANDLE handle) {
    NDIS_MINIPORT_CO_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS, NDIS_MINIPORT_CO_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_MINIPORT_CO_CHARACTERISTICS_REVISION_1};
    c.CoCreateVcHandler = mp_create_vc;
    c.CoDeleteVcHandler = mp_delete_vc;
    c.CoActivateVcHandler = mp_activate;
    c.CoDeactivateVcHandler = mp_deactivate;
    c.CoSendNetBufferListsHandler = mp_send;
    c.CoOidRequestHandler = mp_request;
    return NdisSetOptionalHandlers(handle, &c.Header);
  }
};

void CoTest::up(Manager manager, Order order) {
  manager_ = manager;
  mp.miniport6 = [](NDIS_MINIPORT_DRIVER_CHARACTERISTICS& c) {
    c.ReturnNetBufferListsHandler = CoCallbacks::mp_return;
  };
  mp.on_set_options = [this](NDIS_HANDLE handle) {
    if (const NDIS_STATUS status = CoCallbacks::set_miniport(handle); status != NDIS_STATUS_SUCCESS)
      return status;
    return integrated() ? CoCallbacks::set_manager(handle) : NDIS_STATUS_SUCCESS;
  };
  mp.on_initialize = [this](FakeAdapter& adapter) {
    return integrated() ? NdisMCmRegisterAddressFamilyEx(adapter.handle, &family) : NDIS_STATUS_SUCCESS;
  };
  mp.on_halt = [this](FakeAdapter&) {
    if (integrated() && notifies_in_unbind && cm_af != nullptr) NdisMCmNotifyCloseAddressFamily(cm_af);
  };
  mp.be_miniport6();
  cm.protocol6 = [](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) {
    c.SetOptionsHandler = [](NDIS_HANDLE handle, NDIS_HANDLE) {
      const NDIS_STATUS status = CoCallbacks::set_protocol(handle, false);
      return status != NDIS_STATUS_SUCCESS ? status : CoCallbacks::set_manager(handle);
    };
  };
  cm.after_open = [this](FakeBinding& binding) {
    return NdisCmRegisterAddressFamilyEx(binding.handle, &family);
  };
  cm.on_unbind = [this](FakeBinding& binding) {
    if (notifies_in_unbind && cm_af != nullptr) NdisCmNotifyCloseAddressFamily(cm_af);
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  cm.be_protocol6();
  cl.protocol6 = [](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) {
    c.SetOptionsHandler = [](NDIS_HANDLE handle, NDIS_HANDLE) {
      const NDIS_STATUS status = CoCallbacks::set_protocol(handle, true);
      return status != NDIS_STATUS_SUCCESS ? status : CoCallbacks::set_client(handle);
    };
  };
  cl.on_unbind = [this](FakeBinding& binding) {
    if (closes_af_in_unbind && cl_af != nullptr) NdisClCloseAddressFamily(std::exchange(cl_af, nullptr));
    FakeDriver::close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  cl.be_protocol6();
  run([&] {
    std::vector<FakeDriver*> drivers{&mp};
    if (!integrated()) drivers.push_back(&cm);
    drivers.insert(order == Order::ManagerFirst ? drivers.end() : drivers.begin() + 1, &cl);
    for (FakeDriver* driver : drivers) EXPECT_TRUE(driver->load() == STATUS_SUCCESS || memory_fails);
  });
  run([&] {
    if (mp.driver().phase() == kernel::DriverPhase::Loaded) world.plug(mp.driver(), "nic");
  });
}

void CoTest::down() {
  run([&] {
    for (const auto& [driver, pool] : pools_) NdisFreeNetBufferListPool(pool);
    pools_.clear();
    if (const Ref<Adapter> there = nic(); there) world.unplug(*there);
  });
  run([&] {
    for (FakeDriver* driver : {&cl, &cm, &mp}) {
      if (driver->driver().phase() != kernel::DriverPhase::Loaded) continue;
      EXPECT_TRUE(driver->unload());
    }
  });
}

void CoTest::TearDown() {
  for (const FakeDriver* driver : {&cl, &cm, &mp}) EXPECT_EQ(driver->complaints, Lines{});
  EXPECT_EQ(kernel::irql(), PASSIVE_LEVEL) << "the test left the IRQL raised";
  EXPECT_EQ(world.library().handles().open_count(), 0U) << "handles are left open";
  EXPECT_TRUE(world.library().adapters().empty());
  EXPECT_EQ(violations(), expected_violations_);
  here() = nullptr;
}

void CoTest::manager_creates_vc() {
  const NDIS_STATUS status = integrated() ? NdisMCmCreateVc(card(), cm_af, &cm_vc_context, &cm_vc)
                                          : NdisCoCreateVc(binding_of(cm), cm_af, &cm_vc_context, &cm_vc);
  ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
}

NDIS_STATUS CoTest::activate() {
  return integrated() ? NdisMCmActivateVc(cm_vc, &parameters) : NdisCmActivateVc(cm_vc, &parameters);
}
NDIS_STATUS CoTest::deactivate() {
  return integrated() ? NdisMCmDeactivateVc(cm_vc) : NdisCmDeactivateVc(cm_vc);
}

void CoTest::connect_out(void* party_context) {
  hooks[manager_name() + " CmMakeCall"] = [this] { EXPECT_EQ(activate(), NDIS_STATUS_SUCCESS); };
  client_creates_vc();
  ASSERT_EQ(NdisClMakeCall(cl_vc, &parameters, party_context, &cl_party), NDIS_STATUS_SUCCESS);
}

void CoTest::hang_up(NDIS_HANDLE party) {
  EXPECT_EQ(NdisClCloseCall(cl_vc, party, nullptr, 0), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(deactivate(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(NdisCoDeleteVc(cl_vc), NDIS_STATUS_SUCCESS);
}

NET_BUFFER_LIST* CoTest::list_of(lab::FakeDriver& driver, std::uint8_t byte) {
  NDIS_HANDLE& pool = pools_[&driver];
  if (pool == nullptr) pool = lab::make_pool(nullptr, kTag);
  return lab::make_list(pool, FrameView(&byte, 1), kTag);
}

}  // namespace undis::test
