"""The conductor: joint runs equal separate ones, costs are counted, failures stay alone, runs can be stopped."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import torch

from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, conduct, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels, uniform_times
from gensot_demo.transport.guides import guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.mixtures import two_modes
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.steering import Prediction, Steering, ask

MODES = two_modes()
PATH = HarmonicPath(guided_protocol("S", 20.0, MODES.mean()))
ROWS, STEPS = 6, 8


def job(sampler: str = "bridge", steering: Steering | None = None, seed: int = 0, name: str | None = None) -> Job:
    levels = noise_levels(STEPS, 40.0, 0.05)
    grid = uniform_times(PATH, STEPS) if SAMPLERS[sampler].stochastic else at_noise_levels(PATH, levels)
    return Job(name or sampler, SAMPLERS[sampler].run, grid, SharedNoise([seed], 2, ROWS), steering or Steering())


@dataclass
class Guided(Steering):
    """Two conditions and a gradient at every step."""

    def predict(self, point, x):
        conditions = (torch.tensor([0.0, 2.0], dtype=torch.float64), None)
        answer = yield ask(point, x, conditions, cotangent=lambda predicted: predicted[0] - 1.0)
        return Prediction(answer.predicted[0] + 0.1 * answer.pullback)


@dataclass
class Failing(Steering):
    """Raises, or turns into NaN, after a number of predictions."""

    after: int = 3
    how: str = "raise"
    asked: int = 0

    def predict(self, point, x):
        prediction = yield from super().predict(point, x)
        self.asked += 1
        if self.asked > self.after:
            if self.how == "raise":
                raise ArithmeticError("the method is not defined here")
            return Prediction(prediction.state * math.nan)
        return prediction


@dataclass
class Resampling(Steering):
    """Weights that prefer the upper mode; rows are drawn anew after step 3 and 5."""

    def predict(self, point, x):
        prediction = yield from super().predict(point, x)
        return Prediction(prediction.state, log_weight_rate=prediction.state[:, 1])

    def population(self, index, log_weights):
        survivors = {3: [5, 4, 3, 2, 1, 0], 5: [0, 0, 2, 2, 4, 4]}.get(index)
        return None if survivors is None else torch.tensor(survivors)


def test_a_joint_run_equals_separate_runs():
    jobs = [lambda s=s, i=i: job(s, Guided() if i % 2 else None, seed=i) for i, s in enumerate(SAMPLERS)]
    joint = run([make() for make in jobs], MODES)
    for trace, make in zip(joint, jobs, strict=True):
        (alone,) = run([make()], MODES, max_rows=5)
        assert trace.name == alone.name
        assert [step.index for step in trace.steps] == [step.index for step in alone.steps]
        for mine, theirs in zip(trace.steps, alone.steps, strict=True):
            torch.testing.assert_close(mine.x, theirs.x)
            torch.testing.assert_close(mine.predicted, theirs.predicted)
        assert (trace.evaluations, trace.backwards) == (alone.evaluations, alone.backwards)


@pytest.mark.parametrize(
    ("sampler", "questions"),
    # deterministic samplers ask once for the mean before they start; Heun twice a step but once in the last
    [("bridge", STEPS), ("averaged", STEPS), ("euler", STEPS), ("deterministic", STEPS + 1), ("heun", 2 * STEPS)],
)
def test_costs_are_counted(sampler, questions):
    plain, guided = run([job(sampler), job(sampler, Guided())], MODES)
    assert (plain.rounds, plain.evaluations, plain.backwards) == (questions, questions * ROWS, 0)
    assert (guided.evaluations, guided.backwards) == (2 * questions * ROWS, questions * ROWS)
    assert plain.finished
    assert guided.finished
    assert plain.rows == ROWS
    assert plain.seconds > 0
    assert torch.equal(plain.end, plain.steps[-1].x)
    assert torch.equal(plain.predicted, plain.steps[-1].predicted)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "ArithmeticError: the method is not defined here"),
        ("nan", "FloatingPointError: the state stopped being finite at step 3; weaken the guidance."),
    ],
)
def test_a_failing_job_ends_alone_with_its_reason(how, reason):
    rounds = list(conduct([job(), job("euler", Failing(how=how), name="broken"), job("heun")], MODES))
    good, broken, heun = rounds[-1].traces
    assert good.finished
    assert heun.finished
    assert good.error is None
    assert not broken.finished
    assert len(broken.steps) == 3
    assert broken.error.startswith(reason)
    assert torch.equal(good.end, run([job()], MODES)[0].end)
    with pytest.raises(RuntimeError, match=f"broken: {reason}"):
        run([job(), job("euler", Failing(how=how), name="broken")], MODES)


def test_progress_rises_to_one():
    rounds = [(progress.done, len(progress.traces)) for progress in conduct([job(), job("heun")], MODES)]
    done = [share for share, _ in rounds]
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert 0 <= done[0] < 0.5
    assert {count for _, count in rounds} == {2}


def test_closing_the_iterator_stops_within_one_forward():
    asked = 0

    class Counting(type(MODES)):
        def __init__(self):
            self.__dict__.update(MODES.__dict__)

        def answer(self, queries):
            nonlocal asked
            asked += 1
            return super().answer(queries)

    running = conduct([job(), job("heun")], Counting())
    for _ in range(3):
        progress = next(running)
    running.close()
    assert asked == 3
    assert not progress.traces[0].finished
    assert progress.traces[0].error is None
    assert len(progress.traces[0].steps) == 3
    assert list(running) == []


def test_every_forward_takes_a_turn():
    turns = 0

    @contextmanager
    def turn():
        nonlocal turns
        turns += 1
        yield

    (trace,) = run([job()], MODES, turn=turn)
    assert turns == trace.rounds == STEPS


@pytest.mark.parametrize(("keep_every", "kept"), [(1, list(range(9))), (3, [0, 3, 6, 8]), (100, [0, 8])])
def test_records_are_kept_at_a_stride_and_at_the_end(keep_every, kept):
    (trace,) = run([job()], MODES, keep_every=keep_every)
    assert [step.index for step in trace.steps] == kept
    everything = run([job()], MODES)[0]
    for step in trace.steps:
        assert torch.equal(step.x, everything.steps[step.index].x)


@pytest.mark.parametrize("sampler", ["bridge", "averaged", "euler"])
def test_lineage_follows_the_survivors(sampler):
    (trace,) = run([job(sampler, Resampling())], MODES)
    rows = trace.lineage(range(ROWS)).T.tolist()
    # after step 5 row 1 continues row 0, which after step 3 continued row 5
    assert rows[1] == [5, 5, 5, 5, 0, 0, 1, 1, 1]
    assert rows[4] == [1, 1, 1, 1, 4, 4, 4, 4, 4]
    index, x, predicted = trace.delivered([0, 1])
    assert index == list(range(9))
    # siblings share their parent's state up to the next noise
    assert torch.equal(x[5, 0], x[5, 1])
    assert torch.equal(predicted[2], trace.steps[2].predicted[[5 if r == 1 else rows[0][2] for r in (0, 1)]])
    weighted = [step for step in trace.steps if step.log_weights is not None]
    assert len(weighted) >= STEPS - 1
    # resamplings are remembered whatever the stride, so that a lineage is never broken
    (sparse,) = run([job(sampler, Resampling())], MODES, keep_every=100)
    assert [step.index for step in sparse.steps] == [0, 8]
    assert sparse.lineage([1])[:, 0].tolist() == [5, 1]


def test_weights_gather_information_times_rate_and_restart_after_resampling():
    (trace,) = run([job("bridge", Resampling())], MODES)
    grid, expected = trace.grid, torch.zeros(ROWS, dtype=torch.float64)
    K = torch.exp(grid.log_K)
    for step in trace.steps[: STEPS - 1]:
        expected = expected + (K[step.index + 1] - K[step.index]) * step.predicted[:, 1]
        torch.testing.assert_close(step.log_weights, expected)
        if step.ancestors is not None:
            expected = torch.zeros_like(expected)
