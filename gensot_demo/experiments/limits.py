"""Limits that keep one visitor's request from harming another's, and how they are said."""

from __future__ import annotations

MAX_STEPS = 200
MIN_STEPS = 2
MAX_SAMPLES = 12
MAX_METHODS = 12
MAX_BACKBONE_NAME = 200
MAX_PROMPT_TYPED = 20_000  # what a field takes at all; a model refuses far fewer, with a sentence
MAX_CONDITIONS = 2
MAX_REFERENCES = 2
MAX_STRENGTH = 10.0
MAX_TRUST = 5.0
VIEW_NOISE = (0.2, 100.0)
MAX_FIRST_NOISE = 100.0  # a model's own range may end below
RESTORE_NOISE = (0.01, 1.0)  # of a measurement, where black is -1 and white is 1
MAX_REWARD = 20.0  # nats per unit
MAX_SEED = 2**31 - 1
MAX_MEASURED = 2_000_000  # states asked about for extra draws against the law: some minutes
RUNS_AT_ONCE = 8  # they share the device forward by forward; the next one waits
LONG_RUNS_AT_ONCE = 4  # those of minutes, in a line of their own: no comparison waits for their end
LIGHT_AT_ONCE = 8  # of one kind
RUNS_OF_ONE_VISITOR = 4  # that compute at the same time; the next one is refused with a sentence
RUN_SECONDS = 900.0  # of the device for one run, waiting not counted
MAX_DRAWS = 1024
MIN_DRAWS = 64
MAX_UPLOAD_PIXELS = 40_000_000
MAX_UPLOAD_BYTES = 8_000_000
RUNS_KEPT = 24
MEGABYTES_KEPT = 300
ROWS_KEPT = (12, 60)  # of a trajectory, as memory allows: at most what a film strip or a curve can show
MEGABYTES_PER_RUN = 120
GRID_CELLS = 240
GRID_SAMPLES = 4  # in one cell
GRID_RUNS = 4  # a grid may ask as much as so many comparisons
FILM_FRAMES = 240  # of an animation that a browser sends
FILM_PIXELS = 150_000_000  # of all its frames together
FILM_BYTES = 32_000_000
FILM_SECONDS = 90  # to encode it
FILMS_WAITING = 3  # beside the one that is encoded
TABLE_ROWS = 1_000_000  # of a CSV file: what spreadsheets take
