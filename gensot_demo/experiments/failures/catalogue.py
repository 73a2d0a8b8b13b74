"""The failures by name, in the order of the page."""

from __future__ import annotations

from . import hard_end, memorised, oversaturation, particles, prior_error, step_size, stiff
from .failure import Failure

FAILURES: dict[str, Failure] = {
    module.FAILURE.name: module.FAILURE
    for module in (oversaturation, step_size, particles, stiff, hard_end, memorised, prior_error)
}
