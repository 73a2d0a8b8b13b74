"""What a backbone refuses, always with a sentence for the person."""

from __future__ import annotations


class UnknownCondition(ValueError):
    """A condition, class or prompt that the backbone cannot take."""


class BackboneUnavailable(ValueError):
    """A model that cannot be had: unknown, too large, not reachable, in the wrong format."""
