// SPDX-License-Identifier: MIT
//
// One NDIS 6 miniport with a protocol above it, as the tests of its life want it.
#pragma once

#include <ntddk.h>

#include "lab/core_test.h"

namespace undis::test {

class Miniport6 : public CoreTest {
 protected:
  void flags(ULONG value) {
    mp.attributes = [value](NDIS_MINIPORT_ADAPTER_ATTRIBUTES& a) {
      if (a.Header.Type == NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES)
        a.RegistrationAttributes.AttributeFlags = value;
    };
  }
  void unload_both() {
    run([&] {
      if (p.driver().phase() == kernel::DriverPhase::Loaded) {
        EXPECT_TRUE(p.unload());
      }
      EXPECT_TRUE(mp.unload());
    });
  }
};

}  // namespace undis::test
