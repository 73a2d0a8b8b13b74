"""What ``sample`` makes of a result: a sheet of pictures, its metadata, a table in lines of text."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from gensot_demo.experiments.compare import CompareResult

_MAGNIFIED = 2
_LABEL_WIDTH = 190
_MARGIN = 8
_HEADER = 26


def table(result: CompareResult) -> list[str]:
    """Calls, backward passes and seconds of each method, in lines of text."""
    width = max(len(part.label) for part in result.methods.values())
    headings = [f"{one.label}, {one.unit}" for one in next(iter(result.methods.values())).success]
    lines = ["  ".join([f"{'':{width}}  calls  backwards  particles  seconds", *headings])]
    for part in result.methods.values():
        found = [f"{one.value:{len(name)}.2f}" for one, name in zip(part.success, headings, strict=True)]
        costs = f"{part.label:{width}}  {part.calls:5g}  {part.backwards:9g}  {part.particles:9d}  {part.seconds:7.2f}"
        lines.append("  ".join([costs, *found]))
    return [*lines, "Calls and backward passes are per sample, seconds for all samples together."]


def metadata(result: CompareResult):
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


def sheet(result: CompareResult) -> Image.Image:
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
