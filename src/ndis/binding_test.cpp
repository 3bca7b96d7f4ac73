// SPDX-License-Identifier: MIT
//
// One binding: bind, open, close and unbind in each way a protocol and NDIS may complete them, for both
// generations, and the events of pause and restart. Pages: ndis/nc-ndis-protocol_{bind,unbind}_adapter_ex,
// ndis/nf-ndis-ndis{open,close}adapterex, -ndiscomplete{bind,unbind}adapterex, -ndisunbindadapter,
// -ndisreenumerateprotocolbindings, -ndiscompletenetpnpevent.
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

// ---- what NdisOpenAdapterEx says ----

class OpeningAnAdapter : public CoreTest {
 protected:
  /// A protocol whose ProtocolBindAdapterEx is the test's own. Its bind fails afterwards, whatever it opened
  /// is closed.
  void bind_with(std::function<void(NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters)> body) {
    hook = std::move(body);
    self = this;
    be(6, 6);
    p.entry = [this] {
      p.set_driver_unload();
      const WideString name(u"p");
      NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c = FakeDriver::protocol6_characteristics(name.get());
      c.BindAdapterHandlerEx = [](NDIS_HANDLE, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
        self->hook(bind_context, parameters);
        if (self->handle != nullptr) {
          EXPECT_EQ(NdisCloseAdapterEx(self->handle), NDIS_STATUS_SUCCESS);
        }
        self->handle = nullptr;
        return static_cast<NDIS_STATUS>(NDIS_STATUS_NOT_ACCEPTED);
      };
      return static_cast<NTSTATUS>(NdisRegisterProtocolDriver(this, &c, &p.protocol));
    };
    load();
    plug();
  }
  NDIS_OPEN_PARAMETERS parameters_for(PNDIS_STRING name) {
    NDIS_OPEN_PARAMETERS open{};
    open.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                   NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
    open.AdapterName = name;
    open.MediumArray = media.data();
    open.MediumArraySize = static_cast<UINT>(media.size());
    open.SelectedMediumIndex = &medium_index;
    return open;
  }
  NDIS_STATUS open(NDIS_HANDLE bind_context, NDIS_OPEN_PARAMETERS how) {
    return NdisOpenAdapterEx(p.protocol, this, &how, bind_context, &handle);
  }

  std::vector<NDIS_MEDIUM> media{NdisMedium802_5, NdisMediumFddi, NdisMedium802_3};
  UINT medium_index = 99;
  NDIS_HANDLE handle = nullptr;
  std::function<void(NDIS_HANDLE, PNDIS_BIND_PARAMETERS)> hook;
  static inline OpeningAnAdapter* self = nullptr;
};

