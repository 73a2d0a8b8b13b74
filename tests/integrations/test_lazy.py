"""The package is imported without diffusers, until something of it is used."""

from __future__ import annotations

import subprocess
import sys

CHECK = """
import sys
import gensot_demo.integrations as integrations
assert "diffusers" not in sys.modules
assert {"GenSOTScheduler", "GenSOTGuidance"} <= set(dir(integrations))
assert not hasattr(integrations, "Unknown")
assert integrations.GenSOTScheduler.__name__ == "GenSOTScheduler"
assert "diffusers" in sys.modules
"""


def test_diffusers_is_imported_when_first_used():
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
