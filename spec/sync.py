#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sets `file` and `status` of ddi.csv, and `value` of oids.csv, by what src/ and include/wdk define. Run it after adding a function.

A row stays `partial` if it says so and is still there; whoever finishes the function writes `done`.
sync.py            writes the tables, and names what is defined without a row
sync.py --check    says what would change, and changes nothing
"""

import argparse
import pathlib
import re
import subprocess
import sys
from collections import Counter

import tables
from tables import ROOT, Ddi

# A definition stands at the left margin (scripts/format sees to it): type, name, parameters, brace.
DEFINITION = re.compile(r"^(?!return\b|else\b|namespace\b)(?:\[\[[^\]]*\]\]\s+)?(?:extern \"C\"\s+)?[A-Za-z_][\w \t*&:<>,]*?[\s*&](\w+)\s*\(([^;{}]*)\)\s*"
                        r"(?:noexcept\s*)?(?:[A-Z_]+(?:\([^)]*\))?\s*)*\{", re.MULTILINE)
VARIABLE = re.compile(r"^(?:extern \"C\"\s+)?[A-Za-z_][\w \t*&:<>,]*?[\s*&](\w+)\s*(?:=[^=]|\{|;)", re.MULTILINE)
INLINE = re.compile(r"^(?:UNDIS_INLINE|static inline|FORCEINLINE)\b[^;{}()]*?\b(\w+)\s*\([^;{}]*\)\s*\{", re.MULTILINE)
MARKER = re.compile(r'# \d+ "([^"]+)"')
EXPANDED = re.compile(r"static inline __attribute__\(\(unused\)\) [^;{}()]*?\b(\w+)\s*\([^;{}]*?\)\s*\{")
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
CALLBACK = re.compile(r"\bCallbackInfo\s+(\w+)\{\s*\"(\w+)\"")
# Functions that the headers of one version only replace by a macro.
VERSIONED = {"NdisFreeSpinLock"}
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
OID = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(OID_\w+)[ \t]+\(*(?:\(NDIS_OID\)[ \t]*)?(0[xX][0-9A-Fa-f]+)", re.MULTILINE)
WINDOWS_NAME = re.compile(r"(Ndis|Ke|Kf|Ex|Io|Iof|Rtl|Mm|Ob|Obf|Ps|Zw|Nt|Hal|Se|Po|Etw|Dbg|vDbg)[A-Z]\w+")


def texts(folder: str, *suffixes: str):
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in suffixes and not path.stem.endswith("_test"):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def definitions() -> tuple[dict[str, str], dict[str, str], dict[str, str], dict[str, str]]:
    """Name to file: functions of src/, variables of src/, macros and inline functions of include/wdk, callbacks that src/ calls."""
    functions: dict[str, str] = {}
    variables: dict[str, str] = {}
    headers: dict[str, str] = {}
    for path, text in texts("src", ".cpp", ".c"):
        plain = COMMENT.sub("", text)
        functions |= {match[1]: path for match in DEFINITION.finditer(plain)}
        variables |= {match[1]: path for match in VARIABLE.finditer(plain)}
    for path, text in texts("include/wdk", ".h"):
        plain = COMMENT.sub("", text)
        for pattern in (MACRO, INLINE):
            headers |= {match[1]: path for match in pattern.finditer(plain)}
    return functions, variables, expanded() | headers, callbacks()


def expanded() -> dict[str, str]:
    """Inline functions whose names are pasted together by macros (InterlockedAddNoFence64 ...): as the preprocessor sees them."""
    includes = "".join(f"#include <{name}.h>\n" for name in ("ntifs", "ntddk", "ntintsafe", "ntstrsafe", "ndis"))
    command = ["cc", "-E", "-std=gnu11", "-fshort-wchar", "-DUNDIS_ALL_VERSIONS", "-I", str(ROOT / "include/wdk"), "-x", "c", "-"]
    text = subprocess.run(command, input=includes, capture_output=True, text=True, check=True).stdout
    names: dict[str, str] = {}
    path = ""
    for line in text.splitlines():
        if marker := MARKER.match(line):
            path = marker[1]
        elif path.startswith(str(ROOT)):
            names |= {match[1]: str(pathlib.Path(path).relative_to(ROOT)) for match in EXPANDED.finditer(line)}
    return names


def callbacks() -> dict[str, str]:
    """Name to file of the driver's functions that src/ calls by call_driver(): a constant that says so, and a use of it."""
    sources = [(path, text) for path, text in texts("src", ".cpp", ".h") if not path.startswith("src/lab")]
    found = {match[1]: (match[2], path) for path, text in sources for match in CALLBACK.finditer(text)}
    uses = Counter(word for _, text in sources for word in re.findall(r"\bk\w+", text) if word in found)
    called = {name: path for constant, (name, path) in found.items() if uses[constant] > 1}
    # Where a page is named after the function's type: FILTER_SYNCHRONOUS_OID_REQUEST.
    return called | {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(): path for name, path in called.items()}


def place(row: Ddi, functions: dict[str, str], variables: dict[str, str], headers: dict[str, str], called: dict[str, str]) -> str:
    """A callback is the driver's: it is there once something calls it. A header's own definition comes first: it is what a driver
    gets."""
    if row.kind == "callback":
        return called.get(row.name, "")
    if row.kind == "variable":
        return variables.get(row.name, "")
    if row.name in VERSIONED:
        return functions.get(row.name, "")
    return headers.get(row.name) or functions.get(row.name, "")


def sync_ddi(changes: list[str]) -> list[list[str]]:
    found = definitions()
    rows = tables.read_ddi()
    for row in rows:
        file = place(row, *found)
        status = "none" if not file else "partial" if row.status == "partial" else "done"
        if (file, status) != (row.file, row.status):
            changes.append(f"{row.name}: {row.status} {row.file} -> {status} {file}")
        row.file, row.status = file, status
    names = {row.name for row in rows}
    for name, file in sorted(found[0].items()):
        if WINDOWS_NAME.fullmatch(name) and name not in names:
            changes.append(f"{name} is defined in {file} and has no row: add one")
    return [list(vars(row).values()) for row in rows]


def sync_oids(changes: list[str]) -> list[list[str]]:
    values: dict[str, str] = {}
    for _, text in texts("include/wdk", ".h"):
        values |= {match[1]: f"0x{int(match[2], 16):08X}" for match in OID.finditer(text)}
    rows = tables.read("oids.csv")
    for row in rows:
        value = values.get(row["name"], "")
        if value != row["value"]:
            changes.append(f"{row['name']}: {row['value'] or 'no value'} -> {value or 'no value'}")
        row["value"] = value
    return [list(row.values()) for row in rows]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()

    changes: list[str] = []
    ddi, oids = sync_ddi(changes), sync_oids(changes)
    print("\n".join(changes), end="\n" if changes else "")
    if arguments.check:
        if changes:
            print("spec/ differs from the sources: run spec/sync.py")
        return 1 if changes else 0
    tables.write("ddi.csv", list(vars(tables.read_ddi()[0])), ddi)
    tables.write("oids.csv", list(tables.read("oids.csv")[0]), oids)
    return 0


if __name__ == "__main__":
    sys.exit(main())
