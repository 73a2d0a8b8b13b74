"""What happened here? The panel below the pictures of the Compare page that tells the story of one of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency

from gensot_demo.experiments.compare import CompareResult
from gensot_demo.experiments.film import film, sample_of
from gensot_demo.experiments.inspect import told
from gensot_demo.experiments.inspect.run import Asking, Inspection, inspect
from gensot_demo.experiments.links import look_text, look_values
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RUNS
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.inspection import genealogy_figure, leaving_figure, own_energy_figure, term_figure
from gensot_demo.figures.wall import PictureWall, wall_row, wall_value

from . import report
from .events import Latest
from .warm_up import WARM_UP

Chosen = tuple[str, str, int, int]  # run, method, column, and which choice it is: the same picture may be chosen again

_LOOKING = "Looking at this sample…"
_NOT_YET = '<i class="gensot-looking"></i>'  # in place of the sentences: the style sheet hides another sample's figures
_QUESTIONS = {
    "term": (
        "What did the guidance do?",
        "The guidance term: what the method predicted, less what the model predicts by itself at the same state. Above "
        "its size. Below its direction: 1 points at the finished picture, 0 across, −1 away from it.",
    ),
    "leaving": (
        "Where did it leave the unguided path?",
        "Solid: distance of this state from the one that the same noise makes without guidance, both at the contrast "
        "of a picture, whatever the noise. Dotted: distance of what is predicted there.",
    ),
    "energy": (
        "How fast did it move, among the others from this seed?",
        "Kinetic energy of this one sample, bold, and of the samples that the other methods made of the same noise.",
    ),
    "near": (
        "What does it look like?",
        "The picture, what the same noise makes without guidance, and the five nearest pictures that the model was "
        "made of.",
    ),
    "tree": (
        "Who are its ancestors?",
        "Each row is a particle, each step to the right is less noise. Where weights grow uneven, light particles are "
        "dropped and heavy ones copied.",
    ),
}


class Inspector:
    """The panel's components and wiring. The page's style sheet hides it as long as its film strip is empty."""

    def __init__(self) -> None:
        self.chosen, self.latest = gr.State(None), gr.State(Latest())
        self.look = gr.Textbox(visible="hidden", elem_id="look")  # what the address says of it, for the browser
        with gr.Column(elem_classes="gensot-inspect", elem_id="inspect"):
            with gr.Row(elem_classes="gensot-inspect-head"):
                self.title = gr.Markdown(elem_id="strip-title")
                self.close = gr.Button("Close", size="sm", min_width=70, scale=0, elem_id="inspect-close")
            self.said = gr.HTML(elem_id="inspect-said")
            self.status = gr.HTML(elem_id="inspect-status")
            self.strip = PictureWall(elem_id="strip", elem_classes="gensot-wall-block")
            with gr.Row(elem_classes="gensot-inspect-row"):
                self.term, self.about_term = _figure(
                    "term", "Where guidance moves no prediction there is no term.", 400
                )
                self.leaving, self.about_leaving = _figure("leaving", "The model is asked for the unguided path.", 400)
            with gr.Row(elem_classes="gensot-inspect-row"):
                self.energy, _ = _figure("energy", "Kinetic energy appears here.", 340)
                with gr.Column(min_width=300):
                    _question("near")
                    self.near = PictureWall(elem_id="inspect-near", elem_classes="gensot-wall-block")
                    self.about_near = gr.HTML(elem_id="inspect-about-near")
            with gr.Column(elem_classes="gensot-inspect-tree"):
                self.tree, self.about_tree = _figure("tree", "", 420)

    @property
    def outputs(self) -> list[gr.components.Component]:
        """All that is told of a sample but its title."""
        return [
            self.said, self.status, self.strip, self.term, self.about_term, self.leaving, self.about_leaving,
            self.energy, self.near, self.about_near, self.tree, self.about_tree,
        ]  # fmt: skip

    @property
    def shown(self) -> list[gr.components.Component]:
        """What :meth:`closed` belongs to."""
        return [self.strip, self.status, self.chosen, self.look]

    @staticmethod
    def closed() -> list[Any]:
        """Updates of :attr:`shown` that close the panel."""
        return ["", "", None, ""]

    @property
    def opened(self) -> list[gr.components.Component]:
        """What :func:`_opened` belongs to."""
        return [self.title, self.said, self.status, self.strip, self.chosen, self.look]

    def wire(self, walls: Sequence[tuple[PictureWall, gr.State]], light: dict, heavy: dict) -> Dependency:
        """Open the panel at a click on a picture of these walls, each with the name of its run; returns the event that
        computes, to be cancelled by a Stop. The address tells of samples of the first wall."""
        computing = self.chosen.change(
            _story, [self.chosen, self.latest], self.outputs, **{**heavy, "trigger_mode": "multiple"}
        )
        for number, (pictures, run_name) in enumerate(walls):
            clicked = pictures.select(
                _clicked if number == 0 else _clicked_elsewhere,
                [run_name, self.latest],
                self.opened,
                trigger_mode="multiple",
                **light,
            )
            clicked.success(None, self.look, None, js=_SHOW, api_visibility="private")
        self.close.click(_close, self.latest, self.shown, **light).then(
            None, None, None, js=_FOCUS_BACK, api_visibility="private"
        )
        return computing

    def wire_link(self, first: Dependency, run_name: gr.State, light: dict) -> None:
        """Open the panel after the first run of the page if its address looks at a sample."""
        linked = first.then(_linked, [run_name, self.latest], self.opened, **light)
        linked.success(None, self.look, None, js=_SHOW_LINKED, api_visibility="private")


_SHOW_LINKED = "(look) => { if (look) { window.gensot.look(look); window.gensot.reveal('#strip'); } }"
_SHOW = "(look) => { window.gensot.look(look); window.gensot.reveal('#strip'); }"
_FOCUS_BACK = (
    "() => { window.gensot.look(''); document.querySelector('.gensot-wall [aria-pressed=\"true\"]')?.focus(); }"
)


def _question(part: str) -> None:
    title, text = _QUESTIONS[part]
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-inspect-question")


def _figure(part: str, empty: str, height: int) -> tuple[PlotlyFigure, gr.HTML]:
    """A figure under its question, and the line below it."""
    with gr.Column(min_width=300):
        _question(part)
        figure = PlotlyFigure(empty=empty, height=height, filename=f"gensot-{part}", elem_id=f"inspect-{part}")
        return figure, gr.HTML(elem_id=f"inspect-about-{part}")


def _opened(run_name: str, latest: Latest, method: str, column: int, look: str) -> list[Any]:
    """[title, sentences, status, strip, chosen, look] of a sample: its film at once, the rest to come."""
    result = RUNS.get(run_name)
    strip = _strip(result, method, column)
    chosen = (run_name, method, column, latest.choose())
    return [_title(result, method, column), _NOT_YET, report.status(_LOOKING), strip, chosen, look]


def _clicked(run_name: str, latest: Latest, event: gr.EventData) -> list[Any]:
    """The sample that was clicked; what comes from the browser is checked."""
    try:
        method, column = str(event._data.get("row")), int(event._data.get("column", -1))
        return _opened(run_name, latest, method, column, look_text(method, column))
    except (InvalidRequest, TypeError, ValueError) as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None


def _clicked_elsewhere(run_name: str, latest: Latest, event: gr.EventData) -> list[Any]:
    """The same on a wall that no address tells of."""
    return [*_clicked(run_name, latest, event)[:-1], ""]


def _close(latest: Latest) -> list[Any]:
    """Updates of :attr:`Inspector.shown`; nothing that is still being told opens the panel again."""
    latest.choose()
    return Inspector.closed()


def _linked(run_name: str, latest: Latest, request: gr.Request) -> list[Any]:
    """The sample that the page's address looks at, if it does."""
    try:
        wanted = look_values(request.url.query or "") if run_name else None
        return _opened(run_name, latest, *wanted, look_text(*wanted)) if wanted else [gr.skip()] * 6
    except InvalidRequest as error:
        gr.Warning(f"The link looks at a sample. {error}", duration=8)
        return [gr.skip()] * 6


