"""The Scoreboard's rows: what they count, that nothing is drawn twice, and that the shipped ones are this code's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks import guidance
from gensot_demo.experiments.needs import needs
from gensot_demo.experiments.scoreboard import run
from gensot_demo.experiments.scoreboard.plane import asked_of_the_plane, plane_row
from gensot_demo.experiments.scoreboard.rows import Row, append_rows, load_rows
from gensot_demo.experiments.scoreboard.run import draws_of, rows_of
from gensot_demo.experiments.scoreboard.tasks import FEWEST_STEPS, TASKS, tasks_of, variants

STEPS = run.STEPS["plane"]
PLANE = {task.name: task for task in TASKS if task.backbone == "plane"}


def variant(task, name):
    """The method as it is asked first."""
    return next(v for v in variants(task) if v.method.name == name)


def test_a_row_comes_back_from_the_file(tmp_path):
    row = Row("plane", "follow", 0.3, "dps", "DPS", "steps", "scale", 2.0, 40, 500, 41.0, 41.0, distance=0.25)
    append_rows([row, replace(row, distance=0.5)], tmp_path / "rows.jsonl")
    assert load_rows(tmp_path / "rows.jsonl") == [replace(row, distance=0.5)]
    assert load_rows(tmp_path / "none.jsonl") == []


def test_a_row_is_valid_only_if_the_wrong_law_is_seen():
    row = Row("plane", "follow", 1, "dps", "DPS", "steps", distance=0.3, floor=0.2, spread=0.02, power=0.6)
    assert row.valid
    assert row.ratio == pytest.approx(1.5)
    assert not replace(row, error=0.02).exact
    assert replace(row, error=0.1).exact
    blind = replace(row, power=0.27)
    assert not blind.valid
    assert blind.ratio is None


def test_sampling_the_law_that_is_asked_for_scores_the_floor_and_another_does_not():
    task = PLANE["condition"]
    exact = plane_row(task, 1, variant(task, "conditional"), STEPS, 500, "steps")
    assert exact.valid
    assert abs(exact.distance - exact.floor) < 3 * exact.error
    other = plane_row(task, 5, variant(task, "conditional"), STEPS, 500, "steps")
    assert other.ratio > 3


def test_gensot_keeps_its_promises_in_the_plane():
    """Aims: trusts within 1.6 of the floor where added scores are at more; following a view within 1.2."""
    trusts, follow = PLANE["condition"], PLANE["follow"]
    own = plane_row(trusts, 5, variant(trusts, "gensot"), STEPS, 500, "steps")
    assert own.ratio < 1.6
    assert plane_row(trusts, 5, variant(trusts, "cfg"), STEPS, 500, "steps").ratio > 2.5
    for level in follow.levels:
        assert plane_row(follow, level, variant(follow, "gensot"), STEPS, 500, "steps").ratio < 1.2


def test_equal_calls_are_equal_and_counted():
    task = PLANE["follow"]
    told, _ = asked_of_the_plane(task, 0.6)
    for row in rows_of(task, draws=32, levels=(0.6,), budgets=("calls",)):
        if row.failed:
            continue
        one = needs(next(v for v in variants(task) if v.method.name == row.method).method, told).passes
        assert row.steps >= FEWEST_STEPS
        assert row.cost <= STEPS + 1.5 * one, row  # rounded to whole steps; the start asks once


def test_what_is_known_is_not_drawn_again_and_one_call_a_step_is_shared(monkeypatch):
    task = PLANE["follow"]
    drawn = Counter()

    def counted(task, level, variant, steps, draws, budget):
        drawn[variant.method.name, variant.value, budget] += 1
        return plane_row(task, level, variant, min(steps, 6), 20, budget)

    monkeypatch.setattr(run, "plane_row", counted)
    first = list(rows_of(task, draws=20, levels=(0.6,)))
    assert ("unguided", None, "steps") in drawn
    assert ("unguided", None, "calls") not in drawn
    assert {row.budget for row in first if row.method == "unguided"} == {"steps", "calls"}
    drawn.clear()
    assert list(rows_of(task, draws=20, known={row.key: row for row in first}, levels=(0.6,))) == []
    assert not drawn


def test_an_unknown_task_is_named_with_what_there_is():
    with pytest.raises(ValueError, match=r"'walk' on backbone 'moon' is unknown; there are .*follow on collection"):
        tasks_of("moon", "walk")


def test_the_shipped_rows_are_of_this_code():
    shipped = {row.key: row for row in load_rows()}
    assert {(row.backbone, row.task) for row in shipped.values()} == {(task.backbone, task.name) for task in TASKS}
    for name in ("cfg", "gensot"):
        task = PLANE["condition"]
        row = plane_row(task, 3, variant(task, name), STEPS, draws_of(task), "steps")
        assert shipped[row.key].distance == pytest.approx(row.distance, rel=1e-3)
    for task in TASKS:
        for level in task.levels:
            methods = {row.method for row in shipped.values() if (row.backbone, row.task) == (task.backbone, task.name)}
            assert {v.method.name for v in variants(task)} <= methods, (task.name, level)


def test_the_command_prints_one_object_and_goes_on_where_it_was_cut(tmp_path, capsys, monkeypatch):
    out = tmp_path / "rows.jsonl"
    command = ["guidance", "--task", "condition", "--backbone", "plane", "--small", "--out", str(out)]
    monkeypatch.setattr("sys.argv", command)
    monkeypatch.setattr(guidance, "SMALL_DRAWS", {"plane": 24})
    guidance.main()
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    said = {
        "task",
        "method",
        "strength",
        "distance",
        "floor",
        "power",
        "effective",
        "ideal",
        "calls",
        "seconds",
        "success",
    }
    assert said <= set(rows[0])
    lines = out.read_text().splitlines()
    assert len(lines) == len(rows)
    out.write_text("\n".join(lines[:-3]) + "\n")
    guidance.main()
    assert len(out.read_text().splitlines()) == len(lines)
