#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes docs/conformance.md: which tests hold each documented requirement of lifecycle.csv.

A test says what it holds in the comment right above it:

    // LIFE-034, LIFE-041
    TEST_F(DeregisteringAProtocol, WaitsForThePendedClose) {

conformance.py            writes the page
conformance.py --check    fails if the page is out of date, a requirement has no test, or a test names one that is not there
"""

import argparse
import re
import sys
from collections import defaultdict

import tables
from tables import ROOT

TEST = re.compile(r"((?:^[ \t]*//[^\n]*\n)+)[ \t]*(?:TYPED_)?TEST(?:_F|_P)?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
ID = re.compile(r"\bLIFE-\d{3}\b")

HEAD = """# Conformance

Made by `spec/conformance.py`. Each line: a requirement that a documentation page states, in short, and the tests that fail when it
is broken. LIFE-001 to LIFE-080 are the pages of `NdisIMDeregisterLayeredMiniport`, `NdisMDeregisterMiniportDriver`,
`NdisDeregisterProtocol`, `NdisIMDeInitializeDeviceInstance` and `NdisMRegisterUnloadHandler`; those from LIFE-081 on come from the
pages of the life cycle of all drivers. `undis rules` has more on those that a driver can break.

| Row | Requirement | Tests |
|---|---|---|
"""


def tests_of() -> dict[str, list[str]]:
    """Requirement to test names, in the order of files and lines."""
    found: dict[str, list[str]] = defaultdict(list)
    paths = [*(ROOT / "src").rglob("*_test.cpp"), *(ROOT / "tests").rglob("*.cpp"), *(ROOT / "tests").rglob("*.c")]
    for path in sorted(paths):
        for comment, suite, test in TEST.findall(path.read_text(encoding="utf-8")):
            for row in ID.findall(comment):
                found[row].append(f"{suite}.{test}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()

    rows = tables.read("lifecycle.csv")
    tests = tests_of()
    lines = [f"| {row['id']} | {row['rule']} | {', '.join(tests.get(row['id'], []))} |\n" for row in rows]
    page = HEAD + "".join(lines)
    if not arguments.check:
        tables.put(ROOT / "docs" / "conformance.md", page)
        return 0

    missing = [row["id"] for row in rows if row["id"] not in tests]
    unknown = sorted(tests.keys() - {row["id"] for row in rows})
    if missing:
        print(f"{len(missing)} of {len(rows)} requirements have no test: {', '.join(missing)}")
    for row in unknown:
        print(f"{row} is named by {', '.join(tests[row])} and is not in spec/lifecycle.csv")
    current = tables.check(ROOT / "docs" / "conformance.md", page, "spec/conformance.py")
    return 0 if current and not missing and not unknown else 1


if __name__ == "__main__":
    sys.exit(main())
