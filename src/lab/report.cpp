// SPDX-License-Identifier: MIT
//
// Which forms are written where.
#include "lab/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace undis::lab {
namespace {

constexpr std::string_view kManual = "https://learn.microsoft.com/windows-hardware/drivers/";

/// "" or why `path` could not be written. "-" is standard output.
std::string write_file(const std::string& path, const std::string& text) {
  std::FILE* const file = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
  if (file == nullptr) return fmt::format("{}: cannot be written: {}", path, std::strerror(errno));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file == stdout ? std::fflush(file) == 0 : std::fclose(file) == 0;
  return written && closed ? std::string()
                           : fmt::format("{}: cannot be written: {}", path, std::strerror(errno));
}

bool wants_color(Color color) {
  if (color != Color::Auto) return color == Color::Always;
  const char* never = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && (never == nullptr || *never == '\0');
}

}  // namespace

std::string page_address(const std::string& page) {
  if (page.empty() || page.starts_with("https://")) return page;
  // Reference pages are named by kind: nf-ndis-..., ns-ndis-..., nc-...; all others are guides.
  const std::string_view name = std::string_view(page).substr(page.find('/') + 1);
  const bool reference = name.size() > 3 && name[0] == 'n' && name[2] == '-';
  return fmt::format("{}{}{}", kManual, reference ? "ddi/" : "", page);
}

std::string write_report(const Report& report, const VerifyOptions& options) {
  bool on_stdout = false;
  std::string failure;
  for (const auto& [path, form] : {std::pair{&options.json, &report_json},
                                   {&options.junit, &report_junit},
                                   {&options.sarif, &report_sarif},
                                   {&options.html, &report_html}}) {
    if (path->empty()) continue;
    on_stdout = on_stdout || *path == "-";
    const std::string why = write_file(*path, form(report));
    if (failure.empty()) failure = why;
  }
  // A form that a program reads from standard output must stand there alone.
  if (!on_stdout) {
    const std::string why = write_file("-", report_text(report, wants_color(options.color), options.quiet));
    if (failure.empty()) failure = why;
  }
  return failure;
}

}  // namespace undis::lab
