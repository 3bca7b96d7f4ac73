// SPDX-License-Identifier: MIT
//
// Pages  wdm/nf-wdm-rtlinitunicodestring, wdm/nf-wdm-rtlunicodestringtoansistring,
// wdm/nf-wdm-rtlguidfromstring, printf formats
#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstring>

#include <ip2string.h>
#include <ntddk.h>
#include <wdm/generic_table.h>

#include "kernel/format.h"
#include "kernel/testing.h"
#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

using ::testing::ElementsAre;

UNICODE_STRING string_of(const char16_t* text) {
  UNICODE_STRING string;
  RtlInitUnicodeString(&string, text);
  return string;
}

class ConvertingUnicode : public ::testing::Test {};

TEST_F(ConvertingUnicode, GoesThereAndBack) {
  const std::string utf8 = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
  EXPECT_EQ(to_utf16(utf8), u"a\u00E4\u20AC\U0001F600");
  EXPECT_EQ(to_utf8(to_utf16(utf8)), utf8);
  EXPECT_EQ(to_utf16("\xFFz\xC3"), u"\uFFFDz\uFFFD");
}

TEST_F(ConvertingUnicode, ChangesCaseBothWays) {
  EXPECT_EQ(upcased(u"az\u00E4\u03B1\u0436\u0101"), u"AZ\u00C4\u0391\u0416\u0100");
  for (char16_t c = 1; c < 0x2000; ++c) {
    const char16_t up = upcase(c);
    EXPECT_EQ(upcase(up), up) << static_cast<int>(c);
    EXPECT_TRUE(downcase(c) == c || upcase(downcase(c)) == c) << static_cast<int>(c);
  }
}

class HandlingCountedStrings : public KernelTest {};

TEST_F(HandlingCountedStrings, InitialisesLengths) {
  const UNICODE_STRING text = string_of(u"abc");
  EXPECT_EQ(text.Length, 6);
  EXPECT_EQ(text.MaximumLength, 8);
  const UNICODE_STRING none = string_of(nullptr);
  EXPECT_EQ(none.Length, 0);
  EXPECT_EQ(none.MaximumLength, 0);
}

TEST_F(HandlingCountedStrings, CopiesWhatFits) {
  std::array<WCHAR, 2> buffer{};
  UNICODE_STRING to{};
  RtlInitEmptyUnicodeString(&to, buffer.data(), sizeof buffer);
  const UNICODE_STRING from = string_of(u"abc");
  RtlCopyUnicodeString(&to, &from);
  EXPECT_EQ(view(&to), u"ab");
  RtlCopyUnicodeString(&to, nullptr);
  EXPECT_EQ(to.Length, 0);
}

TEST_F(HandlingCountedStrings, AppendsOnlyWhatFitsWhole) {
  std::array<WCHAR, 4> buffer{};
  UNICODE_STRING to{};
  RtlInitEmptyUnicodeString(&to, buffer.data(), sizeof buffer);
  EXPECT_EQ(RtlAppendUnicodeToString(&to, u"ab"), STATUS_SUCCESS);
  EXPECT_EQ(RtlAppendUnicodeToString(&to, u"cde"), STATUS_BUFFER_TOO_SMALL);
  const UNICODE_STRING more = string_of(u"cd");
  EXPECT_EQ(RtlAppendUnicodeStringToString(&to, &more), STATUS_SUCCESS);
  EXPECT_EQ(view(&to), u"abcd");
}

TEST_F(HandlingCountedStrings, ComparesWithAndWithoutCase) {
  const UNICODE_STRING a = string_of(u"Abc");
  const UNICODE_STRING b = string_of(u"aBC");
  EXPECT_FALSE(RtlEqualUnicodeString(&a, &b, FALSE));
  EXPECT_TRUE(RtlEqualUnicodeString(&a, &b, TRUE));
  EXPECT_LT(RtlCompareUnicodeString(&a, &b, FALSE), 0);
  const UNICODE_STRING prefix = string_of(u"AB");
  EXPECT_TRUE(RtlPrefixUnicodeString(&prefix, &b, TRUE));
  ANSI_STRING c{};
  ANSI_STRING d{};
  RtlInitAnsiString(&c, "x1");
  RtlInitAnsiString(&d, "X2");
  EXPECT_LT(RtlCompareString(&c, &d, TRUE), 0);
}

