"""GenSOT as a diffusers scheduler.

The variable that the pipeline carries is the network's own input u at the noise level in question, so every pipeline
works, whether it calls ``scale_model_input`` or not. The path's state x is kept here; u is an affine function of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import ConfigMixin, DDPMScheduler, SchedulerMixin
from diffusers.configuration_utils import register_to_config
from diffusers.schedulers.scheduling_utils import KarrasDiffusionSchedulers
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from gensot_demo.backbones.pipelines.predictions import PREDICTION_TYPES, predicted_state
from gensot_demo.backbones.pipelines.schedules import NoiseTable
from gensot_demo.transport.errors import InvalidValue, require_number
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.harmonic import MAX_STIFFNESS, HarmonicPath, constant_protocol
from gensot_demo.transport.paths import PathPoints

from .carried import CarriedPath

SPACINGS = ("noise_levels", "path_time")
_SMALLEST, _LARGEST = 1e-6, 1e6
_LEAST_SIGNAL = 2.0**-24  # of a table that ends in pure noise (zero terminal signal): its last level is 4096, not inf
_TABLE_FIELDS = (
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "rescale_betas_zero_snr",
)  # fmt: skip
Generators = torch.Generator | list[torch.Generator] | None


@dataclass
class GenSOTSchedulerOutput(BaseOutput):
    """prev_sample: the network's next input, in the end the sample (n, ...).  pred_original_sample: predicted state."""

    prev_sample: Tensor
    pred_original_sample: Tensor | None = None


