"""Flows learnt from points: the loss in the noise angle, the law of angles, likelihood against exact densities."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gensot_demo.transport.data_separation import (
    separation_of_mixture,
    separation_of_points,
    standardised_mixture,
    standardised_points,
)
from gensot_demo.transport.distances import sliced_w2
from gensot_demo.transport.flow_likelihood import exact_field, log_likelihood, with_divergence
from gensot_demo.transport.flow_training import SHORTEST, AngleLaw, AngleNetworks, euler, train
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import CondOTPath, CosinePath, SchedulePath, VPLinearPath
from gensot_demo.transport.targets import named_target

LAW = standardised_mixture(named_target("three_modes").mixture)
SEPARATION = separation_of_mixture(LAW)
PATHS = [VPLinearPath(), CondOTPath(), CosinePath(), KineticOptimalPath(SEPARATION)]


def draws(n: int, seed: int = 0, law: GaussianMixture = LAW) -> torch.Tensor:
    return law.sample(n, torch.Generator().manual_seed(seed))


# --- likelihood ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two_modes", "moons", "pinwheel"])
def test_the_exact_field_gives_the_exact_density_back(name):
    law = standardised_mixture(named_target(name).mixture)
    end = math.pi / 2 - 0.02
    u = draws(40, 1, law)  # points of the law itself: close to those of its marginal at this angle
    found = log_likelihood(with_divergence(exact_field(law)), u, 96, end)
    exact = law.marginal(math.sin(end), math.cos(end)).log_density(u)
    assert torch.allclose(found, exact, atol=2e-3)


def test_the_error_of_the_likelihood_falls_with_the_fourth_power_of_the_step():
    u, end = draws(30, 2), math.pi / 2 - 0.05
    exact = LAW.marginal(math.sin(end), math.cos(end)).log_density(u)
    moving = with_divergence(exact_field(LAW))
    coarse, fine = ((log_likelihood(moving, u, steps, end) - exact).abs().mean() for steps in (16, 32))
    assert coarse / fine > 8  # 16, less the bias of the nearest angle asked


def test_a_gaussian_of_another_size_has_its_own_density():
    law = GaussianMixture([1.0], [[0.0, 0.0]], torch.tensor([[[1.6, 0.0], [0.0, 0.4]]]))
    u = torch.randn(50, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = log_likelihood(with_divergence(exact_field(law)), u, 64)
    exact = -0.5 * (u[:, 0] ** 2 / 1.6 + u[:, 1] ** 2 / 0.4) - math.log(2 * math.pi) - 0.5 * math.log(0.64)
    assert torch.allclose(found, exact, atol=1e-3)


def test_a_network_s_divergence_is_that_of_automatic_differentiation():
    networks = AngleNetworks([0, 1], [SEPARATION] * 2, width=16)
    u = torch.randn(2, 9, 2, generator=torch.Generator().manual_seed(0))
    velocity, divergence = networks.with_divergence(u, 0.9)
    same, expected = with_divergence(networks)(u, 0.9)
    assert torch.allclose(velocity, same, atol=1e-6)
    assert torch.allclose(divergence, expected, atol=1e-5)


# --- the loss and the law of angles ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_the_velocity_in_the_noise_angle_is_that_of_the_path(path):
    """(rho'/rho) x + rho theta' w against a' y + m' eps, and against the oracle's velocity."""
    generator = torch.Generator().manual_seed(4)
    y, eps = draws(5), torch.randn(5, 2, generator=generator, dtype=torch.float64)
    t = torch.tensor([0.37], dtype=torch.float64)
    a, da, m, dm = (float(part) for part in path.schedule(t))
    rho, theta = math.hypot(a, m), math.atan2(a, m)
    x, w = a * y + m * eps, math.cos(theta) * y - math.sin(theta) * eps
    assert torch.allclose((a * da + m * dm) / rho**2 * x + (da * m - a * dm) / rho * w, da * y + dm * eps)
    exact = path.at(t).velocity(0, x, LAW.predict(x, a, m))

    class From(SchedulePath):  # one Euler step from t on
        def schedule(self, times):
            return tuple(torch.full_like(times, one) for one in (a, da, m, dm))

    assert torch.allclose(euler(exact_field(LAW), From(), x, 1) - x, exact, atol=1e-6)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_angles_are_drawn_so_that_the_mean_loss_is_that_of_uniform_time(path):
    """int (a' m - a m') e(theta) dtheta = int (rho theta')^2 e(theta(t)) dt for any error e."""

    def error(theta: torch.Tensor) -> torch.Tensor:
        return torch.sin(2 * theta) ** 2 * SEPARATION.rate(theta)

    end = math.log((1 - SHORTEST) / SHORTEST)
    logit = torch.linspace(-end, end, 30_001, dtype=torch.float64)
    t = torch.sigmoid(logit)
    a, da, m, dm = path.schedule(t)
    theta, square = torch.atan2(a, m), (da * m - a * dm) ** 2 / (a * a + m * m)  # (rho theta')^2
    square = square * t * (1 - t)  # dt = t (1 - t) dlogit
    in_time = [torch.trapezoid(square * part, logit) for part in (error(theta), SEPARATION.rate(theta).sqrt())]
    drawn = torch.from_numpy(AngleLaw(path, SEPARATION).quantile((np.arange(20_000) + 0.5) / 20_000))
    found = (error(drawn) / SEPARATION.rate(drawn).sqrt()).mean()
    assert float(found) == pytest.approx(float(in_time[0] / in_time[1]), rel=3e-3)


def test_condot_and_cosine_are_one_training_problem():
    condot, cosine = AngleLaw(CondOTPath(), SEPARATION), AngleLaw(CosinePath(), SEPARATION)
    shares = np.linspace(0.01, 0.99, 50)
    assert np.allclose(condot.quantile(shares), cosine.quantile(shares), atol=2e-3)
    inside = np.linspace(0.05, 1.5, 20)
    assert np.allclose(condot.weight(inside), 2 / math.pi, rtol=3e-3)


class Best(AngleNetworks):
    """Predicts E[w | u] = (E[y | u] - sin(theta) u) / cos(theta) of equally likely points, exactly, times ``share``."""

    def __init__(self, points: torch.Tensor, separation, share: float = 1.0):
        super().__init__([0], [separation], width=2)
        self._points, self._share = points, share

    def output(self, u: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        sine, cosine, at = theta.double().sin()[0, :, None], theta.double().cos()[0, :, None], u[0].double()
        distance = (at[:, None] - sine[:, None] * self._points).square().sum(-1)
        clean = torch.softmax(-0.5 * distance / cosine**2, 1) @ self._points
        exact = (clean - sine * at) / cosine
        learns_nothing = 0 * sum(part.sum() for part in self.parameters)
        return self._share * (exact / self.root(theta)[0, :, None].double())[None].float() + learns_nothing


@pytest.mark.parametrize("path", [VPLinearPath(), CondOTPath()], ids=lambda path: path.name)
def test_the_loss_of_the_best_network_is_zero_and_of_none_is_one(path):
    """The loss of a share c of the exact prediction is (1 - c)^2: all but the scatter of w about it is explained."""
    points = standardised_points(draws(12))
    separation = separation_of_points(points)
    law = AngleLaw(path, separation)
    assert 1 / law.scale == pytest.approx(_explained(separation, law), rel=1e-2)
    for share, expected in ((1.0, 0.0), (0.5, 0.25), (0.0, 1.0)):
        best = Best(points, separation, share)
        losses = torch.cat([now.losses[0] for now in train(best, [[law]], points[None], 800, rate=0.0)])
        error = float(losses.std()) / math.sqrt(len(losses))
        assert error < 0.005
        assert float(losses.mean()) == pytest.approx(expected, abs=4 * error + 0.005)  # and 5e-3 of the separation


def _explained(separation, law) -> float:
    """E[sqrt(Gam)] over drawn angles: what the best network takes off the loss."""
    theta = torch.from_numpy(law.quantile((np.arange(5000) + 0.5) / 5000))
    return float(separation.rate(theta).sqrt().mean())


# --- training --------------------------------------------------------------------------------------------------------


def test_training_lowers_the_loss_and_beats_the_untrained_network_on_every_path():
    points = standardised_points(draws(512, 5))
    separation = separation_of_points(points, draws=2048)
    paths = [VPLinearPath(), CondOTPath(), KineticOptimalPath(separation)]
    laws = [[AngleLaw(path, separation)] for path in paths]
    networks = AngleNetworks([3] * 3, [separation] * 3)
    held = draws(400, 6).float().expand(3, -1, -1)
    with torch.no_grad():
        before = log_likelihood(networks.with_divergence, held, 24).mean(1)
    losses = torch.cat([moment.losses for moment in train(networks, laws, points[None], 300)], 1)
    assert (losses[:, -50:].mean(1) < 0.6 * losses[:, :10].mean(1)).all()
    start = torch.randn(1, 800, 2, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        after = log_likelihood(networks.with_divergence, held, 24).mean(1)
        ends = [euler(networks.only([p]), path, start, 32)[0] for p, path in enumerate(paths)]
    assert (after > before + 0.2).all()  # nats
    noise = sliced_w2(start[0], draws(800, 8))
    assert all(sliced_w2(end, draws(800, 8)) < 0.6 * noise for end in ends)


def test_the_same_seed_gives_the_same_network_and_paths_share_their_start():
    points = standardised_points(draws(64))
    laws = [[AngleLaw(CondOTPath(), SEPARATION)], [AngleLaw(CosinePath(), SEPARATION)]]

    def trained() -> AngleNetworks:
        networks = AngleNetworks([1, 1], [SEPARATION] * 2, width=16)
        assert torch.equal(networks.weights[0][0], networks.weights[0][1])
        for _ in train(networks, laws, points[None], 30, batch=64):
            pass
        return networks

    first, second = trained(), trained()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters, second.parameters, strict=True))
    u = draws(5).float().expand(2, -1, -1)
    both = first(u, 0.7)
    assert torch.allclose(both[0], both[1], atol=2e-3)  # one training problem
    assert torch.allclose(first.only([1])(u[:1], 0.7)[0], both[1])


def test_euler_with_the_exact_velocity_reaches_the_law_on_every_path():
    start = torch.randn(2000, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    exact = draws(2000, 10)
    floor = np.mean([sliced_w2(draws(2000, 20 + k), exact) for k in range(4)])
    for path in PATHS:
        few, many = (sliced_w2(euler(exact_field(LAW), path, start, steps), exact) for steps in (2, 64))
        assert many < 2.5 * floor
        assert many < few
