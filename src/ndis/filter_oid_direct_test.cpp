// SPDX-License-Identifier: MIT
//
// Direct and synchronous OID requests through filters. Pages: ndis/nf-ndis-ndisfdirectoidrequest,
// ndis/nc-ndis-filter_direct_oid_request, ndis/nf-ndis-ndisfsynchronousoidrequest,
// ndis/nf-ndis-filter_synchronous_oid_request(_complete).
#include <cstring>

#include "lab/filter_test.h"

namespace undis::test {
namespace {

constexpr UINT kTag = 0x74736554;

/// Filters that pass direct requests on as clones.
class DirectRequestsThroughFilters : public FilterTest {
 protected:
  static FakeModule& module(NDIS_HANDLE context) { return *static_cast<FakeModule*>(context); }

  static NDIS_STATUS forward(NDIS_HANDLE context, PNDIS_OID_REQUEST request) {
    FakeModule& at = module(context);
    at.filter->note("FilterDirectOidRequest");
    NDIS_OID_REQUEST* clone = nullptr;
    const NDIS_STATUS allocated = NdisAllocateCloneOidRequest(at.handle, request, kTag, &clone);
    if (allocated != NDIS_STATUS_SUCCESS) return allocated;
    std::memcpy(clone->SourceReserved, &request, sizeof(request));
    clone->RequestId = request->RequestId;
    const NDIS_STATUS status = NdisFDirectOidRequest(at.handle, clone);
    if (status != NDIS_STATUS_PENDING) end(at, clone);
    return status;
  }
  static NDIS_OID_REQUEST* end(FakeModule& at, NDIS_OID_REQUEST* clone) {
    NDIS_OID_REQUEST* original = nullptr;
    std::memcpy(&original, clone->SourceReserved, sizeof(original));
    original->DATA.QUERY_INFORMATION.BytesWritten = clone->DATA.QUERY_INFORMATION.BytesWritten;
    NdisFreeCloneOidRequest(at.handle, clone);
    return original;
  }
  static void completed(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
    FakeModule& at = module(context);
    at.filter->note("FilterDirectOidRequestComplete");
    NdisFDirectOidRequestComplete(at.handle, end(at, request), status);
  }
  static void cancelled(NDIS_HANDLE context, PVOID id) {
    module(context).filter->note("FilterCancelDirectOidRequest");
    NdisFCancelDirectOidRequest(module(context).handle, id);
  }
  static void take_direct(FakeFilter& filter) {
    filter.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
      c.DirectOidRequestHandler = &forward;
      c.DirectOidRequestCompleteHandler = &completed;
      c.CancelDirectOidRequestHandler = &cancelled;
    };
  }
  void SetUp() override {
    take_direct(f);
    take_direct(g);
    mp.on_direct_request = [this](FakeAdapter&, NDIS_OID_REQUEST* request) {
      at_miniport.push_back(request);
      if (pend) return NDIS_STATUS_PENDING;
      const ULONG value = 7;
      std::memcpy(request->DATA.QUERY_INFORMATION.InformationBuffer, &value, sizeof(value));
      request->DATA.QUERY_INFORMATION.BytesWritten = sizeof(value);
      return NDIS_STATUS_SUCCESS;
    };
  }
  NDIS_OID_REQUEST query(void* id = nullptr) {
    return query_request(OID_GEN_VENDOR_ID, &number, sizeof(number), id);
  }

  bool pend = false;
  std::vector<NDIS_OID_REQUEST*> at_miniport;
  ULONG number = 0;
};

TEST_F(DirectRequestsThroughFilters, GoAsClonesToTheMiniportAndBack) {
  all_up({&f, &g});
  NDIS_OID_REQUEST request = query();
  run([&] { EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(number, 7U);
  EXPECT_EQ(request.DATA.QUERY_INFORMATION.BytesWritten, sizeof(number));
  EXPECT_EQ(g.count("FilterDirectOidRequest"), 1U);
  EXPECT_EQ(f.count("FilterDirectOidRequest"), 1U);
  all_down({&f, &g});
}

TEST_F(DirectRequestsThroughFilters, ThatAreTogetherOnTheirWayAreAnsweredInAnyOrder) {
  pend = true;
  all_up({&f, &g});
  NDIS_OID_REQUEST first = query(&first);
  NDIS_OID_REQUEST second = query(&second);
  run([&] {
    EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &first), NDIS_STATUS_PENDING);
    EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &second), NDIS_STATUS_PENDING);
    EXPECT_EQ(nic()->direct_oids.pending(), 6U) << "each with the miniport and both filters";
    NdisCancelDirectOidRequest(binding()->handle(), &second);
    EXPECT_EQ(g.count("FilterCancelDirectOidRequest"), 1U);
    EXPECT_EQ(f.count("FilterCancelDirectOidRequest"), 1U);
    EXPECT_EQ(mp.calls.back(), "MiniportCancelDirectOidRequest nic");
    NdisMDirectOidRequestComplete(nic()->handle(), at_miniport[1], NDIS_STATUS_REQUEST_ABORTED);
    NdisMDirectOidRequestComplete(nic()->handle(), at_miniport[0], NDIS_STATUS_SUCCESS);
  });
  const auto& answered = p.bindings.front().answered;
  ASSERT_EQ(answered.size(), 2U);
  EXPECT_EQ(answered[0].request, &second);
  EXPECT_EQ(answered[0].status, NDIS_STATUS_REQUEST_ABORTED);
  EXPECT_EQ(answered[1].request, &first);
  EXPECT_EQ(answered[1].status, NDIS_STATUS_SUCCESS);
  all_down({&f, &g});
}

