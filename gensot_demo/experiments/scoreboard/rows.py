"""One row of the Scoreboard, and the file that keeps rows so that a run that was cut goes on where it ended."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gensot_demo.experiments.json_lines import append_lines, read_lines
from gensot_demo.experiments.requests import InvalidRequest

SHIPPED = Path(__file__).resolve().parents[3] / "assets" / "scoreboard" / "results.jsonl"


KEY = ("backbone", "task", "level", "method", "setting", "value", "budget")
"""The fields that make a row the same row."""


@dataclass(frozen=True)
class Row:
    """What one method did on one task at one strength.

    backbone, task, level: what was asked, of whom, how much (in the task's own unit).  method, label: who answered.
    setting, value: the method's own strength that was varied, or None.  budget: "steps" (equal steps) or "calls"
    (equal network calls).  steps, calls, backwards, seconds: spent, the last three per delivered sample.
    statistic: "W2" or "total variation", or None without a known law.  distance, error: to that law, and its standard
    error.  floor, spread: mean and standard deviation of the same for exact draws.  power: for a deliberately wrong
    law.  effective, ideal: effective number of outcomes drawn, and of exact draws.  ess: smallest effective share of
    weighted particles.  success, unit, quantity: how far the task
    was met, in that unit, and what it is.  accuracy, kid, diversity: the judge's
    opinion, with standard errors.  failed: why there is no result.
    """

    backbone: str
    task: str
    level: float
    method: str
    label: str
    budget: str
    setting: str | None = None
    value: float | None = None
    steps: int = 0
    draws: int = 0
    calls: float = 0.0
    backwards: float = 0.0
    seconds: float = 0.0
    statistic: str | None = None
    distance: float | None = None
    error: float | None = None
    floor: float | None = None
    spread: float | None = None
    power: float | None = None
    effective: float | None = None
    ideal: float | None = None
    ess: float | None = None
    success: float | None = None
    unit: str | None = None
    quantity: str | None = None
    accuracy: float | None = None
    accuracy_error: float | None = None
    kid: float | None = None
    kid_error: float | None = None
    diversity: float | None = None
    failed: str | None = None

    @property
    def key(self) -> tuple:
        """What makes a row the same row."""
        return tuple(getattr(self, name) for name in KEY)

    @property
    def own(self) -> str:
        """The method's own strength where it was varied, as in " (scale 0.5)"."""
        return "" if self.setting is None else f" ({self.setting.replace('_', ' ')} {self.value:g})"

    @property
    def valid(self) -> bool:
        """Whether the statistic tells a wrong law from the right one; if not, its distance proves nothing."""
        return self.distance is not None and self.power > self.floor + 4 * self.spread

    @property
    def ratio(self) -> float | None:
        """Distance over floor: 1 is as good as exact draws; None where nothing is proved."""
        return self.distance / self.floor if self.valid else None

    @property
    def exact(self) -> bool:
        """Whether so many draws cannot tell it from exact ones: within two standard errors of the floor."""
        return self.valid and self.distance - self.floor <= 2 * math.hypot(self.error, self.spread)

    @property
    def cost(self) -> float:
        """Forward and backward passes a delivered sample."""
        return self.calls + self.backwards

    @property
    def cost_per_success(self) -> float | None:
        """Passes for each sample that the judge gives the class asked for."""
        return self.cost / self.accuracy if self.accuracy else None


def load_rows(path: Path = SHIPPED) -> list[Row]:
    """The rows of a file, none if there is no file; of equal keys the last counts. Unknown fields are ignored.

    Raises InvalidRequest naming the file, and the row that is none.
    """
    return list(rows_in(read_lines(path), str(path)).values())


def rows_in(lines: Iterable[dict[str, Any]], where: str) -> dict[tuple, Row]:
    """Rows by their keys; of equal keys the last counts. Raises InvalidRequest for what is no row."""
    rows = {}
    for number, values in enumerate(lines, 1):
        try:
            row = _ROW.validate_python(values)
        except ValidationError as error:
            problem = error.errors()[0]
            wrong = f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}"
            raise InvalidRequest(f"{where}: row {number} is no row of the Scoreboard ({wrong}).") from None
        rows[row.key] = row
    return rows


def append_rows(rows: Iterable[Row], path: Path, **more: str) -> None:
    """Add rows at the end of a file, fields without a value left out; ``more``: further fields of each."""
    append_lines([plain(row) | more for row in rows], path)


def plain(row: Row) -> dict[str, Any]:
    """A row as it is kept: five significant digits, fields without a value left out."""
    return {name: _short(value) for name, value in asdict(row).items() if value is not None}


def _short(value: object) -> object:
    return float(f"{value:.5g}") if isinstance(value, float) else value


_ROW = TypeAdapter(Row)
