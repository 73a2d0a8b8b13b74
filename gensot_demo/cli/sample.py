"""``sample``: a comparison, written as a sheet of pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensot_demo.experiments import limits

from .common import model_named, refuse

if TYPE_CHECKING:
    from gensot_demo.experiments.requests import CompareRequest

_TRUST = re.compile(r"(?P<name>.+):(?P<trust>-?\d+(\.\d*)?)")  # the name itself may hold a colon: "flag: Italy"


def sample(
    condition: Annotated[
        list[str] | None, typer.Option(metavar="NAME[:TRUST]", help="A condition to fulfil; repeat.")
    ] = None,
    follow: Annotated[
        list[str] | None, typer.Option(metavar="EMOJI[:TRUST]", help="A picture to follow, by name or character.")
    ] = None,
    follow_average: Annotated[
        list[str] | None, typer.Option(metavar="CONDITION[:TRUST]", help="Follow the average picture of a condition.")
    ] = None,
    follow_file: Annotated[list[Path] | None, typer.Option(metavar="PNG", help="Follow a picture of your own.")] = None,
    restore: Annotated[
        str | None,
        typer.Option(
            metavar="KIND[:MASK]",
            help="Restore a picture: mask:centre, 'mask:left half', 'mask:random pixels', super_resolution, blur, "
            "colourise.",
        ),
    ] = None,
    restore_emoji: Annotated[
        str | None, typer.Option(metavar="EMOJI", help="The picture to restore, by name or character.")
    ] = None,
    restore_file: Annotated[Path | None, typer.Option(metavar="PNG", help="Restore a picture of your own.")] = None,
    restore_noise: Annotated[
        float | None,
        typer.Option(help=f"Noise of its measurement, {limits.RESTORE_NOISE[0]:g} to {limits.RESTORE_NOISE[1]:g}."),
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(
            metavar="KIND[*AMOUNT]",
            help="A reward and its nats per 10 grey levels: brightness*2, symmetry, colour:d01c1c*3, class:hearts*1.",
        ),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(metavar="NAME|ID|FOLDER", help="The model: network, collection, truth, a hub id, a folder."),
    ] = None,
    negative: Annotated[str | None, typer.Option(help="A prompt to lead away from, for models with prompts.")] = None,
    strength: Annotated[
        float | None, typer.Option(help=f"Factor on the conditions' trusts, 0 to {limits.MAX_STRENGTH:g}.")
    ] = None,
    view_noise: Annotated[
        float | None,
        typer.Option(help=f"How blurred the followed view is, {limits.VIEW_NOISE[0]:g} to {limits.VIEW_NOISE[1]:g}."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help=f"Steps, {limits.MIN_STEPS} to {limits.MAX_STEPS}.")] = None,
    samples: Annotated[int | None, typer.Option(help=f"Samples per method, 1 to {limits.MAX_SAMPLES}.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the first sample; the others count on from it.")] = None,
    sampler: Annotated[str | None, typer.Option(help="Name of a sampler; an unknown one lists all.")] = None,
    path: Annotated[
        str | None, typer.Option(help="Path of methods without their own; an unknown one lists all.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(metavar="NAME[:KEY=VALUE,...]", help="A guidance method; repeat.")
    ] = None,
    first_noise: Annotated[
        float | None, typer.Option(help=f"First noise level, to {limits.MAX_FIRST_NOISE:g}; 0 is the model's own.")
    ] = None,
    resolution: Annotated[int | None, typer.Option(help="64 or 32 pixels a side.")] = None,
    link: Annotated[
        str | None, typer.Option(metavar="QUERY", help="The query string of a link, instead of all options above.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="PNG", help="Where the grid of pictures goes.")] = Path("comparison.png"),
) -> None:
    """Compare guidance methods on the same noise.

    Writes one row of pictures per method and one column per seed; all settings travel in the file's metadata. An option
    left out is what the page would take; with neither a condition, a picture nor a method: the page's first view.
    """
    from gensot_demo.experiments.compare import CompareResult, compare
    from gensot_demo.experiments.links import from_query
    from gensot_demo.experiments.requests import InvalidRequest

    from .sheet import metadata, sheet, table

    scalars = {
        "strength": strength, "view_noise": view_noise, "steps": steps, "samples": samples, "seed": seed,
        "sampler": sampler, "path": path, "first_noise": first_noise, "resolution": resolution,
        "backbone": model_named(backbone), "negative": negative,
    }  # fmt: skip
    lists = {
        "condition": condition,
        "follow": follow,
        "follow_average": follow_average,
        "follow_file": follow_file,
        "method": method,
        "restore": restore,
        "restore_emoji": restore_emoji,
        "restore_file": restore_file,
        "restore_noise": restore_noise,
        "reward": reward,
    }
    given = {name: value for name, value in (scalars | lists).items() if value not in (None, [])}
    try:
        if out.suffix.lower() != ".png":
            raise InvalidRequest(f"--out is {str(out)!r}; it must end in .png.")
        if link is None:
            request = _request(given)
        elif given:
            options = ", ".join("--" + name.replace("_", "-") for name in given)
            raise InvalidRequest(f"--link stands for a whole request; leave out {options}.")
        else:
            request, remarks = from_query(link.rpartition("?")[2])
            for remark in remarks:
                typer.echo(remark, err=True)
        result = None
        for moment in compare(request):
            result = moment
            if not isinstance(moment, CompareResult):
                typer.echo(f"{moment.done:4.0%}  {moment.seconds:.1f} s", err=True)
        for note in result.notes:
            typer.echo(note, err=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        sheet(result).save(out, pnginfo=metadata(result))
    except OSError as error:
        raise refuse(f"{error.filename or out}: {error.strerror or error}.") from None
    except InvalidRequest as error:
        raise refuse(error) from None
    typer.echo("\n".join([*result.verdict.sentences, "", *table(result)]))
    typer.echo(f"Written to {out} in {result.seconds:.1f} s.", err=True)


def _request(given: dict[str, Any]) -> CompareRequest:
    """The request that the given options ask for; raises InvalidRequest."""
    from gensot_demo.experiments.links import reward_values
    from gensot_demo.experiments.requests import CompareRequest, parse

    given = dict(given)
    asked = ("conditions", "references", "restore", "reward")
    values: dict[str, Any] = {"conditions": [], "references": [], "restore": _restore(given)}
    values["reward"] = reward_values(given.pop("reward")) if "reward" in given else None
    for text in given.pop("condition", []):
        name, trust = _with_trust(text)
        values["conditions"].append({"name": name, "trust": trust})
    for option, field in (("follow", "emoji"), ("follow_average", "average")):
        for text in given.pop(option, []):
            name, trust = _with_trust(text)
            values["references"].append({field: name, "trust": trust})
    for file in given.pop("follow_file", []):
        values["references"].append({"png": file.read_bytes()})
    methods = [_method(text) for text in given.pop("method", [])]
    if methods:
        values["methods"] = methods
    elif not any(values[name] for name in asked):
        first = CompareRequest.first_view()
        plain = CompareRequest()
        values |= {name: value for name, value in first if value != getattr(plain, name)}
    return parse(CompareRequest, **{**values, **given})


def _restore(given: dict[str, Any]) -> dict[str, Any] | None:
    """The picture to restore that is taken out of the given options; raises InvalidRequest for options without it."""
    from gensot_demo.experiments.links import restore_values
    from gensot_demo.experiments.requests import InvalidRequest

    emoji, file, noise = (given.pop(f"restore_{name}", None) for name in ("emoji", "file", "noise"))
    if "restore" not in given:
        if (emoji, file, noise) != (None, None, None):
            raise InvalidRequest("--restore is missing: say what has become of the picture, such as --restore blur.")
        return None
    values = restore_values(given.pop("restore"), [])
    if emoji is not None or file is not None:
        values["picture"] = {"emoji": emoji, "png": None if file is None else file.read_bytes()}
    return values if noise is None else {**values, "noise": noise}


def _with_trust(text: str) -> tuple[str, float]:
    match = _TRUST.fullmatch(text)
    return (match["name"], float(match["trust"])) if match else (text, 1.0)


def _method(text: str) -> dict[str, Any]:
    from gensot_demo.experiments.requests import InvalidRequest

    name, _, tail = text.partition(":")
    settings = {}
    for item in filter(None, tail.split(",")):
        key, equals, value = item.partition("=")
        if not equals:
            raise InvalidRequest(f"--method {text!r}: {item!r} is not of the form key=value.")
        settings[key.strip()] = value.strip()
    return {"name": name, "settings": settings}
