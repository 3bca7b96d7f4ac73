// SPDX-License-Identifier: MIT
//
// OID requests through filters: clones, requests of the filter's own, one at a time, cancellation; status
// indications and events. Pages: network/filter-module-oid-requests,
// network/filter-module-status-indications, network/filter-module-pnp-event-notifications.
#include <cstring>

#include <fmt/format.h>

#include "lab/filter_test.h"
#include "ndis/filter_events.h"

namespace undis::test {
namespace {

class RequestsThroughFilters : public FilterTest {
 protected:
  /// What a protocol asks; its status, with the answer that came by callback if it was pended.
  NDIS_STATUS ask(NDIS_OID_REQUEST& request) {
    lab::FakeBinding& bound = *p.binding("nic");
    const std::size_t before = bound.answered.size();
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    run([&] { status = NdisOidRequest(bound.handle, &request); });
    if (status != NDIS_STATUS_PENDING) return status;
    EXPECT_EQ(bound.answered.size(), before + 1);
    return bound.answered.back().status;
  }
  NDIS_STATUS set_lookahead(ULONG value = 256) {
    NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value));
    return ask(request);
  }
};

TEST_F(RequestsThroughFilters, GoAsClonesFromFilterToFilterToTheMiniport) {
  all_up({&f, &g});
  const std::size_t from = mark();
  EXPECT_EQ(set_lookahead(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(callbacks({"FilterOidRequest", "MiniportOidRequest"}, from),
            (Lines{"g!FilterOidRequest", "f!FilterOidRequest", "mp!MiniportOidRequest"}));
  all_down({&f, &g});
}

TEST_F(RequestsThroughFilters, BringTheResultBack) {
  mp.on_request = [](FakeAdapter& adapter, NDIS_OID oid, bool query) {
    if (!query || oid != OID_GEN_VENDOR_ID) return NDIS_STATUS_SUCCESS;
    const ULONG value = 0x1234;
    std::memcpy(adapter.asked.buffer, &value, sizeof(value));
    *adapter.asked.done = sizeof(value);
    return NDIS_STATUS_SUCCESS;
  };
  all_up({&f, &g});
  ULONG value = 0;
  NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &value, sizeof(value));
  EXPECT_EQ(ask(request), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(value, 0x1234U);
  EXPECT_EQ(request.DATA.QUERY_INFORMATION.BytesWritten, sizeof(value));
  all_down({&f, &g});
}

TEST_F(RequestsThroughFilters, BringTheResultBackFromAMiniportOfFive) {
  all_up({&f}, 5, 5);
  ULONG value = 77;
  NDIS_REQUEST request{};
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_LOOKAHEAD;
  request.DATA.SET_INFORMATION.InformationBuffer = &value;
  request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(value);
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  run([&] { NdisRequest(&status, p.binding("nic")->handle, &request); });
  if (status == NDIS_STATUS_PENDING) status = p.binding("nic")->answered.back().status;
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  EXPECT_GE(f.count("FilterOidRequest"), 1U);
  EXPECT_EQ(request.DATA.SET_INFORMATION.BytesRead, sizeof(value));
  all_down({&f});
}

TEST_F(RequestsThroughFilters, PassByAFilterWithoutAHandler) {
  f.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
    c.OidRequestHandler = nullptr, c.OidRequestCompleteHandler = nullptr;
  };
  all_up({&f, &g});
  EXPECT_EQ(set_lookahead(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(f.count("FilterOid"), 0U);
  EXPECT_EQ(g.count("FilterOidRequest "), 1U);
  all_down({&f, &g});
}

TEST_F(RequestsThroughFilters, MayBeAnsweredByAFilter) {
  all_up({&f, &g});
  g.on_oid = [](FakeModule&, NDIS_OID_REQUEST*) { return NDIS_STATUS_NOT_ACCEPTED; };
  EXPECT_EQ(set_lookahead(), NDIS_STATUS_NOT_ACCEPTED);
  EXPECT_EQ(f.count("FilterOidRequest"), 0U);
  g.on_oid = nullptr;
  all_down({&f, &g});
}

TEST_F(RequestsThroughFilters, ThatTheMiniportPendsAreCompletedFromBelow) {
  all_up({&f, &g});
  NDIS_OID_REQUEST* pended = nullptr;
  mp.on_request = [&](FakeAdapter& adapter, NDIS_OID oid, bool) {
    if (oid != OID_GEN_CURRENT_LOOKAHEAD) return NDIS_STATUS_SUCCESS;
    pended = adapter.asked.request;
    return NDIS_STATUS_PENDING;
  };
  const std::size_t from = mark();
  ULONG value = 1;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value));
  run([&] { EXPECT_EQ(NdisOidRequest(p.binding("nic")->handle, &request), NDIS_STATUS_PENDING); });
  run([&] { NdisMOidRequestComplete(mp.adapter("nic")->handle, pended, NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(
      callbacks({"FilterOidRequestComplete", "ProtocolOidRequestComplete"}, from),
      (Lines{"f!FilterOidRequestComplete", "g!FilterOidRequestComplete", "p!ProtocolOidRequestComplete"}));
  mp.on_request = nullptr;
  all_down({&f, &g});
}

TEST_F(RequestsThroughFilters, ReachAFilterOneAtATime) {
  all_up({&f});
  unsigned inside = 0;
  NDIS_OID_REQUEST* held = nullptr;
  f.on_oid = [&](FakeModule& module, NDIS_OID_REQUEST* request) {
    EXPECT_EQ(++inside, 1U);
    if (held == nullptr) {
      held = request;
      return NDIS_STATUS_PENDING;
    }
    --inside;
    return FakeFilter::forward(module, request);
  };
  ULONG values[2] = {1, 2};
  NDIS_OID_REQUEST first = set_request(OID_GEN_CURRENT_LOOKAHEAD, &values[0], sizeof(ULONG));
  NDIS_OID_REQUEST second = set_request(OID_GEN_CURRENT_LOOKAHEAD, &values[1], sizeof(ULONG));
  run([&] {
    const NDIS_HANDLE handle = p.binding("nic")->handle;
    EXPECT_EQ(NdisOidRequest(handle, &first), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisOidRequest(handle, &second), NDIS_STATUS_PENDING);
  });
  EXPECT_EQ(f.count("FilterOidRequest "), 1U);
  run([&] {
    --inside;
    NdisFOidRequestComplete(f.module().handle, held, NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(f.count("FilterOidRequest "), 2U);
  EXPECT_EQ(p.binding("nic")->answered.size(), 2U);
  f.on_oid = nullptr;
  all_down({&f});
}

TEST_F(RequestsThroughFilters, OfAFilterItselfComeBackToItOnly) {
  all_up({&f, &g});
  mp.on_request = [](FakeAdapter& adapter, NDIS_OID, bool) {
    kernel::queue_work("later", [handle = adapter.handle, request = adapter.asked.request] {
      NdisMOidRequestComplete(handle, request, NDIS_STATUS_SUCCESS);
    });
    return NDIS_STATUS_PENDING;
  };
  ULONG value = 1;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value));
  run([&] { EXPECT_EQ(NdisFOidRequest(g.module().handle, &request), NDIS_STATUS_PENDING); });
  ASSERT_EQ(g.module().answered.size(), 1U);
  EXPECT_EQ(g.module().answered.front().request, &request);
  EXPECT_EQ(g.module().answered.front().status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(f.count("FilterOidRequest "), 1U);
  EXPECT_TRUE(p.binding("nic")->answered.empty());
  mp.on_request = nullptr;
  all_down({&f, &g});
}

TEST_F(RequestsThroughFilters, AreMergedOverBindingsBeforeFiltersSeeThem) {
  Lines seen;
  f.on_oid = [&](FakeModule& module, NDIS_OID_REQUEST* request) {
    if (request->DATA.SET_INFORMATION.Oid == OID_GEN_CURRENT_PACKET_FILTER) {
      ULONG filter = 0;
      std::memcpy(&filter, request->DATA.SET_INFORMATION.InformationBuffer, sizeof(filter));
      seen.push_back(fmt::format("{:#x}", filter));
    }
    return FakeFilter::forward(module, request);
  };
  FakeDriver q(world, "q");
  q.be_protocol6();
  all_up({&f});
  run([&] { ASSERT_EQ(q.load(), STATUS_SUCCESS); });
  ULONG directed = NDIS_PACKET_TYPE_DIRECTED;
  ULONG broadcast = NDIS_PACKET_TYPE_BROADCAST;
  NDIS_OID_REQUEST one = set_request(OID_GEN_CURRENT_PACKET_FILTER, &directed, sizeof(directed));
  NDIS_OID_REQUEST two = set_request(OID_GEN_CURRENT_PACKET_FILTER, &broadcast, sizeof(broadcast));
  EXPECT_EQ(ask(one), NDIS_STATUS_SUCCESS);
  run([&] { EXPECT_EQ(NdisOidRequest(q.binding("nic")->handle, &two), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(seen, (Lines{"0x1", "0x9"}));
  f.on_oid = nullptr;
  unplug();
  run([&] { EXPECT_TRUE(q.unload()); });
  all_down({&f});
}

TEST_F(RequestsThroughFilters, AreCancelledAtTheFilterThatHasThem) {
  all_up({&f, &g});
  NDIS_OID_REQUEST* held = nullptr;
  f.on_oid = [&](FakeModule&, NDIS_OID_REQUEST* request) {
    held = request;
    return NDIS_STATUS_PENDING;
  };
  f.on_cancel_oid = [&](FakeModule& module, void*) {
    NdisFOidRequestComplete(module.handle, held, NDIS_STATUS_REQUEST_ABORTED);
  };
  ULONG value = 1;
  int id = 0;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value), &id);
  run([&] {
    EXPECT_EQ(NdisOidRequest(p.binding("nic")->handle, &request), NDIS_STATUS_PENDING);
    NdisCancelOidRequest(p.binding("nic")->handle, &id);
  });
  EXPECT_EQ(g.count("FilterCancelOidRequest"), 1U);
  EXPECT_EQ(f.count("FilterCancelOidRequest"), 1U);
  EXPECT_EQ(p.binding("nic")->answered.back().status, NDIS_STATUS_REQUEST_ABORTED);
  f.on_oid = nullptr;
  all_down({&f, &g});
}

TEST_F(RequestsThroughFilters, AreAnsweredWhileTheStackIsPaused) {
  all_up({&f});
  run([&] { pause_stack(*nic()); });
  EXPECT_EQ(set_lookahead(), NDIS_STATUS_SUCCESS);
  run([&] { restart_stack(*nic()); });
  all_down({&f});
}

// ---- wrong requests ----

TEST_F(RequestsThroughFilters, WithAWrongHeaderAreRefused) {
  all_up({&f});
  ULONG value = 1;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value));
  const auto send = [&] {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    run([&] { status = NdisFOidRequest(f.module().handle, &request); });
    return status;
  };
  request.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  EXPECT_EQ(send(), NDIS_STATUS_INVALID_PARAMETER);
  request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  request.Header.Size = 8;
  EXPECT_EQ(send(), NDIS_STATUS_INVALID_PARAMETER);
  all_down({&f});
}

TEST_F(RequestsThroughFilters, ThatAreNoClonesAreRefusedAndReported) {
  all_up({&f});
  f.on_oid = [](FakeModule& module, NDIS_OID_REQUEST* request) {
    return NdisFOidRequest(module.handle, request);
  };
  EXPECT_EQ(set_lookahead(), NDIS_STATUS_FAILURE);
  f.on_oid = nullptr;
  all_down({&f});
  expect({"f: OidForwardOnlyClone"});
}

TEST_F(RequestsThroughFilters, CompletedBeforeTheCloneIsFreedAreReported) {
  all_up({&f});
  f.on_oid_complete = [](FakeModule& module, NDIS_OID_REQUEST* request, NDIS_STATUS status) {
    NdisFOidRequestComplete(module.handle, std::exchange(module.original, nullptr), status);
    NdisFreeCloneOidRequest(module.handle, request);
  };
  mp.on_request = [](FakeAdapter& adapter, NDIS_OID oid, bool) {
    if (oid != OID_GEN_CURRENT_LOOKAHEAD) return NDIS_STATUS_SUCCESS;
    kernel::queue_work("later", [handle = adapter.handle, request = adapter.asked.request] {
      NdisMOidRequestComplete(handle, request, NDIS_STATUS_SUCCESS);
    });
    return NDIS_STATUS_PENDING;
  };
  EXPECT_EQ(set_lookahead(), NDIS_STATUS_SUCCESS);
  mp.on_request = nullptr;
  f.on_oid_complete = nullptr;
  all_down({&f});
  expect({"f: OidCloneFreedFirst"});
}

TEST_F(RequestsThroughFilters, CompletedTwiceAreReported) {
  all_up({&f});
  NDIS_OID_REQUEST* held = nullptr;
  f.on_oid = [&](FakeModule&, NDIS_OID_REQUEST* request) {
    held = request;
    return NDIS_STATUS_PENDING;
  };
  ULONG value = 1;
  NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value));
  run([&] {
    EXPECT_EQ(NdisOidRequest(p.binding("nic")->handle, &request), NDIS_STATUS_PENDING);
    NdisFOidRequestComplete(f.module().handle, held, NDIS_STATUS_SUCCESS);
    NdisFOidRequestComplete(f.module().handle, held, NDIS_STATUS_SUCCESS);
  });
  f.on_oid = nullptr;
  all_down({&f});
  expect({"host: NdisOidDoubleComplete"});
}

// LIFE-283
TEST_F(RequestsThroughFilters, OfAFilterThatAttachesAreRefusedAndReported) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  f.on_attach = [&](FakeModule& module) {
    ULONG value = 1;
    NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value));
    status = NdisFOidRequest(module.handle, &request);
    return NDIS_STATUS_SUCCESS;
  };
  all_up({&f});
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  all_down({&f});
  expect({"f: FilterNoTrafficAttaching"});
}

