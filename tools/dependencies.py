"""What the app depends on, from the installed packages themselves: ``python -m tools.dependencies`` lists licences,
``python -m tools.dependencies audit`` asks for known holes.

An audit that could not ask anybody says so and is exit status 2: it is neither clean nor dirty.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.deploy_check import ROOT, requirements

_FREE = {
    "0bsd", "apache-2.0", "apache-2.0 with llvm-exception", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc0-1.0",
    "cnri-python", "isc", "mit", "mit-0", "mit-cmu", "mpl-2.0", "psf-2.0", "unlicense", "zlib",
}  # fmt: skip
"""SPDX names of licences that allow any use, commercial use among it."""
_ALSO_CALLED = {
    "apache": "apache-2.0", "apache 2.0": "apache-2.0", "apache 2.0 license": "apache-2.0", "bsd": "bsd-3-clause",
    "apache software license": "apache-2.0", "apache license 2.0": "apache-2.0", "bsd license": "bsd-3-clause",
    "isc license (iscl)": "isc", "mit license": "mit", "mozilla public license 2.0 (mpl 2.0)": "mpl-2.0",
    "python software foundation license": "psf-2.0",
}  # fmt: skip


def shipped(path: Path = ROOT / "requirements.txt") -> dict[str, metadata.Distribution]:
    """Every package that the Space installs, by name: those of ``requirements.txt`` and what they need in turn."""
    found: dict[str, metadata.Distribution] = {}
    wanted = [(one.name, frozenset(one.extras)) for one in requirements(path)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        name, extras = wanted.pop()
        key = canonicalize_name(name), extras
        if key in seen:
            continue
        seen.add(key)
        found[key[0]] = metadata.distribution(name)
        for needed in map(Requirement, found[key[0]].requires or ()):
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                wanted.append((needed.name, frozenset(needed.extras)))
    return dict(sorted(found.items()))


def licence(package: metadata.Distribution) -> str:
    """What a package says of its licence, shortest form first: an SPDX expression, its classifiers, or the first line
    of the field."""
    told = package.metadata
    if expression := told.get("License-Expression"):
        return expression
    classifiers = [one for one in told.get_all("Classifier") or () if one.startswith("License ::")]
    named = [one.split("::")[-1].strip() for one in classifiers]
    return " AND ".join(name for name in named if name != "OSI Approved") or next(
        iter((told.get("License") or "").strip().splitlines()), ""
    )


def is_free(expression: str) -> bool:
    """Whether a licence allows any use: every part of an AND does, and one part of an OR."""
    text = " ".join(expression.lower().split())
    if text in _FREE or _ALSO_CALLED.get(text) in _FREE:
        return True
    for joint, judge in ((" and ", all), (" or ", any)):
        parts = _outside_brackets(text, joint)
        if len(parts) > 1:
            return judge(map(is_free, parts))
    return text.startswith("(") and text.endswith(")") and is_free(text[1:-1])


def _outside_brackets(text: str, joint: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for found in re.finditer(rf"[()]|{joint}", text):
        if found[0] in "()":
            depth += 1 if found[0] == "(" else -1
        elif depth == 0:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def not_free(packages: dict[str, metadata.Distribution]) -> Iterator[str]:
    """A sentence for each package whose licence is not one that allows any use."""
    for name, package in packages.items():
        if not is_free(said := licence(package)):
            yield f"{name} {package.version} is under {said or 'no licence that it names'}, which is not known as free."


def audit(packages: dict[str, metadata.Distribution]) -> tuple[int, list[str]]:
    """(exit status, sentences): 0 without known holes, 1 with some, 2 where nobody could be asked."""
    pins = "".join(f"{name}=={package.version.partition('+')[0]}\n" for name, package in packages.items())
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "pins.txt")
        listed.write_text(pins, encoding="utf-8")
        command = ["pip_audit", "-r", str(listed), "--no-deps", "--disable-pip", "--progress-spinner", "off"]
        asked = subprocess.run(
            [sys.executable, "-m", *command, "--format", "json"], capture_output=True, text=True, check=False
        )
    try:
        answers = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (asked.stderr.strip().splitlines() or ["no answer"])[-1][:300]
        return 2, [f"NOT AUDITED: the advisory service gave no answer ({why}). Run this where it can be reached."]
    known = {one["name"]: one for one in answers if "skip_reason" not in one}
    holes = [
        f"{name} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}."
        for name, one in known.items()
        for hole in one.get("vulns", ())
    ]
    if missing := sorted(packages.keys() - known.keys()):  # a mirror answers "not found" for what it knows nothing of
        few = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        return 2, [f"NOT AUDITED: nothing is known of {len(missing)} of {len(packages)} packages ({few}).", *holes]
    return int(bool(holes)), holes or [f"{len(known)} packages, no known hole."]


def main() -> None:
    packages = shipped()
    if sys.argv[1:] == ["audit"]:
        status, said = audit(packages)
        print(*said, sep="\n")
        sys.exit(status)
    for name, package in packages.items():
        print(f"{name} {package.version}: {licence(package)}")
    wrong = list(not_free(packages))
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
