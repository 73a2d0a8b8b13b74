"""The command line: ``serve`` opens the app, ``sample`` writes a comparison, ``grid`` one over a grid of settings,
``sequence`` films, ``transport`` prints its numbers, ``sweep`` draws rows and grids on many workers.

Only translates: options into a request, a result into a file and a table. Heavy imports wait for the command that needs
them, so that ``--help`` is there at once and ``serve`` starts as fast as app.py. One file a command.
"""

from __future__ import annotations

import typer

from .grid import grid
from .sample import sample
from .sequence import sequence
from .serve import serve
from .sweep import app as sweep
from .transport import transport

app = typer.Typer(
    help="See and compare how diffusion models are guided.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (serve, sample, grid, sequence, transport):
    app.command()(command)
app.add_typer(sweep, name="sweep")
