// SPDX-License-Identifier: MIT
//
// Reading an INF as text: encodings, continued lines, comments, quotes, %tokens%.
// Page: install/general-syntax-rules-for-inf-files.
#include "lab/inf_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "kernel/unicode.h"

namespace undis::lab {
namespace {

/// 0x80 to 0x9F of Windows-1252; 0: unassigned.
constexpr std::array<char16_t, 32> kWindows1252{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

bool is_utf8(std::string_view bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i++]);
    const int more = lead < 0x80                   ? 0
                     : lead >= 0xC2 && lead < 0xE0 ? 1
                     : lead >= 0xE0 && lead < 0xF0 ? 2
                     : lead >= 0xF0 && lead < 0xF5 ? 3
                                                   : -1;
    if (more < 0) return false;
    for (int k = 0; k < more; ++k)
      if (i >= bytes.size() || (static_cast<unsigned char>(bytes[i++]) & 0xC0) != 0x80) return false;
  }
  return true;
}

std::string from_utf16(std::string_view bytes, bool big) {
  if (bytes.size() % 2 != 0)
    throw InfWrong{0, "the file is UTF-16 by its mark and has an odd number of bytes"};
  std::u16string text;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    text.push_back(static_cast<char16_t>(big ? first << 8 | second : second << 8 | first));
  }
  return kernel::to_utf8(text);
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\r\f\v";
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// A line without its comment; quotes keep a semicolon.
std::string_view without_comment(std::string_view line) noexcept {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == ';' && !quoted) return line.substr(0, i);
  }
  return line;
}

struct Line {
  int number;
  std::string text;
};

/// Lines as they are meant: comments gone, a backslash at the end joins the next line.
std::vector<Line> logical_lines(const std::string& text) {
  std::vector<Line> lines;
  int number = 0;
  bool joins = false;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    ++number;
    std::string_view line = trimmed(without_comment(std::string_view(text).substr(at, end - at)));
    at = end + 1;
    const bool continues = !line.empty() && line.back() == '\\' &&
                           std::count(line.begin(), line.end(), '"') % 2 == 0 && line.front() != '[';
    if (continues) line = trimmed(line.substr(0, line.size() - 1));
    if (joins) {
      lines.back().text += line;
    } else if (!line.empty() || continues) {
      lines.push_back({number, std::string(line)});
    }
    joins = continues;
  }
  return lines;
}

/// Splits at `separator` outside quotes; at most `most` parts.
std::vector<std::string_view> split(std::string_view text, char separator, std::size_t most) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] != separator || quoted || parts.size() + 1 == most) continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

class Strings {
 public:
  void read(const std::vector<InfSection>& sections) {
    for (const std::string_view name : {"Strings", "Strings.0409"})
      for (const InfSection& section : sections)
        if (same_name(section.name, name))
          for (const InfLine& line : section.lines)
            if (!line.key.empty() && !has(line.key))
              entries_.push_back({line.key, line.values.empty() ? "" : line.values.front()});
  }

  /// With %tokens% replaced and quotes taken off.
  std::string resolve(std::string_view raw, int line) const {
    std::string text;
    const std::string_view value = trimmed(raw);
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const char c = value[i];
      if (c == '"') {
        if (quoted && i + 1 < value.size() && value[i + 1] == '"') {
          text += value[++i];
          continue;
        }
        quoted = !quoted;
      } else if (c != '%') {
        text += c;
      } else if (i + 1 < value.size() && value[i + 1] == '%') {
        text += value[++i];
      } else {
        const std::size_t end = value.find('%', i + 1);
        if (end == std::string_view::npos)
          throw InfWrong{line, fmt::format("a % without its other one in {}", value)};
        text += lookup(value.substr(i + 1, end - i - 1), line);
        i = end;
      }
    }
    if (quoted) throw InfWrong{line, fmt::format("the quotation mark of {} is never closed", value)};
    return text;
  }

 private:
  bool has(std::string_view name) const {
    return std::ranges::any_of(entries_, [&](const auto& e) { return same_name(e.first, name); });
  }

  std::string lookup(std::string_view name, int line) const {
    for (const auto& [key, value] : entries_)
      if (same_name(key, name)) return value;
    // A number is one of the folders of Windows: it stays as it is, and means something for files only.
    if (!name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; }))
      return fmt::format("%{}%", name);
    throw InfWrong{line, fmt::format("%{}% is not defined in [Strings]", name)};
  }

  std::vector<std::pair<std::string, std::string>> entries_;
};

