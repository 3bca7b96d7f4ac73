#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A clean driver stays clean under many schedules, shared out evenly over the suites that concern it.

clean.py UNDIS IMAGE SCHEDULES
"""

import json
import pathlib
import subprocess
import sys
import time


def verify(undis: str, image: str, *words: str) -> dict:
    done = subprocess.run([undis, "verify", image, "--json", "-", *words], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"undis verify ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout[done.stdout.index("{"):])


def main() -> int:
    undis, image, schedules = sys.argv[1], sys.argv[2], int(sys.argv[3])
    suites = [s["name"] for s in verify(undis, image, "--schedules", "1")["suites"] if s["verdict"] != "skipped" and "faults" not in s]
    each = -(-schedules // len(suites))
    begun = time.monotonic()
    report = verify(undis, image, "--schedules", str(each), *[word for name in suites for word in ("--suite", name)])
    seconds = time.monotonic() - begun
    runs = sum(s["runs"] for s in report["suites"])
    print(f"{pathlib.Path(image).stem}: {runs} schedules in {len(suites)} suites, {seconds:.0f} s, {runs / seconds:.0f} a second, "
          f"{len(report['violations'])} findings")
    for v in report["violations"]:
        print(f"  {v['rule']} {v['text']} ({v['suite']}:{v['schedule']})")
    return 1 if report["violations"] or runs < schedules else 0


if __name__ == "__main__":
    sys.exit(main())
