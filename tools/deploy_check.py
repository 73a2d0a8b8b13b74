"""``python -m tools.deploy_check``: whether this tree would run as a Hugging Face Space and as a container.

Front matter against the documented fields, pins against each other and against what is installed, the Dockerfile by
hadolint, and the app itself as user 1000 on a read-only tree. Every finding is a sentence; none is exit status 0.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tools.deployed_app import answers_as_deployed

ROOT = Path(__file__).parents[1]
SOURCE = "https://huggingface.co/docs/hub/spaces-config-reference"

_COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
_HARDWARE = {
    "cpu-basic", "cpu-upgrade", "zero-a10g", "t4-small", "t4-medium", "l4x1", "l4x4", "l40sx1", "l40sx4", "l40sx8",
    "a10g-small", "a10g-large", "a10g-largex2", "a10g-largex4", "a100-large", "h100", "h100x8",
}  # fmt: skip
_DURATION = re.compile(r"\d+(\.\d+)?(s|m|h|d)?")
_LONGEST_DESCRIPTION = 60  # characters: a Space's card shows no more
_NEEDED = ("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "license")
_KNOWN = {
    *_NEEDED, "suggested_hardware", "suggested_storage", "app_build_command", "app_port", "base_path", "fullWidth",
    "header", "short_description", "models", "datasets", "tags", "thumbnail", "pinned", "hf_oauth", "hf_oauth_scopes",
    "hf_oauth_expiration_minutes", "hf_oauth_authorized_org", "disable_embedding", "startup_duration_timeout",
    "custom_headers", "preload_from_hub",
}  # fmt: skip
_KINDS = {
    "title": str, "pinned": bool, "fullWidth": bool, "hf_oauth": bool, "disable_embedding": bool, "app_port": int,
    "tags": list, "models": list, "datasets": list, "preload_from_hub": list, "custom_headers": dict,
}  # fmt: skip
_IN_WORDS = {str: "text", bool: "true or false", int: "a whole number", list: "a list", dict: "a mapping"}
_CHOICES = {
    "header": {"mini", "default"}, "suggested_storage": {"small", "medium", "large"},
    "license": {
        "apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "gpl", "gpl-2.0", "gpl-3.0", "agpl-3.0", "lgpl",
        "lgpl-2.1", "lgpl-3.0", "mpl-2.0", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "isc", "unlicense", "other",
    },
}  # fmt: skip
_HEADERS = {"cross-origin-embedder-policy", "cross-origin-opener-policy", "cross-origin-resource-policy"}
_LONGEST_EMOJI = 35  # bytes: a family of four
_EXTRAS_OF_A_SPACE = ("oauth", "mcp")


def front_matter(readme: str) -> dict[str, Any]:
    """The YAML block at the top of a README; empty where there is none."""
    found = re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)
    values = yaml.safe_load(found[1]) if found else None
    return values if isinstance(values, dict) else {}


def of_front_matter(root: Path = ROOT) -> Iterator[str]:
    """What the Space would not understand."""
    values = front_matter((root / "README.md").read_text(encoding="utf-8"))
    for name in _NEEDED:
        if not values.get(name):
            yield f"README.md says no {name}."
    for name in sorted(values.keys() - _KNOWN):
        yield f"README.md says {name}, which is not one of the fields of {SOURCE}."
    for name in ("colorFrom", "colorTo"):
        if values.get(name, "red") not in _COLOURS:
            yield f"{name} is {values[name]}; it must be one of {', '.join(sorted(_COLOURS))}."
    if values.get("sdk", "gradio") != "gradio":
        yield f"sdk is {values['sdk']}; the app is a gradio Space."
    if values.get("suggested_hardware", "cpu-basic") not in _HARDWARE:
        yield f"suggested_hardware is {values['suggested_hardware']}, which is no flavour of a Space."
    if not _DURATION.fullmatch(str(values.get("startup_duration_timeout", "30m"))):
        yield f"startup_duration_timeout is {values['startup_duration_timeout']}; it must be like 30m or 1h."
    if len(description := str(values.get("short_description", ""))) > _LONGEST_DESCRIPTION:
        yield f"short_description has {len(description)} characters; at most {_LONGEST_DESCRIPTION} are shown."
    for name in ("sdk_version", "python_version"):
        if name in values and not isinstance(values[name], str):
            yield f"{name} is the number {values[name]}; in quotes it keeps its last zero."
    yield from _of_kinds(values)
    thumbnail = str(values.get("thumbnail", "https://"))
    if not thumbnail.startswith("https://") and not (root / thumbnail).is_file():
        yield f"thumbnail is {thumbnail}, which is neither an https address nor a file here."
    if (app := values.get("app_file")) and not (root / app).is_file():
        yield f"app_file is {app}, which does not exist."


def _of_kinds(values: dict[str, Any]) -> Iterator[str]:
    for name, kind in _KINDS.items():
        if name in values and not isinstance(values[name], kind):
            yield f"{name} is {values[name]!r}; it must be {_IN_WORDS[kind]}."
    for name, allowed in _CHOICES.items():
        if name in values and values[name] not in allowed:
            yield f"{name} is {values[name]}; it must be one of {', '.join(sorted(allowed))}."
    if len(str(values.get("emoji", "")).encode()) > _LONGEST_EMOJI or str(values.get("emoji", "")).isascii():
        yield f"emoji is {values.get('emoji')!r}; it must be one emoji."
    for name in ("tags", "models", "datasets", "preload_from_hub"):
        if wrong := [one for one in values.get(name) or () if not isinstance(one, str)]:
            yield f"{name} holds {wrong[0]!r}, which is no text."
    for name in sorted(set(values.get("custom_headers") or ()) - _HEADERS):
        yield f"custom_headers sets {name}; a Space may set {', '.join(sorted(_HEADERS))}."


def of_pins(root: Path = ROOT) -> Iterator[str]:
    """Where two files name different versions, or the environment has others."""
    values = front_matter((root / "README.md").read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = {one.name.lower(): one for one in requirements(root / "requirements.txt")}
    wanted = {one.name.lower(): one for one in map(Requirement, project["dependencies"])}
    for name in sorted(pinned.keys() ^ wanted.keys()):
        has, lacks = ("requirements.txt", "pyproject.toml")[:: 1 if name in pinned else -1]
        yield f"{has} names {name}, {lacks} does not."
    for name, one in pinned.items():
        exact = [spec.version for spec in one.specifier if spec.operator == "=="]
        if not exact and name != "torch":  # whose build is the machine's
            yield f"requirements.txt does not pin {name}."
        for version in exact:
            if name in wanted and not wanted[name].specifier.contains(version, prereleases=True):
                yield f"requirements.txt pins {name} {version}, pyproject.toml wants {wanted[name].specifier}."
        if (installed := _installed(name)) and not one.specifier.contains(installed, prereleases=True):
            yield f"{name} {installed} is installed, requirements.txt wants {one.specifier}."
    gradio = str(pinned["gradio"].specifier).removeprefix("==") if "gradio" in pinned else ""
    if str(values.get("sdk_version")) != gradio:
        yield f"README.md says sdk_version {values.get('sdk_version')}, requirements.txt gradio {gradio}."
    yield from _beside_what_a_space_adds(pinned, gradio)
    python = str(values.get("python_version"))
    if not SpecifierSet(project["requires-python"]).contains(python):
        yield f"README.md says python_version {python}, pyproject.toml {project['requires-python']}."
    image = re.search(r"^FROM python:([\d.]+)", (root / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    if not image or image[1] != python:
        yield f"README.md says python_version {python}, the Dockerfile {image[1] if image else 'none'}."
    for workflow in sorted(root.glob(".github/workflows/*.yml")):
        for version in re.findall(r"python-version:\s*\"?([\d.]+)", workflow.read_text(encoding="utf-8")):
            if version != python:
                yield f"README.md says python_version {python}, {workflow.name} {version}."


def _beside_what_a_space_adds(pinned: dict[str, Requirement], gradio: str) -> Iterator[str]:
    """A Space installs gradio[oauth,mcp] in the same breath: where its wishes and the pins part, nothing is built."""
    if _installed("gradio") != gradio:
        return
    for wish in map(Requirement, metadata.requires("gradio") or ()):
        if not wish.marker or not any(wish.marker.evaluate({"extra": extra}) for extra in _EXTRAS_OF_A_SPACE):
            continue
        one = pinned.get(wish.name.lower())
        for version in () if one is None else (s.version for s in one.specifier if s.operator == "=="):
            if not wish.specifier.contains(version, prereleases=True):
                said = f"requirements.txt pins {wish.name} {version}"
                yield f"{said}, a Space's gradio[oauth,mcp] wants {wish.specifier}."


def requirements(path: Path) -> list[Requirement]:
    """The packages that a requirements file names."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def of_dockerfile(root: Path = ROOT) -> Iterator[str]:
    """What hadolint says of it, as warnings and errors."""
    beside = Path(sys.executable).with_name("hadolint")
    linter = str(beside) if beside.exists() else shutil.which("hadolint")
    if linter is None:
        yield "hadolint is not installed; it is in requirements-dev.txt."
        return
    command = [linter, "--no-color", "--failure-threshold", "warning", str(root / "Dockerfile")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        yield from (line.replace(f"{root}/", "") for line in found.stdout.splitlines())


CHECKS: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
    ("front matter", of_front_matter),
    ("pins", of_pins),
    ("Dockerfile", of_dockerfile),
    ("as user 1000 on a read-only tree", lambda: answers_as_deployed(ROOT)),
)


def main() -> None:
    failed = False
    for title, check in CHECKS:
        problems = list(check())
        failed |= bool(problems)
        print(f"{'✗' if problems else '✓'} {title}", *(f"    {problem}" for problem in problems), sep="\n", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
