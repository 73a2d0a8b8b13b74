"""The curves below a comparison: speed, dissipation, decision. Layout only; the numbers come from the run."""

from __future__ import annotations

from collections.abc import Iterable

from numpy.typing import ArrayLike

from gensot_demo.experiments.compare import MethodResult

from .curves import curve, line_figure
from .method_style import method_style


def _curve(part: MethodResult, x: ArrayLike, y: ArrayLike) -> dict:
    return curve(part.label, method_style(part.name), x, y)


def _named(parts: Iterable[MethodResult]) -> str:
    return ", ".join(part.label for part in parts)


def _over_time(parts: list[MethodResult], quantity: str, y: dict, description: str) -> dict:
    curves = [_curve(part, part.energy.t, getattr(part.energy, quantity)) for part in parts]
    x = {"title": {"text": "time t, from noise (0) to picture (1)"}, "range": [0, 1]}
    return line_figure(curves, x, y, description)


def energy_figure(parts: list[MethodResult]) -> dict:
    """Kinetic energy per pixel and channel against time, logarithmic."""
    parts = [part for part in parts if part.energy is not None]
    y = {"title": {"text": "E|v|² per dimension, 1/time²"}, "type": "log"}
    return _over_time(parts, "kinetic", y, f"Kinetic energy of the probability flow over time for {_named(parts)}.")


def dissipation_figure(parts: list[MethodResult]) -> dict:
    """Dissipation up to time t, per pixel and channel."""
    parts = [part for part in parts if part.energy is not None]
    y = {"title": {"text": "∫E|v|² dt per dimension"}, "rangemode": "tozero"}
    totals = "; ".join(f"{part.label} {part.energy.action:.2f}" for part in parts)
    return _over_time(parts, "dissipated", y, f"Dissipation accumulated over time. Totals: {totals}.")


def decision_figure(parts: list[MethodResult]) -> dict:
    """Order parameter against the noise level, which falls to the right."""
    curves = []
    for part in parts:
        seen = part.levels > 0
        curves.append(_curve(part, part.levels[seen], part.order[seen]))
    return line_figure(
        curves,
        {"title": {"text": "noise level σ, falling"}, "type": "log", "autorange": "reversed"},
        {"title": {"text": "order parameter"}},
        f"How much of the final picture the prediction holds at each noise level, for {_named(parts)}.",
    )
