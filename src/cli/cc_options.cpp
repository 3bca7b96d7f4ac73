// SPDX-License-Identifier: MIT
//
// gcc's command line is not one that an option parser reads: words may be joined or apart (-Idir, -I dir) and
// unknown ones are handed on. So the words are read here by hand.
#include "cli/cc_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "cli/cc.h"

namespace undis::cli {

const char* const kCcHelp = R"(Builds a driver image from the C or C++ sources of a Windows network driver.

Usage: undis cc [options] -o driver.so source.c...
       undis cc [options] -c source.c...

A wrapper around gcc (or clang), as mpicc is: compiler options are handed on. Sources are compiled as a
WDK build for x64 would: undis' own <ndis.h>, <wdm.h> ... are found, `long` has 32 bits, wchar_t has 16,
and only DriverEntry (or GsDriverEntry) is exported. Which NDIS version a driver is written for is said as
on Windows: -DNDIS630=1, -DNDIS_MINIPORT_DRIVER -DNDIS630_MINIPORT=1, -DNDIS51=1 ...

  -c, -S, -E, -fsyntax-only   stop after compiling, at assembly, after preprocessing, after checking
  -o FILE                     the output; else the first source's name with .so, .o or .s
  -I -D -U -include -isystem -iquote -O -g -std= -f... -W... -m... -l -L -Wl,... -x c|c++
                              as for gcc
  -MD -MMD -MF -MT -MQ -MP    write what the sources include, for make and ninja
  --compiler NAME             the compiler to run (default: $UNDIS_CC, else gcc)
  --wpp-func 'NAME(...)'      a trace function of the driver's WPP configuration; the .tmh files that
                              the sources include are made here, with every trace function doing nothing
  --memory                    the driver's code tells of each read and write, so that an exhaustive search
                              leaves out what comes to the same (docs/schedules.md); also at the link
  --print-flags               print the options that sources are compiled with, and stop
  --dry-run, -###             print the commands and run nothing
  -v                          print the commands as they run

Include names are forgiven their case and their backslashes, as Windows does.
A function that undis does not have yet fails at the link, named, with its row of docs/ddi.md; so does one
that only the host's C library has (malloc, printf ...), with what NT's kernel has in its place.
)";

namespace {

constexpr std::array<std::string_view, 6> kDirectoryFlags{"-I",      "-isystem", "-idirafter",
                                                          "-iquote", "-imacros", "-include"};

std::string extension(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string() : std::string(name.substr(dot));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
  return text;
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& words) : words_(words) {}

  CcOptions parse() {
    while (at_ < words_.size()) word();
    finish();
    return std::move(options_);
  }

 private:
  /// The argument of `flag`, joined or as the next word; nullopt: this word is not that flag.
  std::optional<std::string> argument_of(std::string_view flag) {
    const std::string& word = words_[at_];
    if (!word.starts_with(flag)) return std::nullopt;
    if (word.size() > flag.size()) return word.substr(flag.size());
    if (at_ + 1 == words_.size())
      throw UsageError(fmt::format("{}: an argument was expected after it", flag));
    return words_[++at_];
  }

  /// As argument_of, but for long flags: "--flag=x" or "--flag x".
  std::optional<std::string> value_of(std::string_view flag) {
    const std::string& word = words_[at_];
    if (word == flag) return argument_of(flag);
    if (word.starts_with(flag) && word[flag.size()] == '=') return word.substr(flag.size() + 1);
    return std::nullopt;
  }

  void word() {
    const std::string& word = words_[at_];
    if (word.empty() || word[0] != '-' || word == "-") {
      input(word);
    } else if (!own_option(word) && !goal(word) && !dependency(word) && !preprocessor(word) &&
               !linker(word)) {
      compiler(word);
    }
    ++at_;
  }

