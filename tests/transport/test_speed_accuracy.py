"""The speed-accuracy relation: reference values, exact forms against independent ones, and no violation anywhere."""

import math
from functools import cache
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.one_dimension import (
    displacement,
    line_mixture,
    normal_quantiles,
    normal_scores,
    velocity,
)
from gensot_demo.transport.paths import CondOTPath, CosinePath, VPLinearPath
from gensot_demo.transport.perturbed_start import (
    DrawnStart,
    GaussianStart,
    UniformStart,
)
from gensot_demo.transport.speed_accuracy import (
    normalised_weights,
    relation_of_particles,
    sliced_distance,
    weighted_distance,
)
from gensot_demo.transport.speed_accuracy_line import relation_on_line

PATHS = {"cosine": CosinePath, "condot": CondOTPath, "vp": VPLinearPath}
REFERENCE = line_mixture([0.5, 0.5], [-0.6, 0.6], [0.3, 0.3])


SKEW = line_mixture([0.3, 0.7], [-1.4, 0.6], [0.2, 0.1])


@cache
def flow(name, law=REFERENCE, rows=201):
    """(t, scores, quantiles, velocities) of a schedule, or of optimal transport from N(0, 1)."""
    scores = normal_scores(801)
    t = torch.linspace(1e-6, 1 - 1e-6, rows, dtype=torch.float64)
    if name == "ot":
        first, last = scores[0], normal_quantiles(law, (1.0, 0.0, 0.0), scores[0])[0]
        return t, scores, displacement(first, last, t), (last - first).expand(rows, -1)
    points = PATHS[name]().at(t)
    x = normal_quantiles(law, points, scores[0])
    return t, scores, x, velocity(law, points, x)


STARTS = {
    "shift": GaussianStart([1.0], [1.0]),
    "narrow": GaussianStart([0.0], [0.6]),
    "wide": GaussianStart([0.0], [1.3]),
    "modes": GaussianStart([-1.2, 0.9], [0.5, 0.7], [0.3, 0.7]),
    "uniform": UniformStart(1.7),
    "drawn": DrawnStart([[-2, 0.2], [0, 1.5], [0.5, 0.1], [2, 3]]),
}


@pytest.mark.parametrize(
    ("name", "c2", "eta", "tightness", "c1"),
    [
        ("cosine", 0.1997, 0.0872, 0.437, 0.1057),
        ("condot", 0.4383, 0.0872, 0.199, 0.2234),
        ("ot", 0.1440, 0.0872, 0.606, 0.0872),
        ("vp", 0.3500, 0.0872, None, None),
    ],
)
def test_the_reference_case_to_three_digits(name, c2, eta, tightness, c1):
    found = relation_on_line(*flow(name), STARTS["shift"])
    assert found.c2 == pytest.approx(c2, abs=6e-5)
    # VP starts at a_0 = .0066, from N(0, 1 - 2e-5): its eta differs in the fifth digit
    assert found.eta == pytest.approx(eta, abs=6e-5)
    if tightness is not None:
        assert found.tightness == pytest.approx(tightness, abs=6e-4)
        assert found.c1 == pytest.approx(c1, abs=6e-5)


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_wrong_start_is_a_law_with_its_chi_square(start):
    x = torch.linspace(-14, 14, 200_001, dtype=torch.float64)
    assert float(torch.trapezoid(start.density(x), x)) == pytest.approx(1, abs=1e-4)
    normal = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    assert start.chi_square() == pytest.approx(float(torch.trapezoid((start.ratio(x) - 1) ** 2 * normal, x)), rel=2e-4)
    table = torch.cumulative_trapezoid(start.density(x), x)
    assert float((start.cumulative(x[1:]) - table).abs().max()) < 1e-4


def test_chi_squares_in_closed_form():
    for length in (1e-9, 1e-4, 0.7, 3.0):
        assert GaussianStart([length], [1.0]).chi_square() == pytest.approx(math.expm1(length**2), rel=1e-12)
    for s in (0.3, 0.9, 1.2):
        assert GaussianStart([0.0], [s]).chi_square() == pytest.approx(1 / (s * math.sqrt(2 - s * s)) - 1, rel=1e-12)
    for nearly in (1 - 2.0**-20, 1 + 2.0**-30):  # 2 (1 - s)^2 to first order, itself below the rounding of 1
        assert GaussianStart([0.0], [nearly]).chi_square() == pytest.approx(2 * (1 - nearly) ** 2, rel=1e-5)
    # linear in x between distant knots: the ratio 1 + slope x has the variance of slope x, cut at the knots
    assert DrawnStart([[-6, 1 - 6e-8], [6, 1 + 6e-8]]).chi_square() == pytest.approx(1e-16, rel=1e-6)
    spike = DrawnStart([[-0.01, 0], [0, 20], [0.01, 0]])  # a triangle: (2/3) h / (h^2 phi(0)) - 1
    assert spike.chi_square() == pytest.approx(2 / 3 / 0.01 * math.sqrt(2 * math.pi) - 1, rel=1e-4)


