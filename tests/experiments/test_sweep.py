"""Sweeps without Ray: what a piece is, what its key says, what is kept of a cut sweep, and rows of one's own."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

import gensot_demo.experiments.sweep.pieces as pieces_module
from gensot_demo.experiments.grid.request import from_query
from gensot_demo.experiments.grid.run import run_grid
from gensot_demo.experiments.json_lines import append_lines, read_lines
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.scoreboard.own_rows import own_rows, shown_rows
from gensot_demo.experiments.scoreboard.rows import Row, append_rows, load_rows
from gensot_demo.experiments.scoreboard.run import groups, rows_of
from gensot_demo.experiments.scoreboard.tasks import BUDGETS, tasks_of, variants
from gensot_demo.experiments.sweep.code import digest_of
from gensot_demo.experiments.sweep.pieces import RowsPiece, cell_pieces, grid_of_kept, rows_pieces
from gensot_demo.experiments.sweep.run import Kept, Progress, in_turn, sweep
from tests.support.pieces import Noted

(PLANE,) = tasks_of("plane", "condition")
(COLLECTION,) = tasks_of("collection", "follow")


def plane_pieces(draws: int = 24) -> list[RowsPiece]:
    return [RowsPiece(group) for group in groups(PLANE, draws=draws, levels=(3,))]


def without_seconds(rows) -> list[Row]:
    return sorted((replace(row, seconds=0) for row in rows), key=lambda row: str(row.key))


def test_pieces_are_picklable_and_their_keys_say_all_that_counts():
    pieces = list(rows_pieces("plane", small=True))
    keys = {piece.key for piece in pieces}
    assert len(keys) == len(pieces) > 200
    assert {pickle.loads(pickle.dumps(piece)).key for piece in pieces} == keys
    group = pieces[0].group
    changed = (
        replace(group, draws=group.draws + 1), replace(group, steps=group.steps + 1), replace(group, level=2.0),
        replace(group, budget="calls"),
    )  # fmt: skip
    assert not keys & {RowsPiece(other).key for other in changed}


def test_another_version_or_another_file_of_a_method_is_another_piece(monkeypatch):
    (piece, *_) = plane_pieces()
    before = piece.key
    with monkeypatch.context() as patch:
        patch.setattr(pieces_module, "__version__", "99.0")
        assert piece.key != before
    with monkeypatch.context() as patch:
        patch.setattr(pieces_module, "_digest", lambda kind: "of an edited file")
        assert piece.key != before
    with monkeypatch.context() as patch:
        patch.setattr(pieces_module, "code_digest", lambda: "of edited code")
        assert piece.key != before
    assert piece.key == before


def test_the_digest_sees_all_that_computes_and_nothing_that_only_shows(tmp_path):
    package, assets = tmp_path / "package", tmp_path / "assets"
    files = {
        package / "transport" / "samplers.py": True,
        package / "redaction.py": True,
        assets / "emoji_network" / "judge" / "weights.safetensors": True,
        package / "pages" / "grid_page.py": False,
        package / "cli" / "grid.py": False,
        assets / "emoji_network" / "README.md": False,
    }
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("before")
    for file, counts in files.items():
        before = digest_of(package, assets)
        file.write_text("after")
        assert (digest_of(package, assets) != before) == counts, file.name


def test_another_revision_of_a_hub_model_is_another_cell(monkeypatch):
    request, _ = from_query("backbone=somebody/model&condition=a+cat&method=cfg&x=strength:3")
    keys = set()
    for revision in ("", "@abc", "@def"):
        monkeypatch.setenv("GENSOT_BACKBONES", f"somebody/model{revision}")
        keys.add(cell_pieces(request)[0].key)
    assert len(keys) == 3


def test_groups_are_the_same_whatever_is_known_and_cover_every_row():
    for task in (PLANE, COLLECTION):
        keys = [row.key for group in groups(task, draws=64) for row in group.failed("only counted")]
        assert len(set(keys)) == len(keys)
        assert len(keys) == len(list(variants(task))) * len(task.levels) * len(BUDGETS)


def test_the_rows_of_pieces_are_those_of_the_plain_loop(tmp_path):
    kept = Kept(tmp_path / "rows.jsonl")
    *_, last = sweep(plane_pieces(), kept, in_turn)
    assert (last.done, last.failed) == (last.total, 0)
    append_rows(rows_of(PLANE, draws=24, levels=(3,)), tmp_path / "plain.jsonl")
    assert without_seconds(load_rows(kept.path)) == without_seconds(load_rows(tmp_path / "plain.jsonl"))


def test_rows_that_another_sweep_hid_are_shown_again(tmp_path):
    kept = Kept(tmp_path / "rows.jsonl")
    for draws in (40, 20):
        list(sweep(plane_pieces(draws)[:2], kept, in_turn))
    assert {row.draws for row in load_rows(kept.path)} == {20}
    *_, last = sweep(plane_pieces(40)[:2], kept, in_turn)
    assert (last.before, last.total) == (2, 2)
    assert {row.draws for row in load_rows(kept.path)} == {40}
    content = kept.path.read_bytes()
    list(sweep(plane_pieces(40)[:2], kept, in_turn))
    assert kept.path.read_bytes() == content


def test_a_sweep_that_was_cut_does_only_what_is_missing(tmp_path):
    kept = Kept(tmp_path / "kept.jsonl")
    pieces = [Noted(f"piece {n}", tmp_path) for n in range(5)]
    moments = sweep(pieces, kept, in_turn)
    while next(moments).done < 3:
        pass
    moments.close()
    assert len(list(tmp_path.glob("piece*"))) == 3
    with kept.path.open("a") as file:
        file.write('{"name": "piece 3", "pie')  # as a machine that lost its power leaves it
    *_, last = sweep(pieces, kept, in_turn)
    assert (last.before, last.done) == (3, 2)
    assert len(list(tmp_path.glob("piece*"))) == 5, "each was begun once"
    assert [line["name"] for line in read_lines(kept.path)] == [piece.name for piece in pieces]
    *_, last = sweep(pieces, kept, in_turn, again=True)
    assert (last.before, last.done) == (0, 5)


def test_a_piece_that_was_half_kept_is_done_again(tmp_path):
    kept = Kept(tmp_path / "rows.jsonl")
    piece = next(piece for piece in plane_pieces() if piece.group.twice)
    list(sweep([piece], kept, in_turn))
    first, second = kept.path.read_text().splitlines()
    kept.path.write_text(first + "\n")
    assert kept.records() == {}
    *_, last = sweep([piece], kept, in_turn)
    assert last.done == 1
    assert len(load_rows(kept.path)) == 2
    kept.path.write_text(f"{second}\n{first}\n")
    assert len(kept.records()[piece.key]) == 2


def test_what_fails_is_kept_as_a_sentence_and_the_others_go_on(tmp_path):
    kept = Kept(tmp_path / "kept.jsonl")
    pieces = [Noted("a", tmp_path, "refuse"), Noted("b", tmp_path, "break"), Noted("c", tmp_path)]
    *_, last = sweep(pieces, kept, in_turn)
    assert (last.done, last.failed, last.lost) == (3, 2, 0)
    refused, broken, well = read_lines(kept.path)
    assert refused["failed"] == "Steps is 0; it must be a whole number from 2 to 200."
    assert broken["failed"].startswith("KeyError: 'nothing there'")
    assert well["name"] == "c"


def test_a_failed_group_fails_in_each_of_its_rows():
    group = next(group for group in groups(PLANE, draws=24, levels=(3,)) if group.twice)
    rows = RowsPiece(group).failed("There was no memory.")
    assert {row["failed"] for row in rows} == {"There was no memory."}
    assert {row["budget"] for row in rows} == {"steps", "calls"}


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (Progress(87, 0), "0 of 87"),
        (Progress(87, 10, 2, 0, 0, 9.0, 3.0), "12 of 87, about 8 min left"),
        (Progress(87, 0, 12, 3, 0, 43.0, 10.0), "12 of 87, 3 failed, about 4 min left"),
        (Progress(87, 0, 86, 0, 0, 85.0, 0.0), "86 of 87, about 1 s left"),
        (Progress(87, 0, 87, 1, 0, 85.0, 0.0), "87 of 87, 1 failed"),
    ],
)
def test_progress_is_a_sentence(moment, said):
    assert moment.sentence == said


def test_cells_of_a_sweep_are_those_of_the_grid(tmp_path):
    base = "backbone=collection&resolution=32&steps=3&condition=red&method=cfg&samples=2"
    request, _ = from_query(f"{base}&x=strength:1,3&y=condition:red,no such")
    kept = Kept(tmp_path / "cells.jsonl")
    *_, last = sweep(cell_pieces(request), kept, in_turn)
    assert (last.total, last.failed) == (4, 2)
    *_, whole = run_grid(request)
    found = grid_of_kept(request, kept.records(), 1.0)
    for here, there in zip(found.cells, whole.cells, strict=True):
        assert here.request == there.request
        assert here.reason == there.reason
        assert (here.pictures is None) == (there.pictures is None)
        if here.pictures is not None:
            assert here.pictures.shape == there.pictures.shape == (2, 32, 32, 3)
            assert np.abs(here.pictures.astype(int) - there.pictures).max() <= 1
            assert (here.nearest, here.calls) == (there.nearest, there.calls)
    wider, _ = from_query(f"{base}&x=strength:1,3,5&y=condition:red,no such")
    missing = grid_of_kept(wider, kept.records(), 1.0).cells[2]
    assert missing.reason == "It is not made yet."
    *_, last = sweep(cell_pieces(wider), kept, in_turn)
    assert last.before == 4, "a grid that grew takes the cells that there are"


def test_lines_survive_a_cut_and_say_what_is_wrong(tmp_path):
    path = tmp_path / "lines.jsonl"
    assert read_lines(path) == []
    path.write_text('{"a": 1}')  # whole, but for its end
    append_lines([{"a": 2}], path)
    assert read_lines(path) == [{"a": 1}, {"a": 2}]
    path.write_text('{"a": 1}\n{"a": ')
    assert read_lines(path) == [{"a": 1}]
    append_lines([{"a": 3}], path)
    assert read_lines(path) == [{"a": 1}, {"a": 3}]
    path.write_text('{"a": 1}\nnonsense\n{"a": 2}\n')
    with pytest.raises(InvalidRequest, match="line 2: 'nonsense' is no JSON"):
        read_lines(path)


def test_rows_of_ones_own_stand_in_place_of_those_that_ship(tmp_path, monkeypatch):
    shipped = load_rows()
    (piece, *_) = plane_pieces()
    list(sweep([piece], Kept(tmp_path / "rows.jsonl"), in_turn))
    monkeypatch.setenv("GENSOT_ROWS", str(tmp_path / "rows.jsonl"))
    own = own_rows()
    assert own.sentence == f"rows.jsonl: {len(own.rows)} rows, drawn by version 0.1.0"
    shown = shown_rows(own)
    answered = {(row.backbone, row.task, row.level, row.budget) for row in own.rows}
    assert answered == {("plane", "condition", 3, "steps"), ("plane", "condition", 3, "calls")}
    for row in shown:
        assert (row in own.rows) == ((row.backbone, row.task, row.level, row.budget) in answered)
    assert 0 < len(shown) < len(shipped)
    monkeypatch.delenv("GENSOT_ROWS")
    assert own_rows() is None
    assert shown_rows(None) == shipped


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file of rows"),
        ("", "holds no rows"),
        ("nonsense\n", "line 1: 'nonsense' is no JSON"),
        (json.dumps({"backbone": "plane"}) + "\n", r"row 1 is no row of the Scoreboard \(task: field required\)"),
    ],
)
def test_a_broken_file_of_rows_is_an_error_at_the_start(content, said, tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("GENSOT_ROWS", str(path))
    with pytest.raises(InvalidRequest, match=said):
        own_rows()