  bool own_option(const std::string& word) {
    if (word == "--help" || word == "-h") {
      options_.help = true;
    } else if (word == "--memory") {
      options_.memory = true;
    } else if (word == "--dry-run" || word == "-###") {
      options_.dry_run = true;
    } else if (word == "--print-flags") {
      options_.print_flags = true;
    } else if (word == "-v") {
      options_.verbose = true;
    } else if (auto name = value_of("--compiler")) {
      options_.compiler = *name;
    } else if (auto function = value_of("--wpp-func")) {
      options_.wpp_functions.push_back(function->substr(0, function->find_first_of("({ ")));
    } else if (word.starts_with("--") && word != "--coverage" && !word.starts_with("--param=") &&
               !word.starts_with("--sysroot=")) {
      throw UsageError(fmt::format("{}: no option of undis cc; see undis cc --help", word));
    } else {
      return false;
    }
    return true;
  }

  bool goal(const std::string& word) {
    if (word == "-c") {
      options_.goal = CcGoal::Object;
    } else if (word == "-S") {
      options_.goal = CcGoal::Assembly;
    } else if (word == "-E") {
      options_.goal = CcGoal::Preprocess;
    } else if (word == "-fsyntax-only") {
      options_.goal = CcGoal::SyntaxOnly;
    } else if (auto file = argument_of("-o")) {
      options_.output = *file;
    } else {
      return false;
    }
    return true;
  }

  bool dependency(const std::string& word) {
    if (word == "-MD" || word == "-MMD") {
      options_.dependencies = true;
      options_.dependencies_without_system = word == "-MMD";
    } else if (word == "-MP") {
      options_.dependencies_phony = true;
    } else if (auto file = argument_of("-MF")) {
      options_.dependency_file = *file;
    } else if (auto target = argument_of("-MT")) {
      options_.dependency_targets.insert(options_.dependency_targets.end(), {"-MT", *target});
    } else if (auto quoted = argument_of("-MQ")) {
      options_.dependency_targets.insert(options_.dependency_targets.end(), {"-MQ", *quoted});
    } else if (word == "-M" || word == "-MM") {
      throw UsageError(fmt::format("{}: not there; use -MD or -MMD, which compile as well", word));
    } else {
      return false;
    }
    return true;
  }

  bool preprocessor(const std::string& word) {
    for (const std::string_view flag : kDirectoryFlags) {
      if (auto path = argument_of(flag)) {
        // Windows sources are told of their directories with backslashes too.
        std::replace(path->begin(), path->end(), '\\', '/');
        options_.preprocessor.insert(options_.preprocessor.end(), {std::string(flag), *path});
        if (flag == "-iquote") options_.quote_dirs.push_back(*path);
        if (flag == "-I" || flag == "-isystem" || flag == "-idirafter")
          options_.include_dirs.push_back(*path);
        return true;
      }
    }
    for (const std::string_view flag : {"-D", "-U"}) {
      if (auto macro = argument_of(flag)) {
        options_.preprocessor.push_back(std::string(flag) + *macro);
        return true;
      }
    }
    if (word.starts_with("-Wp,") || word == "-undef" || word == "-nostdinc" || word == "-C") {
      options_.preprocessor.push_back(word);
      return true;
    }
    return false;
  }

  bool linker(const std::string& word) {
    for (const std::string_view flag : {"-l", "-L", "-Xlinker", "-T", "-u"}) {
      if (auto argument = argument_of(flag)) {
        options_.link.insert(options_.link.end(), {std::string(flag), *argument});
        return true;
      }
    }
    if (word.starts_with("-Wl,") || word.starts_with("-static-lib") || word.starts_with("-nostd") ||
        word == "-nodefaultlibs" || word == "-s" || word.starts_with("-fuse-ld=")) {
      options_.link.push_back(word);
      return true;
    }
    if (word == "-shared") return true;  // it always is
    return false;
  }

  void compiler(const std::string& word) {
    if (auto language = argument_of("-x")) {
      if (*language == "none") {
        language_.reset();
      } else if (*language == "c" || *language == "c++") {
        language_ = *language == "c" ? Language::C : Language::Cxx;
      } else {
        throw UsageError(fmt::format("-x {}: expected c, c++ or none", *language));
      }
      return;
    }
    if (word.starts_with("-std=")) {
      const bool cxx = word.find("++") != std::string::npos;
      (cxx ? options_.has_cxx_standard : options_.has_c_standard) = true;
    }
    if (word == "-m32" || word == "-mx32") {
      throw UsageError(fmt::format("{}: driver images are for x86-64", word));
    }
    options_.common.push_back(word);
  }

