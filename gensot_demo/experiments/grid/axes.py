"""What can be varied in a grid: fields of a request, and every declared field of every guidance method.

A method from outside takes part by itself: its fields are axes by their own names (``rescale``, set on every compared
method that declares it) and by the method's (``cfg.rescale``, set on that one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic.fields import FieldInfo

from gensot_demo.experiments.links import method_values
from gensot_demo.experiments.requests import (
    CompareRequest,
    ConditionChoice,
    InvalidRequest,
    MethodChoice,
    ReferenceChoice,
    RestoreChoice,
    RewardChoice,
    parse,
)
from gensot_demo.guidance.registry import REGISTRY

from .values import names, numbers

Kind = Literal["number", "whole", "name"]
Value = float | int | str


@dataclass(frozen=True)
class Axis:
    """One thing that can be varied.

    kind: what its values are.  example: of values.  order: when it is applied; choices come before what they are set
    with.  cost: how much is done again when it changes, 0 the most.  apply: (request, value) to the request with that
    value; raises InvalidRequest naming value and range.  matters: whether a request depends on it at all, else
    ``idle`` says why not.
    """

    name: str
    label: str
    kind: Kind
    example: str
    apply: Callable[[CompareRequest, Value], CompareRequest]
    matters: Callable[[CompareRequest], bool] = lambda request: True
    idle: str = ""
    order: int = 1
    cost: int = 4

    def values(self, text: str, most: int) -> tuple[Value, ...]:
        """The typed values; raises InvalidRequest with a sentence."""
        if self.kind == "name":
            return names(text, most)
        found = numbers(text, most, self.kind == "whole")
        if self.kind == "whole":
            return tuple(int(value) if value.is_integer() else value for value in found)
        return found


def axis(name: str) -> Axis:
    """The axis of that name, under the shorter of two; raises InvalidRequest that lists some of those there are."""
    if name in _PLAIN:
        return _PLAIN[name]
    method, _, field = name.rpartition(".")
    declaring = _declaring(field)
    if method:
        declaring = {key: declared for key, declared in declaring.items() if key == method}
    if not declaring:
        raise InvalidRequest(
            f"Axis {name[:40]!r} is unknown; there are {', '.join(_PLAIN)}, and the settings of every method, such as "
            "stiffness, particles or cfg.rescale."
        )
    return _setting_axis(name if method and len(_declaring(field)) > 1 else field, field, declaring)


def axes() -> dict[str, str]:
    """Labels of all axes by name, in the order of a list to choose from."""
    found = {name: known.label for name, known in _PLAIN.items()}
    fields = dict.fromkeys(field for method in REGISTRY.methods.values() for field in method.model_fields)
    for field in sorted(fields, key=lambda name: (name not in _FIRST_SETTINGS, name)):
        declaring = _declaring(field)
        several = [f"{method}.{field}" for method in declaring] if len(declaring) > 1 else []
        for name in (field, *several):
            if name not in found:
                found[name] = axis(name).label
    return found


_FIRST_SETTINGS = ("stiffness", "particles", "temperature")


def _declaring(field: str) -> dict[str, FieldInfo]:
    """The declaration of a setting by the name of each method that has it."""
    return {
        name: method.model_fields[field] for name, method in REGISTRY.methods.items() if field in method.model_fields
    }


def _setting_axis(name: str, field: str, declaring: dict[str, FieldInfo]) -> Axis:
    kinds = {declared.annotation for declared in declaring.values()}
    kind: Kind = "whole" if kinds == {int} else "number" if kinds <= {int, float} else "name"
    titles = {declared.title for declared in declaring.values()} - {None}
    title = titles.pop() if len(titles) == 1 else field.replace("_", " ").capitalize()
    default = next(iter(declaring.values())).default
    labels = [REGISTRY.get(method).label for method in declaring]
    owners = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")

    def apply(request: CompareRequest, value: Value) -> CompareRequest:
        methods = [
            _method(choice.name, {**choice.settings, field: value}) if choice.name in declaring else choice
            for choice in request.methods
        ]
        return _changed(request, methods=tuple(methods))

    return Axis(
        name,
        f"{title}: {owners}",
        kind,
        str(default),
        apply,
        lambda request: any(choice.name in declaring for choice in request.methods),
        f"No compared method has the setting {name!r}; {' and '.join(labels)} "
        f"{'has' if len(labels) == 1 else 'have'} it.",
    )


def _method(name: str, settings: dict[str, Any]) -> MethodChoice:
    return parse(MethodChoice, name=name, settings=settings)


def _changed(request: CompareRequest, **changes: Any) -> CompareRequest:
    """The request with these fields, validated again."""
    kept = {name: getattr(request, name) for name in CompareRequest.model_fields}
    return parse(CompareRequest, **{**kept, **changes})


def _field(name: str) -> Callable[[CompareRequest, Value], CompareRequest]:
    return lambda request, value: _changed(request, **{name: value})


def _with_method(request: CompareRequest, text: Value) -> CompareRequest:
    """One method alone, with its settings in the text, or those that the request has for it."""
    values = method_values(str(text))
    kept = {choice.name: choice.settings for choice in request.methods}.get(values["name"], {})
    return _changed(request, methods=(_method(values["name"], values["settings"] or kept),))


def _with_condition(request: CompareRequest, name: Value) -> CompareRequest:
    """The first condition by another name, its trust kept; the only one where none was asked for."""
    first = request.conditions[0].trust if request.conditions else 1.0
    chosen = parse(ConditionChoice, name=name, trust=first)
    return _changed(request, conditions=(chosen, *request.conditions[1:]))


def _with_trust(request: CompareRequest, trust: Value) -> CompareRequest:
    """The same trust in every condition and every picture to follow."""
    conditions = [parse(ConditionChoice, name=c.name, trust=trust) for c in request.conditions]
    references = [parse(ReferenceChoice, **{**r.model_dump(), "trust": trust}) for r in request.references]
    return _changed(request, conditions=tuple(conditions), references=tuple(references))


def _with_followed(request: CompareRequest, name: Value) -> CompareRequest:
    """The first picture to follow by another emoji's name, its trust kept."""
    first = request.references[0].trust if request.references else 1.0
    return _changed(request, references=(parse(ReferenceChoice, emoji=name, trust=first), *request.references[1:]))


