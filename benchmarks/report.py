"""What every benchmark does with its figures."""

from __future__ import annotations

import json
import sys
from typing import Any


def progress(text: str) -> None:
    """A line for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def report(figures: dict[str, Any]) -> None:
    """The figures as one JSON object on one line, numbers to four significant digits."""
    print(json.dumps(_rounded(figures)), flush=True)


def _rounded(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
        case float():
            return float(f"{value:.4g}")
    return value
