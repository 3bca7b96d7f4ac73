// SPDX-License-Identifier: MIT
//
// `undis cc` as it is used: sources in a directory, the command, what comes out. Runs the host's compilers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/process.h"
#include "kernel/sanitizer.h"
#include "lab/symbols.h"
#include "loader/ddi_status.h"
#include "loader/elf_file.h"
#include "loader/image.h"

namespace fs = std::filesystem;

namespace undis::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Outcome {
  int exit_code;
  std::string text;  ///< both outputs
};

/// A driver that needs nothing of undis' library.
constexpr const char* kDriver = "#include <wdm.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING p) "
                                "{ return d == 0 && p == 0; }\n";

/// Run with each compiler that is there.
class BuildingADriver : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::system((std::string("command -v ") + GetParam() + " >/dev/null 2>&1").c_str()) != 0) {
      GTEST_SKIP() << GetParam() << " is not installed";
    }
  }

  std::string path(const std::string& name) const { return temporary.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  Outcome cc(const std::string& words) const {
    const std::string command = "cd '" + temporary.path() + "' && UNDIS_CC=" + GetParam() + " " +
                                UNDIS_COMMAND + " cc " + words + " 2>&1";
    std::FILE* const output = ::popen(command.c_str(), "r");
    Outcome outcome{0, {}};
    std::array<char, 4096> block{};
    for (std::size_t got = 0; (got = std::fread(block.data(), 1, block.size(), output)) > 0;)
      outcome.text.append(block.data(), got);
    outcome.exit_code = WEXITSTATUS(::pclose(output));
    return outcome;
  }
  void expect_builds(const std::string& words) const {
    const Outcome outcome = cc(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
    EXPECT_EQ(outcome.text, "");
  }

  TemporaryDirectory temporary;
};

TEST_P(BuildingADriver, MakesAnImageThatLoads) {
  write("a.c", kDriver);
  expect_builds("-Wall -o a.so a.c");
  const auto image = loader::Image::open(path("a.so"));
  ASSERT_TRUE(image) << image.error();
  EXPECT_EQ((*image)->entry()(nullptr, nullptr), 1);
}

TEST_P(BuildingADriver, NamesTheImageAfterTheFirstSource) {
  write("first.c", kDriver);
  write("second.c", "int second;\n");
  expect_builds("first.c second.c");
  EXPECT_TRUE(fs::exists(path("first.so")));
}

TEST_P(BuildingADriver, CompilesAsWindowsWould) {
  write("a.c",
        std::string(kDriver) +
            "#include <string.h>\n"
            "_Static_assert(sizeof(long) == 4 && sizeof(unsigned long int) == 4 && sizeof(1UL) == 4, \"\");\n"
            "_Static_assert(sizeof(long long) == 8 && sizeof(1LL) == 8 && sizeof(size_t) == 8, \"\");\n"
            "_Static_assert(sizeof(L'x') == 2 && sizeof(L\"ab\") == 6 && sizeof(WCHAR) == 2, \"\");\n"
            "struct bits { unsigned char a : 4; unsigned int b : 4; };\n"
            "_Static_assert(sizeof(struct bits) == 8, \"Microsoft's bit-fields\");\n"
            "#if defined(__linux__) || defined(linux) || !defined(_WIN64) || !defined(_AMD64_)\n#error "
            "host\n#endif\n"
            "int failed(NTSTATUS s) { return s == 0xC0000001L; }\n"
            "__inline int left_behind(void) { return 1; }\nint uses(void) { return left_behind(); }\n");
  expect_builds("-o a.so a.c");
}

TEST_P(BuildingADriver, CompilesCxx) {
  write("a.cpp", "#include <wdm.h>\nstatic_assert(sizeof(long) == 4 && sizeof(1UL) == 4);\n"
                 "struct Shape { virtual int sides() = 0; };\nstruct Square : Shape { int sides() override { "
                 "return 4; } };\n"
                 "extern \"C\" NTSTATUS DriverEntry(PDRIVER_OBJECT, PUNICODE_STRING) { static Square s; "
                 "Shape& shape = s; return shape.sides(); }\n");
  expect_builds("-O0 -o a.so a.cpp");
  const auto image = loader::Image::open(path("a.so"));
  ASSERT_TRUE(image) << image.error();
  EXPECT_EQ((*image)->entry()(nullptr, nullptr), 4);
}

TEST_P(BuildingADriver, ExportsTheEntryPointAlone) {
  write("a.c", std::string(kDriver) + "int global_of_every_driver;\nint Other(void) { return 1; }\n");
  expect_builds("-o a.so a.c");
  const auto image = loader::Image::open(path("a.so"));
  ASSERT_TRUE(image) << image.error();
  EXPECT_EQ(std::system(
                ("nm -D --defined-only '" + path("a.so") + "' | grep -v DriverEntry | grep -q .").c_str()) >>
                8,
            1);
}

TEST_P(BuildingADriver, KeepsLinesForTheDebugger) {
  write("a.c", "#include <wdm.h>\n#define TWO long a; \\\n  long b;\nTWO\n\nNTSTATUS "
               "DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING p)\n{ return d == 0 && p == 0; }\n");
  expect_builds("-o a.so a.c");
  const auto image = loader::Image::open(path("a.so"));
  ASSERT_TRUE(image) << image.error();
  lab::Symbols symbols;
  const lab::Symbol& symbol = symbols.lookup((*image)->entry().target, true);
  EXPECT_EQ(symbol.function, "DriverEntry");
  EXPECT_THAT(symbol.file, HasSubstr("a.c"));
  EXPECT_THAT(symbol.line, testing::AnyOf(6, 7));
}

TEST_P(BuildingADriver, PutsErrorsOnTheLinesOfTheSource) {
  write("a.c", std::string(kDriver) + "\nlong f(void) { return nothing; }\n");
  const Outcome outcome = cc("-o a.so a.c");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("a.c:4:"));
  EXPECT_FALSE(fs::exists(path("a.so")));
}

