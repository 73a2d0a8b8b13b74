"""Where methods come from: the built-in ones, installed packages (entry points), and a visitor's own file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from .autoguidance import Autoguidance
from .base import GuidanceMethod
from .best_of_n import BestOfN
from .classifier import ClassifierGuidance
from .classifier_free import ClassifierFreeGuidance
from .conditional import Conditional
from .ddnm import NullSpace
from .dps import DiffusionPosteriorSampling
from .fk_steering import FeynmanKacSteering
from .freedom import FreeDoM
from .gensot import GenSOT
from .loss_guided import LossGuidedDiffusion
from .mpgd import ManifoldPreservingGuidance
from .own_file import methods_in
from .perturbed_attention import PerturbedAttentionGuidance
from .pigdm import PseudoinverseGuidance
from .plus_plus import CFGPlusPlus
from .projected import AdaptiveProjectedGuidance
from .repaint import RePaint
from .sdedit import SDEdit
from .tfg import TrainingFreeGuidance
from .twisted_smc import TwistedSMC
from .unguided import Unguided
from .zero_star import CFGZeroStar

ENTRY_POINT_GROUP = "gensot_demo.guidance"
BUILT_IN = (
    Unguided,
    Conditional,
    ClassifierFreeGuidance,
    AdaptiveProjectedGuidance,
    CFGZeroStar,
    CFGPlusPlus,
    Autoguidance,
    PerturbedAttentionGuidance,
    ClassifierGuidance,
    SDEdit,
    DiffusionPosteriorSampling,
    LossGuidedDiffusion,
    PseudoinverseGuidance,
    ManifoldPreservingGuidance,
    FreeDoM,
    TrainingFreeGuidance,
    RePaint,
    NullSpace,
    BestOfN,
    FeynmanKacSteering,
    TwistedSMC,
    GenSOT,
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class UnknownMethod(ValueError):
    """No method of that name; the message lists those there are."""


class Registry:
    """Methods by name, in order of arrival. ``problems`` says in sentences which could not be loaded and why."""

    def __init__(self, methods: Iterable[type[GuidanceMethod]] = BUILT_IN):
        self.methods: dict[str, type[GuidanceMethod]] = {}
        self.problems: list[str] = []
        self._of_file: dict[Path, list[str]] = {}
        self._readings: dict[str, int] = {}
        for method in methods:
            self.add(method)

    def add(self, method: type[GuidanceMethod]) -> None:
        """Register a class; raises TypeError or ValueError with a sentence if it is not a usable method."""
        if not (inspect.isclass(method) and issubclass(method, GuidanceMethod)):
            raise TypeError(f"{method!r} is not a subclass of gensot_demo.guidance.base.GuidanceMethod.")
        if not _NAME.fullmatch(method.name):
            raise ValueError(f"{method.__name__}.name is {method.name!r}; use lower-case letters, digits and _.")
        if method.name in self.methods and self.methods[method.name] is not method:
            raise ValueError(f"a method named {method.name!r} is registered already.")
        try:
            method()
        except Exception as error:
            raise ValueError(f"{method.__name__} cannot be made with its defaults: {error}") from error
        self.methods[method.name] = method

    def get(self, name: str) -> type[GuidanceMethod]:
        """The class of that name; raises :class:`UnknownMethod`."""
        if name not in self.methods:
            raise UnknownMethod(f"method {name[:40]!r} is unknown; there are {', '.join(self.methods)}.")
        return self.methods[name]

    def add_entry_points(self) -> None:
        """Methods that installed packages declare; one that fails is noted, not fatal."""
        for point in entry_points(group=ENTRY_POINT_GROUP):
            try:
                self.add(point.load())
            except Exception as error:
                self.problems.append(f"Guidance method {point.name!r} ({point.value}) could not be loaded: {error}")

    def add_file(self, path: str | Path) -> list[str]:
        """Every method defined in a Python file, in place of those that it defined before; returns their names.

        Runs the file: local use only. If anything is wrong with it, everything stays as it was.
        """
        path = Path(path)
        found = methods_in(path)
        with_it = Registry(())
        with_it.methods = {n: m for n, m in self.methods.items() if n not in self._of_file.get(path, ())}
        for method in found:
            with_it.add(method)
        self.methods = with_it.methods
        self._of_file[path] = [method.name for method in found]
        for name in self._of_file[path]:
            self._readings[name] = self.reading(name) + 1
        return list(self._of_file[path])

    def reading(self, name: str) -> int:
        """How often a method of that name was read from a file: results of an older reading are not those of today."""
        return self._readings.get(name, 0)


REGISTRY = Registry()
REGISTRY.add_entry_points()
