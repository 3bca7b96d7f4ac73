// SPDX-License-Identifier: MIT
#include "lab/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lab/report_markup.h"

namespace fs = std::filesystem;

namespace undis::lab {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Report failing() {
  Violation violation;
  violation.rule = "LIFE-003";
  violation.title = "Layered miniport left registered";
  violation.text = "the registration of <passthru5> was still there & should not";
  violation.driver = "passthru5";
  violation.function = "NdisIMDeregisterLayeredMiniport";
  violation.object = "layered miniport passthru5";
  violation.holder = "passthru5";
  violation.suite = "lifecycle.unload";
  violation.schedule = "7f3a";
  violation.stack = {"PtUnload (src/pass thru.c:120) in passthru5", "undis+0x10"};
  violation.origin = {"DriverEntry (passthru.c:80) in passthru5"};
  violation.trace = {"passthru5 Unload"};
  violation.page = "ndis/nf-ndis-ndisimderegisterlayeredminiport";
  violation.bugcheck = "0xCE";
  violation.replay = "undis verify passthru5.so --replay lifecycle.unload:7f3a";
  violation.times = 12;
  return {"0.1.0",
          "fail",
          {"passthru5"},
          {{"lifecycle.unload", "fail", 100, 90, 1.5, {}}, {"lifecycle.bind", "pass", 1, 1, 0.1, {}}},
          {violation},
          1.6,
          "",
          ""};
}

Report clean() {
  return {"0.1.0", "pass", {"nic6"}, {{"lifecycle.bind", "pass", 1, 1, 0.1, {}}}, {}, 0.1, "", ""};
}

TEST(AReportAsJson, HasTheDocumentedKeys) {
  const json report = json::parse(report_json(failing()));
  EXPECT_EQ(report["undis"], "0.1.0");
  EXPECT_EQ(report["verdict"], "fail");
  EXPECT_EQ(report["drivers"], json::array({"passthru5"}));
  EXPECT_EQ(report["suites"][0]["name"], "lifecycle.unload");
  EXPECT_EQ(report["suites"][0]["runs"], 100);
  EXPECT_EQ(report["suites"][0]["schedules"], 90);
  const json& violation = report["violations"][0];
  for (const char* key : {"rule", "title", "severity", "driver", "function", "object", "suite", "schedule",
                          "stack", "trace", "page", "bugcheck"}) {
    EXPECT_TRUE(violation.contains(key)) << key;
  }
  EXPECT_EQ(violation["stack"].size(), 2U);
}

TEST(AReportAsJson, ReplacesWhatIsNotUtf8) {
  Report report = failing();
  report.violations[0].trace = {"driver printed \xff\xfe"};
  EXPECT_TRUE(json::accept(report_json(report)));
}

TEST(AReportAsJunit, CountsCasesAndFailures) {
  const std::string text = report_junit(failing());
  EXPECT_THAT(text, AllOf(HasSubstr("<testsuites name=\"undis verify\" tests=\"2\" failures=\"1\""),
                          HasSubstr("<testsuite name=\"lifecycle.unload\" tests=\"1\" failures=\"1\""),
                          HasSubstr("<failure type=\"LIFE-003\""), HasSubstr("&lt;passthru5&gt;"),
                          Not(HasSubstr("<passthru5>"))));
}

TEST(AReportAsJunit, FailsNothingForAWarning) {
  Report report = failing();
  report.violations[0].severity = "warning";
  EXPECT_THAT(report_junit(report), AllOf(HasSubstr("failures=\"0\""), HasSubstr("<system-out>warning"),
                                          Not(HasSubstr("<failure"))));
}

TEST(AReportAsJunit, ShowsASkippedSuiteWithItsReason) {
  Report report = clean();
  report.suites[0].verdict = "skipped";
  report.suites[0].reason = "no protocol";
  EXPECT_THAT(report_junit(report),
              AllOf(HasSubstr("skipped=\"1\""), HasSubstr("<skipped message=\"no protocol\"/>")));
}

TEST(AReportAsSarif, PointsAtTheSourceLine) {
  const json report = json::parse(report_sarif(failing()));
  EXPECT_EQ(report["version"], "2.1.0");
  const json& run = report["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "undis");
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["id"], "LIFE-003");
  const json& result = run["results"][0];
  EXPECT_EQ(result["ruleId"], "LIFE-003");
  EXPECT_EQ(result["ruleIndex"], 0);
  EXPECT_EQ(result["level"], "error");
  const json& place = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "src/pass%20thru.c");
  EXPECT_EQ(place["region"]["startLine"], 120);
  EXPECT_EQ(result["stacks"].size(), 2U);
}