TEST_F(HandlingCountedStrings, ConvertsAndLeavesLeaksToTheDriver) {
  as_driver([&] {
    const UNICODE_STRING wide = string_of(u"na\u00EFve \u20AC");
    ANSI_STRING narrow{};
    ASSERT_EQ(RtlUnicodeStringToAnsiString(&narrow, &wide, TRUE), STATUS_SUCCESS);
    EXPECT_STREQ(narrow.Buffer, "na\xEFve ?");
    UNICODE_STRING back{};
    ASSERT_EQ(RtlAnsiStringToUnicodeString(&back, &narrow, TRUE), STATUS_SUCCESS);
    EXPECT_EQ(view(&back), u"na\u00EFve ?");
    EXPECT_EQ(system->pool().live_blocks(driver), 2u);
    RtlFreeAnsiString(&narrow);
    RtlFreeUnicodeString(&back);
    EXPECT_EQ(back.Buffer, nullptr);
    std::array<char, 4> small{};
    ANSI_STRING fixed{0, sizeof small, small.data()};
    EXPECT_EQ(RtlUnicodeStringToAnsiString(&fixed, &wide, FALSE), STATUS_BUFFER_OVERFLOW);
  });
}

TEST_F(HandlingCountedStrings, FailsInLowMemory) {
  restart("0.f1");
  as_driver([&] {
    const UNICODE_STRING wide = string_of(u"x");
    ANSI_STRING narrow{};
    EXPECT_EQ(RtlUnicodeStringToAnsiString(&narrow, &wide, TRUE), STATUS_NO_MEMORY);
  });
}

TEST_F(HandlingCountedStrings, ReadsAndWritesIntegers) {
  const auto read = [](const char16_t* text, ULONG base) {
    const UNICODE_STRING string = string_of(text);
    ULONG value = 0;
    return RtlUnicodeStringToInteger(&string, base, &value) == STATUS_SUCCESS ? static_cast<int>(value)
                                                                              : -1000;
  };
  EXPECT_EQ(read(u"42", 0), 42);
  EXPECT_EQ(read(u" -0x1f", 0), -31);
  EXPECT_EQ(read(u"0b101", 0), 5);
  EXPECT_EQ(read(u"ff", 16), 255);
  EXPECT_EQ(read(u"12z", 10), 12);
  EXPECT_EQ(read(u"1", 7), -1000);
  std::array<WCHAR, 12> buffer{};
  UNICODE_STRING to{};
  RtlInitEmptyUnicodeString(&to, buffer.data(), sizeof buffer);
  EXPECT_EQ(RtlIntegerToUnicodeString(0xBEEF, 16, &to), STATUS_SUCCESS);
  EXPECT_EQ(view(&to), u"BEEF");
  to.MaximumLength = 4;
  EXPECT_EQ(RtlIntegerToUnicodeString(12345, 10, &to), STATUS_BUFFER_OVERFLOW);
}

TEST_F(HandlingCountedStrings, ReadsAndWritesGuids) {
  as_driver([&] {
    GUID guid{};
    const UNICODE_STRING text = string_of(u"{4D36e972-e325-11ce-bfc1-08002be10318}");
    ASSERT_EQ(RtlGUIDFromString(&text, &guid), STATUS_SUCCESS);
    EXPECT_EQ(guid.Data1, 0x4d36e972u);
    EXPECT_EQ(guid.Data4[7], 0x18);
    UNICODE_STRING back{};
    ASSERT_EQ(RtlStringFromGUID(guid, &back), STATUS_SUCCESS);
    EXPECT_TRUE(RtlEqualUnicodeString(&text, &back, TRUE));
    RtlFreeUnicodeString(&back);
    const UNICODE_STRING bad = string_of(u"{4D36e972_e325-11ce-bfc1-08002be10318}");
    EXPECT_EQ(RtlGUIDFromString(&bad, &guid), STATUS_INVALID_PARAMETER);
  });
}

TEST_F(HandlingCountedStrings, IsReportedAboveItsIrql) {
  as_driver([&] {
    const UNICODE_STRING a = string_of(u"Abc");
    const RaiseIrql raised(DISPATCH_LEVEL);
    EXPECT_TRUE(RtlEqualUnicodeString(&a, &a, FALSE));
    EXPECT_TRUE(RtlEqualUnicodeString(&a, &a, TRUE));
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::WrongIrql));
}

