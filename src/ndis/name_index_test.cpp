// SPDX-License-Identifier: MIT
//
// Whoever has a device name is found by it, however it is written and however many there are.
#include "ndis/name_index.h"

#include <list>
#include <string>

#include <gtest/gtest.h>

#include "lab/world.h"

namespace undis::test {
namespace {

class Street;

struct House : NamedIn<Street> {
  explicit House(std::u16string_view name) : name_(name) {}
  const std::u16string& device_name() const noexcept { return name_; }

 private:
  const std::u16string name_;
};

class ANameIndex : public ::testing::Test {
 protected:
  NameIndex<House, Street> index;
};

TEST_F(ANameIndex, FindsANameHoweverItIsWritten) {
  House nic(u"\\Device\\{Nic0}");
  House other(u"\\Device\\{nic1}");
  EXPECT_TRUE(index.add(nic));
  EXPECT_TRUE(index.add(other));
  EXPECT_EQ(index.find(u"\\Device\\{Nic0}"), &nic);
  EXPECT_EQ(index.find(u"\\DEVICE\\{NIC0}"), &nic);
  EXPECT_EQ(index.find(u"\\device\\{NIC1}"), &other);
  EXPECT_EQ(index.find(u"\\Device\\{nic"), nullptr);
  EXPECT_EQ(index.find(u""), nullptr);
  index.remove(nic);
  index.remove(other);
}

TEST_F(ANameIndex, KnowsLettersOutsideAscii) {
  House nic(u"\\Device\\{\u00E4\u03B1\u0436}");
  ASSERT_TRUE(index.add(nic));
  EXPECT_EQ(index.find(u"\\Device\\{\u00C4\u0391\u0416}"), &nic);
  index.remove(nic);
}

TEST_F(ANameIndex, LeavesANameToWhoHadItFirst) {
  House first(u"\\Device\\{a}");
  House second(u"\\Device\\{A}");
  EXPECT_TRUE(index.add(first));
  EXPECT_FALSE(index.add(second));
  EXPECT_EQ(index.find(u"\\Device\\{A}"), &first);
  index.remove(second);
  EXPECT_EQ(index.find(u"\\Device\\{A}"), &first) << "what never was in it takes nothing out";
  index.remove(first);
  EXPECT_EQ(index.find(u"\\Device\\{A}"), nullptr);
  EXPECT_TRUE(index.add(second)) << "the name is free again";
  index.remove(second);
}

TEST_F(ANameIndex, FindsEachOfMany) {
  constexpr unsigned kMany = 3000;
  std::list<House> houses;
  const auto name = [](unsigned i) { return lab::device_name(std::to_string(i)); };
  for (unsigned i = 0; i < kMany; ++i) {
    houses.emplace_back(name(i));
    ASSERT_TRUE(index.add(houses.back()));
  }
  unsigned i = 0;
  for (House& house : houses) {
    ASSERT_EQ(index.find(name(i)), &house);
    if (i % 2 == 0) index.remove(house);
    ++i;
  }
  i = 0;
  for (House& house : houses) {
    ASSERT_EQ(index.find(name(i)), i % 2 == 0 ? nullptr : &house);
    index.remove(house);
    ++i;
  }
}

}  // namespace
}  // namespace undis::test
