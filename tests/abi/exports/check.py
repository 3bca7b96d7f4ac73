#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The C functions that libundis.so exports are the rows of spec/ddi.csv that are done or partial, and no others.

check.py LIBRARY
"""

import subprocess
import sys

import tables

# What the linker and the C start-up code define in every shared object. (The C run time of drivers has names like _itoa.)
LINKER = {"_init", "_fini", "_edata", "_end", "_bss_start", "_fini_array", "_DYNAMIC", "_GLOBAL_OFFSET_TABLE_"}


def symbols(library: str, *options: str) -> set[str]:
    """Names of defined functions and data; C++ names are left out."""
    run = subprocess.run(["nm", "--defined-only", *options, library], capture_output=True, text=True, check=True)
    fields = (line.split() for line in run.stdout.splitlines())
    named = {line[2] for line in fields if len(line) == 3 and line[1] in "TtDdBbRrWVi"}
    return {name for name in named if not name.startswith(("__", "_Z")) and name not in LINKER}


def main() -> int:
    library = sys.argv[1]
    rows = {row.name: row for row in tables.read_ddi()}
    exported = {name for name in symbols(library, "-D") if not name.startswith("undis_")}
    wanted = {name for name, row in rows.items() if row.exported}
    hidden = symbols(library) - exported

    faults = [f"{name} is {rows[name].status} in spec/ddi.csv and not exported" for name in sorted(wanted - exported)]
    faults += [f"{name} is exported and has no row in spec/ddi.csv" for name in sorted(exported - rows.keys())]
    faults += [
        f"{name} is exported and its row says {rows[name].status} ({rows[name].file or 'no file'})"
        for name in sorted((exported & rows.keys()) - wanted)
    ]
    faults += [
        f"{name} is defined and its row says none: run spec/sync.py"
        for name in sorted(hidden & rows.keys())
        if rows[name].status == "none"
    ]
    print("\n".join(faults) or f"{len(exported)} functions are exported, as spec/ddi.csv says")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
