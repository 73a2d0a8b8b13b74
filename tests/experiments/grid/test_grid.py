"""A grid end to end: what is asked for, what comes of it beside comparisons of its cells, and how cells fail."""

from __future__ import annotations

import math
import pickle
from functools import cache

import numpy as np
import pytest

from gensot_demo.experiments import limits, zero_gpu
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.grid import joined as joined_module
from gensot_demo.experiments.grid import run as run_module
from gensot_demo.experiments.grid.axes import axes, axis
from gensot_demo.experiments.grid.request import GridRequest, from_query, to_query
from gensot_demo.experiments.grid.run import GridResult, GridUpdate, distinct, estimate, run_grid
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest, MethodChoice, ReferenceChoice
from gensot_demo.guidance.base import Field, GuidanceMethod, Prediction, ask
from gensot_demo.guidance.registry import REGISTRY

BASE = "backbone=collection&resolution=32&steps=6"
WIDE = f"{BASE}&condition=red&samples=2&x=strength:1,3&y=method:cfg,gensot*particles:4,unguided&z=seed:3,5"


class Shy(GuidanceMethod):
    """A visitor's own method with a setting of its own, which raises when that is large."""

    name = "shy"
    label = "Shy"
    nerve: float = Field(1.0, ge=0, le=3, title="Nerve", description="Above 2 it faints.")

    def predict(self, task, point, x):
        answer = yield ask(point, x)
        if self.nerve > 2 and point.sigma < 5:
            raise ArithmeticError("fainted")
        return Prediction(answer.predicted[0] * self.nerve)


@pytest.fixture
def shy():
    REGISTRY.add(Shy)
    yield
    del REGISTRY.methods["shy"]


def grid(query: str) -> GridRequest:
    return from_query(query)[0]


def run(request: GridRequest) -> tuple[list[GridUpdate], GridResult]:
    *updates, result = run_grid(request)
    return updates, result


@cache
def wide() -> tuple[list[GridUpdate], GridResult]:
    return run(grid(WIDE))


def test_every_cell_is_what_a_comparison_of_its_own_makes():
    _, result = wide()
    assert len(result.cells) == 12
    for cell in result.cells:
        *_, alone = compare(cell.request)
        part = alone.methods[cell.request.methods[0].name]
        assert np.abs(part.pictures.astype(int) - cell.pictures).max() <= 1  # 8 bits of what float32 rounds
        assert (part.calls, part.backwards) == (cell.calls, cell.backwards)
        assert tuple(alone.backbone.names[i] for i in part.nearest) == cell.nearest
        assert (part.ess is None) == (cell.ess is None)


def test_cells_stand_where_their_values_say():
    request = grid(WIDE)
    assert request.shape == (2, 3, 2)
    for number, cell in enumerate(request.cells):
        z, y, x = request.place(number)
        assert cell.seed == (3, 5)[z]
        assert cell.methods[0].name == ("cfg", "gensot", "unguided")[y]
        assert cell.strength == (1, 3)[x]


def test_it_reports_as_it_goes_and_every_cell_once():
    updates, result = wide()
    done = [update.done for update in updates]
    assert done == sorted(done)
    assert done[-1] == 1
    ended = [number for update in updates for number in update.cells]
    assert sorted(ended) == list(range(12))
    again = pickle.loads(pickle.dumps(result))
    assert (again.cells[3].pictures == result.cells[3].pictures).all()


def test_equal_cells_are_made_once():
    request = grid(f"{BASE}&condition=red&x=cfg.rescale:0-1 [4]&y=method:unguided,cfg")
    groups = distinct(request)
    assert sum(map(len, groups.values())) == 5  # unguided has no such setting
    cost = estimate(request)
    assert (cost.cells, cost.distinct) == (8, 5)
    assert cost.calls == 7 * (1 + 4 * 2)
    assert "8 cells (5 different), 63 calls" in cost.sentence
    _, result = run(request)
    assert all((result.cells[0].pictures == result.cells[n].pictures).all() for n in range(4))
    assert not (result.cells[4].pictures == result.cells[7].pictures).all()


def test_the_estimate_counts_what_is_asked():
    _, result = wide()
    asked = sum((cell.calls + cell.backwards) * cell.request.samples for cell in result.cells)
    assert estimate(grid(WIDE)).calls == pytest.approx(asked, rel=0.2)  # unguided cells of both strengths differ not


def test_the_model_is_outermost_and_then_the_question():
    request = grid(
        "backbone=network&condition=hearts&method=cfg&steps=4&x=backbone:network,truth&y=condition:hearts,faces"
    )
    groups = distinct(request)
    assert [name for name, _ in groups] == ["network", "truth"]
    steps = grid(f"{BASE}&condition=red&method=cfg&x=steps:4,6&y=condition:red,blue&z=strength:1,2")
    (cells,) = distinct(steps).values()
    assert [cell.conditions[0].name for cell in cells] == ["red"] * 4 + ["blue"] * 4
    assert [cell.steps for cell in cells[:4]] == [4, 4, 6, 6]


def test_what_cannot_be_asked_fails_alone_and_says_why(shy):
    request = grid(f"{BASE}&x=condition:red,no such&y=method:cfg,dps,shy*nerve:1,shy*nerve:3")
    _, result = run(request)
    reasons = [cell.reason for cell in result.cells]
    assert [bool(reason) for reason in reasons] == [False, True, True, True, False, True, True, True]
    assert "no such" in reasons[1]
    assert "DPS needs a picture to follow" in reasons[2]
    assert "fainted" in reasons[6]
    assert all((cell.pictures is None) == bool(cell.reason) for cell in result.cells)


