// SPDX-License-Identifier: MIT
//
// A wrong command line ends with exit code 2 and says what was expected; files are looked at only when they
// are used.
#include "cli/commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <undis/version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>

#include "cli/duration.h"
#include "machine/schedule.h"
#include "machine/strategy.h"

namespace undis::cli {
namespace {

const std::map<std::string, lab::Engine> kEngines{{"simulated", lab::Engine::Simulated},
                                                  {"threaded", lab::Engine::Threaded}};
const std::map<std::string, kernel::Watch> kWatches{
    {"nothing", kernel::Watch::Nothing}, {"holder", kernel::Watch::Holder}, {"all", kernel::Watch::All}};
const std::map<std::string, lab::Color> kColors{
    {"auto", lab::Color::Auto}, {"always", lab::Color::Always}, {"never", lab::Color::Never}};

std::string check_schedule(const std::string& text) {
  std::string error;
  if (machine::Schedule::parse(text, &error)) return {};
  return error;
}

std::string check_seed(const std::string& text) {
  const bool hex = text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  return hex && !text.empty() && text.size() <= 16 ? std::string()
                                                   : fmt::format("{}: expected up to 16 hex digits", text);
}

/// As CLI11 wants it: "" or the complaint.
std::string check_replay(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return fmt::format(
        "{}: expected SUITE:SCHEDULE, as a report's replay line has it (lifecycle.unbind:7f3a)", text);
  }
  return check_schedule(text.substr(colon + 1));
}

std::string check_duration(const std::string& text) {
  const auto duration = parse_duration(text);
  if (duration && duration->count() > 0) return {};
  return fmt::format("{}: expected a time such as 500ms, 10s, 2m or 1h", text);
}

/// "2/8": the second of eight parts. False: it is none.
bool read_shard(const std::string& text, std::uint32_t& shard, std::uint32_t& shards) {
  const char* const end = text.data() + text.size();
  const auto [slash, first] = std::from_chars(text.data(), end, shard);
  if (first != std::errc{} || slash == end || *slash != '/') return false;
  const auto [stop, second] = std::from_chars(slash + 1, end, shards);
  if (second != std::errc{} || stop != end || shard == 0 || shard > shards || shards > 1'000'000)
    return false;
  --shard;  // counted from 0 inside
  return true;
}

std::string check_shard(const std::string& text) {
  std::uint32_t shard = 0;
  std::uint32_t shards = 1;
  return read_shard(text, shard, shards)
             ? std::string()
             : fmt::format("{}: expected a part and their number, such as 3/8", text);
}

std::string check_positive(const std::string& text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  return digits && text.find_first_not_of('0') != std::string::npos
             ? std::string()
             : fmt::format("{}: expected a number from 1 on", text);
}

void add_color(CLI::App& command, lab::Color& color) {
  command
      .add_option_function<std::string>(
          "--color", [&color](const std::string& word) { color = kColors.at(word); },
          "Colours: auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
}

void add_reports(CLI::App& command, lab::VerifyOptions& options) {
  for (const auto& [name, file, what] :
       {std::tuple{"--json", &options.json, "JSON"}, std::tuple{"--junit", &options.junit, "JUnit XML"},
        std::tuple{"--sarif", &options.sarif, "SARIF 2.1.0"}, std::tuple{"--html", &options.html, "HTML"}}) {
    command.add_option(name, *file, fmt::format("Write the report as {} (-: to standard output)", what))
        ->type_name("FILE");
  }
}

/// Throws CLI::ValidationError.
void check_reports(const lab::VerifyOptions& options) {
  int on_stdout = 0;
  for (const std::string* file : {&options.json, &options.junit, &options.sarif, &options.html}) {
    if (*file == "-") ++on_stdout;
  }
  if (on_stdout > 1) throw CLI::ValidationError("only one report can go to standard output (-)");
}

struct Merge {
  lab::MergeOptions options;

  CLI::App* add(CLI::App& app) {
    CLI::App* const merge = app.add_subcommand("merge", "Put the reports of the parts of a search together");
    merge->footer(
        "Exit code: 0 no violation, 1 violations, 2 reports that cannot be read or do not belong together.");
    merge->add_option("report", options.reports, "JSON reports of undis verify --shard")
        ->type_name("REPORT.json")
        ->required();
    add_reports(*merge, options.output);
    merge->add_flag("--quiet,-q", options.output.quiet, "Print the verdict alone");
    add_color(*merge, options.output.color);
    return merge;
  }

  /// Throws CLI::ValidationError.
  lab::MergeOptions take() {
    check_reports(options.output);
    return std::move(options);
  }
};

struct Verify {
  lab::VerifyOptions options;
  std::string replay;
  std::string budget;
  std::string shard;

  CLI::App* add(CLI::App& app) {
    CLI::App* const verify =
        app.add_subcommand("verify", "Bring drivers up, use them, break them, take them down; report");
    verify->footer(
        "Exit code: 0 no violation, 1 violations, 2 wrong usage or an image that cannot be loaded.");
    verify->add_option("image", options.images, "Driver images, in the order in which they are loaded")
        ->type_name("IMAGE");
    verify
        ->add_option("--inf", options.infs,
                     "Install the image of this name, or the only one, by this INF (may be repeated)")
        ->type_name("FILE.inf")
        ->allow_extra_args(false);
    verify
        ->add_option("--suite", options.suites,
                     "Run only this suite, or all that begin with NAME and a dot (may be repeated)")
        ->type_name("NAME")
        ->allow_extra_args(false);
    verify->add_flag("--list-suites", options.list_suites, "Name the suites and stop");
    verify
        ->add_option("--strategy", options.strategy,
                     fmt::format("How schedules are searched: {} (mixed)",
                                 fmt::join(machine::Strategy::names(), ", ")))
        ->type_name("NAME")
        ->check(CLI::IsMember(machine::Strategy::names()));
    verify
        ->add_option(
            "--bound", options.bound,
            "exhaustive: at most N departures from the default run, of which each pre-emption is one (2)")
        ->type_name("N")
        ->check(CLI::Range(0, 8));
    verify->add_option("--depth", options.depth, "pct: the number of orderings that a bug may need (3)")
        ->type_name("N")
        ->check(CLI::Range(1, 64));
    verify->add_option("--processors", options.processors, "Virtual processors, 1 to 64 (2)")
        ->type_name("N")
        ->check(CLI::Range(1, 64));
    verify
        ->add_option("--shard", shard,
                     "Do part I of N of each search (1/1); undis merge puts the parts' reports together")
        ->type_name("I/N")
        ->check(check_shard);
    verify->add_flag("--fault-pairs", options.fault_pairs,
                     "Make each two fallible calls fail together as well");
    verify->add_flag("!--no-shrink", options.shrink, "Report the schedule that found a violation as it was");
    verify->add_option("--budget", budget, "Real time to search for, all suites together (10s)")
        ->type_name("TIME")
        ->check(check_duration);
    verify
        ->add_option("--schedules", options.schedules,
                     "Run each suite with N schedules, whatever time it takes")
        ->type_name("N")
        ->check(check_positive);
    verify->add_option("--seed", options.seed, "Where random schedules begin, in hex (0)")
        ->type_name("HEX")
        ->check(check_seed);
    verify->add_option("--replay", replay, "Run one suite with one schedule, as a report names them")
        ->type_name("SUITE:SCHEDULE")
        ->check(check_replay);
    add_reports(*verify, options);
    verify->add_flag("--quiet,-q", options.quiet, "Print the verdict alone");
    verify->add_flag("--progress", options.progress, "Show progress though standard error is no terminal");
    add_color(*verify, options.color);
    return verify;
  }

  /// Throws CLI::ValidationError.
  lab::VerifyOptions take() {
    if (options.images.empty() && !options.list_suites) {
      throw CLI::ValidationError(
          "no driver image was given; expected at least one .so built with `undis cc`");
    }
    if (!budget.empty()) options.budget = *parse_duration(budget);
    if (!shard.empty()) read_shard(shard, options.shard, options.shards);
    if (!replay.empty()) {
      const std::size_t colon = replay.rfind(':');
      options.replay_suite = replay.substr(0, colon);
      options.replay_schedule = replay.substr(colon + 1);
    }
    check_reports(options);
    return std::move(options);
  }
};

struct Run {
  lab::RunOptions options;

  CLI::App* add(CLI::App& app) {
    CLI::App* const run = app.add_subcommand("run", "Run the drivers, adapters and wires of a lab file");
    run->footer("Exit code: 0 no violation, 1 violations, 2 wrong usage, or a file that cannot be used.");
    run->add_option("lab", options.lab, "The lab file (TOML)")->type_name("LAB.toml")->required();
    run->add_option("--in", options.in, "Frames arrive from this capture (pcap, pcapng)")->type_name("FILE");
    run->add_option("--out", options.out, "Transmitted frames are written to this capture (pcap)")
        ->type_name("FILE");
    run->add_option("--seed", options.seed, "The schedule to run with, in hex (0)")
        ->type_name("HEX")
        ->check(check_schedule);
    run->add_option_function<std::string>(
           "--machine", [this](const std::string& word) { options.engine = kEngines.at(word); },
           "simulated: virtual time, the schedule of --seed (the default); threaded: real threads, real time")
        ->check(CLI::IsMember({"simulated", "threaded"}))
        ->type_name("KIND");
    run->add_option_function<std::string>(
           "--watch", [this](const std::string& word) { options.watch = kWatches.at(word); },
           "all: every call is checked and traced (the default); holder: only who got a chain of lists last "
           "is kept; nothing: as fast as it goes")
        ->check(CLI::IsMember({"nothing", "holder", "all"}))
        ->type_name("LEVEL");
    run->add_flag("--quiet,-q", options.quiet, "Print the verdict alone");
    add_color(*run, options.color);
    return run;
  }
};

int complain(const CLI::App& app, const std::string& complaint) {
  std::string name = "undis";
  for (const CLI::App* command : app.get_subcommands()) name += " " + command->get_name();
  fmt::print(stderr, "{}: {}\n{} --help tells what there is.\n", name, complaint, name);
  return lab::kUsage;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

}  // namespace

Command parse_command(const std::vector<std::string>& words) {
  CLI::App app(
      "undis: Windows network drivers (NDIS 5.x and 6.x) on Linux, built from source, run and verified",
      "undis");
  app.set_version_flag("--version", std::string("undis ") + undis_version());
  app.require_subcommand(0, 1);
  // For the list of commands alone: main() hands its words on before they get here.
  app.add_subcommand("cc", "Build a driver image (a compiler wrapper; undis cc --help)");
  Verify verify;
  Run run;
  Merge merge;
  RulesOptions rules;
  const CLI::App* const verify_command = verify.add(app);
  const CLI::App* const run_command = run.add(app);
  const CLI::App* const merge_command = merge.add(app);
  CLI::App* const rules_command =
      app.add_subcommand("rules", "What the verifier looks for: every rule, or one in full");
  rules_command->add_option("rule", rules.wanted, "A rule's name, or a part of its name, title or function")
      ->type_name("RULE");

  const std::vector<std::string> names = command_names(app);
  const auto without_command = [&](const std::string& found) {
    return Answered{complain(app, fmt::format("{}; expected one of {}", found, fmt::join(names, ", ")))};
  };
  if (!words.empty() && !words[0].starts_with('-') &&
      std::find(names.begin(), names.end(), words[0]) == names.end()) {
    return without_command(fmt::format("{}: no command", words[0]));
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them from the back
    if (verify_command->parsed()) return verify.take();
    if (run_command->parsed()) return run.options;
    if (merge_command->parsed()) return merge.take();
    if (rules_command->parsed()) return rules;
    return without_command("no command was given");
  } catch (const CLI::Success& answer) {  // help or the version
    return Answered{app.exit(answer)};
  } catch (const CLI::ParseError& error) {
    return Answered{complain(app, error.what())};
  }
}

}  // namespace undis::cli
