"""What the app is started with."""

import pytest

from gensot_demo.experiments import limits
from gensot_demo.experiments.device import run_seconds
from gensot_demo.shell.launch import launch_options


@pytest.mark.parametrize("text", ["abc", "nan", "-1", "inf"])
def test_a_wrong_length_of_runs_is_told_before_the_app_starts(text, monkeypatch):
    monkeypatch.setenv("GENSOT_RUN_SECONDS", text)
    with pytest.raises(SystemExit, match=f"GENSOT_RUN_SECONDS is '{text}'"):
        launch_options()


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("1.5", 1.5), ("", limits.RUN_SECONDS)])
def test_the_length_of_runs_is_a_setting(text, seconds, monkeypatch):
    monkeypatch.setenv("GENSOT_RUN_SECONDS", text)
    assert run_seconds() == seconds
