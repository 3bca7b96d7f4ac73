// SPDX-License-Identifier: MIT
//
// Two steps a source: the compiler's preprocessor, then the compiler proper on text in which `long` has 32
// bits (cc_rewrite.h). An argument like -Dlong=int could not tell `long long`, nor literals such as
// 0xC0000001L.
#include "cli/cc.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "cli/cc_includes.h"
#include "cli/cc_link.h"
#include "cli/cc_memory.h"
#include "cli/cc_options.h"
#include "cli/cc_prototypes.h"
#include "cli/cc_rewrite.h"
#include "cli/host_functions.h"
#include "cli/paths.h"
#include "cli/process.h"
#include "loader/ddi_status.h"
#include "loader/elf_file.h"

namespace fs = std::filesystem;

namespace undis::cli {
namespace {

using Words = std::vector<std::string>;

void append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw UsageError(fmt::format("{}: cannot be written", path.string()));
}

std::string without_colours(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const std::size_t escape = text.find('\x1b');
    plain += text.substr(0, escape);
    if (escape == std::string_view::npos) break;
    text.remove_prefix(escape);
    const std::size_t end = text.find_first_of("mK");
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return plain;
}

/// Removes what lies below `directory` from a dependency file: those headers are gone when undis cc ends.
std::string without_temporaries(const std::string& rules, const std::string& directory) {
  std::string kept;
  bool in_temporary_rule = false;
  for (std::size_t at = 0; at < rules.size();) {
    std::size_t end = rules.find('\n', at);
    end = end == std::string::npos ? rules.size() : end + 1;
    std::string line = rules.substr(at, end - at);
    at = end;
    const bool continued = line.size() > 1 && line[line.size() - 2] == '\\';
    if (line.starts_with(directory) && line.find(":\n") != std::string::npos) {  // a phony target of -MP
      in_temporary_rule = true;
      continue;
    }
    if (in_temporary_rule && line == "\n") {
      in_temporary_rule = false;
      continue;
    }
    in_temporary_rule = false;
    for (std::size_t path = line.find(directory); path != std::string::npos; path = line.find(directory)) {
      line.erase(path, line.find_first_of(" \n", path) - path);
    }
    if (continued && line.find_first_not_of(" \\\n") == std::string::npos) continue;
    kept += line;
  }
  return kept;
}

class Compilation {
 public:
  explicit Compilation(CcOptions options) : options_(std::move(options)), paths_(find_paths()) {
    clang_ = fs::path(options_.compiler).filename().string().find("clang") != std::string::npos;
    scope_.wdk = paths_.wdk;
    scope_.driver_roots = options_.include_dirs;
    append(scope_.driver_roots, options_.quote_dirs);
  }

  int run() {
    if (options_.print_flags) {
      const Words c_flags = flags(Language::C);
      fmt::print("C    {}\nC++  {}\n", shell_line(c_flags), shell_line(flags(Language::Cxx)));
      return 0;
    }
    for (const CcSource& source : options_.sources) {
      if (!fs::is_regular_file(source.path)) {
        throw UsageError(
            fmt::format("{}: {}", source.path,
                        fs::exists(source.path) ? "not a file; expected a source file" : "no such file"));
      }
    }
    Words objects;
    bool good = true;
    for (const CcSource& source : options_.sources) {
      const std::string object = output_of(source, objects.size());
      good = (source.language == Language::Assembler ? assemble(source, object) : compile(source, object)) &&
             good;
      objects.push_back(object);
    }
    if (!good) return 1;
    return options_.goal == CcGoal::Link ? link(objects) : 0;
  }

 private:
  // ---- options ----

  /// What a WDK build for x64 sets, and what makes gcc and clang read Microsoft's C. NDIS is called by the
  /// pointers that the loader wrote, as on Windows, not by way of a jump table.
  Words flags(Language language) const {
    Words words;
    if (language == Language::C && !options_.has_c_standard) words.push_back("-std=gnu11");
    if (language == Language::Cxx && !options_.has_cxx_standard) words.push_back("-std=gnu++20");
    append(words, {"-fPIC", "-fshort-wchar", "-fms-extensions", "-mms-bitfields", "-fno-strict-aliasing",
                   "-fno-omit-frame-pointer", "-fno-plt", "-g", "-Wno-unknown-pragmas", "-Wno-multichar"});
    if (language == Language::C) {
      // Microsoft's `inline` leaves a definition behind, and tentative definitions of several files are one.
      append(words, {"-fgnu89-inline", "-fcommon", "-Werror=implicit-function-declaration"});
    } else {
      append(words, {"-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"});
    }
    if (clang_) append(words, {"-Wno-microsoft", "-Wno-ignored-pragma-intrinsic", "-Wno-pragma-pack"});
    return words;
  }

