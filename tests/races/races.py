#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds the seeded race of each driver of examples/faulty/races, and replays it.

races.py UNDIS IMAGES EXPECTED.csv [--replays N] [--only DRIVER] [--narrow] [--limit SECONDS] [--budget TIME] [--table races.md]

The search has the default settings; with --narrow only in the suite that EXPECTED.csv names, without shrinking: seconds, for everyday.
A race counts as found if one of its rules is reported within the limit, and as replayed if each replay of the printed schedule
reports the same rule again and takes the same way (undis says so on standard error if it does not).
"""

import argparse
import concurrent.futures
import csv
import json
import os
import pathlib
import subprocess
import sys
import time

HEAD = """# Races that undis finds

Each driver of `examples/faulty/races` has one race; the head of its source says which. Found by `undis verify DRIVER.so` with its
default settings, then replayed from the schedule that the report prints. This page is made by `tests/races/races.py`.

| Race | Rule | Suite | Strategy | Schedules | Seconds | Departures, found | Shrunk to | Schedule |
|---|---|---|---|---|---|---|---|---|
"""

CLEAN = """
## Clean drivers stay clean

Fallible calls (distinct stacks) of the example drivers in `lifecycle.entry` and `lifecycle.memory`, those that were made to fail, and the
findings in those runs; then all schedules of all suites, and all findings.

| Driver | Calls seen | Failed | Reported | Schedules | Findings |
|---|---|---|---|---|---|
"""


def run(undis: str, image: pathlib.Path, options: list[str]) -> tuple[dict, str]:
    command = [undis, "verify", str(image), "--json", "-", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout[done.stdout.index("{"):]), done.stderr


def strategy_of(schedule: str) -> str:
    for start, name in (("rr", "round robin"), ("pct", "pct"), ("x", "turns")):
        if schedule.startswith(start):
            return name
    return "default run" if schedule.split(".")[0] == "0" else "random"


def hunt(undis: str, images: pathlib.Path, row: dict, replays: int, limit: float, search: list[str]) -> dict:
    driver, rules = row["driver"], set(row["rules"].split("|"))
    image = images / f"{driver}.so"
    begun = time.monotonic()
    report, _ = run(undis, image, search)
    seconds = time.monotonic() - begun
    found = [v for v in report["violations"] if v["rule"] in rules]
    if not found:
        others = ", ".join(sorted({v["rule"] for v in report["violations"]})) or "nothing"
        return {"driver": driver, "fault": f"none of {', '.join(sorted(rules))} in {seconds:.1f} s; found was {others}"}
    first = min(found, key=lambda v: v["found_seconds"])
    before = 0.0
    runs = first["found_after"]
    for suite in report["suites"]:
        if suite["name"] == first["suite"]:
            break
        before += suite["seconds"]
        runs += suite["runs"]
    result = {
        "driver": driver, "rule": first["rule"], "suite": first["suite"], "schedule": first["schedule"], "runs": runs,
        "seconds": before + first["found_seconds"], "found_length": first["found_length"], "length": first["length"],
        "found_by": first.get("found_schedule", ""), "fault": "",
    }
    if result["seconds"] > limit:
        result["fault"] = f"found only after {result['seconds']:.1f} s"
    good = 0
    for _ in range(replays):
        again, said = run(undis, image, ["--replay", f"{first['suite']}:{first['schedule']}"])
        good += any(v["rule"] == first["rule"] for v in again["violations"]) and "another way" not in said
    result["replayed"] = good
    if good != replays:
        result["fault"] = f"{first['suite']}:{first['schedule']} showed it again in {good} of {replays} replays"
    return result


def clean_rows(undis: str, images: list[pathlib.Path], schedules: int) -> tuple[list[str], list[str]]:
    """A row for each set of clean images: calls seen, failed, reported; and the schedules that stayed clean."""
    rows, faults = [], []
    for image in images:
        report, _ = run(undis, image, ["--schedules", str(schedules)])
        counts = [s["faults"] for s in report["suites"] if "faults" in s]
        seen, failed = sum(c["seen"] for c in counts), sum(c["failed"] for c in counts)
        reported = sum(c["reported"] for c in counts)
        runs = sum(s["runs"] for s in report["suites"])
        rows.append(f"| {image.stem} | {seen} | {failed} | {reported} | {runs} | {len(report['violations'])} |\n")
        if report["violations"] or seen != failed:
            faults.append(f"{image.stem}: {failed} of {seen} calls failed, {[v['rule'] for v in report['violations']]}")
    return rows, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("undis")
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("expected", type=pathlib.Path)
    parser.add_argument("--replays", type=int, default=3)
    parser.add_argument("--only")
    parser.add_argument("--limit", type=float, default=10.0)
    parser.add_argument("--budget", help="of undis verify instead of its default, for machines that are busy")
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("--clean", type=pathlib.Path, nargs="*", default=[], help="clean images, for the table's second part")
    parser.add_argument("--clean-schedules", type=int, default=10_000, help="of each suite")
    parser.add_argument("--narrow", action="store_true", help="search one suite, do not shrink")
    options = parser.parse_args()
    with options.expected.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if options.only in (None, row["driver"])]

    def search(row: dict) -> list[str]:
        words = ["--budget", options.budget] if options.budget else []
        return [*words, "--suite", row["suite"], "--no-shrink"] if options.narrow else words

    with concurrent.futures.ThreadPoolExecutor(max_workers=1 if options.table else os.cpu_count()) as pool:
        results = list(pool.map(
            lambda row: hunt(options.undis, options.images, row, options.replays, options.limit, search(row)), rows))
    for r in results:
        print(f"{r['driver']}: {r['fault']}" if r["fault"] else
              f"{r['driver']}: {r['rule']} after {r['runs']} schedules, {r['seconds']:.2f} s; {r['found_length']} departures, "
              f"shrunk to {r['length']}: {r['schedule']}; replayed {r['replayed']} of {options.replays}")
    faults = [r for r in results if r["fault"]]
    if options.table and not faults:
        lines = [
            f"| {r['driver']} | {r['rule']} | {r['suite']} | {strategy_of(r['found_by'])} | {r['runs']} | {r['seconds']:.2f} | "
            f"{r['found_length']} | {r['length']} | `{r['schedule']}` |\n" for r in results
        ]
        tail = f"\nEach was replayed {options.replays} of {options.replays} times.\n" if options.replays else ""
        rows, wrong = clean_rows(options.undis, options.clean, options.clean_schedules)
        if rows:
            tail += CLEAN + "".join(rows)
        print("".join(f"{fault}\n" for fault in wrong), end="")
        options.table.write_text(HEAD + "".join(lines) + tail)
    print(f"{len(results) - len(faults)} of {len(results)} races were found and replayed")
    return 1 if faults or not results else 0


if __name__ == "__main__":
    sys.exit(main())
