"""The classes of the embedded network, the pictures held out of its training, and the augmentation of a batch.

A class is a set of Unicode subgroups less a few emoji that look unlike the rest, chosen by eye for what stays
recognisable at 32 x 32 pixels. No picture is in two classes. The table is the network's vocabulary: its order is the
order of the class labels, and the label after the last class is the null class of classifier-free guidance
(Ho & Salimans, arXiv 2207.12598).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.emoji import ASSETS, load_collection

RESOLUTION = 32
HELD_OUT_SHARE = 0.05
HELD_OUT_SEED = 20240
LARGEST_SHIFT = 1
SHIFTED_SHARE = 0.3


@dataclass(frozen=True)
class EmojiClass:
    """`flips`: whether the mirror image means the same (not for flags and lettering)."""

    name: str
    subgroups: tuple[str, ...]
    flips: bool
    without: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


CLASSES: tuple[EmojiClass, ...] = (
    EmojiClass(
        "faces",
        (
            "face-smiling",
            "face-affection",
            "face-tongue",
            "face-hand",
            "face-neutral-skeptical",
            "face-sleepy",
            "face-unwell",
            "face-hat",
            "face-glasses",
            "face-concerned",
            "face-negative",
        ),
        flips=True,
        without=_names(
            "smiling face with horns, angry face with horns, skull, skull and crossbones, dotted line face,"
            "face in clouds"
        ),
    ),
    EmojiClass(
        "animal faces",
        ("cat-face", "monkey-face", "animal-mammal", "animal-amphibian", "animal-reptile"),
        flips=True,
        only=_names(
            "grinning cat, grinning cat with smiling eyes, cat with tears of joy, smiling cat with heart-eyes,"
            "cat with wry smile, kissing cat, weary cat, crying cat, pouting cat, see-no-evil monkey,"
            "hear-no-evil monkey, speak-no-evil monkey, monkey face, dog face, wolf, fox, raccoon, cat face, lion,"
            "tiger face, horse face, moose, unicorn, cow face, pig face, mouse face, hamster, rabbit face, bear,"
            "polar bear, koala, panda, frog, dragon face"
        ),
    ),
    EmojiClass("people", ("person", "person-gesture", "person-role"), flips=True),
    EmojiClass(
        "hands",
        ("hand-fingers-open", "hand-fingers-partial", "hand-single-finger", "hand-fingers-closed", "hands"),
        flips=True,
    ),
    EmojiClass(
        "hearts",
        ("heart", "game"),
        flips=True,
        only=_names(
            "heart with arrow, heart with ribbon, sparkling heart, growing heart, beating heart, revolving hearts,"
            "two hearts, heart exclamation, broken heart, heart on fire, mending heart, red heart, pink heart,"
            "orange heart, yellow heart, green heart, blue heart, light blue heart, purple heart, brown heart,"
            "black heart, grey heart, white heart, heart suit"
        ),
    ),
    EmojiClass("fruit and vegetables", ("food-fruit", "food-vegetable"), flips=True),
    EmojiClass(
        "flags",
        ("country-flag", "subdivision-flag", "flag"),
        flips=False,
        without=_names("chequered flag, triangular flag, crossed flags, black flag, white flag"),
    ),
    EmojiClass(
        "clocks",
        ("time",),
        flips=True,
        without=_names(
            "hourglass done, hourglass not done, watch, alarm clock, stopwatch, timer clock, mantelpiece clock"
        ),
    ),
    EmojiClass(
        "signs",
        ("transport-sign", "arrow", "religion", "zodiac", "av-symbol", "keycap", "alphanum"),
        flips=False,
        without=_names("vibration mode, antenna bars"),
    ),
    EmojiClass(
        "shapes",
        ("geometric",),
        flips=True,
        without=_names(
            "black small square, white small square, small orange diamond, small blue diamond, radio button"
        ),
    ),
)
NAMES = tuple(kind.name for kind in CLASSES)
NULL_LABEL = len(CLASSES)


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """Pictures in [-1, 1], float32 (n, 3, 32, 32), white = 1; labels int64 (n,); indices into the collection (n,)."""

    pictures: torch.Tensor
    labels: torch.Tensor
    indices: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


def class_members(entries: Sequence[dict[str, object]]) -> list[NDArray[np.int64]]:
    """Per class, the indices of its pictures in `entries` (emoji.json), ascending; ValueError for an unknown name."""
    members = []
    for kind in CLASSES:
        listed = [i for i, entry in enumerate(entries) if entry["subgroup"] in kind.subgroups]
        unknown = (kind.without | kind.only) - {entries[i]["name"] for i in listed}
        if unknown:
            raise ValueError(f"class {kind.name!r} names {sorted(unknown)}: not among its subgroups' emoji")
        wanted = [i for i in listed if entries[i]["name"] not in kind.without]
        members.append(np.array([i for i in wanted if not kind.only or entries[i]["name"] in kind.only]))
    return members


def load_split(folder: Path = ASSETS) -> tuple[LabelledPictures, LabelledPictures]:
    """The pictures to train on and those held out: 5 % of each class, at least one, by a fixed seed."""
    entries = json.loads((folder / "emoji.json").read_text(encoding="utf-8"))
    generator = np.random.default_rng(HELD_OUT_SEED)
    train, held_out = [], []
    for label, indices in enumerate(class_members(entries)):
        shuffled = generator.permutation(indices)
        count = max(1, round(HELD_OUT_SHARE * len(indices)))
        held_out.extend((index, label) for index in sorted(shuffled[:count]))
        train.extend((index, label) for index in sorted(shuffled[count:]))
    return _gather(train), _gather(held_out)


def _gather(pairs: list[tuple[int, int]]) -> LabelledPictures:
    indices = torch.tensor([index for index, _ in pairs])
    pictures = torch.from_numpy(load_collection(RESOLUTION).pictures[indices.numpy()].copy())
    return LabelledPictures(
        pictures.permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1,
        torch.tensor([label for _, label in pairs]),
        indices,
    )


def class_probabilities(labels: torch.Tensor) -> torch.Tensor:
    """Drawing weights (n,), sum 1: a class is drawn in proportion to the square root of its size.

    So 248 flags do not drown 23 clocks, and the small classes are not repeated as often as equal shares would. This is
    the law of the classes that the network's null class learns.
    """
    sizes = torch.bincount(labels, minlength=len(CLASSES)).double()
    weights = (sizes.sqrt() / sizes)[labels]
    return weights / weights.sum()


def draw_batch(data: LabelledPictures, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch by :func:`class_probabilities`: pictures (count, 3, 32, 32), mirrored with probability 1/2 where the
    class allows and, in 3 of 10, shifted by up to one pixel each way with white behind; labels (count,)."""
    chosen = torch.multinomial(class_probabilities(data.labels), count, replacement=True, generator=generator)
    labels = data.labels[chosen]
    flips = torch.tensor([kind.flips for kind in CLASSES])[labels] & (torch.rand(count, generator=generator) < 0.5)
    pictures = data.pictures[chosen]
    pictures = torch.where(flips[:, None, None, None], pictures.flip(3), pictures)
    return shift(pictures, draw_shifts(count, generator)), labels


def draw_shifts(count: int, generator: torch.Generator) -> torch.Tensor:
    """Whole-pixel shifts (count, 2), rows and columns, zero for 7 of 10 pictures."""
    shifts = torch.randint(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (count, 2), generator=generator)
    return shifts * (torch.rand(count, 1, generator=generator) < SHIFTED_SHARE)


def shift(pictures: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Pictures (b, c, h, w) moved each by its row of `shifts` (b, 2), down and right positive, white behind."""
    reach = int(shifts.abs().max())
    if reach == 0:
        return pictures
    height, width = pictures.shape[2:]
    padded = torch.nn.functional.pad(pictures, (reach,) * 4, value=1.0)
    moved = [
        picture[:, reach - down : reach - down + height, reach - right : reach - right + width]
        for picture, (down, right) in zip(padded, shifts.tolist(), strict=True)
    ]
    return torch.stack(moved)
