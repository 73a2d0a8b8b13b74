"""Gradient flows against closed forms: Ornstein-Uhlenbeck, heat, an explicit sum over pairs, and dE/dt = -E|v|^2."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.lagrangian.fokker_planck import Box, FokkerPlanck, chains, slowest_rate
from gensot_demo.transport.lagrangian.gradient_flow import box_around, heat, interaction, langevin, score, stage_times
from gensot_demo.transport.lagrangian.kernel_flow import KernelFlow
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.targets import named_target


def gaussian(mean, covariance) -> GaussianMixture:
    return GaussianMixture(torch.ones(1), torch.tensor([mean]), torch.tensor(covariance)[None])


START = gaussian([-1.0, 0.5], [[0.3, 0.1], [0.1, 0.6]])
TARGET = gaussian([0.6, -0.4], [[0.8, 0.3], [0.3, 0.5]])


def ornstein_uhlenbeck(t: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance from START towards TARGET: dx = -P (x - m) dt + sqrt(2) dW with P the target's precision."""
    fade = torch.linalg.matrix_exp(-t * torch.linalg.inv(TARGET.covariances[0]))
    mean = TARGET.means[0] + fade @ (START.means[0] - TARGET.means[0])
    return mean, TARGET.covariances[0] + fade @ (START.covariances[0] - TARGET.covariances[0]) @ fade.T


def divergence(mean, covariance) -> float:
    """KL of a Gaussian from TARGET."""
    precision, away = torch.linalg.inv(TARGET.covariances[0]), mean - TARGET.means[0]
    ratio = precision @ covariance
    return 0.5 * float(ratio.trace() - 2 + away @ precision @ away - torch.logdet(ratio))


def moments_on(box: Box, density: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mass = density.reshape(-1) * box.h**2
    mean = mass @ box.centres
    centred = box.centres - mean
    return mean, (mass[:, None] * centred).T @ centred


@pytest.fixture(scope="module")
def to_gaussian():
    generator = torch.Generator().manual_seed(3)
    x = START.sample(1000, generator)
    return x, langevin(START, TARGET, x, 1.5, generator)


def test_the_grid_has_the_ornstein_uhlenbeck_moments_and_divergence(to_gaussian):
    _, flow = to_gaussian
    for frame in (0, 10, 30, 60):
        mean, covariance = ornstein_uhlenbeck(float(flow.times[frame]))
        got = moments_on(flow.box, flow.density[frame])
        # Second order in the cell's side, .09, against standard deviations of .5: (h / sd)^2 / 12 = 3e-3.
        assert torch.allclose(got[0], mean, atol=3e-3)
        assert torch.allclose(got[1], covariance, atol=4e-3)
        assert float(flow.energy[frame]) == pytest.approx(divergence(mean, covariance), abs=6e-3)


def test_halving_the_cells_divides_the_error_by_four():
    _mean, covariance = ornstein_uhlenbeck(0.3)
    errors = []
    for cells in (24, 48):
        around = box_around(START, TARGET)
        box = Box(around.low, around.side, cells)
        flow, density = FokkerPlanck(TARGET, box, 0.3 / 64), box.log_density(START).exp()
        for _ in range(64):
            density = flow.step(density)
        errors.append(float((moments_on(box, density)[1] - covariance).abs().max()))
    assert errors[1] < errors[0] / 3


def test_particles_without_noise_follow_the_affine_flow(to_gaussian):
    """v = (S' S^-1 / 2 part) is affine for Gaussians: integrate the exact one with small steps and compare place by
    place."""
    x, flow = to_gaussian
    precision = torch.linalg.inv(TARGET.covariances[0])
    place, t, step = x.clone(), 0.0, 1.5 / 3000
    for _ in range(3000):
        mean, covariance = ornstein_uhlenbeck(t + step / 2)
        slope = torch.linalg.inv(covariance) - precision
        shift = -torch.linalg.inv(covariance) @ mean + precision @ TARGET.means[0]
        place = place + step * (place @ slope.T + shift)
        t += step
    error = (flow.clouds[0][0][-1] - place).norm(dim=1)
    assert float(error.mean()) < 0.01
    assert float(error.max()) < 0.15  # outermost particles, where the grid's density is thin


def test_noisy_particles_have_the_same_moments(to_gaussian):
    _, flow = to_gaussian
    n = 1000
    for frame in (20, 60):
        mean, covariance = ornstein_uhlenbeck(float(flow.times[frame]))
        for places, _ in flow.clouds:
            error = torch.sqrt(torch.diagonal(covariance) / n)
            assert bool(((places[frame].mean(0) - mean).abs() < 4.5 * error).all())
            got = torch.cov(places[frame].T)
            spread = torch.sqrt((covariance**2 + torch.outer(*[torch.diagonal(covariance)] * 2)) / n)
            assert bool(((got - covariance).abs() < 4.5 * spread + 0.01).all())


def test_the_free_energy_is_spent_on_motion(to_gaussian):
    _, flow = to_gaussian
    lost = float(flow.energy[0] - flow.energy[-1])
    # E|v|^2 of 1000 draws: the standard error of a quadratic form of a Gaussian is below its mean * sqrt(2 / n) * 2.
    assert float(flow.spent[-1]) == pytest.approx(lost, rel=4 * 2 * math.sqrt(2 / 1000) / 2)


@settings(max_examples=6, deadline=None)
@given(
    st.sampled_from(["three_modes", "two_modes", "ring", "grid", "moons", "four_modes"]),
    st.sampled_from([0.3, 1.0]),
    st.floats(0.2, 8),
)
def test_mass_is_kept_nothing_is_negative_and_the_divergence_falls(name, sd, duration):
    generator = torch.Generator().manual_seed(0)
    start = gaussian([0.0, 0.0], [[sd**2, 0.0], [0.0, sd**2]])
    flow = langevin(start, named_target(name).mixture, start.sample(60, generator), duration, generator)
    mass = flow.density.sum((1, 2)) * flow.box.h**2
    assert torch.allclose(mass, torch.ones(61, dtype=mass.dtype), atol=1e-11)
    assert float(flow.density.min()) >= 0
    assert bool((flow.energy.diff() <= 1e-12).all())
    assert float(flow.energy[-1]) >= -1e-12
    for places, v in flow.clouds:
        assert places.shape == v.shape == (61, 60, 2)
        assert bool(torch.isfinite(places).all() and torch.isfinite(v).all())


def test_chains_keep_the_target():
    log = torch.randn(3, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3
    flux = chains(log, 0.2) @ log.exp()[:, :, None]
    assert float(flux.abs().max()) < 1e-9 * float(log.exp().max()) / 0.2**2


def test_particles_split_as_the_mass_does():
    generator = torch.Generator().manual_seed(2)
    start, target = gaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]), named_target("three_modes")
    x = start.sample(1000, generator)
    flow = langevin(start, target.mixture, x, 3.0, generator)
    mode = target.mode_of(flow.box.centres)
    mass = torch.zeros(3, dtype=torch.float64).index_add_(0, mode, flow.density[-1].reshape(-1)) * flow.box.h**2
    for places, _ in flow.clouds:
        share = torch.bincount(target.mode_of(places[-1]), minlength=3) / 1000
        assert bool(((share - mass).abs() < 4 * torch.sqrt(mass * (1 - mass) / 1000)).all())


