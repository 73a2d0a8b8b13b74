"""From what the Compare page's components hold to the task of a request, and back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gensot_demo.backbones.emoji import load_collection
from gensot_demo.experiments import limits
from gensot_demo.experiments.asking import picture_of
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.requests import (
    CompareRequest,
    InvalidRequest,
    PictureChoice,
    RestoreChoice,
    RewardChoice,
    parse,
)

from .models import INPUTS, input_of

ASK_FOLLOW, ASK_CONDITIONS = "Follow a picture", "Conditions"
ASK_RESTORE, ASK_REWARD = "Restore a picture", "A reward"
AVERAGE, EMOJI, DRAWING, UPLOAD = "An average", "An emoji", "A drawing", "A file"
NOTHING = "(none)"
AVERAGE_OF = "average of "
RESTORES = {
    "Part of it is hidden": "mask",
    "Seen coarsely": "super_resolution",
    "Blurred": "blur",
    "Without colour": "colourise",
}
MASKS = {"The centre": "centre", "The left half": "left half", "Three pixels in four": "random pixels"}
PAINTED = "What I paint over"
REWARDS = {"Brightness": "brightness", "Symmetry": "symmetry", "A colour": "colour", "A class": "class"}
_CANVAS = 256  # pixels a side
_RGB = re.compile(r"rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)[^)]*\)")


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
    first = {**picture_at(at), "trust": at["reference_trust"]}
    second = at["second"]
    if not second or second == NOTHING:
        return [first]
    kind, name = ("average", second.removeprefix(AVERAGE_OF)) if second.startswith(AVERAGE_OF) else ("emoji", second)
    return [first, {kind: name, "trust": at["second_trust"]}]


def picture_at(at: dict[str, Any]) -> dict[str, Any]:
    """The fields of a PictureChoice; raises InvalidRequest for an empty drawing or a missing file."""
    kind = at["reference_kind"]
    if kind == AVERAGE:
        return {"average": at["average"]}
    if kind == EMOJI:
        return {"emoji": at["emoji"]}
    return {"png": _drawing(at["drawing"]) if kind == DRAWING else _file(at["file"])}


def restore_at(at: dict[str, Any]) -> dict[str, Any] | None:
    """The picture to restore of these values; raises InvalidRequest for a missing picture or a mask not painted."""
    if at["ask"] != ASK_RESTORE:
        return None
    kind = RESTORES[at["restore_kind"]]
    values = {"kind": kind, "picture": picture_at(at), "noise": at["restore_noise"]}
    if kind != "mask":
        return values
    if at["mask"] == PAINTED:
        return {**values, "mask_png": _painted(at["mask_drawing"])}
    return {**values, "mask": MASKS[at["mask"]]}


def reward_at(at: dict[str, Any]) -> dict[str, Any] | None:
    """The reward of these values."""
    if at["ask"] != ASK_REWARD:
        return None
    kind = REWARDS[at["reward_kind"]]
    values = {"kind": kind, "amount": at["reward_amount"]}
    if kind == "colour":
        values["colour"] = _hexadecimal(at["reward_colour"] or "")
    if kind == "class":
        asks = input_of(at["backbone"])
        values["target"] = at[f"reward_{asks}"] if asks in ("condition", "class") else at["prompt_1"]
    return values


def _hexadecimal(colour: str) -> str:
    """``rgb(208, 28, 28)``, as colour pickers write it, as ``#d01c1c``; anything else as it is."""
    match = _RGB.fullmatch(colour.strip())
    return "#" + "".join(f"{min(round(float(part)), 255):02x}" for part in match.groups()) if match else colour.strip()


def _painted(value: dict[str, Any] | None) -> bytes:
    """What is painted over, as an image bright where hidden."""
    layers = [np.asarray(layer) for layer in (value or {}).get("layers") or []]
    covered = [layer[..., 3] > 127 for layer in layers if layer.shape[-1] == 4]
    if not covered or not any(layer.any() for layer in covered):
        raise InvalidRequest("The mask is empty: paint over what to hide, or choose a ready one.")
    hidden = np.any(covered, axis=0)
    return to_png(np.repeat(np.uint8(255) * hidden[..., None], 3, axis=2))


