"""Energy, part Schedules: the same data reached on different schedules; what differs, and what it costs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.energy.presets import SCHEDULE_PRESETS
from gensot_demo.experiments.energy.schedules_cloud import compare
from gensot_demo.experiments.energy.schedules_paths import drawn_path
from gensot_demo.experiments.energy.schedules_request import SCHEDULES, SchedulesRequest, from_query, to_query
from gensot_demo.experiments.energy.schedules_result import SchedulesResult
from gensot_demo.experiments.energy.schedules_told import of_ends, of_speed, of_steps
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.energy_schedules import pictures_of, speed_figure, steps_figure, strips_of
from gensot_demo.figures.pad import read_drawing
from gensot_demo.figures.wall import PictureWall

from . import energy_schedules_endpoints, report
from . import energy_schedules_report as words
from .energy_schedules_controls import SchedulesControls
from .energy_schedules_endpoints import KEPT as _KEPT
from .events import HEAVY, QUIET, address_follows, copies_link, followed, keep_first
from .warm_up import WARM_UP

_SLOTS = len(SCHEDULES)
_BETWEEN = 0.4  # seconds between two views of a run that goes on
_LEAD = (
    "A **schedule** says how much noise is left at each time. Every schedule carries the same noise to the same data, "
    "so why are some better than others? Because they move at different **speeds**: speed is what a path costs, and "
    "haste is what few steps cannot follow."
)
_QUESTIONS = {
    "way": (
        "How does it get there?",
        "On a line, time runs to the right, from noise to data, and each flow line is a particle. In the plane ways "
        "lead from open rings to dots; of the emoji one sample is followed. All schedules take the same particles to "
        "the same places, at other times and through other places.",
    ),
    "speed": (
        "How fast is it when?",
        "Squared speed of the probability flow, per coordinate. The area under a curve is the **kinetic energy** that "
        "the schedule spends; no motion spends less than optimal transport, which never changes its speed.",
    ),
    "end": (
        "Where does it end?",
        "In the noise level σ = m/a all schedules obey one equation, dz/dσ = (z − ŷ)/σ. Integrated accurately, the "
        "same noise therefore ends in the same place, whatever the schedule.",
    ),
    "steps": (
        "What do few steps cost?",
        "This is what people pay: the distance from the exact end of the same noise after Euler's (or Heun's) steps, "
        "equally long in each schedule's own time, for VE and "
        "GenSOT in the noise level. Optimal transport moves on straight lines: one step is enough.",
    ),
}
_READ = """
* **Units**: the data are centred and scaled to variance 1 per coordinate; energies are per coordinate.
* **Energy**: ∫ E|v|² dt / d with the velocity v of the probability flow. On these schedules v is a gradient, so d times
  the energy *is* the thermodynamic dissipation (Ikeda et al., arXiv 2407.04495), and the area under v₂² in W₂.
* **Least possible**: W₂² / d between the schedule's own start and the data. On a line it is exact, by quantiles. In the
  plane and on pictures it is the best pairing of the drawn noises with their ends, on average a little too high.
* **On a line** nothing is random: quantiles Q_t(u) are flow lines, v₂² = ∫ (∂Q_t/∂t)² du, and the flow is the optimal
  map.
* **Ends** are integrated by Runge-Kutta of order 4 in log σ with each schedule's own velocity, starting at σ = 10⁴, or
  at the schedule's largest noise where that is less: VP-linear 152, VE 80. What those two ignore of the data is the
  gap. The others solve one equation in the same steps: in the plane and on pictures they agree to rounding.
* **Steps** of VE and GenSOT are taken in the noise level, as VE is used (EDM) and as a path from a point must start;
  the others in time. VE is σ = 80 (1 − t)⁷. GenSOT has no guide, temperature 1, and starts at the data's mean.
  In the plane a single draw that is led to another branch can be most of a distance.
