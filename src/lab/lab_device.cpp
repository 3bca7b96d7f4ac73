// SPDX-License-Identifier: MIT
//
// Steps on a device: their text, and what comes of them.
#include "lab/lab_device.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernel/file.h"

namespace undis::lab {
namespace {

constexpr std::size_t kLargest = 16U * 1024 * 1024;
constexpr std::uint64_t kPatience = 50'000'000;  // 5 s: then a request is cancelled

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == ' ' && !quoted) {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool add_bytes(const std::string& word, std::vector<std::uint8_t>& bytes) {
  if (word.size() >= 2 && word.front() == '"' && word.back() == '"') {
    bytes.insert(bytes.end(), word.begin() + 1, word.end() - 1);
    return true;
  }
  if (word.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < word.size(); i += 2) {
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(word.data() + i, word.data() + i + 2, byte, 16);
    if (error != std::errc{} || end != word.data() + i + 2) return false;
    bytes.push_back(byte);
  }
  return true;
}

}  // namespace

loader::Result<DeviceStep> parse_step(const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  const auto wrong = [&](const char* expected) {
    return loader::Failure{fmt::format("\"{}\": expected {}", text, expected)};
  };
  DeviceStep step;
  if (words.empty()) return wrong("ioctl, read or write");
  std::size_t at = 1;
  if (words[0] == "read") {
    const auto size = words.size() == 2 ? number_of(words[1]) : std::nullopt;
    if (!size || *size > kLargest) return wrong("read and how many bytes (read 64)");
    step.output = *size;
    return step;
  }
  if (words[0] == "ioctl") {
    step.kind = DeviceStep::Kind::Ioctl;
    const auto code = words.size() > 1 ? number_of(words[1]) : std::nullopt;
    if (!code || *code > 0xFFFFFFFF) return wrong("ioctl and its code (ioctl 0x12C804)");
    step.code = static_cast<std::uint32_t>(*code);
    at = 2;
  } else if (words[0] == "write") {
    step.kind = DeviceStep::Kind::Write;
  } else {
    return wrong("ioctl, read or write");
  }
  for (; at < words.size() && words[at] != "->"; ++at)
    if (!add_bytes(words[at], step.input))
      return wrong("bytes in hexadecimal digits, or text in quotation marks");
  if (at == words.size()) return step;
  const auto size = at + 2 == words.size() ? number_of(words[at + 1]).value_or(kLargest + 1) : kLargest + 1;
  if (step.kind != DeviceStep::Kind::Ioctl || size > kLargest)
    return wrong("-> and how many bytes are to come back, of an ioctl");
  step.output = size;
  return step;
}

bool use_device(const std::string& device, const std::vector<std::string>& steps,
                std::vector<std::string>& lines) {
  NTSTATUS status = STATUS_SUCCESS;
  const auto file = kernel::File::open(device, status);
  if (file == nullptr) {
    lines.push_back(
        fmt::format("{}: not opened: status {:#010x}", device, static_cast<std::uint32_t>(status)));
    return false;
  }
  bool all = true;
  for (const std::string& text : steps) {
    const auto step = parse_step(text);
    if (!step) {
      lines.push_back(fmt::format("{}: {}", device, step.error()));
      return false;
    }
    std::vector<std::uint8_t> output(step->output);
    auto request = step->kind == DeviceStep::Kind::Read ? file->start_read(output.data(), output.size())
                   : step->kind == DeviceStep::Kind::Write
                       ? file->start_write(step->input.data(), step->input.size())
                       : file->start_ioctl(step->code, step->input.data(), step->input.size(), output.data(),
                                           output.size());
    const bool in_time = request.wait_for(kPatience);
    if (!in_time) request.cancel();
    status = request.wait();
    std::string line = fmt::format("{}: {}: ", device, text);
    if (!NT_SUCCESS(status)) {
      line += fmt::format("status {:#010x}{}", static_cast<std::uint32_t>(status),
                          in_time ? "" : " (cancelled after 5 s)");
      all = false;
    } else {
      const std::size_t done = request.information();
      line += fmt::format("{} bytes", done);
      output.resize(std::min(output.size(), done));
      if (!output.empty()) line += fmt::format(": {:02x}", fmt::join(output, " "));
    }
    lines.push_back(std::move(line));
  }
  file->close();
  return all;
}

}  // namespace undis::lab