TEST_F(DirectRequestsThroughFilters, PassByAFilterWithoutAHandler) {
  f.shape = nullptr;
  all_up({&f, &g});
  NDIS_OID_REQUEST request = query();
  run([&] { EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &request), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(f.count("FilterDirectOidRequest"), 0U);
  EXPECT_EQ(g.count("FilterDirectOidRequest"), 1U);
  all_down({&f, &g});
}

TEST_F(DirectRequestsThroughFilters, OfAFilterAreAnsweredToItAlone) {
  g.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
    c.DirectOidRequestHandler = &forward;
    c.DirectOidRequestCompleteHandler = [](NDIS_HANDLE context, PNDIS_OID_REQUEST request,
                                           NDIS_STATUS status) {
      module(context).answered.push_back({request, status});
    };
  };
  pend = true;
  all_up({&f, &g});
  NDIS_OID_REQUEST own = query();
  run([&] {
    EXPECT_EQ(NdisFDirectOidRequest(g.module().handle, &own), NDIS_STATUS_PENDING);
    NdisMDirectOidRequestComplete(nic()->handle(), at_miniport.front(), NDIS_STATUS_INVALID_DATA);
  });
  ASSERT_EQ(g.module().answered.size(), 1U);
  EXPECT_EQ(g.module().answered.front().request, &own);
  EXPECT_EQ(g.module().answered.front().status, NDIS_STATUS_INVALID_DATA);
  EXPECT_TRUE(p.bindings.front().answered.empty());
  all_down({&f, &g});
}

TEST_F(DirectRequestsThroughFilters, ADetachWaitsForWhatTheFilterHas) {
  pend = true;
  all_up({&f});
  NDIS_OID_REQUEST request = query();
  run([&] {
    EXPECT_EQ(NdisDirectOidRequest(binding()->handle(), &request), NDIS_STATUS_PENDING);
    bool unloaded = false;
    world.system().spawn("unload", [&] { unloaded = f.unload(); });
    world.system().advance(10'000'000);
    EXPECT_EQ(f.count("FilterDetach"), 0U);
    NdisMDirectOidRequestComplete(nic()->handle(), at_miniport.front(), NDIS_STATUS_SUCCESS);
    world.system().advance(10'000'000);
    EXPECT_TRUE(unloaded);
  });
  EXPECT_EQ(p.bindings.front().answered.size(), 1U);
  all_down({&f});
}

