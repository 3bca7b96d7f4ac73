// SPDX-License-Identifier: MIT
//
// Adapters that a 5.x protocol opens outside a bind, as capture drivers do when a user opens their device.
// Page: ndis/nf-ndis-ndisopenadapter; docs/decisions.md#open-outside-bind
#include "lab/core_test.h"
#include "ndis/strings.h"

namespace undis::test {
namespace {

class AnOpenOutsideABind : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  AnOpenOutsideABind() : world(options()), mp(world, "mp"), p(world, "p") {
    world.library().policy.binds = [](const ProtocolDriver&, const Adapter&) { return false; };
    mp.be_miniport6();
    p.be_protocol5();
    run([&] {
      EXPECT_EQ(mp.load(), STATUS_SUCCESS);
      EXPECT_EQ(p.load(), STATUS_SUCCESS);
      world.plug(mp.driver(), "nic");
    });
  }
  ~AnOpenOutsideABind() override {
    run([&] {
      if (world.adapter("nic")) world.unplug(*world.adapter("nic"));
      for (FakeDriver* driver : {&p, &mp}) {
        EXPECT_TRUE(driver->unload());
        EXPECT_EQ(driver->complaints, Lines{});
      }
    });
    EXPECT_EQ(world.library().handles().open_count(), 0U);
    // The same finding again, at the same place, says nothing new: one for all opens.
    EXPECT_EQ(world.verifier().violation_lines(), Lines{"host: OpenOutsideBind"});
  }
  static lab::WorldOptions options() {
    lab::WorldOptions o;
    o.schedule =
        machine::Schedule(GetParam(), 0);  // a seed: whether an open or close pends, and who is first
    return o;
  }
  void run(std::function<void()> body) {
    ASSERT_EQ(world.run("test", std::move(body)), kernel::Outcome::Idle);
  }
  FakeBinding& open(NDIS_STATUS expected = NDIS_STATUS_SUCCESS) {
    FakeBinding& binding = p.bindings.emplace_back();
    binding.driver = &p;
    binding.adapter = "nic";
    binding.opened = std::make_unique<kernel::Event>("opened");
    binding.closed = std::make_unique<kernel::Event>("closed");
    const WideString name(lab::device_name("nic"));
    NDIS_MEDIUM medium = NdisMedium802_3;
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NDIS_STATUS error = NDIS_STATUS_FAILURE;
    UINT index = 7;
    NdisOpenAdapter(&status, &error, &binding.handle, &index, &medium, 1, p.protocol, &binding, name.get(), 0,
                    nullptr);
    if (status == NDIS_STATUS_PENDING) {
      binding.opened->wait();
      status = binding.result;
    }
    EXPECT_EQ(status, expected);
    binding.open = status == NDIS_STATUS_SUCCESS;
    return binding;
  }
  std::size_t bindings() { return world.adapter("nic")->bindings().size(); }

  lab::World world;
  FakeDriver mp;
  FakeDriver p;
};
INSTANTIATE_TEST_SUITE_P(Under, AnOpenOutsideABind, ::testing::Range(0U, 12U));

// LIFE-332
TEST_P(AnOpenOutsideABind, IsABindingOfItsOwnThatRunsAndIsClosedAnywhere) {
  run([&] {
    FakeBinding& first = open();
    FakeBinding& second = open();
    EXPECT_NE(first.handle, second.handle);
    EXPECT_EQ(bindings(), 2U);
    for (const Ref<Binding>& binding : world.adapter("nic")->bindings())
      EXPECT_EQ(binding->state(), BindingState::Running);
    FakeDriver::close_and_wait(first);
    FakeDriver::close_and_wait(second);
    open();  // and again
    FakeDriver::close_and_wait(p.bindings.back());
  });
  EXPECT_EQ(bindings(), 0U);
  EXPECT_EQ(p.count("ProtocolUnbindAdapter"), 0U);
}

TEST_P(AnOpenOutsideABind, IsUnboundWhenTheAdapterGoes) {
  run([&] {
    open();
    open();
    world.unplug(*world.adapter("nic"));
  });
  EXPECT_EQ(p.count("ProtocolUnbindAdapter nic"), 2U);
}

TEST_P(AnOpenOutsideABind, MayBeClosedWhileTheAdapterGoes) {
  run([&] {
    FakeBinding& binding = open();
    p.on_unbind = [](FakeBinding& unbound) {
      unbound.closed->wait();  // the other thread is about it
      return NDIS_STATUS_SUCCESS;
    };
    kernel::queue_work("the user closes", [&binding] {
      NDIS_STATUS status = NDIS_STATUS_FAILURE;
      binding.open = false;
      NdisCloseAdapter(&status, binding.handle);
      if (status == NDIS_STATUS_SUCCESS) binding.closed->set();
    });
    world.unplug(*world.adapter("nic"));
  });
  EXPECT_LE(p.count("ProtocolUnbindAdapter nic"), 1U);
  EXPECT_FALSE(p.bindings.back().open);
}

TEST_P(AnOpenOutsideABind, GoesWithItsProtocol) {
  run([&] { open(); });
}  // the unload unbinds it

}  // namespace
}  // namespace undis::test
