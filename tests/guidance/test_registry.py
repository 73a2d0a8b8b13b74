"""The registry: what is refused and how it is said; methods from a file and from an installed package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gensot_demo.guidance.base import Field, GuidanceMethod
from gensot_demo.guidance.registry import BUILT_IN, Registry, UnknownMethod
from gensot_demo.guidance.unguided import Unguided

ROOT = Path(__file__).parents[2]
OTHER = '''
"""A method of someone else's."""
from gensot_demo.guidance.base import Field, GuidanceMethod


class Half(GuidanceMethod):
    name = "half"
    label = "Half-way"
    summary = "Nothing in particular."
    amount: float = Field(0.5, ge=0, le=1, title="Amount", description="How much.")
'''


def named(text: str, **extra) -> type[GuidanceMethod]:
    return type("Made", (GuidanceMethod,), {"name": text, "__module__": __name__, **extra})


def test_built_in_methods_are_complete():
    registry = Registry()
    assert list(registry.methods) == [method.name for method in BUILT_IN]
    for method in BUILT_IN:
        assert method.label
        assert method.summary.endswith(".")
        assert method.equation
        assert method.source
        for field in method.model_fields.values():
            assert field.title, f"{method.name}: every control needs a title"
            assert field.description, f"{method.name}: every control needs a help text"


@pytest.mark.parametrize(
    ("thing", "kind", "sentence"),
    [
        (42, TypeError, "42 is not a subclass of gensot_demo.guidance.base.GuidanceMethod."),
        (dict, TypeError, "is not a subclass"),
        (Unguided(), TypeError, "is not a subclass"),
        (named(""), ValueError, "Made.name is ''; use lower-case letters, digits and _."),
        (named("Has Spaces"), ValueError, "use lower-case letters"),
        (named("x" * 33), ValueError, "use lower-case letters"),
        (named("cfg"), ValueError, "a method named 'cfg' is registered already."),
    ],
)
def test_bad_classes_are_refused_with_a_sentence(thing, kind, sentence):
    registry = Registry()
    with pytest.raises(kind) as refused:
        registry.add(thing)
    assert sentence in str(refused.value)
    assert list(registry.methods) == [method.name for method in BUILT_IN]


def test_a_class_without_defaults_or_with_a_bad_default_is_refused():
    class Demanding(GuidanceMethod):
        name = "demanding"
        amount: float = Field(ge=0, le=1, title="Amount", description="No default.")

    class Outside(GuidanceMethod):
        name = "outside"
        amount: float = Field(2.0, ge=0, le=1, title="Amount", description="Default out of range.")

    for method in (Demanding, Outside):
        with pytest.raises(ValueError, match=f"{method.__name__} cannot be made with its defaults"):
            Registry().add(method)


def test_the_same_class_may_come_twice_and_unknown_names_list_the_known():
    registry = Registry()
    registry.add(Unguided)
    with pytest.raises(UnknownMethod, match="method 'nope' is unknown; there are unguided, conditional, cfg"):
        registry.get("nope")


def test_a_file_of_ones_own(tmp_path):
    registry = Registry()
    (tmp_path / "mine.py").write_text(OTHER)
    assert registry.add_file(tmp_path / "mine.py") == ["half"]
    assert registry.get("half")(amount=0.25).amount == 0.25
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(ValueError, match="defines no subclass of GuidanceMethod"):
        registry.add_file(tmp_path / "empty.py")
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        registry.add_file(tmp_path / "missing.py")
    (tmp_path / "clash.py").write_text(OTHER.replace('"half"', '"cfg"'))
    with pytest.raises(ValueError, match="'cfg' is registered already"):
        registry.add_file(tmp_path / "clash.py")


def test_installed_packages_are_found_and_broken_ones_are_noted(tmp_path):
    """A bare dist-info folder on the path is all that an installed package is to entry points."""
    (tmp_path / "somebody.py").write_text(OTHER)
    folder = tmp_path / "somebody-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[gensot_demo.guidance]\nhalf = somebody:Half\nbroken = somebody:Missing\nabsent = no_such_module:X\n"
    )
    script = "from gensot_demo.guidance.registry import REGISTRY as r; print(list(r.methods)); print(*r.problems)"
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=surroundings, check=True, timeout=60
    )
    names, problems = done.stdout.splitlines()
    assert "'half'" in names
    assert "'gensot'" in names
    assert "Guidance method 'broken' (somebody:Missing) could not be loaded" in problems
    assert "Guidance method 'absent' (no_such_module:X) could not be loaded" in problems
