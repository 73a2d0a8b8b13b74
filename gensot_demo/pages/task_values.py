"""From what the Compare page's components hold to the task of a request, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gensot_demo.backbones.emoji import load_collection
from gensot_demo.experiments import limits
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest, ReferenceChoice

from .models import INPUTS, input_of

ASK_FOLLOW, ASK_CONDITIONS = "Follow a picture", "Conditions"
AVERAGE, EMOJI, DRAWING, UPLOAD = "An average", "An emoji", "A drawing", "A file"
NOTHING = "(none)"
AVERAGE_OF = "average of "


def conditions_at(at: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions of these values: those of the kind that the model takes; prompts also go with a picture."""
    kind = input_of(at["backbone"])
    if kind is None or (kind != "prompt" and at["ask"] == ASK_FOLLOW):
        return []
    trust = "prompt_trust" if kind == "prompt" else "condition_trust"
    chosen = []
    for number in ("1", "2"):
        name = (at[f"{kind}_{number}"] or "").strip()
        if name and name != NOTHING:
            chosen.append({"name": name, "trust": at[f"{trust}_{number}"]})
    return chosen


def references_at(at: dict[str, Any]) -> list[dict[str, Any]]:
    """The pictures to follow of these values; raises InvalidRequest for an empty drawing or a missing file."""
    if at["ask"] != ASK_FOLLOW:
        return []
    kind, trust = at["reference_kind"], at["reference_trust"]
    if kind == AVERAGE:
        first = {"average": at["average"], "trust": trust}
    elif kind == EMOJI:
        first = {"emoji": at["emoji"], "trust": trust}
    elif kind == DRAWING:
        first = {"png": _drawing(at["drawing"]), "trust": trust}
    else:
        first = {"png": _file(at["file"]), "trust": trust}
    second = at["second"]
    if not second or second == NOTHING:
        return [first]
    kind, name = ("average", second.removeprefix(AVERAGE_OF)) if second.startswith(AVERAGE_OF) else ("emoji", second)
    return [first, {kind: name, "trust": at["second_trust"]}]


def _drawing(value: dict[str, Any] | None) -> bytes:
    picture = None if value is None else value.get("composite")
    if picture is None:
        raise InvalidRequest("The drawing is empty: draw something, or choose another picture to follow.")
    picture = np.asarray(picture)
    if picture.shape[-1] == 4:
        opacity = picture[..., 3:].astype(float) / 255
        picture = (picture[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return to_png(picture)


def _file(path: str | None) -> bytes:
    if not path:
        raise InvalidRequest("No file is chosen: upload a picture, or choose another picture to follow.")
    size = Path(path).stat().st_size
    if size > limits.MAX_UPLOAD_BYTES:
        raise InvalidRequest(
            f"The picture file has {size / 1e6:.1f} MB; at most {limits.MAX_UPLOAD_BYTES / 1e6:.0f} MB are taken."
        )
    return Path(path).read_bytes()


def plain_values() -> dict[str, Any]:
    """What the components that make the task show at first."""
    return {
        "ask": ASK_FOLLOW,
        "reference_kind": AVERAGE,
        "average": "faces",
        "emoji": "cat face",
        "drawing": None,
        "file": None,
        "reference_trust": 1.0,
        "second": NOTHING,
        "second_trust": 1.0,
        "condition_1": "hearts",
        "class_1": "hearts",
        "prompt_1": "",
        "condition_trust_1": 1.0,
        "condition_2": NOTHING,
        "class_2": NOTHING,
        "prompt_2": "",
        "prompt_trust_1": 1.0,
        "prompt_trust_2": 1.0,
        "condition_trust_2": 1.0,
    }


def shown_task(request: CompareRequest) -> dict[str, Any]:
    """What the components that make the task show for a request."""
    asks_nothing = {} if request.conditions or request.references else {"ask": ASK_CONDITIONS}
    return plain_values() | asks_nothing | _shown_conditions(request) | _shown_references(request)


def _shown_conditions(request: CompareRequest) -> dict[str, Any]:
    if not request.conditions:
        return {}
    shown: dict[str, Any] = {"ask": ASK_CONDITIONS}
    kind = input_of(request.backbone) or INPUTS[0]
    trust = "prompt_trust" if kind == "prompt" else "condition_trust"
    for number, choice in zip(("1", "2"), request.conditions, strict=False):
        shown |= {f"{kind}_{number}": choice.name, f"{trust}_{number}": choice.trust}
    return shown


def _shown_references(request: CompareRequest) -> dict[str, Any]:
    named = [choice for choice in request.references if choice.png is None]
    if not named:
        return {}
    first: ReferenceChoice = named[0]
    kind = {"reference_kind": EMOJI, "emoji": _listed(first.emoji)} if first.emoji else {}
    kind = kind or {"reference_kind": AVERAGE, "average": first.average}
    shown = {"ask": ASK_FOLLOW, "reference_trust": first.trust, **kind}
    if len(named) > 1:
        second = _listed(named[1].emoji) if named[1].emoji else AVERAGE_OF + named[1].average
        shown |= {"second": second, "second_trust": named[1].trust}
    return shown


def _listed(emoji: str) -> str:
    """An emoji by the name that the list of choices has, whatever name or character a link has for it."""
    collection = load_collection()
    try:
        return collection.names[collection.index_of(emoji)]
    except ValueError:
        return plain_values()["emoji"]
