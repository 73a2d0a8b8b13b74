"""Energy, part Kinetic-optimal paths: when the data are decided, which way is cheapest, and when it does not matter."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.energy.optimal import OptimalResult, explore, explored
from gensot_demo.experiments.energy.optimal_data import label_of
from gensot_demo.experiments.energy.optimal_links import from_query, to_query
from gensot_demo.experiments.energy.optimal_request import DATA, DRAWN, MOST_POINTS, OptimalRequest
from gensot_demo.experiments.energy.optimal_sweep import Sweep, sweep
from gensot_demo.experiments.energy.optimal_told import of_result, of_sweep
from gensot_demo.experiments.energy.presets import (
    DRAWN_SCHEDULE,
    OPTIMAL_COSTS,
    OPTIMAL_MATTERS,
    OPTIMAL_WHEN,
    OPTIMAL_WHICH,
)
from gensot_demo.experiments.plane.request import thinned
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.energy_optimal import (
    energy_bars,
    plane_figure,
    separation_figure,
    speed_figure,
    sweep_figure,
    undecided_figure,
)
from gensot_demo.figures.pad import DrawingPad, drawing_value, read_drawing
from gensot_demo.transport.targets import TARGETS

from . import energy_optimal_endpoints, report
from .controls import NamedParts, slider_for
from .events import HEAVY, QUIET, Latest, address_follows, copies_link, followed
from .warm_up import WARM_UP

_POINTS = [[-1.6, 0.4], [-0.8, -1.2], [0.3, 1.4], [1.2, -0.4], [1.7, 1.0]]
_LEAD = (
    "A schedule mixes signal and noise, x = a·data + m·noise, and every choice of a and m ends in the same samples if "
    "the steps are fine. What differs is **how fast the samples must move**. From one curve, how much of the data is "
    "decided at each noise level, the cheapest schedule follows in closed form. All in units in which the data have "
    "variance 1 per coordinate."
)
_READ = """
* **Decided, λ**: data separation, (1/d) E|E[data | x]|² at signal over noise r = a/m. 0: the noise hides everything;
  1: every point stands apart. For points it is estimated through the mean posterior variance, with noise in mirrored
  or evenly spread draws; for the named targets it is an integral. Bars show two standard errors.
* **Kinetic energy**: (1/d) ∫ E|v|² dt, the mean squared speed of the flow's particles. It is the price
  of the motion, not of its steps: on *Schedules* the cheapest path is not always nearest to the end after few steps.
* **Kinetic optimal**: in polar coordinates the cost is that of a flat plane, so the cheapest path is a straight line
  there, at constant speed c. The data fix it; no search is needed.
* **\\*** VP's energy grows without limit towards separate points, as the logarithm of the time left out: it is taken
  up to t = 1 − 10⁻⁵.
* Shaul, Chen, Nickel, Le, Lipman, *On kinetic optimal probability paths for generative models*, arXiv 2306.06626. The
  theorem: ∫ |1 − λ| dr ≤ 3n/√d for n points in d dimensions. The closed form is ours, their equation the check.
