"""The methods that lean on conditions: each formula computed another way, and what holds for all of them.

On a mixture of four modes with two soft labels; what a worse model says is the answer of a wider mixture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from gensot_demo.guidance.autoguidance import Autoguidance
from gensot_demo.guidance.base import BoundMethod, GuidanceMethod, Task
from gensot_demo.guidance.classifier import ClassifierGuidance
from gensot_demo.guidance.classifier_free import ClassifierFreeGuidance
from gensot_demo.guidance.conditional import Conditional
from gensot_demo.guidance.perturbed_attention import PerturbedAttentionGuidance
from gensot_demo.guidance.plus_plus import CFGPlusPlus
from gensot_demo.guidance.projected import AdaptiveProjectedGuidance
from gensot_demo.guidance.unguided import Unguided
from gensot_demo.guidance.zero_star import CFGZeroStar
from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels, uniform_times
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Answer, Oracle, Query, Variant
from gensot_demo.transport.paths import CondOTPath, CosinePath, PathPoint, PathPoints, ProbabilityPath, VEPath

MEANS = torch.tensor([[1.5, 0.0], [0.0, 1.5], [-1.5, 0.0], [0.0, -1.5]], dtype=torch.float64)
EYE = torch.eye(2, dtype=torch.float64)
MIXTURE = GaussianMixture(torch.full((4,), 0.25), MEANS, 0.2 * EYE.expand(4, 2, 2))
WIDER = GaussianMixture(torch.full((4,), 0.25), 0.6 * MEANS, 0.6 * EYE.expand(4, 2, 2))
ATOMS = WeightedAtoms(torch.randn(30, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64))
LABELS = (
    torch.tensor([0.7, 0.3, 0.05, 0.05], dtype=torch.float64).log(),
    torch.tensor([0.1, 0.6, 0.5, 0.1], dtype=torch.float64).log(),
)
FAMILY: tuple[type[GuidanceMethod], ...] = (
    ClassifierFreeGuidance,
    AdaptiveProjectedGuidance,
    CFGZeroStar,
    CFGPlusPlus,
    Autoguidance,
    PerturbedAttentionGuidance,
    ClassifierGuidance,
)
SCHEDULES = ({}, {"schedule": "rising"}, {"schedule": "falling"}, {"from_noise": 5.0, "to_noise": 0.3})
SEEDS = tuple(range(1, 9))


class WithWorse(Oracle):
    """The mixture; a :class:`Variant` is answered by the wider one."""

    variants = ("weak", "perturbed")
    dimension, dtype, device = 2, torch.float64, torch.device("cpu")

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(torch.stack([self._one(query, c) for c in query.conditions])) for query in queries]

    def _one(self, query: Query, condition: object) -> Tensor:
        if isinstance(condition, Variant):
            return WIDER.predict(query.x, query.a, query.m, condition.condition)
        return MIXTURE.predict(query.x, query.a, query.m, condition)


def task(trusts: tuple[float, ...], stochastic: bool = True, **more) -> Task:
    chosen = LABELS[: len(trusts)]
    settings = {
        "conditions": chosen,
        "trusts": trusts,
        "joint": sum(chosen) if chosen else None,
        "stochastic": stochastic,
        "weak": lambda condition: Variant("weak", condition),
        "perturbed": lambda condition: Variant("perturbed", condition),
        "classifier": lambda x, a, m: MIXTURE.log_likelihoods(x, a, m, chosen),
    }
    return Task(**settings | more)


def traced(
    method: GuidanceMethod,
    asked: Task,
    sampler: str = "averaged",
    path: ProbabilityPath | None = None,
    grid: PathPoints | None = None,
    oracle: Oracle | None = None,
) -> Trace:
    oracle = oracle or WithWorse()
    if grid is None:
        grid = at_noise_levels(path or CosinePath(), noise_levels(12, 80.0, 0.05))
    bound = BoundMethod(method, asked, SEEDS, MIXTURE.covariance_trace() / 2)
    return run([Job(method.name, SAMPLERS[sampler].run, grid, SharedNoise(SEEDS, oracle.dimension), bound)], oracle)[0]


def strong(sampler: str, trusts: tuple[float, ...] = (3.0, 1.5)) -> Task:
    return task(trusts, SAMPLERS[sampler].stochastic)


def point_at(a: float, m: float, g: Tensor | None = None) -> PathPoint:
    log_K = 2 * math.log(a / m) if a > 0 and m > 0 else -math.inf
    g = torch.zeros(1, dtype=torch.float64) if g is None else g
    return PathPoint(0.5, a, 0.0, m, 0.0, log_K, 0.0, 0.0, 1.0, g, torch.zeros_like(g), torch.zeros_like(g))


def predicted(method: GuidanceMethod, asked: Task, point: PathPoint, x: Tensor, oracle: Oracle | None = None) -> Tensor:
    asking = method.predict(asked, point, x)
    query = next(asking)
    try:
        asking.send((oracle or WithWorse()).answer([query])[0])
    except StopIteration as end:
        return end.value.state
    raise AssertionError("one question is enough")


def states(n: int = 16, scale: float = 2.0) -> Tensor:
    return scale * torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


# What holds for every method


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_method_steers_and_says_what_it_costs(kind, sampler):
    asked, method = strong(sampler), kind()
    found = traced(method, asked, sampler)
    for other in (Unguided(), Conditional()):
        assert float((found.end - traced(other, asked, sampler).end).norm(dim=1).max()) > 0.02
    forwards, backwards = method.calls(asked)
    assert found.evaluations == forwards * found.rounds * found.rows  # the start's question costs the same
    assert found.backwards == backwards == 0
    assert found.rounds == traced(Unguided(), asked, sampler).rounds


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("settings", SCHEDULES, ids=str)
@pytest.mark.parametrize("sampler", ["averaged", "heun"])
def test_no_strength_is_unguided_whatever_the_schedule(kind, settings, sampler):
    asked = strong(sampler, (0.0, 0.0))
    method = kind(**settings)
    found, free = traced(method, asked, sampler), traced(Unguided(), asked, sampler)
    torch.testing.assert_close(found.end, free.end, rtol=0, atol=1e-10)
    assert found.evaluations == method.calls(asked)[0] * found.rounds * found.rows


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("settings", SCHEDULES[::3], ids=str)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_states_stay_finite_at_absurd_strengths(kind, settings, sampler):
    extreme = {"weight": kind.model_fields["weight"].metadata[1].le} if "weight" in kind.model_fields else {}
    found = traced(kind(**settings, **extreme), strong(sampler, (50.0, 50.0)), sampler)
    assert bool(torch.isfinite(found.end).all())


@pytest.mark.parametrize("kind", [*FAMILY[:1], *FAMILY[1:3], FAMILY[-1]])
def test_one_condition_at_strength_one_is_the_conditional_law(kind):
    settings = {"zero_init": 0.0} if kind is CFGZeroStar else {}
    asked = task((1.0,))
    found = traced(kind(**settings), asked).end
    torch.testing.assert_close(found, traced(Conditional(), asked).end, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [Autoguidance, PerturbedAttentionGuidance])
def test_no_extra_weight_is_the_conditional_law_and_no_condition_is_allowed(kind):
    asked = task((4.0, 2.0))
    torch.testing.assert_close(traced(kind(weight=0), asked).end, traced(Conditional(), asked).end)
    assert kind().unavailable(task(())) is None
    away = traced(kind(), task(())).end - traced(Unguided(), task(())).end
    assert float(away.norm(dim=1).max()) > 0.02


@pytest.mark.parametrize("kind", FAMILY)
def test_what_cannot_be_done_is_said_in_a_sentence(kind):
    nothing = Task(conditions=LABELS[:1], trusts=(2.0,), no_null="It has none.", no_joint="It takes one.")
    reasons = [
        kind().unavailable(nothing),
        kind().unavailable(task((2.0,), no_null="It has none.", no_joint="It takes one.")),
        kind().unavailable(Task()),
    ]
    assert all(reason is not None and reason.endswith(".") and reason[0].isupper() for reason in reasons)
    assert kind().unavailable(task((2.0, 1.0))) is None


# Schedules


@pytest.mark.parametrize("schedule", ["constant", "rising", "falling"])
def test_schedules_have_the_same_mean_over_flow_time(schedule):
    method, asked = ClassifierFreeGuidance(schedule=schedule), task((2.0,), data_variance=0.64)
    times = (np.arange(1000) + 0.5) / 1000
    shares = [method.share(asked, point_at(float(t), float((1 - t) * 0.8))) for t in times]
    assert np.mean(shares) == pytest.approx(1, abs=1e-6)
    slope = np.sign(np.diff(shares))
    assert set(slope.tolist()) == {{"constant": 0.0, "rising": 1.0, "falling": -1.0}[schedule]}


@pytest.mark.parametrize("kind", FAMILY)
def test_outside_the_interval_nothing_is_pushed(kind):
    asked, x = task((4.0,)), states()
    settings = {"zero_init": 0.0} if kind is CFGZeroStar else {"scale": 1.0} if kind is CFGPlusPlus else {}
    method = kind(from_noise=3.0, to_noise=0.5, **settings)
    for a, m, inside in ((0.1, 1.0, False), (0.5, 0.5, True), (1.0, 0.2, False)):
        found = predicted(method, asked, point_at(a, m), x)
        same = torch.allclose(found, MIXTURE.predict(x, a, m, asked.joint), rtol=0, atol=1e-9)
        assert same is not inside or kind is CFGPlusPlus  # which at scale 1 goes no further than the conditional


# Formulas, each computed another way


@pytest.mark.parametrize("rescale", [0.3, 1.0])
def test_rescaled_guidance_is_equations_15_and_16_of_lin_et_al(rescale):
    a, m, w, x = 0.6, 0.8, 6.0, torch.randn(5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    label = torch.rand(30, generator=torch.Generator().manual_seed(2), dtype=torch.float64).log()
    asked = Task(conditions=(label,), trusts=(w,), joint=label)
    found = predicted(ClassifierFreeGuidance(rescale=rescale), asked, point_at(a, m), x, ATOMS).numpy()
    neg, pos = ATOMS.predict(x, a, m).numpy(), ATOMS.predict(x, a, m, label).numpy()
    for row in range(len(x)):
        cfg = neg[row] + w * (pos[row] - neg[row])
        rescaled = cfg * np.std(pos[row], ddof=1) / np.std(cfg, ddof=1)
        np.testing.assert_allclose(found[row], rescale * rescaled + (1 - rescale) * cfg, rtol=0, atol=1e-12)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.5])
def test_apg_is_algorithm_1_of_sadat_et_al(eta, threshold):
    a, m, w, x = 0.7, 0.9, 5.0, states()
    asked = task((w,), data_variance=2.25)
    found = predicted(AdaptiveProjectedGuidance(eta=eta, threshold=threshold), asked, point_at(a, m), x).numpy()
    free, conditional = MIXTURE.predict(x, a, m).numpy(), MIXTURE.predict(x, a, m, LABELS[0]).numpy()
    longest = threshold * 1.5 * math.sqrt(2)
    for row in range(len(x)):
        difference = conditional[row] - free[row]
        if threshold:
            difference = difference * min(1, longest / np.linalg.norm(difference))
        unit = conditional[row] / np.linalg.norm(conditional[row])
        along = np.dot(difference, unit) * unit
        expected = conditional[row] + (w - 1) * (difference - along + eta * along)
        np.testing.assert_allclose(found[row], expected, rtol=0, atol=1e-12)
    if eta == 1.0 and threshold == 0.0:
        plain = predicted(ClassifierFreeGuidance(), asked, point_at(a, m), x)
        torch.testing.assert_close(torch.from_numpy(found), plain)


@pytest.mark.parametrize(("a", "m"), [(0.6, 0.4), (0.8, 0.6), (1.0, 3.0), (0.3, 0.02)])
def test_cfg_zero_star_is_the_guided_flow_velocity(a, m):
    """v = E[eps - y | z] of z = (1 - s) y + s eps from the score of z, without any predicted state in between."""
    w, x, g = 3.5, states(), torch.tensor([0.5, -1.0], dtype=torch.float64)
    s, z = m / (a + m), states() / (a + m)

    def velocity(label: Tensor | None) -> Tensor:
        leaf = z.clone().requires_grad_(True)
        (score,) = torch.autograd.grad(MIXTURE.log_marginal(leaf, 1 - s, s, label).sum(), leaf)
        return -(z + s * score) / (1 - s)  # eps = -s score, and z = (1 - s) y + s eps gives v = (eps - z) / (1 - s)

    free, conditional = velocity(None), velocity(LABELS[0])
    best = (conditional * free).sum(1, keepdim=True) / free.square().sum(1, keepdim=True)
    guided = (1 - w) * best * free + w * conditional
    found = predicted(CFGZeroStar(zero_init=0.0), task((w,)), point_at(a, m, g), x + g)
    torch.testing.assert_close(found, z - s * guided, rtol=0, atol=1e-8)


def test_cfg_zero_star_rests_at_the_start():
    asked = task((3.0,), stochastic=False)
    grid = at_noise_levels(CosinePath(), noise_levels(20, 200.0, 0.05))
    trace = traced(CFGZeroStar(zero_init=0.1), asked, "deterministic", grid=grid)
    scale = grid.a + grid.m
    flow = torch.stack([step.x / scale[step.index] for step in trace.steps])
    share = grid.m / scale
    resting = int((share[:-1] > 0.9).sum())
    assert 2 < resting < 12
    torch.testing.assert_close(flow[: resting + 1], flow[:1].expand(resting + 1, -1, -1), rtol=0, atol=1e-10)
    assert float((flow[resting + 1] - flow[resting]).norm(dim=1).min()) > 1e-3
    moving = traced(CFGZeroStar(zero_init=0.0), asked, "deterministic", grid=grid)
    assert float((moving.steps[1].x / scale[1] - flow[0]).norm(dim=1).max()) > 1e-3


@pytest.mark.parametrize("path", [CosinePath(), CondOTPath(), VEPath(81.0)], ids=lambda path: type(path).__name__)
@pytest.mark.parametrize("k", [2.0, 7.5, 40.0])
def test_cfg_plus_plus_is_ddim_with_the_unconditional_noise(path, k):
    grid = at_noise_levels(path, noise_levels(15, 80.0, 0.05))
    trace = traced(CFGPlusPlus(scale=0.08), task((k,), stochastic=False), "deterministic", grid=grid)
    x, strength = trace.steps[0].x, min(1, 0.08 * k)
    for index in range(len(grid) - 1):
        here, there = grid.point(index), grid.point(index + 1)
        free = MIXTURE.predict(x - here.g, here.a, here.m)
        guided = free + strength * (MIXTURE.predict(x - here.g, here.a, here.m, LABELS[0]) - free)
        noise = (x - here.g - here.a * free) / here.m
        x = there.a * guided + there.g + there.m * noise
        torch.testing.assert_close(trace.steps[index + 1].x, x, rtol=0, atol=1e-9)


def test_cfg_plus_plus_with_the_bridge_is_its_ancestral_form():
    grid = at_noise_levels(VEPath(81.0), noise_levels(15, 80.0, 0.05))
    trace, noise = traced(CFGPlusPlus(scale=0.2), task((3.0,)), "bridge", grid=grid), SharedNoise(SEEDS, 2)
    x = trace.steps[0].x
    for index in range(len(grid) - 1):
        here, there = grid.point(index), grid.point(index + 1)
        free = MIXTURE.predict(x, 1.0, here.m)
        guided = free + 0.6 * (MIXTURE.predict(x, 1.0, here.m, LABELS[0]) - free)
        down = there.m**2 / here.m
        x = guided + down * (x - free) / here.m
        if there.m > 0:
            x = x + math.sqrt(there.m**2 - down**2) * noise.increment(here.log_K, there.log_K)
        torch.testing.assert_close(trace.steps[index + 1].x, x, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [Autoguidance, PerturbedAttentionGuidance])
def test_guidance_away_from_a_worse_model(kind):
    a, m, x, asked = 0.7, 0.9, states(), task((4.0, 2.0))
    good, bad = (law.predict(x, a, m, asked.joint) for law in (MIXTURE, WIDER))
    torch.testing.assert_close(predicted(kind(weight=1.7), asked, point_at(a, m), x), 2.7 * good - 1.7 * bad)


@pytest.mark.parametrize("path", [CosinePath(), CondOTPath()], ids=lambda path: type(path).__name__)
@pytest.mark.parametrize("sampler", ["averaged", "bridge", "deterministic", "heun"])
@pytest.mark.parametrize("trusts", [(1.0,), (4.0,), (3.0, 1.5)], ids=str)
def test_with_the_exact_classifier_classifier_guidance_is_classifier_free_guidance(path, sampler, trusts):
    asked = task(trusts, SAMPLERS[sampler].stochastic)
    ends = [traced(kind(), asked, sampler, path=path).end for kind in (ClassifierGuidance, ClassifierFreeGuidance)]
    torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=1e-9)


def test_classifier_guidance_at_the_ends_of_a_path():
    """Where nothing is known (a = 0, with and without noise), where all is known, and along a path from a point."""
    asked, x = task((3.0,)), states()
    for a, m in ((0.0, 1.0), (0.0, 0.0), (1.0, 0.0)):
        pair = [predicted(kind(), asked, point_at(a, m), x) for kind in (ClassifierGuidance, ClassifierFreeGuidance)]
        torch.testing.assert_close(pair[0], pair[1], rtol=0, atol=1e-4)
    blank = torch.zeros(1, 2, dtype=torch.float64)
    pair = [predicted(k(), asked, point_at(0.0, 1.0), blank) for k in (ClassifierGuidance, ClassifierFreeGuidance)]
    torch.testing.assert_close(pair[0], pair[1], rtol=0, atol=1e-10)
    trace = traced(ClassifierGuidance(), asked, "euler", grid=uniform_times(CosinePath(), 10))
    assert bool(torch.isfinite(trace.end).all())


@pytest.mark.parametrize("law", [MIXTURE, ATOMS], ids=["mixture", "atoms"])
@pytest.mark.parametrize(("a", "m"), [(0.6, 0.8), (1.0, 5.0)])
def test_the_exact_classifier_is_the_ratio_of_marginals(law, a, m):
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(7, law.dimension, generator=generator, dtype=torch.float64)
    labels = [torch.rand(len(law.log_prior), generator=generator, dtype=torch.float64).log() for _ in range(2)]
    found = law.log_likelihoods(x, a, m, labels)
    for row, label in zip(found, labels, strict=True):
        chance = torch.logsumexp(law.log_prior + label, 0)  # labels are likelihoods: p(c) = sum_i p(i) p(c|i)
        ratio = law.log_marginal(x, a, m, label) - law.log_marginal(x, a, m) + chance
        torch.testing.assert_close(row, ratio, rtol=0, atol=1e-9)


def test_the_classifiers_slope_is_taken_in_single_precision_too():
    single: Callable[..., Tensor] = lambda x, a, m: MIXTURE.log_likelihoods(x.double(), a, m, LABELS[:1]).float()  # noqa: E731
    asked, x = task((3.0,), classifier=single), states().float()
    free = MIXTURE.predict(x.double(), 0.6, 0.8)
    asking = ClassifierGuidance().predict(asked, point_at(0.6, 0.8, torch.zeros(1)), x)
    next(asking)
    with torch.no_grad(), pytest.raises(StopIteration) as end:
        asking.send(Answer(free.float()[None]))
    exact = predicted(ClassifierFreeGuidance(), task((3.0,)), point_at(0.6, 0.8), x.double())
    assert end.value.value.state.dtype == torch.float32
    assert not end.value.value.state.requires_grad
    torch.testing.assert_close(end.value.value.state.double(), exact, rtol=1e-5, atol=1e-5)


def test_guidance_from_the_very_start_has_no_upper_limit():
    asked = task((3.0,))
    assert ClassifierFreeGuidance().share(asked, point_at(1e-9, 1.0)) == 1.0
    assert ClassifierFreeGuidance().share(asked, point_at(0.0, 1.0)) == 1.0
    assert ClassifierFreeGuidance(from_noise=99.0).share(asked, point_at(0.0, 1.0)) == 0.0
