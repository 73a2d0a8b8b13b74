"""Attention as a velocity, against another implementation, symmetries, and what theory says of its energy."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch.nn.functional import scaled_dot_product_attention

from gensot_demo.transport.lagrangian.attention import Attention, followed, rises
from gensot_demo.transport.lagrangian.gathering import cluster_count, clusters


def matrices(seed: int, *shapes: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes]


def on_sphere(seed: int, *shape: int) -> torch.Tensor:
    (x,) = matrices(seed, shape)
    return x / x.norm(dim=-1, keepdim=True)


def turn(seed: int, d: int) -> torch.Tensor:
    return torch.linalg.qr(matrices(seed, (d, d))[0])[0]


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("d", [2, 3])
def test_velocity_is_what_torchs_attention_gives(d, normalised):
    q, k, v = matrices(d, (d, d), (d, d), (d, d))
    x, beta = on_sphere(1, 4, 30, d), 3.0
    want = scaled_dot_product_attention(x @ q.T, x @ k.T, x @ v.T, scale=beta)
    if normalised:
        want = torch.einsum("...ij,...j->...i", torch.eye(d) - x[..., :, None] * x[..., None, :], want)
    got = Attention(q.T @ k, v, beta, normalised).velocity(x)
    assert torch.allclose(got, want, atol=1e-12)
    if normalised:
        assert (got * x).sum(-1).abs().max() < 1e-12


def test_without_beta_every_token_hears_the_average():
    x, (v,) = on_sphere(2, 9, 2), matrices(3, (2, 2))
    got = Attention(torch.eye(2, dtype=torch.float64), v, 0.0).velocity(x)
    assert torch.allclose(got, (v @ x.mean(0)).expand(9, 2))


@pytest.mark.parametrize("normalised", [False, True])
def test_no_weight_is_so_small_that_it_takes_a_processor_long(normalised):
    x, eye = on_sphere(12, 40, 2), torch.eye(2, dtype=torch.float64)
    attention = Attention(eye, eye, 100.0, normalised)
    weights, want = attention.weights(x), torch.softmax(100 * x @ x.T, -1)
    assert want.min() < 1e-60
    assert weights.min() > 1e-37  # single precision is normal from 1.2e-38 on
    assert torch.allclose(weights, want, rtol=0, atol=1e-30)


def test_a_turned_start_gives_a_turned_run():
    """For Q'K and V that commute with turns; and the order of the tokens does not matter."""
    x, about, order = on_sphere(4, 20, 3), turn(5, 3), torch.randperm(20, generator=torch.Generator().manual_seed(6))
    eye, times = torch.eye(3, dtype=torch.float64), torch.linspace(0, 3, 13, dtype=torch.float64)
    attention = Attention(eye, -0.5 * eye, 4.0, normalised=True)
    plain = followed(x, attention, times, 3)[0]
    assert torch.allclose(followed(x @ about.T, attention, times, 3)[0], plain @ about.T, atol=1e-10)
    assert torch.allclose(followed(x[order], attention, times, 3)[0], plain[:, order], atol=1e-10)


