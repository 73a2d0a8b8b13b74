"""Optimal transport, part Gaussians: two ellipses to drag, and the maps of optimal transport and flow matching."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.cells_told import percent
from gensot_demo.experiments.static_ot.gaussians import (
    FARTHEST,
    SCHEDULES,
    WIDEST,
    GaussiansRequest,
    GaussiansResult,
    compare_gaussians,
    from_query,
    of_maps,
    to_query,
)
from gensot_demo.experiments.static_ot.presets import GAUSSIANS
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.ellipses import Ellipse, EllipsePad, ellipses_value, read_ellipses
from gensot_demo.figures.player import Player
from gensot_demo.figures.static_ot_gaussians import FLOW, OPTIMAL, lines_figures, turning_figure, ways_value

from . import report, static_ot_gaussians_endpoints
from .controls import NamedParts, slider_for
from .events import QUIET, address_follows, copies_link, followed

_LEAD = (
    "Flow matching finds **a** map from noise to data; optimal transport is the **cheapest** one. Between two "
    "Gaussians both are known in closed form, so one can see when they agree: drag the ellipses."
)
_UNIT = "in units of the axes' standard deviations"
_READ = """
* **Ellipses** are drawn at two standard deviations; lengths of axes are given as standard deviations.
* **Optimal transport**: T = S₀^(−½) (S₀^½ S₁ S₀^½)^½ S₀^(−½), the Bures map, a symmetric matrix: it stretches along
  directions at right angles and turns nothing. Its cost is W₂² = |m₁ − m₀|² + tr(S₀ + S₁ − 2 (S₀^½ S₁ S₀^½)^½).
* **Flow matching** with independent ends: T = S₀^½ (S₀^(−½) S₁ S₀^(−½))^½ S₀^(−½). In coordinates in which the source
  is round the way is (a² C + m²)^½ with C = S₀^(−½) S₁ S₀^(−½): the schedule (a, m) drops out at the end.
* Both satisfy T S₀ Tᵀ = S₁. They are the same matrix exactly when S₀ S₁ = S₁ S₀. **Noise is round**: from N(0, I) to a
  Gaussian, flow matching *is* optimal transport. What differs for real data comes from what is not Gaussian.
* **Commutator**: |S₀S₁ − S₁S₀| / (|S₀| |S₁|), Frobenius norms: 0 if they commute, √2 at most.
* **Energy**: ∫ E|v|² dt along the flow, by quadrature. It is at least the cost of the map that it makes, and that is at
  least W₂². VP-linear starts with a trace of the target in it (a = .007).
* **Flat ellipses**: a flat target is a limit of both maps. From a flat source there is no map: a line cannot be spread
  over an area.
