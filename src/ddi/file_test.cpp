// SPDX-License-Identifier: MIT
//
// Files that a miniport reads while it starts, and its log.
#include <cstring>

#include "ddi/testing.h"
#include "kernel/registry.h"
#include "ndis/driver_file.h"
#include "ndis/strings.h"

namespace undis {
namespace {

using kernel::Misuse;

class Files : public ServiceTest {
 protected:
  NDIS_STATUS open(std::u16string name) {
    const WideString text(name);
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisOpenFile(&status, &file, &length, text.get(), {});
    return status;
  }
  NDIS_HANDLE file = nullptr;
  UINT length = 0;
};

TEST_F(Files, AreMappedOnceUntilTheyAreUnmapped) {
  system->registry().set_value(kFilesKey, u"firmware.bin", kernel::RegistryValue::binary("abcd", 4));
  as_driver([&] {
    ASSERT_EQ(open(u"Firmware.bin"), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(length, 4U);
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    PVOID buffer = nullptr;
    NdisMapFile(&status, &buffer, file);
    ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(std::memcmp(buffer, "abcd", 4), 0);
    NdisMapFile(&status, &buffer, file);
    EXPECT_EQ(status, NDIS_STATUS_ALREADY_MAPPED);
    EXPECT_EQ(buffer, nullptr);
    NdisUnmapFile(file);
    NdisMapFile(&status, &buffer, file);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisUnmapFile(file);
    NdisUnmapFile(file);
    EXPECT_EQ(misuses(), Kinds{Misuse::BadParameter});
    NdisCloseFile(file);
    NdisCloseFile(file);
    EXPECT_EQ(handle_misuses(), 1U);
  });
}

TEST_F(Files, ThatAreNotThereOrHaveNoMemoryAreNotOpened) {
  as_driver([&] { EXPECT_EQ(open(u"nothing.bin"), NDIS_STATUS_FILE_NOT_FOUND); });
  EXPECT_EQ(file, nullptr);
  as_driver_at(DISPATCH_LEVEL, [&] { open(u"nothing.bin"); });
  EXPECT_EQ(misuses(), Kinds{Misuse::WrongIrql});
}

TEST_F(Files, OfALogKeepWhatWasWrittenLast) {
  Ref<MiniportDriver> miniport = add_miniport6();
  Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    NDIS_HANDLE log = nullptr;
    EXPECT_EQ(NdisMCreateLog(adapter->handle(), 0, &log), NDIS_STATUS_RESOURCES);
    ASSERT_EQ(NdisMCreateLog(adapter->handle(), 8, &log), NDIS_STATUS_SUCCESS);
    char text[] = "one two ";
    EXPECT_EQ(NdisMWriteLogData(log, text, 8), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisMWriteLogData(log, text, 9), NDIS_STATUS_BUFFER_OVERFLOW);
    NdisMFlushLog(log);
    EXPECT_EQ(NdisMWriteLogData(log, text, 8), NDIS_STATUS_SUCCESS);
    char more[] = "\1!";
    EXPECT_EQ(NdisMWriteLogData(log, more, 2), NDIS_STATUS_SUCCESS);
    NdisMCloseLog(log);
  });
  EXPECT_EQ(seen.trace.back(), "the log of nic0: e two \\x01!");
  library->forget(*adapter);
}

}  // namespace
}  // namespace undis