* **Kinetic-optimal**: Shaul et al., arXiv 2306.06626, from the data's own separation function.
"""


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(lambda: keep_first(compare, SchedulesRequest(), SchedulesResult, _KEPT))
    query = gr.Textbox(visible="hidden", elem_id="query")
    gr.Markdown(_LEAD, elem_classes="gensot-lead")
    with gr.Row(elem_classes=["gensot-split", "gensot-controls-first"]):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = SchedulesControls()
        with gr.Column(scale=9, min_width=320):
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                run = gr.Button("Run", variant="primary", min_width=80, elem_id="run")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            status = gr.HTML(report.status("Computing the first view…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            _question("way")
            far = _try("Five modes in a row: see particles wait, then choose.", SCHEDULE_PRESETS[0][0])
            with gr.Row(elem_classes="gensot-schedules"):
                slots = [
                    PlotlyFigure(
                        empty="…", height=250, visible=True if number < len(SchedulesRequest().schedules) else "hidden",
                        filename="gensot-schedule", elem_id=f"way-{number}",
                    )
                    for number in range(_SLOTS)
                ]  # fmt: skip
            strip = PictureWall(elem_id="strips", visible="hidden")
            _question("speed")
            near = _try(
                "Bring the modes together: what is nearly Gaussian costs VP-linear and Cosine nothing, but CondOT "
                "still squeezes the cloud and lets it go.",
                SCHEDULE_PRESETS[1][0],
            )
            speeds = PlotlyFigure(empty="Speeds appear here.", height=400, elem_id="speeds", filename="gensot-speeds")
            fast = gr.HTML(elem_id="said-speed")
            table = gr.HTML(elem_id="table")
            _question("end")
            plane = _try(
                "In the plane optimal transport is another map, if hardly: the spiral.", SCHEDULE_PRESETS[2][0]
            )
            ends = gr.HTML(elem_id="said-ends")
            _question("steps")
            solver = gr.Radio([("Euler", "euler"), ("Heun", "heun")], value="euler", label="Solver", elem_id="solver")
            gr.Markdown(
                "*What to try:* Heun's steps cost two calls each. They help where speed changes smoothly; watch VE.",
                elem_classes="gensot-try",
            )
            steps = PlotlyFigure(empty="Distances appear here.", height=420, elem_id="steps", filename="gensot-steps")
            cost = gr.HTML(elem_id="said-steps")
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(_READ)

    inputs = [*controls.all(), solver]
    shown = [status, *slots, strip, speeds, fast, table, ends, steps, cost, query]
    settings = [*inputs, notice]
    restore = _restoring(controls)
    started = Context.root_block.load(restore, None, settings, **QUIET)
    light = {"inputs": inputs, "outputs": shown, "trigger_mode": "always_last", **QUIET, "concurrency_limit": 4}
    first = started.then(_show, **light)

    reveal = [controls[name] for name in ("modes", "separation", "width", "tilt", "target", "seed")]
    controls["data"].change(_reveal_data, controls["data"], reveal, **QUIET)
    drawn = [controls["stiffness"], controls["knots"]]
    controls["schedules"].change(_reveal_schedules, controls["schedules"], drawn, **QUIET)

    @WARM_UP.yields_to
    def running(*values: Any) -> Iterator[list[Any]]:
        yield from _moments(values)

    # events of one trigger wait for one another, but not for what follows them: so each run follows an empty event,
    # and those of other settings are cancelled at once
    ran = run.click(None, None, None, **QUIET).then(running, inputs, shown, **HEAVY)
    changes = [part.input for part in inputs]
    moved = gr.on(changes, None, None, None, **QUIET).then(_show, **light)
    begun = [(None, first), (run.click, ran), (changes, moved)]
    for button, (_, changed) in zip((far, near, plane), SCHEDULE_PRESETS, strict=True):
        tried = button.click(_trying(controls, changed), inputs, inputs, **QUIET).then(_show, **light)
        begun.append((button.click, tried))
    runs = [event for _, event in begun]
    for triggers, own in begun:
        address_follows(own, query)
        if triggers is not None:
            others = [event for event in runs if event is not own]
            gr.on(triggers, None, None, None, cancels=others, api_visibility="private")
    stop.click(None, None, None, cancels=runs, api_visibility="private").then(
        _stopped, [query, *inputs], status, **QUIET
    )
    copies_link(link, query, lambda *values: to_query(_request(values)), inputs, query)
    energy_schedules_endpoints.publish()


def _stopped(shown: str, *values: Any) -> str:
    try:
        same = shown == to_query(_request(values))
    except InvalidRequest:
        same = False
    stays = "What was found stays." if same else "What is shown is of the settings before."
    return report.status(f"Stopped. {stays}")


def _question(name: str) -> None:
    title, text = _QUESTIONS[name]
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-energy-question")


def _try(text: str, label: str) -> gr.Button:
    with gr.Row(elem_classes=["gensot-run", "gensot-trying"]):
        gr.Markdown(f"*What to try:* {text}", elem_classes="gensot-try")
        return gr.Button(label, size="sm", elem_classes="gensot-preset", scale=0, min_width=120)


def _reveal_data(data: str) -> list[Any]:
    on_line = gr.update(visible=data == "line")
    return [*[on_line] * 4, gr.update(visible=data == "plane"), gr.update(visible=data != "line")]


def _reveal_schedules(names: list[str]) -> list[Any]:
    return [gr.update(visible="gensot" in names), gr.update(visible=True if "drawn" in names else "hidden")]


def _trying(controls: SchedulesControls, changed: dict[str, Any]):
    def told(*values: Any) -> list[Any]:
        try:
            request = _request(values)
        except InvalidRequest:
            request = SchedulesRequest()
        wanted = request.model_copy(update=changed)
        return [*controls.values(wanted), wanted.solver]

    return told


_NAMES = ("data", "modes", "separation", "width", "tilt", "target", "schedules", "stiffness", "knots", "seed", "solver")


def _request(values: tuple[Any, ...]) -> SchedulesRequest:
    at = dict(zip(_NAMES, values, strict=True))
    return parse(SchedulesRequest, **(at | {"knots": _knots(at["knots"]), "seed": at["seed"] or 0}))


def _knots(drawing: str | None) -> list[list[float]]:
    try:
        found = read_drawing(drawing).knots
    except ValueError as error:
        raise InvalidRequest(f"The drawing cannot be read: {error}.") from None
    return [[min(max(value, 0.0), 1.0) for value in knot] for knot in found.tolist()]


def _show(*values: Any) -> Iterator[list[Any]]:
    """A line and the plane at once; pictures take long: they wait for the button."""
    try:
        request = _request(values)
        if request.data == "emoji" and _KEPT.find(request) is None:
            text = "Press Run: 1,861 pictures, every schedule, about half a minute."
            yield [report.status(text), *_nothing(SchedulesResult(request, 1, (), 0.0))]
            return
    except InvalidRequest as error:
        yield _failed(error)
        return
    yield from _moments(values)


def _moments(values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """[status, slots…, strip, speeds, sentences, table, ends, steps, cost, query], as they become known."""
    try:
        request = _request(values)
        kept = _KEPT.find(request)
        if kept is not None:
            yield _pictures(_KEPT.get(kept), ())
            return
        before, drawn_at = None, 0.0
        for result in compare(request):
            now = time.perf_counter()
            if not result.complete and before is not None and now - drawn_at < _BETWEEN:
                continue
            # a browser that is busy may drop a moment, but never the last one
            yield _pictures(result, None if result.complete else before)
            before, drawn_at = tuple(id(ride.picture) for ride in result.rides), now
            if result.complete:
                _KEPT.keep(result)
    except Exception as error:
        yield _failed(error)


def _pictures(result: SchedulesResult, before: tuple[int, ...] | None) -> list[Any]:
    """Everything of a moment; pictures that were sent ``before`` stay."""
    line = (
        report.status(_done(result)) if result.complete else report.running(result.doing, result.done, result.seconds)
    )
    if not result.rides and not result.complete:
        return [line, *[gr.skip()] * (_SLOTS + 8)]
    if not result.rides:
        return [line, *_nothing(result)]
    figures = pictures_of(result)
    now = tuple(id(ride.picture) for ride in result.rides)
    on_pictures = result.request.data == "emoji"
    slots = []
    for number in range(_SLOTS):
        if number >= len(result.rides) or on_pictures:
            slots.append(gr.update(visible="hidden"))
        elif before and len(before) == len(now) and before[number] == now[number]:
            slots.append(gr.skip())
        else:
            slots.append(gr.update(value=figures[number], visible=True))
    strips = strips_of(result)
    return [
        line,
        *slots,
        gr.update(value=strips, visible=True if strips else "hidden"),
        speed_figure(result),
        words.listed([*result.notes, *of_speed(result)]),
        words.table(result),
        words.listed(of_ends(result)),
        steps_figure(result),
        words.listed(of_steps(result)),
        to_query(result.request),
    ]


def _nothing(result: SchedulesResult) -> list[Any]:
    """No schedule of those asked for exists on these data: why, and nothing else."""
    hidden = [gr.update(visible="hidden")] * _SLOTS
    strip, why = gr.update(value=None, visible="hidden"), words.listed(list(result.notes))
    return [*hidden, strip, None, why, "", "", None, "", to_query(result.request)]


def _done(result: SchedulesResult) -> str:
    if not result.rides:
        return "Nothing can be compared. " + " ".join(result.notes)
    how = f"with {result.draws} draws" if result.draws else "exactly, by quadrature"
    count = len(result.rides)
    return f"{count} schedule{'s' * (count > 1)} compared {how}, in {result.seconds:.2g} s."


def _failed(error: Exception) -> list[Any]:
    if isinstance(error, InvalidRequest):
        line = report.status(f"{error} What is shown stays.", kind="error")
    else:
        logging.getLogger(__name__).error("a comparison of schedules failed", exc_info=error)
        line = report.status(f"This failed ({type(error).__name__}); what is shown stays.", kind="error")
    return [line, *[gr.skip()] * (_SLOTS + 8)]


def _restoring(controls: SchedulesControls):
    def restore(request: gr.Request) -> list[Any]:
        """[controls…, solver, notice] from the address."""
        wanted, notice = followed(lambda: _checked(request.url.query or ""), SchedulesRequest())
        return [*controls.values(wanted), wanted.solver, notice]

    return restore


def _checked(query: str) -> tuple[SchedulesRequest, list[str]]:
    """The request of a link, if what is drawn in it is a path."""
    found, notes = from_query(query)
    if "drawn" in found.schedules:
        drawn_path(found)
    return found, notes
