"""A request as a query string and back: short, readable, versioned, forgiving of what it does not know.

Example: ``v=1&condition=animals*1&condition=red*2&strength=3&method=cfg&method=gensot*particles:8``.
To restore: ``restore=mask:centre&restore_emoji=cat face&restore_noise=0.1``; a reward: ``reward=brightness*2``,
``reward=colour:d01c1c*2``, ``reward=class:hearts*1``. A drawing does not travel in a link; :func:`to_query` leaves it
out and says so.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote

from .presets import Presets, expanded
from .requests import CompareRequest, InvalidRequest, MethodChoice, RestoreChoice, RewardChoice, parse

VERSION = 1
MAX_LENGTH = 4000
MAX_FIELDS = 64
_NUMBERS = {
    "strength": float, "view_noise": float, "steps": int, "samples": int, "seed": int, "first_noise": float,
    "resolution": int,
}  # fmt: skip
_REFERENCES = {"follow": "emoji", "follow_average": "average"}
_WORDS = ("backbone", "negative", "sampler", "path")
_RESTORED = {"restore_emoji": "emoji", "restore_average": "average"}
_SEPARATOR, _DETAIL = "*", ":"
_DRAWN = "drawn"
LOOK = "look"  # which sample's story is open, see look_text: of no concern to a run
_PICTURE_STAYS = "The drawn or uploaded picture is not part of the link."
_MASK_STAYS = "The drawn mask is not part of the link."


def to_query(request: CompareRequest) -> tuple[str, list[str]]:
    """(query string without "?", notes on what does not travel). Values equal to the default are left out."""
    fields, notes = [("v", str(VERSION))], []
    plain = CompareRequest()
    fields += [("condition", f"{c.name}{_SEPARATOR}{_shown(c.trust)}") for c in request.conditions]
    for reference in request.references:
        if reference.png is not None:
            notes.append(_PICTURE_STAYS)
            fields.append(("own_picture", "1"))
            continue
        key, name = ("follow", reference.emoji) if reference.emoji else ("follow_average", reference.average)
        fields.append((key, f"{name}{_SEPARATOR}{_shown(reference.trust)}"))
    if request.restore is not None:
        fields += _restore_fields(request.restore, notes)
    if request.reward is not None:
        fields.append(("reward", reward_text(request.reward)))
    for name in (*_NUMBERS, *_WORDS):
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, _shown(value)))
    if request.beside:
        fields.append(("beside", "1"))
    if request.methods != plain.methods:
        fields += [("method", method_text(choice)) for choice in request.methods]
    return "&".join(f"{key}={quote(value, safe='*:,')}" for key, value in fields), notes


def from_query(query: str) -> tuple[CompareRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "follow=cat face&steps=30")
    values: dict = {"conditions": [], "references": [], "methods": []}
    restore: dict = {}
    for key, text in fields:
        if key == "condition":
            name, trust = _with_trust(text, "condition")
            values["conditions"].append({"name": name, "trust": trust})
        elif key in _REFERENCES:
            name, trust = _with_trust(text, key)
            values["references"].append({_REFERENCES[key]: name, "trust": trust})
        elif key == "restore":
            restore |= restore_values(text, notes)
        elif key in _RESTORED:
            restore["picture"] = {_RESTORED[key]: text}
        elif key == "restore_noise":
            restore["noise"] = _number(key, text, float)
        elif key == "reward":
            values["reward"] = reward_values(text)
        elif key == "method":
            values["methods"].append(method_values(text))
        elif key in _NUMBERS:
            values[key] = _number(key, text, _NUMBERS[key])
        elif key in _WORDS:
            values[key] = text
        elif key == "own_picture":
            notes.append("The picture that was followed is not part of the link; the first view's stands in for it.")
        elif key == "restore_own_picture":
            notes.append("The picture to restore is not part of the link; another one stands in for it.")
        elif key == "beside":
            values[key] = text == "1"
        elif key != LOOK:
            notes.append(ignored(key))
    if not values["methods"]:
        del values["methods"]
    if "kind" in restore:
        values["restore"] = restore
    elif restore:
        notes.append("The link has a picture or noise to restore but no restore=…, so they were ignored.")
    return parse(CompareRequest, **values), notes


def method_text(choice: MethodChoice) -> str:
    """``gensot*stiffness:50``: the method and the settings that differ from its defaults."""
    settings = [f"{key}:{_shown(value)}" for key, value in choice.settings.items()]
    return _SEPARATOR.join([choice.name, *settings])


def method_values(text: str) -> dict:
    """The same text as fields of a MethodChoice."""
    name, *settings = text.split(_SEPARATOR)
    return {"name": name, "settings": dict(_setting(item) for item in settings)}


def _restore_fields(choice: RestoreChoice, notes: list[str]) -> list[tuple[str, str]]:
    """The fields of a picture to restore; adds to ``notes`` what does not travel."""
    kind, picture = choice.kind, choice.picture
    if choice.mask_png is not None:
        notes.append(_MASK_STAYS)
    if kind == "mask":
        kind += _DETAIL + (choice.mask if choice.mask_png is None else _DRAWN)
    fields = [("restore", kind)]
    if picture.png is not None:
        notes.append(_PICTURE_STAYS)
        fields.append(("restore_own_picture", "1"))
    else:
        name = picture.emoji if picture.emoji is not None else picture.average
        fields.append(("restore_emoji" if picture.emoji is not None else "restore_average", name))
    if choice.noise != RestoreChoice.model_fields["noise"].default:
        fields.append(("restore_noise", _shown(choice.noise)))
    return fields


def restore_values(text: str, notes: list[str]) -> dict:
    """``mask:centre``, ``blur`` as fields of a RestoreChoice; adds to ``notes`` what stands in for a drawn mask."""
    kind, _, mask = text.partition(_DETAIL)
    if mask == _DRAWN:
        notes.append("The drawn mask is not part of the link; a ready one stands in for it.")
        mask = ""
    return {"kind": kind, "mask": mask} if mask else {"kind": kind}


def reward_text(choice: RewardChoice) -> str:
    """``brightness*2``, ``colour:d01c1c*2``, ``class:hearts*1``."""
    detail = {"colour": choice.colour.removeprefix("#"), "class": choice.target}.get(choice.kind)
    kind = choice.kind if detail is None else choice.kind + _DETAIL + detail
    return f"{kind}{_SEPARATOR}{_shown(choice.amount)}"


def reward_values(text: str) -> dict:
    """The same text as fields of a RewardChoice; the amount may be missing."""
    what, _, amount = text.rpartition(_SEPARATOR)
    values: dict = {} if not what else {"amount": _number("amount of the reward", amount, float)}
    kind, _, detail = (what or text).partition(_DETAIL)
    values["kind"] = kind
    if detail:
        values |= {"target": detail} if kind == "class" else {"colour": "#" + detail.removeprefix("#")}
    return values


def look_text(method: str, column: int) -> str:
    """``gensot:2``: a sample by its method and its column, from 0."""
    return f"{method}{_DETAIL}{column}"


def look_values(query: str) -> tuple[str, int] | None:
    """(method, column) that a link looks at, or None; raises InvalidRequest for one that cannot be read."""
    text = dict(fields_of(query, "look=gensot:0")[0]).get(LOOK)
    if not text:
        return None
    method, _, column = text.rpartition(_DETAIL)
    return method, _number("the column to look at", column, int)


def fields_of(query: str, example: str, presets: Presets | None = None) -> tuple[list[tuple[str, str]], list[str]]:
    """((key, text) pairs, notes) of any page's link; the version and the host's own parameters, such as __theme, are
    left out, and a preset by name is its fields. Raises InvalidRequest for what is no text, too long, or no preset."""
    if not isinstance(query, str):
        raise InvalidRequest(f"The query is {str(query)[:40]!r}; it must be text such as {example!r}.")
    query = query.removeprefix("?").encode("utf-8", "replace").decode()  # half a character cannot be sent on
    if len(query) > MAX_LENGTH:
        raise InvalidRequest(f"The link is {len(query)} characters long; at most {MAX_LENGTH} are read.")
    if query.count("&") >= MAX_FIELDS:
        raise InvalidRequest(f"The link has {query.count('&') + 1} fields; at most {MAX_FIELDS} are read.")
    pairs = parse_qsl(query, keep_blank_values=True)
    foreign = [text for key, text in pairs if key == "v" and text != str(VERSION)]
    notes = [f"This link is of version {text[:20]!r}; it is read as version {VERSION}." for text in foreign]
    fields = [(key, text) for key, text in pairs if key != "v" and not key.startswith("__")]
    return fields if presets is None else expanded(fields, presets), notes


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
