"""One conductor advances all compared methods in lock-step and keeps one Trace each.

In every round each running sampler is brought to its next question; all questions go to the oracle in one forward.
A sampler that raises, or whose state stops being finite, ends alone with its reason; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from .errors import reason
from .noise import SharedNoise
from .oracles import Answer, Oracle, Query
from .paths import PathPoints
from .samplers import Sampler, Sampling, Step
from .steering import Steering
from .time_limit import limited


@dataclass
class Trace:
    """What one method did: everything that diagnostics and figures may read.

    steps: kept records in order; the last one of a finished trace is the end state.
    ancestries: (index, surviving rows) of every resampling, kept or not.
    evaluations, backwards: forward and backward passes counted per state (a batch of n rows under C conditions is
    n C).  seconds: own time plus its share of the joint forwards.  error: why it ended early, or None.
    """

    name: str
    grid: PathPoints
    rows: int
    steps: list[Step] = field(default_factory=list)
    ancestries: list[tuple[int, Tensor]] = field(default_factory=list)
    evaluations: int = 0
    backwards: int = 0
    rounds: int = 0
    seconds: float = 0.0
    finished: bool = False
    error: str | None = None

    @property
    def end(self) -> Tensor:
        """The last known state (n, d)."""
        return self.steps[-1].x

    @property
    def predicted(self) -> Tensor:
        """The last predicted state (n, d)."""
        return self.steps[-1].predicted

    def delivered(self, rows: Sequence[int]) -> tuple[list[int], Tensor, Tensor]:
        """Grid rows (S), states and predictions (S, len(rows), d) of the particles that became ``rows`` of the end."""
        held = list(zip(self.steps, self.lineage(rows), strict=True))
        x = torch.stack([step.x[at] for step, at in held])
        predicted = torch.stack([step.predicted[at] for step, at in held])
        return [step.index for step in self.steps], x, predicted

    def lineage(self, rows: Sequence[int]) -> Tensor:
        """Which row of each kept step led to ``rows`` of the last record, (S, len(rows))."""
        at, out, resampled = torch.as_tensor(list(rows)), [], list(self.ancestries)
        for step in reversed(self.steps):
            while resampled and resampled[-1][0] >= step.index:
                at = resampled.pop()[1].cpu()[at]
            out.append(at)
        return torch.stack(out[::-1])


@dataclass
class Job:
    """A method ready to run: its name, sampler, grid (in the oracle's dtype and device), noise and steering.

    limit: seconds that it may think between two questions, for code that nobody has checked; None for no limit.
    """

    name: str
    sampler: Sampler
    grid: PathPoints
    noise: SharedNoise
    steering: Steering
    limit: float | None = None


@dataclass(frozen=True)
class Round:
    """A progress report: traces in the order of the jobs, and the share of steps done."""

    traces: list[Trace]
    done: float


class _Runner:
    """One sampler on its way to its next question."""

    def __init__(self, job: Job, keep_every: int):
        self.trace = Trace(job.name, job.grid, len(job.noise))
        self.sampling: Sampling = job.sampler(job.grid, job.noise, job.steering)
        self.keep_every, self.limit = keep_every, job.limit
        self.last = len(job.grid) - 1
        self.at = 0

    @property
    def running(self) -> bool:
        return not self.trace.finished and self.trace.error is None

    def advance(self, answer: Answer | None) -> Query | None:
        """Feed an answer and run to the next question; None when the sampler has ended."""
        began = time.perf_counter()
        try:
            return self._within_limit(limited(self._next, self.limit, "it")(answer))
        except StopIteration:
            self.trace.finished = True
        except Exception as error:  # a visitor's own method may raise anything; it must not take the others down
            self.trace.error = reason(error)
        finally:
            self.trace.seconds += time.perf_counter() - began
        return None

    def _next(self, answer: Answer | None) -> Query:
        event = self.sampling.send(answer)
        while isinstance(event, Step):
            self._record(event)
            event = self.sampling.send(None)
        return event

    def _within_limit(self, query: Query) -> Query:
        if self.limit is None or query.cotangent is None:
            return query
        return replace(query, cotangent=limited(query.cotangent, self.limit, "it"))

    def _record(self, step: Step) -> None:
        if not bool(torch.isfinite(step.x.sum() + step.predicted.sum())):
            raise FloatingPointError(f"the state stopped being finite at step {step.index}; weaken the guidance.")
        self.at = step.index
        if step.ancestors is not None:
            self.trace.ancestries.append((step.index, step.ancestors))
        if step.index % self.keep_every == 0 or step.index == self.last:
            self.trace.steps.append(step)


def conduct(
    jobs: Sequence[Job],
    oracle: Oracle,
    *,
    keep_every: int = 1,
    max_rows: int = 4096,
    turn: Callable[[], AbstractContextManager] = nullcontext,
) -> Iterator[Round]:
    """Run all jobs; yields a :class:`Round` after each joint forward and once at the end.

    keep_every: record every n-th step and the end.  max_rows: states per forward; results do
    not depend on it.  turn: entered around each forward, to share a device between visitors.
    Closing the iterator stops the run within one forward.
    """
    runners = [_Runner(job, keep_every) for job in jobs]
    traces = [runner.trace for runner in runners]
    waiting = [(runner, runner.advance(None)) for runner in runners]
    while waiting := [(runner, query) for runner, query in waiting if query is not None]:
        began = time.perf_counter()
        with turn(), torch.no_grad():
            waiting, answers = _answered(oracle, waiting, max_rows)
        spent = time.perf_counter() - began
        costs = [len(query.conditions) * len(query.x) for _, query in waiting]
        for (runner, query), cost in zip(waiting, costs, strict=True):
            runner.trace.rounds += 1
            runner.trace.evaluations += cost
            runner.trace.backwards += len(query.x) if query.cotangent is not None else 0
            runner.trace.seconds += spent * cost / sum(costs)
        with torch.no_grad():
            waiting = [(runner, runner.advance(answer)) for (runner, _), answer in zip(waiting, answers, strict=True)]
        done = [runner.at / runner.last if runner.running else 1.0 for runner in runners]
        yield Round(traces, sum(done) / len(done))
    if not any(trace.rounds for trace in traces):
        yield Round(traces, 1.0)


def _answered(
    oracle: Oracle, waiting: list[tuple[_Runner, Query]], max_rows: int
) -> tuple[list[tuple[_Runner, Query]], list[Answer]]:
    """Answers to all questions in one forward; if that fails, one by one, so that only the cause ends."""
    try:
        return waiting, answer_in_chunks(oracle, [query for _, query in waiting], max_rows)
    except Exception:
        kept, answers = [], []
        for runner, query in waiting:
            try:
                answers += answer_in_chunks(oracle, [query], max_rows)
                kept.append((runner, query))
            except Exception as error:
                runner.trace.error = reason(error)
        return kept, answers


def run(jobs: Sequence[Job], oracle: Oracle, **options) -> list[Trace]:
    """:func:`conduct` to the end; raises RuntimeError with the first job's reason if one failed."""
    traces: list[Trace] = []
    for progress in conduct(jobs, oracle, **options):
        traces = progress.traces
    for trace in traces:
        if trace.error is not None:
            raise RuntimeError(f"{trace.name}: {trace.error}")
    return traces


def answer_in_chunks(oracle: Oracle, queries: Sequence[Query], max_rows: int) -> list[Answer]:
    """Answers to all queries, at most ``max_rows`` states (rows times conditions) in one forward."""
    pieces: list[Query] = []
    for query in queries:
        size = max(1, max_rows // len(query.conditions))
        pieces += [Query(x, query.a, query.m, query.conditions, query.cotangent) for x in query.x.split(size)]
    answered: list[Answer] = []
    batch: list[Query] = []
    filled = 0
    for piece in pieces:
        cost = len(piece.x) * len(piece.conditions)
        if batch and filled + cost > max_rows:
            answered += oracle.answer(batch)
            batch, filled = [], 0
        batch.append(piece)
        filled += cost
    answered += oracle.answer(batch) if batch else []
    out, at = [], 0
    for query in queries:
        count = -(-len(query.x) // max(1, max_rows // len(query.conditions)))
        out.append(_joined(answered[at : at + count]))
        at += count
    return out


def _joined(parts: Sequence[Answer]) -> Answer:
    if len(parts) == 1:
        return parts[0]

    def together(name: str, dim: int) -> Tensor | None:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else torch.cat(values, dim=dim)

    return Answer(together("predicted", 1), together("pullback", 0))
