#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes what follows from the tables: libundis.so's export list, the C++ tables, docs/ddi.md.

generate.py --out DIR    the export list and the C++ tables, into DIR (the build does this)
generate.py --docs       docs/ddi.md
generate.py --check      whether docs/ddi.md is what --docs would write
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

import tables
from tables import Ddi, Irql

HEAD = "// SPDX-License-Identifier: MIT\n//\n// Made by spec/generate.py from {}; change that, not this.\n"
PAGES = "https://learn.microsoft.com/windows-hardware/drivers/ddi/"

DDI_HEADER = """#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace undis {{

/// The functions of the API, in the order of all_ddis().
enum class Ddi : std::uint16_t {{
{names}
}};

enum class DdiKind : std::uint8_t {{ Function, Variable, Callback, Macro }};

/// A row of spec/ddi.csv.
struct DdiInfo {{
  const char* name;
  DdiKind kind;
  const char* family;
  const char* versions;      ///< "5.x", "6.0+", "5.0+", "all" ...
  int min_irql;              ///< lowest IRQL at which it may be called
  int max_irql;              ///< highest; 0..15 where nothing is said
  bool irql_documented;      ///< the bound stands on the page, and is not general knowledge
  const char* rule;          ///< Microsoft's rule names, separated by ';', or ""
  const char* irql_rule;     ///< the one of them that is about the IRQL, or ""
  const char* page;          ///< "ndis/nf-ndis-ndismsendcomplete", or ""
  const char* status;        ///< "done", "partial" or "none"
}};

std::span<const DdiInfo> all_ddis() noexcept;
/// The row of this name, or nullptr.
const DdiInfo* find_ddi(std::string_view name) noexcept;
const DdiInfo& info(Ddi ddi) noexcept;

}}  // namespace undis
"""

RULE_HEADER = """#pragma once

#include <span>
#include <string_view>

namespace undis {

/// A row of spec/rules.csv: something that a driver can do wrong.
struct RuleInfo {
  const char* id;          ///< Microsoft's rule name where there is one, else ours
  const char* title;
  const char* severity;    ///< "error", "warning" or "note"
  const char* function;    ///< the function or callback that it is about, or ""
  const char* version;     ///< "5", "6" or "both"
  const char* says;
  const char* seen_by;     ///< how undis sees it broken
  const char* page;
  const char* bugcheck;    ///< what Windows would stop with, or ""
};

std::span<const RuleInfo> all_rules() noexcept;
/// The row of this id, or nullptr.
const RuleInfo* find_rule(std::string_view id) noexcept;

}  // namespace undis
"""

OID_HEADER = """#pragma once

#include <cstdint>
#include <span>

namespace undis {

/// A row of spec/oids.csv that says more than a number.
struct OidInfo {
  std::uint32_t oid;
  const char* name;
  bool query;
  bool set;
  bool method;
  /// The length of the information: exactly `bytes` (or `other_bytes`, if not 0), at least `bytes`, or a multiple of it.
  enum class Length : std::uint8_t { Exactly, AtLeast, MultipleOf } length;
  std::uint32_t bytes;
  std::uint32_t other_bytes;
};

/// In order of the numbers.
std::span<const OidInfo> all_oids() noexcept;

}  // namespace undis
"""

LOOKUP = """
std::span<const {type}> {all}() noexcept {{ return kRows; }}

const {type}* {find}(std::string_view {key}) noexcept {{
  for (const {type}& row : kRows) {{
    if ({key} == row.{key}) return &row;
  }}
  return nullptr;
}}
"""


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def source(header: str, struct: str, rows: list[str], lookup: str) -> str:
    lines = "\n".join(f"    {{{row}}}," for row in rows)
    return (
        f'#include "undis/{header}"\n\nnamespace undis {{\nnamespace {{\n\n'
        f"constexpr {struct} kRows[] = {{\n{lines}\n}};\n\n}}  // namespace\n{lookup}\n}}  // namespace undis\n"
    )


def ddi_table(rows: list[Ddi]) -> tuple[str, str]:
    functions = [row for row in rows if row.in_enum]
    ordered = functions + [row for row in rows if not row.in_enum]
    names = "\n".join(f"  {row.name}," for row in functions)

    def initializer(row: Ddi) -> str:
        irql = Irql.parse(row.irql)
        texts = [quoted(text) for text in (row.rule, row.irql_rule, row.page, row.status)]
        fields = [quoted(row.name), f"DdiKind::{row.kind.capitalize()}", quoted(row.family), quoted(row.versions)]
        fields += [str(irql.lowest), str(irql.highest), str(irql.documented).lower(), *texts]
        return ", ".join(fields)

    lookup = LOOKUP.format(type="DdiInfo", all="all_ddis", find="find_ddi", key="name")
    lookup += "\nconst DdiInfo& info(Ddi ddi) noexcept { return kRows[static_cast<std::size_t>(ddi)]; }\n"
    head = HEAD.format("spec/ddi.csv")
    body = source("ddi_table.h", "DdiInfo", [initializer(row) for row in ordered], lookup)
    return head + DDI_HEADER.format(names=names), head + body


