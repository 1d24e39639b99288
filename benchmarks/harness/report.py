"""What was measured, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.harness.machine import Machine
from benchmarks.harness.samples import Samples

__all__ = ["Goal", "Report", "Row"]


@attrs.frozen
class Goal:
    """What a figure should at least, or at most, be: itself or, with `relative`, as a multiple of the peer's."""

    at_least: float | None = None
    at_most: float | None = None
    relative: bool = True

    def is_met_by(self, figure: float) -> bool:
        low = self.at_least is None or figure >= self.at_least
        return low and (self.at_most is None or figure <= self.at_most)

    def describe(self, unit: str) -> str:
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {bound:g}×" if self.relative else f"{sign} {bound:g} {unit}".rstrip()


@attrs.frozen
class Row:
    """One figure of one kind of work: ours, the peer's if it has one, and what it should be."""

    work: str
    figure: str
    unit: str
    ours: Samples
    peer: Samples | None = None
    goal: Goal | None = None
    peer_name: str = ""
    """Where the peer is another than the report's."""

    @classmethod
    def of(cls, work: str, figure: str, unit: str, sides: Sequence[Iterable[float]], goal: Goal | None = None) -> Row:
        """The figures of each round of ours and, if there is one, of the peer."""
        ours, *others = (Samples(rounds) for rounds in sides)
        return cls(work, figure, unit, ours, others[0] if others else None, goal)

    @property
    def ratio(self) -> Samples | None:
        """Ours by the peer's, round by round."""
        if self.peer is None or not all(self.peer.values):
            return None
        return self.ours.over(self.peer)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None without a goal, or without the peer that the goal is about."""
        if self.goal is None:
            return None
        if not self.goal.relative:
            return self.goal.is_met_by(self.ours.median)
        return None if self.ratio is None else self.goal.is_met_by(self.ratio.median)

    def cells(self) -> list[str]:
        ratio = self.ratio
        return [
            self.work,
            f"{self.figure}, {self.unit}" if self.unit else self.figure,
            _number(self.ours.median),
            "" if self.peer is None else _number(self.peer.median) + (f" ({self.peer_name})" if self.peer_name else ""),
            "" if ratio is None else f"{ratio.median:.2f}× ({ratio.low:.2f}–{ratio.high:.2f})",
            "" if self.goal is None else self.goal.describe(self.unit),
            {True: "met", False: "MISSED", None: ""}[self.is_met],
        ]

    def as_json(self) -> dict[str, Any]:
        ratio = self.ratio
        return {
            "work": self.work,
            "figure": self.figure,
            "unit": self.unit,
            "ours": self.ours.median,
            "peer": None if self.peer is None else self.peer.median,
            "ratio": None if ratio is None else ratio.median,
            "goal": None if self.goal is None else self.goal.describe(self.unit),
            "met": self.is_met,
            "rounds": {
                "ours": list(self.ours.values),
                "peer": None if self.peer is None else list(self.peer.values),
                "ratio": None if ratio is None else list(ratio.values),
            },
        }


@attrs.frozen
class Report:
    """Rows, and all that a reader must know to judge them."""

    machine: Machine
    model: str
    peer: str
    settings: str
    bystanders: float
    """The share of the machine that others used meanwhile."""
    rows: Sequence[Row]

    HEADINGS = ("work", "figure", "ours", "peer", "ratio (range)", "goal", "")

    def describe(self) -> str:
        lines = [
            self.machine.describe(),
            f"Others used {self.bystanders:.0%} of it meanwhile.",
            f"Model: {self.model} · {self.settings}",
            f"Peer: {self.peer}",
            "",
        ]
        return "\n".join([*lines, *self._table(), "", "Medians of the rounds; a ratio is taken within each round."])

    def write(self, path: Path) -> None:
        """All of it as JSON, with the figures of every round."""
        content = {
            "machine": self.machine.as_json(),
            "model": self.model,
            "peer": self.peer,
            "settings": self.settings,
            "bystanders": self.bystanders,
            "rows": [row.as_json() for row in self.rows],
        }
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def _table(self) -> list[str]:
        table = [list(self.HEADINGS), *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in table]
        return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3g}"
