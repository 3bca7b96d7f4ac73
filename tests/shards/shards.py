#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The parts of a search, run side by side and merged, find what the whole finds; what does not belong together is refused.

shards.py UNDIS IMAGE RULE
"""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

PARTS = 4
SUITES = ["--suite", "lifecycle.pause", "--suite", "lifecycle.memory"]


def undis(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(words, capture_output=True, text=True, check=False)


def fail(text: str) -> None:
    print(text)
    sys.exit(1)


def main() -> int:
    command, image, rule = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def part(number: int) -> subprocess.CompletedProcess:
            return undis(command, "verify", image, *SUITES, "--schedules", "60", "--shard", f"{number}/{PARTS}", "--quiet", "--json",
                         str(folder / f"{number}.json"))

        with concurrent.futures.ThreadPoolExecutor() as pool:
            done = list(pool.map(part, range(1, PARTS + 1)))
        for run in done:
            if run.returncode not in (0, 1):
                fail(f"a part ended with {run.returncode}: {run.stderr}")
        files = [str(folder / f"{number}.json") for number in range(1, PARTS + 1)]
        merged = undis(command, "merge", *files, "--json", "-")
        whole = json.loads(merged.stdout)
        parts = [json.loads(pathlib.Path(file).read_text()) for file in files]
        if merged.returncode != max(run.returncode for run in done):
            fail(f"merge ended with {merged.returncode}")
        if rule not in {v["rule"] for v in whole["violations"]}:
            fail(f"{rule} is not among {sorted({v['rule'] for v in whole['violations']})}")
        wanted = {(v["rule"], v["suite"], v["function"]) for p in parts for v in p["violations"]}
        have = [(v["rule"], v["suite"], v["function"]) for v in whole["violations"]]
        if sorted(wanted) != sorted(have):
            fail(f"merged findings {have} are not those of the parts {wanted}")
        for suite in whole["suites"]:
            of_parts = [s for p in parts for s in p["suites"] if s["name"] == suite["name"]]
            if suite["runs"] != sum(s["runs"] for s in of_parts):
                fail(f"{suite['name']}: {suite['runs']} runs")
        for words, expected in (
            (files[:1] + files[:1], "are both part 1 of 4"),
            (files[:1] + [image], "no report of undis verify --json"),
            ([str(folder / "none.json")], "cannot be read"),
        ):
            refused = undis(command, "merge", *words)
            if refused.returncode != 2 or expected not in refused.stderr:
                fail(f"merge {words}: {refused.returncode}, {refused.stderr}")
        other = json.loads(pathlib.Path(files[1]).read_text())
        other["seed"] = "77"
        (folder / "other.json").write_text(json.dumps(other))
        refused = undis(command, "merge", files[0], str(folder / "other.json"))
        if refused.returncode != 2 or "its seed is 77" not in refused.stderr:
            fail(f"another seed: {refused.returncode}, {refused.stderr}")
        missing = undis(command, "merge", *files[:3])
        if "of 4 parts, 4 is missing" not in missing.stderr:
            fail(f"a missing part: {missing.stderr}")
    print(f"{PARTS} parts: {len(have)} findings, {[s['runs'] for s in whole['suites']]} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
