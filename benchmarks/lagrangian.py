"""The Lagrangian view: how fast each demo starts, recomputes and plays.

One key for each demo. first_seconds: in the browser, from the page's navigation to the first frame of its player, the
app warm; Gradio's own start and plotly's first drawing are in it. recompute_seconds: a thousand particles (in each
panel where there are several), from the request to the player's payload, in process, median of the repeats. bytes: of
that payload. frames_per_second: of it while it plays. Aims: below 1 s, below 1 s, and 30.
"""

from __future__ import annotations

import statistics
import time
from types import ModuleType
from typing import Any

from gensot_demo.experiments.lagrangian import (
    controlled,
    diffusion,
    gradient_flows,
    interpolation,
    neurons,
    tokens,
)
from gensot_demo.experiments.lagrangian.links import to_query
from gensot_demo.figures.lagrangian import clouds_value

from .report import progress, report

REPEATS = 5
DEMOS: dict[str, tuple[ModuleType, str, dict[str, Any]]] = {
    "diffusion": (diffusion, "lagrangian", {"particles": 1000}),
    "interpolation": (interpolation, "interpolation", {"particles": 1000}),
    "gradient_flows": (gradient_flows, "gradient_flows", {"particles": 1000}),
    "neurons": (neurons, "neurons", {"neurons": 1000, "start": "random"}),
    "tokens": (tokens, "tokens", {"tokens": 1000}),
    "controlled": (controlled, "controlled", {"particles": 1000}),
}
"""Module, path of the page, and what makes it a thousand particles."""

_FIRST_FRAME = """() => {
  const player = document.querySelector('#particles .gensot-player[data-state=player] .main-svg');
  return player ? performance.now() / 1000 : null;
}"""
_WARM = 120.0  # seconds for the first views of all pages


def recomputed(demo: ModuleType, change: dict[str, Any]) -> tuple[float, int]:
    """(median seconds, bytes of the payload)."""
    seconds = []
    for repeat in range(REPEATS + 1):  # the first wakes libraries and is not counted
        request = demo.first_view().model_copy(update=change | {"seed": repeat})
        began = time.perf_counter()
        payload = clouds_value(demo.run(request), autoplay=True)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:]), len(payload)


def in_the_browser() -> dict[str, tuple[float, float]]:
    """(seconds to the first frame, frames a second with a thousand particles) of each demo."""
    from playwright.sync_api import sync_playwright

    from tools.chromium import FLAGS, find_chromium
    from tools.running_app import running_app

    found = {}
    with running_app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        time.sleep(_WARM)
        for name, (demo, path, change) in DEMOS.items():
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{address}/{path}")  # what all pages share is in the browser's store after the first
            page.wait_for_function(_FIRST_FRAME, polling=10, timeout=60_000)
            page.goto(f"{address}/{path}")
            first = page.wait_for_function(_FIRST_FRAME, polling=10, timeout=60_000).json_value()
            page.goto(f"{address}/{path}?{to_query(demo.first_view().model_copy(update=change))}")
            page.wait_for_function(_FIRST_FRAME, polling=10, timeout=60_000)
            page.locator("#particles [data-do=loop]").click()
            page.wait_for_timeout(7000)
            found[name] = first, float(page.get_attribute("#particles .gensot-player", "data-fps"))
            progress(f"{name}: first frame after {found[name][0]:.2f} s, {found[name][1]:.0f} frames a second")
            page.close()
        browser.close()
    return found


def main() -> None:
    computed = {}
    for name, (demo, _, change) in DEMOS.items():
        computed[name] = recomputed(demo, change)
        progress(f"{name}: {computed[name][0]:.3f} s, {computed[name][1]:,} bytes")
    seen = in_the_browser()
    report(
        {
            name: {
                "first_seconds": seen[name][0], "recompute_seconds": computed[name][0], "bytes": computed[name][1],
                "frames_per_second": seen[name][1],
            }
            for name in DEMOS
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
