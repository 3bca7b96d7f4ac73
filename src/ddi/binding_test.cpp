// SPDX-License-Identifier: MIT
//
// What the services do with a binding: configuration of a bind, names, interfaces, request copies, events
// passed up.
#include "ddi/testing.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/interface.h"
#include "ndis/strings.h"

namespace undis {
namespace {

/// A miniport and a protocol that do no more than they must; the protocol's bind runs `in_bind` once it has
/// opened the adapter.
class Bindings : public ServiceTest {
 protected:
  void SetUp() override {
    in_bind = nullptr;
    answer = NDIS_STATUS_SUCCESS;
    events.clear();
    library->load(*driver, entry);
    system->registry().create_key(kSection);
  }
  void bring_up() {
    system->run("start", [&] {
      adapter = library->add_adapter(
          *library->miniport_drivers()[0],
          {.name = "nic0", .device_name = u"\\Device\\{nic0}", .configuration_key = kAdapterKey});
      EXPECT_EQ(start_stack(*adapter), NDIS_STATUS_SUCCESS);
    });
  }
  void TearDown() override {
    system->run("stop", [&] { library->unload(*driver); });
    EXPECT_EQ(seen.left.size(), 0U);
    adapter = nullptr;
    ServiceTest::TearDown();
  }

  static NTSTATUS entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS m{};
    m.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
    m.MajorNdisVersion = 6;
    m.MinorNdisVersion = 30;
    m.Flags = NDIS_INTERMEDIATE_DRIVER;
    m.InitializeHandlerEx = initialize;
    m.HaltHandlerEx = [](NDIS_HANDLE, NDIS_HALT_ACTION) {};
    m.UnloadHandler = [](PDRIVER_OBJECT) {
      NdisDeregisterProtocolDriver(protocol);
      NdisMDeregisterMiniportDriver(miniport);
    };
    m.PauseHandler = [](NDIS_HANDLE, PNDIS_MINIPORT_PAUSE_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
    m.RestartHandler = [](NDIS_HANDLE, PNDIS_MINIPORT_RESTART_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
    m.OidRequestHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST) { return NDIS_STATUS_NOT_SUPPORTED; };
    m.SendNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST, NDIS_PORT_NUMBER, ULONG) {};
    m.ReturnNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST, ULONG) {};
    m.CancelSendHandler = [](NDIS_HANDLE, PVOID) {};
    m.DevicePnPEventNotifyHandler = [](NDIS_HANDLE, PNET_DEVICE_PNP_EVENT) {};
    m.ShutdownHandlerEx = [](NDIS_HANDLE, NDIS_SHUTDOWN_ACTION) {};
    m.CancelOidRequestHandler = [](NDIS_HANDLE, PVOID) {};
    EXPECT_EQ(NdisMRegisterMiniportDriver(object, path, nullptr, &m, &miniport), NDIS_STATUS_SUCCESS);

