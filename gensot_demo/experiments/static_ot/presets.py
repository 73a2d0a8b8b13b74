"""What to try on the pages of optimal transport: titles of buttons, and the fields of the request that each sets."""

from __future__ import annotations

from typing import Any

Changes = tuple[tuple[str, dict[str, Any]], ...]

CELLS_SETS: Changes = (
    ("Octagon", {"data": "octagon"}),
    ("Two moons", {"data": "moons"}),
    ("Random, n = 24", {"data": "random", "count": 24, "seed": 1}),
)
CELLS_ENDS: Changes = tuple((f"T = {time:g}", {"time": time}) for time in (0.3, 1.0, 4.0))
CELLS_WAYS: Changes = (
    ("Only where they disagree", {"tracers": "disagreement"}),
    ("Noise anywhere", {"tracers": "anywhere"}),
)
CELLS_FALLS: Changes = (
    ("Grid", {"data": "grid"}),
    ("Spiral", {"data": "spiral"}),
    ("Eight points", {"data": "eight"}),
)
CELLS = (*CELLS_SETS, *CELLS_ENDS, *CELLS_WAYS, *CELLS_FALLS)
HEIGHTS: Changes = (
    ("Eight points", {}),
    ("Octagon", {"points": "octagon"}),
    ("On a line", {"points": "line"}),
    ("One far away", {"points": "own", "own": ((0.3, 0.2), (-0.4, 0.3), (0.1, -0.5), (6.0, 0.0))}),
    ("40 points", {"points": "random"}),
    ("200 points", {"points": "random", "number": 200, "tolerance": 0.03}),
)
LATER_START: Changes = (
    ("As it comes", {}),
    ("Too late: copies", {"signal": 60.0}),
    ("Only 3 calls", {"calls": 3}),
    ("A perfect model copies always", {"model": "truth"}),
    ("Clocks", {"pictures": "clocks", "signal": 2.0}),
    ("A wide blend", {"tau": 0.6, "signal": 20.0}),
)
PAIRING: Changes = (
    ("As it comes", {}),
    ("Minibatches of 4", {"minibatch": 4}),
    ("Minibatches of 256", {"minibatch": 256}),
    ("Checkerboard", {"target": "checkerboard"}),
    ("Ring", {"target": "ring"}),
    ("Is it luck? Three seeds", {"seeds": 3, "updates": 800}),
)
GAUSSIANS = (
    ("Aligned", lambda now, found: {"target_angle": now.source_angle}),
    ("Worst angle", lambda now, found: {"target_angle": round(found.worst, 2)}),
    ("Crossed needles", lambda now, found: {
        "source_along": 1.6, "source_across": 0.2, "source_angle": 0.0, "target_along": 1.6, "target_across": 0.2,
        "target_angle": 25.0, "target_x": 0.0, "target_y": 0.0,
    }),
    ("From a round source", lambda now, found: {"source_along": 1.0, "source_across": 1.0}),
    ("Flat target", lambda now, found: {"target_across": 0.0}),
)  # fmt: skip
"""Of the pair that is shown: its request, and what was found for it."""
