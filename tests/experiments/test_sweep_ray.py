"""Sweeps on real Ray clusters on this machine: lost machines and workers, GPUs, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.scoreboard.rows import plain
from gensot_demo.experiments.scoreboard.run import groups, rows_of
from gensot_demo.experiments.scoreboard.tasks import tasks_of
from gensot_demo.experiments.sweep.pieces import RowsPiece
from gensot_demo.experiments.sweep.run import Kept, sweep
from tests.support.pieces import PATIENCE, Noted, wait_for

ROOT = Path(__file__).parents[2]
pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of one machine with one CPU; tests add machines of their own."""
    from ray.cluster_utils import Cluster

    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)  # its workers find the pieces of tests
    soon = {"health_check_period_ms": 1000, "health_check_failure_threshold": 2}  # a dead machine is known to be dead
    cluster = Cluster(initialize_head=True, head_node_args=_machine(_system_config=soon))
    yield cluster
    cluster.shutdown()
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


def _machine(**more) -> dict:
    return {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False} | more


def places(**options):
    from gensot_demo.experiments.sweep.cluster import Places

    return Places(**options)


def kept_lines(kept: Kept) -> list[dict]:
    return [json.loads(line) for line in kept.path.read_text().splitlines()]


def begun(folder: Path, name: str) -> int:
    return len(list(folder.glob(f"{name}.*")))


def test_a_sweep_outlives_a_machine_and_workers_and_errors(cluster, tmp_path):
    """Half of the cluster is killed while it is at work, and one worker kills itself: every piece has one result."""
    home = cluster.head_node.node_id
    second = cluster.add_node(**_machine())
    kept = Kept(tmp_path / "kept.jsonl")
    fates = {"a refused one": "refuse", "a broken one": "break", "a shot one": "die once", "a hopeless one": "die"}
    pieces = [Noted(f"piece {n}", tmp_path, "wait", home=home) for n in range(6)]
    pieces += [Noted(name, tmp_path, fate, home=home) for name, fate in fates.items()]
    doing = places(address=cluster.address, tries=2)
    lost_with_the_machine = None
    for moment in sweep(pieces, kept, doing):
        if moment.done and lost_with_the_machine is None:
            wait_for(tmp_path / "elsewhere")
            cluster.remove_node(second, allow_graceful=False)
            on_second = [file for file in tmp_path.glob("piece *.0") if file.read_text() != home]
            lost_with_the_machine = [file.stem for file in on_second]
    assert moment.ended
    assert (moment.failed, moment.lost) == (3, 1)
    lines = kept_lines(kept)
    assert sorted(line["name"] for line in lines) == sorted({piece.name for piece in pieces} - {"a hopeless one"})
    assert lost_with_the_machine
    for name in lost_with_the_machine:
        assert begun(tmp_path, name) == 2, "what was at work on the lost machine is begun again"
    assert begun(tmp_path, "a shot one") == 2
    assert begun(tmp_path, "a hopeless one") == 2, "as often as --tries says"
    failed = {line["name"]: line["failed"] for line in lines if "failed" in line}
    assert set(failed) == {"a refused one", "a broken one"}
    assert failed["a refused one"] == "Steps is 0; it must be a whole number from 2 to 200."
    assert failed["a broken one"].startswith("KeyError: 'nothing there' (pieces.py, line ")

    again = [piece if piece.name != "a hopeless one" else Noted(piece.name, tmp_path) for piece in pieces]
    *_, last = sweep(again, kept, doing)
    assert (last.before, last.done, last.failed) == (9, 1, 0), "only what is missing"
    assert len(kept_lines(kept)) == len(pieces)


def test_a_piece_runs_where_the_gpu_is_and_without_one_on_the_cpu(cluster, tmp_path):
    kept = Kept(tmp_path / "kept.jsonl")
    doing = places(address=cluster.address)
    with pytest.raises(InvalidRequest, match=r"1 CPUs and 2 GPUs .* more than 1 CPUs and 0 GPUs"):
        list(sweep([Noted("too large", tmp_path)], kept, places(address=cluster.address, gpus=2)))
    list(sweep([Noted("here", tmp_path, gpus=0.5)], kept, doing))
    with_gpu = cluster.add_node(**_machine(num_gpus=1))
    try:
        list(sweep([Noted(f"there {n}", tmp_path, gpus=0.5) for n in range(2)], kept, doing))
    finally:
        cluster.remove_node(with_gpu, allow_graceful=False)
    here, *there = kept_lines(kept)
    assert (here["node"], here["gpus"]) == (cluster.head_node.node_id, 0)
    assert {(line["node"], line["gpus"]) for line in there} == {(with_gpu.node_id, 1)}
    assert len({line["process"] for line in there}) == 1, "a worker with a GPU lives on: its model is loaded once"


def test_a_sweep_that_is_left_frees_the_cluster(cluster, tmp_path):
    """Its only CPU is held by a piece that waits for ever; whoever comes next has it."""
    pieces = [Noted("done", tmp_path), Noted("at work", tmp_path, "wait", home="nowhere")]
    moments = sweep(pieces, Kept(tmp_path / "kept.jsonl"), places(address=cluster.address))
    while not next(moments).done:
        pass
    wait_for(tmp_path / "elsewhere")
    moments.close()
    *_, last = sweep([Noted("next", tmp_path)], Kept(tmp_path / "others.jsonl"), places(address=cluster.address))
    assert (last.done, last.failed) == (1, 0)
    assert begun(tmp_path, "at work") == 1


def test_no_cluster_is_a_sentence():
    with pytest.raises(InvalidRequest, match=r"no Ray cluster at .127\.0\.0\.1:1."):
        list(places(address="127.0.0.1:1")([Noted("x", Path())]))


def test_rows_from_workers_are_those_of_the_plain_loop_and_nothing_runs_on(tmp_path):
    (task,) = tasks_of("plane", "condition")
    options = {"draws": 24, "levels": (3,)}
    pieces = [RowsPiece(group) for group in groups(task, **options)]
    kept = Kept(tmp_path / "rows.jsonl")
    session = ""
    for _ in sweep(pieces, kept, places(workers=2)):
        session = session or _session()
    told = {(line["method"], line.get("value"), line["budget"]): line for line in kept_lines(kept)}
    expected = list(rows_of(task, **options))
    assert len(expected) == len(told)
    for row in expected:
        expected_line = plain(row) | {"seconds": None}
        line = told[row.method, row.value, row.budget] | {"seconds": None}
        assert {name: value for name, value in line.items() if name in expected_line} == expected_line
    assert session
    assert _ends(session), "a process of the sweep's cluster is still there"


def test_ctrl_c_keeps_what_is_done(tmp_path):
    out = tmp_path / "rows.jsonl"
    asked = ["--task", "follow", "--backbone", "plane", "--small", "--workers", "1", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "gensot_demo", "sweep", "rows", *asked],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(out)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: everyone in the group
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    there = len(Kept(out).records())
    assert 0 < there < 84


def _session() -> str:
    """The folder of the cluster that this process is connected to."""
    import ray

    return ray._private.worker.global_worker.node.get_session_dir_path() if ray.is_initialized() else ""


def _ends(session: str) -> bool:
    """Whether all processes that name that folder are gone soon."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        lines = [_command_of(one) for one in Path("/proc").glob("[0-9]*")]
        if not any(session in line for line in lines):
            return True
        time.sleep(0.2)
    return False


def _command_of(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
