"""The samplers by name, with what a person needs to know to choose one."""

from __future__ import annotations

from dataclasses import dataclass

from .averaged import averaged_step
from .samplers import Sampler, bridge_step, deterministic_step, euler_maruyama, heun


@dataclass(frozen=True)
class SamplerChoice:
    """name: as in URLs.  label: plain words.  stochastic: adds noise on the way.  calls_per_step: of the oracle."""

    name: str
    label: str
    run: Sampler
    stochastic: bool
    calls_per_step: int = 1


SAMPLERS = {
    choice.name: choice
    for choice in (
        SamplerChoice("averaged", "Stochastic, second order (averaged noise)", averaged_step, True),
        SamplerChoice("bridge", "Stochastic, exact bridge step", bridge_step, True),
        SamplerChoice("euler", "Stochastic, Euler-Maruyama", euler_maruyama, True),
        SamplerChoice("deterministic", "Deterministic, DDIM-like step", deterministic_step, False),
        SamplerChoice("heun", "Deterministic, Heun (two calls a step)", heun, False, 2),
    )
}
