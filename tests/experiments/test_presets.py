"""Presets by name: on every page, ``preset=`` and the title of a button give what the button asks for."""

from functools import partial

import pytest

from gensot_demo.experiments.energy import optimal_links, presets, robustness_links, schedules_request, training_links
from gensot_demo.experiments.energy.optimal_request import OptimalRequest
from gensot_demo.experiments.energy.robustness import RobustnessRequest
from gensot_demo.experiments.energy.training import TrainingRequest
from gensot_demo.experiments.lagrangian import (
    controlled,
    diffusion,
    gradient_flows,
    interpolation,
    neurons,
    tokens,
)
from gensot_demo.experiments.lagrangian import (
    links as lagrangian_links,
)
from gensot_demo.experiments.navigation import links as navigation_links
from gensot_demo.experiments.navigation import presets as tuned
from gensot_demo.experiments.navigation import tuned_links
from gensot_demo.experiments.navigation.adaptive import AdaptiveRequest
from gensot_demo.experiments.navigation.case_a import CASES
from gensot_demo.experiments.navigation.directions import DirectionsRequest
from gensot_demo.experiments.plane import links as plane_links
from gensot_demo.experiments.plane.presets import PRESETS
from gensot_demo.experiments.presets import slug
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.static_ot import cells_links, gaussians, heights_links, later_start_links, pairing_request
from gensot_demo.experiments.static_ot import presets as static_ot
from gensot_demo.experiments.static_ot.cells_request import CellsRequest
from gensot_demo.experiments.static_ot.heights_request import PlaneRequest
from gensot_demo.experiments.static_ot.later_start_request import LaterStartRequest


def pages():
    """(page, title, what the link gives, the request of the button)."""

    def of(page, read, kind, changes):
        for title, change in changes:
            yield page, title, read, kind(**change)

    yield from of("training", training_links.from_query, TrainingRequest, presets.TRAINING)
    yield from of("optimal", optimal_links.from_query, OptimalRequest, presets.OPTIMAL)
    yield from of("robustness", robustness_links.from_query, RobustnessRequest, presets.ROBUSTNESS)
    schedules = schedules_request.SchedulesRequest
    yield from of("schedules", schedules_request.from_query, schedules, presets.SCHEDULE_PRESETS)
    yield from of("cells", cells_links.from_query, CellsRequest, static_ot.CELLS)
    yield from of("later start", later_start_links.from_query, LaterStartRequest, static_ot.LATER_START)
    pairing = pairing_request.PairingRequest
    yield from of("pairing", pairing_request.from_query, pairing, static_ot.PAIRING)
    for title, change in static_ot.HEIGHTS:
        yield "heights", title, lambda query: (heights_links.from_query(query)[0].plane, []), PlaneRequest(**change)
    for title, change in static_ot.GAUSSIANS:
        now = gaussians.GaussiansRequest()
        wanted = now.model_copy(update=change(now, gaussians.compare_gaussians(now)))
        yield "gaussians", title, gaussians.from_query, wanted
    for item in PRESETS:
        yield "transport", item.title, plane_links.from_query, item.request
    for case in CASES:
        yield "navigation", case.title, navigation_links.from_query, case.request
    for kind, page in ((AdaptiveRequest, tuned.ADAPTIVE), (DirectionsRequest, tuned.DIRECTIONS)):
        for title, request in page:
            yield kind.__name__, title, partial(tuned_links.from_query, kind), request
    for demo in (controlled, diffusion, gradient_flows, interpolation, neurons, tokens):
        first = demo.first_view()
        read = partial(lagrangian_links.from_query, type(first), example="seed=1")
        for title, change in type(first).presets:
            yield demo.__name__.rpartition(".")[2], title, read, first.model_copy(update=change)


CASES_OF_ALL = list(pages())


@pytest.mark.parametrize(
    ("read", "title", "wanted"),
    [(read, title, wanted) for _, title, read, wanted in CASES_OF_ALL],
    ids=[f"{page}: {title}" for page, title, _, _ in CASES_OF_ALL],
)
def test_a_preset_by_name_is_the_request_of_its_button(read, title, wanted):
    found, notes = read(f"v=1&preset={slug(title)}")
    assert found == wanted
    assert not notes


def test_no_two_presets_of_a_page_have_one_name():
    names = [(page, slug(title)) for page, title, _, _ in CASES_OF_ALL]
    assert len(set(names)) == len(names)
    assert all(name for _, name in names)


def test_further_fields_override_the_presets():
    found, _ = plane_links.from_query("preset=straight-is-cheapest&method=flow_vp&seed=11")
    straight = {item.name: item.request for item in PRESETS}["straight"]
    assert found == straight.model_copy(update={"methods": ("flow_vp",), "seed": 11})


@pytest.mark.parametrize("query", ["preset=straight", "preset=", "preset=%3Cb%3E"])
def test_an_unknown_preset_is_told_which_there_are(query):
    with pytest.raises(InvalidRequest, match=r"not known here; there are .*straight-is-cheapest"):
        plane_links.from_query(query)
