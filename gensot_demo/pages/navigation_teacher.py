"""Navigation, Learn a guide: a teacher drawn by hand, the guide that follows it found by one linear solve."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.navigation.learning_links import teacher_from_query, to_query
from gensot_demo.experiments.navigation.teacher import (
    MOST_POINTS,
    TUNING_STEPS,
    TeacherRequest,
    learn,
    tune,
)
from gensot_demo.experiments.navigation.told import of_teacher, of_tuning
from gensot_demo.experiments.plane.drawn_guide import backdrop_of, guide_through
from gensot_demo.experiments.plane.request import thinned
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.navigation_learning import (
    cost_bars,
    objective_figure,
    profile_figure,
    sideways_figure,
    teacher_plane,
)
from gensot_demo.figures.pad import DrawingPad, backdrop_value, drawing_value, read_drawing
from gensot_demo.transport.targets import TARGETS, named_target

from . import navigation_learning_endpoints, report
from .controls import BoundedSlider, slider_for
from .events import HEAVY, QUIET, address_follows, copies_link, followed, ready
from .warm_up import WARM_UP

_SWITCHING, _DRAWN = "switching", "drawn"
_LEAST = -6  # power of ten: below it, no regularisation
_WAVE = [[0.6, 1.0], [1.5, 0.2], [2.3, -0.8]]
_LEAD = (
    "A **teacher** shows the way from the origin to a target. A corridor does not carry a process exactly along its "
    "guide: it lags behind and cuts corners. So which **guide** makes the process follow the teacher? The answer is "
    "one linear solve; no simulation, no descent."
)
_TUNE = (
    "### Where to be firm, and when to be where?\nStiffness and timing are not linear, but the closed forms can be "
    "differentiated: gradient descent on the exact objective, with nothing simulated."
)
_READ = """
* **Objective**: ½ ∫ β E|x − teacher|² dt + λ Σ |guide − teacher|², the paper's case B, for a guide constant on
  each piece.
* **Straying** is what the guide changes: the distance of the *mean* of the process from the teacher. **Spread**, the
  width of the tube and of the target, is the floor.
* The mean of the process is linear in the guide, mean(t) = α(t) E[y] + γ(t), so the objective is least squares in it
  (arXiv 2512.11859, where ensembles are simulated and Adam descends). A bend of frequency f passes with gain
  β/(β + (2πf)²), so a loose corridor needs a guide that exaggerates.
* **Stiffness** is tuned at a fixed mean with the guide learnt anew at each step, on the unweighted distance; **timing**
  for the optimal cost of the passage, the guide being the teacher.
