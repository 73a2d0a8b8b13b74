"""``transport``: particles in the plane, as numbers."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .common import refuse


def transport(
    link: Annotated[
        str,
        typer.Argument(metavar="QUERY", help="Settings as in a link of the Transport page."),
    ] = "",
    repeat: Annotated[int, typer.Option(min=0, max=64, help="Also compare all particles over so many seeds.")] = 0,
) -> None:
    """Move particles in the plane by several methods; prints one JSON object of costs, shares and distances."""
    from gensot_demo.experiments.plane.links import from_query
    from gensot_demo.experiments.plane.numbers import numbers
    from gensot_demo.experiments.plane.run import Progress, Repeated
    from gensot_demo.experiments.plane.run import repeat as over_seeds
    from gensot_demo.experiments.plane.run import transport as move
    from gensot_demo.experiments.requests import InvalidRequest

    try:
        request, remarks = from_query(link.rpartition("?")[2])
        for remark in remarks:
            typer.echo(remark, err=True)
        result, found = None, None
        for moment in move(request):
            result = moment if not isinstance(moment, Progress) else result
        for moment in over_seeds(request, repeat) if repeat else ():
            if isinstance(moment, Repeated):
                found = moment
            else:
                typer.echo(f"{moment.done:4.0%}  {moment.doing}", err=True)
    except InvalidRequest as error:
        raise refuse(error) from None
    out = numbers(result)
    if found is not None:
        out["over_seeds"] = found.summary()
    typer.echo(json.dumps(out))
