// SPDX-License-Identifier: MIT
//
// Bad input, case by case: each structure with a wrong type, revision, size or version, NULL where something
// is needed, buffers that are too short. Each gets the status that its page has for it, wrong headers a
// finding as well, and nothing crashes. Handles are handle_test.cpp's. Pages:
// objectheader/ns-objectheader-ndis_object_header and those of the functions.
#include <functional>
#include <iostream>

#include <fmt/format.h>

#include "lab/core_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

/// What a case gives to its function, and what is to come of it.
struct BadCase {
  std::string what;
  std::function<NDIS_STATUS()> call;
  NDIS_STATUS expected;
  bool told;  ///< ObjectHeaderValid
};

class BadInput : public CoreTest {
 public:  // the functions that drivers give are no members
  using CoreTest::p;
  void play(const std::vector<BadCase>& cases) {
    for (const BadCase& one : cases) {
      SCOPED_TRACE(one.what);
      const std::size_t before = raw_findings();
      EXPECT_EQ(one.call(), one.expected);
      const std::size_t found = raw_findings() - before;
      EXPECT_EQ(found != 0, one.told);
    }
    played += cases.size();
  }
  /// Findings as they are told, each time, also those that say nothing new.
  std::size_t raw_findings() {
    const Lines trace = world.verifier().trace();
    return static_cast<std::size_t>(std::ranges::count_if(
        trace, [](const std::string& line) { return line.starts_with("VIOLATION ObjectHeaderValid"); }));
  }
  /// The four ways to spoil a header: type, revision 0, size too small, size 0.
  template <class T, class Call>
  void spoil_header(std::vector<BadCase>& cases, const std::string& name, const T& good,
                    NDIS_OBJECT_HEADER T::*header, Call call, NDIS_STATUS expected,
                    NDIS_STATUS for_revision) {
    const auto with = [=](const char* what, auto change, NDIS_STATUS status) {
      return BadCase{name + ": " + what,
                     [=] {
                       T bad = good;
                       change(bad.*header);
                       return call(&bad);
                     },
                     status, true};
    };
    cases.push_back(with(
        "type", [](NDIS_OBJECT_HEADER& h) { h.Type = 0x01; }, expected));
    cases.push_back(with(
        "revision 0", [](NDIS_OBJECT_HEADER& h) { h.Revision = 0; }, for_revision));
    cases.push_back(with(
        "size one too small", [](NDIS_OBJECT_HEADER& h) { h.Size = static_cast<USHORT>(h.Size - 1); },
        expected));
    cases.push_back(with(
        "size 0", [](NDIS_OBJECT_HEADER& h) { h.Size = 0; }, expected));
    cases.push_back(BadCase{name + ": NULL", [=] { return call(nullptr); }, expected, false});
  }
  static std::size_t played;
  static void TearDownTestSuite() { std::cout << "bad input: " << played << " cases\n"; }
};
std::size_t BadInput::played = 0;