def _title(result: CompareResult, method: str, column: int) -> str:
    part = sample_of(result, method, column)
    became = "came about" if part.nearest is None else f"became {result.backbone.names[part.nearest[column]]}"
    return (
        f"### What happened here?\nHow **seed {result.request.seeds[column]}** {became} under **{part.label}**, on "
        f"{result.backbone.info.label}. From left to right the noise level σ falls: the state x_t itself, and the "
        "picture that the method predicts at that moment."
    )


def _strip(result: CompareResult, method: str, column: int, found: Inspection | None = None) -> str:
    """The film, and below it what guidance did to the prediction as soon as that is known."""
    frames = film(result, method, column) if found is None else found.frames
    rows = [
        wall_row("state", "State x_t", [f.state for f in frames], captions=[f"t = {f.time:.3f}" for f in frames]),
        wall_row(
            "predicted", "Predicted", [f.predicted for f in frames], captions=[f"a = {f.scale:.2g}" for f in frames]
        ),
    ]
    if found is not None and found.term is not None and not found.term.silent:
        note = f"± {found.term.scale:.0f} grey levels"
        rows.append(wall_row("term", "Guidance term", found.term.pictures, note=note))
    columns = [f"σ {f.sigma:.3g}" if f.sigma > 0 else "end" for f in frames]
    return wall_value(rows, columns, "Film strip of one sample", False)


