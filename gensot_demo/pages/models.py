"""The choice of the model, and what it is: licence, size, speed on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from gensot_demo.backbones.base import Backbone, BackboneInfo
from gensot_demo.backbones.catalogue import CATALOGUE, EMBEDDED
from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments import limits
from gensot_demo.experiments.asking import load
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.speed import milliseconds_a_call
from gensot_demo.experiments.zero_gpu import lent_by_call

from . import report

FIRST = "network"
INPUTS = ("condition", "class", "prompt")  # of a collection, of the embedded classes, of a pipeline


def model_choice() -> gr.Dropdown:
    """The list of models; on a server that allows it, any hub id can be typed."""
    typed = " Or type the id of a diffusers model on the Hugging Face hub." if CATALOGUE.takes_any_id else ""
    return gr.Dropdown(
        [(info.label, name) for name, info in CATALOGUE.infos().items()],
        value=FIRST,
        label="Model",
        info=f"What every method guides.{typed}",
        allow_custom_value=CATALOGUE.takes_any_id,
        filterable=True,
        elem_id="backbone",
    )


def card(info: BackboneInfo, milliseconds: float | None = None, megabytes: float | None = None) -> str:
    """What the model is, in two lines."""
    size = f"{info.parameters / 1e6:,.1f} M parameters" if info.parameters else "nothing learnt, a closed form"
    facts = [f"{info.resolution} × {info.resolution} pixels", size, f"licence: {info.licence}"]
    if milliseconds is not None:
        facts.append(f"{milliseconds:.3g} ms a picture and call here")
    if megabytes:
        facts.append(f"{megabytes:,.0f} MB in memory")
    return (
        f'<div class="gensot-card"><p>{escape(info.summary)}</p>'
        f'<p class="gensot-note">{escape(" · ".join(facts))}</p></div>'
    )


def first_card() -> str:
    """The card of the model that the page starts with, before its speed is known."""
    return card(CATALOGUE.info(FIRST))


def _measured_card(backbone: Backbone) -> str:
    speed = None if lent_by_call() else milliseconds_a_call(backbone)
    return card(backbone.info, speed, backbone.megabytes())


def restored(name: str) -> list[Any]:
    """[card, last model that could be had] of the model that a link or the first view brought; loads no large one."""
    if name in EMBEDDED:
        return [_measured_card(load(name)), name]
    return [card(CATALOGUE.info(name)), gr.skip()]


def choose(name: str | None, last: str) -> Iterator[list[Any]]:
    """Updates of [name shown, card, last model that could be had, status]: loads a model; if that fails the last one
    stays."""
    name = (name or "").strip()
    try:
        if not 0 < len(name) <= limits.MAX_BACKBONE_NAME:
            raise InvalidRequest(f"The model's name has {len(name)} characters; it must have 1 to 200.")
        info = CATALOGUE.info(name)
        yield [name, card(info), gr.skip(), report.status(f"Loading {info.label}…", 0.0)]
        backbone = load(name)
        yield [gr.skip(), _measured_card(backbone), name, report.status(f"{backbone.info.label} is ready.")]
    except (InvalidRequest, BackboneUnavailable) as error:
        kept = CATALOGUE.info(last)
        sentence = f"{error} The page stays with {kept.label}."
        yield [last, card(kept), last, report.status(sentence, kind="error")]


def input_of(name: str) -> str | None:
    """Which of INPUTS asks this model for something; None where nothing can be asked, or the model is unknown."""
    try:
        asks = CATALOGUE.info(name.strip()).asks
    except BackboneUnavailable:
        return "prompt"
    if asks == "nothing":
        return None
    return "condition" if asks == "conditions" else "class" if name.strip() in EMBEDDED else "prompt"