    const WideString name(u"PROBE");
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS p{};
    p.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
                NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
    p.MajorNdisVersion = 6;
    p.MinorNdisVersion = 30;
    p.Name = *name.get();
    p.BindAdapterHandlerEx = bind;
    p.UnbindAdapterHandlerEx = [](NDIS_HANDLE, NDIS_HANDLE) { return NdisCloseAdapterEx(opened); };
    p.OpenAdapterCompleteHandlerEx = [](NDIS_HANDLE, NDIS_STATUS) {};
    p.CloseAdapterCompleteHandlerEx = [](NDIS_HANDLE) {};
    p.NetPnPEventHandler = [](NDIS_HANDLE, PNET_PNP_EVENT_NOTIFICATION e) {
      events.push_back(e->NetPnPEvent.NetEvent);
      const bool own = e->NetPnPEvent.NetEvent == NetEventPause || e->NetPnPEvent.NetEvent == NetEventRestart;
      return own ? NDIS_STATUS_SUCCESS : answer;
    };
    p.OidRequestCompleteHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST, NDIS_STATUS) {};
    p.StatusHandlerEx = [](NDIS_HANDLE, PNDIS_STATUS_INDICATION) {};
    p.ReceiveNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST, NDIS_PORT_NUMBER, ULONG, ULONG) {};
    p.SendNetBufferListsCompleteHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST, ULONG) {};
    EXPECT_EQ(NdisRegisterProtocolDriver(nullptr, &p, &protocol), NDIS_STATUS_SUCCESS);
    // The default policy keeps a driver's protocol off its own adapters.
    Library::current().policy.binds = [](const ProtocolDriver&, const Adapter&) { return true; };
    return STATUS_SUCCESS;
  }

  static NDIS_STATUS initialize(NDIS_HANDLE handle, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS parameters) {
    luid = parameters->NetLuid;
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES registration{};
    registration.RegistrationAttributes.Header = {
        NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
        NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
    registration.RegistrationAttributes.InterfaceType = NdisInterfaceInternal;
    registration.RegistrationAttributes.MiniportAdapterContext = handle;
    if (const NDIS_STATUS status = NdisMSetMiniportAttributes(handle, &registration);
        status != NDIS_STATUS_SUCCESS)
      return status;
    static NDIS_OID oids[] = {OID_GEN_STATISTICS};
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes{};
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general = attributes.GeneralAttributes;
    general.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                      NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                      NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
    general.MediaType = NdisMedium802_3;
    general.MtuSize = 1500;
    general.LookaheadSize = 1500;
    general.MacAddressLength = 6;
    general.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED;
    general.SupportedOidList = oids;
    general.SupportedOidListLength = sizeof oids;
    return NdisMSetMiniportAttributes(handle, &attributes);
  }

  static NDIS_STATUS bind(NDIS_HANDLE, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
    NDIS_OPEN_PARAMETERS open{};
    open.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                   NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
    NDIS_MEDIUM medium = NdisMedium802_3;
    UINT index = 0;
    open.AdapterName = parameters->AdapterName;
    open.MediumArray = &medium;
    open.MediumArraySize = 1;
    open.SelectedMediumIndex = &index;
    const NDIS_STATUS status = NdisOpenAdapterEx(protocol, protocol, &open, bind_context, &opened);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    if (in_bind) in_bind(bind_context, parameters);
    return status;
  }

  static constexpr const char16_t* kSection =
      u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\probe\\Parameters\\Adapters\\{nic0}";
  static inline NDIS_HANDLE miniport = nullptr;
  static inline NDIS_HANDLE protocol = nullptr;
  static inline NDIS_HANDLE opened = nullptr;
  static inline NET_LUID luid{};
  static inline NDIS_STATUS answer = NDIS_STATUS_SUCCESS;
  static inline std::vector<NET_PNP_EVENT_CODE> events;
  static inline std::function<void(NDIS_HANDLE, PNDIS_BIND_PARAMETERS)> in_bind;
  Ref<Adapter> adapter;
};

NDIS_STATUS try_open(NDIS_HANDLE handle) {
  NDIS_CONFIGURATION_OBJECT object{{NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                                    NDIS_CONFIGURATION_OBJECT_REVISION_1,
                                    NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1},
                                   handle,
                                   0};
  NDIS_HANDLE configuration = nullptr;
  const NDIS_STATUS status = NdisOpenConfigurationEx(&object, &configuration);
  if (status == NDIS_STATUS_SUCCESS) NdisCloseConfiguration(configuration);
  return status;
}