def canvas_of(kind: str, average: str, emoji: str, drawing: Any, file: str | None) -> dict[str, Any] | None:
    """The chosen picture as the ground to paint a mask on, or an empty one while there is no picture."""
    values = {"reference_kind": kind, "average": average, "emoji": emoji, "drawing": drawing, "file": file}
    try:
        picture = picture_of(parse(PictureChoice, **picture_at(values)), 64, "Picture to restore")
    except InvalidRequest:
        return None
    ground = np.asarray(Image.fromarray(picture).resize((_CANVAS, _CANVAS), Image.Resampling.BICUBIC))
    return {"background": ground, "layers": [], "composite": ground}


def _drawing(value: dict[str, Any] | None) -> bytes:
    picture = None if value is None else value.get("composite")
    if picture is None:
        raise InvalidRequest("The drawing is empty: draw something, or choose another picture.")
    picture = np.asarray(picture)
    if picture.shape[-1] == 4:
        opacity = picture[..., 3:].astype(float) / 255
        picture = (picture[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return to_png(picture)


def _file(path: str | None) -> bytes:
    if not path:
        raise InvalidRequest("No file is chosen: upload a picture, or choose another picture.")
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
        "restore_kind": next(iter(RESTORES)),
        "mask": next(iter(MASKS)),
        "mask_drawing": None,
        "restore_noise": RestoreChoice.model_fields["noise"].default,
        "reward_kind": next(iter(REWARDS)),
        "reward_colour": RewardChoice.model_fields["colour"].default,
        "reward_condition": "hearts",
        "reward_class": "hearts",
        "reward_amount": RewardChoice.model_fields["amount"].default,
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
    ask = ASK_FOLLOW if request.references else ASK_CONDITIONS
    shown = plain_values() | {"ask": ask} | _shown_conditions(request) | _shown_references(request)
    return shown | _shown_restore(request.restore) | _shown_reward(request)


def _shown_conditions(request: CompareRequest) -> dict[str, Any]:
    if not request.conditions:
        return {} if request.references else {"condition_1": NOTHING, "class_1": NOTHING}
    shown: dict[str, Any] = {}
    kind = input_of(request.backbone) or INPUTS[0]
    trust = "prompt_trust" if kind == "prompt" else "condition_trust"
    for number, choice in zip(("1", "2"), request.conditions, strict=False):
        shown |= {f"{kind}_{number}": choice.name, f"{trust}_{number}": choice.trust}
    return shown


def _shown_references(request: CompareRequest) -> dict[str, Any]:
    named = [choice for choice in request.references if choice.png is None]
    if not named:
        return {}
    shown = {"ask": ASK_FOLLOW, "reference_trust": named[0].trust, **_shown_picture(named[0])}
    if len(named) > 1:
        second = _listed(named[1].emoji) if named[1].emoji else AVERAGE_OF + named[1].average
        shown |= {"second": second, "second_trust": named[1].trust}
    return shown


def _shown_picture(choice: PictureChoice) -> dict[str, Any]:
    if choice.emoji:
        return {"reference_kind": EMOJI, "emoji": _listed(choice.emoji)}
    return {"reference_kind": AVERAGE, "average": choice.average} if choice.average else {}


def _shown_restore(choice: RestoreChoice | None) -> dict[str, Any]:
    if choice is None:
        return {}
    return {
        "ask": ASK_RESTORE,
        "restore_kind": _label(RESTORES, choice.kind),
        "mask": _label(MASKS, choice.mask),
        "restore_noise": choice.noise,
        **_shown_picture(choice.picture),
    }


def _shown_reward(request: CompareRequest) -> dict[str, Any]:
    choice = request.reward
    if choice is None:
        return {}
    target = {}
    if choice.kind == "class":
        target = {f"reward_{input_of(request.backbone) or INPUTS[0]}": choice.target}
    return {
        "ask": ASK_REWARD,
        "reward_kind": _label(REWARDS, choice.kind),
        "reward_colour": choice.colour,
        "reward_amount": choice.amount,
        **target,
    }


def _label(choices: dict[str, str], value: str) -> str:
    return next(label for label, known in choices.items() if known == value)


def _listed(emoji: str) -> str:
    """An emoji by the name that the list of choices has, whatever name or character a link has for it."""
    collection = load_collection()
    try:
        return collection.names[collection.index_of(emoji)]
    except ValueError:
        return plain_values()["emoji"]
