"""An app of two pages for test_shell.py: figures that update, stream, hide, and are clicked."""

import time

import gradio as gr
import numpy as np
import plotly.graph_objects as go
from gradio.context import Context

from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.palette import DATA, faded
from gensot_demo.shell import Page, build_app, launch_options


def curve(level: float) -> go.Figure:
    x = np.linspace(0, 1, 50, dtype=np.float32)
    figure = go.Figure(go.Scatter(x=x, y=np.full_like(x, level), name="level"))
    figure.update_layout(meta={"description": f"A curve at level {level:g}"}, yaxis_range=[0, 10])
    return figure


def cloud() -> go.Figure:
    return go.Figure(
        go.Scatter(x=[1, 2, 3], y=[1, 3, 2], mode="markers", marker={"size": 30, "color": faded(DATA[1], 0.5)})
    )


def levels():
    for level in range(1, 6):
        yield curve(level), cloud()
        time.sleep(0.15)


def clicked(event: gr.EventData) -> str:
    return f"{event.x},{event.y}"


def figures() -> None:
    with gr.Row():
        first = PlotlyFigure(curve(0), elem_id="first")
        second = PlotlyFigure(
            empty="Press Stream to see ${1+1} <b>clouds</b>.", elem_id="second", description="A cloud"
        )
    stream = gr.Button("Stream")
    clear = gr.Button("Clear")
    said = gr.Textbox(label="Clicked", elem_id="said")
    hostile = gr.Button("Hostile")
    stream.click(levels, outputs=[first, second])
    clear.click(lambda: None, outputs=second)
    second.select(clicked, outputs=said)
    hostile.click(
        lambda: go.Figure(
            layout={"title": {"text": "${window.hacked=1}`{{value}}<img src=x onerror='window.hacked=1'>"}}
        ),
        outputs=second,
    )
    with gr.Tab("Shown"):
        gr.Markdown("The other tab has a figure.")
    with gr.Tab("Hidden at first"):
        PlotlyFigure(curve(3), elem_id="hidden")


def seen(request: gr.Request) -> str:
    return str(request.query_params)


def other() -> None:
    PlotlyFigure(curve(7), elem_id="other", height=200)
    query = gr.Textbox(label="Query", elem_id="query")
    Context.root_block.load(seen, outputs=query)


if __name__ == "__main__":
    pages = (Page("Figures", "/", figures), Page("Other", "/other", other))
    build_app(pages).launch(**launch_options())
