// SPDX-License-Identifier: MIT
//
// Finding declarations in preprocessed C.
#include "cli/cc_prototypes.h"

#include <algorithm>
#include <cctype>

namespace undis::cli {
namespace {

bool is_name(char c) noexcept {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Behind a string or character constant that begins at `at`.
std::size_t behind_constant(const std::string& text, std::size_t at) noexcept {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

std::size_t behind_space(const std::string& text, std::size_t at) noexcept {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  return at;
}

/// Behind the parenthesis that closes the one at `at`; npos: none does.
std::size_t behind_parenthesis(const std::string& text, std::size_t at) noexcept {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = behind_constant(text, at);
      continue;
    }
    ++at;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return at;
  }
  return std::string::npos;
}

}  // namespace

std::vector<std::string> conflicting_functions(std::string_view messages) {
  constexpr std::string_view kPhrase = "conflicting types for ";
  std::vector<std::string> names;
  for (std::size_t at = messages.find(kPhrase); at != std::string_view::npos;
       at = messages.find(kPhrase, at)) {
    at += kPhrase.size();
    while (at < messages.size() && !is_name(messages[at]) && messages[at] != '\n')
      ++at;  // quotes of any kind, colours
    std::string name;
    while (at < messages.size() && is_name(messages[at])) name += messages[at++];
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

bool loosen_prototypes(std::string& text, const std::vector<std::string>& functions) {
  bool found = false;
  int depth = 0;  // of braces
  bool line_begins = true;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '#' && line_begins) {  // a line marker or a pragma
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    line_begins = c == '\n' || (line_begins && (c == ' ' || c == '\t'));
    if (c == '"' || c == '\'') {
      at = behind_constant(text, at);
      continue;
    }
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (!is_name(c)) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_name(text[end])) ++end;
    const std::string_view name = std::string_view(text).substr(at, end - at);
    const bool wanted = depth == 0 && std::ranges::find(functions, name) != functions.end();
    at = end;
    if (!wanted) continue;
    const std::size_t open = behind_space(text, end);
    if (open >= text.size() || text[open] != '(') continue;
    const std::size_t close = behind_parenthesis(text, open);
    if (close == std::string::npos) return found;
    const std::size_t next = behind_space(text, close);
    at = close;
    if (next >= text.size() || text[next] != ';') continue;  // the definition
    for (std::size_t i = open + 1; i + 1 < close; ++i)
      if (text[i] != '\n') text[i] = ' ';
    found = true;
  }
  return found;
}

}  // namespace undis::cli