TINY = {
    "shift": lambda size: GaussianStart([size], [1.0]),
    "spread": lambda size: GaussianStart([0.0], [1 + size]),
    "modes": lambda size: GaussianStart([0.0, 0.8], [1.0, 1.1], [1 - size, size]),
    "drawn": lambda size: DrawnStart([[-2, 1 - size], [0.3, 1.0], [1, 1 + 2 * size]]),
}


@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("name", ["cosine", "condot", "vp", "ot"])
def test_a_tiny_error_obeys_the_relation_and_responds_linearly(name, kind):
    """The response has a limit as the error goes to 0: were anything else in W1, it would be divided by that."""
    found = [relation_on_line(*flow(name), TINY[kind](size)) for size in (1e-4, 1e-6, 1e-8)]
    for one in found:
        assert one.worst <= 1 + 1e-6
        assert 0 < one.eta <= one.c1 * (1 + 1e-4) <= one.c2 * (1 + 2e-4)
    assert [one.eta for one in found[:2]] == pytest.approx([found[2].eta] * 2, rel=1e-3)
    if kind == "shift":  # gap = size phi(z), D0 = size^2
        (z, _), quantiles = flow(name)[1:3]
        density = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        first, last = (torch.trapezoid(density * torch.gradient(quantiles[n], spacing=(z,))[0], z) for n in (0, -1))
        assert found[1].eta == pytest.approx(float(last - first) ** 2, rel=2e-3)


@pytest.mark.parametrize("start", [GaussianStart([0.0], [1.5]), GaussianStart([-1, 1], [0.5, 1.5], [1, 1])])
def test_without_overlap_of_the_tails_the_relation_says_nothing(start):
    assert start.chi_square() == math.inf
    found = relation_on_line(*flow("cosine", rows=21), start)
    assert (found.eta, found.c1, found.tightness) == (0, 0, 0)
    assert float(found.distance[0]) > 0.3  # the error itself is finite