TEST_F(DirectRequestsThroughFilters, ThatAreNotTheirsAreTold) {
  all_up({&f});
  NDIS_OID_REQUEST request = query();
  run([&] {
    NdisFDirectOidRequestComplete(f.module().handle, &request, NDIS_STATUS_SUCCESS);
    request.Header.Size = 4;
    EXPECT_EQ(NdisFDirectOidRequest(f.module().handle, &request), NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(NdisFDirectOidRequest(this, &request), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisFSynchronousOidRequest(this, &request), NDIS_STATUS_FAILURE);
    NdisFCancelDirectOidRequest(this, nullptr);
  });
  all_down({&f});
  expect({"host: DoubleComplete", "host: HandleMisuse", "host: HandleMisuse", "host: HandleMisuse"});
}

/// Filters that see synchronous requests.
class SynchronousRequestsThroughFilters : public FilterTest {
 protected:
  static NDIS_STATUS issue(NDIS_HANDLE context, NDIS_OID_REQUEST* request, PVOID* call) {
    FakeModule& at = *static_cast<FakeModule*>(context);
    at.filter->note("FilterSynchronousOidRequest");
    EXPECT_EQ(*call, nullptr);
    *call = request->DATA.SET_INFORMATION.InformationBuffer;
    return answers[at.filter];
  }
  static void complete(NDIS_HANDLE context, NDIS_OID_REQUEST* request, NDIS_STATUS* status, PVOID call) {
    FakeModule& at = *static_cast<FakeModule*>(context);
    at.filter->note("FilterSynchronousOidRequestComplete");
    EXPECT_EQ(call, request->DATA.SET_INFORMATION.InformationBuffer) << "what the first call kept";
    if (changes.contains(at.filter)) *status = changes[at.filter];
  }
  static void take_synchronous(FakeFilter& filter) {
    filter.shape = [](NDIS_FILTER_DRIVER_CHARACTERISTICS& c) {
      c.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_3;
      c.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3;
      c.MinorNdisVersion = 81;
      c.SynchronousOidRequestHandler = &issue;
      c.SynchronousOidRequestCompleteHandler = &complete;
    };
  }
  void SetUp() override {
    answers.clear();
    changes.clear();
    take_synchronous(f);
    take_synchronous(g);
    mp.on_synchronous_request = [this](FakeAdapter&, NDIS_OID_REQUEST*) {
      ++at_miniport;
      return NDIS_STATUS_SUCCESS;
    };
  }
  NDIS_STATUS ask() {
    ULONG value = 1;
    NDIS_OID_REQUEST request = set_request(OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES, &value, sizeof(value));
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    run([&] { status = NdisSynchronousOidRequest(binding()->handle(), &request); });
    return status;
  }

  static inline std::map<FakeFilter*, NDIS_STATUS> answers;  // none: SUCCESS, which is 0
  static inline std::map<FakeFilter*, NDIS_STATUS> changes;
  unsigned at_miniport = 0;
};

TEST_F(SynchronousRequestsThroughFilters, GoDownAndUpWithoutAClone) {
  all_up({&f, &g});
  const std::size_t from = mark();
  EXPECT_EQ(ask(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(callbacks({"FilterSynchronous", "MiniportSynchronous"}, from),
            (Lines{"g!FilterSynchronousOidRequest", "f!FilterSynchronousOidRequest",
                   "mp!MiniportSynchronousOidRequest", "f!FilterSynchronousOidRequestComplete",
                   "g!FilterSynchronousOidRequestComplete"}));
  all_down({&f, &g});
}

TEST_F(SynchronousRequestsThroughFilters, MayBeEndedByAFilterAndAreStillSeenAbove) {
  all_up({&f, &g});
  answers[&f] = NDIS_STATUS_ALREADY_COMPLETE;
  EXPECT_EQ(ask(), NDIS_STATUS_SUCCESS);
  answers[&f] = NDIS_STATUS_INVALID_DATA;
  EXPECT_EQ(ask(), NDIS_STATUS_INVALID_DATA);
  EXPECT_EQ(at_miniport, 0U);
  EXPECT_EQ(f.count("FilterSynchronousOidRequestComplete"), 0U);
  EXPECT_EQ(g.count("FilterSynchronousOidRequestComplete"), 2U);
  changes[&g] = NDIS_STATUS_NOT_ACCEPTED;
  EXPECT_EQ(ask(), NDIS_STATUS_NOT_ACCEPTED) << "the status may be changed on the way up";
  all_down({&f, &g});
}

TEST_F(SynchronousRequestsThroughFilters, CannotBePended) {
  all_up({&f});
  answers[&f] = NDIS_STATUS_PENDING;
  EXPECT_EQ(ask(), NDIS_STATUS_FAILURE);
  answers.clear();
  changes[&f] = NDIS_STATUS_ALREADY_COMPLETE;
  EXPECT_EQ(ask(), NDIS_STATUS_FAILURE);
  all_down({&f});
  expect({"f: CallbackStatus", "f: CallbackStatus"});
}

TEST_F(SynchronousRequestsThroughFilters, OfAFilterBeginBelowIt) {
  all_up({&f, &g});
  ULONG value = 1;
  NDIS_OID_REQUEST request = set_request(OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES, &value, sizeof(value));
  run([&] { EXPECT_EQ(NdisFSynchronousOidRequest(g.module().handle, &request), NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(g.count("FilterSynchronous"), 0U);
  EXPECT_EQ(f.count("FilterSynchronous"), 2U);
  EXPECT_EQ(at_miniport, 1U);
  all_down({&f, &g});
}

}  // namespace
}  // namespace undis::test
