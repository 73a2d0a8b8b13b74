"""What to try on the pages of Energy: titles of buttons, and the fields of the request that each sets."""

from __future__ import annotations

from typing import Any

Changes = tuple[tuple[str, dict[str, Any]], ...]

DRAWN_SCHEDULE = ((0.25, 0.9), (0.5, 0.65), (0.75, 0.25))
"""Time and share of noise: what the pad begins with."""

DRAWN_START = ((-3.0, 0.1), (-1.2, 0.3), (-0.2, 0.6), (0.6, 2.4), (1.4, 1.6), (3.0, 0.2))
"""Place, and how many times as likely as it should be: what the pad begins with."""

SCHEDULE_PRESETS: Changes = (
    ("Five modes", {"data": "line", "modes": 5, "separation": 1.2, "width": 0.2}),
    ("Nearly Gaussian", {"data": "line", "modes": 2, "separation": 0.4}),
    ("Spiral", {"data": "plane", "target": "spiral"}),
)
OPTIMAL_WHEN: Changes = (
    ("Two points", {"data": "two_points"}),
    ("64 points in 1024 dimensions", {"data": "random", "count": 64, "dimension": 1024}),
    ("1,861 pictures", {"data": "emoji"}),
)
OPTIMAL_WHICH: Changes = (
    ("Ring of eight", {"data": "ring"}),
    ("Checkerboard", {"data": "checkerboard"}),
    ("My own schedule", {"schedule": DRAWN_SCHEDULE}),
)
OPTIMAL_COSTS: Changes = (
    ("Four modes, nearly Gaussian", {"data": "four_modes"}),
    ("Random points, 1024 dimensions", {"data": "random", "count": 64, "dimension": 1024}),
)
OPTIMAL_MATTERS: Changes = (
    ("2 points", {"data": "random", "count": 2, "dimension": 4096}),
    ("256 points", {"data": "random", "count": 256, "dimension": 16}),
)
OPTIMAL = (*OPTIMAL_WHEN, *OPTIMAL_WHICH, *OPTIMAL_COSTS, *OPTIMAL_MATTERS)
ROBUSTNESS_COSTS: Changes = (
    ("Shift by 1", {"start": "shift", "shift": 1.0}),
    ("Shift by 0.2", {"start": "shift", "shift": 0.2}),
    ("Too narrow", {"start": "spread", "spread": 0.5}),
    ("Two modes", {"start": "modes", "apart": 1.0, "width": 0.5}),
    ("Draw it", {"start": "drawn", "points": DRAWN_START}),
    ("Too wide to compare", {"start": "spread", "spread": 1.5}),
    ("Nothing wrong", {"start": "shift", "shift": 0.0}),
)
ROBUSTNESS_TIGHT: Changes = (
    ("The paper's case", {"law": "reference", "start": "shift", "shift": 1.0}),
    ("Three modes", {"law": "three"}),
    ("Two narrow peaks", {"law": "needles"}),
)
ROBUSTNESS_PLANES: Changes = (
    ("Across the modes", {"target": "two_modes", "angle": 0.0}),
    ("Along the modes", {"target": "two_modes", "angle": 90.0}),
    ("Two moons", {"target": "moons", "angle": 90.0}),
)
ROBUSTNESS_SPINS: Changes = (
    ("No rotation", {"turn": 0.0}),
    ("ω = 3", {"turn": 3.0}),
    ("ω = 6, few steps", {"turn": 6.0, "euler": 8}),
)
ROBUSTNESS = (*ROBUSTNESS_COSTS, *ROBUSTNESS_TIGHT, *ROBUSTNESS_PLANES, *ROBUSTNESS_SPINS)
TRAINING: Changes = (
    ("As it comes", {}),
    ("16 points: by heart", {"points": 16}),
    ("1,024 points", {"points": 1024}),
    ("Ring: who learns first?", {"target": "ring", "points": 1024, "updates": 3000, "paths": ("condot", "ko")}),
    ("Is it luck? Three seeds", {"seeds": 3, "updates": 1000}),
    ("Cosine learns what CondOT learns", {"paths": ("condot", "cosine")}),
)
