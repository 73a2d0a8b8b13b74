"""Render the emoji collection: `python -m training.render_emoji` writes assets/emoji/.

Sources, all carried by Debian packages (the defaults are their locations):

* fonts-noto-color-emoji: the glyphs, CBDT bitmaps of 136 x 128 pixels;
* unicode-data: emoji-test.txt, which lists the fully-qualified emoji with their groups, in CLDR order;
* unicode-cldr-core: English names and keywords (annotations and annotationsDerived).

Needs `uharfbuzz` and `fonttools`. HarfBuzz shapes each sequence; what the font cannot draw as one glyph is skipped.
The bitmap is read from the font as it is, composited on white and averaged over 2 x 2 pixels: every bitmap is blank
outside its central 128 x 128 square, so a 64 x 64 picture is an exact box average with no resampling kernel, no
clipping, and the font's own sizes and positions. Pictures that come out identical in every pixel become one entry
with aliases.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

SIDE = 64
COLUMNS = 44
LARGEST_FILE = 10_000_000

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
EMOJI_TEST = Path("/usr/share/unicode/emoji/emoji-test.txt")
ANNOTATIONS = Path("/usr/share/unicode/cldr/common/annotations/en.xml")
DERIVED_ANNOTATIONS = Path("/usr/share/unicode/cldr/common/annotationsDerived/en.xml")
OUT = Path(__file__).resolve().parent.parent / "assets" / "emoji"

SKIN_TONES = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
EMOJI_PRESENTATION = "\ufe0f"

# The groups a person would ask for, from the subgroups of emoji-test.txt. Every subgroup appears exactly once.
GROUPS: dict[str, tuple[str, ...]] = {
    "faces": (
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
        "face-costume",
    ),
    "hearts": ("heart",),
    "hands": (
        "hand-fingers-open",
        "hand-fingers-partial",
        "hand-single-finger",
        "hand-fingers-closed",
        "hands",
        "hand-prop",
        "body-parts",
    ),
    "people": ("person", "person-gesture", "person-fantasy", "person-resting", "family", "person-symbol"),
    "people in action": ("person-role", "person-activity", "person-sport"),
    "animals": (
        "cat-face",
        "monkey-face",
        "animal-mammal",
        "animal-bird",
        "animal-amphibian",
        "animal-reptile",
        "animal-marine",
        "animal-bug",
    ),
    "plants": ("plant-flower", "plant-other"),
    "food": ("food-fruit", "food-vegetable", "food-prepared", "food-asian", "food-marine", "food-sweet"),
    "drinks": ("drink", "dishware"),
    "places": ("place-map", "place-geographic", "place-building", "place-religious", "place-other", "hotel"),
    "transport": ("transport-ground", "transport-water", "transport-air"),
    "clocks": ("time",),
    "sky": ("sky & weather",),
    "sport and play": ("event", "award-medal", "sport", "game", "arts & crafts"),
    "clothes": ("clothing",),
    "objects": (
        "sound",
        "music",
        "musical-instrument",
        "phone",
        "computer",
        "light & video",
        "book-paper",
        "money",
        "mail",
        "writing",
        "office",
        "lock",
        "tool",
        "science",
        "medical",
        "household",
        "other-object",
    ),
    "shapes": ("geometric",),
    "symbols": (
        "emotion",
        "transport-sign",
        "warning",
        "arrow",
        "religion",
        "zodiac",
        "av-symbol",
        "gender",
        "math",
        "punctuation",
        "currency",
        "other-symbol",
        "keycap",
        "alphanum",
    ),
    "flags": ("flag", "country-flag", "subdivision-flag"),
}
GROUP_OF = {subgroup: group for group, subgroups in GROUPS.items() for subgroup in subgroups}

# Territories that fly another flag precede it in CLDR order; a merged picture is named after the flag's own country.
NAMES_TO_KEEP = frozenset(
    {
        "flag: Norway",
        "flag: France",
        "flag: United States",
        "flag: Australia",
        "flag: Spain",
        "flag: British Indian Ocean Territory",
    }
)


@dataclass(frozen=True)
class Emoji:
    """One entry of the collection, as written to emoji.json."""

    character: str
    name: str
    group: str
    subgroup: str
    keywords: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    alias_characters: tuple[str, ...] = field(default=())


def read_annotations(paths: list[Path]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """CLDR short names and keywords by character. CLDR writes the characters without U+FE0F."""
    names: dict[str, str] = {}
    keywords: dict[str, tuple[str, ...]] = {}
    for path in paths:
        for element in ElementTree.parse(path).iter("annotation"):
            character, text = element.attrib["cp"], element.text or ""
            if element.get("type") == "tts":
                names[character] = text.strip()
            else:
                keywords[character] = tuple(sorted({word.strip().lower() for word in text.split("|")}))
    return names, keywords


def read_emoji(emoji_test: Path, annotations: list[Path]) -> list[Emoji]:
    """The fully-qualified emoji without skin-tone modifiers, in CLDR order.

    An emoji newer than the annotations keeps the name of emoji-test.txt, and the words of that name are its keywords.
    """
    names, keywords = read_annotations(annotations)
    line_pattern = re.compile(r"^([0-9A-F ]+); fully-qualified\s+# \S+ E\d+\.\d+ (.+)$")
    found: list[Emoji] = []
    subgroup = ""
    for line in emoji_test.read_text(encoding="utf-8").splitlines():
        if line.startswith("# subgroup: "):
            subgroup = line.removeprefix("# subgroup: ").strip()
            continue
        match = line_pattern.match(line)
        if match is None:
            continue
        character = "".join(chr(int(code, 16)) for code in match[1].split())
        if SKIN_TONES & set(character):
            continue
        if subgroup not in GROUP_OF:
            raise ValueError(f"subgroup {subgroup!r} of {emoji_test.name} is in none of the groups of the table GROUPS")
        key = character.replace(EMOJI_PRESENTATION, "")
        name = names.get(key, match[2].strip())
        words = keywords.get(key) or tuple(sorted(set(re.findall(r"[\w’'-]+", name.lower()))))
        found.append(Emoji(character, name, GROUP_OF[subgroup], subgroup, words))
    return found


class Glyphs:
    """The bitmaps of a CBDT colour font, by character sequence."""

    def __init__(self, path: Path) -> None:
        import uharfbuzz
        from fontTools.ttLib import TTFont

        self._harfbuzz = uharfbuzz
        self._shaper = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path))))
        font = TTFont(path)
        self._glyph_names = font.getGlyphOrder()
        (self._bitmaps,) = font["CBDT"].strikeData
        self.version = font["name"].getDebugName(5)

    def bitmap(self, character: str) -> Image.Image | None:
        """The RGBA bitmap of the one glyph that draws `character`; None where no single glyph does."""
        buffer = self._harfbuzz.Buffer()
        buffer.add_str(character)
        buffer.guess_segment_properties()
        self._harfbuzz.shape(self._shaper, buffer)
        if len(buffer.glyph_infos) != 1:
            return None
        name = self._glyph_names[buffer.glyph_infos[0].codepoint]
        if name == ".notdef" or name not in self._bitmaps:
            return None
        return Image.open(io.BytesIO(self._bitmaps[name].imageData)).convert("RGBA")


def on_white(bitmap: Image.Image) -> np.ndarray:
    """The central square of an RGBA bitmap on white, averaged over 2 x 2 pixels, rounded once: (64, 64, 3) uint8."""
    rgba = np.asarray(bitmap).astype(np.int64)
    height, width, _ = rgba.shape
    margin = (width - 2 * SIDE) // 2
    if height != 2 * SIDE or margin < 0 or rgba[:, :margin, 3].any() or rgba[:, margin + 2 * SIDE :, 3].any():
        raise ValueError(
            f"bitmap of {width} x {height} pixels: expected height {2 * SIDE}, nothing drawn outside the central square"
        )
    square = rgba[:, margin : margin + 2 * SIDE]
    alpha = square[..., 3:]
    times_255 = alpha * square[..., :3] + (255 - alpha) * 255
    total = times_255.reshape(SIDE, 2, SIDE, 2, 3).sum(axis=(1, 3))
    return ((2 * total + 4 * 255) // (2 * 4 * 255)).astype(np.uint8)


def merge_identical(entries: list[Emoji], pictures: list[np.ndarray]) -> tuple[list[Emoji], np.ndarray]:
    """One entry per distinct picture; the others' names, characters and keywords join it."""
    clusters: dict[bytes, list[int]] = {}
    for index, picture in enumerate(pictures):
        clusters.setdefault(picture.tobytes(), []).append(index)
    kept: dict[int, Emoji] = {}
    for members in clusters.values():
        head = next((i for i in members if entries[i].name in NAMES_TO_KEEP), members[0])
        others = [entries[i] for i in members if i != head]
        keywords = sorted(set(entries[head].keywords).union(*(other.keywords for other in others)))
        kept[head] = replace(
            entries[head],
            keywords=tuple(keywords),
            aliases=tuple(other.name for other in others),
            alias_characters=tuple(other.character for other in others),
        )
    order = sorted(kept)
    return [kept[i] for i in order], np.stack([pictures[i] for i in order])


