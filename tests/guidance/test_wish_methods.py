"""Methods that follow a wish, against the exact law p e^r / Z in the plane: right or seen to be wrong."""

from __future__ import annotations

import pytest
import torch

from gensot_demo.guidance.base import Task
from gensot_demo.guidance.population import select_one
from gensot_demo.guidance.wish import Wish
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import VEPath

from .wish_cases import (
    CASES,
    COMPARED,
    FOUR,
    METHODS,
    ROWS,
    TWO,
    Reward,
    cloud,
    distance,
    law,
    made,
    pool_of,
    quadratic,
    ring,
    second_coordinate,
    seen_by_w2,
    tilted_law,
    traced,
)  # fmt: skip

WEIGHTED = ("fk_steering", "twisted_smc", "gensot")
FOLLOWING = [
    name for name, kind in METHODS.items() if kind.family not in ("Baselines", "Conditions") and name != "sdedit"
]
ZERO = Reward(lambda y: 0 * y.sum(1))


@pytest.mark.parametrize("case", ["two, a view", "two, quadratic", "four, a ring"])
@pytest.mark.parametrize("name", WEIGHTED)
def test_weighted_populations_follow_the_exact_law(name, case):
    oracle, wish = CASES[case]
    seen = seen_by_w2(law(case))
    found = distance(cloud(made(name, particles=ROWS), Task(wish=wish), oracle, 100), law(case))
    assert found <= max(1.6 * seen.floor, seen.floor + 4 * seen.spread)
    assert seen.power > 1.6 * seen.floor


@pytest.mark.parametrize(
    ("case", "name", "settings"),
    [
        *(("two, a view", name, {}) for name in ("unguided", "dps", "freedom", "repaint", "ddnm")),
        *(("two, quadratic", name, {}) for name in ("dps", "mpgd", "freedom", "tfg")),
        *((case, "gensot", {"particles": 1}) for case in ("two, a view", "two, quadratic")),
    ],
    ids=str,
)
def test_the_bias_of_guidance_alone_is_seen(case, name, settings):
    """docs/FORMULAS.md 1.6: guidance by a Gaussian posterior misses a mixture however many draws it takes."""
    oracle, wish = CASES[case]
    seen = seen_by_w2(law(case))
    found = distance(cloud(made(name, **settings), Task(wish=wish), oracle, 50), law(case))
    assert found > max(1.6 * seen.floor, seen.floor + 4 * seen.spread)


def test_best_of_n_wants_more_than_was_asked_for():
    oracle, wish = CASES["two, quadratic"]
    method = made("best_of_n", particles=16)
    seeds = range(100)
    trace = traced(method, Task(wish=wish), oracle, seeds, steps=20)
    rows = select_one(seeds, trace.steps[-1].log_weights, 16)
    rewards = wish.reward(trace.end)
    assert torch.equal(rewards[rows], rewards.reshape(100, 16).max(1).values)
    exact = law("two, quadratic")
    expected = float(exact.probabilities @ wish.reward(exact.points))
    assert float(rewards[rows].mean()) > expected + 0.1


@pytest.mark.parametrize("wish", [second_coordinate(0.6, 0.5), Reward(ring)], ids=["view", "ring"])
def test_a_wish_and_trusts_together(wish):
    """p (p(y|c)/p(y))^3 e^r: the repair of the trust and of the tilt in one weight; either alone misses the law."""
    label = torch.log(torch.tensor([0.7, 0.28, 0.01, 0.01], dtype=torch.float64))
    pool = pool_of(FOUR)
    both = 3 * (FOUR.tilted(label).log_density(pool) - FOUR.log_density(pool)) + wish.reward(pool)
    exact = tilted_law(FOUR, both, pool)
    seen = seen_by_w2(exact)
    limit = max(1.6 * seen.floor, seen.floor + 4 * seen.spread)
    task = Task(conditions=(label,), trusts=(3.0,), joint=label, wish=wish)
    assert made("gensot").adapted_for(task)
    assert distance(cloud(made("gensot", particles=ROWS), task, FOUR, 80), exact) <= limit
    assert distance(cloud(made("gensot", particles=1), task, FOUR, 80), exact) > limit


