"""The request of a transport in the plane: frozen, validated, picklable; spoken by page, API, CLI and link."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.targets import FARTHEST, SOFT_LABELS, TARGETS, Target, named_target

from .. import limits
from ..requests import one_of, sentences
from .methods import METHODS

OWN_TARGETS = ("modes", "points")  # drawn by the person, or from a file
SOURCES = ("point", "gaussian", *TARGETS)
STOCHASTIC = tuple(name for name, choice in SAMPLERS.items() if choice.stochastic)
DETERMINISTIC = tuple(name for name, choice in SAMPLERS.items() if not choice.stochastic)
SHOWN = ("target", "trails", "density", "field", "guide", "pairing")
VARIED = ("nothing", "stiffness", "temperature", "steps", "trust")
MOST_PANELS = 6
MOST_MODES = 12
MOST_POINTS = 2000
MOST_GUIDE_POINTS = 200
DEFAULT_METHODS = ("diffusion_sde", "flow_matching", "optimal_transport", "gensot_straight", "gensot_s")

Number = Annotated[float, Field(allow_inf_nan=False)]
Place = tuple[Number, Number]


class TransportRequest(BaseModel):
    """Move particles from a source to a target by several methods, with the same noise. Version 1 of the link format.

    modes: drawn ones, (x, y, standard deviation, weight) each, for the target "modes".  points: for "points".
    guide: a drawn curve for the method "gensot_drawn".  condition, trust and their second: for the guided methods.
    vary, values: run every chosen method once for each value of one setting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = "two_modes"
    modes: tuple[tuple[Number, Number, Number, Number], ...] = Field((), max_length=MOST_MODES)
    points: tuple[Place, ...] = Field((), max_length=MOST_POINTS, repr=False)
    source: str = "gaussian"
    methods: tuple[str, ...] = DEFAULT_METHODS
    guide: tuple[Place, ...] = Field((), max_length=MOST_GUIDE_POINTS, repr=False)
    stiffness: Annotated[float, Field(ge=0, le=1000, title="Stiffness")] = 20.0
    temperature: Annotated[float, Field(ge=0.1, le=4, title="Temperature")] = 1.0
    amplitude: Annotated[float, Field(ge=0, le=4, title="Amplitude of the V and S guides")] = 1.5
    condition: str = ""
    trust: Annotated[float, Field(ge=0, le=limits.MAX_TRUST, title="Trust")] = 3.0
    second_condition: str = ""
    second_trust: Annotated[float, Field(ge=0, le=limits.MAX_TRUST, title="Second trust")] = 1.0
    steps: Annotated[int, Field(ge=2, le=500, title="Steps")] = 100
    particles: Annotated[int, Field(ge=50, le=4000, title="Particles")] = 2000
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 7
    solver: str = "bridge"
    flow_solver: str = "heun"
    vary: Literal[VARIED] = "nothing"
    values: tuple[Number, ...] = Field((), max_length=MOST_PANELS)
    show: tuple[str, ...] = ("target", "trails", "guide")

    @field_validator("target")
    @classmethod
    def _known_target(cls, name: str) -> str:
        return one_of("target", name, (*TARGETS, *OWN_TARGETS))

    @field_validator("source")
    @classmethod
    def _known_source(cls, name: str) -> str:
        return one_of("source", name, SOURCES)

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("no method is chosen; switch on at least one.")
        for name in names:
            one_of("method", name, tuple(METHODS))
        return tuple(name for name in METHODS if name in names)

    @field_validator("values")
    @classmethod
    def _each_once(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(dict.fromkeys(values))

    @field_validator("show")
    @classmethod
    def _known_layers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            one_of("layer", name, SHOWN)
        return tuple(name for name in SHOWN if name in names)

    @field_validator("solver")
    @classmethod
    def _stochastic_solver(cls, name: str) -> str:
        return one_of("solver of the stochastic methods", name, STOCHASTIC)

    @field_validator("flow_solver")
    @classmethod
    def _deterministic_solver(cls, name: str) -> str:
        return one_of("solver of the flows", name, DETERMINISTIC)

    @field_validator("guide")
    @classmethod
    def _guide_in_reach(cls, places: tuple[Place, ...]) -> tuple[Place, ...]:
        for x, y in places:
            if max(abs(x), abs(y)) > FARTHEST:
                raise ValueError(f"the guide passes ({x:g}, {y:g}); coordinates go from -{FARTHEST:g} to {FARTHEST:g}.")
        return places

    @model_validator(mode="after")
    def _fits_together(self) -> TransportRequest:
        if self.target == "modes" and not self.modes:
            raise ValueError("the drawing is empty: add at least one mode, or choose a target.")
        if self.target == "points" and not self.points:
            raise ValueError("the drawing is empty: add at least one point, or choose a target.")
        if "gensot_drawn" in self.methods and not self.guide:
            raise ValueError("no guide is drawn: draw one, or switch off GenSOT with the drawn guide.")
        if self.vary != "nothing":
            self._check_values()
        panels = len(self.methods) * self.variants
        if panels > MOST_PANELS:
            raise ValueError(
                f"{len(self.methods)} methods with {self.variants} values each make {panels} panels; "
                f"at most {MOST_PANELS} are shown."
            )
        known = tuple(named_target(self.target).conditions) if self.target in TARGETS else SOFT_LABELS
        for name in (self.condition, self.second_condition):
            if name:
                one_of("condition", name, known)
        return self

    def _check_values(self) -> None:
        if not self.values:
            raise ValueError(f"no values of {self.vary} are given; write them as in 5, 20, 50.")
        for value in self.values:
            try:
                self.with_value(self.vary, value)
            except ValidationError as error:
                raise ValueError(sentences(error, TransportRequest)) from None

    @property
    def variants(self) -> int:
        return 1 if self.vary == "nothing" else len(self.values)

    def with_value(self, name: str, value: float) -> TransportRequest:
        """The same request with one setting changed; validated."""
        if name == "steps" and value != math.floor(value):
            raise ValueError(f"steps is {value:g}; it must be a whole number.")
        changed = {name: int(value) if name == "steps" else value, "vary": "nothing", "values": ()}
        return TransportRequest(**{**dict(self), **changed})

    def trusts(self, target: Target) -> tuple[tuple[str, float], ...]:
        """(condition, trust) pairs that ask for something; the target's first label when none is chosen."""
        first = self.condition or ("label" if "label" in target.conditions else "right")
        pairs = [(first, self.trust), (self.second_condition, self.second_trust)]
        return tuple((name, trust) for name, trust in pairs if name and trust != 0)


def thinned(rows: Sequence, most: int) -> list:
    """At most ``most`` of the rows, evenly chosen, both ends among them."""
    if len(rows) <= most:
        return list(rows)
    return [rows[round(n * (len(rows) - 1) / (most - 1))] for n in range(most)]
