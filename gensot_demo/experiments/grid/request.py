"""The request of a grid: a comparison of one method, and one to three settings to vary; as a link and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, model_validator

from gensot_demo.experiments import limits, links
from gensot_demo.experiments.requests import CompareRequest, ConditionChoice, InvalidRequest, MethodChoice, parse

from .axes import Axis, Value, axis

PLACES = ("x", "y", "z")
_EXAMPLE = "condition=hearts&x=strength:1,2,4&y=method:cfg,gensot"


class AxisChoice(BaseModel):
    """A setting by the name of its axis, and the values that were typed for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    text: str

    @model_validator(mode="after")
    def _readable(self) -> AxisChoice:
        """Equal axes have equal names; the values are read at once."""
        object.__setattr__(self, "name", self.axis.name)
        _ = self.values
        return self

    @property
    def axis(self) -> Axis:
        return axis(self.name)

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """What was typed, read."""
        return self.axis.values(self.text, limits.GRID_CELLS)

    @property
    def shown(self) -> list[str]:
        """The values as labels."""
        return [f"{value:.6g}" if isinstance(value, float) else str(value) for value in self.values]


class GridRequest(BaseModel):
    """A cell for every combination of values. Every cell is a comparison of one method with the same noise.

    base: what all cells share, with 1 to 4 samples; of several methods only where the method is varied, for their
    settings.  x: along columns, y: along rows, z: one grid each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: CompareRequest
    x: AxisChoice
    y: AxisChoice | None = None
    z: AxisChoice | None = None

    @model_validator(mode="after")
    def _can_be_made(self) -> GridRequest:
        chosen = [choice.name for choice in self.chosen]
        twice = [name for name in chosen if chosen.count(name) > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} is varied along two axes; each can be varied along one.")
        if self.base.samples > limits.GRID_SAMPLES:
            raise ValueError(
                f"Samples is {self.base.samples}; a cell of a grid shows from 1 to {limits.GRID_SAMPLES} samples."
            )
        if len(self.base.methods) > 1 and "method" not in chosen:
            raise ValueError(
                f"There are {len(self.base.methods)} methods; a grid has one in all its cells, unless the method is "
                "varied along an axis."
            )
        if self.size > limits.GRID_CELLS:
            counts = " x ".join(str(len(choice.values)) for choice in self.chosen)
            raise ValueError(f"{counts} = {self.size:,} cells; a grid has at most {limits.GRID_CELLS}.")
        for choice in self.chosen:
            if not any(choice.axis.matters(cell) for cell in self.cells):
                raise ValueError(choice.axis.idle)
        return self

    @property
    def chosen(self) -> tuple[AxisChoice, ...]:
        """The axes that there are, x first."""
        return tuple(choice for choice in (self.x, self.y, self.z) if choice is not None)

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many values z, y and x have; 1 where there is no such axis."""
        return tuple(1 if choice is None else len(choice.values) for choice in (self.z, self.y, self.x))

    @property
    def size(self) -> int:
        """How many cells there are."""
        return math.prod(self.shape)

    def place(self, number: int) -> tuple[int, int, int]:
        """(z, y, x) of a cell, by its number in :attr:`cells`."""
        _, rows, columns = self.shape
        return number // (rows * columns), number // columns % rows, number % columns

    @cached_property
    def cells(self) -> tuple[CompareRequest, ...]:
        """The request of every cell, x fastest, then y, then z."""
        return tuple(self._cells())

    def _cells(self) -> Iterator[CompareRequest]:
        varied = [choice for choice in (self.z, self.y, self.x) if choice is not None]
        for values in product(*(choice.values for choice in varied)):
            request = self.base
            steps = sorted(zip(varied, values, strict=True), key=lambda step: step[0].axis.order)
            for choice, value in steps:
                request = choice.axis.apply(request, value)
            yield request

    @classmethod
    def first_view(cls) -> GridRequest:
        """What the page shows first: how strength changes what methods make of a class."""
        return cls(
            base=CompareRequest(
                backbone="network",
                conditions=(ConditionChoice(name="hearts"),),
                steps=15,
                samples=1,
                methods=(MethodChoice(name="cfg"),),
            ),
            x=AxisChoice(name="strength", text="1, 2, 4, 8"),
            y=AxisChoice(name="method", text="cfg, apg, cfg_zero_star, gensot*particles:4"),
        )

    @classmethod
    def about(cls, base: CompareRequest) -> GridRequest:
        """A first grid for a comparison: its methods along rows, how strongly it asks along columns."""
        varied = {"restore_noise": base.restore, "reward_amount": base.reward, "strength": base.conditions}
        name = next((name for name, asked in varied.items() if asked), "view_noise" if base.references else "steps")
        y = None
        if len(base.methods) > 1:
            y = AxisChoice(name="method", text=", ".join(map(links.method_text, base.methods)))
        base = base.model_copy(update={"samples": 1})
        return grid_of(base, x=AxisChoice(name=name, text=axis(name).example), y=y)


def to_query(request: GridRequest) -> tuple[str, list[str]]:
    """(query string without "?", notes on what does not travel)."""
    base, notes = links.to_query(request.base)
    named = zip(PLACES, (request.x, request.y, request.z), strict=True)
    fields = [f"{place}={quote(f'{choice.name}:{choice.text}', safe='*:,()[]+')}" for place, choice in named if choice]
    return "&".join([base, *(field.replace("+", "%2B") for field in fields)]), notes


def from_query(query: str) -> tuple[GridRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = links.fields_of(query, _EXAMPLE)
    chosen = {key: text for key, text in fields if key in PLACES}
    if "x" not in chosen:
        raise InvalidRequest(f"A grid needs x=axis:values, as in {_EXAMPLE!r}.")
    others = [(key, text) for key, text in fields if key not in PLACES]
    base, more = links.from_query(urlencode(others, quote_via=quote))
    if not any(key == "samples" for key, _ in others):
        base = base.model_copy(update={"samples": 1})
    read = {place: choice_of(text) for place, text in chosen.items()}
    if not any(key == "method" for key, _ in others) and "method" not in {choice.name for choice in read.values()}:
        raise InvalidRequest("A grid has one method in all its cells, unless it is varied: add method=… or y=method:….")
    return grid_of(base, **read), [*notes, *more]


def choice_of(text: str) -> AxisChoice:
    """``strength:1-5 (+2)``; raises InvalidRequest with a sentence."""
    name, colon, values = text.partition(":")
    if not colon:
        raise InvalidRequest(f"Axis {text[:40]!r} has no values; write axis:values, such as strength:1,2,4.")
    return parse(AxisChoice, name=name.strip(), text=values.strip())


def grid_of(base: CompareRequest, **chosen: AxisChoice | None) -> GridRequest:
    """A validated grid; raises InvalidRequest with a sentence.

    What does not change a run is left out, and settings of varied methods are said where the methods are.
    """
    base = base.model_copy(update={"beside": False})
    grid = parse(GridRequest, base=base, **chosen)
    for place, choice in zip(PLACES, (grid.x, grid.y, grid.z), strict=True):
        if choice is not None and choice.name == "method":
            methods = [choice.axis.apply(base, value).methods for value in choice.values]
            said = ", ".join(links.method_text(one) for (one,) in methods)
            chosen[place] = AxisChoice(name="method", text=said)
            return parse(GridRequest, base=base.model_copy(update={"methods": methods[0]}), **chosen)
    return grid
