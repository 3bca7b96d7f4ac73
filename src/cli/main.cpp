// SPDX-License-Identifier: MIT
//
// undis: the command line.
#include <string>
#include <vector>

#include "cli/cc.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "cc") return undis::cli::cc({words.begin() + 1, words.end()});
  return 2;
}
