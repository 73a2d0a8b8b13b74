"""What a sweep of rows gains from workers: the plain loop, one Ray worker and two, in turn, on the same rows.

The small rows of one task in the plane. ``seconds``: of the whole sweep, with the start of a local cluster and of its
workers, who import everything once. ``computing``: from the first result to the last, which is what counts in a long
sweep. ``ratio``: the plain loop's computing over that of so many workers; with 2 workers at most about 2.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import torch

from gensot_demo.experiments.sweep.cluster import Places
from gensot_demo.experiments.sweep.pieces import rows_pieces
from gensot_demo.experiments.sweep.run import Doing, Kept, in_turn, sweep

from .report import progress, report

_WAYS: dict[str, Doing] = {"loop": in_turn, "1_worker": Places(workers=1), "2_workers": Places(workers=2)}


def measured(name: str, doing: Doing, count: int | None) -> dict[str, float]:
    """Figures of one sweep into an empty file, of so many pieces or of all."""
    pieces = list(rows_pieces("plane", "reward", small=True))[:count]
    with tempfile.TemporaryDirectory() as folder:
        *_, last = sweep(pieces, Kept(Path(folder) / "rows.jsonl"), doing)
    progress(f"{name}: {last.total} pieces in {last.seconds:.1f} s, the first after {last.first:.1f} s")
    return {"seconds": last.seconds, "computing": last.seconds - last.first, "pieces": last.total}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, help="so many of the pieces; all without it")
    count = parser.parse_args().pieces
    torch.set_num_threads(1)  # as each worker has
    found = {name: measured(name, doing, count) for name, doing in _WAYS.items()}
    loop = found["loop"]["computing"]
    ratios = {name: loop / one["computing"] for name, one in found.items() if name != "loop"}
    report(found | {"ratio": ratios, "cores": os.cpu_count(), "load": os.getloadavg()[0]})


if __name__ == "__main__":
    main()
