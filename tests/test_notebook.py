"""``gensot_demo.compare`` as a person types it into a notebook, and a pipeline from a folder on the command line."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import gensot_demo
from gensot_demo.experiments.requests import InvalidRequest
from tests.support.tiny_pipelines import save


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save("sd", tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def pipe(folder):
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(folder)


def test_a_pipeline_and_a_prompt_make_pictures_traces_and_figures(pipe):
    shares = []
    gensot = {"name": "gensot", "settings": {"particles": 2}}
    found = gensot_demo.compare(
        pipe, {"a cat": 2, "a house": 1}, methods=["conditional", "cfg", gensot],
        steps=6, samples=2, strength=1.5, progress=shares.append,
    )  # fmt: skip
    assert list(found.pictures) == ["conditional", "cfg", "gensot"]
    assert found.pictures["cfg"].shape == (2, 16, 16, 3)
    assert found.result.asked.task.trusts == (3.0, 1.5)
    part = found.result.methods["gensot"]
    assert part.states.shape == part.predicted.shape
    assert part.calls == 2 * 3 * 7  # particles, conditions and none, the mean and six steps
    figures = found.figures()
    assert [trace.name for trace in figures["energy"].data] == ["Conditional", "Classifier-free guidance", "GenSOT"]
    assert found._repr_html_().count("<img") == 6
    assert shares == sorted(shares)


def test_a_picture_to_follow_may_be_an_image(pipe):
    half = np.full((16, 16, 3), 255, np.uint8)
    half[:, :8] = 0
    found = gensot_demo.compare(
        pipe, "a cat", methods=["gensot"], reference=Image.fromarray(half), view_noise=0.2, steps=6, samples=1
    )
    assert len(found.result.asked.references) == 1


def test_bad_values_raise_a_sentence(pipe):
    with pytest.raises(InvalidRequest, match="needs a prompt"):
        gensot_demo.compare(pipe)
    with pytest.raises(InvalidRequest, match="9,999 characters"):
        gensot_demo.compare(pipe, "cat " * 2500)
    with pytest.raises(InvalidRequest, match="Steps is 1000000000"):
        gensot_demo.compare(pipe, "a cat", steps=10**9)


def test_embedded_models_go_by_name():
    found = gensot_demo.compare("collection", "hearts", ["cfg"], steps=4, samples=1, path="cosine", resolution=32)
    assert found.pictures["cfg"].shape == (1, 32, 32, 3)


def sample(*options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "gensot_demo", "sample", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command_line_takes_a_folder(folder, tmp_path):
    out = tmp_path / "out.png"
    done = sample(
        "--backbone", str(folder), "--condition", "a cat", "--negative", "a house", "--method", "cfg",
        "--steps", "4", "--samples", "2", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Image.open(out).size[0] > 190
    assert "Classifier-free guidance" in done.stdout


def test_the_command_line_says_what_is_wrong_with_a_folder(tmp_path):
    done = sample("--backbone", str(tmp_path), "--condition", "a cat")
    assert done.returncode == 2
    assert "model_index.json" in done.stderr
    assert "Traceback" not in done.stderr
