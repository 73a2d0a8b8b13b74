"""Moving references and the measures of films, each against a closed form; requests and their links."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest

from gensot_demo.backbones.emoji import load_collection
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.requests import InvalidRequest, MethodChoice, PictureChoice, parse
from gensot_demo.experiments.sequences.links import from_query, to_query
from gensot_demo.experiments.sequences.measures import apart, steadiness, switches
from gensot_demo.experiments.sequences.motion import along_path, cross_fade, turned_colours
from gensot_demo.experiments.sequences.request import AlongPath, Morph, SequenceRequest, TurningColour
from gensot_demo.experiments.sequences.run import reference_film

RNG = np.random.default_rng(3)


def noise(side: int = 16) -> np.ndarray:
    return RNG.integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_a_cross_fade_is_a_straight_line_at_constant_speed():
    start, end = noise(), noise()
    film = cross_fade(start, end, 9)
    assert film.shape == (9, 16, 16, 3)
    np.testing.assert_array_equal(film[0], start)
    np.testing.assert_array_equal(film[-1], end)
    np.testing.assert_allclose(film[2], 0.75 * start + 0.25 * end.astype(float), atol=0.5)
    found = steadiness(film)
    assert found.excess == pytest.approx(1, abs=2e-3)  # rounding: 1/12 of a squared grey level twice, of about 1400
    assert found.jump == pytest.approx(1, abs=0.01)


def test_a_sketch_stands_where_its_path_says_and_moves_at_constant_speed():
    sketch = np.full((40, 40, 3), 255, np.uint8)
    sketch[8:32, 8:32] = (10, 120, 200)
    corner = [(0.25, 0.25), (0.3, 0.25), (0.75, 0.25), (0.75, 0.75)]  # uneven points, length 1
    film = along_path(sketch, corner, 11, size=0.5)
    ink = 255.0 - film.astype(float).mean(3)
    places = np.arange(40) + 0.5
    x = (ink.sum(1) @ places) / ink.sum((1, 2)) / 40
    y = (ink.sum(2) @ places) / ink.sum((1, 2)) / 40
    along = np.linspace(0, 1, 11)
    np.testing.assert_allclose(x, 0.25 + np.minimum(along, 0.5), atol=2e-3)
    np.testing.assert_allclose(y, 0.25 + np.maximum(along - 0.5, 0), atol=2e-3)
    np.testing.assert_allclose(ink.sum((1, 2)), ink[0].sum(), rtol=2e-3)  # nothing of it is lost on the way


def test_a_sketch_that_moves_by_whole_pixels_is_only_shifted():
    sketch = noise(20)
    film = along_path(sketch, [(0.5, 0.5), (0.5 + 5 / 20, 0.5 - 5 / 20)], 6, size=1.0)
    np.testing.assert_array_equal(film[0], sketch)
    for step in range(6):
        np.testing.assert_array_equal(film[step][: 20 - step, step:], sketch[step:, : 20 - step])
        assert (film[step][20 - step :] == 255).all()


def test_hues_turn_as_the_standard_library_turns_them():
    picture = noise(6)
    for turn, frames in ((-200.0, 5), (360.0, 8)):
        film = turned_colours(picture, turn, frames)
        for number, frame in enumerate(film):
            angle = turn * number / (frames if abs(turn) == 360 else frames - 1)
            for row in range(6):
                hue, saturation, value = colorsys.rgb_to_hsv(*(picture[row, row] / 255))
                wanted = np.array(colorsys.hsv_to_rgb((hue + angle / 360) % 1, saturation, value)) * 255
                np.testing.assert_allclose(frame[row, row], wanted, atol=0.51)


def test_a_third_of_a_turn_changes_places_and_grey_stays():
    grey = np.repeat(RNG.integers(0, 256, (4, 4, 1), dtype=np.uint8), 3, axis=2)
    np.testing.assert_array_equal(turned_colours(grey, 77.0, 3)[-1], grey)
    picture = noise(5)
    np.testing.assert_array_equal(turned_colours(picture, 120.0, 2)[-1], np.roll(picture, 1, axis=2))


def test_measures_of_films_made_by_hand():
    still = np.zeros((4, 2, 2, 3), np.uint8)
    found = steadiness(still)
    assert (found.change, found.energy, found.excess, found.jump) == (0.0, 0.0, None, None)
    steps = still.copy()
    steps[1:] += 10
    steps[3:] += 20  # changes 10, 0, 20
    found = steadiness(steps)
    np.testing.assert_allclose(found.changes, [10, 0, 20])
    assert found.change == pytest.approx(10)
    assert found.energy == pytest.approx(3 * (100 + 0 + 400))
    assert found.least == pytest.approx(900)
    assert found.excess == pytest.approx(1500 / 900)
    assert found.jump == pytest.approx(2)
    leap = still.copy()
    leap[3:] += 50
    assert steadiness(leap).jump == math.inf
    part = still.copy()
    part[1:, 0, 0, 0] = 120  # one number of twelve
    assert steadiness(part).changes[0] == pytest.approx(120 / math.sqrt(12))
    assert apart(still, steps) == pytest.approx(math.sqrt((0 + 100 + 100 + 900) / 4))
    assert switches(np.array([4, 4, 2, 4, 4])) == 2


def test_no_film_has_less_energy_than_the_straight_one():
    for _ in range(20):
        assert steadiness(RNG.integers(0, 256, (6, 3, 3, 3), dtype=np.uint8)).excess >= 1


OWN = PictureChoice(png=to_png(noise()))


@pytest.mark.parametrize(
    "request_",
    [
        SequenceRequest(),
        SequenceRequest(motion=Morph(start={"average": "hearts"}, end={"emoji": "dog face"}), frames=24, noise="fresh"),
        SequenceRequest(motion=AlongPath(points=((0.1, 0.2), (0.123456, 1.0)), size=0.4), memory="guide"),
        SequenceRequest(
            motion=TurningColour(turn=-90.0),
            backbone="collection",
            memory="reference",
            trust=2.5,
            steps=8,
            view_noise=6.5,
            sampler="euler",
            path="vp",
            seed=11,
            methods=(MethodChoice(name="gensot", settings={"stiffness": 200.0}), MethodChoice(name="dps")),
        ),
    ],
)
def test_a_link_brings_the_request_back(request_):
    text, notes = to_query(request_)
    assert notes == []
    assert from_query(text) == (request_, [])


def test_an_own_picture_does_not_travel_and_the_link_says_so():
    text, notes = to_query(SequenceRequest(motion=TurningColour(picture=OWN)))
    assert notes == ["The drawn or uploaded picture is not part of the link."]
    found, said = from_query(text)
    assert found.motion == TurningColour()
    assert "another one stands in" in said[0]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("frames=7", "Frames is '7'; it must be a whole number from 8 to 24."),
        ("frames=many", "a whole number from 8 to 24"),
        ("motion=spin", "Motion is 'spin'; it must be one of morph, path, colour."),
        ("motion=path&points=", "the path has 0 points; it needs 2 or more"),
        ("motion=path&points=0.1,0.2", "the path has 1 points; it needs 2 or more"),
        ("motion=path&points=0.1,0.2;1.5,0.3", "the path passes (1.5, 0.3), outside the picture"),
        ("motion=path&points=0.1,0.2;nan,0.3", "finite number"),
        ("motion=path&points=up", "Points are 'up'; they must be pairs of numbers"),
        ("motion=path&size=3", "Size is '3'; it must be a number from 0.2 to 1."),
        ("motion=colour&turn=0", "turn is 0, which turns nothing"),
        ("motion=colour&turn=700", "Turn is '700'; it must be a number from -360 to 360."),
        ("noise=some", "Noise is 'some'; it must be 'shared' or 'fresh'."),
        ("sampler=best", "sampler 'best' is unknown"),
        ("method=dps&method=dps", "a method is chosen twice"),
        ("method=magic", "method 'magic' is unknown"),
        ("memory=reference&trust=9", "Trust is '9'; it must be a number above 0 to 5."),
        ("noise=fresh&seed=2147483640", "the last frame's seed must not exceed"),
    ],
)
def test_bad_input_names_value_and_range(query, sentence):
    with pytest.raises(InvalidRequest) as refused:
        from_query(query)
    assert sentence in str(refused.value)


def test_what_a_link_does_not_know_is_ignored_with_a_note():
    found, notes = from_query("from=cat face&turn=90&colour=red")
    assert found.motion.start.emoji == "cat face"
    assert len(notes) == 2


def test_no_method_is_refused():
    with pytest.raises(InvalidRequest, match="no method is chosen"):
        parse(SequenceRequest, methods=[])


def _dot() -> PictureChoice:
    """A small spot below the middle of white."""
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[44:52, 44:52] = 0
    return PictureChoice(png=to_png(pixels))


@pytest.mark.parametrize(
    ("motion", "sentence"),
    [
        (Morph(start={"emoji": "unicorn of doom"}), "no such picture"),
        (TurningColour(picture={"average": "nonsense"}), "is unknown"),
        (TurningColour(picture={"png": to_png(np.full((9, 9, 3), 255, np.uint8))}), "The picture is empty"),
        (AlongPath(picture=_dot(), points=((0.5, 0.5), (1, 1))), "Frame 10 .*the path leads the sketch out of sight"),
    ],
)
def test_a_reference_that_cannot_be_made_says_why(motion, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        reference_film(SequenceRequest(motion=motion), 32)


def test_references_are_made_of_the_collection_at_the_models_side():
    film = reference_film(SequenceRequest(frames=8), 32)
    collection = load_collection(32)
    np.testing.assert_array_equal(film[0], collection.pictures[collection.index_of("grinning face")])
    assert film.shape == (8, 32, 32, 3)


def test_seeds_are_one_or_one_after_the_other():
    assert SequenceRequest(frames=8, seed=5).seeds == (5,) * 8
    assert SequenceRequest(frames=8, seed=5, noise="fresh").seeds == tuple(range(5, 13))


def test_a_trust_that_plays_no_part_is_left_out():
    assert SequenceRequest(trust=3.0) == SequenceRequest()
