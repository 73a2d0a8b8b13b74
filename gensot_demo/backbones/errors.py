"""What a backbone refuses, always with a sentence for the person."""

from __future__ import annotations

from gensot_demo.redaction import for_strangers


class UnknownCondition(ValueError):
    """A condition, class or prompt that the backbone cannot take."""


class BackboneUnavailable(ValueError):
    """A model that cannot be had: unknown, too large, not reachable, in the wrong format. The sentence may quote what
    another library said, so it is freed of secrets and of places on this machine."""

    def __init__(self, sentence: str) -> None:
        super().__init__(for_strangers(sentence))
