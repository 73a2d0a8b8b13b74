"""What a sweep hands out: frozen, picklable pieces of work, each with a key that says all that determines its result.

The key is a hash of the piece's canonical JSON: the request with every default written out, the app's version, one
digest of the code and files that compute (:mod:`.code`), one of the file of each method, which may be one's own, and a
Hub model's revision. Not in it: the versions of torch and other packages, the device, the number of threads.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gensot_demo import __version__
from gensot_demo.backbones.catalogue import EMBEDDED
from gensot_demo.backbones.pipelines.catalogue import allowed_models
from gensot_demo.experiments import links
from gensot_demo.experiments.grid.joined import Cell, joined
from gensot_demo.experiments.grid.request import GridRequest
from gensot_demo.experiments.grid.run import GridResult, distinct, result_of
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest
from gensot_demo.experiments.scoreboard.judged import judging
from gensot_demo.experiments.scoreboard.rows import plain
from gensot_demo.experiments.scoreboard.run import SMALL_DRAWS, Group, draws_of, groups
from gensot_demo.experiments.scoreboard.tasks import tasks_of
from gensot_demo.experiments.success import Success
from gensot_demo.guidance.base import GuidanceMethod
from gensot_demo.transport.errors import reason

from .code import code_digest

_SHARE_OF_A_GPU = {"network": 0.25, "collection": 0.0, "truth": 0.0, "plane": 0.0}  # the exact ones run on the CPU

Record = dict[str, Any]  # plain JSON, one line of what is kept


class Piece(Protocol):
    """One piece of work."""

    @property
    def key(self) -> str:
        """The same for pieces whose results are the same."""

    @property
    def gpus(self) -> float:
        """How much of a GPU it would use, where there is one."""

    def work(self) -> list[Record]:
        """Do it; raises InvalidRequest with a sentence."""

    def failed(self, why: str) -> list[Record]:
        """What is kept of it in place of a result; as many records as ``work`` gives."""


@dataclass(frozen=True)
class Outcome:
    """What became of a piece: its records, and why it failed if it did; no records where its worker was lost."""

    piece: Piece
    records: tuple[Record, ...]
    reason: str = ""


def attempt(piece: Piece) -> Outcome:
    """Do a piece of work; what goes wrong in it is kept as a sentence and takes no other piece down."""
    try:
        return Outcome(piece, tuple(piece.work()))
    except Exception as error:
        why = str(error) if isinstance(error, InvalidRequest) else reason(error)
        return Outcome(piece, tuple(piece.failed(why)), why)


@dataclass(frozen=True)
class RowsPiece:
    """Rows of the Scoreboard that are drawn together."""

    group: Group

    @property
    def key(self) -> str:
        group = self.group
        asked = {"backbone": group.task.backbone, "task": group.task.name, "level": float(group.level)}
        spent = {"steps": group.steps, "draws": group.draws, "budget": group.budget, "twice": list(group.twice)}
        members = [_method(v.method) | {"setting": v.setting, "value": v.value} for v in group.members]
        return key_of("rows", asked | spent | {"methods": members})

    @property
    def gpus(self) -> float:
        return _SHARE_OF_A_GPU[self.group.task.backbone]

    def work(self) -> list[Record]:
        judge = judging() if self.group.task.backbone == "network" else None
        return [plain(row) for row in self.group.rows(judge)]

    def failed(self, why: str) -> list[Record]:
        return [plain(row) for row in self.group.failed(why)]


def rows_pieces(backbone: str | None = None, task: str | None = None, small: bool = False) -> Iterator[RowsPiece]:
    """All rows of the tasks of a backbone and of a name, or of all; ``small``: few draws.

    Raises InvalidRequest naming the tasks that there are.
    """
    try:
        tasks = tasks_of(backbone, task)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    for one in tasks:
        draws = SMALL_DRAWS[one.backbone] if small else draws_of(one)
        yield from (RowsPiece(group) for group in groups(one, draws=draws))


@dataclass(frozen=True)
class CellPiece:
    """One cell of a grid: a comparison of one method."""

    request: CompareRequest

    @property
    def key(self) -> str:
        (choice,) = self.request.methods
        asked = self.request.model_dump(exclude={"methods", "beside"})
        return key_of("cell", asked | {"methods": [_method(choice.method())], "revision": self._revision()})

    def _revision(self) -> str | None:
        """The Hub's commit that is asked for; None for the newest, and for what is not of the Hub."""
        model = allowed_models().get(self.request.backbone)
        return model.revision if model else None

    @property
    def gpus(self) -> float:
        return _SHARE_OF_A_GPU[self.request.backbone] if self.request.backbone in EMBEDDED else 1.0

    def work(self) -> list[Record]:
        *_, last = joined(self.request)
        cell = last.cells[0]
        if cell.pictures is None:
            raise InvalidRequest(cell.reason)
        spent = {"calls": cell.calls, "backwards": cell.backwards, "seconds": cell.seconds, "ess": cell.ess}
        found = {"nearest": list(cell.nearest), "success": [asdict(one) for one in cell.success]}
        return [{"query": links.to_query(self.request)[0]} | spent | found | {"pictures": _png(cell.pictures)}]

    def failed(self, why: str) -> list[Record]:
        return [{"query": links.to_query(self.request)[0], "failed": why}]

    def cell(self, record: Record) -> Cell:
        """The cell that was kept."""
        if "failed" in record:
            return Cell(self.request, reason=record["failed"])
        spent = {name: record[name] for name in ("calls", "backwards", "seconds", "ess")}
        success = tuple(Success(**one | {"values": tuple(one["values"])}) for one in record["success"])
        pictures = _pictures(record["pictures"], self.request.samples)
        return Cell(self.request, pictures, nearest=tuple(record["nearest"]), success=success, **spent)


def cell_pieces(request: GridRequest) -> list[CellPiece]:
    """The different cells of a grid; a setting that a method does not have makes equal cells."""
    return [CellPiece(cell) for cells in distinct(request).values() for cell in cells]


def grid_of_kept(request: GridRequest, records: Mapping[str, Sequence[Record]], seconds: float) -> GridResult:
    """The grid whose cells were kept by their keys."""
    pieces = [piece for piece in cell_pieces(request) if piece.key in records]
    cells = {links.to_query(piece.request)[0]: piece.cell(records[piece.key][0]) for piece in pieces}
    return result_of(request, cells, seconds)


def key_of(kind: str, request: dict[str, Any]) -> str:
    """The hash of what determines a result: its request, the app's version and its code."""
    told = {"kind": kind, "app": __version__, "code": code_digest(), "request": request}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=_base64)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _method(method: GuidanceMethod) -> dict[str, Any]:
    return {"name": method.name, "settings": method.model_dump(), "file": _digest(type(method))}


@lru_cache(maxsize=256)
def _digest(kind: type) -> str:
    """Of the file that a class comes from; empty where there is none."""
    try:
        content = Path(inspect.getsourcefile(kind) or "").read_bytes()
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(content).hexdigest()[:16]


def _png(pictures: NDArray[np.uint8]) -> str:
    """(n, s, s, 3), one below the other."""
    file = io.BytesIO()
    Image.fromarray(pictures.reshape(-1, *pictures.shape[2:])).save(file, "PNG")
    return _base64(file.getvalue())


def _pictures(text: str, count: int) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        rows = np.asarray(picture.convert("RGB"))
    return rows.reshape(count, -1, *rows.shape[1:])
