// SPDX-License-Identifier: MIT
//
// A roster goes from the oldest to the newest, keeps alive what it is told to keep, and lets go of it once.
#include "ndis/roster.h"

#include <vector>

#include <gtest/gtest.h>

namespace undis::test {
namespace {

class Club;
class Team;

class Member final : public Object, public Listed<Club>, public Listed<Team> {
 public:
  Member(int number, std::vector<int>& gone) : number_(number), gone_(gone) {}
  ~Member() override { gone_.push_back(number_); }
  int number() const noexcept { return number_; }

 private:
  const int number_;
  std::vector<int>& gone_;
};

class ARoster : public ::testing::Test {
 protected:
  Ref<Member> member(int number) { return Ref<Member>(new Member(number, gone)); }
  template <class Any>
  static std::vector<int> numbers(const Any& roster) {
    std::vector<int> found;
    for (const Member& each : roster) found.push_back(each.number());
    return found;
  }

  std::vector<int> gone;
  Roster<Member, Club> club;
};

TEST_F(ARoster, GoesFromTheOldestToTheNewest) {
  for (const int number : {3, 1, 2}) club.add(*member(number));
  EXPECT_EQ(numbers(club), (std::vector{3, 1, 2}));
  std::vector<int> all;
  for (const Ref<Member>& each : club.all()) all.push_back(each->number());
  EXPECT_EQ(all, (std::vector{3, 1, 2}));
}

TEST_F(ARoster, TakesNobodyTwice) {
  const Ref<Member> only = member(1);
  club.add(*only);
  club.add(*member(2));
  club.add(*only);
  EXPECT_EQ(numbers(club), (std::vector{1, 2}));
}

TEST_F(ARoster, HandsOutWhatItLetsGoOf) {
  Ref<Member> first = member(1);
  club.add(*first);
  club.add(*member(2));
  Member& still = *first;
  first = nullptr;
  EXPECT_TRUE(gone.empty()) << "the roster keeps it";
  Ref<Member> taken = club.take_out(still);
  ASSERT_TRUE(taken);
  EXPECT_EQ(numbers(club), std::vector{2});
  EXPECT_TRUE(gone.empty()) << "the caller does";
  EXPECT_FALSE(club.take_out(*taken)) << "it is not there any more";
  taken = nullptr;
  EXPECT_EQ(gone, std::vector{1});
}

TEST_F(ARoster, LetsAMemberComeBackBehindTheOthers) {
  const Ref<Member> first = member(1);
  club.add(*first);
  club.add(*member(2));
  static_cast<void>(club.take_out(*first));
  club.add(*first);
  EXPECT_EQ(numbers(club), (std::vector{2, 1}));
}

TEST_F(ARoster, MayBeOneOfSeveralThatAMemberIsIn) {
  Roster<Member, Team, Member*> team;
  const Ref<Member> both = member(1);
  club.add(*both);
  team.add(*both);
  EXPECT_EQ(club.take_out(*both), both);
  EXPECT_EQ(numbers(team), std::vector{1});
  EXPECT_EQ(team.take_out(*both), both.get());
  EXPECT_EQ(team.take_out(*both), nullptr);
  EXPECT_TRUE(team.empty());
}

TEST_F(ARoster, LetsGoOfAllAtItsEnd) {
  {
    Roster<Member, Club> ended;
    for (const int number : {1, 2, 3}) ended.add(*member(number));
    EXPECT_TRUE(gone.empty());
  }
  EXPECT_EQ(gone, (std::vector{1, 2, 3}));
}

}  // namespace
}  // namespace undis::test
