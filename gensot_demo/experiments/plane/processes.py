"""Motions of processes that ask an oracle step by step, and of the flow between two mixtures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gensot_demo.guidance.base import BoundMethod, GuidanceMethod, Task
from gensot_demo.guidance.classifier_free import ClassifierFreeGuidance
from gensot_demo.guidance.conditional import Conditional
from gensot_demo.guidance.gensot import GenSOT
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, conduct
from gensot_demo.transport.diagnostics import guide_at
from gensot_demo.transport.grids import at_noise_levels, noise_levels, uniform_times
from gensot_demo.transport.guides import drawn_protocol, guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath, Protocol
from gensot_demo.transport.mixture_flow import Coefficients, MixtureFlow
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.oracles import entropy_of
from gensot_demo.transport.paths import CondOTPath, PathPoints, ProbabilityPath
from gensot_demo.transport.reference_law import reference_law
from gensot_demo.transport.steering import Steering

from ..device import TURNSTILE
from .motion import Curve, Field, Motion, Tube, speeds
from .setup import GAUSSIAN, SIGMA_RANGE, Moving, Setup

_TUBE_TIMES = 81
_ENTROPY_TIMES, _ENTROPY_PARTICLES = 25, 400
_PAIRS_AT_ONCE = 2_000_000  # states times pairs of components in one evaluation of a mixture flow
_WIDE = 2.0  # noise of a start that is no standard Gaussian
_FROM_AFAR = f"It starts from noise {SIGMA_RANGE[0]:g} times as wide as the others', mostly outside the frame."
_NOT_FROM_HERE = "It starts from Gaussian noise, whatever the source: noise is what a diffusion undoes."


def diffusion(setup: Setup, path: ProbabilityPath) -> Moving:
    """The time reversal of a noising process."""
    job = Job("sde", SAMPLERS[setup.solver].run, _from_first_level(path, setup.steps), setup.noise, _plain(setup))
    trace = yield from _conducted(setup, job)
    yield _motion(setup, trace, job.steering, path, flow=False, from_noise=True)


def probability_flow(setup: Setup, path: ProbabilityPath) -> Moving:
    """The deterministic flow with the path's marginals, stepped in the noise level."""
    job = Job("flow", SAMPLERS[setup.flow_solver].run, _levels(path, setup.steps), setup.noise, _plain(setup))
    trace = yield from _conducted(setup, job)
    yield _motion(setup, trace, job.steering, path, flow=True, from_noise=True)


def gensot(setup: Setup, shape: str) -> Moving:
    """GenSOT led by a guide of this shape; every particle from its own start, all to the same hard end."""
    yield from led(setup, protocol_of(setup, shape))


def led(setup: Setup, protocol: Protocol) -> Moving:
    """GenSOT along this protocol, whose clock is the motion's time."""
    path = HarmonicPath(protocol)
    job = Job("gensot", SAMPLERS[setup.solver].run, uniform_times(path, setup.steps), setup.later, _plain(setup))
    trace = yield from _conducted(setup, job)
    yield _motion(setup, trace, job.steering, path, flow=False)


def steered(setup: Setup, name: str, stochastic: bool = True) -> Moving:
    """A guidance method on the labelled target: along the harmonic path, or along the straight flow from noise."""
    labels = tuple(setup.target.conditions[condition] for condition, _ in setup.trusts)
    trusts = tuple(trust for _, trust in setup.trusts)
    task = Task(labels, trusts, torch.stack(labels).sum(0) if labels else None, stochastic=stochastic)
    steering = BoundMethod(_guidance(name, setup), task, setup.noise.seeds, setup.stand_in)
    if stochastic:
        still = Protocol(
            torch.tensor([setup.stiffness], dtype=torch.float64), setup.source.place, setup.source.place,
            setup.temperature,
        )  # fmt: skip
        path = HarmonicPath(still)
        job = Job(name, SAMPLERS[setup.solver].run, uniform_times(path, setup.steps), setup.later, steering)
    else:
        path = CondOTPath()
        job = Job(name, SAMPLERS[setup.flow_solver].run, _levels(path, setup.steps), setup.noise, steering)
    trace = yield from _conducted(setup, job)
    yield _motion(setup, trace, steering, path, flow=not stochastic, from_noise=not stochastic)


def _guidance(name: str, setup: Setup) -> GuidanceMethod:
    if name == "gensot":  # as many particles as the panel has; the field's range is for a sample's own particles
        return GenSOT.model_construct(
            particles=len(setup.noise), stiffness=setup.stiffness, temperature=setup.temperature, guide="origin"
        )
    return {"conditional": Conditional, "cfg": ClassifierFreeGuidance}[name]()


def flow_matching(setup: Setup) -> Moving:
    """Along the straight path from noise, or from another mixture by the flow between the two."""
    if setup.source.is_point or setup.source.label == GAUSSIAN:
        return probability_flow(setup, CondOTPath())
    return mixture_flow(setup)


