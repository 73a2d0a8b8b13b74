"""The closed form of a protocol against reference values, independent formulas and exact averages."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gensot_demo.experiments.navigation.case_a import findings
from gensot_demo.experiments.navigation.closed_form import closed_form, extent_of, templates
from gensot_demo.experiments.navigation.crossings import crossings
from gensot_demo.experiments.navigation.request import ProtocolRequest
from gensot_demo.experiments.navigation.spread import spread_of
from gensot_demo.transport import diagnostics
from gensot_demo.transport.guides import guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.targets import named_target


@pytest.mark.parametrize(
    ("shape", "stiffness", "temperature", "total", "guiding", "kinetic"),
    [
        ("none", 5, 1.0, 13.672, 6.097, 7.575),
        ("straight", 20, 1.0, 10.826, 3.312, 7.514),
        ("S", 20, 1.0, 18.305, 8.324, 9.981),
        ("V", 5, 1.0, 8.985, 2.203, 6.782),
        ("S", 20, 0.3, 31.350, 11.908, 19.442),
    ],
)
def test_reference_costs(shape, stiffness, temperature, total, guiding, kinetic):
    """docs/FORMULAS.md 1.4, rounded to three decimals."""
    costs = closed_form(ProtocolRequest(shape=shape, stiffness=stiffness, temperature=temperature)).costs
    assert costs.total == pytest.approx(total, abs=1.1e-3)
    assert costs.guiding == pytest.approx(guiding, abs=1.1e-3)
    assert costs.kinetic == pytest.approx(kinetic, abs=1.1e-3)


@pytest.mark.parametrize("product", [5.0, 20.0, 100.0])
def test_an_s_is_followed_with_the_gain_of_the_harmonic_mean(product):
    """m'' = B (m - nu) has the gain B / (B + 4 pi^2) for a sine; pieces of 1/200 are off by less than 2e-3."""
    for temperature in (0.5, 2.0):
        request = ProtocolRequest(stiffness=product / temperature, temperature=temperature, pieces=200)
        gain = closed_form(request).costs.gain
        assert gain == pytest.approx(product / (product + 4 * math.pi**2), abs=2e-3)


def test_what_the_guide_cannot_change():
    found = templates(ProtocolRequest(stiffness=30, temperature=0.7))
    splits = [costs.splitting for costs in found.values()]
    assert max(splits) - min(splits) < 1e-9
    w = math.sqrt(0.7 * 30)
    widest = float(torch.linalg.eigvalsh(named_target("two_modes").mixture.covariance())[-1])
    exact = 1 - math.atanh(1 / (1 / math.tanh(w) + 0.7 / (w * widest))) / w
    assert splits[0] == pytest.approx(exact, abs=1e-6)
    assert found["straight"].lag < 2e-3  # zero but for the pieces
    assert found["S"].lag > 0.5
    forms = [closed_form(ProtocolRequest(shape=shape)) for shape in ("none", "S", "V frozen")]
    for form in forms:
        assert form.mean[-1] == pytest.approx([3.0, 0.48], abs=1e-6)
        assert form.within[-1] == pytest.approx(0.0, abs=1e-12)
        assert np.allclose(form.order, forms[0].order)


def test_the_curves_add_up_to_the_totals():
    """Guiding cost so far ends at the total, kinetic so far at the direct integral up to .99."""
    for request in (ProtocolRequest(), ProtocolRequest(stiffness=(5, 60), temperature=(0.4, 1.5), shape="V")):
        form = closed_form(request)
        assert form.guiding_so_far[-1] == pytest.approx(form.costs.guiding, rel=1e-2)
        path = HarmonicPath(form.course.protocol)
        until = float(form.course.clock(torch.tensor([0.99], dtype=torch.float64)))
        exact = diagnostics.kinetic_cost_until(path, form.target.mixture, until)
        assert form.kinetic_so_far[-1] == pytest.approx(exact, rel=2e-2)  # up to the middle of its last part
        assert form.kinetic_so_far[-1] < form.costs.kinetic
        t = np.concatenate([[0], form.t_cost, [1]])
        assert np.trapezoid(np.interp(t, form.t_cost, form.adherence), t) == pytest.approx(form.costs.guiding, rel=5e-3)


def test_a_changing_temperature_costs_what_its_parts_say():
    """Where both halves have one temperature, it is that of one number."""
    one = closed_form(ProtocolRequest(temperature=0.6))
    two = closed_form(ProtocolRequest(temperature=(0.6, 0.6)))
    assert vars(one.costs) == vars(two.costs)
    near = closed_form(ProtocolRequest(temperature=(0.6, 0.6 + 1e-9)))
    assert near.costs.total == pytest.approx(one.costs.total, abs=1e-6)
    assert near.gradient[:90] == pytest.approx(one.gradient[:90], abs=1e-4)
    assert near.drift_effort[-1] == pytest.approx(one.drift_effort[-1], rel=1e-5)


@pytest.mark.parametrize("name", ["two_modes", "three_modes", "ring", "moons"])
def test_the_table_of_a_target_is_its_posterior_variance(name):
    """Against the average at every level, whose error is below 3e-5; lattices of many components to a hundredth."""
    target = named_target(name)
    points = HarmonicPath(guided_protocol("S", 20.0, target.mixture.mean())).at(
        torch.tensor([0.1, 0.4, 0.6, 0.8, 0.95, 0.99], dtype=torch.float64)
    )
    few = len(target.mixture.means) <= 12
    exact = diagnostics.posterior_variance(points, target.mixture, 31 if few else 11)
    found = spread_of(target).mmse(points.log_K)
    assert float((found / exact - 1).abs().max()) < (5e-3 if few else 1e-2)
    if few:
        assert spread_of(target).entropy == pytest.approx(diagnostics.entropy(target.mixture), abs=1e-6)


def test_the_posterior_variance_of_one_gaussian_is_exact():
    form = ProtocolRequest(target="modes", modes=((1, 1, 0.5, 1),))
    target, _ = form.law()
    log_K = torch.linspace(-8, 10, 19, dtype=torch.float64)
    exact = 2 / (log_K.exp() + 1 / 0.25)
    assert torch.allclose(spread_of(target).mmse(log_K), exact, rtol=1e-6)


def test_a_guide_that_crosses_itself_is_fine_and_said_so():
    loop = ((0, 0), (2, 2), (2, -1), (0, 1.5), (3, 0.5))
    form = closed_form(ProtocolRequest(shape="curve", guide=loop, pieces=60))
    assert any("crosses itself" in note and "fine" in note for note in form.notes)
    assert not closed_form(ProtocolRequest()).notes
    assert crossings(np.array([[0.0, 0], [1, 1], [1, 0], [0, 1]])) == pytest.approx(np.array([[0.5, 0.5]]))
    assert len(crossings(np.array([[0.0, 0], [1, 1], [1, 1], [0, 0]]))) == 0  # there and back


def test_frame_holds_all_and_findings_have_numbers():
    request = ProtocolRequest(shape="V", amplitude=4, stiffness=200)
    form = closed_form(request)
    x0, x1, y0, y1 = extent_of(form)
    assert x0 <= form.guide[:, 0].min()
    assert form.guide[:, 0].max() <= x1
    assert y0 <= form.guide[:, 1].min()
    assert form.guide[:, 1].max() <= y1
    lines = findings(request, templates(request), {"upper": 0.7})
    assert len(lines) == 4
    assert f"{100 * 200 / (200 + 4 * math.pi**2):.1f} %" in lines[3]


def test_a_straight_guide_leaves_the_mean_behind_only_where_the_temperature_changes():
    """On the clock s the mean of a guide x_in + s v is straight; at constant speed in t it is not."""
    stiff = ProtocolRequest(shape="straight", stiffness=(5, 80), pieces=200)
    assert closed_form(stiff).costs.lag < 2e-3
    changing = ProtocolRequest(shape="straight", temperature=(0.3, 2), pieces=20)
    found = templates(changing)
    assert found["straight"].lag > 0.1
    assert "temperature is not constant" in findings(changing, found, {})[0]
    end = changing.law()[0].mixture.mean()
    course = changing.course(end)
    middles = course.clock(0.5 * (course.times[:-1] + course.times[1:]))
    middles[0], middles[-1] = 0.0, 1.0
    same = ProtocolRequest(
        shape="pieces", guide=tuple(map(tuple, (middles[:, None] * end).tolist())), temperature=(0.3, 2)
    )
    assert closed_form(same).costs.lag < 0.02  # the bend of the clock falls between two middles


def test_the_templates_keep_the_times_of_an_imported_protocol():
    """The splitting time is set by stiffness in time: that of the page, under every guide."""
    request = ProtocolRequest(
        shape="pieces", pieces=4, guide=((0.5, 0.0),) * 4, stiffness=(500, 500, 500, 1), times=(0, 0.02, 0.04, 0.06, 1)
    )
    own = closed_form(request).costs.splitting
    for costs in templates(request).values():
        assert costs.splitting == pytest.approx(own, abs=1e-6)
    assert templates(request.model_copy(update={"times": ()}))["straight"].splitting > own + 0.1