def test_the_slowest_rate_is_that_of_the_widest_direction_and_of_the_barrier():
    """Ornstein-Uhlenbeck: the smallest eigenvalue of the precision. Two modes: the mass difference fades at it."""
    exact = 1 / float(torch.linalg.eigvalsh(TARGET.covariances[0])[-1])
    assert slowest_rate(TARGET, box_around(TARGET, reach=6.0)) == pytest.approx(exact, rel=0.01)
    pair = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], 0.2 * torch.eye(2).expand(2, 2, 2))
    box, start = box_around(pair), gaussian([1.0, 0.0], [[0.2, 0.0], [0.0, 0.2]])
    flow, density, over = FokkerPlanck(pair, box, 0.05), box.log_density(start).exp(), []
    for n in range(240):
        density = flow.step(density)
        if n in (119, 239):
            over.append(float((density * torch.sign(box.x)).sum()) * box.h**2)
    assert math.log(over[0] / over[1]) / 6 == pytest.approx(slowest_rate(pair, box), rel=1e-3)


def test_the_score_is_the_gradient_of_the_log_density():
    law = named_target("moons").mixture
    x = law.sample(20, torch.Generator().manual_seed(0)).requires_grad_()
    (wanted,) = torch.autograd.grad(law.log_density(x).sum(), x)
    assert torch.allclose(score(law, x.detach()), wanted, atol=1e-9)


def test_heat_stretches_a_gaussian_about_its_mean():
    start, generator = gaussian([0.2, 0.1], [[0.5, 0.0], [0.0, 0.1]]), torch.Generator().manual_seed(0)
    x = start.sample(1000, generator)
    flow = heat(start, x, 0.8, generator)
    first = torch.tensor([0.5, 0.1], dtype=torch.float64)
    stretch = torch.sqrt((first + 2 * flow.times[:, None]) / first)
    wanted = start.means[0] + stretch[:, None, :] * (x - start.means[0])
    assert torch.allclose(flow.clouds[0][0], wanted, atol=1e-4)
    entropy = 1 + math.log(2 * math.pi) + 0.5 * torch.log((first + 2 * flow.times[:, None]).prod(1))
    assert torch.allclose(flow.energy.double(), -entropy, atol=1e-5)
    variance = flow.clouds[1][0][-1].var(0)
    assert bool(((variance / (first + 1.6) - 1).abs() < 4.5 * math.sqrt(2 / 1000)).all())