"""


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    fields = TeacherRequest.model_fields
    query = gr.Textbox(visible="hidden", elem_id="query")
    gr.Markdown(_LEAD, elem_classes="gensot-lead")
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            target = gr.Dropdown(
                [(named_target(name).label, name) for name in TARGETS], value=fields["target"].default, label="Target"
            )
            kind = gr.Radio([("Switches sides", _SWITCHING), ("Draw it", _DRAWN)], value=_SWITCHING, label="Teacher")
            pad = DrawingPad(
                _first_drawing(), tools=["knots", "curve"], extent=(-4.0, 4.0, -4.0, 4.0), visible="hidden",
                elem_id="teacher-pad", label="Draw the teacher, from the ring to the target",
            )  # fmt: skip
            amplitude = slider_for(fields["amplitude"], "Amplitude", "How far to either side.")
            steepness = slider_for(fields["steepness"], "Steepness", "How suddenly it changes sides.")
            stiffness = BoundedSlider(1, 500, 20, step=1, label="Stiffness β", info="How hard the guide holds.")
            regularisation = BoundedSlider(
                _LEAST, 2, -3, step=0.1, label="Regularisation, log₁₀ λ",
                info="Keeps the guide near the teacher; none at the left end.", elem_id="regularisation",
            )  # fmt: skip
            pieces = slider_for(fields["pieces"], "Pieces of the guide")
        with gr.Column(scale=9, min_width=320):
            with gr.Row(elem_classes="gensot-run"):
                status = gr.HTML(elem_id="solved", scale=4)
                link = gr.Button("Copy link", min_width=80, scale=0)
            notice = gr.HTML(elem_id="notice", visible=False)
            with gr.Row():
                with gr.Column(min_width=300):
                    plane = PlotlyFigure(
                        empty="The plane appears here.", height=440, elem_id="plane", filename="gensot-teacher"
                    )
                with gr.Column(min_width=300):
                    sideways = PlotlyFigure(
                        empty="The offsets appear here.", height=440, elem_id="sideways", filename="gensot-offsets"
                    )
            said = gr.HTML(elem_id="verdict")
            gr.Markdown("### What does it cost, before and after?")
            bars = PlotlyFigure(
                empty="The costs appear here.", height=230, elem_id="bars", filename="gensot-teacher-cost"
            )
    gr.Markdown(_TUNE, elem_classes="gensot-lead")
    with gr.Row(elem_classes="gensot-run"):
        firm = gr.Button(
            "Tune the stiffness", variant="primary", elem_id="tune-stiffness", elem_classes="gensot-starts"
        )
        timely = gr.Button("Tune the timing", variant="primary", elem_id="tune-timing", elem_classes="gensot-starts")
        stop = gr.Button("Stop", min_width=80, elem_id="stop")
        tuning = gr.HTML(elem_id="status", scale=4)
    with gr.Row():
        with gr.Column(min_width=300):
            profile = PlotlyFigure(
                empty="Press a button to see the profile that is found.",
                height=320,
                elem_id="profile",
                filename="gensot-tuned",
            )
        with gr.Column(min_width=300):
            descent = PlotlyFigure(
                empty="The objective falls here, step by step.", height=320, filename="gensot-tuning"
            )
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(_READ)

    controls = [target, kind, pad, amplitude, steepness, stiffness, pieces, regularisation]
    shown = [plane, sideways, bars, said, status, query]
    switched = [pad, amplitude, steepness]
    Context.root_block.load(_restore, None, [*controls, notice, *shown], **QUIET)
    kind.change(_reveal, kind, switched, **QUIET)
    target.change(lambda name: backdrop_value(backdrop_of(name, "point")), target, pad, **QUIET)
    changed = [control.input for control in controls]
    solved = gr.on(changed, show, controls, shown, queue=False, trigger_mode="always_last", **QUIET)
    address_follows(solved, query)
    copies_link(link, query)
    runs = []
    for button, what in ((firm, "stiffness"), (timely, "timing")):
        run = button.click(_tuner(what), controls, [tuning, profile, descent], **HEAVY)
        ready(run)
        runs.append(run)
    gr.on(changed, None, None, None, cancels=runs, api_visibility="private").then(  # they belong to other settings
        lambda: ["", None, None], None, [tuning, profile, descent], queue=False, **QUIET
    )
    stop.click(None, None, None, cancels=runs, api_visibility="private").then(
        lambda: report.status("Stopped. What is shown is the last step."), None, tuning, **QUIET
    )
    navigation_learning_endpoints.publish_teacher()


def _first_view() -> Iterator[None]:
    learn(TeacherRequest())
    yield


def _first_drawing() -> str:
    return drawing_value("knots", knots=_WAVE, backdrop=backdrop_of("two_modes", "point"))


def _reveal(kind: str) -> list[Any]:
    drawn = kind == _DRAWN
    return [gr.update(visible=True if drawn else "hidden"), gr.update(visible=not drawn), gr.update(visible=not drawn)]


def request_of(
    target: str, kind: str, drawing: str | None, amplitude: float, steepness: float, stiffness: float, pieces: int,
    regularisation: float,
) -> TeacherRequest:  # fmt: skip
    """The request of the controls' values; raises InvalidRequest with a sentence."""
    return parse(
        TeacherRequest,
        target=target,
        points=_points(drawing, target) if kind == _DRAWN else (),
        amplitude=amplitude,
        steepness=steepness,
        stiffness=stiffness,
        pieces=pieces,
        regularisation=0.0 if regularisation <= _LEAST else float(f"{10**regularisation:.3g}"),
    )


