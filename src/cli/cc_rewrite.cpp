// SPDX-License-Identifier: MIT
//
// The rewriter is a tokenizer of C and C++ after preprocessing: no directives but line markers and pragmas
// are left, and comments only with -C. Changes are made in place, in a copy of the text.
#include "cli/cc_rewrite.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>

namespace undis::cli {
namespace {

bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool continues_name(char c) {
  return starts_name(c) || is_digit(c);
}

bool is_below(std::string_view path, std::string_view directory) {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  return !directory.empty() && path.starts_with(directory) && path.size() > directory.size() &&
         path[directory.size()] == '/';
}

/// `# 12 "dir/file.c" 1 3`: which file the next line comes from.
struct LineMarker {
  std::string file;
  bool enters = false;  ///< flag 1: an #include begins here
  bool system = false;  ///< flag 3
};

std::optional<LineMarker> parse_marker(std::string_view line) {
  std::size_t at = 1;  // past '#'
  if (line.substr(at).starts_with("line")) at += 4;
  const auto skip_blanks = [&] {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  };
  skip_blanks();
  if (at == line.size() || !is_digit(line[at])) return std::nullopt;
  while (at < line.size() && is_digit(line[at])) ++at;
  skip_blanks();
  if (at == line.size() || line[at] != '"') return std::nullopt;
  LineMarker marker;
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    marker.file += line[at];
  }
  for (; at < line.size(); ++at) {
    if (line[at] == '1') marker.enters = true;
    if (line[at] == '3') marker.system = true;
  }
  return marker;
}

/// What replaces an integer literal's suffix; nullopt: it stays.
std::optional<std::string_view> new_suffix(std::string_view suffix) {
  std::string lower;
  for (const char c : suffix) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static constexpr std::array<std::array<std::string_view, 2>, 11> kSuffixes{{
      {"l", ""},
      {"ul", "U"},
      {"lu", "U"},
      {"i64", "LL"},
      {"ui64", "ULL"},
      {"i32", ""},
      {"ui32", "U"},
      {"i16", ""},
      {"ui16", "U"},
      {"i8", ""},
      {"ui8", "U"},
  }};
  for (const auto& [from, to] : kSuffixes) {
    if (lower == from) return to;
  }
  return std::nullopt;
}

/// The length of the digits of an integer literal, with its 0x or 0b; 0 for a floating one.
std::size_t integer_digits(std::string_view number) {
  const auto base_letter =
      number.size() > 1 && number[0] == '0' ? std::tolower(static_cast<unsigned char>(number[1])) : 0;
  const bool hexadecimal = base_letter == 'x';
  std::size_t at = hexadecimal || base_letter == 'b' ? 2 : 0;
  while (at < number.size()) {
    const auto c = static_cast<unsigned char>(number[at]);
    if (hexadecimal ? std::isxdigit(c) == 0 : std::isdigit(c) == 0) {
      if (c != '\'') break;
    }
    ++at;
  }
  const auto next = at < number.size() ? std::tolower(static_cast<unsigned char>(number[at])) : 0;
  const bool floating = next == '.' || (hexadecimal ? next == 'p' : next == 'e');
  return floating || number.starts_with('.') ? 0 : at;
}

class Rewriter {
 public:
  Rewriter(std::string_view text, const RewriteScope& scope) : text_(text), scope_(scope) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (at_line_start_ && directive()) continue;
      token();
    }
    end_of_specifiers();
    return std::move(text_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  /// A line that begins with '#': a marker tells the file; anything else (a pragma) stays as it is.
  bool directive() {
    std::size_t first = at_;
    while (first < text_.size() && (text_[first] == ' ' || text_[first] == '\t')) ++first;
    if (first == text_.size() || text_[first] != '#') return false;
    const std::size_t end = std::min(text_.find('\n', first), text_.size());
    if (const auto marker = parse_marker(std::string_view(text_).substr(first, end - first))) enter(*marker);
    at_ = std::min(end + 1, text_.size());
    return true;
  }

  void enter(const LineMarker& marker) {
    // A macro of a system header that is used in a driver's file is marked `# 7 "driver.c" 3 4`: what the
    // file was when it was entered counts, not the flag on such a line.
    auto known = system_files_.find(marker.file);
    if (known == system_files_.end() || marker.enters) {
      const bool system =
          is_below(marker.file, scope_.wdk) ||
          (marker.system &&
           std::none_of(scope_.driver_roots.begin(), scope_.driver_roots.end(),
                        [&](const std::string& root) { return is_below(marker.file, root); }));
      known = system_files_.insert_or_assign(marker.file, system).first;
    }
    if (known->second != in_system_) end_of_specifiers();
    in_system_ = known->second;
  }

  void token() {
    const char c = peek();
    at_line_start_ = c == '\n' || (at_line_start_ && (c == ' ' || c == '\t'));
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at_;
    } else if (starts_name(c)) {
      name();
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      number();
    } else if (c == '"' || c == '\'') {
      words_ = 0;
      end_of_specifiers();
      quoted(c);
    } else if (c == '/' && (peek(1) == '/' || peek(1) == '*')) {
      comment();
    } else {
      words_ = 0;
      end_of_specifiers();
      if (c == '(' && begins_statement_ && !in_system_) cast_as_lvalue();
      ++at_;
    }
    if (std::isspace(static_cast<unsigned char>(c)) == 0)
      begins_statement_ = c == ';' || c == '{' || c == '}' || c == ':';
  }

