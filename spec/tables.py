# SPDX-License-Identifier: MIT
"""The API as data: reading and writing the tables of this folder, and what their columns mean."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

SPEC = Path(__file__).resolve().parent
ROOT = SPEC.parent

KINDS = ("function", "variable", "callback", "macro")
STATUSES = ("done", "partial", "none")
SEVERITIES = ("error", "warning", "note")

# Windows x64. DIRQL is a range: which device's interrupt it is, is not known here.
_LEVELS = {
    "PASSIVE_LEVEL": (0, 0),
    "APC_LEVEL": (1, 1),
    "DISPATCH_LEVEL": (2, 2),
    "DIRQL": (3, 12),
    "HIGH_LEVEL": (15, 15),
}
_IRQL = re.compile(r"(?P<op><=|<|>=)? ?(?P<level>[A-Z_]+)")


@dataclass(frozen=True)
class Irql:
    """The bound at which a function may be called. `documented`: it stands on the function's page."""

    lowest: int
    highest: int
    documented: bool

    @staticmethod
    def parse(text: str) -> "Irql":
        documented = bool(text) and not text.startswith("~")
        text = text.lstrip("~")
        if text in ("", "any"):
            return Irql(0, 15, documented)
        match = _IRQL.fullmatch(text)
        if not match or match["level"] not in _LEVELS:
            raise ValueError(f"IRQL {text!r}: expected one of {', '.join(_LEVELS)}, any, with <=, < or >= before it")
        low, high = _LEVELS[match["level"]]
        bounds = {"<=": (0, high), "<": (0, low - 1), ">=": (low, 15), None: (low, high)}
        return Irql(*bounds[match["op"]], documented)


@dataclass
class Ddi:
    """A row of ddi.csv: a function (or callback, macro, variable) that the WDK's headers declare."""

    name: str
    kind: str
    family: str
    versions: str
    irql: str
    rule: str
    page: str
    file: str
    status: str

    @property
    def there(self) -> bool:
        return self.status in ("done", "partial")

    @property
    def exported(self) -> bool:
        return self.there and self.kind != "callback" and self.file.startswith("src/")

    @property
    def irql_rule(self) -> str:
        return next((rule for rule in self.rule.split(";") if rule.startswith("Irql")), "")

    @property
    def in_enum(self) -> bool:
        """What DdiCall names. A macro's name would be rewritten by the macro itself."""
        return self.kind == "function" and not self.file.startswith("include/")


def read(name: str) -> list[dict[str, str]]:
    with open(SPEC / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_ddi() -> list[Ddi]:
    rows = [Ddi(**row) for row in read("ddi.csv")]
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            raise ValueError(f"spec/ddi.csv: {row.name} has two rows")
        if row.kind not in KINDS or row.status not in STATUSES:
            raise ValueError(f"spec/ddi.csv: {row.name}: kind is one of {KINDS}, status one of {STATUSES}")
        seen.add(row.name)
        Irql.parse(row.irql)
    return rows


def read_rules() -> list[dict[str, str]]:
    rows = read("rules.csv")
    ids = {row["id"] for row in rows}
    for row in rows:
        if row["severity"] not in SEVERITIES or not row["page"] or not row["says"] or not row["seen_by"]:
            raise ValueError(f"spec/rules.csv: {row['id']}: severity is one of {SEVERITIES}; says, seen_by and page are given")
    for row in read_ddi():
        if row.irql_rule and row.irql_rule not in ids:
            raise ValueError(f"spec/ddi.csv: {row.name} names {row.irql_rule}, which has no row in spec/rules.csv")
    if len(ids) != len(rows):
        raise ValueError("spec/rules.csv: an id has two rows")
    return rows


def write(name: str, columns: list[str], rows: list[list[str]]) -> bool:
    """Writes the table if it differs; True if it did."""
    lines = [columns, *rows]
    path = SPEC / name
    before = path.read_bytes() if path.exists() else b""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    return path.read_bytes() != before


def put(path: Path, text: str) -> None:
    """Writes the file unless it says the same already, so that nothing is rebuilt for nothing."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def check(path: Path, text: str, how: str) -> bool:
    """For `--check`: says what to run if the file is not what it would be now."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return True
    print(f"{path.relative_to(ROOT)} is out of date: run {how}")
    return False
