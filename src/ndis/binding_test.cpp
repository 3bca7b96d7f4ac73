// SPDX-License-Identifier: MIT
//
// One binding: bind, close and unbind in each way a protocol and NDIS may complete them, for both
// generations. Pages: ndis/nc-ndis-protocol_{bind,unbind}_adapter_ex, ndis/nf-ndis-ndiscloseadapterex,
// -ndiscomplete{bind,unbind}adapterex, -ndisunbindadapter, -ndisreenumerateprotocolbindings.
#include <fmt/format.h>

#include "lab/core_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

std::string generation_name(const ::testing::TestParamInfo<int>& info) {
  return fmt::format("Protocol{}", info.param);
}

/// A protocol of the generation that the parameter names, on a card of NDIS 6.
class EitherProtocol : public CoreTest, public ::testing::WithParamInterface<int> {
 protected:
  bool is6() const { return GetParam() == 6; }
  void ready() {
    be(6, GetParam());
    load();
  }
  void complete_bind(NDIS_HANDLE context, NDIS_STATUS status) const {
    if (is6()) {
      NdisCompleteBindAdapterEx(context, status);
    } else {
      NdisCompleteBindAdapter(context, status, NDIS_STATUS_SUCCESS);
    }
  }
  void complete_unbind(NDIS_HANDLE context) const {
    if (is6()) {
      NdisCompleteUnbindAdapterEx(context);
    } else {
      NdisCompleteUnbindAdapter(context, NDIS_STATUS_SUCCESS);
    }
  }
  NDIS_STATUS close(NDIS_HANDLE handle) const {
    if (is6()) return NdisCloseAdapterEx(handle);
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisCloseAdapter(&status, handle);
    return status;
  }
  /// Makes the bind pend after its open, and calls `then` while it does.
  void plug_with_pended_bind(const std::function<void(FakeBinding&)>& then) {
    kernel::Event pends("test: the bind pends");
    FakeBinding* pended = nullptr;
    p.after_open = [&](FakeBinding& of) {
      pended = &of;
      pends.set();
      return NDIS_STATUS_PENDING;
    };
    run([&] {
      world.system().spawn("plug", [&] { world.plug(mp.driver(), "nic"); });
      pends.wait();
      then(*pended);
    });
    p.after_open = nullptr;
  }
  /// The same for the unbind that the card's removal causes; the adapter is closed by then.
  void unplug_with_pended_unbind(const std::function<void(FakeBinding&)>& then) {
    kernel::Event pends("test: the unbind pends");
    FakeBinding* pended = nullptr;
    p.on_unbind = [&](FakeBinding& of) {
      FakeDriver::close_and_wait(of);
      pended = &of;
      pends.set();
      return NDIS_STATUS_PENDING;
    };
    run([&] {
      world.system().spawn("unplug", [&] { world.unplug(*nic()); });
      pends.wait();
      then(*pended);
    });
    p.on_unbind = nullptr;
  }
};

// ---- bind ----

class BindingToAnAdapter : public EitherProtocol {};

TEST_P(BindingToAnAdapter, IsDoneWhenTheCallbackSaysSo) {
  ready();
  plug();
  EXPECT_EQ(binding_state(), BindingState::Running);
  EXPECT_TRUE(binding()->is_open());
  EXPECT_EQ(binding()->context(), p.binding("nic"));
  EXPECT_EQ(binding()->handle(), p.binding("nic")->handle);
  down();
}

