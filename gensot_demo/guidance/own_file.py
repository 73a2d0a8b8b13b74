"""A person's own Python file with guidance methods: run under a time limit, and watched for changes."""

from __future__ import annotations

import inspect
import linecache
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gensot_demo.transport.time_limit import limited

from .base import GuidanceMethod

SECONDS = 10.0
"""How long a file may take to be run, and a method of one's own to answer at one step."""


def methods_in(path: Path) -> list[type[GuidanceMethod]]:
    """The methods that a Python file defines. Runs it, whatever it does: local use only.

    Raises FileNotFoundError or ValueError with a sentence, TookTooLong, and whatever the file raises.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--method {str(path)!r}: there is no such file.")
    if path.suffix != ".py":
        raise ValueError(f"--method {str(path)!r}: a Python file (.py) is needed.")
    module = ModuleType(f"gensot_user_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    linecache.checkcache(str(path))
    # compiled here: Python's own cache tells versions apart by size and second, too coarse for a file that is edited
    code = compile(path.read_bytes(), str(path.resolve()), "exec")
    limited(exec, SECONDS, path.name)(code, vars(module))
    found = [value for value in vars(module).values() if _is_method_of(module, value)]
    if not found:
        raise ValueError(f"--method {str(path)!r} defines no subclass of GuidanceMethod.")
    return found


def _is_method_of(module: ModuleType, value: Any) -> bool:
    if not (inspect.isclass(value) and issubclass(value, GuidanceMethod)):
        return False
    return value.__module__ == module.__name__ and bool(value.name)


def declaration(method: type[GuidanceMethod]) -> tuple[Any, ...]:
    """Everything of a method that a page shows before it runs: when this changes, its controls have to be made anew."""
    described = (method.name, method.label, method.family, method.summary, method.equation, method.source, method.cost)
    fields = tuple((name, repr(declared)) for name, declared in method.model_fields.items())
    return (*described, fields)


@dataclass
class WatchedFile:
    """A file and the state in which it was last read."""

    path: Path
    seen: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Whether the file is not as it was when this was last asked; a file that is being replaced has not changed."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        now = (found.st_mtime_ns, found.st_size)
        before, self.seen = self.seen, now
        return now != before
