"""The embedded picture collection: Noto Color Emoji on white, with names, groups, keywords and conditions.

Needs numpy and Pillow only. The sheets and emoji.json come from `python -m training.render_emoji`; see
assets/emoji/README.md.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gensot_demo.backbones.emoji_conditions import (
    Condition,
    EmptyCondition,
    build_conditions,
    combine,
    condition_names,
    effective_number,
)
from gensot_demo.backbones.errors import UnknownCondition

__all__ = ["Condition", "EmojiCollection", "EmptyCondition", "combine", "effective_number", "load_collection"]

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "emoji"
SIDE = 64
RESOLUTIONS = (64, 32)
EMOJI_PRESENTATION = "\ufe0f"


@dataclass(frozen=True, eq=False)
class EmojiCollection:
    """n pictures and what is known of each.

    `pictures` is uint8 of shape (n, res, res, 3), sRGB, read-only. `names`, `characters`, `groups` and `keywords`
    have one item per picture. `aliases[i]` are further names and characters of picture i: emoji that the font draws
    identically.
    """

    pictures: NDArray[np.uint8]
    names: tuple[str, ...]
    characters: tuple[str, ...]
    groups: tuple[str, ...]
    keywords: tuple[frozenset[str], ...]
    aliases: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def resolution(self) -> int:
        return self.pictures.shape[1]

    def index_of(self, name_or_character: str) -> int:
        """Index of a picture by name (in any case), alias or character; ValueError naming the nearest names if none."""
        index = self._indices.get(_key(name_or_character))
        if index is None:
            near = difflib.get_close_matches(_key(name_or_character), self._indices, n=5, cutoff=0.5)
            hint = (
                f"nearest: {', '.join(repr(self.names[self._indices[key]]) for key in near)}"
                if near
                else "no name is near"
            )
            raise ValueError(f"name_or_character is {name_or_character!r}: no such picture among {len(self)}; {hint}")
        return index

    def conditions(self) -> dict[str, Condition]:
        """All conditions by name: groups, attributes, keywords. The same at every resolution, from 64 x 64."""
        return dict(self._conditions)

    def condition(self, name: str) -> Condition:
        """The condition of that name; UnknownCondition naming the nearest ones if there is none."""
        if name not in self._conditions:
            near = difflib.get_close_matches(name, self._conditions, n=4, cutoff=0.4)
            hint = f"Nearest: {', '.join(near)}." if near else f"Try one of {', '.join(list(self._conditions)[:8])}."
            raise UnknownCondition(f"Condition {name[:40]!r} is unknown among {len(self._conditions)}. {hint}")
        return self._conditions[name]

    def average(self, weights: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The weighted average picture (res, res, 3), weights (n,)."""
        share = (weights / weights.sum()).astype(np.float32)
        flat = self.pictures.reshape(len(self), -1)
        total = sum(share[k : k + 128] @ flat[k : k + 128].astype(np.float32) for k in range(0, len(self), 128))
        return np.rint(total).astype(np.uint8).reshape(self.pictures.shape[1:])

    def condition_names(self) -> list[str]:
        """The keys of :meth:`conditions`, at once: nothing is computed from pixels."""
        return condition_names(self.groups, self.keywords)

    @cached_property
    def _conditions(self) -> dict[str, Condition]:
        if self.resolution != SIDE:
            return load_collection(SIDE).conditions()
        return build_conditions(self.pictures, self.groups, self.keywords)

    @cached_property
    def _indices(self) -> dict[str, int]:
        indices: dict[str, int] = {}
        for labels in (self.names, self.characters):
            for index, label in enumerate(labels):
                indices.setdefault(_key(label), index)
        for index, others in enumerate(self.aliases):
            for other in others:
                indices.setdefault(_key(other), index)
        return indices


@lru_cache(maxsize=len(RESOLUTIONS))
def load_collection(resolution: int = 64) -> EmojiCollection:
    """The collection at 64 x 64, or at 32 x 32 by averaging over 2 x 2 pixels (to nearest, halves up). Cached."""
    if resolution not in RESOLUTIONS:
        raise ValueError(f"resolution is {resolution!r}: expected one of {RESOLUTIONS}")
    if resolution == SIDE:
        return _read(ASSETS)
    full = load_collection(SIDE)
    rows = full.pictures.reshape(len(full), resolution, 2, SIDE, 3)
    pairs = np.add(rows[:, :, 0], rows[:, :, 1], dtype=np.uint16).reshape(len(full), resolution, resolution, 2, 3)
    halved = ((pairs[:, :, :, 0] + pairs[:, :, :, 1] + 2) >> 2).astype(np.uint8)
    halved.setflags(write=False)
    return EmojiCollection(halved, full.names, full.characters, full.groups, full.keywords, full.aliases)


def _read(folder: Path) -> EmojiCollection:
    entries = json.loads((folder / "emoji.json").read_text(encoding="utf-8"))
    sheets = sorted(folder.glob(f"sheet-{SIDE}-*.png"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))
    if not sheets:
        raise FileNotFoundError(f"no sheet-{SIDE}-*.png in {folder}: run python -m training.render_emoji")
    pictures = np.concatenate([_cut(np.asarray(Image.open(sheet).convert("RGB"))) for sheet in sheets])[: len(entries)]
    if len(pictures) != len(entries):
        raise ValueError(f"the sheets in {folder} hold {len(pictures)} pictures, emoji.json lists {len(entries)}")
    pictures.setflags(write=False)
    return EmojiCollection(
        pictures=pictures,
        names=tuple(entry["name"] for entry in entries),
        characters=tuple(entry["character"] for entry in entries),
        groups=tuple(entry["group"] for entry in entries),
        keywords=tuple(frozenset(entry["keywords"]) for entry in entries),
        aliases=tuple((*entry["aliases"], *entry["alias_characters"]) for entry in entries),
    )


def _cut(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = sheet.shape[0] // SIDE, sheet.shape[1] // SIDE
    return sheet.reshape(rows, SIDE, columns, SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(-1, SIDE, SIDE, 3)


def _key(label: str) -> str:
    return label.replace(EMOJI_PRESENTATION, "").strip().casefold()