def _with_restore_noise(request: CompareRequest, noise: Value) -> CompareRequest:
    if request.restore is None:
        return request
    return _changed(request, restore=parse(RestoreChoice, **{**request.restore.model_dump(), "noise": noise}))


def _with_reward(request: CompareRequest, amount: Value) -> CompareRequest:
    if request.reward is None:
        return request
    return _changed(request, reward=parse(RewardChoice, **{**request.reward.model_dump(), "amount": amount}))


_TRUSTED = "nothing is asked for that has a trust: no condition and no picture to follow."
_PLAIN = {
    axis.name: axis
    for axis in (
        Axis("method", "Method", "name", "cfg, apg, gensot", _with_method, order=0),
        Axis(
            "strength", "Strength", "number", "1, 2, 4, 8", _field("strength"), lambda r: bool(r.conditions),
            "Strength multiplies the trust of conditions; nothing is asked for by a condition.",
        ),
        Axis("steps", "Steps", "whole", "5, 10, 20, 40", _field("steps"), cost=3),
        Axis(
            "view_noise", "View noise", "number", "1, 2, 4, 8", _field("view_noise"), lambda r: bool(r.references),
            "View noise belongs to a picture to follow; none is asked for.", cost=2,
        ),
        Axis(
            "trust", "Trust", "number", "0.5, 1, 2", _with_trust, lambda r: bool(r.conditions or r.references),
            f"Trust changes nothing: {_TRUSTED}",
        ),
        Axis("condition", "Condition", "name", "hearts, faces, flags", _with_condition, order=0, cost=2),
        Axis("follow", "Picture to follow", "name", "cat face, red heart", _with_followed, order=0, cost=2),
        Axis("seed", "Seed", "whole", "1-6", _field("seed")),
        Axis("sampler", "Sampler", "name", "bridge, deterministic", _field("sampler")),
        Axis("path", "Path", "name", "cosine, condot, vp, ve", _field("path")),
        Axis(
            "restore_noise", "Noise of the measurement", "number", "0.05, 0.1, 0.3", _with_restore_noise,
            lambda r: r.restore is not None, "No picture is to be restored, so there is no measurement.", cost=2,
        ),
        Axis(
            "reward_amount", "Amount of the reward", "number", "1, 2, 4", _with_reward,
            lambda r: r.reward is not None, "No reward is asked for, so it has no amount.", cost=2,
        ),
        Axis("backbone", "Model", "name", "network, truth", _field("backbone"), order=0, cost=0),
        Axis(
            "resolution", "Resolution of the exact collection", "whole", "32, 64", _field("resolution"),
            lambda r: r.backbone == "collection", "Only the exact collection has a choice of resolutions.", cost=1,
        ),
    )
}  # fmt: skip