TEST_P(BindingToAnAdapter, MayBeCompletedFromInsideTheCallback) {
  p.after_open = [&](FakeBinding& of) {
    complete_bind(of.bind_context, NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_PENDING;
  };
  ready();
  plug();
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

TEST_P(BindingToAnAdapter, ThatPendsIsWaitedForBeforeTheStackRestarts) {
  ready();
  plug_with_pended_bind([&](FakeBinding& of) {
    EXPECT_EQ(binding_state(), BindingState::Paused) << "the open is complete";
    EXPECT_EQ(nic_state(), AdapterState::Paused);
    EXPECT_EQ(mp.count("MiniportRestart"), 0U);
    complete_bind(of.bind_context, NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(binding_state(), BindingState::Running);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

TEST_P(BindingToAnAdapter, ThatPendsMayStillFail) {
  ready();
  plug_with_pended_bind([&](FakeBinding& of) {
    FakeDriver::close_and_wait(of);
    complete_bind(of.bind_context, NDIS_STATUS_RESOURCES);
  });
  EXPECT_FALSE(binding());
  EXPECT_TRUE(nic()->bindings().empty());
  EXPECT_EQ(nic_state(), AdapterState::Running) << "the card does without";
  EXPECT_EQ(p.count("ProtocolUnbindAdapter"), 0U);
  down();
}

// LIFE-228
TEST_P(BindingToAnAdapter, ThatFailsAndLeavesTheAdapterOpenIsTold) {
  ready();
  plug_with_pended_bind([&](FakeBinding& of) { complete_bind(of.bind_context, NDIS_STATUS_FAILURE); });
  EXPECT_FALSE(binding()) << "it is closed for the driver";
  down();
  expect({"p: CloseAllBack"});
}

// LIFE-229
TEST_P(BindingToAnAdapter, CompletedTwiceIsTold) {
  ready();
  NDIS_HANDLE context = nullptr;
  plug_with_pended_bind([&](FakeBinding& of) {
    context = of.bind_context;
    complete_bind(context, NDIS_STATUS_SUCCESS);
    complete_bind(context, NDIS_STATUS_FAILURE);
  });
  EXPECT_EQ(binding_state(), BindingState::Running) << "the first counts";
  run([&] { complete_bind(context, NDIS_STATUS_SUCCESS); });  // the context has died with the bind
  down();
  expect({"host: DoubleComplete", "host: HandleMisuse"});
}

// LIFE-227
TEST_P(BindingToAnAdapter, ThatFailsLeavesNothingOfNdisBehind) {
  ready();
  p.after_open = [](FakeBinding&) { return NDIS_STATUS_FAILURE; };
  plug();
  const HeapUse without = ndis_heap();
  const std::size_t handles = world.library().handles().open_count();
  const Ref<ProtocolDriver> protocol = world.library().protocols_of(p.driver()).front();
  for (int i = 0; i < 3; ++i) {
    run([&] { add_bindings(*nic()); });
    EXPECT_EQ(p.count("ProtocolBindAdapter"), 2U + static_cast<unsigned>(i));
    EXPECT_TRUE(protocol->bindings().empty());
    EXPECT_EQ(ndis_heap(), without);
    EXPECT_EQ(world.library().handles().open_count(), handles);
  }
  EXPECT_EQ(nic_state(), AdapterState::Running) << "paused around each attempt and restarted";
  down();
}

// ---- unbind and close ----

class UnbindingFromAnAdapter : public EitherProtocol {};

// LIFE-238
TEST_P(UnbindingFromAnAdapter, MayBeCompletedFromInsideTheCallback) {
  ready();
  plug();
  p.on_unbind = [&](FakeBinding& of) {
    FakeDriver::close_and_wait(of);
    complete_unbind(of.unbind_context);
    return NDIS_STATUS_PENDING;
  };
  down();
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
}

TEST_P(UnbindingFromAnAdapter, ThatPendsIsWaitedForBeforeTheCardIsHalted) {
  ready();
  plug();
  const Ref<Binding> bound = binding();
  unplug_with_pended_unbind([&](FakeBinding& of) {
    EXPECT_EQ(bound->state(), BindingState::Closing);
    EXPECT_EQ(mp.count("MiniportHaltEx"), 0U);
    complete_unbind(of.unbind_context);
  });
  EXPECT_EQ(bound->state(), BindingState::Unbound);
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  down();
}

// LIFE-247
TEST_P(UnbindingFromAnAdapter, MayCloseAfterTheCallbackHasPended) {
  ready();
  plug();
  kernel::Event pends("test: the unbind pends");
  FakeBinding* pended = nullptr;
  p.on_unbind = [&](FakeBinding& of) {
    pended = &of;
    pends.set();
    return NDIS_STATUS_PENDING;
  };
  run([&] {
    world.system().spawn("unplug", [&] { world.unplug(*nic()); });
    pends.wait();
    EXPECT_TRUE(binding()->is_open());
    FakeDriver::close_and_wait(*pended);
    complete_unbind(pended->unbind_context);
  });
  EXPECT_FALSE(nic());
  down();
}

// LIFE-248
TEST_P(UnbindingFromAnAdapter, CompletedTwiceIsTold) {
  ready();
  plug();
  unplug_with_pended_unbind([&](FakeBinding& of) {
    const NDIS_HANDLE context = of.unbind_context;
    complete_unbind(context);
    complete_unbind(context);
  });
  down();
  expect({"host: DoubleComplete"});
}

// LIFE-239
TEST_P(UnbindingFromAnAdapter, WithoutAnyCloseIsToldAndClosedForTheDriver) {
  ready();
  plug();
  p.on_unbind = [](FakeBinding&) { return NDIS_STATUS_SUCCESS; };
  down();
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  expect({is6() ? "p: CloseAllBack" : "p: LIFE-040"});
}

// LIFE-213
TEST_P(UnbindingFromAnAdapter, ClosedWithARequestOutstandingPendsUntilTheRequestIsComplete) {
  ready();
  plug();
  ULONG number = 0;
  NDIS_OID_REQUEST request6 = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
  NDIS_REQUEST request5{};
  request5.RequestType = NdisRequestQueryInformation;
  request5.DATA.QUERY_INFORMATION.Oid = OID_GEN_VENDOR_ID;
  request5.DATA.QUERY_INFORMATION.InformationBuffer = &number;
  request5.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(number);
  mp.on_request = [](FakeAdapter&, NDIS_OID oid, bool) {
    return oid == OID_GEN_VENDOR_ID ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;
  };
  NDIS_STATUS closed = NDIS_STATUS_FAILURE;
  kernel::Event closing("test: the close has been called");
  p.on_unbind = [&](FakeBinding& of) {
    NDIS_STATUS asked = NDIS_STATUS_FAILURE;
    if (is6()) {
      asked = NdisOidRequest(of.handle, &request6);
    } else {
      NdisRequest(&asked, of.handle, &request5);
    }
    EXPECT_EQ(asked, NDIS_STATUS_PENDING);
    closed = close(of.handle);
    of.open = false;
    closing.set();
    of.closed->wait();
    return NDIS_STATUS_SUCCESS;
  };
  run([&] {
    world.system().spawn("unplug", [&] { world.unplug(*nic()); });
    closing.wait();
    EXPECT_EQ(closed, NDIS_STATUS_PENDING);
    EXPECT_EQ(p.count("ProtocolCloseAdapterComplete"), 0U);
    EXPECT_TRUE(binding()->is_open());
    NdisMOidRequestComplete(nic()->handle(), mp.adapter("nic")->asked.request, NDIS_STATUS_SUCCESS);
  });
  EXPECT_EQ(p.binding("nic")->close_completes, 1U);
  ASSERT_EQ(p.binding("nic")->answered.size(), 1U);
  EXPECT_FALSE(nic());
  down();
  const auto at = [&](const std::string& call) { return std::ranges::find(p.calls, call) - p.calls.begin(); };
  EXPECT_LT(at(is6() ? "ProtocolOidRequestComplete nic" : "ProtocolRequestComplete nic"),
            at(is6() ? "ProtocolCloseAdapterCompleteEx nic" : "ProtocolCloseAdapterComplete nic"));
  if (is6()) expect({"p: LIFE-243"});
}

// LIFE-244
TEST_P(UnbindingFromAnAdapter, LeavesAHandleThatIsNotToBeUsedAgain) {
  ready();
  plug();
  NDIS_STATUS asked = NDIS_STATUS_SUCCESS;
  p.on_unbind = [&](FakeBinding& of) {
    FakeDriver::close_and_wait(of);
    ULONG number = 0;
    NDIS_OID_REQUEST request = query_request(OID_GEN_VENDOR_ID, &number, sizeof(number));
    asked = NdisOidRequest(of.handle, &request);
    EXPECT_EQ(close(of.handle), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  };
  down();
  EXPECT_EQ(asked, NDIS_STATUS_CLOSING);
  expect({"p: NoUseAfterClose", "p: NoUseAfterClose"});
}

TEST_P(UnbindingFromAnAdapter, OfTwoThreadsCallsTheDriverOnce) {
  ready();
  plug();
  const Ref<Binding> bound = binding();
  run([&] {
    for (int i = 0; i < 3; ++i) world.system().spawn("unbind", [&] { EXPECT_TRUE(bound->unbind()); });
  });
  EXPECT_EQ(p.count("ProtocolUnbindAdapter"), 1U);
  EXPECT_EQ(bound->state(), BindingState::Unbound);
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

INSTANTIATE_TEST_SUITE_P(Generations, BindingToAnAdapter, ::testing::Values(5, 6), generation_name);
INSTANTIATE_TEST_SUITE_P(Generations, UnbindingFromAnAdapter, ::testing::Values(5, 6), generation_name);

class UnbindingFive : public CoreTest {};

// LIFE-352
TEST_F(UnbindingFive, CannotBeRefusedByTheStatusOfItsCompletion) {
  up(6, 5);
  p.on_unbind = [](FakeBinding& of) {
    FakeDriver::close_and_wait(of);
    NdisCompleteUnbindAdapter(of.unbind_context, NDIS_STATUS_FAILURE);
    return NDIS_STATUS_PENDING;
  };
  down();
  EXPECT_EQ(mp.count("MiniportHaltEx"), 1U);
  expect({"p: LIFE-057"});
}

// ---- NdisUnbindAdapter, NdisReEnumerateProtocolBindings ----

class UnbindingOnRequest : public CoreTest {};

// LIFE-249
TEST_F(UnbindingOnRequest, IsQueuedAndTakesTheBindingDown) {
  up();
  run([&] {
    const NDIS_HANDLE handle = p.binding("nic")->handle;
    EXPECT_EQ(NdisUnbindAdapter(handle), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisUnbindAdapter(handle), NDIS_STATUS_SUCCESS) << "SUCCESS promises nothing";
  });
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 1U);
  EXPECT_FALSE(binding());
  EXPECT_EQ(nic_state(), AdapterState::Running);
  down();
}

// LIFE-251
TEST_F(UnbindingOnRequest, InsideAnUnbindIsTold) {
  up();
  p.on_unbind = [](FakeBinding& of) {
    EXPECT_EQ(NdisUnbindAdapter(of.handle), NDIS_STATUS_SUCCESS);
    FakeDriver::close_and_wait(of);
    return NDIS_STATUS_SUCCESS;
  };
  down();
  EXPECT_EQ(p.count("ProtocolUnbindAdapterEx"), 1U);
  expect({"p: WrongPlace"});
}

// LIFE-252
TEST_F(UnbindingOnRequest, IsUndoneByReenumeration) {
  up();
  for (unsigned round = 1; round <= 3; ++round) {
    run([&] { NdisUnbindAdapter(p.binding("nic")->handle); });
    EXPECT_FALSE(binding());
    run([&] { NdisReEnumerateProtocolBindings(p.protocol); });
    EXPECT_EQ(binding_state(), BindingState::Running);
    EXPECT_EQ(p.count("ProtocolBindAdapterEx"), round + 1);
  }
  run([&] { NdisReEnumerateProtocolBindings(p.protocol); });
  EXPECT_EQ(p.count("ProtocolBindAdapterEx"), 4U) << "what is bound is not bound again";
  down();
}

// LIFE-246
TEST_F(UnbindingOnRequest, AnAdapterClosedElsewhereThanInBindOrUnbindIsTold) {
  up();
  run([&] { FakeDriver::close_and_wait(*p.binding("nic")); });
  EXPECT_EQ(violations(), Lines{"host: WrongPlace"});
  down();
  expect({"host: WrongPlace"});
}

}  // namespace
}  // namespace undis::test