TEST_P(BuildingADriver, FindsIncludesAsWindowsDoes) {
  write("inc/Common.h", "typedef long common_t;\n");
  write("src/a.c", std::string("#include <NDIS.h>\n#include \"..\\INC\\common.h\"\n#include \"a.tmh\"\n") +
                       kDriver +
                       "common_t value = 1;\nvoid f(void) { DoTraceMessage(1, \"x\"); WPP_CLEANUP(0); }\n");
  expect_builds("-DNDIS630=1 -o a.so src/a.c");
}

TEST_P(BuildingADriver, NamesAFunctionThatUndisLacks) {
  write("a.c",
        "#include <ndis.h>\nextern void NdisCoSendPackets();\nextern void OfNobody(void);\nNTSTATUS "
        "DriverEntry(PDRIVER_OBJECT d, "
        "PUNICODE_STRING p)\n{\n  OfNobody();\n  NdisCoSendPackets();\n  return d == 0 && p == 0;\n}\n");
  const Outcome outcome = cc("-DNDIS630=1 -DUNDIS_TEST -o a.so a.c");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("a.c:7: " + loader::why_missing("NdisCoSendPackets")), HasSubstr("status none"),
                    HasSubstr("a.c:6: OfNobody"), HasSubstr("a.so was not made")));
}

TEST_P(BuildingADriver, RefusesFunctionsOfTheHostByName) {
  if (UNDIS_ADDRESS_SANITIZER)
    GTEST_SKIP() << "the sanitizer has malloc and printf of its own in every image";
  write("a.c", std::string("#include <ndis.h>\nextern int printf(const char*, ...);\nextern int "
                           "getpid(void);\nvoid* keep;\n") +
                   kDriver + "void f(void) { keep = malloc(4); printf(\"%p\", keep); getpid(); }\n");
  const Outcome outcome = cc("-DNDIS630=1 -fno-builtin -o a.so a.c");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("malloc is the host's, not the kernel's: use ExAllocatePool2"),
                                  HasSubstr("printf is the host's, not the kernel's: use DbgPrintEx"),
                                  HasSubstr("getpid is the host's: NT's kernel has no function of this name"),
                                  HasSubstr("a.so was not made")));
  EXPECT_FALSE(fs::exists(path("a.so")));
}

TEST_P(BuildingADriver, TakesAPrototypeWhosePointersDiffer) {
  write("a.h", "typedef struct _T { int value; } T;\nint Use(\n    void* Context,\n    int Number);\n");
  write("a.c", std::string("#include <ndis.h>\n#include \"a.h\"\n") + kDriver +
                   "int Use(T* Context, int Number) { return Context->value + Number; }\nint f(T* t) { "
                   "return Use(t, 1); }\n");
  const Outcome outcome = cc("-DNDIS630=1 -o a.so a.c");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_THAT(outcome.text,
              HasSubstr("warning: Use is declared with other parameter types than it is defined with"));
  write("b.c", std::string("#include <ndis.h>\nint Use(void* Context);\n") + kDriver +
                   "char* Use(void* Context) { return Context; }\n");
  EXPECT_EQ(cc("-DNDIS630=1 -o b.so b.c").exit_code, 1) << "another type altogether";
}

TEST_P(BuildingADriver, AllowsWhatTheKernelHasToo) {
  write("a.c",
        std::string("#include <ndis.h>\nchar text[20]; int number;\n") + kDriver +
            "static int order(const void* a, const void* b) { return *(const char*)a - *(const char*)b; }\n"
            "void f(const char* s) { strcpy(text, s); number = atoi(s) + (int)strlen(s) + isdigit(*s); "
            "qsort(text, 4, 1, order); }\n");
  expect_builds("-DNDIS630=1 -fno-builtin -o a.so a.c");
}

TEST_P(BuildingADriver, RefusesAFunctionWithoutADeclaration) {
  write("a.c", "#include <wdm.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING p) { Undeclared(); "
               "return d == 0 && p == 0; }\n");
  const Outcome outcome = cc("-o a.so a.c");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("Undeclared"));
}