"""


class _Controls(NamedParts):
    def _build(self) -> None:
        fields, parts = GaussiansRequest.model_fields, self.parts
        for of, title in (("source", "● Source"), ("target", "◆ Target")):
            with gr.Accordion(f"{title}: axes and angle", open=of == "target"):
                parts[f"{of}_along"] = slider_for(fields[f"{of}_along"], "First axis", "standard deviation")
                parts[f"{of}_across"] = slider_for(fields[f"{of}_across"], "Second axis", "standard deviation")
                parts[f"{of}_angle"] = slider_for(fields[f"{of}_angle"], "Angle", "degrees, anticlockwise", step=0.5)
                if of == "target":
                    parts["target_x"] = slider_for(fields["target_x"], "Centre, to the right", _UNIT)
                    parts["target_y"] = slider_for(fields["target_y"], "Centre, upwards", _UNIT)
        parts["schedule"] = gr.Radio(
            [(label, name) for name, (label, _) in SCHEDULES.items()], value=fields["schedule"].default,
            label="Schedule of the flow", info="Changes the way and its energy, not the map.", elem_id="schedule",
        )  # fmt: skip

    def request(self, values: tuple[Any, ...]) -> GaussiansRequest:
        return parse(GaussiansRequest, **dict(zip(self.parts, values, strict=True)))

    def values(self, request: GaussiansRequest) -> list[Any]:
        return [getattr(request, name) for name in self.parts]


def build() -> None:
    """The page's content, inside its Blocks."""
    query = gr.Textbox(visible="hidden", elem_id="query")
    with gr.Row(elem_classes=["gensot-split", "gensot-controls-first"]):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            gr.Markdown("Drag the ends of the axes, or the target's centre.", elem_classes="gensot-try")
            pad = EllipsePad(narrowest=0.1, widest=WIDEST, farthest=FARTHEST, elem_id="ellipses")
            gr.Markdown(
                "**What to try:** *Aligned*, then turn the target by its handle and watch the two pictures part; "
                "*from a round source* they never do, and noise is a round source.",
                elem_classes="gensot-try",
            )
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                presets = [gr.Button(title, size="sm", elem_classes="gensot-preset") for title, _ in GAUSSIANS]
            controls = _Controls()
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                link = gr.Button("Copy link", min_width=80)
            status = gr.HTML(report.status("Computing the first view…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            _question(
                "Do they send a particle to the same place?",
                "The same particles on both ways, coloured by the side of the source on which they begin. Optimal "
                "transport moves each on a straight line. Flow matching reaches the same cloud, but when the axes do "
                "not lie alike it also turns the cloud within itself, so that particles end elsewhere in it.",
            )
            ways = Player(empty="The ways appear here.", filename="gensot-gaussians", elem_id="ways")
            _question(
                "Which lines do they take?",
                "Whole ways of 40 particles, from rings to marks. Optimal lines are straight. Those of the flow bend, "
                "even where both maps are equal: there they bend and still end in the same places.",
            )
            with gr.Row(elem_classes="gensot-pairings"):
                lines = [
                    PlotlyFigure(empty="Lines appear here.", height=320, filename="gensot-lines", elem_id=f"lines-{n}")
                    for n in range(2)
                ]
            said = gr.HTML(elem_id="said-maps")
    with gr.Row():
        with gr.Column(min_width=300):
            _question(
                "What does turning an ellipse cost?",
                "Cost of both maps against the angle of the target, all else as it is. Dotted upright lines: axes lie "
                "alike, the maps are equal. Between them flow matching pays the shaded part too much.",
            )
            turning = PlotlyFigure(empty="Costs appear here.", height=380, filename="gensot-turning", elem_id="turning")
            gr.Markdown(
                "**What to try:** make both ellipses thinner: the shaded part grows. Make one a circle: it is gone.",
                elem_classes="gensot-try",
            )
        with gr.Column(min_width=300):
            _question(
                "What are the two maps?",
                "Each is a matrix. The optimal one is symmetric: it only stretches, along directions at right angles.",
            )
            table = gr.HTML(elem_id="table")
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(_READ)

    parts = controls.all()
    pictures = [status, said, ways, *lines, turning, table, query]

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request)

    loaded = Context.root_block.load(restore, None, [*parts, pad, notice, *pictures], **QUIET)
    address_follows(loaded, query)  # where a link was refused, what is shown is not of it
    light = {"trigger_mode": "always_last", **QUIET, "concurrency_limit": 4}

    def dragged(drawing: str, *values: Any) -> list[Any]:
        return _dragged(controls, drawing, values)

    def moved(*values: Any) -> list[Any]:
        return _moved(controls, values)

    address_follows(pad.input(dragged, [pad, *parts], [*parts, *pictures], **light), query)
    address_follows(gr.on([part.input for part in parts], moved, parts, [pad, *pictures], **light), query)
    for button, (_, change) in zip(presets, GAUSSIANS, strict=True):
        chosen = button.click(_setter(controls, change), parts, [*parts, pad, *pictures], **QUIET)
        address_follows(chosen, query)
    copies_link(link, query, lambda *values: _link(controls, values), parts, query)
    static_ot_gaussians_endpoints.publish()


def _question(title: str, text: str) -> None:
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question gensot-question-short")


def _ellipses(request: GaussiansRequest) -> str:
    source = Ellipse(0, 0, request.source_along, request.source_across, request.source_angle)
    target = Ellipse(
        request.target_x, request.target_y, request.target_along, request.target_across, request.target_angle
    )
    return ellipses_value(source, target)


def _pictures(result: GaussiansResult, autoplay: bool) -> list[Any]:
    """[status, sentences, ways, two figures of lines, turning, table, query]."""
    if result.extra is None:
        line = "Nothing has to be moved."
    elif result.equal:
        line = "They commute: the maps are equal."
    else:
        line = f"They do not commute: flow matching pays {percent(result.extra)} more."
    lines = "".join(f"<li>{report.escape(one)}</li>" for one in of_maps(result))
    return [
        report.status(line),
        f'<ul class="gensot-verdict">{lines}</ul>',
        ways_value(result, autoplay),
        *lines_figures(result),
        turning_figure(result),
        _table(result),
        to_query(result.request),
    ]


