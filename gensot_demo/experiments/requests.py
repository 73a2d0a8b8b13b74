"""The request of a comparison: frozen, validated, picklable; the one thing that page, API, CLI and link all speak."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from gensot_demo.guidance.base import GuidanceMethod
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

from . import limits


class InvalidRequest(ValueError):
    """A request that cannot be run; its message is one or more sentences for the person."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def one_of(what: str, name: str, known: Iterable[str]) -> str:
    """The name, if it is one of those there are; raises ValueError with a sentence that lists them."""
    known = tuple(known)
    if name not in known:
        raise ValueError(f"{what} {name[:40]!r} is unknown; there are {', '.join(known)}.")
    return name


class ConditionChoice(_Frozen):
    """A condition by name and the trust put in it (1: as the model has it)."""

    name: str = Field(min_length=1)
    trust: float = Field(1.0, ge=0, le=limits.MAX_TRUST)


class PictureChoice(_Frozen):
    """A picture: an emoji by name or character, the average picture of a condition, or an image file of the visitor's
    own."""

    emoji: str | None = None
    average: str | None = None
    png: bytes | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _exactly_one(self) -> PictureChoice:
        if [self.emoji, self.average, self.png].count(None) != 2:
            raise ValueError("a picture is an emoji, the average of a condition, or a drawing: exactly one.")
        if "" in (self.emoji, self.average):
            raise ValueError("a picture is asked for without a name; name an emoji, or a condition for its average.")
        return self


class ReferenceChoice(PictureChoice):
    """A picture to follow, and the trust put in it."""

    trust: float = Field(1.0, gt=0, le=limits.MAX_TRUST)


RestoreKind = Literal["mask", "super_resolution", "blur", "colourise"]
MaskPreset = Literal["centre", "left half", "random pixels"]


class RestoreChoice(_Frozen):
    """A picture of which only a noisy measurement is known, to be restored.

    kind: what was measured: what a mask leaves in sight, averages over 4 x 4 pixels, a blurred picture, or grey levels.
    noise: of the measurement, a standard deviation per measured number where black is -1 and white is 1.
    mask: what is hidden.  mask_png: an image file, bright where hidden, in place of ``mask``.
    """

    kind: RestoreKind = "mask"
    picture: PictureChoice = PictureChoice(emoji="cat face")
    noise: Annotated[float, Field(ge=limits.RESTORE_NOISE[0], le=limits.RESTORE_NOISE[1])] = 0.1
    mask: MaskPreset = "centre"
    mask_png: bytes | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _only_what_counts(self) -> RestoreChoice:
        """A mask that plays no part is left out: equal choices compare equal."""
        if self.kind != "mask" or self.mask_png is not None:
            object.__setattr__(self, "mask", type(self).model_fields["mask"].default)
        if self.kind != "mask":
            object.__setattr__(self, "mask_png", None)
        return self


RewardKind = Literal["colour", "brightness", "symmetry", "class"]
_HEX = re.compile(r"#[0-9a-f]{6}")


class RewardChoice(_Frozen):
    """A quantity that is to be large: law times e^{amount x quantity}.

    kind: nearness of the mean colour to ``colour``; the mean brightness; how alike left and right are, all three in
    tens of grey levels of 255; or the log-probability of the class ``target`` by the model's own classifier, in nats.
    amount: nats per unit of the quantity; below 0 it is to be small.
    """

    kind: RewardKind = "brightness"
    amount: Annotated[float, Field(ge=-limits.MAX_REWARD, le=limits.MAX_REWARD)] = 2.0
    colour: str = "#d01c1c"
    target: str = ""

    @field_validator("colour")
    @classmethod
    def _a_colour(cls, text: str) -> str:
        if not _HEX.fullmatch(text.lower()):
            raise ValueError(f"Colour is {text[:40]!r}; it must be # and six digits from 0 to f, such as '#d01c1c'.")
        return text.lower()

    @model_validator(mode="after")
    def _only_what_counts(self) -> RewardChoice:
        """What plays no part is left out: equal choices compare equal."""
        if self.amount == 0:
            raise ValueError(
                f"Amount is 0, which asks for nothing; it must be from {-limits.MAX_REWARD:g} to {limits.MAX_REWARD:g} "
                "and not 0."
            )
        if self.kind == "class" and not self.target:
            raise ValueError("the reward of a class needs the class: say which.")
        for name, kind in (("colour", "colour"), ("target", "class")):
            if self.kind != kind:
                object.__setattr__(self, name, type(self).model_fields[name].default)
        return self


