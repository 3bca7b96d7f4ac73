// SPDX-License-Identifier: MIT
//
// NDIS itself, clocks, logs, processors, strings.
#include <ntddk.h>

#include "ddi/testing.h"
#include "kernel/time.h"
#include "kernel/unicode.h"
#include "ndis/strings.h"

namespace undis {
namespace {

class Ndis : public ServiceTest {};

TEST_F(Ndis, TellsItsVersionAndItsFunctions) {
  EXPECT_EQ(NdisGetVersion() >> 16, 6U);
  const WideString known(u"NdisGetVersion");
  const WideString unknown(u"NdisFlyToTheMoon");
  const WideString foreign(u"KeSetEvent");
  EXPECT_EQ(NdisGetRoutineAddress(known.get()), reinterpret_cast<void*>(&NdisGetVersion));
  EXPECT_EQ(NdisGetRoutineAddress(unknown.get()), nullptr);
  EXPECT_EQ(NdisGetRoutineAddress(foreign.get()), nullptr);
}

TEST_F(Ndis, KnowsTheTime) {
  system->advance(25 * kernel::kTicksPerMillisecond);
  ULONG up = 0;
  LARGE_INTEGER up_ex{};
  LARGE_INTEGER now{};
  NdisGetSystemUpTime(&up);
  NdisGetSystemUpTimeEx(&up_ex);
  NdisGetCurrentSystemTime(&now);
  EXPECT_EQ(up, 25U);
  EXPECT_EQ(up_ex.QuadPart, 25);
  EXPECT_EQ(now.QuadPart, kernel::kSystemTimeAtStart + 250'000);
}

TEST_F(Ndis, WritesLogsIntoTheTrace) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    NdisWriteErrorLogEntry(adapter->handle(), NDIS_ERROR_CODE_TIMEOUT, 2, ULONG_PTR{1}, ULONG_PTR{0x20});
    NdisWriteErrorLogEntry(this, NDIS_ERROR_CODE_TIMEOUT, 0);
    EXPECT_EQ(handle_misuses(), 1U);
    const char16_t* strings[] = {u"probe"};
    EXPECT_EQ(NdisWriteEventLogEntry(driver->object(), NDIS_STATUS_FAILURE, 3, 1, strings, 0, nullptr),
              NDIS_STATUS_SUCCESS);
    UCHAR much[4096]{};
    EXPECT_EQ(NdisWriteEventLogEntry(driver->object(), NDIS_STATUS_FAILURE, 3, 0, nullptr, sizeof much, much),
              NDIS_STATUS_BUFFER_TOO_SHORT);
  });
  ASSERT_EQ(seen.trace.size(), 3U);
  EXPECT_NE(seen.trace[0].find("nic0"), std::string::npos);
  EXPECT_NE(seen.trace[0].find("0x1 0x20"), std::string::npos) << seen.trace[0];
  EXPECT_NE(seen.trace[2].find("\"probe\""), std::string::npos) << seen.trace[2];
}

TEST_F(Ndis, GivesAnotherCancelIdEachTime) {
  const UCHAR first = NdisGeneratePartialCancelId();
  EXPECT_NE(first, 0);
  EXPECT_NE(NdisGeneratePartialCancelId(), first);
}

TEST_F(Ndis, TakesOptionalHandlersInSetOptionsOnly) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  NDIS_OBJECT_HEADER header{NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS, 1, sizeof header};
  as_driver([&] { EXPECT_EQ(NdisSetOptionalHandlers(miniport->handle(), &header), NDIS_STATUS_FAILURE); });
  EXPECT_EQ(seen.breaches, std::vector<std::string>{"NdisSetOptionalHandlers: LIFE-105"});
}

class Processors : public ServiceTest {};

TEST_F(Processors, AreCountedInOneGroup) {
  KAFFINITY mask = 0;
  EXPECT_EQ(NdisSystemProcessorCount(), 2);
  EXPECT_EQ(NdisSystemActiveProcessorCount(&mask), 2U);
  EXPECT_EQ(mask, KAFFINITY{3});
  EXPECT_EQ(NdisMaxGroupCount(), 1);
  EXPECT_EQ(NdisActiveGroupCount(), 1);
  EXPECT_EQ(NdisGroupMaxProcessorCount(ALL_PROCESSOR_GROUPS), 2U);
  EXPECT_EQ(NdisGroupActiveProcessorCount(0), 2U);
  EXPECT_EQ(NdisGroupActiveProcessorCount(1), 0U);
  EXPECT_EQ(NdisGroupActiveProcessorMask(0), KAFFINITY{3});
  PROCESSOR_NUMBER number{};
  EXPECT_EQ(NdisProcessorIndexToNumber(1, &number), STATUS_SUCCESS);
  EXPECT_EQ(NdisProcessorNumberToIndex(number), 1U);
  EXPECT_EQ(NdisProcessorIndexToNumber(2, &number), STATUS_INVALID_PARAMETER);
}

