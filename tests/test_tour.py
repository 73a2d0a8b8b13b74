"""The tour: every stop can be followed and says what its own run shows; terms, sources, endpoints are complete."""

import json
import re

import gradio as gr
import numpy as np
import pytest

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.experiments import links as compare_links
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.energy import optimal_links, robustness_links, schedules_request
from gensot_demo.experiments.energy.optimal import explored
from gensot_demo.experiments.energy.presets import SCHEDULE_PRESETS
from gensot_demo.experiments.energy.robustness import on_line
from gensot_demo.experiments.energy.schedules_cloud import compare as compare_schedules
from gensot_demo.experiments.grid import request as grid_links
from gensot_demo.experiments.grid.run import run_grid
from gensot_demo.experiments.lagrangian import diffusion
from gensot_demo.experiments.lagrangian import links as lagrangian_links
from gensot_demo.experiments.measuring import measure
from gensot_demo.experiments.navigation import links as navigation_links
from gensot_demo.experiments.navigation.closed_form import closed_form
from gensot_demo.experiments.plane import links as transport_links
from gensot_demo.experiments.plane.run import transport
from gensot_demo.experiments.static_ot import cells_links, later_start_links
from gensot_demo.experiments.static_ot.cells import solve
from gensot_demo.experiments.static_ot.later_start import run_wall
from gensot_demo.pages import sources
from gensot_demo.shell import terms, tour
from gensot_demo.shell.build import ENDPOINTS, PAGES, build_app

BY_NAME = {stop.name: stop for stop in tour.STOPS}


def _lagrangian(query):
    return lagrangian_links.from_query(diffusion.DiffusionRequest, query, diffusion.EXAMPLE)


# The page's own reader and writer of links, by its path.
LINKS = {
    "/": (compare_links.from_query, compare_links.to_query),
    "/grid": (grid_links.from_query, grid_links.to_query),
    "/transport": (transport_links.from_query, transport_links.to_query),
    "/navigation": (navigation_links.from_query, navigation_links.to_query),
    "/energy": (schedules_request.from_query, schedules_request.to_query),
    "/kinetic_optimal": (optimal_links.from_query, optimal_links.to_query),
    "/robustness": (robustness_links.from_query, robustness_links.to_query),
    "/optimal_transport": (cells_links.from_query, cells_links.to_query),
    "/later_start": (later_start_links.from_query, later_start_links.to_query),
    "/lagrangian": (_lagrangian, lagrangian_links.to_query),
}


def asked(name: str, query: str = ""):
    """What a stop asks of its page, or the same with further fields of a link."""
    stop = BY_NAME[name]
    request, notes = LINKS[stop.path][0](stop.query + query)
    assert notes == []
    return request


def last(moments):
    *_, result = moments
    return result


@pytest.mark.parametrize("stop", tour.STOPS, ids=lambda stop: stop.name)
def test_a_stops_query_is_read_by_its_page_and_stands_as_the_page_writes_it(stop):
    read, write = LINKS[stop.path]
    request, notes = read(f"{stop.query}&__tour=3")
    written = write(request)
    text = written if isinstance(written, str) else written[0]

    def fields(query):
        return sorted(pair for pair in query.replace("%20", " ").split("&") if not pair.startswith("look="))

    assert notes == []
    assert fields(text) == fields(stop.query)


def test_twelve_stops_over_the_whole_app_each_with_all_it_needs():
    assert len(tour.STOPS) == len(BY_NAME) == 12
    assert len({stop.path for stop in tour.STOPS}) == 10
    assert {stop.path for stop in tour.STOPS} <= {page.path for page in PAGES}
    for stop in tour.STOPS:
        assert min(map(len, (stop.title, stop.text, stop.to_try, stop.notice, stop.equation))) > 4, stop.name
        assert "https://arxiv.org/abs/" in stop.source, stop.name
        assert len(stop.text) < 420, stop.name


@pytest.fixture(scope="module")
def app():
    return build_app()


def _words(app, path):
    """What the controls of a page are called, and what can be chosen there."""
    found = set()
    for block in app.blocks.values():
        if block.page == path.strip("/"):
            found |= {getattr(block, "label", None), *(name for name, _ in getattr(block, "choices", None) or ())}
            found |= {block.value} if isinstance(block, gr.Button) else set()
    return found


NAMED = (
    re.compile(r"[Pp]ress ([A-Z0-9][A-Za-z0-9 ]+?)(?=[.,:]|$)"),
    re.compile(r"(?:Set|Raise) (.+?) to \d"),
    re.compile(r"Write .+? as (.+?)(?= and press)"),
    re.compile(r"Choose (.+?) under (.+?)\."),
)