def test_nothing_wrong_is_no_number():
    found = relation_on_line(*flow("cosine", rows=21), GaussianStart([0.0], [1.0]))
    assert (found.start_error, found.eta, found.tightness, found.c1) == (0, None, None, 0)
    assert float(found.distance.abs().max()) < 1e-12
    x = torch.randn(3, 20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = relation_of_particles(x, torch.ones(20), torch.arange(3.0))
    assert (found.eta, found.worst) == (None, 0)
    assert found.dissipation > 0


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("name", ["cosine", "condot", "vp", "ot"])
def test_bounds_stand_in_order_for_every_start_and_schedule(name, start):
    found = relation_on_line(*flow(name, SKEW), start)
    first, last = (flow("ot", SKEW)[2][n] for n in (0, -1))
    floor = float((last - first).square() @ normal_scores(801)[1])  # W2^2, in unit time
    assert 0 <= found.eta <= found.c1 * (1 + 1e-4) <= found.c2 * (1 + 2e-4)
    assert found.worst <= 1 + 1e-6
    # VP starts from a law that is not quite N(0, 1)
    assert found.c2 >= floor * (1 - (5e-3 if name == "vp" else 1e-4))


def test_quantiles_and_particles_agree():
    """Two independent forms: weighted atoms in one dimension against Stieltjes integrals."""
    start = STARTS["modes"]
    t, scores, x, v = flow("cosine", rows=41)
    exact = relation_on_line(t, scores, x, v, start)
    u = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    particles = normal_quantiles(REFERENCE, CosinePath().at(t), torch.special.ndtri(u))
    found = relation_of_particles(particles[:, :, None], start.ratio(particles[0]), t)
    # 4000 stratified atoms: the W1 of each is off by about a cell, the mass of the last cell decides D0
    assert found.start_error == pytest.approx(exact.start_error, rel=0.02)
    assert torch.allclose(found.distance, exact.distance, atol=2e-3)
    assert found.c2 == pytest.approx(exact.c2, rel=0.02)


def test_the_exact_coupling_is_the_sorted_one_in_one_dimension_and_a_shift_in_two():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(60, 1, generator=generator, dtype=torch.float64)
    w = normalised_weights(torch.rand(60, generator=generator, dtype=torch.float64))
    line = weighted_distance(x, w)
    assert weighted_distance(torch.cat([x, 0 * x], 1), w) == pytest.approx(line, rel=1e-9)
    # all weight from one pair to another one, a known distance away
    pair = torch.tensor([[0.0, 0.0], [3.0, 4.0]], dtype=torch.float64)
    assert weighted_distance(pair, torch.tensor([2.0, 0.0])) == pytest.approx(2.5)
    assert sliced_distance(pair, torch.tensor([2.0, 0.0]), torch.eye(2)) == pytest.approx((1.5 + 2) / 2)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    particles=st.integers(2, 24),
    dimension=st.integers(1, 4),
    rows=st.integers(2, 6),
    size=st.sampled_from([1e-3, 0.3, 3.0, 100.0]),
    kind=st.sampled_from(["arbitrary", "rotation", "aimed"]),
    sharpness=st.floats(0.01, 6),
)
def test_no_particles_ever_violate_the_relation(seed, particles, dimension, rows, size, kind, sharpness):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(particles, dimension, generator=generator, dtype=torch.float64)
    w = normalised_weights((sharpness * torch.randn(particles, generator=generator, dtype=torch.float64)).exp())
    turn = torch.randn(dimension, dimension, generator=generator, dtype=torch.float64)
    turn = turn - turn.T
    states = [x]
    for _ in range(rows - 1):
        step = {
            "arbitrary": torch.randn(particles, dimension, generator=generator, dtype=torch.float64),
            "rotation": states[-1] @ turn,
            # as unkind as can be: what has too much runs from what has too little
            "aimed": (w - 1)[:, None] * torch.randn(1, dimension, generator=generator, dtype=torch.float64),
        }[kind]
        states.append(states[-1] + size * step)
    t = torch.linspace(0, 1, rows, dtype=torch.float64)
    found = relation_of_particles(torch.stack(states), w, t)
    assert found.worst <= 1 + 1e-9
    if found.eta is not None:
        assert found.eta <= found.c1 * (1 + 1e-9) + 1e-15
        assert found.c1 <= found.c2 * (1 + 1e-9) + 1e-15 <= found.dissipation * (1 + 1e-9) + 2e-15
    # an orthogonal frame of directions: the stronger bound
    frame = torch.linalg.qr(torch.randn(dimension, dimension, generator=generator, dtype=torch.float64)).Q
    for here, there in pairwise(states):
        change = sliced_distance(there, w, frame) - sliced_distance(here, w, frame)
        bound = (w - 1).square().mean() * (there - here).square().sum(1).mean() / dimension
        assert change**2 <= float(bound) * (1 + 1e-9) + 1e-20


def test_the_bound_is_reached_and_smaller_ones_are_not_bounds():
    """Power: two particles on a line reach it, so any smaller D0, or another schedule's c2, would be violated."""
    w = torch.tensor([1.5, 0.5])
    x = torch.tensor([[[-1.0], [1.0]], [[-2.0], [2.0]]], dtype=torch.float64)
    found = relation_of_particles(x, w, torch.tensor([0.0, 1.0]))
    assert (found.worst, found.eta) == pytest.approx((1, found.c2))
    assert 0.9 * found.dissipation < found.eta
    cheap = relation_on_line(*flow("ot"), STARTS["shift"])
    dear = relation_on_line(*flow("condot"), STARTS["shift"])
    assert dear.c1 > cheap.c2  # the c2 of optimal transport does not bound what another schedule does on its way


@pytest.mark.parametrize(
    "knots", [[], [[0, 1]], [[-1, 0], [1, 0]], [[0, math.nan], [1, 1]], [[-1, -3], [1, -2]], [[0, 1], [0, 2]]]
)
def test_an_empty_drawing_says_so(knots):
    with pytest.raises(InvalidValue, match="drawn start"):
        DrawnStart(knots)


def test_bad_values_name_themselves():
    with pytest.raises(InvalidValue, match="width of the start is nan"):
        GaussianStart([0.0], [math.nan])
    with pytest.raises(InvalidValue, match="does not meet a single particle"):
        normalised_weights(torch.zeros(4))
    with pytest.raises(InvalidValue, match="at most 600 particles"):
        weighted_distance(torch.zeros(601, 2), torch.ones(601))
    with pytest.raises(InvalidValue, match="trajectories must be"):
        relation_of_particles(torch.zeros(3, 4, 2), torch.ones(5), torch.zeros(3))
