// SPDX-License-Identifier: MIT
//
// The table is generated from spec/ddi.csv, as docs/ddi.md is.
#include "loader/ddi_status.h"

#include <fmt/format.h>

#include "undis/ddi_table.h"

namespace undis::loader {

bool has_row(std::string_view function) {
  return find_ddi(function) != nullptr;
}

std::string why_missing(std::string_view function) {
  const DdiInfo* row = find_ddi(function);
  if (row == nullptr && function.starts_with("undis_")) {
    return fmt::format(
        "{} is undis' own, called by its headers: this libundis.so is not the one that goes with them",
        function);
  }
  if (row == nullptr) {
    return fmt::format("{} is defined nowhere: no source or library on the command line has it, and "
                       "docs/ddi.md has no row for it",
                       function);
  }
  if (std::string_view(row->status) == "none") {
    return fmt::format("{} is not in undis yet (docs/ddi.md: status none)", function);
  }
  return fmt::format(
      "{} is in undis (docs/ddi.md: status {}), but not in the libundis.so at hand: is that one older?",
      function, row->status);
}

}  // namespace undis::loader
