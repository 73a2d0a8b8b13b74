"""What decides where a particle starts and ends, method by method: seeds, sources, trusts; never a guide or a schedule.

Beside test_methods.py, which judges the laws: here particles are compared one by one, and with an integration in SciPy.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.motion import Motion
from gensot_demo.experiments.plane.request import TransportRequest
from gensot_demo.experiments.plane.run import setup_of
from gensot_demo.experiments.plane.setup import NOISE_DEPTH, SIGMA_RANGE, Setup
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.targets import named_target

SEEDS, PARTICLES, STEPS = (11, 12, 13, 14, 15), 400, 40
GUIDES = ("gensot_straight", "gensot_v", "gensot_s", "gensot_frozen", "gensot_drawn")
STEERED = ("conditional", "cfg_sde", "gensot_weighted")
WEIGHTS = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[2.5, 0.0], [-1.5, 2.2], [-1.5, -2.2]])
COVARIANCES = np.array([[[0.1, 0.0], [0.0, 0.4]], [[0.3, 0.15], [0.15, 0.2]], [[0.3, -0.15], [-0.15, 0.2]]])
LABELLED = {"target": "four_modes", "source": "point", "condition": "label", "stiffness": 0.0, "steps": 60}


def setup(seed: int = 11, **changes) -> Setup:
    values = {
        "target": "three_modes",
        "particles": PARTICLES,
        "steps": STEPS,
        "solver": "averaged",
        "guide": ((0.0, 0.0), (-1.0, 2.0), (4.0, 3.0)),
        "seed": seed,
    }
    request = TransportRequest(**{**values, **changes})
    return setup_of(request, SharedNoise([seed], 2, request.particles, depth=NOISE_DEPTH))


@cache
def moved(name: str, seed: int = 11, **changes) -> Motion:
    *_, motion = METHODS[name].move(setup(seed, **changes))
    return motion


def at(motion: Motion, time: float) -> torch.Tensor:
    return motion.at_times(np.array([time]))[0]


def nearest_mode(x: torch.Tensor) -> np.ndarray:
    index = torch.cdist(x, torch.from_numpy(MEANS)).argmin(1)
    return torch.bincount(index, minlength=3).numpy() / len(x)


# --- ends -----------------------------------------------------------------------------------------------------------


def test_under_every_guide_each_particle_of_a_spread_source_ends_at_the_same_place():
    straight = moved("gensot_straight", source="ring")
    for name in GUIDES[1:]:
        motion = moved(name, source="ring")
        torch.testing.assert_close(motion.end, straight.end, rtol=0, atol=1e-9)
        assert float((at(motion, 0.3) - at(straight, 0.3)).norm(dim=1).min()) > 0.1  # yet the way is another
    for other in (moved("gensot_s", source="ring", amplitude=4.0), moved("gensot_s", source="point")):
        torch.testing.assert_close(other.end, straight.end, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("stiffness", "temperature"), [(0.0, 1.0), (1.0, 0.3), (20.0, 4.0), (200.0, 1.0)])
def test_whatever_the_stiffness_the_mode_weights_are_those_of_the_target(stiffness, temperature):
    changes = {"stiffness": stiffness, "temperature": temperature, "source": "point", "steps": 60}
    found = nearest_mode(torch.cat([moved("gensot_frozen", seed, **changes).end for seed in SEEDS]))
    error = np.sqrt(WEIGHTS * (1 - WEIGHTS) / (len(SEEDS) * PARTICLES))
    assert bool((np.abs(found - WEIGHTS) < 4 * error).all())


def test_a_first_order_flow_solver_shares_the_map_of_all_schedules_and_is_less_accurate():
    first = moved("flow_vp", source="gaussian", flow_solver="deterministic").end
    for name in ("flow_cosine", "flow_ve", "flow_matching"):
        end = moved(name, source="gaussian", flow_solver="deterministic").end
        assert math.sqrt(float((end - first).square().sum(1).mean())) < 1e-6
    fine, heun = (moved("flow_matching", source="gaussian", steps=steps).end for steps in (320, STEPS))
    assert float((heun - fine).norm(dim=1).mean()) < 0.5 * float((first - fine).norm(dim=1).mean())


def predicted(z: np.ndarray, sigma: float) -> np.ndarray:
    """E[y | y + sigma eps = z] of the three modes, from the definition."""
    total = COVARIANCES + sigma**2 * np.eye(2)
    away = z[:, None] - MEANS
    solved = np.linalg.solve(total[None], away[..., None])[..., 0]
    log_p = np.log(WEIGHTS) - 0.5 * np.log(np.linalg.det(total)) - 0.5 * (away * solved).sum(-1)
    p = np.exp(log_p - log_p.max(1, keepdims=True))
    each = MEANS + np.einsum("nij,bnj->bni", COVARIANCES, solved)
    return np.einsum("bn,bni->bi", p / p.sum(1, keepdims=True), each)


def test_the_flows_reach_the_ends_of_an_accurate_integration_to_second_order():
    few, (high, low) = 40, SIGMA_RANGE
    noise = SharedNoise([11], 2, PARTICLES, depth=NOISE_DEPTH).direction(-2 * math.log(high))[:few].numpy()

    def slope(sigma: float, flat: np.ndarray) -> np.ndarray:
        z = flat.reshape(few, 2)
        return ((z - predicted(z, sigma)) / sigma).ravel()

    start = WEIGHTS @ MEANS + high * noise
    solution = solve_ivp(slope, (high, low), start.ravel(), rtol=1e-9, atol=1e-9)
    truth = predicted(solution.y[:, -1].reshape(few, 2), low)

    def error(steps: int) -> float:
        return float(np.abs(moved("flow_cosine", source="gaussian", steps=steps).end[:few].numpy() - truth).max())

    coarse, fine = error(160), error(320)
    assert fine < 2e-3
    assert 3 < coarse / fine < 5.5


# --- starts and noise -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["point", "gaussian", "ring"])
@pytest.mark.parametrize("name", ["gensot_s", "gensot_drawn", *STEERED])
def test_each_particle_starts_where_the_source_says(name, source):
    motion = moved(name, source=source)
    expected = setup(source=source).start
    if motion.ancestors is not None:
        assert name == "gensot_weighted"
        expected = expected[motion.ancestors]
    torch.testing.assert_close(at(motion, 0.0), expected, rtol=0, atol=1e-9)
    assert motion.from_source


@pytest.mark.parametrize("name", ["diffusion_sde", "flow_vp", "flow_cosine", "flow_matching", "cfg_flow"])
def test_from_a_gaussian_the_methods_of_noise_start_with_everyone_else(name):
    """All but E[y]/80: the little that is known of the end at the widest noise."""
    motion = moved(name, source="gaussian")
    assert motion.from_source
    assert float((at(motion, 0.0) - setup(source="gaussian").start).abs().max()) < 0.1


@pytest.mark.parametrize("name", METHODS)
def test_a_seed_means_the_same_every_time_and_another_seed_something_else(name):
    few = {"particles": 60, "steps": 12, "source": "ring"}
    once, again = ([*METHODS[name].move(setup(5, **few))][-1] for _ in range(2))
    assert torch.equal(once.x, again.x)
    other = [*METHODS[name].move(setup(6, **few))][-1]
    assert float((once.end - other.end).abs().mean()) > 0.1


@pytest.mark.parametrize("source", ["point", "gaussian", "ring"])
@pytest.mark.parametrize("name", ["flow_vp", "flow_matching", "gensot_s", "cfg_sde"])
def test_fewer_particles_are_the_first_of_more(name, source):
    few, many = (moved(name, source=source, particles=n, steps=12) for n in (60, 150))
    torch.testing.assert_close(few.x, many.x[:, :60], rtol=0, atol=1e-9)


# --- trusts ---------------------------------------------------------------------------------------------------------


@cache
def conditional_shares() -> np.ndarray:
    """Probability of the conditional law, where each of the four components is the likeliest, from a grid."""
    axis = np.linspace(-6, 6, 401)
    places = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    means = np.array([[1.5, 0.0], [0.0, 1.5], [-1.5, 0.0], [0.0, -1.5]])
    variances = np.array([0.5, 0.3, 0.5, 0.3])
    each = np.exp(-((places[:, None] - means) ** 2).sum(-1) / (2 * variances)) / variances
    p = each @ np.array([0.7, 0.3, 1e-9, 1e-9])
    return np.bincount(each.argmax(1), p / p.sum(), 4)


@pytest.mark.parametrize("name", ["conditional", "cfg_flow", "cfg_sde", "gensot_weighted"])
def test_at_trust_one_every_guided_law_is_the_conditional_mixture(name):
    seeds, truth = SEEDS[:3], conditional_shares()
    ends = torch.cat([moved(name, seed, trust=1.0, **LABELLED).end for seed in seeds])
    mode = named_target("four_modes").mode_of(ends)
    found, error = np.bincount(mode.numpy(), minlength=4) / len(mode), np.sqrt(truth * (1 - truth) / len(mode))
    assert bool((np.abs(found - truth) < 4 * error).all())
    assert 0.7 - truth[0] > 4 * error[0]  # sharp enough to tell a place's likeliest mode from the component's weight


def test_only_added_scores_heed_the_trust():
    for name, heeds in (("conditional", False), ("cfg_sde", True)):
        one, three = (moved(name, trust=trust, **LABELLED).end for trust in (1.0, 3.0))
        assert torch.equal(one, three) != heeds


def test_without_trust_the_steered_methods_sample_the_target():
    plain = moved("gensot_straight", source="point").end
    for name in STEERED:
        motion = moved(name, trust=0.0, source="point")
        assert motion.weights is None
        torch.testing.assert_close(motion.end, plain, rtol=0, atol=1e-9)


def test_two_trusts_multiply():
    """Trusts 1 and 1 in "right" and "upper": the mean of the weighted particles is that of the tilted law."""
    both = {"condition": "right", "trust": 1.0, "second_condition": "upper", "second_trust": 1.0, "source": "point"}
    found = []
    for seed in SEEDS:
        motion = moved("gensot_weighted", seed, **both)
        found.append(motion.end[motion.particles_alike(PARTICLES)].mean(0))
    found = torch.stack(found)
    target = named_target("three_modes")
    y = target.mixture.sample(200_000, torch.Generator().manual_seed(1))
    component = torch.cdist(y, target.mixture.means).argmin(1)  # modes are far apart, and so are the labels
    away = MEANS - MEANS.mean(0)
    labels = 1 / (1 + np.exp(-away / (0.5 * np.sqrt((away**2).mean(0)))))

    def tilted(label: np.ndarray) -> torch.Tensor:
        weight = torch.from_numpy(label)[component]
        return (weight[:, None] * y).sum(0) / weight.sum()

    error = found.std(0) / math.sqrt(len(SEEDS))
    assert bool(((found.mean(0) - tilted(labels.prod(1))).abs() < 4 * error + 0.02).all())
    for one in labels.T:  # either label alone is another law
        assert bool(((found.mean(0) - tilted(one)).abs() > 8 * error).any())


# --- what a motion says of itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*GUIDES, *STEERED])
def test_the_tube_runs_along_the_mean_of_the_particles(name):
    changes = {**LABELLED, "trust": 1.0} if name in STEERED else {"source": "point"}
    motion = moved(name, **changes)
    middle = len(motion.tube.mean) // 2
    for index, time in ((middle, 0.5), (-1, 1.0)):
        x = at(motion, time)
        error = x.std(0).numpy() / math.sqrt(PARTICLES)
        assert bool((np.abs(motion.tube.mean[index] - x.mean(0).numpy()) < 4.5 * error).all())
    assert motion.tube.half_width[0] == motion.tube.half_width[-1] == 0


@pytest.mark.parametrize(("name", "calls"), [("flow_vp", 2 * STEPS), ("gensot_s", STEPS), ("cfg_sde", 2 * STEPS)])
def test_calls_count_the_questions_of_one_particle(name, calls):
    assert moved(name, source="point", trust=3.0).calls == pytest.approx(calls, abs=1.01)
