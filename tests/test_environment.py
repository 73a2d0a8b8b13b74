"""Every variable of the environment that the app reads or sets is documented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
NAME = re.compile(r"[A-Z][A-Z0-9_]{2,}")


def used(source: str) -> set[str]:
    """Names that a source gives to os.environ or os.getenv, and constants that are handed to them."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.search(r"environ\.(get|pop|setdefault)$|getenv$", ast.unparse(node.func)):
            named = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            named = node.slice
        else:
            continue
        if isinstance(named, ast.Name):
            named = ast.Constant(constants.get(named.id))
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            found.add(named.value)
    return found


def in_package() -> set[str]:
    files = [ROOT / "app.py", *(ROOT / "gensot_demo").rglob("*.py")]
    found = set().union(*(used(path.read_text(encoding="utf-8")) for path in files))
    redaction = (ROOT / "gensot_demo" / "redaction.py").read_text(encoding="utf-8")
    return found | set(re.findall(r'"([A-Z_]+)"', redaction[redaction.index("_PLACES") :].partition("\n")[0]))


def test_the_names_are_found():
    assert used("import os\nN = 'ABC'\nos.environ.get(N)\nos.getenv('DEF')\nos.environ['GHI']") == {"ABC", "DEF", "GHI"}
    assert {"PORT", "SPACE_ID", "GENSOT_BACKBONES", "SPACES_ZERO_GPU", "OMP_WAIT_POLICY", "HF_HOME"} <= in_package()


def test_every_variable_of_the_package_is_documented():
    section = DOCUMENT.partition("## Settings of the environment")[2].partition("\n## ")[0]
    assert sorted(name for name in in_package() if f"`{name}`" not in section and name != "HOME") == []


def test_every_variable_of_the_image_is_documented():
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^ENV (.*)$", dockerfile, re.MULTILINE)
    named = {name for name in re.findall(r"(\w+)=", line) if not name.startswith(("PIP_", "PYTHON")) and name != "PATH"}
    assert {"HF_HOME", "PORT"} <= named
    assert sorted(name for name in named if f"`{name}`" not in DOCUMENT and name != "HOME") == []
