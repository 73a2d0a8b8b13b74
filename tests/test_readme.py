"""The code that the README shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.tiny_pipelines import save

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(save("sd", tmp_path_factory.mktemp("models") / "tiny"))


def test_there_are_two_blocks():
    assert len(BLOCKS) == 2


def test_the_comparison_of_ones_own_pipeline(pipe, monkeypatch):
    import plotly.graph_objects as go

    shown = []
    monkeypatch.setattr(go.Figure, "show", lambda figure: shown.append(figure))
    names = {"pipe": pipe}
    exec(BLOCKS[0], names)
    assert list(names["found"].pictures) == ["cfg", "gensot"]
    assert len(shown) == 1


def test_the_scheduler_in_ones_own_pipeline(pipe):
    names = {"pipe": pipe}
    exec(BLOCKS[1], names)
    assert names["variation"].size == (16, 16)
