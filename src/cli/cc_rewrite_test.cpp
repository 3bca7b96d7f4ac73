// SPDX-License-Identifier: MIT
//
// Each text is what the preprocessor leaves of a driver's file, unless a line marker says otherwise.
#include "cli/cc_rewrite.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace undis::cli {
namespace {

const RewriteScope kScope{"/undis/wdk", {"/driver/sdk", "inc"}};

std::string rewritten(std::string_view text) {
  return rewrite_long(text, kScope);
}

class MakingLongThirtyTwoBitsWide : public testing::Test {
 protected:
  /// The text without the blanks that keep columns: one blank at most in a row, none before punctuation.
  static std::string words(std::string_view text) {
    std::string result;
    for (const char c : rewritten(text)) {
      if (c == ' ' && (result.empty() || result.back() == ' ')) continue;
      if ((c == ';' || c == ')' || c == ',') && !result.empty() && result.back() == ' ') result.pop_back();
      result += c;
    }
    return result;
  }
};

TEST_F(MakingLongThirtyTwoBitsWide, TurnsLongIntoInt) {
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"long x;", "int x;"},
           {"unsigned long x;", "unsigned int x;"},
           {"long unsigned x;", "int unsigned x;"},
           {"signed long x;", "signed int x;"},
           {"long int x;", "int x;"},
           {"unsigned long int x;", "unsigned int x;"},
           {"int long unsigned x;", "int unsigned x;"},
           {"long const int x;", "const int x;"},
           {"const unsigned\nlong x;", "const unsigned\nint x;"},
           {"f(long, unsigned long *);", "f(int, unsigned int *);"},
           {"sizeof(long)", "sizeof(int)"},
           {"(long)y + (long)z", "(int)y + (int)z"},
           {"typedef long LONG, *PLONG;", "typedef int LONG, *PLONG;"},
       }) {
    EXPECT_EQ(words(from), to);
  }
}

TEST_F(MakingLongThirtyTwoBitsWide, LeavesLongLongAndLongDouble) {
  for (const std::string_view text :
       {"long long x;", "unsigned long long x;", "long unsigned long int x;", "long\nlong x;",
        "long double d;", "double long d;", "long const long x;", "longer = along + long_ + _long;"}) {
    EXPECT_EQ(rewritten(text), text);
  }
}

TEST_F(MakingLongThirtyTwoBitsWide, TakesTheSuffixFromIntegers) {
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"0xC0000001L;", "0xC0000001;"},
           {"5UL;", "5U;"},
           {"5ul;", "5U;"},
           {"5LU;", "5U;"},
           {"5l;", "5;"},
           {"0L;", "0;"},
           {"017L;", "017;"},
           {"0b101L;", "0b101;"},
           {"0xFUL+1L;", "0xFU +1;"},
           {"1'000L;", "1'000;"},
           {"0x1EL+5L;", "0x1E +5;"},
           {"1i64;", "1LL;"},
           {"0xFFui64;", "0xFFULL;"},
           {"7i32;", "7;"},
           {"7UI32;", "7U;"},
           {"1I64;", "1LL;"},
       }) {
    EXPECT_EQ(words(from), words(to)) << from;
  }
}

TEST_F(MakingLongThirtyTwoBitsWide, LeavesOtherNumbers) {
  for (const std::string_view text : {"5LL;", "5ULL;", "5llu;", "5U;", "1.0L;", "1e5L;", ".5L;", "0x1p3L;",
                                      "1.L;", "0xABCDEF;", "12_km;", "x5L;", "1e+5L;"}) {
    EXPECT_EQ(rewritten(text), text);
  }
}

TEST_F(MakingLongThirtyTwoBitsWide, LeavesStringsCharactersCommentsAndPragmas) {
  for (const std::string_view text :
       {"\"long 5L\"", "L\"long 5L\"", "L'x'", "'long'", "\"a\\\"long 5L\"", "'\\''", "/* long 5L */",
        "// long 5L\n", "#pragma alloc_text(PAGE, long)\n", "R\"(long 5L \" long)\"",
        "u8R\"x(long )\" 5L)x\""}) {
    EXPECT_EQ(rewritten(text), text);
  }
}

