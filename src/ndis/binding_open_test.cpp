// SPDX-License-Identifier: MIT
//
// What NdisOpenAdapterEx says, and opens and closes that pend under some schedules. Pages:
// ndis/nf-ndis-ndis{open,close}adapterex.
#include "lab/core_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

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
