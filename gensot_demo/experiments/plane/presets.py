"""Requests worth looking at, each with what one sees and why."""

from __future__ import annotations

from dataclasses import dataclass

from .request import TransportRequest


@dataclass(frozen=True)
class Preset:
    """name: in tests and links of the tour.  sees, why: one sentence each."""

    name: str
    title: str
    sees: str
    why: str
    request: TransportRequest


PRESETS = (
    Preset(
        "destination",
        "The guide does not choose the destination",
        "Four corridors, one of them leading away from the target; still 70 % of the particles arrive above and 30 % "
        "below, and each particle ends at the same place under every guide.",
        "The guide only shifts where the path is on the way, and its shift is zero at the end: it decides how to "
        "travel, the target decides where to.",
        TransportRequest(
            source="point",
            methods=("gensot_straight", "gensot_v", "gensot_s", "gensot_frozen"),
            show=("target", "trails", "guide"),
        ),
    ),
    Preset(
        "product",
        "CFG is not the product law",
        "With trust 3 in the label, both CFG panels crowd beyond the mode that they should fill; only the weighted "
        "particles come near the floor of the distance.",
        "Adding scores is not the score of the product once noise is mixed in; the weights measure the error on the "
        "way, and resampling removes it.",
        TransportRequest(
            target="four_modes",
            source="point",
            methods=("conditional", "cfg_flow", "cfg_sde", "gensot_weighted"),
            trust=3.0,
            stiffness=0.0,
            steps=200,
            solver="euler",
            show=("target", "trails"),
        ),
    ),
    Preset(
        "stiff",
        "Stiff paths cost steps",
        "One tunnel at stiffness 50, walked by Euler's method in 10, 20, 50 and 200 steps: with 10 steps a quarter of "
        "the particles end in the wrong mode, with 20 an eighth.",
        "A stiff path decides in a short time, which a plain step leaps over; the second-order solver (under Run) "
        "comes within two hundredths of the weights in 10 steps.",
        TransportRequest(
            source="point",
            methods=("gensot_s",),
            stiffness=50.0,
            solver="euler",
            vary="steps",
            values=(10, 20, 50, 200),
        ),
    ),
    Preset(
        "schedules",
        "All schedules, one flow map",
        "Four schedules move at quite different paces, VE even from eighty times as far away; yet each start is sent "
        "to the very same end.",
        "Seen at equal noise level, all of them obey one equation: a schedule changes speed, energy and the error of "
        "finite steps, never the map.",
        TransportRequest(
            target="moons",
            methods=("flow_vp", "flow_cosine", "flow_ve", "flow_matching"),
            show=("target", "trails", "pairing"),
        ),
    ),
    Preset(
        "straight",
        "Straight is cheapest",
        "Optimal transport goes straight, at constant speed, and never crosses; every other way to the same ring "
        "costs more kinetic energy.",
        "The action of any flow is at least the squared Wasserstein distance, and only the straight paths of the "
        "cheapest pairing reach it.",
        TransportRequest(
            target="ring",
            methods=("optimal_transport", "schroedinger_bridge", "flow_matching", "flow_vp", "gensot_straight"),
            temperature=0.3,
            show=("target", "trails"),
        ),
    ),
)


def preset(name: str) -> Preset:
    """The preset of that name; raises KeyError."""
    return {item.name: item for item in PRESETS}[name]
