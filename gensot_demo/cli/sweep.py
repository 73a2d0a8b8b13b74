"""``sweep``: the Scoreboard's rows and grids in pieces, on this machine or on a Ray cluster; what is cut goes on."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import refuse
from .grid import Blocks, Columns, Rows, SharedLink, query_with, write_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gensot_demo.experiments.sweep.pieces import Piece
    from gensot_demo.experiments.sweep.run import Doing, Kept, Progress

app = typer.Typer(
    help="Rows of the Scoreboard and grids, in pieces: on this machine or on a Ray cluster. What was cut goes on.",
    no_args_is_help=True,
)

_NO_RAY = "sweep needs Ray, which is an extra; in the checkout: pip install -e '.[sweep]'"
_SECONDS_BETWEEN = 2.0  # lines of progress
_STOPPED = 130  # as a shell has it for Ctrl-C

Address = Annotated[
    str | None,
    typer.Option(envvar="RAY_ADDRESS", help="A Ray cluster, as host:port or auto; this machine alone without it."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="CPUs of this machine to use; all without it.")]
Cpus = Annotated[int, typer.Option("--cpus-per-task", min=1, help="CPUs of a task, and threads of its computing.")]
Gpus = Annotated[
    float | None,
    typer.Option(
        "--gpus-per-task",
        min=0,
        help="GPUs of a task; 0.25 lets four share one. Without it: where the cluster has GPUs, 1 for a diffusers "
        "model and 0.25 for the network; else 0.",
    ),
]
Tries = Annotated[int, typer.Option(min=1, max=100, help="How often a piece is begun whose worker was lost.")]
Again = Annotated[bool, typer.Option("--again", help="Do also what is there already.")]


@app.command()
def rows(
    task: Annotated[str | None, typer.Option(help="condition, follow, restore or reward; all without it.")] = None,
    backbone: Annotated[str | None, typer.Option(help="plane, collection or network; all without it.")] = None,
    out: Annotated[
        Path, typer.Option(metavar="JSONL", help="The file of rows; what is in it is not drawn again.")
    ] = Path("rows.jsonl"),
    small: Annotated[bool, typer.Option("--small", help="Few draws, to see it run.")] = False,
    again: Again = False,
    address: Address = None,
    workers: Workers = None,
    tries: Tries = 3,
    cpus: Cpus = 1,
    gpus: Gpus = None,
) -> None:
    """Draw the Scoreboard's rows: every method, task and strength against the law asked for.

    Open them with serve --rows FILE. The last line of output is one JSON object with what became of the sweep.
    """
    from gensot_demo.experiments.requests import InvalidRequest

    doing = _places(address=address, workers=workers, tries=tries, cpus=cpus, gpus=gpus)
    from gensot_demo.experiments.scoreboard.rows import load_rows
    from gensot_demo.experiments.sweep.pieces import rows_pieces
    from gensot_demo.experiments.sweep.run import Kept

    try:
        load_rows(out)
        end = _follow(rows_pieces(backbone, task, small), Kept(out), doing, again)
    except InvalidRequest as error:
        raise refuse(error) from None
    typer.echo(f"Rows in {out}; open them with: python -m gensot_demo serve --rows {out}", err=True)
    _report(end, out)


@app.command()
def grid(
    link: SharedLink = "",
    x: Columns = None,
    y: Rows = None,
    z: Blocks = None,
    samples: Annotated[int | None, typer.Option(help="Samples in each cell; 1 if nothing is said.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder of cells, sheet and numbers.")] = Path("grid"),
    again: Again = False,
    address: Address = None,
    workers: Workers = None,
    tries: Tries = 3,
    cpus: Cpus = 1,
    gpus: Gpus = None,
) -> None:
    """Make the cells of a grid; axes and values are those of the command grid.

    Into DIR: cells.jsonl (each cell as it comes), and at the end sheet.png, which a drop onto the Grid page opens with
    its settings, and results.json with what each cell cost and became.
    """
    from gensot_demo.experiments.requests import InvalidRequest

    doing = _places(address=address, workers=workers, tries=tries, cpus=cpus, gpus=gpus)
    from gensot_demo.experiments.grid.numbers import numbers
    from gensot_demo.experiments.grid.request import from_query
    from gensot_demo.experiments.grid.run import estimate
    from gensot_demo.experiments.sweep.pieces import cell_pieces, grid_of_kept
    from gensot_demo.experiments.sweep.run import Kept

    try:
        request, remarks = from_query(query_with(link, {"x": x, "y": y, "z": z, "samples": samples}))
        for remark in remarks:
            typer.echo(remark, err=True)
        typer.echo(f"In one process: {estimate(request, limited=False).sentence}", err=True)
        kept = Kept(out / "cells.jsonl")
        end = _follow(cell_pieces(request), kept, doing, again)
        result = grid_of_kept(request, kept.records(), end.seconds)
        write_sheet(result, out / "sheet.png")
        (out / "results.json").write_text(json.dumps(numbers(result)) + "\n", encoding="utf-8")
    except OSError as error:
        raise refuse(f"{error.filename or out}: {error.strerror or error}.") from None
    except InvalidRequest as error:
        raise refuse(error) from None
    _report(end, out)


def _places(**options: str | float | None) -> Doing:
    """Where the pieces are done; a sentence where Ray is missing."""
    try:
        from gensot_demo.experiments.sweep.cluster import Places
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "ray":
            raise
        raise refuse(_NO_RAY) from None
    if options["address"] and options["workers"]:
        typer.echo(
            f"--workers {options['workers']} is left out: it counts cores of this machine, and the work is done by the "
            f"cluster at {options['address']}.",
            err=True,
        )
    return Places(**options)


def _follow(pieces: Iterable[Piece], kept: Kept, doing: Doing, again: bool) -> Progress:
    """Run a sweep and say how it goes; returns its last moment. Ctrl-C ends the command, with what is done kept."""
    from gensot_demo.experiments.sweep.run import sweep

    said, reasons = float("-inf"), Counter()
    try:
        with closing(sweep(pieces, kept, doing, again)) as moments:
            for moment in moments:
                if moment.reason and not reasons[moment.reason]:
                    typer.echo(moment.reason, err=True)
                reasons[moment.reason] += bool(moment.reason)
                if moment.seconds - said > _SECONDS_BETWEEN or moment.ended:
                    typer.echo(moment.sentence, err=True)
                    said = moment.seconds
    except KeyboardInterrupt:
        typer.echo(f"Stopped. What was done is in {kept.path}; the same command goes on from there.", err=True)
        raise typer.Exit(_STOPPED) from None
    except OSError as error:
        raise refuse(f"{error.filename or kept.path}: {error.strerror or error}.") from None
    for reason, count in reasons.items():
        if count > 1:
            typer.echo(f"{count} times: {reason}", err=True)
    return moment


def _report(end: Progress, out: Path) -> None:
    """One JSON object; a sweep with lost pieces ends with status 1."""
    counts = {"pieces": end.total, "there": end.before, "done": end.done - end.lost, "failed": end.failed - end.lost}
    typer.echo(json.dumps({"out": str(out), **counts, "lost": end.lost, "seconds": round(end.seconds, 2)}))
    if end.lost:
        typer.echo(f"{end.lost} pieces lost their workers each time; the same command tries them again.", err=True)
        raise typer.Exit(1)
