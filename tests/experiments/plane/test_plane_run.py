"""A run: its progress, what it keeps, what becomes of a method that fails; the scene for the player."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from gensot_demo.experiments.plane import run as module
from gensot_demo.experiments.plane.cache import MOTIONS, MotionCache
from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.motion import Motion
from gensot_demo.experiments.plane.numbers import numbers
from gensot_demo.experiments.plane.request import TransportRequest
from gensot_demo.experiments.plane.run import Progress, Repeated, TransportResult, move, repeat, transport
from gensot_demo.experiments.plane.scene import MOST_SHOWN, scene_of
from gensot_demo.experiments.plane.verdict import verdict
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.figures.transport import distance_figure, entropy_figure, kinetic_figure, player_of, speed_figure
from gensot_demo.pages.transport_report import table, verdict_list

SMALL = {"particles": 300, "steps": 20}
METHOD_NAMES = ("flow_matching", "optimal_transport", "schroedinger_bridge", "gensot_s")


@pytest.fixture(autouse=True)
def nothing_kept():
    MOTIONS.clear()


def finished(**changes) -> TransportResult:
    *_, last = transport(TransportRequest(**{**SMALL, "methods": METHOD_NAMES, **changes}))
    return last


@pytest.fixture
def moves(monkeypatch) -> list[str]:
    """Names of the methods that really ran."""
    found = []
    for name, method in METHODS.items():

        def moving(setup, name=name, plain=method.move):
            found.append(name)
            return plain(setup)

        monkeypatch.setitem(METHODS, name, type(method)(**{**vars(method), "move": moving}))
    return found


def test_a_run_moves_then_measures_and_is_complete_at_last(monkeypatch):
    monkeypatch.setattr(module, "_PROGRESS_EVERY", 0.0)
    seen = list(transport(TransportRequest(**SMALL, methods=METHOD_NAMES)))
    results = [moment for moment in seen if isinstance(moment, TransportResult)]
    shares = [moment.done for moment in seen[: seen.index(results[0])]]
    assert shares == sorted(shares)
    assert len(shares) > 20
    assert [all(p.measures for p in r.panels) for r in results] == [False, True, True]
    assert [r.complete for r in results] == [False, False, True]
    assert all(panel.distance is not None for panel in results[-1].panels)
    assert [r.seconds for r in results] == sorted(r.seconds for r in results)


def test_a_request_can_be_pickled():
    request = TransportRequest(methods=("gensot_s",), vary="stiffness", values=(1, 5))
    assert pickle.loads(pickle.dumps(request)) == request


def test_a_slider_runs_only_what_depends_on_it(moves):
    finished()
    assert moves == list(METHOD_NAMES)
    moves.clear()
    finished()
    assert moves == []
    finished(stiffness=33.0)
    assert moves == ["gensot_s"]
    moves.clear()
    finished(temperature=0.5)
    assert moves == ["schroedinger_bridge", "gensot_s"]
    moves.clear()
    finished(source="ring")
    assert moves == list(METHOD_NAMES)


def test_what_was_not_asked_for_is_not_in_the_key(moves):
    finished(amplitude=1.0, methods=("gensot_straight",))
    finished(amplitude=2.0, methods=("gensot_straight",))
    finished(trust=2.0, methods=("gensot_straight",))
    assert moves == ["gensot_straight"]


def test_the_cache_is_bounded():
    *_, motion = (m for m in move(TransportRequest(**SMALL, methods=("gensot_s",))))
    motion = motion.panels[0].motion
    size = motion.x.numel() * 8 / 1e6
    cache = MotionCache(megabytes=3.5 * size)
    for key in range(6):
        cache.keep(key, motion)
    assert [cache.get(key) is not None for key in range(6)] == [False] * 3 + [True] * 3


def test_a_row_of_values_is_a_row_of_panels():
    result = finished(methods=("gensot_s",), vary="stiffness", values=(1, 50), source="point")
    assert [panel.label for panel in result.panels] == [
        "GenSOT (S guide), stiffness 1",
        "GenSOT (S guide), stiffness 50",
    ]
    tubes = [panel.motion.tube.half_width.max() for panel in result.panels]
    assert tubes[0] > 1.5 * tubes[1]


def test_a_method_that_fails_leaves_the_others(monkeypatch):
    def failing(setup):
        yield 0.1
        raise RuntimeError("no such luck")

    broken = METHODS["optimal_transport"]
    monkeypatch.setitem(METHODS, "optimal_transport", type(broken)(**{**vars(broken), "move": failing}))
    result = finished()
    assert [panel.error for panel in result.panels] == [None, "no such luck", None, None]
    assert len(result.moving) == 3
    assert "Optimal transport could not run: no such luck" in verdict_list(result, [])
    assert numbers(result)["panels"]["Optimal transport"] == {"error": "no such luck"}
    assert '"panels"' in player_of(result)


def test_closing_a_run_stops_it(monkeypatch):
    monkeypatch.setattr(module, "_PROGRESS_EVERY", 0.0)
    running = move(TransportRequest(particles=300, steps=500, methods=("diffusion_sde",)))
    first = next(running)
    assert isinstance(first, Progress)
    assert first.done < 0.1
    running.close()
    assert list(running) == []


def test_a_bad_target_is_refused():
    with pytest.raises(InvalidRequest, match="Mode 1 is at"):
        list(move(TransportRequest(target="modes", modes=((99, 0, 0.3, 1),))))


def test_repeating_gives_one_distance_a_seed():
    request = TransportRequest(**SMALL, methods=("gensot_s", "optimal_transport"))
    found = [moment for moment in repeat(request, seeds=3) if isinstance(moment, Repeated)]
    assert [len(next(iter(part.distances.values()))) for part in found] == [1, 2, 3]
    last = found[-1]
    assert set(last.distances) == set(last.floors) == {"GenSOT (S guide)", "Optimal transport"}
    for label, values in last.distances.items():
        assert len(set(values)) == 3
        assert np.median(values) < 2 * np.median(last.floors[label])


@pytest.mark.parametrize("source", ["point", "gaussian", "moons"])
def test_the_scene_holds_what_it_shows(source):
    result = finished(source=source, methods=("flow_vp", *METHOD_NAMES), particles=800)
    scene = scene_of(result)
    x0, x1, y0, y1 = scene.extent
    assert x1 - x0 == pytest.approx(y1 - y0, abs=0.01)
    low_x, high_x, low_y, high_y = result.target.box
    assert x0 <= low_x
    assert high_x <= x1
    assert y0 <= low_y
    assert high_y <= y1
    assert sum(part.positions.shape[1] for part in scene.panels) <= MOST_SHOWN
    for part in scene.panels:
        assert part.positions.shape[::2] == (61, 2)
        assert np.isfinite(part.positions).all()
        assert part.destination.shape == (part.positions.shape[1],)
        if part.field is not None:
            assert part.field.shape == (12, 16, 16, 2)
            assert np.isfinite(part.field).any()
    assert all(part.field is not None for part in scene.panels)


def test_a_guided_scene_shows_the_law_asked_for():
    guided = finished(methods=("conditional", "cfg_sde"), target="four_modes")
    plain = finished(methods=("gensot_s",), target="four_modes")
    x, _, z = scene_of(guided).density
    assert z.max() == 1
    assert z[:, x < 0].sum() / z.sum() < 0.1
    x, _, z = scene_of(plain).density
    assert z[:, x < 0].sum() / z.sum() > 0.4


def test_figures_and_table_name_every_panel():
    result = finished()
    for figure in (speed_figure(result), kinetic_figure(result), entropy_figure(result), distance_figure(result)):
        assert {panel.label for panel in result.panels} <= {trace["name"] for trace in figure["data"]}
        assert figure["layout"]["yaxis"]["title"]["text"]
    html = table(result)
    assert all(panel.label in html for panel in result.panels)
    assert "exact 0.700" in html


def test_the_verdict_names_a_method_that_misses_the_law():
    result = finished(methods=("gensot_s",), source="point", stiffness=100, solver="euler", particles=1000)
    (first, *_) = verdict(result)
    assert first.startswith("GenSOT (S guide) misses the weights: mode ")
    assert isinstance(result.panels[0].motion, Motion)
    assert "±" in first
