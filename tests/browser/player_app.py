"""An app for test_player.py: particles on synthetic curves, from one particle to six panels of four hundred."""

import json

import gradio as gr
import numpy as np

from gensot_demo.figures.palette import DATA
from gensot_demo.figures.player import PanelFrames, Player, Tube, VelocityField, player_value
from gensot_demo.shell import Page, build_app, launch_options

EXTENT = (-1.5, 4.5, -3, 3)
TIMES = np.linspace(0, 1, 61)
MODES = ("Upper", "Lower", "Middle", "Far")
MEANS = np.array([[3, 1.5], [3, -1.5], [2.4, 0], [4, 0.6]])
NAMES = ("GenSOT", "Classifier-free guidance", "Conditional", "Posterior sampling", "SDEdit", "Unguided")
GLYPHS = "◆▲■✚✕●"
HOSTILE = "${window.hacked=1}`{{value}}<img src=x onerror='window.hacked=1'>"


def guide() -> np.ndarray:
    return np.stack([3 * TIMES, 0.5 * np.sin(2 * np.pi * TIMES)], axis=1)


def field() -> VelocityField:
    x, y, times = np.linspace(-1.2, 4.2, 16), np.linspace(-2.7, 2.7, 16), np.linspace(0, 1, 12)
    grid_x, grid_y = np.meshgrid(x, y)
    vectors = np.stack([np.stack([3 - grid_x, (1 + t) * np.sin(grid_x) - t * grid_y], axis=-1) for t in times])
    vectors[:, np.hypot(grid_x - 1.5, grid_y) > 3.2] = np.nan
    return VelocityField(x, y, times, vectors)


def panel(number: int, particles: int = 400, bare: bool = False) -> PanelFrames:
    random = np.random.default_rng(number)
    destination = random.choice(4, particles, p=[0.45, 0.3, 0.15, 0.1])
    start = 0.6 * random.standard_normal((particles, 2))
    end = MEANS[destination] + 0.25 * random.standard_normal((particles, 2))
    t = TIMES[:, None, None]
    wave = np.stack([np.zeros_like(TIMES), np.sin(np.pi * TIMES) * (0.4 + 0.2 * number)], axis=1)[:, None]
    noise = np.cumsum(random.standard_normal((61, particles, 2)), axis=0) * 0.03 * t * (1 - t) * 2
    positions = (1 - t**1.5) * start + t**1.5 * end + wave * np.sign(end[:, 1])[None, :, None] + noise
    return PanelFrames(
        name=f"panel {number}",
        label=NAMES[number],
        note=f"energy {1.3 + 0.7 * number:.2f}",
        glyph=GLYPHS[number],
        colour=DATA[number],
        positions=positions,
        destination=destination,
        guide=None if bare else guide(),
        tube=None if bare or number % 2 else Tube(guide(), 0.35 + 0.3 * np.sin(np.pi * TIMES)),
        field=None if bare else field(),
    )


def target() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = np.linspace(-1.5, 4.5, 61), np.linspace(-3, 3, 61)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    weights = (0.45, 0.3, 0.15, 0.1)
    squares = [((grid - mean) ** 2).sum(-1) for mean in MEANS]
    return x, y, sum(w * np.exp(-square / 0.125) for w, square in zip(weights, squares, strict=True))


def curves(panels: int, **changes) -> str:
    shown = {"target": target(), "show": ("trails", "target", "guide"), "description": "Clouds on their way"} | changes
    return player_value(TIMES, EXTENT, MODES, [panel(number) for number in range(panels)], **shown)


def one_particle(label: str = "One", autoplay: bool = False) -> str:
    """From (-1, 0) to (1, 0) on a straight line, recorded five times."""
    times = np.linspace(0, 1, 5)
    positions = np.stack([2 * times - 1, np.zeros(5)], axis=1)[:, None]
    only = PanelFrames(name="one", label=label, positions=positions, destination=[0])
    return player_value(times, (-2, 2, -1, 1), [label], [only], None, (), label, autoplay)


def said(event: gr.EventData) -> str:
    return json.dumps([event.show, event.frame])


def content() -> None:
    player = Player(empty="Press ${1+1} <b>Two</b>.", elem_id="player", render=False)
    choices = {
        "One": one_particle,
        "Moving one": lambda: one_particle(autoplay=True),
        "Two": lambda: curves(2),
        "Two at rest": lambda: curves(2, autoplay=False),
        "Three": lambda: curves(3),
        "Four": lambda: curves(4),
        "Five": lambda: curves(5),
        "Six": lambda: curves(6),
        "Everything": lambda: curves(6, show=("trails", "density", "field", "guide", "pairing", "target")),
        "Hostile": lambda: one_particle(HOSTILE),
        "None": lambda: None,
    }
    with gr.Row():
        for name, value in choices.items():
            gr.Button(name, min_width=80).click(value, outputs=player)
    player.render()
    player.select(said, outputs=gr.Textbox(label="Said", elem_id="said"))
    gr.HTML('<div style="height: 1500px"></div>')


if __name__ == "__main__":
    build_app((Page("Player", "/", content),)).launch(**launch_options())
