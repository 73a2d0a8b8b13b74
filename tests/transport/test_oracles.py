"""Mixtures and atoms as oracles, against quadrature, importance sampling, brute force and automatic differentiation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.conductor import answer_in_chunks
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.oracles import Query, entropy_of

F64 = torch.float64


def normals(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def line() -> GaussianMixture:
    return GaussianMixture([0.2, 0.5, 0.3], [[-2.0], [0.0], [1.0]], torch.tensor([0.25, 0.04, 1.0]).reshape(3, 1, 1))


def space(d: int = 2, n: int = 3) -> GaussianMixture:
    """Full covariances, unequal weights."""
    root = normals(n, d, d, seed=1) * 0.5
    covariances = root @ root.mT + 0.05 * torch.eye(d, dtype=F64)
    return GaussianMixture([0.5, 0.3, 0.2][:n], normals(n, d, seed=2), covariances)


def atoms(d: int = 3, n: int = 7) -> WeightedAtoms:
    return WeightedAtoms(normals(n, d, seed=3), torch.arange(1.0, n + 1))


ORACLES = [pytest.param(space, id="mixture"), pytest.param(atoms, id="atoms")]
LEVELS = [(0.05, 1.0), (0.6, 0.5), (1.0, 1.0), (1.0, 0.2)]
CONDITION = torch.tensor([0.0, -1.0, 2.0], dtype=F64)


def condition_for(oracle) -> torch.Tensor:
    return torch.cat([CONDITION, -0.3 * torch.ones(len(oracle.log_prior) - 3, dtype=F64)])


# --- predicted state ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [None, CONDITION])
@pytest.mark.parametrize(("a", "m"), LEVELS)
def test_mixture_against_quadrature_on_a_line(a, m, condition):
    target = line()
    y = np.linspace(-12, 12, 200_001)
    variance, mean = target.covariances[:, 0, 0].numpy(), target.means[:, 0].numpy()
    weights = np.array([0.2, 0.5, 0.3]) * (1.0 if condition is None else np.exp(condition.numpy()))
    parts = zip(weights, mean, variance, strict=True)
    prior = sum(w * np.exp(-((y - c) ** 2) / (2 * v)) / np.sqrt(v) for w, c, v in parts)
    for x in (-3.0, 0.1, 1.7):
        p = prior * np.exp(-((x - a * y) ** 2) / (2 * m * m))
        expected = (p * y).sum() / p.sum()
        spread = (p * (y - expected) ** 2).sum() / p.sum()
        state = torch.tensor([[x]], dtype=F64)
        assert float(target.predict(state, a, m, condition)) == pytest.approx(expected, abs=1e-9)
        assert float(target.posterior_variance(state, a, m, condition)) == pytest.approx(spread, rel=1e-8)


@pytest.mark.parametrize(("a", "m"), [(0.6, 0.5), (1.0, 1.0)])
def test_mixture_against_importance_sampling_in_the_plane(a, m):
    target = space()
    y = target.sample(400_000, torch.Generator().manual_seed(5))
    x = torch.tensor([0.3, -0.4], dtype=F64)
    w = torch.softmax(-((x - a * y) ** 2).sum(1) / (2 * m * m), 0)
    mean = w @ y
    error = torch.sqrt((w**2) @ (y - mean) ** 2)
    assert bool(((target.predict(x[None], a, m)[0] - mean).abs() < 4 * error).all())
    squares = ((y - mean) ** 2).sum(1)
    spread = w @ squares
    assert float((target.posterior_variance(x[None], a, m)[0] - spread).abs()) < 4 * float(
        torch.sqrt(w**2 @ (squares - spread) ** 2)
    )


@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize(("a", "m"), LEVELS)
def test_atoms_against_brute_force(a, m, conditioned):
    oracle, x = atoms(), normals(5, 3, seed=9)
    condition = condition_for(oracle) if conditioned else None
    for i in range(5):
        weights = [
            (j + 1)
            * math.exp(float(condition[j]) if conditioned else 0.0)
            * math.exp(-float(((x[i] - a * oracle.points[j]) ** 2).sum()) / (2 * m * m))
            for j in range(7)
        ]
        p = torch.tensor(weights, dtype=F64) / sum(weights)
        torch.testing.assert_close(oracle.posterior(x, a, m, condition)[i], p)
        torch.testing.assert_close(oracle.predict(x, a, m, condition)[i], p @ oracle.points)
        torch.testing.assert_close(entropy_of(p[None])[0], -(p * torch.log(p)).sum())


@pytest.mark.parametrize("make", ORACLES)
@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize(("a", "m"), LEVELS)
def test_score_and_posterior_covariance_against_autograd(make, conditioned, a, m):
    """Tweedie: grad log p = (a yhat - x)/m^2, and its derivative: Cov(y|x) v = (m^2/a) (d yhat/dx)^T v."""
    oracle = make()
    condition = condition_for(oracle) if conditioned else None
    x = normals(6, oracle.dimension, seed=4).requires_grad_()
    (score,) = torch.autograd.grad(oracle.log_marginal(x, a, m, condition).sum(), x)
    torch.testing.assert_close((a * oracle.predict(x, a, m, condition) - x) / m**2, score)
    v = normals(6, oracle.dimension, seed=5)
    answer = oracle.answer([Query(x, a, m, (condition, None), lambda _: v)])[0]
    (transported,) = torch.autograd.grad((oracle.predict(x, a, m, condition) * v).sum(), x)
    torch.testing.assert_close(answer.pullback, m**2 / a * transported)


@pytest.mark.parametrize("make", ORACLES)
def test_the_cotangent_sees_all_predictions(make):
    oracle, x = make(), normals(4, 2 if make is space else 3)
    condition = condition_for(oracle)
    query = Query(x, 0.7, 0.6, (condition, None), lambda predicted: predicted[0] - predicted[1])
    answer = oracle.answer([query])[0]
    v = answer.predicted[0] - answer.predicted[1]
    again = oracle.answer([Query(x, 0.7, 0.6, (condition,), lambda _: v)])[0]
    torch.testing.assert_close(answer.pullback, again.pullback)


@pytest.mark.parametrize("make", ORACLES)
def test_conditions_are_answered_one_block_each(make):
    oracle, x = make(), normals(4, 2 if make is space else 3)
    condition = condition_for(oracle)
    answer = oracle.answer([Query(x, 0.7, 0.6, (None, condition))])[0]
    assert answer.predicted.shape == (2, *x.shape)
    assert answer.pullback is None
    torch.testing.assert_close(answer.predicted[0], oracle.predict(x, 0.7, 0.6))
    torch.testing.assert_close(answer.predicted[1], oracle.predict(x, 0.7, 0.6, condition))
    assert not torch.allclose(answer.predicted[0], answer.predicted[1])
    # only ratios of likelihoods matter
    torch.testing.assert_close(oracle.predict(x, 0.7, 0.6, condition + 5), answer.predicted[1])


@pytest.mark.parametrize("make", ORACLES)
def test_without_information_the_mean_is_predicted(make):
    oracle = make()
    x, condition = 100 * normals(3, oracle.dimension), condition_for(oracle)
    for c in (None, condition):
        mean = oracle.mean(c).expand(3, -1)
        torch.testing.assert_close(oracle.predict(x, 0.0, 1.0, c), mean)
        torch.testing.assert_close(oracle.predict(x, 0.0, 0.0, c), mean)
    v = normals(3, oracle.dimension, seed=8)
    covariance = oracle.answer([Query(x, 0.0, 1.0, (None,), lambda _: v)])[0].pullback
    y = oracle.sample(200_000, torch.Generator().manual_seed(1))
    torch.testing.assert_close(covariance, v @ torch.cov(y.T), rtol=0.05, atol=0.02)


def test_without_noise_a_mixture_knows_the_state():
    x = normals(3, 2)
    answer = space().answer([Query(0.5 * x, 0.5, 0.0, (None,), lambda predicted: predicted[0])])[0]
    torch.testing.assert_close(answer.predicted[0], x)
    assert not bool(answer.pullback.any())


@pytest.mark.parametrize("make", ORACLES)
def test_several_queries_in_one_forward_answer_like_one_by_one(make):
    oracle = make()
    d = oracle.dimension
    queries = [
        Query(normals(4, d), 0.7, 0.6, (None, condition_for(oracle)), lambda p: p[0]),
        Query(normals(1, d, seed=1), 0.0, 1.0),
        Query(normals(9, d, seed=2), 1.0, 0.1, (condition_for(oracle),)),
    ]
    for joint, query in zip(oracle.answer(queries), queries, strict=True):
        alone = oracle.answer([query])[0]
        torch.testing.assert_close(joint.predicted, alone.predicted)
        assert (joint.pullback is None) == (query.cotangent is None)
        if query.cotangent is not None:
            torch.testing.assert_close(joint.pullback, alone.pullback)


@pytest.mark.parametrize("make", ORACLES)
@pytest.mark.parametrize("max_rows", [1, 2, 3, 7, 1000])
def test_chunking_does_not_change_answers(make, max_rows):
    oracle = make()
    d = oracle.dimension
    queries = [
        Query(normals(7, d), 0.7, 0.6, (None, condition_for(oracle)), lambda p: p[0] - p[1]),
        Query(normals(5, d, seed=1), 0.9, 0.3),
        Query(normals(1, d, seed=2), 0.0, 1.0),
    ]
    seen = []

    class Counting(type(oracle)):
        def __init__(self):
            self.__dict__.update(oracle.__dict__)

        def answer(self, queries):
            seen.append(sum(len(q.x) * len(q.conditions) for q in queries))
            return super().answer(queries)

    for chunked, whole in zip(answer_in_chunks(Counting(), queries, max_rows), oracle.answer(queries), strict=True):
        torch.testing.assert_close(chunked.predicted, whole.predicted)
        if whole.pullback is not None:
            torch.testing.assert_close(chunked.pullback, whole.pullback)
    assert sum(seen) == 20
    assert max(seen) <= max(max_rows, 2)  # one state under two conditions is not divided


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ORACLES)
@pytest.mark.parametrize("conditioned", [False, True])
def test_moments_are_those_of_the_draws(make, conditioned):
    oracle, n = make(), 100_000
    condition = condition_for(oracle) if conditioned else None
    y = oracle.sample(n, torch.Generator().manual_seed(2), condition)
    assert bool(((y.mean(0) - oracle.mean(condition)).abs() < 4 * y.std(0) / math.sqrt(n)).all())
    squares = ((y - y.mean(0)) ** 2).sum(1)
    assert abs(float(squares.mean()) - oracle.covariance_trace(condition)) < 4 * float(squares.std()) / math.sqrt(n)
    if make is space:
        torch.testing.assert_close(torch.cov(y.T), oracle.covariance(condition), rtol=0.03, atol=0.01)


def test_density_and_marginal_integrate_to_one_and_convolve():
    target = line()
    y = torch.linspace(-12, 12, 4001, dtype=F64)
    h = float(y[1] - y[0])
    prior = target.log_density(y[:, None]).exp()
    assert float(prior.sum()) * h == pytest.approx(1.0, rel=1e-9)
    a, m, x = 0.7, 0.4, torch.tensor([-1.0, 0.2, 2.0], dtype=F64)
    kernel = torch.exp(-((x[:, None] - a * y) ** 2) / (2 * m * m)) / math.sqrt(2 * math.pi * m * m)
    torch.testing.assert_close(target.log_marginal(x[:, None], a, m).exp(), kernel @ prior * h)
    shifted = target.marginal(a, m, torch.tensor([0.5], dtype=F64)).log_density(x[:, None] + 0.5)
    torch.testing.assert_close(shifted, target.log_marginal(x[:, None], a, m))


@pytest.mark.parametrize("make", ORACLES)
def test_gaussian_view_against_importance_weights(make):
    oracle, precision = make(), 1.7
    d = oracle.dimension
    c = torch.linspace(-0.5, 0.8, d, dtype=F64)
    view = oracle.gaussian_view(c, precision)
    y = oracle.sample(200_000, torch.Generator().manual_seed(0))
    w = torch.softmax(-0.5 * precision * ((y - c) ** 2).sum(1), 0)
    mean = w @ y
    error = torch.sqrt(w**2 @ (y - mean) ** 2)
    assert bool(((view.mean() - mean).abs() < 4 * error).all())
    spread = ((y - mean) ** 2).sum(1)
    trace = float(w @ spread)
    assert abs(view.covariance_trace() - trace) < 4 * float(torch.sqrt(w**2 @ (spread - trace) ** 2))
    if make is space:
        z = normals(5, 2)
        ratio = view.log_density(z) - oracle.log_density(z) + 0.5 * precision * ((z - c) ** 2).sum(1)
        torch.testing.assert_close(ratio, ratio[:1].expand(5))


def test_a_condition_is_a_tilted_law():
    target = space()
    tilted = target.tilted(CONDITION)
    x = normals(5, 2)
    torch.testing.assert_close(tilted.predict(x, 0.7, 0.6), target.predict(x, 0.7, 0.6, CONDITION))
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=F64) * CONDITION.exp()
    torch.testing.assert_close(tilted.log_prior.exp(), weights / weights.sum())
    probabilities = target.component_probabilities(x, 1e-9, 1.0, CONDITION)
    torch.testing.assert_close(probabilities, (weights / weights.sum()).expand(5, 3))


def test_nearest_atom():
    oracle = atoms()
    index, distance = oracle.nearest(oracle.points[[4, 2]] + torch.tensor([1e-7, 0.0, 0.0], dtype=F64))
    assert index.tolist() == [4, 2]
    torch.testing.assert_close(distance, torch.full((2,), 1e-7, dtype=F64), rtol=1e-6, atol=0)


def test_neighbours_and_spacing_against_every_distance():
    oracle = atoms(3, 7)
    x = normals(5, 3)
    away = (x[:, None] - oracle.points).norm(dim=2)
    index, distance = oracle.neighbours(x, 4)
    torch.testing.assert_close(distance, away.sort(1).values[:, :4])
    torch.testing.assert_close(away.gather(1, index), distance)
    assert oracle.neighbours(x, 99)[0].shape == (5, 7)
    between = (oracle.points[:, None] - oracle.points).norm(dim=2).sort(1).values
    torch.testing.assert_close(oracle.spacing(), between[:, 1])


def test_two_modes():
    target = two_modes()
    torch.testing.assert_close(target.mean(), torch.tensor([3.0, 0.48], dtype=F64))
    assert target.covariance_trace() == pytest.approx(0.09 * 2 + 4 * 0.7 * 0.3 * 1.44)


# --- extremes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1e-4, 1e-2, 1e2, 1e6])
def test_single_precision_stays_finite_at_extreme_noise(sigma):
    mixture, cloud = space(), atoms(3, 7)
    single = (
        GaussianMixture(mixture.log_prior.exp(), mixture.means, mixture.covariances, torch.float32),
        WeightedAtoms(cloud.points, torch.arange(1.0, 8), torch.float32),
    )
    for oracle, reference in zip(single, (mixture, cloud), strict=True):
        y = reference.sample(50, torch.Generator().manual_seed(0))
        z = y + sigma * normals(50, reference.dimension, seed=6)
        for a in (1.0, 1e-6, 1 / (1 + sigma)):
            query = Query((a * z).float(), a, a * sigma, (None,), lambda p: torch.ones_like(p[0]))
            answer = oracle.answer([query])[0]
            exact = reference.predict(a * z, a, a * sigma)
            assert bool(torch.isfinite(answer.predicted).all() and torch.isfinite(answer.pullback).all())
            torch.testing.assert_close(answer.predicted[0].double(), exact, rtol=0, atol=5e-3)


def test_far_outside_the_data_the_answer_is_finite():
    for oracle in (space(), atoms()):
        x = 1e8 * normals(3, oracle.dimension)
        assert bool(torch.isfinite(oracle.predict(x, 1.0, 1.0)).all())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GaussianMixture([1.0, -1.0], torch.zeros(2, 1), torch.ones(2, 1, 1)), "weights must be 2 positive"),
        (lambda: GaussianMixture([1.0], torch.zeros(1, 2), torch.ones(1, 2, 2)), "covariance 0 is not positive"),
        (lambda: GaussianMixture([1.0], torch.zeros(1, 2), torch.ones(1, 2)), r"shape \(1, 2, 2\) and be finite"),
        (lambda: WeightedAtoms(torch.zeros(0, 2)), r"non-empty \(N, d\) table of finite numbers, not \(0, 2\)"),
        (lambda: WeightedAtoms(torch.full((2, 2), math.nan)), "finite numbers"),
        (lambda: WeightedAtoms(torch.zeros(2, 2), torch.tensor([1.0, 0.0])), "weights must be 2 positive numbers"),
    ],
)
def test_invalid_laws_say_what_is_wrong(call, message):
    with pytest.raises(InvalidValue, match=message):
        call()
