"""docs/API.md names every public endpoint, and its examples are read without a note."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages.links_of_pages import LINKS

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `/(\w+)` \|[^|]*\| (?:`([^`]*)` )?\|$", DOCUMENT, re.MULTILINE))
PAGE_OF = {
    "compare": "/", "measure": "/", "inspect": "/", "sequence": "/sequences", "protocol": "/navigation",
    "learn_guide": "/teacher", "schedules": "/energy", "speed_accuracy": "/robustness", "train_flow": "/training",
    "transport_cells": "/optimal_transport", "solve_heights": "/heights", "train_pairing": "/pairing",
    "gaussian_maps": "/gaussians", "lagrangian_diffusion": "/lagrangian", "adaptive_stiffness": "/adaptive",
    "matrix_stiffness": "/directions", "failure": "/failures", "neurons_luck": "/neurons",
}  # fmt: skip


def published() -> set[str]:
    """The names under which the package publishes endpoints."""
    found, views = set(), set()
    for path in (ROOT / "gensot_demo").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"named\.publish\(\w+, f?\"(\w[\w{}]*)\"", source))
        views |= set(re.findall(r"\bView\(\s*name=\"(\w+)\"", source))
    return {name for name in found if "{" not in name} | {f"lagrangian_{view}" for view in views}


def test_every_endpoint_is_named_and_none_that_there_is_not():
    assert len(published()) >= 31
    assert set(ROWS) == published()


@pytest.mark.parametrize("name", [name for name, query in ROWS.items() if query])
def test_its_example_is_read_without_a_note(name):
    path = PAGE_OF.get(name, "/" + name.removeprefix("lagrangian_"))
    _, notes = LINKS[path].read(ROWS[name])
    assert notes == []
