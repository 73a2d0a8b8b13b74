"""The app as a container runs it: user 1000, a tree that it cannot write to, its caches elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.running_app import free_port

_PATIENCE = 300.0  # seconds: a busy machine needs minutes for what an idle one does in ten seconds
_AS_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def as_user() -> tuple[str, ...] | None:
    """What runs a command as user 1000: nothing for who is an ordinary user already, None where it cannot be done."""
    if os.geteuid():
        return ()
    can = shutil.which(_AS_USER[0]) and not subprocess.run([*_AS_USER, "true"], capture_output=True).returncode
    return _AS_USER if can else None


def answers_as_deployed(root: Path) -> Iterator[str]:
    """Why it would not: it writes where it may not, does not start, or its health check fails."""
    user = as_user()
    if user is None:
        yield "Root cannot become user 1000 here (unshare); run this as an ordinary user."
        return
    with tempfile.TemporaryDirectory() as own:
        tree, home = Path(own, "app"), Path(own, "home")
        _copy(root, tree)
        home.mkdir()
        port = free_port()
        surroundings = {
            "PATH": os.environ["PATH"], "HOME": str(home), "PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_TEMP_DIR": str(home / "gradio"), "HF_HOME": str(home / "huggingface"), "HF_HUB_OFFLINE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        command = [*user, sys.executable, "app.py"]
        with tempfile.TemporaryFile() as output:
            app = subprocess.Popen(command, cwd=tree, env=surroundings, stdout=output, stderr=subprocess.STDOUT)
            try:
                yield from _waited(app, health_check(root / "Dockerfile"), surroundings, output)
            finally:
                app.terminate()
                app.wait(timeout=30)


def health_check(dockerfile: Path) -> list[str]:
    """The command that the Dockerfile's HEALTHCHECK runs, after ``python``."""
    text = dockerfile.read_text(encoding="utf-8").replace("\\\n", " ")
    python, *rest = json.loads(re.search(r"^HEALTHCHECK .*?\bCMD\s+(.*)$", text, re.MULTILINE)[1])
    if python != "python":
        raise ValueError(f"the health check runs {python!r}, not python")
    return rest


def _copy(root: Path, tree: Path) -> None:
    """What a clone would hold, and nobody can write to."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, tree / name)
    for path in (tree, *tree.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _waited(app: subprocess.Popen, check: list[str], surroundings: dict[str, str], output) -> Iterator[str]:
    end = time.monotonic() + _PATIENCE
    while app.poll() is None and time.monotonic() < end:
        if not subprocess.run([sys.executable, *check], env=surroundings, capture_output=True, check=False).returncode:
            return
        time.sleep(1)
    output.seek(0)
    said = output.read().decode(errors="replace").strip().splitlines()[-12:]
    why = "ended" if app.poll() is not None else f"did not pass its health check within {_PATIENCE:.0f} s"
    yield f"The app {why}:"
    yield from said
