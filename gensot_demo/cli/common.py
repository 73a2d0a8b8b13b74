"""What commands share: a refusal in one sentence, and a model that may be a folder."""

from __future__ import annotations

from pathlib import Path

import typer

from gensot_demo.experiments import limits


def refuse(error: Exception | str) -> typer.Exit:
    """Say one sentence on stderr; raise what this returns."""
    typer.echo(" ".join(str(error).split()), err=True)
    return typer.Exit(2)


def model_named(name: str | None) -> str | None:
    """The name of a model; a folder becomes one of the catalogue."""
    if not name or len(name) > limits.MAX_BACKBONE_NAME or not Path(name).is_dir():
        return name
    from gensot_demo.backbones.catalogue import CATALOGUE
    from gensot_demo.backbones.errors import BackboneUnavailable

    try:
        return CATALOGUE.add_folder(Path(name))
    except BackboneUnavailable as error:
        raise refuse(error) from None
