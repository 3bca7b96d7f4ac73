#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A finding of a search comes with what its runs do not keep: where the leaked memory was allocated, the last lines of the trace.

evidence.py UNDIS IMAGE     IMAGE: a driver whose entry leaks pool when a call fails
"""

import json
import subprocess
import sys


def main() -> int:
    undis, image = sys.argv[1:]
    for shrink in ([], ["--no-shrink"]):
        done = subprocess.run([undis, "verify", image, "--suite", "lifecycle.entry", "--json", "-", *shrink],
                              capture_output=True, text=True, check=False)
        report = json.loads(done.stdout[done.stdout.index("{"):])
        leaks = [v for v in report["violations"] if v["rule"] == "PoolLeak"]
        if not leaks:
            print(f"no PoolLeak with {shrink}: {[v['rule'] for v in report['violations']]}")
            return 1
        for leak in leaks:
            if "DriverEntry" not in " ".join(leak["origin"]):
                print(f"with {shrink}: the allocation in DriverEntry was expected as origin, there is {leak['origin']}")
                return 1
            if not any("VIOLATION PoolLeak" in line for line in leak["trace"]):
                print(f"with {shrink}: no trace")
                return 1
    print("origin and trace, shrunk and not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