@settings(max_examples=5, deadline=None)
@given(st.sampled_from(["ring", "moons", "grid"]), st.floats(0.2, 8))
def test_heat_loses_entropy_s_negative_by_motion(name, duration):
    law, generator = named_target(name).mixture, torch.Generator().manual_seed(0)
    flow = heat(law, law.sample(600, generator), duration, generator)
    assert bool((flow.energy.diff() < 0).all())
    lost = float(flow.energy[0] - flow.energy[-1])
    assert float(flow.spent[-1]) == pytest.approx(lost, rel=0.15)
    assert bool(torch.isfinite(flow.clouds[0][0]).all())


def test_the_kernel_distance_is_the_sum_over_pairs():
    law, generator, h = named_target("three_modes").mixture, torch.Generator().manual_seed(0), 0.7
    x = torch.randn(40, 2, generator=generator, dtype=torch.float64).requires_grad_()
    kernel = KernelFlow(law, h, torch.full((2,), -4.0), torch.full((2,), 4.0))

    def with_gaussian(places, mean, covariance):
        """E over N(mean, covariance) of h^2 exp(-|x - y|^2 / (2 h^2)): another Gaussian integral."""
        total = covariance + h**2 * torch.eye(2, dtype=torch.float64)
        away = places - mean
        size = h**4 / torch.sqrt(torch.det(total))
        return size * torch.exp(-0.5 * (away @ torch.linalg.inv(total) * away).sum(-1))

    pairs = h**2 * torch.exp(-(x[:, None] - x).square().sum(-1) / (2 * h**2))
    weights = law.log_prior.exp()
    parts = list(zip(weights, law.means, law.covariances, strict=True))
    pulled = sum(w * with_gaussian(x, mean, covariance) for w, mean, covariance in parts)
    own = sum(
        w * u * with_gaussian(mean, other, covariance + more)
        for w, mean, covariance in parts
        for u, other, more in parts
    )
    energy = 0.5 * pairs.mean() - pulled.mean() + 0.5 * own
    (slope,) = torch.autograd.grad(energy, x)
    got, v = kernel.at(x.detach())
    assert got == pytest.approx(float(energy.detach()), abs=1e-6)
    assert torch.allclose(v, -len(x) * slope, atol=1e-5)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(["three_modes", "ring", "moons"]), st.floats(0.4, 3), st.floats(5, 60), st.floats(0.1, 1.5))
def test_the_kernel_distance_is_spent_on_motion(name, bandwidth, duration, sd):
    generator = torch.Generator().manual_seed(0)
    x = sd * torch.randn(80, 2, generator=generator, dtype=torch.float64)
    flow = interaction(named_target(name).mixture, x, duration, bandwidth)
    assert bool((flow.energy.diff() <= 1e-9).all())
    assert float(flow.spent[-1]) == pytest.approx(float(flow.energy[0] - flow.energy[-1]), rel=0.01)
    assert bool(torch.isfinite(flow.clouds[0][0]).all())


def test_moments_are_closer_at_first_and_bad_values_are_named():
    times = stage_times(3.0)
    assert len(times) == 61
    assert float(times[0]) == 0
    assert float(times[-1]) == pytest.approx(3)
    assert bool((times.diff().diff() > -1e-12).all())
    with pytest.raises(InvalidValue, match="bandwidth is 0"):
        KernelFlow(TARGET, 0.0, torch.zeros(2), torch.ones(2))
    with pytest.raises(InvalidValue, match="step is -1"):
        FokkerPlanck(TARGET, box_around(TARGET), -1.0)
    with pytest.raises(InvalidValue, match="3 cells"):
        Box((0.0, 0.0), 1.0, 3)


def test_where_the_target_is_steep_the_grid_is_off_by_two_percent_at_most():
    """What the page says of the curve. Six clouds of 1000: the standard error of the mean is .1 to .2 of 56."""
    start, target = gaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]), named_target("two_modes").mixture
    spent, lost = [], 0.0
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        flow = langevin(start, target, start.sample(1000, generator), 0.8, generator)
        spent.append(float(flow.spent[-1]))
        lost = float(flow.energy[0] - flow.energy[-1])
    assert sum(spent) / 6 == pytest.approx(lost, rel=0.03)  # 2 % and three standard errors
