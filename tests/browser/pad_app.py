"""An app of one page for test_pad.py: pads with all tools, with one, and hidden at first."""

import json

import gradio as gr

from gensot_demo.figures.pad import DrawingPad, backdrop_value, drawing_value, read_drawing
from gensot_demo.shell import Page, build_app, launch_options

BACKDROP = {
    "points": [[-3 + 0.02 * n, -3 + 0.01 * ((7 * n) % 40)] for n in range(60)],
    "paths": [[[-3, 0], [-1, 1], [1, 1], [3, 0]], [[-3, 0], [-1, -1], [1, -1], [3, 0]]],
    "start": [-3, 0],
    "end": [3, 0],
}


def heard(value: str, count: str) -> tuple[str, str]:
    drawing = read_drawing(value)
    kinds = {name: getattr(drawing, name).tolist() for name in ("modes", "points", "curve", "knots")}
    return json.dumps({"tool": drawing.tool, **kinds}), str(int(count) + 1)


def listen(pad: DrawingPad, name: str) -> None:
    said = gr.Textbox(label=f"{name} drawing", elem_id=f"{name}-said")
    count = gr.Textbox("0", label=f"{name} count", elem_id=f"{name}-count")
    pad.input(heard, inputs=[pad, count], outputs=[said, count], trigger_mode="always_last")


def pads() -> None:
    with gr.Row():
        with gr.Column():
            target = DrawingPad(label="Target", tools=("modes", "points"), elem_id="target")
            listen(target, "target")
        with gr.Column():
            first = drawing_value("curve", backdrop=BACKDROP)
            guide = DrawingPad(first, label="Guide", tools=("curve", "knots"), elem_id="guide", height=420)
            listen(guide, "guide")
    preset, nothing, read, hostile = (gr.Button(name) for name in ("Preset", "Nothing", "Read", "Hostile"))
    preset.click(
        lambda: drawing_value("modes", modes=[[-2, 1, 0.5, 1], [2, -1, 0.8, 3]], backdrop=BACKDROP), outputs=target
    )
    nothing.click(lambda: None, outputs=target)
    moved = gr.Button("Move the ends")
    moved.click(lambda: backdrop_value({"start": [-2, 1], "end": [2, -1]}), outputs=guide)
    now = gr.Textbox(label="Now", elem_id="now")
    read.click(lambda value: value or "", inputs=guide, outputs=now)
    hostile.click(
        lambda: DrawingPad(
            json.dumps({"tool": "${window.hacked=1}`<img src=x onerror='window.hacked=1'>", "modes": [["<b>"]]}),
            tools=["modes"],
            label="${window.hacked=1}`{{value}}<img src=x onerror='window.hacked=1'>",
            empty="<img src=x onerror='window.hacked=1'>",
        ),
        outputs=target,
    )
    with gr.Tab("Shown"):
        gr.Markdown("The other tab has a pad.")
    with gr.Tab("Hidden at first"):
        DrawingPad(drawing_value("knots", knots=[[0, 0], [1, 1]]), tools=["knots"], elem_id="hidden")


if __name__ == "__main__":
    build_app((Page("Pads", "/", pads),)).launch(**launch_options())
