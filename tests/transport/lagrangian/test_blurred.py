"""Blurred particles satisfy the continuity equation exactly, and keep their mass."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.lagrangian.blurred import blurred

F64 = torch.float64


def _cloud(seed, n=40):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2, generator=generator, dtype=F64), torch.randn(n, 2, generator=generator, dtype=F64)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999), width=st.floats(0.2, 0.8))
def test_the_blurred_pair_satisfies_the_continuity_equation(seed, width):
    """d_t rho by a difference in time against -div j by differences in space: two ways that share only the blur."""
    x, v = _cloud(seed)
    step = 1e-4
    grid = torch.linspace(-2, 2, 9, dtype=F64)

    def at(shift_x=0.0, shift_y=0.0, t=0.0):
        return blurred(x + t * v, v, grid + shift_x, grid + shift_y, width)

    change = (at(t=step)[0] - at(t=-step)[0]) / (2 * step)
    along = (at(shift_x=step)[1][..., 0] - at(shift_x=-step)[1][..., 0]) / (2 * step)
    across = (at(shift_y=step)[1][..., 1] - at(shift_y=-step)[1][..., 1]) / (2 * step)
    assert torch.allclose(change, -along - across, atol=1e-5)
    assert not torch.allclose(change, along + across, atol=1e-3)  # power: another sign is seen


def test_mass_is_one_and_its_flux_the_mean_velocity():
    x, v = _cloud(1)
    grid = torch.linspace(-8, 8, 161, dtype=F64)
    density, flux = blurred(x, v, grid, grid, 0.4)
    area = float(grid[1] - grid[0]) ** 2
    assert float(density.sum()) * area == pytest.approx(1, abs=1e-9)
    assert torch.allclose(flux.sum((0, 1)) * area, v.mean(0), atol=1e-9)


def test_one_particle_is_a_gaussian_of_scipy():
    from scipy.stats import multivariate_normal

    grid = torch.linspace(-1, 1, 5, dtype=F64)
    density, _ = blurred(torch.tensor([[0.3, -0.2]], dtype=F64), torch.zeros(1, 2, dtype=F64), grid, grid, 0.5)
    places = torch.stack(torch.meshgrid(grid, grid, indexing="xy"), -1)
    assert torch.allclose(density, torch.as_tensor(multivariate_normal([0.3, -0.2], 0.25).pdf(places)))


@pytest.mark.parametrize(("count", "width"), [(0, 0.5), (3, 0.0), (3, float("nan"))])
def test_what_cannot_be_blurred_says_so(count, width):
    grid = torch.linspace(-1, 1, 3, dtype=F64)
    with pytest.raises(InvalidValue, match="must be above 0"):
        blurred(torch.zeros(count, 2, dtype=F64), torch.zeros(count, 2, dtype=F64), grid, grid, width)
