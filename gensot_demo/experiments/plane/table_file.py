"""Points from a visitor's table file (CSV): two columns of numbers, whatever separates them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensot_demo.transport.targets import MOST_COMPONENTS

from ..requests import InvalidRequest

MOST_BYTES = 32_000_000
MOST_LINES = 2_000_000
_SEPARATORS = (",", ";", "\t")


def read_points(path: str | Path) -> tuple[NDArray[np.float64], list[str]]:
    """(points (n, 2), notes) from the first two columns; a first line of words is a heading.

    Rows without finite numbers are left out with a note; more than 400 rows are thinned to an even choice of 400.
    Raises InvalidRequest naming the line and its text where there are no numbers, and for more than two million lines.
    """
    size = Path(path).stat().st_size
    if size > MOST_BYTES:
        raise InvalidRequest(f"The file has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB are taken.")
    data = Path(path).read_bytes()
    if (given := max(data.count(b"\n"), data.count(b"\r"))) > MOST_LINES:  # counted before anything is made of them
        raise InvalidRequest(f"The file has {given:,} lines; at most {MOST_LINES:,} are read.")
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except UnicodeDecodeError:
        raise InvalidRequest("The file is not text: a CSV file with two columns of numbers is needed.") from None
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise InvalidRequest("The file is empty: a CSV file with two columns of numbers is needed.")
    separator = max(_SEPARATORS, key=lines[0].count)
    separator = separator if separator in lines[0] else None
    heading = 1 if len(lines) > 1 and not _numbers(lines[0], separator) else 0
    rows = _parsed(lines, heading, separator)
    return _kept(rows)


def _numbers(line: str, separator: str | None) -> bool:
    try:
        return len([float(part) for part in line.split(separator)[:2]]) == 2
    except ValueError:
        return False


def _parsed(lines: list[str], heading: int, separator: str | None) -> NDArray[np.float64]:
    try:
        rows = np.loadtxt(lines[heading:], delimiter=separator, usecols=(0, 1), ndmin=2)
    except ValueError:
        for number, line in enumerate(lines[heading:], start=heading + 1):
            if not _numbers(line, separator):
                raise InvalidRequest(
                    f"Line {number} of the file is {line[:40]!r}; it must begin with two numbers, as in '1.5, -0.2'."
                ) from None
        raise InvalidRequest("The file could not be read as two columns of numbers.") from None
    return rows


def _kept(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    notes = []
    finite = np.isfinite(rows).all(1)
    if not finite.any():
        raise InvalidRequest(f"None of the file's {len(rows):,} rows holds two finite numbers.")
    if not finite.all():
        notes.append(f"{int((~finite).sum()):,} of {len(rows):,} rows hold no finite numbers and were left out.")
        rows = rows[finite]
    if len(rows) > MOST_COMPONENTS:
        notes.append(f"{MOST_COMPONENTS} of the file's {len(rows):,} rows are used, an even choice.")
        rows = rows[np.sort(np.random.default_rng(0).choice(len(rows), MOST_COMPONENTS, replace=False))]
    return rows, notes
