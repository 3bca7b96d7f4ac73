// SPDX-License-Identifier: MIT
//
// undis: the command line.
#include <fmt/format.h>

#include <exception>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "cli/cc.h"
#include "cli/commands.h"
#include "cli/rules.h"
#include "lab/options.h"

namespace {

int run(const std::vector<std::string>& words) {
  using namespace undis;
  if (!words.empty() && words[0] == "cc") return cli::cc({words.begin() + 1, words.end()});
  return std::visit(
      [](const auto& command) {
        using T = std::decay_t<decltype(command)>;
        if constexpr (std::is_same_v<T, lab::VerifyOptions>) {
          return lab::verify(command);
        } else if constexpr (std::is_same_v<T, lab::RunOptions>) {
          return lab::run(command);
        } else if constexpr (std::is_same_v<T, lab::MergeOptions>) {
          return lab::merge(command);
        } else if constexpr (std::is_same_v<T, cli::RulesOptions>) {
          return cli::rules(command.wanted);
        } else {
          return command.exit_code;
        }
      },
      cli::parse_command(words));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "undis: {}\n", error.what());
    return undis::lab::kUsage;
  }
}
