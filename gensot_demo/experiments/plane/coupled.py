"""Motions of couplings that are solved once: exact optimal transport and the Schroedinger bridge."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gensot_demo.transport.couplings import MOST_COUPLED, SchroedingerBridge, optimal_assignment
from gensot_demo.transport.oracles import entropy_of

from ..device import TURNSTILE
from .motion import SHOWN_TIMES, Curve, Motion, speeds
from .setup import Moving, Setup
from .streams import uniform

_BRIDGE_TIMES = np.concatenate([[0.0, SHOWN_TIMES[0]], np.arange(2, 59) / 60, [SHOWN_TIMES[1], 1.0]])
_SPEEDS_AT = (1, *range(5, 58, 4), 59)  # both ends of the shown stretch among them
_SPEED_PARTICLES = 400  # a mean over these has a relative error of about 5 %
_NEIGHBOURS = 12  # particles whose velocities make the field at a place
_FARTHEST_NEIGHBOUR = 0.6  # beyond it nothing is known about the field
_LARGEST_DEFECT = 1e-3


def _notes(setup: Setup, count: int) -> tuple[str, ...]:
    if count == len(setup.start):
        return ()
    return (f"{count} starts are coupled with as many draws of the target: the cost of a coupling grows steeply.",)


def optimal_transport(setup: Setup) -> Moving:
    """McCann's interpolation along the exact assignment: straight lines at constant speed."""
    count = min(len(setup.start), MOST_COUPLED)
    start, draws = setup.start[:count], setup.draws[:count]
    yield 0.0
    with TURNSTILE():
        end = draws[optimal_assignment(start, draws)]
    velocity = end - start
    t = np.array([0.0, 1.0])
    speed, kinetic = speeds(t, [velocity, velocity])
    entropy = Curve(t, np.zeros(2))  # paths do not cross: where a particle is tells where it goes
    yield Motion(
        t, torch.stack([start, end]), speed, kinetic, entropy, 0.0, True,
        field=lambda places, time: _nearby(places, (1 - time) * start + time * end, velocity),
        notes=_notes(setup, count),
    )  # fmt: skip


def schroedinger_bridge(setup: Setup) -> Moving:
    """Exact draws of the bridge: ends from the entropic plan, a Brownian bridge between them on the shared noise."""
    count = min(len(setup.start), MOST_COUPLED)
    start, draws = setup.start[:count], setup.draws[:count]
    yield 0.0
    with TURNSTILE():
        bridge = SchroedingerBridge(start[:1] if setup.source.is_point else start, draws, setup.temperature)
    chance = uniform(count, "partners", setup.noise.seeds[0])
    end = draws if setup.source.is_point else draws[bridge.partners(chance)]
    yield 0.5
    states = [bridge.position(t, start, end, _noise(setup, t, count)) for t in _BRIDGE_TIMES]
    mode = torch.nn.functional.one_hot(setup.target.mode_of(draws), len(setup.target.modes)).double()
    velocities, entropies = [], []
    for at in _SPEEDS_AT:
        with TURNSTILE():
            velocity, ends = bridge.velocity(states[at][:_SPEED_PARTICLES], _BRIDGE_TIMES[at])
        velocities.append(velocity)
        entropies.append(float(entropy_of(ends @ mode).mean()))
        yield 0.5 + 0.5 * at / len(_BRIDGE_TIMES)
    times = _BRIDGE_TIMES[list(_SPEEDS_AT)]
    speed, kinetic = speeds(times, velocities)
    notes = _notes(setup, count)
    if bridge.marginal_error > _LARGEST_DEFECT:
        notes += (f"Sinkhorn has not converged: the end marginal is off by up to {100 * bridge.marginal_error:.1f} %.",)
    yield Motion(
        _BRIDGE_TIMES, torch.stack(states), speed, kinetic, Curve(times, np.array(entropies)), 0.0, False,
        field=lambda places, time: bridge.velocity(places, time)[0], notes=notes,
        choices=1 if setup.source.is_point else 2,
    )  # fmt: skip


def _noise(setup: Setup, t: float, count: int) -> Tensor:
    """The shared noise of a Brownian bridge at time t, whose information clock is K = t / (kappa (1 - t))."""
    if not 0 < t < 1:
        return torch.zeros(count, 2, dtype=torch.float64)
    return setup.later.direction(math.log(t / (setup.temperature * (1 - t))))[:count]


def _nearby(places: Tensor, x: Tensor, velocity: Tensor) -> Tensor:
    """Mean velocity of the nearest particles (n, 2), NaN where none is near."""
    distance, nearest = torch.cdist(places, x).topk(min(_NEIGHBOURS, len(x)), largest=False)
    mean = velocity[nearest].mean(1)
    mean[distance[:, 0] > _FARTHEST_NEIGHBOUR] = torch.nan
    return mean