class MethodChoice(_Frozen):
    """A guidance method by name, with the settings that differ from its defaults.

    Choices of the same method from two readings of its file differ: what one reading did is no answer for the other.
    """

    name: str
    settings: dict[str, Any] = Field(default_factory=dict)
    _reading: int = PrivateAttr(0)

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        REGISTRY.get(name)
        return name

    @model_validator(mode="after")
    def _valid_settings(self) -> MethodChoice:
        """Settings as typed values, those equal to the default left out: equal choices compare equal."""
        chosen, plain = self.method(), REGISTRY.get(self.name)()
        settings = {key: value for key, value in chosen.model_dump().items() if value != getattr(plain, key)}
        object.__setattr__(self, "settings", settings)
        self._reading = REGISTRY.reading(self.name)
        return self

    def method(self) -> GuidanceMethod:
        """The method with these settings; raises ValueError with a sentence for a bad one."""
        try:
            return REGISTRY.get(self.name)(**self.settings)
        except ValidationError as error:
            raise ValueError(f"{REGISTRY.get(self.name).label}: {sentences(error, REGISTRY.get(self.name))}") from None


DEFAULT_METHODS = ("unguided", "sdedit", "dps", "gensot")


class CompareRequest(_Frozen):
    """Compare guidance methods on one task, with the same noise. Version 1 of the link format.

    backbone: the model, by name, hub id or as the server calls it.  negative: a prompt to lead away from.
    beside: whether the page also shows what an exact oracle of the model's own pictures does; no run depends on it.
    path: that of methods without one of their own; "model" is the model's own schedule with its own timesteps.
    first_noise: the noise level that sampling starts at, within the model's range; 0 is the model's own. Below it the
    start, made of noise alone, lacks the spread of the pictures.
    resolution: of the exact collection; every other backbone has its own.
    references, restore, reward: at most one of them; conditions go with each.
    """

    backbone: Annotated[str, Field(min_length=1, max_length=limits.MAX_BACKBONE_NAME)] = "collection"
    negative: str = ""
    beside: bool = False

    conditions: tuple[ConditionChoice, ...] = Field((), max_length=limits.MAX_CONDITIONS)
    references: tuple[ReferenceChoice, ...] = Field((), max_length=limits.MAX_REFERENCES)
    restore: RestoreChoice | None = None
    reward: RewardChoice | None = None
    strength: Annotated[float, Field(ge=0, le=limits.MAX_STRENGTH, title="Strength")] = 2.0
    view_noise: Annotated[float, Field(ge=limits.VIEW_NOISE[0], le=limits.VIEW_NOISE[1], title="View noise")] = 8.0
    steps: Annotated[int, Field(ge=limits.MIN_STEPS, le=limits.MAX_STEPS, title="Steps")] = 30
    samples: Annotated[int, Field(ge=1, le=limits.MAX_SAMPLES, title="Samples per method")] = 6
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 7
    sampler: str = "averaged"
    path: Literal["cosine", "condot", "vp", "ve", "model"] = "cosine"
    first_noise: Annotated[float, Field(ge=0, le=limits.MAX_FIRST_NOISE, title="First noise level")] = 0.0
    resolution: Literal[64, 32] = 64
    methods: tuple[MethodChoice, ...] = Field(
        tuple(MethodChoice(name=name) for name in DEFAULT_METHODS), max_length=limits.MAX_METHODS
    )

    @field_validator("sampler")
    @classmethod
    def _known_sampler(cls, name: str) -> str:
        return one_of("sampler", name, SAMPLERS)

    @field_validator("strength", "view_noise", "first_noise")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a finite number.")
        return value

    @model_validator(mode="after")
    def _something_to_compare(self) -> CompareRequest:
        if not self.methods:
            raise ValueError("no method is chosen; switch on at least one.")
        names = [choice.name for choice in self.methods]
        if len(set(names)) < len(names):
            raise ValueError("a method is chosen twice; each can take part once.")
        asked = {
            "a picture to follow": self.references,
            "a picture to restore": self.restore,
            "a reward": self.reward,
        }
        given = [name for name, choice in asked.items() if choice]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are asked for at once; choose one of them.")
        if self.seed + self.samples - 1 > limits.MAX_SEED:
            raise ValueError(f"seed is {self.seed}; the last sample's seed must not exceed {limits.MAX_SEED}.")
        return self

    @classmethod
    def first_view(cls) -> CompareRequest:
        """What the page shows first: follow the average face, with the methods that can."""
        return cls(backbone="network", references=(ReferenceChoice(average="faces"),), view_noise=4.0, steps=20)

    @property
    def seeds(self) -> tuple[int, ...]:
        """One seed per column."""
        return tuple(range(self.seed, self.seed + self.samples))