"""
_Changes = dict[str, Any]


class _Controls(NamedParts):
    """What the request is made of."""

    def _build(self) -> None:
        parts, fields = self.parts, OptimalRequest.model_fields
        choices = [(label_of(name), name) for name in DATA]
        parts["data"] = gr.Dropdown(choices, value=fields["data"].default, label="Data", elem_id="data")
        parts["points"] = DrawingPad(
            drawing_value("points", points=_POINTS), tools=["points"], visible="hidden", elem_id="points-pad",
            label="Draw the data",
        )  # fmt: skip
        parts["count"] = slider_for(fields["count"], "Random points n", "For random data and the last question.")
        parts["dimension"] = slider_for(fields["dimension"], "Their dimensions d")
        parts["own"] = gr.Checkbox(False, label="Add a schedule of my own", elem_id="own")
        parts["schedule"] = DrawingPad(
            drawing_value("knots", knots=DRAWN_SCHEDULE, backdrop={"start": [0, 1], "end": [1, 0]}), tools=["knots"],
            extent=(-0.06, 1.06, -0.06, 1.06), visible="hidden", elem_id="schedule-pad", height=300,
            label="Share of noise m/(a + m) over time t",
        )  # fmt: skip
        parts["seed"] = gr.Number(0, precision=0, minimum=0, label="Seed of points and estimate")
        parts["data"].change(_when(lambda data: data == DRAWN), parts["data"], parts["points"], **QUIET)
        parts["own"].change(_when(bool), parts["own"], parts["schedule"], **QUIET)

    def request(self, values: tuple[Any, ...]) -> OptimalRequest:
        """The request of these values; raises InvalidRequest with a sentence."""
        at = dict(zip(self.parts, values, strict=True))
        drawn = _rows(at["points"], "points") if at["data"] == DRAWN else []
        return parse(
            OptimalRequest,
            data=at["data"],
            points=thinned(drawn, MOST_POINTS),
            count=at["count"],
            dimension=at["dimension"],
            schedule=_rows(at["schedule"], "knots") if at["own"] else [],
            seed=at["seed"] or 0,
        )

    def values(self, request: OptimalRequest) -> list[Any]:
        """What the components show for a request, in the order of :meth:`all`."""
        own, drawn = bool(request.schedule), request.data == DRAWN
        points = drawing_value("points", points=request.points) if drawn else gr.skip()
        knots = drawing_value("knots", knots=request.schedule, backdrop={"start": [0, 1], "end": [1, 0]})
        return [
            request.data,
            gr.update(value=points, visible=True) if drawn else gr.update(visible="hidden"),
            request.count,
            request.dimension,
            own,
            gr.update(value=knots, visible=True) if own else gr.update(visible="hidden"),
            request.seed,
        ]

    def changed(self) -> list[Any]:
        """The events of a person changing something."""
        return [part.input for part in self.parts.values()]


def _when(holds):
    return lambda value: gr.update(visible=True if holds(value) else "hidden")


def _rows(drawing: str | None, kind: str) -> list[list[float]]:
    try:
        return getattr(read_drawing(drawing), kind).tolist()
    except ValueError as error:
        raise InvalidRequest(f"The drawing cannot be read: {error}.") from None


def _question(title: str, text: str) -> None:
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-lead")


def _figure(name: str, height: int = 380) -> PlotlyFigure:
    with gr.Column(min_width=300):
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
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = _Controls()
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            status = gr.HTML(report.status("Computing the first view…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            _question(
                "When is the data decided?",
                "Much noise: every sample could still become anything, λ = 0. Little noise: each is next to its own "
                "data, λ = 1. In between the decision falls, and the more dimensions speak, the sooner.",
            )
            separation = _figure("separation", 360)
            said = gr.HTML(elem_id="verdict")
            tries = _tries(
                "From two points to many dimensions to pictures: the same curve slides to the left by a factor of "
                "thirty, since every pixel adds its bit of evidence.",
                OPTIMAL_WHEN,
            )
    with gr.Row(elem_classes="gensot-pair"):
        with gr.Column(min_width=300):
            _question(
                "Which way is cheapest?",
                "Every path leads from noise alone, upper left, to data alone, lower right; marks are tenths of the "
                "time. The cheapest one hurries past noise levels at which nothing is decided.",
            )
            plane = _figure("plane", 440)
            tries += _tries(
                "In the plane the cosine path beats the straight one. Or draw the share of noise yourself: the same "
                "line as CondOT in your own time. Fall fast where CondOT is slow, and it costs less.",
                OPTIMAL_WHICH,
            )
        with gr.Column(min_width=300):
            _question(
                "What does it cost?",
                "Mean squared speed over time; the area below a curve is its bar. The cheapest path is flat: whoever "
                "waits must hurry later, and hurrying costs by the square.",
            )
            bars, speed = _figure("bars", 210), _figure("speed", 310)
            check = gr.HTML(elem_id="check")
            tries += _tries(
                "Where the data are nearly Gaussian, almost nothing need move; where they stand far apart, the order "
                "of cosine and CondOT turns round.",
                OPTIMAL_COSTS,
            )
    _question(
        "When does it not matter?",
        "With n random points in more and more dimensions, everything is decided at once, and the straight path "
        "becomes the cheapest. A theorem bounds what is left by 3n/√d; the bound is far too large, its slope is right.",
    )
    with gr.Row():
        undecided, energies = _figure("undecided"), _figure("energies")
    swept = gr.HTML(elem_id="swept")
    tries += _tries(
        "Move n and d. Few points are soon alone; with many in few dimensions CondOT is far from cheapest.",
        OPTIMAL_MATTERS,
    )
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(_READ)

    inputs = controls.all()
    shown = [separation, plane, bars, speed, said, check, undecided, energies, swept, status, query]

    @WARM_UP.yields_to
    def show(latest: Latest, *values: Any) -> Iterator[list[Any]]:
        number = latest.choose()
        for moment in _show(controls, values):
            if latest.number != number:  # what still runs is for settings that are no longer shown
                yield [gr.skip()] * len(shown)
                return
            yield moment

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request.url.query or "")

    run = {"fn": show, "inputs": [gr.State(Latest()), *inputs], "outputs": shown, **HEAVY}
    loaded = Context.root_block.load(restore, None, [*inputs, notice], **QUIET)
    runs = [loaded.then(**run), gr.on(controls.changed(), trigger_mode="always_last", **run)]
    for button, changes in tries:
        runs.append(button.click(_changer(controls, changes), None, inputs, **QUIET).then(**run))
    for event in runs:
        address_follows(event, query)
    stop.click(None, None, None, cancels=runs, api_visibility="private").then(
        lambda: report.status("Stopped. What is shown stays."), None, status, **QUIET
    )
    copies_link(link, query)
    energy_optimal_endpoints.publish()


def _first_view() -> Iterator[None]:
    """What the page begins with, then the named targets, whose integrals take up to a second each."""
    plain = OptimalRequest()
    explored(plain)
    yield
    for _ in sweep(plain.count, plain.seed):
        yield
    for name in TARGETS:
        explored(OptimalRequest(data=name))
        yield


def _show(controls: _Controls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """[four figures, sentences, check, two figures, sentence, status, query]; what is shown stays if values are bad."""
    try:
        request, began = controls.request(values), time.perf_counter()
        for moment in explore(request):
            if moment.result is not None:
                head = [*_pictures(moment.result)]
            elif time.perf_counter() - began > 0.3:
                line = report.running("Measuring what is decided", moment.done, moment.seconds)
                yield [*[gr.skip()] * 9, line, gr.skip()]
        yield [*head, *[gr.skip()] * 3, report.status(_done(moment.result)), to_query(request)]
        for found in sweep(request.count, request.seed):
            line = report.running("More and more dimensions", found.done, found.seconds)
            if found.done == 1:
                line = report.status(_done(moment.result))
            yield [*[gr.skip()] * 6, *_swept(found, request.dimension), line, gr.skip()]
    except InvalidRequest as error:
        text = str(error)
        yield [*[gr.skip()] * 9, report.status(text[0].upper() + text[1:], kind="error"), gr.skip()]
    except Exception as error:
        logging.getLogger(__name__).exception("kinetic-optimal paths failed")
        sentence = f"This failed ({type(error).__name__}); what is shown stays. Other settings may work."
        yield [*[gr.skip()] * 9, report.status(sentence, kind="error"), gr.skip()]


def _done(result: OptimalResult) -> str:
    if result.seconds == 0:
        return f"{result.label}: from what is known of these data, in closed form."
    return (
        f"{result.label}: {len(result.separation.r)} noise levels in {result.seconds:.2f} s, the rest in closed form."
    )


def _pictures(result: OptimalResult) -> list[Any]:
    lines = "".join(f"<li>{report.escape(line)}</li>" for line in of_result(result))
    check = (
        f"<b>Check.</b> The paper's boundary-value equation, solved step by step, agrees with the closed form to "
        f"{result.disagreement:.0e} radians. Not in the figure: VE from noise 80 costs {result.exploding:,.0f}, nearly "
        "all of it for shrinking noise."
    )
    if any(path.until < 1 for path in result.paths):
        check += " <b>*</b> Grows without limit towards the end: counted up to t = 1 − 10⁻⁵."
    return [
        separation_figure(result),
        plane_figure(result),
        energy_bars(result),
        speed_figure(result),
        f'<ul class="gensot-verdict">{lines}</ul>',
        f'<p class="gensot-law">{check}</p>',
    ]


def _swept(found: Sweep, dimension: int) -> list[Any]:
    sentence = f'<p class="gensot-law">{report.escape(of_sweep(found))}</p>'
    return [undecided_figure(found, dimension), sweep_figure(found, dimension), sentence]


def _changer(controls: _Controls, changes: _Changes):
    """Sets some controls and leaves the others; a pad appears with what it is for."""

    def change() -> list[Any]:
        updates = {name: gr.skip() for name in controls.parts} | changes
        if "data" in changes:
            updates["points"] = gr.update(visible="hidden")
        if "schedule" in changes:
            updates |= {"own": True, "schedule": gr.update(visible=True)}  # what was drawn before stays
        return list(updates.values())

    return change


def _restore(controls: _Controls, query: str) -> list[Any]:
    """[controls…, notice] from the address."""
    wanted, notice = followed(lambda: from_query(query), OptimalRequest())
    return [*controls.values(wanted), notice]