def test_a_visitors_own_method_and_setting_take_part(shy):
    assert axis("nerve").label.startswith("Nerve")
    assert {"nerve", "dps.scale", "rescale", "stiffness", "particles"} <= set(axes())
    _, result = run(grid(f"{BASE}&x=nerve:0.5,1&method=shy"))
    assert not (result.cells[0].pictures == result.cells[1].pictures).all()
    assert grid(f"{BASE}&x=shy.nerve:1&method=shy").x.name == "nerve"  # one name for one axis
    with pytest.raises(InvalidRequest, match=r"Shy: Nerve is 7\.0; it must be a number from 0 to 3"):
        grid(f"{BASE}&x=shy.nerve:7&method=shy")


@pytest.mark.parametrize("name", axes())
def test_every_axis_has_an_example_that_it_reads(name):
    known = axis(name)
    assert known.values(known.example, 50)


def test_closing_stops_within_a_forward():
    run_now = run_grid(grid(WIDE))
    next(run_now)
    run_now.close()
    with pytest.raises(StopIteration):
        next(run_now)


def test_more_cells_than_fit_one_lot_are_the_same(monkeypatch):
    _, together = wide()
    monkeypatch.setattr(joined_module, "_STATES_AT_ONCE", 3)
    _, apart = run(grid(WIDE))
    for one, other in zip(together.cells, apart.cells, strict=True):
        assert np.abs(one.pictures.astype(int) - other.pictures).max() <= 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("method=cfg", "A grid needs x=axis:values"),
        ("method=cfg&x=strength", "has no values"),
        ("method=cfg&x=walk:1", "'walk' is unknown; there are method, strength"),
        ("condition=red&method=cfg&x=strength:1,11", "Strength is 11.0; it must be a number from 0 to 10"),
        ("method=cfg&x=steps:2.5", "Steps is 2.5"),
        ("method=cfg&x=steps:1-1000000", "1,000,000 values; at most 240"),
        ("method=cfg&x=steps:10-100&y=seed:1-10&z=seed:1-9", "varied along two axes"),
        ("method=cfg&x=steps:10-100&y=seed:1-10", "91 x 10 = 910 cells; a grid has at most 240"),
        ("condition=red&x=strength:1,2", "one method in all its cells"),
        ("condition=red&method=cfg&method=apg&x=strength:1,2", "There are 2 methods"),
        ("method=cfg&x=strength:1,2", "nothing is asked for by a condition"),
        ("condition=red&method=cfg&x=stiffness:1,2", "No compared method has the setting 'stiffness'; GenSOT has it"),
        ("condition=red&method=cfg&x=strength:1,2&samples=5", "Samples is 5; a cell of a grid shows from 1 to 4"),
        ("x=method:cfg,moon", "method 'moon' is unknown"),
        ("condition=red&method=cfg&x=cfg.schedule:moon", "Schedule is 'moon'"),
        ("x=seed:1&method=cfg&" + "y" * 5000, "characters long"),
    ],
)
def test_bad_grids_are_refused_in_a_sentence(query, said):
    with pytest.raises(InvalidRequest, match=r"(?s).*") as refused:
        grid(query)
    assert said in str(refused.value)


def test_a_grid_that_asks_too_much_is_refused_before_it_runs():
    request = grid("backbone=network&condition=hearts&samples=4&steps=200&x=seed:1-240&method=cfg")
    most = limits.GRID_RUNS * 30_000
    for call in (estimate, lambda asked: next(run_grid(asked))):
        with pytest.raises(InvalidRequest, match=f"at most {most:,} are allowed"):
            call(request)


def test_links_and_methods_are_canonical():
    request = grid(WIDE)
    assert grid(to_query(request)[0]) == request
    assert len(request.base.methods) == 1
    named = grid(f"{BASE}&condition=red&method=cfg*rescale:0.5&method=apg&x=method:apg,cfg")
    assert named.cells[1].methods[0].settings == {"rescale": 0.5}
    assert grid(f"{BASE}&condition=red&x=seed:1-5 (%2B2)&method=cfg").x.values == (1, 3, 5)
    assert grid(f"{BASE}&condition=red&x=seed:1-5 (+2)&method=cfg").x.values == (1, 3, 5)


def test_a_grid_about_a_comparison_varies_its_methods_and_how_strongly_it_asks():
    first = CompareRequest.first_view()
    about = GridRequest.about(first)
    assert about.x.name == "view_noise"
    assert [cell.methods[0].name for cell in about.cells[::4]] == [choice.name for choice in first.methods]
    one = CompareRequest(references=(ReferenceChoice(average="faces"),), methods=(MethodChoice(name="dps"),))
    assert GridRequest.about(one).y is None


def test_a_large_model_is_not_loaded_for_an_estimate(monkeypatch):
    monkeypatch.setattr(run_module, "backbone_of", lambda request: pytest.fail("loaded"))
    asked = grid("backbone=google/ddpm-cifar10-32&reward=brightness*2&steps=9&x=seed:1-3&y=method:lgd,gensot")
    cost = estimate(asked)
    assert cost.seconds is None
    assert cost.calls == 3 * 10 * (2 + REGISTRY.get("gensot")().particles)


def test_lent_time_counts_all_cells_of_a_model():
    request = grid("backbone=network&condition=hearts&steps=50&x=seed:1-60&method=cfg")
    info = run_module.backbone_of(request.base).info
    alone, all_cells = (
        zero_gpu.gpu_seconds(request.cells[0], info),
        zero_gpu.gpu_seconds(*[request.cells[0], info], *request.cells[1:]),
    )
    assert alone == 15
    assert 60 * 50 * 0.02 < all_cells <= 120
    assert math.isfinite(all_cells)