TEST_F(BadInput, OfRegistrations) {
  WideString name(u"bad");
  std::vector<BadCase> cases;
  const auto miniport = [&](NDIS_MINIPORT_DRIVER_CHARACTERISTICS* c) {
    NDIS_HANDLE handle = nullptr;
    const NDIS_STATUS status =
        NdisMRegisterMiniportDriver(mp.driver().object(), mp.driver().registry_path(), nullptr, c, &handle);
    EXPECT_EQ(handle, nullptr);
    return status;
  };
  const auto protocol = [&](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS* c) {
    NDIS_HANDLE handle = nullptr;
    const NDIS_STATUS status = NdisRegisterProtocolDriver(nullptr, c, &handle);
    EXPECT_EQ(handle, nullptr);
    return status;
  };
  auto good = FakeDriver::miniport6_characteristics();
  spoil_header(cases, "miniport characteristics", good, &NDIS_MINIPORT_DRIVER_CHARACTERISTICS::Header,
               miniport, NDIS_STATUS_BAD_CHARACTERISTICS, NDIS_STATUS_BAD_CHARACTERISTICS);
  cases.pop_back();  // NULL has another status here
  cases.push_back(
      {"miniport characteristics: NULL", [&] { return miniport(nullptr); }, NDIS_STATUS_FAILURE, false});
  for (const auto& [major, minor] : {std::pair{5, 1}, {7, 0}, {6, 2}, {6, 255}}) {
    auto c = good;
    c.MajorNdisVersion = static_cast<UCHAR>(major);
    c.MinorNdisVersion = static_cast<UCHAR>(minor);
    cases.push_back({fmt::format("miniport version {}.{}", major, minor),
                     [=] {
                       auto copy = c;
                       return miniport(&copy);
                     },
                     NDIS_STATUS_BAD_VERSION, false});
  }
  const auto without = [&]<class M>(const char* member_name,
                                    M NDIS_MINIPORT_DRIVER_CHARACTERISTICS::*member) {
    auto c = good;
    c.*member = nullptr;
    cases.push_back({fmt::format("miniport without {}", member_name),
                     [=] {
                       auto copy = c;
                       return miniport(&copy);
                     },
                     NDIS_STATUS_BAD_CHARACTERISTICS, false});
  };
  using C = NDIS_MINIPORT_DRIVER_CHARACTERISTICS;
  without("InitializeHandlerEx", &C::InitializeHandlerEx);
  without("HaltHandlerEx", &C::HaltHandlerEx);
  without("UnloadHandler", &C::UnloadHandler);
  without("PauseHandler", &C::PauseHandler);
  without("RestartHandler", &C::RestartHandler);
  without("OidRequestHandler", &C::OidRequestHandler);
  without("SendNetBufferListsHandler", &C::SendNetBufferListsHandler);
  without("ReturnNetBufferListsHandler", &C::ReturnNetBufferListsHandler);
  without("CancelSendHandler", &C::CancelSendHandler);
  without("DevicePnPEventNotifyHandler", &C::DevicePnPEventNotifyHandler);
  without("ShutdownHandlerEx", &C::ShutdownHandlerEx);
  without("CancelOidRequestHandler", &C::CancelOidRequestHandler);

  auto good_protocol = FakeDriver::protocol6_characteristics(name.get());
  spoil_header(cases, "protocol characteristics", good_protocol,
               &NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::Header, protocol, NDIS_STATUS_BAD_CHARACTERISTICS,
               NDIS_STATUS_BAD_CHARACTERISTICS);
  for (const auto& [major, minor] : {std::pair{5, 0}, {7, 0}, {6, 3}}) {
    auto c = good_protocol;
    c.MajorNdisVersion = static_cast<UCHAR>(major);
    c.MinorNdisVersion = static_cast<UCHAR>(minor);
    cases.push_back({fmt::format("protocol version {}.{}", major, minor),
                     [=] {
                       auto copy = c;
                       return protocol(&copy);
                     },
                     NDIS_STATUS_BAD_VERSION, false});
  }
  const auto without_protocol = [&]<class M>(const char* member_name,
                                             M NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::*member) {
    auto c = good_protocol;
    c.*member = nullptr;
    cases.push_back({fmt::format("protocol without {}", member_name),
                     [=] {
                       auto copy = c;
                       return protocol(&copy);
                     },
                     NDIS_STATUS_BAD_CHARACTERISTICS, false});
  };
  using P = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS;
  without_protocol("BindAdapterHandlerEx", &P::BindAdapterHandlerEx);
  without_protocol("UnbindAdapterHandlerEx", &P::UnbindAdapterHandlerEx);
  without_protocol("OpenAdapterCompleteHandlerEx", &P::OpenAdapterCompleteHandlerEx);
  without_protocol("CloseAdapterCompleteHandlerEx", &P::CloseAdapterCompleteHandlerEx);
  without_protocol("NetPnPEventHandler", &P::NetPnPEventHandler);
  without_protocol("OidRequestCompleteHandler", &P::OidRequestCompleteHandler);
  without_protocol("StatusHandlerEx", &P::StatusHandlerEx);
  without_protocol("ReceiveNetBufferListsHandler", &P::ReceiveNetBufferListsHandler);
  without_protocol("SendNetBufferListsCompleteHandler", &P::SendNetBufferListsCompleteHandler);
  mp.entry = [&] {
    play(cases);
    return static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL);
  };
  run([&] { mp.load(); });
  expect({"mp: ObjectHeaderValid", "mp: ObjectHeaderValid"});
}

