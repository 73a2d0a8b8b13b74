"""Every method steers; the path protocol does not. On 60 pictures of the collection, in float64."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from gensot_demo.backbones.emoji import load_collection
from gensot_demo.guidance.autoguidance import Autoguidance
from gensot_demo.guidance.base import BoundMethod, GuidanceMethod, Task
from gensot_demo.guidance.classifier import ClassifierGuidance
from gensot_demo.guidance.classifier_free import ClassifierFreeGuidance
from gensot_demo.guidance.conditional import Conditional
from gensot_demo.guidance.ddnm import NullSpace
from gensot_demo.guidance.dps import DiffusionPosteriorSampling
from gensot_demo.guidance.gensot import GenSOT
from gensot_demo.guidance.perturbed_attention import PerturbedAttentionGuidance
from gensot_demo.guidance.population import select_one
from gensot_demo.guidance.registry import BUILT_IN
from gensot_demo.guidance.repaint import RePaint
from gensot_demo.guidance.sdedit import SDEdit
from gensot_demo.guidance.unguided import Unguided
from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CosinePath

NEED_MORE_OF_THE_MODEL = (Autoguidance, PerturbedAttentionGuidance, ClassifierGuidance)
SEEDS, CHOSEN = (1, 2, 3, 4, 5, 6), slice(0, 1200, 20)


@cache
def atoms() -> WeightedAtoms:
    pixels = torch.from_numpy(load_collection(32).pictures[CHOSEN].reshape(60, -1) / 127.5 - 1)
    pixels = pixels - pixels.mean(0)
    _, values, axes = torch.linalg.svd(pixels, full_matrices=False)
    return WeightedAtoms(pixels @ axes[values > 1e-6].T)


@cache
def labels() -> tuple[torch.Tensor, torch.Tensor]:
    known = load_collection(32).conditions()
    return tuple(torch.log(torch.from_numpy(known[name].weights[CHOSEN].copy())) for name in ("red", "round"))


def task(trusts=(), view_noise: float | None = None, stochastic: bool = True) -> Task:
    conditions = labels()[: len(trusts)]
    references = () if view_noise is None else (0.3 * (atoms().points[7] + atoms().points[30]),)
    return Task(
        conditions=conditions,
        trusts=trusts,
        joint=sum(conditions) if conditions else None,
        references=references,
        reference_trusts=(1.0,) * len(references),
        view_noise=view_noise or 1.0,
        stochastic=stochastic,
    )


def traced(method: GuidanceMethod, asked: Task, sampler: str = "averaged", steps: int = 16) -> Trace:
    particles = method.particles_for(asked)
    noise = SharedNoise(SEEDS, atoms().dimension, particles)
    path = method.path(asked, CosinePath())
    grid = at_noise_levels(path, noise_levels(steps, 300.0, 0.2))
    bound = BoundMethod(method, asked, SEEDS, atoms().covariance_trace() / atoms().dimension)
    sampler = "bridge" if method.adapted_for(asked) and sampler == "averaged" else sampler
    return run([Job(method.name, SAMPLERS[sampler].run, grid, noise, bound)], atoms())[0]


@pytest.mark.parametrize("kind", [method for method in BUILT_IN if method is not Unguided])
@pytest.mark.parametrize(
    "asked", [{"trusts": (3.0, 1.5)}, {"view_noise": 2.0}, {"trusts": (2.0,), "view_noise": 4.0}], ids=str
)
def test_every_method_changes_the_output(kind, asked):
    method, asked = kind(), task(**asked)
    if method.unavailable(asked) is None and not (kind in (Conditional, ClassifierFreeGuidance) and not asked.trusts):
        trace = traced(method, asked)
        rows = select_one(SEEDS, trace.steps[-1].log_weights, method.particles_for(asked))
        changed = trace.end[rows] - traced(Unguided(), asked).end
        assert float(changed.norm(dim=1).max()) > 1


def test_methods_say_what_they_cannot_do():
    plain = task(trusts=(1.0,))
    assert DiffusionPosteriorSampling().unavailable(plain) == "DPS needs a picture to follow."
    assert SDEdit().unavailable(plain) == "SDEdit needs a picture to follow."
    for kind in BUILT_IN:
        reason = kind().unavailable(task(view_noise=2.0))
        assert reason is None or reason.endswith(".")
        reason = kind().unavailable(task(trusts=(1.0,), view_noise=2.0))
        assert reason is None or kind in (*NEED_MORE_OF_THE_MODEL, RePaint, NullSpace)  # a picture is no part of one


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_strength_is_unguided_and_strength_one_conditional(sampler):
    def halfway(method, trusts):
        return traced(method, task(trusts, stochastic=SAMPLERS[sampler].stochastic), sampler).steps[8].predicted

    def end(method, trusts):
        return traced(method, task(trusts, stochastic=SAMPLERS[sampler].stochastic), sampler).end

    for method in (ClassifierFreeGuidance(), GenSOT()):
        # the two run along different paths: Euler-Maruyama's step error depends on the path, the others' does not
        if sampler == "euler" and isinstance(method, GenSOT):
            continue
        torch.testing.assert_close(end(method, (0.0,)), end(Unguided(), (0.0,)), rtol=0, atol=1e-7)
        torch.testing.assert_close(end(method, (1.0,)), end(Conditional(), (1.0,)), rtol=0, atol=1e-7)
    assert float((halfway(ClassifierFreeGuidance(), (4.0,)) - halfway(Conditional(), (4.0,))).norm(dim=1).max()) > 1


@pytest.mark.parametrize("sampler", ["averaged", "bridge", "deterministic", "heun"])
@pytest.mark.parametrize("asked", [{"view_noise": 3.0}, {"trusts": (3.0,), "view_noise": 6.0}], ids=str)
def test_the_protocol_changes_the_way_and_not_the_end(sampler, asked):
    asked = task(**asked, stochastic=SAMPLERS[sampler].stochastic)
    plain = traced(GenSOT(stiffness=50.0), asked, sampler)
    moved = []
    for settings in (
        {"stiffness": 0.0},
        {"stiffness": 1000.0},
        {"temperature": 0.05},
        {"guide": "origin"},
        {"stiffness": 3.0, "temperature": 4.0, "guide": "origin"},
    ):
        other = traced(GenSOT(**{"stiffness": 50.0, **settings}), asked, sampler)
        torch.testing.assert_close(other.end, plain.end, rtol=0, atol=1e-6)
        middle = len(plain.steps) // 2
        moved.append(float((other.steps[middle].x - plain.steps[middle].x).norm(dim=1).mean()))
    assert min(moved) > 0.1


def test_weighted_particles_are_used_only_where_they_mend_something():
    assert GenSOT().particles_for(task(trusts=(3.0,))) == 8
    assert GenSOT().particles_for(task(trusts=(1.0, 1.0))) == 8
    assert GenSOT().particles_for(task(trusts=(1.0, 0.0))) == 1
    assert GenSOT().particles_for(task(trusts=(1.0,), view_noise=2.0)) == 1
    assert GenSOT().particles_for(task(trusts=(3.0,), stochastic=False)) == 1
    assert GenSOT(particles=1).particles_for(task(trusts=(3.0,))) == 1


def test_calls_are_what_the_methods_say():
    asked = task(trusts=(2.0,), view_noise=4.0)
    per_step = {kind.name: traced(kind(), asked) for kind in BUILT_IN if kind().unavailable(asked) is None}
    rounds = per_step["unguided"].rounds
    calls = {name: trace.evaluations / trace.rows for name, trace in per_step.items()}
    assert calls["unguided"] == calls["conditional"] == calls["dps"] == rounds
    assert calls["cfg"] == calls["gensot"] == 2 * rounds
    assert calls["sdedit"] < rounds
    assert per_step["dps"].backwards == per_step["dps"].evaluations
