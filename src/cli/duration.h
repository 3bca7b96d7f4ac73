// SPDX-License-Identifier: MIT
//
// Durations as people type them: 500ms, 10s, 2m, 1h, 1m30s; a number alone is seconds.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace undis::cli {

/// nullopt: `text` is no duration, or a longer one than a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace undis::cli
