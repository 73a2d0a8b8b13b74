"""What is read off a motion, on motions made by hand and on processes whose velocity is known in closed form."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch

from gensot_demo.experiments.plane.measures import measure, mode_shares
from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.motion import SHOWN_TIMES, Curve, Motion, accumulated, integral, speeds
from gensot_demo.experiments.plane.request import TransportRequest
from gensot_demo.experiments.plane.run import setup_of
from gensot_demo.experiments.plane.setup import NOISE_DEPTH
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CosinePath, VPLinearPath
from gensot_demo.transport.reference_law import reference_law
from gensot_demo.transport.targets import named_target

LOW, HIGH = SHOWN_TIMES
STRETCH = HIGH - LOW
T = np.linspace(0, 1, 21)


def normals(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(t: np.ndarray, x: torch.Tensor, velocities: list[torch.Tensor], **more) -> Motion:
    speed, kinetic = speeds(t, velocities)
    return Motion(t, x, speed, kinetic, None, 0.0, True, **more)


def straight(start: torch.Tensor, end: torch.Tensor, **more) -> Motion:
    x = torch.stack([(1 - t) * start + t * end for t in T])
    return made(T, x, [end - start] * len(T), **more)


@cache
def moved(name: str, **changes) -> Motion:
    values = {"particles": 2000, "steps": 80, "seed": 3, "solver": "averaged", **changes}
    request = TransportRequest(**values)
    noise = SharedNoise([request.seed], 2, request.particles, depth=NOISE_DEPTH)
    *_, motion = METHODS[name].move(setup_of(request, noise))
    return motion


# --- price of a way -------------------------------------------------------------------------------------------------


def test_a_straight_line_is_as_long_as_the_distance_and_costs_its_square():
    start, end = torch.zeros(5, 2).double(), torch.tensor([3.0, 4.0]).double().expand(5, 2)
    motion = straight(start, end)
    assert motion.length() == pytest.approx(5 * STRETCH)
    assert motion.action() == pytest.approx(25 * STRETCH)
    assert motion.straightness() == pytest.approx(1)


def test_a_half_circle_is_longer_than_its_chord():
    t = np.linspace(0, 1, 401)
    angle = math.pi * torch.from_numpy(t)
    x = torch.stack([angle.cos(), angle.sin()], 1)[:, None]
    motion = made(t, x, [math.pi * torch.stack([-a.sin(), a.cos()])[None] for a in angle])
    assert motion.length() == pytest.approx(math.pi * STRETCH)
    assert motion.straightness() == pytest.approx(2 * math.sin(math.pi * STRETCH / 2) / (math.pi * STRETCH), rel=1e-4)


def test_haste_costs_action_but_no_length():
    """x = t^2: length is that of the even motion, int 4 t^2 dt exceeds it."""
    t = np.linspace(0, 1, 2001)
    times = torch.from_numpy(t)
    x = (times**2)[:, None, None] * torch.ones(1, 1, 2).double()
    motion = made(t, x, [2 * s * torch.ones(1, 2).double() for s in times])
    assert motion.length() == pytest.approx(math.sqrt(2) * (HIGH**2 - LOW**2))
    assert motion.action() == pytest.approx(2 * 4 / 3 * (HIGH**3 - LOW**3), rel=1e-5)
    assert motion.straightness() == pytest.approx(1)
    running = accumulated(motion.kinetic, np.array([0.0, LOW, 0.5, HIGH, 1.0]))
    np.testing.assert_allclose(running, 8 / 3 * np.array([0, 0, 0.5**3 - LOW**3, *[HIGH**3 - LOW**3] * 2]), rtol=1e-5)
    assert running[-1] == pytest.approx(integral(motion.kinetic))


def test_nobody_who_wanders_is_called_straight():
    assert moved("gensot_s", source="point").straightness() is None
    assert moved("schroedinger_bridge", source="point").straightness() is None


def test_states_between_records_lie_on_the_straight_line_between_them():
    motion = straight(normals(4), normals(4, 1))
    x = motion.at_times(np.array([0.0, 0.031, 1.0]), np.array([2, 0]))
    assert x.shape == (3, 2, 2)
    torch.testing.assert_close(x[1], (0.969 * motion.x[0] + 0.031 * motion.x[-1])[[2, 0]])
    assert torch.equal(x[2], motion.end[[2, 0]])


# --- energies in closed form ----------------------------------------------------------------------------------------

ONE_MODE = {"target": "modes", "modes": ((1.0, 2.0, 0.5, 1.0),)}
FINE = np.linspace(LOW, HIGH, 4001)


def gaussian_action(path, start: float = 0.0) -> float:
    """int |m'|^2 + 2 s'^2 dt of x_t ~ N(m, s^2 I) for y ~ N((1, 2), I/4) along a path, by differences of m and s."""

    def moments(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = path.at(torch.from_numpy(t))
        mean = points.a[:, None].numpy() * np.array([1.0, 2.0]) + points.g.numpy()
        return mean, np.sqrt(0.25 * points.a.numpy() ** 2 + points.m.numpy() ** 2)

    h = 1e-5
    (mean1, spread1), (mean0, spread0) = moments(FINE + h), moments(FINE - h)
    rate = (((mean1 - mean0) ** 2).sum(1) + 2 * (spread1 - spread0) ** 2) / (2 * h) ** 2
    return float(np.trapezoid(rate, FINE))


@pytest.mark.parametrize(("name", "path"), [("flow_vp", VPLinearPath()), ("flow_cosine", CosinePath())])
def test_energy_of_a_flow_from_noise_to_a_gaussian(name, path):
    """At 2000 particles a mean square of about 8 is known to 2 |v| 2/sqrt(2000), some 3 %."""
    assert moved(name, source="gaussian", **ONE_MODE).action() == pytest.approx(gaussian_action(path), rel=0.03)


@pytest.mark.parametrize("stiffness", [0.0, 20.0])
def test_energy_of_a_harmonic_path_from_a_point_to_a_gaussian(stiffness):
    """The steered methods, without trust, go along a guide that rests at the source."""
    motion = moved("conditional", trust=0.0, source="point", stiffness=stiffness, **ONE_MODE)
    path = HarmonicPath(constant_protocol(stiffness, torch.zeros(2)))
    assert motion.action() == pytest.approx(gaussian_action(path), rel=0.03)
    other = HarmonicPath(constant_protocol(60.0, torch.zeros(2)))
    assert abs(gaussian_action(other) / motion.action() - 1) > 0.1  # the stiffness is there to be seen


def test_a_bridge_from_a_point_costs_what_the_free_harmonic_path_costs():
    """But for its target, which is a cloud of 1000 draws that pulls particles in at the end: some per cent more."""
    bridge = moved("schroedinger_bridge", source="point", target="two_modes").action()
    free = moved("gensot_straight", source="point", stiffness=0.0, target="two_modes").action()
    assert 0.98 < bridge / free < 1.08
    assert bridge / moved("gensot_s", source="point", target="two_modes").action() < 0.9


def test_energies_from_a_gaussian_are_in_the_order_that_theory_has():
    actions = [
        moved(name, source="gaussian", target="ring").action()
        for name in ("optimal_transport", "flow_matching", "flow_vp", "flow_ve")
    ]
    assert actions == sorted(actions)
    motion = moved("optimal_transport", source="gaussian", target="ring")
    assert actions[0] == pytest.approx(STRETCH * float((motion.end - motion.x[0]).square().sum(1).mean()))


@pytest.mark.parametrize("name", ["flow_vp", "flow_cosine", "flow_ve", "flow_matching"])
def test_along_a_flow_the_destination_only_becomes_clearer(name):
    """E[H(end | x_t)] along a deterministic flow that carries x_t falls to 0; from ln 8 on a ring of eight."""
    entropy = moved(name, source="gaussian", target="ring").entropy
    assert entropy.values[0] == pytest.approx(math.log(8), rel=0.01)
    assert (np.diff(entropy.values) < 0.02).all()
    assert entropy.values[-1] < 1e-3


# --- shares and errors ----------------------------------------------------------------------------------------------


def test_without_weights_the_error_is_binomial():
    target = named_target("two_modes")
    end = target.mixture.sample(500, torch.Generator().manual_seed(0))
    shares, errors = mode_shares(straight(torch.zeros_like(end), end), target)
    assert shares[0] == pytest.approx(float((end[:, 1] > 0).double().mean()))
    np.testing.assert_allclose(errors, math.sqrt(shares[0] * shares[1] / 500))


def test_equal_weights_of_independent_particles_change_nothing():
    target = named_target("two_modes")
    end = target.mixture.sample(500, torch.Generator().manual_seed(0))
    weights = torch.full((500,), 1 / 500, dtype=torch.float64)
    plain, weighted = (mode_shares(straight(torch.zeros_like(end), end, weights=w), target) for w in (None, weights))
    np.testing.assert_allclose(weighted, plain)


def test_copies_of_one_ancestor_count_once():
    """500 particles that are five copies each of 100 have the error of 100, sqrt 5 times the binomial one."""
    target = named_target("two_modes")
    family = target.mixture.sample(100, torch.Generator().manual_seed(1))
    end, ancestors = family.repeat_interleave(5, 0), torch.arange(100).repeat_interleave(5)
    weights = torch.full((500,), 1 / 500, dtype=torch.float64)
    shares, errors = mode_shares(straight(torch.zeros_like(end), end, weights=weights, ancestors=ancestors), target)
    np.testing.assert_allclose(errors, math.sqrt(shares[0] * shares[1] / 100))


def test_weights_move_the_shares_and_are_felt_in_the_effective_size():
    target, law = named_target("two_modes"), reference_law(named_target("two_modes"))
    end = torch.tensor([[3.0, 1.2]] * 3 + [[3.0, -1.2]] * 297).double() + 0.1 * normals(300)
    weights = torch.tensor([0.7 / 3] * 3 + [0.3 / 297] * 297).double()
    motion = straight(torch.zeros_like(end), end, weights=weights)
    measures = measure(motion, law, target, None)
    np.testing.assert_allclose(measures.shares, [0.7, 0.3])
    assert measures.ess == pytest.approx(1 / (3 * (0.7 / 3) ** 2 + 297 * (0.3 / 297) ** 2) / 300)
    assert measures.errors[0] == pytest.approx(math.sqrt(3 * (0.7 / 3 * 0.3) ** 2 + 297 * (0.3 / 297 * 0.7) ** 2))
    assert measures.errors[0] > 4 * math.sqrt(0.21 / 300)
    picked = motion.particles_alike(100)
    assert abs(int((picked < 3).sum()) - 70) <= 1  # systematic draws keep the weights


def test_the_distance_of_a_motion_tells_a_right_law_from_a_wrong_one():
    target, law = named_target("three_modes"), reference_law(named_target("three_modes"))
    generator = torch.Generator().manual_seed(5)
    for kind, off in ((law, False), (law.with_less_of_the_largest_mode(), True)):
        end = kind.sample(1800, generator)
        measures = measure(straight(torch.zeros_like(end), end), law, target, None)
        assert measures.telling
        assert measures.off == off


def test_how_far_the_ends_moved_from_those_of_the_first_panel():
    target, law = named_target("two_modes"), reference_law(named_target("two_modes"))
    end = target.mixture.sample(100, torch.Generator().manual_seed(0))
    first = straight(torch.zeros_like(end), end)
    moved_by = straight(torch.zeros_like(end), end + torch.tensor([0.3, 0.4]).double())
    assert measure(moved_by, law, target, first).moved == pytest.approx(0.5)
    assert measure(first, law, target, first).moved is None
    fewer = straight(torch.zeros(60, 2).double(), end[:60])
    assert measure(fewer, law, target, first).moved is None
    assert isinstance(first.kinetic, Curve)
