"""The simulated cloud against its closed form."""

from __future__ import annotations

import numpy as np
import pytest

from gensot_demo.experiments.navigation.closed_form import closed_form
from gensot_demo.experiments.navigation.cloud import Cloud, simulate
from gensot_demo.experiments.navigation.request import ProtocolRequest
from gensot_demo.figures.navigation import diagnostic_figures, plane_figure, snapshot_figures
from gensot_demo.figures.transport import player_of


def ended(request: ProtocolRequest) -> Cloud:
    *_, cloud = simulate(request)
    return cloud


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": "S", "stiffness": 20},
        {"shape": "V frozen", "stiffness": (5, 50), "temperature": (0.4, 1.6), "start": (0.5, -1)},
    ],
)
def test_the_cloud_has_the_moments_of_the_closed_form(changes):
    request = ProtocolRequest(particles=4000, steps=100, **changes)
    cloud, form = ended(request), closed_form(request)
    for x, centre, variance in zip(
        cloud.snapshots, form.centres, (form.within + form.between)[[0, 25, 50, 75, 100]], strict=True
    ):
        error = np.sqrt(variance / len(x))
        assert np.abs(x.mean(0) - centre).max() < 4.5 * error + 0.02  # 0.02: the steps
        assert np.trace(np.cov(x.T)) == pytest.approx(variance, rel=0.1, abs=1e-9)
    m = cloud.result.panels[0].measures
    assert np.abs(m.shares - m.truth).max() < 4 * m.errors.max() + 0.01
    assert m.telling
    assert not m.off


def test_weights_do_not_depend_on_the_guide():
    """On the same noise every particle ends at the same place under every guide (docs/FORMULAS.md 1.3)."""
    ends = [ended(ProtocolRequest(shape=shape, particles=400)).snapshots[-1] for shape in ("straight", "S", "V frozen")]
    for other in ends[1:]:
        assert np.abs(other - ends[0]).max() < 1e-6
    curve = ProtocolRequest(shape="curve", guide=((0, 0), (-3, 3), (0, -3)), particles=400)
    assert np.abs(ended(curve).snapshots[-1] - ends[0]).max() < 1e-6


def test_every_figure_can_be_made_of_it():
    request = ProtocolRequest(target="moons", particles=200, steps=20)
    cloud, form = ended(request), closed_form(request)
    assert "positions" in player_of(cloud.result)
    assert len(snapshot_figures(cloud, form)) == 5
    assert len(diagnostic_figures(form)) == 7
    assert plane_figure(form)["layout"]["meta"]["description"]
    for figure in diagnostic_figures(form):
        assert all(np.isfinite(trace["y"]).all() for trace in figure["data"])


def test_stopping_is_closing():
    run = simulate(ProtocolRequest(particles=4000, steps=500))
    next(run)
    run.close()
