"""The lower part of the solver's page: heights of pictures, the stored ones or solved anew."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore
from gensot_demo.experiments.static_ot.heights_pictures import PicturesRun, run_anew, run_stored
from gensot_demo.experiments.static_ot.heights_told import of_pictures
from gensot_demo.figures.static_ot_pictures import rounds_figure, shares_figure
from gensot_demo.transport.errors import Explained

from . import report
from .static_ot_heights_controls import PicturesControls
from .static_ot_heights_report import wall

FOUND = RunStore(megabytes=80, size=lambda run: 9 * len(run.pictures) ** 2, button="Show the stored heights")
_EVERY = 0.35  # seconds between drawings


def shown_pictures(run: PicturesRun) -> list[Any]:
    """[status, sentences, wall, shares, rounds] of a finished run."""
    count = len(run.pictures)
    status = report.status(f"{count:,} pictures: {run.pictures.label}. {run.seconds:.1f} s.")
    return [status, report.sentences(of_pictures(run)), wall(run), shares_figure(run), rounds_figure(run)]


def find_pictures(pictures: PicturesControls, values: tuple[Any, ...], stored_only: bool) -> Iterator[list[Any]]:
    """As :func:`shown_pictures` several times a second; what is shown stays if values are bad."""
    try:
        request = pictures.request(values)
        yield [report.status("Reading the pictures…"), *[gr.skip()] * 4]
        kept = FOUND.find(request) if stored_only else None
        if kept is not None:
            yield shown_pictures(FOUND.get(kept))
            return
        drawn, last = 0.0, None
        for run in run_stored(request) if stored_only else run_anew(request):
            last = run
            if not run.complete and time.perf_counter() - drawn > _EVERY:
                drawn = time.perf_counter()
                what = f"{run.doing}: {run.samples:,} draws" if not run.fresh else f"{run.doing}: {run.fresh:,} draws"
                line = report.running(what, run.done, run.seconds)
                told = report.sentences(of_pictures(run))
                yield [line, told, gr.skip(), shares_figure(run) or gr.skip(), rounds_figure(run)]
        if last is None:
            sentence = (
                "No heights are stored for these pictures. Press Solve anew: it may take some seconds to minutes."
            )
            yield [report.status(sentence), *[gr.skip()] * 4]
        else:
            if stored_only:
                FOUND.keep(last)
            yield shown_pictures(last)
    except (InvalidRequest, Explained) as error:
        yield [report.status(str(error), kind="error"), *[gr.skip()] * 4]
    except Exception as error:
        logging.getLogger(__name__).exception("solving for pictures failed")
        sentence = f"Solving failed ({type(error).__name__}); what is shown stays. Other pictures may work."
        yield [report.status(sentence, kind="error"), *[gr.skip()] * 4]
