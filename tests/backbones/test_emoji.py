"""The embedded picture collection and its conditions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gensot_demo.backbones.emoji import Condition, EmptyCondition, combine, effective_number, load_collection
from gensot_demo.backbones.emoji_conditions import FLOOR, mirror_difference, oklab, roundness, silhouettes

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets" / "emoji"

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey", "white")
ATTRIBUTES = (*COLOURS, "bright", "dark", "round", "symmetric", "colourful")


@pytest.fixture(scope="module")
def collection():
    return load_collection(64)


@pytest.fixture(scope="module")
def conditions(collection):
    return collection.conditions()


@pytest.fixture
def render_emoji(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import training.render_emoji

    return training.render_emoji


def rank(condition: Condition, index: int) -> int:
    """0 for the picture of largest weight."""
    return int((condition.weights > condition.weights[index]).sum())


# --- files ----------------------------------------------------------------------------------------------------------


def test_every_file_is_below_ten_megabytes():
    sizes = {path.name: path.stat().st_size for path in ASSETS.iterdir()}
    assert max(sizes.values()) < 10_000_000, sizes


@pytest.mark.parametrize(
    ("file", "phrases"),
    [
        (
            "LICENSE-OFL-1.1.txt",
            ("LICENSE Version 1.1", "PERMISSION & CONDITIONS", "TERMINATION", "DISCLAIMER", "Google"),
        ),
        (
            "LICENSE-Apache-2.0.txt",
            ("Apache License", "Version 2.0, January 2004", "9. Accepting Warranty", "END OF TERMS AND CONDITIONS"),
        ),
        (
            "LICENSE-Unicode-DFS-2016.txt",
            ("NOTICE TO USER", "COPYRIGHT AND PERMISSION NOTICE", "Unicode, Inc.", "name of a copyright holder"),
        ),
        ("README.md", ("training.render_emoji", "2.042", "CLDR 41", "Emoji 15.0")),
    ],
)
def test_licences_and_origin_are_shipped_whole(file, phrases):
    text = (ASSETS / file).read_text(encoding="utf-8")
    assert [phrase for phrase in phrases if phrase not in text] == []


def test_readme_states_the_number_of_pictures(collection):
    assert f"{len(collection)} pictures" in (ASSETS / "README.md").read_text(encoding="utf-8")


# --- collection -----------------------------------------------------------------------------------------------------


def test_counts(collection):
    entries = json.loads((ASSETS / "emoji.json").read_text(encoding="utf-8"))
    assert len(collection) == len(entries) == 1861
    assert len(entries) + sum(len(entry["aliases"]) for entry in entries) == 1870
    assert collection.pictures.shape == (1861, 64, 64, 3)
    assert collection.pictures.dtype == np.uint8
    assert {
        len(field) for field in (collection.names, collection.characters, collection.groups, collection.keywords)
    } == {1861}


def test_names_and_characters_are_unique_and_without_skin_tones(collection):
    assert len(set(collection.names)) == len(set(collection.characters)) == len(collection)
    assert not [c for c in collection.characters if any(0x1F3FB <= ord(part) <= 0x1F3FF for part in c)]


def test_pictures_are_those_of_the_sheets_in_the_order_of_the_json(collection):
    entries = json.loads((ASSETS / "emoji.json").read_text(encoding="utf-8"))
    place = 0
    for sheet in sorted(ASSETS.glob("sheet-64-*.png")):
        image = Image.open(sheet).convert("RGB")
        columns, rows = image.width // 64, image.height // 64
        for k in range(0, min(rows * columns, len(entries) - place), 97):
            left, top = 64 * (k % columns), 64 * (k // columns)
            expected = np.asarray(image.crop((left, top, left + 64, top + 64)))
            np.testing.assert_array_equal(collection.pictures[place + k], expected)
            assert collection.names[place + k] == entries[place + k]["name"]
        place += rows * columns
    assert place >= len(entries)


def test_no_picture_is_blank_or_equal_to_another(collection):
    assert (collection.pictures < 128).any(axis=(1, 2, 3)).mean() > 0.95
    assert (collection.pictures < 250).any(axis=(1, 2, 3)).all()
    assert len({picture.tobytes() for picture in collection.pictures}) == len(collection)


def test_known_pictures_show_what_they_are_called(collection):
    """Mean colour of the middle, by eye: a shifted sheet or a shuffled json fails this."""
    middle = collection.pictures[:, 24:40, 24:40].mean(axis=(1, 2))
    for name, channel in {
        "red circle": 0,
        "green circle": 1,
        "blue circle": 2,
        "red square": 0,
        "green heart": 1,
    }.items():
        colour = middle[collection.index_of(name)]
        assert (colour[channel] > np.delete(colour, channel) + 30).all(), (name, colour)


def test_32_is_the_box_average_of_64(collection):
    small = load_collection(32)
    assert small.pictures.shape == (len(collection), 32, 32, 3)
    assert small.pictures.dtype == np.uint8
    average = collection.pictures.reshape(-1, 32, 2, 32, 2, 3).astype(np.float64).mean(axis=(2, 4))
    np.testing.assert_array_equal(small.pictures, np.floor(average + 0.5))
    assert small.names == collection.names


def test_conditions_do_not_depend_on_the_resolution(conditions):
    small = load_collection(32).conditions()
    assert small.keys() == conditions.keys()
    assert all(small[name] is conditions[name] for name in conditions)


def test_collection_is_cached_and_read_only(collection):
    assert load_collection(64) is collection
    with pytest.raises(ValueError, match="read-only"):
        collection.pictures[0, 0, 0, 0] = 1


def test_other_resolutions_are_refused():
    with pytest.raises(ValueError, match=r"resolution is 48.*\(64, 32\)"):
        load_collection(48)


def test_index_of(collection):
    cat = collection.index_of("cat")
    assert collection.names[cat] == "cat"
    assert collection.index_of("Cat") == collection.index_of(collection.characters[cat]) == cat
    heart = collection.index_of("red heart")
    assert collection.characters[heart] == "\u2764\ufe0f"
    assert collection.index_of("\u2764") == heart
    assert collection.names[collection.index_of("flag: Svalbard & Jan Mayen")] == "flag: Norway"
    with pytest.raises(ValueError, match=r"'red hart'.*nearest.*'red heart'"):
        collection.index_of("red hart")


# --- conditions -----------------------------------------------------------------------------------------------------


def test_weights_are_positive_floored_and_read_only(conditions, collection):
    for name, condition in conditions.items():
        assert condition.name == name
        assert condition.weights.shape == (len(collection),)
        assert condition.weights.dtype == np.float64
        assert 0.9 < condition.weights.max() <= 1, name
        assert condition.weights.min() >= 1e-3 * condition.weights.max() > 0, name
        assert not condition.weights.flags.writeable
        assert condition.label


def test_groups_partition_the_collection(conditions, collection):
    groups = [condition for condition in conditions.values() if condition.kind == "group"]
    assert 15 <= len(groups) <= 20
    member = np.stack([condition.weights == 1 for condition in groups])
    assert (member.sum(axis=0) == 1).all()
    assert set(np.unique(np.stack([condition.weights for condition in groups]))) == {FLOOR, 1.0}
    assert Counter(collection.groups)["flags"] == 261
    assert min(Counter(collection.groups).values()) >= 20


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("cat", "animals"),
        ("cat face", "animals"),
        ("red heart", "hearts"),
        ("grinning face", "faces"),
        ("thumbs up", "hands"),
        ("tractor", "transport"),
        ("red apple", "food"),
        ("hot beverage", "drinks"),
        ("sun", "sky"),
        ("three o’clock", "clocks"),
        ("cactus", "plants"),
        ("red circle", "shapes"),
        ("flag: Japan", "flags"),
        ("soccer ball", "sport and play"),
        ("jeans", "clothes"),
        ("house", "places"),
        ("guitar", "objects"),
        ("Leo", "symbols"),
        ("man astronaut", "people in action"),
        ("person", "people"),
    ],
)
def test_known_members(conditions, collection, name, group):
    assert conditions[group].weights[collection.index_of(name)] == 1


def test_attributes_are_the_announced_ones_and_soft(conditions):
    attributes = {name: condition for name, condition in conditions.items() if condition.kind == "attribute"}
    assert tuple(attributes) == ATTRIBUTES
    for name, condition in attributes.items():
        between = (condition.weights > 0.05) & (condition.weights < 0.8)
        assert between.sum() >= 5, name
        assert condition.weights.max() > 0.9, name
        assert 25 <= (condition.weights > 0.5).sum() <= 600, name


@pytest.mark.parametrize("colour", ["red", "orange", "yellow", "green", "blue", "purple", "brown", "black", "white"])
def test_circle_and_heart_of_a_colour_have_that_colour_most(conditions, collection, colour):
    for shape in ("circle", "heart"):
        index = collection.index_of(f"{colour} {shape}")
        weights = {name: conditions[name].weights[index] for name in COLOURS}
        assert weights[colour] > 0.8, (shape, weights)
        # Noto shades its white shapes in light grey, so that they show on white.
        assert max(weights, key=weights.get) in ({"white", "grey"} if colour == "white" else {colour}), (shape, weights)


def test_what_is_red_and_what_is_not(conditions, collection):
    red = conditions["red"]
    assert rank(red, collection.index_of("heart suit")) < 10
    assert rank(red, collection.index_of("red heart")) < 30
    assert rank(red, collection.index_of("tractor")) > 100
    assert red.weights[collection.index_of("blue heart")] == FLOOR * red.weights.max()


def test_suns_and_moons_are_yellow_grass_is_green(conditions, collection):
    assert conditions["yellow"].weights[collection.index_of("sun with face")] > 0.9
    assert conditions["yellow"].weights[collection.index_of("crescent moon")] > 0.9
    assert conditions["green"].weights[collection.index_of("evergreen tree")] > 0.9
    assert conditions["pink"].weights[collection.index_of("pig nose")] > 0.9


@pytest.mark.parametrize(
    ("attribute", "has", "lacks"),
    [
        ("round", "full moon", "red square"),
        ("round", "three o’clock", "giraffe"),
        ("symmetric", "jeans", "right arrow curving left"),
        ("symmetric", "nose", "dog"),
        ("bright", "tooth", "black heart"),
        ("dark", "black heart", "tooth"),
        ("colourful", "rainbow", "red square"),
        ("colourful", "rainbow flag", "elephant"),
    ],
)
def test_attribute_tells_two_pictures_apart(conditions, collection, attribute, has, lacks):
    weights = conditions[attribute].weights
    assert weights[collection.index_of(has)] > 0.9
    assert weights[collection.index_of(lacks)] < 0.1


def test_silhouette_includes_enclosed_white_and_nothing_outside():
    picture = np.full((1, 16, 16, 3), 255, dtype=np.uint8)
    picture[0, 4:12, 4:12] = 0
    picture[0, 6:10, 6:10] = 255
    expected = np.zeros((16, 16), dtype=bool)
    expected[4:12, 4:12] = True
    np.testing.assert_array_equal(silhouettes(picture)[0], expected)


def test_roundness_of_a_disc_and_of_a_square():
    y, x = np.mgrid[:64, :64] - 31.5
    disc = x**2 + y**2 < 25**2
    square = np.maximum(abs(x), abs(y)) < 20
    values = roundness(np.stack([disc, square]))
    assert values[0] > 0.98
    # A square of side 1 and the disc of area 1: their overlap is 1 - 4 segments; IoU = .826.
    assert values[1] == pytest.approx(0.826, abs=0.02)


def test_mirror_difference_of_halves():
    picture = np.full((2, 64, 64, 3), 255, dtype=np.uint8)
    picture[:, 16:48, 16:48] = 0
    picture[1, 16:48, 32:48] = (255, 0, 255)
    values = mirror_difference(picture, silhouettes(picture))
    assert values[0] == 0
    # Two thirds of the channels differ by everything; an axis one pixel off centre hides 2 of 32 columns and bares 2.
    assert values[1] == pytest.approx(2 / 3, abs=0.05)


def test_oklab_of_known_colours():
    """White, and sRGB red and blue, from the table of Ottosson (2020)."""
    expected = [[1, 0, 0], [0.62796, 0.22486, 0.12585], [0.45201, -0.03246, -0.31153]]
    np.testing.assert_allclose(oklab(np.array([[1.0, 1, 1], [1, 0, 0], [0, 0, 1]])), expected, atol=2e-4)


def test_keywords(conditions, collection):
    keywords = [condition for condition in conditions.values() if condition.kind == "keyword"]
    assert len(keywords) > 50
    assert [condition.name for condition in keywords] == sorted(condition.name for condition in keywords)
    for condition in keywords:
        word = condition.name.removesuffix(" (keyword)")
        has = np.array([word in words for words in collection.keywords])
        assert has.sum() >= 8, word
        np.testing.assert_array_equal(condition.weights, np.where(has, 1.0, FLOOR))
    cats = conditions["cat"].weights == 1
    assert cats[collection.index_of("black cat")]
    assert not cats[collection.index_of("dog")]
    overlapping = (np.stack([condition.weights == 1 for condition in keywords]).sum(axis=0) > 1).sum()
    assert overlapping > 100


def test_a_condition_floors_copies_and_refuses():
    given = np.array([0.5, 0.0, 0.25])
    condition = Condition("c", "c", "keyword", given)
    np.testing.assert_allclose(condition.weights, [0.5, 5e-4, 0.25])
    given[0] = 0.1
    assert condition.weights[0] == 0.5
    for wrong in ([0.0, 0.0], [0.5, 1.5], [0.5, -0.1], [0.5, np.nan], []):
        with pytest.raises(ValueError, match="'c'"):
            Condition("c", "c", "keyword", np.array(wrong))


# --- products -------------------------------------------------------------------------------------------------------


def test_law_is_the_product_of_powers(conditions):
    parts = [(conditions["animals"], 1.5), (conditions["green"], 0.5), (conditions["flags"], 0.0)]
    product = conditions["animals"].weights ** 1.5 * conditions["green"].weights ** 0.5
    law = combine(parts)
    np.testing.assert_allclose(law, product / product.sum(), rtol=1e-12)
    assert law.sum() == pytest.approx(1, abs=1e-12)


def test_large_trusts_do_not_underflow(conditions):
    law = combine([(conditions["animals"], 10.0), (conditions["green"], 10.0), (conditions["symmetric"], 0.001)])
    assert np.isfinite(law).all()
    assert law.sum() == pytest.approx(1)


def test_trust_concentrates_the_law(conditions):
    numbers = [effective_number(combine([(conditions["red"], trust)])) for trust in (0.0, 0.5, 1.0, 4.0)]
    assert numbers[0] == pytest.approx(conditions["red"].weights.size)
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] < 0.8 * numbers[-2]


def test_animals_that_are_green(conditions, collection):
    law = combine([(conditions["animals"], 1.0), (conditions["green"], 1.0)])
    assert "lizard" in {collection.names[i] for i in np.argsort(-law)[:6]}
    assert law[np.array(collection.groups) == "animals"].sum() > 0.85
    assert 5 < effective_number(law) < 60


def test_effective_number_of_known_laws():
    assert effective_number(np.full(8, 1 / 8)) == pytest.approx(8)
    assert effective_number(np.array([0.0, 1.0, 0.0])) == pytest.approx(1)
    assert effective_number(np.array([0.5, 0.25, 0.25])) == pytest.approx(2**1.5)


def test_every_single_condition_is_accepted(conditions):
    for condition in conditions.values():
        combine([(condition, 1.0)])


@pytest.mark.parametrize(
    "names", [("clocks", "green"), ("faces", "flags"), ("flags", "round"), ("animals", "hearts", "blue")]
)
def test_empty_product_is_refused_naming_its_parts(conditions, names):
    with pytest.raises(EmptyCondition, match="No picture is") as caught:
        combine([(conditions[name], 1.0) for name in names])
    assert all(f'"{name}"' in str(caught.value) for name in names)


def test_nearly_empty_product_is_refused_naming_its_parts(conditions):
    with pytest.raises(EmptyCondition, match='Hardly any picture is both "black" and "bright"'):
        combine([(conditions["black"], 1.0), (conditions["bright"], 1.0)])


def test_refusal_does_not_depend_on_the_trust_unless_it_is_zero(conditions):
    for trust in (0.01, 10.0):
        with pytest.raises(EmptyCondition):
            combine([(conditions["clocks"], 1.0), (conditions["green"], trust)])
    np.testing.assert_allclose(
        combine([(conditions["clocks"], 1.0), (conditions["green"], 0.0)]), combine([(conditions["clocks"], 1.0)])
    )
    combine([(conditions["cat"], 0.05)])


@pytest.mark.parametrize("trust", [-0.1, 10.5, float("nan"), float("inf")])
def test_trust_out_of_range_is_refused(conditions, trust):
    with pytest.raises(ValueError, match=rf"trust of condition 'red' is {trust}: expected a number in \[0, 10\]"):
        combine([(conditions["red"], trust)])


def test_no_condition_and_mixed_collections_are_refused(conditions):
    with pytest.raises(ValueError, match="at least one condition"):
        combine([])
    with pytest.raises(ValueError, match="different collections"):
        combine([(conditions["red"], 1.0), (Condition("c", "c", "keyword", np.ones(3)), 1.0)])


# --- the script -----------------------------------------------------------------------------------------------------


def test_group_table_is_the_one_that_made_the_json(render_emoji):
    entries = json.loads((ASSETS / "emoji.json").read_text(encoding="utf-8"))
    assert sum(map(len, render_emoji.GROUPS.values())) == len(render_emoji.GROUP_OF)
    assert {entry["subgroup"] for entry in entries} == set(render_emoji.GROUP_OF)
    assert [entry["name"] for entry in entries if render_emoji.GROUP_OF[entry["subgroup"]] != entry["group"]] == []


def test_on_white_is_the_exact_average_over_white(render_emoji):
    rng = np.random.default_rng(3)
    rgba = np.zeros((128, 136, 4), dtype=np.uint8)
    rgba[:, 4:132] = rng.integers(0, 256, (128, 128, 4))
    square = rgba[:, 4:132].astype(float)
    alpha = square[..., 3:] / 255
    expected = (alpha * square[..., :3] + (1 - alpha) * 255).reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    picture = render_emoji.on_white(Image.fromarray(rgba))
    assert abs(picture - expected).max() <= 0.5 + 1e-9
    rgba[5, 0, 3] = 1
    with pytest.raises(ValueError, match="nothing drawn outside"):
        render_emoji.on_white(Image.fromarray(rgba))


def test_identical_pictures_are_merged(render_emoji):
    entries = [
        render_emoji.Emoji(c, name, "g", "s", (c, "x"))
        for c, name in zip("abc", ["one", "flag: Norway", "three"], strict=True)
    ]
    same, other = np.zeros((64, 64, 3), np.uint8), np.ones((64, 64, 3), np.uint8)
    merged, pictures = render_emoji.merge_identical(entries, [same, same, other])
    assert [entry.name for entry in merged] == ["flag: Norway", "three"]
    assert merged[0].aliases == ("one",)
    assert merged[0].alias_characters == ("a",)
    assert merged[0].keywords == ("a", "b", "x")
    np.testing.assert_array_equal(pictures, [same, other])


def test_skin_tones_are_left_out_and_newer_emoji_get_the_words_of_their_name(render_emoji, tmp_path):
    (tmp_path / "test.txt").write_text(
        "# subgroup: hands\n"
        "1F44F ; fully-qualified     # \U0001f44f E0.6 clapping hands\n"
        "1F44F 1F3FB ; fully-qualified     # \U0001f44f\U0001f3fb E1.0 clapping hands: light skin tone\n"
        "270D ; unqualified         # \u270d E0.7 writing hand\n"
        "1FAF7 ; fully-qualified     # \U0001faf7 E15.0 leftwards pushing hand\n",
        encoding="utf-8",
    )
    (tmp_path / "en.xml").write_text(
        '<ldml><annotations><annotation cp="\U0001f44f">Clap | hand</annotation>'
        '<annotation cp="\U0001f44f" type="tts">clapping hands!</annotation></annotations></ldml>',
        encoding="utf-8",
    )
    found = render_emoji.read_emoji(tmp_path / "test.txt", [tmp_path / "en.xml"])
    assert [(emoji.name, emoji.keywords) for emoji in found] == [
        ("clapping hands!", ("clap", "hand")),
        ("leftwards pushing hand", ("hand", "leftwards", "pushing")),
    ]


def test_condition_names_are_those_of_the_conditions():
    collection = load_collection()
    assert collection.condition_names() == list(collection.conditions())
