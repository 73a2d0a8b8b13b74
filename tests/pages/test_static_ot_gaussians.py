"""Gaussians: what is said of the two matrices follows the matrices."""

import numpy as np
import pytest

from gensot_demo.experiments.static_ot.gaussians import GaussiansRequest, compare_gaussians
from gensot_demo.pages.static_ot_gaussians import _found


@pytest.mark.parametrize("angle", [0.0, 0.02, 46.0, 90.0])
def test_the_sentence_over_the_matrices_follows_them(angle):
    result = compare_gaussians(GaussiansRequest(target_angle=angle))
    alike = np.allclose(result.flow, result.optimal, atol=1e-9)
    assert ("the same matrix" in _found(result)) is alike
    assert ("turns" in _found(result)) is not alike
    assert ("not symmetric" in _found(result)) == (abs(result.flow[0, 1] - result.flow[1, 0]) > 5e-4)
