"""What happened to one sample: numbers against the exact oracle, against brute force, and against the run itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gensot_demo.experiments.compare import CompareResult, compare
from gensot_demo.experiments.inspect import told
from gensot_demo.experiments.inspect.leaving import LEFT
from gensot_demo.experiments.inspect.run import Asking, Inspection, inspect, own_energy
from gensot_demo.experiments.requests import (
    CompareRequest,
    ConditionChoice,
    InvalidRequest,
    MethodChoice,
    ReferenceChoice,
    RestoreChoice,
    RewardChoice,
)

RUNS: dict[str, CompareResult] = {}
SINGLE = 2e-2  # grey levels: the model's answers are in single precision, alone and in a batch


def request(*methods: str | MethodChoice, **changes) -> CompareRequest:
    values = {"steps": 10, "samples": 3, "resolution": 32, "view_noise": 4.0, "strength": 3.0}
    chosen = tuple(one if isinstance(one, MethodChoice) else MethodChoice(name=one) for one in methods)
    return CompareRequest(**{**values, **changes, "methods": chosen})


def conditioned(*methods: str | MethodChoice, **changes) -> CompareResult:
    return run_of(request(*methods, conditions=(ConditionChoice(name="red"),), **changes))


def run_of(asked: CompareRequest) -> CompareResult:
    """Each run once; a request holds settings as dicts, which no cache can hash."""
    key = asked.model_dump_json()
    if key not in RUNS:
        *_, RUNS[key] = compare(asked)
    return RUNS[key]


def story(result: CompareResult, method: str, column: int = 1) -> Inspection:
    *_, last = inspect(result, method, column)
    return last


def rows_of(found: Inspection):
    """(grid point, state (1, d), prediction (1, d)) of each kept moment with noise."""
    part = found.part
    for n, row in enumerate(part.index):
        if float(part.grid.m[row]) > 0:
            yield part.grid.point(row), part.states[n, [found.column]], part.predicted[n, [found.column]]


def grey(result: CompareResult, difference: torch.Tensor) -> float:
    return float(difference.double().norm()) / result.backbone.dimension**0.5 * 127.5


# --- the guidance term ----------------------------------------------------------------------------------------------


def test_without_guidance_there_is_no_term():
    found = story(conditioned("unguided", "cfg"), "unguided")
    assert found.term.size.max() < SINGLE
    assert found.term.silent
    assert np.isnan(found.term.to_end).all()
    assert "Nothing guided this sample" in told.summary(found)


def test_the_term_of_classifier_free_guidance_is_strength_times_the_difference():
    result = conditioned("unguided", "cfg")
    found, oracle = story(result, "cfg"), result.backbone.oracle
    red = result.backbone.condition("red")
    seen = list(rows_of(found))
    assert len(found.term.size) == len(seen) == 10
    end = found.part.states[-1, [1]]
    sizes, cosines = [], []
    for point, x, _ in seen:
        free = oracle.predict(x - point.g, point.a, point.m)
        term = 3.0 * (oracle.predict(x - point.g, point.a, point.m, red) - free)
        sizes.append(grey(result, term))
        cosines.append(float((term * (end - free)).sum() / (term.norm() * (end - free).norm() + 1e-30)))
    assert found.term.size == pytest.approx(sizes, abs=SINGLE, rel=1e-4)
    loud = np.array(sizes) > 1.0
    assert loud.sum() >= 4
    assert found.term.to_end[loud] == pytest.approx(np.array(cosines)[loud], abs=1e-3)


def test_at_strength_zero_there_is_no_term():
    found = story(conditioned("cfg", strength=0.0), "cfg")
    assert found.term.size.max() < SINGLE
    assert found.leaving.final < SINGLE


def test_the_term_of_an_exact_view_is_the_reweighted_oracle_less_the_plain_one():
    """GenSOT asks elsewhere; the term is still that of the very state: against atoms reweighted by the view."""
    result = run_of(request("unguided", "gensot", references=(ReferenceChoice(emoji="🤡"),)))
    found, oracle, task = story(result, "gensot"), result.backbone.oracle, result.asked.task
    view = oracle.gaussian_view(task.view_mean, task.view_precision)
    expected, towards = [], []
    for point, x, _ in rows_of(found):
        free = oracle.predict(x - point.g, point.a, point.m)
        term = view.predict(x - point.g, point.a, point.m) - free
        expected.append(grey(result, term))
        away = task.view_mean - free
        towards.append(float((term * away).sum() / (term.norm() * away.norm())))
    assert found.term.size == pytest.approx(expected, abs=0.05, rel=1e-3)
    loud = np.array(expected) > 1.0
    assert found.term.to_reference[loud] == pytest.approx(np.array(towards)[loud], abs=1e-3)
    assert found.term.to_reference[0] > 0.9  # far from any picture, guidance points at the one that is followed


def test_pictures_of_the_term_are_signed_around_mid_grey():
    result = conditioned("unguided", "cfg")
    found = story(result, "cfg")
    assert found.term.pictures.shape == (len(found.term.moments), 32, 32, 3)
    n = found.term.moments[0]
    change = result.backbone.decode_noise(
        found.part.predicted[[n], 1] - result.backbone.oracle.predict(*_question(found, n))
    ).numpy().reshape(32, 32, 3)  # fmt: skip
    shown = (found.term.pictures[0].astype(float) / 127.5 - 1) * found.term.scale
    inside = np.abs(change * 127.5) < 0.95 * found.term.scale
    assert np.abs(shown - change * 127.5)[inside].max() < 1.5 * found.term.scale / 127.5
    assert (story(result, "unguided").term.pictures == 128).all()


def _question(found: Inspection, n: int):
    point = found.part.grid.point(found.part.index[n])
    return found.part.states[[n], found.column] - point.g, point.a, point.m


def test_a_picture_to_restore_is_a_direction_and_a_reward_is_none():
    restored = run_of(request("ddnm", restore=RestoreChoice(noise=0.1)))
    assert np.isfinite(story(restored, "ddnm").term.to_reference).any()
    rewarded = run_of(request("lgd", reward=RewardChoice(kind="brightness", amount=3.0)))
    assert story(rewarded, "lgd").term.to_reference is None


# --- the unguided path ----------------------------------------------------------------------------------------------


def test_the_unguided_path_is_the_same_whether_the_run_holds_it_or_not():
    held, sampled = (story(conditioned(*names, "cfg"), "cfg").leaving for names in (("unguided",), ()))
    assert not held.sampled
    assert sampled.sampled
    assert sampled.states == pytest.approx(held.states, abs=SINGLE)
    assert sampled.predictions == pytest.approx(held.predictions, abs=SINGLE)
    assert sampled.nearest == held.nearest


@pytest.mark.parametrize("sampler", ["averaged", "bridge", "euler", "deterministic", "heun"])
def test_an_unguided_sample_never_leaves_its_path(sampler):
    """On GenSOT's own path with nothing asked of it, too: z and the noise levels are what two paths share."""
    quiet = (ConditionChoice(name="red", trust=0.0),)
    result = run_of(request("unguided", "gensot", conditions=quiet, sampler=sampler))
    for method in ("unguided", "gensot"):
        found = story(result, method)
        assert found.leaving.states.max() < 0.1
        assert found.leaving.left is None
        assert found.leaving.sampled == (sampler == "euler" and method == "gensot")


