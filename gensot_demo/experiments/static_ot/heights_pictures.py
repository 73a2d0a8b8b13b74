"""Heights for sets of pictures: the stored ones, or solved anew; either way judged with fresh noise."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gensot_demo.transport.static_ot.semi_discrete import Ascent, better_guess, total_variation, variation_floor

from ..turns import in_turn
from .heights_plane import Round
from .heights_request import PicturesRequest
from .picture_heights import Solved, climb_to, fresh_masses, stored
from .picture_sets import PictureSet, picture_set

MOST_SAMPLES = 2**22
MOST_FRESH = 2**17
SHOWN = 10  # draws of noise whose destinations are shown
_FRESH_WORK = 4e10  # products of the fresh count: some seconds
_FRESH_SEED = 30_011
_NOISE_SEED = 40_009
_ROUND_FIRST = 4096


@dataclass(frozen=True, eq=False)
class PicturesRun:
    """A run so far. heights (n,): the latest; guess (n,): where the ascent starts; both are None before it has.
    rounds: as in the plane; samples: draws so far; expected: draws that it may take; seconds: so far; converged: it
    reached the tolerance.

    masses, guess_masses (n,): shares of ``fresh`` draws of fresh noise, with their total variation to the weights
    ``error`` and ``guess_error``, and its ``floor`` for exact heights; fresh: 0 until counted.
    alike (n,): shares that exact cells show when counted with as many draws.  known: of stored heights, None for those
    solved anew.  arrivals, guess_arrivals (k,): where the same noise goes.
    """

    request: PicturesRequest
    pictures: PictureSet
    guess: Tensor | None = None
    heights: Tensor | None = None
    known: Solved | None = None
    rounds: tuple[Round, ...] = ()
    samples: int = 0
    expected: int = 0
    seconds: float = 0.0
    converged: bool = False
    fresh: int = 0
    masses: Tensor | None = None
    guess_masses: Tensor | None = None
    alike: Tensor | None = None
    error: float = math.nan
    guess_error: float = math.nan
    floor: float = math.nan
    arrivals: Tensor | None = None
    guess_arrivals: Tensor | None = None
    doing: str = ""
    done: float = 0.0
    complete: bool = False


def run_stored(request: PicturesRequest) -> Iterator[PicturesRun]:
    """The stored heights of a set, judged with fresh noise; ends at once, without a run, where none are stored. Raises
    StaleHeights where they belong to other pictures."""
    pictures = picture_set(request.pictures)
    found = stored(pictures)
    if found is None:
        return
    heights, known = found
    began = time.perf_counter()
    run = PicturesRun(request, pictures, heights=heights, known=known, converged=True, doing="Placing the first guess")
    yield run
    yield from in_turn(_looked_at(run, began))


def run_anew(request: PicturesRequest) -> Iterator[PicturesRun]:
    """Solve a set of pictures by stochastic ascent and judge the heights with fresh noise; yields the run so far
    several times a second. The same request gives the same heights."""
    began = time.perf_counter()
    yield from in_turn(_solved(request, began))


def _solved(request: PicturesRequest, began: float) -> Iterator[PicturesRun]:
    pictures = picture_set(request.pictures)
    count = len(pictures)
    expected = min(MOST_SAMPLES, max(_expected(pictures, request.tolerance), 4 * _ROUND_FIRST))
    run = PicturesRun(request, pictures, expected=expected, doing=f"Climbing for {count:,} pictures")
    yield run
    for moment in climb_to(pictures, request.tolerance, request.seed, MOST_SAMPLES):
        seconds = time.perf_counter() - began
        if isinstance(moment, Ascent):
            run = replace(
                run,
                guess=moment.heights if run.guess is None else run.guess,
                heights=moment.heights,
                rounds=(*run.rounds, Round(moment.samples, moment.mass_error, moment.floor)),
                converged=moment.done,
            )
        samples = moment.samples if isinstance(moment, Ascent) else moment
        run = replace(run, samples=samples, seconds=seconds, done=min(0.9 * samples / expected, 0.9))
        yield run
    yield from _judged(run, began)


def _expected(pictures: PictureSet, tolerance: float) -> int:
    """Draws that an ascent may take: it ends when its count's floor is some two thirds of the tolerance, and a round
    has half as many draws as all together."""
    count = (variation_floor(pictures.weights, 1_000_000) * 1000 * 1.5 / tolerance) ** 2
    return round(4 * 2 ** math.ceil(math.log2(max(count, _ROUND_FIRST))))


def _looked_at(run: PicturesRun, began: float) -> Generator[PicturesRun, None, None]:
    """Stored heights, beside what an ascent of the request's seed would start from."""
    guess = better_guess(run.pictures.coordinates, run.pictures.weights, run.request.seed)
    yield from _judged(replace(run, guess=guess), began)


def _judged(run: PicturesRun, began: float) -> Generator[PicturesRun, None, None]:
    pictures, weights = run.pictures, run.pictures.weights
    draws = min(MOST_FRESH, max(2048, round(_FRESH_WORK / len(pictures) ** 2)))
    both, base = torch.stack([run.heights, run.guess]), run.done
    generator = torch.Generator().manual_seed(run.request.seed + _NOISE_SEED)
    for fresh, masses in fresh_masses(pictures, both, draws, run.request.seed + _FRESH_SEED):
        run = replace(
            run,
            fresh=fresh,
            masses=masses[0],
            alike=_counted(weights, fresh, generator),
            guess_masses=masses[1],
            error=total_variation(masses[0], weights),
            guess_error=total_variation(masses[1], weights),
            floor=variation_floor(weights, fresh),
            seconds=time.perf_counter() - began,
            doing="Counting with fresh noise",
            done=base + (1 - base) * min(fresh / draws, 0.99),
        )
        yield run
    z = torch.randn(SHOWN, pictures.coordinates.shape[1], generator=generator, dtype=torch.float64)
    scores = z @ pictures.coordinates.T
    yield replace(
        run,
        arrivals=(scores + run.heights).argmax(1),
        guess_arrivals=(scores + run.guess).argmax(1),
        doing="",
        done=1.0,
        complete=True,
    )


def _counted(weights: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    drawn = torch.multinomial(weights, draws, replacement=True, generator=generator)
    return torch.bincount(drawn, minlength=len(weights)).double() / draws
