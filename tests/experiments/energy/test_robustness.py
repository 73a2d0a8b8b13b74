"""What a wrong start costs: requests and links, the line, the plane and its rotation, trials, pictures."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gensot_demo.experiments.energy.robustness import (
    LAWS,
    RobustnessRequest,
    law_on_line,
    line_flow,
    on_line,
    schedules_of,
)
from gensot_demo.experiments.energy.robustness_cloud import Cloud, angles, in_schedule, times_of
from gensot_demo.experiments.energy.robustness_links import from_query, to_query
from gensot_demo.experiments.energy.robustness_pictures import Standardised, of_pictures
from gensot_demo.experiments.energy.robustness_plane import (
    PARTICLES,
    _euler_end,
    cloud_in_plane,
    in_plane,
    law_in_plane,
    turned,
    turning,
)
from gensot_demo.experiments.energy.speed_accuracy_trials import trials
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.energy_robustness import bounds_figure, rates_figure
from gensot_demo.pages.energy_robustness_report import of_line, of_plane, table, turning_html
from gensot_demo.pages.energy_robustness_report import of_pictures as said_of_pictures
from gensot_demo.transport.one_dimension import normal_quantiles
from gensot_demo.transport.paths import CosinePath
from gensot_demo.transport.speed_accuracy import normalised_weights, weighted_distance


def last(run):
    for moment in run:
        found = moment
    return found


def test_the_page_has_the_reference_case_to_three_digits():
    found = on_line(RobustnessRequest())
    assert found.start_error == pytest.approx(math.e - 1)
    for key, c2, tightness, c1 in (
        ("cosine", 0.1997, 0.437, 0.1057), ("condot", 0.4383, 0.199, 0.2234), ("ot", 0.1440, 0.606, 0.0872),
    ):  # fmt: skip
        one = found.relations[key]
        assert (one.eta, one.c2, one.c1) == pytest.approx((0.0872, c2, c1), abs=6e-5)
        assert one.tightness == pytest.approx(tightness, abs=6e-4)
    assert found.relations["vp"].c2 == pytest.approx(0.3500, abs=6e-5)
    assert found.floor == pytest.approx(found.relations["ot"].c2, rel=1e-5)  # seen from 1e-6 on
    assert "ko" not in found.relations  # defined for variance 1


@pytest.mark.parametrize("law", LAWS)
def test_one_interpolated_flow_serves_every_schedule(law):
    flow = line_flow(law)
    points = schedules_of(flow.law)["condot"].at(flow.t[::60])
    exact = normal_quantiles(flow.law, points, flow.scores[0][::40])
    assert torch.allclose(flow.quantiles["condot"][::60, ::40], exact, atol=2e-4)
    if law != "reference":
        assert law_on_line(law).covariance_trace() == pytest.approx(1)
        found = on_line(RobustnessRequest(law=law)).relations
        cheapest = min((key for key in found if key != "ot"), key=lambda key: found[key].c2)
        assert cheapest == "ko"  # what its name says, among the scalar ones
        assert found["ko"].c2 >= found["ot"].c2


@pytest.mark.parametrize("values", [{"spread": 1.5}, {"start": "modes", "width": 1.5}])
def test_no_overlap_is_explained(values):
    found = on_line(RobustnessRequest(**({"start": "spread"} | values)))
    assert math.isinf(found.start_error)
    assert all(one.eta == 0 for one in found.relations.values())
    assert "infinite" in " ".join(of_line(found))
    assert "nan" not in " ".join(of_line(found))
    assert ("each mode's" if "start" in values else "its") + " standard deviation" in " ".join(of_line(found))
    assert table(found.relations).count("<td>–</td>") == 3 * len(found.relations)  # not 0: there is no response
    assert len(bounds_figure(found.relations, found.floor)["data"]) == 1
    assert not any("Ẇ₁" in trace["name"] for trace in rates_figure(found.relations)["data"])


def test_particles_say_their_own_start_error_and_why_it_is_another():
    request = RobustnessRequest(start="spread", spread=1.5)
    found = last(in_plane(request))
    said = " ".join(of_plane(found))
    assert f"D₀ of these particles is {found.relations['cosine'].start_error:.3g}, that of the laws is infinite" in said
    assert "that of the laws 1.72" in " ".join(of_plane(last(in_plane(RobustnessRequest()))))


def test_sentences_say_which_way_the_error_goes():
    found = on_line(RobustnessRequest())
    assert "shrinks" in " ".join(of_line(found))
    back = {key: replace(one, distance=one.distance.flip(0)) for key, one in found.relations.items()}
    assert "grows" in " ".join(of_line(replace(found, relations=back)))
    assert "% and 0 %" not in " ".join(of_line(on_line(RobustnessRequest(shift=3.0))))


def test_no_flow_here_goes_round_in_circles_and_figures_have_a_key():
    found = on_line(RobustnessRequest(law="three"))
    assert all(one.dissipation == one.c2 for one in found.relations.values())  # one bar for both
    names = [trace["name"] for trace in rates_figure(found.relations)["data"]]
    assert {"solid: dissipation rate", "dotted: |Ẇ₁|²/D₀"} < set(names)


def test_nothing_wrong_is_explained_everywhere():
    request = RobustnessRequest(shift=0.0)
    assert "0/0" in " ".join(of_line(on_line(request)))
    assert "0/0" in " ".join(of_plane(last(in_plane(request))))
    found = last(turning(request.only("target", "euler")))
    assert math.isnan(found.along)
    assert "0/0" in " ".join(said_of_pictures(last(of_pictures(RobustnessRequest(shift=0.0, particles=50, steps=4)))))


def test_links_go_there_and_back():
    request = RobustnessRequest(
        law="three", start="drawn", points=((-1.5, 0.25), (0.5, 2.0)), target="moons", angle=35, turn=1.5, seed=3
    )
    assert from_query(to_query(request)) == (request, [])
    assert to_query(RobustnessRequest()) == "v=1"
    assert RobustnessRequest(start="spread", shift=2.0) == RobustnessRequest(start="spread")  # plays no part
    assert from_query("colour=red")[1] == ["The link's field 'colour' is not known here and was ignored."]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("shift=nan", "Shift is nan; it must be a number from -3 to 3"),
        ("start=spread&spread=9", "it must be a number from 0.2 to 2"),
        ("start=drawn", "the drawn start is empty"),
        ("start=drawn&points=-1,0;1,0", "the drawn start is empty"),
        ("start=drawn&points=0,nan;1,1", "nan"),
        ("start=drawn&points=0,1,2;1,1", "must be two numbers"),
        ("start=late", "there are shift, spread"),
        ("law=none", "there are reference"),
        ("turn=inf", "it must be a number from 0 to 6"),
    ],
)
def test_a_bad_link_says_what_is_wrong(query, said):
    with pytest.raises(InvalidRequest, match=said):
        from_query(query)


def test_schedules_pass_the_same_particles_at_their_own_times():
    theta = angles(6)
    t, rho = times_of(CosinePath(), theta)
    assert torch.allclose(t, torch.linspace(0, 1, 7, dtype=torch.float64), atol=1e-9)
    assert torch.allclose(rho, torch.ones(7, dtype=torch.float64))
    generator = torch.Generator().manual_seed(0)
    cloud = Cloud(theta, torch.randn(7, 30, 2, generator=generator, dtype=torch.float64))
    weights = normalised_weights(torch.rand(30, generator=generator))
    distance = torch.tensor([weighted_distance(x, weights) for x in cloud.states])
    for path in schedules_of(law_in_plane("ring")).values():
        found = in_schedule(path, theta, cloud.moves, distance, weights)
        times, scales = times_of(path, theta)
        moved = (scales[:, None, None] * cloud.states).diff(dim=0).square().sum(2).mean(1)
        assert torch.allclose(found.speed * times.diff() ** 2, moved, rtol=1e-12, atol=0)
        assert found.worst <= 1 + 1e-9
        assert found.change == pytest.approx(float(distance[-1] - distance[0]))


def test_the_plane_holds_the_relation_and_optimal_transport_reaches_the_floor():
    found = last(in_plane(RobustnessRequest(angle=40)))
    assert list(found.relations) == ["cosine", "condot", "vp", "ko", "ot"]
    scalar = [one.eta for key, one in found.relations.items() if key != "ot"]
    assert scalar == pytest.approx([scalar[0]] * 4)  # one endpoint for every scalar schedule
    for one in found.relations.values():
        assert one.worst <= 1 + 1e-9
        assert one.eta <= one.c1 * (1 + 1e-9) <= one.c2 * (1 + 2e-9)
        assert one.c2 >= found.floor * (1 - 1e-9)
    assert found.relations["ot"].c2 == pytest.approx(found.floor)
    # the flow arrives at the law: its second moment is 1 per coordinate, six standard errors
    ends = cloud_in_plane("two_modes").states[-1]
    assert float(ends.square().mean()) == pytest.approx(1, abs=6 / math.sqrt(PARTICLES))


def test_turning_costs_dissipation_and_leaves_the_response_if_the_start_turns_along():
    found = last(turning(RobustnessRequest(turn=2.0, euler=40)))
    extra = found.dissipation - found.dissipation[0]
    assert np.allclose(extra, extra[-1] * (found.turns / found.turns[-1]) ** 2)
    # int E|x|^2 dt = 2 in these units (a^2 + m^2 = 1, two coordinates), by the sample's own second moment
    assert extra[-1] / 36 == pytest.approx(2, abs=0.25)
    assert found.fixed[0] == pytest.approx(found.along)
    plane = last(in_plane(RobustnessRequest())).relations["cosine"]
    assert found.here["still"] == pytest.approx(plane.dissipation)  # one number for one thing
    assert (found.here["along_start"], found.here["along_end"]) == pytest.approx(
        (float(plane.distance[0]), float(plane.distance[-1]))
    )
    assert "times as much" in turning_html(found)
    assert np.abs(found.fixed - found.along).max() > 0.5 * found.along  # the power of "turned along"
    assert found.euler_error[-1] > 3 * found.euler_error[0]
    # rotated along, the exact distances do not change: computed in rotated coordinates throughout
    cloud = cloud_in_plane("two_modes")
    weights = normalised_weights(torch.rand(PARTICLES, generator=torch.Generator().manual_seed(0)))
    for x in cloud.states[::10]:
        assert weighted_distance(turned(x, 1.3), weights) == pytest.approx(weighted_distance(x, weights))


def test_no_rotation_and_much_of_it_are_said_in_plain_numbers():
    still, fast = (turning_html(last(turning(RobustnessRequest(turn=turn, euler=8)))) for turn in (0.0, 6.0))
    assert "No rotation" in still
    assert not any(word in still for word in ("times", "another side", "on top"))
    assert "e+" not in fast


def test_eulers_rotated_steps_converge_to_the_exact_flow():
    end = cloud_in_plane("two_modes").states[-1]
    error = [float((_euler_end("two_modes", 3.0, n) - end).square().mean().sqrt()) for n in (50, 100, 200)]
    assert error[2] < 0.65 * error[1] < 0.65**2 * error[0] * 1.05  # order one


def test_a_thousand_trials_hold_and_wrong_bounds_are_refuted():
    violations, worst = trials(400, seed=5)
    assert violations == 0
    assert worst <= 1 + 1e-9
    assert trials(100, seed=5, shrink=0.25)[0] > 10
    assert trials(100, seed=5, shrink=0.9)[0] > 0


def test_a_broken_relation_would_be_named_wherever_it_is_shown():
    """Power: were a rate of one schedule above its bound, at one time, the sentences would say which schedule."""
    particles = RobustnessRequest(particles=50, steps=4)
    runs = (on_line(RobustnessRequest()), last(in_plane(RobustnessRequest())), last(of_pictures(particles)))
    for result, sentences in zip(runs, (of_line, of_plane, said_of_pictures), strict=True):
        assert "The relation holds" in " ".join(sentences(result))
        condot = result.relations["condot"]
        rate = condot.rate.clone()
        rate[1] = 1.01 * condot.speed[1]
        broken = replace(result, relations=result.relations | {"condot": replace(condot, rate=rate)})
        assert "broken by CondOT:" in " ".join(sentences(broken))


@pytest.mark.parametrize("backbone", ["truth", "collection", "network"])
def test_pictures_hold_the_relation_step_by_step(backbone):
    request = RobustnessRequest(backbone=backbone, particles=50, steps=4)
    moments = list(of_pictures(request))
    assert not moments[0].relations
    assert len(moments) > 5
    found = moments[-1]
    assert found.complete
    assert found.pictures.shape == (8, 32, 32, 3)
    assert found.averages.shape == (2, 32, 32, 3)
    for one in found.relations.values():
        assert one.worst <= 1 + 1e-6  # float32 states
        assert 0 < one.eta <= one.c1 <= one.c2
    said = " ".join(said_of_pictures(found))
    assert all(f"{one.tightness:.2g}" in said for one in found.relations.values())
    assert "holds in all 4 steps of every schedule" in said
    assert "from a normal law with mean 1" in said  # its start, whatever the controls show since
    best = max(found.relations.values(), key=lambda one: one.tightness)
    allowed = math.sqrt(best.start_error * best.duration * best.c2)
    assert f"at most {100 * abs(best.change) / allowed:.3g} % of what the bound allows" in said
    assert any("so far of every schedule" in " ".join(said_of_pictures(moment)) for moment in moments[:-1])


def test_pictures_are_standardised():
    from gensot_demo.backbones.catalogue import CATALOGUE

    atoms = CATALOGUE.load("truth").oracle
    units = Standardised(atoms, atoms)
    shares = atoms.log_prior.exp()
    y = (atoms.points - units.mean) / units.scale
    assert float(shares @ y.square().mean(1)) == pytest.approx(1, rel=1e-4)
    assert float((shares @ y).abs().max()) < 1e-4
    # the leading direction has the largest variance: more than that of any of ten random ones
    along = float(shares @ (y @ units.direction).square())
    other = torch.randn(y.shape[1], 10, generator=torch.Generator().manual_seed(1))
    other = other / torch.linalg.vector_norm(other, dim=0)
    assert along > 5 * float((shares @ (y @ other).square()).max())


def test_requests_refuse_in_sentences():
    with pytest.raises(InvalidRequest, match="Particles is 5000; it must be a whole number from 50 to 400"):
        parse(RobustnessRequest, particles=5000)
