"""What is asked of sampling that starts later: the model, where it starts, how many calls, and how it is measured."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gensot_demo.backbones.embedded import training_pictures

from .. import limits
from ..requests import one_of

MODELS = {"network": "Emoji network", "truth": "Exact, of its training pictures"}
FINISHES = {"ddim": "DDIM", "dpm": "DPM-Solver++", "heun": "Heun"}
BUDGETS = (2, 3, 5, 10, 20, 50)
ANY = "any"
"""No class: pictures of all of them."""


class LaterStartRequest(BaseModel):
    """Samples that start from noise, and samples that start later, at equal calls. Link version 1.

    pictures: of a class, or any.  signal: per cent of the variance of the later start that is picture; 100
    would leave nothing to sample.  calls: of the model for one sample, the same for every method.  tau: smoothing of
    the jump, in units of how far pictures' scores spread.  finish: what samples on after a jump.  stiffness: of
    GenSOT's path.  samples: on the wall, a seed each from ``seed`` on.  draws, budgets: of the measurement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Literal["network", "truth"] = "network"
    pictures: str = ANY
    signal: Annotated[float, Field(ge=0.1, le=99)] = 5.0
    calls: Annotated[int, Field(ge=2, le=50)] = 10
    tau: Annotated[float, Field(ge=0, le=1)] = 0.2
    finish: Literal["ddim", "dpm", "heun"] = "dpm"
    stiffness: Annotated[float, Field(ge=0, le=200)] = 10.0
    samples: Annotated[int, Field(ge=1, le=8)] = 6
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED)] = 0
    draws: Annotated[int, Field(ge=16, le=256)] = 64
    budgets: tuple[int, ...] = (2, 3, 5, 10, 20)

    @field_validator("pictures")
    @classmethod
    def _a_class(cls, name: str) -> str:
        return one_of("class", name, (ANY, *training_pictures().classes))

    @field_validator("budgets")
    @classmethod
    def _some_budgets(cls, budgets: tuple[int, ...]) -> tuple[int, ...]:
        if not budgets:
            raise ValueError(f"no number of calls is chosen; choose of {_listed()}.")
        for calls in budgets:
            if calls not in BUDGETS:
                raise ValueError(f"{calls} calls cannot be measured; choose of {_listed()}.")
        return tuple(sorted(set(budgets)))

    @property
    def sigma(self) -> float:
        """The noise level of the later start, in z = y + sigma eps: signal share v / (v + sigma^2)."""
        return sigma_of(self.signal)

    @property
    def label(self) -> int | None:
        """The class's number, None for any."""
        return None if self.pictures == ANY else training_pictures().classes.index(self.pictures)

    def of_wall(self) -> LaterStartRequest:
        """What the wall depends on: the measurement's own settings are the default's."""
        return self.model_copy(update={name: type(self).model_fields[name].default for name in ("draws", "budgets")})

    def same_run(self, other: LaterStartRequest) -> bool:
        """Whether both are of the same settings but for how much is drawn and measured."""
        return self.of_wall().of_calls() == other.of_wall().of_calls()

    def of_calls(self) -> LaterStartRequest:
        """What the measurement depends on: the wall's own settings are the default's."""
        return self.model_copy(update={name: type(self).model_fields[name].default for name in ("calls", "samples")})


def sigma_of(signal: float) -> float:
    """The noise level at which ``signal`` per cent of the state's variance are picture."""
    return math.sqrt(training_pictures().variance() * (100 / signal - 1))


def _listed() -> str:
    return ", ".join(map(str, BUDGETS))