TEST_F(OpeningAnAdapter, GivesTheHandleAndTheIndexOfTheMedium) {
  bind_with([&](NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
    EXPECT_EQ(open(context, parameters_for(parameters->AdapterName)), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(medium_index, 2U);
    EXPECT_EQ(world.library().handles().view(handle).kind, HandleKind::Binding);
    EXPECT_EQ(binding()->context(), this);
  });
  down();
}

// LIFE-234
TEST_F(OpeningAnAdapter, ThatIsNotThereIsNotFound) {
  const WideString other(lab::device_name("other"));
  bind_with([&](NDIS_HANDLE context, PNDIS_BIND_PARAMETERS) {
    EXPECT_EQ(open(context, parameters_for(other.get())), NDIS_STATUS_ADAPTER_NOT_FOUND);
  });
  down();
}

// LIFE-234
TEST_F(OpeningAnAdapter, OfAnotherMediumIsUnsupported) {
  media = {NdisMedium802_5, NdisMediumWan};
  bind_with([&](NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
    EXPECT_EQ(open(context, parameters_for(parameters->AdapterName)), NDIS_STATUS_UNSUPPORTED_MEDIA);
    EXPECT_EQ(medium_index, 99U);
  });
  down();
}

// LIFE-234
TEST_F(OpeningAnAdapter, WithParametersThatAreNoneFails) {
  bind_with([&](NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
    NDIS_OPEN_PARAMETERS how = parameters_for(parameters->AdapterName);
    how.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    EXPECT_EQ(open(context, how), NDIS_STATUS_FAILURE);
    how = parameters_for(parameters->AdapterName);
    how.Header.Revision = 0;
    EXPECT_EQ(open(context, how), NDIS_STATUS_FAILURE);
    how = parameters_for(parameters->AdapterName);
    how.Header.Size = 8;
    EXPECT_EQ(open(context, how), NDIS_STATUS_FAILURE);
    how = parameters_for(parameters->AdapterName);
    how.MediumArray = nullptr;
    EXPECT_EQ(open(context, how), NDIS_STATUS_FAILURE);
    how = parameters_for(parameters->AdapterName);
    how.SelectedMediumIndex = nullptr;
    EXPECT_EQ(open(context, how), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisOpenAdapterEx(p.protocol, this, nullptr, context, &handle), NDIS_STATUS_FAILURE);
    EXPECT_EQ(handle, nullptr);
  });
  down();
  expect({"p: ObjectHeaderValid"});
}

TEST_F(OpeningAnAdapter, ASecondTimeInOneBindFails) {
  bind_with([&](NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
    EXPECT_EQ(open(context, parameters_for(parameters->AdapterName)), NDIS_STATUS_SUCCESS);
    const NDIS_HANDLE first = handle;
    EXPECT_EQ(open(context, parameters_for(parameters->AdapterName)), NDIS_STATUS_OPEN_FAILED);
    EXPECT_EQ(handle, first);
  });
  down();
}

// LIFE-233
TEST_F(OpeningAnAdapter, OutsideABindFailsAndIsTold) {
  NDIS_HANDLE stale = nullptr;
  bind_with([&](NDIS_HANDLE context, PNDIS_BIND_PARAMETERS) { stale = context; });
  const WideString name(lab::device_name("nic"));
  run([&] {
    EXPECT_EQ(open(stale, parameters_for(name.get())), NDIS_STATUS_FAILURE);
    EXPECT_EQ(handle, nullptr);
  });
  const Lines told = violations();
  EXPECT_NE(std::ranges::find(told, "host: OpenOnlyInBind"), told.end());
  down();
  expect(told);
}

TEST_F(OpeningAnAdapter, TheContextOfABindOfAnotherProtocolIsRefused) {
  FakeDriver other(world, "other");
  other.be_protocol6();
  bind_with([&](NDIS_HANDLE, PNDIS_BIND_PARAMETERS) {});
  const WideString name(lab::device_name("nic"));
  other.after_open = [&](FakeBinding& of) {
    EXPECT_EQ(open(of.bind_context, parameters_for(name.get())),
              NDIS_STATUS_FAILURE);  // p's handle, other's bind
    return NDIS_STATUS_SUCCESS;
  };
  run([&] { ASSERT_EQ(other.load(), STATUS_SUCCESS); });
  EXPECT_EQ(violations(), Lines{"other: OpenOnlyInBind"});
  run([&] { EXPECT_TRUE(other.unload()); });
  down();
  expect({"other: OpenOnlyInBind"});
}

// ---- the events of pause and restart ----

class TellingABinding : public CoreTest {
 protected:
  /// Does `what` on a thread of its own until the protocol has pended the event `code`; then calls `then`
  /// with it.
  void until_pended(NET_PNP_EVENT_CODE code, const std::function<void()>& what,
                    const std::function<void(NET_PNP_EVENT_NOTIFICATION*)>& then) {
    kernel::Event pends("test: the event pends");
    NET_PNP_EVENT_NOTIFICATION* pended = nullptr;
    p.on_pnp_event = [&, code](FakeBinding&, NET_PNP_EVENT_CODE given, void* event) {
      if (given != code) return NDIS_STATUS_SUCCESS;
      pended = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event);
      pends.set();
      return NDIS_STATUS_PENDING;
    };
    run([&] {
      world.system().spawn("cause", what);
      pends.wait();
      then(pended);
    });
    p.on_pnp_event = nullptr;
  }
};

