"""The command line: what it writes, what it says, how it refuses."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from gensot_demo.cli import app
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.links import from_query
from gensot_demo.guidance.registry import REGISTRY

ROOT = Path(__file__).parents[1]
QUICK = ["--resolution", "32", "--steps", "5", "--samples", "2"]


def call(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """The sentence of a refusal: alone on stderr, with exit code 2."""
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_help_names_the_commands_without_loading_the_mathematics():
    script = (
        "import sys; from gensot_demo.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules or 'gradio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0
    assert "serve" in done.stdout
    assert "sample" in done.stdout


def test_sample_writes_a_grid_with_all_its_settings(tmp_path):
    out = tmp_path / "new" / "grid.png"
    done = subprocess.run(
        [sys.executable, "-m", "gensot_demo", "sample", *QUICK, "--condition", "round:1.5", "--follow", "flag: Italy:2",
         "--strength", "3", "--method", "cfg", "--method", "gensot:particles=4,stiffness=20", "--sampler", "bridge",
         "--seed", "11", "--out", out],
        capture_output=True, text=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "%" in done.stderr
    assert "Classifier-free guidance" in done.stdout
    assert "Cheapest: Classifier-free guidance" in done.stdout
    picture = Image.open(out)
    assert picture.size[0] > 2 * 64
    assert picture.size[1] > 2 * 64
    request, notes = from_query(picture.info["query"])
    assert notes == []
    assert [(c.name, c.trust) for c in request.conditions] == [("round", 1.5)]
    assert [(r.emoji, r.trust) for r in request.references] == [("flag: Italy", 2.0)]
    assert request.methods[1].settings == {"particles": 4, "stiffness": 20.0}
    assert (request.seed, request.steps, request.sampler, request.strength) == (11, 5, "bridge", 3.0)
    settings = json.loads(picture.info["request"])
    assert settings["view_noise"] == request.view_noise
    assert picture.info["verdict"]
    assert set(json.loads(picture.info["table"])) == {"cfg", "gensot"}

    again = tmp_path / "again.png"
    assert call("sample", "--link", f"https://example.org/?{picture.info['query']}", "--out", again).exit_code == 0
    assert np.array_equal(np.asarray(Image.open(again)), np.asarray(picture))


def test_the_pictures_are_magnified_pixel_by_pixel(tmp_path):
    assert call("sample", *QUICK, "--method", "unguided", "--out", tmp_path / "a.png").exit_code == 0
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    corner = pixels[26 : 26 + 64, 190 : 190 + 64]
    assert corner.std() > 5
    assert np.array_equal(corner[::2, ::2], corner[1::2, 1::2])


def test_a_picture_of_ones_own_travels_in_the_metadata(tmp_path):
    drawn = np.zeros((20, 20, 3), np.uint8)
    drawn[:10] = 200
    (tmp_path / "mine.png").write_bytes(to_png(drawn))
    done = call("sample", *QUICK, "--follow-file", tmp_path / "mine.png", "--out", tmp_path / "a.png")
    assert done.exit_code == 0, done.output
    (reference,) = json.loads(Image.open(tmp_path / "a.png").info["request"])["references"]
    assert base64.b64decode(reference["png"]) == to_png(drawn)


def test_with_nothing_asked_for_it_is_the_first_view(tmp_path):
    assert call("sample", *QUICK, "--out", tmp_path / "a.png").exit_code == 0
    request, _ = from_query(Image.open(tmp_path / "a.png").info["query"])
    assert request.references[0].average == "faces"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--condition", "blurple"], "Condition 'blurple' is unknown"),
        (["--condition", "red:9"], "trust is 9.0; it must be a number from 0 to 5"),
        (["--condition", "faces", "--condition", "clocks"], "No picture is both"),
        (["--steps", "900"], "Steps is 900; it must be a whole number from 2 to 200."),
        (["--strength", "nan"], "Strength is nan"),
        (["--resolution", "48"], "Resolution is 48"),
        (["--sampler", "magic"], "sampler 'magic' is unknown; there are averaged"),
        (["--path", "magic"], "Path is 'magic'"),
        (["--method", "magic"], "method 'magic' is unknown; there are unguided"),
        (["--method", "gensot:particles=900"], "Particles is '900'; it must be a whole number from 1 to 64."),
        (["--method", "gensot:particles"], "'particles' is not of the form key=value"),
        (["--follow", "no such emoji at all"], "no such picture"),
        (["--follow-file", "missing.png"], "missing.png: No such file or directory."),
        (["--link", "v=1", "--steps", "3"], "leave out --steps."),
        (["--link", "steps=x"], "Steps is 'x'; it must be a number."),
        (["--out", "grid.jpg"], "it must end in .png."),
        (["--method", "dps", "--condition", "red"], "DPS needs a picture to follow."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sentence in refused("sample", *arguments)
    assert list(tmp_path.iterdir()) == []


# --- serve -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def launched(monkeypatch):
    """What the app would be launched with, instead of launching it."""
    import gensot_demo.shell

    found = {}

    class Stand:
        def launch(self, **options):
            found.update(options)
            return SimpleNamespace(blocks=SimpleNamespace(app_id=1)), "", ""

        def block_thread(self):
            found["blocked"] = True

    monkeypatch.setattr(gensot_demo.shell, "build_app", Stand)
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setenv("PORT", "7999")
    before = dict(REGISTRY.methods)
    yield found
    REGISTRY.methods.clear()
    REGISTRY.methods.update(before)


def test_serve_launches_the_app_as_app_py_does(launched):
    assert call("serve").exit_code == 0
    assert launched["server_port"] == 7999
    assert launched["strict_cors"] is True
    assert call("serve", "--port", "8123", "--host", "127.0.0.1").exit_code == 0
    assert (launched["server_port"], launched["server_name"]) == (8123, "127.0.0.1")


METHOD = """
from gensot_demo.guidance.base import GuidanceMethod


