"""Results that are kept as they come: one JSON object a line, so that a run cut at any moment loses at most a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from .requests import InvalidRequest


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file, none if there is no file; a half-written last line is left out.

    Raises InvalidRequest naming the file and the first line that holds no object.
    """
    if not path.is_file():
        return []
    whole, _, rest = path.read_bytes().rpartition(b"\n")
    found = []
    for number, line in enumerate(whole.split(b"\n"), 1):
        if line.strip():
            found.append(_object(line, f"{path}, line {number}"))
    with suppress(InvalidRequest):  # a run may have been cut while it wrote the last
        found += [_object(rest, "")] if rest.strip() else []
    return found


def append_lines(values: Iterable[dict[str, Any]], path: Path) -> None:
    """Add objects at the end of a file, all in one write that is on the disk when this returns; a half-written line
    before them is taken away."""
    text = "".join(json.dumps(value) + "\n" for value in values).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if not _ends_a_line(file):
            text = _mended(file) + text
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _ends_a_line(file: BinaryIO) -> bool:
    """Whether the file is empty or its last line is whole."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _mended(file: BinaryIO) -> bytes:
    """What the next write must begin with: the end of a line that lacks but that, nothing after one that was cut."""
    file.seek(0)
    content = file.read()
    end = content.rfind(b"\n") + 1
    try:
        _object(content[end:], "")
    except InvalidRequest:
        file.truncate(end)
        return b""
    return b"\n"


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        raise InvalidRequest(f"{where}: {_shown(line)} is no JSON.") from None
    if not isinstance(value, dict):
        raise InvalidRequest(f"{where}: {_shown(line)} is no JSON object.")
    return value


def _shown(line: bytes) -> str:
    return repr(line[:40].decode("utf-8", "replace"))