def _table(result: GaussiansResult) -> str:
    rows = (
        ("Matrix T", _matrix(result.optimal), _matrix(result.flow)),
        ("T₁₂ − T₂₁, 0 if symmetric", f"{_skew(result.optimal):.3f}", f"{_skew(result.flow):.3f}"),
        ("Cost E|Tx − x|²", f"{result.least:.3f}", f"{result.cost:.3f}"),
        ("of it for moving the mean", f"{result.translation:.3f}", f"{result.translation:.3f}"),
        ("Energy ∫ E|v|² dt", f"{result.least:.3f}", f"{result.energy:.3f}"),
        ("Turns the round source by", "0°", f"{result.swirl + 0.0:.1f}°".replace("-", "−")),
    )
    heads = "".join(
        f'<th scope="col"><span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span> '
        f"{label}</th>"
        for style, label in ((OPTIMAL, "Optimal transport"), (FLOW, "Flow matching"))
    )
    narrow = 'scope="row" style="white-space: normal"'  # on a phone both maps stand beside the names
    body = "".join(f"<tr><th {narrow}>{name}</th><td>{one}</td><td>{two}</td></tr>" for name, one, two in rows)
    body += (
        f'<tr><th {narrow}>Commutator of the covariances</th><td colspan="2">{result.commutator:.3f} of at most '
        "1.414</td></tr>"
    )
    return (
        f'<p class="gensot-law">{_found(result)}</p>'
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="The two maps in numbers">'
        f'<table class="gensot-table"><thead><tr><th scope="col"></th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _found(result: GaussiansResult) -> str:
    """What the two matrices are to one another, in a sentence."""
    if result.equal:
        return "Here flow matching has the same matrix: it only stretches, too."
    if _skew(result.flow) == 0.0:
        return "Here flow matching has another matrix: it also turns, by less than these decimals show."
    return "Here flow matching has another matrix, which is not symmetric: it stretches and turns."


def _matrix(linear: Any) -> str:
    return "<br>".join(" ".join(f"{value:+.3f}".replace("-", "−") for value in row) for row in linear + 0.0)


def _skew(linear: Any) -> float:
    difference = float(linear[0, 1] - linear[1, 0])
    return difference if abs(difference) > 5e-4 else 0.0


def _dragged(controls: _Controls, drawing: str, values: tuple[Any, ...]) -> list[Any]:
    """[controls…, pictures…]: not the ellipses, which may have been dragged on."""
    try:
        source, target = read_ellipses(drawing)
        at = dict(zip(controls.parts, values, strict=True))
        at |= {f"source_{name}": getattr(source, name) for name in ("along", "across", "angle")}
        at |= {f"target_{name}": value for name, value in target._asdict().items()}
        request = parse(GaussiansRequest, **at)
        return [*controls.values(request), *_pictures(compare_gaussians(request), autoplay=False)]
    except Exception as error:
        return [*[gr.skip()] * len(controls.parts), *_failed(error)]


def _moved(controls: _Controls, values: tuple[Any, ...]) -> list[Any]:
    """[ellipses, pictures…]."""
    try:
        request = controls.request(values)
        return [_ellipses(request), *_pictures(compare_gaussians(request), autoplay=False)]
    except Exception as error:
        return [gr.skip(), *_failed(error)]


def _setter(controls: _Controls, change: Any):
    def chosen(*values: Any) -> list[Any]:
        try:
            now = controls.request(values)
            request = now.model_copy(update=change(now, compare_gaussians(now)))
            result = compare_gaussians(request)
            return [*controls.values(request), _ellipses(request), *_pictures(result, autoplay=True)]
        except Exception as error:
            return [*[gr.skip()] * (len(controls.parts) + 1), *_failed(error)]

    return chosen


def _failed(error: Exception) -> list[Any]:
    if isinstance(error, InvalidRequest | ValueError):
        line = report.status(f"{error} What is shown stays.", kind="error")
    else:
        logging.getLogger(__name__).error("maps between Gaussians failed", exc_info=error)
        line = report.status(f"This failed ({type(error).__name__}); what is shown stays.", kind="error")
    return [line, *[gr.skip()] * 7]


def _restore(controls: _Controls, request: gr.Request) -> list[Any]:
    """[controls…, ellipses, notice, pictures…] from the address."""
    wanted, notice = followed(lambda: from_query(request.url.query or ""), GaussiansRequest())
    pictures = _pictures(compare_gaussians(wanted), autoplay=True)
    return [*controls.values(wanted), _ellipses(wanted), notice, *pictures]


def _link(controls: _Controls, values: tuple[Any, ...]) -> str:
    try:
        return to_query(controls.request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