def parse(kind: type[BaseModel], **values: Any) -> Any:
    """A validated request; raises :class:`InvalidRequest` with sentences that name value and range."""
    try:
        return kind(**values)
    except ValidationError as error:
        raise InvalidRequest(sentences(error, kind)) from None


_FINDINGS_SAID = 4


def sentences(error: ValidationError, kind: type[BaseModel]) -> str:
    """Pydantic's findings on a model in plain words: which parameter, what value, what is allowed; each once, and the
    first few of many."""
    found = list(dict.fromkeys(_sentence(item, kind) for item in error.errors(include_url=False)))
    more = len(found) - _FINDINGS_SAID
    return " ".join([*found[:_FINDINGS_SAID], *([f"And {more} more are wrong."] if more > 0 else [])])


def _sentence(item: dict, kind: type[BaseModel]) -> str:
    names = [str(part).replace("_", " ")[:40] for part in item["loc"] if not isinstance(part, int)]
    where = " ".join(names) or "The request"
    where = where[0].upper() + where[1:]
    context, value = item.get("ctx") or {}, item.get("input")
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
    match item["type"]:
        case "value_error":
            return str(context.get("error", item["msg"]))
        case "extra_forbidden":
            return f"{where} is not a known setting."
        case "literal_error":
            return f"{where} is {shown}; it must be {context.get('expected')}."
        case "too_long":
            return f"{where}: {context.get('actual_length')} given, at most {context.get('max_length')} allowed."
    allowed = _range(item["loc"], kind)
    if allowed:
        return f"{where} is {shown}; it must be {allowed}."
    return f"{where} is {shown}: {item['msg'][0].lower()}{item['msg'][1:]}."


def allowed(kind: type[BaseModel], name: str) -> str:
    """What a numeric field of a request may be, as "a whole number from 1 to 200"; "a number" without bounds."""
    whole = kind.model_fields[name].annotation is int
    return _range((name,), kind) or ("a whole number" if whole else "a number")


def _range(location: tuple, kind: type[BaseModel]) -> str:
    """The allowed range of a numeric field in words, or nothing for a field without bounds."""
    for part in location[:-1]:
        if isinstance(part, str):
            (kind,) = [a for a in get_args(kind.model_fields[part].annotation) if isinstance(a, type)][:1] or (kind,)
            if not issubclass(kind, BaseModel):  # a list of numbers: its bounds are in the sentence already
                return ""
    field = kind.model_fields.get(location[-1]) if location else None
    bounds = {type(m).__name__: m for m in field.metadata} if field else {}
    low = bounds.get("Ge") or bounds.get("Gt")
    high = bounds.get("Le") or bounds.get("Lt")
    if low is None or high is None:
        return ""
    number = "a whole number" if field.annotation is int else "a number"
    bottom = f"above {low.gt:.12g}" if "Gt" in bounds else f"from {low.ge:.12g}"
    return f"{number} {bottom} to {high.le:.12g}"
