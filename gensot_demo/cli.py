"""The command line: ``serve`` opens the app, ``sample`` writes a comparison, ``transport`` prints its numbers.

Only translates: options into a request, a result into a file and a table. Heavy imports wait for the command that needs
them, so that ``--help`` is there at once and ``serve`` starts as fast as app.py.
"""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensot_demo.experiments import limits

if TYPE_CHECKING:
    from PIL import Image

    from gensot_demo.experiments.compare import CompareResult
    from gensot_demo.experiments.requests import CompareRequest

app = typer.Typer(
    help="See and compare how diffusion models are guided.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_MAGNIFIED = 2
_LABEL_WIDTH = 190
_MARGIN = 8
_HEADER = 26
_TRUST = re.compile(r"(?P<name>.+):(?P<trust>-?\d+(\.\d*)?)")  # the name itself may hold a colon: "flag: Italy"


def _refuse(error: Exception | str) -> typer.Exit:
    """Say one sentence on stderr; raise what this returns."""
    typer.echo(" ".join(str(error).split()), err=True)
    return typer.Exit(2)


@app.command()
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
        raise _refuse("--method runs a file of your own and is not available on a Space; start the app locally.")
    if pipeline and on_space():
        raise _refuse("--pipeline opens a folder of your own and is not available on a Space; start the app locally.")
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
        raise _refuse(error) from None
    except Exception as error:  # the file is the visitor's own and may raise anything
        raise _refuse(f"--method {str(file)!r} could not be run: {type(error).__name__}: {error}") from None
    typer.echo(f"Methods of {file}: {', '.join(names)}.", err=True)


def _add_folder(folder: Path) -> None:
    from gensot_demo.backbones.catalogue import CATALOGUE
    from gensot_demo.backbones.errors import BackboneUnavailable

    try:
        name = CATALOGUE.add_folder(folder)
    except BackboneUnavailable as error:
        raise _refuse(error) from None
    typer.echo(f"Model of {folder}: {name}.", err=True)


@app.command()
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

    scalars = {
        "strength": strength, "view_noise": view_noise, "steps": steps, "samples": samples, "seed": seed,
        "sampler": sampler, "path": path, "resolution": resolution, "backbone": _model(backbone), "negative": negative,
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
        _grid(result).save(out, pnginfo=_metadata(result))
    except OSError as error:
        raise _refuse(f"{error.filename or out}: {error.strerror or error}.") from None
    except InvalidRequest as error:
        raise _refuse(error) from None
    typer.echo("\n".join([*result.verdict.sentences, "", *_table(result)]))
    typer.echo(f"Written to {out} in {result.seconds:.1f} s.", err=True)


@app.command()
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
        raise _refuse(error) from None
    out = numbers(result)
    if found is not None:
        out["over_seeds"] = found.summary()
    typer.echo(json.dumps(out))


def _model(name: str | None) -> str | None:
    """The name of a model; a folder becomes one of the catalogue."""
    if not name or len(name) > limits.MAX_BACKBONE_NAME or not Path(name).is_dir():
        return name
    from gensot_demo.backbones.catalogue import CATALOGUE
    from gensot_demo.backbones.errors import BackboneUnavailable

    try:
        return CATALOGUE.add_folder(Path(name))
    except BackboneUnavailable as error:
        raise _refuse(error) from None


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


def _table(result: CompareResult) -> list[str]:
    """Calls, backward passes and seconds of each method, in lines of text."""
    width = max(len(part.label) for part in result.methods.values())
    headings = [f"{one.label}, {one.unit}" for one in next(iter(result.methods.values())).success]
    lines = ["  ".join([f"{'':{width}}  calls  backwards  particles  seconds", *headings])]
    for part in result.methods.values():
        found = [f"{one.value:{len(name)}.2f}" for one, name in zip(part.success, headings, strict=True)]
        costs = f"{part.label:{width}}  {part.calls:5g}  {part.backwards:9g}  {part.particles:9d}  {part.seconds:7.2f}"
        lines.append("  ".join([costs, *found]))
    return [*lines, "Calls and backward passes are per sample, seconds for all samples together."]


def _metadata(result: CompareResult):
    """PNG text: everything that is needed to make this picture again, and what came of it."""
    from PIL.PngImagePlugin import PngInfo

    from gensot_demo import __version__
    from gensot_demo.experiments.links import to_query

    settings = result.request.model_dump()
    restore = settings["restore"]
    drawn = [(one, "png") for one in settings["references"]]
    drawn += [(restore, "mask_png"), (restore["picture"], "png")] if restore else []
    for holder, name in drawn:
        if holder[name] is not None:
            holder[name] = base64.b64encode(holder[name]).decode()
    costs = {
        name: {
            "calls": part.calls,
            "backwards": part.backwards,
            "seconds": round(part.seconds, 4),
            **{f"{one.label}, {one.unit}": round(one.value, 4) for one in part.success},
        }
        for name, part in result.methods.items()
    }
    info = PngInfo()
    info.add_text("Software", f"GenSOT Demo {__version__}")
    info.add_text("query", to_query(result.request)[0])
    info.add_text("request", json.dumps(settings))
    info.add_text("verdict", "\n".join(result.verdict.sentences))
    info.add_text("table", json.dumps(costs))
    info.add_text("notes", "\n".join(result.notes))
    return info


def _grid(result: CompareResult) -> Image.Image:
    """One row of pictures per method with its label, one column per seed."""
    from PIL import Image, ImageDraw, ImageFont

    resolution = next(iter(result.methods.values())).pictures.shape[1]
    side = _MAGNIFIED * resolution if resolution <= 64 else resolution
    pitch = side + _MARGIN
    size = (_LABEL_WIDTH + len(result.request.seeds) * pitch, _HEADER + len(result.methods) * pitch)
    grid = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(grid)
    font = ImageFont.load_default(13)
    for column, seed in enumerate(result.request.seeds):
        centre = _LABEL_WIDTH + column * pitch + side // 2
        draw.text((centre, _HEADER // 2), f"seed {seed}", "black", font, anchor="mm")
    for row, part in enumerate(result.methods.values()):
        top = _HEADER + row * pitch
        draw.text((_MARGIN, top + side // 2), part.label, "black", font, anchor="lm")
        for column, pixels in enumerate(part.pictures):
            picture = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
            grid.paste(picture, (_LABEL_WIDTH + column * pitch, top))
    return grid
