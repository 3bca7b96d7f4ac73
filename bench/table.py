# SPDX-License-Identifier: MIT
"""Rows of Google Benchmark's JSON as one table: what NDIS costs, what its bare model costs, the ratio, the target.

A row of NDIS is Ndis<what>/<variant>/w<watch>; the row of its model is Bare<what>/<variant>, or the model of
the same way without what costs nothing there (see model_of). Times are of the processor where one thread works
(what else the machine does is not in them), of the clock where several do.

A program runs several times, its rows in their order: a row and its model within the same moments. Each of these
passes has its own ratios, and the median of those counts. Rows of one thread are timed while nobody else computes on
the core (own_core.h), as far as that can be had.
"""
import json
import re
import statistics

TARGET_BATCH = "/64/32/untouched"


class Rows:
    """Nanoseconds for each item by row, and what else was counted: the medians of all passes."""

    def __init__(self):
        self.ns = {}
        self.counters = {}
        self.samples = {}  # of each pass, by row and what was counted
        self.disturbed = {}  # the most of a row's time in any pass that somebody else had the other half of the core

    def by_pass(self, of, *names):
        """What `of` makes of these rows, the median of all passes; None: not all of them are there."""
        samples = [self.samples.get((name, "ns"), []) for name in names]
        values = [of(*each) for each in zip(*samples)]
        return statistics.median(values) if values else None

    def median_with(self, name, what, value):
        """The median of a row's samples, this one among them."""
        samples = self.samples.setdefault((name, what), [])
        samples.append(value)
        return statistics.median(samples)

    def add(self, path):
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        unit = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
        # Interleaved (an option of Google Benchmark), they come in the random order in which they ran.
        order = ("family_index", "per_family_instance_index")
        for row in sorted(report["benchmarks"], key=lambda row: [row[index] for index in order]):
            if row.get("error_occurred"):
                raise SystemExit(f"{row['name']}: {row['error_message']}")
            if row["run_type"] == "aggregate" and row["aggregate_name"] != "median":
                continue
            parts = [part for part in row["run_name"].split("/") if part not in ("manual_time", "real_time", "process_time")]
            parts = [part for part in parts if not part.startswith(("iterations:", "repeats:"))]
            name = "/".join(parts)
            on_the_clock = "manual_time" in row["run_name"] or "real_time" in row["run_name"]
            time = row["real_time" if on_the_clock else "cpu_time"] * unit[row["time_unit"]]
            rate = row.get("items_per_second")
            self.disturbed[name] = max(self.disturbed.get(name, 0), row.get("disturbed", 0))
            self.ns[name] = self.median_with(name, "ns", 1e9 / rate if rate else time)
            for key in row:
                if key == "bytes" or key.startswith(("up_us", "down_us")):
                    self.counters.setdefault(name, {})[key] = self.median_with(name, key, row[key])


def model_of(name):
    """The bare row that an NDIS row stands beside."""
    bare = re.sub(r"/w\d$", "", name).replace("Ndis", "Bare", 1)
    bare = re.sub(r"/bypass\d+/", "/f0/", bare)
    return re.sub(r"/(5on6|6on5)/", "/5on5/", bare)


def target_of(name):
    """The most that the ratio may be; None: none is set."""
    if not name.endswith("/w0") or TARGET_BATCH not in name or "on5" in name or "on6" in name:
        return None
    for way, most in (("/f0/", 1.5), ("/bypass", 1.5), ("/forward/", 2.0), ("/clone", 2.5)):
        if way in name:
            return most
    return None


def verdict(met):
    return "" if met is None else "met" if met else "NOT MET"


def beside(rows):
    """(row, NDIS ns, bare ns, ratio, target, met) of each row that has a model."""
    for name, ndis in rows.ns.items():
        if not name.startswith("Ndis") or "OnProcessors" in name:
            continue
        bare = rows.ns.get(model_of(name))
        if bare is None:
            yield name, ndis, None, None, None, None
            continue
        target = target_of(name)
        ratio = rows.by_pass(lambda ndis, bare: ndis / bare, name, model_of(name))
        yield name, ndis, bare, ratio, target, None if target is None else ratio <= target


def derived(rows):
    """What follows from several rows: (what, value, target, met)."""
    for what in ("Send", "Receive"):
        # In chains of one list: what is for a chain is not lost in what is for a list. The calls of eight filters
        # are more than the processor foresees, with NDIS and without.
        hops = [f"{model}{what}/{way}/64/1/untouched{tail}" for model, tail in (("Ndis", "/w0"), ("Bare", "")) for way in ("f1", "f4")]
        ratio = rows.by_pass(lambda ndis1, ndis4, bare1, bare4: (ndis4 - ndis1) / (bare4 - bare1), *hops)
        if ratio is not None:
            ndis, bare = (rows.by_pass(lambda low, high: (high - low) / 3, *pair) for pair in (hops[:2], hops[2:]))
            yield (f"{what}: a further filter, ns a chain there and back: {ndis:.1f}, bare {bare:.1f}", ratio, "< 1.5", ratio < 1.5)
        for kind in ("clone", "clonemdls"):
            row = f"{what}/{kind}{TARGET_BATCH}"
            ratio = rows.by_pass(lambda ndis, stale: ndis / stale, f"Ndis{row}/w0", f"Bare{row}/stale")
            if ratio is not None:
                yield f"{what}: {kind}, of the model whose clones come as they were left", ratio, None, None
    yield from two_processors(rows)
    yield from growth(rows)