def test_a_population_without_resampling_carries_the_reward_it_has_earned():
    """Unguided particles: log W is r(y), whatever was promised on the way, and no constant of Psi is left over."""
    wish = Reward(ring, 0.1)
    for scale in (1.0, 2.0):
        trace = traced(made("fk_steering", scale=scale), Task(wish=wish), FOUR, (1,), 50)
        assert not trace.ancestries
        torch.testing.assert_close(trace.steps[-1].log_weights, scale * wish.reward(trace.end), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", FOLLOWING)
def test_every_method_changes_the_output_towards_the_wish(name):
    wish = second_coordinate(0.6, 0.4)
    task, method = Task(wish=wish), made(name)
    seeds, particles = range(20), method.particles_for(task)
    trace = traced(method, task, FOUR, seeds, steps=20)
    rows = select_one(seeds, trace.steps[-1].log_weights, particles)
    plain = traced(made("unguided"), task, FOUR, seeds, steps=20).end
    assert float((trace.end[rows] - plain).abs().max()) > 0.1
    assert float(wish.reward(trace.end[rows]).mean()) > float(wish.reward(plain).mean()) + 1


@pytest.mark.parametrize(
    ("name", "settings", "wish"),
    [
        *((name, {"scale": 0.0}, second_coordinate(0.6, 0.4)) for name in ("dps", "lgd", "pigdm", "mpgd")),
        *((name, {}, ZERO) for name in ("dps", "lgd", "mpgd", "tfg", "best_of_n", *WEIGHTED)),
        ("freedom", {"scale": 0.0, "travels": 1}, second_coordinate(0.6, 0.4)),
        ("freedom", {"travels": 1}, ZERO),
        ("tfg", {"rho": 0.0, "mu": 0.0}, second_coordinate(0.6, 0.4)),
        ("fk_steering", {"scale": 0.0}, second_coordinate(0.6, 0.4)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Wish) else str(value),
)
def test_nothing_asked_is_unguided(name, settings, wish):
    task, method = Task(wish=wish), made(name, **settings)
    sampler = "bridge" if method.adapted_for(task) else "averaged"
    found = traced(method, task, FOUR, (1, 2))
    plain = traced(made("unguided"), task, FOUR, (1, 2), method.particles_for(task), sampler=sampler)
    torch.testing.assert_close(found.end, plain.end, rtol=0, atol=1e-7)
    if name in WEIGHTED:
        assert float(found.steps[-1].log_weights.abs().max()) < 1e-9


@pytest.mark.parametrize("name", FOLLOWING)
def test_calls_are_what_the_methods_say(name):
    """Each step counted apart: the start asks once more; FreeDoM declares the most that a step can cost."""
    task, steps = Task(wish=second_coordinate(0.6, 0.4)), 12
    for settings in ({}, {"travels": 2, "lowest": 0.0, "highest": 1000.0}, {"recurrence": 3}, {"mu": 0.5, "rho": 0.0}):
        if not set(settings) <= set(METHODS[name].model_fields):
            continue
        method = made(name, **settings)
        trace = traced(method, task, FOUR, (1, 2), steps=steps)
        forwards, backwards = method.calls(task)
        once = 1 if backwards else 0
        found = (trace.evaluations / trace.rows - 1, trace.backwards / trace.rows - once)
        if name == "freedom" and not settings:
            assert steps < found[0] < steps * forwards
            assert steps < found[1] < steps * backwards
        else:
            assert found == (steps * forwards, steps * backwards)


EXTREMES = {
    "exact": lambda dtype: second_coordinate(0.6, 1e-3, dtype),
    "far away": lambda dtype: second_coordinate(30.0, 1e-3, dtype),
    "quadratic": lambda dtype: Reward(quadratic(1.0, 0.5), 100.0),
    "ring": lambda dtype: Reward(ring, 100.0),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", FOLLOWING)
def test_extreme_strength_ends_somewhere_finite(name, dtype):
    oracle = GaussianMixture(FOUR.log_prior.exp(), FOUR.means, FOUR.covariances, dtype)
    for wish in EXTREMES.values():
        for sampler in ("averaged", "deterministic"):
            task, method = Task(wish=wish(dtype), stochastic=SAMPLERS[sampler].stochastic), made(name)
            if method.unavailable(task) is None:
                trace = traced(method, task, oracle, (1, 2, 3), steps=15, sampler=sampler)
                assert trace.end.dtype == dtype
                assert float(trace.end.abs().max()) < 50
                assert trace.steps[-1].log_weights is None or not bool(trace.steps[-1].log_weights.isnan().any())


@pytest.mark.parametrize("name", ["dps", "lgd", "pigdm", "freedom", "tfg", "twisted_smc"])
def test_samples_do_not_depend_on_how_many_are_asked_about_at_once(name):
    task, method = Task(wish=second_coordinate(0.6, 0.4)), made(name)
    whole = traced(method, task, TWO, (4, 5, 6), 5)
    torch.testing.assert_close(traced(method, task, TWO, (4, 5, 6), 5, max_rows=4).end, whole.end, rtol=0, atol=1e-9)
    if method.particles_for(task) == 1:
        torch.testing.assert_close(traced(method, task, TWO, (5,), 5).end, whole.end[5:10], rtol=0, atol=1e-9)


def test_methods_say_what_they_cannot_do():
    nothing, free = Task(), Task(wish=ZERO)
    for name in FOLLOWING:
        reason = made(name).unavailable(nothing)
        assert (reason is None) == (name == "gensot")
        assert reason is None or ("needs" in reason and reason.endswith("."))
        assert (made(name).unavailable(free) is None) == (name not in ("pigdm", "repaint", "ddnm"))
        assert made(name).unavailable(Task(wish=second_coordinate(0.6, 0.4))) is None
    for name in ("fk_steering", "twisted_smc"):
        assert "adds noise" in made(name).unavailable(Task(wish=ZERO, stochastic=False))
    assert made("gensot").particles_for(Task(wish=ZERO)) == 8
    assert made("gensot").particles_for(Task(wish=ZERO, stochastic=False)) == 1
    assert not made("gensot").adapted_for(Task(conditions=(0,), trusts=(3.0,)))


@pytest.mark.parametrize("name", ["repaint", "ddnm"])
def test_what_is_measured_without_noise_arrives(name):
    trace = traced(made(name), Task(wish=second_coordinate(0.6, 1e-3)), FOUR, (1,), COMPARED)
    assert float((trace.end[:, 1] - 0.6).abs().max()) < 1e-4
    assert float(trace.end[:, 0].std()) > 0.3


def test_time_travel_is_made_in_the_band_only():
    method, task = made("freedom", travels=4, lowest=1.0, highest=2.0), Task(wish=ZERO, data_variance=4.0)
    path = VEPath(80.0)
    points = path.at(path.times_of_sigma(torch.tensor([10.0, 3.0, 1.0])))
    assert [method.repeats(task, points.point(k)) for k in range(3)] == [1, 4, 1]
