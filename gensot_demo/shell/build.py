"""Puts the app together: every page in the same frame."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from gensot_demo.experiments import limits
from gensot_demo.pages import (
    compare,
    energy_optimal,
    energy_robustness,
    energy_schedules,
    energy_training,
    exports,
    failures,
    grid,
    lagrangian_controlled,
    lagrangian_diffusion,
    lagrangian_gradient_flows,
    lagrangian_interpolation,
    lagrangian_neurons,
    lagrangian_tokens,
    navigation,
    navigation_adaptive,
    navigation_directions,
    navigation_experts,
    navigation_teacher,
    scoreboard,
    sequences,
    sources,
    static_ot_cells,
    static_ot_gaussians,
    static_ot_heights,
    static_ot_later_start,
    static_ot_pairing,
    transport,
)
from gensot_demo.pages.visitors import limit_visitors
from gensot_demo.shell import frame, tour
from gensot_demo.shell.many_pages import more_pages_follow
from gensot_demo.shell.sessions import keep_sessions_small, let_runs_end_while_stopped


@dataclass(frozen=True)
class Page:
    """A page of the app. `build` is called inside the page's Blocks context and adds its content.

    The first page has the path "/", the others one word after it. under: path of the page that this one is a part of;
    the parts of a page stand in a row of their own below the header, each by its ``part``.  listed: in the header.
    """

    title: str
    path: str
    build: Callable[[], None]
    under: str = ""
    part: str = ""
    listed: bool = True


_PARTS_OF_NAVIGATION = (
    ("Learn a guide", "/teacher", navigation_teacher),
    ("Experts", "/experts", navigation_experts),
    ("Adaptive stiffness", "/adaptive", navigation_adaptive),
    ("Matrix stiffness", "/directions", navigation_directions),
)
_PARTS_OF_ENERGY = (
    ("Kinetic-optimal paths", "/kinetic_optimal", energy_optimal),
    ("Speed and accuracy", "/robustness", energy_robustness),
    ("Training", "/training", energy_training),
)
_PARTS_OF_OPTIMAL_TRANSPORT = (
    ("Solver", "/heights", static_ot_heights),
    ("Later start", "/later_start", static_ot_later_start),
    ("Pairing in training", "/pairing", static_ot_pairing),
    ("Gaussians", "/gaussians", static_ot_gaussians),
)
_PARTS_OF_ONE_EQUATION = (
    ("Optimal transport", "/interpolation", lagrangian_interpolation),
    ("Gradient flows", "/gradient_flows", lagrangian_gradient_flows),
    ("Network training", "/neurons", lagrangian_neurons),
    ("Transformer tokens", "/tokens", lagrangian_tokens),
    ("GenSOT", "/controlled", lagrangian_controlled),
)
PAGES = (
    Page("Compare", "/", compare.build),
    Page("Grid", "/grid", grid.build),
    Page("Transport", "/transport", transport.build),
    Page("Navigation", "/navigation", navigation.build, part="Draw"),
    *(
        Page(f"Navigation: {part.lower()}", path, page.build, under="/navigation", part=part)
        for part, path, page in _PARTS_OF_NAVIGATION
    ),
    Page("Energy", "/energy", energy_schedules.build, part="Schedules"),
    *(
        Page(f"Energy: {part.lower()}", path, page.build, under="/energy", part=part)
        for part, path, page in _PARTS_OF_ENERGY
    ),
    Page("Optimal transport", "/optimal_transport", static_ot_cells.build, part="Cells"),
    *(
        Page(f"Optimal transport: {part.lower()}", path, page.build, under="/optimal_transport", part=part)
        for part, path, page in _PARTS_OF_OPTIMAL_TRANSPORT
    ),
    Page("One equation", "/lagrangian", lagrangian_diffusion.build, part="Diffusion"),
    *(
        Page(f"One equation: {part.lower()}", path, page.build, under="/lagrangian", part=part)
        for part, path, page in _PARTS_OF_ONE_EQUATION
    ),
    Page("Sequences", "/sequences", sequences.build),
    Page("Scoreboard", "/scoreboard", scoreboard.build),
    Page("Failure modes", "/failures", failures.build),
    Page("Sources", "/sources", sources.build, listed=False),
)

ENDPOINTS = {
    "/": "compare",
    "/grid": "grid",
    "/transport": "transport",
    "/navigation": "protocol",
    "/teacher": "learn_guide",
    "/experts": "experts",
    "/adaptive": "adaptive_stiffness",
    "/directions": "matrix_stiffness",
    "/energy": "schedules",
    "/kinetic_optimal": "kinetic_optimal",
    "/robustness": "speed_accuracy",
    "/training": "train_flow",
    "/optimal_transport": "transport_cells",
    "/heights": "solve_heights",
    "/later_start": "later_start",
    "/pairing": "train_pairing",
    "/gaussians": "gaussian_maps",
    "/lagrangian": "lagrangian_diffusion",
    "/interpolation": "lagrangian_interpolation",
    "/gradient_flows": "lagrangian_gradient_flows",
    "/neurons": "lagrangian_neurons",
    "/tokens": "lagrangian_tokens",
    "/controlled": "lagrangian_controlled",
    "/sequences": "sequence",
    "/scoreboard": "scoreboard",
    "/failures": "failure",
}
"""By page: the endpoint that takes the page's query and gives what it shows. Pages of text alone have none."""

VISITORS_WAITING = 200
"""How many requests may wait in line, for all kinds of work together; the next one is told that the app is busy."""


def build_app(pages: Sequence[Page] = PAGES) -> gr.Blocks:
    """The whole app, ready for `launch(**launch_options())`."""
    if not pages or pages[0].path != "/":
        raise ValueError('the first page must have the path "/"')
    app = gr.Blocks(title=frame.NAME, analytics_enabled=False, delete_cache=(3600, 3600 * 6))
    with more_pages_follow(app):
        app.queue(max_size=VISITORS_WAITING, default_concurrency_limit=limits.LIGHT_AT_ONCE)
        for page in pages[:-1]:
            _build(app, pages, page)
    _build(app, pages, pages[-1])
    limit_visitors(app)
    keep_sessions_small()
    let_runs_end_while_stopped()
    return app


def _build(app: gr.Blocks, pages: Sequence[Page], page: Page) -> None:
    with app if page.path == "/" else app.route(page.title, page.path, show_in_navbar=False):
        frame.header(pages, page)
        with gr.Column(elem_classes="gensot-page"):
            page.build()
            if page.path in ENDPOINTS and page in PAGES:
                exports.build(ENDPOINTS[page.path], _filename(page))
        frame.footer(ENDPOINTS.get(page.path, ""))
        tour.equations(page.path)


def _filename(page: Page) -> str:
    """``gensot-energy-schedules``."""
    words = re.findall("[a-z0-9]+", f"{page.title} {'' if page.under else page.part}".lower())
    return "-".join(["gensot", *words])
