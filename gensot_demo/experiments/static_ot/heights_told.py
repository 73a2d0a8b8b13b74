"""What the numbers of the solver's runs say, in sentences; and the map that a temperature smooths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.static_ot.semi_discrete import variation_of_exact

from .heights_pictures import PicturesRun
from .heights_plane import PlaneRun

_RIGHT = 1e-9  # mass error of heights that need no climbing
_SENT = 500  # draws of noise sent by the smoothed map


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Where noise goes by the softmax average at ``tau``. sent (k, 2); cell (k,): of the same noise unsmoothed;
    away: mean distance to that point; kept: share of the variance that is left."""

    tau: float
    sent: NDArray[np.float64]
    cell: NDArray[np.int64]
    away: float
    kept: float


def smoothed(run: PlaneRun, tau: float) -> Smoothed:
    """The exact map of a run, smoothed; tau in units of the potential, 0 for the map itself."""
    map_ = run.exact
    z = torch.randn(_SENT, 2, generator=torch.Generator().manual_seed(run.request.seed + 5_003), dtype=torch.float64)
    cell = map_.cells(z)
    target = map_.points[cell]
    sent = map_.smoothed(z, tau) if tau > 0 else target
    variance = float((target - target.mean(0)).square().sum(1).mean())
    kept = float((sent - sent.mean(0)).square().sum(1).mean()) / variance if variance > 0 else 1.0
    away = float(torch.linalg.vector_norm(sent - target, dim=1).mean())
    return Smoothed(tau, sent.numpy(), cell.numpy(), away, kept)


def of_plane(run: PlaneRun) -> list[str]:
    """Sentences on a run in the plane."""
    if not run.moments:
        return []
    first, last = run.moments[0], run.moments[-1]
    worst = float(np.abs(last.heights - run.exact.heights.numpy()).max())
    after = (
        f"after {last.samples:,} draws of noise ({run.seconds:.2f} s); the largest error of a height is {worst:.2g}."
    )
    if first.mass_error < _RIGHT:
        start = f"The start is right already: what is drawn can only disturb it, by {last.mass_error:.2%} {after}"
    else:
        start = f"Cells started {first.mass_error:.1%} wrong and are {last.mass_error:.2%} wrong {after}"
    lines = [
        start,
        f"Newton's method on exact cells needs {len(run.newton_errors) - 1} steps and no draws "
        f"({run.newton_seconds:.2f} s) to be wrong by {run.newton_errors[-1]:.0e}. It works in the plane only.",
        f"The dual is {run.best_dual - last.dual:.1e} below its maximum, and the maximum says W₂² = {run.w2:.4f}.",
    ]
    if run.complete and not run.converged:
        lines.append(f"The draws allowed were used up before the mass error fell to {run.request.tolerance:g}.")
    if run.discrete:
        best = run.discrete[-1]
        below = (run.w2 - best.cost) / best.error if best.error else 0.0
        chance = f" Here it lies {below:.1f} standard errors below, by the chance of these draws." if below > 0 else ""
        lines.append(
            f"POT's exact assignment of {best.draws:,} draws costs {best.cost:.4f} ± {best.error:.4f}: what a finite "
            "sample of the noise costs, more than W₂² on average, and less so the more draws there are." + chance
        )
    return lines


def of_smoothing(found: Smoothed) -> str:
    """A sentence on a smoothed map."""
    if found.tau == 0:
        return "Not smoothed: all noise of a cell goes to the cell's point."
    return (
        f"At τ = {found.tau:g} noise arrives {found.away:.2f} from its point on average, and {found.kept:.0%} of the "
        "points' variance is left."
    )


def explained_by_counting(error: float, weights: Tensor, draws: int) -> tuple[bool, float]:
    """Whether exact heights may show this total variation to weights (n,) when so many draws are counted, and the most
    that they show: three standard deviations above their mean."""
    mean, deviation = variation_of_exact(weights, draws)
    return error <= mean + 3 * deviation, mean + 3 * deviation


def _counting(run: PicturesRun) -> str:
    explained, most = explained_by_counting(run.error, run.pictures.weights, run.fresh)
    if explained:
        return (
            f"Exact heights show up to {most:.2%} when so few draws are counted: these may be exact, no more is known."
        )
    return f"Exact heights show at most {most:.2%} when as many draws are counted: some of the error is real."


@dataclass(frozen=True, eq=False)
class Favoured:
    """The pictures (k,) that the first guess gives most, and their masses over what they should be: by the first guess
    ``before`` (k,), and ``now`` (k,)."""

    index: NDArray[np.int64]
    before: NDArray[np.float64]
    now: NDArray[np.float64]


def favoured(run: PicturesRun, most: int) -> Favoured:
    """Of a run that has counted."""
    before = (run.guess_masses / run.pictures.weights).numpy()
    now = (run.masses / run.pictures.weights).numpy()
    index = np.argsort(-before, kind="stable")[:most]
    return Favoured(index, before[index], now[index])


def of_pictures(run: PicturesRun) -> list[str]:
    """Sentences on a run for pictures."""
    lines = []
    count = len(run.pictures)
    if run.known is not None:
        known = run.known
        lines.append(
            f"These heights are stored: {known.samples:,} draws, {known.seconds:.0f} s where they were made. Then "
            f"{known.counted:,} fresh draws found them {known.mass_error:.2%} wrong; exact ones would show "
            f"{known.floor:.2%}."
        )
    elif run.rounds:
        last = run.rounds[-1]
        lines.append(
            f"{last.samples:,} draws so far: the cells of {count:,} pictures are {last.counted:.1%} wrong, as counted; "
            f"exact ones would show {last.floor:.1%}."
        )
    if run.fresh and run.complete:
        lines.append(
            f"Here and now, {run.fresh:,} draws of other noise find {run.error:.2%} of the mass in the wrong cell ("
            f"exact heights would show {run.floor:.2%}; the first guess shows {run.guess_error:.1%})."
        )
        lines.append(_counting(run))
        ratio = run.masses / run.pictures.weights
        lines.append(
            f"Shares of single pictures lie between {float(ratio.min()):.2f} and {float(ratio.max()):.2f} of what they "
            f"should be, counting included; with the first guess, up to "
            f"{float((run.guess_masses / run.pictures.weights).max()):.1f}."
        )
    if run.complete and not run.converged:
        lines.append(f"The draws allowed were used up before the mass error fell to {run.request.tolerance:g}.")
    return lines