TEST_F(Bindings, HaveTheirConfigurationByParametersAndByHandle) {
  bool bound = false;
  in_bind = [&](NDIS_HANDLE, PNDIS_BIND_PARAMETERS parameters) {
    bound = true;
    EXPECT_EQ(try_open(parameters), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(try_open(opened), NDIS_STATUS_SUCCESS);
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    NDIS_HANDLE configuration = nullptr;
    NdisOpenProtocolConfiguration(&status, &configuration, parameters->ProtocolSection);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisCloseConfiguration(configuration);
  };
  bring_up();
  EXPECT_TRUE(bound);
  EXPECT_EQ(adapter->bindings()[0]->bind_parameters, nullptr) << "they die with the bind";
}

TEST_F(Bindings, KnowTheNameAndTheInterfaceOfTheirAdapter) {
  in_bind = [&](NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
    NDIS_STRING name{};
    EXPECT_EQ(NdisQueryBindInstanceName(&name, bind_context), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(kernel::view(&name), u"nic0");
    NdisFreeString(name);
    EXPECT_EQ(NdisQueryAdapterInstanceName(&name, opened), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(kernel::view(&name), u"nic0");
    NdisFreeString(name);
    NET_IFINDEX bound = 0;
    NET_IFINDEX lowest = 0;
    NET_LUID bound_luid{};
    NET_LUID lowest_luid{};
    EXPECT_EQ(NdisIfQueryBindingIfIndex(opened, &bound, &bound_luid, &lowest, &lowest_luid),
              NDIS_STATUS_SUCCESS);
    EXPECT_EQ(bound, parameters->BoundIfIndex);
    EXPECT_EQ(bound_luid.Value, parameters->BoundIfNetluid.Value);
    EXPECT_EQ(bound_luid.Value, luid.Value);
    EXPECT_EQ(lowest, parameters->LowestIfIndex);
  };
  bring_up();
}

TEST_F(Bindings, CopyRequestsWithoutWhatIsReserved) {
  in_bind = [&](NDIS_HANDLE, PNDIS_BIND_PARAMETERS) {
    NDIS_OID_REQUEST original{};
    original.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                       NDIS_SIZEOF_OID_REQUEST_REVISION_1};
    original.RequestType = NdisRequestQueryInformation;
    original.DATA.QUERY_INFORMATION.Oid = OID_GEN_STATISTICS;
    original.SourceReserved[0] = 1;
    NDIS_OID_REQUEST* clone = nullptr;
    ASSERT_EQ(NdisAllocateCloneOidRequest(opened, &original, 1, &clone), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(clone->DATA.QUERY_INFORMATION.Oid, OID_GEN_STATISTICS);
    EXPECT_EQ(clone->RequestType, NdisRequestQueryInformation);
    EXPECT_EQ(clone->SourceReserved[0], 0);
    NdisFreeCloneOidRequest(opened, clone);
  };
  bring_up();
}

// LIFE-304, LIFE-306
TEST_F(Bindings, AreToldOfEventsFromBelowAndMayRefuseAQuery) {
  bring_up();
  events.clear();
  system->run("events", [&] {
    NET_PNP_EVENT_NOTIFICATION e{};
    e.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
    as_driver_at(PASSIVE_LEVEL, [&] {
      e.NetPnPEvent.NetEvent = NetEventQueryPower;
      EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &e), NDIS_STATUS_SUCCESS);
      answer = NDIS_STATUS_RESOURCES;
      EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &e), NDIS_STATUS_RESOURCES);
      EXPECT_EQ(NdisIMNotifyPnPEvent(adapter->handle(), &e.NetPnPEvent), NDIS_STATUS_FAILURE);
      e.NetPnPEvent.NetEvent = NetEventSetPower;
      EXPECT_EQ(NdisMNetPnPEvent(adapter->handle(), &e), NDIS_STATUS_SUCCESS)
          << "only the answer to a query counts";
    });
  });
  EXPECT_EQ(events, (std::vector<NET_PNP_EVENT_CODE>{NetEventQueryPower, NetEventQueryPower,
                                                     NetEventQueryPower, NetEventSetPower}));
}

// LIFE-171
TEST_F(Bindings, GoWithAnAdapterThatItsMiniportGivesUp) {
  bring_up();
  system->run("give up", [&] {
    as_driver([&] { EXPECT_EQ(NdisMRemoveMiniport(adapter->handle()), NDIS_STATUS_SUCCESS); });
  });
  system->run_until_idle();
  EXPECT_TRUE(library->adapters().empty());
  EXPECT_TRUE(adapter->bindings().empty());
}

}  // namespace
}  // namespace undis
