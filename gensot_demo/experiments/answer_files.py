"""An answer of an endpoint as a file: JSON, one long table (CSV), or arrays (NPZ), each with the request that made it.

All three hold the same: :func:`document` is the JSON; :func:`arrays` takes it apart into arrays by path, such as
``panels/GenSOT/w2``; the table has a row for each entry of these.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError

from gensot_demo import __version__

from . import limits
from .requests import InvalidRequest

KINDS = ("json", "csv", "npz")
_PICTURE = "data:image/"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for a formula at a cell's beginning
_UNSAFE = re.compile(r"[%/\\\x00-\x1f]")  # in a name of an archive
_LEFT_OUT = "pictures are left out here; the NPZ and the JSON have them"


def document(answer: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    """The answer as plain JSON, with its request at first. NaN and infinity become null, as the endpoint sends them."""
    request = {
        "app": "GenSOT Demo", "version": __version__, "endpoint": f"/{endpoint}", "query": answer.get("query", ""),
    }  # fmt: skip
    return {"request": request, **{str(key): _plain(value) for key, value in answer.items()}}


def to_file(kind: str, told: Mapping[str, Any]) -> bytes:
    """A document as the bytes of a file; raises InvalidRequest for an unknown kind, or for more than it may hold."""
    if kind not in KINDS:
        raise InvalidRequest(f"The kind of file is {str(kind)[:20]!r}; it must be one of {', '.join(KINDS)}.")
    if kind == "json":
        return json.dumps(told, allow_nan=False, ensure_ascii=False, indent=1).encode()
    found = arrays(told)
    if kind == "npz":
        return _npz(found)
    count = sum(array.size for array in found.values() if not _is_picture(array))
    if count > limits.TABLE_ROWS:
        raise InvalidRequest(
            f"The table would have {count:,} rows; at most {limits.TABLE_ROWS:,} are written. The NPZ has all numbers."
        )
    return _csv(told["request"], found, told.get("notes") or ())


def arrays(told: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Arrays by path. Lists of equal length are one array; numbers among which some are missing have NaN there; texts
    are arrays of text; pictures (data: addresses) are uint8, (height, width, channels), more of one size stacked."""
    return dict(_walk(told, ()))


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, NDArray[Any]]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(part, (*path, _name(key)))
        return
    array = _array(value)
    if array is not None:
        yield "/".join(path), array
        return
    for number, part in enumerate(value):
        yield from _walk(part, (*path, str(number)))


def _array(value: Any) -> NDArray[Any] | None:
    """The array that a plain value is, or None for a list of unequal things."""
    entries = list(_entries(value))
    if any(isinstance(entry, Mapping) for entry in entries):
        return None
    shape = _shape(value)
    if shape is None:
        return None
    if entries and all(isinstance(entry, str) for entry in entries):
        if all(entry.startswith(_PICTURE) for entry in entries):
            return _pictures(entries, shape)
        return np.array(entries, dtype=np.str_).reshape(shape)
    if entries and all(isinstance(entry, bool) for entry in entries):
        return np.array(entries, dtype=np.bool_).reshape(shape)
    if any(isinstance(entry, str) for entry in entries):
        return None if shape else np.array(str(value))
    if entries and all(isinstance(entry, int) and abs(entry) < 2**63 for entry in entries):
        return np.array(entries, dtype=np.int64).reshape(shape)
    return np.array([math.nan if entry is None else entry for entry in entries], dtype=np.float64).reshape(shape)


def _entries(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for part in value:
            yield from _entries(part)
    else:
        yield value


def _shape(value: Any) -> tuple[int, ...] | None:
    """Of nested lists; None where they are of unequal length."""
    if not isinstance(value, list):
        return ()
    inner = {_shape(part) for part in value}
    if not inner:
        return (0,)
    return None if len(inner) > 1 or None in inner else (len(value), *next(iter(inner)))


def _pictures(addresses: list[str], shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    found = [_pixels(address) for address in addresses]
    if len({picture.shape for picture in found}) > 1:
        return None if shape else found[0]
    return np.stack(found).reshape(*shape, *found[0].shape)


def _pixels(address: str) -> NDArray[np.uint8]:
    """A picture as (height, width, channels), a film as (frames, height, width, channels)."""
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2], validate=True)))
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        frames = [np.asarray(frame.convert(mode)) for frame in ImageSequence.Iterator(picture)]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, binascii.Error):
        raise InvalidRequest("A picture of the answer cannot be read.") from None
    return frames[0] if len(frames) == 1 else np.stack(frames)


def _is_picture(array: NDArray[Any]) -> bool:
    return array.dtype == np.uint8


def _name(key: Any) -> str:
    """A key as one step of a path and of a name in an archive."""
    text = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", str(key))
    return text.replace(".", "%2E") if not text.strip(".") else text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.replace("\0", "") if isinstance(value, str) else value  # arrays of text cannot end in it


def _npz(found: Mapping[str, NDArray[Any]]) -> bytes:
    """As ``numpy.savez_compressed`` writes it, but under any name, ``file`` too."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in found.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    return out.getvalue()


def _csv(request: Mapping[str, str], found: Mapping[str, NDArray[Any]], notes: Any) -> bytes:
    """``name,i,j,…,value``: a row for each entry; its indices, as many as it has. The request stands above, after #."""
    numbers = {
        name: array for name, array in found.items() if not _is_picture(array) and not name.startswith("request/")
    }
    out = io.StringIO(newline="")
    above = {"query": request["query"], "made by": f"{request['app']} {request['version']}, {request['endpoint']}"}
    for key, text in [*above.items(), *(("note", note) for note in notes)]:
        out.write(f"# {key}: {' '.join(str(text).split())}\r\n")
    if any(map(_is_picture, found.values())):
        out.write(f"# note: {_LEFT_OUT}\r\n")
    axes = ["i", "j", "k", "l", "m", "n"][: max((array.ndim for array in numbers.values()), default=0)]
    writer = csv.writer(out)  # its lines end in CR LF, as the format asks for
    writer.writerow(["name", *axes, "value"])
    for name, array in numbers.items():
        first, missing = _cell(name), [""] * (len(axes) - array.ndim)
        for index in np.ndindex(array.shape):
            writer.writerow([first, *index, *missing, _cell(array[index].item())])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    """Numbers as they read back exactly; texts such that no spreadsheet takes them for a formula."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value != value else repr(value)
