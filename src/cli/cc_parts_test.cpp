// SPDX-License-Identifier: MIT
//
// The parts of `undis cc` that run no compiler: its command line, a linker's messages, the help with
// includes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/cc.h"
#include "cli/cc_includes.h"
#include "cli/cc_link.h"
#include "cli/cc_options.h"
#include "cli/process.h"

namespace fs = std::filesystem;

namespace undis::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string complaint_about(const std::vector<std::string>& words) {
  try {
    parse_cc_options(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

// ---- the command line ----

TEST(ReadingACompilersCommandLine, SortsTheWordsByTheStepTheyBelongTo) {
  const CcOptions options =
      parse_cc_options({"-c", "-O2", "-Iinc", "-I", "..\\other", "-DX=1", "-D", "Y", "-Wall", "-g", "a.c",
                        "b.cpp", "c.o", "-L/l", "-lx", "-Wl,-z,now"});
  EXPECT_EQ(options.goal, CcGoal::Object);
  EXPECT_THAT(options.preprocessor, ElementsAre("-I", "inc", "-I", "../other", "-DX=1", "-DY"));
  EXPECT_THAT(options.common, ElementsAre("-O2", "-Wall", "-g"));
  EXPECT_THAT(options.link, ElementsAre("c.o", "-L", "/l", "-l", "x", "-Wl,-z,now"));
  EXPECT_THAT(options.include_dirs, ElementsAre("inc", "../other"));
  ASSERT_EQ(options.sources.size(), 2U);
  EXPECT_EQ(options.sources[0].language, Language::C);
  EXPECT_EQ(options.sources[1].language, Language::Cxx);
  EXPECT_TRUE(options.defines("X"));
  EXPECT_TRUE(options.defines("Y"));
  EXPECT_FALSE(options.defines("Z"));
}

TEST(ReadingACompilersCommandLine, KnowsSourcesInWhateverCase) {
  const CcOptions options = parse_cc_options({"A.C", "B.CPP", "-x", "c", "odd.inc"});
  EXPECT_EQ(options.sources[0].language, Language::Cxx);  // as gcc has it
  EXPECT_EQ(options.sources[1].language, Language::Cxx);
  EXPECT_EQ(options.sources[2].language, Language::C);
}

TEST(ReadingACompilersCommandLine, SaysWhyAnInputIsNone) {
  EXPECT_THAT(complaint_about({"mux.rc"}), HasSubstr("resource script"));
  EXPECT_THAT(complaint_about({"msg.mc"}), HasSubstr("message compiler"));
  EXPECT_THAT(complaint_about({"ndis.lib"}), HasSubstr("not needed"));
  EXPECT_THAT(complaint_about({"driver.sys"}), HasSubstr("a Windows image"));
  EXPECT_THAT(complaint_about({"x.asm"}), HasSubstr("MASM"));
  EXPECT_THAT(complaint_about({"x.h"}), HasSubstr("a header"));
  EXPECT_THAT(complaint_about({"x.txt"}), HasSubstr("expected .c .cpp"));
  EXPECT_THAT(complaint_about({}), HasSubstr("no sources"));
  EXPECT_THAT(complaint_about({"-c", "a.o"}), HasSubstr("no sources"));
}

TEST(ReadingACompilersCommandLine, SaysWhatIsWrongWithAnOption) {
  EXPECT_THAT(complaint_about({"a.c", "-o"}), HasSubstr("-o: an argument was expected"));
  EXPECT_THAT(complaint_about({"-c", "a.c", "b.c", "-o", "x.o"}), HasSubstr("there are 2 sources"));
  EXPECT_THAT(complaint_about({"a.c", "--nothing"}), HasSubstr("no option of undis cc"));
  EXPECT_THAT(complaint_about({"a.c", "-m32"}), HasSubstr("x86-64"));
  EXPECT_THAT(complaint_about({"a.c", "-x", "ada"}), HasSubstr("expected c, c++"));
}

// ---- a linker's messages ----

TEST(ReadingALinkersMessages, NamesEachMissingFunctionOnceWithItsFirstPlace) {
  const std::string messages =
      "/usr/bin/ld: /tmp/a.o: in function `DriverEntry':\n"
      "/src/a.c:12: undefined reference to `NdisFoo'\n"
      "/usr/bin/ld: /src/a.c:14: undefined reference to `NdisFoo'\n"
      "/usr/bin/ld: /tmp/b.o: b.c:(.text+0x15): undefined reference to `operator delete(void*)'\n"
      "/usr/bin/ld: /tmp/a.o:a.c:30: more undefined references to `NdisFoo' follow\n"
      "collect2: error: ld returned 1 exit status\n";
  const auto missing = missing_functions(messages);
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_EQ(missing[0].name, "NdisFoo");
  EXPECT_EQ(missing[0].where, "/src/a.c:12");
  EXPECT_EQ(missing[1].name, "operator delete(void*)");
  EXPECT_EQ(missing[1].where, "b.c");
  EXPECT_EQ(other_messages(messages), "");
}

TEST(ReadingALinkersMessages, ReadsLldToo) {
  const auto missing = missing_functions("ld.lld: error: undefined symbol: NdisFoo\n>>> referenced by a.c:12 "
                                         "(/src/a.c:12)\n>>>               /tmp/a.o:(DriverEntry)\n");
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].name, "NdisFoo");
  EXPECT_EQ(missing[0].where, "a.c:12");
}

TEST(ReadingALinkersMessages, KeepsWhatItDoesNotKnow) {
  EXPECT_EQ(other_messages("ld: cannot find -lx: No such file\ncollect2: error: ld returned 1 exit status\n"),
            "ld: cannot find -lx: No such file\n");
}

// ---- includes ----

class HelpingWithIncludes : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    const fs::path file = fs::path(temporary.path()) / "src" / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }
  std::string source(const std::string& name) { return (fs::path(temporary.path()) / "src" / name).string(); }

  IncludeHelp help(const std::vector<std::string>& include_dirs = {}) {
    return IncludeHelp({{}, include_dirs, source("wdk"), {"DEBUGP"}}, fs::path(temporary.path()) / "made");
  }
  static std::string made(const IncludeHelp& help, const std::string& name) {
    std::ifstream file(help.include_dir() / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  TemporaryDirectory temporary;
};

TEST_F(HelpingWithIncludes, ForwardsANameInAnotherCase) {
  write("inc/Common.h", "");
  IncludeHelp helped = help({source("inc")});
  helped.scan(write("a.c", "#include \"COMMON.H\"\n  #  include <common.h>\n"));
  EXPECT_EQ(made(helped, "COMMON.H"), "#include \"" + source("inc/Common.h") + "\"\n");
  EXPECT_EQ(made(helped, "common.h"), "#include \"" + source("inc/Common.h") + "\"\n");
}

TEST_F(HelpingWithIncludes, ForwardsBackslashes) {
  write("inc/deep/x.h", "");
  IncludeHelp helped = help();
  helped.scan(write("drv/a.c", "#include \"..\\Inc\\Deep\\X.h\"\n"));
  const std::string expected = "#include \"" + source("inc/deep/x.h") + "\"\n";
  EXPECT_EQ(made(helped, "..\\Inc\\Deep\\X.h"), expected);
  EXPECT_EQ(made(helped, "../Inc/Deep/X.h"), expected);
}

TEST_F(HelpingWithIncludes, LeavesWhatTheCompilerFinds) {
  write("common.h", "");
  IncludeHelp helped = help();
  helped.scan(write("a.c", "#include \"common.h\"\n"));
  EXPECT_TRUE(fs::is_empty(helped.include_dir()));
}

TEST_F(HelpingWithIncludes, ReadsTheHeadersOfTheDriverAndNotThoseOfUndis) {
  write("one.h", "#include \"TWO.H\"\n");
  write("two.h", "");
  write("wdk/Ndis.h", "#include \"NEVER.h\"\n");
  write("never.h", "");
  IncludeHelp helped = help();
  helped.scan(write("a.c", "#include \"one.h\"\n#include <NDIS.h>\n"));
  EXPECT_NE(made(helped, "TWO.H"), "");
  EXPECT_EQ(made(helped, "NDIS.h"), "#include <Ndis.h>\n");
  EXPECT_EQ(made(helped, "NEVER.h"), "");
}

TEST_F(HelpingWithIncludes, MakesTraceHeadersThatDoNothing) {
  IncludeHelp helped = help();
  helped.scan(write(
      "a.c", "#include \"a.tmh\"\n// begin_wpp config\n// FUNC MyTrace(LEVEL, MSG, ...);\n// end_wpp\n"));
  for (const char* function :
       {"WPP_INIT_TRACING", "WPP_CLEANUP", "DoTraceMessage", "TraceEvents", "DEBUGP", "MyTrace"}) {
    EXPECT_THAT(made(helped, "a.tmh"), HasSubstr(std::string("#define ") + function + "(...)"));
  }
}

TEST_F(HelpingWithIncludes, KeepsATraceHeaderThatIsThere) {
  write("a.tmh", "real\n");
  IncludeHelp helped = help();
  helped.scan(write("a.c", "#include \"a.tmh\"\n"));
  EXPECT_EQ(made(helped, "a.tmh"), "");
}

TEST_F(HelpingWithIncludes, SaysWhichToolMakesAMissingHeader) {
  write("events.mc", "");
  IncludeHelp helped = help();
  helped.scan(write("a.c", "#include \"events.h\"\n"));
  EXPECT_THAT(helped.hints(), Contains(HasSubstr("windmc")));
}

TEST_F(HelpingWithIncludes, SaysWhenANameMeansTwoFiles) {
  write("one/common.h", "");
  write("two/common.h", "");
  IncludeHelp helped = help();
  helped.scan(write("one/a.c", "#include \"Common.h\"\n"));
  EXPECT_THAT(helped.hints(), Not(Contains(HasSubstr("ambiguous"))));
  helped.scan(write("two/b.c", "#include \"Common.h\"\n"));
  EXPECT_THAT(helped.hints(), Contains(HasSubstr("ambiguous")));
}

}  // namespace
}  // namespace undis::cli
