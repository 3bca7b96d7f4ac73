// SPDX-License-Identifier: MIT
//
// One file that needs nothing else: no script, no picture, no address but the documentation's.
#include <fmt/format.h>

#include "lab/report.h"
#include "lab/report_markup.h"

namespace undis::lab {
namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --warn: #b26a00; --good: #2e7d32; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
td, th { padding: .15rem 1rem .15rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; }
code, pre { font: 13px/1.5 ui-monospace, monospace; } pre { margin: 0; white-space: pre-wrap; }
section { border: 1px solid var(--line); border-left-width: .4rem; border-radius: .3rem; }
section { padding: .2rem 1rem 1rem; margin: 1rem 0; }
section.error { border-left-color: var(--bad); }
section.warning, section.note { border-left-color: var(--warn); }
.pass { color: var(--good); } .fail { color: var(--bad); } .skipped { color: var(--warn); }
h2 { font-size: 1.1rem; margin: .6rem 0 .3rem; } summary { cursor: pointer; }
)";

std::string row(const char* name, const std::string& value, bool code = false) {
  if (value.empty()) return {};
  const char* const tag = code ? "code" : "span";
  return fmt::format("<tr><th>{}</th><td><{}>{}</{}></td></tr>\n", name, tag, escaped(value), tag);
}

std::string lines(const char* name, const std::vector<std::string>& all, bool open) {
  if (all.empty()) return {};
  std::string text;
  for (const std::string& line : all) text += escaped(line) + "\n";
  return fmt::format("<details{}><summary>{}</summary><pre>{}</pre></details>\n", open ? " open" : "", name,
                     text);
}

std::string section(const Violation& violation) {
  const std::string severity =
      violation.severity == "warning" || violation.severity == "note" ? violation.severity : "error";
  std::string text =
      fmt::format("<section class=\"{}\">\n<h2>{} <code>{}</code>: {}</h2>\n<p>{}</p>\n<table>\n", severity,
                  severity, escaped(violation.rule), escaped(violation.title), escaped(violation.text));
  text += row("driver", violation.driver) + row("function", violation.function, true) +
          row("object", violation.object);
  text += row("held by", violation.holder) + row("suite", violation.suite);
  text += row("schedule", violation.schedule, true) +
          row("seen", violation.times > 1 ? fmt::format("{} times", violation.times) : "");
  text += row("on Windows", violation.bugcheck.empty() ? "" : "bug check " + violation.bugcheck);
  if (const std::string address = page_address(violation.page); !address.empty()) {
    text += fmt::format("<tr><th>page</th><td><a href=\"{0}\">{1}</a></td></tr>\n", escaped(address),
                        escaped(violation.page));
  }
  text += row("again", violation.replay, true) + "</table>\n";
  text += lines("who waits for what", violation.waiters, true) +
          lines("the chain of calls", violation.calls, true);
  text += lines("where it happened", violation.stack, true) +
          lines("where the object comes from", violation.origin, false);
  text += lines("trace", violation.trace, false);
  return text + "</section>\n";
}

}  // namespace

std::string report_html(const Report& report) {
  std::string drivers;
  for (const std::string& driver : report.drivers) drivers += (drivers.empty() ? "" : ", ") + driver;
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>{0}: "
      "{1}</title>\n<style>{2}</style>\n</head>\n<body>\n<h1>{0}: <span "
      "class=\"{1}\">{1}</span></h1>\n<p>{3} in {4:.1f} s, undis {5}</p>\n",
      escaped(drivers), escaped(report.verdict), kStyle, count_of_findings(report), report.seconds,
      escaped(report.version));
  for (const Violation& violation : report.violations) text += section(violation);
  text += "<h2>Suites</h2>\n<table>\n<tr><th>suite</th><th>verdict</th><th>runs</th><th>schedules</th><th></"
          "th></tr>\n";
  for (const Suite& suite : report.suites) {
    text += fmt::format(
        "<tr><td>{0}</td><td class=\"{1}\">{1}</td><td>{2}</td><td>{3}</td><td>{4}</td></tr>\n",
        escaped(suite.name), escaped(suite.verdict), suite.runs, suite.schedules, escaped(suite.reason));
  }
  return text + "</table>\n</body>\n</html>\n";
}

}  // namespace undis::lab
