"""The one layout of all pages of the Lagrangian view: what differs between them is how the velocity is chosen.

A page makes a :class:`View` and calls :func:`build_page`. From top to bottom it has the question, the player with the
two ways to look at a motion, the one equation with the terms of this velocity, what falls over time, the page's own
pieces, and the mathematics one click away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import gradio as gr
from gradio.context import Context
from gradio.events import Dependency

from gensot_demo.experiments.kept import Kept
from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.lagrangian.moving import LagrangianRequest, Moving
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.lagrangian import clouds_value, falling_figure
from gensot_demo.figures.player import Player

from . import lagrangian_endpoints, lagrangian_report, report
from .controls import NamedParts
from .events import QUIET, Latest, address_follows, copies_link, followed
from .lagrangian_controls import LagrangianControls
from .warm_up import WARM_UP

_KEPT: Kept[Moving] = Kept(24)  # latest runs of all visitors and pages, by request
_LATEX = [{"left": "$$", "right": "$$", "display": True}]
_PARTS_KEEP_THE_VIEW = """(view) => {
  const search = view === "eulerian" ? "?v=1&view=eulerian" : "";
  document.querySelectorAll(".gensot-parts a").forEach((link) => { link.search = search; });
}"""


@dataclass(frozen=True)
class Piece:
    """Something that only one page has: ``build`` makes its component where it stands, with whatever heading it needs;
    ``show`` gives the component's value. ``read``, of a component that a person moves, takes what it holds and the
    request without it, and gives the request; its own value is then left alone. place: beside the player, among the
    controls, or below everything."""

    build: Callable[[], gr.components.Component]
    show: Callable[[Any], Any]
    read: Callable[[Any, Any], LagrangianRequest] | None = None
    place: Literal["beside", "below"] = "below"


@dataclass(frozen=True)
class View:
    """A page.

    name: a word for the endpoint and for files.  question: the heading.  seen: what one sees and why, two sentences; or
    a function of the motion where they differ.  first: the request of the first view.  run: from a request to its
    motion, in under a second.  tries: what to try, a
    control or a button.  falling: heading over the curve that falls, and a sentence or two.  equation: Markdown with $$
    for the mathematics, its source and how it is computed.  about, example: of the endpoint.  more: adds sections with
    events of their own, from the controls.
    """

    name: str
    question: str
    seen: str | Callable[[Any], str]
    first: LagrangianRequest
    run: Callable[[Any], Moving]
    controls: type[LagrangianControls]
    tries: str
    falling: tuple[str, str]
    equation: str
    about: str
    example: str
    pieces: tuple[Piece, ...] = ()
    more: Callable[[NamedParts], None] | None = None


def build_page(view: View) -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(lambda: _warmed(view))
    query = gr.Textbox(visible="hidden", elem_id="query")
    pieces: list[tuple[Piece, gr.components.Component]] = []
    with gr.Row(elem_classes=["gensot-split", "gensot-lagrangian"]):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            pieces += [(piece, piece.build()) for piece in view.pieces if piece.place == "beside"]
            controls = view.controls()
            gr.Markdown(f"**What to try:** {view.tries}", elem_classes="gensot-try")
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                presets = [gr.Button(title, size="sm", elem_classes="gensot-preset") for title, _ in view.first.presets]
        with gr.Column(scale=9, min_width=320):
            lead = gr.Markdown(f"### {view.question}", elem_id="seen", elem_classes="gensot-lead")
            with gr.Row(elem_classes="gensot-run"):
                link = gr.Button("Copy link", size="sm", min_width=80)
            status = gr.HTML(report.status("Computing the first view…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            controls["view"].render()
            player = Player(empty="The particles appear here.", filename=f"gensot-{view.name}", elem_id="particles")
            equation = gr.HTML(elem_id="velocity")
            said = gr.HTML(elem_id="said")
    title, text = view.falling
    gr.Markdown(f"### {title}\n{text}", elem_classes=["gensot-lead", "gensot-energy-question"])
    falling = PlotlyFigure(empty="Curves appear here.", height=320, elem_id="falling", filename=f"gensot-{view.name}")
    pieces += [(piece, piece.build()) for piece in view.pieces if piece.place == "below"]
    if view.more is not None:
        view.more(controls)
    with gr.Accordion("The equation, and how this is computed", open=False):
        gr.Markdown(view.equation, latex_delimiters=_LATEX)

    parts = controls.all()
    shown = [status, lead, player, equation, said, falling, *(component for _, component in pieces), query]
    answers = _Answers(view, controls, [piece for piece, _ in pieces])
    # A light event chooses a number, which travels with what it asks for: whatever is older answers nothing.
    latest, ticket = gr.State(Latest()), gr.Number(-1, precision=0, visible="hidden")

    def asks(trigger: Dependency, answer: Callable[..., list[Any]], before: list[Any], after: list[Any]) -> Dependency:
        answered = trigger.then(
            answers.latest(answer, len(after)), [latest, ticket, *before], after, concurrency_limit=4, **QUIET
        )
        return address_follows(answered, query)

    def chosen(event: Callable[..., Dependency]) -> Dependency:
        return event(Latest.choose, latest, ticket, queue=False, **QUIET)

    loaded = Context.root_block.load(answers.restored, None, [*parts, notice, *shown], **QUIET)
    address_follows(loaded, query)
    moved = gr.on([part.input for part in parts[:-1]], Latest.choose, latest, ticket, queue=False, **QUIET)
    asks(moved, answers.moved, parts, [*parts, *shown])
    looked = asks(chosen(controls["view"].input), answers.looked, parts, [status, player, query])
    for event in (loaded, looked):
        event.then(None, controls["view"], None, js=_PARTS_KEEP_THE_VIEW, api_visibility="private")
    for number, (piece, component) in enumerate(pieces):
        if piece.read is not None:
            asks(chosen(component.input), answers.drawn(number), [component, *parts], [*parts, *shown])
    for button, (_, change) in zip(presets, view.first.presets, strict=True):
        asks(chosen(button.click), answers.preset(change), parts, [*parts, *shown])
    copies_link(link, query, answers.link, parts, query)
    lagrangian_endpoints.publish(
        view.name, view.about, view.example, type(view.first), lambda request: _moving(view, request)
    )


def _warmed(view: View) -> Iterator[None]:
    """The first view, computed before anyone asks."""
    clouds_value(_moving(view, view.first), autoplay=True)
    yield


def _moving(view: View, request: LagrangianRequest) -> Moving:
    """The motion of a request; how it is looked at changes nothing of it."""
    plain = request.model_copy(update={"view": "lagrangian"})
    found = _KEPT.get(plain) or _KEPT.keep(plain, view.run(plain))
    return replace(found, request=request)


class _Answers:
    """What the page's events answer. Pictures: status, question, player, equation, sentences, curves, pieces, query."""

    def __init__(self, view: View, controls: LagrangianControls, pieces: list[Piece]):
        self._view, self._controls, self._pieces = view, controls, pieces

    def _pictures(self, moving: Moving, autoplay: bool, but: int | None = None) -> list[Any]:
        """but: number of the piece that a person is moving."""
        return [
            lagrangian_report.status(moving),
            self._lead(moving),
            clouds_value(moving, autoplay),
            lagrangian_report.velocity(moving),
            report.sentences(moving.told),
            falling_figure(moving),
            *(gr.skip() if number == but else piece.show(moving) for number, piece in enumerate(self._pieces)),
            to_query(moving.request),
        ]

    def _lead(self, moving: Moving) -> str:
        seen = self._view.seen
        return f"### {self._view.question}\n{seen if isinstance(seen, str) else seen(moving)}"

    def _failed(self, error: Exception, before: int, after: int) -> list[Any]:
        """A status line with so many values that stay before and after it."""
        if isinstance(error, InvalidRequest):
            line = report.status(f"{error} What is shown stays.", kind="error")
        else:
            logging.getLogger(__name__).error("%s failed", self._view.name, exc_info=error)
            line = report.status(f"This failed ({type(error).__name__}); what is shown stays.", kind="error")
        return [*[gr.skip()] * before, line, *[gr.skip()] * after]

    def latest(self, answer: Callable[..., list[Any]], outputs: int) -> Callable[..., list[Any]]:
        """The answer to what a visitor asked for last; to anything older, nothing."""

        def answered(latest: Latest, number: int, *values: Any) -> list[Any]:
            found = answer(*values) if latest.number == number else None
            return found if found is not None and latest.number == number else [gr.skip()] * outputs

        return answered

    def restored(self, request: gr.Request) -> list[Any]:
        """[controls…, notice, pictures…] from the address."""
        view = self._view
        wanted, notice = followed(
            lambda: from_query(type(view.first), request.url.query or "", view.example), view.first
        )
        try:
            moving = _moving(view, wanted)
        except InvalidRequest as error:  # each value is allowed, but they do not go together
            text = f"The link could not be followed. {error} The first view is shown instead."
            notice = gr.update(value=report.status(text, kind="error"), visible=True)
            moving = _moving(view, view.first)
        return [*self._controls.values(moving.request), notice, *self._pictures(moving, autoplay=True)]

    def moved(self, *values: Any) -> list[Any]:
        try:
            moving = _moving(self._view, self._controls.request(values))
            return [*self._controls.seen(moving.request), *self._pictures(moving, autoplay=True)]
        except Exception as error:
            return self._failed(error, len(values), 6 + len(self._pieces))

    def looked(self, *values: Any) -> list[Any]:
        """[status, player, query]: the same motion in the other view."""
        try:
            moving = _moving(self._view, self._controls.request(values))
            return [lagrangian_report.status(moving), clouds_value(moving, autoplay=False), to_query(moving.request)]
        except Exception as error:
            return self._failed(error, 0, 2)

    def drawn(self, number: int) -> Callable[..., list[Any]]:
        def answer(held: Any, *values: Any) -> list[Any]:
            try:
                request = self._pieces[number].read(held, self._controls.request(values))
                pictures = self._pictures(_moving(self._view, request), autoplay=False, but=number)
                return [*self._controls.values(request), *pictures]
            except Exception as error:
                return self._failed(error, len(values), 6 + len(self._pieces))

        return answer

    def preset(self, change: dict[str, Any]) -> Callable[..., list[Any]]:
        """The first view with these changes; the way of looking stays."""

        def answer(*values: Any) -> list[Any]:
            try:
                way = values[list(self._controls.parts).index("view")]
                request = self._view.first.model_copy(update={**change, "view": way})
                moving = _moving(self._view, request)
                return [*self._controls.values(request), *self._pictures(moving, autoplay=True)]
            except Exception as error:
                return self._failed(error, len(values), 6 + len(self._pieces))

        return answer

    def link(self, *values: Any) -> str:
        try:
            return to_query(self._controls.request(values))
        except InvalidRequest as error:
            raise gr.Error(str(error), duration=8, print_exception=False) from None