class Formatting : public KernelTest {
 protected:
  static std::string text(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::string result = format_text(format, arguments);
    va_end(arguments);
    return result;
  }
  static std::u16string wide(const char16_t* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::u16string result = format_text(format, arguments);
    va_end(arguments);
    return result;
  }
};

TEST_F(Formatting, PrintsNumbersInTheSizesOfWindows) {
  EXPECT_EQ(text("%d %u %x %#010x %o", -5, 5u, 255u, 255u, 8u), "-5 5 ff 0x000000ff 10");
  EXPECT_EQ(text("%ld|%lu|%lx", -1, 4294967295u, 16u), "-1|4294967295|10");
  EXPECT_EQ(text("%I64d %lld %I64x", -1LL, -2LL, 255ULL), "-1 -2 ff");
  EXPECT_EQ(text("%hd %hhu %Iu %zu", 70000, 257, 5ULL, 6ULL), "4464 1 5 6");
  EXPECT_EQ(text("[%5d][%-5d][%05d][%*d]", 42, 42, 42, 4, 7), "[   42][42   ][00042][   7]");
  EXPECT_EQ(text("%p", reinterpret_cast<void*>(0xABC)), "0000000000000ABC");
  EXPECT_EQ(text("%.2f %5.1e", 1.5, 20000.0), "1.50 2.0e+04");
  EXPECT_EQ(text("100%% %q %"), "100% q ");
}

TEST_F(Formatting, PrintsNarrowWideAndCountedStrings) {
  UNICODE_STRING counted_wide = string_of(u"counted");
  ANSI_STRING counted_narrow{};
  RtlInitAnsiString(&counted_narrow, "ansi");
  EXPECT_EQ(text("%s|%S|%ws|%ls|%hs", "a", u"b", u"c", u"d", "e"), "a|b|c|d|e");
  EXPECT_EQ(text("%wZ %Z %c%C%wc", &counted_wide, &counted_narrow, 'x', u'y', u'z'), "counted ansi xyz");
  EXPECT_EQ(text("[%-6s][%6s][%.2s]", "abc", "abc", "abc"), "[abc   ][   abc][ab]");
  EXPECT_EQ(text("%s", static_cast<const char*>(nullptr)), "(null)");
  EXPECT_EQ(wide(u"%s|%S|%ws|%hs|%d", u"a", "b", u"c", "d", 5), u"a|b|c|d|5");
}

TEST_F(Formatting, ReachesTheTraceLineByLine) {
  as_driver([&] {
    DbgPrint("value %ld\nnext", -3);
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_ERROR_LEVEL, "%ws\r\n", u"wide");
  });
  EXPECT_THAT(seen.trace, ElementsAre("probe: value -3", "probe: next", "probe: wide"));
}

TEST_F(Formatting, IsReportedForUnicodeAboveItsIrql) {
  as_driver([&] {
    const RaiseIrql raised(DISPATCH_LEVEL);
    DbgPrint("%d\n", 1);
    DbgPrint("%ws\n", u"wide");
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::WrongIrql));
}

TEST_F(Formatting, CutsAsWindowsDoes) {
  std::array<char, 4> buffer{'#', '#', '#', '#'};
  EXPECT_EQ(_snprintf(buffer.data(), 4, "%d", 1234), 4);
  EXPECT_EQ(buffer[3], '4');
  EXPECT_EQ(_snprintf(buffer.data(), 4, "%d", 12345), -1);
  EXPECT_EQ(undis_crt_snprintf(buffer.data(), 4, "%d", 12345), 5);
  EXPECT_STREQ(buffer.data(), "123");
  std::array<WCHAR, 8> wide_buffer{};
  EXPECT_EQ(_snwprintf(wide_buffer.data(), 8, u"%ws-%d", u"a", 7), 3);
  EXPECT_EQ(std::u16string(wide_buffer.data()), u"a-7");
}

class UsingTheCRunTime : public ::testing::Test {};

