// SPDX-License-Identifier: MIT
//
// The table is generated from spec/ddi.csv, sorted by name.
#include "loader/ddi_status.h"

#include <fmt/format.h>

#if __has_include("undis/ddi_table.h")
#include "undis/ddi_table.h"
#endif

namespace undis::loader {

bool has_row(std::string_view) { return false; }
std::string why_missing(std::string_view function) { return fmt::format("{} is not there", function); }

}  // namespace undis::loader
