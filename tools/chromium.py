"""Which browser the tests and the picture of the app use.

`python -m tools.chromium` says which, tries to download one if there is none, and fails in CI if that fails too.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""In this order: the first draws no window around the page, and opens it in two thirds of the time."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MISSING = f"No Chromium found: put one of {', '.join(NAMES)} on PATH, or run `playwright install chromium`."


def find_chromium() -> str | None:
    """A Chromium from PATH, else the one that Playwright has downloaded, else None."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def main() -> int:
    browser = find_chromium()
    if browser is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
        browser = find_chromium()
    if browser:
        print(f"Browser tests use {browser}")
        return 0
    print(f"{MISSING} Browser tests {'cannot run' if in_ci() else 'are SKIPPED'}.", file=sys.stderr)
    return 1 if in_ci() else 0


if __name__ == "__main__":
    sys.exit(main())
