"""Maps between Gaussians against their defining identities, the integrated flow, POT and assignments of samples."""

import math

import numpy as np
import ot
import pytest
import torch

from gensot_demo.transport.couplings import optimal_assignment
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.paths import CondOTPath, CosinePath, VPLinearPath
from gensot_demo.transport.static_ot.gaussians import Gaussian, GaussianTransport, costs_when_turned, ellipse

REFERENCE = GaussianTransport(
    ellipse(math.sqrt(2), math.sqrt(0.3), 0), ellipse(math.sqrt(3), math.sqrt(0.4), 0.8)
)  # FORMULAS 5


def random_pair(seed: int, d: int) -> GaussianTransport:
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(2):
        factor = torch.randn(d, d, generator=generator, dtype=torch.float64)
        mean = torch.randn(d, generator=generator, dtype=torch.float64)
        made.append(Gaussian(mean, factor @ factor.T + 0.05 * torch.eye(d, dtype=torch.float64)))
    return GaussianTransport(*made)


def test_reference_values():
    assert REFERENCE.cost(REFERENCE.flow) == pytest.approx(1.372, abs=5e-4)
    assert REFERENCE.squared_distance == pytest.approx(0.991, abs=5e-4)


@pytest.mark.parametrize(("seed", "d"), [(0, 2), (1, 2), (2, 3), (3, 5)])
def test_both_maps_carry_source_to_target_and_only_the_optimal_one_is_symmetric(seed, d):
    pair = random_pair(seed, d)
    for linear in (pair.optimal, pair.flow):
        torch.testing.assert_close(linear @ pair.source.covariance @ linear.T, pair.target.covariance)
    torch.testing.assert_close(pair.optimal, pair.optimal.T)
    assert float(torch.linalg.eigvalsh(pair.optimal)[0]) > 0
    assert float((pair.flow - pair.flow.T).abs().max()) > 0.01
    assert pair.cost(pair.optimal) == pytest.approx(pair.squared_distance)
    assert pair.cost(pair.flow) > pair.squared_distance
    assert pair.commutator > 0


@pytest.mark.parametrize("seed", [4, 5])
def test_the_optimal_map_and_its_cost_are_those_of_pot(seed):
    pair = random_pair(seed, 3)
    given = [pair.source.mean, pair.target.mean, pair.source.covariance, pair.target.covariance]
    ms, mt, cs, ct = (part.numpy() for part in given)
    linear, shift = ot.gaussian.bures_wasserstein_mapping(ms, mt, cs, ct)
    np.testing.assert_allclose(pair.optimal.numpy(), linear.T, atol=1e-8)
    x = pair.source.sample(5, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(pair.carry(pair.optimal, x), x.numpy() @ linear + shift, atol=1e-8)
    assert pair.squared_distance == pytest.approx(ot.gaussian.bures_wasserstein_distance(ms, mt, cs, ct) ** 2)


@pytest.mark.parametrize("path", [CondOTPath(), CosinePath(), VPLinearPath()], ids=lambda path: path.name)
def test_the_flow_is_that_of_the_velocity_on_every_schedule(path):
    pair = random_pair(6, 2)
    x = pair.source.sample(20, torch.Generator().manual_seed(1))
    first, last = 1e-4, 1 - 1e-4
    state = pair.flown(x, path, torch.tensor([first], dtype=torch.float64))[0]
    h, t = (last - first) / 4000, first
    for _ in range(4000):
        k1 = pair.velocity(state, path, t)
        k2 = pair.velocity(state + 0.5 * h * k1, path, t + 0.5 * h)
        k3 = pair.velocity(state + 0.5 * h * k2, path, t + 0.5 * h)
        k4 = pair.velocity(state + h * k3, path, t + h)
        state, t = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), t + h
    ends = pair.flown(x, path, torch.tensor([last, 1.0], dtype=torch.float64))
    torch.testing.assert_close(state, ends[0], atol=1e-4, rtol=0)  # VP moves as sqrt(1 - t) at the end
    torch.testing.assert_close(ends[1], pair.carry(pair.flow, x))  # one map for all schedules
    start = pair.flown(x, path, torch.zeros(1, dtype=torch.float64))[0]
    assert float((start - x).abs().max()) < 0.05  # VP begins with a trace of the data, a(0) = .0066
    if path.name != "VP-linear":
        torch.testing.assert_close(start, x)


def test_the_velocity_is_the_mean_of_the_conditional_one():
    pair, path, t = random_pair(7, 2), CosinePath(), 0.4
    generator = torch.Generator().manual_seed(2)
    n = 200_000
    x0, y = pair.source.sample(n, generator), pair.target.sample(n, generator)
    a, da, m, dm = (float(part) for part in path.schedule(torch.tensor([t], dtype=torch.float64)))
    state, rate = a * y + m * x0, da * y + dm * x0
    rest = rate - pair.velocity(state, path, t)  # orthogonal to 1 and to the state
    with_one = torch.cat([torch.ones(n, 1, dtype=torch.float64), state], 1)
    products = with_one[:, :, None] * rest[:, None, :]
    error = products.std(0) / math.sqrt(n)
    assert float((products.mean(0).abs() / error).max()) < 4.5


