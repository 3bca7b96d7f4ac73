// SPDX-License-Identifier: MIT
//
// What the tests of the NDIS core share: one card of a fake miniport driver, one fake protocol on it, and the
// moves that they make.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "lab/test_world.h"

namespace undis::test {

using lab::FakeAdapter;
using lab::FakeBinding;
using lab::FakeDriver;

/// Miniport driver "mp" with the card "nic", protocol driver "p" on it. Both of NDIS 6 unless a test says
/// otherwise.
class CoreTest : public NdisTest {
 protected:
  void be(int miniport_generation, int protocol_generation) {
    if (miniport_generation == 5) {
      mp.be_miniport5();
    } else {
      mp.be_miniport6();
    }
    if (protocol_generation == 5) {
      p.be_protocol5();
    } else {
      p.be_protocol6();
    }
  }
  /// Loads both and plugs the card in; everything is up when it returns, unless a hook of the test decides
  /// otherwise.
  void up(int miniport_generation = 6, int protocol_generation = 6) {
    be(miniport_generation, protocol_generation);
    load();
    plug();
  }
  void load() {
    run([&] {
      ASSERT_EQ(mp.load(), STATUS_SUCCESS);
      ASSERT_EQ(p.load(), STATUS_SUCCESS);
    });
  }
  NDIS_STATUS plug() {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    run([&] { world.plug(mp.driver(), "nic", &status); });
    return status;
  }
  void unplug() {
    run([&] {
      if (const Ref<Adapter> card = world.adapter("nic"); card) world.unplug(*card);
    });
  }
  /// Takes everything down; the fakes must have nothing to complain about.
  void down() {
    unplug();
    run([&] {
      for (FakeDriver* driver : {&p, &mp}) {
        if (driver->driver().phase() != kernel::DriverPhase::Loaded) continue;
        EXPECT_TRUE(driver->unload());
      }
    });
    expect_no_complaints(p);
    expect_no_complaints(mp);
  }

  Ref<Adapter> nic() { return world.adapter("nic"); }
  AdapterState nic_state() { return nic()->state(); }
  Ref<Binding> binding() {
    for (const Ref<ProtocolDriver>& protocol : world.library().protocols())
      if (&protocol->driver() == &p.driver() && !protocol->bindings().empty())
        return protocol->bindings().front();
    return {};
  }
  BindingState binding_state() { return binding()->state(); }

  std::size_t mark() { return world.verifier().trace().size(); }
  /// "MiniportRestart: Paused -> Restarting" of that object ("nic", "p on nic") since `from`.
  Lines moves(const std::string& object, std::size_t from = 0) {
    const Lines trace = world.verifier().trace();
    Lines found;
    for (std::size_t i = from; i < trace.size(); ++i)
      if (trace[i].starts_with(object + " ") && trace[i].find(" -> ") != std::string::npos)
        found.push_back(trace[i].substr(object.size() + 1));
    return found;
  }
  /// "driver!Callback" of every callback since `from` whose name begins with one of `names`, in order.
  Lines callbacks(std::initializer_list<std::string_view> names, std::size_t from = 0) {
    const Lines trace = world.verifier().trace();
    Lines found;
    for (std::size_t i = from; i < trace.size(); ++i) {
      if (!trace[i].starts_with("> ")) continue;
      const std::string_view callback = std::string_view(trace[i]).substr(trace[i].find('!') + 1);
      if (std::ranges::any_of(names, [&](std::string_view name) { return callback.starts_with(name); }))
        found.push_back(trace[i].substr(2));
    }
    return found;
  }

  /// A request of NDIS 6 that sets one number.
  static NDIS_OID_REQUEST set_request(NDIS_OID oid, void* buffer, UINT length, void* id = nullptr) {
    NDIS_OID_REQUEST request{};
    request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                      NDIS_SIZEOF_OID_REQUEST_REVISION_1};
    request.RequestType = NdisRequestSetInformation;
    request.RequestId = id;
    request.DATA.SET_INFORMATION.Oid = oid;
    request.DATA.SET_INFORMATION.InformationBuffer = buffer;
    request.DATA.SET_INFORMATION.InformationBufferLength = length;
    return request;
  }
  static NDIS_OID_REQUEST query_request(NDIS_OID oid, void* buffer, UINT length, void* id = nullptr) {
    NDIS_OID_REQUEST request = set_request(oid, buffer, length, id);
    request.RequestType = NdisRequestQueryInformation;
    return request;
  }

  FakeDriver mp{world, "mp"};
  FakeDriver p{world, "p"};
};

}  // namespace undis::test
