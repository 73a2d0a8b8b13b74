"""Transport in two dimensions: seconds a method, bytes of five panels, time to the first frame, frames a second.

Each method moves 2000 particles in 100 steps on the two-mode target from a Gaussian, measured alone and without what
earlier runs kept; the median of five. Payload and first frame are those of the page's first view in Chromium: the first
frame is timed from the press of Run on a warm page with nothing kept, until particles of the new run are on the screen.
"""

from __future__ import annotations

import json
import statistics
import time

import torch

from gensot_demo.experiments.plane.cache import MOTIONS
from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.motion import Motion
from gensot_demo.experiments.plane.request import TransportRequest
from gensot_demo.experiments.plane.run import setup_of, transport
from gensot_demo.experiments.plane.setup import NOISE_DEPTH
from gensot_demo.figures.transport import player_of
from gensot_demo.transport.noise import SharedNoise

from .report import progress, report

PARTICLES, STEPS, REPEATS = 2000, 100, 5
GUIDE = ((0.0, 0.0), (1.0, 1.0), (3.0, 0.5))


def seconds_of(name: str) -> float:
    """Median time of one method's motion."""
    request = TransportRequest(methods=(name,), guide=GUIDE, particles=PARTICLES, steps=STEPS)
    times = []
    for _ in range(REPEATS):
        noise = SharedNoise([request.seed], 2, PARTICLES, depth=NOISE_DEPTH)
        began = time.perf_counter()
        motions = [m for m in METHODS[name].move(setup_of(request, noise)) if isinstance(m, Motion)]
        times.append(time.perf_counter() - began)
        assert len(motions) == 1
    return statistics.median(times)


def in_the_browser() -> tuple[float, float]:
    """(seconds from Run to the first frame of five panels, frames a second while they play)."""
    from playwright.sync_api import sync_playwright

    from tools.chromium import FLAGS, find_chromium
    from tools.running_app import running_app

    with running_app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/transport")
        player = page.locator("#player .gensot-player")
        page.locator("#status", has_text="Done").wait_for(timeout=120_000)
        page.wait_for_timeout(3000)
        page.evaluate(_WATCH)
        page.click("#fresh")
        page.wait_for_function("window.firstFrame !== undefined", timeout=60_000, polling=20)
        first = page.evaluate("window.firstFrame - window.pressed") / 1000
        page.locator("#status", has_text="Done").wait_for(timeout=120_000)
        page.locator("#player [data-do=loop]").click()
        page.locator("#player [data-do=play]").click()
        page.wait_for_timeout(6000)
        frames = float(player.get_attribute("data-fps"))
        browser.close()
    return first, frames


_WATCH = """() => {
  const player = document.querySelector('#player .gensot-player');
  document.querySelector('#fresh').addEventListener('click', () => { window.pressed = performance.now(); }, true);
  new MutationObserver(() => {
    if (window.pressed !== undefined && window.firstFrame === undefined && Number(player.dataset.time) < 0.1) {
      window.firstFrame = performance.now();
    }
  }).observe(player, { attributes: true, attributeFilter: ['data-time', 'data-frame'] });
}"""


def main() -> None:
    torch.set_num_threads(1)  # nothing here is large enough for two
    import ot  # noqa: F401  (seconds to import; the app does it at start)

    seconds = {}
    for name in METHODS:
        seconds[name] = seconds_of(name)
        progress(f"{name}: {seconds[name]:.3f} s")
    result = None
    for moment in transport(TransportRequest()):
        result = moment
    payload = len(json.dumps(player_of(result)))
    MOTIONS.clear()
    progress("in the browser")
    first, frames = in_the_browser()
    report(
        {
            "compute_seconds": seconds,
            "payload_bytes": payload,
            "first_frame_seconds": first,
            "frames_per_second": frames,
            "particles": PARTICLES,
            "steps": STEPS,
        }
    )


if __name__ == "__main__":
    main()
