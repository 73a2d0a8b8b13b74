"""Rows of one's own in place of those that ship: a file named by the environment, question by question."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gensot_demo.experiments.json_lines import read_lines
from gensot_demo.experiments.requests import InvalidRequest

from .rows import Row, load_rows, rows_in

ROWS_VARIABLE = "GENSOT_ROWS"


@dataclass(frozen=True)
class OwnRows:
    """What a file holds: its rows, and the versions of the app that drew them, in the order of their names."""

    path: Path
    rows: tuple[Row, ...]
    versions: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """``rows.jsonl: 108 rows, drawn by version 0.1.0``."""
        of = f"version{'s' * (len(self.versions) > 1)} {' and '.join(self.versions)}"
        count = f"{len(self.rows)} row{'s' * (len(self.rows) != 1)}"
        return f"{self.path.name}: {count}, drawn by {of if self.versions else 'a version that they do not tell'}"


def own_rows() -> OwnRows | None:
    """The rows of the file that GENSOT_ROWS names, read anew, so that a sweep can be watched; None if it names none.

    Raises InvalidRequest for a file that is not there, or that holds no rows or something else.
    """
    name = os.environ.get(ROWS_VARIABLE)
    if not name:
        return None
    path = Path(name).expanduser()
    if not path.is_file():
        raise InvalidRequest(f"There is no file of rows {str(path)!r}.")
    try:
        lines = read_lines(path)
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror or error}.") from None
    rows = rows_in(lines, str(path))
    if not rows:
        raise InvalidRequest(f"{path} holds no rows.")
    versions = sorted({str(line["version"]) for line in lines if "version" in line})
    return OwnRows(path, tuple(rows.values()), tuple(versions))


def shown_rows(own: OwnRows | None) -> list[Row]:
    """The rows that ship, and those of one's own in place of them wherever they answer the same question."""
    if own is None:
        return load_rows()
    answered = {_question(row) for row in own.rows}
    return [row for row in load_rows() if _question(row) not in answered] + list(own.rows)


def _question(row: Row) -> tuple:
    return row.backbone, row.task, row.level, row.budget
