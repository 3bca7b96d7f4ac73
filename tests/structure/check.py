#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the shape of the tree: which folder may include which, and a licence line in every file.

    include <- machine <- kernel <- ndis <- {ddi, verifier, links} <- lab <- {cli, tests}

The three siblings never include each other. The loader stands on the kernel and is used by the lab. Drivers (examples, scenarios)
see include/wdk only.
"""

import re
import sys
from pathlib import Path

ENGINE = {"machine", "kernel", "ndis"}
ALLOWED = {
    "machine": {"machine"},
    "kernel": {"machine", "kernel"},
    "ndis": ENGINE,
    "ddi": ENGINE | {"ddi"},
    "verifier": ENGINE | {"verifier"},
    "links": ENGINE | {"links"},
    "loader": {"machine", "kernel", "loader"},
    "lab": ENGINE | {"ddi", "verifier", "links", "loader", "lab"},
    "cli": ENGINE | {"ddi", "verifier", "links", "loader", "lab", "cli"},
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.MULTILINE)
CODE = {".c", ".cpp", ".h"}
SIGNED = CODE | {".py", ".cmake", ".sh"}
SKIPPED = {"build", ".git", "captures"}


def files(root: Path, folder: str, suffixes: set[str]):
    for path in sorted((root / folder).rglob("*")):
        if path.suffix in suffixes and path.is_file() and not SKIPPED & set(path.relative_to(root).parts):
            yield path


def includes(path: Path):
    return INCLUDE.findall(path.read_text(encoding="utf-8", errors="replace"))


def check_parts(root: Path) -> list[str]:
    faults = []
    for path in files(root, "src", CODE):
        part = path.relative_to(root / "src").parts[0]
        if part not in ALLOWED:
            continue  # src/version.cpp
        if path.name.endswith(("_test.cpp", "_testing.cpp", "_testing.h")):
            continue  # tests stand above everything, wherever they lie
        for _, name in includes(path):
            other = name.split("/")[0]
            if "/" in name and other in ALLOWED and other not in ALLOWED[part]:
                faults.append(f"{path.relative_to(root)}: {part} may not include {name}")
    return faults


def check_headers(root: Path) -> list[str]:
    """Installed headers see nothing of src/, not even by a name that both have: src/ comes first on the library's path."""
    faults = []
    for path in files(root, "include", CODE):
        for style, name in includes(path):
            beside = style == '"' and (path.parent / name).exists()
            if (root / "src" / name).exists() and not beside:
                faults.append(f"{path.relative_to(root)}: an installed header may not include src/{name}")
    return faults


def check_drivers(root: Path) -> list[str]:
    """A driver's file could be built on Windows as well: nothing of undis' own."""
    return [
        f"{path.relative_to(root)}: a driver may not include {name}"
        for path in files(root, "examples", CODE)
        for _, name in includes(path)
        if name.startswith("undis") or (root / "src" / name).exists()
    ]


def check_licence(root: Path) -> list[str]:
    faults = []
    for folder in ("src", "include", "spec", "tests", "examples", "bench", "cmake", "scripts"):
        for path in sorted((root / folder).rglob("*")):
            if not path.is_file() or SKIPPED & set(path.relative_to(root).parts):
                continue
            if path.suffix in SIGNED or path.name == "CMakeLists.txt" or folder == "scripts":
                head = path.read_text(encoding="utf-8", errors="replace")[:200]
                if "SPDX-License-Identifier: MIT" not in head:
                    faults.append(f"{path.relative_to(root)}: the first lines have no SPDX-License-Identifier: MIT")
    return faults


def main() -> int:
    root = Path(sys.argv[1]).resolve()
    faults = check_parts(root) + check_headers(root) + check_drivers(root) + check_licence(root)
    print("\n".join(faults) or "the tree has its shape")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
