"""The averaged velocity moves the same law as the segments, and its own numbers are those of other computations."""

import pytest
import torch

from gensot_demo.transport.couplings import optimal_assignment
from gensot_demo.transport.lagrangian.averaged_segments import on_average, on_segments, opposed
from gensot_demo.transport.mixture_flow import MixtureFlow
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import CondOTPath, CosinePath
from gensot_demo.transport.targets import named_target

F64 = torch.float64
TIMES = torch.linspace(0, 1 - 1e-6, 61, dtype=F64)
NOISE = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.eye(2)[None])
TARGET = named_target("three_modes").mixture
N = 1500


def _ends(seed=0, n=N):
    generator = torch.Generator().manual_seed(seed)
    return NOISE.sample(n, generator), TARGET.sample(n, generator)


def energy_distance(x, y):
    n, m = len(x), len(y)
    within = torch.cdist(x, x).sum() / (n * (n - 1)) + torch.cdist(y, y).sum() / (m * (m - 1))
    return float(2 * torch.cdist(x, y).mean() - within)


@pytest.mark.parametrize("path", [CondOTPath(), CosinePath()])
def test_both_clouds_have_the_same_law_at_every_time(path):
    """Energy distance between independent clouds, against that of pairs of clouds that are known to have one law."""
    single, other = (on_segments(*_ends(seed), path, TIMES)[0] for seed in (0, 1))
    averaged, _ = on_average(_ends(2)[0], NOISE, TARGET, path, TIMES)
    for frame in (15, 30, 45, 60):
        halves = [x[frame, n : n + N // 2] for x in (single, other) for n in (0, N // 2)]
        same = [energy_distance(x, y) for n, x in enumerate(halves) for y in halves[:n]]
        floor = 3 * max(map(abs, same)) / 2  # twice the particles halve the estimate's spread
        assert abs(energy_distance(single[frame], averaged[frame])) < floor
        shifted = averaged[frame] + torch.tensor([0.35, 0.0], dtype=F64)  # power: a shift of so much is seen
        assert energy_distance(single[frame], shifted) > floor


def test_the_average_is_that_of_the_segments_that_pass():
    """Monte Carlo: the mean velocity of many segments near a place, within four standard errors."""
    generator = torch.Generator().manual_seed(3)
    start, end = NOISE.sample(400_000, generator), TARGET.sample(400_000, generator)
    path, t = CondOTPath(), 0.4
    place = torch.tensor([[0.4, 0.3]], dtype=F64)
    x = t * end + (1 - t) * start
    near = (x - place).norm(dim=1) < 0.05
    v = (end - start)[near]
    times = torch.tensor([t, t + 1e-6], dtype=F64)
    _, speeds = on_average(place, NOISE, TARGET, path, times)
    error = v.std(0) / near.sum() ** 0.5
    assert (speeds[0, 0] - v.mean(0)).abs().lt(4 * error + 0.01).all()
    assert error.max() < 0.15  # of velocities of size 3


@pytest.mark.parametrize("path", [CondOTPath(), CosinePath()])
def test_velocities_are_derivatives_of_positions(path):
    start, end = _ends(n=20)
    for positions, velocities in (on_segments(start, end, path, TIMES), on_average(start, NOISE, TARGET, path, TIMES)):
        h = float(TIMES[1])
        differences = (positions[2:] - positions[:-2]) / (2 * h)
        assert torch.allclose(differences[5:-8], velocities[6:-9], atol=0.06)


def test_averaging_saves_the_variance_of_what_it_averages():
    """E|v|^2 of the segments less that of their mean is E Var(v | x): paired by place, over four standard errors; at
    the end that variance is the starts' own, tr I = 2."""
    start, end = _ends(n=6000)
    flow = MixtureFlow(NOISE, TARGET)
    for t in (0.1, 0.4, 0.7, 0.999):
        mean, _ = flow.velocity(t * end + (1 - t) * start, t)
        saved = (end - start).square().sum(1) - mean.square().sum(1)
        error = float(saved.std()) / len(saved) ** 0.5
        assert float(saved.mean()) > 4 * error
    assert float(saved.mean()) == pytest.approx(2, abs=5 * error + 0.02)


def test_half_of_independent_pairs_run_past_one_another_and_none_of_the_optimal():
    start, end = _ends(n=400)
    assert opposed(start, end) == pytest.approx(0.5, abs=0.05)
    paired = end[optimal_assignment(start, end)]
    assert opposed(start, paired) == 0.0
    slow = sum(float((start[i] - start[j]) @ (end[i] - end[j])) < 0 for i in range(30) for j in range(30) if i != j) / (
        30 * 29
    )
    assert opposed(start[:30], end[:30]) == pytest.approx(slow)
