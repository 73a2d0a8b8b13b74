"""Who follows a picture exactly? Total variation to the exact posterior given a noisy view of the mean face.

512 draws of every method, 60 ancestral steps at 32 x 32; floor: the same for exact draws; power: for a wrong law.
"""

from __future__ import annotations

from gensot_demo.experiments.measuring import measure
from gensot_demo.experiments.requests import CompareRequest, MethodChoice, ReferenceChoice

from .report import progress, report

DRAWS, STEPS, VIEW_NOISES = 512, 60, (3.0, 1.5)
METHODS = ("unguided", "sdedit", "dps", "gensot")


def follow(view_noise: float) -> dict[str, dict[str, float]]:
    request = CompareRequest(
        references=(ReferenceChoice(average="faces"),),
        view_noise=view_noise,
        resolution=32,
        steps=STEPS,
        sampler="bridge",
        methods=tuple(MethodChoice(name=name) for name in METHODS),
    )
    measured = None
    for measured in measure(request, DRAWS):
        progress(f"view noise {view_noise:g}: {measured.draws} of {DRAWS} draws")
    return {
        name: {"distance": found.distance, "floor": found.floor, "power": found.power, "error": found.error}
        for name, found in measured.reports.items()
    }


def main() -> None:
    report({**follow(VIEW_NOISES[0]), "view_noise_1.5": follow(VIEW_NOISES[1])})


if __name__ == "__main__":
    main()
