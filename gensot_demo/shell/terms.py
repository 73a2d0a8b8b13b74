"""Terms in a sentence each: those of the pages' glossaries, as they stand there, and what only the tour needs."""

from __future__ import annotations

import re
from pathlib import Path

from gensot_demo import pages

_FILES = (
    Path(pages.__file__).with_name("glossary.md"),
    Path(pages.__file__).with_name("transport_glossary.md"),
    Path(__file__).with_name("terms.md"),
)
_ENTRY = re.compile(r"^\* \*\*(?P<name>[^*]+)\*\*:? (?P<text>.+?)(?=^\* |\Z)", re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r".+?[.](?= |$)")


def entries(text: str) -> dict[str, tuple[str, str]]:
    """By key: (name, explanation) of every entry ``* **Name**: explanation``; its first sentence, without Markdown."""
    found = {}
    for entry in _ENTRY.finditer(text):
        words = " ".join(entry["text"].split()).replace("*", "")
        sentence = _SENTENCE.match(words)
        said = sentence[0] if sentence else words
        name = entry["name"]
        if not entry[0].startswith(f"* **{name}**:"):  # the name is a part of the sentence
            said = f"{name} {said}"
        found[name.lower()] = (name, said[0].upper() + said[1:])
    return found


TERMS: dict[str, tuple[str, str]] = {
    key: term for file in _FILES for key, term in entries(file.read_text(encoding="utf-8")).items()
}
"""By key: (name, explanation)."""