def test_the_distance_ends_at_that_of_the_pictures_and_the_marker_is_the_first_above():
    result = conditioned("unguided", "cfg")
    found = story(result, "cfg").leaving
    apart = result.methods["cfg"].states[-1, 1] - result.methods["unguided"].states[-1, 1]
    assert found.final == pytest.approx(grey(result, apart), rel=1e-5)
    assert found.final > 20
    assert (found.states[: found.left] <= LEFT * found.final).all()
    assert found.states[found.left] > LEFT * found.final
    assert 0 < found.left < len(found.states) - 1


@pytest.mark.parametrize("sampler", ["averaged", "euler", "bridge"])
def test_resampled_particles_that_move_unguided_stay_on_the_path_of_their_own_noise(sampler):
    """The strongest check of whose noise a sample has met: its line changes particles, and the path follows it."""
    steering = MethodChoice(name="fk_steering", settings={"particles": 6, "scale": 3.0})
    result = run_of(request(steering, references=(ReferenceChoice(emoji="🤡"),), sampler=sampler))
    population = result.methods["fk_steering"].population
    hops = [len(set(population.slots(column)[1].values())) for column in range(3)]
    assert max(hops) > 1
    found = story(result, "fk_steering", int(np.argmax(hops)))
    assert found.leaving.sampled
    assert found.leaving.states.max() < 0.1
    assert found.term.silent
    assert "only chose among particles" in told.summary(found)