InfSection& section_named(std::vector<InfSection>& sections, std::string_view name, int line) {
  for (InfSection& section : sections)
    if (same_name(section.name, name)) return section;
  sections.push_back({line, std::string(name), {}});
  return sections.back();
}

InfLine parse_line(const Line& line, const Strings* strings) {
  const auto resolve = [&](std::string_view raw) {
    return strings != nullptr ? strings->resolve(raw, line.number) : std::string(trimmed(raw));
  };
  InfLine parsed{line.number, {}, {}};
  const auto sides = split(line.text, '=', 2);
  if (sides.size() == 2) parsed.key = resolve(sides[0]);
  for (const std::string_view value : split(sides.back(), ',', ~std::size_t{0}))
    parsed.values.push_back(resolve(value));
  if (parsed.values.size() == 1 && parsed.values.front().empty()) parsed.values.clear();
  return parsed;
}

/// What stampinf makes of an INF template (.inx, and many an .inf in a source tree) for this platform.
std::string stamped(std::string text) {
  constexpr std::string_view kArchitecture = "$ARCH$";
  for (std::size_t at = text.find(kArchitecture); at != std::string::npos; at = text.find(kArchitecture, at))
    text.replace(at, kArchitecture.size(), "amd64");
  return text;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string decode_inf(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE")) return from_utf16(bytes.substr(2), false);
  if (bytes.starts_with("\xFE\xFF")) return from_utf16(bytes.substr(2), true);
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (bytes.find('\0') != std::string_view::npos)
    throw InfWrong{0, "the file has zero bytes and no mark: UTF-16 needs FF FE or FE FF at its beginning"};
  if (is_utf8(bytes)) return std::string(bytes);
  std::u16string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(byte >= 0x80 && byte < 0xA0 && kWindows1252[byte - 0x80U] != 0
                       ? kWindows1252[byte - 0x80U]
                       : static_cast<char16_t>(byte));
  }
  return kernel::to_utf8(text);
}

std::vector<InfSection> split_inf(const std::string& source) {
  const std::string text = stamped(source);
  struct Raw {
    std::string section;
    Line line;
  };
  std::vector<InfSection> sections;
  std::vector<Raw> raw;
  std::vector<InfSection> plain;  // of [Strings], which everything else needs
  std::string current;
  for (const Line& line : logical_lines(text)) {
    if (line.text.front() == '[') {
      const std::size_t end = line.text.find(']');
      if (end == std::string::npos)
        throw InfWrong{line.number, fmt::format("the section name {} has no ]", line.text)};
      if (!trimmed(std::string_view(line.text).substr(end + 1)).empty())
        throw InfWrong{line.number,
                       fmt::format("text after the section name: {}", line.text.substr(end + 1))};
      current = std::string(trimmed(std::string_view(line.text).substr(1, end - 1)));
      if (current.empty()) throw InfWrong{line.number, "a section without a name"};
      section_named(sections, current, line.number);
      continue;
    }
    if (current.empty())
      throw InfWrong{line.number, fmt::format("a line before the first section: {}", line.text)};
    if (std::count(line.text.begin(), line.text.end(), '"') % 2 != 0)
      throw InfWrong{line.number, fmt::format("the quotation mark of {} is never closed", line.text)};
    raw.push_back({current, line});
  }
  Strings none;
  for (const Raw& entry : raw)
    if (same_name(entry.section, "Strings") || same_name(entry.section, "Strings.0409"))
      section_named(plain, entry.section, entry.line.number).lines.push_back(parse_line(entry.line, &none));
  Strings strings;
  strings.read(plain);
  for (const Raw& entry : raw) {
    if (same_name(std::string_view(entry.section).substr(0, 7), "Strings"))
      continue;  // of other languages: as they are
    section_named(sections, entry.section, entry.line.number)
        .lines.push_back(parse_line(entry.line, &strings));
  }
  return sections;
}

}  // namespace undis::lab
