"""What a training run says of the claim, in sentences made from its numbers and their scatter over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .training import CALLS, TrainingRun
from .training_task import PATHS

AT = CALLS.index(8)  # the number of calls that sentences speak of
FEWEST_SEEDS = 3  # below, the scatter over seeds is not known well enough to rank anything
_BY_HEART = 0.05  # nats per dimension between points seen and not seen that are worth a sentence


@dataclass(frozen=True)
class Difference:
    """One path less another, paired by seed: mean, and the half-width of its 95 % interval (Student's t over seeds),
    None for a single seed. Smaller is better in all that is compared here."""

    mean: float
    half: float | None
    seeds: int

    @property
    def told(self) -> bool:
        """Whether there are seeds enough, and the interval leaves out 0."""
        return self.half is not None and self.seeds >= FEWEST_SEEDS and abs(self.mean) > self.half

    def text(self, digits: int = 3) -> str:
        spread = f" ± {self.half:.{digits}f}" if self.half is not None and self.seeds >= FEWEST_SEEDS else ""
        return f"{self.mean:+.{digits}f}{spread}"


def difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> Difference:
    """Of two rows (S,) of the same seeds."""
    from scipy.stats import t

    each, count = first - second, len(first)
    if count < 2:
        return Difference(float(each.mean()), None, count)
    half = float(t.ppf(0.975, count - 1) * each.std(ddof=1) / math.sqrt(count))
    return Difference(float(each.mean()), half, count)


def mean_and_error(values: NDArray[np.float64]) -> tuple[float, float | None]:
    """Mean over seeds (S,) and its standard error, None for one seed."""
    if len(values) < 2:
        return float(values.mean()), None
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def of_training(run: TrainingRun) -> list[str]:
    """The verdict of a complete run; nothing before."""
    if not run.complete:
        return []
    lines = [_likelihood(run), _calls(run)]
    if len(run.request.paths) > 1:
        lines.append(_split(run))
    heart = _by_heart(run)
    return [*lines, heart] if heart else lines


def _likelihood(run: TrainingRun) -> str:
    held = run.checks[-1].held_out
    listed = _listed(run, held)
    return (
        f"On held-out points the flows lie {listed} nats per dimension below the true law; less is better. "
        + _claim(run, held, "likelihood", "nats")
    )


def _calls(run: TrainingRun) -> str:
    own, steps = run.calls.own[:, :, AT], CALLS[AT]
    exact = ", ".join(f"{label} {e:.3f}" for label, e in zip(run.labels, run.calls.exact[:, AT], strict=True))
    return (
        f"Sample error at {steps} calls: {_listed(run, own)} (exact draws {run.calls.floor:.3f}). "
        + _claim(run, own, "samples at few calls", "")
        + f" With the exact velocity in place of the learnt one it would be: {exact}."
    )


def _listed(run: TrainingRun, values: NDArray[np.float64]) -> str:
    return ", ".join(f"{row.mean():.3f} ({label})" for label, row in zip(run.labels, values, strict=True))


def _claim(run: TrainingRun, values: NDArray[np.float64], what: str, unit: str) -> str:
    """The paper's claim on this number (smaller is better), or the best path against the next one."""
    names = run.request.paths
    if len(names) < 2:
        return "One path alone: nothing to compare."
    if run.request.seeds < FEWEST_SEEDS:
        return f"From {run.request.seeds} seed{'s' * (run.request.seeds > 1)} no ranking can be claimed."
    order = [names[n] for n in values.mean(1).argsort()]
    first, others = ("ko", [name for name in names if name != "ko"]) if "ko" in names else (order[0], order[1:])
    said = []
    for name in others:
        found = difference(values[names.index(first)], values[names.index(name)])
        outcome = "not told apart" if not found.told else "better" if found.mean < 0 else "worse"
        said.append(
            f"{outcome} {'from' if not found.told else 'than'} {PATHS[name]} ({found.text()}{unit and ' ' + unit})"
        )
    lead = f"The claim that {PATHS['ko']} gives better {what}: here it is" if first == "ko" else f"{PATHS[first]} is"
    return f"{lead} {', '.join(said)}, over {run.request.seeds} seeds."


def _split(run: TrainingRun) -> str:
    """Training and sampling taken apart: the spread over networks against that over paths to sample along."""
    at = run.calls.error[:, :, :, AT].mean(2)
    labels = run.labels
    trained, along = at.mean(1), at.mean(0)
    by_network, by_path = float(np.ptp(trained)), float(np.ptp(along))
    steps = f"sampled along {labels[int(along.argmin())]} their error is {along.min():.3f} on average, along "
    steps += f"{labels[int(along.argmax())]} {along.max():.3f}"
    training = f"trained on {labels[int(trained.argmin())]} it is {trained.min():.3f}, on "
    training += f"{labels[int(trained.argmax())]} {trained.max():.3f}"
    first, second = (steps, training) if by_path > by_network else (training, steps)
    order = ("steps", "training") if by_path > by_network else ("training", "steps")
    lead = f"Any of the networks can be sampled along any of the paths, and at {CALLS[AT]} calls "
    return f"{lead}the {order[0]} matter{'s' * (order[0] == 'training')} more than the {order[1]}: {first}; {second}."


def _by_heart(run: TrainingRun) -> str:
    gap = (run.checks[-1].held_out - run.checks[-1].seen).mean(1)
    if gap.max() < _BY_HEART:
        return ""
    worst, least = run.labels[int(gap.argmax())], run.labels[int(gap.argmin())]
    more = f", least for {least} ({gap.min():.2f})" if len(gap) > 1 else ""
    return (
        f"The flows begin to know their {run.request.points:,} points by heart: points seen in training are "
        f"{gap.max():.2f} nats per dimension better off than others for {worst}{more}."
    )
