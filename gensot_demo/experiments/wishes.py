"""What a request wants of a picture beyond conditions, as a :class:`~gensot_demo.guidance.wish.Wish` over states: a
noisy measurement to be explained, or a quantity to be large.

Measurements act on pixels (n, 3, s, s) from -1 to 1 and are linear. Grey levels run from 0 to 255: one is 1/127.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from gensot_demo.backbones.base import Backbone, from_uint8, to_uint8
from gensot_demo.guidance.wish import LinearView, Wish

from .images import hidden_part, open_upload
from .requests import InvalidRequest, RestoreChoice, RewardChoice

GREY_LEVELS = 127.5  # in one unit of pixels
_REDUCTION = 4  # of each side, by super-resolution
_BLUR_SHARE = 1 / 16  # standard deviation of the blur, of a side
_HIDDEN_AT_RANDOM = 0.75
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_STEP = 0.1  # rewards count tens of grey levels
_CLASS_NOISE = 0.05  # at which the classifier, made for noisy states, is asked about a clean one


@dataclass(frozen=True)
class Measurement:
    """A linear measurement of pixels. measure: (n, 3, s, s) to (n, k).  show: measured (k,) as pixels (3, s, s)."""

    measure: Callable[[Tensor], Tensor]
    show: Callable[[Tensor], Tensor]
    sentence: str


def measurement_of(choice: RestoreChoice, side: int, seed: int, device: torch.device | str = "cpu") -> Measurement:
    """The measurement of pictures of this side; raises InvalidRequest for a mask that hides nothing, or everything."""
    match choice.kind:
        case "mask":
            return _masked(_hidden(choice, side, seed), device)
        case "super_resolution":
            return _reduced(side)
        case "blur":
            return _blurred(side, device)
        case _:
            return _grey(side, device)


def _hidden(choice: RestoreChoice, side: int, seed: int) -> NDArray[np.bool_]:
    """(side, side), True where the mask hides."""
    hidden = np.zeros((side, side), bool)
    if choice.mask_png is not None:
        hidden = hidden_part(open_upload(choice.mask_png), side)
    elif choice.mask == "centre":
        hidden[side // 4 : side - side // 4, side // 4 : side - side // 4] = True
    elif choice.mask == "left half":
        hidden[:, : side // 2] = True
    else:
        hidden = np.random.default_rng(seed).random((side, side)) < _HIDDEN_AT_RANDOM
    if not hidden.any():
        raise InvalidRequest(
            f"The mask hides none of the {side} x {side} pixels: paint over what to restore, or take a ready one."
        )
    if hidden.all():
        raise InvalidRequest(
            f"The mask hides all {side} x {side} pixels, so nothing is known of the picture: leave some in sight."
        )
    return hidden


def _masked(hidden: NDArray[np.bool_], device: torch.device | str) -> Measurement:
    seen = torch.from_numpy(~hidden).to(device)

    def show(measured: Tensor) -> Tensor:
        out = torch.zeros(3, *seen.shape, dtype=measured.dtype, device=measured.device)  # middle grey
        out[:, seen] = measured.reshape(3, -1)
        return out

    share = f"{100 * hidden.mean():.0f} % of its pixels are hidden"
    return Measurement(lambda pixels: pixels[:, :, seen].flatten(1), show, share)


def _reduced(side: int) -> Measurement:
    small = -(-side // _REDUCTION)

    def show(measured: Tensor) -> Tensor:
        return interpolate(measured.reshape(1, 3, small, small), (side, side), mode="nearest")[0]

    said = f"it is seen at {small} x {small} pixels"
    return Measurement(lambda pixels: adaptive_avg_pool2d(pixels, small).flatten(1), show, said)


def _blurred(side: int, device: torch.device | str) -> Measurement:
    """A Gaussian blur; at the border the weights that are left count in full."""
    at = torch.arange(side, dtype=torch.float64)
    rows = torch.exp(-0.5 * ((at[:, None] - at[None, :]) / (_BLUR_SHARE * side)) ** 2)
    rows = (rows / rows.sum(1, keepdim=True)).to(device)

    def measure(pixels: Tensor) -> Tensor:
        weights = rows.to(pixels.dtype)
        return (weights @ pixels @ weights.T).flatten(1)

    said = f"it is blurred over {_BLUR_SHARE * side:g} pixels (standard deviation)"
    return Measurement(measure, lambda measured: measured.reshape(3, side, side), said)


def _grey(side: int, device: torch.device | str) -> Measurement:
    luma = torch.tensor(_LUMA, dtype=torch.float64, device=device)

    def measure(pixels: Tensor) -> Tensor:
        return torch.einsum("c,ncij->nij", luma.to(pixels.dtype), pixels).flatten(1)

    return Measurement(measure, lambda measured: measured.reshape(1, side, side).expand(3, -1, -1), "only grey is seen")


class DecodedView(Wish):
    """A noisy measurement where pixels are no affine function of the state: only r(y) and its gradient are had.

    The same fields as :class:`LinearView`; measure: states (n, d) to measurements (n, k), differentiable.
    """

    def __init__(self, measure: Callable[[Tensor], Tensor], observed: Tensor, noise: float, sentence: str = ""):
        self.measure, self.observed, self.noise, self.sentence = measure, observed, noise, sentence

    def residual(self, y: Tensor) -> Tensor:
        """observed - measure(y), (n, k)."""
        return self.observed - self.measure(y)

    def reward(self, y: Tensor) -> Tensor:
        return -0.5 * self.residual(y).square().sum(1) / self.noise**2


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

    def measure(states: Tensor) -> Tensor:
        return kind.measure(backbone.pixels(states))

    shown = to_uint8(kind.show(observed)[None])[0]
    if backbone.linear:
        return LinearView(measure, observed, choice.noise, oracle.dimension, said), shown
    return DecodedView(measure, observed, choice.noise, said), shown


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
        "Mean of all pixels and channels, 0 is black and 255 white.",
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


def misfit(view: LinearView | DecodedView, states: Tensor) -> Tensor:
    """Root mean square of the residual in units of its noise (n,): about 1 where the measurement is explained."""
    with torch.no_grad():
        residual = view.residual(states)
    return residual.norm(dim=1).double().cpu() / (view.noise * math.sqrt(residual.shape[1]))
