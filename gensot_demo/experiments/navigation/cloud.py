"""The cloud of a protocol, simulated by the bridge sampler on shared noise, and what arrives against the exact law."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gensot_demo.transport.navigation.clock import Clocked
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.reference_law import reference_law

from ..plane.measures import measure
from ..plane.methods import METHODS
from ..plane.motion import Motion
from ..plane.processes import led
from ..plane.request import TransportRequest
from ..plane.run import Panel, Progress, TransportResult
from ..plane.setup import NOISE_DEPTH, Setup, Source
from .closed_form import SHOWN_TIMES
from .request import ProtocolRequest

_PROGRESS_EVERY = 0.25  # seconds


@dataclass(frozen=True, eq=False)
class Cloud:
    """result: one panel, for the player and the table.  snapshots (5, n, 2): the particles at SHOWN_TIMES.
    destination (n,): the mode that each ends in."""

    request: ProtocolRequest
    result: TransportResult
    snapshots: np.ndarray
    destination: np.ndarray


def simulate(request: ProtocolRequest) -> Iterator[Progress | Cloud]:
    """Yields :class:`Progress`, the cloud that has moved, and last the cloud with its measures.

    Closing the iterator stops it. Raises InvalidRequest, and RuntimeError with the sampler's reason.
    """
    began = said = time.perf_counter()
    target, notes = request.law()
    course = request.course(target.mixture.mean())
    motion = None
    for moment in led(_setup(request, target, course), course.protocol):
        if isinstance(moment, Motion):
            motion = _in_real_time(moment, course)
        elif time.perf_counter() - said > _PROGRESS_EVERY:
            said = time.perf_counter()
            yield Progress("Simulating the cloud", moment, said - began)
    law = reference_law(target)
    panel = Panel("cloud", replace(METHODS["gensot_drawn"], label="The cloud along this guide"), "", motion, law)
    source = Source("the start", None, course.protocol.start)
    shown = TransportRequest(source="point", methods=("gensot_straight",), show=("target", "trails", "guide"))
    seconds = time.perf_counter() - began
    result = TransportResult(shown, target, source, (panel,), tuple(notes), seconds, False)
    cloud = Cloud(request, result, motion.at_times(np.array(SHOWN_TIMES)).numpy(), target.mode_of(motion.end).numpy())
    yield cloud
    panel = replace(panel, measures=measure(motion, law, target, None))
    seconds = time.perf_counter() - began
    yield replace(cloud, result=replace(result, panels=(panel,), seconds=seconds, complete=True))


def _setup(request: ProtocolRequest, target, course: Clocked) -> Setup:
    noise = SharedNoise([request.seed], 2, request.particles, depth=NOISE_DEPTH)
    start = course.protocol.start
    return Setup(
        target=target,
        source=Source("the start", None, start),
        start=start.expand(request.particles, 2),
        draws=torch.empty(0, 2, dtype=torch.float64),
        noise=noise,
        later=noise,
        steps=request.steps,
        stiffness=float(course.protocol.stiffness.mean()),
        temperature=course.protocol.temperature,
        amplitude=request.amplitude,
        guide=course.protocol.guide,
        solver="bridge",
        flow_solver="heun",
    )


def _in_real_time(motion: Motion, course: Clocked) -> Motion:
    """The motion with its records at real times, and its field asked at them."""

    def field(places: Tensor, t: float) -> Tensor:
        s = course.clock(torch.tensor([t], dtype=torch.float64))
        return motion.field(places, float(s)) * course.rate(s)

    times = course.time(torch.from_numpy(motion.t)).numpy()
    return replace(motion, t=times, field=field)