TEST_F(UsingTheCRunTime, HandlesWideStrings) {
  std::array<WCHAR, 16> buffer{};
  EXPECT_EQ(undis_crt_wcslen(u"abc"), 3u);
  undis_crt_wcscpy(buffer.data(), u"ab");
  undis_crt_wcscat(buffer.data(), u"cd");
  undis_crt_wcsncat(buffer.data(), u"efgh", 2);
  EXPECT_EQ(std::u16string(buffer.data()), u"abcdef");
  EXPECT_EQ(undis_crt_wcscmp(u"a", u"b"), -1);
  EXPECT_EQ(undis_crt_wcsncmp(u"ax", u"ay", 1), 0);
  EXPECT_EQ(*undis_crt_wcschr(u"hello", u'l'), u'l');
  EXPECT_EQ(undis_crt_wcschr(u"hello", u'z'), nullptr);
  EXPECT_EQ(std::u16string(undis_crt_wcsstr(u"hello", u"lo")), u"lo");
  EXPECT_EQ(std::u16string(undis_crt_wcsrchr(u"a.b.c", u'.')), u".c");
  EXPECT_EQ(undis_crt_wcsspn(u"aab", u"a"), 2u);
  EXPECT_EQ(undis_crt_wcscspn(u"aab", u"b"), 2u);
  EXPECT_EQ(_wcsicmp(u"ABC", u"abc"), 0);
  EXPECT_EQ(_stricmp("ABC", "abd"), -1);
  EXPECT_EQ(_strnicmp("ABC", "abd", 2), 0);
}

TEST_F(UsingTheCRunTime, WritesNumbers) {
  std::array<char, 40> text{};
  EXPECT_STREQ(_itoa(-42, text.data(), 10), "-42");
  EXPECT_STREQ(_itoa(-1, text.data(), 16), "ffffffff");
  EXPECT_STREQ(_ui64toa(255, text.data(), 2), "11111111");
  EXPECT_EQ(_wtoi(u" 17x"), 17);
}

TEST_F(UsingTheCRunTime, WritesAndReadsNetworkAddresses) {
  std::array<char, 46> text{};
  struct in_addr v4 {};
  PCSTR end = nullptr;
  ASSERT_EQ(RtlIpv4StringToAddressA("192.168.1.20/24", TRUE, &end, &v4), STATUS_SUCCESS);
  EXPECT_STREQ(end, "/24");
  EXPECT_EQ(RtlIpv4AddressToStringA(&v4, text.data()), text.data() + 12);
  EXPECT_STREQ(text.data(), "192.168.1.20");
  struct in6_addr v6 {};
  ASSERT_EQ(RtlIpv6StringToAddressA("fe80::1%3", &end, &v6), STATUS_SUCCESS);
  RtlIpv6AddressToStringA(&v6, text.data());
  EXPECT_STREQ(text.data(), "fe80::1");
  EXPECT_EQ(RtlIpv4StringToAddressA("1.2.3", TRUE, &end, &v4), STATUS_INVALID_PARAMETER);
}

class UsingBitMaps : public ::testing::Test {};

TEST_F(UsingBitMaps, FindsRunsFromTheHintOn) {
  std::array<ULONG, 3> bits{};
  RTL_BITMAP map{};
  RtlInitializeBitMap(&map, bits.data(), 70);
  RtlClearAllBits(&map);
  RtlSetBits(&map, 30, 10);
  EXPECT_TRUE(RtlAreBitsSet(&map, 30, 10));
  EXPECT_FALSE(RtlAreBitsSet(&map, 30, 11));
  EXPECT_FALSE(RtlAreBitsClear(&map, 65, 10));
  EXPECT_EQ(RtlNumberOfSetBits(&map), 10u);
  EXPECT_EQ(RtlFindClearBits(&map, 20, 25), 40u);
  EXPECT_EQ(RtlFindClearBits(&map, 31, 0), 0xFFFFFFFFu);
  EXPECT_EQ(RtlFindClearBitsAndSet(&map, 30, 50), 0u);
  EXPECT_EQ(RtlNumberOfClearBits(&map), 30u);
  EXPECT_EQ(RtlFindSetBits(&map, 40, 0), 0u);
  EXPECT_TRUE(RtlTestBit(&map, 39));
  RtlClearBit(&map, 39);
  EXPECT_FALSE(RtlTestBit(&map, 39));
  EXPECT_EQ(RtlCompareMemory("abcd", "abxd", 4), 2u);
}

class UsingGenericTables : public ::testing::Test {};