// ---- status ----

class StatusThroughFilters : public FilterTest {};

TEST_F(StatusThroughFilters, GoesFromTheLowestFilterUp) {
  all_up({&f, &g});
  NDIS_STATUS_INDICATION status =
      indication(mp.adapter("nic")->handle, NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
  const std::size_t from = mark();
  run([&] { NdisMIndicateStatusEx(mp.adapter("nic")->handle, &status); });
  EXPECT_EQ(callbacks({"FilterStatus", "ProtocolStatus"}, from),
            (Lines{"f!FilterStatus", "g!FilterStatus", "p!ProtocolStatusEx"}));
  all_down({&f, &g});
}

TEST_F(StatusThroughFilters, StopsAtAFilterThatKeepsIt) {
  all_up({&f, &g});
  f.on_status = [](FakeModule&, NDIS_STATUS_INDICATION*) {};
  NDIS_STATUS_INDICATION status =
      indication(mp.adapter("nic")->handle, NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
  run([&] { NdisMIndicateStatusEx(mp.adapter("nic")->handle, &status); });
  EXPECT_EQ(g.count("FilterStatus"), 0U);
  EXPECT_EQ(p.count("ProtocolStatusEx"), 0U);
  all_down({&f, &g});
}

// LIFE-288
TEST_F(StatusThroughFilters, OfAFilterItselfGoesUpFromItAlsoWhilePaused) {
  all_up({&f, &g});
  NDIS_STATUS_INDICATION status = indication(f.module().handle, NDIS_STATUS_RESET_START);
  run([&] {
    NdisFIndicateStatus(f.module().handle, &status);
    pause_stack(*nic());
    NdisFIndicateStatus(f.module().handle, &status);
    restart_stack(*nic());
  });
  EXPECT_EQ(f.count("FilterStatus"), 0U);
  EXPECT_EQ(g.count("FilterStatus"), 2U);
  EXPECT_EQ(p.count("ProtocolStatusEx"), 2U);
  all_down({&f, &g});
}

// LIFE-288
TEST_F(StatusThroughFilters, OfAFilterThatIsDetachedIsReported) {
  all_up({&f});
  const NDIS_HANDLE dead = f.module().handle;
  unplug();
  run([&] {
    NDIS_STATUS_INDICATION status = indication(dead, NDIS_STATUS_RESET_START);
    NdisFIndicateStatus(dead, &status);
  });
  all_down({&f});
  expect({"host: FilterNoCallsAfterDetach"});
}

TEST_F(StatusThroughFilters, OfTheLinkTellsOldProtocolsWhatHasChanged) {
  all_up({&f}, 6, 5);
  NDIS_LINK_STATE link{};
  link.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_LINK_STATE_REVISION_1, NDIS_SIZEOF_LINK_STATE_REVISION_1};
  link.MediaConnectState = MediaConnectStateDisconnected;
  link.XmitLinkSpeed = link.RcvLinkSpeed = 1'000'000'000;
  NDIS_STATUS_INDICATION status = indication(mp.adapter("nic")->handle, NDIS_STATUS_LINK_STATE);
  status.StatusBuffer = &link;
  status.StatusBufferSize = sizeof(link);
  run([&] { NdisMIndicateStatusEx(mp.adapter("nic")->handle, &status); });
  EXPECT_EQ(p.count(fmt::format("ProtocolStatus nic {:#x}",
                                static_cast<std::uint32_t>(NDIS_STATUS_MEDIA_DISCONNECT))),
            1U);
  all_down({&f});
}

// ---- events ----

class EventsThroughFilters : public FilterTest {
 protected:
  static NET_PNP_EVENT_NOTIFICATION event(NET_PNP_EVENT_CODE code) {
    NET_PNP_EVENT_NOTIFICATION made{};
    made.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                   NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
    made.NetPnPEvent.NetEvent = code;
    return made;
  }
};

// LIFE-195
TEST_F(EventsThroughFilters, GoFromTheLowestFilterUpToTheProtocols) {
  all_up({&f, &g});
  const std::size_t from = mark();
  run([&] {
    EXPECT_EQ(net_pnp_event_up(*nic(), nullptr, event(NetEventQueryRemoveDevice)), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(callbacks({"FilterNetPnPEvent", "ProtocolNetPnPEvent"}, from),
            (Lines{"f!FilterNetPnPEvent", "g!FilterNetPnPEvent", "p!ProtocolNetPnPEvent"}));
  all_down({&f, &g});
}

// LIFE-196
TEST_F(EventsThroughFilters, EndAtAFilterThatDoesNotForwardThem) {
  all_up({&f, &g});
  f.on_net_pnp_event = [](FakeModule&, NET_PNP_EVENT_NOTIFICATION*) { return NDIS_STATUS_SUCCESS; };
  const std::size_t from = mark();
  run([&] {
    EXPECT_EQ(net_pnp_event_up(*nic(), nullptr, event(NetEventQueryRemoveDevice)), NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(callbacks({"FilterNetPnPEvent", "ProtocolNetPnPEvent"}, from), Lines{"f!FilterNetPnPEvent"});
  all_down({&f, &g});
}

TEST_F(EventsThroughFilters, BringTheProtocolsAnswerBack) {
  all_up({&f, &g});
  p.on_pnp_event = [](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
    return code == NetEventQueryRemoveDevice ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS;
  };
  run([&] {
    EXPECT_EQ(net_pnp_event_up(*nic(), nullptr, event(NetEventQueryRemoveDevice)), NDIS_STATUS_FAILURE);
  });
  p.on_pnp_event = nullptr;
  all_down({&f, &g});
}

TEST_F(EventsThroughFilters, OfTheDeviceGoFromTheUppermostFilterDown) {
  all_up({&f, &g});
  NET_DEVICE_PNP_EVENT what{};
  what.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_DEVICE_PNP_EVENT_REVISION_1,
                 NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1};
  what.DevicePnPEvent = NdisDevicePnPEventPowerProfileChanged;
  const std::size_t from = mark();
  run([&] { device_pnp_event_down(*nic(), nullptr, what); });
  EXPECT_EQ(callbacks({"FilterDevicePnPEventNotify", "MiniportDevicePnPEventNotify"}, from),
            (Lines{"g!FilterDevicePnPEventNotify", "f!FilterDevicePnPEventNotify",
                   "mp!MiniportDevicePnPEventNotify"}));
  all_down({&f, &g});
}

// LIFE-307
TEST_F(EventsThroughFilters, ForwardedInsideAnOidRequestAreReported) {
  all_up({&f});
  f.on_oid = [&](FakeModule& module, NDIS_OID_REQUEST*) {
    NET_PNP_EVENT_NOTIFICATION what = event(NetEventPortActivation);
    NdisFNetPnPEvent(module.handle, &what);
    return NDIS_STATUS_SUCCESS;
  };
  run([&] {
    ULONG value = 1;
    NDIS_OID_REQUEST request = set_request(OID_GEN_CURRENT_LOOKAHEAD, &value, sizeof(value));
    NdisOidRequest(p.binding("nic")->handle, &request);
  });
  f.on_oid = nullptr;
  all_down({&f});
  expect({"f: FilterEventInOidRequest"});
}

}  // namespace
}  // namespace undis::test
