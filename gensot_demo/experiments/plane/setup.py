"""What every transport method is given: target, source, noise and settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.targets import Target

from .motion import Motion

GAUSSIAN = "Gaussian"  # the label of the source that noise itself is
SIGMA_RANGE = (80.0, 0.01)  # noise levels of the flows: from nearly nothing known to nearly everything
NOISE_DEPTH = 13  # cells of 1/128 octave: narrower than a step of 500


@dataclass(frozen=True, eq=False)
class Source:
    """Where particles start. mixture: None for a point.  place: its mean (2,)."""

    label: str
    mixture: GaussianMixture | None
    place: Tensor

    @property
    def is_point(self) -> bool:
        return self.mixture is None


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that determines a motion. start (n, 2): where the particles are at t = 0.

    noise, later: what the particles meet, and what is left of it for those whose start was made of its beginning.
    draws (n, 2): of the target, for the couplings.  trusts: (condition, trust) for guided methods.
    """

    target: Target
    source: Source
    start: Tensor
    draws: Tensor
    noise: SharedNoise
    later: SharedNoise
    steps: int
    stiffness: float
    temperature: float
    amplitude: float
    guide: Tensor
    solver: str
    flow_solver: str
    trusts: tuple[tuple[str, float], ...] = ()

    @property
    def stand_in(self) -> float:
        """The target's variance per coordinate."""
        return self.target.mixture.covariance_trace() / 2


Moving = Iterator["float | Motion"]
