// SPDX-License-Identifier: MIT
#include "lab/symbols.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/image.h"

namespace undis::lab {
namespace {

using testing::HasSubstr;

TEST(LookingUpAnAddress, FindsAFunctionOfADriver) {
  const auto image = loader::Image::open(COUNTING_IMAGE);
  ASSERT_TRUE(image) << image.error();
  Symbols symbols;
  const Symbol& symbol = symbols.lookup((*image)->entry().target, true);
  EXPECT_EQ(symbol.function, "DriverEntry");
  EXPECT_EQ(symbol.module, "counting");
}

TEST(LookingUpAnAddress, FindsItInASecondCopyOfTheFileToo) {
  const auto one = loader::Image::open(COUNTING_IMAGE);
  const auto two = loader::Image::open(COUNTING_IMAGE);
  ASSERT_TRUE(one && two);
  Symbols symbols;
  EXPECT_EQ(symbols.lookup((*two)->entry().target, true).function, "DriverEntry");
  EXPECT_EQ(symbols.lookup((*two)->entry().target, true).module, "counting");
}

TEST(LookingUpAnAddress, FindsTheHostsOwnFunctions) {
  Symbols symbols;
  EXPECT_THAT(symbols.lookup(reinterpret_cast<const void*>(&text_of), true).function,
              HasSubstr("undis::lab::text_of"));
}

TEST(LookingUpAnAddress, TakesTheCallBeforeAReturnAddress) {
  const auto image = loader::Image::open(COUNTING_IMAGE);
  ASSERT_TRUE(image);
  const auto entry = reinterpret_cast<std::uintptr_t>((*image)->entry().target);
  Symbols symbols;
  EXPECT_EQ(symbols.lookup(reinterpret_cast<const void*>(entry + 1)).function, "DriverEntry");
  EXPECT_NE(symbols.lookup(reinterpret_cast<const void*>(entry)).function, "DriverEntry");
}

TEST(LookingUpAnAddress, SaysWhereItIsWhenItHasNoName) {
  Symbols symbols;
  EXPECT_EQ(text_of(symbols.lookup(nullptr)), "?+0x0");
  EXPECT_EQ(text_of(symbols.lookup(reinterpret_cast<const void*>(0x10))), "?+0x10");
}

TEST(LookingUpAStack, LeavesOutWhatIsUnderTheDrivers) {
  const auto image = loader::Image::open(COUNTING_IMAGE);
  ASSERT_TRUE(image);
  const auto after_first_byte = [](const void* function) {
    return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(function) + 1);
  };
  kernel::Stack stack;
  stack.frames[0] = after_first_byte(::dlsym(RTLD_DEFAULT, "NdisMSleep"));
  stack.frames[1] = after_first_byte((*image)->entry().target);
  stack.frames[2] = after_first_byte(reinterpret_cast<const void*>(&kernel::current_driver));
  stack.count = 3;
  Symbols symbols;
  const auto lines = symbols.driver_lines(stack);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], testing::StartsWith("NdisMSleep"));
  EXPECT_THAT(lines[1], testing::StartsWith("DriverEntry"));

  stack.frames[0] = stack.frames[2];
  stack.count = 1;
  EXPECT_EQ(symbols.driver_lines(stack).size(), 1U);
}

TEST(AStackLine, IsReadAsItWasWritten) {
  Symbol symbol;
  symbol.function = "operator()(int) const";
  symbol.file = "a dir/x(1).c";
  symbol.line = 12;
  symbol.module = "drv";
  std::string file;
  std::uint32_t line = 0;
  ASSERT_TRUE(source_of(text_of(symbol), file, line));
  EXPECT_EQ(line, 12U);
  EXPECT_EQ(file, "a dir/x(1).c");
}

TEST(AStackLine, PointsNowhereWithoutALine) {
  std::string file;
  std::uint32_t line = 0;
  for (const char* text : {"drv+0x10", "f in drv", "f (x.c) in drv", "f (x.c:) in drv", ""}) {
    EXPECT_FALSE(source_of(text, file, line)) << text;
  }
}

}  // namespace
}  // namespace undis::lab
