"""Freed memory leaves the process, in a process of its own: what others have allocated would blur it."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
from pathlib import Path
from gensot_demo.shell.memory import give_back_freed_memory

def resident():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024

give_back = give_back_freed_memory()
blocks = [bytes(30_000) for _ in range(8000)]  # 240 MB, each too small to be mapped by itself
kept = blocks[7999]
del blocks  # the last one pins the heap's end: nothing below it goes back by itself
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_freed_memory_goes_back():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 150
