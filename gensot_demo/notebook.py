"""Comparisons in a notebook: ``gensot_demo.compare(pipe, "a cat", methods=["cfg", "gensot"])``."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gensot_demo.experiments.compare import CompareResult

_NAME = "notebook"


@dataclass(frozen=True, eq=False)
class Comparison:
    """A finished comparison.

    pictures: by method name (samples, height, width, 3) uint8.  result: everything else, with ``result.methods[name]``
    holding states, predictions, noise levels, energies and costs.
    """

    pictures: dict[str, NDArray[np.uint8]]
    result: CompareResult

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and why."""
        return self.result.notes

    def figures(self) -> dict[str, go.Figure]:
        """Plotly figures: when the picture is decided, kinetic energy, dissipation."""
        import plotly.graph_objects as go

        from gensot_demo.figures.comparison import decision_figure, dissipation_figure, energy_figure

        parts = list(self.result.methods.values())
        made = {"decision": decision_figure, "energy": energy_figure, "dissipation": dissipation_figure}
        return {name: go.Figure(make(parts)) for name, make in made.items()}

    def _repr_html_(self) -> str:
        """One row of pictures per method, as a notebook shows it."""
        from html import escape

        from gensot_demo.figures.wall import data_address

        rows = []
        for name, part in self.result.methods.items():
            cells = "".join(f'<td><img src="{data_address(p)}" height="96"></td>' for p in self.pictures[name])
            rows.append(f"<tr><th>{escape(part.label)}</th>{cells}</tr>")
        return f"<table>{''.join(rows)}</table>"


def compare(
    pipe: Any,
    prompt: str | Sequence[str] | Mapping[str, float] = (),
    methods: Sequence[str | Mapping[str, Any]] = ("conditional", "cfg", "gensot"),
    *,
    reference: Any = None,
    progress: Callable[[float], None] | None = None,
    **settings: Any,
) -> Comparison:
    """Compare guidance methods on a diffusers pipeline, or on an embedded model, with the same noise.

    pipe: a loaded pipeline of a supported class, or "network", "collection" or "truth".
    prompt: one prompt (or class, or condition), several, or several with trusts: {"a cat": 2, "a painting": 1}.
    methods: names, or {"name": "gensot", "settings": {"stiffness": 5}}.
    reference: a picture to follow: a PIL image or an array (h, w, 3) uint8.  progress: called with the share done.
    settings: fields of CompareRequest, such as strength, negative, view_noise, steps, samples, seed, sampler, path.
    Raises InvalidRequest, a ValueError, with a sentence for a bad value.
    """
    from gensot_demo.backbones.catalogue import CATALOGUE
    from gensot_demo.experiments.compare import CompareResult
    from gensot_demo.experiments.compare import compare as run
    from gensot_demo.experiments.requests import CompareRequest, parse

    name = pipe if isinstance(pipe, str) else CATALOGUE.add_pipeline(_NAME, pipe)
    prompts = {prompt: 1.0} if isinstance(prompt, str) else prompt
    trusts = prompts if isinstance(prompts, Mapping) else dict.fromkeys(prompts, 1.0)
    values = {"samples": 4, "path": "model", **settings}
    request = parse(
        CompareRequest,
        backbone=name,
        conditions=[{"name": text, "trust": trust} for text, trust in trusts.items()],
        references=[] if reference is None else [{"png": _png(reference)}],
        methods=[{"name": one} if isinstance(one, str) else one for one in methods],
        **values,
    )
    for moment in run(request):
        if isinstance(moment, CompareResult):
            return Comparison({name: part.pictures for name, part in moment.methods.items()}, moment)
        if progress is not None:
            progress(moment.done)
    raise RuntimeError("the comparison ended without a result")


def _png(picture: Any) -> bytes:
    from PIL import Image

    image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.asarray(picture, dtype=np.uint8))
    out = io.BytesIO()
    image.convert("RGB").save(out, "PNG")
    return out.getvalue()
