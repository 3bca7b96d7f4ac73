#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lays out spec/structs.decl by the Microsoft x64 rules and writes spec/structs.csv.

A row is structure,member,offset,size; the row without a member is the structure itself (offset = its alignment).
It never reads include/wdk, so that the two can be compared. With --check: fails if the file is not what it would write.

Names ending in `_` stand for members that drivers do not reach: they take room and get no row. A member with `?` gets
an offset only (its size differs between versions).
"""
import csv
import io
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "spec" / "structs.decl"
TARGET = ROOT / "spec" / "structs.csv"

SCALARS = {
    1: "UCHAR CHAR BOOLEAN",
    2: "USHORT SHORT WCHAR",
    4: "ULONG LONG UINT NTSTATUS enum",
    8: "ULONGLONG LONGLONG ULONG_PTR SIZE_T KSPIN_LOCK KAFFINITY ptr",
}
SIZE_OF = {name: (size, size) for size, names in SCALARS.items() for name in names.split()}

TOKEN = re.compile(r"\s*(?:#[^\n]*\n\s*)*(\.\.\.|[A-Za-z_]\w*|\d+|[{}()\[\];:?])")


def round_up(value: int, alignment: int) -> int:
    return (value + alignment - 1) // alignment * alignment


class Layout:
    """A structure or union: its members as (path, offset, size or None), size and alignment."""

    def __init__(self, union: bool):
        self.union = union
        self.rows: list[tuple[str, int, int | None]] = []
        self.size = 0
        self.alignment = 1
        self.open_ended = False
        self.unit: tuple[int, int, int] | None = None  # bit field in progress: offset, unit size, bits used

    def place(self, size: int, alignment: int) -> int:
        self.unit = None
        offset = 0 if self.union else round_up(self.size, alignment)
        self.size = max(self.size, offset + size)
        self.alignment = max(self.alignment, alignment)
        return offset

    def place_bits(self, size: int, bits: int) -> None:
        # Fields share a unit only while it has room and their declared types have the same size.
        if self.unit is not None and self.unit[1] == size and self.unit[2] + bits <= size * 8:
            self.unit = (self.unit[0], size, self.unit[2] + bits)
            return
        offset = self.place(size, size)
        self.unit = (offset, size, bits)


class Parser:
    def __init__(self, text: str):
        self.tokens = TOKEN.findall(text)
        rest = TOKEN.sub("", text).strip()
        if rest and not rest.startswith("#"):
            sys.exit(f"{SOURCE}: cannot read {rest[:40]!r}")
        self.at = 0
        self.structs: dict[str, Layout] = {}

    def peek(self) -> str:
        return self.tokens[self.at]

    def take(self, expected: str | None = None) -> str:
        token = self.tokens[self.at]
        if expected is not None and token != expected:
            sys.exit(f"{SOURCE}: {' '.join(self.tokens[max(0, self.at - 8):self.at + 1])}: expected {expected!r}")
        self.at += 1
        return token

    def parse(self) -> dict[str, Layout]:
        while self.at < len(self.tokens):
            self.take("struct")
            name = self.take()
            if name in self.structs:
                sys.exit(f"{SOURCE}: {name} occurs twice")
            self.structs[name] = self.body(union=False)
            self.take(";")
        return self.structs

    def body(self, union: bool) -> Layout:
        layout = Layout(union)
        self.take("{")
        while self.peek() != "}":
            if self.peek() == "...":
                self.take()
                layout.open_ended = True
                if self.peek() == ";":
                    self.take()
                continue
            self.member(layout)
        self.take("}")
        layout.size = round_up(layout.size, layout.alignment)
        return layout

    def member(self, layout: Layout) -> None:
        least = 1
        if self.peek() == "align":
            self.take()
            self.take("(")
            least = int(self.take())
            self.take(")")
        kind = self.take()
        inner = None
        if kind in ("struct", "union"):
            inner = self.body(kind == "union")
            size, alignment = inner.size, inner.alignment
        elif kind in SIZE_OF:
            size, alignment = SIZE_OF[kind]
        elif kind in self.structs:
            size, alignment = self.structs[kind].size, self.structs[kind].alignment
        else:
            sys.exit(f"{SOURCE}: unknown type {kind}")
        name = self.take() if self.peek() != ";" else ""
        if self.peek() == ":":
            self.take()
            layout.place_bits(size, int(self.take()))
            self.take(";")
            return
        if self.peek() == "[":
            self.take()
            size *= int(self.take())
            self.take("]")
        sized = True
        if self.peek() == "?":
            self.take()
            sized = False
        self.take(";")
        offset = layout.place(size, max(alignment, least))
        if name.endswith("_"):
            return
        if name:
            layout.rows.append((name, offset, size if sized else None))
        if inner is not None:
            prefix = f"{name}." if name else ""
            layout.rows += [(prefix + path, offset + at, length) for path, at, length in inner.rows]


def render() -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["structure", "member", "offset", "size"])
    for name, layout in Parser(SOURCE.read_text()).parse().items():
        if not layout.open_ended:
            writer.writerow([name, "", layout.alignment, layout.size])
        for path, offset, size in layout.rows:
            writer.writerow([name, path, offset, "" if size is None else size])
    return out.getvalue()


def main() -> None:
    text = render()
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET} is not what {SOURCE} gives; run spec/gen_structs.py")
        return
    TARGET.write_text(text)


if __name__ == "__main__":
    main()
