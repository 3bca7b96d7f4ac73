#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--schedules N is N schedules, however short the time: a budget, given or not, is for searches that are not given a number.

schedules.py UNDIS IMAGE
"""

import json
import subprocess
import sys


def main() -> int:
    undis, image = sys.argv[1:]
    for strategy, budget in (("mixed", "1ms"), ("random", "1ms")):
        done = subprocess.run([undis, "verify", image, "--suite", "lifecycle.bind", "--strategy", strategy, "--schedules", "120",
                               "--budget", budget, "--json", "-"], capture_output=True, text=True, check=False)
        report = json.loads(done.stdout[done.stdout.index("{"):])
        runs = [suite["runs"] for suite in report["suites"]]
        if runs != [120]:
            print(f"{strategy}: 120 schedules were asked for, {runs} were run; {done.stderr}")
            return 1
    print("120 schedules of each strategy, however short the budget")
    return 0


if __name__ == "__main__":
    sys.exit(main())
