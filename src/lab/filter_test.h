// SPDX-License-Identifier: MIT
//
// What the tests of filters share: CoreTest's card and protocol, and two filters between them.
#pragma once

#include "lab/core_test.h"
#include "lab/fake_filter.h"
#include "ndis/filter_module.h"

namespace undis::test {

using lab::FakeFilter;
using lab::FakeModule;

/// Miniport "mp" with card "nic", filters "f" (below) and "g", protocol "p".
class FilterTest : public CoreTest {
 protected:
  void load_filters(std::initializer_list<FakeFilter*> filters) {
    run([&] {
      for (FakeFilter* filter : filters) ASSERT_EQ(filter->load(), STATUS_SUCCESS);
    });
  }
  void unload(FakeFilter& filter) {
    run([&] { EXPECT_TRUE(filter.unload()); });
  }
  /// Card, filters and protocol, running.
  void all_up(std::initializer_list<FakeFilter*> filters, int miniport_generation = 6,
              int protocol_generation = 6) {
    load_filters(filters);
    up(miniport_generation, protocol_generation);
  }
  void all_down(std::initializer_list<FakeFilter*> filters) {
    unplug();
    for (FakeFilter* filter : filters) {
      if (filter->driver().phase() == kernel::DriverPhase::Loaded) unload(*filter);
      EXPECT_EQ(filter->complaints, Lines{});
    }
    down();
  }
  /// What life-cycle callbacks came since `from`, of all drivers.
  Lines life(std::size_t from = 0) {
    Lines found =
        callbacks({"Miniport", "ProtocolBind", "ProtocolUnbind", "ProtocolNetPnPEvent", "FilterAttach",
                   "FilterDetach", "FilterPause", "FilterRestart", "FilterSetModuleOptions"},
                  from);
    std::erase_if(found, [](const std::string& line) {
      return line.find("OidRequest") != std::string::npos || line.find("DevicePnP") != std::string::npos;
    });
    return found;
  }
  Lines names() {
    Lines found;
    for (const Ref<FilterModule>& module : nic()->filters.modules()) found.push_back(module->name());
    return found;
  }
  Ref<FilterModule> module_of(const FakeFilter& filter) {
    for (const Ref<FilterModule>& module : nic()->filters.modules())
      if (module->handle() == filter.modules.back().handle) return module;
    return {};
  }
  static NDIS_STATUS_INDICATION indication(NDIS_HANDLE source, NDIS_STATUS code) {
    NDIS_STATUS_INDICATION made{};
    made.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                   NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
    made.SourceHandle = source;
    made.StatusCode = code;
    return made;
  }

  FakeFilter f{world.system(), world.library(), "f"};
  FakeFilter g{world.system(), world.library(), "g"};
};

}  // namespace undis::test
