// SPDX-License-Identifier: MIT
#include "cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/duration.h"
#include "cli/rules.h"
#include "undis/rule_table.h"

namespace undis::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// What is complained of; the exit code has to be 2.
std::string complaint_about(const std::vector<std::string>& words) {
  testing::internal::CaptureStderr();
  const Command command = parse_command(words);
  const std::string text = testing::internal::GetCapturedStderr();
  const Answered* const answered = std::get_if<Answered>(&command);
  EXPECT_TRUE(answered != nullptr && answered->exit_code == lab::kUsage);
  return text;
}

std::string printed_by(const std::vector<std::string>& words) {
  testing::internal::CaptureStdout();
  const Command command = parse_command(words);
  const std::string text = testing::internal::GetCapturedStdout();
  const Answered* const answered = std::get_if<Answered>(&command);
  EXPECT_TRUE(answered != nullptr && answered->exit_code == 0);
  return text;
}

TEST(ReadingADuration, KnowsTheUsualUnits) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("15"), 15s);
  EXPECT_EQ(parse_duration("0"), 0s);
}

TEST(ReadingADuration, RefusesAllElse) {
  for (const char* text : {"", "s", "10x", "ten", "-5s", "10s5", "1 s", "1e9h", "inf", "nan", "99999999h"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(ReadingTheCommandLine, TakesAllOfVerify) {
  const Command command = parse_command(
      {"verify",  "a.so",    "--suite",  "lifecycle", "b.so",    "--suite=oid", "--schedules", "100",
       "--seed",  "7f3a",    "--budget", "2m",        "--json",  "r.json",      "--junit",     "r.xml",
       "--sarif", "r.sarif", "--html",   "r.html",    "--quiet", "--color",     "always",      "--progress"});
  const auto* const verify = std::get_if<lab::VerifyOptions>(&command);
  ASSERT_NE(verify, nullptr);
  EXPECT_THAT(verify->images, ElementsAre("a.so", "b.so"));
  EXPECT_THAT(verify->suites, ElementsAre("lifecycle", "oid"));
  EXPECT_EQ(verify->schedules, 100U);
  EXPECT_EQ(verify->seed, "7f3a");
  EXPECT_EQ(verify->budget, 2min);
  EXPECT_EQ(verify->json + verify->junit + verify->sarif + verify->html, "r.jsonr.xmlr.sarifr.html");
  EXPECT_TRUE(verify->quiet && verify->progress);
  EXPECT_EQ(verify->color, lab::Color::Always);
}

TEST(ReadingTheCommandLine, TakesTheSearchOfVerify) {
  const Command command =
      parse_command({"verify", "a.so", "--strategy", "exhaustive", "--bound", "1", "--depth", "4",
                     "--processors", "64", "--shard", "3/8", "--fault-pairs", "--no-shrink"});
  const auto* const verify = std::get_if<lab::VerifyOptions>(&command);
  ASSERT_NE(verify, nullptr);
  EXPECT_EQ(verify->strategy, "exhaustive");
  EXPECT_EQ(verify->bound, 1U);
  EXPECT_EQ(verify->depth, 4U);
  EXPECT_EQ(verify->processors, 64U);
  EXPECT_EQ(verify->shard, 2U) << "counted from 0";
  EXPECT_EQ(verify->shards, 8U);
  EXPECT_TRUE(verify->fault_pairs);
  EXPECT_FALSE(verify->shrink);
}

TEST(ReadingTheCommandLine, TakesAllOfMerge) {
  const Command command = parse_command({"merge", "a.json", "b.json", "--html", "r.html", "-q"});
  const auto* const merge = std::get_if<lab::MergeOptions>(&command);
  ASSERT_NE(merge, nullptr);
  EXPECT_THAT(merge->reports, ElementsAre("a.json", "b.json"));
  EXPECT_EQ(merge->output.html, "r.html");
  EXPECT_TRUE(merge->output.quiet);
}

TEST(ReadingTheCommandLine, RefusesASearchThatIsNone) {
  EXPECT_THAT(complaint_about({"verify", "a.so", "--strategy", "luck"}),
              AllOf(HasSubstr("luck"), HasSubstr("coverage")));
  for (const char* shard : {"0/8", "9/8", "3", "3/", "/8", "-1/8", "3/8x"})
    EXPECT_THAT(complaint_about({"verify", "a.so", "--shard", shard}), HasSubstr("such as 3/8")) << shard;
  EXPECT_THAT(complaint_about({"verify", "a.so", "--processors", "0"}), HasSubstr("--processors"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--processors", "65"}), HasSubstr("--processors"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--replay", "lifecycle.bind:0.v2-1-1"}),
              HasSubstr("another version of undis"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--seed", "pct3-1"}), HasSubstr("hex digits"));
  EXPECT_THAT(complaint_about({"merge"}), HasSubstr("report"));
}

TEST(ReadingTheCommandLine, HasDefaultsThatEndSoon) {
  const Command command = parse_command({"verify", "a.so"});
  const auto* const verify = std::get_if<lab::VerifyOptions>(&command);
  ASSERT_NE(verify, nullptr);
  EXPECT_EQ(verify->budget, 10s);
  EXPECT_EQ(verify->color, lab::Color::Auto);
  EXPECT_TRUE(verify->suites.empty());
}

TEST(ReadingTheCommandLine, SplitsAReplayAtItsLastColon) {
  const Command command = parse_command({"verify", "a.so", "--replay", "lifecycle.unbind:7f3a.f2"});
  const auto* const verify = std::get_if<lab::VerifyOptions>(&command);
  ASSERT_NE(verify, nullptr);
  EXPECT_EQ(verify->replay_suite, "lifecycle.unbind");
  EXPECT_EQ(verify->replay_schedule, "7f3a.f2");
}

TEST(ReadingTheCommandLine, ListsSuitesWithoutAnImage) {
  const Command command = parse_command({"verify", "--list-suites"});
  ASSERT_NE(std::get_if<lab::VerifyOptions>(&command), nullptr);
}

TEST(ReadingTheCommandLine, TakesAllOfRun) {
  const Command command = parse_command({"run", "lab.toml", "--in", "a.pcap", "--out", "b.pcap"});
  const auto* const run = std::get_if<lab::RunOptions>(&command);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->lab + run->in + run->out, "lab.tomla.pcapb.pcap");
  EXPECT_EQ(run->watch, kernel::Watch::All);
}

TEST(ReadingTheCommandLine, SaysWhatWasExpected) {
  EXPECT_THAT(complaint_about({}), AllOf(HasSubstr("expected one of"), HasSubstr("verify")));
  EXPECT_THAT(complaint_about({"frobnicate"}), AllOf(HasSubstr("frobnicate"), HasSubstr("expected one of")));
  EXPECT_THAT(complaint_about({"verify"}), HasSubstr("no driver image was given"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--budget", "soon"}), HasSubstr("expected a time such as"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--budget", "0s"}), HasSubstr("expected a time such as"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--schedules", "0"}),
              HasSubstr("expected a number from 1 on"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--schedules", "-3"}),
              HasSubstr("expected a number from 1 on"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--seed", "xyz"}), HasSubstr("hex digits"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--replay", "unbind"}),
              HasSubstr("expected SUITE:SCHEDULE"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--replay", "unbind:xyz"}),
              HasSubstr("expected a schedule such as"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--color", "pink"}), HasSubstr("pink"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--json", "-", "--html", "-"}),
              HasSubstr("only one report"));
  EXPECT_THAT(complaint_about({"verify", "a.so", "--frob"}), HasSubstr("--frob"));
  EXPECT_THAT(complaint_about({"run"}), HasSubstr("run"));
}

TEST(ReadingTheCommandLine, AnswersHelpAndTheVersion) {
  EXPECT_THAT(printed_by({"--help"}),
              AllOf(HasSubstr("cc"), HasSubstr("verify"), HasSubstr("run"), HasSubstr("rules")));
  EXPECT_THAT(printed_by({"verify", "--help"}), AllOf(HasSubstr("--replay"), HasSubstr("Exit code")));
  EXPECT_THAT(printed_by({"--version"}), HasSubstr("undis "));
}

TEST(AskingForRules, ListsThemAll) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(rules(""), 0);
  const std::string text = testing::internal::GetCapturedStdout();
  for (const RuleInfo& rule : all_rules()) EXPECT_THAT(text, HasSubstr(rule.id));
}

TEST(AskingForRules, TellsAllOfOne) {
  ASSERT_FALSE(all_rules().empty());
  const RuleInfo& rule = all_rules().front();
  testing::internal::CaptureStdout();
  EXPECT_EQ(rules(rule.id), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              AllOf(HasSubstr(rule.title), HasSubstr(rule.says), HasSubstr(rule.seen_by)));
}

TEST(AskingForRules, SaysWhenThereIsNone) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(rules("NoSuchRule"), lab::kUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("NoSuchRule"));
}

}  // namespace
}  // namespace undis::cli