TEST_F(BadInput, OfAttributes) {
  up();
  std::vector<BadCase> cases;
  const auto set = [&](NDIS_MINIPORT_ADAPTER_ATTRIBUTES* a) {
    return NdisMSetMiniportAttributes(nic()->handle(), a);
  };
  struct Kind {
    const char* name;
    NDIS_OBJECT_HEADER header;
  };
  const Kind kinds[] = {
      {"registration attributes",
       {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
        NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2,
        NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2}},
      {"general attributes",
       {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
        NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1}},
      {"offload attributes",
       {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES,
        NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1}},
  };
  for (const Kind& kind : kinds) {
    const auto with = [&](const char* what, auto change, NDIS_STATUS status) {
      cases.push_back({fmt::format("{}: {}", kind.name, what),
                       [=, header = kind.header] {
                         NDIS_MINIPORT_ADAPTER_ATTRIBUTES a{};
                         a.Header = header;
                         change(a.Header);
                         return set(&a);
                       },
                       status, true});
    };
    with(
        "revision 0", [](NDIS_OBJECT_HEADER& h) { h.Revision = 0; }, NDIS_STATUS_BAD_VERSION);
    with(
        "revision 99", [](NDIS_OBJECT_HEADER& h) { h.Revision = 99; }, NDIS_STATUS_BAD_VERSION);
    with(
        "size too small", [](NDIS_OBJECT_HEADER& h) { h.Size = sizeof(NDIS_OBJECT_HEADER); },
        NDIS_STATUS_INVALID_PARAMETER);
    with(
        "size 0", [](NDIS_OBJECT_HEADER& h) { h.Size = 0; }, NDIS_STATUS_INVALID_PARAMETER);
  }
  for (const UCHAR type : {UCHAR{0}, UCHAR{1}, UCHAR{0xFF}, UCHAR{NDIS_OBJECT_TYPE_OID_REQUEST}})
    cases.push_back({fmt::format("attributes of type {:#x}", type),
                     [=] {
                       NDIS_MINIPORT_ADAPTER_ATTRIBUTES a{};
                       a.Header = {type, 1, sizeof(a)};
                       return set(&a);
                     },
                     NDIS_STATUS_INVALID_PARAMETER, true});
  cases.push_back({"attributes: NULL", [=] { return set(nullptr); }, NDIS_STATUS_INVALID_PARAMETER, false});
  run([&] { play(cases); });
  down();
  EXPECT_EQ(violations().size(), 1U);
  expect(violations());
}

