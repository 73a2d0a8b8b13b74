"""Runs on a Space that lends its GPU call by call, with the host's own package replaced."""

from __future__ import annotations

import pickle
import sys
from types import SimpleNamespace

import pytest

from gensot_demo.backbones.base import BackboneInfo
from gensot_demo.experiments import zero_gpu
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.requests import CompareRequest, MethodChoice, ReferenceChoice

SMALL = CompareRequest(
    references=(ReferenceChoice(average="faces"),), methods=(MethodChoice(name="gensot"),), steps=4, samples=1,
    resolution=32,
)  # fmt: skip


def info(parameters: float, resolution: int) -> BackboneInfo:
    return BackboneInfo("x", "X", "", "", "", "prompts", resolution, int(parameters))


def test_without_lending_the_run_is_the_run_itself(monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert zero_gpu.on_lent_gpu(len) is len


def test_lent_runs_are_announced_with_a_length_and_the_model_is_there_before(monkeypatch):
    announced, order = [], []

    def gpu(duration):
        def decorate(run):
            def inside(*arguments):
                announced.append(duration(*arguments))
                order.append("gpu")
                yield from run(*arguments)

            return inside

        return decorate

    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    found = zero_gpu.backbone_of
    monkeypatch.setattr(zero_gpu, "backbone_of", lambda request: order.append("loaded") or found(request))
    *updates, result = zero_gpu.on_lent_gpu(compare)(SMALL)
    assert announced == [15]
    assert order[0] == "loaded"
    assert order.index("loaded") < order.index("gpu")
    again = pickle.loads(pickle.dumps(result))  # what leaves the run's own process is pickled
    assert again.methods["gensot"].calls == result.methods["gensot"].calls
    assert updates


def test_the_length_grows_with_steps_methods_and_size_within_bounds():
    sd, sdxl = info(860e6, 512), info(2567e6, 1024)
    long = SMALL.model_copy(update={"steps": 100, "samples": 4})
    assert zero_gpu.gpu_seconds(SMALL, sd) == 15
    assert 15 < zero_gpu.gpu_seconds(long, sd) < zero_gpu.gpu_seconds(long, sdxl)
    huge = long.model_copy(update={"steps": 200, "samples": 12})
    assert zero_gpu.gpu_seconds(huge, sdxl) == 120


@pytest.mark.parametrize("name", ["heun"])
def test_two_calls_a_step_need_longer(name):
    long = SMALL.model_copy(update={"steps": 100, "samples": 4})
    twice = long.model_copy(update={"sampler": name})
    assert zero_gpu.gpu_seconds(twice, info(860e6, 512)) > zero_gpu.gpu_seconds(long, info(860e6, 512))
