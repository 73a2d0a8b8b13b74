"""What the environment switches off."""

from __future__ import annotations

import os

OFF = ("false", "0", "no", "off")


def switched_on(variable: str) -> bool:
    """Whether a thing that is on by itself stays so: its variable is none of ``OFF``, in any case of letters."""
    return os.environ.get(variable, "").strip().lower() not in OFF
