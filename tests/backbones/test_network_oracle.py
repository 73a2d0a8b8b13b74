"""A network's oracle against the exact one that it stands for: inside, above and below its range of noise levels."""

from __future__ import annotations

import pytest
import torch

from gensot_demo.backbones.network_oracle import Denoiser, NetworkOracle, OutOfMemory
from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.conductor import answer_in_chunks
from gensot_demo.transport.oracles import Query

LOW, HIGH = 0.05, 20.0
GENERATOR = torch.Generator().manual_seed(0)
ATOMS = WeightedAtoms(torch.randn(12, 5, generator=GENERATOR, dtype=torch.float64) + 0.7)
LIKELY = torch.randn(12, generator=GENERATOR, dtype=torch.float64)


class ExactDenoiser(Denoiser):
    """The atoms themselves, between two noise levels; as a function of x with a gradient. Conditions: None or "c"."""

    dimension, dtype, device = 5, torch.float64, torch.device("cpu")
    sigma_min, sigma_max = LOW, HIGH

    def __init__(self, room: int = 1000):
        self.room, self.batches = room, []

    def predict(self, x, a, m, conditions):
        if len(x) > self.room:
            raise torch.OutOfMemoryError("no room")
        self.batches.append(len(x))
        torch.testing.assert_close(a**2 + m**2, torch.ones_like(a))
        assert bool((m / a <= HIGH * (1 + 1e-9)).all())
        assert bool((m / a >= LOW * (1 - 1e-9)).all())
        prior = torch.stack([ATOMS.log_prior if c is None else ATOMS.log_prior + LIKELY for c in conditions])
        ratio = a / m
        evidence = ratio[:, None] * (x / m[:, None]) @ ATOMS.points.T
        evidence = evidence - 0.5 * ratio[:, None] ** 2 * (ATOMS.points**2).sum(1)
        return torch.softmax(evidence + prior, 1) @ ATOMS.points


