"""What a run of sampling that starts later says, in sentences; every number is the run's own."""

from __future__ import annotations

import math

from gensot_demo.backbones.embedded import training_pictures

from ..failures.failure import SURE, Number
from ..failures.statistics import above, apart
from .later_start import LaterStart, LaterStartCalls
from .later_start_heights import known_of
from .later_start_methods import METHODS
from .later_start_quality import diverged
from .later_start_request import FINISHES, LaterStartRequest

_TYPICAL = 10  # calls


def of_wall(run: LaterStart) -> list[str]:
    """How many samples are copies, and what the jump was."""
    if not run.complete:
        return []
    rows, request = run.rows, run.request
    told = []
    copied = {name: int(row.copied.sum()) for name, row in rows.items()}
    if any(copied.values()):
        listed = ", ".join(f"{METHODS[name]} {count}" for name, count in copied.items() if count)
        told.append(f"Copies of training pictures, of {request.samples} samples each: {listed}.")
    else:
        told.append(f"None of the {request.samples} samples of any method is a copy of a training picture.")
    own = sum(name == known for name, known in zip(run.landings.names, _nearest_names(run, "jump"), strict=True))
    told.append(
        f"After the jump {own} of {request.samples} samples are still nearest to the picture that they landed on."
    )
    if "smoothed" in rows:
        told.append(f"Smoothed, a landing averages {run.landings.blended.mean():.1f} pictures here.")
    return told


def of_calls(run: LaterStartCalls) -> list[str]:
    """With the jump against without, against a plain draw of a training picture, and the price in copies."""
    budgets = [calls for calls in run.request.budgets if all(calls in found for found in run.found.values())]
    if not run.found or not budgets:
        return []
    calls = min(budgets, key=lambda one: abs(one - _TYPICAL))
    at = {name: found[calls] for name, found in run.found.items()}
    told = []
    finish = run.request.finish
    if at["jump"].kid and at[finish].kid:
        jump, plain, draw = at["jump"].kid, at[finish].kid, at["draw"].kid
        verdict = "nearer" if above(plain, jump) else "farther" if above(jump, plain) else "which may be chance"
        told.append(
            f"At {calls} calls, {FINISHES[finish]} is {_number(plain)} from the law of the training pictures; "
            f"after the jump {_number(jump)}: {verdict}. ± is one standard error, of {run.request.draws} samples; "
            f"only a difference of more than {SURE:g} of its own standard errors is called one, and this is "
            f"{abs(apart(plain, jump)):.1f}."
        )
        told.append(_against_draw(jump, draw, known_of(run.request.label).mass_error))
    told.append(
        f"The price: {_per_cent(at['jump'].copies)} of the jump's samples are copies, {_per_cent(at[finish].copies)} "
        f"without it; on average they are {_grey(at['jump'].distance)} from a training picture, without it "
        f"{_grey(at[finish].distance)}, and pictures that the network never saw {_grey(run.unseen.distance)}."
    )
    return told


def wall_line(request: LaterStartRequest) -> str:
    """What a level is, in the app's own words."""
    return f"{request.signal:g} % signal, noise level σ = {request.sigma:.2f}"


def _against_draw(jump: Number, draw: Number, mass_error: float) -> str:
    """Whether the jump can be told from a plain draw; with exact masses both are of one law."""
    gap = Number(jump.value - draw.value, math.hypot(jump.error, draw.error))
    about = f"Any training picture, noised, has {_number(draw)}. "
    if abs(apart(jump, draw)) <= SURE:
        return about + f"The jump cannot be told apart from it here (difference {_number(gap)})."
    return about + (
        f"The jump differs (by {_number(gap)}): by chance, or by the cells' mass error of {100 * mass_error:.1f} %."
    )


def _nearest_names(run: LaterStart, name: str) -> list[str]:
    return [training_pictures().names[index] for index in run.rows[name].nearest]


def _number(one: Number) -> str:
    digits = 2 if one.error >= 0.01 else 3
    return f"{one.value:.{digits}f} ± {one.error:.{digits}f}"


def _grey(one: Number) -> str:
    if diverged(one.value):
        return "beyond every picture (diverged)"
    return f"{one.value:.0f}" + ("" if one.error is None else f" ± {one.error:.0f}") + " grey levels"


def _per_cent(one: Number) -> str:
    return f"{one.value:.0f} ± {one.error:.0f} %"
