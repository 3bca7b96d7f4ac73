#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same schedules are the same runs in fresh processes, and in another build if there is one.

compare.py COUNT SUITE IMAGE... -- SCHEDULE_HASHES [ANOTHER ...]
With one program it is run twice. Another build is given as "PROGRAM=FOLDER_OF_IMAGES".
"""

import pathlib
import subprocess
import sys


def main() -> int:
    middle = sys.argv.index("--")
    count, suite, *images = sys.argv[1:middle]
    programs = sys.argv[middle + 1:]
    outputs = []
    for program in programs * (2 if len(programs) == 1 else 1):
        path, _, folder = program.partition("=")
        own = [next(pathlib.Path(folder).rglob(pathlib.Path(image).name)) for image in images] if folder else images
        run = subprocess.run([path, count, suite, *map(str, own)], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            print(f"{program} ended with {run.returncode}: {run.stdout[-500:]}{run.stderr[-2000:]}")
            return 1
        outputs.append(run.stdout.splitlines())
    for number, (first, *others) in enumerate(zip(*outputs, strict=True)):
        for other in others:
            if other != first:
                print(f"schedule {number}: {first}\n         then {other}")
                return 1
    different = len({line.split()[2] for line in outputs[0]})
    print(f"{len(outputs[0])} schedules of {suite}, {len(outputs)} times the same; {different} different runs")
    return 0 if len(outputs[0]) == int(count) and different > int(count) // 10 else 1


if __name__ == "__main__":
    sys.exit(main())