def rule_table(rows: list[dict[str, str]]) -> tuple[str, str]:
    head = HEAD.format("spec/rules.csv")
    lookup = LOOKUP.format(type="RuleInfo", all="all_rules", find="find_rule", key="id")
    body = source("rule_table.h", "RuleInfo", [", ".join(map(quoted, row.values())) for row in rows], lookup)
    return head + RULE_HEADER, head + body


OID_LENGTH = re.compile(r"(?P<bytes>\d+)(?:\|(?P<other>\d+)|(?P<form>[*+]))?")


def oid_table(rows: list[dict[str, str]]) -> str:
    """The rows that say which requests there are (kinds: q, s, m) and how long the information is: 4, 4|8, 6* or 16+."""
    initializers = []
    for row in rows:
        if not row["kinds"]:
            continue
        length = OID_LENGTH.fullmatch(row["bytes"])
        if not length or not set(row["kinds"]) <= set("qsm"):
            raise ValueError(f"{row['name']} in oids.csv: kinds {row['kinds']!r}, bytes {row['bytes']!r}")
        form = {"*": "MultipleOf", "+": "AtLeast", None: "Exactly"}[length["form"]]
        flags = [str(kind in row["kinds"]).lower() for kind in "qsm"]
        fields = [row["value"], quoted(row["name"]), *flags, f"OidInfo::Length::{form}", length["bytes"], length["other"] or "0"]
        initializers.append((int(row["value"], 16), ", ".join(fields)))
    lines = "\n".join(f"    {{{text}}}," for _, text in sorted(initializers))
    return (
        HEAD.format("spec/oids.csv")
        + '#include "undis/oid_table.h"\n\nnamespace undis {\nnamespace {\n\n'
        + f"constexpr OidInfo kRows[] = {{\n{lines}\n}};\n\n}}  // namespace\n\n"
        + "std::span<const OidInfo> all_oids() noexcept { return kRows; }\n\n}  // namespace undis\n"
    )


def export_list(rows: list[Ddi]) -> str:
    """A linker version script. `?` stands for the blank in a demangled name: quoted, it would not be a pattern."""
    names = "\n".join(f"    {row.name};" for row in sorted(rows, key=lambda row: row.name) if row.exported)
    patterns = ["undis::*", "non-virtual?thunk?to?undis::*", "virtual?thunk?to?undis::*"]
    for what in ("typeinfo", "typeinfo?name", "vtable", "VTT", "guard?variable", "TLS?wrapper?function", "TLS?init?function"):
        patterns.append(f"{what}?for?undis::*")
    cpp = "\n".join(f"      {pattern};" for pattern in patterns)
    return (
        "# Made by spec/generate.py from spec/ddi.csv; change that, not this.\n"
        f'{{\n  global:\n{names}\n    undis_*;\n    extern "C++" {{\n{cpp}\n    }};\n  local:\n    *;\n}};\n'
    )


def ddi_page(rows: list[Ddi]) -> str:
    offered = [row for row in rows if row.kind != "callback"]
    families = sorted({row.family for row in offered}, key=lambda name: (name.startswith("kernel-"), name))
    total = Counter(row.status for row in offered)
    lines = [
        "# The driver API, function by function",
        "",
        "Made by `spec/generate.py --docs` from `spec/ddi.csv`. *done*: everything that the page says. *partial*: usable, the",
        "file says what is missing. *none*: not there; a driver that needs it does not link, and is told the name.",
        "",
        f"{total['done']} done, {total['partial']} partial, {total['none']} none, of {len(offered)}.",
        "",
        "| Family | done | partial | none |",
        "|---|---:|---:|---:|",
    ]
    for family in families:
        count = Counter(row.status for row in offered if row.family == family)
        lines.append(f"| [{family}](#{family}) | {count['done']} | {count['partial']} | {count['none']} |")
    for family in families:
        lines += ["", f"## {family}", "", "| Name | Kind | NDIS | IRQL | Status |", "|---|---|---|---|---|"]
        for row in offered:
            if row.family != family:
                continue
            name = f"[{row.name}]({PAGES}{row.page})" if row.page else row.name
            place = f"[{row.status}](../{row.file})" if row.there and row.file else row.status
            lines.append(f"| {name} | {row.kind} | {row.versions} | {row.irql} | {place} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="DIR")
    what.add_argument("--docs", action="store_true")
    what.add_argument("--check", action="store_true")
    arguments = parser.parse_args()

    rows = tables.read_ddi()
    page = tables.ROOT / "docs" / "ddi.md"
    if arguments.docs:
        tables.put(page, ddi_page(rows))
    elif arguments.check:
        return 0 if tables.check(page, ddi_page(rows), "spec/generate.py --docs") else 1
    else:
        header, body = ddi_table(rows)
        tables.put(arguments.out / "undis" / "ddi_table.h", header)
        tables.put(arguments.out / "undis" / "ddi_table.cpp", body)
        header, body = rule_table(tables.read_rules())
        tables.put(arguments.out / "undis" / "rule_table.h", header)
        tables.put(arguments.out / "undis" / "rule_table.cpp", body)
        tables.put(arguments.out / "undis" / "oid_table.h", HEAD.format("spec/oids.csv") + OID_HEADER)
        tables.put(arguments.out / "undis" / "oid_table.cpp", oid_table(tables.read("oids.csv")))
        tables.put(arguments.out / "undis" / "undis.map", export_list(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
