#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/wdk/ntddndis/oids.h from spec/oids.csv. With --check: fails if the header is not what it would write."""
import csv
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "spec" / "oids.csv"
HEADER = ROOT / "include" / "wdk" / "ntddndis" / "oids.h"

HEAD = """// SPDX-License-Identifier: MIT
//
// Object identifiers, by number. Generated from spec/oids.csv by spec/gen_oids.py; change it there.
//
// One list of all OIDs: the file is longer than the usual 400 lines.
#pragma once
#pragma GCC system_header
"""

# The upper half of an OID names its family.
FAMILIES = {
    0x0001: "General, mandatory and optional",
    0x0002: "General statistics",
    0x00A0: "Timestamps",
    0x0101: "802.3",
    0x0102: "802.3 statistics",
    0x0201: "802.5",
    0x0202: "802.5 statistics",
    0x0301: "FDDI",
    0x0302: "FDDI statistics",
    0x0303: "FDDI station management",
    0x0401: "WAN",
    0x0501: "LocalTalk",
    0x0502: "LocalTalk statistics",
    0x0601: "ARCnet",
    0x0602: "ARCnet statistics",
    0x0703: "TAPI",
    0x0801: "ATM",
    0x0802: "ATM statistics",
    0x0A01: "IrDA",
    0x0C01: "Broadcast PC",
    0x0D01: "802.11",
    0x0D02: "802.11 statistics",
    0x0E01: "Mobile broadband",
    0x0F01: "Tunnels",
    0xFB01: "QoS, reserved",
    0xFC01: "Offload",
    0xFC02: "Offload statistics",
    0xFC03: "Connection and IPsec version 2 offload",
    0xFC04: "Network direct",
    0xFC05: "QoS",
    0xFD01: "Power management",
    0xFD02: "Power management statistics",
    0xFE00: "Connection-oriented",
}


def render() -> str:
    with SOURCE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["name"] for row in rows]
    if len(set(names)) != len(names):
        sys.exit(f"{SOURCE}: a name occurs twice")
    lines = [HEAD]
    family = None
    for row in sorted(rows, key=lambda row: (int(row["value"], 16), row["name"])):
        value = int(row["value"], 16)
        if value >> 16 != family:
            family = value >> 16
            title = FAMILIES.get(family)
            lines.append(f"\n// ---- {title or f'0x{family:04X}'} ----\n")
        lines.append(f"#define {row['name']} 0x{value:08X}\n")
    return "".join(lines)


def main() -> None:
    text = render()
    if sys.argv[1:] == ["--check"]:
        if HEADER.read_text() != text:
            sys.exit(f"{HEADER} is not what {SOURCE} says; run spec/gen_oids.py")
        return
    HEADER.write_text(text)


if __name__ == "__main__":
    main()
