// SPDX-License-Identifier: MIT
//
// The images are built from test_images/ beside this file.
#include "loader/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "loader/ddi_status.h"

namespace fs = std::filesystem;

namespace undis::loader {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class ADriverImage : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(directory); }
  void TearDown() override { fs::remove_all(directory); }

  static std::unique_ptr<Image> load(const std::string& path) {
    auto image = Image::open(path);
    EXPECT_TRUE(image) << image.error();
    return image ? std::move(*image) : nullptr;
  }
  static std::string why_refused(const std::string& path) {
    const auto image = Image::open(path);
    EXPECT_FALSE(image) << path;
    return image ? std::string() : image.error();
  }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(directory / name, std::ios::binary) << content;
    return directory / name;
  }

  fs::path directory = fs::path(testing::TempDir()) / ("undis-image-" + std::to_string(::getpid()));
};

TEST_F(ADriverImage, IsCalledAtItsEntryPoint) {
  const auto image = load(COUNTING_IMAGE);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->name(), "counting");
  EXPECT_TRUE(image->range().holds(image->entry().target));
  EXPECT_EQ(image->entry()(nullptr, nullptr), 41111);
}

TEST_F(ADriverImage, FindsAllItsDataAsNewAfterAReset) {
  const auto image = load(COUNTING_IMAGE);
  ASSERT_NE(image, nullptr);
  for (int round = 0; round < 1000; ++round) {
    ASSERT_EQ(image->entry()(nullptr, nullptr), 41111);
    ASSERT_NE(image->entry()(nullptr, nullptr), 41111);
    image->reset();
  }
}

TEST_F(ADriverImage, KeepsWhatItsConstructorsMadeAcrossAReset) {
  const auto image = load(CONSTRUCTED_IMAGE);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->entry()(nullptr, nullptr), 1012);  // through GsDriverEntry; the constructor has run once
  EXPECT_EQ(image->entry()(nullptr, nullptr), 1013);
  image->reset();
  EXPECT_EQ(image->entry()(nullptr, nullptr), 1012);
}

TEST_F(ADriverImage, HasDataOfItsOwnWhenTheFileIsOpenedTwice) {
  const auto one = load(COUNTING_IMAGE);
  const auto two = load(COUNTING_IMAGE);
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  EXPECT_FALSE(one->range().holds(two->entry().target));
  EXPECT_EQ(one->entry()(nullptr, nullptr), 41111);
  EXPECT_EQ(two->entry()(nullptr, nullptr), 41111);
  EXPECT_EQ(image_at(one->entry().target).path, image_at(two->entry().target).path);
  EXPECT_EQ(image_at(two->entry().target).begin, two->range().begin);
}

TEST_F(ADriverImage, IsKnownByAddressOnlyWhileItIsOpen) {
  auto image = load(COUNTING_IMAGE);
  ASSERT_NE(image, nullptr);
  const void* const inside = image->entry().target;
  EXPECT_THAT(image_at(inside).path, HasSubstr("counting"));
  EXPECT_EQ(image_at(&image).path, "");
  image.reset();
  EXPECT_EQ(image_at(inside).path, "");
}

TEST_F(ADriverImage, CanBeOpenedAgainAfterItWasClosed) {
  load(COUNTING_IMAGE);
  const auto image = load(COUNTING_IMAGE);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->entry()(nullptr, nullptr), 41111);
}

TEST_F(ADriverImage, IsRefusedWhenThereIsNoSuchFile) {
  EXPECT_THAT(why_refused(directory / "none.so"),
              AllOf(HasSubstr("none.so"), HasSubstr("no such file"), HasSubstr("expected a driver image")));
}

TEST_F(ADriverImage, IsRefusedWhenItIsADirectoryOrADevice) {
  EXPECT_THAT(why_refused(directory), AllOf(HasSubstr("a directory"), HasSubstr("expected a driver image")));
  EXPECT_THAT(why_refused("/dev/null"), HasSubstr("not a regular file"));
  const std::string fifo = directory / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(why_refused(fifo), HasSubstr("not a regular file"));
}

TEST_F(ADriverImage, IsRefusedWhenItIsNoElfFile) {
  EXPECT_THAT(why_refused(write("empty.so", "")), HasSubstr("an empty file"));
  EXPECT_THAT(why_refused(write("text.so", "int DriverEntry;\n")), HasSubstr("not an ELF file"));
  EXPECT_THAT(why_refused(write("lib.a", "!<arch>\n")), HasSubstr("a static library"));
  EXPECT_THAT(why_refused("/proc/self/exe"), HasSubstr("an executable"));
}

TEST_F(ADriverImage, IsRefusedWhenItIsAWindowsImageWithTheWayOut) {
  EXPECT_THAT(why_refused(write("driver.sys", "MZ\x90")),
              AllOf(HasSubstr("a Windows image"), HasSubstr("cannot be loaded yet"), HasSubstr("undis cc")));
}

TEST_F(ADriverImage, IsRefusedWhenItIsForAnotherMachine) {
  std::string content = read(COUNTING_IMAGE);
  content[18] = '\xb7';  // e_machine: AArch64
  EXPECT_THAT(why_refused(write("arm.so", content)),
              AllOf(HasSubstr("machine 183"), HasSubstr("expected 64 bits for x86-64")));
}

TEST_F(ADriverImage, IsRefusedWhereverItIsCutOff) {
  const std::string content = read(COUNTING_IMAGE);
  for (std::size_t length = 4; length < content.size(); length += length < 128 ? 1 : 61) {
    ASSERT_THAT(why_refused(write("cut.so", content.substr(0, length))), HasSubstr("truncated")) << length;
  }
}

TEST_F(ADriverImage, IsRefusedWhenItExportsNoEntryPoint) {
  EXPECT_THAT(why_refused(NO_ENTRY_IMAGE), AllOf(HasSubstr("DriverEntry"), HasSubstr("GsDriverEntry")));
}

TEST_F(ADriverImage, NamesEveryFunctionThatIsMissingWithItsRow) {
  EXPECT_THAT(why_refused(WANTING_IMAGE), AllOf(HasSubstr(why_missing("NdisCoSendPackets")),
                                                HasSubstr("wanting"), HasSubstr("docs/ddi.md: status none")));
}

}  // namespace
}  // namespace undis::loader
