// SPDX-License-Identifier: MIT
//
// Which images are taken to tell all that they read and write.
#include <gtest/gtest.h>

#include "loader/untold.h"

namespace undis::loader {
namespace {

TEST(WhyUntold, IsEmptyForAnImageThatTellsAndCallsOnlyWhatIsSeen) {
  EXPECT_EQ(why_untold({"undis_touched", "undis_memory_wanted", "NdisAcquireSpinLock", "KeSetEvent", "memcpy",
                        "undis_interlocked_point"}),
            "");
}

TEST(WhyUntold, NamesWhatIsInTheWay) {
  EXPECT_EQ(why_untold({"NdisAcquireSpinLock"}), "it was not built with --memory");
  EXPECT_EQ(why_untold({"undis_touched", "KeSetEvent", "RtlCopyString"}),
            "it calls RtlCopyString, which does not tell what it reads and writes");
  EXPECT_EQ(why_untold({"undis_touched", "NdisGetRoutineAddress"}),
            "it calls NdisGetRoutineAddress, which does not tell what it reads and writes");
}

}  // namespace
}  // namespace undis::loader
