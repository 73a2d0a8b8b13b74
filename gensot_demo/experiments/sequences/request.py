"""The request of a sequence: frozen, validated, picklable; spoken by page, API, CLI and link."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .. import limits
from ..requests import DEFAULT_METHODS, CompareRequest, MethodChoice, PictureChoice, ReferenceChoice, parse

FRAMES = (8, 24)
SIZES = (0.2, 1.0)  # of a moving sketch, as a share of the picture's side
TURNS = (-360.0, 360.0)  # degrees
MOST_POINTS = 64

Share = Annotated[float, Field(allow_inf_nan=False)]
_ARC = tuple(
    (round(0.5 - 0.2 * math.cos(angle), 3), round(0.65 - 0.3 * math.sin(angle), 3))
    for angle in (math.pi * n / 8 for n in range(9))
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Morph(_Frozen):
    """One picture fades into another: a cross-fade of pixels, no change of shape."""

    kind: Literal["morph"] = "morph"
    start: PictureChoice = PictureChoice(emoji="grinning face")
    end: PictureChoice = PictureChoice(emoji="smiling face with sunglasses")


class AlongPath(_Frozen):
    """A sketch moves on white along a path.

    points: where its centre is, (from left, from top) as shares of the picture's side; kept to four decimals.
    size: of the sketch, as a share of that side.
    """

    kind: Literal["path"] = "path"
    picture: PictureChoice = PictureChoice(emoji="red heart")
    points: tuple[tuple[Share, Share], ...] = Field(_ARC, max_length=MOST_POINTS, repr=False)
    size: Annotated[float, Field(ge=SIZES[0], le=SIZES[1], title="Size")] = 0.6

    @field_validator("points")
    @classmethod
    def _inside(cls, points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if len(points) < 2:
            raise ValueError(f"the path has {len(points)} points; it needs 2 or more: draw where the sketch goes.")
        outside = [place for place in points if not all(0 <= share <= 1 for share in place)]
        if outside:
            x, y = outside[0]
            raise ValueError(f"the path passes ({x:g}, {y:g}), outside the picture; both must lie from 0 to 1.")
        return tuple((round(x, 4), round(y, 4)) for x, y in points)


class TurningColour(_Frozen):
    """The hues of a picture turn by ``turn`` degrees."""

    kind: Literal["colour"] = "colour"
    picture: PictureChoice = PictureChoice(emoji="red heart")
    turn: Annotated[float, Field(ge=TURNS[0], le=TURNS[1], title="Turn")] = 360.0

    @field_validator("turn")
    @classmethod
    def _turns(cls, turn: float) -> float:
        if turn == 0:
            raise ValueError("turn is 0, which turns nothing; it must be from -360 to 360 degrees and not 0.")
        return turn


MOTIONS = {kind.model_fields["kind"].default: kind for kind in (Morph, AlongPath, TurningColour)}
Motion = Annotated[Morph | AlongPath | TurningColour, Field(discriminator="kind")]


class SequenceRequest(_Frozen):
    """Follow a reference that moves, by several methods. Version 1 of the link format.

    noise: "shared", the seed's own in every frame, or "fresh", the next seed's in the next frame.
    memory: how a frame knows the one before: "none"; "guide", GenSOT's path is held to the pictures that the frame
    before predicted on its way, without their noise, which changes the way and not what arrives; or "reference", the
    picture of the frame before is followed too, with ``trust``, which changes the law that is asked for.
    """

    backbone: Annotated[str, Field(min_length=1, max_length=limits.MAX_BACKBONE_NAME)] = "network"
    motion: Motion = Morph()
    frames: Annotated[int, Field(ge=FRAMES[0], le=FRAMES[1], title="Frames")] = 12
    view_noise: Annotated[float, Field(ge=limits.VIEW_NOISE[0], le=limits.VIEW_NOISE[1], title="View noise")] = 3.0
    steps: Annotated[int, Field(ge=limits.MIN_STEPS, le=limits.MAX_STEPS, title="Steps")] = 16
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 7
    sampler: str = "averaged"
    path: Literal["cosine", "condot", "vp", "ve", "model"] = "cosine"
    noise: Literal["shared", "fresh"] = "shared"
    memory: Literal["none", "guide", "reference"] = "none"
    trust: Annotated[float, Field(gt=0, le=limits.MAX_TRUST, title="Trust")] = 1.0
    methods: tuple[MethodChoice, ...] = Field(
        tuple(MethodChoice(name=name) for name in DEFAULT_METHODS), max_length=limits.MAX_METHODS
    )

    @model_validator(mode="after")
    def _as_compared(self) -> SequenceRequest:
        """Whatever a comparison refuses is refused; a trust that plays no part is left out."""
        parse(
            CompareRequest,
            **{name: getattr(self, name) for name in ("backbone", "view_noise", "steps", "seed", "sampler", "path")},
            methods=self.methods,
        )
        if self.noise == "fresh" and self.seed + self.frames - 1 > limits.MAX_SEED:
            raise ValueError(f"seed is {self.seed}; the last frame's seed must not exceed {limits.MAX_SEED}.")
        if self.memory != "reference":
            object.__setattr__(self, "trust", type(self).model_fields["trust"].default)
        return self

    @property
    def seeds(self) -> tuple[int, ...]:
        """One seed per frame."""
        return tuple(self.seed + (frame if self.noise == "fresh" else 0) for frame in range(self.frames))

    def frame(
        self, number: int, pngs: Sequence[bytes], methods: tuple[MethodChoice, ...] | None = None
    ) -> CompareRequest:
        """The comparison that frame ``number`` is: follow the pictures ``pngs``, the second one with ``trust``."""
        trusts = (1.0, self.trust)
        return CompareRequest(
            backbone=self.backbone,
            references=tuple(ReferenceChoice(png=png, trust=k) for png, k in zip(pngs, trusts, strict=False)),
            view_noise=self.view_noise,
            steps=self.steps,
            samples=1,
            seed=self.seeds[number],
            sampler=self.sampler,
            path=self.path,
            methods=self.methods if methods is None else methods,
        )
