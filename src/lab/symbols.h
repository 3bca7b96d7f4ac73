// SPDX-License-Identifier: MIT
//
// Turns addresses of this process into functions, files and lines, with the debug information of the files
// they come from.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernel/observer.h"

namespace undis::lab {

struct Symbol {
  std::string function;  ///< demangled; empty: unknown
  std::string file;      ///< relative to the current directory if it lies below it; empty: unknown
  std::uint32_t line = 0;
  std::string
      module;  ///< the image's or library's name without directory and suffix; empty: no file lies there
  std::uint64_t offset = 0;  ///< into the module, for what has no name
};

/// "PtUnload (passthru.c:120) in passthru"; "passthru+0x1a30" for what has no name.
std::string text_of(const Symbol& symbol);

/// Where a line of a stack, as text_of() writes it, points into a source file. False: it does not.
bool source_of(const std::string& stack_line, std::string& file, std::uint32_t& line);

/// Looks symbols up. What has been looked up once is kept, so ask while the images are loaded.
class Symbols {
 public:
  Symbols();
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  /// `address`: as it stands on a stack, that is behind the call. `exact`: it is the instruction itself (a
  /// crash).
  const Symbol& lookup(const void* address, bool exact = false);

  /// A line a frame, innermost first.
  std::vector<std::string> lines(const kernel::Stack& stack);

  /// The same without undis' own C++ and the runtime under it: the drivers' functions, and those with
  /// Windows' names that they call. All lines, if nothing else is there.
  std::vector<std::string> driver_lines(const kernel::Stack& stack);

 private:
  struct Module;
  Module* module_of(std::uintptr_t address);

  std::map<std::uintptr_t, std::unique_ptr<Module>> modules_;  ///< by the address where the file begins
  std::map<std::pair<std::uintptr_t, bool>, Symbol> known_;
};

}  // namespace undis::lab
