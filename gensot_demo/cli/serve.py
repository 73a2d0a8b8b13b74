"""``serve``: the app, with methods and models of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .common import refuse


def serve(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; else PORT, else 7860 and up.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; else GRADIO_SERVER_NAME.")] = None,
    method: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Python file with guidance methods of your own; repeat.")
    ] = None,
    pipeline: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Folder with a diffusers pipeline of your own; repeat.")
    ] = None,
) -> None:
    """Open the app. Files given by --method are run: name only those that you trust. Of a folder given by --pipeline
    only weights and settings are read, never code."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before Gradio is imported, which reads it
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from gensot_demo.shell import build_app, launch_options, on_space

    if method and on_space():
        raise refuse("--method runs a file of your own and is not available on a Space; start the app locally.")
    if pipeline and on_space():
        raise refuse("--pipeline opens a folder of your own and is not available on a Space; start the app locally.")
    for file in method or []:
        _add_file(file)
    for folder in pipeline or []:
        _add_folder(folder)
    options = launch_options()
    if port is not None:
        options["server_port"] = port
    if host is not None:
        options["server_name"] = host
    build_app().launch(**options)


def _add_file(file: Path) -> None:
    from gensot_demo.guidance.registry import REGISTRY

    try:
        names = REGISTRY.add_file(file)
    except (FileNotFoundError, TypeError, ValueError) as error:
        raise refuse(error) from None
    except Exception as error:  # the file is the visitor's own and may raise anything
        raise refuse(f"--method {str(file)!r} could not be run: {type(error).__name__}: {error}") from None
    typer.echo(f"Methods of {file}: {', '.join(names)}.", err=True)


def _add_folder(folder: Path) -> None:
    from gensot_demo.backbones.catalogue import CATALOGUE
    from gensot_demo.backbones.errors import BackboneUnavailable

    try:
        name = CATALOGUE.add_folder(folder)
    except BackboneUnavailable as error:
        raise refuse(error) from None
    typer.echo(f"Model of {folder}: {name}.", err=True)
