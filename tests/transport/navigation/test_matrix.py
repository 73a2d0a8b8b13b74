"""Matrix protocols against brute-force conditioning of a discretised path, the scalar path, and simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.guides import guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.mixtures import two_modes
from gensot_demo.transport.navigation.matrix import MatrixPath, MatrixProtocol, directed, predicted

F64 = torch.float64


def protocol(**other) -> MatrixProtocol:
    """Four unequal pieces that turn, with a rotating and contracting drift and a temperature that changes."""
    turn = torch.tensor([0.2, 0.9, 1.7, -0.6], dtype=F64)
    along = torch.stack([turn.cos(), turn.sin()], 1)
    values = {
        "stiffness": directed(along, torch.tensor([2.0, 0, 5, 1]).double(), torch.tensor([40.0, 25, 60, 9]).double()),
        "guide": torch.tensor([[0.5, 0.2], [1.5, 0.9], [1.0, -1.0], [2.0, 0.3]], dtype=F64),
        "start": torch.tensor([0.3, -0.4], dtype=F64),
        "temperature": torch.tensor([1.0, 0.4, 1.5, 0.8], dtype=F64),
        "drift": torch.tensor([[-0.5, 1.2], [-1.0, 0.3]], dtype=F64),
        "knots": torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0], dtype=F64),
    }  # fmt: skip
    return MatrixProtocol(**{**values, **other})


def conditioned(p: MatrixProtocol, y: torch.Tensor, cells: int, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of x_t given x_0 and x_1 = y, from the block-tridiagonal precision of a path of ``cells``."""
    d, h = 2, 1 / cells
    middle = (torch.arange(cells, dtype=F64) + 0.5) * h
    of_step = (torch.searchsorted(p.knots, middle, right=True) - 1).tolist()
    precision, load = np.zeros((cells * d + d, cells * d + d)), np.zeros(cells * d + d)
    A, one = p.drift.numpy(), np.eye(d)
    ahead, behind = one + 0.5 * h * A, one - 0.5 * h * A  # (I - hA/2) x' = (I + hA/2) x + noise: second order
    for n in range(cells):
        at, rate = slice(n * d, n * d + d), 1 / (float(p.temperature[of_step[n]]) * h)
        to = slice(n * d + d, n * d + 2 * d)
        precision[at, at] += rate * ahead.T @ ahead
        precision[to, to] += rate * behind.T @ behind
        precision[at, to] -= rate * ahead.T @ behind
        precision[to, at] -= rate * behind.T @ ahead
        for node in (at, to):  # the trapezoidal rule of the guiding cost, with each cell's own piece
            beta, nu = p.stiffness[of_step[n]].numpy(), p.guide[of_step[n]].numpy()
            precision[node, node] += 0.5 * h * beta
            load[node] += 0.5 * h * beta @ nu
    inner, ends = slice(d, cells * d), [*range(d), *range(cells * d, cells * d + d)]
    known = np.concatenate([p.start.numpy(), y.numpy()])
    load = load[inner] - precision[inner][:, ends] @ known
    covariance = np.linalg.inv(precision[inner, inner])
    n = round(t * cells) - 1
    return (covariance @ load)[n * d : n * d + d], covariance[n * d : n * d + d, n * d : n * d + d]


@pytest.mark.parametrize("t", [0.1, 0.35, 0.5, 0.75, 0.95])
def test_brute_force_conditioning_agrees_and_its_error_falls_like_the_square_of_its_cells(t):
    p = protocol()
    at = MatrixPath(p).at(torch.tensor([t], dtype=F64))
    errors = []
    for cells in (100, 200, 400):
        worst = 0.0
        for y in (torch.tensor([0.0, 0.0], dtype=F64), torch.tensor([2.0, -1.0], dtype=F64)):
            mean, covariance = conditioned(p, y, cells, t)
            ours = (at.alpha[0] @ y + at.gamma[0]).numpy()
            worst = max(worst, np.abs(mean - ours).max(), np.abs(covariance - at.S[0].numpy()).max())
        errors.append(worst)
    assert errors[-1] < 4e-4
    assert 3.3 < errors[0] / errors[1] < 4.7
    assert 3.3 < errors[1] / errors[2] < 4.7


def test_the_scalar_path_is_a_special_case():
    scalar = guided_protocol("S", 20.0, torch.tensor([3.0, 0.48], dtype=F64), temperature=0.7)
    one = torch.eye(2, dtype=F64)
    ours = MatrixPath(
        MatrixProtocol(
            20.0 * one.repeat(20, 1, 1), scalar.guide, scalar.start, torch.full((20,), 0.7, dtype=F64), 0 * one
        )
    )
    t = torch.tensor([0.01, 0.2, 0.5, 0.77, 0.99], dtype=F64)
    at, expected = ours.at(t), HarmonicPath(scalar).at(t)
    assert torch.allclose(at.alpha, expected.a[:, None, None] * one, atol=1e-10)
    assert torch.allclose(at.gamma, expected.g, atol=1e-10)
    assert torch.allclose(at.S, (expected.m**2)[:, None, None] * one, atol=1e-10)
    assert torch.allclose(at.hold * 0.7, expected.relaxation[:, None, None] * one, rtol=1e-9, atol=1e-9)
    assert torch.allclose(at.pull * 0.7, expected.pull[:, None, None] * one, rtol=1e-9, atol=1e-9)
    assert torch.allclose(at.push * 0.7, expected.push, rtol=1e-8, atol=1e-9)


