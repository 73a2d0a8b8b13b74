"""The controls of the Sequences page and their two directions: to a request, and from one (a link)."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.backbones.emoji import load_collection
from gensot_demo.experiments import limits
from gensot_demo.experiments.links import method_text, method_values
from gensot_demo.experiments.plane.request import thinned
from gensot_demo.experiments.requests import InvalidRequest, PictureChoice, parse
from gensot_demo.experiments.sequences.links import picture_choice, picture_text
from gensot_demo.experiments.sequences.request import (
    MOST_POINTS,
    MOTIONS,
    AlongPath,
    SequenceRequest,
    TurningColour,
)
from gensot_demo.experiments.sequences.run import followers
from gensot_demo.figures.pad import DrawingPad, drawing_value, read_drawing
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

from .controls import PATH_LABELS, BoundedSlider, NamedParts, slider_for
from .events import QUIET
from .models import first_card, model_choice
from .task_controls import own_picture, take_brush
from .task_values import DRAWING, UPLOAD, picture_at

NAMED = "An emoji"
_KINDS = {
    "One emoji becomes another": "morph",
    "A sketch moves along a path": "path",
    "A colour turns": "colour",
}
_TAKEN_AS_THEY_ARE = (
    "backbone", "frames", "view_noise", "steps", "sampler", "path", "noise", "memory", "trust", "seed",
)  # fmt: skip


class SequenceControls(NamedParts):
    """Components by name, in a fixed order; :meth:`request` and :meth:`values` translate."""

    def _build(self) -> None:
        self._motion()
        self._model()
        self._linking()
        self._run()

    def _motion(self) -> None:
        parts, collection, plain = self.parts, load_collection(), SequenceRequest().motion
        pictures = [*collection.names, *(f"average of {name}" for name in collection.condition_names())]

        def picture(value: str, label: str, visible: bool) -> gr.Dropdown:
            return gr.Dropdown(pictures, value=value, label=label, filterable=True, visible=visible)

        parts["kind"] = gr.Radio(list(_KINDS), value=next(iter(_KINDS)), label="What moves", elem_id="kind")
        parts["start"] = picture(picture_text(plain.start), "From", True)
        parts["end"] = picture(picture_text(plain.end), "To", True)
        parts["source"] = gr.Radio([NAMED, DRAWING, UPLOAD], value=NAMED, label="Picture", visible=False)
        parts["picture"] = picture(picture_text(AlongPath().picture), "Emoji", False)
        parts["drawing"], parts["file"] = own_picture("#d01c1c")
        parts["points"] = DrawingPad(
            _drawn(AlongPath().points),
            tools=["curve"],
            extent=(0, 1, 0, 1),
            height=280,
            visible="hidden",  # stays on the page: a pad that was left out of it would come without its properties
            elem_id="path-pad",
            label="Draw the way of the sketch's centre",
        )
        parts["size"] = slider_for(
            AlongPath.model_fields["size"], "Size", "Share of the picture's side.", visible=False
        )
        parts["turn"] = BoundedSlider(
            -360, 360, TurningColour().turn, step=15, label="Turn, degrees", info="360 is once round.", visible=False
        )
        parts["source"].input(None, js=take_brush("drawing"), api_visibility="private")
        gr.on(
            [parts["kind"].change, parts["source"].change],
            _what_applies,
            [parts["kind"], parts["source"]],
            [
                parts[name]
                for name in ("start", "end", "source", "picture", "drawing", "file", "points", "size", "turn")
            ],
            **QUIET,
        )

    def _model(self) -> None:
        parts, fields = self.parts, SequenceRequest.model_fields
        parts["backbone"] = model_choice()
        self.about = gr.HTML(first_card(), elem_id="backbone-card")
        parts["methods"] = gr.CheckboxGroup(
            followers(),
            value=[choice.name for choice in fields["methods"].default],
            label="Methods",
            elem_classes="gensot-family",
            elem_id="methods",
        )
        parts["view_noise"] = slider_for(
            fields["view_noise"], "View noise", "How blurred each frame is seen: large leaves more freedom."
        )

    def _linking(self) -> None:
        parts = self.parts
        parts["frames"] = slider_for(SequenceRequest.model_fields["frames"], "Frames")
        parts["noise"] = gr.Radio(
            [("The same in every frame", "shared"), ("Fresh in every frame", "fresh")],
            value="shared",
            label="Noise",
            elem_id="noise",
        )
        parts["memory"] = gr.Radio(
            [
                ("Nothing", "none"),
                ("What it predicted on its way, as GenSOT's path guide (not what arrives)", "guide"),
                ("Its picture, followed too (another law)", "reference"),
            ],
            value="none",
            label="What a frame knows of the one before",
            elem_id="memory",
        )
        parts["trust"] = slider_for(
            SequenceRequest.model_fields["trust"],
            "Trust in the frame before",
            "The reference has trust 1.",
            visible=False,
        )
        parts["memory"].change(
            lambda memory: gr.update(visible=memory == "reference"), parts["memory"], parts["trust"], **QUIET
        )

    def _run(self) -> None:
        parts, fields = self.parts, SequenceRequest.model_fields
        with gr.Accordion("Steps, seed, sampler, path, settings", open=False):
            parts["steps"] = slider_for(fields["steps"], "Steps", "From noise to picture.")
            parts["seed"] = gr.Number(
                fields["seed"].default, precision=0, minimum=0, maximum=limits.MAX_SEED, label="Seed"
            )
            parts["sampler"] = gr.Dropdown(
                [(choice.label, name) for name, choice in SAMPLERS.items()], value="averaged", label="Sampler"
            )
            parts["path"] = gr.Dropdown(
                [(label, name) for name, label in PATH_LABELS.items()],
                value="cosine",
                label="Path of the methods without one of their own",
            )
            parts["settings"] = gr.Textbox(
                label="Settings of methods, a line each, as in a link",
                placeholder="gensot*stiffness:200*temperature:0.5",
                lines=2,
                max_length=2000,
            )

    def request(self, values: tuple[Any, ...]) -> SequenceRequest:
        """The request of these values; raises InvalidRequest with a sentence."""
        at = dict(zip(self.parts, values, strict=True))
        chosen = {name: {"name": name} for name in REGISTRY.methods if name in (at["methods"] or [])}
        for line in filter(None, map(str.strip, (at["settings"] or "").splitlines())):
            own = method_values(line)
            if own["name"] in chosen:
                chosen[own["name"]] = own
        return parse(
            SequenceRequest,
            **{name: at[name] for name in _TAKEN_AS_THEY_ARE if name != "backbone"},
            backbone=(at["backbone"] or "").strip(),
            motion=_motion_at(at),
            methods=list(chosen.values()),
        )

    def values(self, request: SequenceRequest) -> list[Any]:
        """What the components show for a request, in the order of :meth:`all`; its own picture stays away."""
        motion = request.motion
        shown: dict[str, Any] = {name: getattr(request, name) for name in _TAKEN_AS_THEY_ARE}
        shown["kind"] = next(label for label, kind in _KINDS.items() if kind == motion.kind)
        plain = SequenceRequest().motion
        shown |= {"start": picture_text(plain.start), "end": picture_text(plain.end)}
        shown |= {"source": NAMED, "picture": picture_text(AlongPath().picture), "drawing": None, "file": None}
        shown |= {"points": _drawn(AlongPath().points), "size": AlongPath().size, "turn": TurningColour().turn}
        own = {name: getattr(motion, name) for name in type(motion).model_fields if name != "kind"}
        for name, value in own.items():
            if isinstance(value, PictureChoice):
                shown[name] = _listed(value)
            else:
                shown[name] = _drawn(value) if name == "points" else value
        shown["methods"] = [choice.name for choice in request.methods]
        shown["settings"] = "\n".join(method_text(choice) for choice in request.methods if choice.settings)
        return [shown[name] for name in self.parts]


def _listed(choice: PictureChoice) -> str:
    """A picture as the list of choices has it, whatever name or character a link has for it."""
    if choice.emoji is None:
        return picture_text(choice)
    collection = load_collection()
    try:
        return collection.names[collection.index_of(choice.emoji)]
    except ValueError:
        return choice.emoji


def _motion_at(at: dict[str, Any]) -> Any:
    kind = _KINDS[at["kind"]]
    if kind == "morph":
        return parse(MOTIONS[kind], start=_named(at["start"], "From"), end=_named(at["end"], "To"))
    if at["source"] == NAMED:
        picture = _named(at["picture"], "Emoji")
    else:
        picture = parse(PictureChoice, **picture_at({**at, "reference_kind": at["source"]}))
    if kind == "colour":
        return parse(MOTIONS[kind], picture=picture, turn=at["turn"])
    return parse(MOTIONS[kind], picture=picture, points=_way(at["points"]), size=at["size"])


def _named(text: str | None, which: str) -> PictureChoice:
    if not text:
        raise InvalidRequest(f"{which} is empty: choose an emoji.")
    return picture_choice(text)


def _way(drawn: str | None) -> list[tuple[float, float]]:
    """The drawn curve in picture coordinates, from left and from top."""
    try:
        curve = read_drawing(drawn).curve
    except ValueError as error:
        raise InvalidRequest(f"The path cannot be read: {error}.") from None
    if len(curve) < 2:
        raise InvalidRequest("The path is empty: draw the way of the sketch on the pad.")
    return [(float(x), 1 - float(y)) for x, y in thinned(tuple(map(tuple, curve)), MOST_POINTS)]


def _drawn(points: Any) -> str:
    return drawing_value("curve", curve=[(x, 1 - y) for x, y in points])


def _what_applies(kind: str, source: str) -> list[dict[str, Any]]:
    """Whether each input of the motion is in sight."""
    motion = _KINDS[kind]
    morph, path = motion == "morph", motion == "path"
    visible: list[Any] = [morph, morph, not morph]
    visible += [not morph and source == name for name in (NAMED, DRAWING, UPLOAD)]
    visible += [path or "hidden", path, motion == "colour"]
    return [gr.update(visible=value) for value in visible]