TEST_P(BuildingADriver, RefusesAnImageWithoutAnEntryPoint) {
  write("a.c", "int nothing;\n");
  const Outcome outcome = cc("-o a.so a.c");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("neither DriverEntry nor GsDriverEntry"));
  EXPECT_FALSE(fs::exists(path("a.so")));
}

TEST_P(BuildingADriver, CompilesAndLinksInSteps) {
  write("a.c", std::string(kDriver) + "int other(void);\nint use(void) { return other(); }\n");
  write("b.c", "int other(void) { return 2; }\n");
  expect_builds("-c a.c b.c");
  expect_builds("-o a.so a.o b.o");
  EXPECT_TRUE(loader::inspect(path("a.so")));
}

TEST_P(BuildingADriver, WritesWhatASourceIncludesWithoutItsOwnTemporaries) {
  write("Common.h", "\n");
  write("a.c", "#include \"common.h\"\n#include \"a.tmh\"\n");
  expect_builds("-c -MD -MP -MF a.d -o out.o a.c");
  const std::string rules = read("a.d");
  EXPECT_THAT(rules, AllOf(testing::StartsWith("out.o:"), HasSubstr("a.c"), HasSubstr("Common.h"),
                           HasSubstr("undis_prelude.h"), Not(HasSubstr("tmh")), Not(HasSubstr(".include/"))));
}

TEST_P(BuildingADriver, StopsWhereItIsTold) {
  write("a.c", "#define VALUE 5L\nlong a = VALUE;\n");
  EXPECT_THAT(cc("-E a.c").text, HasSubstr("int  a = 5 ;"));
  expect_builds("-S a.c");
  EXPECT_THAT(read("a.s"), HasSubstr("a:"));
  expect_builds("-fsyntax-only a.c");
}

TEST_P(BuildingADriver, ShowsItsCommandsAndFlags) {
  write("a.c", kDriver);
  const Outcome dry = cc("--dry-run -o a.so a.c");
  EXPECT_EQ(dry.exit_code, 0);
  EXPECT_THAT(dry.text, AllOf(HasSubstr("-E"), HasSubstr("-shared"), HasSubstr("-fshort-wchar")));
  EXPECT_FALSE(fs::exists(path("a.so")));
  EXPECT_THAT(cc("--print-flags").text, HasSubstr("-mms-bitfields"));
  EXPECT_THAT(cc("--help").text, HasSubstr("Usage: undis cc"));
}

/// Reads and writes of every kind that a compiler has a call for.
constexpr const char* kToucher = R"(#include <ntddk.h>
typedef struct { LONG a[40]; } LARGE;
static LARGE One, Other;
static volatile LONG64 Word;
static SHORT Odd;
NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING p) {
  UNREFERENCED_PARAMETER(p);
  Other = One;
  RtlCopyMemory(&One, d, sizeof(LARGE));
  RtlZeroMemory(&One, (SIZE_T)One.a[3]);
  InterlockedIncrement(&One.a[0]);
  InterlockedExchange64(&Word, 3);
  InterlockedOr(&One.a[1], 2);
  InterlockedCompareExchange(&One.a[2], 1, 0);
  *(UNALIGNED LONG*)((char*)&One + 1) = Odd++;
  return RtlCompareMemory(&One, &Other, 5) == 5 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
)";

TEST_P(BuildingADriver, TellsOfItsReadsAndWritesIfAsked) {
  write("a.c", kToucher);
  expect_builds("--memory -O2 -o a.so a.c");
  expect_builds("--memory -O0 -c -o a.o a.c");
  expect_builds("--memory -o b.so a.o");
  for (const char* name : {"a.so", "b.so"}) {
    const auto image = loader::inspect(path(name));
    ASSERT_TRUE(image) << image.error();
    EXPECT_THAT(image->undefined, testing::Contains("undis_touched"));
    EXPECT_THAT(image->undefined, Not(testing::Contains(testing::StartsWith("__tsan"))));
  }
  expect_builds("-o plain.so a.c");
  EXPECT_THAT(loader::inspect(path("plain.so"))->undefined, Not(testing::Contains("undis_touched")));
  const Outcome both = cc("--memory -fsanitize=address -o c.so a.c");
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.text, HasSubstr("--memory and -fsanitize=address"));
  expect_builds("-c -o plain.o a.c");
  EXPECT_THAT(cc("--memory -o d.so plain.o").text, HasSubstr("plain.o: was not built with --memory"));
}

TEST_P(BuildingADriver, SaysWhatIsWrongWithItsCommandLine) {
  EXPECT_THAT(cc("none.c").text, HasSubstr("none.c: no such file"));
  EXPECT_EQ(cc("none.c").exit_code, 2);
  write("a.c", kDriver);
  const Outcome outcome = cc("--compiler no-such-compiler a.c");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.text, HasSubstr("the compiler no-such-compiler could not be run"));
}

INSTANTIATE_TEST_SUITE_P(With, BuildingADriver, testing::Values("gcc", "clang"),
                         [](const auto& compiler) { return std::string(compiler.param); });

}  // namespace
}  // namespace undis::cli
