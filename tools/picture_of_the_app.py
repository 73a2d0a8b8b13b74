"""Takes the picture of the app for the README: `python -m tools.picture_of_the_app`; `--help` lists the options.

Starts the app, opens it in Chromium, waits until the page's own first comparison has ended, and saves what is seen.
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright

from tools.chromium import FLAGS, MISSING, find_chromium
from tools.running_app import ROOT, running_app


def take(out: Path, width: int, dark: bool, path: str, whole: bool, patience: float) -> None:
    """Saves the page at `path` as a PNG; waits at most `patience` seconds for its comparison."""
    executable = find_chromium()
    if executable is None:
        sys.exit(MISSING)
    with running_app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": 860 if width > 760 else 844},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page.goto(address + path)
        try:
            page.wait_for_function(
                "document.querySelector('#status')?.innerText.startsWith('Done')", timeout=1000 * patience
            )
        except PlaywrightTimeout:
            print(f"still working after {patience:g} seconds; the picture shows how far it came", file=sys.stderr)
        page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)")
        page.mouse.move(1, 1)
        page.wait_for_timeout(500)
        page.screenshot(path=out, full_page=whole)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=1280, help="pixels (default 1280; 390 is a phone)")
    parser.add_argument("--dark", action="store_true", help="the dark theme")
    parser.add_argument("--path", default="/", help="page and query, such as '/?seed=3' (default /)")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "screenshot.png", help="the PNG to write")
    parser.add_argument("--whole", action="store_true", help="the page down to its footer, not just the first screen")
    parser.add_argument("--patience", type=float, default=120, help="seconds to wait for the comparison (default 120)")
    take(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