// LIFE-259, LIFE-262
TEST_F(TellingABinding, CarriesTheParametersOfPauseAndRestart) {
  Lines seen;
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void* event) {
    const NET_PNP_EVENT& e = static_cast<NET_PNP_EVENT_NOTIFICATION*>(event)->NetPnPEvent;
    if (code == NetEventPause) {
      EXPECT_EQ(e.BufferLength, sizeof(NDIS_PROTOCOL_PAUSE_PARAMETERS));
      EXPECT_EQ(static_cast<NDIS_PROTOCOL_PAUSE_PARAMETERS*>(e.Buffer)->Header.Revision,
                NDIS_PROTOCOL_PAUSE_PARAMETERS_REVISION_1);
      seen.emplace_back("pause");
    }
    if (code == NetEventRestart) {
      EXPECT_TRUE(e.Buffer == nullptr || e.BufferLength == sizeof(NDIS_PROTOCOL_RESTART_PARAMETERS));
      seen.emplace_back("restart");
    }
    return NDIS_STATUS_SUCCESS;
  };
  up();
  down();
  EXPECT_EQ(seen, (Lines{"restart", "pause"}));
}

// LIFE-214, LIFE-265
TEST_F(TellingABinding, APauseThatPendsIsWaitedForBeforeTheCardIsPaused) {
  up();
  until_pended(
      NetEventPause, [&] { pause_stack(*nic()); },
      [&](NET_PNP_EVENT_NOTIFICATION* event) {
        EXPECT_EQ(binding_state(), BindingState::Pausing);
        EXPECT_EQ(nic_state(), AdapterState::Running);
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
      });
  EXPECT_EQ(binding_state(), BindingState::Paused);
  EXPECT_EQ(nic_state(), AdapterState::Paused);
  down();
}

