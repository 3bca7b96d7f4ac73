#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The exhaustive search finds in a driver that tells what it touches what it finds in one that does not, in fewer runs.

reduction.py UNDIS PLAIN TOLD
"""

import json
import subprocess
import sys


def search(undis: str, image: str) -> tuple[dict, set, str]:
    done = subprocess.run([undis, "verify", image, "--strategy", "exhaustive", "--bound", "1", "--suite", "lifecycle.load", "--schedules", "100000",
                           "--json", "-"], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout[done.stdout.index("{"):])
    return report["suites"][0], {(v["rule"], v["function"]) for v in report["violations"]}, done.stderr


def main() -> int:
    undis, plain_image, told_image = sys.argv[1:]
    plain, plain_found, plain_said = search(undis, plain_image)
    told, told_found, told_said = search(undis, told_image)
    print(f"{plain['runs']} runs without, {told['runs']} with; found {sorted(told_found)}")
    wrong = []
    if not plain["exhausted"] or not told["exhausted"]:
        wrong.append("a search did not come to its end")
    if plain_found != told_found or not told_found:
        wrong.append(f"without, {sorted(plain_found)} was found")
    if told["runs"] * 10 > plain["runs"] * 8:
        wrong.append("the reduction leaves out less than a fifth")
    if "was not built with --memory" not in plain_said or "leaves out nothing" in told_said:
        wrong.append(f"said of the one: {plain_said} and of the other: {told_said}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