TEST_F(BadInput, OfRequests) {
  mp.on_direct_request = [](FakeAdapter&, NDIS_OID_REQUEST*) { return NDIS_STATUS_SUCCESS; };
  mp.on_synchronous_request = mp.on_direct_request;
  up();
  ULONG number = 0;
  const NDIS_OID_REQUEST good = query_request(OID_GEN_MAXIMUM_FRAME_SIZE, &number, sizeof(number));
  std::vector<BadCase> cases;
  const NDIS_HANDLE handle = binding()->handle();
  const std::pair<const char*, std::function<NDIS_STATUS(NDIS_OID_REQUEST*)>> functions[] = {
      {"NdisOidRequest", [=](NDIS_OID_REQUEST* r) { return NdisOidRequest(handle, r); }},
      {"NdisDirectOidRequest", [=](NDIS_OID_REQUEST* r) { return NdisDirectOidRequest(handle, r); }},
      {"NdisSynchronousOidRequest",
       [=](NDIS_OID_REQUEST* r) { return NdisSynchronousOidRequest(handle, r); }},
      {"NdisAllocateCloneOidRequest",
       [=](NDIS_OID_REQUEST* r) {
         NDIS_OID_REQUEST* clone = nullptr;
         const NDIS_STATUS status = NdisAllocateCloneOidRequest(handle, r, 0x74736554, &clone);
         EXPECT_EQ(clone, nullptr);
         return status;
       }},
  };
  for (const auto& [name, call] : functions)
    spoil_header(cases, name, good, &NDIS_OID_REQUEST::Header, call, NDIS_STATUS_FAILURE,
                 NDIS_STATUS_FAILURE);
  for (const int type : {-1, 4, 5, 99}) {
    cases.push_back({fmt::format("request type {}", type),
                     [=] {
                       NDIS_OID_REQUEST bad = good;
                       bad.RequestType = static_cast<NDIS_REQUEST_TYPE>(type);
                       return NdisOidRequest(handle, &bad);
                     },
                     NDIS_STATUS_FAILURE, false});
  }
  // Buffers that are too short for what NDIS answers itself.
  for (const NDIS_OID oid : std::initializer_list<NDIS_OID>{
           OID_GEN_MAXIMUM_FRAME_SIZE, OID_GEN_LINK_STATE, OID_GEN_MAX_LINK_SPEED, OID_GEN_ENUMERATE_PORTS,
           OID_802_3_CURRENT_ADDRESS, OID_GEN_DRIVER_VERSION, OID_GEN_SUPPORTED_LIST})
    for (const UINT length : {0U, 1U})
      cases.push_back({fmt::format("OID {:#x} with {} bytes", oid, length),
                       [=] {
                         UCHAR byte = 0;
                         NDIS_OID_REQUEST bad = query_request(oid, &byte, length);
                         const NDIS_STATUS status = NdisOidRequest(handle, &bad);
                         EXPECT_GT(bad.DATA.QUERY_INFORMATION.BytesNeeded, length);
                         EXPECT_EQ(bad.DATA.QUERY_INFORMATION.BytesWritten, 0U);
                         return status;
                       },
                       NDIS_STATUS_INVALID_LENGTH, false});
  run([&] { play(cases); });
  down();
  for (const std::string& line : violations()) EXPECT_EQ(line, "host: ObjectHeaderValid");
  expect(violations());
}

TEST_F(BadInput, OfOpensPortsEventsAndStatuses) {
  up();
  std::vector<BadCase> cases;
  const NDIS_HANDLE card = nic()->handle();
  NDIS_PORT_CHARACTERISTICS port{};
  port.Header = {NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS, NDIS_PORT_CHARACTERISTICS_REVISION_1,
                 NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1};
  spoil_header(
      cases, "NdisMAllocatePort", port, &NDIS_PORT_CHARACTERISTICS::Header,
      [=](NDIS_PORT_CHARACTERISTICS* p_) { return NdisMAllocatePort(card, p_); }, NDIS_STATUS_INVALID_DATA,
      NDIS_STATUS_INVALID_DATA);
  NET_PNP_EVENT_NOTIFICATION event{};
  event.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                  NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
  event.NetPnPEvent.NetEvent = NetEventPortActivation;
  spoil_header(
      cases, "NdisMNetPnPEvent", event, &NET_PNP_EVENT_NOTIFICATION::Header,
      [=](NET_PNP_EVENT_NOTIFICATION* e) { return NdisMNetPnPEvent(card, e); }, NDIS_STATUS_INVALID_PARAMETER,
      NDIS_STATUS_INVALID_PARAMETER);
  for (const auto code : {NetEventPortActivation, NetEventPortDeactivation, NetEventMaximum,
                          static_cast<NET_PNP_EVENT_CODE>(NetEventMaximum + 1)})
    cases.push_back({fmt::format("event {} without a buffer", static_cast<int>(code)),
                     [=] {
                       auto bad = event;
                       bad.NetPnPEvent.NetEvent = code;
                       return NdisMNetPnPEvent(card, &bad);
                     },
                     NDIS_STATUS_INVALID_PARAMETER, false});
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.StatusCode = NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
  const unsigned told = p.count("ProtocolStatusEx");
  spoil_header(
      cases, "NdisMIndicateStatusEx", indication, &NDIS_STATUS_INDICATION::Header,
      [=](NDIS_STATUS_INDICATION* s) {
        NdisMIndicateStatusEx(card, s);
        return NDIS_STATUS_SUCCESS;
      },
      NDIS_STATUS_SUCCESS, NDIS_STATUS_SUCCESS);
  run([&] { play(cases); });
  EXPECT_EQ(p.count("ProtocolStatusEx"), told) << "what is wrong goes to nobody";
  down();
  for (const std::string& line : violations()) EXPECT_EQ(line, "host: ObjectHeaderValid");
  expect(violations());
}