TEST(AReportAsSarif, NamesEachRuleOnce) {
  Report report = failing();
  report.violations.push_back(report.violations[0]);
  report.violations.push_back(report.violations[0]);
  report.violations[1].rule = "LIFE-018";
  const json run = json::parse(report_sarif(report))["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), 2U);
  EXPECT_EQ(run["results"][1]["ruleIndex"], 1);
  EXPECT_EQ(run["results"][2]["ruleIndex"], 0);
}

TEST(AReportAsSarif, IsValidWithoutAnyViolation) {
  const json run = json::parse(report_sarif(clean()))["runs"][0];
  EXPECT_TRUE(run["results"].is_array());
  EXPECT_TRUE(run["results"].empty());
}

TEST(AReportAsHtml, NeedsNothingElseAndEscapesAll) {
  const std::string text = report_html(failing());
  EXPECT_THAT(text, AllOf(HasSubstr("<!DOCTYPE html>"), HasSubstr("&lt;passthru5&gt; was still there &amp;"),
                          HasSubstr("PtUnload"), Not(HasSubstr("<script")), Not(HasSubstr("src=\"http")),
                          Not(HasSubstr("<link"))));
}

TEST(AReportAsText, TellsTheVerdictAndTheWayToSeeItAgain) {
  const std::string text = report_text(failing(), false, false);
  EXPECT_THAT(text, AllOf(HasSubstr("error LIFE-003: Layered miniport left registered"),
                          HasSubstr("PtUnload"), HasSubstr("lifecycle.unload, schedule 7f3a (seen 12 times)"),
                          HasSubstr("bug check 0xCE"), HasSubstr("--replay lifecycle.unload:7f3a"),
                          HasSubstr("passthru5: fail: 1 violation in 101 runs of 2 suites"),
                          Not(HasSubstr("\x1b"))));
  EXPECT_THAT(report_text(failing(), true, false), HasSubstr("\x1b["));
  EXPECT_EQ(report_text(clean(), false, true), "nic6: pass: no violation in 1 run of 1 suite, 0.1 s\n");
}

TEST(AReportAsText, CountsNotesAsNotes) {
  Report report = failing();
  report.violations[0].severity = "note";
  EXPECT_THAT(report_text(report, false, true), HasSubstr(": 1 note in 101 runs"));
  report.violations.push_back(report.violations[0]);
  report.violations[0].severity = "warning";
  EXPECT_THAT(report_text(report, false, true), HasSubstr(": 1 violation, 1 note in 101 runs"));
  EXPECT_THAT(report_html(report), HasSubstr("1 violation, 1 note"));
}

TEST(APage, IsAtMicrosoftsSite) {
  EXPECT_EQ(page_address("ndis/nf-ndis-ndisdpr"),
            "https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisdpr");
  EXPECT_EQ(page_address("network/pausing-an-adapter"),
            "https://learn.microsoft.com/windows-hardware/drivers/network/pausing-an-adapter");
  EXPECT_EQ(page_address("debugger/bug-check-0xce"),
            "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0xce");
  EXPECT_EQ(page_address(""), "");
}

TEST(EscapedText, HasNothingThatXmlForbids) {
  EXPECT_EQ(escaped("a<b>&\"'\n\t"), "a&lt;b&gt;&amp;&quot;&#39;\n\t");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1b", 3)), "???");
  EXPECT_EQ(escaped("\u00e4\u20ac\U0001F600"), "\u00e4\u20ac\U0001F600");
  EXPECT_EQ(escaped("\xff\xc3"), "??");
  EXPECT_EQ(escaped("\xc0\x80"), "??");            // an overlong zero
  EXPECT_EQ(escaped("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "????");  // beyond the last character
}

TEST(WritingAReport, PutsEachFormIntoItsFile) {
  const fs::path directory = fs::path(testing::TempDir()) / ("undis-report-" + std::to_string(::getpid()));
  fs::create_directories(directory);
  VerifyOptions options;
  options.json = directory / "r.json";
  options.junit = directory / "r.xml";
  options.sarif = directory / "r.sarif";
  options.html = directory / "r.html";
  testing::internal::CaptureStdout();
  EXPECT_EQ(write_report(failing(), options), "");
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("LIFE-003"));
  for (const std::string* file : {&options.json, &options.junit, &options.sarif, &options.html})
    EXPECT_GT(fs::file_size(*file), 0U);
  fs::remove_all(directory);
}

TEST(WritingAReport, LeavesStandardOutputToTheFormThatGoesThere) {
  VerifyOptions options;
  options.json = "-";
  testing::internal::CaptureStdout();
  EXPECT_EQ(write_report(failing(), options), "");
  EXPECT_TRUE(json::accept(testing::internal::GetCapturedStdout()));
}

TEST(WritingAReport, SaysWhichFileCannotBeWritten) {
  VerifyOptions options;
  options.json = "/nowhere/r.json";
  options.quiet = true;
  testing::internal::CaptureStdout();
  EXPECT_THAT(write_report(clean(), options), AllOf(HasSubstr("/nowhere/r.json"), HasSubstr("No such file")));
  testing::internal::GetCapturedStdout();
}

}  // namespace
}  // namespace undis::lab
