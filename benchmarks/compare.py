"""How long a person waits for a comparison.

On the exact collection 4 methods x 6 pictures x 30 steps at 64 x 64 (aims: 3 s, first pictures at 0.7 s), and the first
view, on the embedded network: 4 methods x 6 pictures x 20 steps.
"""

from __future__ import annotations

import time

from gensot_demo.backbones.pictures import load_picture_backbone
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.requests import CompareRequest, ConditionChoice, MethodChoice, ReferenceChoice

from .report import progress, report

REPEATS = 3


def timed(request: CompareRequest) -> tuple[float, float]:
    """(seconds to the first pictures, seconds to the result)."""
    began = time.perf_counter()
    first = 0.0
    for _ in compare(request):
        first = first or time.perf_counter() - began
    return first, time.perf_counter() - began


def median_of_new_seeds(request: CompareRequest) -> tuple[float, float]:
    """Medians over runs that share no noise."""
    runs = [timed(request.model_copy(update={"seed": 1000 * (n + 1)})) for n in range(REPEATS)]
    progress(f"first pictures {[f'{a:.2f}' for a, _ in runs]} s, all {[f'{b:.2f}' for _, b in runs]} s")
    return tuple(sorted(column)[REPEATS // 2] for column in zip(*runs, strict=True))


def main() -> None:
    began = time.perf_counter()
    load_picture_backbone(64)
    loading = time.perf_counter() - began
    progress(f"backbone loaded in {loading:.2f} s")
    follow = CompareRequest(references=(ReferenceChoice(average="faces"),))
    cold_first, cold = timed(follow)
    first, total = median_of_new_seeds(follow)
    conditions = CompareRequest(
        conditions=(ConditionChoice(name="red"),),
        strength=3.0,
        methods=tuple(MethodChoice(name=name) for name in ("unguided", "conditional", "cfg", "gensot")),
    )
    conditions_first, conditions_total = median_of_new_seeds(conditions)
    timed(CompareRequest.first_view())  # loads the network
    network_first, network_total = median_of_new_seeds(CompareRequest.first_view())
    report(
        {
            "seconds": total,
            "first_picture_seconds": first,
            "conditions_seconds": conditions_total,
            "conditions_first_picture_seconds": conditions_first,
            "network_seconds": network_total,
            "network_first_picture_seconds": network_first,
            "load_seconds": loading,
            "first_run_seconds": cold,
            "first_run_first_picture_seconds": cold_first,
        }
    )


if __name__ == "__main__":
    main()
