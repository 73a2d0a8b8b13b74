"""``grid``: a comparison over a grid of settings, written as one labelled sheet of pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gensot_demo.experiments import limits

from .common import refuse

if TYPE_CHECKING:
    from gensot_demo.experiments.grid.run import GridResult

_VALUES = "Typed values: 1,2,4 or '1-10 (+2)' or '0-1 [5]' or names."
SharedLink = Annotated[
    str, typer.Argument(metavar="QUERY", help="What all cells share, as in a link of the Compare or Grid page.")
]
Columns = Annotated[
    str | None, typer.Option("--x", metavar="AXIS:VALUES", help=f"What is varied along columns. {_VALUES}")
]
Rows = Annotated[str | None, typer.Option("--y", metavar="AXIS:VALUES", help="Along rows.")]
Blocks = Annotated[str | None, typer.Option("--z", metavar="AXIS:VALUES", help="One block each.")]


def grid(
    link: SharedLink = "",
    x: Columns = None,
    y: Rows = None,
    z: Blocks = None,
    samples: Annotated[
        int | None, typer.Option(help=f"Samples in each cell, 1 to {limits.GRID_SAMPLES}; 1 if nothing is said.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="PNG", help="Where the sheet goes.")] = Path("grid.png"),
) -> None:
    """Vary one to three settings and show every combination, all on the same noise.

    Axes: method, strength, steps, view_noise, trust, condition, follow, seed, sampler, path, backbone, resolution, and
    every method's settings, such as stiffness, particles or cfg.rescale. The sheet carries the settings that made it;
    the last line of output is one JSON object with what each cell cost and became.
    """
    from gensot_demo.experiments.grid.numbers import numbers
    from gensot_demo.experiments.grid.request import from_query
    from gensot_demo.experiments.grid.run import GridResult, estimate, run_grid
    from gensot_demo.experiments.requests import InvalidRequest

    try:
        if out.suffix.lower() != ".png":
            raise InvalidRequest(f"--out is {str(out)!r}; it must end in .png.")
        request, remarks = from_query(query_with(link, {"x": x, "y": y, "z": z, "samples": samples}))
        for remark in remarks:
            typer.echo(remark, err=True)
        typer.echo(estimate(request).sentence, err=True)
        result, ended, said = None, 0, 0.0
        for moment in run_grid(request):
            if isinstance(moment, GridResult):
                result = moment
            elif moment.cells or moment.seconds - said > 2:
                ended, said = ended + len(moment.cells), moment.seconds
                typer.echo(f"{moment.done:4.0%}  {ended} of {request.size} cells, {moment.seconds:.1f} s", err=True)
        for why in dict.fromkeys(cell.reason for cell in result.cells if cell.reason):
            typer.echo(why, err=True)
        write_sheet(result, out)
    except OSError as error:
        raise refuse(f"{error.filename or out}: {error.strerror or error}.") from None
    except InvalidRequest as error:
        raise refuse(error) from None
    typer.echo(f"Written to {out} in {result.seconds:.1f} s.", err=True)
    typer.echo(json.dumps(numbers(result)))


def write_sheet(result: GridResult, out: Path) -> None:
    """The grid as a sheet of pictures that carries the settings which made it."""
    from gensot_demo.experiments.grid.request import to_query
    from gensot_demo.experiments.picture_settings import png_text, settings_text
    from gensot_demo.figures.grid import grid_sheet

    out.parent.mkdir(parents=True, exist_ok=True)
    info = png_text(settings_text(to_query(result.request)[0], "/grid"))
    grid_sheet(result).save(out, pnginfo=info)


def query_with(link: str, given: dict[str, str | int | None]) -> str:
    """The link's query with the given options in place of its own."""
    from urllib.parse import parse_qsl, quote, urlencode

    named = {key: str(value) for key, value in given.items() if value is not None}
    pairs = parse_qsl(link.rpartition("?")[2], keep_blank_values=True)
    fields = [(key, value) for key, value in pairs if key not in named]
    return urlencode([*fields, *named.items()], quote_via=quote)