# --- energy, neighbours ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["averaged", "deterministic"])
def test_the_runs_energy_is_the_mean_of_its_samples(sampler):
    result = run_of(request("unguided", "gensot", references=(ReferenceChoice(emoji="🤡"),), sampler=sampler))
    for name, part in result.methods.items():
        own = torch.stack([own_energy(result, name, column).kinetic for column in range(3)])
        torch.testing.assert_close(own.mean(0), part.energy.kinetic)
        assert own.std() > 0
    assert set(story(result, "gensot").energies) == {"unguided", "gensot"}


def test_the_nearest_are_the_nearest():
    result = conditioned("unguided", "cfg")
    near, backbone = story(result, "unguided").neighbours, result.backbone
    pixels = backbone.collection.pictures.reshape(len(backbone.names), -1).astype(float)
    mine = result.methods["unguided"].pictures[1].reshape(-1).astype(float)
    away = np.sqrt(((pixels - mine) ** 2).mean(1))
    order = np.argsort(away, kind="stable")[:5]
    assert near.names == tuple(backbone.names[n] for n in order)
    assert near.distances == pytest.approx(away[order], abs=0.6)  # a picture's pixels are whole grey levels
    assert np.abs(near.pictures.astype(int) - backbone.collection.pictures[order].astype(int)).max() <= 1
    few = np.random.default_rng(0).choice(len(pixels), 40, replace=False)
    between = [np.sqrt(((pixels - pixels[n]) ** 2).mean(1)) for n in few]
    own = [np.partition(one, 1)[1] for one in between]
    assert np.quantile(own, 0.15) < near.spacing < np.quantile(own, 0.85)  # a median of 40: 4 standard errors each way
    assert near.copied


# --- what is asked for, and what is not there ------------------------------------------------------------------------


def test_it_comes_in_the_order_of_what_is_known_and_changes_nothing():
    result = conditioned("unguided", "cfg")
    part = result.methods["cfg"]
    before = part.states.clone(), part.predicted.clone(), part.pictures.copy()
    first, *between, last = inspect(result, "cfg", 0)
    assert first.term is None
    assert first.neighbours is not None
    assert told.summary(first) == ""
    assert all(isinstance(moment, Asking) for moment in between)
    assert [moment.done for moment in between] == sorted(moment.done for moment in between)
    assert last.complete
    assert last.genealogy is None
    assert torch.equal(before[0], part.states)
    assert torch.equal(before[1], part.predicted)
    assert np.array_equal(before[2], part.pictures)


@pytest.mark.parametrize(("method", "column"), [("cfg", 3), ("cfg", -1), ("nobody", 0)])
def test_a_sample_that_is_not_there_is_refused(method, column):
    with pytest.raises(InvalidRequest, match="There is no sample"):
        next(inspect(conditioned("unguided", "cfg"), method, column))


def test_the_network_is_told_from_its_training_pictures():
    result = run_of(
        request("unguided", "gensot", backbone="network", references=(ReferenceChoice(average="faces"),), steps=6)
    )
    found = story(result, "gensot")
    assert found.term.size.max() > 5
    assert found.leaving.final > 5
    assert len(found.neighbours.names) == 5
    assert "known pictures" in told.about_neighbours(found)
    assert told.summary(found).startswith("GenSOT pushed hardest at noise level")