TEST_F(BadInput, OfOpens) {
  std::vector<BadCase> cases;
  p.entry = [&] {
    p.set_driver_unload();
    return static_cast<NTSTATUS>(p.register_protocol6("p"));
  };
  p.unload_routine = [&] { NdisDeregisterProtocolDriver(p.protocol); };
  mp.be_miniport6();
  static BadInput* self;
  static std::vector<BadCase>* list;
  self = this;
  list = &cases;
  p.protocol6 = [](NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& c) {
    c.BindAdapterHandlerEx = [](NDIS_HANDLE, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
      static NDIS_MEDIUM media[] = {NdisMedium802_3};
      static UINT index;
      NDIS_OPEN_PARAMETERS open{};
      open.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                     NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
      open.AdapterName = parameters->AdapterName;
      open.MediumArray = media;
      open.MediumArraySize = 1;
      open.SelectedMediumIndex = &index;
      const NDIS_HANDLE protocol = self->p.protocol;
      const auto call = [=](NDIS_OPEN_PARAMETERS* o) {
        NDIS_HANDLE handle = nullptr;
        return NdisOpenAdapterEx(protocol, self, o, bind_context, &handle);
      };
      self->spoil_header(*list, "NdisOpenAdapterEx", open, &NDIS_OPEN_PARAMETERS::Header, call,
                         NDIS_STATUS_FAILURE, NDIS_STATUS_FAILURE);
      const auto with = [&](const char* what, auto change, NDIS_STATUS status) {
        list->push_back({fmt::format("NdisOpenAdapterEx: {}", what),
                         [=] {
                           auto bad = open;
                           change(bad);
                           return call(&bad);
                         },
                         status, false});
      };
      with(
          "no index", [](NDIS_OPEN_PARAMETERS& o) { o.SelectedMediumIndex = nullptr; }, NDIS_STATUS_FAILURE);
      with(
          "no media", [](NDIS_OPEN_PARAMETERS& o) { o.MediumArray = nullptr; }, NDIS_STATUS_FAILURE);
      with(
          "an empty list of media", [](NDIS_OPEN_PARAMETERS& o) { o.MediumArraySize = 0; },
          NDIS_STATUS_UNSUPPORTED_MEDIA);
      self->play(*list);
      return NDIS_STATUS_FAILURE;
    };
  };
  run([&] {
    EXPECT_EQ(mp.load(), STATUS_SUCCESS);
    EXPECT_EQ(p.load(), STATUS_SUCCESS);
  });
  plug();
  EXPECT_GT(cases.size(), 5U);
  down();
  expect({"p: ObjectHeaderValid"});
}

}  // namespace
}  // namespace undis::test
