"""A sweep: what of it is missing is done by whoever does it, and kept as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensot_demo import __version__
from gensot_demo.experiments.json_lines import append_lines, read_lines
from gensot_demo.experiments.scoreboard.rows import KEY as ROW_KEY

from .pieces import Outcome, Piece, Record, attempt

Doing = Callable[[Sequence[Piece]], Iterator[Outcome]]  # in any order; closing it stops the work


class Kept:
    """The file of a sweep: a JSON object a line, each with the key of its piece, which part of it, the app's version.

    A piece is there when all its parts are. Of what was kept twice, the last counts.
    """

    def __init__(self, path: Path):
        self.path = path

    def records(self) -> dict[str, list[Record]]:
        """Whole pieces by their keys. Raises InvalidRequest for a file that holds something else."""
        found: dict[str, dict[int, Record]] = {}
        parts: dict[str, int] = {}
        for line in read_lines(self.path):
            key, part, of = line.get("piece"), line.get("part"), line.get("parts")
            if isinstance(key, str) and isinstance(part, int) and isinstance(of, int):
                found.setdefault(key, {})[part], parts[key] = line, of
        whole = {key: some for key, some in found.items() if set(some) >= set(range(parts[key]))}
        return {key: [some[n] for n in range(parts[key])] for key, some in whole.items()}

    def show(self, keys: Iterable[str]) -> None:
        """Add again the records of those whole pieces that hold a row which a later line on the same question hides:
        of such rows the Scoreboard shows the last."""
        last = {_question(line): line.get("piece") for line in read_lines(self.path) if "budget" in line}
        whole = self.records()
        for key in keys:
            if any(last[_question(line)] != key for line in whole[key] if "budget" in line):
                append_lines(whole[key], self.path)

    def keep(self, outcome: Outcome) -> None:
        """Add the records of a piece in one write."""
        told: dict[str, Any] = {"piece": outcome.piece.key, "parts": len(outcome.records), "version": __version__}
        append_lines([record | told | {"part": n} for n, record in enumerate(outcome.records)], self.path)


def _question(line: Record) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ROW_KEY)


@dataclass(frozen=True)
class Progress:
    """How far a sweep is: pieces done, those that were there before it began, those of now that failed, and why the
    last one did; seconds since it began, and until the first came, which waits for workers to start."""

    total: int
    before: int
    done: int = 0
    failed: int = 0
    lost: int = 0
    seconds: float = 0.0
    first: float = 0.0
    reason: str = ""

    @property
    def left(self) -> float | None:
        """Seconds, if it goes on as it went; None before two have come."""
        if self.done < 2:
            return None
        return (self.seconds - self.first) / (self.done - 1) * (self.total - self.before - self.done)

    @property
    def ended(self) -> bool:
        """Whether nothing is missing."""
        return self.before + self.done == self.total

    @property
    def sentence(self) -> str:
        """``12 of 87, 3 failed, about 4 min left``."""
        parts = [f"{self.before + self.done} of {self.total}"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.left:
            minutes = self.left / 60
            parts.append(f"about {max(self.left, 1):.0f} s left" if minutes < 1.5 else f"about {minutes:.0f} min left")
        return ", ".join(parts)


def sweep(pieces: Iterable[Piece], kept: Kept, doing: Doing, again: bool = False) -> Iterator[Progress]:
    """Do the pieces that are not kept yet, or all ``again``, and keep each as it comes; yields after each.

    Of rows on one question that were drawn in several ways, this sweep's become the last. A piece that fails is kept
    with its reason. One whose worker was lost for good is not kept: the next sweep tries it anew. Closing the iterator
    stops the work; what was done stays.
    """
    began = time.perf_counter()
    wanted = {piece.key: piece for piece in pieces}
    there = set() if again else set(wanted) & set(kept.records())
    missing = [piece for key, piece in wanted.items() if key not in there]
    kept.show(there)
    done, failed, lost, first = 0, 0, 0, 0.0
    yield Progress(len(wanted), len(there))
    if not missing:
        return
    with closing(doing(missing)) as outcomes:
        for outcome in outcomes:
            if outcome.records:
                kept.keep(outcome)
            done, failed = done + 1, failed + bool(outcome.reason)
            lost += not outcome.records
            seconds = time.perf_counter() - began
            first = first or seconds
            yield Progress(len(wanted), len(there), done, failed, lost, seconds, first, outcome.reason)


def in_turn(pieces: Sequence[Piece]) -> Iterator[Outcome]:
    """One after the other, in this process."""
    yield from map(attempt, pieces)