TEST_F(UsingGenericTables, KeepsOrderAndBalanceOverManyInsertionsAndDeletions) {
  struct Count {
    int blocks = 0;
  } count;
  RTL_AVL_TABLE table{};
  RtlInitializeGenericTableAvl(
      &table,
      [](PRTL_AVL_TABLE, PVOID a, PVOID b) {
        const int left = *static_cast<int*>(a);
        const int right = *static_cast<int*>(b);
        return left < right ? GenericLessThan : left > right ? GenericGreaterThan : GenericEqual;
      },
      [](PRTL_AVL_TABLE t, ULONG size) -> PVOID {
        ++static_cast<Count*>(t->TableContext)->blocks;
        return ::operator new(size);
      },
      [](PRTL_AVL_TABLE t, PVOID buffer) {
        --static_cast<Count*>(t->TableContext)->blocks;
        ::operator delete(buffer);
      },
      &count);
  EXPECT_TRUE(RtlIsGenericTableEmptyAvl(&table));
  ULONG seed = 1;
  std::vector<bool> there(1000, false);
  for (int step = 0; step < 20'000; ++step) {
    int value = static_cast<int>(RtlRandomEx(&seed) % 1000);
    const auto index = static_cast<std::size_t>(value);
    if (RtlRandomEx(&seed) % 2 == 0) {
      BOOLEAN added = FALSE;
      EXPECT_NE(RtlInsertElementGenericTableAvl(&table, &value, sizeof value, &added), nullptr);
      EXPECT_EQ(added != FALSE, !there[index]);
      there[index] = true;
    } else {
      EXPECT_EQ(RtlDeleteElementGenericTableAvl(&table, &value) != FALSE, there[index]);
      there[index] = false;
    }
  }
  const auto expected = std::count(there.begin(), there.end(), true);
  EXPECT_EQ(RtlNumberGenericTableElementsAvl(&table), expected);
  EXPECT_LE(table.DepthOfTree, 14u);  // 1.44 log2(1000)
  int before = -1;
  int found = 0;
  for (void* p = RtlEnumerateGenericTableAvl(&table, TRUE); p != nullptr;
       p = RtlEnumerateGenericTableAvl(&table, FALSE)) {
    EXPECT_LT(before, *static_cast<int*>(p));
    before = *static_cast<int*>(p);
    EXPECT_TRUE(there[static_cast<std::size_t>(before)]);
    EXPECT_EQ(RtlLookupElementGenericTableAvl(&table, p), p);
    ++found;
  }
  EXPECT_EQ(found, expected);
  while (void* const first = RtlGetElementGenericTableAvl(&table, 0)) {
    int value = *static_cast<int*>(first);
    RtlDeleteElementGenericTableAvl(&table, &value);
  }
  EXPECT_EQ(count.blocks, 0);
  EXPECT_EQ(table.DepthOfTree, 0u);
}

class AskingTheVersion : public KernelTest {};

TEST_F(AskingTheVersion, AnswersTheSameEverywhere) {
  RTL_OSVERSIONINFOEXW info{};
  info.dwOSVersionInfoSize = sizeof info;
  ASSERT_EQ(RtlGetVersion(reinterpret_cast<PRTL_OSVERSIONINFOW>(&info)), STATUS_SUCCESS);
  ULONG major = 0;
  ULONG minor = 0;
  PsGetVersion(&major, &minor, nullptr, nullptr);
  EXPECT_EQ(info.dwMajorVersion, major);
  const ULONG mask = VER_MAJORVERSION | VER_MINORVERSION;
  ULONGLONG conditions = VerSetConditionMask(0, VER_MAJORVERSION, VER_GREATER_EQUAL);
  conditions = VerSetConditionMask(conditions, VER_MINORVERSION, VER_GREATER_EQUAL);
  const auto is_at_least = [&](ULONG at_least_major, ULONG at_least_minor) {
    RTL_OSVERSIONINFOEXW wanted{};
    wanted.dwMajorVersion = at_least_major;
    wanted.dwMinorVersion = at_least_minor;
    return RtlVerifyVersionInfo(&wanted, mask, conditions) == STATUS_SUCCESS;
  };
  EXPECT_TRUE(is_at_least(6, 2));
  EXPECT_TRUE(is_at_least(major, minor));
  EXPECT_FALSE(is_at_least(major, minor + 1));
  EXPECT_FALSE(is_at_least(major + 1, 0));
}

}  // namespace
}  // namespace undis::kernel