  Words definitions() const {
    Words words{"-DUNDIS_DRIVER=1"};
    // A driver's portable code must not take itself to be on the host.
    for (const char* macro :
         {"linux", "__linux", "__linux__", "unix", "__unix", "__unix__", "__gnu_linux__"}) {
      words.push_back(std::string("-U") + macro);
    }
    for (const auto& [macro, value] : {std::pair{"_WIN32_WINNT", "0x0A00"}, {"WINVER", "0x0A00"}}) {
      if (!options_.defines(macro)) words.push_back(fmt::format("-D{}={}", macro, value));
    }
    return words;
  }

  static std::string language_word(Language language, bool preprocessed) {
    const std::string name = language == Language::C ? "c" : "c++";
    if (!preprocessed) return name;
    return language == Language::C ? "cpp-output" : "c++-cpp-output";
  }

  std::string output_of(const CcSource& source, std::size_t index) const {
    const std::string stem = fs::path(source.path).stem().string();
    if (options_.goal == CcGoal::Link)
      return (fs::path(temporary_.path()) / fmt::format("{}-{}.o", index, stem)).string();
    if (!options_.output.empty()) return options_.output;
    switch (options_.goal) {
    case CcGoal::Object:
      return stem + ".o";
    case CcGoal::Assembly:
      return stem + ".s";
    default:
      return "-";
    }
  }

  // ---- steps ----

  Finished execute(const Words& command, Diagnostics diagnostics) const {
    if (options_.dry_run || options_.verbose) fmt::print(stderr, "{}\n", shell_line(command));
    if (options_.dry_run) return {};
    return run_program(command, diagnostics);
  }

  bool compile(const CcSource& source, const std::string& output) {
    const fs::path temporary = temporary_.path();
    const std::string text = (temporary / fmt::format("{}.i", units_)).string();
    IncludeHelp includes({options_.quote_dirs, options_.include_dirs, paths_.wdk, options_.wpp_functions},
                         temporary / fmt::format("{}.include", units_));
    ++units_;
    includes.scan(source.path);

    if (!preprocess(source, output, text, includes)) return false;
    if (options_.goal == CcGoal::Preprocess) return true;

    Words command{options_.compiler};
    append(command, flags(source.language));
    append(command, options_.common);
    append(command, colours());
    if (options_.memory) append(command, memory_compile_flags());
    append(command, {"-x", language_word(source.language, true), "-fpreprocessed"});
    if (clang_) command.pop_back();  // -x cpp-output says it
    if (options_.goal == CcGoal::SyntaxOnly) {
      append(command, {"-fsyntax-only", text});
    } else {
      append(command, {options_.goal == CcGoal::Assembly ? "-S" : "-c", text, "-o", output});
    }
    const Finished finished = execute(command, Diagnostics::Captured);
    if (finished.exit_code != 0 && source.language == Language::C &&
        compile_loosely(command, text, finished.diagnostics))
      return true;
    explain(finished);
    return finished.exit_code == 0;
  }

  /// Once more, without the parameters of declarations that the definition contradicts. False: it is no
  /// better.
  bool compile_loosely(const Words& command, const std::string& text, const std::string& diagnostics) {
    const std::vector<std::string> functions = conflicting_functions(diagnostics);
    if (functions.empty()) return false;
    std::string loosened = read_file(text);
    if (!loosen_prototypes(loosened, functions)) return false;
    write_file(text, loosened);
    const Finished finished = execute(command, Diagnostics::Captured);
    if (finished.exit_code != 0) return false;
    explain(finished);
    for (const std::string& function : functions)
      fmt::print(stderr,
                 "undis cc: warning: {} is declared with other parameter types than it is defined with "
                 "(Microsoft's C4028)\n",
                 function);
    return true;
  }

