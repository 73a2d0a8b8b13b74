"""A protocol as a query string and back, as the links of the other pages: only what differs from the default.

Example: ``v=1&shape=V&stiffness=5,5,50,50&amplitude=2``, ``shape=knots&knots=1,1;2,-.5``.
"""

from __future__ import annotations

from urllib.parse import quote

from gensot_demo.transport.guides import SHAPES

from ..links import VERSION, fields_of, ignored
from ..links import to_query as compare_query
from ..plane.links import number_in, numbers_in
from ..plane.links import to_query as transport_query
from ..plane.request import TransportRequest, thinned
from ..requests import CompareRequest, MethodChoice, parse
from .case_a import CASES
from .request import ProtocolRequest

_ROWS = {"modes": 4, "knots": 2, "guide": 2}
_LISTS = ("stiffness", "temperature", "times", "start")
_WORDS = ("target", "shape")
_SENT = 60  # places of a guide in a link
_TEMPLATES = {"none": "gensot_drawn", "straight": "gensot_straight", "S": "gensot_s", "V": "gensot_v"}
_TEMPLATES["V frozen"] = "gensot_frozen"


def to_query(request: ProtocolRequest) -> tuple[str, list[str]]:
    """(query string without "?", notes on what does not travel)."""
    fields, notes = [("v", str(VERSION))], []
    plain = ProtocolRequest()
    for name in ProtocolRequest.model_fields:
        value = getattr(request, name)
        if value == getattr(plain, name) or (name == "guide" and request.shape not in ("curve", "pieces")):
            continue
        if name == "guide" and request.shape == "curve":
            value = thinned(value, _SENT)
        if name in _ROWS:
            fields.append((name, ";".join(",".join(f"{v:.5g}" for v in row) for row in value)))
        elif name in _LISTS:
            fields.append((name, ",".join(f"{v:.6g}" for v in value)))
        else:
            fields.append((name, f"{value:.12g}" if isinstance(value, float) else str(value)))
    query = "&".join(f"{key}={quote(value, safe='*:,;')}" for key, value in fields)
    if len(query) > 3800:
        notes.append("This protocol is too long for a link; export it as JSON instead.")
        query = f"v={VERSION}"
    return query, notes


def from_query(query: str) -> tuple[ProtocolRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(
        query, "shape=V&stiffness=20", lambda: ((case.title, to_query(case.request)[0]) for case in CASES)
    )
    values: dict = {}
    for key, text in fields:
        if key in _ROWS:
            values[key] = [numbers_in(key, row, _ROWS[key]) for row in text.split(";") if row]
        elif key in _LISTS:
            values[key] = numbers_in(key, text)
        elif key in _WORDS:
            values[key] = text
        elif key in ProtocolRequest.model_fields:
            values[key] = number_in(key, text, whole=ProtocolRequest.model_fields[key].annotation is int)
        else:
            notes.append(ignored(key))
    return parse(ProtocolRequest, **values), notes


def transport_link(request: ProtocolRequest) -> tuple[str, list[str]]:
    """(query of the Transport page, notes on what that page cannot take over)."""
    notes = []
    method = _TEMPLATES.get(request.shape, "gensot_drawn")
    guide = ()
    if method == "gensot_drawn":
        places = request.course(request.law()[0].mixture.mean()).protocol.guide.tolist()
        guide = tuple(map(tuple, thinned([[0.0, 0.0]] if request.shape == "none" else places, 40)))
    if request.shape == "pieces":
        notes.append("Transport follows the guide at constant speed.")
    if len(set(request.stiffness)) > 1 or len(set(request.temperature)) > 1:
        notes.append("Transport has one stiffness and one temperature: the means are taken.")
    if any(request.start):
        notes.append("Transport starts at the origin.")
    asked = parse(
        TransportRequest,
        target=request.target,
        modes=request.modes,
        source="point",
        methods=tuple(dict.fromkeys(["gensot_straight", method])),
        guide=guide,
        amplitude=request.amplitude if request.shape in SHAPES else 1.5,
        stiffness=float(request.per_piece("stiffness").mean()),
        temperature=float(request.per_piece("temperature").mean()),
        seed=request.seed,
    )
    return transport_query(asked)[0], notes


def compare_link(request: ProtocolRequest) -> tuple[str, list[str]]:
    """(query of the Compare page with GenSOT at this stiffness and temperature, notes)."""
    settings = {
        "stiffness": float(request.per_piece("stiffness").mean()),
        "temperature": float(request.per_piece("temperature").mean()),
    }
    first = CompareRequest.first_view()
    others = [method for method in first.methods if method.name != "gensot"]
    methods = [*others, MethodChoice(name="gensot", settings=settings)]
    asked = parse(CompareRequest, **{**dict(first), "methods": tuple(methods)})
    return compare_query(asked)[0], ["For pictures the guide is a picture: there it is the reference, or the origin."]
