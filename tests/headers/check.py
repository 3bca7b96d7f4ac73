#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles every header of a folder alone. check.py FOLDER COMPILER c|c++"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FLAGS = {
    # What `undis cc` gives a driver (src/cli/cc_options.cpp), as plain C11.
    "c": ["-x", "c", "-std=gnu11", "-fshort-wchar", "-fms-extensions", "-mms-bitfields", "-DUNDIS_DRIVER=1",
          "-include", "undis_prelude.h"],
    "c++": ["-x", "c++", "-std=c++20", "-DUNDIS_ALL_VERSIONS"],
}  # fmt: skip
WARNINGS = ["-Wall", "-Wextra", "-Wundef", "-Werror"]
# clang has neither of gcc's words for what Windows headers do.
ONLY_CLANG = ["-Wno-microsoft", "-Wno-pragma-system-header-outside-header"]


def main() -> int:
    folder, compiler, language = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    command = [compiler, "-fsyntax-only", *FLAGS[language], *WARNINGS, "-I", str(folder)]
    command += ONLY_CLANG if "clang" in compiler else []

    def compile_alone(header: Path) -> str:
        text = f'#include "{header.relative_to(folder)}"\nint undis_alone;\n'
        run = subprocess.run([*command, "-"], input=text, capture_output=True, text=True)
        return f"{header.relative_to(folder)}:\n{run.stderr}" if run.returncode else ""

    headers = sorted(folder.rglob("*.h"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [text for text in pool.map(compile_alone, headers) if text]
    print("\n".join(faults))
    print(f"{len(headers) - len(faults)} of {len(headers)} headers compile alone with {compiler} as {language}")
    return 1 if faults or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