@pytest.mark.parametrize("stop", tour.STOPS, ids=lambda stop: stop.name)
def test_what_a_stop_tells_to_press_choose_or_set_is_called_so_on_its_own_page(stop, app):
    named = [
        name
        for shape in NAMED
        for found in shape.findall(stop.to_try)
        for name in ([found] if isinstance(found, str) else found)
    ]
    assert named or stop.name == "noise"  # its wall is clicked
    assert set(named) <= _words(app, stop.path)


# ---- what the stops claim ----


def test_from_noise_to_picture_the_request_alone_makes_a_face():
    found = last(compare(asked("noise")))
    names, classes = found.backbone.names, {}
    for name, part in found.methods.items():
        classes[name] = [names[index] for index in part.nearest]
    assert all("face" in name for name in classes["conditional"])
    assert not any("face" in name for name in classes["unguided"])


def test_at_strength_1_all_methods_make_the_same_heart_and_part_later():
    request = asked("guidance")
    found = last(run_grid(request))
    rows = np.array([np.asarray(cell.pictures, float)[0] for cell in found.cells]).reshape(4, 4, -1)
    apart = np.abs(rows - rows[:1]).mean(-1).max(0)  # over methods, by strength
    assert apart[0] < 3  # grey levels; CFG-Zero* rests at the start, the others agree to the pixel
    assert min(np.abs(rows[:, -1] - rows[:, 0]).mean(-1)) > 20
    cfg, apg, zero_star, gensot = (rows >= 250).mean(-1)[:, -1] - (rows >= 250).mean(-1)[:, 0]
    assert apg < 0 < min(cfg, zero_star, gensot)


def test_cfg_is_not_the_product_law():
    assert asked("product").trust == 3
    found = last(transport(asked("product")))
    panels = zip(asked("product").methods, found.panels, strict=True)
    ratio = {name: panel.measures.w2 / panel.measures.floor for name, panel in panels}
    assert ratio["gensot_weighted"] < 1.25
    assert min(ratio["cfg_flow"], ratio["cfg_sde"]) > 1.5


def test_following_a_picture_comes_down_to_the_floor():
    found = last(measure(asked("following"), 384)).reports
    own, dps, sdedit = (found[name] for name in ("gensot", "dps", "sdedit"))
    assert abs(own.distance - own.floor) < 2 * own.error + own.floor_spread
    assert min(dps.distance, sdedit.distance) > own.power
    part = {method.name: method for method in asked("following").methods}
    assert not part["gensot"].settings


@pytest.mark.parametrize("amplitude", ["", "&amplitude=3"])
def test_the_guide_does_not_choose_the_destination(amplitude):
    found = last(transport(asked("destination", amplitude)))
    assert all(panel.measures.moved < 1e-9 for panel in found.panels[1:])
    actions = [panel.measures.action for panel in found.panels]
    assert max(actions) > 1.2 * min(actions)


def test_a_corridor_is_followed_in_part_and_stiffness_has_its_price():
    loose, stiff = closed_form(asked("corridor")), closed_form(asked("corridor", "&stiffness=200"))
    assert loose.costs.gain == pytest.approx(1 / 3, abs=0.02)
    assert stiff.costs.gain == pytest.approx(4 / 5, abs=0.04)
    assert stiff.costs.total / loose.costs.total == pytest.approx(2.5, abs=0.15)
    assert stiff.half_width[50] < loose.half_width[50]
    assert np.allclose(stiff.mean[-1], loose.mean[-1], atol=1e-6)


def test_schedules_cost_differently_and_end_together():
    rides = {ride.name: ride for ride in last(compare_schedules(asked("costs"))).rides}
    assert rides["condot"].energy / rides["ot"].energy == pytest.approx(9, abs=0.5)
    assert rides["optimal"].energy / rides["ot"].energy == pytest.approx(1.1, abs=0.05)
    _require_same_ends(rides)


def test_nearly_gaussian_condot_spends_hundreds_of_times_as_much():
    (fields,) = (fields for name, fields in SCHEDULE_PRESETS if name == "Nearly Gaussian")
    more = "".join(f"&{name}={value}" for name, value in fields.items())
    rides = {ride.name: ride for ride in last(compare_schedules(asked("costs", more))).rides}
    assert rides["condot"].energy / rides["ot"].energy == pytest.approx(950, rel=0.03)
    _require_same_ends(rides)


def _require_same_ends(rides):
    """All seven end together, to the sixth decimal but for those that start with some of the data in them."""
    assert set(rides) == {"vp", "cosine", "condot", "ve", "gensot", "optimal", "ot"}
    for name, ride in rides.items():
        low, high = (1e-5, 5e-4) if name in ("vp", "ve") else (-1, 1e-6)
        assert low < ride.parting < high, name


