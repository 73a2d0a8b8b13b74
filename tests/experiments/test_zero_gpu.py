"""Runs on a Space that lends its GPU call by call: with a stand-in for the host's package, and with the package."""

from __future__ import annotations

import ast
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gensot_demo.backbones.base import BackboneInfo
from gensot_demo.experiments import zero_gpu
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.requests import CompareRequest, MethodChoice, ReferenceChoice

ROOT = Path(__file__).parents[2]
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


def test_the_host_s_own_package_takes_the_runs_as_they_are(monkeypatch):
    """Off ZeroGPU ``spaces.GPU`` gives back what it is given; with it a lent run is the same run."""
    import spaces

    asked = []
    real = spaces.GPU
    monkeypatch.setattr(spaces, "GPU", lambda **options: asked.append(options) or real(**options))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    lent = zero_gpu.on_lent_gpu(compare)
    assert lent is not compare
    assert lent.__name__ == "compare"
    *updates, result = lent(SMALL)
    *_, plain = compare(SMALL)
    assert updates
    assert (result.methods["gensot"].pictures == plain.methods["gensot"].pictures).all()
    (options,) = asked
    assert options.keys() == {"duration"}
    assert options["duration"](SMALL) == 15
    assert options["duration"](SMALL, SMALL, 7) >= 15


def test_a_lent_run_is_cut_short_by_closing_it(monkeypatch):
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    ended = []

    def run(request):
        try:
            while True:
                yield request
        finally:
            ended.append(True)

    lent = zero_gpu.on_lent_gpu(run)(SMALL)
    assert next(lent) is SMALL
    lent.close()
    assert ended == [True]


def lent_functions() -> dict[str, ast.FunctionDef]:
    found = {}
    for path in sorted((ROOT / "gensot_demo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(one, ast.Name) and one.id == "on_lent_gpu" for one in node.decorator_list
            ):
                found[f"{path.stem}.{node.name}"] = node
    return found


def test_every_lent_run_is_a_generator_function_at_import():
    """The host looks for decorated functions at start, and takes a function without yield for one that returns once."""
    found = lent_functions()
    assert len(found) >= 6
    for name, node in found.items():
        assert any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node)), name


@pytest.mark.parametrize(("value", "lent"), [("", False), ("false", False), ("0", False), ("1", True), ("true", True)])
def test_the_variable_is_read_as_the_host_reads_it(monkeypatch, value, lent):
    from spaces.config import boolean

    monkeypatch.setenv("SPACES_ZERO_GPU", value)
    assert zero_gpu.lent_by_call() == lent == boolean(value)