def states(n: int, a: float, m: float, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    y = ATOMS.points[torch.randint(12, (n,), generator=generator)]
    return a * y + m * torch.randn(n, 5, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("sigma", [LOW, 0.4, 3.0, HIGH])
@pytest.mark.parametrize("scale", [1.0, 0.03, 40.0])
def test_inside_the_range_it_is_the_denoiser_whatever_the_scale(sigma, scale):
    x = states(6, scale, scale * sigma)
    answer = NetworkOracle(ExactDenoiser()).answer([Query(x, scale, scale * sigma, (None, "c"))])[0].predicted
    exact = ATOMS.answer([Query(x, scale, scale * sigma, (None, LIKELY))])[0].predicted
    torch.testing.assert_close(answer, exact)


def test_above_the_range_it_errs_by_the_response_to_noise_without_bias():
    covariance = torch.cov(ATOMS.points.T, correction=0)
    for sigma in (40.0, 160.0):
        x = states(4000, 1.0, sigma)
        answer, exact = NetworkOracle(ExactDenoiser(room=5000)).predict(x, 1.0, sigma), ATOMS.predict(x, 1.0, sigma)
        eps = (x - ATOMS.mean()) / sigma
        expected = (1 / HIGH - 1 / sigma) * eps @ covariance
        second_order = 8 / HIGH**2
        assert float((answer - exact - expected).norm(dim=1).mean()) < second_order
        assert float(expected.norm(dim=1).mean()) > 2 * second_order  # so the claim could fail
        assert float((answer - exact).mean(0).norm()) < second_order


def test_below_the_range_it_differs_less_than_the_noise_there():
    x = states(50, 1.0, 0.01)
    answer, exact = NetworkOracle(ExactDenoiser()).predict(x, 1.0, 0.01), ATOMS.predict(x, 1.0, 0.01)
    assert float((answer - exact).abs().max()) < LOW


def test_without_noise_the_state_is_the_answer_and_nothing_is_asked():
    denoiser = ExactDenoiser()
    x = states(3, 2.0, 0.0)
    torch.testing.assert_close(NetworkOracle(denoiser).predict(x, 2.0, 0.0), x / 2)
    assert denoiser.batches == []


@pytest.mark.parametrize("condition", [None, "c"])
def test_without_information_it_answers_the_mean(condition):
    oracle = NetworkOracle(ExactDenoiser())
    answer = oracle.predict(torch.zeros(2, 5, dtype=torch.float64), 0.0, 1.0, condition)
    exact = ATOMS.mean(None if condition is None else LIKELY)
    # 32 antithetic draws at the end of the range: an error of first order cancels, of second is 1/HIGH^2
    assert float((answer[0] - exact).norm()) < 8 / HIGH**2
    assert float((answer[0] - ATOMS.mean(LIKELY if condition is None else None)).norm()) > 0.1


@pytest.mark.parametrize("sigma", [0.2, 1.0, 5.0, 60.0])
def test_its_gradient_is_the_covariance(sigma):
    x = states(7, 0.5, 0.5 * sigma)
    v = torch.randn(7, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = NetworkOracle(ExactDenoiser()).answer([Query(x, 0.5, 0.5 * sigma, ("c",), lambda _: v)])[0].pullback
    exact = ATOMS.answer([Query(x, 0.5, 0.5 * sigma, (LIKELY,), lambda _: v)])[0].pullback
    torch.testing.assert_close(found, exact, atol=1e-9 if sigma <= HIGH else 0.05 * float(exact.abs().max()), rtol=1e-6)


def mixed_queries() -> list[Query]:
    return [
        Query(states(5, 1.0, 0.3), 1.0, 0.3, (None, "c")),
        Query(states(4, 0.2, 0.9, 3), 0.2, 0.9, ("c", None), lambda predicted: predicted[1] - predicted[0]),
        Query(torch.zeros(2, 5, dtype=torch.float64), 0.0, 1.0),
        Query(states(3, 1.0, 0.0, 4), 1.0, 0.0, (None, "c")),
        Query(states(3, 0.01, 1.0, 5), 0.01, 1.0),
    ]


def test_questions_share_one_forward_and_answers_do_not_depend_on_it():
    denoiser = ExactDenoiser()
    oracle = NetworkOracle(denoiser)
    oracle.predict(torch.zeros(1, 5, dtype=torch.float64), 0.0, 1.0)  # the mean is asked once and kept
    denoiser.batches.clear()
    together = oracle.answer(mixed_queries())
    assert denoiser.batches == [5 * 2 + 4 + 3, 4]  # all rows and conditions, then the rows that need a gradient
    for query, answer in zip(mixed_queries(), together, strict=True):
        alone = NetworkOracle(ExactDenoiser()).answer([query])[0]
        torch.testing.assert_close(answer.predicted, alone.predicted)
        if query.cotangent is not None:
            torch.testing.assert_close(answer.pullback, alone.pullback)
    chunked = answer_in_chunks(NetworkOracle(ExactDenoiser()), mixed_queries(), max_rows=2)
    for answer, piece in zip(together, chunked, strict=True):
        torch.testing.assert_close(answer.predicted, piece.predicted)


def test_too_little_memory_halves_the_batch_and_is_remembered():
    denoiser = ExactDenoiser(room=3)
    oracle = NetworkOracle(denoiser)
    x = states(16, 1.0, 0.3)
    torch.testing.assert_close(oracle.predict(x, 1.0, 0.3), ATOMS.predict(x, 1.0, 0.3))
    assert oracle.largest_batch == 2
    denoiser.batches.clear()
    oracle.predict(x, 1.0, 0.3)
    assert denoiser.batches == [2] * 8
    answer = oracle.answer([Query(x, 1.0, 0.3, (None,), lambda predicted: predicted[0])])[0]
    exact = ATOMS.answer([Query(x, 1.0, 0.3, (None,), lambda predicted: predicted[0])])[0]
    torch.testing.assert_close(answer.pullback, exact.pullback)


def test_no_room_for_a_single_state_is_said_in_a_sentence():
    with pytest.raises(OutOfMemory, match="too little memory for a single picture"):
        NetworkOracle(ExactDenoiser(room=0)).predict(states(4, 1.0, 0.3), 1.0, 0.3)
