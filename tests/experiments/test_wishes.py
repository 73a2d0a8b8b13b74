"""Measurements and rewards: against loops over pixels, against their adjoint, and as laws over known pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image

from gensot_demo.backbones.base import from_uint8
from gensot_demo.backbones.embedded import load_truth_backbone
from gensot_demo.backbones.errors import UnknownCondition
from gensot_demo.backbones.pictures import load_picture_backbone
from gensot_demo.experiments.asking import ask_for
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.measurements import DecodedView, DiagonalView, measurement_of, misfit
from gensot_demo.experiments.requests import (
    CompareRequest,
    ConditionChoice,
    InvalidRequest,
    MethodChoice,
    PictureChoice,
    ReferenceChoice,
    RestoreChoice,
    RewardChoice,
)
from gensot_demo.experiments.wishes import restoring, rewarding
from gensot_demo.guidance.wish import LinearView

KINDS = ("mask", "super_resolution", "blur", "colourise")
SIDE = 32
MASKS = ("centre", "left half", "random pixels")


def random_pixels(count: int, side: int = SIDE, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def painted(hidden: np.ndarray) -> bytes:
    return to_png(np.repeat((255 * hidden.astype(np.uint8))[..., None], 3, axis=2))


@pytest.fixture(scope="module")
def truth():
    return load_truth_backbone()


def picture(backbone, name: str = "cat face") -> np.ndarray:
    index = backbone.names.index(name)
    return backbone.pictures(backbone.oracle.points[index : index + 1])[0]


# --- measurements ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_hands_over_what_is_in_sight(mask):
    measured = measurement_of(RestoreChoice(mask=mask), 12, seed=5)
    marks = torch.arange(144.0).reshape(1, 1, 12, 12).expand(1, 3, 12, 12)
    seen = set(measured.measure(marks)[0].reshape(3, -1)[0].long().tolist())
    for row in range(12):
        for column in range(12):
            if mask == "centre":
                assert (12 * row + column in seen) == (not (3 <= row < 9 and 3 <= column < 9))
            elif mask == "left half":
                assert (12 * row + column in seen) == (column >= 6)
    if mask == "random pixels":
        assert 0.1 < len(seen) / 144 < 0.4
        again = measurement_of(RestoreChoice(mask=mask), 12, seed=6).measure(marks)[0].reshape(3, -1)[0]
        assert set(again.long().tolist()) != seen
    shown = measured.show(measured.measure(marks)[0])
    assert shown.shape == (3, 12, 12)
    for row in range(12):
        for column in range(12):
            place = 12 * row + column
            assert float(shown[1, row, column]) == (place if place in seen else 0)


def test_a_drawn_mask_hides_what_is_painted_at_any_size():
    hidden = np.zeros((64, 64), bool)
    hidden[:16] = True
    measured = measurement_of(RestoreChoice(mask_png=painted(hidden)), 16, seed=0)
    pixels = random_pixels(2, 16)
    torch.testing.assert_close(measured.measure(pixels), pixels[:, :, 4:].flatten(1))


def test_super_resolution_sees_averages_of_four_by_four():
    pixels = random_pixels(2)
    measured = measurement_of(RestoreChoice(kind="super_resolution"), SIDE, 0)
    seen = measured.measure(pixels).reshape(2, 3, 8, 8)
    for row in range(8):
        for column in range(8):
            block = pixels[:, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            torch.testing.assert_close(seen[:, :, row, column], block.mean((2, 3)))
    assert float(measured.show(seen[0].flatten())[0, 5, 9]) == float(seen[0, 0, 1, 2])
    assert measurement_of(RestoreChoice(kind="super_resolution"), 10, 0).measure(random_pixels(1, 10)).shape == (1, 27)


def test_a_blur_is_a_gaussian_average():
    pixels = random_pixels(1, 16)
    measured = measurement_of(RestoreChoice(kind="blur"), 16, 0)
    seen = measured.show(measured.measure(pixels)[0])
    width = 16 / 16
    for row, column in ((0, 0), (7, 9), (15, 3)):
        total, weights = torch.zeros(3, dtype=torch.float64), 0.0
        for i in range(16):
            for j in range(16):
                w = math.exp(-((i - row) ** 2 + (j - column) ** 2) / (2 * width**2))
                total, weights = total + w * pixels[0, :, i, j], weights + w
        torch.testing.assert_close(seen[:, row, column], total / weights)


def test_grey_is_what_pillow_calls_grey(truth):
    shown = picture(truth)
    measured = measurement_of(RestoreChoice(kind="colourise"), SIDE, 0)
    seen = measured.measure(from_uint8(shown[None]))[0].reshape(SIDE, SIDE)
    expected = np.asarray(Image.fromarray(shown).convert("L")).astype(float)
    np.testing.assert_allclose((seen.numpy() + 1) * 127.5, expected, atol=0.6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_adjoint_is_the_adjoint(truth, kind):
    """<A y, v> = <y, A' v> for the measurement as an operator on states."""
    view, _ = restoring(RestoreChoice(kind=kind), picture(truth), truth, 3)
    assert isinstance(view, LinearView)
    y = torch.randn(4, truth.dimension, generator=torch.Generator().manual_seed(1))
    v = torch.randn(4, len(view.observed), generator=torch.Generator().manual_seed(2))
    offset = view.measure(torch.zeros_like(y))
    left = ((view.measure(y) - offset).double() * v).sum(1)
    right = (y.double() * view.adjoint(v)).sum(1)
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_solution_is_the_slow_one(truth, kind):
    view, _ = restoring(RestoreChoice(kind=kind, noise=0.3), picture(truth), truth, 3)
    assert isinstance(view, DiagonalView)
    v = torch.randn(2, len(view.observed), generator=torch.Generator().manual_seed(2))
    for variance, noise in ((0.1, None), (1.0, 0.5)):
        slow = LinearView.solve(view, v, variance, noise)
        torch.testing.assert_close(view.solve(v, variance, noise), slow, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_projected_state_has_the_measurement_and_is_no_wilder_than_the_noise(truth, kind):
    view, _ = restoring(RestoreChoice(kind=kind, noise=0.1), picture(truth), truth, 3)
    y = truth.oracle.points[3:5]
    projected = view.projected(y, view.observed)
    missing = view.residual(projected)
    told = (view.gains >= 0.1**2).expand(len(view.observed))
    assert float(missing[:, told].abs().max()) < 1e-3
    assert float(projected.abs().max()) < 8  # of pixels from -1 to 1, with noise of at most 1 added
    torch.testing.assert_close(view.projected(projected, view.observed), projected, rtol=0, atol=1e-3)
    if kind != "blur":  # nothing is too faint there: the base class must agree
        torch.testing.assert_close(projected, LinearView.projected(view, y, view.observed), rtol=0, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_in_a_span_is_turned_without_changing_the_law(kind):
    """The collection has fewer coordinates than pixels; what differs is a constant that no state can change."""
    collection = load_picture_backbone(32)
    choice = RestoreChoice(kind=kind, noise=0.3)
    shown = collection.collection.pictures[5]
    turned, _ = restoring(choice, shown, collection, 3)
    assert isinstance(turned, DiagonalView)
    assert len(turned.observed) <= collection.oracle.dimension
    measured = measurement_of(choice, 32, 3)
    eps = torch.from_numpy(
        np.random.default_rng([3, 1]).standard_normal(len(measured.measure(from_uint8(shown[None]))[0]))
    )
    observed = measured.measure(from_uint8(shown[None]))[0] + 0.3 * eps.float()
    plain = LinearView(lambda y: measured.measure(collection.pixels(y)), observed, 0.3, collection.oracle.dimension)
    y = collection.oracle.points[:40]
    difference = turned.reward(y).double() - plain.reward(y)
    assert float(difference.std()) < 2e-3 * float(plain.reward(y).double().std())
    few = torch.randn(2, collection.oracle.dimension, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(turned.gradient(few), plain.gradient(few), rtol=1e-2, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_explains_its_measurement_and_others_do_not(truth, kind):
    view, shown = restoring(RestoreChoice(kind=kind, noise=0.1), picture(truth), truth, 3)
    fits = misfit(view, truth.oracle.points)
    assert truth.names[int(fits.argmin())] == "cat face"
    assert float(fits.min()) == pytest.approx(1, abs=0.1)
    assert float(fits.median()) > 3
    assert shown.shape == (SIDE, SIDE, 3)
    assert shown.dtype == np.uint8


def test_the_measurements_noise_follows_from_the_seed_and_has_the_size_asked_for(truth):
    def observed(seed: int, noise: float) -> torch.Tensor:
        return restoring(RestoreChoice(kind="blur", noise=noise), picture(truth), truth, seed)[0].observed

    assert torch.equal(observed(3, 0.2), observed(3, 0.2))
    assert not torch.equal(observed(3, 0.2), observed(4, 0.2))
    assert float((observed(3, 0.4) - observed(3, 0.2)).std()) == pytest.approx(0.2, rel=0.05)


def test_behind_an_autoencoder_the_reward_is_the_same_without_a_closed_form(truth, monkeypatch):
    choice = RestoreChoice(kind="super_resolution")
    linear, _ = restoring(choice, picture(truth), truth, 3)
    monkeypatch.setattr(type(truth), "linear", False)
    plain, _ = restoring(choice, picture(truth), truth, 3)
    assert isinstance(plain, DecodedView)
    y = truth.oracle.points[:5]
    torch.testing.assert_close(plain.reward(y), linear.reward(y))
    torch.testing.assert_close(plain.gradient(y), linear.gradient(y), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (np.zeros((8, 8), bool), ["hides none", "32 x 32"]),
        (np.ones((8, 8), bool), ["hides all", "leave some in sight"]),
    ],
)
def test_a_mask_that_hides_nothing_or_everything_is_refused(truth, hidden, words):
    with pytest.raises(InvalidRequest) as refused:
        ask_for(CompareRequest(backbone="truth", restore=RestoreChoice(mask_png=painted(hidden))), truth)
    for word in words:
        assert word in str(refused.value)


def test_a_broken_mask_and_an_unknown_picture_are_refused_in_a_sentence(truth):
    with pytest.raises(InvalidRequest, match="not a picture that can be read"):
        ask_for(CompareRequest(restore=RestoreChoice(mask_png=b"no")), truth)
    with pytest.raises(InvalidRequest, match=r"Picture to restore: .*'grining face'"):
        ask_for(CompareRequest(restore=RestoreChoice(picture=PictureChoice(emoji="grining face"))), truth)


# --- rewards ---------------------------------------------------------------------------------------------------------


def quantities(pixels: np.ndarray) -> dict[str, float]:
    """Of one picture (32, 32, 3) of grey levels, by loops."""
    total, away, colour = 0.0, 0.0, np.zeros(3)
    for row in range(SIDE):
        for column in range(SIDE):
            for channel in range(3):
                here = pixels[row, column, channel]
                total += here
                away += (here - pixels[row, SIDE - 1 - column, channel]) ** 2
                colour[channel] += here
    count = 3 * SIDE * SIDE
    distance = colour / SIDE**2 - np.array([0x10, 0x80, 0xF0])
    return {
        "brightness": total / count,
        "symmetry": -math.sqrt(away / count),
        "colour": -math.sqrt((distance**2).mean()),
    }


@pytest.mark.parametrize("kind", ["brightness", "symmetry", "colour"])
def test_a_reward_counts_tens_of_grey_levels(truth, kind):
    wish = rewarding(RewardChoice(kind=kind, colour="#1080f0", amount=3.0), truth)
    expected = quantities(picture(truth).astype(float))[kind]
    states = truth.encode(picture(truth)[None])
    assert float(wish.reward(states)[0]) == pytest.approx(3.0 * expected / 10, abs=1e-3)
    assert float(wish.quantity.value(states)[0]) == pytest.approx(abs(expected), abs=0.01)
    assert wish.sentence
    opposite = rewarding(RewardChoice(kind=kind, colour="#1080f0", amount=-3.0), truth)
    torch.testing.assert_close(opposite.reward(states), -wish.reward(states))


@pytest.mark.parametrize("kind", ["brightness", "symmetry", "colour"])
def test_a_rewards_gradient_is_its_slope_and_finite_everywhere(truth, kind):
    wish = rewarding(RewardChoice(kind=kind), truth)
    generator = torch.Generator().manual_seed(4)
    y, direction = torch.rand(2, 2, truth.dimension, generator=generator, dtype=torch.float64)
    step = 1e-4
    slope = (wish.reward(y + step * direction) - wish.reward(y - step * direction)) / (2 * step)
    torch.testing.assert_close((wish.gradient(y) * direction).sum(1), slope, rtol=1e-4, atol=1e-6)
    assert bool(torch.isfinite(wish.gradient(torch.zeros(1, truth.dimension))).all())  # symmetric: no slope at the top


def test_a_class_is_rewarded_by_the_models_own_classifier(truth, monkeypatch):
    def classifier(conditions):
        (member,) = conditions
        share = torch.softmax(truth.oracle.log_prior + member, 0)

        def log_probability(x, a, m):
            assert (a, m) == (1.0, 0.05)
            return (x.double() @ (share @ truth.oracle.points.double()))[None]

        return log_probability

    choice = RewardChoice(kind="class", target="hearts", amount=2.0)
    with monkeypatch.context() as patch:
        patch.setattr(type(truth), "classifier", None, raising=False)
        with pytest.raises(InvalidRequest, match="has no classifier"):
            rewarding(choice, truth)
    monkeypatch.setattr(type(truth), "classifier", staticmethod(classifier), raising=False)
    wish = rewarding(choice, truth)
    y = truth.oracle.points[:3]
    torch.testing.assert_close(wish.reward(y), 2 * wish.quantity.value(y))
    with pytest.raises(UnknownCondition):
        rewarding(RewardChoice(kind="class", target="zebras"), truth)
    with pytest.raises(InvalidRequest, match=r"Reward: Class 'zebras' is unknown"):
        ask_for(CompareRequest(reward=RewardChoice(kind="class", target="zebras")), truth)
    asked = ask_for(CompareRequest(conditions=(ConditionChoice(name="hearts"),)), truth)
    assert asked.task.classifier is not None


# --- laws and success ------------------------------------------------------------------------------------------------


def test_the_exact_law_is_tilted_by_the_reward(truth):
    asked = ask_for(CompareRequest(backbone="truth", reward=RewardChoice(amount=-1.5)), truth)
    grey = np.array([p.astype(float).mean() for p in truth.pictures(truth.oracle.points)])
    expected = np.exp(truth.oracle.log_prior.numpy().astype(float) - 1.5 * grey / 10)
    np.testing.assert_allclose(asked.law, expected / expected.sum(), rtol=2e-3, atol=1e-12)


def test_conditions_go_with_a_picture_to_restore(truth):
    both = CompareRequest(
        backbone="truth", conditions=(ConditionChoice(name="hearts"),), strength=1.0, restore=RestoreChoice(noise=1.0)
    )
    alone = both.model_copy(update={"conditions": ()})
    joint, free = ask_for(both, truth).law, ask_for(alone, truth).law
    likelihood = np.exp(truth.condition("hearts").numpy())
    np.testing.assert_allclose(joint, free * likelihood / (free * likelihood).sum(), rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_the_collection_knows_what_was_measured(kind):
    collection = load_picture_backbone(32)
    request = CompareRequest(resolution=32, restore=RestoreChoice(kind=kind))
    law = ask_for(request, collection).law
    assert collection.names[int(law.argmax())] == "cat face"


METHODS = tuple(MethodChoice(name=name) for name in ("unguided", "gensot"))


def finished(**asked):
    *updates, result = compare(
        CompareRequest(**{"backbone": "truth", "steps": 10, "samples": 3, "methods": METHODS, **asked})
    )
    return updates, result


def test_success_of_following_is_the_distance_on_the_wall():
    references = (ReferenceChoice(emoji="clown face", trust=1.0), ReferenceChoice(emoji="cat face", trust=3.0))
    _, result = finished(references=references, view_noise=2.0)
    goal = (result.asked.references[0] * 1.0 + result.asked.references[1] * 3.0) / 4
    for part in result.methods.values():
        (found,) = part.success
        away = [math.sqrt(((shown - goal) ** 2).mean()) for shown in part.pictures.astype(float)]
        assert found.values == pytest.approx(away)
        assert found.value == pytest.approx(np.mean(away))
        assert found.error == pytest.approx(np.std(away, ddof=1) / math.sqrt(3))
        assert found.unit == "grey levels"
    assert result.methods["gensot"].success[0].value < result.methods["unguided"].success[0].value


def test_success_of_restoring_is_the_truth_and_the_misfit():
    updates, result = finished(restore=RestoreChoice(kind="super_resolution"))
    assert updates[0].asked.observed is not None
    assert result.asked.task.wish is None  # a kept run holds nothing that computes
    assert result.asked.truth.shape == result.asked.observed.shape == (SIDE, SIDE, 3)
    distance, fit = result.methods["unguided"].success
    away = [
        math.sqrt(((p - result.asked.truth) ** 2).mean()) for p in result.methods["unguided"].pictures.astype(float)
    ]
    assert distance.values == pytest.approx(away)
    assert all(value > 2 for value in fit.values)  # what was never asked to fit does not


def test_success_of_a_reward_is_the_quantity_itself():
    _, result = finished(reward=RewardChoice())
    (found,) = result.methods["unguided"].success
    grey = [shown.mean() for shown in result.methods["unguided"].pictures.astype(float)]
    assert found.values == pytest.approx(grey, abs=1)
    assert found.label == "Brightness"


def test_conditions_alone_have_no_success_but_the_law():
    _, result = finished(conditions=(ConditionChoice(name="hearts"),))
    assert result.methods["unguided"].success == ()
    assert "unguided" in result.reports
