"""A sweep's pieces as Ray tasks, on this machine or on a cluster. The one place that imports Ray.

Every worker loads a model once. Tasks of lost workers are done again elsewhere; what a piece itself raises is its
result. Importing this raises ModuleNotFoundError where Ray is not installed.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before Ray is imported, which reads them
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
from ray._private import worker as ray_worker
from ray.exceptions import RayError, RayTaskError

from gensot_demo import __version__
from gensot_demo.experiments.requests import InvalidRequest

from .pieces import Outcome, Piece, attempt

_STORE_BYTES = 100 * 2**20  # of results on their way, which are small
_WAITING = 2  # tasks a place that are handed out: one at work, one to come
_LOOK_AGAIN = 5.0  # seconds between looks at how large the cluster is


@dataclass(frozen=True)
class Places:
    """Where tasks run.

    address: of a Ray cluster; None is this machine alone.  workers: CPUs of this machine that are used; None is all.
    tries: how often a piece is begun whose workers are lost.  cpus: of a task, and as many threads of torch.  gpus: of
    a task; None is what its piece uses where the cluster has GPUs.
    """

    address: str | None = None
    workers: int | None = None
    tries: int = 3
    cpus: int = 1
    gpus: float | None = None

    def __call__(self, pieces: Sequence[Piece]) -> Iterator[Outcome]:
        """Do them, in the order in which they end. Raises InvalidRequest where there is no such cluster, where no
        machine of it can hold a task, or where a worker has another version of this app."""
        ours = not ray.is_initialized()
        if ours:
            self._connect()
        ray_worker._worker_logs_enabled = False  # else a lost machine's whole log is printed among our results
        handed: dict[ray.ObjectRef, Piece] = {}
        try:
            yield from self._done(list(reversed(pieces)), handed)
        finally:
            self._leave(handed, ours)

    def _leave(self, handed: Iterable[ray.ObjectRef], ours: bool) -> None:
        """What is still at work ends with the connection. To cancel it, as a connection that is somebody else's needs,
        ends this process with status 1 now and then: where a result is on its way (Ray 2.60, task_manager.cc)."""
        if ours:
            ray.shutdown()
            return
        for ref in handed:
            ray.cancel(ref, force=True)

    def _connect(self) -> None:
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self.address is None:
            ray.init("local", num_cpus=self.workers, include_dashboard=False, object_store_memory=_STORE_BYTES, **quiet)
            return
        _require_answer(self.address)
        try:
            ray.init(self.address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())[:200]
            raise InvalidRequest(f"There is no Ray cluster at {self.address!r}: {said}") from None

    def _done(self, waiting: list[Piece], handed: dict[ray.ObjectRef, Piece]) -> Iterator[Outcome]:
        room, looked = 0, float("-inf")
        has_gpus = ray.cluster_resources().get("GPU", 0) > 0
        for gpus in {self._gpus(piece, has_gpus) for piece in waiting}:
            self._require_room(gpus)
        while waiting or handed:
            if time.monotonic() - looked > _LOOK_AGAIN:
                room, looked = _WAITING * self._places(), time.monotonic()
            while waiting and len(handed) < room:
                piece = waiting.pop()
                handed[self._hand_out(piece, has_gpus)] = piece
            ended, _ = ray.wait(list(handed), num_returns=1, timeout=1.0)
            for ref in ended:
                yield _outcome(handed.pop(ref), ref)

    def _places(self) -> int:
        """How many tasks run at once, at least 1."""
        return max(1, int(ray.cluster_resources().get("CPU", 0) // self.cpus))

    def _hand_out(self, piece: Piece, has_gpus: bool) -> ray.ObjectRef:
        task = _TASK.options(
            num_cpus=self.cpus, num_gpus=self._gpus(piece, has_gpus), max_retries=self.tries - 1, retry_exceptions=False
        )
        return task.remote(piece, piece.key, self.cpus)

    def _gpus(self, piece: Piece, has_gpus: bool) -> float:
        return self.gpus if self.gpus is not None else piece.gpus if has_gpus else 0.0

    def _require_room(self, gpus: float) -> None:
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if any(one.get("CPU", 0) >= self.cpus and one.get("GPU", 0) >= gpus for one in machines):
            return
        cpus, most = (max((one.get(name, 0) for one in machines), default=0) for name in ("CPU", "GPU"))
        raise InvalidRequest(
            f"A task would take {self.cpus} CPUs and {gpus:g} GPUs of one machine; no machine here has more than "
            f"{cpus:g} CPUs and {most:g} GPUs."
        )


def _require_answer(address: str) -> None:
    """Ask once whether somebody is there; Ray itself would ask for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _LOOK_AGAIN).close()
    except (OSError, OverflowError) as error:
        raise InvalidRequest(f"There is no Ray cluster at {address!r}: {error}.") from None


def _attempt(piece: Piece, key: str, cpus: int) -> tuple[list[dict[str, Any]], str]:
    """On a worker: (records, why it failed)."""
    import torch

    if piece.key != key:
        raise _AnotherVersion(f"A worker has another version of GenSOT Demo ({__version__}) or other methods.")
    torch.set_num_threads(cpus)
    outcome = attempt(piece)
    return list(outcome.records), outcome.reason


# Made once: each made anew would be sent to every worker. Calls are without limit, for a worker with a GPU would else
# end after each task and load its model again.
_TASK = ray.remote(max_calls=0)(_attempt)


class _AnotherVersion(Exception):
    """The worker's code is not the code of who asks."""


def _outcome(piece: Piece, ref: ray.ObjectRef) -> Outcome:
    try:
        records, why = ray.get(ref)
    except RayTaskError as error:
        cause = " ".join(str(error.cause or error).split())[-300:]
        raise InvalidRequest(
            f"The workers cannot do this: {cause} Every machine of the cluster needs GenSOT Demo {__version__} and the "
            "same methods."
        ) from None
    except RayError as error:
        return Outcome(piece, (), f"Its worker was lost each time: {type(error).__name__}.")
    return Outcome(piece, tuple(records), why)