TEST_F(Processors, NameTheCurrentOneAtDispatchLevel) {
  as_driver_at(DISPATCH_LEVEL,
               [&] { EXPECT_EQ(NdisCurrentProcessorIndex(), NdisCurrentGroupAndProcessor().Number); });
  as_driver([&] { NdisCurrentProcessorIndex(); });
  EXPECT_EQ(misuses(), Kinds{kernel::Misuse::WrongIrql});
}

TEST_F(Processors, AreDescribedInABufferThatIsLargeEnough) {
  SIZE_T size = 0;
  EXPECT_EQ(NdisGetProcessorInformationEx(nullptr, nullptr, &size), NDIS_STATUS_BUFFER_TOO_SHORT);
  std::vector<std::byte> buffer(size);
  auto* const info = reinterpret_cast<NDIS_SYSTEM_PROCESSOR_INFO_EX*>(buffer.data());
  ASSERT_EQ(NdisGetProcessorInformationEx(nullptr, info, &size), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(info->NumberOfProcessors, 2U);
  EXPECT_EQ(info->ProcessorInfoOffset + 2 * info->ProcessorInfoEntrySize, size);
  NDIS_SYSTEM_PROCESSOR_INFO old{};
  EXPECT_EQ(NdisGetProcessorInformation(&old), NDIS_STATUS_BUFFER_TOO_SHORT);
  old.Header.Size = NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_REVISION_1;
  EXPECT_EQ(NdisGetProcessorInformation(&old), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(old.RssCpuCount, 2U);
}

TEST_F(Processors, AreAllForReceiveSideScaling) {
  const Ref<MiniportDriver> miniport = add_miniport6();
  const Ref<Adapter> adapter = add_adapter(*miniport);
  as_driver([&] {
    SIZE_T size = 0;
    EXPECT_EQ(NdisGetRssProcessorInformation(adapter->handle(), nullptr, &size),
              NDIS_STATUS_BUFFER_TOO_SHORT);
    std::vector<std::byte> buffer(size);
    auto* const info = reinterpret_cast<NDIS_RSS_PROCESSOR_INFO*>(buffer.data());
    ASSERT_EQ(NdisGetRssProcessorInformation(adapter->handle(), info, &size), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(info->RssProcessorCount, 2U);
    EXPECT_EQ(info->RssProcessorArrayOffset + 2 * info->RssProcessorEntrySize, size);
  });
}

TEST_F(Processors, SayHowBusyTheyAre) {
  ULONG usage = 77;
  ULONG idle = 77;
  ULONG all = 77;
  ULONG index = 77;
  NdisGetCurrentProcessorCpuUsage(&usage);
  NdisGetCurrentProcessorCounts(&idle, &all, &index);
  EXPECT_EQ(usage, 0U);
  EXPECT_EQ(idle, all);
  EXPECT_LT(index, 2U);
}

class Strings : public ServiceTest {};

TEST_F(Strings, AreMadeOfAnsiTextAndFreed) {
  as_driver([&] {
    NDIS_STRING text{};
    UCHAR source[] = "probe";
    NdisInitializeString(&text, source);
    EXPECT_EQ(kernel::view(&text), u"probe");
    EXPECT_EQ(text.MaximumLength, 12);
    EXPECT_EQ(text.Buffer[5], 0);
    NDIS_STRING upper{0, text.MaximumLength, text.Buffer};
    EXPECT_EQ(NdisUpcaseUnicodeString(&upper, &text), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(kernel::view(&upper), u"PROBE");
    EXPECT_TRUE(NdisEqualString(&upper, &text, TRUE));
    NdisFreeString(text);
    NdisInitializeString(&text, nullptr);
    EXPECT_EQ(text.Buffer, nullptr);
  });
  EXPECT_EQ(misuses(), Kinds{kernel::Misuse::BadParameter});
}

TEST_F(Strings, HaveNoBufferWithoutMemory) {
  with_first_call_failing([&] {
    UCHAR source[] = "probe";
    NDIS_STRING text{};
    NdisInitializeString(&text, source);
    EXPECT_EQ(text.Buffer, nullptr);
    EXPECT_EQ(text.Length, 0);
  });
}

TEST_F(Strings, ThatAreTooLongForTheirBufferAreRefused) {
  const WideString text(u"probe");
  WCHAR room[3];
  UNICODE_STRING small{0, sizeof room, room};
  EXPECT_NE(NdisUpcaseUnicodeString(&small, text.get()), NDIS_STATUS_SUCCESS);
}

}  // namespace
}  // namespace undis
