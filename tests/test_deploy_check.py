"""The check of a deployment finds what it looks for, and nothing in this tree."""

import os
import shutil
import subprocess

import pytest

from tools import deployed_app
from tools.deploy_check import ROOT, front_matter, of_dockerfile, of_front_matter, of_pins
from tools.deployed_app import as_user, health_check

FILES = ("README.md", "pyproject.toml", "requirements.txt", "Dockerfile", "app.py", ".github/workflows/tests.yml")


@pytest.fixture
def tree(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
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
        ("pinned: false", "pinned: maybe", "pinned is 'maybe'; it must be true or false"),
        ("pinned: false", "header: tall", "header is tall; it must be one of default, mini"),
        ("pinned: false", "thumbnail: assets/no.png", "neither an https address nor a file here"),
        ("pinned: false", "thumbnail: http://host/x.png", "neither an https address nor a file here"),
        ("pinned: false", "fullWidth: 1", "fullWidth is 1; it must be true or false"),
        ("pinned: false", "custom_headers: {x-frame-options: deny}", "custom_headers sets x-frame-options"),
        ("license: apache-2.0", "license: apache", "license is apache; it must be one of"),
        ("emoji: 🧭", "emoji: compass", "emoji is 'compass'; it must be one emoji"),
        ("  - diffusion\n", "  - 3\n", "tags holds 3, which is no text"),
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
        (".github/workflows/tests.yml", '"3.12"', '"3.11"', "python_version 3.12, tests.yml 3.11"),
        ("requirements.txt", "gradio==6.", "gradio==5.", "pyproject.toml wants"),
        ("requirements.txt", "plotly==", "plotly>=", "does not pin plotly"),
        ("requirements.txt", "typer==", "tipper==", "requirements.txt names tipper, pyproject.toml does not"),
        ("requirements.txt", "pydantic==2.12.5", "pydantic==2.14.3", "a Space's gradio[oauth,mcp] wants <=2.12.5"),
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


SERVES = """
import http.server, os
{first}
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status})
        self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Quiet).serve_forever()
"""


@pytest.mark.skipif(as_user() is None, reason="root cannot become another user here")
@pytest.mark.parametrize(
    ("first", "status", "said"),
    [
        ("assert os.getuid() == 1000 or os.getuid() == {me}", 200, []),
        ("open('written.txt', 'w')", 200, ["The app ended:", "PermissionError"]),
        ("os.mkdir('cache')", 200, ["The app ended:", "PermissionError"]),
        ("open('app.py', 'a')", 200, ["The app ended:", "PermissionError"]),
        ("os.makedirs(os.environ['HF_HOME']); os.makedirs(os.environ['GRADIO_TEMP_DIR'])", 200, []),
        ("", 500, ["The app did not pass its health check"]),
        ("raise SystemExit('no model')", 200, ["The app ended:", "no model"]),
    ],
    ids=["user", "writes", "makes a folder", "changes itself", "caches", "unhealthy", "ends"],
)
def test_an_app_that_would_not_run_as_deployed_is_found(tmp_path, monkeypatch, first, status, said):
    """The same check on a few lines of server, broken in every way that it looks for."""
    monkeypatch.setattr(deployed_app, "_PATIENCE", 8.0)
    shutil.copy(ROOT / "Dockerfile", tmp_path / "Dockerfile")
    text = SERVES.format(first=first.format(me=os.getuid()) if "{me}" in first else first, status=status)
    (tmp_path / "app.py").write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    found = list(deployed_app.answers_as_deployed(tmp_path))
    assert bool(found) == bool(said)
    for words in said:
        assert words in "\n".join(found)