  bool preprocess(const CcSource& source, const std::string& output, const std::string& text,
                  const IncludeHelp& includes) {
    Words command{options_.compiler, "-E"};
    append(command, flags(source.language));
    append(command, options_.common);
    append(command, colours());
    append(command, definitions());
    append(command, {"-include", paths_.wdk + "/undis_prelude.h"});
    append(command, options_.preprocessor);
    append(command, {"-I", includes.include_dir().string(), "-isystem", paths_.wdk});
    std::string rules;
    if (options_.dependencies) {
      rules = options_.dependency_file;
      if (rules.empty()) {
        fs::path beside = options_.output.empty() || options_.goal == CcGoal::Link
                              ? fs::path(source.path).filename()
                              : fs::path(options_.output);
        rules = beside.replace_extension(".d").string();
      }
      append(command, {options_.dependencies_without_system ? "-MMD" : "-MD", "-MF", rules});
      if (options_.dependencies_phony) command.push_back("-MP");
      if (options_.dependency_targets.empty()) {
        append(command, {"-MQ", options_.goal == CcGoal::Link ? link_output() : output});
      } else {
        append(command, options_.dependency_targets);
      }
    }
    append(command, {"-x", language_word(source.language, false), source.path, "-o", text});

    const Finished finished = execute(command, Diagnostics::Captured);
    explain(finished);
    if (finished.exit_code != 0) {
      for (const std::string& hint : includes.hints()) fmt::print(stderr, "undis cc: {}\n", hint);
      return false;
    }
    if (options_.dry_run) return true;
    if (!rules.empty()) write_file(rules, without_temporaries(read_file(rules), temporary_.path()));
    const std::string rewritten = rewrite_long(read_file(text), scope_);
    if (options_.goal == CcGoal::Preprocess && output == "-") {
      fmt::print("{}", rewritten);
    } else {
      write_file(options_.goal == CcGoal::Preprocess ? output : text, rewritten);
    }
    return true;
  }

  bool assemble(const CcSource& source, const std::string& output) const {
    if (options_.goal == CcGoal::Preprocess || options_.goal == CcGoal::SyntaxOnly) return true;
    Words command{options_.compiler, "-c", "-fPIC", "-g"};
    append(command, options_.preprocessor);
    append(command, {source.path, "-o", output});
    return execute(command, Diagnostics::Through).exit_code == 0;
  }

  std::string link_output() const {
    if (!options_.output.empty()) return options_.output;
    const std::string first =
        options_.sources.empty() ? options_.link.front() : options_.sources.front().path;
    return fs::path(first).filename().replace_extension(".so").string();
  }

  int link(const Words& objects) {
    if (!fs::exists(paths_.library)) {
      throw UsageError(
          fmt::format("{}: libundis.so is not there; build or install undis first", paths_.library));
    }
    const std::string output = link_output();
    const std::string script = (fs::path(temporary_.path()) / "exports.map").string();
    write_file(script, export_script());

    Words command{options_.compiler};
    bool sanitized = false;
    for (const std::string& word : options_.common) {
      sanitized = sanitized || word.starts_with("-fsanitize=");
      // What the linker step has a use for: code generation and the runtimes that go with it.
      if (word.starts_with("-f") || word.starts_with("-O") || word.starts_with("-m") ||
          word == "--coverage" || word == "-pthread" || word.starts_with("-g")) {
        command.push_back(word);
      }
    }
    if (clang_ && sanitized)
      command.push_back("-shared-libsan");  // else clang leaves its runtime to the executable
    append(command, {"-shared", "-Wl,-Bsymbolic", "-Wl,-z,muldefs", "-Wl,--no-undefined", "-Wl,--build-id",
                     "-Wl,--version-script=" + script, "-o", output});
    append(command, objects);
    append(command, options_.link);
    if (options_.memory) {
      refuse_what_tells_nothing();
      append(command, memory_link_flags());
      if (!options_.dry_run)
        command.push_back(extra_object("memory", memory_source(), {"-O2", "-fno-builtin", "-w"}));
    }
    if (has_cxx() && !options_.dry_run) command.push_back(pure_call_object());
    command.push_back(paths_.library);

    const Finished finished = execute(command, Diagnostics::Captured);
    const auto missing = missing_functions(finished.diagnostics);
    fmt::print(stderr, "{}",
               finished.exit_code == 0 ? finished.diagnostics : other_messages(finished.diagnostics));
    for (const MissingFunction& function : missing) {
      fmt::print(stderr, "undis cc: {}{}\n", function.where.empty() ? "" : function.where + ": ",
                 loader::why_missing(function.name));
    }
    if (finished.exit_code != 0) {
      fmt::print(stderr, "undis cc: {} was not made\n", output);
      return 1;
    }
    if (options_.dry_run) return 0;
    // An image without an entry point can never be loaded: say so here, not later.
    const auto image = loader::inspect(output);
    if (!image) {
      fs::remove(output);
      fmt::print(stderr, "undis cc: {}\n", image.error());
      return 1;
    }
    const std::vector<std::string> host = host_functions(image->undefined);
    for (const std::string& function : host)
      fmt::print(stderr, "undis cc: {}: {}\n", output, why_host_function(function));
    if (host.empty()) return 0;
    fs::remove(output);
    fmt::print(stderr, "undis cc: {} was not made\n", output);
    return 1;
  }