def count_near_identical(pictures: np.ndarray, tolerance: float = 16.0) -> int:
    """How many pictures have another one within `tolerance` grey levels, root mean square over the picture."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    flat -= flat.mean(axis=0)
    squares = (flat * flat).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * flat @ flat.T
    np.fill_diagonal(distances, np.inf)
    return int((distances.min(axis=1) < tolerance**2 * flat.shape[1]).sum())


def tile(pictures: np.ndarray, columns: int = COLUMNS) -> np.ndarray:
    """Pictures in reading order on one white sheet, `columns` to a row."""
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * columns, SIDE, SIDE, 3), 255, dtype=np.uint8)
    sheet[: len(pictures)] = pictures
    return sheet.reshape(rows, columns, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(rows * SIDE, columns * SIDE, 3)


def encode_sheets(pictures: np.ndarray) -> list[bytes]:
    """As few lossless PNG sheets as keep each below the largest file; all full rows but the last sheet's."""
    for count in range(1, 100):
        rows_each = -(-len(pictures) // (COLUMNS * count))
        step = rows_each * COLUMNS
        encoded = []
        for start in range(0, len(pictures), step):
            stream = io.BytesIO()
            Image.fromarray(tile(pictures[start : start + step])).save(stream, format="PNG", optimize=True)
            encoded.append(stream.getvalue())
        if max(map(len, encoded)) < LARGEST_FILE:
            return encoded
    raise ValueError(f"{len(pictures)} pictures do not fit into 100 sheets of {LARGEST_FILE} bytes")


def render(font: Path, emoji_test: Path, annotations: list[Path], out: Path) -> dict[str, object]:
    """Write the sheets and emoji.json to `out`; return the counts."""
    listed = read_emoji(emoji_test, annotations)
    glyphs = Glyphs(font)
    drawn: list[Emoji] = []
    pictures: list[np.ndarray] = []
    skipped: list[str] = []
    for emoji in listed:
        bitmap = glyphs.bitmap(emoji.character)
        if bitmap is None:
            skipped.append(emoji.name)
            continue
        drawn.append(emoji)
        pictures.append(on_white(bitmap))
    entries, stacked = merge_identical(drawn, pictures)

    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("sheet-64-*.png"):
        old.unlink()
    sheets = encode_sheets(stacked)
    for number, content in enumerate(sheets):
        (out / f"sheet-64-{number}.png").write_bytes(content)
    rows = ",\n".join(json.dumps(entry.__dict__, ensure_ascii=False) for entry in entries)
    (out / "emoji.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    return {
        "font": glyphs.version,
        "listed": len(listed),
        "skipped": skipped,
        "merged": {entry.name: entry.aliases for entry in entries if entry.aliases},
        "pictures": len(entries),
        "near_identical": count_near_identical(stacked),
        "sheet_bytes": [len(content) for content in sheets],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--font", type=Path, default=FONT)
    parser.add_argument("--emoji-test", type=Path, default=EMOJI_TEST)
    parser.add_argument("--annotations", type=Path, nargs="+", default=[ANNOTATIONS, DERIVED_ANNOTATIONS])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    counts = render(options.font, options.emoji_test, options.annotations, options.out)
    print(json.dumps(counts, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