TEST_F(TellingABinding, ARestartThatPendsIsWaitedFor) {
  be(6, 6);
  load();
  until_pended(
      NetEventRestart, [&] { world.plug(mp.driver(), "nic"); },
      [&](NET_PNP_EVENT_NOTIFICATION* event) {
        EXPECT_EQ(nic_state(), AdapterState::Running);
        EXPECT_EQ(binding_state(), BindingState::Restarting);
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
      });
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

TEST_F(TellingABinding, AnEventMayBeCompletedFromInsideTheCallback) {
  p.on_pnp_event = [](FakeBinding& of, NET_PNP_EVENT_CODE, void* event) {
    NdisCompleteNetPnPEvent(of.handle, static_cast<NET_PNP_EVENT_NOTIFICATION*>(event), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_PENDING;
  };
  up();
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
}

// LIFE-265
TEST_F(TellingABinding, AnEventCompletedTwiceOrUnaskedIsTold) {
  up();
  NET_PNP_EVENT_NOTIFICATION never{};
  run([&] { NdisCompleteNetPnPEvent(p.binding("nic")->handle, &never, NDIS_STATUS_SUCCESS); });
  EXPECT_EQ(violations(), Lines{"host: DoubleComplete"});
  until_pended(
      NetEventPause, [&] { pause_stack(*nic()); },
      [&](NET_PNP_EVENT_NOTIFICATION* event) {
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, &never, NDIS_STATUS_SUCCESS);
        EXPECT_EQ(binding_state(), BindingState::Pausing) << "another event completes nothing";
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
        NdisCompleteNetPnPEvent(p.binding("nic")->handle, event, NDIS_STATUS_SUCCESS);
      });
  EXPECT_EQ(binding_state(), BindingState::Paused);
  down();
  expect({"host: DoubleComplete"});
}

TEST_F(TellingABinding, OfFiveIsNotDoneForPauseAndRestart) {
  Lines seen;
  p.on_pnp_event = [&](FakeBinding&, NET_PNP_EVENT_CODE code, void*) {
    seen.push_back(fmt::format("{}", static_cast<int>(code)));
    return NDIS_STATUS_SUCCESS;
  };
  up(6, 5);
  run([&] {
    pause_stack(*nic());
    EXPECT_EQ(binding_state(), BindingState::Paused);
    restart_stack(*nic());
  });
  EXPECT_EQ(binding_state(), BindingState::Running);
  down();
  EXPECT_EQ(std::ranges::count(seen, fmt::format("{}", static_cast<int>(NetEventPause))), 0);
  EXPECT_EQ(std::ranges::count(seen, fmt::format("{}", static_cast<int>(NetEventRestart))), 0);
}

// ---- opens and closes that the schedule pends ----

// LIFE-235, LIFE-245
TEST(OpensAndClosesUnderAnySchedule, AreCompletedByCallbackExactlyWhereTheyPended) {
  std::size_t opens_pended = 0;
  std::size_t closes_pended = 0;
  std::size_t at_once = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    lab::WorldOptions options;
    options.schedule = machine::Schedule(seed * 0x1234'5678'9abcU);
    options.evidence = verifier::Evidence::Whole;
    SCOPED_TRACE(options.schedule.text());
    lab::World world(options);
    FakeDriver mp(world, "mp");
    FakeDriver five(world, "five");
    FakeDriver six(world, "six");
    mp.be_miniport6();
    five.be_protocol5();
    six.be_protocol6();
    std::vector<NDIS_STATUS> closed;
    five.on_unbind = [&](FakeBinding& of) {
      NDIS_STATUS status = NDIS_STATUS_FAILURE;
      NdisCloseAdapter(&status, of.handle);
      closed.push_back(status);
      if (status == NDIS_STATUS_PENDING) of.closed->wait();
      EXPECT_EQ(of.close_completes, status == NDIS_STATUS_PENDING ? 1U : 0U);
      return NDIS_STATUS_SUCCESS;
    };
    six.on_unbind = [&](FakeBinding& of) {
      const NDIS_STATUS status = NdisCloseAdapterEx(of.handle);
      closed.push_back(status);
      if (status == NDIS_STATUS_PENDING) of.closed->wait();
      EXPECT_EQ(of.close_completes, status == NDIS_STATUS_PENDING ? 1U : 0U);
      return NDIS_STATUS_SUCCESS;
    };
    ASSERT_EQ(world.run("live",
                        [&] {
                          ASSERT_EQ(mp.load(), STATUS_SUCCESS);
                          ASSERT_EQ(five.load(), STATUS_SUCCESS);
                          ASSERT_EQ(six.load(), STATUS_SUCCESS);
                          ASSERT_TRUE(world.plug(mp.driver(), "nic"));
                        }),
              kernel::Outcome::Idle);
    EXPECT_EQ(world.adapter("nic")->bindings().size(), 2U);
    ASSERT_EQ(world.run("end",
                        [&] {
                          world.unplug(*world.adapter("nic"));
                          five.unload();
                          six.unload();
                          mp.unload();
                        }),
              kernel::Outcome::Idle);
    for (const FakeDriver* driver : {&mp, &five, &six}) EXPECT_EQ(driver->complaints, Lines{});
    EXPECT_EQ(world.verifier().violation_lines(), Lines{});
    EXPECT_EQ(closed.size(), 2U);
    closes_pended += static_cast<std::size_t>(std::ranges::count(closed, NDIS_STATUS_PENDING));
    const Lines trace = world.verifier().trace();
    const auto opens = static_cast<std::size_t>(std::ranges::count_if(trace, [](const std::string& line) {
      return line.find("!ProtocolOpenAdapterComplete") != std::string::npos && line.starts_with(">");
    }));
    EXPECT_LE(opens, 2U);
    opens_pended += opens;
    at_once += 4 - opens - static_cast<std::size_t>(std::ranges::count(closed, NDIS_STATUS_PENDING));
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(opens_pended, 20U);
  EXPECT_GT(closes_pended, 20U);
  EXPECT_GT(at_once, 20U);
}

}  // namespace
}  // namespace undis::test