def test_the_cheapest_path_and_when_condot_is_nearly_it():
    energies = [
        {path.name: path.energy for path in explored(asked("cheapest", more)).paths}
        for more in ("", "&data=random&count=64&dimension=1024")
    ]
    assert energies[0]["optimal"] < 0.5 * energies[0]["condot"]
    assert energies[1]["condot"] / energies[1]["optimal"] < 1.03


@pytest.mark.parametrize("more", ["", "&start=spread"])
def test_all_schedules_answer_alike_and_optimal_transport_promises_most(more):
    found = on_line(asked("robust", more))
    assert np.ptp([relation.eta for relation in found.relations.values()]) < 1e-3
    if not more:
        assert found.relations["cosine"].eta == pytest.approx(0.0872, abs=1e-4)
    bounds = {name: relation.c2 for name, relation in found.relations.items()}
    assert bounds["ot"] == min(bounds.values()) == pytest.approx(found.floor, rel=1e-3)
    assert bounds["condot"] / bounds["ot"] == pytest.approx(3, abs=0.1)


def test_diffusions_map_is_not_quite_optimal_but_is_on_the_octagon():
    eight, octagon = solve(asked("cells")), solve(asked("cells", "&data=octagon"))
    assert eight.difference.share == pytest.approx(0.038, abs=0.001)
    assert eight.cost / eight.w2 - 1 == pytest.approx(0.005, abs=0.001)
    assert octagon.difference.share < 1e-3


def test_a_later_start_is_paid_in_copies():
    soon, late = (last(run_wall(asked("later", more))) for more in ("", "&signal=60"))
    assert not any(row.copied.any() for row in soon.rows.values())
    assert late.rows["jump"].copied.any()
    assert late.rows["draw"].copied.any()
    landed = [soon.landings.names[n] for n in range(soon.request.samples)]
    nearest = [training_pictures().names[index] for index in soon.rows["jump"].nearest]
    assert sum(one == other for one, other in zip(landed, nearest, strict=True)) == soon.request.samples // 2


def test_averaging_halves_the_energy_and_optimal_pairs_cost_less_still():
    own, mean = (float(np.trapezoid(one.values, one.t)) for one in diffusion.run(asked("equation")).falling)
    best = float(np.trapezoid(*_curve(diffusion.run(asked("equation", "&pairing=optimal")).falling[0])))
    assert mean / own == pytest.approx(0.5, abs=0.05)
    assert best < mean


def _curve(one):
    return one.values, one.t


# ---- texts ----


def test_terms_come_from_the_pages_glossaries_and_are_short():
    assert terms.TERMS["law asked for"] == ("Law asked for", "The probability of each picture under what you asked.")
    assert terms.TERMS["action"][1].startswith("Action is what a path costs")
    used = tour.terms_used()
    assert len(used) >= 12
    assert set(json.loads(tour.data())["terms"]) == used
    for key in used:
        assert 20 < len(terms.TERMS[key][1]) < 170, key


def test_a_term_that_is_none_is_an_error():
    assert tour.pieces("a [[guide]]s [[law asked for|law]].") == [
        "a ",
        ["guide", "guide"],
        "s ",
        ["law asked for", "law"],
        ".",
    ]
    with pytest.raises(KeyError, match="stifness"):
        tour.pieces("a [[stifness]]")


def test_the_data_in_the_head_cannot_end_its_script():
    text = tour.data()
    assert "<" not in text
    assert len(json.loads(text)["stops"]) == 12


def test_sources_name_every_paper_of_the_tour_and_of_the_methods():
    page = sources.TEXT + sources.table([(m.label, m.source) for m in sources.REGISTRY.methods.values()])
    page += sources.table([(m.label, m.source) for m in sources.METHODS.values()])
    for stop in tour.STOPS:
        for number in re.findall(r"abs/(\d{4}\.\d{5})", stop.source):
            assert f"https://arxiv.org/abs/{number}" in page, (stop.name, number)
    assert sources.linked("Chung et al., arXiv 2209.14687, eq. 16") == (
        "Chung et al., [arXiv 2209.14687](https://arxiv.org/abs/2209.14687), eq. 16"
    )
    pages = {page.path.strip("/") for page in PAGES}
    inner = re.findall(r"\]\((?!https)([^)]+)\)", sources.TEXT)
    assert inner
    assert set(inner) <= pages


# ---- endpoints ----


def test_every_page_that_computes_names_an_endpoint_of_the_public_api(app):
    assert set(ENDPOINTS) == {page.path for page in PAGES} - {"/sources"}
    public = app.get_api_info()["named_endpoints"]
    for path, name in ENDPOINTS.items():
        parameters = [one["parameter_name"] for one in public[f"/{name}"]["parameters"]]
        assert "query" in parameters, path
