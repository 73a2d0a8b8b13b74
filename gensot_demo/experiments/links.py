"""A request as a query string and back: short, readable, versioned, forgiving of what it does not know.

Example: ``v=1&condition=animals*1&condition=red*2&strength=3&method=cfg&method=gensot*particles:8``.
A drawing does not travel in a link; :func:`to_query` leaves it out and says so.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote

from .requests import CompareRequest, InvalidRequest, parse

VERSION = 1
MAX_LENGTH = 4000
MAX_FIELDS = 64
_NUMBERS = {"strength": float, "view_noise": float, "steps": int, "samples": int, "seed": int, "resolution": int}
_REFERENCES = {"follow": "emoji", "follow_average": "average"}
_WORDS = ("backbone", "negative", "sampler", "path")
_SEPARATOR = "*"


def to_query(request: CompareRequest) -> tuple[str, list[str]]:
    """(query string without "?", notes on what does not travel). Values equal to the default are left out."""
    fields, notes = [("v", str(VERSION))], []
    plain = CompareRequest()
    fields += [("condition", f"{c.name}{_SEPARATOR}{_shown(c.trust)}") for c in request.conditions]
    for reference in request.references:
        if reference.png is not None:
            notes.append("The drawn or uploaded picture is not part of the link.")
            fields.append(("own_picture", "1"))
            continue
        key, name = ("follow", reference.emoji) if reference.emoji else ("follow_average", reference.average)
        fields.append((key, f"{name}{_SEPARATOR}{_shown(reference.trust)}"))
    for name in (*_NUMBERS, *_WORDS):
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, _shown(value)))
    if request.beside:
        fields.append(("beside", "1"))
    if request.methods != plain.methods:
        for choice in request.methods:
            settings = [f"{key}:{_shown(value)}" for key, value in choice.settings.items()]
            fields.append(("method", _SEPARATOR.join([choice.name, *settings])))
    return "&".join(f"{key}={quote(value, safe='*:,')}" for key, value in fields), notes


def from_query(query: str) -> tuple[CompareRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "follow=cat face&steps=30")
    values: dict = {"conditions": [], "references": [], "methods": []}
    for key, text in fields:
        if key == "condition":
            name, trust = _with_trust(text, "condition")
            values["conditions"].append({"name": name, "trust": trust})
        elif key in _REFERENCES:
            name, trust = _with_trust(text, key)
            values["references"].append({_REFERENCES[key]: name, "trust": trust})
        elif key == "method":
            name, *settings = text.split(_SEPARATOR)
            values["methods"].append({"name": name, "settings": dict(_setting(item) for item in settings)})
        elif key in _NUMBERS:
            values[key] = _number(key, text, _NUMBERS[key])
        elif key in _WORDS:
            values[key] = text
        elif key == "own_picture":
            notes.append("The picture that was followed is not part of the link; the first view's stands in for it.")
        elif key == "beside":
            values[key] = text == "1"
        else:
            notes.append(ignored(key))
    if not values["methods"]:
        del values["methods"]
    return parse(CompareRequest, **values), notes


def fields_of(query: str, example: str) -> tuple[list[tuple[str, str]], list[str]]:
    """((key, text) pairs, notes) of any page's link; the version and the host's own parameters, such as __theme, are
    left out. Raises InvalidRequest for what is no text, or too long."""
    if not isinstance(query, str):
        raise InvalidRequest(f"The query is {str(query)[:40]!r}; it must be text such as {example!r}.")
    query = query.removeprefix("?")
    if len(query) > MAX_LENGTH:
        raise InvalidRequest(f"The link is {len(query)} characters long; at most {MAX_LENGTH} are read.")
    if query.count("&") >= MAX_FIELDS:
        raise InvalidRequest(f"The link has {query.count('&') + 1} fields; at most {MAX_FIELDS} are read.")
    pairs = parse_qsl(query, keep_blank_values=True)
    foreign = [text for key, text in pairs if key == "v" and text != str(VERSION)]
    notes = [f"This link is of version {text[:20]!r}; it is read as version {VERSION}." for text in foreign]
    return [(key, text) for key, text in pairs if key != "v" and not key.startswith("__")], notes


def ignored(key: str) -> str:
    """The note on a field that a page does not know."""
    return f"The link's field {key[:40]!r} is not known here and was ignored."


def _shown(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _with_trust(text: str, key: str) -> tuple[str, float]:
    name, _, trust = text.rpartition(_SEPARATOR)
    return (name, _number(f"trust of {key} {name!r}", trust, float)) if name else (text, 1.0)


def _setting(item: str) -> tuple[str, str]:
    key, _, value = item.partition(":")
    return key, unquote(value)


def _number(name: str, text: str, kind: type) -> float | int:
    try:
        return kind(text)
    except ValueError:
        raise InvalidRequest(f"{name.replace('_', ' ').capitalize()} is {text[:40]!r}; it must be a number.") from None
