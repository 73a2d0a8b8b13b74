"""A person's own file: read again when it is saved, what was is kept when it breaks, and it takes part everywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gensot_demo.experiments.compare import CompareResult, compare
from gensot_demo.experiments.needs import Needs, needs
from gensot_demo.experiments.requests import CompareRequest, ConditionChoice, InvalidRequest, MethodChoice
from gensot_demo.experiments.scoreboard.plane import plane_row
from gensot_demo.experiments.scoreboard.tasks import Variant, tasks_of, variants
from gensot_demo.guidance import own_file
from gensot_demo.guidance.own_file import WatchedFile, declaration
from gensot_demo.guidance.registry import REGISTRY, Registry
from gensot_demo.transport.time_limit import TookTooLong

TEMPLATE = Path(__file__).parents[2] / "docs" / "my_guidance.py"


@pytest.fixture
def mine(tmp_path):
    """A copy of the template in the app's own registry, which is put back afterwards."""
    before = dict(REGISTRY.methods)
    file = tmp_path / "my_guidance.py"
    file.write_text(TEMPLATE.read_text())
    REGISTRY.add_file(file)
    yield file
    REGISTRY.methods = before


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def asked(*methods: str, **other) -> CompareRequest:
    return CompareRequest(
        conditions=(ConditionChoice(name="hearts"),), strength=2.0, steps=6, samples=2, resolution=32,
        methods=tuple(MethodChoice(name=name) for name in methods), **other,
    )  # fmt: skip


def result_of(request: CompareRequest) -> CompareResult:
    *_, result = compare(request)
    return result


def test_the_template_is_as_short_as_promised_and_does_what_it_says(mine):
    assert len(mine.read_text().rstrip().splitlines()) <= 30
    result = result_of(asked("conditional", "cfg", "late"))
    late = result.methods["late"]
    assert late.calls == result.methods["cfg"].calls
    assert (late.states[-1] - result.methods["conditional"].states[-1]).abs().max() > 1e-3
    early = MethodChoice(name="late", settings={"half": 20.0})
    nearer = result_of(asked("cfg").model_copy(update={"methods": (MethodChoice(name="cfg"), early)}))
    cfg = nearer.methods["cfg"].states[-1]
    assert (nearer.methods["late"].states[-1] - cfg).norm() < (late.states[-1] - cfg).norm(), "it becomes CFG"
    assert needs(REGISTRY.get("late")(), tasks_told("follow")) == "Late guidance needs a condition."


def tasks_told(name: str):
    from gensot_demo.experiments.scoreboard.plane import asked_of_the_plane

    return asked_of_the_plane(tasks_of("plane", name)[0], tasks_of("plane", name)[0].levels[0])[0]


def test_it_takes_part_in_the_scoreboard_by_itself(mine):
    (task,) = tasks_of("plane", "condition")
    (variant,) = [v for v in variants(task) if v.method.name == "late"]
    row = plane_row(task, 1.0, variant, 20, 60, "steps")
    assert row.failed is None or row.failed == ""
    assert row.distance > 0
    assert row.calls == 2 * 20 + 1 or row.calls == 2 * 20 + 2
    assert needs(variant.method, tasks_told("condition")) == Needs(1, 2)


def test_saving_the_file_replaces_the_method_and_forgets_what_the_old_one_did(mine):
    request = asked("late")
    first = result_of(request)
    kept = declaration(REGISTRY.get("late"))
    changed(mine, "share * (conditional", "0 * (conditional")
    assert REGISTRY.add_file(mine) == ["late"]
    assert declaration(REGISTRY.get("late")) == kept, "no control has changed: the pages need not be made anew"
    assert asked("late") != request, "or a kept result would answer for the new code"
    assert asked("cfg") == asked("cfg")
    second = result_of(asked("late", "unguided"))
    assert not (first.methods["late"].predicted == second.methods["late"].predicted).all()
    assert (second.methods["late"].predicted == second.methods["unguided"].predicted).all()
    changed(mine, '"Late guidance"', '"Later guidance"')
    REGISTRY.add_file(mine)
    assert declaration(REGISTRY.get("late")) != kept
    changed(mine, 'name = "late"', 'name = "later"')
    assert REGISTRY.add_file(mine) == ["later"]
    assert "late" not in REGISTRY.methods


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("share = task", "share = = task", "invalid syntax"),
        ("class LateGuidance", "import no_such_module\nclass LateGuidance", "no_such_module"),
        ('name = "late"', 'name = "Not A Name"', "use lower-case letters"),
        ('name = "late"', 'name = "cfg"', "registered already"),
        ("(GuidanceMethod)", "", "defines no subclass"),
    ],
)
def test_a_file_that_breaks_leaves_everything_as_it_was(mine, old, new, said):
    before = dict(REGISTRY.methods)
    changed(mine, old, new)
    with pytest.raises((SyntaxError, ImportError, ValueError), match=said):
        REGISTRY.add_file(mine)
    assert before == REGISTRY.methods


def test_an_endless_loop_is_stopped_wherever_it_is(mine, monkeypatch):
    monkeypatch.setattr(own_file, "SECONDS", 0.3)
    monkeypatch.setattr("gensot_demo.experiments.needs.SECONDS", 0.3)
    original = mine.read_text()
    line = 1 + next(n for n, text in enumerate(original.splitlines()) if "answer = yield" in text)
    changed(mine, "        answer = yield", "        while True: pass\n        answer = yield")
    REGISTRY.add_file(mine)
    result = result_of(asked("late", "cfg"))
    assert list(result.methods) == ["cfg"], "the others come to their end"
    assert any(
        f"it did not answer within 0.3 s and was stopped (my_guidance.py, line {line})" in n for n in result.notes
    )
    mine.write_text(original)
    changed(mine, "        return 2, 0", "        while True: pass")
    REGISTRY.add_file(mine)
    assert any(
        "Late guidance was left out: it did not answer" in note for note in result_of(asked("late", "cfg")).notes
    )
    mine.write_text("while True: pass\n")
    with pytest.raises(TookTooLong, match=re.escape("my_guidance.py, line 1")):
        Registry().add_file(mine)


@pytest.mark.parametrize("where", ["        answer = yield", "        return 2, 0", "        return task.no_null if"])
def test_an_error_in_it_is_told_with_its_line_and_ends_nobody_else(mine, where):
    line = 1 + next(n for n, text in enumerate(mine.read_text().splitlines()) if text.startswith(where))
    changed(mine, where, "        nothing_of_that_name\n" + where)
    REGISTRY.add_file(mine)
    result = result_of(asked("late", "cfg"))
    assert list(result.methods) == ["cfg"]
    (note,) = [note for note in result.notes if "Late guidance" in note]
    assert f"name 'nothing_of_that_name' is not defined (my_guidance.py, line {line})" in note
    with pytest.raises(InvalidRequest, match=re.escape(f"line {line}")):
        result_of(asked("late"))
    (task,) = tasks_of("plane", "condition")
    row = plane_row(task, 1.0, Variant(REGISTRY.get("late")()), 8, 20, "steps")
    assert f"line {line}" in row.failed


def test_a_watched_file_changes_when_it_is_saved(tmp_path):
    file = tmp_path / "a.py"
    watched = WatchedFile(file)
    assert not watched.changed()
    file.write_text("a = 1\n")
    assert watched.changed()
    assert not watched.changed()
    stamp = file.stat().st_mtime_ns
    file.write_text("a = 2\n")  # as long as before
    os.utime(file, ns=(stamp + 1000, stamp + 1000))
    assert watched.changed()
    file.unlink()
    assert not watched.changed()