def test_two_tokens_meet_as_their_closed_form_says():
    """On the circle at beta = 0, half the angle a obeys a' = -sin(2a)/2, so tan a(t) = tan a(0) e^{-t}."""
    half, t = 1.1, 2.0
    x = torch.tensor([[math.cos(half), math.sin(half)], [math.cos(half), -math.sin(half)]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    errors = []
    for steps in (20, 40):
        times = torch.linspace(0, t, 2, dtype=torch.float64)
        end = followed(x, Attention(eye, eye, 0.0, True), times, steps)[0][-1]
        errors.append(abs(float(end[0, 1] / end[0, 0]) - math.tan(half) * math.exp(-t)))
    assert errors[1] < 2e-4
    assert 3 < errors[0] / errors[1] < 5  # second order


@settings(max_examples=25, deadline=None)
@given(
    some.integers(0, 10**6), some.sampled_from([2, 3]), some.floats(0, 100), some.floats(-2, 2), some.integers(1, 40)
)
def test_on_the_sphere_length_stays_and_all_is_finite(seed, d, beta, scale, n):
    q, v = matrices(seed, (d, d), (d, d))
    attention = Attention(q, scale * v, beta, normalised=True)
    positions, velocities = followed(on_sphere(seed, n, d), attention, torch.linspace(0, 10, 11), 4)
    assert torch.isfinite(positions).all()
    assert torch.isfinite(velocities).all()
    assert positions.shape == velocities.shape == (11, n, d)
    assert (positions.norm(dim=-1) - 1).abs().max() < 1e-12


@settings(max_examples=25, deadline=None)
@given(
    some.integers(0, 10**6), some.sampled_from([2, 3]), some.floats(0, 20), some.sampled_from([-1.0, -0.3, 0.5, 1.0])
)
def test_the_energy_rises_or_falls_where_values_are_a_multiple_of_a_symmetric_looks(seed, d, beta, share):
    (root,) = matrices(seed, (d, d))
    looks = (root + root.T) / 4
    attention = Attention(looks, share * looks, beta, normalised=True)
    assert rises(attention) == math.copysign(1, share)
    positions, _ = followed(on_sphere(seed + 1, 16, d), attention, torch.linspace(0, 4, 41, dtype=torch.float64), 4)
    energy = attention.soft_score(positions)
    assert (math.copysign(1, share) * energy.diff()).min() > -1e-9


def test_the_soft_score_is_the_energy_on_another_scale():
    x, (looks,) = on_sphere(7, 12, 3), matrices(8, (3, 3))
    attention = Attention(looks, looks, 2.5)
    pairs = [math.exp(2.5 * float(a @ looks @ b)) for a in x for b in x]
    assert float(attention.soft_score(x)) == pytest.approx(math.log(sum(pairs) / len(pairs)) / 2.5, abs=1e-12)
    close = Attention(looks, looks, 1e-6).soft_score(x)
    assert float(Attention(looks, looks, 0.0).soft_score(x)) == pytest.approx(float(close), abs=1e-4)


def test_no_energy_is_known_for_other_heads():
    eye, (other,) = torch.eye(2, dtype=torch.float64), matrices(9, (2, 2))
    for looks, values in ((eye, other), (other, other)):
        assert rises(Attention(looks, values)) is None
    for looks, values in ((0 * eye, eye), (eye, 0 * eye), (other, 0 * eye)):  # and here it cannot change
        assert rises(Attention(looks, values)) == 0


def test_a_run_in_the_plane_ends_once_a_token_is_too_far():
    (x,) = matrices(10, (10, 2))
    eye = torch.eye(2, dtype=torch.float64)
    positions, _ = followed(x, Attention(eye, eye), torch.linspace(0, 20, 201, dtype=torch.float64), 1, largest=50)
    sizes = positions.norm(dim=-1).amax(-1)
    assert len(positions) < 201
    assert sizes[-2] <= 50 < sizes[-1]


def test_clusters_are_counted_greedily():
    angle = torch.tensor([0.0, 0.03, 0.06, 2.0, 2.01], dtype=torch.float64)  # a cosine of 0.999 is an angle of 0.0447
    x = torch.stack([angle.cos(), angle.sin()], -1)
    assert clusters(x, normalised=True).tolist() == [0, 0, 1, 2, 2]  # no chain from the first to the third
    assert cluster_count(torch.stack([x, x[:1].expand(5, 2)]), True).tolist() == [3, 1]
    across = torch.tensor([0.0, 0.08, 0.16, 1.9, 1.99], dtype=torch.float64)  # root mean square 0.93, a tenth 0.093
    plane = torch.stack([across, 0 * across], -1)
    assert clusters(plane, normalised=False).tolist() == [0, 0, 1, 2, 2]
    assert clusters(7 * plane + 3, normalised=False).tolist() == [0, 0, 1, 2, 2]
