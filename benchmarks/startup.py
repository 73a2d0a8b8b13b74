"""From the start of ``python app.py`` to its first answer with status 200: median of 3. Aim: 8 s."""

from __future__ import annotations

import time

from tools.running_app import running_app

from .report import progress, report

REPEATS = 3


def main() -> None:
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        with running_app():
            seconds.append(time.perf_counter() - began)
        progress(f"up after {seconds[-1]:.2f} s")
    report({"seconds": sorted(seconds)[REPEATS // 2], "runs": seconds})


if __name__ == "__main__":
    main()
