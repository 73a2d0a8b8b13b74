"""Weighted particles: systematic resampling and drawing one particle by its weight."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gensot_demo.guidance.population import effective_sample_size, resample_blocks, select_one

LAW = torch.tensor([0.55, 0.2, 0.15, 0.06, 0.03, 0.01, 0.0, 0.0], dtype=torch.float64)
LOG_LAW = torch.log(LAW)


def test_systematic_resampling_is_unbiased_and_never_off_by_a_whole_particle():
    tags = range(4000)
    copies = torch.stack(
        [torch.bincount(resample_blocks([5], tag, LOG_LAW + 3.0, threshold=1.0), minlength=8) for tag in tags]
    ).double()
    expected = 8 * LAW
    assert float((copies - expected).abs().max()) < 1
    error = (copies.mean(0) - expected) / (copies.std(0) / math.sqrt(len(tags)) + 1e-12)
    assert float(error.abs().max()) < 4
    assert float((copies.mean(0) - 1).abs().max()) > 1  # uniform resampling would fail


def test_resampling_depends_on_seed_and_step_only():
    def rows(seeds, tag):
        return resample_blocks(seeds, tag, LOG_LAW.repeat(len(seeds))).tolist()

    assert rows([1, 2], 3) == rows([1, 2], 3)
    assert rows([1, 2], 3)[:8] == rows([1], 3)
    assert [r - 8 for r in rows([1, 2], 3)[8:]] == rows([2], 3)
    assert len({tuple(rows([1], tag)) for tag in range(50)}) > 1
    assert len({tuple(rows([seed], 0)) for seed in range(50)}) > 1


def test_blocks_keep_to_themselves_and_wait_for_the_threshold():
    even = torch.zeros(8, dtype=torch.float64)
    assert resample_blocks([1, 2], 0, torch.cat([even, even])) is None
    rows = resample_blocks([1, 2], 0, torch.cat([even, LOG_LAW]))
    assert rows[:8].tolist() == list(range(8))  # equal weights: every particle once
    assert bool((rows[8:] >= 8).all())
    assert resample_blocks([1, 2, 3], 0, torch.tensor([0.0, -50.0, 3.0])) is None  # one particle each


@pytest.mark.parametrize("weights", [[1.0], [1, 1, 1, 1], [1, 0, 0], [0.5, 0.3, 0.2]])
def test_effective_sample_size_is_its_formula(weights):
    w = np.array(weights, dtype=float)
    with np.errstate(divide="ignore"):
        log_w = torch.from_numpy(np.log(w) + 7.0)
    expected = w.sum() ** 2 / (w**2).sum()
    np.testing.assert_allclose(effective_sample_size(torch.cat([log_w, log_w]), 2), [expected] * 2)


def test_the_delivered_particle_follows_the_weights():
    n = 4000
    chosen = np.array(select_one(range(n), LOG_LAW.repeat(n), 8)) - 8 * np.arange(n)
    observed = np.bincount(chosen, minlength=8) / n
    spread = np.sqrt(LAW.numpy() * (1 - LAW.numpy()) / n)
    assert (np.abs(observed - LAW.numpy()) <= 4 * spread).all()
    assert abs(observed[0] - 1 / 8) > 10 * spread[0]
    assert select_one([3, 4], None, 8) == [0, 8]
    assert select_one([3], torch.tensor([-math.inf, 0.0, -math.inf]), 3) == [1]
