"""Every page's link: how it is read and written again, its fields, and links that a page itself has made.

A new page with a link joins the table; test_hostile_links.py says so when one is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gensot_demo.experiments import links as compare
from gensot_demo.experiments.energy import (
    optimal_links,
    robustness_links,
    schedules_request,
    training_links,
)
from gensot_demo.experiments.energy.optimal_request import OptimalRequest
from gensot_demo.experiments.energy.robustness import RobustnessRequest
from gensot_demo.experiments.energy.training_task import TrainingRequest
from gensot_demo.experiments.grid import request as grid
from gensot_demo.experiments.lagrangian import (
    controlled,
    diffusion,
    gradient_flows,
    interpolation,
    neurons,
    tokens,
    tokens_request,
)
from gensot_demo.experiments.lagrangian import links as lagrangian
from gensot_demo.experiments.navigation import learning_links, tuned_links
from gensot_demo.experiments.navigation import links as navigation
from gensot_demo.experiments.navigation.adaptive import AdaptiveRequest
from gensot_demo.experiments.navigation.directions import DirectionsRequest
from gensot_demo.experiments.navigation.experts import ExpertsRequest
from gensot_demo.experiments.navigation.request import ProtocolRequest
from gensot_demo.experiments.navigation.teacher import TeacherRequest
from gensot_demo.experiments.plane import links as transport
from gensot_demo.experiments.plane.request import TransportRequest
from gensot_demo.experiments.requests import CompareRequest
from gensot_demo.experiments.sequences import links as sequences
from gensot_demo.experiments.sequences.request import SequenceRequest
from gensot_demo.experiments.static_ot import (
    cells_links,
    gaussians,
    heights_links,
    later_start_links,
    pairing_request,
)
from gensot_demo.experiments.static_ot.cells_request import CellsRequest
from gensot_demo.experiments.static_ot.heights_request import PlaneRequest
from gensot_demo.experiments.static_ot.later_start_request import LaterStartRequest
from gensot_demo.pages import failures, scoreboard

Read = Callable[[str], tuple[Any, list[str]]]


@dataclass(frozen=True)
class PageLink:
    """read: (request, notes) of a query string.  write: a request's query string.  fields: the names it may hold.
    links: some that the page itself makes, or shows in its help."""

    read: Read
    write: Callable[[Any], str]
    fields: tuple[str, ...]
    links: tuple[str, ...]


def _first(write: Callable[[Any], tuple[str, list[str]]]) -> Callable[[Any], str]:
    return lambda request: write(request)[0]


def _plain(module: Any, kind: type, *links: str) -> PageLink:
    return PageLink(module.from_query, module.to_query, tuple(kind.model_fields), links)


def _moving(demo: Any, example: str = "") -> PageLink:
    kind, example = type(demo.first_view()), example or demo.EXAMPLE
    read = partial(lagrangian.from_query, kind)
    return PageLink(
        lambda query: read(query, example), lagrangian.to_query, tuple(kind.model_fields), (example, "view=eulerian")
    )


_COMPARE = (
    *(name for name in CompareRequest.model_fields if name not in ("conditions", "references", "methods")),
    *("condition", "follow", "follow_average", "method", "restore_emoji", "restore_average", "restore_noise"),
    *("own_picture", "restore_own_picture", "look"),
)
LINKS: dict[str, PageLink] = {
    "/": PageLink(
        compare.from_query,
        _first(compare.to_query),
        _COMPARE,
        (
            "v=1&condition=animals*1&condition=red*2&strength=3&method=cfg&method=gensot*particles:8",
            "restore=mask:centre&restore_emoji=cat%20face&restore_noise=0.1&steps=12",
            "reward=colour:d01c1c*2&backbone=network&look=gensot:2",
            "follow=cat%20face*0.5&follow_average=faces&view_noise=3&path=vp&sampler=heun&first_noise=4",
        ),
    ),
    "/grid": PageLink(
        grid.from_query,
        _first(grid.to_query),
        (*_COMPARE, "x", "y", "z"),
        (
            "condition=red&method=cfg&x=strength:1,2,4",
            "condition=red&x=steps:5-20%20(%2B5)&y=method:cfg,gensot*particles:4&z=seed:1-3",
        ),
    ),
    "/transport": PageLink(
        transport.from_query,
        _first(transport.to_query),
        (*TransportRequest.model_fields, "method"),
        (
            "v=1&target=modes&modes=1,1,.3,2;-1,0,.5,1&method=gensot_s&stiffness=50",
            "target=ring&method=flow_vp&vary=steps&values=5,10&show=trails",
            "method=gensot_drawn&guide=0,0;1,1;2,0",
        ),
    ),
    "/navigation": PageLink(
        navigation.from_query,
        _first(navigation.to_query),
        tuple(ProtocolRequest.model_fields),
        ("shape=V&stiffness=5,5,50,50&amplitude=2", "shape=knots&knots=1,1;2,-.5", "target=modes&modes=1,1,.3,2"),
    ),
    "/teacher": PageLink(
        learning_links.teacher_from_query,
        learning_links.to_query,
        tuple(TeacherRequest.model_fields),
        ("v=1&target=ring&stiffness=50&points=0,0;1,1.2;3,0",),
    ),
    "/experts": PageLink(
        learning_links.experts_from_query,
        learning_links.to_query,
        (*ExpertsRequest.model_fields, "belief"),
        ("v=1&belief=0.5,-1,0,0.3,0,0.1;0.5,1,0,0.1,0,0.4&belief=1,0,-2,0.3,0,0.3&amplitudes=0.7,1.4&trusts=1,2",),
    ),
    "/adaptive": PageLink(
        partial(tuned_links.from_query, AdaptiveRequest),
        tuned_links.to_query,
        tuple(AdaptiveRequest.model_fields),
        ("v=1&temperature=0.002&pulls=5,60,20,3",),
    ),
    "/directions": PageLink(
        partial(tuned_links.from_query, DirectionsRequest),
        tuned_links.to_query,
        tuple(DirectionsRequest.model_fields),
        ("v=1&corridor=straight&drift=rotation&starts=3",),
    ),
    "/energy": _plain(
        schedules_request,
        schedules_request.SchedulesRequest,
        "target=ring&data=plane",
        "schedules=vp,drawn&knots=0.25,0.9;0.5,0.5",
    ),
    "/kinetic_optimal": _plain(
        optimal_links,
        OptimalRequest,
        "v=1&data=random&count=16&dimension=1024",
        "v=1&data=drawn&points=-1,0;1,0.5;2,1&schedule=0.3,0.9",
    ),
    "/robustness": _plain(
        robustness_links, RobustnessRequest, "v=1&start=spread&spread=1.2", "v=1&start=drawn&points=-2,0;0,2;1,0.5"
    ),
    "/training": _plain(training_links, TrainingRequest, "v=1&target=ring&points=64&seeds=3&paths=condot,ko"),
    "/optimal_transport": _plain(
        cells_links, CellsRequest, "v=1&data=random&count=20&seed=3&time=0.5", "v=1&data=drawn&points=-1,0;1,0.5;2,1"
    ),
    "/heights": PageLink(
        heights_links.from_query,
        heights_links.to_query,
        (*PlaneRequest.model_fields, "pictures", "picture_tolerance", "picture_seed", "tau"),
        ("v=1&points=random&number=200&seed=3&tau=0.1&pictures=network/clocks&picture_tolerance=0.02",),
    ),
    "/later_start": _plain(
        later_start_links, LaterStartRequest, "v=1&pictures=clocks&signal=20&calls=5&tau=0&finish=ddim"
    ),
    "/pairing": _plain(pairing_request, pairing_request.PairingRequest, "target=ring&minibatch=8&seeds=3"),
    "/gaussians": _plain(gaussians, gaussians.GaussiansRequest, "target_angle=90&target_across=.2"),
    "/lagrangian": _moving(diffusion),
    "/interpolation": _moving(interpolation),
    "/gradient_flows": _moving(gradient_flows),
    "/neurons": _moving(neurons),
    "/tokens": _moving(tokens, tokens_request.EXAMPLE),
    "/controlled": _moving(controlled),
    "/sequences": PageLink(
        sequences.from_query,
        _first(sequences.to_query),
        (*SequenceRequest.model_fields, "from", "to", "picture", "points", "size", "turn", "method"),
        (
            "v=1&motion=morph&from=cat%20face&to=dog%20face&frames=16",
            "motion=path&picture=red%20heart&size=0.5&points=0.2,0.5;0.8,0.5",
            "motion=colour&picture=red%20heart&turn=180&memory=reference&trust=2",
        ),
    ),
    "/scoreboard": PageLink(
        scoreboard.from_query, scoreboard.to_query, ("ask", "at"), ("v=1&ask=collection*follow*3&at=steps",)
    ),
    "/failures": PageLink(
        failures.from_query, failures.to_query, ("show", "seed"), ("v=1&show=oversaturation&seed=7",)
    ),
}