  void input(const std::string& path) {
    const std::string suffix = extension(path);
    const std::string plain = lower(suffix);
    if (language_) {
      options_.sources.push_back({path, *language_});
    } else if (suffix == ".C" || plain == ".cpp" || plain == ".cc" || plain == ".cxx") {
      options_.sources.push_back({path, Language::Cxx});
    } else if (plain == ".c") {
      options_.sources.push_back({path, Language::C});
    } else if (plain == ".s") {
      options_.sources.push_back({path, Language::Assembler});
    } else if (plain == ".o" || plain == ".a" || plain == ".so") {
      options_.link.push_back(path);
    } else {
      throw UsageError(fmt::format("{}: {}", path, why_not_an_input(plain)));
    }
  }

  static std::string why_not_an_input(const std::string& suffix) {
    if (suffix == ".rc" || suffix == ".res") {
      return "a resource script; a driver image has no resources here: leave it out";
    }
    if (suffix == ".mc") {
      return "a message text file; make its header with the message compiler (windmc of binutils-mingw-w64) "
             "and leave "
             "the file out";
    }
    if (suffix == ".lib" || suffix == ".obj") {
      return "a Windows object or library; build its sources with undis cc instead. NDIS and kernel "
             "functions come with "
             "undis: ndis.lib and ntoskrnl.lib are not needed";
    }
    if (suffix == ".asm") return "MASM source; expected C, C++ or GNU assembler (.c .cpp .cc .s)";
    if (suffix == ".sys" || suffix == ".dll")
      return "a Windows image; expected sources (.c .cpp .cc), objects or archives";
    if (suffix == ".h" || suffix == ".hpp") return "a header; expected sources that include it (.c .cpp .cc)";
    return "not a kind of input that undis cc knows; expected .c .cpp .cc .cxx .s .o .a";
  }

  void finish() {
    if (options_.compiler.empty()) {
      const char* wish = std::getenv("UNDIS_CC");
      options_.compiler = wish != nullptr && *wish != '\0' ? wish : "gcc";
    }
    if (options_.help || options_.print_flags) return;
    if (options_.sources.empty() && (options_.link.empty() || options_.goal != CcGoal::Link)) {
      throw UsageError("no sources; expected at least one .c or .cpp file. See undis cc --help");
    }
    if (options_.goal != CcGoal::Link && !options_.output.empty() && options_.sources.size() > 1) {
      throw UsageError(fmt::format("-o {}: names one output, but there are {} sources", options_.output,
                                   options_.sources.size()));
    }
    if (options_.dependencies && !options_.dependency_file.empty() && options_.sources.size() > 1) {
      throw UsageError(fmt::format("-MF {}: names one file, but there are {} sources",
                                   options_.dependency_file, options_.sources.size()));
    }
    const auto assembler = std::ranges::find(options_.sources, Language::Assembler, &CcSource::language);
    if (options_.memory && assembler != options_.sources.end()) {
      throw UsageError(
          fmt::format("{}: what assembler reads and writes is not seen; expected C or C++ with --memory",
                      assembler->path));
    }
    const auto sanitizer = std::ranges::find_if(
        options_.common, [](const std::string& word) { return word.starts_with("-fsanitize="); });
    if (options_.memory && sanitizer != options_.common.end()) {
      throw UsageError(fmt::format(
          "--memory and {}: a driver tells one or the other of what it reads and writes", *sanitizer));
    }
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  std::optional<Language> language_;
  CcOptions options_;
};

}  // namespace

bool CcOptions::defines(const std::string& macro) const {
  return std::any_of(preprocessor.begin(), preprocessor.end(), [&](const std::string& word) {
    if (!word.starts_with("-D") && !word.starts_with("-U")) return false;
    return word.substr(2, word.find('=') == std::string::npos ? std::string::npos : word.find('=') - 2) ==
           macro;
  });
}

CcOptions parse_cc_options(const std::vector<std::string>& arguments) {
  return Parser(arguments).parse();
}

}  // namespace undis::cli
