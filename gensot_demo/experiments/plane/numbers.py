"""A transport's result as plain numbers, for API, command line and notebooks."""

from __future__ import annotations

from typing import Any

from .links import to_query
from .run import Panel, TransportResult
from .verdict import verdict


def numbers(result: TransportResult) -> dict[str, Any]:
    """Everything that the page's table and verdict say, ready for JSON."""
    return {
        "query": to_query(result.request)[0],
        "target": result.target.label,
        "verdict": verdict(result),
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
        "panels": {panel.label: _panel(result, panel) for panel in result.panels},
    }


def _panel(result: TransportResult, panel: Panel) -> dict[str, Any]:
    if panel.measures is None:
        return {"error": panel.error}
    m = panel.measures
    modes = {
        name: {"share": float(share), "error": float(error), "exact": float(exact)}
        for name, share, error, exact in zip(result.target.modes, m.shares, m.errors, m.truth, strict=True)
    }
    plain = ("action", "length", "straightness", "calls", "w2", "w2_error", "floor", "power", "moved", "ess")
    return {**{name: getattr(m, name) for name in plain}, "modes": modes, "notes": list(panel.motion.notes)}