@pytest.mark.parametrize("path", [CondOTPath(), CosinePath(), VPLinearPath()], ids=lambda path: path.name)
def test_energy_by_a_sum_over_particles(path):
    pair = random_pair(8, 2)
    x = pair.source.sample(4000, torch.Generator().manual_seed(3))
    t = torch.sin(torch.linspace(0, math.pi / 2, 2001, dtype=torch.float64)) ** 2
    ways = pair.flown(x, path, t)
    each = (ways.diff(dim=0).square().sum(-1) / t.diff()[:, None]).sum(0)
    error = float(each.std()) / math.sqrt(len(x))
    found = pair.kinetic_energy(path)
    assert found == pytest.approx(float(each.mean()), abs=4 * error + 2e-3 * found)
    assert found > pair.cost(pair.flow)


def test_maps_are_equal_iff_covariances_commute():
    for target in (
        ellipse(2, 0.3, 0.5),
        ellipse(0.3, 2, 0.5),
        ellipse(1.5, 1.5, 0),
        ellipse(2, 0.3, 0.5 + math.pi / 2),
    ):
        pair = GaussianTransport(ellipse(1.2, 0.4, 0.5), target)
        assert pair.commutator < 1e-12
        torch.testing.assert_close(pair.optimal, pair.flow)
        assert abs(pair.swirl) < 1e-9
    turned = GaussianTransport(ellipse(1.2, 0.4, 0.5), ellipse(2, 0.3, 0.6))
    assert turned.commutator > 1e-3
    assert turned.cost(turned.flow) > turned.squared_distance + 1e-6


def test_the_swirl_is_a_rotation_of_the_whitened_source():
    c, s = math.cos(REFERENCE.swirl), math.sin(REFERENCE.swirl)
    turn = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    half = torch.diag(torch.tensor([2.0, 0.3], dtype=torch.float64).sqrt())
    torch.testing.assert_close(REFERENCE.flow @ half, REFERENCE.optimal @ half @ turn)
    assert abs(REFERENCE.swirl) > 0.1


def test_costs_of_turned_targets_are_those_of_each():
    moved = ellipse(math.sqrt(3), math.sqrt(0.4), 0.1, 0.5, 1.0)
    angles = torch.tensor([0.0, 0.7, 1.5, 2.6], dtype=torch.float64)
    flown, least = costs_when_turned(GaussianTransport(REFERENCE.source, moved), angles)
    for angle, one, two in zip(angles.tolist(), flown.tolist(), least.tolist(), strict=True):
        target = ellipse(math.sqrt(3), math.sqrt(0.4), 0.1 + angle, 0.5, 1.0)
        pair = GaussianTransport(REFERENCE.source, target)
        assert (one, two) == pytest.approx((pair.cost(pair.flow), pair.squared_distance))


def test_a_translation_costs_its_square_on_both_ways():
    moved = GaussianTransport(REFERENCE.source, ellipse(math.sqrt(3), math.sqrt(0.4), 0.8, 3.0, -4.0))
    assert moved.squared_distance == pytest.approx(REFERENCE.squared_distance + 25)
    assert moved.cost(moved.flow) == pytest.approx(REFERENCE.cost(REFERENCE.flow) + 25)


def test_an_assignment_of_samples_costs_what_the_bures_map_costs():
    generator = torch.Generator().manual_seed(4)
    found = []
    for _ in range(8):
        x, y = REFERENCE.source.sample(800, generator), REFERENCE.target.sample(800, generator)
        found.append(float((y[optimal_assignment(x, y)] - x).square().sum(1).mean()))
    mean, error = np.mean(found), np.std(found, ddof=1) / math.sqrt(8)
    # samples lie above, by the distance between a sample and its law; still well below flow matching
    assert REFERENCE.squared_distance - 3 * error < mean < REFERENCE.squared_distance + 3 * error + 0.06
    assert mean < REFERENCE.cost(REFERENCE.flow) - 0.2


def test_a_flat_target_is_reached_and_a_flat_source_refused():
    for target in (ellipse(1, 0, 0.3), ellipse(0, 0, 0)):
        pair = GaussianTransport(ellipse(1, 0.5, 0), target)
        for linear in (pair.optimal, pair.flow):
            torch.testing.assert_close(linear @ pair.source.covariance @ linear.T, pair.target.covariance)
    with pytest.raises(InvalidValue, match="the source is flat"):
        GaussianTransport(ellipse(1, 0, 0), ellipse(1, 1, 0))
    with pytest.raises(InvalidValue, match="nan"):
        ellipse(math.nan, 1, 0)
    with pytest.raises(InvalidValue, match="negative"):
        Gaussian(torch.zeros(2, dtype=torch.float64), torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64)))
    with pytest.raises(InvalidValue, match="symmetric"):
        Gaussian(torch.zeros(2, dtype=torch.float64), torch.tensor([[1.0, 0.5], [0.0, 1.0]], dtype=torch.float64))