  /// `(int)A = x` at the beginning of a statement -> `A =(int) x`: the same for types of one size, which is
  /// what drivers do it with.
  void cast_as_lvalue() {
    const auto skip = [this](std::size_t at) {
      while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t')) ++at;
      return at;
    };
    const auto word_end = [this](std::size_t at) {
      while (at < text_.size() && continues_name(text_[at])) ++at;
      return at;
    };
    std::size_t at = skip(at_ + 1);
    bool named = false;
    while (at < text_.size() && (starts_name(text_[at]) || (named && text_[at] == '*'))) {
      named = true;
      at = skip(text_[at] == '*' ? at + 1 : word_end(at));
    }
    if (!named || at >= text_.size() || text_[at] != ')') return;
    const std::size_t closing = at;
    const std::size_t name = skip(closing + 1);
    if (name >= text_.size() || !starts_name(text_[name])) return;
    const std::size_t equals = skip(word_end(name));
    if (equals + 1 >= text_.size() || text_[equals] != '=' || text_[equals + 1] == '=') return;
    std::rotate(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                text_.begin() + static_cast<std::ptrdiff_t>(closing + 1),
                text_.begin() + static_cast<std::ptrdiff_t>(equals + 1));
  }

  void name() {
    const std::size_t begin = at_;
    while (continues_name(peek())) ++at_;
    const std::string_view word = std::string_view(text_).substr(begin, at_ - begin);
    own_char(word, begin);
    if (peek() == '"' && (word == "R" || word == "LR" || word == "uR" || word == "UR" || word == "u8R")) {
      end_of_specifiers();
      raw_string();
    } else if (word == "long") {
      longs_.push_back(begin);
    } else if (word == "int") {
      has_int_ = true;
    } else if (word == "double") {
      has_double_ = true;
    } else if (word != "unsigned" && word != "signed" && word != "const" && word != "volatile" &&
               word != "__signed__" && word != "__const" && word != "__volatile__") {
      end_of_specifiers();
    }
  }

  /// `signed char CHAR` -> `       char CHAR`.
  void own_char(std::string_view word, std::size_t begin) {
    if (word == "CHAR" && words_ == 2 && !in_system_) text_.replace(signed_at_, 6, "      ");
    if (word == "char" && words_ == 1) {
      words_ = 2;
    } else {
      words_ = word == "signed" ? 1 : 0;
      signed_at_ = begin;
    }
  }

  /// Names of a type stand side by side ("unsigned long const int"): what `long` means is known at the end of
  /// the row.
  void end_of_specifiers() {
    if (longs_.size() == 1 && !has_double_ && !in_system_) {
      text_.replace(longs_[0], 4, has_int_ ? "    " : "int ");
    }
    longs_.clear();
    has_int_ = has_double_ = false;
  }

  void number() {
    end_of_specifiers();
    const std::size_t begin = at_;
    while (continues_name(peek()) || peek() == '.' || (peek() == '\'' && continues_name(peek(1))) ||
           ((peek() == '+' || peek() == '-') && exponent(begin))) {
      ++at_;
    }
    if (in_system_) return;
    const std::string_view literal = std::string_view(text_).substr(begin, at_ - begin);
    const std::size_t digits = integer_digits(literal);
    if (digits == 0) return;
    const std::string_view suffix = literal.substr(digits);
    if (const auto replacement = new_suffix(suffix)) {
      std::string padded(*replacement);
      padded.resize(suffix.size(), ' ');
      text_.replace(begin + digits, suffix.size(), padded);
    }
  }

  /// Whether the sign at hand belongs to an exponent: 1e+5, 0x1p-3, but not 0x1E+5.
  bool exponent(std::size_t begin) const {
    if (at_ == begin) return false;
    const auto before = std::tolower(static_cast<unsigned char>(text_[at_ - 1]));
    const bool hexadecimal = text_[begin] == '0' && begin + 1 < text_.size() &&
                             (text_[begin + 1] == 'x' || text_[begin + 1] == 'X');
    return hexadecimal ? before == 'p' : before == 'e';
  }

  void quoted(char quote) {
    ++at_;
    while (at_ < text_.size() && peek() != quote && peek() != '\n') at_ += peek() == '\\' ? 2 : 1;
    if (at_ < text_.size() && peek() == quote) ++at_;
    at_ = std::min(at_, text_.size());
  }

  void raw_string() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string::npos) {
      ++at_;
      return;
    }
    const std::string closing = ")" + text_.substr(at_ + 1, open - at_ - 1) + "\"";
    const std::size_t end = text_.find(closing, open);
    at_ = end == std::string::npos ? text_.size() : end + closing.size();
  }

  void comment() {
    const bool line = peek(1) == '/';
    const std::size_t end = line ? text_.find('\n', at_) : text_.find("*/", at_ + 2);
    at_ = end == std::string::npos ? text_.size() : end + (line ? 0 : 2);
  }

  std::string text_;
  const RewriteScope& scope_;
  std::size_t at_ = 0;
  bool at_line_start_ = true;
  bool in_system_ = false;
  std::map<std::string, bool> system_files_;
  std::vector<std::size_t> longs_;  ///< where `long` stands in the row of type names being read
  bool has_int_ = false;
  bool has_double_ = false;
  bool begins_statement_ = false;  ///< nothing but blanks since ';', '{', '}' or ':'
  int words_ = 0;                  ///< of `signed char` just read
  std::size_t signed_at_ = 0;
};

}  // namespace

std::string rewrite_long(std::string_view text, const RewriteScope& scope) {
  return Rewriter(text, scope).run();
}

}  // namespace undis::cli
