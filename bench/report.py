"""report: results, and the one table that they are printed as."""

import dataclasses
import datetime
import os
import re
import statistics

import measure


@dataclasses.dataclass
class Goal:
    relation: str  # <=, >=, =
    bound: float
    absolute: bool = False  # holds for cistern's figure, not for the ratio

    def __str__(self):
        return f"{self.relation} {self.bound:g}"

    def reached(self, figure, ratio):
        value = figure if self.absolute else ratio
        if self.relation == "<=":
            return value <= self.bound
        if self.relation == ">=":
            return value >= self.bound
        return abs(value - self.bound) < 0.005


@dataclasses.dataclass
class Result:
    scenario: str
    measure: str
    peer: str = ""
    cistern: float = None
    reference: float = None
    ratios: list = ()  # of pairs; empty for what is counted
    tried: int = 0
    wanted: int = 0
    goal: Goal = None

    @property
    def ratio(self):
        if self.ratios:
            return statistics.median(self.ratios)
        if self.cistern is None or self.reference is None or self.reference < 0.005:
            return None
        return self.cistern / self.reference

    @property
    def verdict(self):
        if self.goal is None:
            return ""
        if self.cistern is None or len(self.ratios) < self.wanted:
            return "noisy"
        return "yes" if self.goal.reached(self.cistern, self.ratio) else "NO"

    def cells(self):
        spread = ""
        if self.ratios:
            low, _, high = measure.quartiles(self.ratios)
            spread = f"{low:.2f}-{high:.2f}"
        return [self.scenario, self.measure, figure(self.cistern), self.peer,
                figure(self.reference), "" if self.ratio is None else f"{self.ratio:.2f}", spread,
                f"{len(self.ratios)}/{self.tried}" if self.tried else "",
                "" if self.goal is None else str(self.goal), self.verdict]


HEADINGS = ["scenario", "measure", "cistern", "against", "theirs", "ratio", "quartiles", "pairs",
            "goal", "reached"]
LEFT = {0, 1, 3, 8, 9}


def figure(value):
    """To three digits or so."""
    if value is None:
        return ""
    value = max(value, 0)  # a difference of counts may be a little below
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def align(rows, edge, between):
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    for row in rows:
        cells = [cell.ljust(width) if i in LEFT else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        yield (edge + between.join(cells) + edge[::-1]).rstrip()


def as_text(results):
    return "\n".join(align([HEADINGS, *(result.cells() for result in results)], "", "  "))


def as_markdown(results):
    lines = list(align([HEADINGS, *(result.cells() for result in results)], "| ", " | "))
    rule = "|" + "|".join("---" if i in LEFT else "--:" for i in range(len(HEADINGS))) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return f"{os.cpu_count()} × {model[1] if model else os.uname().machine}, " \
           f"Linux {os.uname().release}"


def heading(command, versions):
    date = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    return [f"Date: {date}", f"Machine: {machine()}", f"Versions: {', '.join(versions)}",
            f"Command: `{command}`"]
