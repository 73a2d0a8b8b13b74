"""Solve the heights of Brenier's map to the network's training pictures, each of its classes, and the collection.

    python -m training.solve_heights [SET ...]

writes assets/brenier/ (heights.npz, heights.json): all sets, or the named ones, keeping what is stored of the others.
The seeds are fixed. Masses are then counted with noise that the ascent has not seen.
"""

from __future__ import annotations

import argparse
import time

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.experiments.static_ot.picture_heights import FOLDER, Solved, checked, climb_to, save, stored
from gensot_demo.experiments.static_ot.picture_sets import COLLECTION, NETWORK, picture_set
from gensot_demo.transport.static_ot.semi_discrete import Ascent

TOLERANCES = {NETWORK: 0.015, COLLECTION: 0.035}
CLASS_TOLERANCE = 0.005
MOST_SAMPLES = 2**24
FRESH_SEED = 1_000_003


def main() -> None:
    """Solve and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sets = [*(f"{NETWORK}/{name}" for name in training_pictures().classes), NETWORK, COLLECTION]
    parser.add_argument("sets", nargs="*", default=sets, help="which; all if none is named")
    chosen = parser.parse_args().sets
    found = {}
    for key in sets:
        if key not in chosen and (kept := stored(picture_set(key))) is not None:
            found[key] = kept
    for key in chosen:
        pictures, tolerance = picture_set(key), TOLERANCES.get(key, CLASS_TOLERANCE)
        began = time.perf_counter()
        for moment in climb_to(pictures, tolerance, 0, MOST_SAMPLES):
            if isinstance(moment, Ascent):
                last = moment
                print(f"{key}: {last.samples} draws, mass error {last.mass_error:.4f}", flush=True)
        seconds = time.perf_counter() - began
        error, floor = checked(pictures, last.heights, last.counted, FRESH_SEED)
        solved = Solved(pictures.checksum, tolerance, 0, last.samples, round(seconds, 1), error, last.counted, floor)
        found[key] = (last.heights, solved)
        save(found)
        print(f"{key}: {solved}", flush=True)
    print(f"written to {FOLDER}")


if __name__ == "__main__":
    main()
