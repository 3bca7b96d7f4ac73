#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The functions that src/loader/untold.cpp trusts are there, and are what it takes them for.

untold.py SOURCE

kWithPoints  each is of the kernel slice and makes a KernelCall with both schedule points, by itself or by a function
             of its file that it calls
kHarmless    each is exported by undis, or is one of C's that only touch what their arguments say
kUnseen      each is exported by undis: a name that is not would let what it stands for through
The rest of NDIS is trusted by its prefix: a DdiCall has both points, without a choice.
"""
import csv
import pathlib
import re
import sys

OF_C = {"memcmp", "memcpy", "memmove", "memset"}


def lists_of(text):
    found = {}
    for name, body in re.findall(r"constexpr std::array (k\w+) = \{(.*?)\};", text, re.S):
        found[name] = re.findall(r'"(\w+)"', body)
    return found


def body_of(text, name):
    """The body of a function that is defined at the beginning of a line, or None."""
    match = re.search(rf"^[A-Za-z][^;{{}}=]*?\b{name}\([^;{{}}]*\)[^;{{}}]*\{{", text, re.M)
    if match is None:
        return None
    depth, at = 1, match.end()
    while depth > 0 and at < len(text):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[match.end():at - 1]


def has_points(text, name, seen=()):
    """True or False, or None: no such function in this file."""
    body = body_of(text, name)
    if body is None:
        return None
    call = re.search(r"\bKernelCall \w+\(([^;]*)\);", body)
    if call is not None:
        return "Points::None" not in call.group(1)
    called = [other for other in re.findall(r"\b(\w+)\(", body) if other not in (*seen, name)]
    return any(has_points(text, other, (*seen, name)) for other in called)


def main():
    source = pathlib.Path(sys.argv[1])
    lists = lists_of((source / "src/loader/untold.cpp").read_text(encoding="utf-8"))
    with open(source / "spec/ddi.csv", encoding="utf-8", newline="") as file:
        exported = {row["name"] for row in csv.DictReader(file) if row["status"] in ("done", "partial")}
    kernel = [path.read_text(encoding="utf-8") for path in sorted((source / "src/kernel").glob("*.cpp"))
              if not path.stem.endswith("_test")]
    others = "".join(path.read_text(encoding="utf-8") for path in sorted((source / "src").rglob("*.cpp"))
                     if not path.stem.endswith("_test") and path.stem != "untold")
    wrong = []
    if set(lists) != {"kWithPoints", "kHarmless", "kUnseen"}:
        wrong.append(f"expected the lists kWithPoints, kHarmless and kUnseen, found {', '.join(sorted(lists))}")
    for name in lists.get("kWithPoints", []):
        answers = [answer for text in kernel if (answer := has_points(text, name)) is not None]
        if not answers:
            wrong.append(f"{name} is said to have schedule points, and src/kernel does not define it")
        elif not all(answers):
            wrong.append(f"{name} is said to have schedule points, and makes no KernelCall with both of them")
    for name in lists.get("kHarmless", []):
        there = re.search(rf"\b{name}\b", others) if name.startswith("undis_") else name in exported | OF_C
        if not there:
            wrong.append(f"{name} is said to be harmless, and is nobody's")
    for name in lists.get("kUnseen", []):
        if name not in exported or not name.startswith("Ndis"):
            wrong.append(f"{name} is said to be a function of NDIS that is not trusted, and is none")
    names = [name for names in lists.values() for name in names]
    for name in sorted({name for name in names if names.count(name) > 1}):
        wrong.append(f"{name} is named twice")
    print("\n".join(wrong) if wrong else f"{len(names)} functions are what src/loader/untold.cpp takes them for")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
