#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns spec/structs.csv into a file of static assertions over the headers in include/wdk.

usage: gen_abi_test.py structs.csv out.h

The file is plain C11 that is also C++20; abi_c.c and abi_cpp.cpp include it.
"""
import csv
import sys

HEAD = """// Generated from spec/structs.csv by tests/abi/gen_abi_test.py.
#include <stddef.h>

#define ABI_SIZE(type, size) UNDIS_STATIC_ASSERT(sizeof(type) == (size), "sizeof(" #type ") is not " #size)
#define ABI_ALIGN(type, alignment) \\
  UNDIS_STATIC_ASSERT(_Alignof(type) == (alignment), "alignment of " #type " is not " #alignment)
#define ABI_AT(type, member, offset) \\
  UNDIS_STATIC_ASSERT(offsetof(type, member) == (offset), "offsetof(" #type ", " #member ") is not " #offset)
#define ABI_ROOM(type, member, size) \\
  UNDIS_STATIC_ASSERT(sizeof(((type *)0)->member) == (size), "size of " #type "." #member " is not " #size)
#ifdef __cplusplus
#define _Alignof alignof
#endif

"""


def main() -> None:
    source, target = sys.argv[1:]
    lines = [HEAD]
    with open(source, newline="") as file:
        for row in csv.DictReader(file):
            structure, member = row["structure"], row["member"]
            if not member:
                lines.append(f"ABI_SIZE({structure}, {row['size']});\n")
                lines.append(f"ABI_ALIGN({structure}, {row['offset']});\n")
                continue
            lines.append(f"ABI_AT({structure}, {member}, {row['offset']});\n")
            if row["size"]:
                lines.append(f"ABI_ROOM({structure}, {member}, {row['size']});\n")
    with open(target, "w") as file:
        file.writelines(lines)


if __name__ == "__main__":
    main()