  /// With --memory, what was compiled without it would go unseen.
  void refuse_what_tells_nothing() const {
    for (const std::string& word : options_.link) {
      if ((word.ends_with(".o") || word.ends_with(".a")) && fs::exists(word) &&
          read_file(word).find("__tsan_init") == std::string::npos)
        throw UsageError(
            fmt::format("{}: was not built with --memory; what it reads and writes would not be seen", word));
    }
  }

  bool has_cxx() const {
    return std::any_of(options_.sources.begin(), options_.sources.end(),
                       [](const CcSource& source) { return source.language == Language::Cxx; });
  }

  /// A class with pure virtual functions wants this one function of the C++ runtime. The rest of it (operator
  /// new ...) a driver has to define itself, as on Windows.
  std::string pure_call_object() const {
    return extra_object(
        "pure_call", "void __cxa_pure_virtual(void);\nvoid __cxa_pure_virtual(void) { __builtin_trap(); }\n",
        {});
  }

  /// An object of undis' own that goes into the image.
  std::string extra_object(const std::string& name, const std::string& text, const Words& options) const {
    const fs::path stem = fs::path(temporary_.path()) / name;
    const std::string source = stem.string() + ".c";
    const std::string object = stem.string() + ".o";
    write_file(source, text);
    Words command{options_.compiler, "-c", "-fPIC"};
    append(command, options);
    append(command, {source, "-o", object});
    execute(command, Diagnostics::Through);
    return object;
  }

  // ---- messages ----

  Words colours() const {
    for (const std::string& word : options_.common) {
      if (word.starts_with("-fdiagnostics-color") || word.find("color-diagnostics") != std::string::npos)
        return {};
    }
    const char* never = std::getenv("NO_COLOR");
    const bool wanted = ::isatty(STDERR_FILENO) != 0 && (never == nullptr || *never == '\0');
    return wanted ? Words{"-fdiagnostics-color=always"} : Words{};
  }

  /// Hands on what the compiler said; for a function without a declaration adds what undis knows of it.
  void explain(const Finished& finished) {
    fmt::print(stderr, "{}", finished.diagnostics);
    if (finished.exit_code == 127) {
      throw UsageError(fmt::format("the compiler {} could not be run (--compiler or UNDIS_CC names it)",
                                   options_.compiler));
    }
    const std::string plain = without_colours(finished.diagnostics);
    std::string_view text = plain;
    for (constexpr std::string_view kPhrase = "implicit declaration of function '";;) {
      const std::size_t at = text.find(kPhrase);
      if (at == std::string_view::npos) return;
      text.remove_prefix(at + kPhrase.size());
      const std::string name(text.substr(0, text.find('\'')));
      if (loader::has_row(name)) fmt::print(stderr, "undis cc: {}\n", loader::why_missing(name));
    }
  }

  CcOptions options_;
  Paths paths_;
  RewriteScope scope_;
  TemporaryDirectory temporary_;
  bool clang_ = false;
  std::size_t units_ = 0;
};

}  // namespace

int cc(const std::vector<std::string>& arguments) {
  try {
    CcOptions options = parse_cc_options(arguments);
    if (options.help) {
      fmt::print("{}", kCcHelp);
      return 0;
    }
    return Compilation(std::move(options)).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "undis cc: {}\n", error.what());
    return 2;
  }
}

}  // namespace undis::cli