def mixture_flow(setup: Setup) -> Moving:
    """Flow matching from another mixture, by Heun's method in time."""
    flow = MixtureFlow(setup.source.mixture, setup.target.mixture)
    count = min(len(setup.start), max(200, _PAIRS_AT_ONCE // flow.pairs))
    x, h = setup.start[:count], 1 / setup.steps
    states, velocities, entropies = [x], [], []
    for step in range(setup.steps):
        with TURNSTILE():
            velocity, ends = flow.velocity(x, step * h)
            ahead = x + h * velocity
            x = x + 0.5 * h * (velocity + flow.velocity(ahead, (step + 1) * h)[0])
        states.append(x)
        velocities.append(velocity)
        entropies.append(float(entropy_of(setup.target.by_mode(ends)).mean()))
        yield (step + 1) / setup.steps
    t = np.linspace(0, 1, setup.steps + 1)
    speed, kinetic = speeds(t[:-1], velocities)
    notes = () if count == len(setup.start) else (f"{count} particles: {flow.pairs} pairs of components are costly.",)
    yield Motion(
        t, torch.stack(states), speed, kinetic, Curve(t[:-1], np.array(entropies)), 2.0 * setup.steps, True,
        field=lambda places, time: flow.velocity(places, time)[0], notes=notes,
    )  # fmt: skip


def protocol_of(setup: Setup, shape: str) -> Protocol:
    """The protocol of a guide template, or of the drawn curve, from the source's place to the target's mean."""
    if shape == "drawn":
        return drawn_protocol(setup.guide, setup.stiffness, setup.source.place, temperature=setup.temperature)
    return guided_protocol(
        shape,
        setup.stiffness,
        setup.target.mixture.mean(),
        amplitude=setup.amplitude,
        temperature=setup.temperature,
        start=setup.source.place,
    )


def _plain(setup: Setup) -> Steering:
    return Steering(data_variance=setup.stand_in)


def _levels(path: ProbabilityPath, steps: int) -> PathPoints:
    return at_noise_levels(path, noise_levels(steps, *SIGMA_RANGE))


def _conducted(setup: Setup, job: Job) -> Iterator[float]:
    """Run one job to its end, yielding the share done; returns its trace. Raises RuntimeError with its reason."""
    trace: Trace | None = None
    for moment in conduct([job], setup.target.mixture, turn=TURNSTILE, max_rows=max(len(job.noise), 4096) * 4):
        trace = moment.traces[0]
        yield moment.done
    if trace.error is not None:
        raise RuntimeError(trace.error)
    return trace


def _from_first_level(path: ProbabilityPath, steps: int) -> PathPoints:
    """Equal times from the level that all flows start from, so that all meet the same first noise."""
    first = path.times_of_sigma(torch.tensor(SIGMA_RANGE[:1], dtype=torch.float64))
    points = path.at(first + (1 - first) * torch.linspace(0, 1, steps + 1, dtype=torch.float64))
    nominal = torch.cat([torch.tensor([-2 * math.log(SIGMA_RANGE[0])], dtype=torch.float64), points.log_K[1:]])
    return replace(points, log_K=nominal)


def _motion(
    setup: Setup, trace: Trace, steering: Steering, path: ProbabilityPath, flow: bool, from_noise: bool = False
) -> Motion:
    grid, rows = trace.grid, range(trace.rows)
    wide = float(grid.m[0]) > _WIDE
    elsewhere = wide or (from_noise and setup.source.label != GAUSSIAN)
    index, x, predicted = trace.delivered(rows)
    ancestors = trace.lineage(rows)[0] if trace.ancestries else None
    inner = [n for n, i in enumerate(index) if float(grid.m[i]) > 0]
    t = grid.t.numpy()
    if isinstance(path, HarmonicPath) and not setup.source.is_point:
        spread = _spread_flow(setup, path, _tilt(steering))
        start = setup.start if ancestors is None else setup.start[ancestors]
        x = x + _response_to_start(path).at(grid.t[index]).g[:, :, None] * (start - setup.source.place)
        speed, kinetic = _speeds_of(spread, x, t[index], inner)
        field = lambda places, time: spread.velocity(places, time)[0]  # noqa: E731
    else:
        velocities = [grid.velocity(index[n], x[n], predicted[n]) for n in inner]
        speed, kinetic = speeds(t[[index[n] for n in inner]], velocities)
        field = _field(setup.target.mixture, steering, path)
    first = _from_the_very_start(grid, x)
    log_weights = trace.steps[-1].log_weights
    return Motion(
        t=np.concatenate([first[0], t[index]]),
        x=torch.cat([first[1], x]),
        speed=speed,
        kinetic=kinetic,
        entropy=_undecided(setup, trace, _tilt(steering)),
        calls=trace.evaluations / trace.rows,
        flow=flow,
        weights=None if log_weights is None else torch.softmax(log_weights.double(), 0),
        ancestors=ancestors,
        field=field,
        tube=_tube(setup, path, steering) if isinstance(path, HarmonicPath) else None,
        from_source=not elsewhere,
        notes=(_FROM_AFAR,) if wide else (_NOT_FROM_HERE,) if elsewhere else (),
    )


def _spread_flow(setup: Setup, path: HarmonicPath, tilt: Tensor | None) -> MixtureFlow:
    """The flow of the marginals of a harmonic path whose particles start all over the source."""

    unit, place = _response_to_start(path), setup.source.place

    def coefficients(t: float) -> Coefficients:
        point, response = path.at(t).point(0), unit.at(t)
        c, dc = float(response.g[0, 0]), float(response.dg[0, 0])
        return Coefficients(point.a, point.da, c, dc, point.m, point.dm, point.g - c * place, point.dg - dc * place)

    target = setup.target.mixture if tilt is None else setup.target.mixture.tilted(tilt)
    return MixtureFlow(setup.source.mixture, target, coefficients)


def _speeds_of(flow: MixtureFlow, x: Tensor, t: np.ndarray, inner: list[int]) -> tuple[Curve, Curve]:
    """Speeds at some of the records, by as many particles as pairs of components allow."""
    count = min(x.shape[1], max(200, _PAIRS_AT_ONCE // (4 * flow.pairs)))
    chosen = sorted({inner[round(k)] for k in np.linspace(0, len(inner) - 1, _ENTROPY_TIMES)})
    return speeds(t[chosen], [flow.velocity(x[n, :count], float(t[n]))[0] for n in chosen])


def _response_to_start(path: HarmonicPath) -> HarmonicPath:
    """The path whose shift is the response of ``path``'s shift to its start: gamma is linear in x_0, so one path serves
    every start."""
    stiffness, temperature = path.protocol.stiffness, path.protocol.temperature
    return HarmonicPath(Protocol(stiffness, torch.zeros(len(stiffness), 1), torch.ones(1), temperature))


def _from_the_very_start(grid: PathPoints, x: Tensor) -> tuple[np.ndarray, Tensor]:
    """A record at t = 0 for grids that begin later: the state carried back along its noise, x = (m_0/m) x, where m is
    taken as straight."""
    if float(grid.t[0]) < 1e-4:
        return np.empty(0), x[:0]
    first_noise = float(grid.m[0] - grid.t[0] * grid.dm[0])
    return np.zeros(1), x[:1] * first_noise / float(grid.m[0])


def _field(mixture: GaussianMixture, steering: Steering, path: ProbabilityPath) -> Field:
    """The probability-flow velocity of this method at any place. Kept with the motion, so it holds no noise."""

    def field(places: Tensor, time: float) -> Tensor:
        points = path.at(time)
        question = steering.predict(points.point(0), places)
        query = next(question)
        try:
            question.send(mixture.answer([query])[0])
        except StopIteration as finished:
            return points.velocity(0, places, finished.value.state)
        raise RuntimeError("a method that asks twice has no field of one question")

    return field


def _tilt(steering: Steering) -> Tensor | None:
    """The log-likelihood of the components that a guided method asks for, sum_m k_m log p(c_m|component), or None."""
    if not isinstance(steering, BoundMethod):
        return None
    if isinstance(steering.method, Conditional):
        return steering.task.joint
    weighed = [k * label for k, label in zip(steering.task.trusts, steering.task.conditions, strict=True)]
    return torch.stack(weighed).sum(0) if weighed else None


def _undecided(setup: Setup, trace: Trace, tilt: Tensor | None) -> Curve:
    """Mean entropy of the mode that a particle will end in, given where it is now."""
    t, values = [], []
    stride = max(1, len(trace.steps) // _ENTROPY_TIMES)
    for step in trace.steps[:-1:stride]:
        point = trace.grid.point(step.index)
        x = step.x[:_ENTROPY_PARTICLES] - point.g
        ends = setup.target.mixture.component_probabilities(x, point.a, point.m, tilt)
        t.append(point.t)
        values.append(float(entropy_of(setup.target.by_mode(ends)).mean()))
    return Curve(np.array([*t, 1.0]), np.array([*values, 0.0]))


def _tube(setup: Setup, path: HarmonicPath, steering: Steering) -> Tube:
    """Guide, mean and spread of the path; for a guided method the mean is that of the law it asks for."""
    t = torch.linspace(0, 1, _TUBE_TIMES, dtype=torch.float64)
    points = path.at(t)
    mean = points.a[:, None] * _aim(setup, steering) + points.g
    return Tube(guide_at(path.protocol, t).numpy(), mean.numpy(), points.m.numpy())


def _aim(setup: Setup, steering: Steering) -> Tensor:
    """E[y] of the law that a method asks for, (2,)."""
    if not isinstance(steering, BoundMethod):
        return setup.target.mixture.mean()
    asked = setup.trusts
    if isinstance(steering.method, Conditional):
        asked = tuple((name, 1.0) for name, _ in asked)
    return reference_law(setup.target, asked).mean
