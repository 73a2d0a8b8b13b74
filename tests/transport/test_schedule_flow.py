"""Flows of schedules from shared noise against the exact map on a line, an ODE solver in time, and known orders."""

import pytest
import torch
from scipy.integrate import solve_ivp

from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.one_dimension import LAW, LinePredictor, line_mixture, normal_quantiles
from gensot_demo.transport.paths import CondOTPath, CosinePath, VEPath, VPLinearPath
from gensot_demo.transport.schedule_flow import accurate_times, equal_times, few_steps, flow, scales_at

LAW_1D = line_mixture([0.5, 0.5], [-0.894, 0.894], [0.447, 0.447])
PATHS = [CosinePath(), CondOTPath(), HarmonicPath(constant_protocol(5.0, torch.zeros(1))), VPLinearPath(), VEPath()]
SHARED = (1e-6, 1e-6, 1e-6, 1e-4, 3e-4)  # what a(0) = .0066 and sigma(0) = 80 leave out is 4e-5 and 1.5e-4


def _end(path, eps, predict=None):
    *_, (_, found) = flow(scales_at([path], [accurate_times(path)]), predict or LinePredictor(LAW_1D), eps)
    return found


def test_the_predictor_is_the_mixture():
    x = torch.linspace(-3, 3, 11, dtype=torch.float64)
    a, m = torch.tensor([[0.3], [0.9]], dtype=torch.float64), torch.tensor([[0.8], [0.1]], dtype=torch.float64)
    found = LinePredictor(LAW_1D)(x.expand(2, -1), a, m)
    for n in range(2):
        expected = LAW_1D.predict(x[:, None], float(a[n]), float(m[n]))[:, 0]
        assert torch.allclose(found[n], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("path", "allowed"), list(zip(PATHS, SHARED, strict=True)), ids=lambda v: getattr(v, "name", "")
)
def test_every_schedule_ends_at_the_quantile_of_its_noise(path, allowed):
    eps = torch.linspace(-3, 3, 13, dtype=torch.float64)
    assert float((_end(path, eps)[0] - normal_quantiles(LAW_1D, LAW, eps)).abs().max()) < allowed


@pytest.mark.parametrize("path", [CosinePath(), CondOTPath()], ids=lambda path: path.name)
def test_the_end_is_that_of_an_independent_solver_in_time(path):
    law = GaussianMixture([0.4, 0.6], [[1.0, 0.3], [-0.8, -0.5]], 0.1 * torch.eye(2).expand(2, 2, 2))
    eps = torch.tensor([[0.5, -1.0], [-0.2, 0.4], [1.5, 1.0]], dtype=torch.float64)
    found = _end(path, eps, lambda x, a, m: law.predict(x.reshape(3, 2), float(a), float(m)))

    def moves(t, x):
        points = path.at(t)
        p, state = points.point(0), torch.from_numpy(x).reshape(3, 2)
        return points.velocity(0, state, law.predict(state, p.a, p.m)).reshape(-1).numpy()

    first = path.at(1e-4).point(0)
    start = first.a * law.mean() + first.m * eps  # what it ignores is of the order of a^2
    ends = (1e-4, 1 - 1e-4)
    solved = solve_ivp(moves, ends, start.reshape(-1).numpy(), rtol=1e-8, atol=1e-9).y[:, -1]
    assert found.reshape(-1).numpy() == pytest.approx(solved, abs=1e-3)


@pytest.mark.parametrize(("heun", "order"), [(False, 1), (True, 2)])
def test_few_steps_converge_in_their_order(heun, order):
    eps = torch.linspace(-2, 2, 21, dtype=torch.float64)
    exact = normal_quantiles(LAW_1D, LAW, eps)[0]
    errors = []
    for steps in (64, 128):
        scales = scales_at([CosinePath()], [equal_times(steps)])
        found = few_steps(scales, LinePredictor(LAW_1D), eps, heun, torch.tensor([[False]]))
        errors.append(float((found[0] - exact).square().mean().sqrt()))
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.15)


def test_steps_in_the_noise_level_are_the_same_on_every_path_with_the_same_levels():
    eps = torch.linspace(-2, 2, 5, dtype=torch.float64)
    levels = torch.tensor([50.0, 5.0, 1.0, 0.3, 0.05], dtype=torch.float64)
    ends = []
    for path in (CosinePath(), CondOTPath(), VEPath()):
        t = torch.cat([path.times_of_sigma(levels), torch.ones(1, dtype=torch.float64)])
        scales = scales_at([path], [t])
        start = eps * scales.a[0] * levels[0] / scales.m[0]
        ends.append(few_steps(scales, LinePredictor(LAW_1D), start, True, torch.tensor([[True]])))
    assert torch.allclose(ends[0], ends[1], atol=1e-9)
    assert torch.allclose(ends[0], ends[2], atol=1e-9)


def test_several_schedules_move_at_once_as_each_alone():
    eps = torch.linspace(-2, 2, 5, dtype=torch.float64)
    both = scales_at([CosinePath(), VEPath()], [equal_times(6)] * 2)
    in_noise = torch.tensor([[False], [True]])
    together = few_steps(both, LinePredictor(LAW_1D), eps, True, in_noise)
    for n, path in enumerate((CosinePath(), VEPath())):
        alone = few_steps(scales_at([path], [equal_times(6)]), LinePredictor(LAW_1D), eps, True, in_noise[n : n + 1])
        assert torch.allclose(together[n], alone[0])
