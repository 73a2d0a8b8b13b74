"""Optimal transport, part Cells: who sends which noise where, Brenier's map or diffusion's flow."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.cells import solve
from gensot_demo.experiments.static_ot.cells_data import label_of
from gensot_demo.experiments.static_ot.cells_decay import decays, known_decays
from gensot_demo.experiments.static_ot.cells_links import from_query, to_query
from gensot_demo.experiments.static_ot.cells_request import DATA, DRAWN, MOST_POINTS, RANDOM, CellsRequest
from gensot_demo.experiments.static_ot.cells_told import of_decays
from gensot_demo.experiments.static_ot.presets import CELLS_ENDS, CELLS_FALLS, CELLS_SETS, CELLS_WAYS
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.pad import DrawingPad, drawing_value, read_drawing
from gensot_demo.figures.player import Player
from gensot_demo.figures.static_ot_cells import (
    cells_figure,
    decay_figure,
    difference_figure,
    masses_figure,
    tracers_player,
    ways_figure,
)

from . import report, static_ot_cells_endpoints
from . import static_ot_cells_report as words
from .controls import BoundedSlider, NamedParts
from .events import HEAVY, QUIET, address_follows, copies_link, followed, ready
from .static_ot_cells_turns import Choices, while_asked
from .warm_up import WARM_UP

_POINTS = [[-1.6, 0.4], [-0.8, -1.2], [0.3, 1.4], [1.2, -0.4], [1.7, 1.0], [0.1, 0.1]]
_NOWHERE = "The two maps are the same here: there is no noise on which they disagree. Follow noise anywhere."
# Written by the browser at the click itself; the answer comes later and writes over it.
_COMPUTING = f"() => {json.dumps(report.status('Computing both maps…'))}"
_Changes = dict[str, Any]


class _Controls(NamedParts):
    """What the request is made of."""

    def _build(self) -> None:
        parts, fields = self.parts, CellsRequest.model_fields
        choices = [(label_of(name), name) for name in DATA]
        parts["data"] = gr.Dropdown(choices, value=fields["data"].default, label="Points", elem_id="data")
        parts["points"] = DrawingPad(
            drawing_value("points", points=_POINTS), tools=["points"], visible="hidden", elem_id="points-pad",
            label=f"Click 2 to {MOST_POINTS} points",
            empty=f"Click to place 2 to {MOST_POINTS} points.",
        )  # fmt: skip
        parts["time"] = BoundedSlider(
            0.1, 6, fields["time"].default, step=0.05, label="Time T", elem_id="time",
            info="When the noising ends; e^(−T) of the data is left.",
        )  # fmt: skip
        parts["count"] = BoundedSlider(
            2, MOST_POINTS, fields["count"].default, step=1, label="Random points n", visible=False
        )
        parts["seed"] = gr.Number(0, precision=0, minimum=0, label="Seed of the points", visible=False)
        parts["tracers"] = gr.Radio(
            [("anywhere", "anywhere"), ("only where the maps disagree", "disagreement")], value="anywhere",
            label="Noise to follow", elem_id="tracers",
        )  # fmt: skip
        shown = [parts[name] for name in ("points", "count", "seed")]
        parts["data"].change(_revealed, parts["data"], shown, queue=False, **QUIET)

    def request(self, values: tuple[Any, ...]) -> CellsRequest:
        """The request of these values; raises InvalidRequest with a sentence."""
        at = dict(zip(self.parts, values, strict=True))
        return parse(
            CellsRequest,
            data=at["data"],
            points=_drawn(at["points"]) if at["data"] == DRAWN else [],
            count=int(at["count"]),
            seed=at["seed"] or 0,
            time=at["time"],
            tracers=at["tracers"],
        )

    def values(self, request: CellsRequest) -> list[Any]:
        """What the components show for a request, in the order of :meth:`all`."""
        drawn, random = request.data == DRAWN, request.data == RANDOM
        points = drawing_value("points", points=request.points) if drawn else gr.skip()
        return [
            request.data,
            gr.update(value=points, visible=True) if drawn else gr.update(visible="hidden"),
            request.time,
            gr.update(value=request.count, visible=random),
            gr.update(value=request.seed, visible=random),
            request.tracers,
        ]

    def changed(self) -> list[Any]:
        """The events of a person changing something."""
        return [part.input for part in self.parts.values()]


def _revealed(data: str) -> list[Any]:
    random = gr.update(visible=data == RANDOM)
    return [gr.update(visible=True if data == DRAWN else "hidden"), random, random]


def _drawn(drawing: str | None) -> list[list[float]]:
    """The points of a drawing; raises InvalidRequest with sentences."""
    try:
        rows = read_drawing(drawing).points.tolist()
    except ValueError as error:
        raise InvalidRequest(f"The drawing cannot be read: {error}.") from None
    if len(rows) > MOST_POINTS:
        raise InvalidRequest(
            f"{len(rows)} points are drawn; at most {MOST_POINTS} are allowed. A stroke lays many, a click one: "
            "undo the stroke, or erase some."
        )
    return rows


def _question(title: str, text: str) -> None:
    gr.Markdown(f"### {title}\n{text}", elem_classes=["gensot-lead", "gensot-energy-question"])


def _figure(name: str, height: int) -> PlotlyFigure:
    return PlotlyFigure(empty="Not computed yet.", height=height, elem_id=name, filename=f"gensot-{name}")


def _tries(text: str, changes: tuple[tuple[str, _Changes], ...]) -> list[tuple[gr.Button, _Changes]]:
    """The line "What to try" with its buttons."""
    gr.Markdown(f"**What to try.** {text}", elem_classes="gensot-try")
    with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
        return [(gr.Button(name, size="sm", elem_classes="gensot-preset"), change) for name, change in changes]


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    gr.Markdown(words.LEAD, elem_classes="gensot-lead")
    with gr.Row(elem_classes=["gensot-split", "gensot-controls-first"]):
        with gr.Column(scale=3, min_width=280, elem_classes="gensot-controls"):
            controls = _Controls()
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            status = gr.HTML(report.status("Computing the first view…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
        with gr.Column(scale=10, min_width=320):
            tiles = gr.HTML(elem_id="tiles")
            _question(
                "Who goes where?",
                "Noise has the colour of the point it goes to. Brenier's borders are straight, since only differences "
                "of scores ⟨z, y⟩ + h decide; the flow's may bend, since it decides step by step.",
            )
            with gr.Row(elem_classes="gensot-cells"):
                with gr.Column(min_width=280):
                    gr.Markdown("**Optimal transport**: Laguerre cells of Brenier's map")
                    brenier = _figure("brenier", 440)
                with gr.Column(min_width=280):
                    gr.Markdown("**Diffusion**: cells of the probability flow")
                    flow = _figure("flow", 440)
            tries = _tries(
                "Symmetry leaves no choice, so on the octagon both are one map; on the moons an eighth of the noise "
                "goes elsewhere.",
                CELLS_SETS,
            )
    with gr.Row(elem_classes="gensot-pair"):
        with gr.Column(min_width=300):
            _question(
                "Where do they disagree?",
                "Filled noise goes to different points. It lies in strips between Brenier's borders and the flow's, "
                "widest where three cells meet: far from borders nothing is in doubt. Shown is the middle, where most "
                "noise is; drag to zoom in.",
            )
            difference = _figure("difference", 480)
        with gr.Column(min_width=300):
            _question(
                "Does every point get its share?",
                "Brenier's cells hold 1/n exactly. The flow's would if it started from the noised data; it starts from "
                "pure noise, and the shorter the noising, the more that matters.",
            )
            masses = _figure("masses", 230)
            said = gr.HTML(elem_id="verdict")
            check = gr.HTML(elem_id="check")
            tries += _tries("Stop the noising early: cells are off by percents, and by nothing soon after.", CELLS_ENDS)
    _question(
        "How does the noise travel?",
        "The same noise twice. Optimal transport goes straight at constant speed; the flow first drifts towards the "
        "mean of all that is still possible and turns when the data decide.",
    )
    with gr.Row(elem_classes="gensot-pair"):
        with gr.Column(scale=4, min_width=300):
            ways = _figure("ways", 480)
        with gr.Column(scale=5, min_width=300):
            player = Player(empty=_NOWHERE, elem_id="player", filename="gensot-cells")
    tries += _tries("Follow only noise on which the two disagree: it passes close to a border.", CELLS_WAYS)
    _question(
        "What does longer noising buy?",
        "All that comes from starting at pure noise falls exponentially in T, each at a rate of its own, measured "
        "here. One line does not fall.",
    )
    decay = _figure("decay", 440)
    fallen = gr.HTML(elem_id="fallen")
    decay_status = gr.HTML(elem_id="decay-status")
    tries += _tries("On a grid the last line falls too: there the flow is optimal transport.", CELLS_FALLS)
    with gr.Accordion("The equations", open=False):
        gr.Markdown(words.EQUATIONS)
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(words.READ)

    inputs = controls.all()
    latest, ticket = gr.State(Choices()), gr.Number(-1, precision=0, visible="hidden")
    shown = [tiles, brenier, flow, difference, masses, ways, player, said, check, status, query]
    fallen_parts = [decay, fallen, decay_status]

    def show(latest: Choices, *values: Any) -> list[Any]:
        return latest.newest(lambda number: [number, *_show(controls, values)]) or [gr.skip()] * len(outputs)

    @WARM_UP.yields_to
    def fall(latest: Choices, number: int, *values: Any) -> Iterator[list[Any]]:
        yield from while_asked(latest, number, _fall(controls, values))

    def stopped(latest: Choices) -> list[Any]:
        line = report.status("Stopped. What is shown stays; it may be of other settings.")
        return [
            line if latest.stop() else gr.skip(),
            report.status("Stopped. What is shown of longer noising is as far as it came."),
        ]

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request.url.query or "")

    outputs = [ticket, *shown, *fallen_parts]
    run = {"fn": show, "inputs": [latest, *inputs], "outputs": outputs, "queue": False, **QUIET}
    falls = {"fn": fall, "inputs": [latest, ticket, *inputs], "outputs": fallen_parts, **HEAVY}
    loaded = Context.root_block.load(restore, None, [*inputs, notice], **QUIET)
    pictures = [loaded.then(**run), gr.on(controls.changed(), trigger_mode="always_last", **run)]
    for button, changes in tries:
        button.click(None, None, status, js=_COMPUTING, **QUIET)
        pictures.append(button.click(_changer(controls, changes), None, inputs, queue=False, **QUIET).then(**run))
    for event in pictures:
        address_follows(event, query)
        ready(event.then(trigger_mode="multiple", **falls), "#decay-status")
    stop.click(stopped, latest, [status, decay_status], queue=False, **QUIET)
    copies_link(link, query)
    static_ot_cells_endpoints.publish()


def _first_view() -> Iterator[None]:
    """What the page begins with, and its decays."""
    plain = CellsRequest()
    solve(plain)
    yield
    for _ in decays(plain):
        yield


def _show(controls: _Controls, values: tuple[Any, ...]) -> list[Any]:
    """[numbers, five figures, player, sentences, check, status, query, decays (3)]; what is shown stays if values are
    bad."""
    try:
        request = controls.request(values)
        result = solve(request)
    except InvalidRequest as error:
        text = f"{error} What is shown is still of other {'points' if values[0] == DRAWN else 'settings'}."
        return [*[gr.skip()] * 9, report.status(text[0].upper() + text[1:], kind="error"), *[gr.skip()] * 4]
    except Exception as error:
        logging.getLogger(__name__).exception("cells failed")
        sentence = f"This failed ({type(error).__name__}); what is shown stays. Other settings may work."
        return [*[gr.skip()] * 9, report.status(sentence, kind="error"), *[gr.skip()] * 4]
    return [
        words.tiles(result),
        cells_figure(result, result.brenier, "Brenier's map"),
        cells_figure(result, result.flow, "Diffusion's flow"),
        difference_figure(result),
        masses_figure(result),
        ways_figure(result),
        tracers_player(result),
        words.said(result),
        words.accuracy(result),
        report.status(words.done(result)),
        to_query(request),
        *_known(request),
    ]


def _known(request: CellsRequest) -> list[Any]:
    """[figure, sentences, status] of how errors fall for these points: empty until it is found."""
    found = known_decays(request)
    if found is None:
        return [None, "", report.status("How errors fall for these points: waiting…")]
    return [decay_figure(found, request.time), words.sentences(of_decays(found)), ""]


def _fall(controls: _Controls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """[figure, sentences, status] after each T."""
    try:
        request = controls.request(values)
        for found in decays(request):
            figure = decay_figure(found, request.time)
            if found.done == 1:
                yield [figure, words.sentences(of_decays(found)), ""]
            else:
                line = report.running("Longer and longer noising", found.done, found.seconds)
                yield [figure, gr.skip(), line]
    except InvalidRequest:
        yield [gr.skip(), gr.skip(), ""]  # the status line above says why
    except Exception as error:
        logging.getLogger(__name__).exception("decays failed")
        sentence = f"This failed ({type(error).__name__}); what is shown stays. Other settings may work."
        yield [gr.skip(), gr.skip(), report.status(sentence, kind="error")]


def _changer(controls: _Controls, changes: _Changes):
    """Sets some controls and leaves the others; those appear that a set has."""

    def change() -> list[Any]:
        updates = {name: gr.skip() for name in controls.parts} | changes
        if "data" in changes:
            random = changes["data"] == RANDOM
            updates["points"] = gr.update(visible="hidden")
            for name in ("count", "seed"):
                value = {"value": changes[name]} if name in changes else {}
                updates[name] = gr.update(visible=random, **value)
        return list(updates.values())

    return change


def _restore(controls: _Controls, query: str) -> list[Any]:
    """[controls…, notice] from the address."""
    wanted, notice = followed(lambda: from_query(query), CellsRequest())
    return [*controls.values(wanted), notice]
