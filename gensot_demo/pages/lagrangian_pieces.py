"""Pieces that stand only where they say something: a heading and its figure, shown for some motions of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from gensot_demo.figures.component import PlotlyFigure

from .lagrangian_page import Piece


def shown_where(
    wanted: Callable[[Any], bool],
    title: str,
    said: str,
    name: str,
    height: int,
    figure: Callable[[Any], dict[str, Any]],
) -> tuple[Piece, Piece]:
    """A heading with what it says, and a figure; both out of sight for a motion that is not ``wanted``."""

    def heading() -> gr.Markdown:
        text = f"### {title}\n{said}"
        return gr.Markdown(text, elem_classes="gensot-question gensot-question-short", visible="hidden")

    def plot() -> PlotlyFigure:
        return PlotlyFigure(
            empty="This appears with the next run.", height=height, elem_id=name, filename=f"gensot-{name}",
            visible="hidden",
        )  # fmt: skip

    def titled(moving: Any) -> Any:
        return gr.update(visible=True if wanted(moving) else "hidden")

    def drawn(moving: Any) -> Any:
        return gr.update(value=figure(moving), visible=True) if wanted(moving) else gr.update(visible="hidden")

    return Piece(heading, titled), Piece(plot, drawn)
