"""Case A of the paper as presets, and what its closed form says (Chertkov, arXiv 2512.11859; docs/FORMULAS.md 1.4)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .closed_form import Costs
from .request import ProtocolRequest


@dataclass(frozen=True)
class Case:
    """name: in tests.  title: of its button.  request: what it sets."""

    name: str
    title: str
    request: ProtocolRequest


CASES = (
    Case("straight", "Straight: no lag", ProtocolRequest(shape="straight", stiffness=5)),
    Case("tunnel", "S-tunnel: a gain", ProtocolRequest(shape="S", stiffness=20)),
    Case("neck", "Stiff V-neck", ProtocolRequest(shape="V", stiffness=150)),
    Case("frozen", "Guide that stops", ProtocolRequest(shape="V frozen", stiffness=30)),
)


def findings(request: ProtocolRequest, found: dict[str, Costs], modes: dict[str, float]) -> list[str]:
    """What is true of the templates at these settings, with the numbers that say so. modes: exact shares by name."""
    straight = found["straight"]
    splits = [costs.splitting for costs in found.values()]
    shares = ", ".join(f"{name} {share:.3f}" for name, share in modes.items())
    left_behind = f"{found['S'].lag:.2f} for the S, {found['V'].lag:.2f} for the V"
    if len(set(request.temperature)) == 1:
        lag = (
            f"Lag: {straight.lag:.4f} for the straight guide at constant speed that ends at the target's mean, at any "
            f"stiffness (zero but for its {request.pieces} pieces); {left_behind}. The mean obeys m'' = B (m − ν), so "
            "only a bent guide leaves it behind."
        )
    else:
        lag = (
            f"Lag: {straight.lag:.2f} for the straight guide at constant speed; {left_behind}. The temperature is not "
            "constant: the mean is faster where it is hot, so even a straight guide leaves it behind unless it is too."
        )
    lines = [
        lag,
        f"Splitting: at t = {splits[0]:.3f} under every guide (largest difference {max(splits) - min(splits):.1g}). "
        "Stiffness and temperature set it; the guide does not enter.",
        f"Mode weights: {shares}, under every guide. The guide moves the mean on the way and nothing at the end.",
    ]
    gain = found["S"].gain
    if gain is not None and len(set(request.stiffness)) == len(set(request.temperature)) == 1:
        B = request.stiffness[0] * request.temperature[0]
        lines.append(
            f"Gain: the mean follows {100 * gain:.1f} % of the S; B / (B + 4π²) with B = κβ = {B:g} gives "
            f"{100 * B / (B + 4 * math.pi**2):.1f} %. To follow half of it takes B = 4π² = 39.5."
        )
    return lines
