"""What ``sample`` makes of a result: a sheet of pictures, its metadata, a table in lines of text."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from gensot_demo.experiments.compare import CompareResult


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
    from gensot_demo.experiments.links import to_query
    from gensot_demo.experiments.picture_settings import png_text, settings_text

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
    more = {
        "request": json.dumps(settings),
        "verdict": "\n".join(result.verdict.sentences),
        "table": json.dumps(costs),
        "notes": "\n".join(result.notes),
    }
    return png_text(settings_text(to_query(result.request)[0], **more))


def sheet(result: CompareResult) -> Image.Image:
    """One row of pictures per method with its label, one column per seed."""
    from gensot_demo.figures.sheet import Block
    from gensot_demo.figures.sheet import sheet as drawn

    parts = result.methods.values()
    columns = [f"seed {seed}" for seed in result.request.seeds]
    return drawn([Block(columns, [part.label for part in parts], [list(part.pictures) for part in parts])])