@WARM_UP.yields_to
def _story(chosen: Chosen | None, latest: Latest) -> Iterator[list[Any]]:
    """Updates of the panel's outputs for a chosen sample, as they become known."""
    rest = [gr.skip()] * 10
    if chosen is None:  # closed: a story that is still being told must not open it again
        latest.choose()
        yield [gr.skip()] * 12
        return
    others: list[Any] = [gr.skip(), None, "", None, "", None, "", "", None, ""]  # until the first answer
    try:
        result = RUNS.get(chosen[0])
        for moment in inspect(result, chosen[1], chosen[2]):
            if latest.number != chosen[3]:
                return
            if isinstance(moment, Asking):
                model = f"Asking {result.backbone.info.label} about {moment.states} more states"
                yield [gr.skip(), report.running(model, moment.done, moment.seconds), *rest]
            else:
                yield _told(moment)
                others = rest
    except InvalidRequest as error:
        yield ["", report.status(str(error), kind="error"), *others]
    except Exception as error:
        logging.getLogger(__name__).exception("an inspection failed")
        sentence = f"This sample's story could not be told to its end ({type(error).__name__}: {error})."
        yield ["", report.status(sentence, kind="error"), *others]


def _told(found: Inspection) -> list[Any]:
    """All outputs for what is known of a sample."""
    name, term, left, tree = found.method, found.term, found.leaving, found.genealogy
    labels = {other: part.label for other, part in found.result.methods.items()}
    done = (
        report.status(f"Told in {found.seconds:.1f} s.") if found.complete else report.status("Asking the model…", 0.0)
    )
    return [
        _paragraph(told.summary(found), "gensot-inspect-said"),
        done,
        gr.skip() if term is None else _strip(found.result, name, found.column, found),
        None if term is None else term_figure(name, term),
        _paragraph(told.about_term(found)),
        None if left is None else leaving_figure(name, left),
        "" if left is None else _paragraph(told.about_leaving(left)),
        own_energy_figure(name, labels, found.energies) if found.energies else None,
        _looks(found),
        _paragraph(told.about_neighbours(found)),
        None if tree is None else genealogy_figure(name, tree),
        _paragraph(told.about_genealogy(found)),
    ]


def _paragraph(text: str, style: str = "gensot-law") -> str:
    return f'<p class="{style}">{escape(text)}</p>' if text else ""


def _looks(found: Inspection) -> str:
    """The sample, what the same noise makes without guidance, and the known pictures nearest to the sample."""
    part, rows = found.part, []
    pictures, captions = [part.pictures[found.column]], ["this sample"]
    if found.leaving is not None:
        pictures.append(found.leaving.end)
        captions.append("unguided" + (f": {found.leaving.nearest}" if found.leaving.nearest else ""))
    rows.append(wall_row("sample", "From this noise", pictures, captions=captions))
    near = found.neighbours
    if near is not None:
        captions = [f"{name}, {away:.1f}" for name, away in zip(near.names, near.distances, strict=True)]
        rows.append(wall_row("near", "Nearest known", near.pictures, note="grey levels away", captions=captions))
    columns = [""] * max(len(row["items"]) for row in rows)
    return wall_value(rows, columns, "The sample and the known pictures nearest to it", False)
