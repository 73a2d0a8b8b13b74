"""Pieces of work for tests of sweeps: they note that they began, and where, and do what the test wants of them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from gensot_demo.experiments.requests import InvalidRequest

PATIENCE = 240.0  # seconds, on a machine with much else to do


@dataclass(frozen=True)
class Noted:
    """A piece that notes each beginning as a file in ``folder``.

    does: "well", "refuse", "break", "die once", "die", or "wait": on the machine ``home`` until a piece has begun
    elsewhere, and elsewhere for ever.
    """

    name: str
    folder: Path
    does: str = "well"
    gpus: float = 0.0
    home: str = ""

    @property
    def key(self) -> str:
        return self.name

    def work(self) -> list[dict]:
        node, lent = _place()
        number = len(list(self.folder.glob(f"{self.name}.*")))
        (self.folder / f"{self.name}.{number}").write_text(node)
        if self.does == "wait":
            if node != self.home:
                (self.folder / "elsewhere").touch()
            wait_for(self.folder / ("elsewhere" if node == self.home else "never"))
        elif self.does == "die" or (self.does == "die once" and number == 0):
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.does == "refuse":
            raise InvalidRequest("Steps is 0; it must be a whole number from 2 to 200.")
        elif self.does == "break":
            raise KeyError("nothing there")
        return [{"name": self.name, "node": node, "gpus": lent, "process": os.getpid()}]

    def failed(self, why: str) -> list[dict]:
        return [{"name": self.name, "failed": why}]


def wait_for(file: Path) -> None:
    """Until it is there; TimeoutError after minutes."""
    end = time.monotonic() + PATIENCE
    while not file.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{file} has not come.")
        time.sleep(0.05)


def _place() -> tuple[str, int]:
    """(the machine of the cluster, how many GPUs were lent), of nobody's outside Ray."""
    import ray

    if not ray.is_initialized():
        return "", 0
    return ray.get_runtime_context().get_node_id(), len(ray.get_gpu_ids())