TEST_F(MakingLongThirtyTwoBitsWide, KeepsEveryColumnAndLine) {
  const std::string text = "unsigned long int a = 0x10UL; long b;\n  /* c */ long *p = &b; x = 1i64;\n";
  const std::string after = rewritten(text);
  ASSERT_EQ(after.size(), text.size());
  for (const char mark : {'a', 'b', 'p', 'x', '\n', ';'})
    EXPECT_EQ(after.find(mark), text.find(mark)) << mark;
}

TEST_F(MakingLongThirtyTwoBitsWide, LeavesUndisAndTheHostsHeaders) {
  const std::string text = "# 1 \"driver.c\"\n"
                           "# 1 \"/undis/wdk/ndis.h\" 1\nlong a = 1L;\n"
                           "# 2 \"driver.c\" 2\n"
                           "# 1 \"/usr/include/string.h\" 1 3 4\nlong a = 1L;\n"
                           "# 3 \"driver.c\" 2\n";
  EXPECT_EQ(rewritten(text + "long b;\n"), text + "int  b;\n");
}

TEST_F(MakingLongThirtyTwoBitsWide, ChangesADriversHeadersHoweverTheyWereFound) {
  EXPECT_EQ(rewritten("# 1 \"/driver/sdk/x.h\" 1 3\nlong a;\n"), "# 1 \"/driver/sdk/x.h\" 1 3\nint  a;\n");
  EXPECT_EQ(rewritten("# 1 \"inc/x.h\" 1\nlong a;\n"), "# 1 \"inc/x.h\" 1\nint  a;\n");
  EXPECT_EQ(rewritten("# 1 \"incomplete/x.h\" 1 3\nlong a;\n"), "# 1 \"incomplete/x.h\" 1 3\nlong a;\n");
}

TEST_F(MakingLongThirtyTwoBitsWide, ChangesAMacroOfASystemHeaderThatADriverUses) {
  const std::string text = "# 1 \"d.c\"\nx = \n# 1 \"d.c\" 3 4\n5L\n# 1 \"d.c\"\n;\n";
  EXPECT_EQ(rewritten(text), "# 1 \"d.c\"\nx = \n# 1 \"d.c\" 3 4\n5 \n# 1 \"d.c\"\n;\n");
}

TEST_F(MakingLongThirtyTwoBitsWide, ReadsNamesWithQuotesAndBackslashesInMarkers) {
  EXPECT_EQ(rewritten("# 1 \"/undis/wdk/a\\\"b.h\" 1\nlong a;\n"),
            "# 1 \"/undis/wdk/a\\\"b.h\" 1\nlong a;\n");
}

TEST_F(MakingLongThirtyTwoBitsWide, SurvivesTextThatEndsEarly) {
  for (const std::string_view text :
       {"", "\"abc", "'", "/* abc", "R\"(abc", "R\"", "# 1 \"abc", "#", "5", "\"\\", "// x", "0x"}) {
    EXPECT_EQ(rewritten(text), text);
  }
}

TEST_F(MakingLongThirtyTwoBitsWide, TakesADriversOwnCharForThatOfTheHeaders) {
  EXPECT_EQ(words("typedef signed char CHAR;"), "typedef char CHAR;");
  EXPECT_EQ(words("typedef signed char\tCHAR;"), "typedef char\tCHAR;");
  EXPECT_EQ(words("typedef signed char SCHAR;"), "typedef signed char SCHAR;");
  EXPECT_EQ(words("typedef signed char* CHAR;"), "typedef signed char* CHAR;");
  EXPECT_EQ(words("typedef unsigned char CHAR;"), "typedef unsigned char CHAR;");
  EXPECT_EQ(words("signed x; char CHAR;"), "signed x; char CHAR;");
  EXPECT_EQ(rewritten("typedef signed char CHAR;").size(),
            std::string_view("typedef signed char CHAR;").size());
}

TEST_F(MakingLongThirtyTwoBitsWide, TakesACastForAnLvalue) {
  EXPECT_EQ(words("case 1: (int)A = -((int)A);"), "case 1: A =(int) -((int)A);");
  EXPECT_EQ(words("{ (unsigned char*)p = q; }"), "{ p =(unsigned char*) q; }");
  EXPECT_EQ(words("; (void)f(x);"), "; (void)f(x);");
  EXPECT_EQ(words("; (A) = 3;"), "; (A) = 3;");
  EXPECT_EQ(words("x = (int)A == 3;"), "x = (int)A == 3;");
  EXPECT_EQ(words("if (y) (int)A == 3;"), "if (y) (int)A == 3;");
}

}  // namespace
}  // namespace undis::cli
