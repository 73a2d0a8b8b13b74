"""Starts an app in a process of its own and waits until it answers."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


_PORTS = range(20_000, 32_000)  # which neither the kernel nor Ray's workers take for themselves while an app starts


def free_port() -> int:
    """A port of this machine that nobody listens on. Raises RuntimeError where none is found."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("none of 100 ports is free")


@contextmanager
def running_app(script: Path | str | Sequence[str] = "app.py", *, port: int | None = None, **how: Any) -> Iterator[str]:
    """The address of :func:`started_app`, while the block runs."""
    with started_app(script, port=port, **how) as (address, _):
        yield address


@contextmanager
def started_app(
    script: Path | str | Sequence[str] = "app.py",
    patience: float = 240.0,
    *,
    port: int | None = None,
    printed: Path | None = None,
    folder: Path = ROOT,
    **more: str,
) -> Iterator[tuple[str, subprocess.Popen]]:
    """(address, process) of the app that `script` (or a whole command) launches, while the block runs.

    port: or a free one.  printed: where to keep what it prints.  folder: where it runs.  more: variables of its
    environment. Raises RuntimeError with what the app printed, if it ends or does not answer within `patience` seconds.
    """
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    surroundings = os.environ | {
        "PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        **more,
    }
    command = [sys.executable, str(script)] if isinstance(script, Path | str) else list(script)
    with tempfile.TemporaryFile() if printed is None else printed.open("w+b") as output:
        process = subprocess.Popen(command, cwd=folder, env=surroundings, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(address, process, patience, output)
            yield address, process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(address: str, process: subprocess.Popen, patience: float, output) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError, HTTPException):
            time.sleep(0.1)
    output.seek(0)
    raise RuntimeError(f"the app did not answer at {address}:\n{output.read().decode(errors='replace')}")
