"""CONTRIBUTING's way to a method of one's own, followed as it is written: its commands, in its order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from gradio_client import Client

from tools.running_app import ROOT, running_app

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUERY = "condition=hearts*1&strength=3&steps=6&samples=1&resolution=32&method=conditional&method=cfg&method=late"


def commands() -> list[str]:
    section = TEXT.partition("## Add a guidance method in 30 lines")[2].partition("\n## ")[0]
    return re.search(r"```bash\n(.*?)```", section, re.DOTALL)[1].strip().splitlines()


def test_the_method_has_at_most_thirty_lines():
    (copied,) = re.findall(r"cp (docs/\S+)", "\n".join(commands()))
    assert len((ROOT / copied).read_text(encoding="utf-8").splitlines()) <= 30


def test_its_commands_bring_a_method_that_changes_the_pictures(tmp_path: Path):
    *before, serve = commands()
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    for command in before:
        subprocess.run(shlex.split(command), cwd=tmp_path, check=True)
    python, *arguments = shlex.split(serve)
    assert python == "python"
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with running_app([sys.executable, *arguments], folder=tmp_path, PYTHONPATH=path) as address:
        client = Client(address, verbose=False, httpx_kwargs={"timeout": 120})
        methods = client.predict(query=QUERY, api_name="/compare")["methods"]
        assert methods["late"]["label"] == "Late guidance"
        ways = {
            name: one["energy"] for name, one in methods.items()
        }  # ends may agree on an exact collection, ways do not
        assert len(set(ways.values())) == 3
        stronger = client.predict(query=QUERY + "*half:0.1", api_name="/compare")["methods"]
        assert stronger["late"]["energy"] != ways["late"]
        assert stronger["cfg"]["energy"] == ways["cfg"]
