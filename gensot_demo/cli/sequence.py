"""``sequence``: films of a moving reference, written as a GIF or an MP4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .common import refuse


def sequence(
    link: Annotated[
        str,
        typer.Argument(metavar="QUERY", help="Settings as in a link of the Sequences page."),
    ] = "",
    out: Annotated[Path, typer.Option(metavar="GIF|MP4", help="Where the films go, all methods side by side.")] = Path(
        "sequence.gif"
    ),
) -> None:
    """Follow a moving reference by several methods; writes the films and prints one JSON object of their numbers."""
    from gensot_demo.experiments.requests import InvalidRequest
    from gensot_demo.experiments.sequences.film_files import to_gif, to_mp4
    from gensot_demo.experiments.sequences.links import from_query
    from gensot_demo.experiments.sequences.run import Progress
    from gensot_demo.experiments.sequences.run import sequence as follow
    from gensot_demo.experiments.sequences.verdict import numbers

    writers = {".gif": to_gif, ".mp4": to_mp4}
    try:
        if out.suffix.lower() not in writers:
            raise InvalidRequest(f"--out is {str(out)!r}; it must end in .gif or .mp4.")
        request, remarks = from_query(link.rpartition("?")[2])
        for remark in remarks:
            typer.echo(remark, err=True)
        result = None
        for moment in follow(request):
            result = moment
            if isinstance(moment, Progress):
                typer.echo(f"{moment.done:4.0%}  {moment.seconds:.1f} s", err=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(writers[out.suffix.lower()](result))
    except OSError as error:
        raise refuse(f"{error.filename or out}: {error.strerror or error}.") from None
    except InvalidRequest as error:
        raise refuse(error) from None
    typer.echo(json.dumps(numbers(result)))
    typer.echo(f"Written to {out} in {result.seconds:.1f} s.", err=True)
