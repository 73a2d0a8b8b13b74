"""The check of a deployment finds what it looks for, and nothing in this tree."""

import shutil

import pytest

from tools.deploy_check import ROOT, front_matter, of_dockerfile, of_front_matter, of_pins
from tools.deployed_app import health_check

FILES = ("README.md", "pyproject.toml", "requirements.txt", "Dockerfile", "app.py")


@pytest.fixture
def tree(tmp_path):
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def changed(tree, name, old, new):
    text = (tree / name).read_text(encoding="utf-8")
    assert old in text
    (tree / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_this_tree_is_sound():
    assert [*of_front_matter(), *of_pins(), *of_dockerfile()] == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("colorFrom: blue", "colorFrom: teal", "colorFrom is teal; it must be one of"),
        ("title: GenSOT Demo\n", "", "says no title"),
        ("pinned: false", "pined: false", "pined, which is not one of the fields"),
        ("app_file: app.py", "app_file: main.py", "main.py, which does not exist"),
        ("sdk: gradio", "sdk: streamlit", "sdk is streamlit"),
        ("suggested_hardware: cpu-basic", "suggested_hardware: abacus", "abacus, which is no flavour"),
        ("startup_duration_timeout: 30m", "startup_duration_timeout: soon", "soon; it must be like 30m"),
        ("short_description: See", "short_description: " + "See " * 20, "at most 60 are shown"),
        ('python_version: "3.12"', "python_version: 3.10", "python_version is the number 3.1"),
    ],
)
def test_front_matter(tree, old, new, says):
    changed(tree, "README.md", old, new)
    assert any(says in problem for problem in of_front_matter(tree))


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("README.md", "sdk_version: 6.", "sdk_version: 5.", "says sdk_version 5."),
        ("README.md", 'python_version: "3.12"', 'python_version: "3.10"', "python_version 3.10, pyproject.toml"),
        ("Dockerfile", "python:3.12-slim", "python:3.13-slim", "the Dockerfile 3.13"),
        ("requirements.txt", "gradio==6.", "gradio==5.", "pyproject.toml wants"),
        ("requirements.txt", "plotly==", "plotly>=", "does not pin plotly"),
        ("requirements.txt", "typer==", "tipper==", "requirements.txt names tipper, pyproject.toml does not"),
        ("requirements.txt", "numpy==2", "numpy==3", "is installed, requirements.txt wants ==3"),
    ],
)
def test_pins(tree, name, old, new, says):
    changed(tree, name, old, new)
    assert any(says in problem for problem in of_pins(tree))


def test_the_dockerfile_is_linted(tree):
    changed(tree, "Dockerfile", "USER 1000\n", "USER 1000\nRUN cd /tmp && sudo ls\n")
    assert any("DL3004" in problem for problem in of_dockerfile(tree))


def test_a_readme_without_front_matter_has_none():
    assert front_matter("# Title\n") == {}
    assert front_matter("---\n- a list\n---\n") == {}


def test_the_health_check_is_the_dockerfile_s(tree):
    assert health_check(tree / "Dockerfile")[0] == "-c"
    changed(tree, "Dockerfile", 'CMD ["python", "-c"', 'CMD ["curl", "-c"')
    with pytest.raises(ValueError, match="curl"):
        health_check(tree / "Dockerfile")