class GenSOTScheduler(SchedulerMixin, ConfigMixin):
    """Guided harmonic path-integral diffusion for variance-preserving diffusers pipelines (DDPM, DDIM, DiT, SD, SDXL).

    ``pipe.scheduler = GenSOTScheduler.from_config(pipe.scheduler.config, reference_noise=0.5)`` takes over the
    network's noise table. The stochastic dynamics is the exact bridge step, the other one the deterministic step, of
    :mod:`gensot_demo.transport.samplers` along the harmonic path of a constant protocol.

    What changes the result: :meth:`set_reference` (the soft end: exact posterior sampling given a noisy view of a
    latent), ``stochastic``, the number and spacing of the noise levels. What does not: with ``spacing="noise_levels"``
    the protocol (stiffness, guide, temperature) only changes the path's state :attr:`path_state` on the way, never the
    pictures; with ``spacing="path_time"`` it decides at which noise levels the steps are. Path-integral weights need
    populations of particles and are not here.

    Args:
        num_train_timesteps, beta_start, beta_end, beta_schedule, trained_betas, rescale_betas_zero_snr: the network's
            noise table, as in ``DDPMScheduler``.
        prediction_type: "epsilon", "v_prediction" or "sample".
        clip_sample, clip_sample_range: clip the predicted state to [-range, range]; for pixels, not latents.
        thresholding, dynamic_thresholding_ratio, sample_max_value: dynamic thresholding, as in ``DDPMScheduler``.
        stiffness: of the protocol, 0 to 1e6.
        guide: what the path is drawn to and starts from: a number for all coordinates, or "reference".
        temperature: kappa of the protocol, 1e-6 to 1e6.
        reference_noise: standard deviation per coordinate, 1e-6 to 1e6, of the view that the reference is.
        stochastic: bridge step (True) or deterministic step (False).
        spacing: "noise_levels" (Karras et al., arXiv 2206.00364, eq. 5) or "path_time" (uniform in the path's time).
        rho: exponent of the noise levels, 1 to 100.

    With a reference the first of the network's calls asks for the mean of the law that the reference leaves: one
    call and no noise level. Pipelines that never call ``scale_model_input`` (DDPM, DDIM) cannot ask it; there the
    reference itself stands in for that mean, an error of second order in 1/sigma_max.

    Raises ValueError, with the value and its range, for anything outside these.
    Sources: Chertkov, arXiv 2512.11859 (GH-PID); Behjoo & Chertkov, arXiv 2409.15166 (H-PID); docs/FORMULAS.md 1.2-1.6.
    """

    _compatibles = [e.name for e in KarrasDiffusionSchedulers]  # noqa: RUF012
    order = 1
    init_noise_sigma = 1.0

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 0.0001,
        beta_end: float = 0.02,
        beta_schedule: str = "linear",
        trained_betas: list[float] | None = None,
        prediction_type: str = "epsilon",
        clip_sample: bool = False,
        clip_sample_range: float = 1.0,
        thresholding: bool = False,
        dynamic_thresholding_ratio: float = 0.995,
        sample_max_value: float = 1.0,
        rescale_betas_zero_snr: bool = False,
        stiffness: float = 50.0,
        guide: float | str = "reference",
        temperature: float = 1.0,
        reference_noise: float = 1.0,
        stochastic: bool = True,
        spacing: str = "noise_levels",
        rho: float = 7.0,
    ):
        if prediction_type not in PREDICTION_TYPES:
            raise InvalidValue(f"prediction_type is {prediction_type!r}; it must be one of {PREDICTION_TYPES}.")
        if spacing not in SPACINGS:
            raise InvalidValue(f"spacing is {spacing!r}; it must be one of {SPACINGS}.")
        if isinstance(guide, str) and guide != "reference":
            raise InvalidValue(f"guide is {guide!r}; it must be a number or 'reference'.")
        if guide != "reference":
            require_number("guide", guide, -_LARGEST, _LARGEST)
        for name, value in (("temperature", temperature), ("reference_noise", reference_noise)):
            require_number(name, value, _SMALLEST, _LARGEST)
        require_number("rho", rho, 1.0, 100.0)
        require_number("stiffness", stiffness, 0.0, MAX_STIFFNESS)
        # for a guide that is c times a vector and a start at the guide, the shift is c times this path's
        self._path = HarmonicPath(constant_protocol(stiffness, torch.ones(1), torch.ones(1).double(), temperature))
        self._table = _noise_table(self.config)
        self._reference: Tensor | None = None
        self._mean: Tensor | None = None
        self._forget()

    def _forget(self) -> None:
        self.num_inference_steps: int | None = None
        self._carried: CarriedPath | None = None
        self.timesteps = torch.arange(self.config.num_train_timesteps - 1, -1, -1)
        self._restart()

    def _restart(self) -> None:
        self._step_index: int | None = None
        self._begin_index: int | None = None
        self._state: Tensor | None = None  # x at the current row
        self._emitted: Tensor | None = None  # the network's input that was made of it
        self._given: Tensor | None = None  # the pipeline's noise, and what scale_model_input made of it
        self._scaled: Tensor | None = None

    def set_reference(self, reference: Tensor | None) -> None:
        """Sample p(y) N(y; reference, reference_noise^2) from now on; None samples p(y).

        reference: (c, h, w) or (1, c, h, w), in the pipeline's latent scale (pixels: -1 to 1). It is not part of the
        config. Call it before the pipeline. Source: docs/FORMULAS.md 1.6, soft end.
        """
        self._reference = _single("reference", reference)
        self._forget()

    def set_mean(self, mean: Tensor | None) -> None:
        """Start around ``mean`` (c, h, w), an estimate of E[y], instead of 0; not used with a reference, which
        asks the network. The error of a wrong mean is of second order in 1/sigma_max (docs/FORMULAS.md 1.3)."""
        self._mean = _single("mean", mean)
        self._forget()

    @property
    def grid(self) -> PathPoints | None:
        """Rows of the path of one coordinate whose guide is 1 (S + 1), its end last; None before set_timesteps."""
        return None if self._carried is None else self._carried.grid

    @property
    def sigmas(self) -> Tensor | None:
        """Noise levels of the path where the network is asked (S,), and 0; None before :meth:`set_timesteps`."""
        return None if self.grid is None else torch.cat([self.grid.sigma[:-1], torch.zeros(1, dtype=torch.float64)])

    @property
    def path_state(self) -> Tensor | None:
        """The path's state x_t (n, ...), float32, at ``grid.t[row]``; None before the start. What the guide moves."""
        return self._state

    @property
    def step_index(self) -> int | None:
        """Index of the current timestep; None before the first step."""
        return self._step_index

    @property
    def begin_index(self) -> int | None:
        """Index of the first timestep, set by pipelines that start in the middle."""
        return self._begin_index

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Tell the scheduler, before the loop, where the pipeline starts."""
        self._begin_index = begin_index

    def __len__(self) -> int:
        return self.config.num_train_timesteps

    @property
    def _opening(self) -> int:
        """Network calls before the first noise level."""
        return 0 if self._reference is None else 1

    def set_timesteps(
        self,
        num_inference_steps: int | None = None,
        device: torch.device | str | None = None,
        timesteps: Sequence[float] | None = None,
        sigmas: Sequence[float] | None = None,
    ) -> None:
        """Where the network will be asked: so many calls, or the noise levels or timesteps given, which must fall.

        num_inference_steps: 2 to num_train_timesteps.  sigmas: within the network's table (a last 0 is left out).
        With a reference one more timestep, the opening, precedes the levels; it counts in ``num_inference_steps``.
        """
        if num_inference_steps is not None and sigmas is None and timesteps is None:
            most = self.config.num_train_timesteps
            if not 2 <= num_inference_steps <= most:
                raise InvalidValue(f"num_inference_steps is {num_inference_steps}; it must be from 2 to {most}.")
            grid = self._spaced(num_inference_steps - self._opening)
        elif (sigmas is None) == (timesteps is None):
            raise InvalidValue("set_timesteps needs one of num_inference_steps, timesteps and sigmas.")
        else:
            if sigmas is None:
                sigmas = self._table.sigmas(torch.as_tensor(timesteps, dtype=torch.float64))
            grid = at_noise_levels(self._path, self._checked(sigmas))
        self._restart()
        guide = self.config.guide
        if guide == "reference":
            guide = 0.0 if self._reference is None else self._reference
        noise = self.config.reference_noise
        self._carried = CarriedPath(grid, self._table, self._reference, noise, guide)
        self.num_inference_steps = len(grid) - 1 + self._opening
        information = torch.exp(grid.log_K[:-1])
        if self._reference is not None:
            information = torch.cat([information.new_zeros(1), information]) + noise**-2
        times = self._table.timesteps(torch.log(information))
        self.timesteps = times.to(dtype=torch.float32, device=device)

    def _spaced(self, steps: int) -> PathPoints:
        levels = noise_levels(steps, self._table.sigma_max, self._table.sigma_min, self.config.rho)
        if self.config.spacing == "path_time" and steps > 1:
            first, last = self._path.times_of_sigma(levels[[0, -1]]).tolist()
            levels = self._path.at(torch.linspace(first, last, steps, dtype=torch.float64)).sigma
        return at_noise_levels(self._path, levels)

    def _checked(self, sigmas: Sequence[float]) -> Tensor:
        levels = torch.as_tensor(sigmas, dtype=torch.float64).reshape(-1)
        levels = levels[:-1] if len(levels) > 1 and levels[-1] == 0 else levels
        low, high = self._table.sigma_min, self._table.sigma_max
        slack = 1e-3  # published lists of levels are rounded
        inside = (levels >= low * (1 - slack)) & (levels <= high * (1 + slack))
        if len(levels) == 0 or not bool(inside.all() and (levels.diff() < 0).all()):
            raise InvalidValue(f"sigmas is {levels.tolist()}; the levels must fall within {low:.4g} to {high:.4g}.")
        return levels

    def scale_model_input(self, sample: Tensor, timestep: float | Tensor | None = None) -> Tensor:
        """The network's input (n, ...): the pipeline's noise placed around the mean at the start, then the sample."""
        if self._index(timestep) > 0 or self.num_inference_steps is None:
            return sample
        if sample is self._scaled:
            return sample
        if self._opening:
            scaled = self._carried.mean_input(sample)[0]
        else:
            scaled = self._carried.asked(0, self._carried.started(sample, self._mean))[0]
        self._given, self._scaled = sample, scaled.to(sample.dtype)
        return self._scaled

    def step(
        self,
        model_output: Tensor,
        timestep: float | Tensor,
        sample: Tensor,
        eta: float | None = None,
        use_clipped_model_output: bool | None = None,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> GenSOTSchedulerOutput | tuple[Tensor, Tensor]:
        """One step of the dynamics.

        model_output: (n, c, ...), or (n, 2c, ...) of a network that also learnt its variance.  sample: (n, c, ...),
        what the last step returned, possibly changed by a callback.  eta: must be 0 or None, ``stochastic`` decides.
        use_clipped_model_output: always so, since the step is made of the predicted state alone.
        """
        if self.num_inference_steps is None:
            raise InvalidValue("num_inference_steps is None; call set_timesteps first, and again after set_reference.")
        if eta:
            raise InvalidValue(f"eta is {eta}; it must be 0: GenSOTScheduler takes stochastic=True or False instead.")
        index = self._index(timestep)
        if index >= self.num_inference_steps:
            raise InvalidValue(f"step {index} was asked of {self.num_inference_steps}; call set_timesteps again.")
        sample = self._given if sample is self._scaled else sample
        row = index - self._opening
        if row < 0:
            x, predicted = self._open(model_output, sample)
        else:
            x, predicted = self._advance(row, model_output, sample, generator)
        self._step_index, self._state, self._given, self._scaled = index + 1, x, None, None
        emitted = x if row + 1 == self._carried.end else self._carried.asked(row + 1, x)[0]
        self._emitted = emitted.to(sample.dtype)
        if not return_dict:
            return self._emitted, predicted.to(sample.dtype)
        return GenSOTSchedulerOutput(self._emitted, predicted.to(sample.dtype))

    def _open(self, model_output: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """(x, mean of the law) at the first noise level, from the pipeline's noise."""
        if self._scaled is None:  # the pipeline asked the network about its noise: not our question
            mean = self._reference.to(noise.device, torch.float32).expand(noise.shape)
        else:
            given, a, m = self._carried.mean_input(noise)
            mean = self._predicted(model_output, given.to(noise.dtype), a, m)
        return self._carried.started(noise, mean), mean

    def _advance(self, row: int, model_output: Tensor, sample: Tensor, generator: Generators) -> tuple[Tensor, Tensor]:
        """(x at the next row, predicted state) from the answer at ``row``."""
        given = sample
        if row == 0 and self._opening == 0:  # the pipeline's noise
            x = self._carried.started(sample, self._mean)
            image, a, m = self._carried.asked(row, x)
            given = sample if self._scaled is None else image.to(sample.dtype)
        else:
            kept = self._state is not None and self._state.shape == sample.shape
            pair = (self._state, self._emitted) if kept else (None, None)
            x = self._carried.state(row, sample, *pair)  # moved by what a callback did to its image
            _, a, m = self._carried.asked(row, x)
        predicted = self._predicted(model_output, given, a, m)

        def draw() -> Tensor:
            like = {"device": x.device, "dtype": model_output.dtype}
            return randn_tensor(x.shape, generator=generator, **like).to(x.dtype)

        return self._carried.advanced(row, x, predicted, draw if self.config.stochastic else None), predicted

    def _predicted(self, output: Tensor, given: Tensor, a: float, m: float) -> Tensor:
        output = output[:, : given.shape[1]] if output.shape[1] == 2 * given.shape[1] else output
        predicted = predicted_state(self.config.prediction_type, output.float(), given.float(), a, m)
        if self.config.thresholding:
            return DDPMScheduler._threshold_sample(self, predicted)
        reach = self.config.clip_sample_range
        return predicted.clamp(-reach, reach) if self.config.clip_sample else predicted

    def _index(self, timestep: float | Tensor | None) -> int:
        """Index of the current step: counted, or at the start looked up (timesteps may repeat)."""
        if self._step_index is not None:
            return self._step_index
        if self._begin_index is not None:
            return self._begin_index
        if timestep is None:
            return 0
        found = (self.timesteps.cpu() == torch.as_tensor(timestep).cpu()).nonzero()
        return int(found[0]) if len(found) else 0

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """The network's input for known samples (n, ...) with noise (n, ...).

        Within a run (a begin index is set) at the current step, tilted by the reference as the loop expects it;
        otherwise, for training, a y + m eps at the table's ``timesteps`` (n,).
        """
        if self._begin_index is None or self.num_inference_steps is None:
            sigma = self._table.sigmas(timesteps.cpu()).to(noise.device)
            sigma = sigma.reshape(-1, *(1,) * (noise.dim() - 1))
            size = torch.hypot(torch.ones_like(sigma), sigma)
            return (1 / size).to(noise.dtype) * original_samples + (sigma / size).to(noise.dtype) * noise
        row = self._index(None) - self._opening
        if row < 0:
            return noise
        if row >= self._carried.end:
            return original_samples
        return self._carried.noisy(row, original_samples, noise).to(noise.dtype)


def _noise_table(config: Mapping[str, Any]) -> NoiseTable:
    """The table of a variance-preserving scheduler config, its last level finite: the steps start there.

    It is computed from the betas: in diffusers' float32 ``alphas_cumprod`` the lowest levels have three digits left.
    Raises InvalidValue for an unknown beta_schedule and for levels that do not rise.
    """
    try:
        betas = DDPMScheduler(**{name: config[name] for name in _TABLE_FIELDS}).betas
    except NotImplementedError:
        raise InvalidValue(f"beta_schedule is {config['beta_schedule']!r}, which diffusers does not know.") from None
    signal = torch.cumprod(1 - betas.double(), 0)
    if signal[-1] == 0.0:
        signal[-1] = min(_LEAST_SIGNAL, float(signal[-2]) / 4)
    return NoiseTable.of_signal(signal)


def _single(name: str, value: Tensor | None) -> Tensor | None:
    if value is None:
        return None
    value = value[0] if value.dim() == 4 and len(value) == 1 else value
    if not bool(torch.isfinite(value).all()):
        raise InvalidValue(f"the {name} has values that are not finite numbers.")
    return value.detach()
