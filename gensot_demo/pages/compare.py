"""A stand-in for the Compare page."""

import gradio as gr

from gensot_demo.figures.component import PlotlyFigure


def build() -> None:
    PlotlyFigure(empty="The comparison appears here.")
    gr.Button("Compare", variant="primary")
