"""Walls of pictures: samples of methods side by side, or one sample's film strip. They update in place."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.images import to_png

_HTML = '<div class="gensot-wall" role="group"></div>'
_ON_LOAD = Path(__file__).with_name("wall.js").read_text(encoding="utf-8")


class PictureWall(gr.HTML):
    """A wall; its value is the JSON text of :func:`wall_value`, or None for the ``empty`` sentence.

    Its ``select`` event fires when a picture is chosen; ``gr.EventData`` then holds ``row`` (a name) and ``column``.
    They come from the visitor's browser: check them.
    """

    def __init__(self, value: str | None = None, *, empty: str = "", html_template: str = _HTML, **other: Any):
        other.setdefault("js_on_load", _ON_LOAD)
        other.setdefault("apply_default_css", False)
        super().__init__(value, html_template=html_template, empty=empty, **other)

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "a wall of pictures as JSON text"}

    def example_payload(self) -> str:
        return '{"rows": []}'

    def example_value(self) -> str:
        return self.example_payload()


def data_address(picture: NDArray[np.uint8], text: Mapping[str, str] | None = None) -> str:
    """A picture (h, w, 3) as a data: address; ``text``: what its file says when it is saved."""
    return "data:image/png;base64," + base64.b64encode(to_png(picture, text)).decode("ascii")


def wall_row(
    name: str,
    label: str,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    note: str = "",
    glyph: str = "",
    colour: str = "",
    captions: Sequence[str] = (),
    alternatives: Sequence[str] = (),
    texts: Sequence[Mapping[str, str]] = (),
) -> dict:
    """One row: pictures with captions below and text alternatives. ``colour`` is one of app.css, as in "data-3".
    texts: what each picture's file says when it is saved."""
    items = [
        wall_item(
            data_address(picture, texts[n] if n < len(texts) else None),
            captions[n] if n < len(captions) else "",
            alternatives[n] if n < len(alternatives) else f"{label}, picture {n + 1}",
        )
        for n, picture in enumerate(pictures)
    ]
    return row_of(name, label, items, note=note, glyph=glyph, colour=colour)


def wall_item(source: str, caption: str = "", alternative: str = "") -> dict[str, str]:
    """One place of a row: a picture's address with its caption, or, without an address, the caption alone in words."""
    return {"src": source, "caption": caption, "alt": alternative}


def row_of(
    name: str,
    label: str,
    items: Sequence[dict[str, str]],
    *,
    note: str = "",
    glyph: str = "",
    colour: str = "",
    section: str = "",
) -> dict:
    """One row of :func:`wall_item`s; ``section``: a heading above it, with the columns named again."""
    return {
        "name": name,
        "label": label,
        "note": note,
        "glyph": glyph,
        "colour": colour,
        "section": section,
        "items": list(items),
    }


def wall_value(rows: Sequence[dict], columns: Sequence[str], description: str, pressable: bool, title: str = "") -> str:
    """The wall as JSON text; walls of equal shape are updated picture by picture."""
    kinds = [
        f"{row['name']}{row['section']}x" + "".join("p" if i["src"] else "w" for i in row["items"]) for row in rows
    ]
    shape = f"{title}:{pressable}:{list(columns)}:" + ",".join(kinds)
    return json.dumps(
        {
            "rows": list(rows),
            "columns": list(columns),
            "description": description,
            "title": title,
            "pressable": pressable,
            "shape": shape,
        }
    )
