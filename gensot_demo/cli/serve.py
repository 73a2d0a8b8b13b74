"""``serve``: the app, with methods and models of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import refuse

if TYPE_CHECKING:
    from gensot_demo.shell.own_methods import OwnMethods


def serve(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; else PORT, else 7860 and up.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; else GRADIO_SERVER_NAME.")] = None,
    method: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Python file with guidance methods of your own; repeat.")
    ] = None,
    pipeline: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Folder with a diffusers pipeline of your own; repeat.")
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Rows of a sweep, which the Scoreboard shows in place of those that ship."),
    ] = None,
) -> None:
    """Open the app. Files given by --method are run, again whenever they are saved: name only those that you trust. Of
    a folder given by --pipeline only weights and settings are read, never code."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before Gradio is imported, which reads it
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from gensot_demo.shell import build_app, launch_options, on_space

    if method and on_space():
        raise refuse("--method runs a file of your own and is not available on a Space; start the app locally.")
    if pipeline and on_space():
        raise refuse("--pipeline opens a folder of your own and is not available on a Space; start the app locally.")
    if rows is not None:
        _show_rows(rows)
    own = _own_methods(method) if method else None
    for folder in pipeline or []:
        _add_folder(folder)
    options = launch_options(own)
    if port is not None:
        options["server_port"] = port
    if host is not None:
        options["server_name"] = host
    if own is None:
        build_app().launch(**options)
    else:
        own.serve(build_app, options)


def _show_rows(file: Path) -> None:
    """Tell the Scoreboard; a broken file is refused."""
    from gensot_demo.experiments.requests import InvalidRequest
    from gensot_demo.experiments.scoreboard.own_rows import ROWS_VARIABLE, own_rows

    os.environ[ROWS_VARIABLE] = str(file.resolve())
    try:
        found = own_rows()
    except InvalidRequest as error:
        raise refuse(error) from None
    typer.echo(f"Rows of {found.sentence}.", err=True)


def _own_methods(files: list[Path]) -> OwnMethods:
    """The files, read once; one that is not there is refused, one with an error is said here and on the page."""
    from gensot_demo.shell.own_methods import OwnMethods

    for file in files:
        if not file.is_file():
            raise refuse(f"--method {str(file)!r}: there is no such file.")
        if file.suffix != ".py":
            raise refuse(f"--method {str(file)!r}: a Python file (.py) is needed.")
    own = OwnMethods(files)
    own.read_changed()
    for file, names in own.names.items():
        typer.echo(f"Methods of {file}: {', '.join(names)}. It is read again whenever it is saved.", err=True)
    for problem in own.problems.values():
        typer.echo(problem, err=True)
    return own


def _add_folder(folder: Path) -> None:
    from gensot_demo.backbones.catalogue import CATALOGUE
    from gensot_demo.backbones.errors import BackboneUnavailable

    try:
        name = CATALOGUE.add_folder(folder)
    except BackboneUnavailable as error:
        raise refuse(error) from None
    typer.echo(f"Model of {folder}: {name}.", err=True)
