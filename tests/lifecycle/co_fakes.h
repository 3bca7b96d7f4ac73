// SPDX-License-Identifier: MIT
//
// Three drivers of connection-oriented NDIS that do what the pages ask: a miniport "mp" (with a call manager
// in it, if a test wants), a stand-alone call manager "cm", a client "cl". Each callback is noted, may be
// given another status, and checks its context.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/core_test.h"
#include "lab/net_buffers.h"
#include "ndis/address_family.h"
#include "ndis/co_vc.h"

namespace undis::test {

class CoTest : public ::testing::Test {
 public:
  explicit CoTest(const lab::WorldOptions& with = lab::WorldOptions()) : world(with) {}

  enum class Manager : std::uint8_t { StandAlone, Integrated };
  enum class Order : std::uint8_t {
    ManagerFirst,
    ClientFirst
  };  ///< of loading; NDIS unbinds in the same order

  /// "cl ClCloseAfComplete", in order.
  Lines calls;
  /// What a callback returns, and what it does before; default: NDIS_STATUS_SUCCESS, nothing.
  std::map<std::string, NDIS_STATUS> answers;
  std::map<std::string, std::function<void()>> hooks;
  /// Status that a completion function was called with, by its name.
  std::map<std::string, NDIS_STATUS> results;

  // ---- what the drivers were given ----
  NDIS_HANDLE cl_af = nullptr, cm_af = nullptr;
  NDIS_HANDLE cl_sap = nullptr, cm_sap = nullptr;
  NDIS_HANDLE cl_vc = nullptr, cm_vc = nullptr, mp_vc = nullptr;
  NDIS_HANDLE cl_party = nullptr, cm_party = nullptr;
  std::vector<NET_BUFFER_LIST*> sent;      ///< at the miniport, not completed
  std::vector<NET_BUFFER_LIST*> received;  ///< at the client or call manager, not returned
  std::vector<NET_BUFFER_LIST*> send_completed;
  std::vector<NET_BUFFER_LIST*> returned;
  NDIS_OID_REQUEST* asked = nullptr;
  bool closes_af_in_unbind = true;
  bool notifies_in_unbind = true;
  bool opens_families = true;
  bool memory_fails = false;  ///< a driver may not come up

  NDIS_STATUS note(const std::string& who, const std::string& name) {
    const std::string line = who + " " + name;
    calls.push_back(line);
    EXPECT_LE(kernel::irql(), DISPATCH_LEVEL);
    if (const auto hook = hooks.find(line); hook != hooks.end()) hook->second();
    const auto answer = answers.find(line);
    return answer == answers.end() ? NDIS_STATUS_SUCCESS : answer->second;
  }
  /// What a completion function was called with; nothing if it was not called.
  std::optional<NDIS_STATUS> result(const std::string& name) const {
    const auto found = results.find(name);
    return found == results.end() ? std::nullopt : std::optional(found->second);
  }
  unsigned count(const std::string& line) const {
    return static_cast<unsigned>(std::ranges::count(calls, line));
  }

  void up(Manager manager = Manager::StandAlone, Order order = Order::ManagerFirst);
  /// Takes everything down in the documented way.
  void down();
  bool integrated() const { return manager_ == Manager::Integrated; }
  /// Who has the call manager's callbacks: "cm" or "mp".
  std::string manager_name() const { return integrated() ? "mp" : "cm"; }

  NDIS_HANDLE binding_of(lab::FakeDriver& driver) {
    return driver.bindings.empty() ? nullptr : driver.bindings.front().handle;
  }
  NDIS_HANDLE card() { return mp.adapters.front().handle; }
  Ref<Adapter> nic() { return world.adapter("nic"); }
  std::vector<Ref<Vc>> vcs() { return nic()->co->vcs(); }
  AfState af_state() { return nic()->co->address_families().at(0)->machine().state(); }

  // ---- whole operations, as the drivers carry them out ----
  void client_creates_vc() {
    ASSERT_EQ(NdisCoCreateVc(binding_of(cl), cl_af, &cl_vc_context, &cl_vc), NDIS_STATUS_SUCCESS);
  }
  /// For an incoming call.
  void manager_creates_vc();
  NDIS_STATUS activate();
  NDIS_STATUS deactivate();
  NDIS_STATUS manager_deletes_vc() { return integrated() ? NdisMCmDeleteVc(cm_vc) : NdisCoDeleteVc(cm_vc); }
  void register_sap() {
    ASSERT_EQ(NdisClRegisterSap(cl_af, &cl_sap_context, &sap, &cl_sap), NDIS_STATUS_SUCCESS);
  }
  /// A connection that the client has made; the call manager activates it inside ProtocolCmMakeCall.
  void connect_out(void* party_context = nullptr);
  /// Ends it.
  void hang_up(NDIS_HANDLE party = nullptr);
  /// A net buffer list of that driver with one byte of data.
  NET_BUFFER_LIST* list_of(lab::FakeDriver& driver, std::uint8_t byte);
  void free(NET_BUFFER_LIST* list) { lab::free_list(list, kTag); }

  /// Runs `body` on a kernel thread; it has to end.
  void run(std::function<void()> body) {
    ASSERT_EQ(world.run("test", std::move(body)), kernel::Outcome::Idle);
  }
  /// "driver: rule" of each finding that the test means to cause, in order.
  void expect(Lines lines) { expected_violations_ = std::move(lines); }
  Lines violations() { return world.verifier().violation_lines(); }

  lab::World world;
  static constexpr ULONG kTag = lab::pool_tag("Cond");
  int cl_af_context = 0, cm_af_context = 0, cl_sap_context = 0, cm_sap_context = 0;
  int cl_vc_context = 0, cm_vc_context = 0, mp_vc_context = 0, cl_party_context = 0, cm_party_context = 0;
  CO_SAP sap{1, 1, {7}};
  CO_CALL_PARAMETERS parameters{};
  CO_ADDRESS_FAMILY family{CO_ADDRESS_FAMILY_TAPI, 1, 0};
  lab::FakeDriver mp{world, "mp"};
  lab::FakeDriver cm{world, "cm"};
  lab::FakeDriver cl{world, "cl"};

 protected:
  void SetUp() override { here() = this; }
  void TearDown() override;
  static CoTest*& here() {
    static CoTest* test = nullptr;
    return test;
  }
  friend struct CoCallbacks;

  Manager manager_ = Manager::StandAlone;
  Lines expected_violations_;
  std::map<lab::FakeDriver*, NDIS_HANDLE> pools_;
};

}  // namespace undis::test
