"""The family tree of particles against a replay forwards, and against the run's own record."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gensot_demo.experiments.asking import ask_for, backbone_of
from gensot_demo.experiments.planning import plans_of
from gensot_demo.experiments.population import Population, genealogy, population_of
from gensot_demo.experiments.requests import CompareRequest, MethodChoice, ReferenceChoice
from gensot_demo.guidance.population import select_one
from gensot_demo.transport.conductor import Trace, run


def random_population(seed: int, steps: int, samples: int, particles: int) -> Population:
    random = np.random.default_rng(seed)
    resampled = tuple(
        (row, random.integers(particles, size=(samples, particles))) for row in range(steps) if random.random() < 0.5
    )
    weights = random.normal(size=(steps + 1, samples, particles))
    return Population(weights, resampled, random.integers(particles, size=samples))


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_a_replay_forwards_gives_the_same_tree(seed, every):
    """Every particle carries where it was at each kept moment, and is copied with that when it is copied."""
    steps, particles = 12, 5
    population = random_population(seed, steps, 3, particles)
    kept = [*range(0, steps, every), steps]
    events = dict(population.resampled)
    for column in range(3):
        tree = genealogy(population, kept, column)
        histories = [[] for _ in range(particles)]
        for row in range(steps + 1):
            if row in kept:
                histories = [[*history, k] for k, history in enumerate(histories)]
            if row in events:
                histories = [list(histories[parent]) for parent in events[row][column]]
        ways = np.array(histories)  # (P, S): of each final particle, where its line was
        assert tree.line.tolist() == ways[population.delivered[column]].tolist()
        for n in range(len(kept)):
            assert set(np.flatnonzero(tree.alive[n])) == set(ways[:, n])
            assert tree.ancestors[n] == len(set(ways[:, n]))
        for n in range(len(kept) - 1):
            assert tree.parents[n][ways[:, n + 1]].tolist() == ways[:, n].tolist()
        single = [n for n in range(len(kept) - 1) if len(set(ways[:, n])) == 1]
        assert tree.coalescence == (single[-1] if single else None)
        first, switches = population.slots(column)
        at = first
        for row in sorted(switches):
            assert events[row][column][switches[row]] == at
            at = switches[row]
        assert at == population.delivered[column]


def test_the_effective_share_of_known_weights():
    weights = np.log(np.array([[[0.5, 0.5, 1e-300, 1e-300]], [[0.25] * 4]]))
    tree = genealogy(Population(weights, (), np.array([1])), [0, 1], 0)
    assert tree.share == pytest.approx([0.5, 1.0])
    assert tree.coalescence is None
    assert tree.resampled == ()
    chosen = np.array([[[np.nan] * 4], [[0.0, -np.inf, -np.inf, -np.inf]]])
    assert np.isnan(genealogy(Population(chosen, (), np.array([0])), [0, 1], 0).share).all()


@pytest.mark.parametrize("every", [1, 3])
def test_a_run_keeps_what_its_trace_knows(every):
    request = CompareRequest(
        references=(ReferenceChoice(emoji="🤡"),), resolution=32, steps=12, samples=3, view_noise=4.0,
        methods=(MethodChoice(name="twisted_smc", settings={"particles": 6}),),
    )  # fmt: skip
    backbone = backbone_of(request)
    plans, _ = plans_of(request, ask_for(request, backbone), backbone, request.seeds)
    (trace,) = run([plans[0].job], backbone.oracle, keep_every=every)
    rows = select_one(request.seeds, trace.steps[-1].log_weights, 6)
    population = population_of(trace, 3, 6, rows)
    index = [step.index for step in trace.steps]
    lineage = trace.lineage(rows)
    assert len(population.resampled) == len(trace.ancestries) > 0
    for column in range(3):
        tree = genealogy(population, index, column)
        assert (tree.line + 6 * column).tolist() == lineage[:, column].tolist()
        assert ((tree.share >= 1 / 6 - 1e-9) & (tree.share <= 1 + 1e-9)).all()


def test_particles_of_different_samples_have_no_common_tree():
    trace = Trace("odd", None, 4, ancestries=[(0, torch.tensor([2, 1, 2, 3]))])
    assert population_of(trace, 2, 2, [0, 2]) is None
    assert population_of(trace, 4, 1, [0, 1, 2, 3]) is None
