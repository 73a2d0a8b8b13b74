"""A scene can be made of whatever may be asked for, and its fields are the velocities that they claim to be."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.presets import PRESETS
from gensot_demo.experiments.plane.request import TransportRequest
from gensot_demo.experiments.plane.run import TransportResult, move
from gensot_demo.experiments.plane.scene import (
    FIELD_TIMES,
    FRAME_TIMES,
    MOST_IN_A_PANEL,
    MOST_SHOWN,
    PanelScene,
    Scene,
    scene_of,
)
from gensot_demo.transport.paths import CosinePath, VEPath, VPLinearPath
from gensot_demo.transport.targets import named_target

GUIDE = ((0.0, 0.0), (1.0, 1.0))


def result(**changes) -> TransportResult:
    *_, last = move(TransportRequest(**{"particles": 50, "guide": GUIDE, "target": "three_modes", **changes}))
    return last


@cache
def scene(**changes) -> Scene:
    return scene_of(result(**changes))


def only(**changes) -> PanelScene:
    (panel,) = scene(**changes).panels
    return panel


@pytest.mark.parametrize("steps", [2, 12, 40])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_scene_whatever_the_steps(name, steps):
    panel = only(methods=(name,), steps=steps, source="gaussian", trust=2.0)
    assert panel.positions.shape == (len(FRAME_TIMES), 50, 2)
    assert np.isfinite(panel.positions).all()
    if panel.field is not None:
        assert not np.isinf(panel.field).any()


@pytest.mark.parametrize("item", PRESETS, ids=lambda item: item.name)
def test_every_preset_has_a_scene(item):
    asked = item.request.model_copy(update={"particles": 50})
    *_, last = move(asked)
    assert len(scene_of(last).panels) == len(last.panels)


def test_many_panels_share_the_particles_that_a_browser_can_move():
    six = ("diffusion_sde", "flow_vp", "flow_matching", "gensot_straight", "gensot_v", "gensot_s")
    found = scene(methods=six, particles=900, steps=20)
    shown = [part.positions.shape[1] for part in found.panels]
    assert shown == [MOST_SHOWN // 6] * 6
    assert only(methods=("gensot_s",), particles=900, steps=20).positions.shape[1] == MOST_IN_A_PANEL


def test_the_particles_of_a_weighted_panel_stand_for_its_law():
    """Systematic draws: their shares are those of the weights, to one particle."""
    run = result(methods=("gensot_weighted",), target="four_modes", particles=900, trust=3.0, steps=40, stiffness=0.0)
    motion = run.panels[0].motion
    assert motion.weights is not None
    (panel,) = scene_of(run).panels
    shares = np.bincount(panel.destination, minlength=4) / len(panel.destination)
    mode = run.target.mode_of(motion.end)
    exact = torch.zeros(4, dtype=torch.float64).index_add_(0, mode, motion.weights)
    assert np.abs(shares - exact.numpy()).max() < 0.02  # the particles of a mode are not in one stretch
    np.testing.assert_array_equal(panel.destination, run.target.mode_of(torch.from_numpy(panel.positions[-1])))


SCHEDULES = [("flow_vp", VPLinearPath()), ("flow_cosine", CosinePath()), ("flow_ve", VEPath(80.8))]


@pytest.mark.parametrize(("name", "path"), SCHEDULES)
def test_the_field_of_a_flow_is_its_velocity_at_the_time_shown(name, path):
    """v = a' yhat + (m'/m)(x - a yhat), with the schedule's own values at each field time."""
    found = scene(methods=(name,), source="gaussian", steps=100)
    x, y = (torch.from_numpy(v) for v in np.meshgrid(*found.field_axes))
    places = torch.stack([x.ravel(), y.ravel()], 1)
    oracle = named_target("three_modes").mixture
    points = path.at(torch.from_numpy(FIELD_TIMES))
    for row in range(len(FIELD_TIMES)):
        p = points.point(row)
        expected = points.velocity(row, places, oracle.predict(places, p.a, p.m)).reshape(16, 16, 2).numpy()
        scale = np.sqrt((expected**2).sum(-1)).mean()
        assert np.sqrt(((found.panels[0].field[row] - expected) ** 2).sum(-1)).mean() < 0.1 * scale


def test_the_field_of_optimal_transport_is_told_only_near_particles():
    field = only(methods=("optimal_transport",), source="gaussian", particles=400).field
    known = np.isfinite(field).all(-1)
    assert 0.05 < known.mean() < 0.9
    assert not known[:, 0, 0].any()  # no particle passes the corner


def test_the_frame_holds_the_guide_that_leads_away():
    wide = scene(
        methods=("gensot_drawn",), guide=((0.0, 0.0), (-9.0, 9.0), (2.0, 0.0)), stiffness=500.0, source="point"
    )
    assert wide.extent[0] < -8
    assert wide.extent[3] > 8
    tight = scene(methods=("gensot_straight",), source="point")
    assert tight.extent[0] > -4