class Mine(GuidanceMethod):
    name = "mine_alone"
    label = "Mine"
"""


def test_serve_takes_methods_from_files_but_not_on_a_space(launched, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(METHOD)
    done = call("serve", "--method", tmp_path / "mine.py")
    assert done.exit_code == 0, done.output
    assert "mine_alone" in REGISTRY.methods
    assert launched
    launched.clear()
    monkeypatch.setenv("SPACE_ID", "somebody/something")
    assert "is not available on a Space" in refused("serve", "--method", tmp_path / "mine.py")
    assert not launched
    assert call("serve").exit_code == 0


def test_a_method_file_that_is_not_there_is_refused(launched, tmp_path):
    assert "there is no such file" in refused("serve", "--method", tmp_path / "bad.py")
    (tmp_path / "bad.txt").write_text(METHOD)
    assert "a Python file (.py) is needed" in refused("serve", "--method", tmp_path / "bad.txt")
    assert not launched


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1", "defines no subclass of GuidanceMethod"),
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing' (bad.py, line 1)"),
        ("a = 1\ndef (", "SyntaxError: invalid syntax (bad.py, line 2)"),
        (METHOD.replace("mine_alone", "cfg"), "'cfg' is registered already"),
    ],
)
def test_a_broken_method_file_is_one_sentence_and_may_be_mended_while_the_app_runs(text, sentence, launched, tmp_path):
    (tmp_path / "bad.py").write_text(text)
    done = call("serve", "--method", tmp_path / "bad.py")
    assert done.exit_code == 0
    assert sentence in done.stderr
    assert "Traceback" not in done.output
    assert launched["blocked"]
    assert "gensot/own" in launched["head"], "the page asks what is wrong"


def test_a_picture_is_restored_and_a_reward_followed(tmp_path):
    out = tmp_path / "restored.png"
    done = call(
        "sample", *QUICK, "--restore", "mask:left half", "--restore-emoji", "clown face", "--restore-noise", "0.2",
        "--method", "unguided", "--out", out,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "To the true picture, grey levels" in done.stdout
    with Image.open(out) as picture:
        again, _ = from_query(picture.text["query"])
        assert json.loads(picture.text["request"])["restore"]["noise"] == 0.2
    assert (again.restore.mask, again.restore.picture.emoji) == ("left half", "clown face")
    own = tmp_path / "own.png"
    own.write_bytes(to_png(np.tile(np.arange(32, dtype=np.uint8)[:, None, None] * 8, (1, 32, 3))))
    done = call("sample", *QUICK, "--restore", "blur", "--restore-file", own, "--method", "unguided", "--out", out)
    assert done.exit_code == 0, done.output
    done = call("sample", *QUICK, "--reward", "colour:00ff00*-3", "--method", "unguided", "--out", out)
    assert done.exit_code == 0, done.output
    assert "Distance to #00ff00, grey levels" in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--restore", "paint"], ["'paint'", "'mask'"]),
        (["--restore-noise", "0.2"], ["--restore is missing"]),
        (["--restore", "blur", "--restore-noise", "0"], ["Restore noise is 0", "0.01 to 1"]),
        (["--reward", "brightness*99"], ["Reward amount is 99", "-20 to 20"]),
        (["--reward", "colour:red*1"], ["'#red'"]),
        (["--reward", "brightness", "--follow", "cat face"], ["a picture to follow and a reward"]),
    ],
)
def test_bad_tasks_are_refused_in_a_sentence(options, words, tmp_path):
    said = refused("sample", *QUICK, *options, "--method", "unguided", "--out", tmp_path / "x.png")
    for word in words:
        assert word in said
