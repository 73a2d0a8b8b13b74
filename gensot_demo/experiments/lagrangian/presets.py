"""What to try on the pages of the one equation: titles of buttons, and the fields of the first view that each sets."""

from __future__ import annotations

from typing import Any

Presets = tuple[tuple[str, dict[str, Any]], ...]

DIFFUSION: Presets = (
    ("Independent", {}),
    ("Optimal pairing", {"pairing": "optimal"}),
    ("Moons", {"target": "moons"}),
    ("Diffusion's schedule", {"schedule": "cosine"}),
    ("Ring to checkerboard", {"source": "ring", "target": "checkerboard", "particles": 800}),
)
INTERPOLATION: Presets = (
    ("Crossed ellipses", {}),
    ("Aligned: the same ends", {"target_angle": 0.0}),
    (
        "Needles",
        {"source_along": 1.6, "source_across": 0.2, "target_along": 1.6, "target_across": 0.2, "target_angle": 25.0},
    ),
    ("Two modes to a ring", {"ends": "clouds"}),
    ("Three modes to moons", {"ends": "clouds", "source": "three_modes", "target": "moons"}),
)
GRADIENT_FLOWS: Presets = (
    ("Three modes", {}),
    ("Low barriers", {"target": "four_modes", "duration": 3.0}),
    ("Burst to a ring", {"target": "ring", "start": "one_place", "duration": 0.5}),
    ("Heat", {"energy": "heat", "start": "moons", "duration": 0.6}),
    ("Kernel distance", {"energy": "interaction"}),
    ("Short sight", {"energy": "interaction", "bandwidth": 0.4}),
)
CONTROLLED: Presets = (
    ("S-tunnel", {}),
    ("Stiff V", {"shape": "V", "stiffness": 80.0}),
    ("Frozen at the apex", {"shape": "V frozen"}),
    ("Barely guided", {"stiffness": 2.0}),
    ("With noise", {"motion": "noise"}),
    ("Three modes", {"target": "three_modes", "shape": "V"}),
)
NEURONS: Presets = (
    ("Reference run", {}),
    ("Lazy: a large start", {"scale": 5.0}),
    ("A tiny start", {"scale": 0.05, "time": 40.0}),
    ("Half the step", {"step": 0.025}),
    ("Only v learns", {"learns": "outputs", "scale": 1.0}),
    ("Twenty times longer steps", {"step": 1.0}),
    ("Four waves", {"teacher": "four_waves", "scale": 3.0}),
    ("Out of reach", {"teacher": "three_waves", "scale": 1.0}),
)
TOKENS: Presets = (
    ("Circle", {}),
    ("Hot: all agree", {"beta": 1.0}),
    ("Cold: many clusters", {"beta": 64.0, "depth": 25.0}),
    ("Sphere", {"space": "sphere", "tokens": 128, "beta": 9.0, "depth": 20.0}),
    ("Repulsion", {"space": "sphere", "values": "repulsive", "beta": 4.0}),
    ("Rotation", {"turn": 60.0, "beta": 4.0}),
    ("One direction", {"space": "sphere", "values": "one_direction", "beta": 4.0, "tokens": 128}),
    ("Plane", {"space": "plane", "beta": 1.0, "depth": 4.0, "tokens": 128}),
    ("A sentence", {"start": "sentence", "beta": 6.0}),
    ("Gaussian tokens", {"space": "gaussian", "beta": 1.0, "tokens": 1000, "depth": 4.0}),
)
