// SPDX-License-Identifier: MIT
//
// Each file is reported to libdwfl by itself: the process' table of mappings names no file for an image that
// is open twice.
#include "lab/symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <tuple>

#include "loader/image.h"

namespace fs = std::filesystem;

namespace undis::lab {
namespace {

/// Debug information that is not in the file itself is not looked for: that may ask the network (debuginfod).
int no_separate_debuginfo(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*, GElf_Word,
                          char**) {
  return -1;
}

const Dwfl_Callbacks kCallbacks{nullptr, &no_separate_debuginfo, nullptr, nullptr};

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 && plain != nullptr ? plain.get() : name;
}

const char* text_attribute(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute attribute;
  return dwarf_formstring(dwarf_attr(die, name, &attribute));
}

std::string shown_path(const fs::path& path) {
  const fs::path file = path.lexically_normal();
  std::error_code none;
  const fs::path here = fs::current_path(none);
  const fs::path relative = file.lexically_relative(here);
  return file.is_absolute() && !relative.empty() && *relative.begin() != ".." ? relative.string()
                                                                              : file.string();
}

/// The unit that holds an address. libdw looks in the table of ranges, which clang does not write; then the
/// units tell.
Dwarf_Die* unit_at(Dwfl_Module* module, Dwarf_Addr address, Dwarf_Addr* bias) {
  if (Dwarf_Die* unit = dwfl_module_addrdie(module, address, bias)) return unit;
  for (Dwarf_Die* unit = dwfl_module_nextcu(module, nullptr, bias); unit != nullptr;
       unit = dwfl_module_nextcu(module, unit, bias)) {
    if (dwarf_haspc(unit, address - *bias) > 0) return unit;
  }
  return nullptr;
}

std::pair<std::string, std::uint32_t> source_line(Dwfl_Module* module, Dwarf_Addr address) {
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = unit_at(module, address, &bias);
  Dwarf_Line* const line = unit == nullptr ? nullptr : dwarf_getsrc_die(unit, address - bias);
  int number = 0;
  const char* const file = line == nullptr ? nullptr : dwarf_linesrc(line, nullptr, nullptr);
  if (file == nullptr || dwarf_lineno(line, &number) != 0 || number <= 0) return {};
  const char* const directory = text_attribute(unit, DW_AT_comp_dir);
  const bool relative = file[0] != '/' && directory != nullptr;
  return {shown_path(relative ? fs::path(directory) / file : fs::path(file)),
          static_cast<std::uint32_t>(number)};
}

std::string stem_of(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  return name.substr(0, name.find(".so"));
}

/// Whether a frame tells nothing to who wrote the driver. The API's functions have C names, undis' own are
/// C++.
bool is_machinery(const Symbol& symbol) {
  static constexpr std::array<std::string_view, 3> kRuntime{"libboost_context", "libstdc++", "libc"};
  if (std::find(kRuntime.begin(), kRuntime.end(), symbol.module) != kRuntime.end()) return true;
  const bool undis = symbol.module == "libundis" || symbol.module == "undis";
  return undis && (symbol.function.empty() || symbol.function.find("::") != std::string::npos);
}

}  // namespace

struct Symbols::Module {
  std::string name;
  std::uintptr_t begin = 0;
  std::unique_ptr<Dwfl, decltype(&dwfl_end)> dwfl{nullptr, &dwfl_end};

  Module(const std::string& path, std::uintptr_t where) : name(stem_of(path)), begin(where) {
    dwfl.reset(dwfl_begin(&kCallbacks));
    if (dwfl == nullptr) return;
    dwfl_report_begin(dwfl.get());
    dwfl_report_elf(dwfl.get(), name.c_str(), path.c_str(), -1, begin, true);
    dwfl_report_end(dwfl.get(), nullptr, nullptr);
  }
};

std::string text_of(const Symbol& symbol) {
  if (symbol.function.empty()) {
    return fmt::format("{}+{:#x}", symbol.module.empty() ? "?" : symbol.module, symbol.offset);
  }
  if (symbol.file.empty()) return fmt::format("{} in {}", symbol.function, symbol.module);
  return fmt::format("{} ({}:{}) in {}", symbol.function, symbol.file, symbol.line, symbol.module);
}

bool source_of(const std::string& stack_line, std::string& file, std::uint32_t& line) {
  const std::size_t end = stack_line.rfind(") in ");
  const std::size_t colon = end == std::string::npos ? end : stack_line.rfind(':', end);
  const std::size_t begin = colon == std::string::npos ? colon : stack_line.rfind(" (", colon);
  if (begin == std::string::npos) return false;
  std::uint32_t number = 0;
  const char* const digits_end = stack_line.data() + end;
  const auto [last, error] = std::from_chars(stack_line.data() + colon + 1, digits_end, number);
  if (error != std::errc() || last != digits_end) return false;
  file = stack_line.substr(begin + 2, colon - begin - 2);
  line = number;
  return true;
}

Symbols::Symbols() = default;
Symbols::~Symbols() = default;

Symbols::Module* Symbols::module_of(std::uintptr_t address) {
  const void* const at = reinterpret_cast<const void*>(address);
  loader::ImagePlace place = loader::image_at(at);
  if (place.path.empty()) {
    Dl_info info{};
    if (::dladdr(at, &info) == 0 || info.dli_fname == nullptr) return nullptr;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    // The executable is named as it was typed, which may not be where it is.
    place.path = fs::exists(info.dli_fname, error) ? fs::path(info.dli_fname).string() : self.string();
    place.begin = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  }
  auto& module = modules_[place.begin];
  if (module == nullptr) module = std::make_unique<Module>(place.path, place.begin);
  return module.get();
}

const Symbol& Symbols::lookup(const void* address, bool exact) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  const auto [entry, fresh] = known_.try_emplace({number, exact});
  Symbol& symbol = entry->second;
  if (!fresh) return symbol;

  // The call lies before its return address: that one may belong to the next line, or even to the next
  // function.
  const std::uintptr_t inside = exact || number == 0 ? number : number - 1;
  Module* const module = module_of(inside);
  if (module == nullptr) {
    symbol.offset = number;
    return symbol;
  }
  symbol.module = module->name;
  symbol.offset = number - module->begin;
  Dwfl_Module* const found = module->dwfl == nullptr ? nullptr : dwfl_addrmodule(module->dwfl.get(), inside);
  if (found == nullptr) return symbol;
  if (const char* name = dwfl_module_addrname(found, inside)) symbol.function = demangled(name);
  std::tie(symbol.file, symbol.line) = source_line(found, inside);
  return symbol;
}

std::vector<std::string> Symbols::lines(const kernel::Stack& stack) {
  std::vector<std::string> all;
  for (std::uint32_t i = 0; i < stack.count; ++i) all.push_back(text_of(lookup(stack.frames[i])));
  return all;
}

std::vector<std::string> Symbols::driver_lines(const kernel::Stack& stack) {
  std::vector<std::string> kept;
  for (std::uint32_t i = 0; i < stack.count; ++i) {
    const Symbol& symbol = lookup(stack.frames[i]);
    if (!is_machinery(symbol)) kept.push_back(text_of(symbol));
  }
  return kept.empty() ? lines(stack) : kept;
}

}  // namespace undis::lab
