"""What a request wants of a picture beyond conditions, as a :class:`~gensot_demo.guidance.wish.Wish` over states: a
noisy measurement to be explained, or a quantity to be large.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.base import Backbone, from_uint8, to_uint8
from gensot_demo.guidance.wish import LinearView, Wish

from .measurements import DecodedView, measured_view, measurement_of
from .requests import InvalidRequest, RestoreChoice, RewardChoice

GREY_LEVELS = 127.5  # in one unit of pixels
_STEP = 0.1  # rewards count tens of grey levels
_CLASS_NOISE = 0.05  # at which the classifier, made for noisy states, is asked about a clean one


def restoring(
    choice: RestoreChoice, picture: NDArray[np.uint8], backbone: Backbone, seed: int
) -> tuple[LinearView | DecodedView, NDArray[np.uint8]]:
    """(the wish to explain a noisy measurement of ``picture`` (s, s, 3), the measurement as a picture (s, s, 3)).

    The measurement's noise follows from the seed alone: all methods and all columns are given the same one.
    """
    oracle = backbone.oracle
    kind = measurement_of(choice, len(picture), seed, oracle.device)
    clean = kind.measure(from_uint8(picture[None]).to(oracle.device))[0]
    eps = torch.from_numpy(np.random.default_rng([seed, 1]).standard_normal(len(clean)))
    observed = (clean + choice.noise * eps.to(clean)).to(oracle.dtype)
    said = f"{kind.sentence}, with noise of {GREY_LEVELS * choice.noise:.3g} grey levels"

    shown = to_uint8(kind.show(observed)[None])[0]
    return measured_view(choice, kind, backbone, observed, seed, said), shown


@dataclass(frozen=True)
class Quantity:
    """A number that a picture has. value: states (n, d) to (n,) in ``unit``, differentiable.
    scale: what the reward counts for one ``unit``; below 0 where less of it is wanted.  wanted, unwanted: what a
    positive and a negative amount ask for, in words."""

    label: str
    unit: str
    about: str
    wanted: str
    unwanted: str
    value: Callable[[Tensor], Tensor]
    scale: float


class Reward(Wish):
    """r(y) = amount x scale x quantity(y)."""

    def __init__(self, quantity: Quantity, amount: float, sentence: str):
        self.quantity, self.amount, self.sentence = quantity, amount, sentence

    def reward(self, y: Tensor) -> Tensor:
        return self.amount * self.quantity.scale * self.quantity.value(y)


def rewarding(choice: RewardChoice, backbone: Backbone) -> Reward:
    """The wish of a reward; raises InvalidRequest where the model has no classifier to ask, or not of this class."""
    quantity = {
        "brightness": _brightness,
        "symmetry": _asymmetry,
        "colour": lambda b: _colour_distance(b, choice.colour),
        "class": lambda b: _class_probability(b, choice.target),
    }[choice.kind](backbone)
    per = "nat" if choice.kind == "class" else f"{1 / _STEP:g} grey levels"
    said = f"{quantity.wanted if choice.amount > 0 else quantity.unwanted}, {abs(choice.amount):g} nats per {per}"
    return Reward(quantity, choice.amount, said)


def _brightness(backbone: Backbone) -> Quantity:
    return Quantity(
        "Brightness",
        "grey levels",
        "Mean of all pixels and channels before a screen cuts them off; 0 is black and 255 white.",
        "bright pictures",
        "dark pictures",
        lambda states: GREY_LEVELS * (1 + backbone.pixels(states).flatten(1).mean(1)),
        _STEP,
    )


def _asymmetry(backbone: Backbone) -> Quantity:
    def value(states: Tensor) -> Tensor:
        pixels = backbone.pixels(states)
        return _root_mean_square((pixels - pixels.flip(3)).flatten(1))

    about = "Root mean square difference between the picture and its mirror image; 0 is symmetric."
    words = ("pictures like their mirror image", "pictures unlike their mirror image")
    return Quantity("Asymmetry", "grey levels", about, *words, value, -_STEP)


def _colour_distance(backbone: Backbone, colour: str) -> Quantity:
    wanted = torch.tensor([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=torch.float64) / GREY_LEVELS - 1

    def value(states: Tensor) -> Tensor:
        mean = backbone.pixels(states).mean((2, 3))
        return _root_mean_square(mean - wanted.to(mean))

    about = f"Root mean square distance over red, green and blue between the mean colour and {colour}."
    words = (f"a mean colour near {colour}", f"a mean colour far from {colour}")
    return Quantity(f"Distance to {colour}", "grey levels", about, *words, value, -_STEP)


def _class_probability(backbone: Backbone, name: str) -> Quantity:
    made = getattr(backbone, "classifier", None)
    classifier = made((backbone.condition(name),)) if made is not None else None
    if classifier is None:
        raise InvalidRequest(f"{backbone.info.label} has no classifier, so it cannot be rewarded for a class.")
    about = f"Logarithm of the probability of {name} that the model's classifier sees; 0 is certain."
    words = (f"what the model's classifier takes for {name}", f"what the model's classifier does not take for {name}")

    def value(states: Tensor) -> Tensor:
        return classifier(states, 1.0, _CLASS_NOISE)[0]

    return Quantity(f"Log-probability of {name}", "nats", about, *words, value, 1.0)


def _root_mean_square(values: Tensor) -> Tensor:
    """(n,) in grey levels, of (n, k); its slope at 0 is 0."""
    return GREY_LEVELS * values.square().mean(1).clamp(min=1e-12).sqrt()


def rewards_of(wish: Wish, states: Tensor, at_once: int = 256) -> Tensor:
    """r(y) (n,), float64 on the CPU, of many states (n, d), piece by piece."""
    with torch.no_grad():
        return torch.cat([wish.reward(part).double().cpu() for part in states.split(at_once)])
