"""Matrix stiffness: links, ellipses against particles, and the corridor task against other ways to its optimum."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from gensot_demo.experiments.navigation.directions import (
    DirectionsRequest,
    cloud,
    picture,
    task_of,
    tuned_corridor,
)
from gensot_demo.experiments.navigation.tuned_links import from_query, to_query
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.navigation.arch import ArchTask, arch_line, left_of, tune
from gensot_demo.transport.navigation.matrix import MatrixPath

F64 = torch.float64
END = GaussianMixture([1.0], [[3.0, 0.0]], 0.09 * torch.eye(2)[None])


def small() -> ArchTask:
    return ArchTask(END, 1.0, 1.0, 1.0, torch.zeros(2, 2, dtype=F64), 0.05, pieces=3)


def test_a_link_goes_there_and_back():
    request = DirectionsRequest(corridor="straight", drift="shear", strength=-1.5, starts=3, schedule="cooling")
    assert from_query(DirectionsRequest, to_query(request)) == (request, [])


@pytest.mark.parametrize(
    ("query", "said"),
    [("across=500", "Across is 500|Stiffness"), ("starts=5", "from 1 to 4"), ("drift=storm", "Drift is 'storm'")],
)
def test_bad_values_are_named(query, said):
    with pytest.raises(InvalidRequest, match=said):
        from_query(DirectionsRequest, query)


@pytest.mark.parametrize("drift", ["none", "rotation", "shear", "contraction"])
def test_particles_agree_with_the_ellipses_whatever_the_drift_and_the_schedule(drift):
    result = picture(DirectionsRequest(drift=drift, schedule="heating", starts=2, along=5, across=60, particles=2000))
    drawn = cloud(result)
    # 2 to 3 numbers a row, dependent over time: far in the tail of that many independent ones
    assert max(drawn.mean_error, drawn.covariance_error) < drawn.expected + 2
    other = picture(result.request.model_copy(update={"across": 20.0}))
    wrong = MatrixPath(other.request.protocol(torch.zeros(2, dtype=F64))).at(torch.tensor([0.5], dtype=F64)).S
    right = MatrixPath(result.request.protocol(torch.zeros(2, dtype=F64))).at(torch.tensor([0.5], dtype=F64)).S
    assert (wrong - right).abs().max() > 5 * right.abs().max() * (2 / 2000) ** 0.5, "another stiffness would be seen"


def test_an_ellipse_is_loose_along_and_tight_across():
    result = picture(DirectionsRequest(corridor="straight", along=0.0, across=200.0))
    middle = len(result.along) // 2
    w = 200**0.5
    assert result.along[middle] == pytest.approx(0.5, rel=1e-6), "a Brownian bridge"
    assert result.across[middle] == pytest.approx((np.tanh(w / 2) / (2 * w)) ** 0.5, rel=1e-6)


def test_the_arch_has_unit_tangents_and_the_height_asked_for():
    t = torch.linspace(0, 1, 101, dtype=F64)
    centre, direction = arch_line(t, torch.tensor([3.0, 4.0], dtype=F64), 1.5)
    assert torch.allclose(direction.norm(dim=1), torch.ones(101, dtype=F64))
    assert torch.allclose(centre[50], torch.tensor([1.5, 2.0]).double() + 1.5 * torch.tensor([-0.8, 0.6]).double())
    step = centre.diff(dim=0)
    assert ((step * left_of(direction)[:-1]).sum(1).abs() < 0.05 * step.norm(dim=1)).all()


def test_the_distance_is_that_of_sampled_bridges():
    task = small()
    at = task.start(30.0)
    generator, t = torch.Generator().manual_seed(2), (torch.arange(40, dtype=F64) + 0.5) / 40
    x = MatrixPath(task.protocol(at)).sample(END.sample(4000, generator), t, generator)
    centre, direction = arch_line(t, END.mean(), 1.0)
    square = ((x - centre[:, None]) * left_of(direction)[:, None]).sum(-1) ** 2
    each = square.mean(0)  # the integral along each path, by the midpoint rule
    assert float(task.parts(at)[0]) == pytest.approx(float(each.mean()), abs=4 * float(each.std()) / 4000**0.5 + 2e-4)


def test_the_gradient_is_that_of_finite_differences():
    task = small()
    at = task.start(30.0) + 0.1 * torch.sin(torch.arange(6, dtype=F64))
    assert torch.autograd.gradcheck(task.loss, at.clone().requires_grad_(), atol=1e-7)


def test_a_minimiser_without_gradients_finds_the_same_loss():
    task = small()
    *_, last = tune(task, task.start(30.0), most=120)
    with torch.no_grad():
        other = minimize(
            lambda v: float(task.loss(torch.from_numpy(v))), task.start(100.0).numpy(), method="Powell",
            options={"maxiter": 12, "xtol": 1e-3, "ftol": 1e-6},
        )  # fmt: skip
    assert last.loss == pytest.approx(other.fun, rel=2e-3)


def test_tuning_lowers_the_loss_step_by_step_and_ends():
    moments = list(tuned_corridor(DirectionsRequest(law="one mode", across=40.0)))
    losses = [moment.now.loss for moment in moments]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]
    assert moments[-1].now.done
    assert moments[-1].now.parameters.numel() == 20
    assert moments[0].offsets == pytest.approx(np.zeros(10))
    assert moments[0].across == pytest.approx(np.full(10, 40.0))
    assert task_of(moments[0].request).price == 0.05