def two_processors(rows):
    """Where the machine itself does not carry twice as much (two threads of one core), the bare model is the measure."""
    carried = {}
    for what, tail in (("MachineAdd", ""), ("MachineMultiply", ""), ("BareSend", ""), ("NdisSend", "/w0")):
        ratio = rows.by_pass(lambda one, two: one / two, *(f"{what}OnProcessors/{count}{tail}" for count in (1, 2)))
        if ratio is not None:
            carried[what] = ratio
    for what, ratio in carried.items():
        target = None
        if what == "NdisSend":
            cores = carried.get("MachineAdd", 2.0) >= 1.8
            target = 1.8 if cores or "BareSend" not in carried else 0.9 * carried["BareSend"]
        yield (f"{what}: two processors carry, of one", ratio, target and f">= {target:.2f}",
               None if target is None else ratio >= target)


def growth(rows):
    """What a unit costs by their number: how far from the mean it is at most. It may be 20 %."""
    def family(name, value):
        members = {int(row.rsplit("/", 1)[1]): value(row) for row in rows.ns if row.startswith(name + "/")}
        return {count: members[count] for count in sorted(members) if members[count]}

    for key, unit in (("up_us", "us"), ("down_us", "us"), ("bytes", "bytes")):
        yield from grown(f"an adapter, {key.split('_')[0]}, {unit}",
                         family("Adapters", lambda row, key=key: rows.counters[row].get(key)))
        yield from grown(f"an adapter among others, {key.split('_')[0]}, {unit}",
                         family("AdaptersAmong", lambda row, key=key: rows.counters[row].get(key)))
    for key in ("up_us", "down_us"):  # of each from the second on: with the first comes what there is once
        of_each = {int(name.rsplit("_", 1)[1]): value for name, value in rows.counters.get("EachBinding", {}).items()
                   if name.startswith(key)}
        yield from grown(f"a further binding, {key.split('_')[0]}, us", dict(sorted(of_each.items())))
    yield from grown("a further binding, bytes", further(family("Bindings", lambda row: rows.counters[row].get("bytes"))))
    for name in ("SendAmongAdapters", "SendAmongBindings"):
        yield from grown(f"{name}, ns a list", family(name, lambda row: rows.ns[row]))


def further(members):
    """Of each unit but the first, which has with it what there is once."""
    return {count: (each * count - members[1]) / (count - 1) for count, each in members.items() if count > 1 and 1 in members}


def grown(what, members):
    if len(members) < 2:
        return
    mean = statistics.mean(members.values())
    farthest = max(abs(value - mean) for value in members.values()) / mean
    values = ", ".join(f"{count}: {value:,.1f}" for count, value in members.items())
    last = list(members.values())[-1] / min(members.values())
    yield (f"{what}: farthest from the mean ({values}; the last is {last:.2f} of the cheapest)", farthest, "<= 0.20",
           farthest <= 0.2)


def alone(ns):
    """(row, ns) of those that stand beside no model and that nothing follows from."""
    beside_others = ("Ndis", "Bare", "Machine", "Adapters", "Bindings", "EachBinding", "SendAmong")
    return [(name, value) for name, value in ns.items() if not name.startswith(beside_others)]


def number(value):
    return "" if value is None else f"{value:,.2f}"


def lines(rows):
    table = [("row", "ns per item", "bare", "ratio", "target", "")]
    for name, ndis, bare, ratio, target, met in beside(rows):
        table.append((name, number(ndis), number(bare), number(ratio), number(target), verdict(met)))
    for name, value in alone(rows.ns):
        table.append((name, number(value), "", "", "", ""))
    for what, value, target, met in derived(rows):
        table.append((what, "", "", number(value), target or "", verdict(met)))
    disturbed = sum(share > 0.1 for share in rows.disturbed.values())
    if disturbed:
        table.append((f"rows that others computed beside for more than a tenth of a pass: {disturbed}", "", "", "", "", ""))
    table = [tuple(str(cell) for cell in row) for row in table]
    widths = [max(len(row[i]) for row in table) for i in range(6)]
    widths[0] = min(widths[0], 64)
    for row in table:
        cells = [row[0].ljust(widths[0])] + [row[i].rjust(widths[i]) for i in range(1, 6)]
        yield "  ".join(cells).rstrip()


def as_json(rows, context):
    return {
        "context": context,
        "rows": [dict(zip(("row", "ns", "bare_ns", "ratio", "target", "met"), row)) for row in beside(rows)],
        "derived": [dict(zip(("what", "value", "target", "met"), row)) for row in derived(rows)],
        "ns": rows.ns,
        "counters": {name: counters for name, counters in rows.counters.items() if counters},
    }
