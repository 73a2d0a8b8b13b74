"""Documents name files that exist, and rooms import only as the architecture page says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "benchmarks" / "README.md"])
ROOMS = ("transport", "backbones", "guidance", "integrations", "experiments", "figures", "pages", "shell", "cli")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document):
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", ["SECURITY.md", "CONTRIBUTING.md"])
def test_named_files_exist(document):
    named = re.findall(r"`((?:tests|docs|gensot_demo|tools)/[\w/.]+)`", (ROOT / document).read_text(encoding="utf-8"))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def rooms_imported(source: str, package: tuple[str, ...]) -> set[str]:
    """Rooms of gensot_demo that a module of ``package`` names in its imports, wherever they stand."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join([*above, *([node.module] if node.module else [])])
            names = [start, *(f"{start}.{alias.name}" for alias in node.names)]
        else:
            continue
        parts = (name.split(".") for name in names)
        found |= {part[1] for part in parts if part[0] == "gensot_demo" and len(part) > 1 and part[1] in ROOMS}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_from_those_above_them_in_the_list(room):
    allowed, wrong = set(ROOMS[: ROOMS.index(room) + 1]), {}
    for path in sorted((ROOT / "gensot_demo" / room).rglob("*.py")):
        package = path.relative_to(ROOT).with_suffix("").parts[:-1]
        if upwards := rooms_imported(path.read_text(encoding="utf-8"), package) - allowed:
            wrong[str(path.relative_to(ROOT))] = sorted(upwards)
    assert wrong == {}


def test_an_import_upwards_would_be_found():
    package = ("gensot_demo", "transport")
    assert rooms_imported("from ..pages import compare", package) == {"pages"}
    assert rooms_imported("def f():\n    import gensot_demo.figures.wall", package) == {"figures"}
    assert rooms_imported("from .. import pages", package) == {"pages"}
    assert rooms_imported("from .mixtures import GaussianMixture", package) == {"transport"}