def test_the_predicted_end_is_that_of_quadrature():
    at = MatrixPath(protocol()).at(torch.tensor([0.4], dtype=F64))
    target = two_modes()
    axis = torch.linspace(-3, 7, 801, dtype=F64)
    y = torch.cartesian_prod(axis, axis - 2)
    for x in torch.tensor([[1.0, 0.2], [0.5, -1.5], [2.0, 1.0]], dtype=F64):
        away = x - y @ at.alpha[0].mT - at.gamma[0]
        log_weight = target.log_density(y) - 0.5 * (away @ torch.linalg.inv(at.S[0]) * away).sum(1)
        expected = torch.softmax(log_weight, 0) @ y
        assert torch.allclose(predicted(at, 0, target, x[None])[0], expected, atol=1e-8)


def test_the_drift_and_the_bridges_give_the_same_process():
    """Euler-Maruyama with u* from its prediction, and exact bridges to drawn ends: means and covariances agree with the
    closed form, and a drift of the wrong sign does not."""
    p, target = protocol(), two_modes()
    path, n, steps = MatrixPath(p), 20_000, 400
    t = (torch.arange(1, steps, dtype=F64)) / steps
    at = path.at(t)
    mean, covariance = at.moments(target.mean(), target.covariance())
    generator = torch.Generator().manual_seed(3)
    bridged = path.sample(target.sample(n, generator), t[[99, 199, 299]], generator)

    def walked(sign: float) -> list[torch.Tensor]:
        x, out = p.start.expand(n, 2).clone(), []
        noise = torch.Generator().manual_seed(4)
        for k in range(300):
            if k == 0:
                u = torch.zeros_like(x)
            else:
                kappa = p.temperature[int(torch.searchsorted(p.knots, t[k - 1], right=True)) - 1]
                y = predicted(at, k - 1, target, x)
                u = kappa * (-x @ at.hold[k - 1].mT + sign * y @ at.pull[k - 1].mT + at.push[k - 1])
            kappa = p.temperature[int(torch.searchsorted(p.knots, torch.tensor(k / steps, dtype=F64), right=True)) - 1]
            eps = torch.randn(n, 2, generator=noise, dtype=F64)
            x = x + (x @ p.drift.mT + u) / steps + torch.sqrt(kappa / steps) * eps
            if k + 1 in (100, 200, 300):
                out.append(x)
        return out

    right, wrong = walked(1.0), walked(-1.0)
    for row, k in enumerate((99, 199, 299)):
        spread = covariance[k].diagonal().sqrt()
        error = 4 * spread / n**0.5
        assert ((bridged[row].mean(0) - mean[k]).abs() < error).all()
        assert torch.allclose(bridged[row].T.cov(), covariance[k], atol=float(4 * 1.5 * spread.max() ** 2 / n**0.5))
        assert ((right[row].mean(0) - mean[k]).abs() < error + 0.02).all(), "and the step error of Euler"
        assert ((wrong[row].mean(0) - mean[k]).abs() > error + 0.02).any()


def test_it_can_be_differentiated():
    p = protocol()
    guide = p.guide.clone().requires_grad_()
    scale = torch.tensor(1.0, dtype=F64, requires_grad=True)

    def loss(guide: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        at = MatrixPath(replace(p, guide=guide, stiffness=scale * p.stiffness)).at(torch.tensor([0.3, 0.7], dtype=F64))
        return at.gamma.square().sum() + at.S.sum()

    assert torch.autograd.gradcheck(loss, (guide, scale), atol=1e-6)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"temperature": torch.tensor([1.0, 0.0, 1.0, 1.0], dtype=F64)}, "temperature is"),
        ({"stiffness": -torch.eye(2, dtype=F64).repeat(4, 1, 1)}, "eigenvalues from -1.5 to"),
        ({"stiffness": 5000 * torch.eye(2, dtype=F64).repeat(4, 1, 1)}, r"must lie in \[0, 2000\]"),
        ({"drift": torch.zeros(3, 3, dtype=F64)}, "drift has shape"),
        ({"knots": torch.tensor([0.0, 0.5, 0.4, 0.8, 1.0], dtype=F64)}, "rising from 0 to 1"),
    ],
)
def test_bad_values_are_named(other, said):
    with pytest.raises(InvalidValue, match=said):
        protocol(**other)


def test_one_wide_direction_is_loose_and_the_tight_one_is_not():
    along = torch.tensor([[1.0, 0.0]], dtype=F64).repeat(4, 1)
    p = protocol(
        stiffness=directed(along, 1.0, 200.0), drift=torch.zeros(2, 2, dtype=F64), temperature=torch.ones(4, dtype=F64)
    )
    S = MatrixPath(p).at(torch.tensor([0.5], dtype=F64)).S[0]
    w = np.sqrt([1.0, 200.0])
    assert np.allclose(S.diagonal().numpy(), np.tanh(w / 2) / (2 * w), rtol=1e-9), "s^2(1/2) = kappa tanh(w/2)/(2w)"
