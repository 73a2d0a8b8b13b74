"""What a failure is: words, a handful of labelled runs, and the numbers that are to be seen in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import ArrayLike

from ..asking import backbone_of
from ..compare import CompareResult, MethodResult
from ..plane.request import TransportRequest
from ..plane.run import Panel, TransportResult
from ..requests import CompareRequest

BAND = 1.05  # of pixels from -1 to 1: six grey levels beyond black or white
SURE = 3.0  # standard errors from which on a difference is called one


@dataclass(frozen=True)
class Variant:
    """One run of a failure. name: unique in it.  label: in plain words.  request: opens in Compare or in Transport.
    mended: whether it shows how to do better."""

    name: str
    label: str
    request: CompareRequest | TransportRequest
    mended: bool = False


@dataclass(frozen=True)
class Number:
    """A number with its standard error, None where it has none; ``value`` None where the run gave no number."""

    value: float | None
    error: float | None = None


@dataclass(frozen=True)
class Column:
    """A quantity of every variant. about: what it is, in a sentence."""

    label: str
    unit: str
    about: str


@dataclass(frozen=True)
class Curve:
    """A quantity against another, with standard errors or none of them; ``exact``: what theory says, by a closed form
    or by so many draws of its law that their error is not seen."""

    label: str
    x: ArrayLike
    y: ArrayLike
    error: ArrayLike | None = None
    exact: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves with axes. x, y: what is on them, with units."""

    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Evidence:
    """rows: a number per column by a variant's name.  sentence: what the numbers say.  shown: whether they show the
    failure.  mended: whether what mends it does not show it."""

    columns: tuple[Column, ...]
    rows: Mapping[str, tuple[Number, ...]]
    sentence: str
    shown: bool
    mended: bool
    chart: Chart | None = None


@dataclass(frozen=True, eq=False)
class Finished:
    """Results by a variant's name, why there is none of others, and what else was measured."""

    seed: int
    results: Mapping[str, CompareResult | TransportResult]
    errors: Mapping[str, str]
    more: Any = None

    def part(self, name: str) -> MethodResult | None:
        """The only method's part of a comparison, None where the run ended early."""
        result = self.results.get(name)
        return None if result is None else next(iter(result.methods.values()))

    def panel(self, name: str) -> Panel:
        """The only panel of a transport."""
        return self.results[name].panels[0]

    def beyond_screen(self, name: str) -> torch.Tensor | None:
        """Share of values beyond what a screen shows by more than six grey levels, per sample (n,)."""
        part = self.part(name)
        if part is None:
            return None
        pixels = backbone_of(self.results[name].request).pixels(part.states[-1]).flatten(1)
        return (pixels.abs() > BAND).double().mean(1)


@dataclass(frozen=True)
class Failure:
    """name: in links.  sees, why, mends: a sentence each.  equation: LaTeX.

    variants: of a seed.  look: at what was run.  more: what else is measured for a seed, as shares done and last the
    measurement, or None.
    """

    name: str
    title: str
    sees: str
    why: str
    mends: str
    equation: str
    source: str
    variants: Callable[[int], tuple[Variant, ...]] = field(repr=False)
    look: Callable[[Finished], Evidence] = field(repr=False)
    more: Callable[[int], Iterator[Any]] | None = field(default=None, repr=False)
