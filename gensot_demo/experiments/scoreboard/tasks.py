"""What the Scoreboard asks: of the plane, where every law is known, of the collection likewise, and of the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gensot_demo.experiments.requests import (
    CompareRequest,
    ConditionChoice,
    MethodChoice,
    ReferenceChoice,
    RestoreChoice,
    RewardChoice,
)
from gensot_demo.guidance.base import OWN_FAMILY, GuidanceMethod
from gensot_demo.guidance.registry import REGISTRY

STEPS = {"plane": 40, "collection": 24, "network": 20}  # as many passes a sample has each method at equal cost
BUDGETS = ("steps", "calls")
FEWEST_STEPS = 5

_CONDITION_METHODS = (
    "conditional", "cfg", "apg", "cfg_zero_star", "cfg_plus_plus", "autoguidance", "pag", "classifier", "gensot",
)  # fmt: skip
_WISH_METHODS = (
    "unguided", "sdedit", "dps", "lgd", "pigdm", "mpgd", "freedom", "tfg", "repaint", "ddnm",
    "best_of_n", "fk_steering", "twisted_smc", "gensot",
)  # fmt: skip
_OWN_STRENGTHS: dict[str, tuple[str, tuple[float, ...]]] = {  # beside the default, where the law asked for is fixed
    "sdedit": ("start_noise", (0.5, 2.0)),
    "dps": ("scale", (0.5, 2.0)),
}
_OWN_PARTICLES = {"plane": (4, 16), "collection": (8,), "network": (8,)}
_PARTICLES = {"plane": {"gensot": 64, "best_of_n": 8, "fk_steering": 8, "twisted_smc": 8}}
_FEW_PARTICLES = dict.fromkeys(("gensot", "best_of_n", "fk_steering", "twisted_smc"), 4)  # of costlier models


@dataclass(frozen=True)
class ScoreTask:
    """One question at several levels.

    question: in plain words.  level: what its strength is, in words, with its unit.  methods: names of those that may
    be able to answer; why one is not is said in its row.
    """

    backbone: str
    name: str
    question: str
    level: str
    levels: tuple[float, ...]
    methods: tuple[str, ...]

    def request(self, level: float, methods: tuple[MethodChoice, ...], steps: int) -> CompareRequest:
        """The question to a model of pictures, as the Compare page would ask it."""
        return CompareRequest(backbone=self.backbone, steps=steps, methods=methods, **_asked(self, level))


def _asked(task: ScoreTask, level: float) -> dict[str, Any]:
    small = {"resolution": 32} if task.backbone == "collection" else {}
    if task.name == "condition":
        name = "faces" if task.backbone == "collection" else "fruit and vegetables"
        return small | {"conditions": (ConditionChoice(name=name),), "strength": level}
    if task.name == "restore":
        measured = RestoreChoice(kind="super_resolution", picture=ReferenceChoice(emoji=_MEASURED), noise=level)
        return small | {"restore": measured}
    if task.name == "reward":
        return small | {"reward": RewardChoice(kind="brightness", amount=level)}
    return small | {"references": (ReferenceChoice(average="faces"),), "view_noise": level}


_TRUST = "trust in the condition"
_VIEW = "noise of the view, standard deviations per coordinate"
_MEASURED = "grinning face"
_NOISE = "noise of the measurement, standard deviation"
_AMOUNT = "amount of the reward"
TASKS = (
    ScoreTask("plane", "condition", "Label of two of four modes, with trust", _TRUST, (1, 3, 5), _CONDITION_METHODS),
    ScoreTask("plane", "follow", "A noisy view of a point between modes", _VIEW, (0.3, 0.6, 1.2), _WISH_METHODS),
    ScoreTask("plane", "restore", "One coordinate is measured", _NOISE, (0.2, 0.5), _WISH_METHODS),
    ScoreTask("plane", "reward", "A reward for being near a circle", _AMOUNT, (1, 4), _WISH_METHODS),
    ScoreTask("collection", "condition", "Emoji faces, with trust", _TRUST, (1, 2, 4), _CONDITION_METHODS),
    ScoreTask("collection", "follow", "A noisy view of the average face", _VIEW, (1.5, 3), _WISH_METHODS),
    ScoreTask("collection", "restore", "A face at 8 x 8 pixels, with noise", _NOISE, (0.6, 1), _WISH_METHODS),
    ScoreTask("collection", "reward", "A reward for brightness", _AMOUNT, (2, 4), _WISH_METHODS),
    ScoreTask("network", "condition", "Fruit and vegetables, with trust", _TRUST, (1, 2, 4), _CONDITION_METHODS),
    ScoreTask("network", "follow", "A noisy view of the average face", _VIEW, (4,), _WISH_METHODS),
    ScoreTask("network", "restore", "A face at 8 x 8 pixels, with noise", _NOISE, (0.2,), _WISH_METHODS),
    ScoreTask("network", "reward", "A reward for brightness", _AMOUNT, (2,), _WISH_METHODS),
)


def tasks_of(backbone: str | None = None, name: str | None = None) -> list[ScoreTask]:
    """The tasks of a backbone and of a name, or all; raises ValueError naming those there are."""
    found = [t for t in TASKS if backbone in (None, t.backbone) and name in (None, t.name)]
    if not found:
        known = ", ".join(f"{task.name} on {task.backbone}" for task in TASKS)
        raise ValueError(f"task {name!r} on backbone {backbone!r} is unknown; there are {known}.")
    return found


@dataclass(frozen=True)
class Variant:
    """A method with one of its own strengths varied, or as it is."""

    method: GuidanceMethod
    setting: str | None = None
    value: float | None = None

    @property
    def choice(self) -> MethodChoice:
        return MethodChoice(name=self.method.name, settings=self.method.model_dump())


def variants(task: ScoreTask) -> Iterator[Variant]:
    """The methods of a task as they are, and with their own strength varied where the law asked for is fixed.

    Methods that somebody brought take part in every task.
    """
    own = [name for name, kind in REGISTRY.methods.items() if kind.family == OWN_FAMILY and name not in task.methods]
    for name in (name for name in (*task.methods, *own) if name in REGISTRY.methods):
        kind = REGISTRY.get(name)
        more = _PARTICLES.get(task.backbone, _FEW_PARTICLES).get(name)
        plain = {"particles": more} if more else {}
        told = ("particles", more) if more and (task.name != "follow" or name != "gensot") else (None, None)
        yield Variant(kind(**plain), *told)
        field, values = _own_strengths(task, name)
        for value in values:
            yield Variant(kind(**{**plain, field: value}), field, value)


def _own_strengths(task: ScoreTask, name: str) -> tuple[str, tuple[float, ...]]:
    if task.name == "condition":
        return ("particles", _OWN_PARTICLES[task.backbone]) if name == "gensot" else ("", ())
    return _OWN_STRENGTHS.get(name, ("", ()))
