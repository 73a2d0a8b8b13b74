"""A scheduler's table of noise levels as a probability path, and the grid that the pipeline itself would walk.

Models of discrete time know T noise levels, one per timestep. Between two of them log SNR is linear in the timestep
(where the upper level is pure noise, a/m is); below the lowest, sigma falls linearly to 0. Flow models have
a = 1 - s, m = s at every s: they need no table, their path is :class:`~gensot_demo.transport.paths.CondOTPath`.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.paths import CondOTPath, PathPoints, SchedulePath

_CLOSEST = 1e-9  # neighbouring rows of a grid differ by more than this in log K


class NoiseTable:
    """log K = log SNR of timesteps 0 .. T-1, strictly falling; the last may be -inf (zero terminal SNR).

    log_levels: (T,) float64 on the CPU, T at least 2. Raises InvalidValue where they do not fall strictly.
    """

    def __init__(self, log_levels: Tensor):
        levels = torch.as_tensor(log_levels, dtype=torch.float64)
        if len(levels) < 2 or not bool((levels[1:] < levels[:-1]).all()) or not bool(torch.isfinite(levels[0])):
            raise InvalidValue("the scheduler's noise levels must rise strictly with the timestep.")
        self.log_levels = levels

    @classmethod
    def of_signal(cls, squares: Tensor) -> NoiseTable:
        """From a^2 of each timestep (T,), in [0, 1), with m^2 = 1 - a^2."""
        squares = torch.as_tensor(squares, dtype=torch.float64).cpu()
        return cls(torch.log(squares) - torch.log1p(-squares))

    @classmethod
    def of_scheduler(cls, scheduler: Any) -> NoiseTable:
        """From a diffusers scheduler's ``alphas_cumprod`` = a^2."""
        return cls.of_signal(scheduler.alphas_cumprod)

    @property
    def last(self) -> int:
        """The largest timestep, T - 1."""
        return len(self.log_levels) - 1

    @property
    def sigma_min(self) -> float:
        """The lowest noise level m/a, of timestep 0."""
        return math.exp(-0.5 * float(self.log_levels[0]))

    @property
    def sigma_max(self) -> float:
        """The highest noise level m/a, of timestep T - 1; inf where that is pure noise."""
        return math.exp(-0.5 * float(self.log_levels[-1]))

    def timesteps(self, log_K: Tensor) -> Tensor:
        """Timesteps (S,), float64 in [0, T-1], at which log SNR is ``log_K`` (S,); exact at the table's own levels."""
        levels = self.log_levels
        below = torch.searchsorted(-levels, -log_K.double().clamp(levels[-1], levels[0]), right=True) - 1
        left = below.clamp(0, self.last - 1)
        upper, lower = levels[left], levels[left + 1]
        share = torch.where(torch.isinf(lower), 1 - torch.exp(0.5 * (log_K - upper)), (upper - log_K) / (upper - lower))
        return left + share.clamp(0, 1)

    def sigmas(self, timesteps: Tensor) -> Tensor:
        """Noise levels (S,), float64, of real-valued timesteps (S,) clipped to [0, T-1]."""
        return 1 / self.information_root(timesteps.double().clamp(0, self.last))[0]

    def information_root(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """(r, dr/dtimestep) with r = a/m = 1/sigma at timesteps (S,) in (-1, T-1]; r = inf at -1."""
        levels = self.log_levels
        left = timesteps.floor().long().clamp(0, self.last - 1)
        share = timesteps - left
        upper, lower = levels[left], levels[left + 1]
        top = torch.exp(0.5 * upper)
        fall = torch.where(torch.isinf(lower), 0.0, lower - upper)
        r, dr = torch.exp(0.5 * (upper + share * fall)), 0.5 * fall
        slope = r * dr
        linear = torch.isinf(lower)
        r, slope = torch.where(linear, (1 - share) * top, r), torch.where(linear, -top, slope)
        clean = timesteps < 0  # sigma = sigma_0 (1 + timestep)
        floor = torch.exp(0.5 * levels[0]) / (1 + timesteps)
        return torch.where(clean, floor, r), torch.where(clean, -floor / (1 + timesteps), slope)


class SchedulerPath(SchedulePath):
    """A variance-preserving path, a^2 + m^2 = 1, through the noise levels of a :class:`NoiseTable`.

    Time runs from 0 at the last timestep T - 1 to 1 at no noise, linearly in the timestep; one timestep is 1/T.
    """

    name = "Model's own"

    def __init__(self, table: NoiseTable):
        self.table = table

    def time(self, timesteps: Tensor) -> Tensor:
        """Times (S,) of timesteps (S,) from -1, the clean end, to T - 1."""
        return (self.table.last - timesteps) / (self.table.last + 1)

    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        count = self.table.last + 1
        timesteps = self.table.last - t * count
        nearest = timesteps.round()
        timesteps = torch.where((timesteps - nearest).abs() < _CLOSEST, nearest, timesteps)
        r, slope = self.table.information_root(timesteps.clamp(min=-1 + 1e-12))
        m = (1 + r**2).rsqrt()
        a, dr = r * m, -count * slope
        # dr grows like r^2 towards the clean end, where a' -> 0 and m' is finite
        da, dm = m**3 * dr, -a * m**2 * dr
        clean = t == 1
        return torch.where(clean, 1.0, a), torch.where(clean, 0.0, da), torch.where(clean, 0.0, m), dm


def own_grid(pipeline: Any, steps: int, tokens: int) -> PathPoints:
    """The timesteps that the pipeline itself would use, as rows of its path; the last row is where its scheduler ends.

    tokens: image tokens of a flow transformer, on which some models' shift of the levels depends. Repeated levels
    (multistep warm-up) are left out. Raises InvalidValue for steps out of range.
    """
    if not 1 <= steps <= 1000:
        raise InvalidValue(f"steps is {steps}; it must be a whole number from 1 to 1000.")
    scheduler = copy.deepcopy(pipeline.scheduler)  # schedulers keep a place; other runs must not lose theirs
    if is_flow(scheduler):
        _set_flow_levels(pipeline, scheduler, steps, tokens)
        s = scheduler.sigmas.double().cpu()
        return CondOTPath().at(1 - _strictly_falling(s))
    path = SchedulerPath(NoiseTable.of_scheduler(scheduler))
    scheduler.set_timesteps(steps)
    timesteps = torch.as_tensor(scheduler.timesteps, dtype=torch.float64).cpu().clamp(0, path.table.last)
    end = _end_timestep(scheduler, path.table, timesteps, steps)
    return path.at(path.time(_strictly_falling(torch.cat([timesteps, end]))))


def is_flow(scheduler: Any) -> bool:
    """Whether a scheduler walks along x = (1 - s) y + s eps."""
    return type(scheduler).__name__.startswith("FlowMatch")


def _end_timestep(scheduler: Any, table: NoiseTable, timesteps: Tensor, steps: int) -> Tensor:
    """(1,) timestep at which the last step lands; -1 is no noise."""
    if isinstance(getattr(scheduler, "sigmas", None), Tensor):
        sigma = float(scheduler.sigmas[-1])
    else:
        previous = int(timesteps[-1]) - (table.last + 1) // steps
        final = float(torch.as_tensor(getattr(scheduler, "final_alpha_cumprod", 1.0)))
        sigma = 0.0 if final >= 1.0 else math.sqrt((1 - final) / final)
        if previous >= 0:
            return torch.tensor([float(previous)], dtype=torch.float64)
    if sigma < table.sigma_min * (1 - 1e-6):
        return torch.tensor([sigma / table.sigma_min - 1], dtype=torch.float64)
    return table.timesteps(torch.tensor([-2 * math.log(sigma)], dtype=torch.float64))


def _set_flow_levels(pipeline: Any, scheduler: Any, steps: int, tokens: int) -> None:
    """As the flow pipelines call their scheduler: Flux hands over levels, both may shift them by the picture's size."""
    config = scheduler.config
    most = 1.15 if type(pipeline).__name__ == "FluxPipeline" else 1.16
    options: dict[str, Any] = {}
    if config.get("use_dynamic_shifting"):
        base, large = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        low, high = config.get("base_shift", 0.5), config.get("max_shift", most)
        options["mu"] = low + (tokens - base) * (high - low) / (large - base)
    if type(pipeline).__name__ == "FluxPipeline" and not config.get("use_flow_sigmas"):
        options["sigmas"] = np.linspace(1.0, 1 / steps, steps)
        scheduler.set_timesteps(**options)
    else:
        scheduler.set_timesteps(steps, **options)


def _strictly_falling(values: Tensor) -> Tensor:
    """The values (S,) without those that do not fall below all before them."""
    kept = [0]
    for index in range(1, len(values)):
        if values[index] < values[kept[-1]] - _CLOSEST:
            kept.append(index)
    return values[kept]