def _points(drawing: str | None, target: str) -> list[list[float]]:
    try:
        read = read_drawing(drawing)
    except ValueError as error:
        raise InvalidRequest(f"The drawing cannot be read: {error}.") from None
    if read.tool == "curve":
        if len(read.curve) < 2:
            raise InvalidRequest("The teacher is not drawn yet: draw a line from the ring to the target.")
        return thinned(read.curve.tolist(), MOST_POINTS)
    return thinned(guide_through(read.knots.tolist(), target, "point"), MOST_POINTS)


def show(*values: Any) -> list[Any]:
    """[plane, sideways, bars, sentences, status, query]; what is shown stays where the values are not right."""
    try:
        return _shown(request_of(*values))
    except InvalidRequest as error:
        return [*[gr.skip()] * 4, report.status(str(error), kind="error"), gr.skip()]


def _shown(request: TeacherRequest) -> list[Any]:
    result = learn(request)
    rows = [("teacher as guide", result.before), ("learnt guide", result.after)]
    lines = "".join(f"<li>{report.escape(line)}</li>" for line in of_teacher(result))
    done = (
        f"Solved in {1000 * result.seconds:.0f} ms: {result.before.total:.3f} before, {result.after.total:.3f} after."
    )
    return [
        teacher_plane(result),
        sideways_figure(result),
        cost_bars(rows, "objective, dimensionless"),
        f'<ul class="gensot-verdict">{lines}</ul>',
        report.status(done),
        to_query(request),
    ]


def _restore(request: gr.Request) -> list[Any]:
    """[controls…, notice, shown…] from the address."""
    wanted, notice = followed(lambda: teacher_from_query(request.url.query or ""), TeacherRequest())
    drawn = bool(wanted.points)
    backdrop = backdrop_of(wanted.target, "point")
    drawing = drawing_value("curve", curve=wanted.points, backdrop=backdrop) if drawn else _first_drawing()
    power = math.log10(wanted.regularisation) if wanted.regularisation else _LEAST
    return [
        wanted.target,
        _DRAWN if drawn else _SWITCHING,
        gr.update(value=drawing, visible=True if drawn else "hidden"),
        gr.update(value=wanted.amplitude, visible=not drawn),
        gr.update(value=wanted.steepness, visible=not drawn),
        wanted.stiffness,
        wanted.pieces,
        min(max(round(power, 2), _LEAST), 2),
        notice,
        *_shown(wanted),
    ]


def _tuner(what: str):
    @WARM_UP.yields_to
    def run(*values: Any) -> Iterator[list[Any]]:
        try:
            request = request_of(*values)
            doing = f"Tuning the {what}, {TUNING_STEPS} steps"
            yield [report.status(f"{doing}…", 0.0), gr.skip(), gr.skip()]
            drawn_at = 0.0
            for moment in tune(request, what):
                if moment.done == 1:
                    yield [report.status(of_tuning(moment)), profile_figure(moment), objective_figure(moment)]
                elif time.perf_counter() - drawn_at > 0.4:
                    drawn_at = time.perf_counter()
                    line = report.running(doing, moment.done, moment.seconds)
                    yield [line, profile_figure(moment), objective_figure(moment)]
        except InvalidRequest as error:
            yield [report.status(str(error), kind="error"), gr.skip(), gr.skip()]
        except Exception as error:
            logging.getLogger(__name__).exception("a tuning failed")
            sentence = f"Tuning failed ({type(error).__name__}); what is shown stays. Other settings may work."
            yield [report.status(sentence, kind="error"), gr.skip(), gr.skip()]

    return run
