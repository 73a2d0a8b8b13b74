"""What the presets tell is what their runs show."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gensot_demo.experiments.plane.links import from_query, to_query
from gensot_demo.experiments.plane.presets import PRESETS, preset
from gensot_demo.experiments.plane.run import Panel, Repeated, TransportResult, repeat, transport
from gensot_demo.experiments.plane.verdict import verdict


@cache
def result(name: str) -> TransportResult:
    *_, last = transport(preset(name).request)
    assert last.complete
    return last


def panel(name: str, method: str) -> Panel:
    (found,) = [item for item in result(name).panels if item.method.name == method]
    return found


@pytest.mark.parametrize("item", PRESETS, ids=lambda item: item.name)
def test_every_preset_travels_in_a_link_and_tells_two_sentences(item):
    query, notes = to_query(item.request)
    assert from_query(query) == (item.request, [])
    assert notes == []
    assert item.sees.endswith(".")
    assert item.why.endswith(".")


def test_the_guide_does_not_choose_the_destination():
    panels = result("destination").panels
    assert len(panels) == 4
    for item in panels:
        assert abs(item.measures.shares[0] - 0.7) < 3 * item.measures.errors[0]
        assert not item.measures.off
    assert all(item.measures.moved < 1e-9 for item in panels[1:])
    tubes = [item.motion.tube.mean for item in panels]
    assert max(np.abs(tube - tubes[0]).max() for tube in tubes) > 0.5  # though they travel differently
    assert verdict(result("destination"))[0].startswith("All 4 arrive")


def test_cfg_is_not_the_product_law():
    assert [item.method.name for item in result("product").panels if item.measures.off] == [
        "conditional",
        "cfg_flow",
        "cfg_sde",
    ]


def test_medians_over_seeds_say_the_same():
    """Published for 2000 particles: .63 / .32 / .15 against a floor of .11; here 1000, with a floor of about .15."""
    request = preset("product").request.model_copy(
        update={"particles": 1000, "methods": ("cfg_flow", "cfg_sde", "gensot_weighted")}
    )
    *_, last = repeat(request, seeds=5)
    assert isinstance(last, Repeated)
    median = {label: np.median(values / last.floors[label]) for label, values in last.distances.items()}
    assert median["CFG flow"] > 3
    assert median["CFG SDE"] > 1.6
    assert median["Weighted GenSOT"] < 1.6


def test_stiff_paths_cost_steps():
    shares = [item.measures.shares[0] for item in result("stiff").panels]
    assert shares == sorted(shares)
    assert 0.7 - shares[0] == pytest.approx(0.27, abs=0.04)  # a quarter
    assert 0.7 - shares[1] == pytest.approx(0.125, abs=0.04)  # an eighth
    *_, better = transport(preset("stiff").request.model_copy(update={"solver": "averaged"}))
    assert abs(better.panels[0].measures.shares[0] - 0.7) < 0.02 + 2 * better.panels[0].measures.errors[0]


def test_all_schedules_are_one_flow_map():
    panels = result("schedules").panels
    assert all(item.measures.moved < 1e-9 for item in panels[1:])
    actions = [item.measures.action for item in panels]
    assert max(actions[:2]) / min(actions[:2]) > 1.5  # at quite different paces
    assert panel("schedules", "flow_ve").motion.x[0].std() > 40


def test_straight_is_cheapest():
    actions = {item.method.name: item.measures.action for item in result("straight").panels}
    assert min(actions, key=actions.get) == "optimal_transport"
    ot = panel("straight", "optimal_transport").measures
    assert ot.straightness == pytest.approx(1, abs=1e-9)
    assert panel("straight", "flow_matching").measures.straightness < 0.95
